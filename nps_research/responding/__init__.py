"""Who answers: response rates, who they are, when they answer, how panels shrink."""

from nps_research.responding.days_to_answer import days_to_answer
from nps_research.responding.funnel import response_funnel
from nps_research.responding.panel_attrition import panel_attrition
from nps_research.responding.representativeness import representativeness
from nps_research.responding.response_rates import response_rates
from nps_research.responding.who_answers import who_answers

__all__ = [
    "days_to_answer",
    "panel_attrition",
    "representativeness",
    "response_funnel",
    "response_rates",
    "who_answers",
]
