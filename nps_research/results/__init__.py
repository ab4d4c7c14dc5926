"""The shape of an answer: Result, its tables, words and drawing, and what must not be shown."""

from nps_research.results.listing import attempt
from nps_research.results.live import control
from nps_research.results.palette import palette, style

__all__ = ["attempt", "control", "palette", "style"]
