"""How often intervals for the Net Promoter Score hold the truth, and how wide they are.

Writes `score_intervals.csv` beside this file: coverage and mean width of the 95% interval by plain Wald, adjusted
Wald, Tango's score method and the percentile bootstrap, for six sample sizes and eight shapes. Nothing is drawn at
random: every possible table of detractors, passives and promoters is weighted with its probability, but for tables
that together have less than one in a hundred million. The bootstrap's limits are those of endlessly many resamples.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from calibration.trinomial import EDGE, LEVEL, SHAPES, in_blocks, likely_tables, truth_of
from nps_research.score.limits.independent import adjusted_wald, score_interval, wald

if TYPE_CHECKING:
    import pandas as pd

    from calibration.trinomial import Floats

SIZES = (10, 15, 30, 100, 400, 1000)
METHODS = {"wald": wald, "adjusted-wald": adjusted_wald, "score": score_interval, "bootstrap": None}
LEFT_OUT = 1e-8
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [{"n": n, "shape": shape, "method": method} for n in SIZES for shape in SHAPES for method in METHODS]


def percentile_limits(tables: Floats) -> tuple[Floats, Floats]:
    """Percentile bootstrap limits of endlessly many resamples, tables of the same n; in points.

    The resampled score is a sum of n answers of -1, 0 and 1: its distribution is the inverse Fourier transform of
    the nth power of one answer's characteristic function.
    """
    n = int(tables[0].sum())
    turn = np.exp(2j * np.pi * np.arange(n + 1) / (2 * n + 1))
    limits = []
    for start in range(0, len(tables), 1000):
        detractors, passives, promoters = (share[:, None] for share in tables[start : start + 1000].T / n)
        probability = np.fft.irfft((detractors * turn + passives + promoters / turn) ** n, 2 * n + 1, axis=1)
        below = np.cumsum(np.roll(probability, n, axis=1), axis=1)  # from -n to n
        limits.append([np.argmax(below > tail, axis=1) - n for tail in (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)])
    low, high = 100 * np.concatenate(limits, axis=1) / n
    return low, high


def limits_of(method: str, tables: Floats) -> tuple[Floats, Floats]:
    """Lower and upper limits of each table."""
    formula = METHODS[method]
    if formula is None:
        return percentile_limits(tables)
    low, high = in_blocks(formula, tables, "conf_low", "conf_high")
    return low, high


def measure(n: int, shape: str, method: str) -> dict[str, object]:
    """Coverage and mean width of one method, size and shape."""
    tables, probability = likely_tables(n, shape, left_out=LEFT_OUT)
    low, high = limits_of(method, tables)
    truth = truth_of(shape)
    held = (low <= truth + EDGE) & (truth - EDGE <= high)
    return {
        "net_promoter_score": round(truth, 6),
        "coverage": round(float(probability @ held), 5),
        "mean_width": round(float(probability @ (high - low)), 3),
    }


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Least, greatest and mean coverage, and mean width, of each method and size."""
    table = table.assign(away=(table["coverage"] - LEVEL).abs())
    return table.groupby(["method", "n"]).agg(
        least=("coverage", "min"), most=("coverage", "max"), away=("away", "mean"), width=("mean_width", "mean")
    )


if __name__ == "__main__":
    print(summary(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))).round(4).to_string())
