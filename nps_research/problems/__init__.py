"""What hurts: which problems customers have, what complaints hide, whether a fix worked, what comments say."""

from nps_research.problems.pain_map import pain_map

__all__ = ["pain_map"]
