"""What a file says that is no survey: callbacks, complaints, purchases and the other further tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.raw_table import RawTable
from nps_research.reading.sources import read_table
from nps_research.study.draft.columns import ReadColumn, profiles
from nps_research.study.draft.spelling import quoted_toml
from nps_research.study.further_tables import FURTHER, word_of
from nps_research.study.settings_file import read_study_file

_OF_CUSTOMER = (
    r"\b(customer|client|kunden?\w*|mitglied\w*|cust|member|requester|requestor|caller id|contact|buyer|klient|cliente?"
    r"|клиент\w*|клієнт\w*)\b"
)
_OF_RESPONDENT = rf"\b(respondent|resp|survey|recipient)\b|{_OF_CUSTOMER}"
_OF_PROBLEM = (
    r"\b(problem|issue|category|reason|topic|tags?|defect|complaint (type|code)|code|grund|motif|motivo"
    r"|причина|проблем\w*)\b"
)
_OF_CHANNEL = r"\b(channel|via|source|kanal|canal|канал)\b"
_OF_PRODUCT = r"\b(product|item|sku|article|artikel|produit|producto|товар)\b"
_OF_WAVE = r"^(survey )?(wave|round|quarter)$"
_OF_ANSWER = r"^respon(ded|se)( ?(at|on|date|time))?$"
_OF_LIFE_STAGE = r"^life ?(cycle )?stage$"
# In the order in which a column is looked for; of several patterns the strongest first.
_PATTERNS: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {
    "callbacks": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "responded_at": _OF_ANSWER,
        "assigned": r"^(was |is )?assigned$",
        "assigned_at": r"\b(assigned|queued|created|opened)\b",
        "attempted_at": (
            r"\b(attempt\w*|called|call (date|start|time)|first call|dialled|dialed|start(ed)?|anrufdatum)\b"
            r"|^activity date$"
        ),
        "reached_at": r"\b(reached|connected|answered|spoke\w*|contacted)\b",
        "closed_at": r"\b(closed|completed|finished|abgeschlossen|erledigt)\b",
        "assignment": r"\bassignment\b",
        "queue": r"\b(queue|team|desk)\b",
        "caller": (
            r"\b(agent|operator|assignee|owner|handled by|employee|mitarbeiter|assigned to)\b|^caller( name)?$|^user$"
        ),
        "outcome": r"\b(outcome|result|disposition|status|resolution|ergebnis)\b",
        "problem": _OF_PROBLEM,
        "note": r"\b(notes?|remarks?|comments?|description|notiz)\b",
    },
    "problems": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "responded_at": _OF_ANSWER,
        "problem": _OF_PROBLEM,
        "source": r"\b(source|found)\b",
    },
    "hand_codes": {
        "respondent_id": _OF_RESPONDENT,
        "wave": _OF_WAVE,
        "life_stage": _OF_LIFE_STAGE,
        "responded_at": _OF_ANSWER,
        "coder": r"\b(coder|coded by|rater|annotator)\b",
        "problem": _OF_PROBLEM,
        "inclusion_probability": r"\b(probabilit\w*|inclusion)\b",
    },
    "complaints": {
        "customer_id": _OF_CUSTOMER,
        "complained_at": r"\b(complain\w*|created|opened|received|reported|submitted|raised|date|eingang\w*)\b",
        "resolved_at": r"\b(resolved|solved|closed|settled|erledigt)\b",
        "channel": _OF_CHANNEL,
        "problem": _OF_PROBLEM,
    },
    "transactions": {
        "customer_id": _OF_CUSTOMER,
        "bought_at": (
            r"\b((order|purchase|invoice|sale|transaction|booking)s? ?(date|time|at|on)|bought|ordered|date|datum"
            r"|belegdatum|rechnungsdatum|bestelldatum|kaufdatum|paid at|дата)\b"
        ),
        "amount": (
            r"\b(line|row|position|item) ?(total|amount|value)\b",
            r"\b(amount|total|revenue|value|net|gross|betrag|nettowert|bruttobetrag|summe|montant|importe|сумма|сума)\b",
            r"\b(price|preis|prix|цена|ціна)\b",
        ),
        "basket_id": (
            r"\b(order|basket|invoice|receipt|transaction|rechnungs?|beleg|bestell) ?(id|no|nr|number|nummer)\b"
            r"|^(order|invoice|receipt|verkaufsbeleg|rechnungsnummer|bestellnummer|номер заказа)$"
        ),
        "product": _OF_PRODUCT,
        "quantity": (
            r"\b(quantity|quantité|qty|units|pieces|menge|auftragsmenge|anzahl|cantidad|количество|кількість)\b"
        ),
        "kind": r"\b(kind|order type|type)\b",
    },
    "memberships": {
        "customer_id": _OF_CUSTOMER,
        "programme": r"\b(programme|program|card|club|tier|plan|kartenart|programm)\b",
        "offered_at": r"\boffered\b",
        "joined_at": (
            r"\b(joined|enrolled|enrol?ment|member since|sign ?up|start(ed)?|eintritt\w*|beitritt\w*|adhésion"
            r"|вступлени\w*)\b"
        ),
        "left_at": (
            r"\b(left|cancelled|canceled|cancellation|ended|end|austritt\w*|kündigung\w*|résiliation|выход\w*)\b"
        ),
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
        "contacted_at": r"\b(contacted|visit\w*|besuch\w*|meeting|activity|date)\b",
        "kind": r"\b(kind|type|activity type)\b",
        "employee": r"\b(employee|owner|rep|account manager|by)\b",
    },
    "offers": {
        "customer_id": _OF_CUSTOMER,
        "product": rf"{_OF_PRODUCT}|\boffer\b",
        "offered_at": r"\b(offered|sent|date)\b",
        "arm": (r"\b(arm|held|control|treatment|holdout|(test|campaign|experiment) ?group)\b", r"\bgroup\b"),
        "accepted_at": r"\b(accept\w*|redeemed|converted|response date)\b",
    },
    "units": {
        "unit": (r"\b(unit|branch|store|shop|location|filiale)\b", r"\b(line|region)\b"),
        "period": (r"\bperiod\b", r"\b(quarter|quartal)\b", r"\b(month|monat)\b", r"\byear\b"),
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
        "customers": r"\b(customers|population|clients|kunden|count|n)\b",
        "revenue": r"\b(revenue|turnover|umsatz)\b",
    },
}
# What a column is not, though a word of its name says so.
_IS_NOT: Mapping[str, str] = {
    "amount": r"\b(discount|tax|vat|shipping|unit|each|fee|rabatt|mwst|remise|tva)\b",
    "revenue": r"\b(new|target|plan|budget)\b",
    "assigned_at": r"\bupdated?\b",
    "complained_at": r"\b(updated?|due|next|closed|resolved|solved)\b",
    "contacted_at": r"\b(next|due|planned|updated?)\b",
    "bought_at": r"\b(updated?|shipp\w*|deliver\w*|due)\b",
    "problem": r"\b(key|id|no|number)\b",
    "programme": r"\b(id|no|number)\b",
    "arm": r"\b(age|customer|income|product) group\b",
    "kind": r"\b(customer|account|payment|product) type\b",
    "customer_id": r"\b(type|interactions|segment|since|seit|group|kundengruppe|name)\b",
    "respondent_id": r"\b(type|interactions|segment|since|seit|group|kundengruppe|date)\b",
}
_KNOWN_SHARE = 0.5  # of a column's cells that are ids of the study, from which on it is that of the ids
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


def draft_further(table: RawTable, name: str, ids: Mapping[str, Collection[str]] | None = None) -> FurtherDraft:
    """Draft a further table from a file: which of its columns mean what.

    Parameters
    ----------
    table : RawTable
        The file.
    name : str
        Which further table it is.
    ids : mapping of str to collection of str, optional
        The study's own ids, under respondent_id, customer_id and account_id: a column that holds them is known by that.
    """
    found = _guessed(profiles(table), name, ids)
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
    if name == "population":  # whose each row is
        groups = [own for own in profiles(table) if own.name not in {each.name for each in found.values()}]
        named = [own.name for own in groups if not own.is_number and not own.is_date and len(own.cells)]
        pairs = ", ".join(f"{quoted_toml(each)} = {quoted_toml(each)}" for each in named)
        lines += ["", "[population.segments]   # by the names of the study's segments", f"columns = {{ {pairs} }}"]
    unclear = [column for column, own in found.items() if own.is_unclear_date]
    lines += [
        f"# How are the dates of {column} written? Say it above [{name}.columns], by its own signs, e.g. "
        f'date_format = {{ {column} = "%d/%m/%Y" }} or "%m/%d/%Y"'
        for column in unclear
    ]
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
    ids: Mapping[str, Collection[str]] | None = None,
) -> FurtherDraft:
    """Draft a further table from a file, and add it to the study.toml at `target`.

    Raises
    ------
    ContractError
        There is no such table, no study.toml, or it has the table already; it is then as it was.
    """
    table = table.strip().casefold()
    if table in ("customers", "accounts"):
        raise ContractError(
            f"{table} are joined to a survey when it is drafted: nps-research init SURVEY --customers {file.name}"
        )
    if table not in FURTHER:
        raise ContractError(f"there is no table {table}{did_you_mean(table, list(FURTHER))}: {', '.join(FURTHER)}")
    if not target.is_file():
        raise ContractError(
            f"there is no study.toml in {target.parent.name!r} to add {table} to: name its folder with --out"
        )
    if table in read_study_file(target).every_table:
        raise ContractError(
            f"study.toml has [{table}] already; it was not touched. A second file of it is a part "
            f"[[{table}.files]] of its own"
        )
    read = read_table(file, sheet=sheet, header_rows=header_rows, encoding=encoding)
    draft = draft_further(read, table, ids)
    with target.open("a", encoding="utf-8", newline="\n") as study:
        study.write(f"\n{draft.toml}")
    return draft


def looks_like(table: RawTable) -> str:
    """Which further table a file without answers seems to be; empty where none."""
    columns = profiles(table)
    fitting = [name for name, (_, needed) in LOOKS_LIKE.items() if set(needed) <= set(_guessed(columns, name))]
    return max(fitting, key=lambda name: len(_guessed(columns, name)), default="")


def _guessed(
    columns: list[ReadColumn], table: str, ids: Mapping[str, Collection[str]] | None = None
) -> dict[str, ReadColumn]:
    """The file's column behind each standard one: by the ids it holds, of the same name, else called so and fitting."""
    found: dict[str, ReadColumn] = {}
    for name, known in (ids or {}).items():
        if name in _PATTERNS[table] and known:
            share = {column: column.cells.str.strip().isin(known).mean() for column in columns if len(column.cells)}
            best = max(share, key=lambda column: share[column], default=None)
            if best is not None and share[best] >= _KNOWN_SHARE and best not in found.values():
                found[name] = best
    by_name = {re.sub(r"\W+", "_", column.words.strip()): column for column in columns}
    for name in _PATTERNS[table]:
        if name in by_name and name not in found and by_name[name] not in found.values():
            found[name] = by_name[name]
    for name, patterns in _PATTERNS[table].items():
        for pattern in (patterns,) if isinstance(patterns, str) else patterns:
            for column in columns:
                free = name not in found and column not in found.values()
                if free and re.search(pattern, column.words) and _may_stand_for(column, table, name):
                    found[name] = column
    return {name: found[name] for name in _PATTERNS[table] if name in found}


def _may_stand_for(column: ReadColumn, table: str, name: str) -> bool:
    """Whether a column's values, and the other words of its name, may be those of a standard one."""
    if name in _IS_NOT and re.search(_IS_NOT[name], column.words):
        return False
    rules = FURTHER[table].rules
    if name in rules.words and not set(map(word_of, column.folded)) <= {*rules.words[name], *rules.same_words}:
        return False
    return _fits_kind(column, FURTHER[table].columns[name].kind)


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
