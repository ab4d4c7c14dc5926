"""How often a mended problem is said to have fallen beyond the others, where it did not, and where it was halved.

Fills `fix_effect.csv` beside this file, made-up studies with `runs` a row: eight waves of `n` people, ten problems
whose shares drift apart (standard deviation `drift` of the logarithm, `keeps` from wave to wave), and a fix after the
fourth. The problem to mend is the one that in the fourth wave is furthest above its own mean: chosen at its peak.
`halved` says whether the fix halves it. Columns: fell, how often it is said to have fallen beyond the others; no_more,
no more than they did; held, how often the limits hold the truth. Run it with `python -m calibration.fix_effect`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.fix_effect import FELL, NO_MORE, fix_effect
from nps_research.study.study import Study

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
N_WAVES, FIXED_AFTER = 8, 4
CODES = np.array([f"p{number}" for number in range(10)], dtype=object)
WAVES = np.array([f"W{number}" for number in range(8)], dtype=object)
IDS = np.array([f"r{number}" for number in range(10_000)], dtype=object)
DAYS = pd.date_range("2024-01-15", periods=8, freq="QS") + pd.Timedelta(days=14)
SHARES = np.array([0.1, 0.1, 0.08, 0.06, 0.05, 0.05, 0.04, 0.03, 0.03, 0.03])
CELLS = [
    {"n": 1000, "drift": drift, "keeps": keeps, "halved": halved, "runs": RUNS}
    for drift, keeps, halved in (
        *((0.0, 0.0, True), (0.1, 0.5, True), (0.15, 0.5, True)),
        *((0.0, 0.0, False), (0.15, 0.0, False), (0.15, 0.5, False)),
    )
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
    study = _frame_of(n)
    wave, person, code = np.nonzero(has)
    named = pd.DataFrame(
        {"respondent_id": IDS[wave * n + person], "wave": WAVES[wave], "problem": CODES[code], "source": "asked"}
    )
    day = (DAYS[FIXED_AFTER] - pd.Timedelta(days=10)).date()
    mended = study.problems[str(CODES[chosen])].model_copy(update={"fixed_on": day})
    codes = np.full(N_WAVES * n, None, dtype=object)
    for row, each in zip((wave * n + person).tolist(), CODES[code], strict=True):
        codes[row] = f"{codes[row]};{each}" if codes[row] else each
    rows = study.responses.assign(problems=codes)
    return replace(
        study, rows=rows, tables={"problems": named}, problems={**study.problems, str(CODES[chosen]): mended}
    )


@cache
def _frame_of(n: int) -> Study:
    """The answers of all waves, which are the same in every study: what changes is who names what."""
    responses = pd.DataFrame(
        {
            "respondent_id": IDS[: N_WAVES * n],
            "wave": np.repeat(WAVES, n),
            "responded_at": np.repeat(DAYS, n),
            "likelihood_to_recommend": 8,
            "problems": CODES[0],
        }
    )
    problems = {str(code): {"label": f"Problem {code}"} for code in CODES}
    return Study.from_frames(responses=responses, problems=problems, made_up=True)


def measure(n: int, drift: float, keeps: float, *, halved: bool, runs: int) -> dict[str, object]:
    """One row."""
    rng = generator({"n": n, "drift": drift, "keeps": keeps, "halved": halved})
    truth = 0.5 if halved else 1.0
    rows = []
    for _ in range(runs):
        row = fix_effect(drifting_study(n, drift, keeps, halved=halved, rng=rng)).frame.iloc[0]
        rows.append(
            {
                "fell": row["verdict"] == FELL,
                "no_more": row["verdict"] == NO_MORE,
                "estimate": row["estimate"],
                "held": row["conf_low"] <= truth <= row["conf_high"],
                "peak_left_out": bool(row["peak"]),
            }
        )
    return {str(name): round(float(mean), 4) for name, mean in pd.DataFrame(rows).astype(float).mean().items()}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
