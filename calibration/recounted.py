"""Whether what is planted in made-up companies is in them, counted; and nothing where nothing is planted.

Fills `recounted.csv` beside this file: companies of 2,500 accounts, in which everything is planted
and in which nothing is, twenty of each. Columns: how many planted numbers were counted, how many of them lay further
than 2, 3 and 3.5 standard errors away, the mean and the standard deviation of that distance in errors, and which lay
furthest. By chance 4.6%, 0.27% and 0.05% are beyond. Run it with `python -m calibration.recounted`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from nps_research.made_up.recount.company_recounted import counted_in
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth, nothing_planted

ACCOUNTS = 2_500
TABLE = Path(__file__).with_suffix(".csv")
KINDS = {"planted": Truth(n_accounts=ACCOUNTS), "nothing": nothing_planted(Truth(n_accounts=ACCOUNTS))}
CELLS = [{"kind": kind, "seed": seed} for kind in KINDS for seed in range(1001, 1021)]


def measure(kind: str, seed: int) -> dict[str, object]:
    """One company."""
    counted = counted_in(simulate_study(KINDS[kind], rng=np.random.default_rng(seed)))
    with_error = [each for each in counted if not np.isnan(each.planted) and each.error > 0]
    away = np.array([(each.counted - each.planted) / each.error for each in with_error])
    furthest = int(np.abs(away).argmax())
    return {
        "numbers": len(away),
        "beyond_2": int((np.abs(away) > 2).sum()),
        "beyond_3": int((np.abs(away) > 3).sum()),
        "beyond_3.5": int((np.abs(away) > 3.5).sum()),
        "mean": round(float(away.mean()), 3),
        "deviation": round(float(away.std()), 3),
        "furthest": with_error[furthest].truth,
        "errors_away": round(float(away[furthest]), 2),
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
