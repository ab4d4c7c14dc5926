"""How often two bands of scores are called equivalent: at most 5% where they differ by the margin, mostly where alike.

Fills `bands.csv` beside this file with made-up answers in the shape of those in `thresholds`, 2,000 data sets a cell:
4-8 against 9-10 with a margin of 0.05, at rates that are alike or just the margin apart. Designs: "independent";
"accounts", in one third of which the three contacts' outcomes are drawn as one. Columns: runs; the share of runs called
equivalent, worse and better.
Run it with `python -m calibration.bands`.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked, generator
from calibration.thresholds import CONTACTS, SCORE, SHAPE, SIZES, outcome_of_accounts
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.thresholds.bands import compare_bands

RATES = {"alike": ((0.05, 0.05), (0.10, 0.10)), "margin apart": ((0.10, 0.05), (0.05, 0.10), (0.15, 0.10))}
MARGIN = 0.05
SHARED = 1 / 3
RUNS = 2000
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [
    {"design": design, "truth": truth, "band_rate": band, "reference_rate": reference, "n": n}
    for design, truth in product(("independent", "accounts"), RATES)
    for (band, reference), n in product(RATES[truth], SIZES)
]


def made_up_outcome(
    design: str, band_rate: float, reference_rate: float, n: int, rng: np.random.Generator
) -> OutcomeByScore:
    """One data set; scores 0-3 are as the band."""
    risk = np.where(SCORE <= 8, band_rate, reference_rate)
    if design == "independent":
        answers = rng.multinomial(n, SHAPE)
        return OutcomeByScore.from_counts(answers.tolist(), rng.binomial(answers, risk).tolist())
    m = n // CONTACTS
    score = rng.choice(11, size=(m, CONTACTS), p=SHAPE)
    shared = rng.random((m, 1)) < SHARED
    draw = np.where(shared, rng.random((m, 1)), rng.random((m, CONTACTS)))
    return outcome_of_accounts(score, draw < risk[score])


def measure(
    design: str, truth: str, band_rate: float, reference_rate: float, n: int, runs: int = RUNS
) -> dict[str, object]:
    """Shares of the verdicts in one cell."""
    cell = {"design": design, "truth": truth, "band_rate": band_rate, "reference_rate": reference_rate, "n": n}
    rng = generator(cell)
    verdicts = Counter(
        compare_bands(made_up_outcome(design, band_rate, reference_rate, n, rng), margin=MARGIN).verdict
        for _ in range(runs)
    )
    return {"runs": runs, **{name: round(verdicts[name] / runs, 4) for name in ("equivalent", "worse", "better")}}


if __name__ == "__main__":
    table = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2)
    print(table.drop(columns="runs").to_string(index=False))
