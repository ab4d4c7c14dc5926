"""How often it is rightly told what calls changed, in made-up companies with effective calls and with idle ones.

Fills `callbacks.csv` beside this file, `runs` companies a row. `customers`: 3,500 or 20,000 of them; `calls`: planted
(a call in time that solves the problem adds .7 points), or idle. In the first four waves somebody chooses whom to call,
who was content before first; in the last four a lottery holds out half. The trials are those of
`callbacks.callback_effect`, made from the company itself and not from its tables (a test holds the two together).

Columns, for the lottery and the chosen each: truth, the mean effect on the next answer of who was called; naive, the
mean difference of the answers as they are; estimate, the mean difference, other things equal; held, how often its
limits hold the truth; beyond, how often they leave out zero (without effect the error rate, with one the power);
naive_found, how often the naive difference is above chance; before_found, how often those called are said to have
differed before any call, other things equal, though they did not. Queue: the same for the faster queue against the
slower one. Run it with `python -m calibration.callbacks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.callbacks.enough import WORTH_A_CALL
from nps_research.counting.trials import Trial, trial_rows
from nps_research.made_up.company import Company, draw_company
from nps_research.made_up.lives import Lives, live
from nps_research.made_up.truth import Calls, Truth
from nps_research.statistics.covariates import Covariates
from nps_research.typing import Floats

TABLE = Path(__file__).with_suffix(".csv")
LOTTERY, JUDGEMENT, QUEUE = "lottery", "chosen", "queue"
ACCOUNTS = {3_500: 1_200, 20_000: 6_700}
RUNS = 2_000
CELLS = [
    {"customers": customers, "calls": calls, "runs": RUNS}
    for customers, calls in ((20_000, "planted"), (3_500, "planted"), (3_500, "idle"))
]
IDLE = Calls(points=0.0, ends_rejection=0.0, keeps=0.0)


def trials_of(company: Company, lives: Lives) -> tuple[dict[str, Trial], dict[str, float]]:
    """The trials of a company's calls, and the mean effect on the next answer of who was treated in each."""
    cases, n_waves = lives.cases, lives.given.shape[1]
    has_next = cases["wave"].to_numpy() + 1 < n_waves
    contact, wave = cases["contact"].to_numpy(), cases["wave"].to_numpy()
    scored = ~np.isnan(lives.given[contact, wave])
    there = ~(lives.churned[company.account[contact]] <= lives.responded[contact, wave] / 1440 + 14)
    counts = has_next & scored & there
    cases, contact, wave = cases[counts], contact[counts], wave[counts]
    after = lives.given[contact, wave + 1]
    earlier = np.where(np.arange(n_waves) < wave[:, None], lives.given[contact], np.nan)
    last, before_last = _last_two(earlier)
    asked = np.where(np.arange(n_waves) < wave[:, None], lives.delivered[contact], False).sum(axis=1)
    accounts = company.accounts.iloc[company.account[contact]]
    days = np.nan_to_num(lives.invited[contact, wave]) / 1440
    known = Covariates(
        numbers=pd.DataFrame(
            {
                "answer": lives.given[contact, wave],
                "last": last,
                "asked": lives.requested[contact, wave].astype(float),
                "log_revenue": np.log(accounts["revenue"].to_numpy()),
                "tenure": days - accounts["started"].to_numpy(),
                "share": np.where(asked > 0, (~np.isnan(earlier)).sum(axis=1) / np.maximum(asked, 1), np.nan),
            }
        ),
        categories=pd.DataFrame(
            {"role": company.contacts["role"].to_numpy()[contact].astype(str), "wave": wave.astype(str)}
        ),
    )
    assigned, is_random = cases["assigned"].to_numpy(), (cases["assignment"] == "random").to_numpy()
    fast = cases["fast"].to_numpy()
    effect = lives.score[contact, wave + 1] - lives.score_uncalled[contact, wave + 1]
    found, truth = {}, {}
    for name, rows, treated in (
        (LOTTERY, is_random, assigned),
        (JUDGEMENT, ~is_random, assigned),
        (QUEUE, assigned, fast),
    ):
        of = Covariates(*(frame[rows].reset_index(drop=True) for frame in (known.numbers, known.categories)))
        found[name] = Trial(
            treated=treated[rows],
            outcome=np.nan_to_num(after[rows]),
            known=~np.isnan(after[rows]),
            cluster=company.account[contact][rows],
            covariates=of,
            is_random=name == LOTTERY,
            before=before_last[rows],
        )
        slower = effect[rows & ~treated].mean() if name == QUEUE else 0.0
        truth[name] = float(effect[rows & treated].mean() - slower)
    return found, truth


def _last_two(earlier: Floats) -> tuple[Floats, Floats]:
    """The last and the last but one that are known of each row."""
    order = np.where(np.isnan(earlier), -1, np.arange(earlier.shape[1]))
    ranked = np.sort(order, axis=1)
    picked = []
    for at in (-1, -2):
        column = ranked[:, at]
        picked.append(np.where(column >= 0, earlier[np.arange(len(earlier)), np.maximum(column, 0)], np.nan))
    return picked[0], picked[1]


def measure(customers: int, calls: str, runs: int) -> dict[str, object]:
    """One row."""
    rng = generator({"customers": customers, "calls": calls})
    truth = Truth(n_accounts=ACCOUNTS[customers], **({} if calls == "planted" else {"calls": IDLE}))
    rows: list[dict[str, Any]] = []
    for _ in range(runs):
        company = draw_company(truth, rng=rng)
        trials, true = trials_of(company, live(company, truth, rng=rng))
        frame = trial_rows(
            trials,
            margin=WORTH_A_CALL,
            more_is_better=True,
            minimum_cell=10,
            words=("called", "not called"),
            confidence_level=0.95,
        )
        for row in frame.to_dict("records"):
            effect = true[row["term"]]
            rows.append(
                {
                    "trial": row["term"],
                    "truth": effect,
                    "naive": row["naive"],
                    "estimate": row["estimate"],
                    "held": row["conf_low"] <= effect <= row["conf_high"],
                    "beyond": not row["conf_low"] <= 0 <= row["conf_high"],
                    "naive_found": row["naive_conf_low"] > 0,
                    "before_found": row["control_conf_low"] > 0 or row["control_conf_high"] < 0,
                }
            )
    means = pd.DataFrame(rows).astype({"trial": str}).groupby("trial").mean(numeric_only=False)
    found = {
        f"{trial}_{name}": round(float(value), 4) for trial, row in means.iterrows() for name, value in row.items()
    }
    return dict(sorted(found.items()))


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).T.to_string())
