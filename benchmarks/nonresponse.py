"""What silence means, at many sizes: each computation of notebook 04, in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import nps_research as nps
from benchmarks.measuring import SEED, in_own_process, peak_megabytes, timed

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET_INVITATIONS, OF_EACH, WAVES = 200_000, 10, 12  # ten on average, for some leave
SIZES = (10_000, 50_000, TARGET_INVITATIONS, 1_000_000)
QUARTER, WINDOW = 91, 14
STEPS: dict[str, Callable[[nps.Study], object]] = {
    "nonresponse_signal": nps.nonresponse_signal,
    "nonresponse_signal, another line": lambda study: nps.nonresponse_signal(study, detractor_max=3),
    "nonresponse_value": nps.silence.nonresponse_value,
    "watch_list": nps.silence.watch_list,
    "score_if_all_responded": nps.score_if_all_responded,
    "response_rates": nps.responding.response_rates,
    "who_answers": nps.responding.who_answers,
    "days_to_answer": nps.responding.days_to_answer,
    "panel_attrition": nps.responding.panel_attrition,
}


def made_up(n_invitations: int) -> nps.Study:
    """Customers asked once a quarter until they leave; those in trouble answer less and leave more."""
    rng = np.random.default_rng(SEED)
    n = n_invitations // OF_EACH
    tenure, troubled = rng.exponential(1200, n), rng.random(n) < 0.2
    first = pd.Timestamp("2022-01-10T09:00")
    leaves = rng.random((n, WAVES + 2)) < np.where(troubled, 0.08, 0.015)[:, None]
    quarter = np.where(leaves.any(axis=1), leaves.argmax(axis=1), WAVES + 9)
    left = first + pd.to_timedelta(quarter * QUARTER + rng.integers(20, QUARTER, n), unit="D")
    customer, wave = np.nonzero(quarter[:, None] >= np.arange(WAVES))  # who left is not asked again
    invited = first + pd.to_timedelta(wave * QUARTER, unit="D")
    answers = rng.random(len(customer)) < np.where(troubled[customer], 0.15, 0.5)
    score = np.clip(np.rint(rng.normal(np.where(troubled[customer], 7.2, 8.3), 1.8)), 0, 10)
    ids = np.char.add("c", np.arange(n).astype(str)).astype(object)
    responses = pd.DataFrame(
        {
            "respondent_id": ids[customer],
            "wave": np.array([f"wave {number:02d}" for number in range(WAVES)], dtype=object)[wave],
            "invited_at": invited,
            "delivered": rng.random(len(customer)) < 0.98,
            "likelihood_to_recommend": np.where(answers, score, np.nan),
            "channel": rng.choice(np.array(["e-mail", "phone"], dtype=object), len(customer)),
        }
    )
    responses["delivered"] |= answers
    days = rng.integers(0, WINDOW, len(customer))
    responses["responded_at"] = (invited + pd.to_timedelta(days, unit="D")).where(answers)
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "started_at": first - pd.to_timedelta(tenure.astype(int), unit="D"),
            "churned_at": pd.Series(left).where(quarter < WAVES + 2),
            "observed_until": first + pd.Timedelta(days=(WAVES + 3) * QUARTER),
            "revenue": rng.lognormal(7, 1, n).round(),
            "region": rng.choice(np.array(["north", "south", "west"], dtype=object), n),
        }
    )
    return nps.Study.from_frames(
        responses=responses,
        customers=customers,
        segments=["region"],
        settings={"outcome_horizon_days": 180, "data_until": (first + pd.Timedelta(days=WAVES * QUARTER)).date()},
        name="Made up",
        made_up=True,
    )


def measure(sizes: tuple[int, ...] = SIZES) -> pd.DataFrame:
    """Seconds of each computation and their sum; most memory of the process, the study in it."""
    rows = []
    for size in sizes:
        told: dict[str, Any] = in_own_process("benchmarks.nonresponse", str(size))
        memory = told.pop("peak_megabytes")
        rows += [{"invitations": size, "step": step, "seconds": seconds} for step, seconds in told.items()]
        rows.append({"invitations": size, "step": "all", "seconds": sum(told.values()), "peak_megabytes": memory})
        print(f"{size:,} invitations: {rows[-1]['seconds']:.1f} s", flush=True)
    return pd.DataFrame(rows).round({"seconds": 2, "peak_megabytes": 0})


if __name__ == "__main__":
    study = made_up(int(sys.argv[1]))
    seconds = {name: round(timed(lambda step=step: step(study))[0], 3) for name, step in STEPS.items()}
    print(json.dumps({**seconds, "peak_megabytes": peak_megabytes()}))
