"""How often a mended problem is said to have fallen beyond the others, where it did not, and where it was halved.

Fills `fix_effect.csv` beside this file, made-up studies with `runs` a row: eight waves of `n` people, ten problems
whose shares drift apart (standard deviation `drift` of the logarithm, `keeps` from wave to wave), and a fix after the
fourth. The problem to mend is the one that in the fourth wave is furthest above its own mean: chosen at its peak.
`halved` says whether the fix halves it. Where `others` are branches, it is one problem in ten branches of `n` people
each, mended in the one that is furthest above its own mean. Columns: fell, how often it is said to have fallen beyond
the others; no_more, no more than they did; held, how often the limits hold the truth. Run it with
`python -m calibration.fix_effect`.
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
from nps_research.typing import Flags, Floats

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
N_WAVES, FIXED_AFTER = 8, 4
CODES = np.array([f"p{number}" for number in range(10)], dtype=object)
WAVES = np.array([f"W{number}" for number in range(8)], dtype=object)
IDS = np.array([f"r{number}" for number in range(10_000)], dtype=object)
DAYS = pd.date_range("2024-01-15", periods=8, freq="QS") + pd.Timedelta(days=14)
FIXED_ON = (DAYS[FIXED_AFTER] - pd.Timedelta(days=10)).date()
BRANCHES = np.array([f"Branch {number}" for number in range(10)], dtype=object)
SHARES = np.array([0.1, 0.1, 0.08, 0.06, 0.05, 0.05, 0.04, 0.03, 0.03, 0.03])
CELLS = [
    {"others": others, "n": n, "drift": drift, "keeps": keeps, "halved": halved, "runs": RUNS}
    for others, n, drift, keeps, halved in (
        *(("problems", 1000, *each, True) for each in ((0.0, 0.0), (0.1, 0.5), (0.15, 0.5))),
        *(("problems", 1000, *each, False) for each in ((0.0, 0.0), (0.15, 0.0), (0.15, 0.5))),
        *(("branches", 300, *each) for each in ((0.1, 0.5, True), (0.0, 0.0, False), (0.15, 0.5, False))),
    )
]


def _drifting(
    shares: Floats, n: int, drift: float, keeps: float, *, halved: bool, rng: np.random.Generator
) -> tuple[Flags, int]:
    """Who has each of some problems, shape (waves, n, problems), and which of these, at its peak, was mended."""
    log_share = np.zeros((N_WAVES, len(shares)))
    log_share[0] = rng.normal(0, drift, len(shares))
    for wave in range(1, N_WAVES):
        own = rng.normal(0, drift * np.sqrt(1 - keeps**2), len(shares))
        log_share[wave] = keeps * log_share[wave - 1] + own
    chance = np.minimum(shares * np.exp(log_share), 0.9)
    season = np.exp(rng.normal(0, 0.1, N_WAVES))[:, None]
    has = rng.random((N_WAVES, n, len(shares))) < (chance * season)[:, None]
    seen = has[:FIXED_AFTER].mean(axis=1)
    chosen = int(np.argmax(seen[-1] / seen.mean(axis=0)))
    if halved:
        has[FIXED_AFTER:, :, chosen] &= rng.random((N_WAVES - FIXED_AFTER, n)) < 0.5
    return has, chosen


def branched_study(n: int, drift: float, keeps: float, *, halved: bool, rng: np.random.Generator) -> Study:
    """A study of one problem in ten branches, mended after the fourth wave in the one where it was at its peak."""
    has, chosen = _drifting(np.full(len(BRANCHES), 0.1), n, drift, keeps, halved=halved, rng=rng)
    study = _branches_of(n)
    named = pd.DataFrame(
        {
            "respondent_id": study.responses["respondent_id"].to_numpy()[has.reshape(-1)],
            "wave": study.responses["wave"].to_numpy()[has.reshape(-1)],
            "problem": "late",
            "source": "asked",
        }
    )
    late = study.problems["late"].model_copy(update={"fixed_in": {"branch": [str(BRANCHES[chosen])]}})
    return replace(study, tables={"problems": named}, problems={"late": late})


@cache
def _branches_of(n: int) -> Study:
    """The answers of all waves and branches, which are the same in every study."""
    size = n * len(BRANCHES)
    responses = pd.DataFrame(
        {
            "respondent_id": [f"r{row}" for row in range(N_WAVES * size)],
            "wave": np.repeat(WAVES, size),
            "responded_at": np.repeat(DAYS, size),
            "likelihood_to_recommend": 8,
            "branch": np.tile(BRANCHES, N_WAVES * n),
            "problems": "late",
        }
    )
    late = {"label": "Late", "fixed_on": FIXED_ON}
    return Study.from_frames(responses=responses, segments=["branch"], problems={"late": late}, made_up=True)


def drifting_study(n: int, drift: float, keeps: float, *, halved: bool, rng: np.random.Generator) -> Study:
    """A study in which one problem, chosen at its peak, is mended after the fourth wave."""
    has, chosen = _drifting(SHARES, n, drift, keeps, halved=halved, rng=rng)
    study = _frame_of(n)
    wave, person, code = np.nonzero(has)
    named = pd.DataFrame(
        {"respondent_id": IDS[wave * n + person], "wave": WAVES[wave], "problem": CODES[code], "source": "asked"}
    )
    mended = study.problems[str(CODES[chosen])].model_copy(update={"fixed_on": FIXED_ON})
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


def measure(others: str, n: int, drift: float, keeps: float, *, halved: bool, runs: int) -> dict[str, object]:
    """One row."""
    rng = generator({"others": others, "n": n, "drift": drift, "keeps": keeps, "halved": halved})
    drawn = drifting_study if others == "problems" else branched_study
    truth = 0.5 if halved else 1.0
    rows = []
    for _ in range(runs):
        row = fix_effect(drawn(n, drift, keeps, halved=halved, rng=rng)).frame.iloc[0]
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
