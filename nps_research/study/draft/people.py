"""Who answered: which column is a person, which an account, a store or another cluster, which only the answer's id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nps_research.reading.raw_table import counted as counted_rows
from nps_research.study.draft.columns import ReadColumn, matches
from nps_research.study.draft.vocabulary import CLUSTERS, ROLES

_DECIMAL = re.compile(r"-?\d+[.,]\d*[1-9]\d*")
_PERSON = re.compile(
    r"\b(user|person|people|contact|subscriber|visitor|guest|patient|employee|learner|customer|client|member"
    r"|panell?ist|kunden?|external reference)"
)
_REPEATED = 0.05  # of rows in which a person stands again: more than that, and it is a tracker, a panel, or no person


@dataclass(frozen=True, kw_only=True)
class PeopleGuess:
    """Columns of identities.

    Attributes
    ----------
    respondent, customer, account, cluster : ReadColumn or None
    repeats : int
        Rows in which a respondent stands who stood in another before.
    remarks : tuple of str
        What was decided and why, for columns that could be taken otherwise.
    """

    respondent: ReadColumn | None = None
    customer: ReadColumn | None = None
    account: ReadColumn | None = None
    cluster: ReadColumn | None = None
    repeats: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, ReadColumn]:
        """Standard name -> column, of those that there are."""
        named = {
            "respondent_id": self.respondent,
            "customer_id": self.customer,
            "account_id": self.account,
            "cluster": self.cluster,
        }
        return {name: column for name, column in named.items() if column is not None}


def find_people(
    columns: Sequence[ReadColumn], *, has_waves: bool, counted: pd.Index, joined: str | None = None
) -> PeopleGuess:
    """Find who answered.

    A column of ids names a person where it is called so; a shop, a household or a network stands for several, and is
    a cluster. An id that never repeats may be the answer's: a person's id is taken before it. What repeats and is
    not called a person is asked about, since keeping one row of each would throw answers away.

    Parameters
    ----------
    columns : sequence of ReadColumn
        Those not taken for the score.
    has_waves : bool
        Whether a column tells waves apart, so that a person may stand once in each.
    counted : Index
        Rows of real answers.
    joined : str, optional
        Name of the column whose ids stand in a table of customers: who is none else is the customer.
    """
    remarks: list[str] = []
    free = [column for column in columns if _is_id(column) or column.name == joined]
    account = _first(free, ROLES["account_id"][0], repeated=True)
    if account is not None:
        remarks.append(
            f"{account.name!r} names a company, which several people answer for: it is the account, and every "
            f"answer counts"
        )
    free = [column for column in free if column is not account]
    cluster = _first(free, ROLES["cluster"][0], repeated=True)
    if cluster is None:
        cluster = next((c for c in free if CLUSTERS.search(c.words) and "id" in c.words.split() and _again(c)), None)
        if cluster is not None:
            remarks.append(
                f"{cluster.name!r} stands in several rows ({len(cluster.counts):,} values in "
                f"{len(cluster.cells):,} rows) and "
                "is no person: its answers are taken as alike (cluster), and every answer counts"
            )
    free = [column for column in free if column is not cluster]
    customer = _first(free, ROLES["customer_id"][0])
    respondent = _respondent([column for column in free if column is not customer])
    known = [column for column in (account, cluster, customer, respondent) if column is not None]
    if joined not in [column.name for column in known]:
        customer = next((column for column in free if column.name == joined), customer)
    if customer is not None and respondent is None:
        respondent, customer = customer, None
    if respondent is not None and respondent.names_nobody:
        remarks.append(f"{respondent.name!r} says of many only that they are anonymous: it is no id")
        respondent = None
    blank = len(counted.difference(respondent.cells.index)) if respondent is not None else 0
    if respondent is not None and blank:
        remarks.append(
            f"{respondent.name!r} is blank in {counted_rows(blank, 'row')}: it is taken for the customer, "
            "so that these rows count, too"
        )
        customer = customer or respondent
        whole = [c for c in free if c is not customer and not len(counted.difference(c.cells.index))]
        respondent = _respondent(whole)
    repeats = len(respondent.cells) - len(respondent.counts) if respondent is not None else 0
    if respondent is not None and repeats and not has_waves:
        if not _PERSON.search(respondent.words) and repeats > _REPEATED * len(respondent.cells):
            remarks.append(
                f"{respondent.name!r} stands in several rows ({len(respondent.counts):,} values in "
                f"{len(respondent.cells):,} rows), and its name does not say that it is a person: it is not "
                f"taken as one"
            )
            respondent, repeats = None, 0
        else:
            remarks.append(
                f"{respondent.name!r} stands in several rows: {repeats:,} answers are by people who answered again"
            )
    return PeopleGuess(
        respondent=respondent,
        customer=customer,
        account=account,
        cluster=cluster,
        repeats=repeats,
        remarks=tuple(remarks),
    )


def _first(columns: Sequence[ReadColumn], pattern: str, *, repeated: bool = False) -> ReadColumn | None:
    return next((column for column in columns if matches(pattern, column) and (not repeated or _again(column))), None)


def _respondent(columns: Sequence[ReadColumn]) -> ReadColumn | None:
    """A person's id by its name; else the id of the answer."""
    for pattern in ROLES["respondent_id"]:
        for column in columns:
            if re.search(pattern, column.words) and (column.cells.empty or not _is_measure(column)):
                return column
    return None


def _again(column: ReadColumn) -> bool:
    return column.cells.empty or 1 < len(column.counts) < len(column.cells)


def _is_measure(column: ReadColumn) -> bool:
    return column.is_date or column.share_like(_DECIMAL) >= 0.1


def _is_id(column: ReadColumn) -> bool:
    if column.cells.empty:
        return True
    named = any(re.search(p, column.words) for role in ("customer_id", "account_id", "cluster") for p in ROLES[role])
    several = len(column.counts) > max(1, 0.01 * len(column.cells))
    return (named and len(column.counts) > 1 and not column.is_date) or (
        several and column.filled > 0.5 and not _is_measure(column) and not column.is_flag
    )
