"""Limits of rates, from counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nps_research.statistics.normal_limits import normal_quantile
from nps_research.typing import Floats, Integers


def wilson_limits(events: Floats | Integers, n: Floats | Integers, *, confidence_level: float) -> tuple[Floats, Floats]:
    """Compute Wilson's score limits of rates, 0 to 1; NaN where there is nobody.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association 22, 209-212. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> low, high = wilson_limits(np.array([2]), np.array([20]), confidence_level=0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.028], [0.301])
    """
    z = normal_quantile(confidence_level)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = events / n
        centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(rate * (1 - rate) / n + (z / (2 * n)) ** 2) / (1 + z**2 / n)
        low, high = centre - half, centre + half
    # At no events and at all events a limit is the rate itself: not a last bit beside it.
    return np.where(events == 0, rate, low), np.where(events == n, rate, high)


def difference_limits(
    events_a: Floats, n_a: Floats, events_b: Floats, n_b: Floats, *, confidence_level: float
) -> tuple[Floats, Floats]:
    """Compute Miettinen & Nurminen's score limits of a difference of rates, a - b; NaN where there is nobody.

    The limits are the differences that their test does not reject: z = (a - b - d) / s(d), where s(d) rests on the
    rates of highest likelihood among those that differ by d.

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Statistics in Medicine 4, 213-226.
    doi:10.1002/sim.4780040211

    Examples
    --------
    >>> low, high = difference_limits(*np.array([56.0, 70, 48, 80])[:, None], confidence_level=0.95)
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([0.05283], [0.338173])
    """
    events_a, n_a, events_b, n_b = (np.asarray(value, dtype=float) for value in (events_a, n_a, events_b, n_b))
    return _limits(
        lambda difference: difference_statistic(events_a, n_a, events_b, n_b, difference),
        lowest=-1.0,
        middle=_rate(events_a, n_a) - _rate(events_b, n_b),
        highest=1.0,
        confidence_level=confidence_level,
    )


def difference_statistic(events_a: Floats, n_a: Floats, events_b: Floats, n_b: Floats, difference: Floats) -> Floats:
    """Compute Miettinen & Nurminen's z of the observed difference of rates, a - b, against a supposed one.

    References
    ----------
    Miettinen & Nurminen (1985), appendix I: the closed form of the restricted rates.
    """
    n = n_a + n_b
    with np.errstate(invalid="ignore", divide="ignore"):
        third = n
        second = (n_a + 2 * n_b) * difference - n - (events_a + events_b)
        first = (n_b * difference - n - 2 * events_b) * difference + events_a + events_b
        constant = events_b * difference * (1 - difference)
        q = (second / (3 * third)) ** 3 - second * first / (6 * third**2) + constant / (2 * third)
        root = np.sign(q) * np.sqrt(np.maximum((second / (3 * third)) ** 2 - first / (3 * third), 0.0))
        angle = np.arccos(np.clip(np.where(root == 0, 1.0, q / root**3), -1.0, 1.0))
        rate_b = np.clip(2 * root * np.cos((np.pi + angle) / 3) - second / (3 * third), 0.0, 1.0)
        rate_a = np.clip(rate_b + difference, 0.0, 1.0)
        variance = (rate_a * (1 - rate_a) / n_a + rate_b * (1 - rate_b) / n_b) * n / (n - 1)
        gap = events_a / n_a - events_b / n_b - difference
        return np.asarray(np.where(np.abs(gap) < 1e-12, 0.0, gap / np.sqrt(np.maximum(variance, 1e-300))))


def ratio_limits(
    events_a: Floats, n_a: Floats, events_b: Floats, n_b: Floats, *, confidence_level: float
) -> tuple[Floats, Floats]:
    """Compute Koopman's score limits of a ratio of two rates, a / b; infinite above where b has no event.

    References
    ----------
    Koopman, P. A. R. (1984). Confidence intervals for the ratio of two binomial proportions. Biometrics 40, 513-517.
    doi:10.2307/2531405

    Examples
    --------
    >>> low, high = ratio_limits(*np.array([56.0, 70, 48, 80])[:, None], confidence_level=0.95)
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([1.079822], [1.670806])
    """
    events_a, n_a, events_b, n_b = (np.asarray(value, dtype=float) for value in (events_a, n_a, events_b, n_b))
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.log(_rate(events_a, n_a)) - np.log(_rate(events_b, n_b))
    low, high = _limits(
        lambda log_ratio: ratio_statistic(events_a, n_a, events_b, n_b, np.exp(log_ratio)),
        lowest=-20.0,
        middle=middle,
        highest=20.0,
        confidence_level=confidence_level,
    )
    low, high = np.where(low <= -20.0 + 1e-6, 0.0, np.exp(low)), np.where(high >= 20.0 - 1e-6, np.inf, np.exp(high))
    nothing = (events_a == 0) & (events_b == 0)
    return np.where(nothing, 0.0, low), np.where(nothing, np.inf, high)


def ratio_statistic(events_a: Floats, n_a: Floats, events_b: Floats, n_b: Floats, ratio: Floats) -> Floats:
    """Compute Farrington & Manning's z of the observed rate of a against a supposed multiple of that of b.

    z = (a - r b) / s(r), where s(r) rests on the rates of highest likelihood among those of which one is r times the
    other; Koopman's limits are the ratios that this test does not reject.

    References
    ----------
    Farrington, C. P. & Manning, G. (1990). Test statistics and sample size formulae for comparative binomial trials
    with null hypothesis of non-zero risk difference or non-unity relative risk. Statistics in Medicine 9, 1447-1454.
    doi:10.1002/sim.4780091208

    Examples
    --------
    >>> ratio_statistic(*np.array([56.0, 70, 48, 80])[:, None], np.array([1.5])).round(4).tolist()
    [-1.0514]
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        a = (n_a + n_b) * ratio
        b = n_a * ratio + events_a + n_b + events_b * ratio
        rate_b = np.clip((b - np.sqrt(np.maximum(b**2 - 4 * a * (events_a + events_b), 0.0))) / (2 * a), 0.0, 1.0)
        rate_a = np.clip(rate_b * ratio, 0.0, 1.0)
        gap = events_a / n_a - ratio * events_b / n_b
        variance = rate_a * (1 - rate_a) / n_a + ratio**2 * rate_b * (1 - rate_b) / n_b
        return np.asarray(np.where(np.abs(gap) < 1e-12, 0.0, gap / np.sqrt(np.maximum(variance, 1e-300))))


def _rate(events: Floats, n: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(events / n)


def _limits(
    statistic: Callable[[Floats], Floats], *, lowest: float, middle: Floats, highest: float, confidence_level: float
) -> tuple[Floats, Floats]:
    """Where a statistic that falls with the supposed value passes the normal quantiles, by bisection."""
    z = normal_quantile(confidence_level)
    known = ~np.isnan(middle)
    inner = np.clip(np.where(known, middle, 0.0), lowest, highest)
    level = np.array([z, -z]).reshape(2, *[1] * middle.ndim)
    low, high = np.stack([np.full(middle.shape, lowest), inner]), np.stack([inner, np.full(middle.shape, highest)])
    for _ in range(70):
        centre = (low + high) / 2
        is_above = statistic(centre) > level
        low, high = np.where(is_above, centre, low), np.where(is_above, high, centre)
    found = np.where(known, (low + high) / 2, np.nan)
    return found[0], found[1]
