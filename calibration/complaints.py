"""How often the rate of complaining is covered, a hidden problem found, and one so called where all complain alike.

Fills `complaints.csv` beside this file, made-up studies with `runs` a row, of `n` customers with three problems.
Kinds: `hidden` (the largest problem is complained of by 1%, the others by 30% and 10%) and `alike` (all by 10%). Who
complained answers `times` as often as the others, 40% of whom answer. Run it with `python -m calibration.complaints`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.complaints import complaints_against_survey
from nps_research.study.study import Study

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
NAMES = ("big", "loud", "small")
LABELS = {name: {"label": name.capitalize()} for name in NAMES}
TOLD = {"hidden": (0.01, 0.3, 0.1), "alike": (0.1, 0.1, 0.1)}
DAY = pd.Timestamp("2025-06-10")
CELLS = [{"kind": kind, "n": 4000, "times": 1.5, "runs": RUNS} for kind in ("hidden", "alike")]


def complained_tables(
    n: int = 4000,
    *,
    rng: np.random.Generator,
    told: Sequence[float] = TOLD["hidden"],
    shares: Sequence[float] = (0.15, 0.04, 0.04),
    times: float = 1.5,
    silence: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers with problems, of whom some complained in the weeks before and then answer more often."""
    has = rng.random((n, 3)) < shares
    complains = has & (rng.random((n, 3)) < told)
    answers = rng.random(n) < np.where(complains.any(axis=1), 0.4 * times, 0.4)
    ids = np.array([f"K{row:05d}" for row in range(n)])
    rows = pd.DataFrame(
        {
            "respondent_id": ids,
            "invited_at": DAY,
            "responded": answers.astype(int),
            "likelihood_to_recommend": pd.Series(8, index=range(n)).where(answers),
            "problems": [
                ";".join(np.array(NAMES)[each]) or None if said else None
                for each, said in zip(has, answers, strict=True)
            ],
        }
    )
    who, what = np.nonzero(complains)
    complaints = pd.DataFrame(
        {
            "customer_id": ids[who],
            "complained_at": DAY - pd.to_timedelta(rng.integers(1, 60, len(who)), unit="D"),
            "problem": np.array(NAMES)[what],
        }
    )
    return (rows if silence else rows[answers]), complaints


def measure(kind: str, n: int, times: float, runs: int) -> dict[str, object]:
    """One row."""
    rng = generator({"kind": kind, "n": n, "times": times})
    rows = [measured(kind, n, times, rng) for _ in range(runs)]
    return {str(name): round(float(mean), 4) for name, mean in pd.DataFrame(rows).astype(float).mean().items()}


def measured(kind: str, n: int, times: float, rng: np.random.Generator) -> dict[str, object]:
    """One study."""
    rows, complaints = complained_tables(n, rng=rng, told=TOLD[kind], times=times)
    study = Study.from_frames(
        responses=rows,
        tables={"complaints": complaints},
        problems=LABELS,
        settings={"data_until": "2026-12-31"},
        made_up=True,
    )
    frame = complaints_against_survey(study).frame.set_index("term").loc[["Big", "Loud", "Small"]]
    truth = np.array(TOLD[kind])
    held = (frame["conf_low"] <= truth) & (frame["conf_high"] >= truth)
    places = frame[["survey_rank_low", "complaint_rank_low", "complaint_rank_high"]].loc["Big"]
    return {
        **{f"{name}_held": bool(inside) for name, inside in zip(NAMES, held, strict=True)},
        "loud_rate": float(frame.loc["Loud", "estimate"]),
        "loud_naive": float(frame.loc["Loud", "naive"]),
        "big_hidden": bool(frame.loc["Big", "verdict"] == "shown"),
        "big_first_by_survey": bool(places["survey_rank_low"] == 1),
        "big_last_by_complaints": bool(places["complaint_rank_high"] == 3),
        "other_hidden": bool((frame["verdict"].iloc[1:] == "shown").any()),
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).T.to_string())
