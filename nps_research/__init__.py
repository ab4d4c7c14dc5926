"""Net Promoter Score research: see the README and the notebooks."""

from nps_research.accounts import account_score
from nps_research.comparison import adjust_p_values, compare_net_promoter_scores
from nps_research.counting import score_distribution
from nps_research.cuts import net_promoter_score_by_cut
from nps_research.designs import compare_designs
from nps_research.detectable import detectable_change
from nps_research.distribution import ScoreDistribution
from nps_research.funnel import response_funnel
from nps_research.histogram import score_histogram
from nps_research.influence import account_influence
from nps_research.outcomes import OutcomeByScore, outcome_by_score
from nps_research.overview import attempt, broken_rules, identity_checks, intake, questions, reading_notes
from nps_research.planning import required_responses
from nps_research.pooling import pool_groups
from nps_research.representation import representativeness
from nps_research.score import net_promoter_score
from nps_research.study import Study, open_study
from nps_research.waves import trend

__all__ = [
    "OutcomeByScore",
    "ScoreDistribution",
    "Study",
    "account_influence",
    "account_score",
    "adjust_p_values",
    "attempt",
    "broken_rules",
    "compare_designs",
    "compare_net_promoter_scores",
    "detectable_change",
    "identity_checks",
    "intake",
    "net_promoter_score",
    "net_promoter_score_by_cut",
    "open_study",
    "outcome_by_score",
    "pool_groups",
    "questions",
    "reading_notes",
    "representativeness",
    "required_responses",
    "response_funnel",
    "score_distribution",
    "score_histogram",
    "trend",
]
