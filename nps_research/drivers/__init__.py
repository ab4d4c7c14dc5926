"""What drives loyalty: what each rating goes with, in NPS points, for promoters and for detractors."""

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
from nps_research.drivers.waterfall import waterfall

__all__ = [
    "compare_drivers",
    "compare_methods",
    "contribution_spread",
    "decompose_r_squared",
    "driver_interactions",
    "explain_change",
    "explain_respondents",
    "fit_drivers",
    "fit_drivers_from_frame",
    "importance_performance",
    "model_calibration",
    "rating_asymmetry",
    "rating_effect",
    "simulate_improvement",
    "waterfall",
]
