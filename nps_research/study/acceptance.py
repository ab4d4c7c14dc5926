"""From raw to accepted and quarantined rows, for one table: cells are read, rows held against the contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.errors import ContractError
from nps_research.reading.dates import last_day
from nps_research.reading.raw_table import counted
from nps_research.reading.values import blank_codes, has_code, parse_number, parse_score, parse_text
from nps_research.study.contact_details import NO_GROUP, holds_contact
from nps_research.study.contract import (
    FAR_OUT,
    UNREADABLE,
    Violations,
    check_customers,
    far_out,
    numbers_to_tell,
    typed,
    values_to_tell,
)
from nps_research.study.doubts import end_before_leaving, lost_answers, score_doubts
from nps_research.study.further_rules import Known, check_further
from nps_research.study.further_tables import FURTHER
from nps_research.study.raw_rows import Plan, RawRows
from nps_research.study.repeats import STANDS_TWICE
from nps_research.study.settings_file import OutcomeSettings
from nps_research.study.standard_columns import IS_PRIVATE, PRIVATE, STANDARD, is_private_name
from nps_research.study.surveys import check_surveys, is_by_age
from nps_research.study.table_settings import SCORE
from nps_research.study.waves import wave_of_dates


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
        table, column, rule, rows, first_lines, values (numbers and dates only, that are nobody's), would_help.
    files : DataFrame
        table, file, wave, rows, accepted, quarantined; and excluded, where the study leaves rows out.
    notes : tuple of str
        What was detected or read by a rule, in sentences.
    warnings : tuple of str
        What makes one doubt the column of the score, and how many answers were lost, where it is much.
    too_much_lost : bool
        Whether more than half of the answers were lost.
    displaced : DataFrame or None
        Answers that gave way to a newer one of the same wave, `kept` by the index of `accepted`; None where no
        respondent has several rows, accepted or not.
    """

    accepted: pd.DataFrame
    not_used: pd.DataFrame
    quarantine: pd.DataFrame
    violations: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    too_much_lost: bool = False
    displaced: pd.DataFrame | None = None


def check_table(raw: RawRows, plan: Plan, *, known: Known | None = None) -> Table:
    """Read the cells, apply the contract and split the rows; rows of further tables refer to what is `known`."""
    check_names(plan)
    violations = Violations(len(raw.cells))
    cells, notes = _recoded(raw.cells, plan, violations)
    values, rules = typed(cells, STANDARD[plan.table], violations, date_format=plan.date_format)
    notes += [f"{rule}: {counted(count, 'cell')}." for rule, count in rules.items()]
    drivers, not_used, driver_notes = _drivers(raw.cells, plan, violations)
    segments = _segments(raw.cells, plan, violations)
    outcomes, outcome_notes = _outcomes(raw.cells, plan, violations)
    values = pd.concat([values.drop(columns=list(segments), errors="ignore"), drivers, segments, outcomes], axis=1)
    if plan.wave is not None:
        values["wave"] = wave_of_dates(values, plan.wave)
    displaced = None
    if plan.table == "responses":
        displaced = check_surveys(values, violations, counts=plan.counts or "newest")
    elif known is not None:
        notes += check_further(plan.table, values, violations, known, plan.segment_names)
    else:
        notes += _not_yet_left(values)
        check_customers(values, violations, key="account_id" if plan.table == "accounts" else "customer_id")
    broken = violations.rows
    if displaced is not None:
        displaced["kept"] = values.index[~broken].get_indexer(pd.Index(displaced["kept"]))
    rows = {"file": raw.file[broken], "line": raw.line[broken], "reasons": violations.reasons()[broken]}
    quarantine = pd.concat(
        [
            raw.rejected.rename(columns={"reason": "reasons"})[["file", "line", "reasons"]],
            pd.DataFrame(rows, index=raw.cells.index[broken]).astype({"file": "str", "reasons": "str"}).join(raw.cells),
        ],
        ignore_index=True,
    )
    quarantine.insert(0, "table", plan.table)
    by_reason = raw.rejected.groupby("reason", sort=False)["line"]
    records = [("record", reason, len(lines), ", ".join(map(str, lines[:3])), "", "") for reason, lines in by_reason]
    score = values.get(SCORE, pd.Series(dtype="Int64"))
    summary = violations.summary(raw.line, no_zero=plan.table == "responses" and not (score == 0).any())
    summary = pd.concat([summary, pd.DataFrame(records, columns=summary.columns)], ignore_index=True)
    summary.insert(0, "table", plan.table)
    lost, too_much = _lost(raw, plan, values, violations, summary)
    return Table(
        accepted=values[~broken].reset_index(drop=True),
        not_used=not_used[~broken].reset_index(drop=True),
        quarantine=quarantine,
        violations=summary,
        files=_file_counts(raw, plan, broken),
        notes=(*raw.notes, *notes, *driver_notes, *outcome_notes, *_on_waves(values[~broken], plan)),
        warnings=(*score_doubts(score, plan.score_column), *lost, *end_before_leaving(values, plan.table)),
        too_much_lost=too_much,
        displaced=displaced,
    )


def _recoded(cells: pd.DataFrame, plan: Plan, violations: Violations) -> tuple[pd.DataFrame, list[str]]:
    """The cells with the stated values of the score's codes."""
    recode = plan.recode.get(SCORE)
    if recode is None or SCORE not in cells:
        return cells, []
    parsed = parse_score(cells[SCORE])
    if recode.shift is not None:
        as_came = cells[SCORE].astype("str").where(cells[SCORE].notna())
        shifted = (parsed.values + recode.shift).astype("str").where(parsed.values.notna(), as_came)
        done = counted(int(parsed.values.notna().sum()), "cell")
        return cells.assign(**{SCORE: shifted}), [f"{SCORE}: answers shifted by {recode.shift}, as stated: {done}."]
    text = parse_text(cells[SCORE]).values
    values = {code.strip().casefold(): value for code, value in recode.codes.items()}
    numbers = {int(code): value for code, value in values.items() if code.lstrip("-").isdecimal()}
    column = text.str.casefold().map(values).astype("Int64").fillna(parsed.values.map(numbers).astype("Int64"))
    lost = column.isna() & (parsed.values.notna() | parsed.unreadable)
    violations.add(SCORE, "has a code without a value in recode", lost, cells=cells[SCORE], told=values_to_tell)
    done = counted(int(column.notna().sum()), "cell")
    return cells.assign(**{SCORE: column}), [f"{SCORE}: codes replaced by their values, as stated: {done}."]


def _not_yet_left(values: pd.DataFrame) -> list[str]:
    """Take out dates of leaving that are yet to come; says how many there were."""
    if "churned_at" not in values or not (planned := values["churned_at"] > last_day()).any():
        return []
    values["churned_at"] = values["churned_at"].mask(planned)
    return [f"churned_at: a date yet to come, so not yet left: {counted(int(planned.sum()), 'cell')}."]


def _lost(
    raw: RawRows, plan: Plan, values: pd.DataFrame, violations: Violations, summary: pd.DataFrame
) -> tuple[list[str], bool]:
    """How many answers the contract cost, where that is much; and whether it is more than half of them."""
    if SCORE not in values:
        return [], False
    answers = values[SCORE].notna().to_numpy() | violations.of(SCORE, UNREADABLE["score"])
    answers |= violations.of(SCORE, "has a code without a value in recode")
    broken, told = violations.rows, summary
    if plan.counts is not None:  # which of several answers counts was stated: the others are not lost
        again = summary["rule"].str.startswith(STANDS_TWICE)
        told = summary[~again]
        for rule in summary["rule"][again]:
            broken = broken & ~violations.of("respondent_id", rule)
    lost = int((answers & broken).sum()) + len(raw.rejected)
    sentence, too_much = lost_answers(told, lost, int(answers.sum()) + len(raw.rejected))
    return [sentence] if sentence else [], too_much


def _on_waves(accepted: pd.DataFrame, plan: Plan) -> list[str]:
    """What waves were made of, and how many rows have none."""
    if plan.wave is None:
        return []
    accepted = accepted[~is_by_age(accepted)]
    lost, waves = int(accepted["wave"].isna().sum()), accepted["wave"].nunique()
    by_invitation = int((accepted[plan.wave.from_date].isna() & accepted["wave"].notna()).sum())
    said = f"; {counted(by_invitation, 'row')} without that date by the invitation's" if by_invitation else ""
    said += f"; {counted(lost, 'row')} without that date, and so without a wave" if lost else ""
    return [f"wave: {counted(waves, 'wave')} made of {plan.wave.from_date}, one every {plan.wave.every}{said}."]


def _own_of_further(table: str) -> tuple[str, ...]:
    """The columns of a further table, none of which is a segment of it."""
    return tuple(FURTHER[table].columns) if table in FURTHER else ()


_TAKEN = ("response_state", "table", "file", "line", "reasons", "weekday", "hour")


def check_names(plan: Plan) -> None:
    """Drivers and segments have names of their own; a segment may be a standard column that is not private."""
    columns = plan.segments.columns.values() if plan.segments else ()
    if private := [column for column in columns if is_private_name(column)]:
        raise ContractError(f"{plan.table}: segments: {private[0]} {IS_PRIVATE}.")
    for kind, names, own in (
        ("driver", plan.driver_names, (*STANDARD[plan.table], *plan.segment_names)),
        ("segment", plan.segment_names, (*PRIVATE, *plan.driver_names, *_own_of_further(plan.table))),
    ):
        if taken := [name for name in names if name in (*own, *_TAKEN) or name.startswith("outcome_")]:
            raise ContractError(
                f"{plan.table}: a {kind} cannot be called {', '.join(taken)}: the name means something else, "
                "or is private. Give it another name."
            )


def _drivers(cells: pd.DataFrame, plan: Plan, violations: Violations) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Ratings, on one scale; where "not used" was said instead; and what was turned round or stretched."""
    ratings: dict[str, pd.Series] = {}
    not_used: dict[str, pd.Series] = {}
    notes = []
    for name in plan.driver_names:
        settings = plan.drivers
        if settings is None or name not in cells:
            continue
        unused = has_code(cells[name], settings.not_used_codes)
        used = cells[name].mask(unused) if settings.not_used_codes else cells[name]
        column, _ = blank_codes(used, settings.missing_codes)
        if settings.labels:
            folded = {label.strip().lower(): rating for label, rating in settings.labels.items()}
            labelled = column.astype("str").str.strip().str.lower().map(folded)
            column = labelled.where(labelled.notna(), column)
        parsed = parse_score(column)
        low, high = settings.scale_of(name)
        rule = f"is not a rating from {low} to {high}, nor a stated code"
        violations.add(name, rule, parsed.unreadable, cells=column, told=values_to_tell)
        outside = (parsed.values < low) | (parsed.values > high)
        violations.add(name, rule, outside, cells=parsed.values, told=numbers_to_tell)
        rating = parsed.values
        if name in settings.reverse:
            rating = low + high - rating
            notes.append(f"{name}: turned round, {low} for {high}: {counted(int(rating.notna().sum()), 'cell')}.")
        if (low, high) != settings.scale:
            first, last = settings.scale
            rating = first + (rating.astype("Float64") - low) * ((last - first) / (high - low))
            notes.append(f"{name}: its scale of {low} to {high} is stretched to {first} to {last}.")
        ratings[name], not_used[name] = rating, unused
    ratings_of_rows = pd.DataFrame(ratings, index=cells.index, copy=False)
    return ratings_of_rows, pd.DataFrame(not_used, index=cells.index, copy=False), notes


def _segments(cells: pd.DataFrame, plan: Plan, violations: Violations) -> pd.DataFrame:
    """Groups, with the stated words for their codes."""
    segments: dict[str, pd.Series] = {}
    for name in plan.segment_names:
        if plan.segments is None or name not in cells:
            continue
        column, _ = blank_codes(cells[name], plan.segments.missing_codes)
        words, labels = parse_text(column).values, plan.segments.labels.get(name, {})
        violations.add(name, NO_GROUP, holds_contact(words))
        if labels:
            words = words.map(lambda word, labels=labels: labels.get(word, word), na_action="ignore").astype("str")
            violations.add(name, NO_GROUP, holds_contact(words))
        segments[name] = words
    return pd.DataFrame(segments, index=cells.index, copy=False)


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
            violations.add(f"outcome_{name}", FAR_OUT, far_out(parsed.values))
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
        excluded = raw.excluded.get(file, 0)
        rows.append((plan.table, file, wave, kept + quarantined + excluded, kept, quarantined, excluded))
    columns = ["table", "file", "wave", "rows", "accepted", "quarantined", "excluded"]
    counts = pd.DataFrame(rows, columns=columns)
    return counts if counts["excluded"].any() else counts.drop(columns="excluded")
