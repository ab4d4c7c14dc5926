"""Limits of rates, from counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["wilson_limits"]


def wilson_limits(events: Integers, n: Integers, *, confidence_level: float) -> tuple[Floats, Floats]:
    """Wilson's score limits of rates, 0 to 1; NaN where there is nobody.

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
    z = stats.norm.ppf(0.5 + confidence_level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = events / n
        centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half_width = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # At no events and at all events a limit is the rate itself: not a last bit beside it.
    low = np.where(events == 0, rate, centre - half_width)
    return low, np.where(events == n, rate, centre + half_width)
