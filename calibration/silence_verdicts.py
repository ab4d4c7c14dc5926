"""How often each verdict on silence is given, where it is false and where it is true: `silence_verdicts.csv`.

Units are asked at two landmarks, 180 days apart, and leave within the 180 days after one, or stay. At each they are
silent, promoter, passive or detractor anew, by the shares of their contract; they leave at the rate of their contract
and state, times a liking of their own (gamma, a coefficient of variation of a half). `rate` is that of those who
answered. Scenarios:

    alike                  all states leave at this rate
    margin above, below    the silent leave at 1.5 times this rate, or at one over it
    four times             the silent leave at four times this rate (4% against 1%)
    like detractors        silent and detractors at this rate, the others at a quarter of it
    above detractors       as before, but the silent at 1.5 times it
    contract alone         two contracts, known: of the monthly more are silent, and they leave at six times the rate
    contract and score     the same, and promoters and passives leave at half the rate; silent and detractors at one
    contract and silence   two contracts, and the silent leave at three times the rate of who answers, in each
    demo company           companies as in data/demo, of a quarter of its accounts; what is known is as there

Columns: runs, 2,000 a cell and 1,000 of the company, which takes longest; the share of each verdict. None of these
numbers chose a constant of the package. Run it with `python -m calibration.silence_verdicts`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from calibration.silence import SCORES
from calibration.silent_companies import KINDS, landmarks_of_company
from nps_research.counting.landmarks import Landmarks
from nps_research.silence.signal.signal import PLACE, risks_by_state, verdict_of
from nps_research.silence.signal.verdict import SilenceWord, silence_verdict
from nps_research.statistics.rate_ratios import MARGIN

HORIZON, N_LANDMARKS, SPREAD = 180, 2, 0.5
WORDS = get_args(SilenceWord)
ANSWERS = (0.5, 0.25, 0.15, 0.10)  # shares silent, promoter, passive, detractor
MONTHLY = (0.70, 0.14, 0.10, 0.06)
YEARLY = (0.30, 0.35, 0.22, 0.13)
TIMES = {  # the rate of each state, times that of the cell
    "alike": (1, 1, 1, 1),
    "margin above": (MARGIN, 1, 1, 1),
    "margin below": (1 / MARGIN, 1, 1, 1),
    "four times": (4, 1, 1, 1),
    "like detractors": (1, 0.25, 0.25, 1),
    "above detractors": (MARGIN, 0.25, 0.25, 1),
    "contract alone": (1, 1, 1, 1),
    "contract and score": (1, 0.5, 0.5, 1),
    "contract and silence": (3, 1, 1, 1),
}
COMPANY, COMPANY_ACCOUNTS = "demo company", 300
ALPHA = 0.05
RULE = {"promoter_min": 9, "detractor_max": 6, "margin": MARGIN, "alpha": ALPHA}
RUNS, RUNS_OF_COMPANY = 2000, 1000
TABLE = Path(__file__).with_suffix(".csv")
CELLS: list[dict[str, object]] = [
    {"scenario": scenario, "rate": rate, "n_units": n_units}
    for scenarios, rates, sizes in (
        (("alike", "margin above", "margin below"), (0.01, 0.10), (3000,)),
        (("alike", "margin above", "margin below"), (0.05,), (1000, 3000)),
        (("four times",), (0.01,), (500, 1000)),
        (("like detractors", "above detractors"), (0.10,), (3000, 6000)),
        (("contract alone", "contract and score"), (0.05,), (1500, 3000)),
        (("contract and silence",), (0.02, 0.05), (1500,)),
        ((COMPANY,), (0.0,), (COMPANY_ACCOUNTS,)),
    )
    for scenario, rate, n_units in product(scenarios, rates, sizes)
]


def draw(scenario: str, rate: float, n_units: int, rng: np.random.Generator) -> pd.DataFrame:
    """Units at risk at each landmark of one made-up study; `place` is that of the state among `SCORES`."""
    has_contract = scenario.startswith("contract")
    monthly = rng.random(n_units) < 0.4 if has_contract else np.zeros(n_units, dtype=bool)
    shares = np.cumsum([YEARLY, MONTHLY] if has_contract else [ANSWERS, ANSWERS], axis=1)[monthly.astype(int)]
    place = (rng.random((n_units, N_LANDMARKS, 1)) > shares[:, None, :-1]).sum(axis=2)
    liking = rng.gamma(1 / SPREAD**2, SPREAD**2, n_units) * np.where(monthly, 6.0, 1.0)
    leaves = rng.random(place.shape) < rate * np.array(TIMES[scenario])[place] * liking[:, None]
    at_risk = np.column_stack([np.ones(n_units, dtype=bool), ~leaves[:, 0]])
    unit, landmark = np.nonzero(at_risk)
    event = leaves[at_risk]
    return pd.DataFrame(
        {
            "unit": unit,
            "period": landmark,
            "place": place[at_risk],
            "days": np.where(event, rng.integers(1, HORIZON + 1, len(unit)), HORIZON).astype(float),
            "event": event,
            "is_monthly": monthly[unit],
        }
    )


def landmarks_of_drawn(scenario: str, drawn: pd.DataFrame) -> Landmarks:
    """The same as the package has them."""
    unknown = dict.fromkeys(("tenure", "log_revenue", "earlier_answer_share"), np.nan)
    history = {"n_earlier": 0, "silent_in_a_row": 0, "answered_before": False}
    rows = drawn.assign(
        state=np.array(list(SCORES), dtype=object)[drawn["place"]],
        score=np.array(list(SCORES.values()))[drawn["place"]],
        contract=np.where(drawn["is_monthly"], "monthly", "yearly"),
        is_complete=True,
        **unknown,
        **history,
    )
    return Landmarks(
        rows=rows,
        unit="customer",
        horizon_days=HORIZON,
        segments=("contract",) if scenario.startswith("contract") else (),
        left_out={},
        knows_delivery=True,
    )


def verdict(scenario: str, rate: float, n_units: int, rng: np.random.Generator) -> SilenceWord:
    """The verdict on one data set; where nothing is known to hold alike, from its risks alone, as a test checks."""
    if scenario == COMPANY:
        truth = replace(KINDS["planted"], n_accounts=n_units, comment_share=0.0)
        return verdict_of(landmarks_of_company(truth, int(rng.integers(2**31))), **RULE)
    drawn = draw(scenario, rate, n_units, rng)
    if scenario.startswith("contract"):
        return verdict_of(landmarks_of_drawn(scenario, drawn), **RULE)
    risks = risks_by_state(drawn, drawn["place"].to_numpy(), HORIZON)
    return silence_verdict(risks, PLACE, margin=MARGIN, alpha=ALPHA).verdict


def measure(scenario: str, rate: float, n_units: int, runs: int | None = None) -> dict[str, object]:
    """Shares of the verdicts in one cell."""
    runs = runs or (RUNS_OF_COMPANY if scenario == COMPANY else RUNS)
    rng = generator({"scenario": scenario, "rate": rate, "n_units": n_units})
    words = Counter(verdict(scenario, rate, n_units, rng) for _ in range(runs))
    return {"runs": runs} | {word: round(words[word] / runs, 4) for word in WORDS}


if __name__ == "__main__":
    table = fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__))
    print(table.to_string(index=False))
