"""What hurts: which problems customers have, what complaints hide, whether a fix worked, what comments say."""

from nps_research.problems.coding_accuracy import coding_accuracy
from nps_research.problems.comment_shares import comment_shares
from nps_research.problems.comments_to_code import comments_to_code
from nps_research.problems.complaints import complaints_against_survey
from nps_research.problems.fix_effect import fix_effect
from nps_research.problems.owners import problem_owners
from nps_research.problems.pain_map import pain_map

__all__ = [
    "coding_accuracy",
    "comment_shares",
    "comments_to_code",
    "complaints_against_survey",
    "fix_effect",
    "pain_map",
    "problem_owners",
]
