"""The shape of an answer: Result, its tables, words and drawing, and what must not be shown."""

from nps_research.results.listing import attempt

__all__ = ["attempt"]
