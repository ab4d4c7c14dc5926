"""One survey counted in several ways: what weights and clusters do to the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution, wave_if_any
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result, without_changes_from
from nps_research.results.words import interval_text, joined, p_text, plain_text, points
from nps_research.score.limits.independent import VALUES
from nps_research.score.score import net_promoter_score
from nps_research.score.scored import CHANGE, described_design, how_sure
from nps_research.score.trend import trend
from nps_research.study.study import Study

PLAIN = "With every answer alike"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DesignComparison(Result):
    """Scores of each wave under several ways of counting; the survey's own design comes last.

    `frame` columns: term (the way of counting), group, n, n_effective, estimate, std_error, conf_low,
    conf_high (the score's), change, change_conf_low, change_conf_high, change_p_value (since the wave
    before). `light` and `heavy` hold, per wave, the score of answers that the weights count less and
    more than the average answer.
    """

    light: Mapping[str, float]
    heavy: Mapping[str, float]
    lone_strata: int = 0

    kind: ClassVar[str] = "design_comparison"
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "group",
        "n",
        "n_effective",
        "estimate",
        "conf_high",
        "change",
        "change_conf_high",
    )
    headings: ClassVar[Mapping[str, str]] = {"term": "Counted", "group": "Wave"}

    @cached_property
    def shown(self) -> pd.DataFrame:
        return without_changes_from(super().shown, list(dict.fromkeys(self.frame["group"])), CHANGE)

    @property
    def finding(self) -> str:
        by_term: dict[str, dict[str, Any]] = {}
        for row in self.records:
            by_term[row["term"]] = row  # the last wave of each way of counting
        if not by_term:
            return "There are too few answers to compare ways of counting."
        own, plain = list(by_term.values())[-1], by_term.get(PLAIN)
        if plain is None or np.isnan(own["change"]):
            scores = [
                f"{points(row['estimate'])} ({interval_text(row, self.confidence_level)})" for row in by_term.values()
            ]
            ways = [f"{score} {term.lower()}" for score, term in zip(scores, by_term, strict=True)]
            return f"The NPS is {joined(ways)}."
        return f"{self._change(own)} {self._change(plain)}" if self.light else self._change(own)

    def _change(self, row: Mapping[str, Any]) -> str:
        moved = f"{row['term']}, the change is {points(row['change'])}"
        if np.isnan(row["change_p_value"]):
            return f"{moved}; how surely cannot be told from these clusters."
        return f"{moved}, {how_sure(row['change_p_value'], self.confidence_level)}."

    @property
    def details(self) -> str:
        by_term = {row["term"]: row for row in self.records}  # the last wave of each way of counting
        said = [
            f"{term}: {interval_text(row, self.confidence_level, prefix='change_')}; {p_text(row['change_p_value'])}."
            for term, row in by_term.items()
            if not np.isnan(row["change_p_value"])
        ]
        return " ".join(said)

    @property
    def note(self) -> str:
        rows = self.records
        if not rows:
            return ""
        own, reasons = rows[-1], []
        if self.light:
            waves = [
                f"in {plain_text(wave)} answers that the weights count below average score "
                f"{points(self.light[wave])}, those they count above it {points(self.heavy[wave])}"
                for wave in self.light
            ]
            reasons.append(
                f"Why they differ: {'; '.join(waves)}. The weights undo that the first were interviewed more often "
                "than their share."
            )
        if not np.isnan(own["n_effective"]):
            reasons.append(
                f"The {own['n']:,} answers of {plain_text(own['group'])} tell as much as {own['n_effective']:,.0f} "
                "independent, equally weighted ones would: the effective answers."
            )
        if self.lone_strata:
            reasons.append(f"Strata with one cluster, centred at the overall score: {self.lone_strata:,}.")
        return f"{' '.join(reasons)} The survey's own design comes last; it is the one to report."

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']}, {plain_text(row['group'])}: {points(row['estimate'])}, "
            f"{interval_text(row, self.confidence_level)}"
            for row in self.records
        ]
        return f"NPS of each wave with interval bars under each way of counting: {'; '.join(rows)}."


def compare_designs(
    study: Study, *, promoter_min: int | None = None, detractor_max: int | None = None, confidence_level: float = 0.95
) -> DesignComparison:
    """Compare the Net Promoter Score with every answer alike, weighted, and by the survey's whole design.

    Of waves, the last two are compared.

    Parameters
    ----------
    study : Study
        The study; it must declare a design weight, a cluster or strata. Without waves it is taken as one group.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    DesignComparison

    Raises
    ------
    CannotAnswerError
        If the study declares neither weights nor clusters nor strata, and nobody answered twice.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 7], "design_weight": [1, 1, 4, 1.0]})
    >>> study = Study.from_frames(responses=table, settings={"minimum_cell": 1})
    >>> compare_designs(study).frame["estimate"].round(1).tolist()
    [25.0, -28.6]
    """
    by = wave_if_any(study)

    def counted(**how: None) -> ScoreDistribution:
        return as_distribution(study, by=by, promoter_min=promoter_min, detractor_max=detractor_max, **how)

    own = counted()
    weighted, clustered, stratified = (name in own.design for name in ("weight", "cluster", "stratum"))
    parts_of_design = ["weighted"] * weighted + ["clustered"] * clustered + ["stratified"] * stratified
    if not parts_of_design:
        raise CannotAnswerError(
            own.design.get("weight_not_used")
            or "This study declares neither weights nor clusters nor strata: its answers count in one way."
        )
    ways = {PLAIN: counted(cluster=None, weight=None)}
    if weighted and len(parts_of_design) > 1:
        ways["Weighted"] = counted(cluster=None)
    if clustered and stratified:
        ways[joined(parts_of_design[:-1]).capitalize()] = counted(stratum=None)
    ways[joined(parts_of_design).capitalize()] = own
    columns = ["group", "n", "n_effective", "estimate", "std_error", "conf_low", "conf_high"]
    parts = []
    for term, whole in ways.items():
        dist = whole.select(whole.groups[-2:]) if whole.ordered else whole
        scores = net_promoter_score(dist, confidence_level=confidence_level)
        part = scores.frame[columns].assign(term=term)
        if dist.ordered:
            part = part.join(trend(dist, confidence_level=confidence_level).frame[[*CHANGE]])
        else:
            part[[*CHANGE]] = np.nan
        parts.append(part[["term", *columns, *CHANGE]])
    light, heavy = _by_weight(study, own.select(own.groups[-2:]) if own.ordered else own) if weighted else ({}, {})
    return DesignComparison(
        frame=pd.concat(parts, ignore_index=True),
        confidence_level=confidence_level,
        title="The same answers, counted in several ways",
        minimum_cell=study.settings.minimum_cell,
        hidden=own.hidden_groups,
        light=light,
        heavy=heavy,
        lone_strata=int(described_design(own).get("lone_strata", "0")),
    )


def _by_weight(study: Study, own: ScoreDistribution) -> tuple[dict[str, float], dict[str, float]]:
    """Per group, the score of answers weighted below and above the group's mean weight."""
    answered = study.responses[study.responses["response_state"] == "answered"]
    classes = own.classes(np.eye(11)) @ VALUES
    value = pd.Series(classes[answered["likelihood_to_recommend"].to_numpy(dtype=int)], index=answered.index)
    groups = answered["wave"] if own.by == ("wave",) else pd.Series("all", index=answered.index)
    weight = answered["design_weight"]
    above = weight > weight.groupby(groups).transform("mean")
    fewest = min(side.groupby(groups).sum().reindex(own.groups, fill_value=0).min() for side in (above, ~above))
    if fewest < max(study.settings.minimum_cell, 1):
        return {}, {}
    scores = [value[side].groupby(groups[side]).mean() for side in (~above, above)]
    named = [group for group in own.groups if group not in own.hidden_groups]
    light, heavy = ({group: float(score[group]) for group in named if group in score} for score in scores)
    return light, heavy
