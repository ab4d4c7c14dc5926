"""The data contract: every standard column, what it may hold, and which rows break it.

A row that breaks a rule is quarantined with every reason; all others are accepted unchanged.
Rows in = rows accepted + rows quarantined, always. `data/README.md` says the same in prose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from nps_research.errors import ContractError
from nps_research.reading.values import PARSERS, each_distinct_value, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nps_research.reading.values import Parsed

__all__ = [
    "CUSTOMERS",
    "NO_GROUP",
    "PRIVATE",
    "RESPONSES",
    "TABLES",
    "Column",
    "Violations",
    "check_customers",
    "check_responses",
    "holds_address",
    "typed",
]

Kind = Literal["score", "number", "flag", "timestamp", "text", "id"]


@dataclass(frozen=True)
class Column:
    """One standard column: what kind of value it holds, and what it means in plain words."""

    kind: Kind
    says: str
    private: bool = False


RESPONSES: Mapping[str, Column] = {
    "respondent_id": Column("id", "who was asked", private=True),
    "customer_id": Column("id", "which customer the respondent is", private=True),
    "account_id": Column("id", "which account (company) the respondent belongs to", private=True),
    "likelihood_to_recommend": Column("score", "the answer from 0 to 10"),
    "wave": Column("text", "the round of the survey"),
    "invited_at": Column("timestamp", "when the invitation went out"),
    "delivered": Column("flag", "whether the invitation reached the person"),
    "responded": Column("flag", "whether the person returned the form"),
    "responded_at": Column("timestamp", "when the person answered"),
    "touchpoint": Column("text", "the experience asked about; blank means the whole relationship"),
    "channel": Column("text", "how the person was asked"),
    "interviewer": Column("text", "who asked", private=True),
    "question_position": Column("text", "whether the question came first or last"),
    "callback_requested": Column("flag", "whether the person asked to be called"),
    "comment": Column("text", "what the person wrote", private=True),
    "design_weight": Column("number", "how many of the population the respondent stands for"),
    "cluster": Column("id", "the sampling unit the respondent was drawn in"),
    "stratum": Column("id", "the stratum the respondent was drawn in"),
}

CUSTOMERS: Mapping[str, Column] = {
    "customer_id": Column("id", "which customer", private=True),
    "account_id": Column("id", "which account (company) the customer belongs to", private=True),
    "name": Column("text", "the person's name", private=True),
    "email": Column("text", "the person's e-mail address", private=True),
    "role": Column("text", "decision maker, influencer or user"),
    "started_at": Column("timestamp", "when the customer's life began"),
    "churned_at": Column("timestamp", "when the customer left"),
    "churn_reason": Column("text", "why the customer left"),
    "observed_until": Column("timestamp", "until when leaving would have been seen"),
    "revenue": Column("number", "what the customer brings in"),
}

TABLES: Mapping[str, Mapping[str, Column]] = {"responses": RESPONSES, "customers": CUSTOMERS}
PRIVATE = tuple(sorted({name for table in TABLES.values() for name, column in table.items() if column.private}))

_UNREADABLE = {
    "score": "is not a whole number",
    "number": "is not a number",
    "flag": "is neither yes nor no (1/0, true/false, yes/no)",
    "timestamp": "is not a date the file's format allows (ISO 8601, or the stated date_format)",
    "text": "is not text",
    "id": "is not text",
}


_WHICH_DATE = (
    "may be day-month-year or month-day-year, and nothing in the column tells: "
    'which is it? State date_format, e.g. "%d.%m.%Y" or "%m/%d/%Y"'
)

NO_GROUP = "holds an e-mail address, which names no group"


@each_distinct_value
def holds_address(text: pd.Series) -> pd.Series:
    """Where a cell has an e-mail address in it: of a shifted row, most likely."""
    return text.str.contains(r"[^\s@]@[^\s@]+\.[^\s@]", regex=True)


class Violations:
    """The rules that rows break: which rule, which rows.

    Rules are sentences about a column, free of cell values, and so safe to share.
    """

    def __init__(self, n_rows: int) -> None:
        self._broken: dict[tuple[str, str], NDArray[np.bool_]] = {}
        self._n_rows = n_rows

    def add(self, column: str, rule: str, where: pd.Series) -> None:
        """Note that the rows where `where` is true break `rule`; a missing `where` breaks nothing."""
        broken = where.astype("boolean").fillna(value=False).to_numpy(dtype=bool)
        if broken.any():
            before = self._broken.get((column, rule), np.zeros(self._n_rows, dtype=bool))
            self._broken[column, rule] = before | broken

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

    def summary(self, line: NDArray[np.int64]) -> pd.DataFrame:
        """One row per broken rule: column, rule, rows, and the lines of the first three."""
        rows = [
            (column, rule, int(broken.sum()), ", ".join(str(number) for number in line[broken][:3]))
            for (column, rule), broken in self._broken.items()
        ]
        return pd.DataFrame(rows, columns=["column", "rule", "rows", "first_lines"])


def typed(
    raw: pd.DataFrame, columns: Mapping[str, Column], violations: Violations, *, date_format: str | None = None
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
    date_format : str, optional
        Format of dates that are not ISO 8601.

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
            parsed = parse_timestamp(raw[name], date_format=date_format)
        else:
            parsed = PARSERS[column.kind](raw[name])
        values[name] = parsed.values
        unreadable = parsed.unreadable
        if parsed.ambiguous is not None:
            violations.add(name, _WHICH_DATE, parsed.ambiguous)
            unreadable = unreadable & ~parsed.ambiguous
        violations.add(name, _UNREADABLE[column.kind], unreadable)
        if column.kind in ("text", "id") and not column.private:
            violations.add(name, NO_GROUP, holds_address(parsed.values))
        rules |= {f"{name}: {rule}": count for rule, count in parsed.rules.items()}
    return pd.DataFrame(values, index=raw.index), rules


def check_responses(table: pd.DataFrame, violations: Violations) -> None:
    """Hold typed responses against the rules that need more than one cell."""
    if "likelihood_to_recommend" in table:
        score = table["likelihood_to_recommend"]
        violations.add("likelihood_to_recommend", "is not from 0 to 10", (score < 0) | (score > 10))
        if "delivered" in table:
            violations.add("delivered", "says no, yet there is an answer", score.notna() & ~table["delivered"])
        if "responded" in table:
            violations.add("responded", "says no, yet there is an answer", score.notna() & ~table["responded"])
    if "respondent_id" in table:
        violations.add("respondent_id", "is missing", table["respondent_id"].isna())
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
    if "respondent_id" in table:  # last: a row that is quarantined anyway displaces no good one
        repeated = _repeated(table, violations.rows)
        violations.add("respondent_id", "stands twice in one wave; the first answered row is kept", repeated)


def _repeated(table: pd.DataFrame, broken: NDArray[np.bool_]) -> pd.Series:
    """Rows of a person seen before in the same wave and touchpoint; good rows come first, then those with a score.

    Without waves, invitations of different moments are different ones.
    """
    wave = "wave" if "wave" in table else "invited_at"
    key = [name for name in ("respondent_id", wave, "touchpoint") if name in table]
    lacks = [table[name].isna().to_numpy() for name in ("responded_at", "likelihood_to_recommend") if name in table]
    order = np.lexsort((*lacks, broken))
    repeated = table[key].iloc[order].duplicated().reindex(table.index)
    return repeated & table["respondent_id"].notna()


def check_customers(table: pd.DataFrame, violations: Violations) -> None:
    """Hold typed customers against the rules that need more than one cell."""
    if "customer_id" not in table:
        raise ContractError("customers: there is no customer_id, so nothing says who they are. Map it in study.toml.")
    violations.add("customer_id", "is missing", table["customer_id"].isna())
    if {"started_at", "churned_at"} <= set(table):
        violations.add("churned_at", "is before started_at", table["churned_at"] < table["started_at"])
    if {"churned_at", "observed_until"} <= set(table):
        violations.add("churned_at", "is after observed_until", table["churned_at"] > table["observed_until"])
    if "revenue" in table:
        violations.add("revenue", "is negative", table["revenue"] < 0)
    if "account_id" in table:
        dated = ("started_at", "churned_at", "churn_reason", "observed_until", "revenue")
        of_account = [name for name in dated if name in table]
        for name in of_account:
            values_of_account = table.groupby("account_id")[name].nunique(dropna=False)
            differs = table["account_id"].map(values_of_account).fillna(0) > 1
            violations.add(name, "differs between rows of one account", differs)
    order = np.argsort(violations.rows, kind="stable")
    repeated = table["customer_id"].iloc[order].duplicated().reindex(table.index) & table["customer_id"].notna()
    violations.add("customer_id", "stands twice; the first row is kept", repeated)
