"""What chose `MOVE_GAP` and `SHAPE_GAP`: verdicts under each pair of gaps, on designs that certify nothing.

Fills `threshold_gaps.csv` beside this file: made-up answers in the shape of the San Francisco International Airport
survey's, with truths, as the risk of a bad outcome:

    0-3          20% at 0-3, 5% above          0-6          20% at 0-6, 5% above
    steep groups 20%, 12%, 4% at 0-6, 7-8, 9-10   mild groups  15%, 10%, 5% at these
    straight     on the logit scale, 30% at 0, 4% at 10
    none         10% at every score
    curved       5% and 15% e^(-score / 2.5): smooth, but steep where few answer

Designs: "independent"; "accounts", where three contacts share one outcome, whose risk is the mean of theirs. Columns:
runs; the share of each verdict. `chosen` is the rule by which the two are taken from the table. Run it with
`python -m calibration.threshold_gaps`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters
from nps_research.thresholds.evidence.lines import Lines, Relation, cross_validated_deviances, lower_line, single_lines
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.verdict import LineWord, line_verdict, lines_to_plant
from nps_research.thresholds.evidence.visible import Visible, visible_ratios

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
    "curved": 0.05 + 0.15 * np.exp(-SCORE / 2.5),
}
MOVE_GAPS, SHAPE_GAPS = (3.0, 3.5, 4.0), (1.0, 1.5, 2.0)
VERDICTS = ("keep", "move", "gradual", "flat", "reversed", "undecided")
RIGHT = {"0-3": "move", "0-6": "keep", "steep groups": "keep", "mild groups": "keep",
         "straight": "gradual", "none": "flat"}  # fmt: skip
# In which truths a word is not wrong; of three groups a gradual change is not.
MAY_SAY = {"move": ["0-3"], "keep": ["0-6", "steep groups", "mild groups"],
           "gradual": ["straight", "mild groups", "steep groups"]}  # fmt: skip
KEPT, MOST_MOVED = 0.8, 0.05
LINES = {"detractor_max": 6, "promoter_min": 9}
LEVEL = 0.95
RUNS = 500
N_RESAMPLES = 400
CONTACTS = 3
TABLE = Path(__file__).with_suffix(".csv")
DESIGNS = [
    *(("independent", truth, n) for truth, n in product(TRUTHS, (500, 2000, 5000))),
    *(("accounts", truth, n) for truth, n in product(("0-6", "straight"), (2000, 5000))),
]
CELLS = [
    {"design": design, "truth": truth, "n": n, "move_gap": move, "shape_gap": shape}
    for design, truth, n in DESIGNS
    for move, shape in product(MOVE_GAPS, SHAPE_GAPS)
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What `compare_thresholds` rests its verdict on, from one data set; the lower of two lines where it matters."""

    sample: Sample
    lines: Lines
    relation: Relation
    lower: Lines
    deviance: dict[str, float]
    visible: Visible | None
    deff: float

    def verdict(self, move_gap: float, shape_gap: float) -> LineWord:
        """The verdict with these gaps."""
        return line_verdict(
            self.sample,
            self.lines,
            self.relation,
            self.lower,
            self.deviance,
            visible=self.visible,
            deff=self.deff,
            **LINES,
            confidence_level=LEVEL,
            move_gap=move_gap,
            shape_gap=shape_gap,
        ).verdict


def evidence(sample: Sample, *, n_resamples: int, rng: np.random.Generator) -> Evidence:
    """What a verdict needs, by the functions that `compare_thresholds` calls, and no more of it."""
    lines, relation = single_lines(sample, n_resamples=n_resamples, rng=rng)
    deff = max(sample.pooled.design_effect_of_cut(cut) for cut in (lines.best, LINES["detractor_max"]))
    lower, visible, deviance = lines, None, {}
    if relation.is_absent(LEVEL):
        planted = lines_to_plant(LINES["detractor_max"])
        visible = visible_ratios(sample, planted, alpha=(1 - LEVEL) / 2, n_resamples=n_resamples, rng=rng)
    elif not relation.rises:
        deviance = {name: value / deff for name, value in cross_validated_deviances(sample, **LINES, rng=rng).items()}
        if deviance["three"] < min(deviance["convention"], deviance["best"]):
            lower = lower_line(sample, n_resamples=n_resamples, rng=rng)
    return Evidence(
        sample=sample, lines=lines, relation=relation, lower=lower, deviance=deviance, visible=visible, deff=deff
    )


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


_COUNTS: dict[tuple[str, str, int, int], Counter[tuple[float, float, str]]] = {}


def measure(design: str, truth: str, n: int, move_gap: float, shape_gap: float, runs: int = RUNS) -> dict[str, object]:
    """Shares of the verdicts in one cell; data sets are drawn once for all gaps."""
    key = (design, truth, n, runs)
    if key not in _COUNTS:
        rng = generator({"design": design, "truth": truth, "n": n})
        counts: Counter[tuple[float, float, str]] = Counter()
        for _ in range(runs):
            sample = Sample.of_group(made_up_outcome(design, truth, n, rng))
            seen = evidence(sample, n_resamples=N_RESAMPLES, rng=rng)
            counts.update((move, shape, seen.verdict(move, shape)) for move, shape in product(MOVE_GAPS, SHAPE_GAPS))
        _COUNTS[key] = counts
    found = _COUNTS[key]
    return {"runs": runs, **{verdict: round(found[move_gap, shape_gap, verdict] / runs, 4) for verdict in VERDICTS}}


def chosen(table: pd.DataFrame) -> tuple[float, float]:
    """The gaps that the rule chooses.

    Of those that move no line wrongly in more than 5% of any cell, and under which every right verdict is given `KEPT`
    times as often as under the smallest gaps at least (in cells where these give it in a tenth of the data sets): the
    ones whose worst cell of any wrong word is lowest, then the smallest.
    """
    names, gaps = ["design", "truth", "n"], ["move_gap", "shape_gap"]
    table = table[table["truth"] != "curved"]
    right = table.assign(right=[row[RIGHT[row["truth"]]] for row in table.to_dict("records")])
    least = right[(right[gaps] == [MOVE_GAPS[0], SHAPE_GAPS[0]]).all(axis=1)].set_index(names)["right"]
    found = []
    for (move, shape), cells in right.groupby(gaps):
        now = cells.set_index(names)["right"]
        wrong = {word: cells.loc[~cells["truth"].isin(truths), word].max() for word, truths in MAY_SAY.items()}
        if wrong["move"] <= MOST_MOVED and not (now < KEPT * least)[least >= 0.1].any():
            found.append((float(max(wrong.values())), float(move), float(shape)))
    return min(found)[1:]


if __name__ == "__main__":
    table = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))
    print(table.drop(columns="runs").to_string(index=False))
