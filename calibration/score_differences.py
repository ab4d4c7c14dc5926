"""How often intervals for the difference of two independent scores hold the truth, and how wide they are.

Writes `score_differences.csv` beside this file: coverage and mean width of the 95% interval of
`compare_net_promoter_scores` by MOVER, plain and adjusted Wald, for pairs of sizes and shapes. Nothing is drawn at
random: every pair of tables of detractors, passives and promoters is weighted with its probability, but for tables of
a group that together have less than one in a million. Where both shapes are one, the share not held is the share of
tests at 0.05 that find a difference where there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from calibration.trinomial import EDGE, likely_tables, reaches, truth_of

if TYPE_CHECKING:
    import pandas as pd

SIZES = ((10, 10), (15, 15), (30, 30), (100, 100), (400, 400), (1000, 1000), (10, 100), (30, 400), (100, 1000))
SHAPES = (
    ("b2b", "b2b"),
    ("skewed high", "skewed high"),
    ("extreme", "extreme"),
    ("b2b", "skewed high"),
    ("skewed high", "skewed low"),
    ("few promoters", "no passives"),
    ("SFO 2017", "SFO 2018"),
)
METHODS = ("wald", "adjusted-wald", "score")
LEFT_OUT = 1e-6
PAIRS_AT_ONCE = 2_000_000
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [
    {"n_a": n_a, "n_b": n_b, "shape_a": shape_a, "shape_b": shape_b, "method": method}
    for n_a, n_b in SIZES
    for shape_a, shape_b in SHAPES
    for method in METHODS
]


def measure(n_a: int, n_b: int, shape_a: str, shape_b: str, method: str) -> dict[str, object]:
    """Coverage and mean width of one method, pair of sizes and pair of shapes."""
    (centre_a, below_a, above_a, chance_a), (centre_b, below_b, above_b, chance_b) = (
        (*reaches(tables, method), chance)
        for tables, chance in (
            likely_tables(n, shape, left_out=LEFT_OUT) for n, shape in ((n_a, shape_a), (n_b, shape_b))
        )
    )
    truth = truth_of(shape_b) - truth_of(shape_a)
    coverage = mean_width = 0.0
    rows_at_once = max(1, PAIRS_AT_ONCE // len(centre_b))
    for start in range(0, len(centre_a), rows_at_once):
        rows = slice(start, start + rows_at_once)
        difference = centre_b - centre_a[rows, None]
        low = np.maximum(difference - np.hypot(below_b, above_a[rows, None]), -200)
        high = np.minimum(difference + np.hypot(above_b, below_a[rows, None]), 200)
        coverage += float(chance_a[rows] @ ((low <= truth + EDGE) & (truth - EDGE <= high)) @ chance_b)
        mean_width += float(chance_a[rows] @ (high - low) @ chance_b)
    return {"difference": round(truth, 6), "coverage": round(coverage, 5), "mean_width": round(mean_width, 3)}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Least and greatest coverage and mean width of each method and pair of sizes."""
    return table.groupby(["method", "n_a", "n_b"]).agg(
        least=("coverage", "min"), most=("coverage", "max"), width=("mean_width", "mean")
    )


if __name__ == "__main__":
    print(summary(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))).round(4).to_string())
