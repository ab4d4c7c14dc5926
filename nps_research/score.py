"""The Net Promoter Score of groups, with limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from nps_research.intervals import (
    METHOD_WORDS,
    VALUES,
    ZERO,
    Method,
    classify,
    estimate,
    suitable_difference_method,
    suitable_method,
)
from nps_research.result import KeyNumber, Result
from nps_research.tables import plain_text
from nps_research.wording import interval_text, joined, p_text, points, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nps_research.distribution import ScoreDistribution
    from nps_research.intervals import Estimates
    from nps_research.waves import Trend

__all__ = ["NetPromoterScores", "design_note", "heterogeneity", "net_promoter_score"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetPromoterScores(Result):
    """Scores of groups.

    `frame` columns: group, n, n_effective, item_missing, nonrespondents, response_rate, promoter_share, passive_share,
    detractor_share, estimate, std_error, conf_low, conf_high. ``conf_*`` are the estimate's.
    `heterogeneity_p_value` tests that all groups have one score.
    """

    method: Method = "score"
    promoter_min: int = 9
    detractor_max: int = 6
    by: tuple[str, ...] = ()
    ordered: bool = False
    design: Mapping[str, str]
    heterogeneity_p_value: float | None = None

    kind: ClassVar[str] = "net_promoter_score"
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
        """The shown groups that have answers."""
        return [row for row in self.records if row["n"] > 0]

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows:
            return "There is no score to show: no group has enough answers."
        if len(rows) == 1:
            row = rows[0]
            whom = "" if row["group"] == "all" else f" of {plain_text(row['group'])}"
            return (
                f"The NPS{whom} is {points(row['estimate'])} ({interval_text(row, self.confidence_level)}): "
                f"{share(row['promoter_share'])} promoters less {share(row['detractor_share'])} detractors "
                f"among {row['n']:,} answers."
            )
        ranked = sorted(rows, key=lambda row: float(row["estimate"]))
        ends = [
            f"{points(row['estimate'])} ({plain_text(row['group'])}; {interval_text(row, self.confidence_level)})"
            for row in (ranked[0], ranked[-1])
        ]
        by = f"By {joined(self.by)}, the" if self.by else "The"
        span = f"{by} NPS runs from {ends[0]} to {ends[1]}."
        p = self.heterogeneity_p_value
        if p is None:
            return span
        if p < 1 - self.confidence_level:
            return f"{span} The groups differ by more than chance explains ({p_text(p)})."
        return (
            f"{span} Differences of this size arise by chance alone ({p_text(p)}): "
            "no group is shown to be better or worse."
        )

    @property
    def note(self) -> str:
        return design_note(self)

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])} {points(row['estimate'])}, {interval_text(row, self.confidence_level)}"
            for row in self.answered
        ]
        what = "Points in order of time" if self.ordered else "Points sorted from highest to lowest"
        return f"{what}, with interval bars, of the NPS by {joined(self.by) or 'group'}: {'; '.join(rows)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(
            KeyNumber(
                label="NPS" if row["group"] == "all" else f"NPS, {row['group']}",
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
            )
            for row in self.answered
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        from nps_research.figures import plot_scores

        return plot_scores(self, ax)


def net_promoter_score(
    dist: ScoreDistribution,
    *,
    promoter_min: int = 9,
    detractor_max: int = 6,
    method: Method | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: np.random.Generator | None = None,
    title: str = "",
) -> NetPromoterScores:
    """Net Promoter Score of each group: share of promoters less share of detractors, in points.

    The estimand is the score of the population the group's answers stand for: all who would answer
    (unweighted), or all whom the weights stand for. It says nothing of those who do not answer.

    Parameters
    ----------
    dist : ScoreDistribution
        Answers per group.
    promoter_min, detractor_max : int
        Lowest promoter and highest detractor answer.
    method : {"adjusted-wald", "score", "wald", "bootstrap", "linearized"}, optional
        How limits are made. None takes ``"linearized"`` for weighted or clustered answers, else
        ``"score"``: its measured coverage is never below 0.94 and nearest to nominal from 20 answers on
        (``calibration/score_intervals.csv``).
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
    >>> from nps_research.distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"all": [20, 10, 10, 10, 10, 30, 30, 90, 220, 220, 350]})
    >>> net_promoter_score(dist).frame[["estimate", "conf_low", "conf_high"]].round(1).values.tolist()
    [[45.0, 40.6, 49.2]]
    """
    chosen: Method = method or suitable_method(dist)
    estimates = estimate(
        dist,
        promoter_min=promoter_min,
        detractor_max=detractor_max,
        method=chosen,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        rng=rng,
    )
    comparable = estimates
    if chosen in ("score", "bootstrap"):  # limits alone do not tell how groups vary together
        comparable = estimate(
            dist,
            promoter_min=promoter_min,
            detractor_max=detractor_max,
            method=suitable_difference_method(dist),
            confidence_level=confidence_level,
        )
    classes = classify(dist.weights, promoter_min=promoter_min, detractor_max=detractor_max)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = classes / classes.sum(axis=1, keepdims=True)
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
        frame=frame,
        confidence_level=confidence_level,
        title=title or ("Net Promoter Score" + (f" by {joined(dist.by)}" if dist.by else "")),
        minimum_cell=dist.minimum_cell,
        hidden=dist.hidden_groups,
        method=chosen,
        promoter_min=promoter_min,
        detractor_max=detractor_max,
        by=dist.by,
        ordered=dist.ordered,
        design=dist.design,
        heterogeneity_p_value=heterogeneity(dist, comparable),
    )


def design_note(result: NetPromoterScores | Trend) -> str:
    """How a score was made: cuts, limits, weights, clusters."""
    weight, cluster = result.design.get("weight"), result.design.get("cluster")
    return " ".join(
        [
            f"Promoters {result.promoter_min}-10, detractors 0-{result.detractor_max}.",
            f"Limits: {METHOD_WORDS[result.method]}.",
            f"Weighted by {weight}." if weight else "Every answer counts the same.",
            f"Answers within one {cluster} are taken as alike." if cluster else "Answers are taken as independent.",
        ]
    )


def effective_answers(
    dist: ScoreDistribution, shares: NDArray[np.float64], estimates: Estimates, method: Method
) -> NDArray[np.float64]:
    """How many independent, equally weighted answers would give the same standard error.

    The variance of one answer over the squared standard error; the number of answers itself where
    they are independent and equal. Where all answers are alike: the clusters, or without clusters
    Kish's (sum w)^2 / sum w^2.
    """
    if method != "linearized" and dist.is_simple:
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


def heterogeneity(dist: ScoreDistribution, estimates: Estimates) -> float | None:
    """p-value of the test that all groups have one score; None where it cannot be made.

    Groups too small to show take no part: their variances are too poorly known, and nobody could see
    what made the difference. Independent groups: Welch's F (Cochran's chi-squared without clusters).
    Groups that share clusters: Wald, W / (k - 1) * (f - k + 2) / f referred to F(k - 1, f - k + 2), f the
    fewest degrees of freedom of a group.

    References
    ----------
    Welch, B. L. (1951). On the comparison of several mean values. Biometrika 38, 330-336.
    doi:10.1093/biomet/38.3-4.330

    Korn, E. L. & Graubard, B. I. (1990). Simultaneous testing of regression coefficients with complex
    survey data. The American Statistician 44(4), 270-276. doi:10.1080/00031305.1990.10475737
    """
    usable = (np.nan_to_num(estimates.std_error) > ZERO) & ~dist.hidden
    k = int(usable.sum())
    if k < 2:
        return None
    score, degrees = estimates.centre[usable], estimates.degrees[usable]
    covariance = estimates.covariance[np.ix_(usable, usable)]
    if not np.any(covariance - np.diag(np.diag(covariance))):
        weight = 1 / np.diag(covariance)
        share_of_weight = weight / weight.sum()
        spread = float(weight @ (score - share_of_weight @ score) ** 2)
        uneven = float(((1 - share_of_weight) ** 2 / degrees).sum())
        if uneven == 0:
            return float(stats.chi2.sf(spread, k - 1))
        statistic = spread / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * uneven)
        return float(stats.f.sf(statistic, k - 1, (k**2 - 1) / (3 * uneven)))
    freedom = float(degrees.min())
    rest = freedom - k + 2
    if rest <= 0:
        return None
    contrasts = np.hstack([-np.ones((k - 1, 1)), np.eye(k - 1)])
    difference = contrasts @ score
    wald = float(difference @ np.linalg.pinv(contrasts @ covariance @ contrasts.T) @ difference)
    return float(stats.f.sf(wald / (k - 1) * rest / freedom, k - 1, rest))
