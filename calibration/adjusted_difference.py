"""How often limits of a difference adjusted for who was treated hold the truth, and how often a difference is found.

Fills `adjusted_difference.csv` beside this file with made-up companies, 2,000 a row: accounts whose people share a part
of their outlook, of their readiness to be treated and of their outcome. Who is treated follows a number, a flag and the
account; the outcome follows the same number and flag, and a third covariate: so treated people are better off without
any effect. Designs:

    plain              120 accounts of 5 people, 0.6 of the outcome's deviation shared within an account
    all                the same, the difference over all people in place of that among the treated
    few accounts       30 accounts
    unequal accounts   120 accounts of log-normal size, about 5 and up to some 100 people
    yes or no          an outcome of yes or no, yes of about 10%; 300 accounts
    treatment rare     about 1 in 12 is treated
    missing answers    about 6 of 10 outcomes are known, more of the treated and of those better off
    bent outcome       the outcome follows the number in a curve that least squares cannot draw; the chance is modelled
    bent chance        treatment follows the number in a curve that the logit cannot draw; the outcome is modelled
    hidden             the number is not among the covariates: what cannot be adjusted for

Columns: truth, of the estimand, from one very large company; naive_bias and bias, the mean of the naive and of the
adjusted difference less it; deviation of the adjusted one; mean standard error; held, how often its limits hold the
truth; found, how often they leave out zero (the error rate without effect, power with), of all runs, refused ones
counted as not found; naive_found, the same of the naive difference; refused; trimmed, mean share left out. Run it with
`python -m calibration.adjusted_difference`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.statistics.adjusted_difference import AdjustedDifference, adjusted_difference

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 2_000
LARGE = 150_000
ACCOUNTS = {"few accounts": 30, "yes or no": 300}
DESIGNS = (
    "plain",
    "all",
    "few accounts",
    "unequal accounts",
    "yes or no",
    "treatment rare",
    "missing answers",
    "bent outcome",
    "bent chance",
    "hidden",
)
CELLS = [{"design": design, "effect": effect} for design in DESIGNS for effect in ("none", "planted")]


class Company(NamedTuple):
    """Made-up people."""

    outcome: np.ndarray
    treated: np.ndarray
    covariates: pd.DataFrame
    account: np.ndarray
    answered: np.ndarray
    effect: np.ndarray  # of treatment on each, expected


def draw(m: int, design: str, effect: str, rng: np.random.Generator) -> Company:
    """One company of m accounts."""
    sizes = np.ceil(rng.lognormal(1.1, 1.0, m)).astype(np.int64) if design == "unequal accounts" else np.full(m, 5)
    account = np.repeat(np.arange(m), sizes)
    n = len(account)
    number = 0.6 * rng.normal(size=m)[account] + 0.8 * rng.normal(size=n)
    flag, third = (rng.random(n) < 0.4).astype(float), rng.exponential(1.0, n)
    readiness, outlook = 0.6 * rng.normal(size=m)[account], rng.normal(size=m)[account]
    steered = np.where(number > 0, 1.2 * number, 0.2 * number) if design == "bent chance" else 0.8 * number
    log_odds = (-3.2 if design == "treatment rare" else -0.4) + steered + 0.6 * flag + readiness
    treated = rng.random(n) < expit(log_odds)
    better = 0.9 * (np.exp(0.7 * number) if design == "bent outcome" else number) + 0.5 * flag - 0.2 * third
    if design == "yes or no":
        leaves = -2.4 - 0.6 * better + 0.5 * outlook
        chance = expit(leaves), expit(leaves - 0.8 * (effect == "planted"))
        each, outcome = chance[1] - chance[0], rng.random(n) < np.where(treated, chance[1], chance[0])
    else:
        each = 0.5 * (effect == "planted") * (1 + 0.5 * number)
        outcome = 7 + better + each * treated + 0.6 * outlook + 1.3 * rng.normal(size=n)
    answered = np.ones(n, dtype=bool)
    if design == "missing answers":
        answered = rng.random(n) < expit(0.3 + 0.6 * number - 0.5 * flag + 0.5 * treated)
    covariates = pd.DataFrame({"number": number, "flag": flag, "third": third})
    return Company(outcome, treated, covariates, account, answered, each)


def adjusted(company: Company, design: str, rng: np.random.Generator) -> AdjustedDifference:
    """The difference that the package finds."""
    return adjusted_difference(
        company.outcome,
        company.treated,
        company.covariates.drop(columns=["number"] if design == "hidden" else []),
        company.account,
        answered=company.answered,
        estimand="all" if design == "all" else "treated",
        rng=rng,
    )


@cache
def truth(design: str, effect: str) -> float:
    """Mean effect in one very large company."""
    company = draw(LARGE, design, effect, np.random.default_rng(1))
    return float(company.effect.mean() if design == "all" else company.effect[company.treated].mean())


def measure(design: str, effect: str, runs: int = RUNS) -> dict[str, object]:
    """One row."""
    rng, true = generator({"design": design, "effect": effect}), truth(design, effect)
    rows = []
    for _ in range(runs):
        found = adjusted(draw(ACCOUNTS.get(design, 120), design, effect, rng), design, rng)
        row = {"refused": found.adjusted is None, "found": False}
        if found.naive is not None:
            row |= {
                "naive_bias": found.naive.estimate - true,
                "naive_found": not found.naive.conf_low <= 0 <= found.naive.conf_high,
            }
        if found.adjusted is not None and found.overlap is not None:
            row |= {
                "bias": found.adjusted.estimate - true,
                "std_error": found.adjusted.std_error,
                "held": found.adjusted.conf_low <= true <= found.adjusted.conf_high,
                "found": not found.adjusted.conf_low <= 0 <= found.adjusted.conf_high,
                "trimmed": found.overlap.trimmed_share,
            }
        rows.append(row)
    table = pd.DataFrame(rows).astype(float)
    means = dict(table.mean()) | {"deviation": table["bias"].std()}
    names = ["naive_bias", "bias", "deviation", "std_error", "held", "found", "naive_found", "refused", "trimmed"]
    return {"runs": runs, "truth": round(true, 4)} | {name: round(float(means[name]), 4) for name in names}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
