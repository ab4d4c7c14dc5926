"""Rows of a further table held against its rules and against the responses and customers of the study."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.errors import ContractError
from nps_research.reading.dates import last_day
from nps_research.reading.raw_table import counted
from nps_research.reading.values import MISSING_WORDS
from nps_research.results.words import joined
from nps_research.study.contract import (
    A_SUMMARY,
    OUTSIDE_SCORE,
    Violations,
    days_to_tell,
    names_a_summary,
    numbers_to_tell,
    values_to_tell,
)
from nps_research.study.further_tables import FURTHER, OF_RESPONSE, Rules, word_of
from nps_research.study.plausible import OUTSIDE, implausible_dates

_NEVER = pd.Timestamp("2200-01-01")  # later than any date that is accepted


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rows may refer to: accepted rows of the study, and its problems.

    Attributes
    ----------
    responses, customers : DataFrame
        `customers` has each customer_id once; where the study has no such table, those of the responses.
    accounts : set of str
        Every account that any table names.
    problems : collection of str
        Codes of the problems, any where it is empty.
    """

    responses: pd.DataFrame
    customers: pd.DataFrame
    accounts: frozenset[str] = frozenset()
    problems: Collection[str] = ()

    @classmethod
    def of(
        cls,
        responses: pd.DataFrame,
        customers: pd.DataFrame | None,
        problems: Collection[str],
        accounts: pd.DataFrame | None = None,
    ) -> Known:
        """What the accepted tables know; `accounts` is a table of them."""
        named = [
            table[name].dropna().unique()
            for table in (responses, customers, accounts)
            for name in ("account_id", "parent_account_id")
            if table is not None and name in table
        ]
        if customers is None:
            own = [name for name in ("customer_id", "account_id") if name in responses]
            known = "customer_id" in own
            customers = responses[own].dropna(subset=own[:1]).drop_duplicates("customer_id") if known else responses[[]]
        every = frozenset(str(each) for ids in named for each in ids)
        return cls(responses=responses, customers=customers, accounts=every, problems=problems)


def check_further(
    name: str, table: pd.DataFrame, violations: Violations, known: Known, segments: Sequence[str] = ()
) -> list[str]:
    """Hold a typed table against its rules; returns what was read by a rule, in sentences.

    Parameters
    ----------
    name : str
        Of the table, as in `FURTHER`.
    table : DataFrame
        Typed; words are brought to their usual spelling in place.
    violations : Violations
        Takes note of the rows that break a rule.
    known : Known
        What the rows may refer to.
    segments : sequence of str
        Its segments.

    Raises
    ------
    ContractError
        A column is absent without which no row says anything.
    """
    rules = FURTHER[name].rules
    if name == "population" and not segments and len(table) > 1:
        raise ContractError(
            "population: it has several rows, and nothing says of whom each is. State it in study.toml: "
            '[population.segments] columns = { "Region" = "..." }, by the names of the study\'s segments.'
        )
    if absent := [column for column in rules.filled if column not in table]:
        raise ContractError(
            f"{name}: no column is {joined(absent)}, without which no row counts. Say in study.toml, under "
            f'[{name}.columns], which column of the file it is: {absent[0]} = "..."'
        )
    notes = _check_codes(name, table, violations, rules, known.problems)
    if "left_at" in table:
        notes += _still_members(table)
    for column in rules.filled:
        violations.add(column, "is missing", table[column].isna() & ~violations.of_column(column))
    for column in (*rules.filled, *(segments if name == "population" else ())):
        if pd.api.types.is_string_dtype(table[column]):
            violations.add(column, A_SUMMARY, names_a_summary(table[column]))
    notes += _check_words(name, table, violations, rules)
    notes += _take_last_answer_before(name, table, rules, known)
    notes += _held_against_nobody(name, table, rules, known)
    _check_references(table, violations, rules, known)
    _check_moments(table, violations, rules, known)
    for column in (each for each in rules.not_negative if each in table):
        violations.add(column, "is negative", table[column] < 0)
    if "likelihood_to_recommend" in table:
        score = table["likelihood_to_recommend"]
        outside = (score < 0) | (score > 10)
        violations.add("likelihood_to_recommend", OUTSIDE_SCORE, outside, cells=score, told=numbers_to_tell)
    notes += _OWN[name](table, violations) if name in _OWN else []
    key = [column for column in (*rules.alone, *segments) if column in table]
    if rules.alone or name == "population":
        _check_alone(table, violations, key)
    return notes


def _check_words(name: str, table: pd.DataFrame, violations: Violations, rules: Rules) -> list[str]:
    """Columns that hold one of a few words, brought to how the contract spells them; says which others were read."""
    notes = []
    for column, words in rules.words.items():
        if column in table:
            folded = table[column].map(word_of, na_action="ignore").astype("str")
            other = folded.isin([each for each in rules.same_words if each not in words])
            folded = folded.replace(dict(rules.same_words)).astype("str")
            for word, n in folded[other].value_counts(sort=False).items():
                notes.append(f"{name}.{column}: other words read as {word or 'blank'}: {counted(int(n), 'cell')}.")
            folded = folded.mask(folded == "")
            strange = folded.notna() & ~folded.isin(words)
            rule = f"is none of: {', '.join(words)}"
            violations.add(column, rule, strange, cells=table[column], told=values_to_tell)
            table[column] = folded
    return notes


def _check_codes(
    name: str, table: pd.DataFrame, violations: Violations, rules: Rules, problems: Collection[str]
) -> list[str]:
    """Codes of problems, capitals or not, where the study lists its problems; words for no answer are no code."""
    notes = []
    listed = {code.casefold(): code for code in problems}
    for column in (each for each in rules.codes if each in table):
        code = table[column].str.strip()
        folded = code.str.casefold()
        nothing = is_no_problem(code, problems)
        code = code.mask(nothing)
        if problems:
            strange = code.notna() & ~folded.isin(list(listed))
            violations.add(column, "is none of the study's problems", strange)
            code = folded.map(listed).astype("str").where(code.notna() & ~strange, code)
        respelt = int((code.notna() & (code != table[column].str.strip())).sum())
        for what, n in (("a word for no answer read as blank", int(nothing.sum())), ("capitals left out", respelt)):
            if n:
                notes.append(f"{name}.{column}: {what}: {counted(n, 'cell')}.")
        table[column] = code
    return notes


def is_no_problem(code: pd.Series, problems: Collection[str]) -> pd.Series:
    """Where a word says that there is none, and is no code of the study's.

    Examples
    --------
    >>> is_no_problem(pd.Series(["late", "None"]), []).tolist(), is_no_problem(pd.Series(["None"]), ["none"]).tolist()
    ([False, True], [False])
    """
    folded = code.str.strip().str.casefold()
    found: pd.Series = folded.isin(MISSING_WORDS) & ~folded.isin([each.casefold() for each in problems])
    return found


def _check_references(table: pd.DataFrame, violations: Violations, rules: Rules, known: Known) -> None:
    """Ids of customers, accounts and responses that the study does not have."""
    of_customers = [each for each in rules.customers if each in table and "customer_id" in known.customers]
    of_accounts = [each for each in rules.accounts if each in table and known.accounts]
    for column in of_customers:
        strange = table[column].notna() & ~table[column].isin(known.customers["customer_id"])
        violations.add(column, "belongs to no accepted customer", strange)
    for column in of_accounts:
        strange = table[column].notna() & ~table[column].isin(list(known.accounts))
        violations.add(column, "belongs to no accepted account", strange)
    if rules.customers and rules.accounts:  # either will do
        either = [each for each in (*rules.customers, *rules.accounts) if each in table]
        if not either:
            raise ContractError(f"There is neither {' nor '.join((*rules.customers, *rules.accounts))}.")
        violations.add(either[0], "is missing", table[either].isna().all(axis=1))
    if rules.of_response:
        key = response_key(table, known.responses)
        times = key_of(known.responses, key).value_counts()
        times = key_of(table, key).map(times)
        violations.add(
            "respondent_id", "belongs to no accepted response", table["respondent_id"].notna() & times.isna()
        )
        tells = [each for each in OF_RESPONSE if each in known.responses and each not in table]
        which = f"; its {joined(tells)} would say which" if tells else ""
        violations.add("respondent_id", f"belongs to several responses{which}", times > 1)


def _held_against_nobody(name: str, table: pd.DataFrame, rules: Rules, known: Known) -> list[str]:
    """That the study has no ids which those of a table could be held against."""
    nobody = rules.customers and rules.customers[0] in table and "customer_id" not in known.customers
    none = rules.accounts and rules.accounts[0] in table and not known.accounts
    return [
        f"{name}: the study names no {what}, so any {what} of this table is taken for one of its own."
        for what, is_so in (("customer", nobody), ("account", none))
        if is_so
    ]


def response_key(table: pd.DataFrame, responses: pd.DataFrame) -> list[str]:
    """The columns by which a row of a further table belongs to a response."""
    return [name for name in OF_RESPONSE if name in table and name in responses]


def _take_last_answer_before(name: str, table: pd.DataFrame, rules: Rules, known: Known) -> list[str]:
    """Settle which of one person's responses a row is of, where its columns do not: the last before it, in place."""
    moments = [each for each in rules.in_order if each in table]
    if not (rules.after_answer and moments and "responded_at" in known.responses):
        return []
    key = response_key(table, known.responses)
    answers = known.responses.dropna(subset="responded_at").sort_values("responded_at", kind="stable")
    of_all, of_answers, of_rows = (key_of(each, key) for each in (known.responses, answers, table))
    first = table[moments].min(axis=1)
    several = (of_rows.map(of_all.value_counts()) > 1) & of_rows.isin(of_answers) & first.notna()
    if not several.any():
        return []
    whole_day = first.where(first != first.dt.normalize(), first + pd.Timedelta(hours=24))  # any hour of its day
    settled = pd.merge_asof(
        pd.DataFrame({"row": table.index, "key": of_rows, "moment": whole_day})[several].sort_values("moment"),
        pd.DataFrame({"key": of_answers, "moment": answers["responded_at"], "place": np.arange(len(answers))}),
        on="moment",
        by="key",
    ).set_index("row")
    first_of = pd.Series(np.arange(len(answers)), of_answers)  # where none is before it, that is said of the first
    first_of = first_of[~first_of.index.duplicated()]
    place = settled["place"].fillna(settled["key"].map(first_of)).astype(np.int64)
    once = ~of_all.duplicated(keep=False)
    for column in (each for each in OF_RESPONSE[1:] if each in answers):
        of_the_only = known.responses[column][once].set_axis(of_all[once])
        own = table[column] if column in table else of_the_only.reindex(of_rows).set_axis(table.index)
        table[column] = own.astype(answers[column].dtype)
        table.loc[place.index, column] = answers[column].to_numpy()[place]
    n = int(settled["place"].notna().sum())
    return [f"{name}: of several responses of one person, the last before it: {counted(n, 'row')}."]


def key_of(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Each row's key as one text, blanks being alike; all rows are alike where no column is named."""
    key = pd.Series("", table.index)
    for name in names:
        column = table[name]
        if pd.api.types.is_datetime64_any_dtype(column):  # as text it hangs on the other dates of its column
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%S")
        key = key + "\x1f" + column.astype("str").fillna("")
    return key


def _check_moments(table: pd.DataFrame, violations: Violations, rules: Rules, known: Known) -> None:
    """Moments that lie outside of what can be, or before what they come after."""
    moments = [str(name) for name in table if pd.api.types.is_datetime64_any_dtype(table[name])]
    for (name, rule), where in implausible_dates(table, moments).items():
        if rule == OUTSIDE:  # what was bought or joined long ago is no slip
            violations.add(name, rule, where, cells=table[name], told=days_to_tell)
    ordered = [name for name in rules.in_order if name in table]
    for place, later in enumerate(ordered):
        for earlier in ordered[:place]:
            violations.add(later, f"is before {earlier}", _is_before(table[later], table[earlier]))
    if {"customer_id", "started_at"} <= set(known.customers):
        started = known.customers.set_index("customer_id")["started_at"]
        for name in (each for each in rules.after_start if each in table):
            start = started.reindex(table[rules.customers[0]]).set_axis(table.index)
            violations.add(name, "is before the customer's start", _is_before(table[name], start))
    if rules.after_answer and ordered and "responded_at" in known.responses:
        key = response_key(table, known.responses)
        answers = known.responses.drop_duplicates(key)
        answered = key_of(table, key).map(answers["responded_at"].set_axis(key_of(answers, key)))
        for name in ordered:
            violations.add(name, "is before the answer", _is_before(table[name], answered))


def _is_before(moment: pd.Series, other: pd.Series) -> pd.Series:
    """Where a moment is before another; a date without an hour may be any hour of its day."""
    day = moment.dt.normalize()
    before: pd.Series = (moment < other) & ~((moment == day) & (day == other.dt.normalize()))
    return before


def _is_earlier(moment: pd.Timestamp, other: pd.Timestamp) -> bool:
    return bool(_is_before(pd.Series([moment]), pd.Series([other])).iloc[0])


def _check_alone(table: pd.DataFrame, violations: Violations, key: Sequence[str]) -> None:
    """Rows that have what only one may have; the first that keeps the other rules stays."""
    order = violations.rows.argsort(kind="stable")
    repeated = key_of(table, key).iloc[order].duplicated().reindex(table.index)
    violations.add(key[0] if key else "customers", "stands twice; the first row is kept", repeated)


def _transactions(table: pd.DataFrame, violations: Violations) -> list[str]:
    """A return has amounts below 0, and nothing else has."""
    notes = []
    returned = table["kind"] == "return" if "kind" in table else pd.Series(data=False, index=table.index)
    for name in (each for each in ("amount", "quantity") if each in table):
        violations.add(name, "is negative, and the row is no return", (table[name] < 0) & ~returned)
        turned = returned & (table[name] > 0)
        if turned.any():
            table[name] = table[name].mask(turned, -table[name])
            notes.append(
                f"{name}: of a return and above 0, so its sign was turned: {counted(int(turned.sum()), 'cell')}."
            )
    return notes


def _still_members(table: pd.DataFrame) -> list[str]:
    """Take out dates of leaving a programme that are yet to come; says how many there were."""
    planned = table["left_at"] > last_day()
    if not planned.any():
        return []
    table["left_at"] = table["left_at"].mask(planned)
    return [f"left_at: a date yet to come, so still a member: {counted(int(planned.sum()), 'cell')}."]


def _memberships(table: pd.DataFrame, violations: Violations) -> list[str]:
    """Nobody is a member of one programme twice at a time, or leaves what they never joined."""
    if "joined_at" not in table:
        return []
    if "left_at" in table:
        violations.add(
            "left_at", "is there, though nothing was joined", table["left_at"].notna() & table["joined_at"].isna()
        )
    key = key_of(table, [name for name in ("customer_id", "programme") if name in table])
    left = table["left_at"].fillna(_NEVER) if "left_at" in table else pd.Series(_NEVER, table.index)
    ordered = table["joined_at"][table["joined_at"].notna() & ~violations.rows].sort_values(kind="stable")
    until: dict[str, pd.Timestamp] = {}
    overlaps = []
    for row, member, joined_at in zip(ordered.index, key[ordered.index], ordered, strict=True):
        if member in until and _is_earlier(joined_at, until[member]):
            overlaps.append(row)
        else:
            until[member] = left[row]
    within = pd.Series(table.index.isin(overlaps), table.index)
    violations.add("joined_at", "is within an earlier membership of the same programme", within)
    return []


def _referrals(table: pd.DataFrame, violations: Violations) -> list[str]:
    """Nobody refers themselves."""
    if "referred_id" in table:
        violations.add("referred_id", "is the referrer", table["referred_id"] == table["referrer_id"])
    return []


def _offers(table: pd.DataFrame, violations: Violations) -> list[str]:
    """What was held back cannot be accepted."""
    if "accepted_at" in table:
        held = table["accepted_at"].notna() & (table["arm"] == "held back")
        violations.add("accepted_at", "is there, though the offer was held back", held)
    return []


def _hand_codes(table: pd.DataFrame, violations: Violations) -> list[str]:
    """The chance of being drawn is one, and two coders have some comments in common."""
    if "inclusion_probability" in table:
        chance = table["inclusion_probability"]
        violations.add("inclusion_probability", "is not above 0 and at most 1", (chance <= 0) | (chance > 1))
    comment = [table[name] for name in OF_RESPONSE if name in table]
    kept = ~violations.rows
    coders = table[kept].groupby([each[kept] for each in comment], dropna=False)["coder"].nunique()
    if len(table.loc[kept, "coder"].dropna().unique()) > 1 and not (coders > 1).any():
        return ["hand_codes: no comment was coded by two coders, so how far they agree cannot be told."]
    return []


_OWN: Mapping[str, Callable[[pd.DataFrame, Violations], list[str]]] = {
    "transactions": _transactions,
    "memberships": _memberships,
    "referrals": _referrals,
    "offers": _offers,
    "hand_codes": _hand_codes,
}
