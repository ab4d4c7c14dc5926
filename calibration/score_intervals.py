"""How often intervals for the Net Promoter Score hold the truth, and how wide they are.

Writes `score_intervals.csv` beside this file: coverage and mean width of the 95% interval by plain Wald,
adjusted Wald and Tango's score method, for eight sample sizes and six shapes. Nothing is drawn at random:
every possible table of detractors, passives and promoters is weighted with its probability, but for tables
that together have less than one in a hundred million. Run it with `python calibration/score_intervals.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from nps_research.intervals import VALUES, adjusted_wald, score_interval, wald

SIZES = (10, 20, 30, 50, 100, 200, 500, 1000)
SHAPES = {  # detractors, passives, promoters
    "b2b": (0.25, 0.40, 0.35),
    "skewed high": (0.04, 0.16, 0.80),
    "skewed low": (0.70, 0.20, 0.10),
    "few promoters": (0.30, 0.65, 0.05),
    "no passives": (0.40, 0.00, 0.60),
    "extreme": (0.01, 0.04, 0.95),
}
METHODS = {"wald": wald, "adjusted-wald": adjusted_wald, "score": score_interval}
LEVEL = 0.95
LEFT_OUT = 1e-8
BLOCK = 1000  # the formulas make a covariance matrix of all groups at once


def likely_tables(n: int, shape: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Tables of n answers with their probabilities, the least likely `LEFT_OUT` of them left out."""
    detractors, promoters = (count.ravel() for count in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    possible = detractors + promoters <= n
    detractors, promoters = detractors[possible], promoters[possible]
    tables = np.stack([detractors, n - detractors - promoters, promoters], axis=1)
    probability = np.asarray(stats.multinomial.pmf(tables, n, shape))
    order = np.argsort(-probability, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(probability[order]), 1 - LEFT_OUT)) + 1]
    return tables[kept], probability[kept]


def limits(method: str, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits of each table."""
    blocks = [
        METHODS[method](tables[start : start + BLOCK].astype(float), confidence_level=LEVEL)
        for start in range(0, len(tables), BLOCK)
    ]
    return np.concatenate([b.conf_low for b in blocks]), np.concatenate([b.conf_high for b in blocks])


def measure(method: str, n: int, name: str) -> dict[str, object]:
    """Coverage and mean width of one method, size and shape."""
    tables, probability = likely_tables(n, SHAPES[name])
    low, high = limits(method, tables)
    truth = float(VALUES @ np.array(SHAPES[name]))
    held = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
    return {
        "n": n,
        "shape": name,
        "net_promoter_score": round(truth, 6),
        "method": method,
        "coverage": round(float(probability @ held / probability.sum()), 5),
        "mean_width": round(float(probability @ (high - low) / probability.sum()), 3),
    }


def main() -> None:
    """Write the table, and show coverage per size and method."""
    table = pd.DataFrame([measure(method, n, name) for n in SIZES for name in SHAPES for method in METHODS])
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    away = table.assign(away=(table["coverage"] - LEVEL).abs())
    summary = away.groupby(["method", "n"]).agg(
        least_coverage=("coverage", "min"), mean_away=("away", "mean"), mean_width=("mean_width", "mean")
    )
    print(summary.round(4).to_string())


if __name__ == "__main__":
    main()
