"""From a study to counts and people: answers by score, outcomes by score, clusters, who was known to be what."""

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import outcome_by_score, yes_no_outcomes
from nps_research.counting.people import who_can_be_called
from nps_research.counting.score_counts import answers_to_call, score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.counting.shown_groups import without_small_waves

__all__ = [
    "OutcomeByScore",
    "ScoreDistribution",
    "answers_to_call",
    "outcome_by_score",
    "score_distribution",
    "who_can_be_called",
    "without_small_waves",
    "yes_no_outcomes",
]
