"""What a second file says of customers or accounts, and by which column it joins to the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nps_research.errors import ContractError
from nps_research.reading.raw_table import RawTable
from nps_research.reading.values import parse_id
from nps_research.study.draft.columns import ReadColumn, profiles
from nps_research.study.draft.spelling import inline_table, quoted_toml

LEAST_JOINED = 0.5  # of the answers: a key that finds fewer customers is the wrong one, or the wrong file
_STANDARD: dict[str, str] = {
    "churned_at": r"churn|cancel|terminat|\bleft\b|closed|lapsed|\bend(ed)?\b|gekündigt|résili|baja|відтік|отток",
    "started_at": r"\bstart|since|joined|sign ?up|registration|created|first (order|purchase)|kunde seit|depuis|alta",
    "observed_until": r"observed|as of|snapshot|data date|last (seen|active)|stand\b",
    "revenue": r"revenue|turnover|\barr\b|\bmrr\b|spend|contract value|\bacv\b|umsatz|chiffre|fatur|виручка|выручка",
    "role": r"\brole\b|job title|\btitle\b|function|position|funktion|rolle|cargo|роль|посада|должность",
    "churn_reason": r"(churn|cancel\w*|leaving|lost) reason|reason (for|of)|kündigungsgrund|motif|motivo",
}
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
    joins : str
        Standard column of the answers that holds the same ids.
    n_found, n_ids : int
        Of the different ids among the answers, how many the table has.
    standard : dict of str to ReadColumn
    segments : tuple of ReadColumn
    """

    table: str
    key: ReadColumn
    joins: str
    n_found: int
    n_ids: int
    standard: dict[str, ReadColumn]
    segments: tuple[ReadColumn, ...]


def guess_customers(table: RawTable, ids: Mapping[str, ReadColumn]) -> CustomersGuess:
    """Find by which column a table of customers joins to the answers: by the values that both hold.

    Parameters
    ----------
    table : RawTable
        The second file.
    ids : mapping of str to ReadColumn
        Columns of ids among the answers, by standard name.

    Raises
    ------
    ContractError
        If no column of the table finds half of the ids of the answers; it says what came nearest.
    """
    columns = profiles(table)
    best: tuple[float, str, ReadColumn, int, int] | None = None
    for name, column in ids.items():
        wanted = set(parse_id(column.cells).values.dropna())
        for other in columns:
            if other.is_date or len(other.counts) < 2:
                continue
            found = len(wanted & set(parse_id(other.cells).values.dropna()))
            share = found / len(wanted) if wanted else 0.0
            if best is None or share > best[0]:
                best = (share, name, other, found, len(wanted))
    if best is None or best[0] < LEAST_JOINED:
        nearest = f"; {best[2].name!r} comes nearest, with {best[3]:,} of {best[4]:,}" if best else ""
        raise ContractError(
            f"{table.path.name}: no column holds the ids of the answers{nearest}. Is it the right file?"
        )
    _, joins, key, n_found, n_ids = best
    standard: dict[str, ReadColumn] = {}
    for name, pattern in _STANDARD.items():
        for column in columns:
            taken = column is key or column in standard.values()
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
    segments = tuple(
        column
        for column in columns
        if column is not key
        and column not in standard.values()
        and 2 <= len(column.counts) <= 30
        and 3 * len(column.counts) <= len(column.cells)
        and not (column.is_number or column.is_date or column.is_personal or column.is_free_text)
    )
    return CustomersGuess(
        table="accounts" if joins == "account_id" else "customers",
        key=key,
        joins=joins,
        n_found=n_found,
        n_ids=n_ids,
        standard=standard,
        segments=segments,
    )


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
    if "churned_at" in guess.standard and "observed_until" not in guess.standard:
        lines += [
            "# Until which day would leaving have been seen? Without it nobody's loyalty can be followed.",
            "# observed_until = 2025-12-31",
        ]
    lines += ["", f"[{guess.table}.columns]", f"{what}_id = {quoted_toml(guess.key.name)}   # by the ids it holds"]
    lines += [
        f"{name} = {quoted_toml(column.name)}   # by its name and values" for name, column in guess.standard.items()
    ]
    if guess.segments:
        lines += ["", f"[{guess.table}.segments]"]
        named = inline_table({column.name: quoted_toml(column.name) for column in guess.segments})
        lines.append(f"columns = {named}")
    return "\n".join(lines)
