"""Where detractors end, with 2,000 resamples: from counts of few and many answers, and of accounts resampled whole."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd

import nps_research as nps
from benchmarks.measuring import SCORE_SHARES, SEED, in_turns, peak_megabytes, timed
from calibration.threshold_gaps import outcome_of_accounts

N_RESAMPLES = 2000
REPEATS = 5
RISK = np.where(np.arange(11) <= 3, 0.20, 0.05)
FROM_COUNTS = {"10 thousand answers": 10_000, "10 million answers": 10_000_000}
ACCOUNTS = "10,000 accounts of three"


def made_up(case: str) -> nps.OutcomeByScore:
    """Made-up outcomes, a line at 3 planted; contacts of an account leave together."""
    rng = np.random.default_rng(SEED)
    if case in FROM_COUNTS:
        n = rng.multinomial(FROM_COUNTS[case], SCORE_SHARES)
        return nps.OutcomeByScore.from_counts(n.tolist(), rng.binomial(n, RISK).tolist())
    score = rng.choice(11, size=(10_000, 3), p=SCORE_SHARES)
    left = rng.random(len(score)) < RISK[score].mean(axis=1)
    return outcome_of_accounts(score, np.broadcast_to(left[:, None], score.shape))


def run_here(case: str) -> dict[str, object]:
    """One run in this process, after one of a few resamples."""
    outcome = made_up(case)
    nps.compare_thresholds(outcome, n_resamples=100)
    seconds, found = timed(lambda: nps.compare_thresholds(outcome, n_resamples=N_RESAMPLES))
    return {"seconds": seconds, "peak_megabytes": peak_megabytes(), "best_cut": found.best_cut}


def measure(repeats: int = REPEATS) -> pd.DataFrame:
    """Seconds and memory of each case."""
    found = in_turns({case: ("benchmarks.thresholds", case) for case in (*FROM_COUNTS, ACCOUNTS)}, repeats)
    measured = pd.DataFrame([{"resamples": N_RESAMPLES, "repeats": repeats, **each} for each in found])
    return measured.round({"seconds": 3, "peak_megabytes": 0})


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1])))
