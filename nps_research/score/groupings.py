"""By which groupings the score differs: one test a grouping, adjusted for how many are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import joined, p_text, points
from nps_research.score.score import NetPromoterScores, net_promoter_score
from nps_research.statistics.multiplicity import Adjustment, adjust_p_values
from nps_research.study.study import Study

MOMENTS = ("channel", "weekday", "hour")  # beside the study's segments


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreGroupings(Result):
    """Groupings, each tested for whether its groups have one score.

    `frame` columns: term (the grouping), n_groups, lowest_group, lowest, highest_group, highest (scores, points),
    p_value, p_adjusted. Groups too small to show take no part.

    Attributes
    ----------
    scores : mapping of str to NetPromoterScores
        The scores of each grouping's groups.
    n_waves : int
        Waves whose answers count together; 1 where the study has none.
    """

    scores: Mapping[str, NetPromoterScores]
    n_waves: int = 1
    adjust: Adjustment = "holm"

    kind: ClassVar[str] = "score_groupings"
    has_figure: ClassVar[bool] = False
    unsaid: ClassVar[tuple[str, ...]] = (*Result.unsaid, "scores", "n_waves")
    headings: ClassVar[Mapping[str, str]] = {"term": "By", "n_groups": "Groups", "lowest": "NPS", "highest": "NPS"}
    formats: ClassVar[Mapping[str, str]] = {
        "term": "name",
        "n_groups": "count",
        "lowest": "points",
        "highest": "points",
    }

    @property
    def differ(self) -> tuple[str, ...]:
        """Groupings by which the score differs by more than chance explains, those of the smallest p first."""
        real = self.frame[self.frame["p_adjusted"] < 1 - self.confidence_level]
        return tuple(real.sort_values("p_value", kind="stable")["term"])

    @property
    def finding(self) -> str:
        if not self.differ:
            return f"{self._no_difference}."
        row = next(row for row in self.records if row["term"] == self.differ[0])
        ends = [f"{row[f'{end}_group']}: {points(row[end])}" for end in ("lowest", "highest")]
        named = [f"{row['term']} ({', '.join(ends)})", *self.differ[1:]]
        found = f"{'Over all waves, the' if self.n_waves > 1 else 'The'} NPS differs by {joined(named)}."
        return f"{found} {self._no_difference}." if self._no_difference else found

    @property
    def _no_difference(self) -> str:
        others = self.frame[~self.frame["term"].isin(self.differ)]
        if others.empty:
            return ""
        p = sorted(others["p_adjusted"])
        span = p_text(p[0]) if len(p) == 1 or p[-1] - p[0] < 0.005 else f"p from {p[0]:.2f} to {p[-1]:.2f}"
        named = list(others["term"])
        return f"No difference by {' or '.join(filter(None, (', '.join(named[:-1]), named[-1])))} is proven ({span})"

    @property
    def note(self) -> str:
        together = "All waves together. " if self.n_waves > 1 else ""
        return (
            f"{together}Each grouping is tested for whether its groups have one score; p-values are adjusted "
            "for the number of groupings (Holm). A difference that is not proven may still be there."
        )


def compare_groupings(
    study: Study,
    *,
    by: Sequence[str] | None = None,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> ScoreGroupings:
    """Tell by which groupings the Net Promoter Score differs, with p-values adjusted over all of them (Holm).

    The hypothesis of each test is that all groups of a grouping have one score; groups too small to show take no part.

    Parameters
    ----------
    study : Study
    by : sequence of str, optional
        Groupings: columns of the study, or ``"channel"``, ``"weekday"`` or ``"hour"``. None takes the study's segments
        and those of these three that it records.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        A grouping differs where its adjusted p-value is below one less this level.

    Returns
    -------
    ScoreGroupings

    Raises
    ------
    CannotAnswerError
        If the study records no grouping of at least two groups that can be shown.

    Examples
    --------
    >>> rows = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 2] * 20, "branch": ["North", "South"] * 40})
    >>> found = compare_groupings(Study.from_frames(responses=rows, segments=["branch"]), by=["branch"])
    >>> found.differ, found.frame["p_value"].round(2).tolist()
    ((), [1.0])
    """
    scores: dict[str, NetPromoterScores] = {}
    for name in (*study.segments, *MOMENTS) if by is None else by:
        try:
            counted = score_distribution(study, by=name)
        except CannotAnswerError:
            continue
        found = net_promoter_score(
            counted, promoter_min=promoter_min, detractor_max=detractor_max, confidence_level=confidence_level
        )
        if found.heterogeneity_p_value is not None:
            scores[name] = found
    if not scores:
        raise CannotAnswerError("This study records no grouping of two groups or more with enough answers to compare.")
    rows = []
    for name, found in scores.items():
        ranked = sorted(found.answered, key=lambda row: float(row["estimate"]))
        ends = {"lowest_group": ranked[0]["group"], "lowest": ranked[0]["estimate"]}
        ends |= {"highest_group": ranked[-1]["group"], "highest": ranked[-1]["estimate"]}
        rows.append({"term": name, "n_groups": len(ranked), **ends, "p_value": found.heterogeneity_p_value})
    frame = pd.DataFrame(rows)
    adjusted = adjust_p_values(np.asarray(frame["p_value"], dtype=float))
    scores = {
        name: replace(found, heterogeneity_p_value=float(p), n_groupings=len(scores))
        for (name, found), p in zip(scores.items(), adjusted, strict=True)
    }
    return ScoreGroupings(
        frame=frame.assign(p_adjusted=adjusted),
        confidence_level=confidence_level,
        title="By which groupings the score differs",
        minimum_cell=study.settings.minimum_cell,
        scores=scores,
        n_waves=max(len(study.waves), 1),
    )
