"""10,000 bootstrap resamples of an NPS difference: the package, NumPy's multinomial and scipy.stats.bootstrap."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

import nps_research as nps
from benchmarks.measuring import OURS, SCORE_SHARES, SEED, in_turns, peak_megabytes, timed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

N_RESAMPLES = 10_000
VALUES = np.array([-100.0] * 7 + [0.0] * 2 + [100.0] * 2)  # of the scores 0 to 10
SIZES = {10_000: 10_000, 1_000_000: 50}  # answers: how many resamples scipy is timed with
REPEATS = 5


def made_up_answers(n: int) -> list[NDArray[np.int64]]:
    """Scores of two made-up groups, n together; the second is the happier one."""
    rng = np.random.default_rng(SEED)
    happier = SCORE_SHARES + np.array([0.0] * 5 + [-0.01] * 2 + [0.0] * 3 + [0.02])
    return [rng.choice(11, size=n // 2, p=shares) for shares in (SCORE_SHARES, happier)]


def by_nps_research(before: NDArray[np.int64], after: NDArray[np.int64], n_resamples: int) -> dict[str, float]:
    """Count the scores, resample the counts."""
    counts = {name: np.bincount(each, minlength=11) for name, each in (("before", before), ("after", after))}
    dist = nps.ScoreDistribution.from_counts({name: each.tolist() for name, each in counts.items()})
    row = nps.compare_net_promoter_scores(dist, method="bootstrap", n_resamples=n_resamples).frame.iloc[0]
    return {name: float(row[name]) for name in ("conf_low", "conf_high", "std_error")}


def by_scipy(before: NDArray[np.int64], after: NDArray[np.int64], n_resamples: int) -> dict[str, float]:
    """Resample the answers."""
    found = stats.bootstrap(
        (VALUES[before], VALUES[after]),
        lambda a, b, axis: b.mean(axis=axis) - a.mean(axis=axis),
        n_resamples=n_resamples,
        batch=10,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    low, high = found.confidence_interval
    return {"conf_low": float(low), "conf_high": float(high), "std_error": float(found.standard_error)}


def by_numpy(before: NDArray[np.int64], after: NDArray[np.int64], n_resamples: int) -> dict[str, float]:
    """Count detractors, passives and promoters, and draw all resamples of these three counts at once."""
    rng = np.random.default_rng(SEED)
    drawn = []
    for scores in (before, after):
        shares = np.add.reduceat(np.bincount(scores, minlength=11), [0, 7, 9]) / len(scores)
        resamples = rng.multinomial(len(scores), shares, size=n_resamples)
        drawn.append((resamples[:, 2] - resamples[:, 0]) * (100 / len(scores)))
    difference = drawn[1] - drawn[0]
    low, high = np.quantile(difference, [0.025, 0.975])
    return {"conf_low": float(low), "conf_high": float(high), "std_error": float(difference.std(ddof=1))}


NUMPY, SCIPY = "NumPy's multinomial", "scipy.stats.bootstrap"
CONTENDERS = {OURS: by_nps_research, NUMPY: by_numpy, SCIPY: by_scipy}


def run_here(contender: str, n: int, n_resamples: int) -> dict[str, object]:
    """One run in this process, after one of a few resamples; seconds are scaled to 10,000 resamples."""
    resample = CONTENDERS[contender]
    resample(*made_up_answers(1000), 20)
    before, after = made_up_answers(n)
    seconds, limits = timed(lambda: resample(before, after, n_resamples))
    scaled = seconds * N_RESAMPLES / n_resamples
    return {"resamples": n_resamples, "seconds": scaled, "peak_megabytes": peak_megabytes(), **limits}


def measure(sizes: Mapping[int, int] = SIZES, repeats: int = REPEATS) -> pd.DataFrame:
    """Seconds for 10,000 resamples, memory and limits of each contender at each number of answers."""
    measured = []
    for n, timed_with in sizes.items():
        print(f"  {n:,} answers", flush=True)
        resamples = {**dict.fromkeys(CONTENDERS, N_RESAMPLES), SCIPY: timed_with}
        commands = {name: ("benchmarks.resampling", name, n, times) for name, times in resamples.items()}
        found = in_turns(commands, repeats)
        measured += [{"answers": n, "repeats": repeats, **each} for each in found]
    digits = {"seconds": 5, "peak_megabytes": 0, "conf_low": 3, "conf_high": 3, "std_error": 4}
    return pd.DataFrame(measured).round(digits)


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
