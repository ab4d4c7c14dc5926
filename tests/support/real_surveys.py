"""The real surveys, which are no part of the project: NPS_RESEARCH_DATA names the folder that holds them."""

from __future__ import annotations

import os
from pathlib import Path

from nps_research import Study, open_study

REAL = Path(os.environ.get("NPS_RESEARCH_DATA", "there is none"))


def real_study(name: str) -> Study:
    """One survey as its study.toml here reads it; for tests marked `real`."""
    return open_study(Path(__file__).parents[2] / "data" / name, data=REAL / name)
