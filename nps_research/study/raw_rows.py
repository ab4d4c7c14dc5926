"""A table's rows as its files give them: columns by their standard names, cells as they came.

The steps, in order: read each file, map its columns onto the standard names, leave out the rows that the study
leaves out, fill in the constants, set the stated codes to missing, put the files under each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.errors import ContractError, did_you_mean, sentences_joined
from nps_research.reading.file_settings import Code, DateAndTime, MappedColumn, SeveralColumns, YesAndNo, columns_behind
from nps_research.reading.raw_table import cell_text, counted
from nps_research.reading.sources import read_source
from nps_research.reading.values import blank_codes, has_code
from nps_research.results.words import joined
from nps_research.study.contact_details import holds_contact
from nps_research.study.repeats import Counts
from nps_research.study.settings_file import OutcomeSettings
from nps_research.study.standard_columns import STANDARD, private_columns
from nps_research.study.table_settings import (
    SCORE,
    DriverSettings,
    FileOfTable,
    Recode,
    SegmentSettings,
    TableSettings,
    WaveOfDates,
)

_MOST_CODES = 30  # a column of this many different values at most holds codes, which may be named


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a table is to hold: its standard columns, drivers, segments and outcomes, and how they are read."""

    table: str
    drivers: DriverSettings | None = None
    segments: SegmentSettings | None = None
    outcomes: Mapping[str, OutcomeSettings] = field(default_factory=dict)
    date_format: Mapping[str, str] = field(default_factory=dict)
    recode: Mapping[str, Recode] = field(default_factory=dict)
    wave: WaveOfDates | None = None
    counts: Counts | None = None
    constants: frozenset[str] = frozenset()
    score_column: str = "likelihood_to_recommend"  # of the file

    @classmethod
    def of(cls, table: str, settings: TableSettings, outcomes: Mapping[str, OutcomeSettings]) -> Self:
        """The plan of one table of a study.toml."""
        of_files = chain.from_iterable(source.constants for source in settings.sources)
        return cls(
            table=table,
            drivers=settings.drivers,
            segments=settings.segments,
            outcomes={name: outcome for name, outcome in outcomes.items() if outcome.table == table},
            date_format=settings.date_format,
            recode=settings.recode,
            wave=settings.wave,
            counts=settings.counts,
            score_column=next(iter(columns_behind(settings.columns.get(SCORE, SCORE)))),
            constants=frozenset(settings.constants) | frozenset(of_files),
        )

    @property
    def driver_names(self) -> tuple[str, ...]:
        """Display names of the drivers."""
        return tuple(self.drivers.columns) if self.drivers else ()

    @property
    def asked(self) -> frozenset[str]:
        """Drivers and outcomes, by their names in the plan: what one file of a study may ask and another not."""
        return frozenset((*self.driver_names, *(f"outcome_{name}" for name in self.outcomes)))

    @property
    def driver_scale(self) -> tuple[int, int]:
        """Lowest and highest rating."""
        return self.drivers.scale if self.drivers else (1, 5)

    @property
    def segment_names(self) -> tuple[str, ...]:
        """Display names of the segments."""
        return tuple(self.segments.columns) if self.segments else ()


@dataclass(frozen=True, kw_only=True)
class RawRows:
    """Rows of all files under each other, columns by the names of the plan, cells as they came."""

    cells: pd.DataFrame
    file: NDArray[np.object_]
    line: NDArray[np.int64]
    rejected: pd.DataFrame  # file, line, reason: records that are no rows
    waves: Mapping[str, str | None]  # per file
    notes: tuple[str, ...]
    excluded: Mapping[str, int] = field(default_factory=dict)  # per file: rows left out by the study's own setting


def read_files(settings: TableSettings, plan: Plan, folder: Path) -> RawRows:
    """Read all files of a table and map their columns.

    Raises
    ------
    ContractError
        If a file cannot be read, mapped columns are not in it (all of them are listed), or no row is left.
    """
    cells: list[pd.DataFrame] = []
    files, lines, rejected, notes, faults = [], [], [], [], []
    detected: dict[str, list[str]] = {}
    excluded: dict[str, int] = {}
    not_asked: dict[str, dict[str, str]] = {}  # rating -> file without it -> what to say if no file has it
    left_out = _LeftOut(settings)
    of_wave = settings.wide.columns if settings.wide else {}
    for source, wanted, columns in _mapped(settings, plan):
        is_read = not (settings.wide and cells)  # waves of a wide file share what was read for the first
        if is_read:
            raw = read_source(source, folder, columns=columns)
        taken = set(
            chain.from_iterable(columns_behind(wanted[name]) for name in wanted if name in STANDARD[plan.table])
        )
        names = {name: name for name in STANDARD[plan.table] if name not in taken} | wanted
        news = [name for name in names if is_read or name in of_wave]
        label = {name: source.label if name in of_wave else source.file_label for name in news}
        for name, mapped in wanted.items():
            for column in columns_behind(mapped) if name in news else ():
                if column not in raw.frame:
                    near = _nearest(column, raw.header)
                    fault = f"{label[name]}: there is no column {column!r} for {name}{near}"
                    if name in plan.asked and not _is_misspelt(column, set(raw.header) - set(columns)):
                        not_asked.setdefault(name, {})[label[name]] = fault
                    else:
                        faults.append(fault)
        for column in left_out.columns if is_read else ():
            if column not in raw.frame:
                near = _nearest(column, raw.header)
                faults.append(f"{source.file_label}: there is no column {column!r}, by which rows are left out{near}")
        present = {name: of for name, of in names.items() if set(columns_behind(of)) <= set(raw.frame)}
        faults += [
            f"{label[name]}: column {column!r}, wanted for {name}, is there more than once"
            for name, mapped in present.items()
            for column in columns_behind(mapped)
            if column in raw.duplicate_columns and name in news
        ]
        private = private_columns(plan.table)
        out = left_out.rows(raw.frame, [column for name in private for column in columns_behind(names.get(name, name))])
        table = pd.DataFrame(
            {name: _standard_column(raw.frame, of) for name, of in present.items()}, index=raw.frame.index
        )
        table = table[~out].reset_index(drop=True)
        for name, mapped in present.items():
            filled = raw.frame[mapped.column][~out].notna().sum() if isinstance(mapped, YesAndNo) else 0
            if (unclear := int(filled - table[name].notna().sum())) > 0:
                cells_of = f"{counted(unclear, 'cell')} of {name}"
                notes.append(f"{label[name]}: {cells_of}: neither a stated yes nor a stated no, so not known.")
        notes += _fill_constants(table, {**settings.constants, **source.constants}, source.label)
        for name, codes in {**settings.missing_codes, **source.missing_codes}.items():
            if name not in table:
                known = did_you_mean(name, list(map(str, table.columns)))
                faults += [f"{source.file_label}: missing_codes names {name}, which has no column{known}"] * is_read
                continue
            if isinstance(several := present.get(name), SeveralColumns):
                each = [blank_codes(raw.frame[column][~out], codes) for column in several.columns]
                table[name] = _joined_codes([cells for cells, _ in each]).reset_index(drop=True)
                count = sum(blank for _, blank in each)
            else:
                table[name], count = blank_codes(table[name], codes)
            if count and name in news:
                said = f"{label[name]}: {counted(count, 'cell')} of {name} held a stated code for no answer"
                told = (
                    ""
                    if _may_be_somebodys(codes, name in private and not all(map(_is_short, codes)))
                    else f" ({', '.join(map(str, codes))})"
                )
                notes.append(f"{said}{told}.")
        if source.wave is not None:
            table["wave"] = source.wave
        cells.append(table)
        files.append(np.full(len(table), source.label, dtype=object))
        excluded[source.label] = int(out.sum())
        lines.append(np.asarray(raw.line[~out], dtype=np.int64))
        rejected.append(raw.rejected.assign(file=source.label))
        for note in raw.notes if is_read else ():
            detected.setdefault(note, []).append(source.file_label)
    nowhere = [name for name in not_asked if not any(name in table for table in cells)]
    faults += [fault for name in nowhere for fault in not_asked[name].values()]
    if faults:
        raise ContractError(f"{plan.table}: " + sentences_joined(faults))
    notes += _not_asked_in_words(not_asked)
    notes += left_out.in_words(plan.table)
    if settings.wide is not None:
        notes.append(f"{source.file_label}: each line stands for {counted(len(cells), 'invitation')}, one per wave.")
    return RawRows(
        cells=pd.concat(cells, ignore_index=True),
        file=np.concatenate(files),
        line=np.concatenate(lines),
        rejected=pd.concat(rejected, ignore_index=True),
        waves={source.label: source.wave for source in settings.sources},
        notes=(*(f"{_files_in_words(where)}: {note}." for note, where in detected.items()), *notes),
        excluded=excluded,
    )


class _LeftOut:
    """Rows that `exclude` and `only` leave out, and which code was found how often."""

    def __init__(self, settings: TableSettings) -> None:
        self._stated = [(column, codes, "is") for column, codes in settings.exclude.items()]
        self._stated += [(column, codes, "is not") for column, codes in settings.only.items()]
        self._found: Counter[tuple[str, str]] = Counter()
        self._private: set[str] = set()
        self._rows = self._out = 0

    @property
    def columns(self) -> list[str]:
        """The columns of the file that tell."""
        return list(dict.fromkeys(column for column, _, _ in self._stated))

    def rows(self, frame: pd.DataFrame, private: Sequence[str]) -> NDArray[np.bool_]:
        """Which rows of a file are left out."""
        out = np.zeros(len(frame), dtype=bool)
        for column, codes, how in self._stated:
            if column not in frame:
                continue
            if column in private or frame[column].nunique() > _MOST_CODES:
                self._private.add(column)
            found = has_code(frame[column], codes).to_numpy(dtype=bool)
            out |= found if how == "is" else ~found
            for code in codes:
                self._found[column, str(code)] += int(has_code(frame[column], [code]).sum())
        self._rows, self._out = self._rows + len(out), self._out + int(out.sum())
        return out

    def in_words(self, table: str) -> list[str]:
        """How many rows were left out and why; ContractError if none is left."""
        if not self._stated or not self._rows:
            return []
        why = "; ".join(f"{column} {how} {self._named(column, codes)}" for column, codes, how in self._stated)
        if self._out == self._rows:
            raise ContractError(f"{table}: exclude and only leave none of {counted(self._rows, 'row')}: {why}.")
        lost = [
            f"{column} {code}"
            for column, codes, _ in self._stated
            for code in map(str, codes)
            if not self._found[column, code] and not _may_be_somebodys([code], column in self._private)
        ]
        unfound = f" No row has {', nor '.join(lost)}." if lost else ""
        return [f"{table}: {counted(self._out, 'row')} left out: {why}.{unfound}"]

    def _named(self, column: str, codes: Sequence[Code]) -> str:
        """The stated codes, unless they may be somebody's own."""
        if _may_be_somebodys(codes, column in self._private):
            return "a stated value" if len(codes) == 1 else f"one of {len(codes)} stated values"
        return " or ".join(map(str, codes))


def _is_short(code: Code) -> bool:
    """Whether it is a number of three digits at most, such as 99, which is nobody's."""
    return str(code).strip("-").isdecimal() and len(str(code)) <= len("-99")


def _may_be_somebodys(codes: Sequence[Code], is_private: bool) -> bool:
    """Whether stated codes are not to be repeated: of a private column, an e-mail address, a telephone number."""
    text = pd.Series([str(code) for code in codes], dtype="str")
    return is_private or bool((text.str.contains("@") | holds_contact(text)).any())


def _standard_column(frame: pd.DataFrame, mapped: MappedColumn) -> pd.Series:
    """A standard column out of the file's."""
    if isinstance(mapped, YesAndNo):
        column = frame[mapped.column]
        yes, no = has_code(column, mapped.yes), has_code(column, mapped.no)
        known = column.notna()
        yes, no = (yes if mapped.yes else known & ~no), (no if mapped.no else known & ~yes)
        return pd.Series(pd.NA, frame.index, dtype="str").mask(no, "no").mask(yes, "yes")
    if isinstance(mapped, DateAndTime):
        date, time = (_as_cells(frame[column]) for column in columns_behind(mapped))
        midnight = r"[ T]0?0:00(?::00(?:\.0+)?)?$"  # of a spreadsheet's dates, which have an hour
        moment: pd.Series = date.str.replace(midnight, "", regex=True) + (" " + time).fillna("")
        return moment
    if isinstance(mapped, SeveralColumns):
        return _joined_codes([frame[column] for column in mapped.columns])
    return frame[mapped]


def _joined_codes(columns: Sequence[pd.Series]) -> pd.Series:
    """Codes of several columns as one text, with a separator between them."""
    cells = pd.concat([_as_cells(column).str.strip() for column in columns], axis=1)
    codes = cells.apply(lambda row: "; ".join(filter(None, row.dropna())), axis=1).astype("str")
    return codes.where(codes != "")


def _as_cells(column: pd.Series) -> pd.Series:
    """A column as text, whatever its type."""
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.strftime("%Y-%m-%d %H:%M:%S")
    text: pd.Series = column.astype("str").where(column.notna())
    return text


def _fill_constants(table: pd.DataFrame, constants: Mapping[str, object], label: str) -> list[str]:
    """Give the table its constants, where the file has no such column; says where it has."""
    notes = []
    for name, value in constants.items():
        if name in table:
            notes.append(f"{label}: {name} is stated as one value for all rows, and not used: the file has the column.")
        else:
            table[name] = pd.Series(cell_text(value), table.index, dtype="str")
    return notes


def _mapped(settings: TableSettings, plan: Plan) -> list[tuple[FileOfTable, dict[str, MappedColumn], list[str]]]:
    """Each file, or wave of a wide file, with the columns it must have, and all to look for in the file."""
    sources = [(source, _wanted(settings, plan, source)) for source in settings.sources]
    columns = [
        [
            *STANDARD[plan.table],
            *chain.from_iterable(map(columns_behind, wanted.values())),
            *settings.exclude,
            *settings.only,
        ]
        for _, wanted in sources
    ]
    if settings.wide is not None:
        columns = [list(chain.from_iterable(columns))] * len(sources)
    return [
        (source, wanted, list(dict.fromkeys(looked_for)))
        for (source, wanted), looked_for in zip(sources, columns, strict=True)
    ]


def _is_misspelt(column: str, others: Collection[str]) -> bool:
    """Whether one of a file's other columns seems to be the one that was meant."""
    return bool(get_close_matches(column, list(others), n=1, cutoff=0.8))


def _not_asked_in_words(not_asked: Mapping[str, Collection[str]]) -> list[str]:
    """Which ratings and outcomes some files do not have, which others have."""
    questions: dict[tuple[str, ...], list[str]] = {}
    for name, files in not_asked.items():
        questions.setdefault(tuple(files), []).append(name.removeprefix("outcome_"))
    return [f"{_files_in_words(list(files))}: not asked there: {joined(names)}." for files, names in questions.items()]


def _nearest(column: str, header: Sequence[str]) -> str:
    """The column that may have been meant. Others are not listed: without a header they are somebody's cells."""
    close = get_close_matches(column, header, n=1)
    return f": did you mean {close[0]!r}?" if close else f" among its {len(header):,}"


def _files_in_words(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _wanted(settings: TableSettings, plan: Plan, source: FileOfTable) -> dict[str, MappedColumn]:
    """Columns that a file must have: name in the plan -> name in the file."""
    standard = {**settings.columns, **source.columns}
    known = list(STANDARD[plan.table])
    if unknown := [name for name in standard if name not in known]:
        listed = (f"there is no standard column {name}{did_you_mean(name, known)}" for name in unknown)
        raise ContractError(f"{plan.table}: {sentences_joined(listed)}")
    drivers = {**(plan.drivers.columns if plan.drivers else {}), **source.drivers}
    segments = {**(plan.segments.columns if plan.segments else {}), **source.segments}
    for kind, own, named in (("drivers", drivers, plan.driver_names), ("segments", segments, plan.segment_names)):
        if strange := [name for name in own if name not in named]:
            raise ContractError(f"{source.label}: {kind} {', '.join(strange)}: not among the table's {kind}.")
    outcomes = {f"outcome_{name}": outcome.column for name, outcome in plan.outcomes.items()}
    wanted: dict[str, MappedColumn] = {**standard, **outcomes}
    for name, column in {**drivers, **segments}.items():
        if name in wanted and wanted[name] != column:
            raise ContractError(f"{plan.table}: the name {name!r} is used for two different columns.")
        wanted[name] = column
    return wanted
