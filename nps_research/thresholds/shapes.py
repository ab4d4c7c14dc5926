"""Shapes of risk beside each other: how well each predicts, and both lines of three groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from nps_research.results.result import Result
from nps_research.results.words import p_text, quoted
from nps_research.thresholds.evidence.lines import Lines
from nps_research.thresholds.evidence.verdict import MOVE_GAP, SHAPE_GAP, cuts_text


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ThresholdModels(Result):
    """How well shapes of risk predict answers left out.

    `frame` columns: term, deviance (cross-validated, per 1,000 answers), gap (of all answers together, over the
    lowest; divided by the design effect).
    """

    design_effect: float = 1.0

    kind: ClassVar[str] = "threshold_models"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Shape of the risk",
        "deviance": "Deviance per 1,000",
        "gap": "Behind the lowest",
    }
    formats: ClassVar[Mapping[str, str]] = {"deviance": "number", "gap": "width"}

    @property
    def finding(self) -> str:
        if self.frame.empty:
            return "There is nothing to predict."
        best = self._ranked.iloc[0]
        if self._ranked.iloc[1]["gap"] >= SHAPE_GAP:
            return f"{best['term']} predicts answers left out best."
        return f"No shape clearly predicts best; {_in_sentence(best['term'])} is ahead, by too little to tell."

    @property
    def _ranked(self) -> pd.DataFrame:
        return self.frame.sort_values("gap", kind="stable")

    @property
    def details(self) -> str:
        if self.frame.empty:
            return ""
        second = self._ranked.iloc[1]
        return f"The next, {_in_sentence(second['term'])}, is {second['gap']:.1f} behind."

    @property
    def note(self) -> str:
        return (
            "Deviance of answers left out, ten folds twenty times over, the search for the best lines inside; lower is "
            "better. The last column is the difference in all answers together, per independent answer: under "
            f"{SHAPE_GAP:g} is too little to tell two shapes apart, and to move the line {MOVE_GAP:g} are asked for "
            "(set by calibration). Risks may fall with the score, never rise."
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GroupLines(Result):
    """Both lines of three groups, each tested over every place of the other.

    `frame` columns: term (which line), convention, estimate (best), conf_low, conf_high (ends of the confidence set),
    confidence_set (in words). All are the highest score below the line.
    """

    p_value: float
    better: bool

    kind: ClassVar[str] = "group_lines"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {"estimate": "Best", "confidence_set": "Cannot be excluded", "term": "Line"}
    formats: ClassVar[Mapping[str, str]] = {"estimate": "count", "convention": "count"}
    table_columns: ClassVar[tuple[str, ...]] = ("term", "convention", "estimate", "confidence_set")

    @property
    def finding(self) -> str:
        if self.frame.empty:
            return "There are too few outcomes to place two lines."
        if not self.better:
            return f"Three groups are not shown to be better than two ({p_text(self.p_value)})."
        lower, upper = self.frame["confidence_set"]
        return (
            f"Three groups are better than two ({p_text(self.p_value)}). The lower group may end at {lower}, "
            f"the middle one at {upper}."
        )

    @property
    def details(self) -> str:
        if self.frame.empty or self.better:
            return ""
        return "The data place one line at most, and do not say where promoters begin beside it."

    @property
    def note(self) -> str:
        return (
            "Each line is tested by the likelihood ratio of the best three groups, its null distribution drawn under "
            "the best three groups with the line there. Better than two: a p-value under "
            f"{1 - self.confidence_level:.2g} and a lower deviance of answers left out."
        )


def _in_sentence(term: str) -> str:
    return term[:1].lower() + term[1:]


def three_groups(
    pair: tuple[Lines, Lines],
    p_value: float,
    gaps: Mapping[str, float],
    convention: tuple[int, int],
    *,
    confidence_level: float,
    outcome: str,
) -> GroupLines:
    """Both lines as a result; `gaps` are the deviances of answers left out."""
    sets = [line.confidence_set(confidence_level) for line in pair]
    return GroupLines(
        frame=pd.DataFrame(
            {
                "term": ["The lower group ends at", "The middle group ends at"],
                "convention": convention,
                "estimate": [line.best for line in pair],
                "conf_low": [min(cuts) for cuts in sets],
                "conf_high": [max(cuts) for cuts in sets],
                "confidence_set": [cuts_text(cuts) for cuts in sets],
            }
        ),
        confidence_level=confidence_level,
        title=f"Two lines, three groups, by {quoted(outcome)}",
        p_value=p_value,
        better=p_value < 1 - confidence_level and gaps["best_three"] < gaps["best"],
    )
