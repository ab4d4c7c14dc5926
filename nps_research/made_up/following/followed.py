"""What is known of a made-up company when its further tables are drawn, and how a number is counted in it.

Purchases, referrals, units and contacts only follow from accounts, their people and what these would say. Each is
counted again by sums, their ratios and differences within cells, with errors by cluster, and no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nps_research.typing import Flags, Floats, Integers, Numbers

DAYS_PER_YEAR = 365


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """A company as its further tables see it; days are counted since 1970.

    Attributes
    ----------
    accounts : DataFrame
        One row per account: account_id, started (int day), churned (float day, nan while it stays), revenue (euros a
        year when the panel began), region, product_line.
    customers : DataFrame
        One row per person: customer_id, account (position in `accounts`), role. Each account has at least one.
    quarter_starts : ndarray of int, shape (n_quarters + 1,)
        First day of each quarter; the last entry is the day after all that is observed.
    labels : tuple of str
        ``"2024 Q1"`` and so on, of each quarter.
    score : ndarray of int, shape (n_customers, n_quarters)
        Likelihood to recommend as it would be given; -1 where somebody is no customer.
    answers : DataFrame
        Answers given: customer (position in `customers`), quarter (position in `labels`), day, score.
    """

    accounts: pd.DataFrame
    customers: pd.DataFrame
    quarter_starts: Integers
    labels: tuple[str, ...]
    score: Integers
    answers: pd.DataFrame

    @property
    def ends(self) -> int:
        """The day after all that is observed."""
        return int(self.quarter_starts[-1])

    @property
    def last_wave(self) -> int:
        """The last quarter in which somebody answered."""
        return int(self.answers["quarter"].max())

    @property
    def started(self) -> Integers:
        """Day on which each account began."""
        return self.accounts["started"].to_numpy(dtype=np.int64)

    @property
    def left(self) -> Floats:
        """Day on which each account leaves, infinite while it stays."""
        return self.accounts["churned"].fillna(np.inf).to_numpy(dtype=np.float64)

    @property
    def account_of(self) -> Integers:
        """Account of each customer, by position."""
        return self.customers["account"].to_numpy(dtype=np.int64)

    def is_there(self, day: int) -> Flags:
        """Which accounts began before a day and had not left before it."""
        return np.asarray((self.started < day) & (self.left >= day))

    def first_customers(self) -> Integers:
        """The first customer of each account, by position."""
        return np.unique(self.account_of, return_index=True)[1]

    def account_score(self) -> Floats:
        """Mean score of each account's customers by quarter, nan where it has none: (n_accounts, n_quarters)."""
        given = self.score >= 0
        total = np.zeros((len(self.accounts), len(self.labels)))
        n = total.copy()
        np.add.at(total, self.account_of, np.where(given, self.score, 0))
        np.add.at(n, self.account_of, given)
        return np.divide(total, n, out=np.full_like(total, np.nan), where=n > 0)

    def size_band(self, n_bands: int) -> Integers:
        """Which of so many equal bands of revenue each account is in, 0 being the smallest."""
        revenue = self.accounts["revenue"].to_numpy(dtype=np.float64)
        limits = np.quantile(revenue, np.arange(1, n_bands) / n_bands)
        return np.asarray(np.searchsorted(limits, revenue, side="right"), dtype=np.int64)

    def column(self, name: str) -> Numbers:
        """A column of the accounts as objects."""
        return self.accounts[name].to_numpy(dtype=object)


def as_dates(days: Numbers) -> pd.Series[pd.Timestamp]:
    """Days since 1970 as dates; nan is missing.

    Examples
    --------
    >>> import numpy as np
    >>> as_dates(np.array([19723.0, np.nan])).dt.date.tolist()
    [datetime.date(2024, 1, 1), NaT]
    """
    seconds = np.asarray(days, dtype=np.float64) * 86_400
    return pd.Series(pd.to_datetime(seconds, unit="s")).astype("datetime64[s]")


def day_numbers(moments: pd.Series[pd.Timestamp]) -> Integers:
    """Dates as days since 1970.

    Examples
    --------
    >>> import pandas as pd
    >>> day_numbers(pd.Series(pd.to_datetime(["1970-01-03"]))).tolist()
    [2]
    """
    return moments.to_numpy(dtype="datetime64[D]").astype(np.int64)


def account_positions(followed: Followed, customer_id: pd.Series[str]) -> Integers:
    """Account of each of some customers named by their ids, by position."""
    position = pd.Index(followed.customers["customer_id"]).get_indexer(pd.Index(customer_id))
    return np.asarray(followed.account_of[position])


def numbered(letter: str, numbers: Integers, width: int) -> Numbers:
    """Ids of a letter and a number.

    Examples
    --------
    >>> import numpy as np
    >>> numbered("B", np.array([7, 12]), 4).tolist()
    ['B0007', 'B0012']
    """
    return np.char.add(letter, np.char.zfill(numbers.astype(str), width)).astype(object)


def _cluster_error(influence: Floats, cluster: Integers) -> float:
    return float(np.sqrt((np.bincount(cluster, influence) ** 2).sum()))


def ratio_of_sums(top: Numbers, bottom: Numbers, cluster: Integers) -> tuple[float, float]:
    """Ratio of two sums, and its standard error between clusters.

    Examples
    --------
    >>> import numpy as np
    >>> ratio_of_sums(np.array([1, 3]), np.array([2, 2]), np.array([0, 1]))
    (1.0, 0.3535533905932738)
    """
    total = float(bottom.sum())
    if not total:
        return np.nan, np.nan
    ratio = float(top.sum()) / total
    return ratio, _cluster_error((top - ratio * bottom) / total, cluster)


def times_as_much(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """How many times one number is another of other clusters, and its standard error.

    Examples
    --------
    >>> times_as_much((0.5, 0.125), (0.25, 0.0))
    (2.0, 0.5)
    """
    if not one[0] or not other[0]:
        return np.nan, np.nan
    ratio = one[0] / other[0]
    return ratio, ratio * float(np.hypot(one[1] / one[0], other[1] / other[0]))


def difference_within(value: Numbers, marked: Any, cell: Numbers, cluster: Integers) -> tuple[float, float]:
    """Mean of the marked less that of the others within cells, pooled, and its standard error between clusters.

    Examples
    --------
    >>> import numpy as np
    >>> difference_within(np.array([1.0, 3, 11, 13]), [0, 1, 0, 1], np.array([0, 0, 1, 1]), np.arange(4))[0]
    2.0
    """
    _, of_cell = np.unique(cell, return_inverse=True)
    n = np.bincount(of_cell)
    treated = np.asarray(marked, dtype=np.float64)
    treated = treated - (np.bincount(of_cell, treated) / n)[of_cell]
    rest = value - (np.bincount(of_cell, value) / n)[of_cell]
    spread = float(treated @ treated)
    slope = float(treated @ rest) / spread
    return slope, _cluster_error(treated * (rest - slope * treated) / spread, cluster)
