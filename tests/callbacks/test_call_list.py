"""Whom to call back: due and not spoken to; nobody whom a lottery holds out; private."""

import pandas as pd
import pytest

from nps_research.callbacks.call_list import people_to_call_back
from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study

ANSWERED = pd.Timestamp("2025-03-03 09:00")


def listed(**changes):
    responses = pd.DataFrame(
        {
            "respondent_id": ["K1", "K2", "K3", "K4", "K5", "K6"],
            "likelihood_to_recommend": [2, 5, 6, 4, 9, 1],
            "responded_at": ANSWERED,
            "problems": ["late", None, "late;rude", None, None, None],
            "Speed": [1, 4, 2, 5, 5, 3],
        }
    )
    cases = pd.DataFrame(
        {
            "respondent_id": ["K1", "K2", "K3", "K4"],
            "assignment": "random",
            "assigned": [1, 1, 1, 0],
            "reached_at": [None, ANSWERED + pd.Timedelta(hours=2), None, None],
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": ["K1", "K2", "K3", "K4", "K5", "K6"],
            "revenue": [10.0, 20, 900, 40, 50, 60],
            "churned_at": None,
        }
    )
    customers.loc[5, "churned_at"] = "2025-03-04"
    study = Study.from_frames(
        responses=responses,
        customers=customers,
        drivers=["Speed"],
        tables={"callbacks": cases},
        problems={"late": {"label": "Late delivery"}, "rude": {"label": "Rude driver"}},
        settings={"data_until": "2025-03-05", "minimum_cell": 2},
    )
    return people_to_call_back(study, **changes)


def test_it_holds_who_waits_the_largest_revenue_first_with_problems_and_hours_left():
    people = listed().people
    assert people["respondent_id"].tolist() == ["K3", "K1"]  # reached, held out, content and gone are not on it
    assert people["problems"].tolist() == ["Late delivery; Rude driver", "Late delivery"]
    assert people["poorly_rated"].tolist() == ["Speed 2", "Speed 1"]
    assert people["hours_left"].tolist() == [33.0, 33.0]
    assert listed(promised_hours=24).people["hours_left"].tolist() == [-15.0, -15.0]


def test_what_is_shown_names_nobody():
    shown = f"{listed()}{listed().to_json()}"
    assert "K3" not in shown
    assert "2 people who are due a call" in shown
    assert "overdue" not in shown
    assert "All are overdue." in str(listed(promised_hours=24).to_json())


def test_where_all_were_spoken_to_there_is_nobody_to_call():
    rows = pd.DataFrame({"respondent_id": ["a", "b"], "likelihood_to_recommend": [2, 9], "responded_at": ANSWERED})
    cases = pd.DataFrame({"respondent_id": ["a"], "reached_at": [ANSWERED + pd.Timedelta(hours=1)]})
    with pytest.raises(CannotAnswerError, match="Nobody is due a call"):
        people_to_call_back(Study.from_frames(responses=rows, tables={"callbacks": cases}))
