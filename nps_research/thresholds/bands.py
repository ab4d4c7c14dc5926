"""As loyal as the promoters? Two bands of scores against each other, with a margin fixed beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.given import as_outcome
from nps_research.counting.outcome_by_score import Direction, OutcomeByScore
from nps_research.counting.score_bands import band_text
from nps_research.errors import EstimationError
from nps_research.results.words import format_interval, format_value, p_text, quoted, share
from nps_research.statistics.proportions import difference_limits
from nps_research.statistics.rate_ratios import MARGIN, checked_margin, events_to_decide, rate_ratios
from nps_research.study.study import Study
from nps_research.thresholds.comparison import ThresholdComparison
from nps_research.thresholds.evidence.band_verdict import BandCounts, BandWord, band_verdicts
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.of_outcome import OfOutcome, within_text

FEWEST_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BandComparison(OfOutcome):
    """Rates of an outcome in two bands of scores, and whether the one is as loyal as the other.

    `frame` columns, one row: term (which bands), n, events, rate; reference_n, reference_events, reference_rate;
    estimate (difference of the rates), std_error, conf_low, conf_high (at `confidence_level`, which is 1 - 2 alpha of
    one-sided tests); ratio (rate over reference_rate, of the bad side of the outcome), ratio_conf_low, ratio_conf_high;
    p_value (of the claim to be as loyal: that the ratio is `margin` or more); p_alike (the larger of this and of its
    mirror image). Difference and ratio are those within strata, where there are any.

    Attributes
    ----------
    verdict : str
        ``"cannot-tell"`` without bad outcomes in the reference. ``"worse"`` or ``"better"``: the limits of the
        difference leave out 0; ``"worse-within-margin"`` where the ratio is below the margin none the less. Else
        ``"equivalent"``: the ratio is below the margin and above one over it; ``"not-worse"``: it is below the margin;
        ``"cannot-tell"``. Worse is more of a bad, less of a good outcome.
    margin : float
        Times the reference's rate of the bad side that no longer count as loyal as it.
    decides_at : int or None
        Where nothing can be told, bad outcomes in each band that would do.
    exploratory : bool
        Whether the band was read off the same data: then the test is too sure of itself.
    """

    verdict: BandWord
    margin: float
    band: tuple[int, int]
    reference: tuple[int, int]
    decides_at: int | None = None
    exploratory: bool = False
    direction: Direction = "bad"
    n_clusters: int | None = None
    strata: tuple[str, ...] = ()
    may_show: bool = True

    kind: ClassVar[str] = "band_comparison"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Bands",
        "reference_n": "Answers, reference",
        "reference_events": "Outcomes, reference",
        "reference_rate": "Rate, reference",
        "estimate": "Difference",
        "ratio": "Bad outcomes, times the reference's",
        "p_value": "p, not worse",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "rate": "share",
        "reference_rate": "share",
        "estimate": "share_points",
        "ratio": "number",
        "reference_n": "count",
        "reference_events": "count",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "n", "rate", "reference_n", "reference_rate"),
        *("estimate", "conf_high", "ratio", "ratio_conf_high", "p_value"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame if self.may_show else self.frame.iloc[:0]

    @property
    def settings(self) -> dict[str, Any]:
        told = ("verdict", "decides_at")
        return {name: value for name, value in super().settings.items() if self.may_show or name not in told}

    @property
    def full_note(self) -> str:
        return self.note if self.may_show else ""

    @property
    def finding(self) -> str:
        band, reference = band_text(*self.band), band_text(*self.reference)
        if not self.may_show:
            return f"{band} against {reference}: too few answers in or beside these bands to show their outcomes."
        one, other = f"Customers who answered {band}", f"those who answered {reference}"
        says = {
            "equivalent": f"{one} are as loyal as {other}, and no more",
            "not-worse": f"{one} are as loyal as {other}",
            "worse-within-margin": f"{one} are less loyal than {other}, but by less than the margin",
            "worse": f"{one} are less loyal than {other}",
            "better": f"{one} are as loyal as {other}, or more so",
            "cannot-tell": f"The data cannot tell whether customers who answered {band} are as loyal as {other}",
        }[self.verdict]
        row = self.frame.iloc[0]
        rates = " against ".join(share(row[name]) for name in ("rate", "reference_rate"))
        return f"{says}: {quoted(self.outcome)} applies to {rates}."

    @property
    def details(self) -> str:
        if not self.may_show:
            return ""
        ruled_out = f"Bad outcomes {self.margin:g} times as common are ruled out"
        first = {
            "equivalent": f"{ruled_out}, either way.",
            "not-worse": f"{ruled_out}.",
            "worse-within-margin": f"{ruled_out}.",
            "better": "Fewer bad outcomes than theirs are shown.",
        }.get(self.verdict, "")
        warning = "Exploratory: the band was read off the same data; only new data can confirm it."
        return self.said(first, self._seen, self._more_needed, warning if self.exploratory else "")

    @property
    def _bad_events(self) -> tuple[int, int]:
        row = self.frame.iloc[0]
        seen = ((row["n"], row["events"]), (row["reference_n"], row["reference_events"]))
        one, other = (int(n - events if self.direction == "good" else events) for n, events in seen)
        return one, other

    @property
    def _seen(self) -> str:
        row = self.frame.iloc[0]
        if not self._bad_events[1]:
            return f"With no bad outcome among those who answered {band_text(*self.reference)}, no ratio can be told."
        within = within_text(self.strata)
        what = f"{within.capitalize()}bad outcomes are" if within else "Bad outcomes are"
        limits = format_interval(row["ratio_conf_low"], row["ratio_conf_high"], "number")
        return (
            f"{what} {format_value(row['ratio'], 'number')} times as common ({self.confidence_level:.0%} interval "
            f"{limits}; {row['n']:,} and {row['reference_n']:,} answers)."
        )

    @property
    def _more_needed(self) -> str:
        if self.decides_at is None:
            return ""
        one, other = self._bad_events
        return f"Some {self.decides_at:,} bad outcomes in each group would decide it; there are {one:,} and {other:,}."

    @property
    def note(self) -> str:
        row = self.frame.iloc[0]
        how = (
            ""
            if self.n_clusters is None
            else f", at the effective answers of {self.n_clusters:,} clusters (t for few of them)"
        )
        return (
            "As loyal means: bad outcomes are less than "
            f"{self.margin:g} times as common ({p_text(row['p_value'])}, one-sided; as loyal and no more: "
            f"{p_text(row['p_alike'])}). Farrington and Manning's test and Koopman's limits of the ratio, Miettinen "
            f"and Nurminen's of the difference{how}. Not different is not the same as equal."
        )


def compare_bands(
    outcome: OutcomeByScore | Study,
    *,
    band: tuple[int, int] | ThresholdComparison | None = None,
    reference: tuple[int, int] | None = None,
    margin: float = MARGIN,
    alpha: float = 0.05,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
) -> BandComparison:
    """Test whether customers of one band of scores are as loyal as those of another: not worse, by a ratio of rates.

    The estimand is the ratio of the two rates of the bad side of the outcome, of leaving, or of not renewing, within
    strata such as waves. As loyal is claimed where a ratio of `margin` is rejected, which has to be fixed before the
    data are seen; without bad outcomes in the reference nothing is. Answers are independent, or alike within clusters:
    then counts are divided by the design effect (of the logarithm of the ratio, linearised; of the difference), and for
    the ratio t with the smaller effective number of clusters, less one, takes the place of the normal.

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
        Times the reference's rate of the bad side, above 1, that no longer count as loyal as it.
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
        If a band is empty or impossible, the bands overlap, the margin is no ratio above 1, or clusters are few.

    References
    ----------
    Farrington, C. P. & Manning, G. (1990). Test statistics and sample size formulae for comparative binomial trials
    with null hypothesis of non-zero risk difference or non-unity relative risk. Statistics in Medicine 9, 1447-1454.
    doi:10.1002/sim.4780091208

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
    checked_margin(margin)
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
    sample, scores = Sample.in_strata(outcome).pooled, np.arange(N_SCORES)
    members = [(scores >= low) & (scores <= high) for low, high in (band, reference)]
    for (low, high), member in zip((band, reference), members, strict=True):
        if sample.n[member].sum() == 0:
            raise EstimationError(f"Nobody with a known outcome answered {band_text(low, high)}.")
    if sample.n_clusters < FEWEST_CLUSTERS:
        raise EstimationError(
            f"{sample.n_clusters} independent answers or clusters are too few: {FEWEST_CLUSTERS} are needed."
        )
    counts = BandCounts.of(sample, *members)
    ratios = rate_ratios(*counts.of_ratio, margin=margin, alpha=alpha, degrees=counts.degrees)
    verdict: BandWord = band_verdicts(counts, ratios, alpha=alpha)[0]
    events, n, reference_events, reference_n = (
        int(values[0][member].sum()) for member in members for values in (outcome.events, outcome.n)
    )
    at_baseline = np.array([[part[member].sum()] for member in members for part in (sample.events, sample.n)])
    if outcome.direction == "good":
        at_baseline[[0, 2]] = at_baseline[[1, 3]] - at_baseline[[0, 2]]
    there, design_effect = float(counts.of_ratio[[0, 2], 0].min()), float(at_baseline[1, 0] / counts.of_ratio[1, 0])
    decides_at = events_to_decide(margin, alpha=alpha, there=there, design_effect=design_effect)
    deff = at_baseline[1, 0] / counts.of_difference[1, 0]
    rate, other = (float(at_baseline[place, 0] / at_baseline[place + 1, 0]) for place in (0, 2))
    variance = rate * (1 - rate) / at_baseline[1, 0] + other * (1 - other) / at_baseline[3, 0]
    conf_low, conf_high = difference_limits(*(at_baseline / deff), confidence_level=1 - 2 * alpha)
    ratio_low, ratio_high = ratios.limits(1 - 2 * alpha)
    return BandComparison(
        frame=pd.DataFrame(
            {
                "term": [f"{band_text(*band)} against {band_text(*reference)}"],
                "n": [n],
                "events": [events],
                "rate": [events / n],
                "reference_n": [reference_n],
                "reference_events": [reference_events],
                "reference_rate": [reference_events / reference_n],
                "estimate": [rate - other],
                "std_error": [np.sqrt(deff * variance)],
                "conf_low": conf_low,
                "conf_high": conf_high,
                "ratio": ratios.ratio,
                "ratio_conf_low": ratio_low,
                "ratio_conf_high": ratio_high,
                "p_value": ratios.p_not_worse,
                "p_alike": ratios.p_alike,
            }
        ),
        confidence_level=1 - 2 * alpha,
        title=f"{band_text(*band)} against {band_text(*reference)}, by {quoted(outcome.outcome)}",
        verdict=verdict,
        margin=margin,
        band=band,
        reference=reference,
        decides_at=decides_at if verdict == "cannot-tell" else None,
        exploratory=exploratory,
        outcome=outcome.outcome,
        direction=outcome.direction,
        dated=outcome.dated,
        n_clusters=None if outcome.clusters is None else sample.n_clusters,
        strata=() if outcome.strata is None else outcome.strata.by,
        may_show=_may_show(outcome, band, reference),
    )


def _may_show(outcome: OutcomeByScore, band: tuple[int, int], reference: tuple[int, int]) -> bool:
    """Whether both ends of both bands are among the lines that pages show for this outcome."""
    lines = {edge for low, high in (band, reference) for edge in (low - 1, high)} - {-1, N_SCORES - 1}
    return lines <= set(outcome.cuts_shown)
