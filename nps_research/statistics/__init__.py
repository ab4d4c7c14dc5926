"""Methods on arrays and frames; no study, no result."""

from nps_research.statistics.multiplicity import adjust_p_values

__all__ = ["adjust_p_values"]
