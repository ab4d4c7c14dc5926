"""Rows of a further table held against its rules and against the responses and customers of the study."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nps_research.errors import ContractError
from nps_research.reading.raw_table import counted
from nps_research.results.words import joined
from nps_research.study.contract import OUTSIDE_SCORE, Violations, days_to_tell, numbers_to_tell, values_to_tell
from nps_research.study.further_tables import FURTHER, Rules
from nps_research.study.plausible import implausible_dates

_NEVER = pd.Timestamp("2200-01-01")  # later than any date that is accepted


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rows may refer to: accepted rows of the study, and its problems.

    Attributes
    ----------
    responses, customers : DataFrame
        `customers` has each customer_id once; where the study has no such table, those of the responses.
    problems : collection of str
        Codes of the problems, any where it is empty.
    """

    responses: pd.DataFrame
    customers: pd.DataFrame
    problems: Collection[str] = ()

    @classmethod
    def of(cls, responses: pd.DataFrame, customers: pd.DataFrame | None, problems: Collection[str]) -> Known:
        """What the accepted tables know."""
        if customers is None:
            own = [name for name in ("customer_id", "account_id") if name in responses]
            known = "customer_id" in own
            customers = responses[own].dropna(subset=own[:1]).drop_duplicates("customer_id") if known else responses[[]]
        return cls(responses=responses, customers=customers, problems=problems)


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
    if absent := [column for column in rules.filled if column not in table]:
        raise ContractError(f"{name}: there is no {joined(absent)}. Map what there is in study.toml.")
    for column in rules.filled:
        violations.add(column, "is missing", table[column].isna())
    _check_words(table, violations, rules)
    _check_codes(table, violations, rules, known.problems)
    _check_references(table, violations, rules, known)
    _check_moments(table, violations, rules, known)
    for column in (each for each in rules.not_negative if each in table):
        violations.add(column, "is negative", table[column] < 0)
    if "likelihood_to_recommend" in table:
        score = table["likelihood_to_recommend"]
        outside = (score < 0) | (score > 10)
        violations.add("likelihood_to_recommend", OUTSIDE_SCORE, outside, cells=score, told=numbers_to_tell)
    notes = _OWN[name](table, violations) if name in _OWN else []
    key = [column for column in (*rules.alone, *segments) if column in table]
    if rules.alone or name == "population":
        _check_alone(table, violations, key)
    return notes


def _check_words(table: pd.DataFrame, violations: Violations, rules: Rules) -> None:
    """Columns that hold one of a few words, brought to how the contract spells them."""
    for column, words in rules.words.items():
        if column in table:
            folded = table[column].str.casefold().str.replace("_", " ", regex=False).str.strip()
            strange = folded.notna() & ~folded.isin(words)
            rule = f"is none of: {', '.join(words)}"
            violations.add(column, rule, strange, cells=table[column], told=values_to_tell)
            table[column] = folded


def _check_codes(table: pd.DataFrame, violations: Violations, rules: Rules, problems: Collection[str]) -> None:
    """Codes of problems, where the study lists its problems."""
    for column in rules.codes:
        if column in table and problems:
            code = table[column]
            violations.add(column, "is none of the study's problems", code.notna() & ~code.isin(list(problems)))


def _check_references(table: pd.DataFrame, violations: Violations, rules: Rules, known: Known) -> None:
    """Ids of customers, accounts and responses that the study does not have."""
    for columns, of, what in ((rules.customers, "customer_id", "customer"), (rules.accounts, "account_id", "account")):
        for column in (each for each in columns if each in table and of in known.customers):
            strange = table[column].notna() & ~table[column].isin(known.customers[of])
            violations.add(column, f"belongs to no accepted {what}", strange)
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
        tells = [each for each in ("wave", "touchpoint", "life_stage") if each in known.responses and each not in table]
        which = f"; its {joined(tells)} would say which" if tells else ""
        violations.add("respondent_id", f"belongs to several responses{which}", times > 1)


def response_key(table: pd.DataFrame, responses: pd.DataFrame) -> list[str]:
    """The columns by which a row of a further table belongs to a response."""
    names = ("respondent_id", "wave", "touchpoint", "life_stage")
    return [name for name in names if name in table and name in responses]


def key_of(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Each row's key as one text, blanks being alike; all rows are alike where no column is named."""
    key = pd.Series("", table.index)
    for name in names:
        key = key + "\x1f" + table[name].astype("str").fillna("")
    return key


def _check_moments(table: pd.DataFrame, violations: Violations, rules: Rules, known: Known) -> None:
    """Moments that lie outside of what can be, or before what they come after."""
    moments = [str(name) for name in table if pd.api.types.is_datetime64_any_dtype(table[name])]
    for (name, rule), where in implausible_dates(table, moments).items():
        violations.add(name, rule, where, cells=table[name], told=days_to_tell)
    ordered = [name for name in rules.in_order if name in table]
    for place, later in enumerate(ordered):
        for earlier in ordered[:place]:
            violations.add(later, f"is before {earlier}", _is_before(table[later], table[earlier]))
    if "started_at" in known.customers:
        started = known.customers.set_index("customer_id")["started_at"]
        for name in (each for each in rules.after_start if each in table):
            start = table[rules.customers[0]].map(started)
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


def _memberships(table: pd.DataFrame, violations: Violations) -> list[str]:
    """Nobody is a member of one programme twice at a time."""
    if "joined_at" not in table:
        return []
    key = key_of(table, [name for name in ("customer_id", "programme") if name in table])
    left = table["left_at"].fillna(_NEVER) if "left_at" in table else pd.Series(_NEVER, table.index)
    ordered = table["joined_at"][table["joined_at"].notna() & ~violations.rows].sort_values(kind="stable")
    until: dict[str, pd.Timestamp] = {}
    overlaps = []
    for row, member, joined_at in zip(ordered.index, key[ordered.index], ordered, strict=True):
        if member in until and joined_at < until[member]:
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
    comment = [table[name] for name in ("respondent_id", "wave", "life_stage") if name in table]
    coders = table.groupby(comment, dropna=False)["coder"].nunique()
    if len(table["coder"].dropna().unique()) > 1 and not (coders > 1).any():
        return ["hand_codes: no comment was coded by two coders, so how far they agree cannot be told."]
    return []


_OWN: Mapping[str, Callable[[pd.DataFrame, Violations], list[str]]] = {
    "transactions": _transactions,
    "memberships": _memberships,
    "referrals": _referrals,
    "offers": _offers,
    "hand_codes": _hand_codes,
}
