"""Net Promoter Score research: see the README and the notebooks."""

from nps_research.accounts import account_score
from nps_research.adjusted_risk import adjusted_risk
from nps_research.bands import compare_bands
from nps_research.calls import calls_by_cut
from nps_research.churn_features import check_features
from nps_research.comparison import adjust_p_values, compare_net_promoter_scores
from nps_research.counting import score_distribution
from nps_research.cut_slider import cut_slider
from nps_research.cuts import net_promoter_score_by_cut
from nps_research.days_to_answer import days_to_answer
from nps_research.designs import compare_designs
from nps_research.detectable import detectable_change
from nps_research.distribution import ScoreDistribution
from nps_research.driver_asymmetry import rating_asymmetry
from nps_research.driver_bridge import explain_change
from nps_research.driver_calibration import model_calibration
from nps_research.driver_effects import contribution_spread, rating_effect
from nps_research.driver_explanations import explain_respondents
from nps_research.driver_groups import compare_drivers
from nps_research.driver_interactions import driver_interactions
from nps_research.driver_methods import compare_methods
from nps_research.driver_priorities import importance_performance, simulate_improvement
from nps_research.drivers import fit_drivers, fit_drivers_from_frame
from nps_research.funnel import response_funnel
from nps_research.histogram import score_histogram
from nps_research.influence import account_influence
from nps_research.leaving_reasons import leaving_reasons
from nps_research.line_conclusions import conclusions_by_line
from nps_research.next_survey import plan_next_survey
from nps_research.nonresponse import nonresponse_signal
from nps_research.nonresponse_value import nonresponse_value
from nps_research.outcome_counts import OutcomeByScore
from nps_research.outcomes import outcome_by_score, yes_no_outcomes
from nps_research.overview import attempt, broken_rules, identity_checks, intake, questions, reading_notes
from nps_research.panel_attrition import panel_attrition
from nps_research.planning import required_responses
from nps_research.pooling import pool_groups
from nps_research.raking import rake
from nps_research.relative_importance import decompose_r_squared
from nps_research.representation import representativeness
from nps_research.response_rates import response_rates
from nps_research.risk_by_score import risk_by_score
from nps_research.score import net_promoter_score
from nps_research.segment_lines import compare_segments
from nps_research.silent_score import score_if_all_responded
from nps_research.study import Study, open_study
from nps_research.thresholds import compare_thresholds
from nps_research.watch_list import watch_list
from nps_research.waves import trend
from nps_research.who_answers import who_answers

__all__ = [
    "OutcomeByScore",
    "ScoreDistribution",
    "Study",
    "account_influence",
    "account_score",
    "adjust_p_values",
    "adjusted_risk",
    "attempt",
    "broken_rules",
    "calls_by_cut",
    "check_features",
    "compare_bands",
    "compare_designs",
    "compare_drivers",
    "compare_methods",
    "compare_net_promoter_scores",
    "compare_segments",
    "compare_thresholds",
    "conclusions_by_line",
    "contribution_spread",
    "cut_slider",
    "days_to_answer",
    "decompose_r_squared",
    "detectable_change",
    "driver_interactions",
    "explain_change",
    "explain_respondents",
    "fit_drivers",
    "fit_drivers_from_frame",
    "identity_checks",
    "importance_performance",
    "intake",
    "leaving_reasons",
    "model_calibration",
    "net_promoter_score",
    "net_promoter_score_by_cut",
    "nonresponse_signal",
    "nonresponse_value",
    "open_study",
    "outcome_by_score",
    "panel_attrition",
    "plan_next_survey",
    "pool_groups",
    "questions",
    "rake",
    "rating_asymmetry",
    "rating_effect",
    "reading_notes",
    "representativeness",
    "required_responses",
    "response_funnel",
    "response_rates",
    "risk_by_score",
    "score_distribution",
    "score_histogram",
    "score_if_all_responded",
    "simulate_improvement",
    "trend",
    "watch_list",
    "who_answers",
    "yes_no_outcomes",
]
