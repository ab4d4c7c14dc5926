"""What a file says that is no survey: callbacks, complaints, purchases and the other further tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.raw_table import RawTable
from nps_research.reading.sources import read_table
from nps_research.study.draft.columns import ReadColumn, profiles
from nps_research.study.draft.spelling import quoted_toml
from nps_research.study.further_tables import FURTHER
from nps_research.study.settings_file import read_study_file

_OF_CUSTOMER = (
    r"\b(customer|client|kunden?|cust|member|requester|requestor|caller id|contact|buyer|klient|cliente?"
    r"|клиент|клієнт)\b"
)
_OF_RESPONDENT = rf"\b(respondent|resp|survey|recipient)\b|{_OF_CUSTOMER}"
_OF_PROBLEM = (
    r"\b(problem|issue|category|reason|topic|tags?|defect|complaint (type|code)|code|grund|motif|motivo"
    r"|причина|проблем\w*)\b"
)
_OF_CHANNEL = r"\b(channel|via|source|kanal|canal|канал)\b"
_OF_PRODUCT = r"\b(product|item|sku|article|artikel|produit|producto|товар)\b"
_OF_WAVE = r"^(survey )?(wave|round|quarter)$"
_OF_LIFE_STAGE = r"^life ?(cycle )?stage$"
_PATTERNS: Mapping[str, Mapping[str, str]] = {  # in the order in which a column is looked for
    "callbacks": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "assigned_at": r"\b(assigned|queued|due|created|opened)\b",
        "attempted_at": r"\b(attempt\w*|called|call (date|start|time)|first call|dialled|dialed|start(ed)?)\b",
        "reached_at": r"\b(reached|connected|answered|spoke\w*|contacted)\b",
        "closed_at": r"\b(closed|completed|finished|ended|call end|end)\b",
        "assignment": r"\bassignment\b",
        "queue": r"\b(queue|team|desk)\b",
        "caller": r"\b(agent|operator|assignee|owner|handled by|employee|mitarbeiter)\b|^caller( name)?$",
        "outcome": r"\b(outcome|result|disposition|status|resolution|ergebnis)\b",
        "problem": _OF_PROBLEM,
        "note": r"\b(notes?|remarks?|comments?|description|notiz)\b",
    },
    "problems": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "problem": _OF_PROBLEM,
        "source": r"\b(source|found)\b",
    },
    "hand_codes": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "coder": r"\b(coder|coded by|rater|annotator)\b",
        "problem": _OF_PROBLEM,
        "inclusion_probability": r"\b(probabilit\w*|inclusion)\b",
    },
    "complaints": {
        "customer_id": _OF_CUSTOMER,
        "complained_at": r"\b(complain\w*|created|opened|received|reported|submitted|raised|date|eingang)\b",
        "resolved_at": r"\b(resolved|solved|closed|settled|erledigt)\b",
        "channel": _OF_CHANNEL,
        "problem": _OF_PROBLEM,
    },
    "transactions": {
        "customer_id": _OF_CUSTOMER,
        "bought_at": (
            r"\b((order|purchase|invoice|sale|transaction|booking)s? ?(date|time|at|on)|bought|ordered|date|datum)\b"
        ),
        "amount": r"\b(amount|total|revenue|price|value|net|gross|betrag|summe|montant|importe|сумма|сума)\b",
        "basket_id": r"\b(order|basket|invoice|receipt|transaction) ?(id|no|nr|number)\b|^(order|invoice|receipt)$",
        "product": _OF_PRODUCT,
        "quantity": r"\b(quantity|qty|units|pieces|menge|anzahl|cantidad|количество|кількість)\b",
        "kind": r"\b(kind|order type|type)\b",
    },
    "memberships": {
        "customer_id": _OF_CUSTOMER,
        "programme": r"\b(programme|program|card|club|tier|plan)\b",
        "offered_at": r"\boffered\b",
        "joined_at": r"\b(joined|enrolled|member since|sign ?up|start(ed)?)\b",
        "left_at": r"\b(left|cancelled|canceled|ended|end)\b",
    },
    "referrals": {
        "referrer_id": r"\b(referrer|referred by|recommender|advocate)\b",
        "referred_id": r"\b(referred|referee|friend|invitee)\b",
        "asked_at": r"\basked\b",
        "referred_at": r"\b(referred (at|on)|referral date|date)\b",
        "became_customer_at": r"\b(became|converted|conversion|first (order|purchase))\b",
        "reward": r"\b(reward|bonus|voucher)\b",
    },
    "contacts": {
        "customer_id": _OF_CUSTOMER,
        "account_id": r"\b(account|company|firm|firma)\b",
        "contacted_at": r"\b(contacted|visit\w*|meeting|activity|date)\b",
        "kind": r"\b(kind|type|activity type)\b",
        "employee": r"\b(employee|owner|rep|account manager|by)\b",
    },
    "offers": {
        "customer_id": _OF_CUSTOMER,
        "product": rf"{_OF_PRODUCT}|\boffer\b",
        "offered_at": r"\b(offered|sent|date)\b",
        "arm": r"\b(arm|group|held|control|treatment)\b",
        "accepted_at": r"\b(accepted|redeemed|converted)\b",
    },
    "units": {
        "unit": r"\b(unit|branch|store|region|shop|location|filiale|line)\b",
        "period": r"\b(period|quarter|month|year)\b",
        "revenue": r"\b(revenue|turnover|sales|umsatz)\b",
        "customers_start": r"\b(customers|clients)( at)?( the)? (start|beginning|opening)\b|\bopening\b",
        "customers_gained": r"\b(gained|won|new)\b",
        "customers_lost": r"\b(lost|churned|left)\b",
    },
    "market": {
        "person_id": r"\b(person|respondent|panell?ist|user) ?(id|no|number)?\b",
        "wave": _OF_WAVE,
        "brand": r"^(brand|company|supplier|bank)( name)?$",
        "likelihood_to_recommend": r"\b(nps|ltr|recommend\w*|score)\b",
        "is_customer": r"\bcustomer\b",
        "main_brand": r"\bmain\b",
        "position": r"\b(position|order)\b",
        "design_weight": r"\bweight\b",
        "blind": r"\bblind\b",
    },
    "population": {
        "customers": r"\b(customers|population|clients|count|n)\b",
        "revenue": r"\b(revenue|turnover|umsatz)\b",
    },
}
# What a file is taken for by itself, and what its kind is called; the columns that tell it from others.
LOOKS_LIKE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "callbacks": ("a call log", ("respondent_id", "attempted_at", "caller", "outcome")),
    "complaints": ("a ticket export", ("customer_id", "complained_at", "resolved_at")),
    "transactions": ("an order list", ("customer_id", "bought_at", "amount")),
}


@dataclass(frozen=True, kw_only=True)
class FurtherDraft:
    """A further table as drafted.

    Attributes
    ----------
    table : str
        Its name.
    toml : str
        The table's part of a study.toml.
    columns : mapping of str to str
        Standard columns and those of the file.
    lacks : tuple of str
        Columns without which no row says anything, and which were not found.
    """

    table: str
    toml: str
    columns: Mapping[str, str]
    lacks: tuple[str, ...]


def draft_further(table: RawTable, name: str) -> FurtherDraft:
    """Draft a further table from a file: which of its columns mean what.

    Parameters
    ----------
    table : RawTable
        The file.
    name : str
        Which further table it is.
    """
    found = _guessed(profiles(table), name)
    of_table = FURTHER[name]
    lines = [f"[{name}]   # one row is {of_table.row}: {of_table.question}", f"file = {quoted_toml(table.path.name)}"]
    lines += [
        f"{key} = {quoted_toml(value) if isinstance(value, str) else value}" for key, value in table.read_with.items()
    ]
    lines += ["", f"[{name}.columns]"]
    lines += [
        f"{column} = {quoted_toml(own.name)}   # {of_table.columns[column].says}" for column, own in found.items()
    ]
    lacks = tuple(column for column in of_table.rules.filled if column not in found)
    lines += [
        f'# {column} = "?"   # {of_table.columns[column].says}: not found, and no row counts without it'
        for column in lacks
    ]
    unclear = [column for column, own in found.items() if own.is_unclear_date]
    lines += [f'# How are the dates of {column} written? date_format = "%d.%m.%Y" or "%m/%d/%Y"' for column in unclear]
    return FurtherDraft(
        table=name,
        toml="\n".join(lines) + "\n",
        columns={column: own.name for column, own in found.items()},
        lacks=lacks,
    )


def add_to_study(
    target: Path,
    file: Path,
    table: str,
    *,
    sheet: str | None = None,
    header_rows: int | None = None,
    encoding: str | None = None,
) -> FurtherDraft:
    """Draft a further table from a file, and add it to the study.toml at `target`.

    Raises
    ------
    ContractError
        There is no such table, no study.toml, or it has the table already; it is then as it was.
    """
    if table not in FURTHER:
        raise ContractError(f"there is no table {table}{did_you_mean(table, list(FURTHER))}")
    if not target.is_file():
        raise ContractError(
            f"there is no study.toml in {target.parent.name!r} to add {table} to: name its folder with --out"
        )
    if table in read_study_file(target).every_table:
        raise ContractError(f"study.toml has [{table}] already; it was not touched")
    draft = draft_further(read_table(file, sheet=sheet, header_rows=header_rows, encoding=encoding), table)
    with target.open("a", encoding="utf-8", newline="\n") as study:
        study.write(f"\n{draft.toml}")
    return draft


def looks_like(table: RawTable) -> str:
    """Which further table a file without answers seems to be; empty where none."""
    columns = profiles(table)
    fitting = [name for name, (_, needed) in LOOKS_LIKE.items() if set(needed) <= set(_guessed(columns, name))]
    return max(fitting, key=lambda name: len(_guessed(columns, name)), default="")


def _guessed(columns: list[ReadColumn], table: str) -> dict[str, ReadColumn]:
    """The file's column behind each standard one: of the same name, else the first that is called so and fits."""
    found: dict[str, ReadColumn] = {}
    by_name = {re.sub(r"\W+", "_", column.words.strip()): column for column in columns}
    for name in _PATTERNS[table]:
        if name in by_name:
            found[name] = by_name[name]
    for name, pattern in _PATTERNS[table].items():
        for column in columns:
            free = name not in found and column not in found.values()
            if free and _fits_kind(column, FURTHER[table].columns[name].kind) and re.search(pattern, column.words):
                found[name] = column
    return {name: found[name] for name in _PATTERNS[table] if name in found}


def _fits_kind(column: ReadColumn, kind: str) -> bool:
    """Whether the values of a column may be of a kind; an empty one may be of any."""
    if column.cells.empty:
        return True
    match kind:
        case "timestamp":
            return column.is_date
        case "number" | "score":
            return column.is_number
        case "flag":
            return column.is_flag
    return not column.is_date
