"""Interval formulas for the Net Promoter Score, on arrays of counts; everything in points.

`classes` holds, per group, detractors, passives and promoters, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from nps_research.errors import EstimationError
from nps_research.linearization import of_answers, of_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nps_research.distribution import ScoreDistribution
    from nps_research.linearization import Linearization

    Floats = NDArray[np.float64]

__all__ = [
    "DEFAULT_SEED",
    "METHOD_WORDS",
    "VALUES",
    "ZERO",
    "Estimates",
    "Method",
    "check_cuts",
    "check_level",
    "classify",
    "estimate",
    "resampled_scores",
    "suitable_difference_method",
    "suitable_method",
]

VALUES = np.array([-100.0, 0.0, 100.0])

ZERO = 1e-9  # a standard error below this many points is none
PSEUDO_COUNTS = np.array([0.75, 1.5, 0.75])


Method = Literal["adjusted-wald", "score", "wald", "bootstrap", "linearized", "effective-score"]
METHOD_WORDS = {
    "adjusted-wald": "adjusted Wald",
    "score": "score interval (Tango)",
    "wald": "Wald",
    "bootstrap": "bootstrap percentile",
    "linearized": "linearised ratio estimate, t limits",
    "effective-score": "score interval (Tango) at the effective number of answers",
}
DEFAULT_SEED = 20261122


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Scores of several groups with limits.

    Attributes
    ----------
    estimate, std_error, conf_low, conf_high : ndarray, shape (n_groups,)
        In points; NaN for a group without answers.
    centre : ndarray, shape (n_groups,)
        What the limits stand around: the estimate, or for adjusted Wald the adjusted score.
    covariance : ndarray, shape (n_groups, n_groups)
        Of the estimates; diagonal where groups are independent.
    degrees : ndarray, shape (n_groups,)
        Degrees of freedom of the limits (infinity for the normal).
    """

    estimate: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    centre: Floats
    covariance: Floats
    degrees: Floats


def classify(per_score: NDArray[np.generic], *, promoter_min: int, detractor_max: int) -> Floats:
    """Detractors, passives and promoters from sums per score, shape (..., 11) to (..., 3)."""
    values = np.asarray(per_score, dtype=np.float64)
    return np.stack(
        [
            values[..., : detractor_max + 1].sum(axis=-1),
            values[..., detractor_max + 1 : promoter_min].sum(axis=-1),
            values[..., promoter_min:].sum(axis=-1),
        ],
        axis=-1,
    )


def _mean_and_variance(classes: Floats) -> tuple[Floats, Floats]:
    """Score and its multinomial sampling variance per group, NaN without answers."""
    n = classes.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = classes / n[..., None]
        mean = shares @ VALUES
        variance = (shares @ VALUES**2 - mean**2) / n
    return mean, np.maximum(variance, 0.0)


def _limits(centre: Floats, half_width: Floats) -> tuple[Floats, Floats]:
    return np.clip(centre - half_width, -100, 100), np.clip(centre + half_width, -100, 100)


def wald(classes: Floats, *, confidence_level: float) -> Estimates:
    """Estimate +- z standard errors; too narrow for small groups (kept for comparison)."""
    mean, variance = _mean_and_variance(classes)
    std_error = np.sqrt(variance)
    low, high = _limits(mean, stats.norm.ppf(0.5 + confidence_level / 2) * std_error)
    return _independent(mean, std_error, low, high)


def adjusted_wald(classes: Floats, *, confidence_level: float) -> Estimates:
    """Wald limits around the score after adding 3/4, 3/2 and 3/4 pseudo-answers.

    Rocks, B. (2016). Interval estimation for the Net Promoter Score. The American Statistician 70(4),
    365-372. doi:10.1080/00031305.2016.1198279
    """
    mean, _ = _mean_and_variance(classes)
    centre, variance = _mean_and_variance(classes + PSEUDO_COUNTS)
    std_error = np.where(np.isnan(mean), np.nan, np.sqrt(variance))
    low, high = _limits(centre, stats.norm.ppf(0.5 + confidence_level / 2) * std_error)
    return _independent(mean, std_error, low, high, centre=centre)


def score_interval(classes: Floats, *, confidence_level: float) -> Estimates:
    """Tango's score interval: all scores that a score test would not reject.

    The variance is restricted to the score under test, solved in closed form; the limits are the
    roots of the test statistic at -z and z.

    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design. Statistics in Medicine 17(8), 891-908.
    """
    mean, variance = _mean_and_variance(classes)
    low, high = _tango(classes, confidence_level)
    return _independent(mean, np.sqrt(variance), low, high)


def _tango(classes: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Limits by halving the range until it is as narrow as a number can tell; NaN without answers."""
    detractors, _, promoters = classes.T
    n = classes.sum(axis=-1)
    z = stats.norm.ppf(0.5 + confidence_level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = (promoters - detractors) / n

    def statistic(delta: Floats) -> Floats:
        b = -promoters - detractors + (2 * n - promoters + detractors) * delta
        c = -detractors * delta * (1 - delta)
        share = (np.sqrt(np.maximum(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = np.maximum(n * (2 * share + delta * (1 - delta)), 1e-300)
        return np.asarray((promoters - detractors - n * delta) / np.sqrt(variance))

    limits = []
    for below, above, threshold in ((np.full_like(n, -1), difference, z), (difference, np.ones_like(n), -z)):
        with np.errstate(invalid="ignore", divide="ignore"):
            for _ in range(60):
                middle = (below + above) / 2
                beyond = statistic(middle) > threshold
                below, above = np.where(beyond, middle, below), np.where(beyond, above, middle)
        limits.append(np.where(n > 0, 100 * (below + above) / 2, np.nan))
    return limits[0], limits[1]


def bootstrap(
    dist: ScoreDistribution,
    *,
    promoter_min: int,
    detractor_max: int,
    confidence_level: float,
    n_resamples: int,
    rng: np.random.Generator,
) -> Estimates:
    """Percentile limits from resampled answers (multinomial) or resampled clusters.

    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap. Chapman & Hall.
    """
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    classes = classify(dist.weights, **cuts)
    mean, _ = _mean_and_variance(classes)
    tails = [0.5 - confidence_level / 2, 0.5 + confidence_level / 2]
    std_error, low, high = (np.full(len(mean), np.nan) for _ in range(3))
    # Each group draws from a stream of its own: what one group's limits are, tells nothing of the others.
    for row, (of_group, stream) in enumerate(zip(classes, rng.spawn(len(classes)), strict=True)):
        n = of_group.sum()
        if dist.clusters is not None:
            sums = classify(dist.clusters.sums[dist.clusters.group == row], **cuts)
            if len(sums) < 2:
                continue
            drawn = _resampled_clusters(sums, n_resamples, stream)
        elif n > 0:
            drawn = resampled_scores(of_group, n_resamples=n_resamples, rng=stream)
        else:
            continue
        std_error[row], (low[row], high[row]) = drawn.std(ddof=1), np.quantile(drawn, tails)
    return _independent(mean, std_error, low, high)


def resampled_scores(of_group: Floats, *, n_resamples: int, rng: np.random.Generator) -> Floats:
    """Scores of resamples of one group's independent answers, shape (n_resamples,); the rows are not needed."""
    n = of_group.sum()
    return np.asarray(rng.multinomial(int(n), of_group / n, size=n_resamples) @ VALUES / n)


def _resampled_clusters(sums: Floats, n_resamples: int, rng: np.random.Generator) -> Floats:
    m = len(sums)
    parts = []
    for start in range(0, n_resamples, 500):  # a block of draws at a time bounds the memory
        times = rng.multinomial(m, np.full(m, 1 / m), size=min(500, n_resamples - start))
        drawn = times @ sums
        parts.append(drawn @ VALUES / drawn.sum(axis=1))
    return np.concatenate(parts)


def linearized(dist: ScoreDistribution, *, promoter_min: int, detractor_max: int, confidence_level: float) -> Estimates:
    """Ratio estimates with Taylor-linearised standard errors, t limits; what survey software gives.

    The score is sum(w y) / sum(w). A cluster's share in its error is u = sum w (y - score) / sum(w); the
    variance is m / (m - 1) sum u^2 over the m clusters of the group, with m - 1 degrees of freedom, and with
    strata as in `linearization.of_clusters`. Without clusters every answer is one. Clusters that occur in
    two groups make their scores covary. With few clusters, of unequal size, or skewed answers, the limits
    are too narrow (``calibration/clustered_intervals.csv``).
    Where all answers fall in one class the errors vanish; error and limits are then those of adjusted
    Wald for m answers, the least that m clusters could tell.

    References
    ----------
    Woodruff, R. S. (1971). A simple method for approximating the variance of a complicated estimate.
    Journal of the American Statistical Association 66, 411-414. doi:10.1080/01621459.1971.10482279
    """
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    mean, found = _linearize(dist, **cuts, effective=False)
    estimates = _with_errors(dist, mean, found, **cuts, confidence_level=confidence_level)
    half_width = stats.t.ppf(0.5 + confidence_level / 2, found.degrees) * estimates.std_error
    low, high = _limits(mean, half_width)
    alike = np.diag(found.covariance) < ZERO**2
    return replace(
        estimates,
        conf_low=np.where(alike, estimates.conf_low, low),
        conf_high=np.where(alike, estimates.conf_high, high),
    )


def effective_score(
    dist: ScoreDistribution, *, promoter_min: int, detractor_max: int, confidence_level: float
) -> Estimates:
    """Ratio estimates with Tango's score interval for as many answers as these tell as much as.

    As `linearized`, but clusters count by weight: k = (sum w)^2 / sum w^2 of them, as many as there are where
    all weigh the same. The variance is k / (k - 1) sum u^2, without bias where a cluster's variance is in
    proportion to its weight; it has k - 1 degrees of freedom; with strata, see `linearization.of_clusters`.
    The limits are those of the score interval for n* answers of the same shares. n* gives the linearised
    variance, times (z / t)^2 for the variance not being known; without strata, which may make answers surer, it
    is held at no more than independent answers of these weights tell, (sum w)^2 / sum w^2 over answers. Where
    all answers fall in one class, n* is k (z / t)^2.

    Measured coverage of the 95% limits, and of t limits of changes with the same variance and degrees of
    freedom, stands in ``calibration/clustered_intervals.csv``: for scores 0.947 to 0.987 with 20 accounts, 0.942
    to 0.982 with 60, 0.935 to 0.970 with 300; for changes 0.939 to 0.980. The most is with log-normal revenue
    of accounts whose people agree little, where the bound on n* is what counts. With 95% promoters the least
    is 0.929.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data. Survey Methodology 24(2), 193-201: n*, there with exact
    binomial limits.

    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design. Statistics in Medicine 17(8), 891-908.
    """
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    mean, found = _linearize(dist, **cuts, effective=True)
    classes = classify(dist.weights, **cuts)
    variance, degrees = np.diag(found.covariance), np.maximum(found.degrees, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = classes / classes.sum(axis=1, keepdims=True)
        n = np.where(variance < ZERO**2, found.n_clusters, (shares @ VALUES**2 - mean**2) / variance)
        level = 0.5 + confidence_level / 2
        n = n * (stats.norm.ppf(level) / stats.t.ppf(level, degrees)) ** 2
        if dist.clusters is None or dist.clusters.strata is None:
            n = np.minimum(n, np.nan_to_num(_independent_answers(dist), nan=np.inf))
    low, high = _tango(shares * n[:, None], confidence_level)
    estimates = _with_errors(dist, mean, found, **cuts, confidence_level=confidence_level)
    return replace(estimates, degrees=degrees, conf_low=low, conf_high=high)


def _independent_answers(dist: ScoreDistribution) -> Floats:
    """(sum w)^2 / sum w^2 over answers per group; NaN where weights are not known one by one."""
    if dist.weight_sums is None:
        return dist.n.astype(np.float64)
    if dist.squared_weight_sums is None:
        return np.full(len(dist.groups), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(dist.weight_sums.sum(axis=1) ** 2 / dist.squared_weight_sums.sum(axis=1))


def _linearize(
    dist: ScoreDistribution, *, promoter_min: int, detractor_max: int, effective: bool
) -> tuple[Floats, Linearization]:
    """Scores and their linearised covariances."""
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    classes = classify(dist.weights, **cuts)
    total = classes.sum(axis=1)
    clusters = dist.clusters
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = classes @ VALUES / total
        if clusters is None:
            squared = classes if dist.squared_weight_sums is None else classify(dist.squared_weight_sums, **cuts)
            spread = (squared * (VALUES - mean[:, None]) ** 2).sum(axis=1) / total**2
            return mean, of_answers(spread, _independent_answers(dist) if effective else dist.n.astype(np.float64))
        sums = classify(clusters.sums, **cuts)
        error = (sums * (VALUES - mean[clusters.group, None])).sum(axis=1) / total[clusters.group]
        share = sums.sum(axis=1) / total[clusters.group]
    return mean, of_clusters(clusters, error, share, len(mean), effective=effective)


def _with_errors(
    dist: ScoreDistribution,
    mean: Floats,
    found: Linearization,
    *,
    promoter_min: int,
    detractor_max: int,
    confidence_level: float,
) -> Estimates:
    """Standard errors; adjusted Wald for as many answers as clusters, where all answers are alike."""
    std_error, centre, covariance = np.sqrt(np.diag(found.covariance)), mean, found.covariance.copy()
    classes = classify(dist.weights, promoter_min=promoter_min, detractor_max=detractor_max)
    with np.errstate(invalid="ignore", divide="ignore"):
        least = adjusted_wald(
            classes / classes.sum(axis=1, keepdims=True) * found.n_clusters[:, None], confidence_level=confidence_level
        )
    alike = std_error < ZERO
    covariance[alike, alike] = least.std_error[alike] ** 2
    return Estimates(
        estimate=mean,
        std_error=np.where(alike, least.std_error, std_error),
        conf_low=least.conf_low,
        conf_high=least.conf_high,
        centre=np.where(alike, least.centre, centre),
        covariance=covariance,
        degrees=found.degrees,
    )


def _independent(
    mean: Floats, std_error: Floats, low: Floats, high: Floats, *, centre: Floats | None = None
) -> Estimates:
    return Estimates(
        centre=mean if centre is None else centre,
        estimate=mean,
        std_error=std_error,
        conf_low=low,
        conf_high=high,
        covariance=np.diag(std_error**2),
        degrees=np.full(len(mean), np.inf),
    )


def suitable_method(dist: ScoreDistribution) -> Method:
    """The method that suits how the answers were gathered, chosen by coverage: see ``calibration/``."""
    return "score" if dist.is_simple else "effective-score"


def suitable_difference_method(dist: ScoreDistribution) -> Method:
    """The method for differences of scores that suits how the answers were gathered."""
    return "adjusted-wald" if dist.is_simple else "effective-score"


def check_cuts(promoter_min: int, detractor_max: int) -> None:
    """Raise EstimationError unless 0 <= detractor_max < promoter_min <= 10."""
    if not 0 <= detractor_max < promoter_min <= 10:
        raise EstimationError(
            f"promoter_min = {promoter_min}, detractor_max = {detractor_max}: "
            "0 <= detractor_max < promoter_min <= 10 is needed."
        )


def check_level(confidence_level: float) -> None:
    """Raise EstimationError unless the level is between 0 and 1."""
    if not 0 < confidence_level < 1:
        raise EstimationError(f"confidence_level = {confidence_level}: a level between 0 and 1 is needed, e.g. 0.95.")


def estimate(
    dist: ScoreDistribution,
    *,
    promoter_min: int,
    detractor_max: int,
    method: Method,
    confidence_level: float,
    n_resamples: int = 10_000,
    rng: np.random.Generator | None = None,
) -> Estimates:
    """Scores and limits by one method, as arrays; see `net_promoter_score`."""
    check_cuts(promoter_min, detractor_max)
    check_level(confidence_level)
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    if method == "linearized":
        return linearized(dist, **cuts, confidence_level=confidence_level)
    if method == "effective-score":
        return effective_score(dist, **cuts, confidence_level=confidence_level)
    if method == "bootstrap":
        if dist.weight_sums is not None and dist.clusters is None:
            raise EstimationError(
                "method 'bootstrap' needs clusters where answers are weighted; take 'effective-score'."
            )
        if dist.clusters is not None and dist.clusters.strata is not None:
            raise EstimationError(
                "method 'bootstrap' draws clusters without regard to strata; take 'effective-score', or count with "
                "stratum=None."
            )
        generator = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
        return bootstrap(dist, **cuts, confidence_level=confidence_level, n_resamples=n_resamples, rng=generator)
    formulas = {"wald": wald, "adjusted-wald": adjusted_wald, "score": score_interval}
    if method not in formulas:
        allowed = ", ".join(METHOD_WORDS)
        raise EstimationError(f"method = {method!r} is not known; allowed: {allowed}.")
    if not dist.is_simple:
        raise EstimationError(
            f"method {method!r} takes answers as independent and equal, but these are weighted or clustered. "
            "Take 'effective-score', or count with cluster=None, weight=None."
        )
    return formulas[method](classify(dist.weights, **cuts), confidence_level=confidence_level)
