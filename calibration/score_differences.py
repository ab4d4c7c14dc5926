"""How often intervals for the difference of two independent scores hold the truth, and how wide they are.

Writes `score_differences.csv` beside this file: coverage and mean width of the 95% interval of
`compare_net_promoter_scores` by plain and adjusted Wald, for pairs of sizes and shapes. Nothing is drawn at random:
every pair of tables of detractors, passives and promoters is weighted with its probability, but for tables of a
group that together have less than one in a million. Where both shapes are one, the share not held is the share of
tests at 0.05 that find a difference where there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from calibration.resumable import fill, fresh_is_asked
from calibration.trinomial import EDGE, LEVEL, in_blocks, likely_tables, truth_of
from nps_research.score.limits.independent import adjusted_wald, wald

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
METHODS = {"wald": wald, "adjusted-wald": adjusted_wald}
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
    groups = []
    for n, shape in ((n_a, shape_a), (n_b, shape_b)):
        tables, probability = likely_tables(n, shape, left_out=LEFT_OUT)
        groups.append((*in_blocks(METHODS[method], tables, "centre", "std_error"), probability))
    (centre_a, error_a, probability_a), (centre_b, error_b, probability_b) = groups
    truth = truth_of(shape_b) - truth_of(shape_a)
    quantile = stats.norm.ppf(0.5 + LEVEL / 2)
    coverage = mean_width = 0.0
    rows_at_once = max(1, PAIRS_AT_ONCE // len(centre_b))
    for start in range(0, len(centre_a), rows_at_once):
        rows = slice(start, start + rows_at_once)
        centre = centre_b - centre_a[rows, None]
        half_width = quantile * np.sqrt(error_a[rows, None] ** 2 + error_b**2)
        held = np.abs(centre - truth) <= half_width + EDGE
        width = np.minimum(centre + half_width, 200) - np.maximum(centre - half_width, -200)
        coverage += float(probability_a[rows] @ held @ probability_b)
        mean_width += float(probability_a[rows] @ width @ probability_b)
    return {"difference": round(truth, 6), "coverage": round(coverage, 5), "mean_width": round(mean_width, 3)}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Least and greatest coverage and mean width of each method and pair of sizes."""
    return table.groupby(["method", "n_a", "n_b"]).agg(
        least=("coverage", "min"), most=("coverage", "max"), width=("mean_width", "mean")
    )


if __name__ == "__main__":
    print(summary(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))).round(4).to_string())
