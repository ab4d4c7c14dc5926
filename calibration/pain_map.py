"""How often the pain map's limits hold the truth, its places the true ones, and what it says where nothing is so.

Fills `pain_map.csv` beside this file, made-up studies with `runs` a row: `n` answers of a base of 20,000 in accounts
of four, whose contacts share half of what makes them have a problem where `alike`. Eight problems have shares from 12%
to 1%; each takes NPS points of who has it, the last two none. `passives` is the share who are passive: where nobody
is, answers are as unlike as they can be, and NPS is told least well. `worse_together` makes the first two take more
together than apart.

Columns: how often limits of totals, of the rarest total and of points hold the truth (of totals: how many of the base
have it), and all places together the true ones; first_within_3, how often the planted first may be first and no
later than third; first_named, how often it is said to be first alone; idle_shown, how often a link with NPS is shown
for a problem without one; worst_shown the same of the worst problem; together_shown, how often two problems together
are said to be other than their sum. Run it with `python -m calibration.pain_map`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.problems.pain_map import PainMap, pain_map
from nps_research.study.study import Study
from nps_research.typing import Integers

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
BASE = 20_000
SHARES = np.array([0.12, 0.1, 0.08, 0.06, 0.05, 0.03, 0.04, 0.01])
TAKES = np.array([50.0, 30, 30, 40, 20, 40, 0, 0])
TOGETHER = 60.0
PRIORITY = SHARES * TAKES
CELLS = [
    {"n": n, "alike": True, "passives": passives, "worse_together": worse, "runs": runs}
    for n, passives, worse, runs in (
        *((2000, 0.3, False, RUNS), (2000, 0.0, False, RUNS), (400, 0.3, False, RUNS)),
        (2000, 0.0, True, RUNS),
    )
]


def painful_study(
    n: int, *, alike: bool, passives: float, worse_together: bool, rng: np.random.Generator
) -> tuple[Study, Integers]:
    """Answers of people with problems, who come in accounts; and how many of the base have each."""
    account = np.arange(BASE) // 4
    shared = rng.standard_normal((account.max() + 1, len(SHARES)))[account]
    own = rng.standard_normal((BASE, len(SHARES)))
    everybody_has = (np.sqrt(0.5) * (shared + own) if alike else own) < ndtri(SHARES)
    account, has = account[:n], everybody_has[:n]  # the base is in no order
    mean = 25 - has @ TAKES
    if worse_together:
        mean = mean - TOGETHER * (has[:, 0] & has[:, 1])
    others = 1 - passives
    promoters = np.clip(others / 2 + mean / 200, 0, others)
    lot = rng.random(n)
    score = np.select([lot < promoters, lot < promoters + passives], [10, 8], 2)
    codes = np.array([f"p{number}" for number in range(len(SHARES))])
    responses = pd.DataFrame(
        {
            "respondent_id": [f"r{row}" for row in range(n)],
            "account_id": [f"a{each}" for each in account],
            "likelihood_to_recommend": score,
            "problems": [";".join(codes[row]) or None for row in has],
        }
    )
    study = Study.from_frames(
        responses=responses,
        tables={"population": pd.DataFrame({"customers": [BASE]})},
        problems={str(code): {"label": str(code)} for code in codes},
        settings={"cluster": "account_id"},
        made_up=True,
    )
    return study, everybody_has.sum(axis=0)


def measure(n: int, *, alike: bool, passives: float, worse_together: bool, runs: int) -> dict[str, object]:
    """One row."""
    design = {"alike": alike, "passives": passives, "worse_together": worse_together}
    rng = generator({"n": n, **design})
    rows = []
    for _ in range(runs):
        study, totals = painful_study(n, **design, rng=rng)
        rows.append(measured(pain_map(study), totals))
    return {str(name): round(float(mean), 4) for name, mean in pd.DataFrame(rows).astype(float).mean().items()}


def measured(result: PainMap, totals: Integers) -> dict[str, object]:
    """One study."""
    frame = result.frame.set_index("term").loc[[f"p{at}" for at in range(len(SHARES))]]
    points = -SHARES * TAKES
    inside = (frame["customers_conf_low"] <= totals) & (totals <= frame["customers_conf_high"])
    known = frame["points"].notna()
    held = (frame["points_conf_low"] <= points) & (points <= frame["points_conf_high"])
    above = (PRIORITY[:, None] < PRIORITY[known]).sum(axis=1)[known]
    below = (PRIORITY[:, None] > PRIORITY[known]).sum(axis=1)[known]
    places = (frame["rank_low"][known] <= known.sum() - below) & (frame["rank_high"][known] >= 1 + above)
    first = frame.iloc[0]
    return {
        "totals_held": float(inside.mean()),
        "rarest_held": bool(inside.iloc[-1]),
        "points_held": float(held[known].mean()),
        "all_places_held": bool(places.all()),
        "first_within_3": bool(first["rank_low"] == 1 and first["rank_high"] <= 3),
        "first_named": bool(first["rank_low"] == first["rank_high"] == 1),
        "idle_shown": bool((frame["verdict"].iloc[-2:] == "shown").any()),
        "worst_shown": bool(first["verdict"] == "shown"),
        "together_shown": result.interaction_p_value < 0.05,
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).T.to_string())
