"""How many are still customers, day by day: Kaplan-Meier curves, and rates that leaving within a horizon allows.

Units recur: at every landmark, and in other states. What each adds to a rate is therefore summed by unit before it is
squared (the infinitesimal jackknife), and limits are those of as many independent units as would err by as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nps_research.statistics.distributions import normal_sf
from nps_research.statistics.proportions import difference_limits, difference_statistic, wilson_limits
from nps_research.statistics.rate_ratios import RateRatios, rate_ratios
from nps_research.typing import Flags, Floats, Integers

SAME = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Risks:
    """Shares that have left by a day, per group, and how they err together.

    Attributes
    ----------
    n, events : ndarray of float, shape (n_groups,)
        Rows, and those seen to leave by that day.
    risk : ndarray, shape (n_groups,)
        One minus the Kaplan-Meier estimate; nan without rows.
    covariance : ndarray, shape (n_groups, n_groups)
        Of the risks, robust to clusters.
    n_effective : ndarray, shape (n_groups,)
        Independent rows that would err by as much: risk (1 - risk) / variance, never more than n. A group in which
        nobody or everybody left takes the mean design effect of the others.
    clusters : ndarray, shape (n_groups,)
        Clusters of one size that would tell as much: (sum n)^2 / sum n^2 over the rows of each.
    """

    n: Floats
    events: Floats
    risk: Floats
    covariance: Floats
    n_effective: Floats
    clusters: Floats

    def limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Wilson's limits of each risk at the effective numbers of rows."""
        low, high = wilson_limits(self.risk * self.n_effective, self.n_effective, confidence_level=confidence_level)
        return low, np.where(self.risk >= 1 - SAME, 1.0, high)

    def difference(self, one: int, other: int, confidence_level: float) -> tuple[float, float, float]:
        """Risk of one group less that of another, with Miettinen & Nurminen's limits."""
        events_a, n_a, events_b, n_b = (np.array([value]) for value in self.effective_counts(one, other))
        low, high = difference_limits(events_a, n_a, events_b, n_b, confidence_level=confidence_level)
        return float(self.risk[one] - self.risk[other]), float(low[0]), float(high[0])

    def statistic(self, one: int, other: int, difference: float = 0.0) -> float:
        """Miettinen & Nurminen's z of the difference against a supposed one."""
        events_a, n_a, events_b, n_b = (np.array([value]) for value in self.effective_counts(one, other))
        return float(difference_statistic(events_a, n_a, events_b, n_b, np.array([difference]))[0])

    def ratio(self, one: int, other: int, *, margin: float, alpha: float) -> RateRatios:
        """Risk of one group over that of another, against a margin.

        t with the smaller effective number of clusters, less one, takes the place of the normal.
        """
        counts = np.array(self.effective_counts(one, other, of_ratio=True))[:, None]
        degrees = self.clusters[[one, other]].min(keepdims=True) - 1
        return rate_ratios(*counts, margin=margin, alpha=alpha, degrees=degrees)

    def effective_counts(self, one: int, other: int, *, of_ratio: bool = False) -> tuple[float, float, float, float]:
        """Events and rows of two groups as if independent, so that their difference, or log ratio, errs as it does."""
        pair = np.array([one, other])
        scale = self.risk[pair] if of_ratio and (self.risk[pair] > 0).all() else np.ones(2)
        binomial = self.risk[pair] * (1 - self.risk[pair]) / self.n_effective[pair] / scale**2
        apart = binomial.sum()
        shared = apart - 2 * self.covariance[one, other] / scale.prod()
        # clusters in both groups share their fate, and so the difference errs less, or more, than two apart
        size = self.n_effective[pair] * (apart / max(shared, 0.1 * apart) if apart > 0 else 1.0)
        return (float(self.risk[one] * size[0]), float(size[0]), float(self.risk[other] * size[1]), float(size[1]))


def survival(days: Floats, event: Flags) -> tuple[Floats, Floats, Floats]:
    """Estimate survival (Kaplan-Meier) after each whole day.

    Parameters
    ----------
    days : ndarray, shape (n,)
        Whole days from the landmark to leaving or to the end of the observation, from 1 on.
    event : ndarray of bool, shape (n,)
        Whether the row left then.

    Returns
    -------
    tuple of ndarray, shape (last day + 1,)
        Share that stayed after days 0, 1, ...; the sum d / (Y (Y - d)) of Greenwood's formula; the number at risk.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481. doi:10.1080/01621459.1958.10501452

    Examples
    --------
    >>> stayed, _, at_risk = survival(np.array([1.0, 2, 2, 3]), np.array([True, False, True, False]))
    >>> stayed.tolist(), at_risk.tolist()
    ([1.0, 0.75, 0.5, 0.5], [4.0, 4.0, 3.0, 1.0])
    """
    day = days.astype(np.int64)
    last = int(day.max(initial=0))
    ended = np.bincount(day, minlength=last + 1)
    left = np.bincount(day[event], minlength=last + 1).astype(float)
    at_risk = len(day) - np.append(0, np.cumsum(ended)[:-1]).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(at_risk > 0, left / at_risk, 0.0)
        greenwood = np.where(left > 0, left / (at_risk * (at_risk - left)), 0.0)
    return np.cumprod(1 - share), np.cumsum(greenwood), at_risk


def survival_risks(
    days: Floats, event: Flags, group: Integers, cluster: Integers, *, n_groups: int, at: Sequence[int]
) -> list[Risks]:
    """Estimate the risk of leaving by each of some days (Kaplan-Meier), per group.

    Parameters
    ----------
    days, event
        As in `survival`; who is no longer observed is taken to leave like those who still are.
    group : ndarray of int, shape (n,)
        0 to n_groups - 1.
    cluster : ndarray of int, shape (n,)
        Rows of one cluster err together; clusters are independent.
    n_groups : int
    at : sequence of int
        Days.

    Returns
    -------
    list of Risks
        One a day.

    References
    ----------
    Jaeckel, L. A. (1972). The infinitesimal jackknife. Bell Laboratories Memorandum MM 72-1215-11.

    Williams, R. L. (1995). Product-limit survival functions with correlated survival times. Lifetime Data Analysis 1,
    171-186. doi:10.1007/BF00985768

    Examples
    --------
    >>> days, left = np.array([5.0, 10, 10, 10]), np.array([True, False, False, False])
    >>> risks = survival_risks(days, left, np.zeros(4, int), np.arange(4), n_groups=1, at=[10])[0]
    >>> risks.risk.tolist(), risks.covariance.round(4).tolist(), risks.n_effective.round(6).tolist()
    ([0.25], [[0.0625]], [3.0])
    """
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(n_groups + 1))
    parts = [order[ends[place] : ends[place + 1]] for place in range(n_groups)]
    curves = [survival(days[rows], event[rows]) for rows in parts]
    n_clusters = int(cluster.max(initial=-1)) + 1
    found = []
    for day in at:
        risk, events = np.full(n_groups, np.nan), np.zeros(n_groups)
        by_cluster, clusters = np.zeros((n_clusters, n_groups)), np.zeros(n_groups)
        for place, rows in enumerate(parts):
            if not len(rows):
                continue
            risk[place], influence = _influence(days[rows], event[rows], curves[place], day)
            events[place] = (event[rows] & (days[rows] <= day)).sum()
            by_cluster[:, place] = np.bincount(cluster[rows], influence, minlength=n_clusters)
            clusters[place] = len(rows) ** 2 / (np.bincount(cluster[rows]) ** 2.0).sum()
        n = np.array([len(rows) for rows in parts], dtype=float)
        correction = n_clusters / max(n_clusters - 1, 1)
        covariance = by_cluster.T @ by_cluster * correction
        found.append(
            Risks(
                n=n,
                events=events,
                risk=risk,
                covariance=covariance,
                n_effective=_n_effective(n, risk, np.diag(covariance)),
                clusters=clusters,
            )
        )
    return found


def _influence(days: Floats, event: Flags, curve: tuple[Floats, Floats, Floats], day: int) -> tuple[float, Floats]:
    """Risk by a day, and by how much each row moves it."""
    stayed, greenwood, at_risk = curve
    last = min(day, len(stayed) - 1)
    left = event & (days <= last)
    until = np.minimum(days, last).astype(np.int64)
    if stayed[last] <= 0:
        return 1.0, np.zeros(len(days))
    moved = greenwood[np.where(left, until - 1, until)] - np.where(left, 1 / at_risk[until], 0.0)
    return float(1 - stayed[last]), np.asarray(-stayed[last] * moved)


def _n_effective(n: Floats, risk: Floats, variance: Floats) -> Floats:
    """Independent rows that would err by as much."""
    with np.errstate(invalid="ignore", divide="ignore"):
        own = risk * (1 - risk) / variance
        known = (risk > SAME) & (risk < 1 - SAME) & (variance > 0)
        effect = np.maximum(n[known] / own[known], 1.0)
        pooled = float(np.average(effect, weights=n[known])) if known.any() else 1.0
        return np.asarray(np.minimum(np.where(known, own, n / pooled), n), dtype=np.float64)


def log_rank(
    days: Floats, event: Flags, is_member: Flags, *, strata: Integers | None = None, cluster: Integers | None = None
) -> tuple[float, float]:
    """Test survival of one group against all others (log-rank).

    Parameters
    ----------
    days, event
        As in `survival`.
    is_member : ndarray of bool, shape (n,)
        The group.
    strata : ndarray of int, shape (n,), optional
        Rows are compared within strata only.
    cluster : ndarray of int, shape (n,), optional
        Rows of one cluster err together: the variance of observed less expected leavers is then the sum of squares
        over clusters. None takes the hypergeometric variance of independent rows.

    Returns
    -------
    tuple of float
        z, positive where more of the group left than expected; two-sided p.

    References
    ----------
    Peto, R. & Peto, J. (1972). Asymptotically efficient rank invariant test procedures. Journal of the Royal
    Statistical Society A 135, 185-207. doi:10.2307/2344317

    Lin, D. Y. & Wei, L. J. (1989). The robust inference for the Cox proportional hazards model. Journal of the American
    Statistical Association 84, 1074-1078. doi:10.1080/01621459.1989.10478874

    Examples
    --------
    >>> days, left = np.array([1.0, 2, 3, 4, 5, 6]), np.ones(6, dtype=bool)
    >>> z, p = log_rank(days, left, np.array([True, True, True, False, False, False]))
    >>> round(z, 3), round(p, 3)
    (2.248, 0.025)
    """
    total, variance = 0.0, 0.0
    influence = np.zeros(len(days))
    for stratum in np.unique(strata) if strata is not None else [None]:
        rows = slice(None) if stratum is None else strata == stratum
        day, left, member = days[rows].astype(np.int64), event[rows], is_member[rows].astype(float)
        last = int(day.max()) + 1
        at_risk = np.bincount(day, minlength=last)[::-1].cumsum()[::-1].astype(float)
        members = np.bincount(day, member, minlength=last)[::-1].cumsum()[::-1]
        leavers = np.bincount(day[left], minlength=last).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            share, hazard = np.where(at_risk > 0, members / at_risk, 0.0), np.where(at_risk > 0, leavers / at_risk, 0.0)
            spread = leavers * share * (1 - share) * np.where(at_risk > 1, (at_risk - leavers) / (at_risk - 1), 0.0)
        expected, weighted = np.cumsum(hazard), np.cumsum(hazard * share)
        influence[rows] = left * (member - share[day]) - (member * expected[day] - weighted[day])
        total += float((left * (member - share[day])).sum())
        variance += float(spread.sum())
    if cluster is not None:
        sums = np.bincount(cluster, influence)
        variance = float((sums**2).sum() * len(sums) / max(len(sums) - 1, 1))
    z = total / np.sqrt(variance) if variance > 0 else np.nan
    return float(z), float(2 * normal_sf(abs(z)))
