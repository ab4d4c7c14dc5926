"""Whether the line planted in the made-up company is found in twenty others like it.

Fills `demo_companies.csv` beside this file: companies drawn as the one in data/demo is, with other seeds. Columns: the
verdict, the best cut (3 is planted), whether the set of cuts holds it, and how many churned among those who answered.
Run it with `python -m calibration.demo_companies`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from nps_research.counting.outcomes import outcome_by_score
from nps_research.made_up.simulate import simulate_study
from nps_research.study.study import Study
from nps_research.thresholds.compare_thresholds import compare_thresholds

PLANTED = 3
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [{"seed": seed} for seed in range(101, 121)]


def measure(seed: int) -> dict[str, object]:
    """One company."""
    company = simulate_study(rng=np.random.default_rng(seed))
    study = Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        customers=company.customers,
        settings={"cluster": "account_id"},
        made_up=True,
    )
    found = compare_thresholds(outcome_by_score(study))
    return {
        "verdict": found.verdict,
        "best_cut": found.best_cut,
        "held": PLANTED in found.confidence_set,
        "events": found.n_events,
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
