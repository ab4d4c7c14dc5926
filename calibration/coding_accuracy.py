"""How well the machine codes the made-up company's comments, by letters and by meaning, held against what they say.

Fills `coding_accuracy.csv` beside this file, a row a language and what the machine goes by. It learns from the 400
comments coded by hand, by two coders who err in one of twenty, and codes all; each by a machine that did not learn from
that person. What each comment says is known here, since it is made up.

Columns: n, comments; same, the share to which it gives the problems that are there, none more and none less; none,
what saying "no problem" of all would get right; recall, the share of the problems there that it finds; precision, of
those it finds, the share that are there. Meaning needs the extra `themes`. Run it with
`python -m calibration.coding_accuracy`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from nps_research.made_up.comments import PROBLEM_CODES
from nps_research.made_up.demo_files import DEMO_SEED
from nps_research.made_up.simulate import simulate_study
from nps_research.problems.coded_comments import coded_comments
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.study import Study
from nps_research.typing import Flags, Numbers

TABLE = Path(__file__).with_suffix(".csv")
CELLS = [
    {"read_by": read_by, "language": language}
    for read_by in ("letters", "meaning")
    for language in ("en", "ro", "uk", "ru")
]


@cache
def coded(read_by: str) -> tuple[Numbers, Flags, Flags]:
    """Of every comment its language, what the machine says of it, and what it says."""
    made_up = simulate_study(rng=np.random.default_rng(DEMO_SEED))
    labels: dict[str, dict[str, object]] = {code: {"label": code} for code in PROBLEM_CODES}
    study = Study.from_frames(
        responses=made_up.responses,
        tables={"hand_codes": made_up.tables["hand_codes"]},
        problems=labels | {"none": {"label": "none", "praise": True}},
        settings={"comments_read_by": read_by},
        made_up=True,
    )
    found = coded_comments(study)
    keys = ["respondent_id", "wave"]
    says = made_up.responses[keys].join(made_up.latent[[f"says_{code}" for code in PROBLEM_CODES]])
    truth = found.comments[keys].merge(says, on=keys, validate="one_to_one").drop(columns=keys).to_numpy(dtype=bool)
    by_machine = found.predicted(study, np.random.default_rng(DEFAULT_SEED)) >= 0.5
    places = [found.codes.index(code) for code in PROBLEM_CODES]
    return found.comments["language"].to_numpy(), by_machine[:, places], truth


def measure(read_by: str, language: str) -> dict[str, object]:
    """One row."""
    languages, by_machine, truth = coded(read_by)
    said, there = by_machine[languages == language], truth[languages == language]
    both = (said & there).sum()
    return {
        "n": len(said),
        "same": round(float((said == there).all(axis=1).mean()), 3),
        "none": round(float((~there.any(axis=1)).mean()), 3),
        "recall": round(float(both / there.sum()), 3),
        "precision": round(float(both / said.sum()), 3) if said.any() else "",
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__)).to_string())
