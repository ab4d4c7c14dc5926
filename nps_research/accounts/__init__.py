"""Scores of accounts, and which account moves the score."""

from nps_research.accounts.influence import account_influence
from nps_research.accounts.score import account_score

__all__ = ["account_influence", "account_score"]
