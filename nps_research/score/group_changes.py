"""Scores of a grouping's groups in the last wave, each with its change from the wave before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.results.words import joined, plain_text, points
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.score import net_promoter_score
from nps_research.score.scored import ByLines
from nps_research.study.study import Study

MOST_GROUPS_NAMED = 6  # in the line of a report's first page


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GroupChanges(ByLines):
    """Scores of groups now, the lowest first, and what they were a wave before.

    `frame` columns: group, n, estimate, conf_low, conf_high (the score's), change, change_conf_low, change_conf_high,
    p_adjusted (the change's, over all groups). Only groups that can be shown are in it, and a change is blank where
    the group could not be shown in the wave before.

    Attributes
    ----------
    by, wave, before : str
        The grouping, the last wave and the one before.
    left_out : int
        How many groups cannot be shown.
    """

    by: str
    wave: str
    before: str
    left_out: int = 0

    kind: ClassVar[str] = "group_changes"
    has_figure: ClassVar[bool] = False
    table_columns: ClassVar[tuple[str, ...]] = (
        *("group", "n", "estimate", "conf_high", "change", "change_conf_high", "p_adjusted"),
    )

    @property
    def n_hidden(self) -> int:
        return self.left_out

    @property
    def proven(self) -> list[dict[str, Any]]:
        """The groups whose change is more than chance explains."""
        return [row for row in self.records if row["p_adjusted"] < 1 - self.confidence_level]

    @property
    def finding(self) -> str:
        lowest, highest = self.records[0], self.records[-1]
        ends = f"{points(lowest['estimate'])} ({lowest['group']}) to {points(highest['estimate'])} ({highest['group']})"
        return f"In {plain_text(self.wave)}, the NPS by {plain_text(self.by)} runs from {ends}. {self._changes}"

    @property
    def _changes(self) -> str:
        since = f"since {plain_text(self.before)}"
        if not self.proven:
            return f"No change {since} is proven."
        named = [f"{row['group']} ({points(row['change'])})" for row in self.proven[:2]]
        more = f" and {len(self.proven) - 2} more" if len(self.proven) > 2 else ""
        return f"More than chance explains {since}: {joined(named)}{more}."

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        if len(self.records) > MOST_GROUPS_NAMED:
            return {"groups": self.finding}
        said = [f"{plain_text(row['group'])} {points(row['estimate'])}{_in_brackets(row)}" for row in self.records]
        since = f"in {plain_text(self.wave)} (and since {plain_text(self.before)})"
        return {"groups": f"NPS by {plain_text(self.by)} {since}: {joined(said)}. {self._changes}"}

    @property
    def note(self) -> str:
        return (
            f"{self.lines} Changes since {plain_text(self.before)}, in NPS points; limits are for each group by "
            "itself, p-values adjusted for the number of groups (Holm)."
        )


def _in_brackets(row: Mapping[str, Any]) -> str:
    return "" if np.isnan(row["change"]) else f" ({points(row['change'])})"


def compare_groups_now(
    study: Study,
    *,
    by: str | None = None,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> GroupChanges:
    """Score the groups of a grouping in the last wave, and tell by how much each changed since the wave before.

    The estimands are each group's score in the last wave and its difference from the wave before. A group within a wave
    that shared pages must not show takes no part.

    Parameters
    ----------
    study : Study
    by : str, optional
        A column of the study; None takes its first segment.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits; a change is proven where its adjusted p-value is below one less this level.

    Returns
    -------
    GroupChanges

    Raises
    ------
    CannotAnswerError
        If the study records no segments or fewer than two waves, or has no two groups that can be shown.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 2] * 80, "branch": ["North", "South"] * 160})
    >>> rows["wave"] = ["2024"] * 160 + ["2025"] * 160
    >>> found = compare_groups_now(Study.from_frames(responses=rows, segments=["branch"]))
    >>> found.frame[["group", "estimate", "change"]].values.tolist()
    [['North', 0.0, 0.0], ['South', 0.0, 0.0]]
    """
    study.require("responses.segments", "responses.wave")
    by = by or next(iter(study.segments))
    if len(study.waves) < 2:
        raise CannotAnswerError("There is one wave only: to see what changed, an earlier one is needed.")
    before, now = study.waves[-2:]
    counted = score_distribution(study, by=[by, "wave"])
    lines: dict[str, Any] = {"promoter_min": promoter_min, "detractor_max": detractor_max}
    scores = net_promoter_score(counted, confidence_level=confidence_level, **lines)
    known = scores.shown[scores.shown["estimate"].notna()]
    last = known[known["wave"] == now]
    if len(last) < 2:
        raise CannotAnswerError("There are no two groups with enough answers in the last wave to compare.")
    both = [name for name in last[by] if ((known[by] == name) & (known["wave"] == before)).any()]
    frame = last[["group", by, "n", "estimate", "conf_low", "conf_high"]].reset_index(drop=True)
    moved = ["change", "change_conf_low", "change_conf_high", "p_adjusted"]
    frame[moved] = np.nan
    if both:
        pairs = [((name, before), (name, now)) for name in both]
        changes = compare_net_promoter_scores(counted, pairs=pairs, confidence_level=confidence_level, **lines).shown
        found = changes.set_index("group_b")[["estimate", "conf_low", "conf_high", "p_adjusted"]]
        frame[moved] = found.reindex(frame["group"]).to_numpy()
    frame = frame.assign(group=frame[by]).drop(columns=[by]) if by != "group" else frame
    return GroupChanges(
        frame=frame.sort_values("estimate", kind="stable").reset_index(drop=True),
        confidence_level=confidence_level,
        title=f"Net Promoter Score by {plain_text(by)} in {plain_text(now)}, and its change since {plain_text(before)}",
        minimum_cell=study.settings.minimum_cell,
        hidden=frozenset(),
        by=by,
        wave=now,
        before=before,
        left_out=int((scores.frame["wave"] == now).sum()) - len(last),
        promoter_min=scores.promoter_min,
        detractor_max=scores.detractor_max,
    )
