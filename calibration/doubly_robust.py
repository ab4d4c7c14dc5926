"""How often the doubly robust limits of "NPS if all had answered" hold the score of all, where the truth is known.

Fills `doubly_robust.csv` beside this file with the first 200 waves of each row of `silent_score.csv`, drawn from the
same random numbers, and of one row more: waves where what is known crosses and three people share an account. What
the rows mean is said in `silent_score.py`.

Columns, of the doubly robust estimate and of the boosted weights in the same waves: bias, the mean of the estimate
less the score of all; deviation of that error; mean standard error; how often the limits hold the score of all. planted
is the shift of the silent, in NPS points below their doubly robust estimate: nothing where answering follows what is
known, else taken from one very large wave; shifted_held, how often the shift table's limits at it hold the score of
all. Run it with `python -m calibration.doubly_robust`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from calibration import silent_score
from calibration.resumable import fill, fresh_is_asked, generator
from calibration.silent_score import LARGEST_WEIGHT, draw, of_wave, summary
from nps_research.statistics.doubly_robust import Reached, Weighted, inverse_propensity_score
from nps_research.statistics.predicted_answers import predicted_value
from nps_research.statistics.propensity import response_propensity

if TYPE_CHECKING:
    from nps_research.statistics.covariates import Covariates

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 200
LARGE = 150_000
METHODS = ("boosted", "doubly_robust")
CELLS = [{"design": "accounts", "answering": "crossing"}, *silent_score.CELLS]


def estimates(people: Reached, covariates: Covariates) -> dict[str, Weighted]:
    """The score of all by boosted weights, and by them beside predicted answers."""
    propensity = response_propensity(people.answered, covariates, cluster=people.cluster, model="boosted")
    predicted = {"boosted": None, "doubly_robust": predicted_value(people, covariates)}
    return {
        name: inverse_propensity_score(
            people, propensity, largest_weight=LARGEST_WEIGHT, confidence_level=0.95, predicted=predicted[name]
        )
        for name in METHODS
    }


@cache
def planted_shift(design: str, answering: str) -> float:
    """By how much the silent of a very large wave come out below their doubly robust estimate."""
    if answering != "score":
        return 0.0
    people, covariates, would_be = draw(LARGE, design, answering, np.random.default_rng(1))
    found = estimates(people, covariates)["doubly_robust"]
    return people.of_silent(found.estimate) - float(would_be[~people.answered].mean())


def one_wave(design: str, answering: str, planted: float, rng: np.random.Generator) -> dict[str, float]:
    """Errors, standard errors and whether limits hold the score of all, of one wave."""
    people, covariates, would_be = draw(3000 if answering == "few" else 1500, design, answering, rng)
    truth = float(would_be.mean())
    return of_wave(people, estimates(people, covariates), based_on="doubly_robust", planted=planted, truth=truth)


def measure(design: str, answering: str, runs: int = RUNS) -> dict[str, object]:
    """One row."""
    rng = generator({"design": design, "answering": answering})
    planted = planted_shift(design, answering)
    rows = pd.DataFrame([one_wave(design, answering, planted, rng) for _ in range(runs)])
    return {"runs": runs} | summary(rows, METHODS, planted)


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
