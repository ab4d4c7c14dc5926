"""Made-up growth of product lines and regions: that of lines follows their scores, that of regions does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.followed import Followed
from nps_research.typing import Floats, Integers


@dataclass(frozen=True, kw_only=True)
class UnitTruth:
    """What is planted in the growth of units.

    Attributes
    ----------
    slope_lines, slope_regions : float
        Percentage points of growth a quarter for an NPS point above the unit's own mean, `lag` quarters before.
        Between units there is no link: a unit whose score is always good grows as the others do.
    lag : int
    growth : float
        Growth a quarter at the mean, in per cent.
    fourth_quarter : float
        By how many per cent the fourth quarter is above the others.
    noise : float
        Standard deviation of a quarter's growth, in percentage points.

    Examples
    --------
    >>> UnitTruth.null().slope_lines
    0.0
    """

    slope_lines: float = 0.1
    slope_regions: float = 0.0
    lag: int = 2
    growth: float = 1.0
    fourth_quarter: float = 8.0
    noise: float = 0.6

    @classmethod
    def null(cls) -> Self:
        """The same company, in which no unit's growth has to do with its score."""
        return cls(slope_lines=0.0)


def draw_units(followed: Followed, truth: UnitTruth, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what each product line and region took in by quarter, and count the accounts it won and lost.

    Revenue begins with a quarter of what the accounts of the unit bring in a year, and then goes its own way: it is no
    sum of the transactions. Customers are accounts.

    Returns
    -------
    DataFrame
        Columns unit, period, revenue, customers_start, customers_gained, customers_lost.
    """
    parts = []
    for column, slope in (("product_line", truth.slope_lines), ("region", truth.slope_regions)):
        names, unit = np.unique(followed.column(column).astype(str), return_inverse=True)
        score = unit_net_promoter_score(followed, unit)
        n_units, n_quarters = score.shape
        growth = truth.growth + truth.noise * rng.standard_normal(score.shape)
        above = score - np.nanmean(score, axis=1, keepdims=True)
        growth[:, truth.lag :] += slope * np.nan_to_num(above)[:, : n_quarters - truth.lag]
        growth[:, 0] = 0.0
        fourth = np.array([label.endswith("Q4") for label in followed.labels])
        level = np.exp(np.cumsum(growth, axis=1) / 100) * (1 + truth.fourth_quarter / 100 * fourth)
        opening = np.bincount(unit, followed.accounts["revenue"].to_numpy(dtype=np.float64)) / 4
        begins, gained, lost = _accounts_by_quarter(followed, unit)
        parts.append(
            pd.DataFrame(
                {
                    "unit": np.repeat(names.astype(object), n_quarters),
                    "period": np.tile(np.array(followed.labels, dtype=object), n_units),
                    "revenue": (opening[:, None] * level).round().ravel(),
                    "customers_start": begins.ravel(),
                    "customers_gained": gained.ravel(),
                    "customers_lost": lost.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def unit_net_promoter_score(followed: Followed, unit: Integers) -> Floats:
    """NPS of all customers of each unit by quarter, as they would score: (n_units, n_quarters); nan without any."""
    of_customer = unit[followed.account_of]
    points = np.where(followed.score >= 9, 100.0, np.where(followed.score <= 6, -100.0, 0.0))
    given = followed.score >= 0
    shape = (int(unit.max()) + 1, len(followed.labels))
    total, n = np.zeros(shape), np.zeros(shape)
    np.add.at(total, of_customer, points * given)
    np.add.at(n, of_customer, given)
    return np.asarray(np.divide(total, n, out=np.full(shape, np.nan), where=n > 0))


def _accounts_by_quarter(followed: Followed, unit: Integers) -> tuple[Integers, Integers, Integers]:
    """Accounts of each unit there when a quarter began, won and lost in it."""
    starts, n_units = followed.quarter_starts, int(unit.max()) + 1
    n = len(starts) + 1

    def until(days: Floats | Integers) -> Integers:
        """How many of a unit lie before the start of each quarter."""
        place = np.searchsorted(starts, days, side="right")
        counts = np.bincount(unit * n + place, minlength=n_units * n).reshape(n_units, n)
        return np.cumsum(counts, axis=1)[:, :-1]

    began, gone = until(followed.started), until(followed.left)
    return (began - gone)[:, :-1], np.diff(began, axis=1), np.diff(gone, axis=1)


def counted_units(units: pd.DataFrame, followed: Followed, truth: UnitTruth) -> list[Counted]:
    """Count again how growth follows the score of two quarters before, within units and quarters.

    Parameters
    ----------
    units : DataFrame
        As `draw_units` returns it.
    followed : Followed
    truth : UnitTruth
    """
    found = []
    for column, planted, says in (
        ("product_line", truth.slope_lines, "a product line"),
        ("region", truth.slope_regions, "a region"),
    ):
        names, unit = np.unique(followed.column(column).astype(str), return_inverse=True)
        revenue = units[units["unit"].isin(names)].pivot_table(index="unit", columns="period", values="revenue")
        revenue = revenue.loc[list(names), list(followed.labels)]
        growth = 100 * np.diff(np.log(revenue.to_numpy()), axis=1)[:, truth.lag - 1 :]
        score = unit_net_promoter_score(followed, unit)[:, : growth.shape[1]]
        score = score - score.mean(axis=1, keepdims=True) - score.mean(axis=0) + score.mean()
        found.append(
            Counted(
                truth=f"Growth a quarter for an NPS point more of {says} two quarters before, within it",
                planted=planted,
                counted=float((score * growth).sum() / (score**2).sum()),
                unit="points of growth",
                error=float(truth.noise / np.sqrt((score**2).sum())),
            )
        )
    return found
