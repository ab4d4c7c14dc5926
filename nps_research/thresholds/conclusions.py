"""What moving the line would change: scores, order of groups and direction of changes under two lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution, wave_if_any
from nps_research.counting.score_bands import band_text
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.result import without_changes_from
from nps_research.results.words import joined, plain_text, points
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.score import net_promoter_score
from nps_research.score.scored import CHANGE, ByLines, no_score
from nps_research.study.study import Study

NO_CHANGE = 0.05  # points; shown as 0.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LineConclusions(ByLines):
    """Scores of groups under two lines.

    `frame` columns: group, n, estimate, conf_low, conf_high (the convention's); other, other_conf_low,
    other_conf_high (the other line's). Groups in order of time: change, change_conf_low, change_conf_high,
    change_p_value against the group before, and the same with other_. Else: rank, other_rank (1 is the highest of
    those that pages may show).
    """

    other: int = 3
    ordered: bool = False
    by: tuple[str, ...] = ()

    kind: ClassVar[str] = "conclusions_by_line"
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("other", "other_change"), "points"),
        "other_change_p_value": "p",
        **dict.fromkeys(("rank", "other_rank"), "count"),
    }

    @property
    def headings(self) -> Mapping[str, str]:  # type: ignore[override]
        own, others = (
            band_text(0, line).replace("-", "\N{NON-BREAKING HYPHEN}") for line in (self.detractor_max, self.other)
        )
        return {
            "estimate": f"NPS, {own}",
            "other": f"NPS, {others}",
            "change": f"Change, {own}",
            "other_change": f"Change, {others}",
            "rank": f"Rank, {own}",
            "other_rank": f"Rank, {others}",
        }

    @property
    def table_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        if self.ordered:
            changes = ("change", "change_conf_high", "other_change", "other_change_conf_high")
            return ("group", "n", "estimate", "other", *changes)
        return ("group", "n", "estimate", "conf_high", "other", "other_conf_high", "rank", "other_rank")

    @cached_property
    def shown(self) -> pd.DataFrame:
        shown = super().shown
        if not self.ordered:
            return shown
        return without_changes_from(shown, list(self.frame["group"]), [*CHANGE, *(f"other_{name}" for name in CHANGE)])

    @property
    def finding(self) -> str:
        rows = self.answered
        if len(rows) < 2:
            one = "".join(f" the NPS is {points(row['other'])} instead of {points(row['estimate'])}." for row in rows)
            return f"{self._lines}{one}" if one else no_score(self)
        return f"{self._lines}, {self._of_changes(rows)[0] if self.ordered else self._of_order(rows)}."

    @property
    def details(self) -> str:
        rows = self.answered
        return self._of_changes(rows)[1] if self.ordered and len(rows) > 1 else ""

    @property
    def _lines(self) -> str:
        return f"With detractors {band_text(0, self.other)} instead of {band_text(0, self.detractor_max)}"

    def _of_changes(self, rows: list[dict[str, float]]) -> tuple[str, str]:
        """What happens to directions, and to what is more than chance."""
        known = [row for row in rows if not np.isnan(row["change"])]
        if not known:
            return "no change can be compared", ""
        seen = [row for row in known if min(abs(row["change"]), abs(row["other_change"])) >= NO_CHANGE]
        turned = [row for row in seen if row["change"] * row["other_change"] < 0]
        level = 1 - self.confidence_level
        differ = [row for row in known if (row["change_p_value"] < level) != (row["other_change_p_value"] < level)]
        of = "every change keeps its direction, or is practically none"
        if turned:
            clear = any(min(row["change_p_value"], row["other_change_p_value"]) < level for row in turned)
            of = f"{len(turned)} of {len(known)} changes point the other way" + (
                "" if clear else ", none of them more than chance explains"
            )
        if not differ:
            return of, "The same changes are more than chance explains, each by itself."
        named = joined([str(row["group"]) for row in differ])
        return of, f"Whether a change is more than chance explains differs for {named}, each change by itself."

    def _of_order(self, rows: list[dict[str, float]]) -> str:
        pairs = list(combinations(rows, 2))
        turned = [(a, b) for a, b in pairs if (a["estimate"] - b["estimate"]) * (a["other"] - b["other"]) < 0]
        if not turned:
            return f"the order of the {len(rows)} groups stays as it is"
        clear = [pair for pair in turned if any(_differ(*pair, name) for name in ("estimate", "other"))]
        if not clear:
            return "no two groups change places that are apart by more than chance explains"
        first = min(rows, key=lambda row: row["rank"])
        then = min(rows, key=lambda row: row["other_rank"])
        lead = (
            f"{plain_text(first['group'])} stays first"
            if first is then
            else f"{plain_text(then['group'])} is first, not {plain_text(first['group'])}"
        )
        moved = "the two groups" if len(rows) == 2 else f"{len(clear)} of {len(pairs)} pairs of groups"
        return f"{moved} change places, by more than chance explains under one of the lines; {lead}"

    @property
    def note(self) -> str:
        return (
            f"Promoters {band_text(self.promoter_min, 10)}. Scores under two lines are not to be compared: the lower "
            "line counts fewer detractors and gives the higher score. Limits and p-values are not adjusted."
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{plain_text(row['group'])}: {points(row['estimate'])} and {points(row['other'])}" for row in self.records
        )
        lines = f"{band_text(0, self.detractor_max)} and {band_text(0, self.other)}"
        return f"NPS of each group with detractors {lines}: {rows}."


def _differ(one: Mapping[str, float], other: Mapping[str, float], name: str) -> bool:
    """Whether two scores, of groups taken as independent, differ by more than their limits together."""
    limits = "conf_{}" if name == "estimate" else f"{name}_conf_{{}}"
    halves = [(row[limits.format("high")] - row[limits.format("low")]) / 2 for row in (one, other)]
    return bool(abs(one[name] - other[name]) > np.hypot(halves[0], halves[1]))


def conclusions_by_line(
    dist: ScoreDistribution | Study,
    *,
    detractor_max: int | None = None,
    other: int | None = None,
    promoter_min: int | None = None,
    confidence_level: float = 0.95,
) -> LineConclusions:
    """Compare scores, ranks and changes of groups under two lines where detractors end.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; groups in order of time are compared with the one before, others ranked. A Study is counted
        by wave, if it has waves.
    detractor_max, other : int, optional
        Highest detractor answers; None takes the study's, and as the other 3 (6, where the study's is 3).
    promoter_min : int, optional
        Lowest promoter answer; None takes the study's.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    LineConclusions

    Raises
    ------
    EstimationError
        If the two lines are one, or as `net_promoter_score`.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"a": [0] * 5 + [6, 0, 0, 0, 0, 14], "b": [4] + [0] * 7 + [4, 0, 12]})
    >>> conclusions_by_line(dist).frame[["rank", "other_rank"]].values.tolist()
    [[2, 1], [1, 2]]
    """
    by = wave_if_any(dist)
    dist = as_distribution(dist, by=by, promoter_min=promoter_min, detractor_max=detractor_max)
    other = dist.lines_compared[-1] if other is None else other
    if other == dist.detractor_max:
        raise EstimationError(f"detractor_max and other are both {other}: two lines are needed.")
    columns = ["estimate", "conf_low", "conf_high"]
    both = (dist, dist.with_lines(None, other))
    own, others = (net_promoter_score(each, confidence_level=confidence_level).frame for each in both)
    frame = own[["group", "n", *columns]].join(
        others[columns].add_prefix("other_").rename(columns={"other_estimate": "other"})
    )
    if dist.ordered and len(dist.groups) > 1:
        for prefix, each in zip(("", "other_"), both, strict=True):
            changes = compare_net_promoter_scores(
                each, pairs="consecutive", adjust="none", confidence_level=confidence_level
            ).frame
            names = dict(zip(("estimate", "conf_low", "conf_high", "p_value"), CHANGE, strict=True))
            of_group = changes.set_index("group_b")[list(names)].rename(columns=names).add_prefix(prefix)
            frame = frame.join(of_group, on="group")
    else:
        for prefix in ("", "other_"):
            score = frame[prefix.rstrip("_") or "estimate"].mask(frame["group"].isin(dist.hidden_groups))
            frame[f"{prefix}rank"] = score.rank(ascending=False, method="min").astype("Int64")
    return LineConclusions(
        frame=dist.with_keys(frame),
        confidence_level=confidence_level,
        title=f"What another line would change{dist.by_words}",
        **dist.of_results,
        other=other,
        ordered=dist.ordered and len(dist.groups) > 1,
        by=dist.by,
    )
