"""Many groups' means: the spread between them, and which are further out than luck and that spread explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.statistics.distributions import normal_cdf, normal_ppf, t_sf
from nps_research.statistics.group_sums import group_sums
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.statistics.rank_limits import draws_of, rank_limits
from nps_research.statistics.variance_components import variance_components
from nps_research.typing import Floats, Integers

BEND = 1.345  # of a standardised distance: up to here it counts in full towards the spread of all (Huber)
EFFICIENCY = 0.5  # about how much of the groups tells their spread, where a few far out hardly count
MOST_PLACED = 100  # groups; pairs of more take too long
LOWER, HIGHER, WITHIN = "lower beyond luck", "higher beyond luck", "within luck"


@dataclass(frozen=True, kw_only=True, eq=False)
class BeyondLuck:
    """Groups compared.

    Attributes
    ----------
    frame : DataFrame
        A row a group: n, raw_estimate (its mean, x as on average of all), std_error, estimate (drawn towards all) with
        conf_low, conf_high, rank_low, rank_high (missing for more than 100 groups), p_adjusted, verdict.
    share, share_low, share_high : float
        Part of the variance that lies between groups, and its limits.
    spread : float
        Standard deviation of the groups' true means, without the few that are unlike the others.
    overall : float
        Mean of all groups.
    """

    frame: pd.DataFrame
    share: float
    share_low: float
    share_high: float
    spread: float
    overall: float


def beyond_luck(
    y: Floats,
    group: Integers,
    x: Floats,
    cluster: Integers,
    *,
    confidence_level: float = 0.95,
    with_limits: bool = True,
) -> BeyondLuck:
    """Compare the means of many groups: how much of the variance lies between them, and which differ beyond luck.

    Parameters
    ----------
    y : ndarray, shape (n,)
    group : ndarray of int, shape (n,)
        From 0, none unused.
    x : ndarray, shape (n, p)
        What is held constant, the constant first.
    cluster : ndarray of int, shape (n,)
        Rows of one cluster go together.
    confidence_level : float
        Of limits; one less it bounds the chance that any group of equal ones is called different.
    with_limits : bool
        Whether the share between groups has limits, and groups have ranks, which takes most of the time.

    Notes
    -----
    Means are those of generalised least squares with correlation within clusters as a mixed model finds it. The spread
    between groups solves Huber's second proposal: distances over their error and the spread, bent at 1.345, are as
    large as those of a normal distribution; groups found beyond luck are then left out of it, until no more are. That
    it is estimated counts by Satterthwaite's degrees of freedom. How often verdicts are right is in
    ``calibration/employees.csv``.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. The Annals of Mathematical Statistics 35, 73-101.
    doi:10.1214/aoms/1177703732

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> group = np.repeat(np.arange(40), 60)
    >>> y = rng.normal(8, 2, 2400) - 1.5 * (group == 7)
    >>> found = beyond_luck(y, group, np.ones((2400, 1)), np.arange(2400), with_limits=False)
    >>> np.flatnonzero(found.frame["verdict"] != WITHIN).tolist()
    [7]
    """
    alone = len(np.unique(cluster)) == len(cluster)
    codes = None if alone else np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    fitted = variance_components(
        y, [group], x, cluster=codes, confidence_level=confidence_level, with_limits=with_limits
    )
    left = 1 - float(fitted.share.sum())
    mean, covariance = _means(y, group, x, codes, 0.0 if alone else float(fitted.share[1]) / left)
    variance = np.diag(covariance).copy()
    overall, spread, p_adjusted = _distances(mean, variance, confidence_level)
    beyond = p_adjusted < 1 - confidence_level
    between = float(fitted.share[0]) / left * fitted.residual
    kept = between / (between + variance) if between > 0 else np.zeros(len(mean))
    estimate = overall + kept * (mean - overall)
    reach = float(normal_ppf(0.5 + confidence_level / 2)) * np.sqrt(
        kept * variance + (1 - kept) ** 2 / (1 / (variance + between)).sum()
    )
    frame = pd.DataFrame({"n": np.bincount(group), "raw_estimate": mean, "std_error": np.sqrt(variance)})
    frame["estimate"], frame["conf_low"], frame["conf_high"] = estimate, estimate - reach, estimate + reach
    frame["rank_low"], frame["rank_high"] = np.nan, np.nan
    if with_limits and len(mean) <= MOST_PLACED:
        rng = np.random.default_rng(DEFAULT_SEED)
        ranks = rank_limits(mean, draws_of(covariance), confidence_level=confidence_level, rng=rng)
        frame["rank_low"], frame["rank_high"] = ranks.astype(float)
    frame["p_adjusted"] = p_adjusted
    frame["verdict"] = np.where(beyond, np.where(mean < overall, LOWER, HIGHER), WITHIN)
    return BeyondLuck(
        frame=frame,
        share=float(fitted.share[0]),
        share_low=float(fitted.conf_low[0]),
        share_high=float(fitted.conf_high[0]),
        spread=spread,
        overall=overall,
    )


def _means(y: Floats, group: Integers, x: Floats, cluster: Integers | None, ratio: float) -> tuple[Floats, Floats]:
    """Means of the groups, x as on average of all, and their covariance, with correlation within clusters."""
    n_groups = int(group.max()) + 1
    rest = x[:, 1:] - x[:, 1:].mean(axis=0)
    design = np.column_stack([(group[:, None] == np.arange(n_groups)).astype(float), rest])
    both = np.column_stack([design, y])
    if cluster is not None:
        size = np.bincount(cluster).astype(float)
        part = 1 - 1 / np.sqrt(1 + size * ratio)  # rows less this part of their cluster's mean are uncorrelated
        both = both - (part / size)[cluster][:, None] * group_sums(both, cluster, len(size))[cluster]
    design, value = both[:, :-1], both[:, -1]
    bread = np.linalg.pinv(design.T @ design, hermitian=True, rcond=1e-10)
    coefficient = bread @ (design.T @ value)
    degrees = len(y) - design.shape[1]
    residual = float(((value - design @ coefficient) ** 2).sum() / degrees)
    return coefficient[:n_groups], residual * bread[:n_groups, :n_groups]


def _distances(mean: Floats, variance: Floats, confidence_level: float) -> tuple[float, float, Floats]:
    """Centre, spread, and how sure each group is off them (Holm); those that are do not count towards the two."""
    beyond = np.zeros(len(mean), dtype=bool)
    while True:
        overall, spread = _centre_and_spread(mean[~beyond], variance[~beyond])
        own = variance + spread**2
        centre = 1 / (1 / own[~beyond]).sum()
        apart = own + np.where(beyond, centre, -centre)  # who is part of the centre is nearer to it
        with np.errstate(divide="ignore"):
            degrees = (
                (len(mean) - 1) * EFFICIENCY * (1 + variance / spread**2) ** 2
            )  # of the spread, as far as it counts
        p = 2 * t_sf(np.abs(mean - overall) / np.sqrt(apart), np.minimum(degrees, 1e6))
        p_adjusted = adjust_p_values(p)
        found = beyond | (p_adjusted < 1 - confidence_level)
        if found.sum() == beyond.sum() or found.sum() > len(mean) // 2:
            return overall, spread, p_adjusted
        beyond = found


def _centre_and_spread(mean: Floats, variance: Floats) -> tuple[float, float]:
    """Centre of the groups and their standard deviation beyond their errors, few far out hardly counting."""
    from scipy.optimize import brentq  # late: it takes longer than most commands

    density = np.exp(-(BEND**2) / 2) / np.sqrt(2 * np.pi)
    inside = 2 * float(normal_cdf(BEND)) - 1
    expected = (len(mean) - 1) * (inside - 2 * BEND * density + BEND**2 * (1 - inside))

    def centre(square: float) -> float:
        at = float(np.median(mean))
        for _ in range(50):
            error = np.sqrt(variance + square)
            pull = np.minimum(1.0, BEND / np.maximum(np.abs(mean - at) / error, 1e-12)) / (variance + square)
            at = float(pull @ mean / pull.sum())
        return at

    def excess(square: float) -> float:
        distance = np.abs(mean - centre(square)) / np.sqrt(variance + square)
        return float(np.square(np.minimum(distance, BEND)).sum()) - float(expected)

    if excess(0.0) <= 0:
        return centre(0.0), 0.0
    square = float(brentq(excess, 0.0, float(np.ptp(mean)) ** 2 + 1.0, xtol=1e-6))
    return centre(square), float(np.sqrt(square))
