"""How far and how fast cases got: counted by hand, hour by hour, open cases as long as they were watched."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps_research.callbacks.steps import callback_steps
from nps_research.callbacks.times import callback_times, working_hours
from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study

ANSWERED = pd.Timestamp("2025-03-03 09:00")  # a Monday


def study_of(hours_to_reach, closed=None, until="2025-03-20", **columns):
    n = len(hours_to_reach)
    ids = [f"K{at:04d}" for at in range(n)]
    responses = pd.DataFrame({"respondent_id": ids, "responded_at": ANSWERED, "likelihood_to_recommend": 3})
    hours = pd.Series(hours_to_reach, dtype=float)
    cases = pd.DataFrame(
        {"respondent_id": ids, "assigned": 1, "reached_at": ANSWERED + pd.to_timedelta(hours, unit="h")}
    )
    if closed is not None:
        cases["closed_at"] = ANSWERED + pd.to_timedelta(pd.Series(closed, dtype=float), unit="h")
    cases = cases.assign(**columns)
    return Study.from_frames(
        responses=responses, tables={"callbacks": cases}, settings={"data_until": until, "minimum_cell": 2}
    )


def whole(result, term="reached"):
    return result.frame[(result.frame["group"] == "all cases") & (result.frame["term"] == term)].iloc[0]


def test_shares_within_hours_are_counts_where_all_were_watched():
    hours = [1, 10, 24, 24.5, 30, 71, 72, 73, 100, 200]
    row = whole(callback_times(study_of(hours)))
    assert row["within_24"] == pytest.approx(0.3)
    assert row["within_72"] == pytest.approx(0.7)
    assert row["median_hours"] == 30
    assert row["within_72_conf_low"] < 0.7 < row["within_72_conf_high"]


def test_an_open_case_counts_as_long_as_it_was_watched_and_a_closed_one_was_never_reached():
    hours = [10, 20, 30, 40, np.nan, np.nan]
    watched_all = whole(callback_times(study_of(hours)))
    assert watched_all["within_72"] == pytest.approx(4 / 6)
    # data end after 39 hours: of six, three are reached by then, three are still waiting
    cut = [10, 20, 30, np.nan, np.nan, np.nan]
    row = whole(callback_times(study_of(cut, until="2025-03-05")))
    assert row["within_24"] == pytest.approx(2 / 6)
    assert row["within_72"] == pytest.approx(0.5)
    closed = whole(callback_times(study_of(cut, closed=[None, None, None, 33, 34, 34])))
    assert closed["within_72"] == pytest.approx(0.5)


@given(start=st.integers(0, 24 * 14), length=st.integers(0, 24 * 21))
def test_working_hours_are_hours_that_are_neither_saturday_nor_sunday(start, length):
    begin = pd.Timestamp("2025-03-03") + pd.Timedelta(hours=start)
    by_hand = sum((begin + pd.Timedelta(hours=hour)).day_of_week < 5 for hour in range(length))
    end = begin + pd.Timedelta(hours=length)
    assert working_hours(pd.Series([begin]), pd.Series([end]))[0] == pytest.approx(by_hand)


def test_a_weekend_is_no_working_time():
    friday = pd.Timestamp("2025-03-07 12:00")
    study = study_of([0.0] * 4)
    study.responses["responded_at"] = friday
    study.tables["callbacks"]["reached_at"] = friday + pd.Timedelta(hours=72)  # Monday noon: 24 working hours
    row = whole(callback_times(study))
    assert (row["within_24"], row["working_24"]) == (0.0, 1.0)


def test_queues_stand_apart_and_callers_are_only_a_range():
    hours = [5] * 20 + [100] * 20
    queue = ["fast"] * 20 + ["slow"] * 20
    result = callback_times(study_of(hours, queue=queue, caller=["Ann Bell", "Bob Cole"] * 20))
    shares = result.frame[result.frame["term"] == "reached"].set_index("group")["within_72"]
    assert shares[["queue fast", "queue slow"]].tolist() == [1.0, 0.0]
    assert result.n_callers == 2
    assert "Ann" not in f"{result.to_json()}{result}"
    apart = callback_times(study_of(hours, caller=["Ann Bell"] * 20 + ["Bob Cole"] * 20))
    assert 0 <= apart.slowest < 0.2 < 0.8 < apart.fastest <= 1


def test_steps_are_counted_by_why_they_were_due():
    responses = pd.DataFrame(
        {
            "respondent_id": list("abcdef"),
            "likelihood_to_recommend": [2, 6, 6, 9, 9, 10],
            "callback_requested": [1, 0, 0, 1, 0, 0],
            "responded_at": ANSWERED,
        }
    )
    cases = pd.DataFrame(
        {
            "respondent_id": list("abd"),
            "assignment": "random",
            "assigned": [1, 0, 1],
            "attempted_at": [ANSWERED + pd.Timedelta(hours=2), None, ANSWERED + pd.Timedelta(hours=3)],
            "reached_at": [ANSWERED + pd.Timedelta(hours=2), None, None],
        }
    )
    study = Study.from_frames(responses=responses, tables={"callbacks": cases}, settings={"minimum_cell": 1})
    result = callback_steps(study)
    rows = result.frame.set_index("group")
    names = ["n", "held_out", "assigned", "attempted", "reached"]
    assert rows.loc["scored as a detractor", names].tolist() == [3, 1, 1, 1, 1]
    assert rows.loc["asked to be called", names].tolist() == [1, 0, 1, 1, 0]
    assert rows.loc["all", names].tolist() == [4, 1, 2, 2, 1]
    assert result.n_without_case == 1


def test_a_study_without_calls_or_dates_says_what_is_missing():
    rows = pd.DataFrame({"respondent_id": ["a"], "likelihood_to_recommend": [3]})
    with pytest.raises(CannotAnswerError, match="callbacks"):
        callback_steps(Study.from_frames(responses=rows))
    cases = pd.DataFrame({"respondent_id": ["a"], "reached_at": ["2025-03-04"]})
    with pytest.raises(CannotAnswerError, match="when the person answered"):
        callback_times(Study.from_frames(responses=rows, tables={"callbacks": cases}))
