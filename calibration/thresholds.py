"""How often the verdict on where detractors end is right, on designs that chose none of its constants.

`MOVE_GAP` and `SHAPE_GAP` were chosen on other designs (`calibration.threshold_gaps`). Fills `thresholds_runs.csv`
beside this file, `BLOCK` data sets a row, by turns through all cells; of a run that is stopped (Ctrl-C) the rows that
there are go into `thresholds.csv`, the shares of each cell with its number of data sets, and `thresholds.md`, the worst
of them. Run it with `python -m calibration.thresholds`: it goes on to 2,000 data sets a cell.

Scores: three shapes other than the one that chose: "low" (48% at 0-6), "fives" (45%, many of them 5) and "high" (8%).
Risk of a bad outcome, overall, 0.5 to 4%; answers are as many as give the outcomes named, on average.

Truths, as relative risks: "none"; "0-3", three times as high at 0-3; "0-6", twice as high at 0-6; "straight",
falling by the same factor at each score, fourfold over all; "seen 6" and "seen 3", a step of the ratio that the search
itself says it would find with a chance of 80%, planted across 0-6 or 0-3: then it must be found.

Layouts: "one wave"; "waves alike", four that differ in nothing; "waves apart", four in which the odds of the outcome
rise fourfold while scores fall; "accounts", three contacts share one outcome, whose risk is the mean of theirs, set
so that the rates of scores are those of the truth.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from calibration.threshold_gaps import VERDICTS, evidence, outcome_of_accounts
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeStrata
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.verdict import MOVE_GAP, SHAPE_GAP
from nps_research.thresholds.evidence.visible import visible_ratios

SCORE = np.arange(11)
SHAPES = {
    "low": np.array([6, 3, 4, 5, 6, 12, 12, 18, 16, 9, 9]) / 100,
    "fives": np.array([4, 2, 3, 4, 4, 20, 8, 12, 16, 10, 17]) / 100,
    "high": np.array([1, 0.5, 0.5, 0.5, 0.5, 2, 3, 6, 14, 22, 50]) / 100,
}
TRUE_LINE = {"0-3": 3, "0-6": 6, "none": 6, "seen 6": 6, "seen 3": 3}
RIGHT = {"0-3": "move", "0-6": "keep", "straight": "gradual", "none": "flat"}
MIXES = [("low", 0.005), ("fives", 0.01), ("high", 0.02), ("low", 0.04)]
WAVE_ODDS, WAVE_TILT = np.array([0.5, 0.8, 1.25, 2.0]), 0.12
CONTACTS = 3
N_RESAMPLES = 400
BLOCK, BLOCKS = 200, 10
RUNS = Path(__file__).with_name("thresholds_runs.csv")
TABLE = Path(__file__).with_suffix(".csv")
PAGE = TABLE.with_suffix(".md")
_DESIGNS = [
    *(("one wave", truth, events) for truth in ("none", "seen 6", "0-6") for events in (200, 600)),
    *(("one wave", truth, 600) for truth in ("seen 3", "0-3", "straight")),
    ("waves apart", "none", 600),
]
CELLS: list[dict[str, object]] = [
    {"layout": layout, "scores": scores, "risk": risk, "truth": truth, "events": events}
    for layout, truth, events in _DESIGNS
    for scores, risk in MIXES
]
CELLS += [
    {"layout": layout, "scores": scores, "risk": risk, "truth": truth, "events": 600}
    for layout, scores, risk, truths in (
        ("waves alike", "fives", 0.01, ("none", "0-6", "0-3", "straight")),
        ("waves apart", "fives", 0.01, ("0-6", "0-3", "seen 6")),
        ("accounts", "fives", 0.04, ("none", "0-6", "seen 6")),
    )
    for truth in truths
]
IN_BLOCKS = [{**cell, "block": block} for block in range(BLOCKS) for cell in CELLS]
COUNTED = (*VERDICTS, "found", "held", "as_one_wave")


def relative_risks(scores: str, risk: float, truth: str, events: int, layout: str) -> np.ndarray:
    """Risk by score, in all of `risk`."""
    if truth.startswith("seen"):
        cut = int(truth[-1])
        relative = np.where(cut >= SCORE, seen_ratio(layout, scores, risk, events, cut), 1.0)
    else:
        relative = {
            "none": np.ones(11),
            "0-3": np.where(SCORE <= 3, 3.0, 1.0),
            "0-6": np.where(SCORE <= 6, 2.0, 1.0),
            "straight": 4.0 ** (-SCORE / 10),
        }[truth]
    return np.asarray(relative * risk / (SHAPES[scores] @ relative))


@cache
def seen_ratio(layout: str, scores: str, risk: float, events: int, cut: int) -> float:
    """The ratio across a line that is said to be found with a chance of 80%, from a data set without a relation."""
    cell = {"layout": layout, "scores": scores, "risk": risk, "truth": "none", "events": events}
    rng = generator({**cell, "cut": cut})
    said = []
    for _ in range(5):
        sample = Sample.in_strata(made_up_outcome(**cell, rng=rng))
        said.append(visible_ratios(sample, [cut], alpha=0.025, n_resamples=2000, rng=rng).ratios[cut])
    return float(np.median(said))


def made_up_outcome(
    layout: str, scores: str, risk: float, truth: str, events: int, *, rng: np.random.Generator
) -> OutcomeByScore:
    """One data set."""
    shape, n = SHAPES[scores], round(events / risk)
    risks = relative_risks(scores, risk, truth, events, layout)
    if layout == "accounts":
        own = np.clip(CONTACTS * risks - (CONTACTS - 1) * risk, 0, 1)
        score = rng.choice(11, size=(n // CONTACTS, CONTACTS), p=shape)
        left = rng.random(len(score)) < own[score].mean(axis=1)
        return outcome_of_accounts(score, np.broadcast_to(left[:, None], score.shape))
    if layout == "one wave":
        answers = rng.multinomial(n, shape)
        return OutcomeByScore.from_counts(answers.tolist(), rng.binomial(answers, risks).tolist())
    apart = layout == "waves apart"
    wave = np.arange(len(WAVE_ODDS))[:, None]
    mix = shape * np.exp(-WAVE_TILT * wave * SCORE * apart)
    answers = np.array([rng.multinomial(n // len(mix), each / each.sum()) for each in mix])
    odds = risks / (1 - risks) * (WAVE_ODDS[:, None] if apart else np.ones((len(WAVE_ODDS), 1)))
    happened = rng.binomial(answers, odds / (1 + odds))
    return OutcomeByScore(
        groups=("all",),
        n=answers.sum(axis=0)[None],
        events=happened.sum(axis=0)[None],
        strata=OutcomeStrata(by=("wave",), n=answers[None], events=happened[None]),
    )


def measure(
    layout: str, scores: str, risk: float, truth: str, events: int, block: int, runs: int = BLOCK
) -> dict[str, object]:
    """How many of some data sets of a cell have each verdict, a relation found, the true line in the set."""
    cell = {"layout": layout, "scores": scores, "risk": risk, "truth": truth, "events": events}
    rng = generator({**cell, "block": block})
    counts = dict.fromkeys(COUNTED, 0)
    for _ in range(runs):
        outcome = made_up_outcome(**cell, rng=rng)
        seen = evidence(Sample.in_strata(outcome), n_resamples=N_RESAMPLES, rng=rng)
        counts[seen.verdict(MOVE_GAP, SHAPE_GAP)] += 1
        counts["found"] += not seen.relation.is_absent(0.95)
        counts["held"] += TRUE_LINE.get(truth) in seen.lines.confidence_set(0.95)
        if layout == "waves alike":
            together = evidence(Sample.of_group(outcome), n_resamples=N_RESAMPLES, rng=rng)
            counts["as_one_wave"] += together.verdict(MOVE_GAP, SHAPE_GAP) == RIGHT[truth]
    return {"runs": runs, **counts}


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Shares of each cell, of all its blocks together."""
    names = list(CELLS[0])
    total = rows.groupby(names, sort=False)[["runs", *COUNTED]].sum().reset_index()
    shares = total[list(COUNTED)].div(total["runs"], axis=0).round(4)
    shares["held"] = shares["held"].where(total["truth"].isin(list(TRUE_LINE)))
    shares["as_one_wave"] = shares["as_one_wave"].where(total["layout"] == "waves alike")
    return pd.concat([total[[*names, "runs"]], shares], axis=1)


# What can go wrong: in which truths, and how often it does in a cell; then what is right.
ERRORS = {
    "A relation is found where there is none": (["none"], lambda cells: cells["found"]),
    "The set of lines does not hold the true one": (list(TRUE_LINE), lambda cells: 1 - cells["held"]),
    "The line is moved, though it is at 6 or there is none": (
        ["none", "0-6", "seen 6", "straight"],
        lambda cells: cells["move"],
    ),
    "The convention is kept, though the line is elsewhere or there is none": (
        ["none", "0-3", "seen 3", "straight"],
        lambda cells: cells["keep"],
    ),
    "A gradual change is seen, though there is a line or nothing": (
        ["none", "0-3", "0-6", "seen 3", "seen 6"],
        lambda cells: cells["gradual"],
    ),
    "A ratio said to be found with 80% chance is missed": (["seen 3", "seen 6"], lambda cells: 1 - cells["found"]),
}


# Errors that tests hold to a limit and 3.3 Monte Carlo errors; of the others the worst is told.
LIMITS = dict(zip(ERRORS, (0.05, 0.05, 0.05, None, None, 0.25), strict=True))


def worst(table: pd.DataFrame) -> pd.DataFrame:
    """The worst cell of each error, with its number of data sets."""
    found = []
    for error, (truths, share) in ERRORS.items():
        cells = table[table["truth"].isin(truths)]
        row = cells.loc[share(cells).idxmax()]
        cell = f"{row['layout']}, {row['scores']}, {row['risk']:.1%}, {row['truth']}, {row['events']} outcomes"
        found.append({"error": error, "share": float(share(cells).max()), "cell": cell, "runs": int(row["runs"])})
    return pd.DataFrame(found)


def _limit(error: str) -> str:
    limit = LIMITS[error]
    return "" if limit is None else f"{limit:.0%}"


def page(table: pd.DataFrame) -> str:
    """The table in words, as Markdown."""
    errors = "".join(
        f"| {row['error']} | {row['share']:.1%} | {_limit(row['error'])} | {row['cell']} | {row['runs']:,} |\n"
        for row in worst(table).to_dict("records")
    )
    right = table.assign(right=[row[RIGHT[row["truth"]]] if row["truth"] in RIGHT else math.nan
                                for row in table.to_dict("records")])  # fmt: skip
    power = "".join(
        f"| {truth} | {events} | {RIGHT[truth]} | {cells['right'].min():.0%} to {cells['right'].max():.0%} |\n"
        for (truth, events), cells in right.dropna(subset="right").groupby(["truth", "events"], sort=False)
    )
    alike = right[right["layout"] == "waves alike"]
    kept = "".join(
        f"- {row['truth']}: {row['right']:.1%} with a baseline a wave, {row['as_one_wave']:.1%} without.\n"
        for row in alike.to_dict("records")
    )
    shown = table.assign(risk=table["risk"].map("{:.1%}".format), events=table["events"].astype(str))
    shares = list(COUNTED)
    shown[shares] = shown[shares].map(lambda share: "" if math.isnan(share) else f"{share:.1%}").astype(object)
    lines = [list(shown), ["---"] * len(shown.columns), *shown.astype(str).to_numpy().tolist()]
    rows = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    fewest, most = table["runs"].min(), table["runs"].max()
    runs = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return f"""# How often the verdict on the line is right

Written by `python -m calibration.thresholds` from [thresholds_runs.csv](thresholds_runs.csv): {runs} made-up data sets
a row, of {BLOCK * BLOCKS:,} that `make calibrate` goes on to. No design here chose a constant; those that did are in
[threshold_gaps.csv](threshold_gaps.csv). Shapes of scores, truths and layouts: `calibration/thresholds.py`.

## Errors: the worst cell of each

| error | how often | held to | where | data sets |
| --- | --- | --- | --- | --- |
{errors}
Held to: and 3.3 Monte Carlo errors. A verdict of "undecided" is no error above, and no success below; of a ratio said
to be found it is a miss where no relation is found.

## Power: the right verdict, from the worst cell to the best

| truth | outcomes | verdict | how often |
| --- | --- | --- | --- |
{power}
Where waves do not differ, a baseline a wave costs little:

{kept}
**Mind smooth curves**: a risk that is steep at the low end and level above is called a line ("move"); how often is in
[threshold_gaps.csv](threshold_gaps.csv), truth `curved`.

## All cells

`found`: a relation is found, in either direction. `held`: the 95% set holds the true line. `as_one_wave`: the right
verdict where waves that do not differ are counted as one.

{rows}"""


def write_summary() -> pd.DataFrame:
    """The table of shares and the page, from the rows that there are."""
    table = summary(pd.read_csv(RUNS))
    table.to_csv(TABLE, index=False, lineterminator="\n")
    PAGE.write_text(page(table), encoding="utf-8")
    return table


if __name__ == "__main__":
    fresh = fresh_is_asked(__doc__)
    try:
        fill(RUNS, IN_BLOCKS, measure, fresh=fresh)
    except KeyboardInterrupt:
        print("stopped")
    print(write_summary().to_string(index=False))
