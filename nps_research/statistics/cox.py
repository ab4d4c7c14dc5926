"""Cox regression from whole days, by sums over days instead of rows.

The same numbers as statsmodels' PHReg and R's coxph, with Breslow ties and a sandwich over clusters (tests hold it
against both), in a thirtieth of the time: rows at risk on a day differ from those of the day before by who ended, so
that every sum over risk sets is a cumulative sum, and no loop over days is left.
"""

from __future__ import annotations

import numpy as np

from nps_research.statistics.group_sums import group_sums
from nps_research.typing import Flags, Floats, Integers

ROUNDS, CLOSE = 30, 1e-9
LARGEST = 20.0  # a log hazard ratio beyond it has no end: who leaves can be told without a doubt


def cox(
    days: Floats, event: Flags, design: Floats, *, strata: Integers, cluster: Integers
) -> tuple[Floats, Floats] | None:
    """Fit a Cox regression: log hazard ratios and their covariance; None where the likelihood has no maximum.

    Parameters
    ----------
    days : ndarray, shape (n,)
        Whole days to leaving or to the end of the observation.
    event : ndarray of bool, shape (n,)
        Whether the row left then.
    design : ndarray, shape (n, k)
        Covariates, none a sum of multiples of others.
    strata, cluster : ndarray of int, shape (n,)
        Baseline hazards of their own; rows that err together.

    Returns
    -------
    tuple of ndarray or None
        Shapes (k,) and (k, k).

    References
    ----------
    Breslow, N. (1974). Covariance analysis of censored survival data. Biometrics 30, 89-99. doi:10.2307/2529620

    Lin, D. Y. & Wei, L. J. (1989). The robust inference for the Cox proportional hazards model. Journal of the American
    Statistical Association 84, 1074-1078. doi:10.1080/01621459.1989.10478874

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> group = np.repeat([0.0, 1.0], 2000)
    >>> days = np.ceil(rng.exponential(np.where(group == 0, 200, 100)))
    >>> found = cox(days, days < 300, group[:, None], strata=np.zeros(4000, int), cluster=np.arange(4000))
    >>> [round(float(np.exp(value)), 1) for value in found[0]]
    [2.0]
    """
    order = np.lexsort((days, strata))
    x = design[order] - design.mean(axis=0)
    left, stratum = event[order], strata[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(stratum) != 0) | (np.diff(days[order]) != 0)])
    block = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(x)]))
    leavers = np.add.reduceat(left.astype(float), starts)
    first = np.searchsorted(stratum[starts], stratum[starts], side="left")  # first day of the stratum, per day
    last = np.searchsorted(stratum[starts], stratum[starts], side="right")  # one past its last

    def from_day_on(value: Floats) -> Floats:
        """Sums over rows of the stratum that end on a day or later."""
        total = np.vstack([np.zeros((1, value.shape[1])), np.cumsum(np.add.reduceat(value, starts), axis=0)])
        return np.asarray(total[last] - total[:-1])

    def up_to_day(value: Floats) -> Floats:
        """Sums over days of the stratum up to a day, that day counted."""
        total = np.vstack([np.zeros((1, value.shape[1])), np.cumsum(value, axis=0)])
        return np.asarray(total[1:] - total[first])

    beta, likelihood = np.zeros(x.shape[1]), -np.inf
    step = beta
    for _ in range(ROUNDS):
        reached = x @ beta
        weight = np.exp(np.clip(reached, -500, 500))[:, None]
        at_risk, moment = from_day_on(weight)[:, 0], from_day_on(weight * x)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = moment / at_risk[:, None]
            told = float(reached[left].sum() - (leavers * np.log(at_risk))[leavers > 0].sum())
        if not np.isfinite(told) or told < likelihood - 1e-9 * abs(likelihood):
            step = step / 2
            beta = beta - step
            continue
        likelihood = told
        hazard = leavers / at_risk
        cumulative = up_to_day(hazard[:, None])[block]
        score = x[left].sum(axis=0) - leavers @ mean
        information = x.T @ (x * (weight * cumulative)) - (mean * leavers[:, None]).T @ mean
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        step = inverse @ score
        if np.abs(step).max() < CLOSE:
            drift = up_to_day(hazard[:, None] * mean)[block]
            own = left[:, None] * (x - mean[block]) - weight * (x * cumulative - drift)
            sums = group_sums(own, cluster[order], int(cluster.max()) + 1)
            return beta, inverse @ (sums.T @ sums) @ inverse
        beta = beta + step
        if np.abs(beta).max() > LARGEST:
            return None
    return None
