"""How many answers and invitations the next survey needs, if it goes like the last one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nps_research.counting.given import as_distribution, wave_if_any
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import CannotAnswerError
from nps_research.score.sample_size import RequiredResponses, required_responses
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study
from nps_research.typing import Floats


def plan_next_survey(
    dist: ScoreDistribution | Study,
    *,
    margin_of_error: float = 5.0,
    difference: float | None = None,
    beside: Sequence[float] | None = None,
    power: float = 0.8,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
    population: int | None = None,
) -> RequiredResponses:
    """Compute the sample size of the next survey, and its invitations, if it goes like the last one.

    The estimand is that of `required_responses`, with the shares of promoters and detractors and the design
    effect (answers over effective answers) of the distribution's last group that is large enough to show, and the
    answers per invitation of the last one whose window has closed. Invitations that bounced, and forms returned
    without this answer, count as invitations without an answer.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per wave, or of one group; a Study is counted by wave, if it has waves.
    margin_of_error, difference, beside, power, confidence_level, population
        As in `required_responses`.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.

    Returns
    -------
    RequiredResponses

    Raises
    ------
    CannotAnswerError
        If no group is large enough to show, or the last one that is has one cluster only, or answers of one
        class only.
    EstimationError
        As `required_responses` does.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"2018": [40] + [0] * 7 + [80, 0, 80]}, nonrespondents={"2018": 600})
    >>> plan_next_survey(dist).frame.loc[:, ["margin_of_error", "n", "invitations"]].values.tolist()[4]
    [5.0, 861, 3444]
    """
    by = wave_if_any(dist)
    dist = as_distribution(dist, by=by, promoter_min=promoter_min, detractor_max=detractor_max)
    shown = ~dist.hidden & (dist.n > 0)
    if not shown.any():
        raise CannotAnswerError("No group has enough answers to plan the next survey by.")
    place = int(np.flatnonzero(shown)[-1])
    last = dist.groups[place]
    frame = net_promoter_score(dist.group(last)).frame
    names = ("n_effective", "promoter_share", "passive_share", "detractor_share")
    before = {name: float(frame[name].iloc[0]) for name in names}
    n = int(dist.n[place])
    if math.isnan(before["n_effective"]):
        few = f"Fewer than {dist.minimum_cell} clusters, or one with most of the answers" if dist.errors_tell else ""
        raise CannotAnswerError(
            f"{few}: the limits that plans rest on are hidden; more clusters would show them."
            if few
            else "All answers are of one cluster, which does not tell how alike they are within clusters."
        )
    if max(before["promoter_share"], before["detractor_share"], before["passive_share"]) == 1:
        raise CannotAnswerError("All answers fall in one class, which does not tell how much answers vary.")
    rates = dist.n / _invitations_needed(dist)
    known = rates[shown & np.isfinite(rates)]
    plan = required_responses(
        margin_of_error=margin_of_error,
        promoter_share=before["promoter_share"],
        detractor_share=before["detractor_share"],
        confidence_level=confidence_level,
        difference=difference,
        power=power,
        response_rate=float(known[-1]) if len(known) else None,
        population=population,
        design_effect=max(n / before["n_effective"], 1.0),
        beside=beside,
    )
    return replace(plan, like="the last survey" if last == "all" else last, n_like=n)


def _invitations_needed(dist: ScoreDistribution) -> Floats:
    """Invitations per group, those that bounced too; NaN where silence is not known or a window is open."""
    if dist.nonrespondents is None:
        return np.full(len(dist.groups), np.nan)
    others = [dist.item_missing, dist.nonrespondents, dist.not_reached]
    total = dist.n + np.sum([each for each in others if each is not None], axis=0)
    unknown = total == 0 if dist.pending is None else (total == 0) | (dist.pending > 0)
    return np.where(unknown, np.nan, total)
