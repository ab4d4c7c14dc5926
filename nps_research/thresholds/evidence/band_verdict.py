"""What may be said of the loyalty of one band of scores beside another's: the rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from nps_research.statistics.normal_limits import normal_quantile
from nps_research.statistics.proportions import difference_statistic
from nps_research.statistics.rate_ratios import RateRatios
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.typing import Flags, Floats

BandWord = Literal["equivalent", "not-worse", "worse-within-margin", "worse", "better", "cannot-tell"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BandCounts:
    """Bad outcomes and answers of a band and of its reference, a column a data set.

    Attributes
    ----------
    of_difference, of_ratio : ndarray, shape (4, n_data_sets)
        Bad outcomes and answers of the band, then of the reference; divided by the design effect of the difference of
        the rates, and by that of the logarithm of their ratio.
    degrees : ndarray, shape (n_data_sets,)
        Of freedom: the smaller effective number of clusters, less one; infinite where answers are independent.
    """

    of_difference: Floats
    of_ratio: Floats
    degrees: Floats

    @classmethod
    def of(cls, sample: Sample, band: Flags, reference: Flags) -> Self:
        """The counts of one data set, from flags of the scores of each band."""
        counts = np.array([part[side].sum() for side in (band, reference) for part in (sample.events, sample.n)])
        difference, ratio = (sample.design_effect(band, reference, of_ratio=of_ratio) for of_ratio in (False, True))
        return cls(
            of_difference=counts[:, None] / difference,
            of_ratio=counts[:, None] / ratio,
            degrees=np.array([min(sample.effective_clusters(side) for side in (band, reference)) - 1]),
        )

    @classmethod
    def stacked(cls, parts: Sequence[Self]) -> Self:
        """Those of several data sets."""
        difference, ratio = (
            np.hstack([getattr(part, name) for part in parts]) for name in ("of_difference", "of_ratio")
        )
        return cls(of_difference=difference, of_ratio=ratio, degrees=np.concatenate([part.degrees for part in parts]))


def band_verdicts(counts: BandCounts, ratios: RateRatios, *, alpha: float) -> NDArray[np.object_]:
    """Choose the word for each data set, from the difference of its rates and the ratio's tests of the margin.

    Worse and better are claims of the difference, as loyal one of the ratio: what is not significant is not alike, and
    what differs by more than chance is not alike either. Without bad outcomes in the reference nothing is claimed: one
    in a small band would be worse than none in a large one.
    """
    events, n, reference_events, reference_n = counts.of_difference
    apart = difference_statistic(events, n, reference_events, reference_n, np.zeros(1))
    reach = normal_quantile(1 - 2 * alpha)
    is_not_worse = ratios.p_not_worse < alpha
    rules: list[tuple[Flags, BandWord]] = [
        (counts.of_ratio[2] == 0, "cannot-tell"),
        ((apart > reach) & is_not_worse, "worse-within-margin"),
        (apart > reach, "worse"),
        (apart < -reach, "better"),
        (ratios.p_alike < alpha, "equivalent"),
        (is_not_worse, "not-worse"),
    ]
    holds, words = zip(*rules, strict=True)
    return np.select(holds, np.array(words, dtype=object)[:, None], "cannot-tell")
