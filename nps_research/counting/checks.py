"""Arguments that many functions share, checked at the door."""

from __future__ import annotations

from nps_research.errors import EstimationError


def check_cuts(promoter_min: int, detractor_max: int) -> None:
    """Raise EstimationError unless 0 <= detractor_max < promoter_min <= 10."""
    if not 0 <= detractor_max < promoter_min <= 10:
        raise EstimationError(
            f"promoter_min = {promoter_min}, detractor_max = {detractor_max}: "
            "0 <= detractor_max < promoter_min <= 10 is needed."
        )


def check_level(confidence_level: float) -> None:
    """Raise EstimationError unless the level is between 0 and 1."""
    if not 0 < confidence_level < 1:
        raise EstimationError(f"confidence_level = {confidence_level}: a level between 0 and 1 is needed, e.g. 0.95.")
