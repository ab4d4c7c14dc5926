"""How often the limits of comments' shares hold the truth, and how much surer the machine makes them.

Fills `comment_shares.csv` beside this file, a row a code in a made-up study: `n` comments in four languages, of which
`coded` were coded by hand, by lot or `enriched`, comments of many words three times as often. The truth is the chance
with which comments like these tell of a problem, found by drawing 60,000 of them. Run it with
`python -m calibration.comment_shares`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.made_up.comments import PROBLEM_CODES, draw_comments
from nps_research.problems.comment_shares import comment_shares
from nps_research.study.study import Study
from nps_research.typing import Flags

TABLE = Path(__file__).with_suffix(".csv")
REPLICATES = 30
HAVE = np.linspace(0.16, 0.02, len(PROBLEM_CODES))
CELLS = [
    {"n": 2000, "coded": 400, "enriched": enriched, "number": number}
    for enriched in (False, True)
    for number in range(REPLICATES)
]


def comments_of(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Flags]:
    """Comments, each by another person, and what they tell of."""
    language, score = rng.choice(["en", "uk", "ro", "ru"], n), rng.integers(0, 11, n).astype(float)
    had = rng.random((n, len(PROBLEM_CODES))) < HAVE
    text, told = draw_comments(language, score, had, rng=rng)
    ids = [f"K{row:06d}" for row in range(n)]
    rows = {"respondent_id": ids, "likelihood_to_recommend": score.astype(int), "language": language, "comment": text}
    return pd.DataFrame(rows), told


@cache
def true_shares() -> Flags:
    """What share of comments tells of each problem."""
    return comments_of(60_000, np.random.default_rng(1))[1].mean(axis=0)


def commented_study(n: int, coded: int, *, enriched: bool, rng: np.random.Generator) -> Study:
    """A study of comments of which some were coded."""
    rows, told = comments_of(n, rng)
    long = rows["comment"].str.len() > rows["comment"].str.len().median()
    chance = np.where(long & enriched, 3.0, 1.0)
    chance *= coded / chance.sum()
    drawn = np.flatnonzero(rng.random(n) < chance)
    codes = [
        (f"K{row:06d}", code, chance[row])
        for row in drawn
        for code in ([PROBLEM_CODES[at] for at in np.flatnonzero(told[row])] or ["none"])
    ]
    table = pd.DataFrame(codes, columns=["respondent_id", "problem", "inclusion_probability"]).assign(coder="A")
    problems: dict[str, dict[str, object]] = {code: {"label": code} for code in PROBLEM_CODES}
    problems["none"] = {"label": "none", "praise": True}
    return Study.from_frames(responses=rows, tables={"hand_codes": table}, problems=problems, made_up=True)


def measure(n: int, coded: int, *, enriched: bool, number: int) -> dict[str, object]:
    """One study: its codes' shares held, by each method, and widths."""
    cell = {"n": n, "coded": coded, "enriched": enriched, "number": number}
    result = comment_shares(commented_study(n, coded, enriched=enriched, rng=generator(cell)))
    frame = result.frame.set_index("term").loc[list(PROBLEM_CODES)]
    held = (frame["conf_low"] <= true_shares()) & (true_shares() <= frame["conf_high"])
    by_machine = (frame["conf_low"] <= frame["machine_share"]) & (frame["machine_share"] <= frame["conf_high"])
    powered = frame["method"] == "prediction-powered"
    alone = np.sqrt(frame["hand_share"] * (1 - frame["hand_share"]) / frame["n"])
    return {
        "codes_powered": int(powered.sum()),
        "powered_held": int(held[powered].sum()),
        "codes_by_hand": int((~powered).sum()),
        "by_hand_held": int(held[~powered].sum()),
        "machine_near": int(by_machine.sum()),
        "width_of_hand_alone": round(float((frame["std_error"] / alone)[powered].mean()), 4),
    }


if __name__ == "__main__":
    found = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))
    total = found.groupby("enriched").sum(numeric_only=True)
    print((total["powered_held"] / total["codes_powered"]).rename("prediction-powered limits that hold").round(3))
    print((total["by_hand_held"] / total["codes_by_hand"]).rename("limits by hand that hold").round(3))
    print(found.groupby("enriched")["width_of_hand_alone"].mean().round(3))
