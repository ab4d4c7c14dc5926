"""What a made-up study's truth.json says beside its tables."""

from __future__ import annotations

import json

from nps_research.study.study import Study

TRUTH_FILE = "truth.json"


def planted_score_of_all(study: Study, wave: str, detractor_max: int) -> float | None:
    """Look up what the NPS of all reached in a wave would be, had all answered; None where it is not written.

    It is written with 0-6 as detractors and 9-10 as promoters, for whole studies that say they are made up.
    """
    folder = study.data_folder or study.folder
    if not study.made_up or study.part or folder is None or (study.settings.promoter_min, detractor_max) != (9, 6):
        return None
    try:
        written = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
        found = float(written["realised"]["would_be_net_promoter_score_by_wave"][wave])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # none there, or another's file of this name
        return None
    return found if -100 <= found <= 100 else None
