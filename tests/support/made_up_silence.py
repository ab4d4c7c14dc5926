"""Made-up invitations over waves, with dates of leaving: small studies in which silence can be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nps_research.study.study import Study

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW, HORIZON = 14, 180
END = pd.Timestamp("2026-06-30")


def panel(
    answers: dict[str, Sequence[float | str | None]],
    left: dict[str, str] | None = None,
    *,
    account: dict[str, str] | None = None,
    role: dict[str, str] | None = None,
    observed_until: dict[str, str] | None = None,
    reason: dict[str, str] | None = None,
    delivered: bool = True,
    **settings,
) -> Study:
    """Customers asked each quarter of 2024 from January on.

    An answer is a score; None is silence, "bounced", "late 9" (answered after the window) and "blank" (the form came
    back without it) what they say, "" no invitation.
    """
    left, account, role = left or {}, account or {}, role or {}
    rows = []
    for customer, given in answers.items():
        for quarter, answer in enumerate(given):
            if answer == "":
                continue
            invited = pd.Timestamp("2024-01-08T09:00") + pd.DateOffset(months=3 * quarter)
            late = isinstance(answer, str) and answer.startswith("late")
            score = float(str(answer).removeprefix("late ")) if late else answer
            returned = late or answer == "blank" or isinstance(answer, (int, float))
            rows.append(
                {
                    "respondent_id": customer,
                    "account_id": account.get(customer),
                    "wave": f"2024 Q{quarter + 1}",
                    "invited_at": invited,
                    "delivered": answer != "bounced",
                    "responded_at": invited + pd.Timedelta(days=30 if late else 2) if returned else pd.NaT,
                    "likelihood_to_recommend": score if isinstance(score, (int, float)) else np.nan,
                }
            )
    responses = pd.DataFrame(rows)
    customers = pd.DataFrame(
        {
            "customer_id": list(answers),
            "account_id": [account.get(customer) for customer in answers],
            "role": [role.get(customer) for customer in answers],
            "started_at": pd.Timestamp("2020-01-01"),
            "churned_at": pd.to_datetime([left.get(account.get(customer, customer)) for customer in answers]),
            "observed_until": pd.to_datetime([(observed_until or {}).get(customer, END) for customer in answers]),
            "revenue": 1000,
            "churn_reason": [(reason or {}).get(customer) for customer in answers],
        }
    )
    # somebody who was never asked left, so that leaving is recorded
    never = {"customer_id": "never asked", "account_id": "never asked", "started_at": pd.Timestamp("2020-01-01")}
    dates = {"churned_at": pd.Timestamp("2021-01-01"), "observed_until": END, "revenue": 1000}
    customers = pd.concat([customers, pd.DataFrame([never | dates])], ignore_index=True)
    unused = ["account_id"] if not account else []
    unused_of_responses = unused + ([] if delivered else ["delivered"])
    return Study.from_frames(
        responses=responses.drop(columns=unused_of_responses),
        customers=customers.drop(columns=unused + ([] if role else ["role"]) + ([] if reason else ["churn_reason"])),
        settings={"minimum_cell": 1, "outcome_horizon_days": HORIZON, "data_until": END.date()} | settings,
        made_up=True,
    )
