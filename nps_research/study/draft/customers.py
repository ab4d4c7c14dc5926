"""What a second file says of customers or accounts, and by which column it joins to the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nps_research.errors import ContractError
from nps_research.reading.dates import last_day
from nps_research.reading.raw_table import RawTable
from nps_research.reading.values import parse_id, parse_timestamp
from nps_research.study.draft.columns import ReadColumn, profiles
from nps_research.study.draft.outcomes import Outcome, guess_outcome, outcome_names, outcome_toml
from nps_research.study.draft.people import PeopleGuess
from nps_research.study.draft.spelling import inline_table, quoted_toml, toml_key
from nps_research.study.draft.vocabulary import ROLES
from nps_research.study.standard_columns import is_private_name

LEAST_JOINED = 0.5  # of the answers: a key that finds fewer customers is the wrong one, or the wrong file
_STANDARD: dict[str, str] = {
    "churned_at": r"churn|cancel|terminat|\bleft\b|closed|lapsed|\bend(ed)?\b|gekündigt|résili|baja|відтік|отток",
    "started_at": r"\bstart|since|joined|sign ?up|registration|created|first (order|purchase)|kunde seit|depuis|alta",
    "observed_until": r"observed|as of|snapshot|data date|last (seen|active)|stand\b",
    "revenue": r"revenue|turnover|\barr\b|\bmrr\b|spend|contract value|\bacv\b|umsatz|chiffre|fatur|виручка|выручка",
    "account_id": ROLES["account_id"][0],
    "role": r"\brole\b|job title|\btitle\b|function|position|funktion|rolle|cargo|роль|посада|должность",
    "churn_reason": r"(churn|cancel\w*|leaving|lost) reason|reason (for|of)|kündigungsgrund|motif|motivo",
}
_MOST_ANSWERS = 12  # different whole numbers, or fewer: a score or a rating, and codes for no answer
_LONGEST_ID = 60  # signs, on average: what is longer is text
_DATE_COLUMNS = ("churned_at", "started_at", "observed_until")


@dataclass(frozen=True, kw_only=True)
class CustomersGuess:
    """A table of customers or accounts.

    Attributes
    ----------
    table : str
        ``"customers"`` or ``"accounts"``.
    key : ReadColumn
        Its id.
    of_answers : str
        Column of the answers that holds the same ids.
    n_found, n_ids : int
        Of the different ids among the answers, how many the table has.
    standard : dict of str to ReadColumn
    segments : tuple of ReadColumn
    """

    table: str
    key: ReadColumn
    of_answers: str
    n_found: int
    n_ids: int
    standard: dict[str, ReadColumn]
    segments: tuple[ReadColumn, ...]
    outcomes: tuple[Outcome, ...] = ()

    @property
    def n_repeated(self) -> int:
        """Rows in which an id stands that stood in another before."""
        return len(self.key.cells) - len(self.key.counts)

    @property
    def watched_until(self) -> str:
        """The last day on which anyone left, as far as it can be read."""
        left = self.standard.get("churned_at")
        days = parse_timestamp(left.cells).values if left is not None else pd.Series(dtype="datetime64[s]")
        days = days[days <= last_day()].dropna()
        return f"{days.max():%Y-%m-%d}" if len(days) else ""

    @property
    def lacks_end(self) -> bool:
        """Whether leaving is dated, and nothing says until when it would have been seen."""
        return "churned_at" in self.standard and "observed_until" not in self.standard


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A column of the answers and one of the table, by which they might be joined."""

    of_answers: ReadColumn
    key: ReadColumn
    n_found: int
    n_ids: int

    @property
    def share(self) -> float:
        return self.n_found / self.n_ids

    def worth(self, named: Mapping[str, str]) -> tuple[bool, float, bool, int]:
        """What makes a good join, in this order: an id once a row, many found, called an id, many different ones."""
        return (len(self.key.counts) == len(self.key.cells), self.share, self.of_answers.name in named, self.n_ids)


def guess_customers(table: RawTable, answers: RawTable, people: PeopleGuess) -> CustomersGuess:
    """Find by which column a table of customers joins to the answers: by the values that both hold.

    Columns that were taken for ids among the answers come first, where they find as many.

    Parameters
    ----------
    table, answers : RawTable
        The second file, and the first.
    people : PeopleGuess
        Which columns of the answers are ids.

    Raises
    ------
    ContractError
        If no column of the table finds half of the ids of the answers; it says what came nearest. Or if it is about
        stores or the like.
    """
    columns, named = profiles(table), {column.name: name for name, column in people.columns.items()}
    keys = {column.name: _ids(column) for column in columns if _may_be_key(column)}
    pairs = [
        _Pair(of_answers=column, key=key, n_found=len(wanted & keys[key.name]), n_ids=len(wanted))
        for column in profiles(answers)
        if _may_be_key(column) and (wanted := _ids(column))
        for key in columns
        if key.name in keys
    ]
    best = max(pairs, key=lambda pair: (pair.share >= LEAST_JOINED, *pair.worth(named)), default=None)
    if best is None or best.share < LEAST_JOINED:
        nearest = max(pairs, key=lambda pair: pair.share, default=None)
        said = (
            f"; {nearest.key.name!r} comes nearest, with {nearest.n_found:,} of the {nearest.n_ids:,} in "
            f"{nearest.of_answers.name!r}"
            if nearest is not None and nearest.n_found
            else ""
        )
        raise ContractError(
            f"{table.path.name}: no column holds the ids of the answers{said}. Is it the file of the same people?"
        )
    key, of_answers = best.key, best.of_answers.name
    joins = named.get(of_answers, "customer_id")
    if joins == "cluster":
        raise ContractError(
            f"{table.path.name}: {key.name!r} holds the values of {of_answers!r}, which stands for several people: a "
            "file of customers or accounts is needed."
        )
    standard: dict[str, ReadColumn] = {}
    for name, pattern in _STANDARD.items():
        for column in columns:
            taken = column is key or column in standard.values()
            if name == "account_id" and named.get(of_answers) == "account_id":
                continue
            fits = (
                column.is_date
                if name in _DATE_COLUMNS
                else column.is_number
                if name == "revenue"
                else not column.is_date
            )
            if not taken and fits and not column.cells.empty and re.search(pattern, column.words):
                standard[name] = column
                break
    outcomes = tuple(
        outcome
        for column in columns
        if column is not key and column not in standard.values() and (outcome := guess_outcome(column)) is not None
    )
    taken_too = [outcome.column for outcome in outcomes]
    segments = tuple(
        column
        for column in columns
        if column is not key
        and column not in [*standard.values(), *taken_too]
        and 2 <= len(column.counts) <= 30
        and 3 * len(column.counts) <= len(column.cells)
        and not (column.is_number or column.is_date or column.is_personal or column.is_free_text)
        and not is_private_name(column.name)
    )
    return CustomersGuess(
        table="accounts" if joins == "account_id" else "customers",
        key=key,
        of_answers=of_answers,
        outcomes=outcomes,
        n_found=best.n_found,
        n_ids=best.n_ids,
        standard=standard,
        segments=segments,
    )


def _may_be_key(column: ReadColumn) -> bool:
    """Whether a column may hold ids: several values, no dates, no text that people wrote, no scores or ratings."""
    few = len(column.counts) <= max(1, len(column.cells) // 100)
    is_answer = 0 < len(column.points) <= _MOST_ANSWERS
    return not (few or is_answer or column.is_date or column.is_flag or _is_text(column))


def _is_text(column: ReadColumn) -> bool:
    return not column.cells.empty and bool(column.cells.str.len().mean() > _LONGEST_ID)


def _ids(column: ReadColumn) -> set[str]:
    return set(parse_id(column.cells).values.dropna())


def customers_toml(table: RawTable, guess: CustomersGuess) -> str:
    """Write the table's part of a study.toml."""
    what = "account" if guess.table == "accounts" else "customer"
    lines = [
        f"[{guess.table}]   # {guess.n_found:,} of the {guess.n_ids:,} {what}s among the answers are in this file",
        f"file = {quoted_toml(table.path.name)}",
    ]
    lines += [
        f"{key} = {quoted_toml(value) if isinstance(value, str) else value}" for key, value in table.read_with.items()
    ]
    if guess.lacks_end:
        lines += [
            "# Until which day would leaving have been seen? Without it nobody can be followed. Often the day of the",
            "# export, never before the last who left. Take the # off once the day is right.",
            f"# observed_until = {guess.watched_until or '2025-12-31'}",
        ]
    lines += ["", f"[{guess.table}.columns]", f"{what}_id = {quoted_toml(guess.key.name)}   # by the ids it holds"]
    lines += [
        f"{name} = {quoted_toml(column.name)}   # by its name and values" for name, column in guess.standard.items()
    ]
    if guess.segments:
        lines += ["", f"[{guess.table}.segments]"]
        named = inline_table({column.name: quoted_toml(column.name) for column in guess.segments})
        lines.append(f"columns = {named}")
    names = outcome_names([outcome.column.name for outcome in guess.outcomes])
    for outcome in guess.outcomes:
        name = toml_key(names[outcome.column.name])
        lines += ["", outcome_toml(outcome, name, table=guess.table)]
    return "\n".join(lines)
