"""From files to accepted and quarantined rows, for one table of a study.

The steps, in order: read each file, map its columns onto the standard names, set the stated codes
to missing, put the files under each other, read the cells, hold the rows against the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nps_research.errors import ContractError, did_you_mean, sentences_joined
from nps_research.reading.raw_table import counted
from nps_research.reading.sources import read_source
from nps_research.reading.values import blank_codes, has_code, parse_number, parse_score, parse_text
from nps_research.study.contract import (
    NO_GROUP,
    PRIVATE,
    TABLES,
    Violations,
    check_customers,
    check_responses,
    holds_address,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nps_research.study.settings_file import (
        DriverSettings,
        FileSettings,
        OutcomeSettings,
        SegmentSettings,
        TableSettings,
    )

__all__ = ["Plan", "Table", "check_names", "check_table", "read_files", "yes_and_no"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a table is to hold: its standard columns, drivers, segments and outcomes."""

    table: str
    drivers: DriverSettings | None = None
    segments: SegmentSettings | None = None
    outcomes: Mapping[str, OutcomeSettings] = field(default_factory=dict)
    date_format: str | None = None

    @property
    def driver_names(self) -> tuple[str, ...]:
        """Display names of the drivers."""
        return tuple(self.drivers.columns) if self.drivers else ()

    @property
    def driver_scale(self) -> tuple[int, int]:
        """Lowest and highest rating."""
        return self.drivers.scale if self.drivers else (1, 5)

    @property
    def segment_names(self) -> tuple[str, ...]:
        """Display names of the segments."""
        return tuple(self.segments.columns) if self.segments else ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table after the contract.

    Attributes
    ----------
    accepted : DataFrame
        Rows that keep every rule: standard columns typed, drivers as nullable integers, segments as
        text, outcomes as ``outcome_<name>``.
    not_used : DataFrame of bool
        Per driver, where the respondent said that they had not used it; same rows as `accepted`.
    quarantine : DataFrame
        Rows that break a rule: file, line, reasons and the cells as they came. Private.
    violations : DataFrame
        table, column, rule, rows, first_lines. Free of cell values.
    files : DataFrame
        table, file, wave, rows, accepted, quarantined.
    notes : tuple of str
        What was detected or read by a rule, in sentences.
    """

    accepted: pd.DataFrame
    not_used: pd.DataFrame
    quarantine: pd.DataFrame
    violations: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RawRows:
    """Rows of all files under each other, columns by the names of the plan, cells as they came."""

    cells: pd.DataFrame
    file: NDArray[np.object_]
    line: NDArray[np.int64]
    rejected: pd.DataFrame  # file, line, reason: records that are no rows
    waves: Mapping[str, str | None]  # per file
    notes: tuple[str, ...]


def read_files(settings: TableSettings, plan: Plan, folder: Path) -> RawRows:
    """Read all files of a table and map their columns.

    Raises
    ------
    ContractError
        If a file cannot be read or mapped columns are not in it; all of them are listed.
    """
    cells: list[pd.DataFrame] = []
    files, lines, rejected, notes, faults = [], [], [], [], []
    detected: dict[str, list[str]] = {}
    of_wave = settings.wide.columns if settings.wide else {}
    for source, wanted, columns in _mapped(settings, plan):
        is_read = not (settings.wide and cells)  # waves of a wide file share what was read for the first
        if is_read:
            raw = read_source(source, folder, columns=list(dict.fromkeys(columns)))
        news = [name for name in {**TABLES[plan.table], **wanted} if is_read or name in of_wave]
        label = {name: source.label if name in of_wave else source.file_label for name in news}
        for name, column in wanted.items():
            if column not in raw.frame and name in news:
                faults.append(f"{label[name]}: there is no column {column!r} for {name}{_nearest(column, raw.header)}")
        names = {name: wanted.get(name, name) for name in {**TABLES[plan.table], **wanted}}
        present = {name: column for name, column in names.items() if column in raw.frame}
        faults += [
            f"{label[name]}: column {column!r}, wanted for {name}, is there more than once"
            for name, column in present.items()
            if column in raw.duplicate_columns and name in news
        ]
        table = pd.DataFrame({name: raw.frame[column] for name, column in present.items()}, index=raw.frame.index)
        for name, codes in {**settings.missing_codes, **source.missing_codes}.items():
            if name not in table:
                known = did_you_mean(name, list(map(str, table.columns)))
                faults += [f"{source.file_label}: missing_codes names {name}, which has no column{known}"] * is_read
                continue
            table[name], count = blank_codes(table[name], codes)
            if count and name in news:
                stated = ", ".join(str(code) for code in codes)
                notes.append(
                    f"{label[name]}: {counted(count, 'cell')} of {name} held a stated code for no answer ({stated})."
                )
        if source.wave is not None:
            table["wave"] = source.wave
        cells.append(table)
        files += [source.label] * len(table)
        lines.append(np.asarray(raw.line, dtype=np.int64))
        rejected.append(raw.rejected.assign(file=source.label))
        for note in raw.notes if is_read else ():
            detected.setdefault(note, []).append(source.file_label)
    if faults:
        raise ContractError(f"{plan.table}: " + sentences_joined(faults))
    if settings.wide is not None:
        notes.append(f"{source.file_label}: each line stands for {counted(len(cells), 'invitation')}, one per wave.")
    return RawRows(
        cells=pd.concat(cells, ignore_index=True),
        file=np.array(files, dtype=object),
        line=np.concatenate(lines),
        rejected=pd.concat(rejected, ignore_index=True),
        waves={source.label: source.wave for source in settings.sources},
        notes=(*(f"{_files_in_words(where)}: {note}." for note, where in detected.items()), *notes),
    )


def _mapped(settings: TableSettings, plan: Plan) -> list[tuple[FileSettings, dict[str, str], list[str]]]:
    """Each file, or wave of a wide file, with the columns it must have, and all to look for in the file."""
    sources = [(source, _wanted(settings, plan, source)) for source in settings.sources]
    columns = [[wanted.get(name, name) for name in {**TABLES[plan.table], **wanted}] for _, wanted in sources]
    if settings.wide is not None:
        columns = [list(dict.fromkeys(chain.from_iterable(columns)))] * len(sources)
    return [(source, wanted, looked_for) for (source, wanted), looked_for in zip(sources, columns, strict=True)]


def _nearest(column: str, header: Sequence[str]) -> str:
    """The column that may have been meant. Others are not listed: without a header they are somebody's cells."""
    close = get_close_matches(column, header, n=1)
    return f": did you mean {close[0]!r}?" if close else f" among its {len(header):,}"


def _files_in_words(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _wanted(settings: TableSettings, plan: Plan, source: FileSettings) -> dict[str, str]:
    """Columns that a file must have: name in the plan -> name in the file."""
    standard = {**settings.columns, **source.columns}
    if unknown := [name for name in standard if name not in TABLES[plan.table]]:
        raise ContractError(
            f"{plan.table}: "
            + sentences_joined(
                f"there is no standard column {name}{did_you_mean(name, list(TABLES[plan.table]))}" for name in unknown
            )
        )
    drivers = {**(plan.drivers.columns if plan.drivers else {}), **source.drivers}
    segments = {**(plan.segments.columns if plan.segments else {}), **source.segments}
    for kind, own, named in (("drivers", drivers, plan.driver_names), ("segments", segments, plan.segment_names)):
        if strange := [name for name in own if name not in named]:
            raise ContractError(f"{source.label}: {kind} {', '.join(strange)}: not among the table's {kind}.")
    outcomes = {f"outcome_{name}": outcome.column for name, outcome in plan.outcomes.items()}
    wanted = {**standard, **outcomes}
    for name, column in {**drivers, **segments}.items():
        if name in wanted and wanted[name] != column:
            raise ContractError(f"{plan.table}: the name {name!r} is used for two different columns.")
        wanted[name] = column
    return wanted


def check_table(raw: RawRows, plan: Plan) -> Table:
    """Read the cells, apply the contract and split the rows."""
    check_names(plan)
    violations = Violations(len(raw.cells))
    values, rules = typed(raw.cells, TABLES[plan.table], violations, date_format=plan.date_format)
    drivers, not_used = _drivers(raw.cells, plan, violations)
    segments = _segments(raw.cells, plan, violations)
    outcomes, outcome_notes = _outcomes(raw.cells, plan, violations)
    values = pd.concat([values.drop(columns=list(segments), errors="ignore"), drivers, segments, outcomes], axis=1)
    {"responses": check_responses, "customers": check_customers}[plan.table](values, violations)
    broken = violations.rows
    quarantine = pd.concat(
        [
            raw.rejected.rename(columns={"reason": "reasons"})[["file", "line", "reasons"]],
            pd.DataFrame({"file": raw.file, "line": raw.line, "reasons": violations.reasons()}).join(raw.cells)[broken],
        ],
        ignore_index=True,
    )
    quarantine.insert(0, "table", plan.table)
    by_reason = raw.rejected.groupby("reason", sort=False)["line"]
    records = [("record", reason, len(lines), ", ".join(map(str, lines[:3]))) for reason, lines in by_reason]
    summary = violations.summary(raw.line)
    summary = pd.concat([summary, pd.DataFrame(records, columns=summary.columns)], ignore_index=True)
    summary.insert(0, "table", plan.table)
    return Table(
        accepted=values[~broken].reset_index(drop=True),
        not_used=not_used[~broken].reset_index(drop=True),
        quarantine=quarantine,
        violations=summary,
        files=_file_counts(raw, plan, broken),
        notes=(*raw.notes, *(f"{rule}: {counted(count, 'cell')}." for rule, count in rules.items()), *outcome_notes),
    )


_TAKEN = ("response_state", "table", "file", "line", "reasons", "weekday", "hour")


def check_names(plan: Plan) -> None:
    """Drivers and segments have names of their own; a segment may be a standard column that is not private."""
    for kind, names, own in (
        ("driver", plan.driver_names, (*TABLES[plan.table], *plan.segment_names)),
        ("segment", plan.segment_names, (*PRIVATE, *plan.driver_names)),
    ):
        if taken := [name for name in names if name in (*own, *_TAKEN) or name.startswith("outcome_")]:
            raise ContractError(
                f"{plan.table}: a {kind} cannot be called {', '.join(taken)}: the name means something else, "
                "or is private. Give it another name."
            )


def _drivers(cells: pd.DataFrame, plan: Plan, violations: Violations) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings, and where "not used" was said instead."""
    ratings: dict[str, pd.Series] = {}
    not_used: dict[str, pd.Series] = {}
    for name in plan.driver_names:
        settings = plan.drivers
        if settings is None or name not in cells:
            continue
        unused = has_code(cells[name], settings.not_used_codes)
        column, _ = blank_codes(cells[name].mask(unused), settings.missing_codes)
        if settings.labels:
            folded = {label.strip().lower(): rating for label, rating in settings.labels.items()}
            labelled = column.astype("str").str.strip().str.lower().map(folded)
            column = labelled.where(labelled.notna(), column)
        parsed = parse_score(column)
        low, high = settings.scale
        violations.add(name, f"is not a rating from {low} to {high}, nor a stated code", parsed.unreadable)
        outside = (parsed.values < low) | (parsed.values > high)
        violations.add(name, f"is not a rating from {low} to {high}, nor a stated code", outside)
        ratings[name], not_used[name] = parsed.values, unused
    return pd.DataFrame(ratings, index=cells.index), pd.DataFrame(not_used, index=cells.index)


def _segments(cells: pd.DataFrame, plan: Plan, violations: Violations) -> pd.DataFrame:
    """Groups, with the stated words for their codes."""
    segments: dict[str, pd.Series] = {}
    for name in plan.segment_names:
        if plan.segments is None or name not in cells:
            continue
        column, _ = blank_codes(cells[name], plan.segments.missing_codes)
        words = parse_text(column).values
        violations.add(name, NO_GROUP, holds_address(words))
        labels = plan.segments.labels.get(name, {})
        segments[name] = (
            words.map(lambda word, labels=labels: labels.get(word, word), na_action="ignore") if labels else words
        )
    return pd.DataFrame(segments, index=cells.index)


def yes_and_no(column: pd.Series, settings: OutcomeSettings) -> tuple[pd.Series, pd.Series]:
    """Where a yes/no outcome is yes, and where it is no; elsewhere it is not known."""
    if settings.event_min is None:
        return has_code(column, settings.event), has_code(column, settings.no_event)
    number = parse_number(column).values
    return (number >= settings.event_min).fillna(value=False), (number < settings.event_min).fillna(value=False)


def _outcomes(cells: pd.DataFrame, plan: Plan, violations: Violations) -> tuple[pd.DataFrame, list[str]]:
    """Outcomes as yes/no or amounts; what is neither stated yes nor stated no is missing, and counted."""
    outcomes: dict[str, pd.Series] = {}
    notes = []
    for name, settings in plan.outcomes.items():
        column = cells[f"outcome_{name}"]
        if settings.kind == "amount":
            parsed = parse_number(column)
            violations.add(f"outcome_{name}", "is not a number", parsed.unreadable)
            outcomes[f"outcome_{name}"] = parsed.values
            continue
        event, no_event = yes_and_no(column, settings)
        outcome = (
            pd.Series(pd.NA, index=cells.index, dtype="boolean").mask(no_event, other=False).mask(event, other=True)
        )
        outcomes[f"outcome_{name}"] = outcome
        if unclear := int((outcome.isna() & column.notna()).sum()):
            notes.append(
                f"outcome {name}: {unclear:,} cells are neither a stated event nor a stated no-event: unknown."
            )
    return pd.DataFrame(outcomes, index=cells.index), notes


def _file_counts(raw: RawRows, plan: Plan, broken: NDArray[np.bool_]) -> pd.DataFrame:
    rows = []
    for file, wave in raw.waves.items():
        of_file = raw.file == file
        rejected = int((raw.rejected["file"] == file).sum())
        kept, quarantined = int((of_file & ~broken).sum()), int((of_file & broken).sum()) + rejected
        rows.append((plan.table, file, wave, kept + quarantined, kept, quarantined))
    return pd.DataFrame(rows, columns=["table", "file", "wave", "rows", "accepted", "quarantined"])
