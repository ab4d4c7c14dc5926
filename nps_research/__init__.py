"""Net Promoter Score research: see the README and the notebooks.

What every study needs stands here; everything else in the room that is named for its question, such as
`nps_research.drivers.explain_change`. Tab after ``nps.`` shows both.
"""

from nps_research import (
    accounts,
    callbacks,
    counting,
    drivers,
    intake,
    problems,
    responding,
    results,
    score,
    silence,
    statistics,
    study,
    thresholds,
)
from nps_research.counting import OutcomeByScore, ScoreDistribution, outcome_by_score, score_distribution
from nps_research.drivers import fit_drivers
from nps_research.results import attempt, palette, style
from nps_research.score import compare_net_promoter_scores, net_promoter_score, trend
from nps_research.silence import nonresponse_signal, score_if_all_responded
from nps_research.study import Study, open_study
from nps_research.thresholds import compare_thresholds

__all__ = [
    "OutcomeByScore",
    "ScoreDistribution",
    "Study",
    "accounts",
    "attempt",
    "callbacks",
    "compare_net_promoter_scores",
    "compare_thresholds",
    "counting",
    "drivers",
    "fit_drivers",
    "intake",
    "net_promoter_score",
    "nonresponse_signal",
    "open_study",
    "outcome_by_score",
    "palette",
    "problems",
    "responding",
    "results",
    "score",
    "score_distribution",
    "score_if_all_responded",
    "silence",
    "statistics",
    "study",
    "style",
    "thresholds",
    "trend",
]


def __dir__() -> list[str]:
    return list(__all__)
