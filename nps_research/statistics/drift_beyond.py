"""A change held against changes of what was left alone, which drift apart by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.enough import FOUND_WITH
from nps_research.typing import Floats


@dataclass(frozen=True, kw_only=True)
class BeyondDrift:
    """A change beyond the mean change of controls.

    Attributes
    ----------
    estimate, std_error, conf_low, conf_high, p_value : float
        The difference, in the unit of the changes.
    mean : float
        Mean change of the controls.
    between : float
        Standard deviation of their changes beyond sampling.
    smallest : float
        The smallest difference that would have been found in four of five cases.
    room : float
        Sampling variance of the change with which `relevant` would be found in four of five cases; negative if none.
    """

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    p_value: float
    mean: float
    between: float
    smallest: float
    room: float


def beyond_drift(
    change: float, variance: float, controls: Floats, of_controls: Floats, *, relevant: float, confidence_level: float
) -> BeyondDrift:
    """Compare one change with those of controls: limits are those of one more draw from how controls drift.

    Controls have a mean change and a variance between them beyond sampling; what was changed would without it be
    another draw. t has the controls less two degrees of freedom.

    Parameters
    ----------
    change, variance : float
        With its sampling variance.
    controls, of_controls : ndarray, shape (k,)
        Changes of the controls, and their sampling variances; k at least three.
    relevant : float
        A difference that matters.
    confidence_level : float

    References
    ----------
    Higgins, J. P. T., Thompson, S. G. & Spiegelhalter, D. J. (2009). A re-evaluation of random-effects meta-analysis.
    Journal of the Royal Statistical Society A 172, 137-159. doi:10.1111/j.1467-985X.2008.00552.x

    Examples
    --------
    >>> found = beyond_drift(-1.0, 0.01, np.zeros(9), np.full(9, 0.01), relevant=0.7, confidence_level=0.95)
    >>> round(found.estimate, 3), round(found.conf_low, 3), round(found.conf_high, 3)
    (-1.0, -1.249, -0.751)
    """
    mean, of_mean, between = drift_between(controls, of_controls)
    estimate, error, degrees = change - mean, float(np.sqrt(variance + of_mean + between)), len(controls) - 2
    quantile, of_power = float(t_ppf(0.5 + confidence_level / 2, degrees)), float(t_ppf(FOUND_WITH, degrees))
    return BeyondDrift(
        estimate=estimate,
        std_error=error,
        conf_low=estimate - quantile * error,
        conf_high=estimate + quantile * error,
        p_value=float(2 * t_sf(abs(estimate) / error, degrees)),
        mean=mean,
        between=float(np.sqrt(between)),
        smallest=(quantile + of_power) * error,
        room=(relevant / (quantile + of_power)) ** 2 - of_mean - between,
    )


def drift_between(change: Floats, variance: Floats) -> tuple[float, float, float]:
    """Compute mean, its variance, and the variance between draws beyond sampling (DerSimonian & Laird 1986).

    Examples
    --------
    >>> drift_between(np.array([0.0, 1.0, 2.0]), np.full(3, 0.1))
    (1.0, 0.3333333333333333, 0.9)
    """
    weight = 1 / variance
    fixed = weight @ change / weight.sum()
    spread = weight @ (change - fixed) ** 2 - (len(change) - 1)
    between = max(0.0, float(spread / (weight.sum() - (weight**2).sum() / weight.sum())))
    weight = 1 / (variance + between)
    return float(weight @ change / weight.sum()), float(1 / weight.sum()), round(between, 15)
