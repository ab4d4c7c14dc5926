"""Whether the silence signal finds what is planted in the made-up company, in others like it.

Fills `silent_companies.csv` beside this file: companies drawn as the one in data/demo is, with other seeds
(``planted``), and companies in which neither silence nor disengaging has to do with leaving, nor the score with
answering (``nothing``). What is planted is what the same quantities come to in one very large company (`planted`, kept
in ``silent_companies_truths.csv``). Columns: the verdict, and which intervals hold what is planted (1 or 0; -1: none
is given). Run it with `python -m calibration.silent_companies`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked
from calibration.silence import ADJUSTED, RATIOS, RISKS, quantities
from nps_research.counting.landmarks import Landmarks, landmarks_of
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.study.study import Study

TABLE, TRUTHS = Path(__file__).with_suffix(".csv"), Path(__file__).with_name("silent_companies_truths.csv")
KINDS = {"planted": Truth(), "nothing": Truth(churn_disengaged=0.0, answer_slope=0.0, churn_base=0.03)}
LARGE = 20_000  # accounts
CELLS = [{"kind": "planted", "seed": seed} for seed in range(201, 221)]
CELLS += [{"kind": "nothing", "seed": seed} for seed in range(301, 341)]


def landmarks_of_company(truth: Truth, seed: int) -> Landmarks:
    """Landmarks of one made-up company."""
    company = simulate_study(truth, rng=np.random.default_rng(seed))
    responses = company.responses.drop(columns=["comment", *truth.drivers])
    return landmarks_of(
        Study.from_frames(
            responses=responses,
            customers=company.customers,
            segments=["region", "industry"],
            settings={"cluster": "account_id"},
            made_up=True,
        )
    )


def truth_of(kind: str) -> dict[str, object]:
    """What each quantity comes to in a very large company."""
    _, found = quantities(landmarks_of_company(replace(KINDS[kind], n_accounts=LARGE), 1))
    return {name: round(value[0], 5) for name, value in found.items()}


@cache
def planted() -> pd.DataFrame:
    """What is planted, a row a kind of company."""
    return pd.read_csv(TRUTHS).set_index("kind")


def measure(kind: str, seed: int) -> dict[str, object]:
    """Verdict and intervals of one company."""
    verdict, found = quantities(landmarks_of_company(KINDS[kind], seed))
    true = planted().loc[kind]
    held = {name: int(low <= true[name] <= high) if np.isfinite(low) else -1 for name, (_, low, high) in found.items()}
    return {"verdict": verdict} | {name: held[name] for name in (*RISKS, *RATIOS, *ADJUSTED)}


if __name__ == "__main__":
    fresh = fresh_is_asked(__doc__)
    fill(TRUTHS, [{"kind": kind} for kind in KINDS], truth_of, fresh=fresh)
    fill(TABLE, CELLS, measure, fresh=fresh, jobs=2)
