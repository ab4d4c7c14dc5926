"""Whose problems they are: the front line's, head office's or nobody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import CannotAnswerError
from nps_research.problems.enough import LEAST_WITH
from nps_research.problems.mentions import Drawn, Mentions, mentions_of, share_limits, wave_that_asked
from nps_research.problems.points import recoded_answers
from nps_research.results.result import Result
from nps_research.results.words import format_interval, points, share
from nps_research.statistics.distributions import t_ppf
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

OWNERS = ("front line", "head office", "nobody")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProblemOwners(Result):
    """Who can mend the problems that detractors have, and the NPS points that go with each one's problems.

    `frame` columns: group (who owns the problem), n (detractors), events (of these, with a problem of that owner),
    estimate (their share, with conf_low, conf_high), points (NPS points that go with the owner's problems, of all
    answers, with limits). A detractor may have problems of several owners.

    Attributes
    ----------
    wave : str
    """

    wave: str = ""

    kind: ClassVar[str] = "problem_owners"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Problems of",
        "n": "Detractors",
        "events": "With such a problem",
        "estimate": "Share of detractors",
        "points": "NPS points that go with them",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share", "points": "points"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "group",
        "events",
        "estimate",
        "conf_high",
        "points",
        "points_conf_high",
    )

    @property
    def finding(self) -> str:
        rows = sorted(self.records, key=lambda row: -float(row["estimate"]))
        if not rows:
            return "There are too few detractors to say whose problems they have."
        first = rows[0]
        of = f"of {first['group']}" if first["group"] != "nobody" else "that nobody owns"
        with_points = (
            f"; {points(first['points'])} NPS points go with them" if first["points"] == first["points"] else ""
        )
        return f"{share(first['estimate'])} of detractors have a problem {of}{with_points}."

    @property
    def details(self) -> str:
        said = [
            f"{row['group']}: {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        ]
        return f"Of detractors with a problem of {'; '.join(said)}." if said else ""

    @property
    def note(self) -> str:
        return (
            "Base: detractors by the study's line, in the last wave that asked for problems. One may have problems of "
            "several owners, so shares add up to more than all. What the front line cannot mend comes back however "
            "well it calls. NPS points: those that go with its problems (09_problems); only an association."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['group']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        ]
        return f"Points with intervals, the share of detractors with a problem of each owner: {'; '.join(rows)}."


def _owned(study: Study) -> Mentions:
    """Answers that name problems, of which some have an owner."""
    study.require("responses.likelihood_to_recommend")
    found = mentions_of(study)
    if not any(study.problems[code].owner for code in found.codes if code in study.problems):
        raise CannotAnswerError("No problem has an owner: state owner under [problems.NAME] in study.toml.")
    return found.where((found.rows["response_state"] == "answered").to_numpy())


@begins_with(_owned)
def problem_owners(study: Study, *, wave: str | None = None, confidence_level: float = 0.95) -> ProblemOwners:
    """Say whose problems detractors have, and how many NPS points go with each owner's problems.

    The estimands are, among detractors, the share with at least one problem of an owner; and, among all answers, share
    times coefficient summed over the owner's problems, as in `pain_map`.

    Parameters
    ----------
    study : Study
        Its problems have owners.
    wave : str, optional
        None takes the last that asked.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    ProblemOwners

    Raises
    ------
    CannotAnswerError
        If no survey asked for problems, none has an owner, or there are fewer than ten detractors.
    """
    check_level(confidence_level)
    asked = _owned(study)
    chosen = wave_that_asked(study, asked, wave)
    found = asked.where((asked.rows["wave"] == chosen).to_numpy()) if chosen else asked
    owner = np.array(
        [study.problems[code].owner if code in study.problems else None for code in found.codes], dtype=object
    )
    y = recoded_answers(study, found)
    low = y < 0
    if low.sum() < max(LEAST_WITH, study.settings.minimum_cell):
        raise CannotAnswerError("There are too few detractors in this wave to say whose problems they have.")
    drawn = Drawn.of(study, found.rows)
    of_low = Drawn(weight=drawn.weight[low], cluster=np.unique(drawn.cluster[low], return_inverse=True)[1])
    part = of_low.weight / of_low.weight.sum()
    names = [name for name in OWNERS if (owner == name).any()]
    has = np.stack([found.has[:, owner == name].any(axis=1) for name in names], axis=1)
    value = part @ has[low]
    ends = share_limits(
        value, of_low.linearized(part[:, None] * (has[low] - value)), of_low, confidence_level=confidence_level
    )
    frame = pd.DataFrame({"group": names, "n": int(low.sum()), "events": has[low].sum(axis=0), "estimate": value})
    frame["conf_low"], frame["conf_high"] = ends
    frame[["points", "points_conf_low", "points_conf_high"]] = _points(found, y, owner, names, drawn, confidence_level)
    hidden = chosen in groups_not_shown(study, ["wave"] if chosen else [])
    return ProblemOwners(
        frame=frame.iloc[:0] if hidden else frame,
        confidence_level=confidence_level,
        title="Whose problems detractors have" + (f", {chosen}" if chosen and not hidden else ""),
        minimum_cell=study.settings.minimum_cell,
        wave="" if hidden else chosen,
    )


def _points(
    found: Mentions, y: np.ndarray, owner: np.ndarray, names: list[str], drawn: Drawn, confidence_level: float
) -> np.ndarray:
    """NPS points that go with each owner's problems, and their limits."""
    enough = (found.has.sum(axis=0) >= LEAST_WITH) & ~found.praise
    weight = drawn.weight / drawn.weight.sum()
    x = np.column_stack([np.ones(len(y)), found.has[:, enough]]).astype(float)
    bread = np.linalg.pinv((x * weight[:, None]).T @ x, hermitian=True, rcond=1e-10)
    slopes = bread @ (x.T @ (weight * y))
    errors = (x * (weight * (y - x @ slopes))[:, None]) @ bread
    share_of = weight @ found.has[:, enough]
    of_share = weight[:, None] * (found.has[:, enough] - share_of)
    each, influence = share_of * slopes[1:], share_of * errors[:, 1:] + slopes[1:] * of_share
    rows = []
    for name in names:
        own = owner[enough] == name
        of = drawn.linearized(influence[:, own].sum(axis=1, keepdims=True))
        reach = t_ppf(0.5 + confidence_level / 2, max(float(of.degrees.min()), 1.0)) * np.sqrt(of.covariance[0, 0])
        total = float(each[own].sum()) if own.any() else np.nan
        rows.append((total, total - reach, total + reach))
    return np.array(rows, dtype=float)
