"""Whether a notebook runs for a report or for a reader."""

from __future__ import annotations

IN_REPORT = "NPS_RESEARCH_REPORT"  # environment variable of notebooks that run for a report
