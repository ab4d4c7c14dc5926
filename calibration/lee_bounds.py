"""How often the limits around Lee's bounds hold the effect of a lottery, where one of its arms answers more often.

Fills `lee_bounds.csv` beside this file with made-up lotteries, 2,000 a row: 120 accounts of 5 people (30 where they are
few), half of the people drawn, scores of 0 to 10 that people of an account share in part. Designs:

    at the bound   the drawn answer more often (65 of 100 against 45), and who does only for that is happiest of all
    few accounts   the same with 30 accounts
    fewer          the drawn answer less often, and who is lost by it was unhappiest of all
    ordinary       the drawn answer more often, and who does only for that is like the others
    alike          both arms answer alike
    yes or no      as ordinary, an outcome of yes (15 of 100) and no

Columns: truth, the effect on those who answer either way, from one very large lottery; low and high, mean of the
bounds; naive_bias, mean difference of the answers less the truth; held, how often the limits hold the truth; found, how
often they leave out zero (the error rate without effect, power with); naive_found, the same of the difference of the
answers with its clustered limits. Run it with `python -m calibration.lee_bounds`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.statistics.lee_bounds import lee_bounds

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
LARGE = 200_000
DESIGNS = ("at the bound", "few accounts", "fewer", "ordinary", "alike", "yes or no")
CELLS = [{"design": design, "effect": effect} for design in DESIGNS for effect in ("none", "planted")]


def draw(
    m: int, design: str, effect: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """One lottery of m accounts: outcome, who answered, who was drawn, account, effect on who answers either way."""
    account = np.repeat(np.arange(m), 5)
    n = len(account)
    drawn, readiness = rng.random(n) < 0.5, rng.random(n)
    either = readiness < 0.45
    only_one = ~either & (readiness < (0.45 if design == "alike" else 0.65))
    answered = either | only_one & (drawn != (design == "fewer"))
    shared = 0.8 * rng.normal(size=m)[account] + 1.6 * rng.normal(size=n)
    if design == "yes or no":
        cuts = np.where([[False], [True]], 0.53 if effect == "planted" else 1.85, 1.85)
        without, with_it = shared > cuts[0], shared > cuts[1]
    else:
        if design in ("at the bound", "few accounts"):
            shared = np.where(only_one, 100.0, shared)
        if design == "fewer":
            shared = np.where(only_one, -100.0, shared)
        without, with_it = (np.clip(np.rint(6 + shared + by), 0, 10) for by in (0, 1.5 * (effect == "planted")))
    outcome = np.where(drawn, with_it, without)
    return outcome, answered, drawn, account, float(with_it[either].mean() - without[either].mean())


@cache
def truth(design: str, effect: str) -> float:
    """Effect in one very large lottery."""
    return draw(LARGE, design, effect, np.random.default_rng(1))[-1]


def measure(design: str, effect: str, runs: int = RUNS) -> dict[str, object]:
    """One row."""
    rng, true = generator({"design": design, "effect": effect}), truth(design, effect)
    rows = []
    for _ in range(runs):
        outcome, answered, drawn, account, _ = draw(30 if design == "few accounts" else 120, design, effect, rng)
        found = lee_bounds(outcome, answered, drawn, account)
        rows.append(
            {
                "low": found.low.estimate,
                "high": found.high.estimate,
                "naive_bias": found.naive.estimate - true,
                "held": found.conf_low <= true <= found.conf_high,
                "found": not found.conf_low <= 0 <= found.conf_high,
                "naive_found": not found.naive.conf_low <= 0 <= found.naive.conf_high,
            }
        )
    means = pd.DataFrame(rows).astype(float).mean()
    return {"runs": runs, "truth": round(true, 4)} | {str(name): round(float(mean), 4) for name, mean in means.items()}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=1).to_string(index=False))
