"""The least that intervals for the difference of two independent scores hold, over a grid of all shapes of answers.

Writes `difference_grid.csv` beside this file: for pairs of sizes, over all pairs of the shapes that shares of 0.02 to
0.9 for detractors and promoters make, how many pairs there are, the least and the mean coverage of the 95% interval of
`compare_net_promoter_scores`, and the share of pairs in which it holds the truth at least 93% of the time; by MOVER,
its default, and by adjusted Wald. Nothing is drawn at random: every pair of tables is weighted with its probability,
but for tables of a group that together have less than one in 100,000. Run it with
`python -m calibration.difference_grid`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from calibration.trinomial import EDGE, every_table, likely, reaches
from nps_research.score.limits.independent import VALUES

SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
SHAPES = [(d, round(1 - d - p, 2), p) for d, p in product(SHARES, SHARES) if d + p <= 0.98]
SIZES = ((10, 10), (10, 30), (30, 30), (10, 100), (30, 100), (100, 100))
LEFT_OUT = 1e-5
ENOUGH = 0.93
TABLE = Path(__file__).with_suffix(".csv")
CELLS = [{"n_a": n_a, "n_b": n_b, "method": method} for n_a, n_b in SIZES for method in ("score", "adjusted-wald")]


def measure(n_a: int, n_b: int, method: str) -> dict[str, object]:
    """Least and mean coverage over all pairs of shapes."""
    groups = []
    for n in (n_a, n_b):
        tables = every_table(n)
        centre, below, above = reaches(tables, method)
        groups.append((centre, below, above, [likely(tables, shape, left_out=LEFT_OUT) for shape in SHAPES]))
    (centre_a, below_a, above_a, chances_a), (centre_b, below_b, above_b, chances_b) = groups
    coverage = []
    for (shape_a, (a, chance_a)), (shape_b, (b, chance_b)) in product(
        zip(SHAPES, chances_a, strict=True), zip(SHAPES, chances_b, strict=True)
    ):
        away = centre_b[b] - centre_a[a][:, None] - VALUES @ np.subtract(shape_b, shape_a)
        reach = np.where(away > 0, np.hypot(below_b[b], above_a[a][:, None]), np.hypot(above_b[b], below_a[a][:, None]))
        coverage.append(float(chance_a @ (np.abs(away) <= reach + EDGE) @ chance_b))
    least, mean = min(coverage), float(np.mean(coverage))
    enough = float(np.mean(np.array(coverage) >= ENOUGH))
    return {"pairs": len(coverage), "least": round(least, 5), "mean": round(mean, 5), "enough": round(enough, 5)}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__)).to_string(index=False))
