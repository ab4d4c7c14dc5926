"""The data contract: how the cells of standard columns are read, and which rows of responses and customers break it.

A row that breaks a rule is quarantined with every reason; all others are accepted unchanged.
Rows in = rows accepted + rows quarantined, always. `data/README.md` says the same in prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.errors import ContractError
from nps_research.reading.raw_table import counted
from nps_research.reading.values import PARSERS, Parsed, parse_timestamp
from nps_research.study.contact_details import NO_GROUP, holds_contact
from nps_research.study.doubts import helping_line
from nps_research.study.further_tables import Column, Kind
from nps_research.study.plausible import implausible_dates
from nps_research.study.repeats import Counts, displaced_answers, stands_twice
from nps_research.study.standard_columns import OF_ACCOUNT

UNREADABLE = {
    "score": "is not a whole number",
    "number": "is not a number",
    "flag": "is neither yes nor no (1/0, true/false, yes/no)",
    "timestamp": "is not a date in a spelling that leaves no doubt; if it is one, state date_format",
    "text": "is not text",
    "id": "is not text",
}


OUTSIDE_SCORE = "is not from 0 to 10"
FAR_OUT = "is larger than 1e15, or nearer to 0 than 1e-15"
_WHICH_DATE = (
    "may be day-month-year or month-day-year (with two digits also year-month-day), and nothing in the column tells: "
    'which is it? State date_format, e.g. "%d.%m.%Y" or "%m/%d/%Y"'
)

SUMMARY = ["column", "rule", "rows", "first_lines", "values", "would_help"]
_DATE_OF_NUMBERS = r"^((?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}))(?!\d)"
MOST_TOLD = 100  # no greater number is told: it may be somebody's
_TOLD = 3  # values told of a broken rule
# Words that surveys offer besides the answers: said of a cell, they tell of nobody.
NO_OPINION = (
    *(
        "don't know",
        "don\N{RIGHT SINGLE QUOTATION MARK}t know",
        "do not know",
        "not sure",
        "no opinion",
        "no answer",
        "refused",
    ),
    *("not applicable", "prefer not to say", "weiß nicht", "keine angabe"),
    *(
        "keine antwort",
        "ne sait pas",
        "nsp",
        "sans réponse",
        "non concerné",
        "no sabe",
        "ns/nc",
        "no contesta",
        "não sei",
        "não sabe",
    ),
    *("non so", "non risponde", "weet niet", "geen antwoord", "nu știu", "nu răspund", "не знаю", "важко сказати"),
    *("затрудняюсь", "нет ответа", "nie wiem", "brak odpowiedzi", "trudno powiedzieć"),
)


class Violations:
    """The rules that rows break: which rule, which rows.

    Rules are sentences about a column, free of cell values, and so safe to share; so are the few values that are
    given beside them: numbers and dates where such are wanted, and words for no answer.
    """

    def __init__(self, n_rows: int) -> None:
        self._broken: dict[tuple[str, str], NDArray[np.bool_]] = {}
        self._shown: dict[tuple[str, str], pd.Series] = {}
        self._n_rows = n_rows

    def add(
        self,
        column: str,
        rule: str,
        where: pd.Series,
        *,
        cells: pd.Series | None = None,
        told: Callable[[pd.Series], pd.Series] | None = None,
    ) -> None:
        """Note that the rows where `where` is true break `rule`; a missing `where` breaks nothing.

        `told` makes of these rows' `cells` what may be told to everybody, missing where nothing may.
        """
        broken = where.astype("boolean").fillna(value=False).to_numpy(dtype=bool)
        if broken.any():
            before = self._broken.get((column, rule), np.zeros(self._n_rows, dtype=bool))
            self._broken[column, rule] = before | broken
            if cells is not None and told is not None:
                before_told = [self._shown[column, rule]] if (column, rule) in self._shown else []
                self._shown[column, rule] = pd.concat([*before_told, told(cells[broken]).dropna().astype("str")])

    def part(self, rows: NDArray[np.bool_]) -> Violations:
        """What some rows alone break, to be added to."""
        part = Violations(int(rows.sum()))
        part._broken = {rule: broken[rows] for rule, broken in self._broken.items()}
        return part

    def take(self, rows: NDArray[np.bool_], part: Violations) -> None:
        """Take note of what a `part` of the rows was found to break."""
        for (column, rule), broken in part._broken.items():
            where = np.zeros(self._n_rows, dtype=bool)
            where[rows] = broken
            self._broken[column, rule] = self.of(column, rule) | where
        for which, told in part._shown.items():
            self._shown[which] = pd.concat([self._shown[which], told]) if which in self._shown else told

    def of(self, column: str, rule: str) -> NDArray[np.bool_]:
        """Which rows break a rule."""
        return self._broken.get((column, rule), np.zeros(self._n_rows, dtype=bool))

    def of_column(self, column: str) -> NDArray[np.bool_]:
        """Which rows break a rule of a column."""
        rows = np.zeros(self._n_rows, dtype=bool)
        for (name, _), broken in self._broken.items():
            rows |= broken & (name == column)
        return rows

    @property
    def rows(self) -> NDArray[np.bool_]:
        """Which rows break at least one rule, shape (n_rows,)."""
        rows = np.zeros(self._n_rows, dtype=bool)
        for broken in self._broken.values():
            rows |= broken
        return rows

    def reasons(self) -> NDArray[np.object_]:
        """All the reasons of each row, joined; empty for a row that keeps every rule."""
        joined = np.full(self._n_rows, "", dtype=object)
        for (column, rule), broken in self._broken.items():
            joined[broken] += np.where(joined[broken] == "", "", "; ") + f"{column} {rule}"
        return joined

    def counted(self, n: NDArray[np.int64]) -> list[str]:
        """Each broken rule as a sentence, with its rows where a row of the table stands for `n` of them."""
        rows = {which: int(n[broken].sum()) for which, broken in self._broken.items()}
        return [f"{column} {rule} ({k:,} {'row' if k == 1 else 'rows'})" for (column, rule), k in rows.items()]

    def summary(self, line: NDArray[np.int64], *, no_zero: bool = False) -> pd.DataFrame:
        """One row per broken rule: column, rule, rows, the lines of the first three, values, what would help."""
        rows = []
        for (column, rule), broken in self._broken.items():
            times = self._shown.get((column, rule), pd.Series(dtype="str")).value_counts()
            told = [f"{value} ({counted(int(n), 'cell')})" for value, n in times.head(_TOLD).items()]
            others = [f"{len(times) - _TOLD} other values"] if len(times) > _TOLD else []
            first = ", ".join(str(number) for number in line[broken][:3])
            helps = helping_line(column, rule, list(map(str, times.index[:_TOLD])), no_zero=no_zero)
            rows.append((column, rule, int(broken.sum()), first, ", ".join(told + others), helps))
        return pd.DataFrame(rows, columns=SUMMARY)


def dates_to_tell(cells: pd.Series) -> pd.Series:
    """Cells that may be told to everybody: dates, as they are written; else missing."""
    return cells.astype("str").str.extract(_DATE_OF_NUMBERS)[0]


def days_to_tell(dates: pd.Series) -> pd.Series:
    """Dates as they may be told to everybody: the day."""
    days: pd.Series = dates.dt.strftime("%Y-%m-%d")
    return days


def numbers_to_tell(numbers: pd.Series) -> pd.Series:
    """Whole numbers that may be told to everybody: those of a score's size; else missing."""
    return numbers.astype("str").where(numbers.abs() <= MOST_TOLD)


def values_to_tell(cells: pd.Series) -> pd.Series:
    """Cells that may be told to everybody: numbers of a score's size, and words for no answer; else missing.

    Whatever else stands in the column may be of a shifted row, and somebody's own.
    """
    text = cells.astype("str").str.strip()
    number = text.str.fullmatch(r"-?(?:100|\d{1,2})(?:[.,]\d{1,2})?").fillna(value=False)
    return text.where(number | text.str.lower().isin(NO_OPINION)).where(cells.notna())


_TOLD_OF: Mapping[Kind, Callable[[pd.Series], pd.Series]] = {"score": values_to_tell, "timestamp": dates_to_tell}


def typed(
    raw: pd.DataFrame,
    columns: Mapping[str, Column],
    violations: Violations,
    *,
    date_format: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read every standard column of `raw` by its kind.

    Parameters
    ----------
    raw : DataFrame
        Columns by standard names; those not in `columns` are left out.
    columns : mapping
        The table's standard columns.
    violations : Violations
        Takes note of unreadable cells.
    date_format : mapping, optional
        How the dates of a column are written; under ``""`` those of all others. Else they are read by their spelling.

    Returns
    -------
    tuple
        The typed table, same rows, and how many cells each reading rule touched.
    """
    values: dict[str, pd.Series] = {}
    rules: dict[str, int] = {}
    for name, column in columns.items():
        if name not in raw:
            continue
        parsed: Parsed
        if column.kind == "timestamp":
            stated = date_format or {}
            parsed = parse_timestamp(raw[name], date_format=stated.get(name, stated.get("")))
        else:
            parsed = PARSERS[column.kind](raw[name])
        values[name] = parsed.values
        unreadable = parsed.unreadable
        if parsed.ambiguous is not None:
            violations.add(name, _WHICH_DATE, parsed.ambiguous, cells=raw[name], told=dates_to_tell)
            unreadable = unreadable & ~parsed.ambiguous
        violations.add(name, UNREADABLE[column.kind], unreadable, cells=raw[name], told=_TOLD_OF.get(column.kind))
        if column.kind == "number":
            violations.add(name, FAR_OUT, far_out(parsed.values))
        if column.kind in ("text", "id") and not column.private:
            violations.add(name, NO_GROUP, holds_contact(parsed.values, is_id=column.kind == "id"))
        rules |= {f"{name}: {rule}": count for rule, count in parsed.rules.items()}
    return pd.DataFrame(values, index=raw.index, copy=False), rules


def far_out(numbers: pd.Series) -> pd.Series:
    """Where a number is none that anything weighs or costs: its square could not be counted with."""
    size = numbers.abs()
    return (size > 1e15) | ((size > 0) & (size < 1e-15))


# At the foot of an export, where an id would be.
SUMMARY_WORDS = {"total", "totals", "grand total", "subtotal", "sum", "average", "avg", "mean", "count", "summe"}
SUMMARY_WORDS |= {"gesamt", "mittelwert", "durchschnitt", "moyenne", "somme", "totale", "media", "promedio", "suma"}
SUMMARY_WORDS |= {"итого", "всего", "среднее"}


A_SUMMARY = "names a sum or a mean of the rows"


def names_a_summary(words: pd.Series) -> pd.Series:
    """Where a cell says that its row sums up the others, as the foot of an export does.

    Examples
    --------
    >>> names_a_summary(pd.Series(["Grand total:", "R-17", "Summe"])).tolist()
    [True, False, True]
    """
    found: pd.Series = words.astype("str").str.strip().str.rstrip(":").str.lower().isin(SUMMARY_WORDS)
    return found


def check_responses(table: pd.DataFrame, violations: Violations, *, counts: Counts = "newest") -> pd.DataFrame | None:
    """Hold typed responses against the rules that need more than one cell; `counts` as in study.toml.

    Returns
    -------
    DataFrame or None
        Answers that gave way to a newer one, see `displaced_answers`; None where no respondent has several rows.
    """
    if "likelihood_to_recommend" in table:
        score = table["likelihood_to_recommend"]
        outside = (score < 0) | (score > 10)
        violations.add("likelihood_to_recommend", OUTSIDE_SCORE, outside, cells=score, told=numbers_to_tell)
        if "delivered" in table:
            violations.add("delivered", "says no, yet there is an answer", score.notna() & ~table["delivered"])
        if "responded" in table:
            violations.add("responded", "says no, yet there is an answer", score.notna() & ~table["responded"])
    if "respondent_id" in table:
        ids = table["respondent_id"]
        violations.add("respondent_id", "is missing", ids.isna())
        violations.add("respondent_id", "names a sum or a mean of the rows, not a person", names_a_summary(ids))
    moments = [name for name in ("invited_at", "responded_at") if name in table]
    for (name, rule), where in implausible_dates(table, moments).items():
        violations.add(name, rule, where, cells=table[name], told=days_to_tell)
    if {"invited_at", "responded_at"} <= set(table):
        # An invitation with a date alone says nothing of the hour: compare days then.
        invited = table["invited_at"].dt.normalize()
        violations.add("responded_at", "is before invited_at", table["responded_at"] < invited)
    if {"delivered", "responded_at"} <= set(table):
        answered = table["responded_at"].notna() & ~table["delivered"]
        violations.add("delivered", "says no, yet there is a date of response", answered)
    if {"responded", "responded_at"} <= set(table):
        answered = table["responded_at"].notna() & ~table["responded"]
        violations.add("responded", "says no, yet there is a date of response", answered)
    if {"delivered", "responded"} <= set(table):
        violations.add("delivered", "says no, yet responded says yes", table["responded"] & ~table["delivered"])
    if "design_weight" in table:
        weight = table["design_weight"]
        answered = table["likelihood_to_recommend"].notna() if "likelihood_to_recommend" in table else weight.isna()
        violations.add("design_weight", "is missing", weight.isna() & answered)
        violations.add("design_weight", "is negative", weight < 0)
    if "respondent_id" not in table or table["respondent_id"].is_unique:
        return None
    good = pd.Series(~violations.rows, table.index)
    repeated, rule = stands_twice(table, violations.rows, counts)  # last: a quarantined row displaces no good one
    violations.add("respondent_id", rule, repeated)
    return displaced_answers(table, good, repeated if counts == "newest" else repeated & False)


def check_customers(table: pd.DataFrame, violations: Violations, *, key: str = "customer_id") -> None:
    """Hold typed customers, or accounts by their `key`, against the rules that need more than one cell."""
    if key not in table:
        of = key.removesuffix("_id")
        raise ContractError(f"{of}s: there is no {key}, so nothing says who they are. Map it in study.toml.")
    violations.add(key, "is missing", table[key].isna())
    if {"started_at", "churned_at"} <= set(table):
        violations.add("churned_at", "is before started_at", table["churned_at"] < table["started_at"])
    if {"churned_at", "observed_until"} <= set(table):
        violations.add("churned_at", "is after observed_until", table["churned_at"] > table["observed_until"])
    if "revenue" in table:
        violations.add("revenue", "is negative", table["revenue"] < 0)
    if "account_id" in table and key != "account_id":
        for name in (name for name in OF_ACCOUNT if name in table):
            values_of_account = table.groupby("account_id")[name].nunique(dropna=False)
            differs = table["account_id"].map(values_of_account).fillna(0) > 1
            violations.add(name, "differs between rows of one account", differs)
    for name in (each for each in ("decision_power", "influence") if each in table):
        violations.add(name, "is not from 0 to 3", (table[name] < 0) | (table[name] > 3))
    order = np.argsort(violations.rows, kind="stable")
    repeated = table[key].iloc[order].duplicated().reindex(table.index) & table[key].notna()
    if "account_id" in table and key != "account_id":
        accounts = table[key].map(table.groupby(key)["account_id"].nunique()) > 1
        violations.add(key, "belongs to several accounts; the first row is kept", repeated & accounts)
        repeated &= ~accounts
    violations.add(key, "stands twice; the first row is kept", repeated)
