"""How many of a group's answers tell as much as one independent, equally weighted answer."""

from __future__ import annotations

import numpy as np
from scipy import special

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.limits.by_design import linearized
from nps_research.score.limits.independent import VALUES, ZERO
from nps_research.typing import Floats


def group_design_effects(dist: ScoreDistribution) -> Floats:
    """Design effect of each group, drawn to the mean of all groups by as much as its own is unsure.

    A group's own design effect is its linearised variance over that of as many independent, equal answers; for
    independent answers that is 1. Its logarithm errs like that of a chi-squared variable with the degrees of freedom
    of the linearised variance: a little too low on average, and in a group of few clusters mostly by chance. The true
    logarithms are taken as normal around one mean; mean and variance are the moment estimates of DerSimonian & Laird,
    and a group's logarithm is its expectation given its own. No design effect is below 1.

    Parameters
    ----------
    dist : ScoreDistribution
        Answers per group; clusters that span groups are taken as independent.

    Returns
    -------
    ndarray, shape (n_groups,)
        1 where answers are independent and count the same. A group whose answers are all alike, or in one
        cluster, has the mean; where all groups are so, each cluster counts as one answer.

    References
    ----------
    DerSimonian, R. & Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177-188.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"a": [1] * 11, "b": [2] * 11})
    >>> group_design_effects(dist).tolist()
    [1.0, 1.0]
    """
    if dist.is_simple:
        return np.ones(len(dist.groups))
    found, shares = linearized(dist, confidence_level=0.95), dist.shares
    with np.errstate(invalid="ignore", divide="ignore"):
        own = found.std_error**2 * (dist.n - 1) / (shares @ VALUES**2 - (shares @ VALUES) ** 2)
    known = np.isfinite(own) & (own > ZERO) & (found.degrees > 0)
    if not known.any():
        clusters = dist.n if dist.clusters is None else np.bincount(dist.clusters.group, minlength=len(dist.groups))
        return np.asarray(dist.n / np.maximum(clusters, 1), dtype=np.float64)
    half = found.degrees[known] / 2
    # The logarithm of chi-squared / degrees has this mean and variance.
    log_own = np.log(own[known]) - special.digamma(half) + np.log(half)
    error = special.polygamma(1, half)
    mean, spread = _random_effects(log_own, error)
    log_effect = np.full(len(own), mean)
    log_effect[known] = mean + spread / (spread + error) * (log_own - mean)
    return np.asarray(np.maximum(np.exp(log_effect), 1.0), dtype=np.float64)


def _random_effects(value: Floats, error: Floats) -> tuple[float, float]:
    """Mean of the true values, and their variance around it, from values with known error variances."""
    weight = 1 / error
    spread_seen = weight @ (value - np.average(value, weights=weight)) ** 2
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    spread = max(float((spread_seen - len(value) + 1) / scale), 0.0) if len(value) > 1 else 0.0
    return float(np.average(value, weights=1 / (error + spread))), spread
