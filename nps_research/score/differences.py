"""Differences between the scores of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.given import as_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError, EstimationError
from nps_research.results.result import Result
from nps_research.results.words import interval_text, p_text, plain_text, points
from nps_research.score.limits.bootstrap import resampled_scores
from nps_research.score.limits.independent import VALUES, ZERO, mover_difference
from nps_research.score.limits.methods import METHOD_WORDS, LimitsMethod, estimate, suitable_method
from nps_research.score.scored import ByLines, how_sure
from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.multiplicity import Adjustment, adjust_p_values
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.study import Study

Group: TypeAlias = "str | tuple[str, ...]"  # a name, or values of several keys


DIFFERENCE_WORDS = {
    **{method: METHOD_WORDS[method] for method in ("adjusted-wald", "wald", "bootstrap", "linearized")},
    "score": "from both groups' score intervals (MOVER)",
    "effective-score": "linearised, t limits for the effective number of clusters",
}
OF_DIFFERENCE = ["estimate", "std_error", "conf_low", "conf_high", "p_value"]  # of each difference, b - a, in points


def _differences(
    dist: ScoreDistribution, pairs: Sequence[tuple[str, str]], *, method: LimitsMethod, confidence_level: float
) -> pd.DataFrame:
    """Differences with limits and p-values from one statistic, so that the two agree.

    Degrees of freedom of t limits are the fewer of the two groups', not Welch's: these are too many where variances
    rest on few unequal clusters.
    """
    a, b = (np.array([dist.place(pair[side]) for pair in pairs], dtype=np.int64) for side in (0, 1))
    scores = estimate(dist, method=method, confidence_level=confidence_level)
    difference = scores.estimate[b] - scores.estimate[a]
    variance = np.diag(scores.covariance)
    std_error = np.sqrt(np.maximum(variance[a] + variance[b] - 2 * scores.covariance[a, b], 0))
    if method == "score":
        classes = dist.classes()
        low, high, p_value = mover_difference(classes[a], classes[b], confidence_level=confidence_level)
    else:
        centre = scores.centre[b] - scores.centre[a]  # adjusted Wald stands around the adjusted scores
        degrees = np.minimum(scores.degrees[a], scores.degrees[b])
        reach = t_ppf(0.5 + confidence_level / 2, degrees) * std_error
        low, high = np.clip(centre - reach, -200, 200), np.clip(centre + reach, -200, 200)
        with np.errstate(invalid="ignore", divide="ignore"):
            p_value = np.asarray(2 * t_sf(np.where(std_error > ZERO, np.abs(centre) / std_error, np.nan), degrees))
    return pd.DataFrame(dict(zip(OF_DIFFERENCE, (difference, std_error, low, high, p_value), strict=True)))


def _resampled_differences(
    dist: ScoreDistribution,
    pairs: Sequence[tuple[str, str]],
    *,
    confidence_level: float,
    n_resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Differences with percentile limits from resamples of each group; p-values from the share on either side of 0."""
    check_level(confidence_level)
    if not dist.is_simple:
        raise EstimationError(
            "method 'bootstrap' takes answers as independent and equal, but these are weighted or clustered. "
            "Take 'effective-score', or count with cluster=None, weight=None."
        )
    classes = dict(zip(dist.groups, dist.classes(), strict=True))
    named = list(dict.fromkeys(group for pair in pairs for group in pair if classes[group].any()))
    # Each group draws from a stream of its own: what one group's limits are, tells nothing of the others.
    drawn = {
        group: resampled_scores(classes[group], n_resamples=n_resamples, rng=stream)
        for group, stream in zip(named, rng.spawn(len(named)), strict=True)
    }
    found = np.full((5, len(pairs)), np.nan)
    for place, (a, b) in enumerate(pairs):
        if a in drawn and b in drawn:
            difference = drawn[b] - drawn[a]
            less = 1 + min(int((difference <= 0).sum()), int((difference >= 0).sum()))
            found[:, place] = (
                (classes[b] / classes[b].sum() - classes[a] / classes[a].sum()) @ VALUES,
                difference.std(ddof=1),
                *np.quantile(difference, [0.5 - confidence_level / 2, 0.5 + confidence_level / 2]),
                min(2 * less / (n_resamples + 1), 1.0),
            )
    return pd.DataFrame(found.T, columns=OF_DIFFERENCE)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OfPairs(Result):
    """A result of pairs of groups."""

    @property
    def full_note(self) -> str:
        hidden = f" {self.n_hidden} pairs with a group too small to show are left out." if self.n_hidden else ""
        return " ".join(filter(None, (self.note + hidden, self.few_units_words)))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreDifferences(OfPairs, ByLines):
    """Differences between scores of groups.

    `frame` columns: group_a, group_b, n_a, n_b, estimate (b - a, points), std_error, conf_low,
    conf_high, p_value, p_adjusted. Limits are for each pair by itself. p-values are adjusted for the
    pairs that are shown: one adjusted for others would tell of them.
    """

    method: LimitsMethod = "score"
    adjust: Adjustment = "holm"

    kind: ClassVar[str] = "net_promoter_score_differences"
    rows_are_dots: ClassVar[bool] = True
    headings: ClassVar[Mapping[str, str]] = {"estimate": "Difference"}
    table_columns: ClassVar[tuple[str, ...]] = ("group_a", "group_b", "estimate", "conf_high", "p_value", "p_adjusted")

    @property
    def finding(self) -> str:
        rows = [row for row in self.records if not np.isnan(row["p_adjusted"])]
        if not rows:
            return "No two groups can be compared: answers or clusters are too few, or all are alike."
        clear = [row for row in rows if row["p_adjusted"] < 1 - self.confidence_level]
        if len(rows) == 1:
            p = rows[0]["p_adjusted"]
            return f"{self._sentence(rows[0]).rstrip('.')}, {how_sure(p, self.confidence_level)} ({p_text(p)})."
        if not clear:
            return f"None of the {len(rows)} differences is larger than chance explains."
        largest = self._sentence(max(clear, key=lambda row: abs(float(row["estimate"]))))
        if len(clear) == 1:
            return f"One of {len(rows)} differences is larger than chance explains. It is {largest}"
        return f"{len(clear)} of {len(rows)} differences are larger than chance explains. The largest is {largest}"

    def _sentence(self, row: Mapping[str, Any]) -> str:
        return (
            f"{plain_text(row['group_b'])} against {plain_text(row['group_a'])}: {points(row['estimate'])} "
            f"({interval_text(row, self.confidence_level)})."
        )

    @property
    def note(self) -> str:
        adjusted = (
            "not adjusted" if self.adjust == "none" else f"adjusted for the number of pairs ({self.adjust.title()})"
        )
        return (
            f"Differences in NPS points. Limits: {DIFFERENCE_WORDS[self.method]}, each pair by itself; "
            f"p-values {adjusted}."
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(self._sentence(row).rstrip(".") for row in self.records)
        return f"Differences with interval bars: {rows}."


def compare_net_promoter_scores(
    dist: ScoreDistribution | Study,
    *,
    pairs: Sequence[tuple[Group, Group]] | Literal["all", "consecutive"] | None = None,
    adjust: Adjustment = "holm",
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    method: LimitsMethod | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: np.random.Generator | None = None,
    title: str = "",
) -> ScoreDifferences:
    """Estimate and test differences between the Net Promoter Scores of groups, b - a, in points.

    The estimand is the difference of the two populations' scores. Groups are independent unless
    clusters span them (the same people or accounts in both): then the covariance is kept, so that
    asking the same people twice gains its precision.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted by wave.
    pairs : sequence of (a, b), "all" or "consecutive", optional
        Which groups to compare, by their names, or by their values where they are groups by several keys:
        ``[(("North", "2025 Q1"), ("North", "2025 Q2"))]``. None takes all pairs.
    adjust : {"holm", "benjamini-hochberg", "bonferroni", "none"}
        How p-values are adjusted for the number of pairs.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    method : {"score", "effective-score", "adjusted-wald", "wald", "linearized", "bootstrap"}, optional
        None takes what suits the distribution. ``"score"`` for independent, unweighted answers: limits from both
        groups' score intervals (MOVER), whose 95% limits cover at least 0.919 from 10 answers on, over all pairs of 53
        shapes; of adjusted Wald, 0.676 (``calibration/difference_grid.csv``). Else ``"effective-score"``: t limits
        with that method's variances, covariances and degrees of freedom (``calibration/clustered_intervals.csv``).
        ``"bootstrap"`` takes percentile limits from resamples of each group, for independent, unweighted answers alone.
    confidence_level : float
        Level of the limits.
    n_resamples : int
        Bootstrap resamples; of the counts, so they cost the same at any number of answers.
    rng : numpy.random.Generator, optional
        Source of the bootstrap's draws; None starts a fixed one.
    title : str
        Caption; one is made where none is given.

    Returns
    -------
    ScoreDifferences

    Raises
    ------
    EstimationError
        If a pair names no group, or the method does not suit.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"a": [0] * 6 + [20, 20, 20, 20, 20], "b": [0] * 6 + [40, 20, 20, 10, 10]})
    >>> compare_net_promoter_scores(dist).frame["estimate"].tolist()
    [-40.0]
    """
    dist = as_distribution(dist, by="wave", promoter_min=promoter_min, detractor_max=detractor_max)
    chosen: LimitsMethod = method or suitable_method(dist)
    if chosen not in DIFFERENCE_WORDS:
        raise EstimationError(f"method = {chosen!r} gives no differences; allowed: {', '.join(DIFFERENCE_WORDS)}.")
    named = _pairs(dist, pairs)
    if chosen == "bootstrap":
        found = _resampled_differences(
            dist,
            named,
            confidence_level=confidence_level,
            n_resamples=n_resamples,
            rng=np.random.default_rng(DEFAULT_SEED) if rng is None else rng,
        )
    else:
        found = _differences(dist, named, method=chosen, confidence_level=confidence_level)
    n = dict(zip(dist.groups, dist.n.tolist(), strict=True))
    gone = [not dist.hidden_groups.isdisjoint(pair) for pair in named]
    frame = pd.DataFrame(
        {
            "group_a": [a for a, _ in named],
            "group_b": [b for _, b in named],
            "n_a": [n[a] for a, _ in named],
            "n_b": [n[b] for _, b in named],
            **found,
            "p_adjusted": adjust_p_values(np.where(gone, np.nan, found["p_value"]), adjust),
        }
    )
    return ScoreDifferences(
        frame=frame,
        confidence_level=confidence_level,
        title=title or "Differences in the Net Promoter Score",
        **dist.of_results,
        method=chosen,
        adjust=adjust,
    )


def _pairs(
    dist: ScoreDistribution, pairs: Sequence[tuple[Group, Group]] | Literal["all", "consecutive"] | None
) -> list[tuple[str, str]]:
    if pairs is None or pairs == "all":
        return list(combinations(dist.groups, 2))
    if isinstance(pairs, str):
        if pairs != "consecutive":
            raise EstimationError(f"pairs = {pairs!r} is not known; allowed: all, consecutive, or a list of pairs.")
        return list(zip(dist.groups[:-1], dist.groups[1:], strict=True))
    try:
        return [(dist.groups[dist.place(a)], dist.groups[dist.place(b)]) for a, b in pairs]
    except ContractError as error:
        raise EstimationError(f"pairs: {str(error).replace('There', 'there', 1)}") from None
