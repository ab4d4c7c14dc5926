"""How often the limits of "NPS if all had answered" hold the score of all, where the truth is known.

Fills `silent_score.csv` beside this file with made-up waves, 300 a row: 1,500 people reached (3,000 where few answer),
of whom tenure, revenue and a segment are known. Loyalty follows all three, not in a straight line. Who answers follows

    frame      tenure, revenue and segment, as bent as loyalty is
    crossing   the same, and tenure times revenue, which splines side by side cannot follow
    few        as frame, but 1 in 10 answers
    score      the same, and the score itself, not yet given

Designs: "independent"; "accounts", where three people share tenure, revenue, segment, a part of their loyalty and a
part of their readiness to answer.

Columns, for each method: bias, the mean of the estimate less the score of all; deviation of that error; mean standard
error; how often the limits hold the score of all. planted is the shift of the silent, in NPS points below their
(logistic) weighted estimate, taken from one very large wave; shifted_held, how often the shift table's limits at it
hold the score of all. Run it with `python -m calibration.silent_score`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.people import bands_of, in_bands
from nps_research.silence.score.raked import raked_score
from nps_research.silence.score.shifts import silent_shifts
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, Weighted, inverse_propensity_score, worst_case_bounds
from nps_research.statistics.propensity import response_propensity

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 300
LARGE = 300_000
LARGEST_WEIGHT = 10.0
METHODS = ("raked", "logistic", "boosted")
CELLS = [
    {"design": design, "answering": answering}
    for answering, design in (
        ("frame", "independent"),
        ("frame", "accounts"),
        ("score", "independent"),
        ("score", "accounts"),
        ("crossing", "independent"),
        ("few", "independent"),
    )
]


def draw(n: int, design: str, answering: str, rng: np.random.Generator) -> tuple[Reached, Covariates, np.ndarray]:
    """One wave: the people, what is known of them, and the NPS points that each would give."""
    of_account = 3 if design == "accounts" else 1
    account = np.repeat(np.arange(n // of_account), of_account)
    m = len(account) // of_account
    tenure, revenue = rng.exponential(40, m)[account], rng.normal(9.5, 1.2, m)[account]
    segment = rng.integers(4, size=m)[account]
    bent = 0.9 * np.sin(1.3 * np.log1p(tenure)) + 0.5 * np.tanh(revenue - 9.5) + np.array([0, 0.3, -0.4, 0.2])[segment]
    if answering == "crossing":
        bent += 1.2 * np.tanh(revenue - 9.5) * np.where(tenure < 24, 1.0, -0.5)
    shared = rng.normal(0, 0.7, m)[account] if of_account > 1 else 0.0
    score = np.clip(np.rint(8 + bent + shared + rng.normal(0, 1.5, len(account))), 0, 10)
    log_odds = 0.8 * bent - 2.2 * (answering == "few") + 0.25 * (score - 8) * (answering == "score")
    if of_account > 1:
        log_odds = log_odds + rng.normal(0, 1.0, m)[account]
    answered = rng.random(len(account)) < expit(log_odds)
    would_be = 100.0 * (score >= 9) - 100.0 * (score <= 6)
    people = Reached(
        answered=answered, value=np.where(answered, would_be, 0.0), base=np.ones(len(account)), cluster=account
    )
    covariates = Covariates(
        numbers=pd.DataFrame({"tenure": tenure, "log_revenue": revenue}),
        categories=pd.DataFrame({"segment": segment.astype(str)}),
        bands=bands_of(pd.Series(tenure), pd.Series(revenue)),
    )
    return people, covariates, would_be


@cache
def planted_shift(design: str, answering: str) -> float:
    """By how much the silent of a very large wave come out below their weighted estimate."""
    people, covariates, would_be = draw(LARGE, design, answering, np.random.default_rng(1))
    propensity = response_propensity(people.answered, covariates)
    found = inverse_propensity_score(people, propensity, largest_weight=LARGEST_WEIGHT, confidence_level=0.95)
    return people.of_silent(found.estimate) - float(would_be[~people.answered].mean())


def one_wave(design: str, answering: str, planted: float, rng: np.random.Generator) -> dict[str, float]:
    """Errors, standard errors and whether limits hold the score of all, of one wave."""
    people, covariates, would_be = draw(3000 if answering == "few" else 1500, design, answering, rng)
    truth = float(would_be.mean())
    found = {"raked": raked_score(people, in_bands(covariates), confidence_level=0.95)}
    for model in ("logistic", "boosted"):
        propensity = response_propensity(people.answered, covariates, cluster=people.cluster, model=model)
        found[model] = inverse_propensity_score(
            people, propensity, largest_weight=LARGEST_WEIGHT, confidence_level=0.95
        )
    row = {"observed_error": people.observed - truth}
    return row | of_wave(people, found, based_on="logistic", planted=planted, truth=truth)


def of_wave(
    people: Reached, found: dict[str, Weighted], *, based_on: str, planted: float, truth: float
) -> dict[str, float]:
    """Each estimate's error, standard error and whether it holds the truth; and whether the shift table does."""
    row: dict[str, float] = {}
    for name, weighted in found.items():
        row[f"{name}_error"] = weighted.estimate - truth
        row[f"{name}_std_error"] = weighted.std_error
        row[f"{name}_held"] = weighted.conf_low <= truth <= weighted.conf_high
    table = silent_shifts(
        people,
        found[based_on],
        based_on=based_on,
        bounds=worst_case_bounds(people),
        shifts=[planted],
        margin=np.nan,
        previous=None,
        wave="",
    ).frame
    at = table[np.isclose(table["shift"], planted)]
    row["shifted_held"] = bool(len(at)) and bool(at["conf_low"].iloc[0] <= truth <= at["conf_high"].iloc[0])
    return row


def summary(rows: pd.DataFrame, methods: Sequence[str], planted: float) -> dict[str, object]:
    """Columns of a table from its waves."""
    found: dict[str, object] = {}
    for name in methods:
        found |= {
            f"{name}_bias": round(rows[f"{name}_error"].mean(), 2),
            f"{name}_deviation": round(rows[f"{name}_error"].std(), 2),
            f"{name}_std_error": round(rows[f"{name}_std_error"].mean(), 2),
            f"{name}_held": round(rows[f"{name}_held"].mean(), 4),
        }
    return found | {"planted": round(planted, 2), "shifted_held": round(rows["shifted_held"].mean(), 4)}


def measure(design: str, answering: str, runs: int = RUNS) -> dict[str, object]:
    """One row."""
    rng = generator({"design": design, "answering": answering})
    planted = planted_shift(design, answering)
    rows = pd.DataFrame([one_wave(design, answering, planted, rng) for _ in range(runs)])
    observed_bias = round(rows["observed_error"].mean(), 2)
    return {"runs": runs, "observed_bias": observed_bias} | summary(rows, METHODS, planted)


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__)).to_string(index=False))
