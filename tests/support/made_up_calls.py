"""Made-up answers of two waves, and calls between them: by lottery, by choice, effective or idle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nps_research.study.study import Study

FIRST, SECOND = pd.Timestamp("2025-01-10 09:00"), pd.Timestamp("2025-04-10 09:00")


def called_tables(
    n: int = 1200, *, gain: float = 0.0, how: str = "random", answers: float = 0.7, more: float = 0.0, seed: int = 3
) -> dict[str, pd.DataFrame]:
    """People who all scored low, half of them called; `gain` is added to the next answer of the called.

    `how`: random, or judgement, which calls those of good opinion first. The called answer `more` often.
    """
    rng = np.random.default_rng(seed)
    opinion = rng.normal(5.0, 1.5, n)
    first = np.clip(np.rint(opinion + rng.normal(0, 1.0, n)), 0, 6)
    earlier = np.clip(np.rint(opinion + rng.normal(0, 1.0, n)), 0, 10)
    chance = np.full(n, 0.5) if how == "random" else 1 / (1 + np.exp(-1.2 * (earlier - 5)))
    called = rng.random(n) < chance
    second = np.clip(np.rint(opinion + rng.normal(0, 1.0, n) + gain * called), 0, 10)
    answered = rng.random(n) < answers + more * called
    ids, account = np.array([f"K{at:05d}" for at in range(n)]), np.array([f"A{at // 3:05d}" for at in range(n)])
    waves = [
        ("2024 Q4", FIRST - pd.Timedelta(days=90), earlier, np.ones(n, dtype=bool)),
        ("2025 Q1", FIRST, first, np.ones(n, dtype=bool)),
        ("2025 Q2", SECOND, second, answered),
    ]
    rows = [
        pd.DataFrame(
            {
                "respondent_id": ids,
                "account_id": account,
                "wave": wave,
                "invited_at": moment,
                "responded_at": pd.Series(moment + pd.Timedelta(hours=5), index=range(n)).where(returned),
                "likelihood_to_recommend": pd.Series(score, index=range(n)).where(returned).astype("Int64"),
            }
        )
        for wave, moment, score, returned in waves
    ]
    assigned_at = FIRST + pd.Timedelta(hours=8)
    cases = pd.DataFrame(
        {
            "respondent_id": ids,
            "wave": "2025 Q1",
            "assignment": how,
            "assigned": called.astype(int),
            "assigned_at": pd.Series(assigned_at, index=range(n)).where(called),
            "attempted_at": pd.Series(assigned_at + pd.Timedelta(hours=10), index=range(n)).where(called),
            "reached_at": pd.Series(assigned_at + pd.Timedelta(hours=20), index=range(n)).where(called),
        }
    )
    customers = pd.DataFrame({"customer_id": ids, "account_id": account, "revenue": 1000.0})
    return {"responses": pd.concat(rows, ignore_index=True), "customers": customers, "callbacks": cases}


def called_study(tables: dict[str, pd.DataFrame] | None = None, **settings: Any) -> Study:
    """The study of such tables."""
    tables = called_tables() if tables is None else tables
    return Study.from_frames(
        responses=tables["responses"],
        customers=tables["customers"],
        tables={"callbacks": tables["callbacks"]},
        settings={"cluster": "account_id", "data_until": "2026-12-31", **settings},
        made_up=True,
    )
