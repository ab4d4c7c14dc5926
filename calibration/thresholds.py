"""How often the verdict on where detractors end is right, and how often the confidence set holds the true line.

Fills `thresholds.csv` beside this file with made-up answers in the shape of the San Francisco International Airport
survey's, 500 data sets a cell, each compared with 400 resamples. Truths, as the risk of a bad outcome:

    0-3          20% at 0-3, 5% above          0-6          20% at 0-6, 5% above
    steep groups 20%, 12%, 4% at 0-6, 7-8, 9-10   mild groups  15%, 10%, 5% at these
    straight     on the logit scale, 30% at 0, 4% at 10
    none         10% at every score            reversed     5% at 0-6, 15% above
    curved       5% and 15% e^(-score / 2.5): smooth, but steep where few answer

Designs: "independent"; "accounts", where three contacts share one outcome, whose risk is the mean of theirs.

Columns: runs; the share of each verdict; the share of sets that hold the true line (where there is one; without any
relation every line is true, and it is the convention's); the share of runs whose best line is the true one.
Run it with `python -m calibration.thresholds`.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters
from nps_research.thresholds.compare_thresholds import compare_thresholds

if TYPE_CHECKING:
    import pandas as pd

SCORE = np.arange(11)
# Answers of both waves of the survey (data/sfo-airport), each counted once.
SHAPE = np.array([41, 17, 32, 45, 42, 349, 263, 625, 1278, 1062, 1642]) / 5396
TRUTHS: dict[str, np.ndarray] = {
    "0-3": np.where(SCORE <= 3, 0.20, 0.05),
    "0-6": np.where(SCORE <= 6, 0.20, 0.05),
    "steep groups": np.select([SCORE <= 6, SCORE <= 8], [0.20, 0.12], 0.04),
    "mild groups": np.select([SCORE <= 6, SCORE <= 8], [0.15, 0.10], 0.05),
    "straight": expit(logit(0.30) + (logit(0.04) - logit(0.30)) * SCORE / 10),
    "none": np.full(11, 0.10),
    "reversed": np.where(SCORE <= 6, 0.05, 0.15),
    "curved": 0.05 + 0.15 * np.exp(-SCORE / 2.5),
}
TRUE_LINE = {"0-3": 3, "0-6": 6, "none": 6}
SIZES = (500, 1000, 2000, 5000)
VERDICTS = ("keep", "move", "gradual", "flat", "reversed", "undecided")
RUNS = 500
N_RESAMPLES = 400
CONTACTS = 3
TABLE = Path(__file__).with_suffix(".csv")
PAGE = TABLE.with_suffix(".md")
CELLS = [
    {"design": design, "truth": truth, "n": n}
    for design, truths in (("independent", list(TRUTHS)), ("accounts", ["0-3", "0-6", "straight", "none"]))
    for truth, n in product(truths, SIZES)
]


def made_up_outcome(design: str, truth: str, n: int, rng: np.random.Generator) -> OutcomeByScore:
    """One data set."""
    risk = TRUTHS[truth]
    if design == "independent":
        answers = rng.multinomial(n, SHAPE)
        return OutcomeByScore.from_counts(answers.tolist(), rng.binomial(answers, risk).tolist())
    m = n // CONTACTS
    score = rng.choice(11, size=(m, CONTACTS), p=SHAPE)
    left = rng.random(m) < risk[score].mean(axis=1)
    return outcome_of_accounts(score, np.broadcast_to(left[:, None], score.shape))


def outcome_of_accounts(score: np.ndarray, happened: np.ndarray) -> OutcomeByScore:
    """Scores and outcomes of accounts' contacts, both of shape (n_accounts, n_contacts), counted."""
    m = len(score)
    counts = np.zeros((m, 11), dtype=np.int64)
    account = np.repeat(np.arange(m), score.shape[1])
    np.add.at(counts, (account, score.ravel()), 1)
    events = np.zeros_like(counts)
    np.add.at(events, (account, score.ravel()), happened.ravel().astype(np.int64))
    none = np.zeros(m, dtype=np.int64)
    return OutcomeByScore(
        groups=("all",),
        n=counts.sum(axis=0)[None],
        events=events.sum(axis=0)[None],
        clusters=OutcomeClusters(
            group=none,
            label=np.arange(m).astype(object),
            n=counts,
            events=events,
            nonrespondents=none,
            nonrespondent_events=none,
        ),
    )


def measure(design: str, truth: str, n: int, runs: int = RUNS) -> dict[str, object]:
    """Verdicts and coverage of one cell."""
    rng = generator({"design": design, "truth": truth, "n": n})
    line = TRUE_LINE.get(truth)
    verdicts: Counter[str] = Counter()
    held = found = 0
    for _ in range(runs):
        outcome = made_up_outcome(design, truth, n, rng)
        compared = compare_thresholds(outcome, n_resamples=N_RESAMPLES, rng=rng)
        verdicts[compared.verdict] += 1
        held += line in compared.confidence_set
        found += line == compared.best_cut
    share = {verdict: round(verdicts[verdict] / runs, 4) for verdict in VERDICTS}
    there = line is not None
    return {
        "runs": runs,
        **share,
        "held": round(held / runs, 4) if there else math.nan,
        "found": round(found / runs, 4) if there and truth != "none" else math.nan,
    }


def page(table: pd.DataFrame) -> str:
    """The table in words, as Markdown."""
    shown = table.drop(columns="runs").astype({"n": str})
    shares = shown.select_dtypes("number").columns
    shown[shares] = shown[shares].map(lambda share: "" if math.isnan(share) else f"{share:.1%}")
    lines = [list(shown), ["---"] * len(shown.columns), *shown.to_numpy().tolist()]
    rows = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"""# How often the verdict on the line is right

Written by `python -m calibration.thresholds` from [thresholds.csv](thresholds.csv), of {RUNS} made-up data sets a row.
`held` is how often the 95% set holds the true line, `found` how often the best line is the true one.

- Truths: `0-3` and `0-6`, 20% below the line and 5% above; `steep groups`, 20, 12 and 4% at 0-6, 7-8 and 9-10; `mild
  groups`, 15, 10 and 5%; `straight` on the logit scale from 30% at 0 to 4% at 10; `none`, 10% everywhere;
  `reversed`, 5% at 0-6 and 15% above; `curved`, smooth but steep where few answer (from 20% at 0 to 5%).
- `accounts`: three contacts share one outcome, whose risk is the mean of theirs, so that a step is a third as high.
- **Mind `curved`**: a smooth risk that is steep at the low end is called a line ("move") in up to
  {table.loc[table["truth"] == "curved", "move"].max():.0%}, and more often with more answers.
- **Mind `flat` with accounts**: a line at 3 with few below it can be missed where a doubled risk below 6 would have
  been found. The finding says how large a difference at 0-3 the data allow.

{rows}"""


if __name__ == "__main__":
    table = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2)
    PAGE.write_text(page(table), encoding="utf-8")
    print(table.drop(columns="runs").to_string(index=False))
