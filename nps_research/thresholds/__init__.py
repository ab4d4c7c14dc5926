"""Where detractors end, by what customers did afterwards."""

from nps_research.thresholds.adjusted_risk import adjusted_risk
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.calls import calls_by_cut
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.conclusions import conclusions_by_line
from nps_research.thresholds.risk_by_score import risk_by_score
from nps_research.thresholds.segments import compare_segments
from nps_research.thresholds.slider import cut_slider

__all__ = [
    "adjusted_risk",
    "calls_by_cut",
    "compare_bands",
    "compare_segments",
    "compare_thresholds",
    "conclusions_by_line",
    "cut_slider",
    "risk_by_score",
]
