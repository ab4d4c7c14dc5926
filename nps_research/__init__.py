"""Net Promoter Score research: see the README and the notebooks."""

from nps_research.accounts.influence import account_influence
from nps_research.accounts.score import account_score
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import outcome_by_score, yes_no_outcomes
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.drivers.asymmetry import rating_asymmetry
from nps_research.drivers.bridge import explain_change
from nps_research.drivers.calibration import model_calibration
from nps_research.drivers.effects import contribution_spread, rating_effect
from nps_research.drivers.explanations import explain_respondents
from nps_research.drivers.fit_drivers import fit_drivers, fit_drivers_from_frame
from nps_research.drivers.groups import compare_drivers
from nps_research.drivers.interactions import driver_interactions
from nps_research.drivers.linear.relative_importance import decompose_r_squared
from nps_research.drivers.methods import compare_methods
from nps_research.drivers.priorities import importance_performance, simulate_improvement
from nps_research.intake.listings import attempt, broken_rules, identity_checks, intake, questions, reading_notes
from nps_research.responding.days_to_answer import days_to_answer
from nps_research.responding.funnel import response_funnel
from nps_research.responding.panel_attrition import panel_attrition
from nps_research.responding.representativeness import representativeness
from nps_research.responding.response_rates import response_rates
from nps_research.responding.who_answers import who_answers
from nps_research.score.by_cut import net_promoter_score_by_cut
from nps_research.score.designs import compare_designs
from nps_research.score.detectable_change import detectable_change
from nps_research.score.differences import adjust_p_values, compare_net_promoter_scores
from nps_research.score.histogram import score_histogram
from nps_research.score.next_survey import plan_next_survey
from nps_research.score.pooled_groups import pool_groups
from nps_research.score.raking import rake
from nps_research.score.sample_size import required_responses
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend
from nps_research.silence.score.full_response import score_if_all_responded
from nps_research.silence.signal.leaving_reasons import leaving_reasons
from nps_research.silence.signal.signal import nonresponse_signal
from nps_research.silence.value.features import check_features
from nps_research.silence.value.value import nonresponse_value
from nps_research.silence.value.watch_list import watch_list
from nps_research.study.study import Study, open_study
from nps_research.thresholds.adjusted_risk import adjusted_risk
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.calls import calls_by_cut
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.conclusions import conclusions_by_line
from nps_research.thresholds.risk_by_score import risk_by_score
from nps_research.thresholds.segments import compare_segments
from nps_research.thresholds.slider import cut_slider

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
