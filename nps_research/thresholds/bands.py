"""As loyal as the promoters? The equivalence of two bands of scores, with a margin fixed beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from scipy import stats

from nps_research.counting.checks import check_level
from nps_research.counting.given import as_outcome
from nps_research.counting.outcome_by_score import Direction, OutcomeByScore
from nps_research.counting.score_bands import band_text
from nps_research.counting.score_distribution import N_SCORES
from nps_research.errors import EstimationError
from nps_research.results.words import format_interval, format_value, p_text, quoted, share
from nps_research.statistics.proportions import difference_limits, difference_statistic
from nps_research.study.study import Study
from nps_research.thresholds.comparison import ThresholdComparison
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.of_outcome import OfOutcome

BandVerdict = Literal["equivalent", "worse", "better", "cannot-tell"]

FEWEST_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BandComparison(OfOutcome):
    """Rates of an outcome in two bands of scores, and whether they are equivalent.

    `frame` columns, one row: term (which bands), n, events, rate; reference_n, reference_events, reference_rate;
    estimate (rate less reference_rate), std_error, conf_low, conf_high (at `confidence_level`, which is 1 - 2 alpha of
    the two one-sided tests), p_value (the larger of the two).

    Attributes
    ----------
    verdict : str
        ``"equivalent"`` (limits within the margin), else ``"worse"`` or ``"better"`` (limits on one side of 0), else
        ``"cannot-tell"``. Worse is more of a bad, less of a good outcome.
    exploratory : bool
        Whether the band was read off the same data: then the test is too sure of itself.
    """

    verdict: BandVerdict
    margin: float
    band: tuple[int, int]
    reference: tuple[int, int]
    exploratory: bool = False
    direction: Direction = "bad"
    n_clusters: int | None = None
    may_show: bool = True

    kind: ClassVar[str] = "band_comparison"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Bands",
        "reference_n": "Answers, reference",
        "reference_events": "Outcomes, reference",
        "reference_rate": "Rate, reference",
        "estimate": "Difference",
        "p_value": "p of equivalence",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "rate": "share",
        "reference_rate": "share",
        "estimate": "share_points",
        "reference_n": "count",
        "reference_events": "count",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "n",
        "rate",
        "reference_n",
        "reference_rate",
        "estimate",
        "conf_high",
        "p_value",
    )

    @property
    def shown(self) -> pd.DataFrame:
        return self.frame if self.may_show else self.frame.iloc[:0]

    @property
    def settings(self) -> dict[str, Any]:
        kept = super().settings
        return kept if self.may_show else {name: value for name, value in kept.items() if name != "verdict"}

    @property
    def full_note(self) -> str:
        return self.note if self.may_show else ""

    @property
    def finding(self) -> str:
        band, reference = band_text(*self.band), band_text(*self.reference)
        if not self.may_show:
            return f"{band} against {reference}: too few answers in or beside these bands to show their outcomes."
        row = self.frame.iloc[0]
        margin = f"{100 * self.margin:g} percentage points"
        seen = (
            f"{quoted(self.outcome)} applies to {share(row['rate'])} of them and "
            f"{share(row['reference_rate'])} of those "
            f"({self.confidence_level:.0%} interval of the difference "
            f"{format_interval(row['conf_low'], row['conf_high'], 'share_points')})."
        )
        one, other = f"Customers who answered {band}", f"those who answered {reference}"
        says = {
            "equivalent": f"{one} are as loyal as {other}, within {margin}",
            "worse": f"{one} are less loyal than {other}",
            "better": f"{one} are more loyal than {other}",
            "cannot-tell": f"{one} may or may not be as loyal as {other}, within {margin}: the data cannot tell",
        }[self.verdict]
        parts = [f"{says}.", seen]
        rare = min(row["reference_rate"], 1 - row["reference_rate"])
        if self.verdict == "equivalent" and self.margin >= rare:
            parts.append(
                f"The margin is as large as the reference's rate of the rarer outcome ({share(rare)}): even twice that "
                "would count as alike."
            )
        if self.exploratory:
            parts.append("Exploratory: the band was read off the same data; only new data can confirm it.")
        return self.said(*parts)

    @property
    def note(self) -> str:
        row = self.frame.iloc[0]
        how = "" if self.n_clusters is None else f", at the effective answers of {self.n_clusters:,} clusters"
        margin = format_value(self.margin, "share_points").lstrip("+")
        return (
            f"Two one-sided tests against a margin of {margin} either way "
            f"({p_text(row['p_value'])}); Miettinen-Nurminen limits{how}. Not different is not the same as equal."
        )

    @property
    def alt(self) -> str:
        if not self.may_show:
            return "Not shown."
        row = self.frame.iloc[0]
        limits = format_interval(row["conf_low"], row["conf_high"], "share_points")
        return (
            f"Difference of rates, {row['term']}: {format_value(row['estimate'], 'share_points')} ({limits}), "
            f"beside the margin of {format_value(self.margin, 'share_points').lstrip('+')} either way."
        )


def compare_bands(
    outcome: OutcomeByScore | Study,
    *,
    band: tuple[int, int] | ThresholdComparison | None = None,
    reference: tuple[int, int] | None = None,
    margin: float = 0.05,
    alpha: float = 0.05,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
) -> BandComparison:
    """Test whether customers of two bands of scores are equally loyal: equivalence by two one-sided tests.

    The estimand is the difference of the two rates of the outcome. Equivalence is claimed where the limits at
    1 - 2 `alpha` lie within the margin, which has to be fixed before the data are seen. Answers are independent, or
    alike within clusters: then counts are divided by the design effect of the difference.

    Parameters
    ----------
    outcome : OutcomeByScore or Study
        One group's outcomes by score; of a Study churn is counted, or its only yes/no outcome.
    band, reference : (int, int), optional
        Lowest and highest score of each, both in it. None takes promoters as the reference, and as the band what lies
        between them and the study's line, or 3 where that is lower. A `ThresholdComparison` as `band` takes what lies
        between its best line and the reference; such a band is read off the data, and the result says that it is
        exploratory.
    margin : float
        Largest difference of rates (0 to 1) that counts as none.
    alpha : float
        Error rate of each test.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.

    Returns
    -------
    BandComparison

    Raises
    ------
    EstimationError
        If a band is empty or impossible, the bands overlap, the margin is not between 0 and 1, or clusters are few.

    References
    ----------
    Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure and the power approach. Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680. doi:10.1007/BF01068419

    Examples
    --------
    >>> from nps_research.counting.outcome_by_score import OutcomeByScore
    >>> n = [20, 10, 20, 50, 100, 200, 300, 600, 1200, 1000, 1500]
    >>> outcome = OutcomeByScore.from_counts(n, [4, 2, 4, 10, 5, 10, 15, 30, 60, 50, 75])
    >>> compare_bands(outcome).verdict
    'equivalent'
    """
    check_level(1 - 2 * alpha)
    outcome = as_outcome(outcome, promoter_min=promoter_min, detractor_max=detractor_max)
    reference = (outcome.promoter_min, N_SCORES - 1) if reference is None else reference
    if not 0 < margin < 1:
        raise EstimationError(
            f"margin = {margin!r}: a difference of rates between 0 and 1 is needed; no data show that two are equal."
        )
    if band is None:
        band = (min(outcome.lines_compared) + 1, outcome.promoter_min - 1)
    exploratory = isinstance(band, ThresholdComparison)
    if isinstance(band, ThresholdComparison):
        if band.best_cut is None:
            raise EstimationError("band: this comparison found no line to read a band off.")
        band = (band.best_cut + 1, max(band.best_cut + 1, reference[0] - 1))
    for name, (low, high) in (("band", band), ("reference", reference)):
        if not (0 <= low <= high < N_SCORES):
            raise EstimationError(f"{name} = {(low, high)}: two scores of 0 to 10 are needed, the lower first.")
    if max(band[0], reference[0]) <= min(band[1], reference[1]):
        raise EstimationError(f"band {band} and reference {reference} overlap.")
    sample, scores = Sample.of_group(outcome), np.arange(N_SCORES)
    members = [(scores >= low) & (scores <= high) for low, high in (band, reference)]
    for (low, high), member in zip((band, reference), members, strict=True):
        if sample.n[member].sum() == 0:
            raise EstimationError(f"Nobody with a known outcome answered {band_text(low, high)}.")
    if sample.n_clusters < FEWEST_CLUSTERS:
        raise EstimationError(
            f"{sample.n_clusters} independent answers or clusters are too few: {FEWEST_CLUSTERS} are needed."
        )
    deff = sample.design_effect(*members)
    events, n, reference_events, reference_n = (
        int(values[0][member].sum()) for member in members for values in (outcome.events, outcome.n)
    )
    numbers = np.array([events, n, reference_events, reference_n]) / deff
    effective = numbers[0:1], numbers[1:2], numbers[2:3], numbers[3:4]
    limits = difference_limits(*effective, confidence_level=1 - 2 * alpha)
    conf_low, conf_high = float(limits[0][0]), float(limits[1][0])
    above = stats.norm.sf(difference_statistic(*effective, difference=np.array([-margin]))[0])
    below = stats.norm.cdf(difference_statistic(*effective, difference=np.array([margin]))[0])
    rate, other = events / n, reference_events / reference_n
    std_error = np.sqrt(deff * (rate * (1 - rate) / n + other * (1 - other) / reference_n))
    return BandComparison(
        frame=pd.DataFrame(
            {
                "term": [f"{band_text(*band)} against {band_text(*reference)}"],
                "n": [n],
                "events": [events],
                "rate": [rate],
                "reference_n": [reference_n],
                "reference_events": [reference_events],
                "reference_rate": [other],
                "estimate": [rate - other],
                "std_error": [std_error],
                "conf_low": [conf_low],
                "conf_high": [conf_high],
                "p_value": [max(float(above), float(below))],
            }
        ),
        confidence_level=1 - 2 * alpha,
        title=f"{band_text(*band)} against {band_text(*reference)}, by {quoted(outcome.outcome)}",
        verdict=_band_verdict(conf_low, conf_high, margin, is_good=outcome.direction == "good"),
        margin=margin,
        band=band,
        reference=reference,
        exploratory=exploratory,
        outcome=outcome.outcome,
        direction=outcome.direction,
        dated=outcome.dated,
        n_clusters=None if outcome.clusters is None else sample.n_clusters,
        may_show=_may_show(outcome, band, reference),
    )


def _band_verdict(low: float, high: float, margin: float, *, is_good: bool) -> BandVerdict:
    if -margin < low and high < margin:
        return "equivalent"
    if low > 0:
        return "better" if is_good else "worse"
    if high < 0:
        return "worse" if is_good else "better"
    return "cannot-tell"


def _may_show(outcome: OutcomeByScore, band: tuple[int, int], reference: tuple[int, int]) -> bool:
    """Whether both ends of both bands are among the lines that pages show for this outcome."""
    lines = {edge for low, high in (band, reference) for edge in (low - 1, high)} - {-1, N_SCORES - 1}
    return lines <= set(outcome.cuts_shown)
