"""How often two bands of scores are called as loyal, or alike, that are not; and how often where they are.

Fills `bands.csv` beside this file, 2,000 data sets a cell: made-up answers of 8 (the band) and 10 (the reference). The
reference has `reference_rate` of bad outcomes, the band `ratio` times that, and `events` is what the reference expects;
the band has as many answers. None of these numbers chose a constant of the package. Designs:

    independent   answers by themselves
    uneven        the band has a quarter of the reference's answers
    accounts      of three contacts, who share one outcome in a third of the accounts and answer 8 or 10 by themselves
    stores        24 stores of unequal size, of which each has rates of its own (a coefficient of variation of 0.25)

Columns: runs; the share of each word; `below_margin`, of runs that claim a ratio below the margin, whatever the word:
the false claims where the ratio is the margin, and the power where it is 1. Less and more loyal are claims of the
difference, whose limits are normal: in 24 stores each is said of equal bands in up to 7.5%. Run it with
`python -m calibration.bands`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters
from nps_research.statistics.rate_ratios import MARGIN, rate_ratios
from nps_research.thresholds.evidence.band_verdict import BandCounts, band_verdicts
from nps_research.thresholds.evidence.resampling import Sample

BAND, REFERENCE = 8, 10
RATIOS = {"equal": 1.0, "margin above": MARGIN, "margin below": 1 / MARGIN}
WORDS = ("equivalent", "not-worse", "worse-within-margin", "worse", "better", "cannot-tell")
ALPHA = 0.05
CONTACTS, SHARED = 3, 1 / 3
STORES, SPREAD = 24, 0.25
RUNS = 2000
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [
    {"design": design, "truth": truth, "reference_rate": rate, "events": events}
    for design, rates, sizes in (
        ("independent", (0.005, 0.02, 0.05, 0.10), (25, 75, 104, 150)),
        ("uneven", (0.005, 0.02, 0.05, 0.10), (75, 150)),
        ("accounts", (0.005,), (75,)),
        ("accounts", (0.05, 0.10), (75, 150)),
        ("stores", (0.005, 0.05, 0.10), (75, 150, 300)),
    )
    for truth, rate, events in product(RATIOS, rates, sizes)
]


def made_up_outcome(
    design: str, ratio: float, reference_rate: float, events: int, rng: np.random.Generator
) -> OutcomeByScore:
    """One data set."""
    n, risk = round(events / reference_rate), reference_rate * np.array([ratio, 1.0])
    if design in ("independent", "uneven"):
        answers = np.array([n // 4 if design == "uneven" else n, n])
        return _outcome(answers[None], rng.binomial(answers, risk)[None])
    if design == "accounts":
        m = 2 * n // CONTACTS
        is_band = rng.random((m, CONTACTS)) < 0.5
        draw = np.where(rng.random((m, 1)) < SHARED, rng.random((m, 1)), rng.random((m, CONTACTS)))
        left = draw < np.where(is_band, *risk)
        sides = (is_band, ~is_band)
        return _outcome(
            np.stack([side.sum(axis=1) for side in sides], axis=1),
            np.stack([(side & left).sum(axis=1) for side in sides], axis=1),
        )
    shape = 1 / SPREAD**2
    own = np.minimum(risk * rng.gamma(shape, 1 / shape, (STORES, 2)), 1.0)
    size = rng.dirichlet(np.full(STORES, 2.0))
    answers = rng.multinomial(n, size, size=2).T
    return _outcome(answers, rng.binomial(answers, own))


def _outcome(answers: np.ndarray, left: np.ndarray) -> OutcomeByScore:
    """Answers and bad outcomes in the band and the reference, a row a cluster; one row is no cluster."""
    counts = [np.zeros((len(answers), 11), dtype=np.int64) for _ in range(2)]
    for placed, seen in zip(counts, (answers, left), strict=True):
        placed[:, [BAND, REFERENCE]] = seen
    n, events = counts
    none = np.zeros(len(answers), dtype=np.int64)
    clusters = OutcomeClusters(
        group=none,
        label=np.arange(len(answers)).astype(object),
        n=n,
        events=events,
        nonrespondents=none,
        nonrespondent_events=none,
    )
    return OutcomeByScore(
        groups=("all",),
        n=n.sum(axis=0)[None],
        events=events.sum(axis=0)[None],
        clusters=clusters if len(answers) > 1 else None,
    )


def counts_of(outcome: OutcomeByScore) -> BandCounts:
    """What `compare_bands` takes from one data set."""
    score = np.arange(11)
    return BandCounts.of(Sample.of_group(outcome), score == BAND, score == REFERENCE)


def measure(design: str, truth: str, reference_rate: float, events: int, runs: int = RUNS) -> dict[str, object]:
    """Shares of the words in one cell, all data sets at once: the rule of `compare_bands`, as a test checks."""
    cell = {"design": design, "truth": truth, "reference_rate": reference_rate, "events": events}
    rng = generator(cell)
    drawn = (made_up_outcome(design, RATIOS[truth], reference_rate, events, rng) for _ in range(runs))
    counts = BandCounts.stacked([counts_of(outcome) for outcome in drawn])
    ratios = rate_ratios(*counts.of_ratio, margin=MARGIN, alpha=ALPHA, degrees=counts.degrees)
    words = band_verdicts(counts, ratios, alpha=ALPHA)
    shares = {word: round(float((words == word).mean()), 4) for word in WORDS}
    return {"runs": runs, **shares, "below_margin": round(float((ratios.p_not_worse < ALPHA).mean()), 4)}


if __name__ == "__main__":
    table = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))
    print(table.drop(columns="runs").to_string(index=False))
