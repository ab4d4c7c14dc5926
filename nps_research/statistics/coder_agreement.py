"""How far coders agree."""

from __future__ import annotations

import numpy as np

from nps_research.typing import Floats, Integers


def krippendorff_alpha(given: Integers, coders: Integers, times: Floats | None = None) -> Floats:
    """Compute Krippendorff's alpha of a code that each unit has or not, for each way of counting the units.

    Parameters
    ----------
    given, coders : ndarray of int, shape (n_units,)
        How many coders gave the code, of how many who coded the unit; units of one coder do not count.
    times : ndarray, shape (n_ways, n_units), optional
        How often each unit counts; None is once.

    Returns
    -------
    ndarray, shape (n_ways,)
        1 is full agreement, 0 what chance makes; nan where nobody, or everybody, gave the code to all.

    References
    ----------
    Krippendorff, K. (2004). Reliability in content analysis. Human Communication Research 30, 411-433.
    doi:10.1111/j.1468-2958.2004.tb00738.x

    Examples
    --------
    >>> krippendorff_alpha(np.array([2, 0, 1, 0]), np.array([2, 2, 2, 2])).round(4).tolist()
    [0.5333]
    """
    both = coders > 1
    given, coders = given[both].astype(float), coders[both].astype(float)
    counted = np.ones((1, len(given))) if times is None else times[:, both]
    apart = counted @ (2 * given * (coders - given) / np.maximum(coders - 1, 1))
    n, ones = counted @ coders, counted @ given
    expected = 2 * ones * (n - ones) / np.maximum(n - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(expected > 0, 1 - apart / expected, np.nan))


def alpha_limits(
    given: Integers, coders: Integers, *, confidence_level: float, n_resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Compute percentile limits of Krippendorff's alpha over resampled units; nan where it has none."""
    both = coders > 1
    kinds, n = np.unique(np.stack([given[both], coders[both]]), axis=1, return_counts=True)
    if not n.sum():
        return np.nan, np.nan
    times = rng.multinomial(int(n.sum()), n / n.sum(), size=n_resamples).astype(float)
    drawn = krippendorff_alpha(kinds[0], kinds[1], times)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < n_resamples / 2:
        return np.nan, np.nan
    low, high = np.quantile(drawn, [0.5 - confidence_level / 2, 0.5 + confidence_level / 2])
    return float(low), float(high)
