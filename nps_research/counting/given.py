"""What a function of counts is handed: counts, or a Study that it counts itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import CHURNED, outcome_by_score, yes_no_outcomes
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError, EstimationError
from nps_research.results.words import joined
from nps_research.study.study import Study


def as_distribution(
    given: ScoreDistribution | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    by: str | Sequence[str] | None = None,
    **counted: Any,
) -> ScoreDistribution:
    """Take the distribution given, or count the study's, with the lines that hold: those named, else its own.

    Parameters
    ----------
    given : ScoreDistribution or Study
        A Study is counted by `score_distribution`.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    by, **counted
        As `score_distribution` takes them; not used where a distribution is given.

    Raises
    ------
    TypeError
        If neither is given.
    EstimationError
        If the lines are impossible.

    Examples
    --------
    >>> as_distribution(ScoreDistribution.from_counts({"all": [1] * 11}), detractor_max=3).detractor_max
    3
    """
    if isinstance(given, Study):
        given = score_distribution(given, by=by, **counted)
    elif not isinstance(given, ScoreDistribution):
        raise _neither("ScoreDistribution, as score_distribution(study) makes it,", given)
    return given.with_lines(promoter_min, detractor_max)


def wave_if_any(given: ScoreDistribution | Study) -> str | None:
    """What a Study is counted by where waves are taken if there are any."""
    return "wave" if isinstance(given, Study) and given.can_answer("responses.wave") else None


def by_finest_segment(given: ScoreDistribution | Study) -> ScoreDistribution | Study:
    """A Study counted by the segment with the most groups, by wave where it has no segments; counts as they are."""
    if not isinstance(given, Study):
        return given
    counted = [score_distribution(given, by=name) for name in given.segments or ("wave",)]
    return max(counted, key=lambda dist: len(dist.groups))


def as_outcome(
    given: OutcomeByScore | Study, *, promoter_min: int | None = None, detractor_max: int | None = None
) -> OutcomeByScore:
    """Take one group's outcome, or count the study's, with the lines that hold: those named, else its own.

    Parameters
    ----------
    given : OutcomeByScore or Study
        Of a Study, churn is counted, or the only yes/no outcome it has.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.

    Raises
    ------
    TypeError
        If neither is given.
    CannotAnswerError
        If the study has no yes/no outcome.
    ContractError
        If it has several, and churn is none of them.
    EstimationError
        If there are several groups, or the lines are impossible.

    Examples
    --------
    >>> as_outcome(OutcomeByScore.from_counts([10] * 11, [1] * 11), detractor_max=3).convention
    (3, 8)
    """
    if isinstance(given, (list, tuple)):
        raise _neither("OutcomeByScore", given)
    (outcome,) = as_outcomes(given)
    if len(outcome.groups) != 1:
        raise EstimationError(
            f"{len(outcome.groups)} groups arrived, one is needed: take outcome.group(name), or compare_segments."
        )
    return outcome.with_lines(promoter_min, detractor_max)


def as_outcomes(
    given: OutcomeByScore | Sequence[OutcomeByScore] | Study, *, by_segments: bool = False
) -> list[OutcomeByScore]:
    """The outcomes given, or the study's, of all together or by each segment; TypeError where they are neither."""
    if isinstance(given, Study):
        names = yes_no_outcomes(given)
        if CHURNED not in names and len(names) > 1:
            raise ContractError(
                f"This study has several outcomes, {joined(names)}: count one, as by "
                f"outcome_by_score(study, outcome={names[0]!r})."
            )
        return [
            outcome_by_score(given, outcome=names[0], by=name) for name in (given.segments if by_segments else [None])
        ]
    outcomes = [given] if isinstance(given, OutcomeByScore) else given
    for outcome in outcomes if isinstance(outcomes, (list, tuple)) else [outcomes]:
        if not isinstance(outcome, OutcomeByScore):
            raise _neither("OutcomeByScore, as outcome_by_score(study) makes it,", outcome)
    return list(outcomes)


def _neither(wanted: str, given: object) -> TypeError:
    frame = "; Study.from_frames(responses=...) makes a Study of a table" * (type(given).__name__ == "DataFrame")
    return TypeError(f"{type(given).__name__} arrived; a {wanted} or a Study is needed{frame}.")
