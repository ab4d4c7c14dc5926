"""How often silence is said to add to the prediction of who leaves, where it does not, and where it does.

Fills `nonresponse_value.csv` beside this file, a row a made-up study. Kinds: `noise` (some are silent more often than
others, and none for that leaves more often), `curved` and `stepped` (tenure drives both silence and leaving, up at both
ends, or in steps), `crossed` (the young and small, and the old and large, are silent more often and leave more often),
`rising` (both rise from wave to wave), `direct` (those who fade away are silent more often and leave more often). All
these are customers. `demo`: companies drawn as the one in data/demo is, with other seeds.
Run it with `python -m calibration.nonresponse_value`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.made_up.simulate import simulate_study
from nps_research.silence.value.churn_models import LEARNERS
from nps_research.silence.value.value import LOSS, nonresponse_value
from nps_research.study.study import Study

TABLE = Path(__file__).with_suffix(".csv")
NOTHING = ("noise", "curved", "stepped", "crossed", "rising")
DAYS = 91
START = pd.Timestamp("2022-01-10")
LARGE = 6_000
CELLS = [
    *({"kind": "demo", "n": 1200, "number": number} for number in range(20)),
    *({"kind": "direct", "n": 800, "number": number} for number in range(20)),
    *({"kind": kind, "n": LARGE, "number": 0} for kind in NOTHING),
    *({"kind": kind, "n": 800, "number": number} for kind in NOTHING[2:] for number in range(20)),
    *({"kind": kind, "n": 800, "number": number} for kind in NOTHING[:2] for number in range(100)),
]


def made_up_tables(
    kind: str, n: int, rng: np.random.Generator, *, n_waves: int = 6
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Responses and customers: all are invited each quarter, and some leave."""
    tenure = np.ceil(rng.exponential(1000, n))
    size = rng.standard_normal(n)
    habit = rng.normal(0, 0.4 if kind == "direct" else 1.2, n)
    region = rng.choice(["north", "south", "east"], n)
    left = np.full(n, np.nan)
    fading = np.zeros(n, dtype=bool)
    rows = []
    for wave in range(n_waves + 3):
        age = np.log1p(tenure + DAYS * wave) - 6.5
        small = -np.sign(size) * np.tanh(2 * age)
        drive = {
            "curved": np.minimum(age**2, 4) - 0.8,
            "stepped": np.where(np.abs(age) < 0.5, 1.0, -0.6),
            "crossed": small,
            "rising": np.full(n, 0.35 * (wave - 3)),
        }.get(kind, np.zeros(n))
        if kind == "direct":
            fading |= rng.random(n) < 0.06
        stays = np.isnan(left)
        silent = rng.random(n) < expit(-0.6 + 1.2 * drive + habit + 3 * fading)
        if wave < n_waves:
            day = DAYS * wave + rng.integers(0, 3, n)
            rows.append(pd.DataFrame({"customer": np.arange(n), "wave": wave, "day": day, "silent": silent})[stays])
        goes = stays & (rng.random(n) < expit(-3.0 + 0.9 * drive - 0.2 * size + 2.5 * fading))
        left[goes] = DAYS * wave + 17 + rng.integers(0, DAYS - 20, goes.sum())
    table = pd.concat(rows, ignore_index=True)
    ids = np.array([f"c{number:06d}" for number in range(n)], dtype=object)
    responses = pd.DataFrame(
        {
            "respondent_id": ids[table["customer"]],
            "wave": "w" + table["wave"].astype("str"),
            "invited_at": START + pd.to_timedelta(table["day"], unit="D"),
            "delivered": True,
            "responded": ~table["silent"],
            "likelihood_to_recommend": pd.Series(rng.choice([3, 7, 8, 9, 10], len(table))).mask(table["silent"]),
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "started_at": START - pd.to_timedelta(tenure, unit="D"),
            "churned_at": START + pd.to_timedelta(left, unit="D"),
            "observed_until": START + pd.Timedelta(days=DAYS * (n_waves + 3)),
            "revenue": np.exp(9 + size).round(),
            "region": region,
        }
    )
    return responses, customers


def study_of(responses: pd.DataFrame, customers: pd.DataFrame) -> Study:
    """The tables as a study, drawn when the observation ended."""
    until = customers["observed_until"].max().date()
    return Study.from_frames(
        responses=responses,
        customers=customers,
        segments=["region"],
        settings={"outcome_horizon_days": 180, "response_window_days": 14, "data_until": until},
        made_up=True,
    )


def demo_like(rng: np.random.Generator) -> Study:
    """A company drawn as the one in data/demo is."""
    company = simulate_study(rng=rng)
    return Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        customers=company.customers,
        segments=["region", "industry"],
        settings={"cluster": "account_id", "outcome_horizon_days": 180},
        made_up=True,
    )


def measure(kind: str, n: int, number: int) -> dict[str, object]:
    """One study."""
    rng = generator({"kind": kind, "n": n, "number": number})
    study = demo_like(rng) if kind == "demo" else study_of(*made_up_tables(kind, n, rng))
    value = nonresponse_value(study, n_shuffles=2, rng=rng)
    found: dict[str, object] = {"verdict": value.verdict, "leavers": value.n_leavers}
    for learner in LEARNERS:
        row = value.row(LOSS, learner=learner)
        found |= {
            f"{learner}_without": round(float(row["without"]), 5),
            f"{learner}_estimate": round(float(row["estimate"]), 6),
            f"{learner}_p_value": float(f"{row['p_value']:.3g}"),
            f"{learner}_shuffled": round(
                float(np.mean([change for name, change in value.shuffled if name == learner])), 6
            ),
        }
    return found


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__)).groupby(["kind", "n"])["verdict"].value_counts())
