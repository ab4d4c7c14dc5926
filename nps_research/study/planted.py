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
    path = folder / TRUTH_FILE
    if not path.is_file():
        return None
    realised = json.loads(path.read_text(encoding="utf-8")).get("realised", {})
    found = realised.get("would_be_net_promoter_score_by_wave", {}).get(wave)
    return None if found is None else float(found)
