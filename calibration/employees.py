"""How often employees are rightly called lower or higher beyond luck: equal ones, some far below, and a usual spread.

Fills `employees.csv` beside this file, made-up companies with `runs` a row: `employees` of `each` answers (0 to 10, a
latent opinion that is rounded). `share`: what part of the variance lies between all employees (ICC), a normal spread.
`low`: how many are beyond it, `gap` NPS points below.

Columns: low_named, how often each of these is called lower; both_named, all of them; any_other, how often anybody else
is called lower or higher (with `low` 0: anybody); spread, the mean spread that was found, in points of the answer; gap,
the mean difference in NPS points that was drawn. Run it with `python -m calibration.employees`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.callbacks.beyond_luck import LOWER, WITHIN, beyond_luck

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
MEAN, DEVIATION = 8.2, 2.0
SHIFT = 1.32  # of the latent opinion, in points: 45 NPS points
CELLS = [
    {"employees": 40, "each": each, "share": share, "low": low, "runs": RUNS}
    for each, share, low in ((60, 0.0, 0), (60, 0.0, 2), (60, 0.03, 0), (60, 0.03, 2))
]


def measure(employees: int, each: int, share: float, low: int, runs: int) -> dict[str, object]:
    """One row."""
    rng = generator({"employees": employees, "each": each, "share": share, "low": low})
    group = np.repeat(np.arange(employees), each)
    n, between = len(group), DEVIATION * np.sqrt(share / (1 - share))
    named, both, other, spread, gap = [], [], [], [], []
    for _ in range(runs):
        shift = rng.normal(0, between, employees) - SHIFT * (np.arange(employees) < low)
        answer = np.clip(np.rint(MEAN + shift[group] + rng.normal(0, DEVIATION, n)), 0, 10)
        found = beyond_luck(answer, group, np.ones((n, 1)), np.arange(n), with_limits=False)
        is_low, beyond = (found.frame["verdict"] == LOWER).to_numpy(), (found.frame["verdict"] != WITHIN).to_numpy()
        classes = 100.0 * (answer >= 9) - 100.0 * (answer <= 6)
        named.append(is_low[:low].mean() if low else np.nan)
        both.append(is_low[:low].all() if low else np.nan)
        other.append(beyond[low:].any())
        spread.append(found.spread)
        gap.append(classes[group >= low].mean() - classes[group < low].mean() if low else np.nan)
    values = {"low_named": named, "both_named": both, "any_other": other, "spread": spread, "gap": gap}
    return {name: round(float(np.mean(each_of)), 4) for name, each_of in values.items()}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
