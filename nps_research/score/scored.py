"""What results of scores share: the study's lines, and in words how a score was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.results.result import Result
from nps_research.results.words import column_in_words, interval_text, plain_text, points
from nps_research.score.limits.methods import METHOD_WORDS, LimitsMethod

NO_SCORE = "There is no score to show: no group has enough answers."
NO_SCORE_BESIDE = (
    "There is no score to show: a group has fewer than {} answers, which could be worked out from the others and "
    "the total."
)
HIDDEN_SCORE = (
    "The score is hidden: few accounts, people or answers count in it, or one for nearly all, and what they answered "
    "could be worked out. Answers of others would show it."
)
LIKELY = 0.2  # a p-value below which a change that is not proven is called likely
CHANGE = ("change", "change_conf_low", "change_conf_high", "change_p_value")  # since the wave before


def no_score(result: Result) -> str:
    """Why a result shows no score: no group has enough answers, or those that have would give another away."""
    if result.few_units:
        return HIDDEN_SCORE
    enough = bool(result.minimum_cell) and bool((result.frame["n"] >= result.minimum_cell).any())
    return NO_SCORE_BESIDE.format(result.minimum_cell) if enough else NO_SCORE


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ByLines(Result):
    """A result of scores, which depend on where detractors end and promoters begin."""

    promoter_min: int = 9
    detractor_max: int = 6

    @property
    def answered(self) -> list[dict[str, Any]]:
        """The shown groups that have answers."""
        return [row for row in self.records if row["n"] > 0]

    @property
    def lines(self) -> str:
        """Who promoters and detractors are, in words."""
        return f"Promoters {self.promoter_min}-10, detractors 0-{self.detractor_max}."

    def ends(self, *rows: Mapping[str, Any]) -> str:
        """From the score of one group to that of another, with their intervals."""
        return " to ".join(
            f"{points(row['estimate'])} ({plain_text(row['group'])}; {interval_text(row, self.confidence_level)})"
            for row in rows
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scored(ByLines):
    """Scores of groups, each with its limits, and how they were made."""

    method: LimitsMethod = "score"
    design: Mapping[str, str]
    target: float | None = None

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().settings.items() if name != "target" or value is not None}

    def held_against_target(self, row: Mapping[str, Any]) -> str:
        """Whether a score reaches the study's target, in a sentence; empty where there is none, or no interval."""
        if self.target is None or self.design.get("weight") == "revenue" or np.isnan(row["conf_low"]):
            return ""
        named = f"the target of {points(self.target).removesuffix('.0')}"
        apart = f"{abs(row['estimate'] - self.target):.1f} points"
        if row["conf_low"] >= self.target:
            return f"It is above {named} by {apart}, more than the margin of the survey."
        if row["conf_high"] < self.target:
            return f"It is below {named} by {apart}, more than the margin of the survey."
        return f"Whether {named} is reached is within the margin of the survey."

    @property
    def note(self) -> str:
        weight, cluster = (column_in_words(self.design.get(name, "")) for name in ("weight", "cluster"))
        said = [
            self.lines,
            f"Limits: {METHOD_WORDS[self.method]}.",
            f"Weighted by {weight}." if weight else self.design.get("weight_not_used", "Every answer counts the same."),
            f"Answers within one {cluster} are taken as alike." if cluster else "Answers are taken as independent.",
        ]
        further = {
            "stratum": "Drawn in strata ({}).",
            "lone_strata": "Strata with one cluster, centred at the overall score: {}.",
            "without_revenue": "Left out, as their revenue is not known: {}.",
            "zero_revenue": "Without weight, as they bring in nothing: {}.",
        }
        return " ".join([*said, *(words.format(self.design[of]) for of, words in further.items() if of in self.design)])

    def each(self, rows: list[dict[str, Any]]) -> str:
        """The score of each group with its interval, for the figure in words."""
        return "; ".join(
            f"{plain_text(row['group'])} {points(row['estimate'])}, {interval_text(row, self.confidence_level)}"
            for row in rows
        )


def how_sure(p_value: float, confidence_level: float) -> str:
    """How sure a change of scores is, as every sentence says it."""
    if p_value < 1 - confidence_level:
        return "more than chance explains"
    return "likely but not proven" if p_value < LIKELY else "within the margin of the survey"


def described_design(dist: ScoreDistribution) -> dict[str, str]:
    """How the answers were gathered, and how many strata have one cluster, which tells not how its like differ."""
    _, sizes = dist.clusters.stratum_codes if dist.clusters is not None else (None, None)
    lone = 0 if sizes is None else int((sizes == 1).sum())
    return {**dist.design, **({"lone_strata": f"{lone:,}"} if lone else {})}
