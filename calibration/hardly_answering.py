"""How often groups that hardly answer are named, and others; and what limits hold where there are any.

Fills `hardly_answering.csv` beside this file with made-up waves. People are grouped in several ways, five groups each.

    thin           15% of the people, one group of the first grouping, answer with 1.5%, the others with `others`
    alike          all answer with the rate `others`
    between        the groups of the first grouping answer with rates evenly between `others` and 60%
    small groups   as alike, with all groups in one grouping
    accounts       as alike, five people of an account answering together (a correlation of 0.3)
    thin, scored   as thin, with answers: those of the thin group are other ones
    alike, scored  as alike, with answers

Columns: thin_named and other_named, how often the thin group and any other was named; where answers are drawn,
doubly_robust_held and range_held, how often the limits of the doubly robust score and of the range hold the score of
all, and width, that of the limits that are read first over that of the doubly robust score. 2,000 waves a row.
Run it with `python -m calibration.hardly_answering`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.silence.score.estimates import DOUBLY_ROBUST, weighted_scores
from nps_research.silence.score.thin_groups import groups_below, hardly_answering
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached
from nps_research.statistics.thin_response import hardly_answers

TABLE = Path(__file__).with_suffix(".csv")
RUNS, RUNS_SCORED = 2000, 2000
LEVEL = 0.95
OF_GROUPING = 5
THIN_SHARE, THIN_RATE = 0.15, 0.015
PER_ACCOUNT, TOGETHER = 5, 0.3
CELLS = [
    {"design": design, "n": n, "groups": groups, "others": others}
    for design, sizes, counts, rates in (
        ("thin", (1000, 3000), (10, 40), (0.15, 0.3, 0.5)),
        ("alike", (1000, 3000), (40,), (0.15, 0.1, 0.03)),
        ("between", (1000, 3000), (40,), (0.15,)),
        ("small groups", (1000, 3000), (40,), (0.15,)),
        ("accounts", (1000, 3000), (40,), (0.15, 0.1)),
        ("thin, scored", (1000, 3000), (15,), (0.45,)),
        ("alike, scored", (1000,), (15,), (0.15, 0.45)),
    )
    for n in sizes
    for groups in counts
    for others in rates
]


def counts_of(
    design: str, n: int, groups: int, others: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Answers and people of each group; the thin one, if any, comes first."""
    of_grouping = groups if design == "small groups" else OF_GROUPING
    share = np.full(of_grouping, 1 / of_grouping)
    rate = np.full(of_grouping, others)
    if design == "thin":
        share = np.r_[THIN_SHARE, np.full(OF_GROUPING - 1, (1 - THIN_SHARE) / (OF_GROUPING - 1))]
        rate[0] = THIN_RATE
    elif design == "between":
        rate = np.linspace(others, 0.6, OF_GROUPING)
    people = rng.multinomial(n, share)
    answered = rng.binomial(people, rate)
    n_yes, even = answered.sum(), np.full(OF_GROUPING, 1 / OF_GROUPING)
    more = groups // of_grouping - 1  # groupings that tell nothing of who answers
    yes, no = rng.multinomial(n_yes, even, more), rng.multinomial(n - n_yes, even, more)
    return np.r_[answered, yes.ravel()], np.r_[people, (yes + no).ravel()]


def of_accounts(n: int, groups: int, others: float, rng: np.random.Generator) -> bool:
    """Whether any group is named where accounts, each in one group of a grouping, answer together."""
    account = np.arange(n) // PER_ACCOUNT
    m = n // PER_ACCOUNT
    spread = 1 / TOGETHER - 1
    answered = rng.random(n) < rng.beta(others * spread, (1 - others) * spread, m)[account]
    place = rng.integers(OF_GROUPING, size=(groups // OF_GROUPING, m))
    table = pd.DataFrame({f"grouping {at}": row[account].astype(str) for at, row in enumerate(place)})
    people = Reached(answered=answered, value=np.zeros(n), base=np.ones(n), cluster=account)
    return bool(groups_below(people, table, LEVEL)[0])


def scored(design: str, n: int, groups: int, others: float, rng: np.random.Generator) -> dict[str, float]:
    """One wave with answers: what is named, what the limits hold, and how wide they are."""
    of = rng.integers(OF_GROUPING, size=(groups // OF_GROUPING, n))
    is_thin = (rng.random(n) < THIN_SHARE) & design.startswith("thin")
    table = pd.DataFrame({f"grouping {at}": row.astype(str) for at, row in enumerate(of)})
    table.loc[is_thin, "grouping 0"] = "thin"
    answered = rng.random(n) < np.where(is_thin, THIN_RATE, others)
    score = np.clip(np.rint(8 + 0.4 * (of[1] - 2) - 2 * is_thin + rng.normal(0, 1.6, n)), 0, 10)
    would_be = 100.0 * (score >= 9) - 100.0 * (score <= 6)
    people = Reached(answered=answered, value=np.where(answered, would_be, 0.0), base=np.ones(n), cluster=np.arange(n))
    known = Covariates(numbers=pd.DataFrame(index=table.index), categories=table)
    row = weighted_scores(people, known, 10.0, LEVEL, None)[0][DOUBLY_ROBUST]
    found = hardly_answering(people, known, hidden=frozenset(), largest_weight=10.0, confidence_level=LEVEL)
    named = () if found is None else found.named
    low, high = (row.conf_low, row.conf_high) if found is None else (found.conf_low, found.conf_high)
    truth = float(would_be.mean())
    return {
        "thin_named": float(any("thin" in name for name in named)),
        "other_named": float(any("thin" not in name for name in named)),
        "doubly_robust_held": float(row.conf_low <= truth <= row.conf_high),
        "range_held": float(low <= truth <= high),
        "width": (high - low) / (row.conf_high - row.conf_low),
    }


def measure(design: str, n: int, groups: int, others: float) -> dict[str, object]:
    """One row."""
    rng = generator({"design": design, "n": n, "groups": groups, "others": others})
    held: dict[str, object] = dict.fromkeys(("doubly_robust_held", "range_held", "width"), np.nan)
    if design.endswith("scored"):
        waves = [scored(design, n, groups, others, rng) for _ in range(RUNS_SCORED)]
        return {"runs": RUNS_SCORED, **pd.DataFrame(waves).mean().round(4).to_dict()}
    if design == "accounts":
        any_named = np.mean([of_accounts(n, groups, others, rng) for _ in range(RUNS)])
        return {"runs": RUNS, "thin_named": np.nan, "other_named": round(float(any_named), 4), **held}
    named = np.array(
        [hardly_answers(*counts_of(design, n, groups, others, rng), confidence_level=LEVEL) for _ in range(RUNS)]
    )
    is_thin = design == "thin"
    thin = round(float(named[:, 0].mean()), 4) if is_thin else np.nan
    other = round(float(named[:, int(is_thin) :].any(axis=1).mean()), 4)
    return {"runs": RUNS, "thin_named": thin, "other_named": other, **held}


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
