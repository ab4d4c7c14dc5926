"""How often a mended problem is said to have fallen beyond the others, where it did not, and where it was halved.

Fills `fix_effect.csv` beside this file, a row a made-up study: eight waves of `n` people, ten problems whose shares
drift apart (standard deviation `drift` of the logarithm, `keeps` from wave to wave), and a fix after the fourth.
The problem to mend is the one that in the fourth wave is furthest above its own mean: chosen at its peak. `halved` says
whether the fix halves it. Run it with `python -m calibration.fix_effect`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.fix_effect import fix_effect
from nps_research.study.study import Study

TABLE = Path(__file__).with_suffix(".csv")
REPLICATES = 60
N_WAVES, FIXED_AFTER = 8, 4
SHARES = np.array([0.1, 0.1, 0.08, 0.06, 0.05, 0.05, 0.04, 0.03, 0.03, 0.03])
CELLS = [
    {"n": 1000, "drift": drift, "keeps": keeps, "halved": halved, "number": number}
    for drift, keeps in ((0.0, 0.0), (0.15, 0.0), (0.15, 0.5))
    for halved in (False, True)
    for number in range(REPLICATES)
]


def drifting_study(n: int, drift: float, keeps: float, *, halved: bool, rng: np.random.Generator) -> Study:
    """A study in which one problem, chosen at its peak, is mended after the fourth wave."""
    log_share = np.zeros((N_WAVES, len(SHARES)))
    log_share[0] = rng.normal(0, drift, len(SHARES))
    for wave in range(1, N_WAVES):
        own = rng.normal(0, drift * np.sqrt(1 - keeps**2), len(SHARES))
        log_share[wave] = keeps * log_share[wave - 1] + own
    chance = np.minimum(SHARES * np.exp(log_share), 0.9)
    season = np.exp(rng.normal(0, 0.1, N_WAVES))[:, None]
    has = rng.random((N_WAVES, n, len(SHARES))) < (chance * season)[:, None]
    seen = has[:FIXED_AFTER].mean(axis=1)
    chosen = int(np.argmax(seen[-1] / seen.mean(axis=0)))
    if halved:
        stays = rng.random((N_WAVES - FIXED_AFTER, n)) < 0.5
        has[FIXED_AFTER:, :, chosen] &= stays
    codes = np.array([f"p{number}" for number in range(len(SHARES))])
    days = pd.date_range("2024-01-15", periods=N_WAVES, freq="QS") + pd.Timedelta(days=14)
    responses = pd.DataFrame(
        {
            "respondent_id": [f"r{row}" for row in range(N_WAVES * n)],
            "wave": np.repeat([f"W{wave}" for wave in range(N_WAVES)], n),
            "responded_at": np.repeat(days, n),
            "likelihood_to_recommend": 8,
            "problems": [";".join(codes[row]) or None for row in has.reshape(-1, len(SHARES))],
        }
    )
    problems: dict[str, dict[str, object]] = {str(code): {"label": f"Problem {code}"} for code in codes}
    problems[str(codes[chosen])]["fixed_on"] = (days[FIXED_AFTER] - pd.Timedelta(days=10)).date()
    return Study.from_frames(responses=responses, problems=problems, made_up=True)


def measure(n: int, drift: float, keeps: float, *, halved: bool, number: int) -> dict[str, object]:
    """One study."""
    cell = {"n": n, "drift": drift, "keeps": keeps, "halved": halved, "number": number}
    study = drifting_study(n, drift, keeps, halved=halved, rng=generator(cell))
    row = fix_effect(study).frame.iloc[0]
    truth = 0.5 if halved else 1.0
    return {
        "verdict": row["verdict"],
        "estimate": round(float(row["estimate"]), 4),
        "covered": bool(row["conf_low"] <= truth <= row["conf_high"]),
        "peak_left_out": bool(row["peak"]),
    }


if __name__ == "__main__":
    found = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))
    by = ["drift", "keeps", "halved"]
    print(found.groupby(by)["verdict"].value_counts())
    print(found.groupby(by)[["covered", "peak_left_out"]].mean())
