"""Interval formulas for the Net Promoter Score of independent, equal answers, on arrays of counts; all in points.

`classes` holds, per group, detractors, passives and promoters, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.statistics.distributions import normal_sf
from nps_research.statistics.normal_limits import normal_quantile
from nps_research.typing import Floats

VALUES = np.array([-100.0, 0.0, 100.0])

ZERO = 1e-9  # a standard error below this many points is none
PSEUDO_COUNTS = np.array([0.75, 1.5, 0.75])


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


def mean_and_variance(classes: Floats) -> tuple[Floats, Floats]:
    """Score and its multinomial sampling variance per group, NaN without answers."""
    n = classes.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = classes / n[..., None]
        mean = shares @ VALUES
        variance = (shares @ VALUES**2 - mean**2) / n
    return mean, np.maximum(variance, 0.0)


def clipped(centre: Floats, half_width: Floats) -> tuple[Floats, Floats]:
    """Symmetric limits that do not leave -100 to 100."""
    return np.clip(centre - half_width, -100, 100), np.clip(centre + half_width, -100, 100)


def wald(classes: Floats, *, confidence_level: float) -> Estimates:
    """Estimate +- z standard errors; too narrow for small groups (kept for comparison)."""
    mean, variance = mean_and_variance(classes)
    std_error = np.sqrt(variance)
    low, high = clipped(mean, normal_quantile(confidence_level) * std_error)
    return independent(mean, std_error, low, high)


def adjusted_wald(classes: Floats, *, confidence_level: float) -> Estimates:
    """Wald limits around the score after adding 3/4, 3/2 and 3/4 pseudo-answers.

    Rocks, B. (2016). Interval estimation for the Net Promoter Score. The American Statistician 70(4),
    365-372. doi:10.1080/00031305.2016.1198279
    """
    mean, _ = mean_and_variance(classes)
    centre, variance = mean_and_variance(classes + PSEUDO_COUNTS)
    std_error = np.where(np.isnan(mean), np.nan, np.sqrt(variance))
    low, high = clipped(centre, normal_quantile(confidence_level) * std_error)
    return independent(mean, std_error, low, high, centre=centre)


def score_interval(classes: Floats, *, confidence_level: float) -> Estimates:
    """Tango's score interval: all scores that a score test would not reject.

    The variance is restricted to the score under test, solved in closed form; the limits are the
    roots of the test statistic at -z and z.

    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design. Statistics in Medicine 17(8), 891-908.
    """
    mean, variance = mean_and_variance(classes)
    low, high = tango_limits(classes, confidence_level)
    return independent(mean, np.sqrt(variance), low, high)


def tango_limits(classes: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Limits by halving the range until it is as narrow as a number can tell; NaN without answers."""
    n = classes.sum(axis=-1)
    z = normal_quantile(confidence_level)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (classes[..., 2] - classes[..., 0]) / n
    limits = []
    for below, above, threshold in ((np.full_like(n, -1), score, z), (score, np.ones_like(n), -z)):
        with np.errstate(invalid="ignore", divide="ignore"):
            for _ in range(60):
                middle = (below + above) / 2
                beyond = tango_statistic(classes, middle) > threshold
                below, above = np.where(beyond, middle, below), np.where(beyond, above, middle)
        limits.append(np.where(n > 0, 100 * (below + above) / 2, np.nan))
    return limits[0], limits[1]


def tango_statistic(classes: Floats, score: Floats) -> Floats:
    """How many standard errors, restricted to this score (-1 to 1), the observed one lies above it."""
    detractors, promoters, n = classes[..., 0], classes[..., 2], classes.sum(axis=-1)
    b = -promoters - detractors + (2 * n - promoters + detractors) * score
    c = -detractors * score * (1 - score)
    share = (np.sqrt(np.maximum(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = np.maximum(n * (2 * share + score * (1 - score)), 1e-300)
    return np.asarray((promoters - detractors - n * score) / np.sqrt(variance))


def mover_difference(first: Floats, second: Floats, *, confidence_level: float) -> tuple[Floats, Floats, Floats]:
    """Limits of the differences of two groups' scores, second - first, and p-values of none, all from score intervals.

    The lower limit is as far below the difference as the second group's lower limit and the first one's upper limit are
    from their scores together, the root of the sum of squares (method of variance estimates recovery). The p-value is
    one less the level at which a limit touches zero. There both groups' limits are equally far out for the score test,
    and together as far as the difference is large: one angle, found by halving, says what each takes of it.

    Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures: a general approach.
    Statistics in Medicine 27, 1693-1702. doi:10.1002/sim.3095
    """
    (mean_a, low_a, high_a), (mean_b, low_b, high_b) = (
        (mean_and_variance(classes)[0], *tango_limits(classes, confidence_level)) for classes in (first, second)
    )
    difference = mean_b - mean_a

    def distances(angle: Floats) -> tuple[Floats, Floats]:
        at_a, at_b = mean_a + difference * np.sin(angle), mean_b - difference * np.cos(angle)
        pairs = ((first, at_a), (second, at_b))
        of_a, of_b = (np.abs(tango_statistic(classes, np.clip(at / 100, -1, 1))) for classes, at in pairs)
        return of_a, of_b

    less, more = np.zeros_like(difference), np.full_like(difference, np.pi / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(60):
            middle = (less + more) / 2
            of_a, of_b = distances(middle)
            less, more = np.where(of_a < of_b, middle, less), np.where(of_a < of_b, more, middle)
        p_value = 2 * normal_sf(np.minimum(*distances((less + more) / 2)))
    low, high = (
        difference - np.hypot(mean_b - low_b, high_a - mean_a),
        difference + np.hypot(high_b - mean_b, mean_a - low_a),
    )
    return low, high, np.asarray(p_value)


def independent(
    mean: Floats, std_error: Floats, low: Floats, high: Floats, *, centre: Floats | None = None
) -> Estimates:
    """Estimates of groups that share no answers, their variances taken as known."""
    return Estimates(
        centre=mean if centre is None else centre,
        estimate=mean,
        std_error=std_error,
        conf_low=low,
        conf_high=high,
        covariance=np.diag(std_error**2),
        degrees=np.full(len(mean), np.inf),
    )
