"""Is one rate at most so many times another? Ratios of rates against a margin fixed beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.errors import EstimationError
from nps_research.statistics.distributions import normal_cdf, normal_isf, normal_sf
from nps_research.statistics.normal_limits import drawn_in
from nps_research.statistics.proportions import ratio_limits, ratio_statistic
from nps_research.typing import Flags, Floats

MARGIN = 1.5  # times another rate that count as no more than it


@dataclass(frozen=True, kw_only=True, eq=False)
class RateRatios:
    """Ratios of bad rates, a / b, with tests of a margin; arrays of one shape.

    Attributes
    ----------
    counts : ndarray, shape (4, ...)
        Effective events and numbers of a, then of b; drawn in for few clusters.
    p_not_worse : ndarray
        That a is at least `margin` times b: where it is small, a is not worse.
    p_not_better : ndarray
        That b is at least `margin` times a.
    is_told : ndarray of bool
        Whether there is anybody in both, and clusters enough to tell how unsure the ratio is.
    """

    counts: Floats
    p_not_worse: Floats
    p_not_better: Floats
    is_told: Flags

    @property
    def ratio(self) -> Floats:
        """Of the rates, a / b; infinite where b has no event."""
        events_a, n_a, events_b, n_b = self.counts
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((events_a / n_a) / (events_b / n_b))

    @property
    def p_alike(self) -> Floats:
        """That one is at least the margin times the other: the larger of two one-sided p."""
        return np.maximum(self.p_not_worse, self.p_not_better)

    def limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Koopman's limits of the ratio: at 1 - 2 alpha, what tests at the alpha of the comparison do not reject."""
        events_a, n_a, events_b, n_b = self.counts
        low, high = ratio_limits(events_a, n_a, events_b, n_b, confidence_level=confidence_level)
        return np.where(self.is_told, low, 0.0), np.where(self.is_told, high, np.inf)


def checked_margin(margin: float) -> float:
    """Return a margin that is a ratio above 1; EstimationError otherwise."""
    if not 1 < margin < np.inf:
        raise EstimationError(
            f"margin = {margin!r}: a ratio of rates above 1 is needed, such as {MARGIN}; no data show two to be equal."
        )
    return margin


def rate_ratios(
    events_a: Floats,
    n_a: Floats,
    events_b: Floats,
    n_b: Floats,
    *,
    margin: float,
    alpha: float,
    degrees: Floats | float = np.inf,
) -> RateRatios:
    """Compare two rates as a ratio, by Farrington & Manning's score test of a margin.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : ndarray
        Counts; of clusters, effective ones, by which the linearised logarithm of the ratio errs as it does.
    margin : float
        Ratio above 1 that counts as too large.
    alpha : float
        Level of each one-sided test.
    degrees : ndarray or float
        Of freedom, with which clusters tell how unsure the ratio is: t takes the place of the normal. Without any
        nothing is claimed.

    Examples
    --------
    >>> counts = np.array([[75.0], [1500.0], [75.0], [1500.0]])
    >>> found = rate_ratios(*counts, margin=1.5, alpha=0.05)
    >>> found.p_not_worse.round(3).tolist(), found.limits(0.9)[1].round(2).tolist()
    ([0.005], [1.3])
    >>> rate_ratios(*counts, margin=1.5, alpha=0.05, degrees=4).limits(0.9)[1].round(2).tolist()
    [1.4]
    """
    size = drawn_in(degrees, quantile=1 - alpha)
    events_a, n_a, events_b, n_b = (np.asarray(value, dtype=float) * size for value in (events_a, n_a, events_b, n_b))
    times_more, times_less = (
        ratio_statistic(events_a, n_a, events_b, n_b, np.asarray(value)) for value in (margin, 1 / margin)
    )
    is_told = (np.asarray(degrees) > 0) & (n_a > 0) & (n_b > 0)
    return RateRatios(
        counts=np.stack([events_a, n_a, events_b, n_b]),
        p_not_worse=np.where(is_told, normal_cdf(times_more), 1.0),
        p_not_better=np.where(is_told, normal_sf(times_less), 1.0),
        is_told=is_told,
    )


def events_to_decide(
    margin: float, *, alpha: float, there: float = 0.0, design_effect: float = 1.0, both_sides: bool = False
) -> int | None:
    """Compute the events each of two groups needs, for rare ones, to claim that equal rates are within a margin.

    From the standard error of a logarithm of a ratio of rates, the root of 1 / events + 1 / events: with so many the
    claim is made in 80%; where so many are `there`, with which it or a difference is always shown; None, where these
    are. `both_sides`: that neither is larger, rather than that one is not.

    Examples
    --------
    >>> events_to_decide(1.5, alpha=0.05), events_to_decide(1.5, alpha=0.05, both_sides=True)
    (75, 104)
    """
    claimed = normal_isf(alpha)
    for further in (normal_isf(0.1 if both_sides else 0.2), claimed):
        needed = 2 * float((claimed + further) / np.log(margin)) ** 2
        if there < needed:
            return int(np.round(needed * max(design_effect, 1.0)))
    return None
