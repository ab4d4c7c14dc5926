"""Interval formulas for the Net Promoter Score, on arrays of counts; everything in points.

`classes` holds, per group, detractors, passives and promoters, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, stats

from nps_research.errors import EstimationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nps_research.distribution import ScoreDistribution

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
    "suitable_difference_method",
    "suitable_method",
]

VALUES = np.array([-100.0, 0.0, 100.0])

ZERO = 1e-9  # a standard error below this many points is none
PSEUDO_COUNTS = np.array([0.75, 1.5, 0.75])


Method = Literal["adjusted-wald", "score", "wald", "bootstrap", "linearized"]
METHOD_WORDS = {
    "adjusted-wald": "adjusted Wald",
    "score": "score interval (Tango)",
    "wald": "Wald",
    "bootstrap": "bootstrap percentile",
    "linearized": "linearised ratio estimate, t limits",
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
    n = classes.sum(axis=-1)
    z = stats.norm.ppf(0.5 + confidence_level / 2)
    low, high = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for row, (detractors, _, promoters) in enumerate(classes):
        if n[row] > 0:
            low[row], high[row] = _tango(promoters, detractors, n[row], z)
    return _independent(mean, np.sqrt(variance), low, high)


def _tango(promoters: float, detractors: float, n: float, z: float) -> tuple[float, float]:
    difference = (promoters - detractors) / n

    def statistic(delta: float) -> float:
        b = -promoters - detractors + (2 * n - promoters + detractors) * delta
        c = -detractors * delta * (1 - delta)
        share = (np.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = max(n * (2 * share + delta * (1 - delta)), 1e-300)
        return float((promoters - detractors - n * delta) / np.sqrt(variance))

    edge = 1e-12
    low = -1.0 if detractors == n else optimize.brentq(lambda d: statistic(d) - z, -1 + edge, difference, xtol=1e-14)
    high = 1.0 if promoters == n else optimize.brentq(lambda d: statistic(d) + z, difference, 1 - edge, xtol=1e-14)
    return 100 * low, 100 * high


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
            drawn = stream.multinomial(int(n), of_group / n, size=n_resamples) @ VALUES / n
        else:
            continue
        std_error[row], (low[row], high[row]) = drawn.std(ddof=1), np.quantile(drawn, tails)
    return _independent(mean, std_error, low, high)


def _resampled_clusters(sums: Floats, n_resamples: int, rng: np.random.Generator) -> Floats:
    m = len(sums)
    parts = []
    for start in range(0, n_resamples, 500):  # a block of draws at a time bounds the memory
        times = rng.multinomial(m, np.full(m, 1 / m), size=min(500, n_resamples - start))
        drawn = times @ sums
        parts.append(drawn @ VALUES / drawn.sum(axis=1))
    return np.concatenate(parts)


def linearized(dist: ScoreDistribution, *, promoter_min: int, detractor_max: int, confidence_level: float) -> Estimates:
    """Ratio estimates with Taylor-linearised standard errors, t limits.

    The score is sum(w y) / sum(w). A cluster's share in its error is z = sum w (y - score) / sum(w); the
    variance is m / (m - 1) sum z^2 over the m clusters of the group, with m - 1 degrees of freedom.
    Without clusters every answer is one. Clusters that occur in two groups make their scores covary.
    Strata are not used. With few clusters, of very unequal size and skewed answers, the limits are too
    narrow.
    Where all answers fall in one class the errors vanish; error and limits are then those of adjusted
    Wald for m answers, the least that m clusters could tell.

    References
    ----------
    Woodruff, R. S. (1971). A simple method for approximating the variance of a complicated estimate.
    Journal of the American Statistical Association 66, 411-414. doi:10.1080/01621459.1971.10482279
    """
    cuts = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    classes = classify(dist.weights, **cuts)
    total = classes.sum(axis=1)
    clusters = dist.clusters
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = classes @ VALUES / total
        if clusters is None:
            m = dist.n.astype(float)
            squared = classes if dist.squared_weight_sums is None else classify(dist.squared_weight_sums, **cuts)
            spread = (squared * (VALUES - mean[:, None]) ** 2).sum(axis=1) / total**2
            covariance = np.diag(spread * m / (m - 1))
        else:
            group, code = clusters.group, clusters.code
            m = np.bincount(group, minlength=len(mean)).astype(float)
            error = (classify(clusters.sums, **cuts) * (VALUES - mean[group, None])).sum(axis=1) / total[group]
            errors = np.zeros((int(code.max(initial=-1)) + 1, len(mean)))
            errors[code, group] = error * np.sqrt(m / (m - 1))[group]
            covariance = errors.T @ errors
    lone = m < 2
    covariance[lone, :] = covariance[:, lone] = np.nan  # one cluster says nothing of how clusters differ
    std_error = np.sqrt(np.diag(covariance))
    degrees = np.where(lone, np.nan, m - 1)
    half_width = stats.t.ppf(0.5 + confidence_level / 2, degrees) * std_error
    low, high = _limits(mean, half_width)
    centre = mean
    alike = std_error < ZERO
    if alike.any():
        least = adjusted_wald(classes / total[:, None] * m[:, None], confidence_level=confidence_level)
        centre, std_error = np.where(alike, least.centre, mean), np.where(alike, least.std_error, std_error)
        low, high = np.where(alike, least.conf_low, low), np.where(alike, least.conf_high, high)
        covariance[alike, alike] = least.std_error[alike] ** 2
    return Estimates(
        estimate=mean,
        std_error=std_error,
        conf_low=low,
        conf_high=high,
        centre=centre,
        covariance=covariance,
        degrees=degrees,
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
    """The method that suits how the answers were gathered."""
    return "score" if dist.is_simple else "linearized"


def suitable_difference_method(dist: ScoreDistribution) -> Method:
    """The method for differences of scores that suits how the answers were gathered."""
    return "adjusted-wald" if dist.is_simple else "linearized"


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
    if method == "bootstrap":
        if dist.weight_sums is not None and dist.clusters is None:
            raise EstimationError("method 'bootstrap' needs clusters where answers are weighted; take 'linearized'.")
        generator = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
        return bootstrap(dist, **cuts, confidence_level=confidence_level, n_resamples=n_resamples, rng=generator)
    formulas = {"wald": wald, "adjusted-wald": adjusted_wald, "score": score_interval}
    if method not in formulas:
        allowed = ", ".join(METHOD_WORDS)
        raise EstimationError(f"method = {method!r} is not known; allowed: {allowed}.")
    if not dist.is_simple:
        raise EstimationError(
            f"method {method!r} takes answers as independent and equal, but these are weighted or clustered. "
            "Take 'linearized', or count with cluster=None, weight=None."
        )
    return formulas[method](classify(dist.weights, **cuts), confidence_level=confidence_level)
