"""The score with detractors ending at different answers: how much of a score is convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_bands import band_text
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.results.result import Result
from nps_research.results.words import joined, plain_text, points
from nps_research.score.limits.methods import METHOD_WORDS, LimitsMethod, suitable_method
from nps_research.score.score import net_promoter_score
from nps_research.score.scored import no_score
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoresByCut(Result):
    """Scores at several highest detractor answers.

    `frame` columns: group, term (detractors' answers), n, detractor_share, estimate, std_error,
    conf_low, conf_high.
    """

    promoter_min: int = 9
    method: LimitsMethod = "score"

    kind: ClassVar[str] = "net_promoter_score_by_cut"
    headings: ClassVar[Mapping[str, str]] = {"term": "Detractors are"}
    table_columns: ClassVar[tuple[str, ...]] = ("group", "term", "n", "detractor_share", "estimate", "conf_high")

    @property
    def finding(self) -> str:
        if not self.records:
            return no_score(self)
        last = self.records[-1]["group"]
        of_last = [row for row in self.records if row["group"] == last]
        if len(of_last) > 3:
            first, final = of_last[0], of_last[-1]
            return (
                f"Where detractors end decides the level: from {points(first['estimate'])} with detractors "
                f"{first['term']} to {points(final['estimate'])} with {final['term']}. Compare only at one cut."
            )
        scores = [f"{points(row['estimate'])} with detractors {row['term']}" for row in of_last]
        whom = "" if last == "all" else f" of {plain_text(last)}"
        return f"Where detractors end decides the level: the NPS{whom} is {joined(scores)}. Compare only at one cut."

    @property
    def note(self) -> str:
        return (
            f"Promoters {self.promoter_min}-10. Limits: {METHOD_WORDS[self.method]}. Which cut is right is a question "
            "to what customers do afterwards, not to the answers alone."
        )

    @property
    def alt(self) -> str:
        rows = [f"{plain_text(row['group'])}, {row['term']}: {points(row['estimate'])}" for row in self.records]
        return f"NPS of each group with detractors ending at different answers: {'; '.join(rows)}."


def net_promoter_score_by_cut(
    dist: ScoreDistribution | Study,
    *,
    detractor_max: Sequence[int] | None = None,
    promoter_min: int | None = None,
    method: LimitsMethod | None = None,
    confidence_level: float = 0.95,
) -> ScoresByCut:
    """Estimate the Net Promoter Score of each group at several highest detractor answers.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted as one.
    detractor_max : sequence of int, optional
        Highest detractor answers to compare; None takes the study's and 3 (6, where the study's is 3).
    promoter_min : int, optional
        Lowest promoter answer; None takes the study's.
    method, confidence_level
        As in `net_promoter_score`.

    Returns
    -------
    ScoresByCut

    Raises
    ------
    EstimationError
        As `net_promoter_score`.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"all": [0, 0, 0, 1, 0, 2, 1, 0, 0, 3, 3]})
    >>> net_promoter_score_by_cut(dist).frame["estimate"].round(6).tolist()
    [20.0, 50.0]
    """
    dist = as_distribution(dist, promoter_min=promoter_min)
    columns = ["group", "n", "detractor_share", "estimate", "std_error", "conf_low", "conf_high"]
    parts = [
        net_promoter_score(dist, detractor_max=cut, method=method, confidence_level=confidence_level)
        .frame[columns]
        .assign(term=band_text(0, cut))
        for cut in (dist.lines_compared if detractor_max is None else detractor_max)
    ]
    frame = pd.concat(parts)
    frame.insert(1, "term", frame.pop("term"))
    frame = frame.sort_values("group", key=lambda names: names.map(dist.place), kind="stable", ignore_index=True)
    return ScoresByCut(
        frame=dist.with_keys(frame),
        confidence_level=confidence_level,
        title="Net Promoter Score with detractors ending at different answers",
        minimum_cell=dist.minimum_cell,
        hidden=dist.hidden_groups,
        few_units=dist.errors_tell,
        promoter_min=dist.promoter_min,
        method=method or suitable_method(dist),
    )
