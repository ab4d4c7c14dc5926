"""The Net Promoter Score of groups, with limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.results.result import KeyNumber
from nps_research.results.words import interval_text, joined, p_text, plain_text, points, share
from nps_research.score.limits.independent import VALUES, ZERO, Estimates, mover_difference
from nps_research.score.limits.methods import LimitsMethod, estimate, suitable_method
from nps_research.score.scored import Scored, described_design, no_score
from nps_research.statistics.distributions import chi2_sf, f_sf
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Floats


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetPromoterScores(Scored):
    """Scores of groups.

    `frame` columns: group, n, n_effective, item_missing, nonrespondents, response_rate, promoter_share, passive_share,
    detractor_share, estimate, std_error, conf_low, conf_high. ``conf_*`` are the estimate's. Groups by several keys
    have a column for each key, too.
    `heterogeneity_p_value` tests that all groups have one score, adjusted for `n_groupings` such tests (Holm).
    """

    by: tuple[str, ...] = ()
    ordered: bool = False
    heterogeneity_p_value: float | None = None
    n_groupings: int = 1

    kind: ClassVar[str] = "net_promoter_score"
    rows_are_dots: ClassVar[bool] = True
    table_columns: ClassVar[tuple[str, ...]] = (
        "group",
        "n",
        "estimate",
        "conf_high",
        "promoter_share",
        "passive_share",
        "detractor_share",
        "response_rate",
        "n_effective",
    )

    @property
    def answered(self) -> list[dict[str, Any]]:
        """The shown groups that have answers, and some weight on them."""
        return [row for row in super().answered if not np.isnan(row["estimate"])]

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows:
            return no_score(self)
        by_revenue = "Weighted by revenue, the" if self.design.get("weight") == "revenue" else "The"
        if len(rows) == 1:
            row = rows[0]
            whom = "" if row["group"] == "all" else f" of {plain_text(row['group'])}"
            limits = interval_text(row, self.confidence_level)
            return f"{by_revenue} NPS{whom} is {points(row['estimate'])} ({limits}), from {row['n']:,} answers."
        p = self.heterogeneity_p_value
        told = "" if p is None else f"({'adjusted ' * (self.n_groupings > 1)}{p_text(p)})"
        if self.ordered:
            went = f"{by_revenue} NPS went from {_of_group(rows[0])} to {_of_group(rows[-1])}"
            if p is None:
                return f"{went}."
            differ = p < 1 - self.confidence_level
            how = "changed over time by more than chance explains" if differ else "no change over time is proven"
            return f"{went}; {'it ' * differ}{how} {told}."
        ranked = sorted(rows, key=lambda row: float(row["estimate"]))
        by = f" by {joined(self.by)}" if self.by else ""
        span = f"from {_of_group(ranked[0])} to {_of_group(ranked[-1])}"
        if p is None:
            return f"{by_revenue} NPS{by} runs {span}."
        if p >= 1 - self.confidence_level:
            return f"No difference{by} is proven: {by_revenue[0].lower()}{by_revenue[1:]} NPS runs {span} {told}."
        return f"{by_revenue} NPS{by} runs {span}: the groups differ by more than chance explains {told}."

    @property
    def details(self) -> str:
        rows = self.answered
        if len(rows) == 1:
            row = rows[0]
            said = f"{share(row['promoter_share'])} are promoters, {share(row['detractor_share'])} detractors."
            return f"{said} {self.held_against_target(row)}".rstrip()
        ranked = rows if self.ordered else sorted(rows, key=lambda row: float(row["estimate"]))
        return f"From {self.ends(ranked[0], ranked[-1])}." if ranked else ""

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        alone = [row["group"] for row in self.answered] == ["all"] and self.design.get("weight") != "revenue"
        if not alone:
            return {}
        against = self.held_against_target(self.answered[0])
        return {"happened": self.finding, **({"target": against} if against else {})}

    @property
    def alt(self) -> str:
        what = "Points in order of time" if self.ordered else "Points sorted from highest to lowest"
        return f"{what}, with interval bars, of the NPS by {joined(self.by) or 'group'}: {self.each(self.answered)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        what = "NPS per unit of revenue" if self.design.get("weight") == "revenue" else "NPS"
        return tuple(
            KeyNumber.of(row, what if row["group"] == "all" else f"{what}, {row['group']}") for row in self.answered
        )


def _of_group(row: Mapping[str, Any]) -> str:
    return f"{points(row['estimate'])} ({plain_text(row['group'])})"


@begins_with(score_distribution)
def net_promoter_score(
    dist: ScoreDistribution | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    method: LimitsMethod | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: np.random.Generator | None = None,
    title: str = "",
) -> NetPromoterScores:
    """Estimate the Net Promoter Score of each group, with limits: promoters' less detractors' share, in points.

    The estimand is the score of the population the group's answers stand for: all who would answer
    (unweighted), or all whom the weights stand for. It says nothing of those who do not answer.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted as one.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    method : {"adjusted-wald", "score", "wald", "bootstrap", "linearized", "effective-score"}, optional
        How limits are made. None takes ``"effective-score"`` for weighted or clustered answers
        (``calibration/clustered_intervals.csv``), else ``"score"``: its coverage is never below 0.939 and nearest
        to nominal from 30 answers on (``calibration/score_intervals.csv``).
    confidence_level : float
        Level of the limits.
    n_resamples : int
        Bootstrap resamples.
    rng : numpy.random.Generator, optional
        Source of the bootstrap's draws; None starts a fixed one.
    title : str
        Caption; one is made where none is given.

    Returns
    -------
    NetPromoterScores

    Raises
    ------
    EstimationError
        If a cut or level is impossible, or the method does not suit the distribution.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"all": [20, 10, 10, 10, 10, 30, 30, 90, 220, 220, 350]})
    >>> net_promoter_score(dist).frame[["estimate", "conf_low", "conf_high"]].round(1).values.tolist()
    [[45.0, 40.6, 49.2]]
    """
    dist = as_distribution(dist, promoter_min=promoter_min, detractor_max=detractor_max)
    chosen: LimitsMethod = method or suitable_method(dist)
    estimates = estimate(dist, method=chosen, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng)
    shares = dist.shares
    unknown = pd.array([pd.NA] * len(dist.groups), dtype="Int64")
    frame = pd.DataFrame(
        {
            "group": list(dist.groups),
            "n": dist.n,
            "n_effective": effective_answers(dist, shares, estimates, chosen),
            "item_missing": unknown if dist.item_missing is None else dist.item_missing,
            "nonrespondents": unknown if dist.nonrespondents is None else dist.nonrespondents,
            "response_rate": np.nan if dist.response_rate is None else dist.response_rate,
            "promoter_share": shares[:, 2],
            "passive_share": shares[:, 1],
            "detractor_share": shares[:, 0],
            "estimate": estimates.estimate,
            "std_error": estimates.std_error,
            "conf_low": estimates.conf_low,
            "conf_high": estimates.conf_high,
        }
    )
    return NetPromoterScores(
        frame=dist.with_keys(frame),
        confidence_level=confidence_level,
        title=title or (f"Net Promoter Score{dist.by_words.removeprefix(',')}"),
        **dist.of_results,
        method=chosen,
        by=dist.by,
        ordered=dist.ordered,
        design=described_design(dist),
        target=dist.target if dist.groups == ("all",) else None,
        heterogeneity_p_value=equality(dist) if chosen in ("score", "bootstrap") else heterogeneity(dist, estimates),
    )


def effective_answers(dist: ScoreDistribution, shares: Floats, estimates: Estimates, method: LimitsMethod) -> Floats:
    """How many independent, equally weighted answers would give the same standard error.

    The variance of one answer over the squared standard error; the number of answers itself where
    they are independent and equal. Where all answers are alike: the clusters, or without clusters
    Kish's (sum w)^2 / sum w^2.
    """
    if method not in ("linearized", "effective-score") and dist.is_simple:
        return dist.n.astype(float)
    one = shares @ VALUES**2 - (shares @ VALUES) ** 2
    if dist.clusters is not None:
        alike = np.bincount(dist.clusters.group, minlength=len(dist.groups)).astype(float)
    elif dist.squared_weight_sums is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            alike = dist.weights.sum(axis=1) ** 2 / dist.squared_weight_sums.sum(axis=1)
    else:
        alike = dist.n.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.where(one > ZERO, one / estimates.std_error**2, alike)
    return np.where(np.isnan(estimates.std_error), np.nan, effective)


def equality(dist: ScoreDistribution) -> float | None:
    """p-value of the test that all groups have one score, as suits the distribution; of two, that of their difference.

    The standard errors are those of a method that gives one also to a group whose answers are all alike.
    """
    shown = dist.classes()[(dist.n > 0) & ~dist.hidden]
    if dist.is_simple and len(shown) == 2:
        return float(mover_difference(shown[:1], shown[1:], confidence_level=0.95)[2][0])
    method: LimitsMethod = "adjusted-wald" if dist.is_simple else "effective-score"
    return heterogeneity(dist, estimate(dist, method=method, confidence_level=0.95))


def heterogeneity(dist: ScoreDistribution, estimates: Estimates) -> float | None:
    """p-value of the test that all groups have one score; None where it cannot be made.

    Groups too small to show take no part: their variances are too poorly known, and nobody could see
    what made the difference. Without clusters and weights: Cochran's chi-squared. Else Brown and Forsythe's
    F*, Q = sum w (score - weighted mean)^2 over its expectation, w a group's effective clusters, so that no
    weight rests on a poorly known variance. It is referred to F with Box's degrees of freedom, from the groups'
    covariances, which are kept where clusters are shared, and Satterthwaite's; these are, where clusters are
    shared, the first times the fewest degrees of freedom of a group. For two groups it is the test of their
    difference.

    References
    ----------
    Brown, M. B. & Forsythe, A. B. (1974). The small sample behavior of some statistics which test the equality of
    several means. Technometrics 16(1), 129-132.

    Box, G. E. P. (1954). Some theorems on quadratic forms applied in the study of analysis of variance problems, I.
    Annals of Mathematical Statistics 25(2), 290-302.
    """
    usable = (np.nan_to_num(estimates.std_error) > ZERO) & ~dist.hidden
    k = int(usable.sum())
    if k < 2:
        return None
    score, degrees = estimates.centre[usable], estimates.degrees[usable]
    covariance = estimates.covariance[np.ix_(usable, usable)]
    if np.isinf(degrees).all():
        precision = 1 / np.diag(covariance)
        mean = float(precision @ score / precision.sum())
        return float(chi2_sf(precision @ (score - mean) ** 2, k - 1))
    weight = degrees + 1
    form = np.diag(weight) - np.outer(weight, weight) / weight.sum()
    spread = form @ covariance
    expected = float(np.trace(spread))
    if expected < ZERO**2:
        return None
    numerator = expected**2 / float(np.trace(spread @ spread))
    if k == 2 or np.any(covariance - np.diag(np.diag(covariance))):
        denominator = numerator * float(degrees.min())
    else:
        denominator = expected**2 / float((np.diag(spread) ** 2 / degrees).sum())
    return float(f_sf(score @ form @ score / expected, numerator, denominator))
