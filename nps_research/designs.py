"""One survey counted in several ways: what weights and clusters do to the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.intervals import classify
from nps_research.result import Result
from nps_research.score import net_promoter_score
from nps_research.tables import plain_text
from nps_research.waves import trend
from nps_research.wording import interval_text, joined, p_text, points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from nps_research.distribution import ScoreDistribution
    from nps_research.study import Study

__all__ = ["DesignComparison", "compare_designs"]

PLAIN = "Every answer alike"


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

    kind: ClassVar[str] = "design_comparison"
    headings: ClassVar[Mapping[str, str]] = {"term": "Counted", "group": "Wave"}

    @property
    def finding(self) -> str:
        by_term: dict[str, dict[str, Any]] = {}
        for row in self.records:
            by_term[row["term"]] = row  # the last wave of each way of counting
        if not by_term:
            return "There are too few answers to compare ways of counting."
        own, plain = list(by_term.values())[-1], by_term.get(PLAIN)
        if plain is None or np.isnan(own["change"]):
            return " ".join(
                f"{term}: {points(row['estimate'])} ({interval_text(row, self.confidence_level)})."
                for term, row in by_term.items()
            )
        if not self.light:
            ratio = float(np.sqrt(own["n_effective"] / plain["n_effective"]))
            off = f"{abs(1 - ratio):.0%} too {'narrow' if ratio < 1 else 'wide'}"
            return (
                f"{self._change(own)} Answers of one cluster are alike, so the {own['n']:,} answers of "
                f"{plain_text(own['group'])} tell as much as {own['n_effective']:,.0f} independent ones: with every "
                f"answer taken as independent, limits would be {off}."
            )
        return f"{self._change(own)} {self._change(plain)} {self._why(own, plain)}"

    def _change(self, row: Mapping[str, Any]) -> str:
        limits = interval_text(row, self.confidence_level, prefix="change_")
        verdict = "established" if row["change_p_value"] < 1 - self.confidence_level else "not established"
        p = p_text(row["change_p_value"])
        return f"{row['term']}, the change is {points(row['change'])} ({limits}; p {p}): {verdict}."

    def _why(self, own: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
        """The reasons why the ways differ, from the data."""
        scores = joined(
            [
                f"in {plain_text(wave)} answers that the weights count below average score "
                f"{points(self.light[wave])}, those counted above it {points(self.heavy[wave])}"
                for wave in self.light
            ]
        )
        reasons = [f"the weights undo who was interviewed more often than their share ({scores})"]
        if own["n_effective"] < plain["n_effective"]:
            reasons.append(
                f"weights and clusters leave the {own['n']:,} answers of {plain_text(own['group'])} as much "
                f"information as {own['n_effective']:,.0f} independent ones"
            )
        return f"They differ because {'; and because '.join(reasons)}."

    @property
    def note(self) -> str:
        return (
            "The survey's own design comes last; it is the one to report. Effective answers: how many independent, "
            "equally weighted answers would give the same standard error."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']}, {plain_text(row['group'])}: {points(row['estimate'])}, "
            f"{interval_text(row, self.confidence_level)}"
            for row in self.records
        ]
        return f"NPS of each wave with interval bars under each way of counting: {'; '.join(rows)}."

    def plot(self, ax: Axes | None = None) -> Axes:
        from nps_research.figures import plot_designs

        return plot_designs(self, ax)


def compare_designs(study: Study, *, by: str | None = "wave", confidence_level: float = 0.95) -> DesignComparison:
    """The Net Promoter Score with every answer alike, then weighted, then by the survey's whole design.

    Parameters
    ----------
    study : Study
        The study; it must declare a design weight or a cluster.
    by : str, optional
        Column to group by; a study without waves is taken as one group.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    DesignComparison

    Raises
    ------
    CannotAnswerError
        If the study declares neither weights nor clusters.

    Examples
    --------
    >>> from nps_research.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 7], "design_weight": [1, 1, 4, 1.0]})
    >>> compare_designs(Study.from_frames(responses=table)).frame["estimate"].round(1).tolist()
    [25.0, -28.6]
    """
    by = by if by != "wave" or study.waves else None
    own = score_distribution(study, by=by)
    weighted, clustered = "weight" in own.design, "cluster" in own.design
    if not weighted and not clustered:
        raise CannotAnswerError("This study declares neither weights nor clusters: its answers count in one way.")
    ways = {PLAIN: score_distribution(study, by=by, cluster=None, weight=None)}
    if weighted and clustered:
        ways["Weighted"] = score_distribution(study, by=by, cluster=None)
    ways[" and ".join(["Weighted"] * weighted + ["clustered"] * clustered).capitalize()] = own
    columns = ["group", "n", "n_effective", "estimate", "std_error", "conf_low", "conf_high"]
    moved = ["change", "change_conf_low", "change_conf_high", "change_p_value"]
    parts = []
    for term, dist in ways.items():
        part = (
            net_promoter_score(dist, confidence_level=confidence_level, **_cuts(study)).frame[columns].assign(term=term)
        )
        if dist.ordered:
            part = part.join(trend(dist, confidence_level=confidence_level, **_cuts(study)).frame[moved])
        else:
            part[moved] = np.nan
        parts.append(part[["term", *columns, *moved]])
    light, heavy = _by_weight(study, own) if weighted else ({}, {})
    return DesignComparison(
        frame=pd.concat(parts, ignore_index=True),
        confidence_level=confidence_level,
        title="The same answers, counted in several ways",
        minimum_cell=study.settings.minimum_cell,
        light=light,
        heavy=heavy,
    )


def _cuts(study: Study) -> dict[str, Any]:
    return {"promoter_min": study.settings.promoter_min, "detractor_max": study.settings.detractor_max}


def _by_weight(study: Study, own: ScoreDistribution) -> tuple[dict[str, float], dict[str, float]]:
    """Per group, the score of answers weighted below and above the group's mean weight."""
    answered = study.responses[study.responses["response_state"] == "answered"]
    classes = classify(np.eye(11), **_cuts(study)) @ np.array([-100.0, 0.0, 100.0])
    value = pd.Series(classes[answered["likelihood_to_recommend"].to_numpy(dtype=int)], index=answered.index)
    groups = answered["wave"] if own.by == ("wave",) else pd.Series("all", index=answered.index)
    weight = answered["design_weight"]
    above = weight > weight.groupby(groups).transform("mean")
    if not above.groupby(groups).any().all():
        return {}, {}
    scores = [value[side].groupby(groups[side]).mean() for side in (~above, above)]
    light, heavy = ({group: float(score[group]) for group in own.groups if group in score} for score in scores)
    return light, heavy
