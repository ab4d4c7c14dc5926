"""How often limits of shares of real comments hold the truth: 10,302 patients' comments, all of them coded by hand.

Fills `patient_comments.csv` beside this file, a row a code: of the comments of the NHS Friends and Family Test that the
folder `NPS_RESEARCH_DATA` names holds (`data/README.md`), `coded` are drawn by lot, `runs` times; the machine learns
from these, and the shares of all comments are estimated as `problems.comment_shares` does. What the share is, is known.
The comments are not part of this project; the table holds counts alone.

Columns: share, the truth; powered, how often the machine helped (at least 20 drawn comments with the code); held, how
often the limits hold the truth; width, mean width of the limits over that of hand codes alone (score limits of the same
draw); machine_alone, the mean of what counting the machine's own codes gives; machine_held, how often normal limits
around that would hold the truth. Run it with `python -m calibration.patient_comments`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.comment_shares import share_of_code
from nps_research.problems.machine import Read, cross_predicted, letter_frequencies
from nps_research.statistics.proportions import wilson_limits
from nps_research.typing import Floats

TABLE = Path(__file__).with_suffix(".csv")
CODED, RUNS, LEVEL = 400, 1_000, 0.95
CODES = (
    *("Care received", "Staff", "Couldn't be improved", "Communication", "Environment/ facilities"),
    *("Access", "Miscellaneous", "Transition/coordination", "Dignity"),
)
PART = 250  # draws a cell, which take minutes
CELLS = [{"coded": CODED, "runs": PART, "part": part} for part in range(RUNS // PART)]


@cache
def comments() -> tuple[Read, Floats]:
    """Letters of all comments, and what code each has, shape (n, n_codes)."""
    path = Path(os.environ["NPS_RESEARCH_DATA"]) / "patient-comments" / "text_data.csv"
    rows = pd.read_csv(path).dropna(subset=["feedback"]).reset_index(drop=True)
    language = pd.Series("en", index=rows.index)
    truth = np.stack([(rows["label"] == code).to_numpy(dtype=float) for code in CODES], axis=1)
    return letter_frequencies(rows["feedback"], language), truth


def measure(coded: int, runs: int, part: int) -> dict[str, object]:
    """Sums over some draws, code by code."""
    rng = generator({"coded": coded, "part": part})
    frequencies, truth = comments()
    n, true = len(truth), truth.mean(axis=0)
    person = np.arange(n)
    rows = []
    for _ in range(runs):
        drawn = np.zeros(n, dtype=bool)
        drawn[rng.choice(n, coded, replace=False)] = True
        predicted = cross_predicted(frequencies, person, drawn, truth[drawn], rng)
        chance = np.full(coded, coded / n)
        for at, code in enumerate(CODES):
            hand = truth[drawn, at]
            found = share_of_code(hand, predicted[drawn, at], predicted[:, at], chance, person[drawn], LEVEL)
            low, high = wilson_limits(np.array([hand.sum()]), np.array([float(coded)]), confidence_level=LEVEL)
            alone = found["machine_share"]
            reach = 1.96 * np.sqrt(alone * (1 - alone) / coded)
            rows.append(
                {
                    "code": code,
                    "powered": found["method"] == "prediction-powered",
                    "held": found["conf_low"] <= true[at] <= found["conf_high"],
                    "width": (found["conf_high"] - found["conf_low"]) / float((high - low)[0]),
                    "machine_alone": alone,
                    "machine_held": abs(alone - true[at]) <= reach,
                }
            )
    means = pd.DataFrame(rows).groupby("code").mean().astype(float)
    found_of = {f"{code}: {name}": round(float(means.loc[code, name]), 4) for code in CODES for name in means}
    return {**{f"{code}: share": round(float(value), 4) for code, value in zip(CODES, true, strict=True)}, **found_of}


def by_code(table: pd.DataFrame) -> pd.DataFrame:
    """A row a code, over all draws."""
    means = table.drop(columns=["coded", "runs", "part"]).mean()
    parts = pd.DataFrame(
        [(*name.split(": "), value) for name, value in means.items()], columns=["code", "name", "value"]
    )
    return parts.pivot_table(index="code", columns="name", values="value").loc[list(CODES)]


if __name__ == "__main__":
    is_fresh = fresh_is_asked(__doc__)
    if "NPS_RESEARCH_DATA" not in os.environ:
        print("patient_comments: not measured, as NPS_RESEARCH_DATA names no folder with these comments.")
    else:
        table = fill(TABLE, CELLS, measure, fresh=is_fresh, jobs=2)
        print(by_code(table).round(4).to_string())
