"""The Net Promoter Score: limits, differences, trend, pooling, sample sizes."""

from nps_research.score.by_cut import net_promoter_score_by_cut
from nps_research.score.class_shares import class_shares
from nps_research.score.designs import compare_designs
from nps_research.score.detectable_change import detectable_change
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.group_changes import compare_groups_now
from nps_research.score.groupings import compare_groupings
from nps_research.score.histogram import score_histogram
from nps_research.score.next_survey import plan_next_survey
from nps_research.score.pooled_groups import pool_groups
from nps_research.score.raking import rake
from nps_research.score.sample_size import required_responses
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend

__all__ = [
    "class_shares",
    "compare_designs",
    "compare_groupings",
    "compare_groups_now",
    "compare_net_promoter_scores",
    "detectable_change",
    "net_promoter_score",
    "net_promoter_score_by_cut",
    "plan_next_survey",
    "pool_groups",
    "rake",
    "required_responses",
    "score_histogram",
    "trend",
]
