"""How often a mended problem is said to have fallen beyond the others, where it did not, and where it was halved.

Fills `fix_effect.csv` beside this file, made-up studies with `runs` a row: eight waves of `n` people, ten problems
whose shares drift apart (standard deviation `drift` of the logarithm, `keeps` from wave to wave), and a fix after the
fourth. The problem to mend is `chosen` at its peak: the one that in the fourth wave is furthest above its own mean; by
its level: the one that over all waves before is furthest above what it has in the long run. `halved` says whether the
fix halves it. Where `others` are branches, it is one problem in ten branches of `n` people each, mended in one that is
so chosen. Columns: fell, how often it is said to have fallen beyond the others; not_halved, that a halving beyond them
is ruled out; held, how often the limits hold the truth. Run it with `python -m calibration.fix_effect`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.fix_effect import FELL, NOT_HALVED, fix_effect
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
    {"others": others, "n": n, "drift": drift, "keeps": keeps, "chosen": chosen, "halved": halved, "runs": RUNS}
    for others, n, drift, keeps, chosen, halved in (
        *(("problems", 1000, *each, "peak", True) for each in ((0.0, 0.0), (0.1, 0.5), (0.15, 0.5))),
        *(("problems", 1000, *each, "peak", False) for each in ((0.0, 0.0), (0.15, 0.0), (0.15, 0.5))),
        ("problems", 1000, 0.15, 0.5, "level", False),
        ("branches", 300, 0.1, 0.5, "peak", True),
        *(("branches", 300, 0.15, 0.5, chosen, False) for chosen in ("peak", "level")),
    )
]


def _drifting(
    shares: Floats, n: int, drift: float, keeps: float, *, chosen: str, halved: bool, rng: np.random.Generator
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
    mended = int(np.argmax(seen[-1] / seen.mean(axis=0) if chosen == "peak" else seen.mean(axis=0) / shares))
    if halved:
        has[FIXED_AFTER:, :, mended] &= rng.random((N_WAVES - FIXED_AFTER, n)) < 0.5
    return has, mended


def branched_study(
    n: int, drift: float, keeps: float, *, chosen: str = "peak", halved: bool, rng: np.random.Generator
) -> Study:
    """A study of one problem in ten branches, mended after the fourth wave in one of them."""
    has, mended = _drifting(np.full(len(BRANCHES), 0.1), n, drift, keeps, chosen=chosen, halved=halved, rng=rng)
    study = _branches_of(n)
    named = pd.DataFrame(
        {
            "respondent_id": study.responses["respondent_id"].to_numpy()[has.reshape(-1)],
            "wave": study.responses["wave"].to_numpy()[has.reshape(-1)],
            "problem": "late",
            "source": "asked",
        }
    )
    late = study.problems["late"].model_copy(update={"fixed_in": {"branch": [str(BRANCHES[mended])]}})
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


def drifting_study(
    n: int, drift: float, keeps: float, *, chosen: str = "peak", halved: bool, rng: np.random.Generator
) -> Study:
    """A study in which one problem is mended after the fourth wave."""
    has, at = _drifting(SHARES, n, drift, keeps, chosen=chosen, halved=halved, rng=rng)
    study = _frame_of(n)
    wave, person, code = np.nonzero(has)
    named = pd.DataFrame(
        {"respondent_id": IDS[wave * n + person], "wave": WAVES[wave], "problem": CODES[code], "source": "asked"}
    )
    mended = study.problems[str(CODES[at])].model_copy(update={"fixed_on": FIXED_ON})
    codes = np.full(N_WAVES * n, None, dtype=object)
    for row, each in zip((wave * n + person).tolist(), CODES[code], strict=True):
        codes[row] = f"{codes[row]};{each}" if codes[row] else each
    rows = study.responses.assign(problems=codes)
    return replace(study, rows=rows, tables={"problems": named}, problems={**study.problems, str(CODES[at]): mended})


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


def measure(
    others: str, n: int, drift: float, keeps: float, chosen: str, *, halved: bool, runs: int
) -> dict[str, object]:
    """One row."""
    design = {"drift": drift, "keeps": keeps, "chosen": chosen, "halved": halved}
    rng = generator({"others": others, "n": n, **design})
    drawn = drifting_study if others == "problems" else branched_study
    truth = 0.5 if halved else 1.0
    rows = []
    for _ in range(runs):
        row = fix_effect(drawn(n, drift, keeps, chosen=chosen, halved=halved, rng=rng)).frame.iloc[0]
        rows.append(
            {
                "fell": row["verdict"] == FELL,
                "not_halved": row["verdict"] == NOT_HALVED,
                "estimate": row["estimate"],
                "held": row["conf_low"] <= truth <= row["conf_high"],
            }
        )
    return {str(name): round(float(mean), 4) for name, mean in pd.DataFrame(rows).astype(float).mean().items()}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
