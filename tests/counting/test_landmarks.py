"""What is known at a landmark, and that nothing else is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.landmarks import landmarks_of
from nps_research.counting.outcomes import outcome_by_score
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.study.study import open_study
from tests.support.made_up_silence import panel
from tests.support.published import ROOT


def rows_of(study, **options) -> pd.DataFrame:
    return landmarks_of(study, **options).rows


def test_states_of_customers():
    rows = rows_of(
        panel({"a": [9], "b": [7], "c": [6], "d": [None], "e": ["bounced"], "f": ["blank"], "g": ["late 9"]})
    )
    states = ["promoter", "passive", "detractor", "nonrespondent", "not_reached", "item_missing", "nonrespondent"]
    assert rows["state"].tolist() == states
    assert rows["score"].tolist()[:3] == [9, 7, 6]
    assert rows["score"].iloc[3:].isna().all()  # the late 9 counts nowhere


def test_an_account_is_silent_only_if_nobody_answered_and_else_what_its_mean_is():
    account = {"a": "X", "b": "X", "c": "Y", "d": "Y", "e": "Z", "f": "Z"}
    role = dict.fromkeys("ace", "Decision maker") | dict.fromkeys("bdf", "user")
    answers = {
        "a": [None, 10],
        "b": [8, 7],
        "c": [None, "bounced"],
        "d": [None, None],
        "e": [3, 9],
        "f": [6, "bounced"],
    }
    rows = rows_of(panel(answers, account=account, role=role)).set_index(["unit", "period"])
    # halves count up: 8.5 is a promoter
    found = [["passive", "promoter"], ["nonrespondent", "nonrespondent"], ["detractor", "promoter"]]
    assert rows["state"].unstack().to_numpy().tolist() == found
    assert rows["silent_share"].unstack().to_numpy().tolist() == [[0.5, 0], [1, 1], [0, 0]]
    assert rows["decision_maker_silent"].unstack().to_numpy()[:2].tolist() == [
        [1, 0],
        [1, pytest.approx(np.nan, nan_ok=True)],
    ]
    assert rows["n_contacts"].unstack().to_numpy().tolist() == [[2, 2], [2, 1], [2, 1]]


def test_histories_know_earlier_landmarks_only():
    rows = rows_of(panel({"a": [None, 9, None, None], "b": [5, None, "bounced", None], "c": ["", None, "late 3", 8]}))
    said = rows.groupby("unit")
    assert [of["silent_in_a_row"].tolist() for _, of in said] == [[1, 0, 1, 2], [0, 1, 0, 2], [1, 2, 0]]
    assert [of["n_earlier"].tolist() for _, of in said] == [[0, 1, 2, 3], [0, 1, 2, 2], [0, 1, 2]]
    assert [of["answered_before"].tolist() for _, of in said] == [
        [False, False, True, True],
        [False, True, True, True],
        [False] * 3,
    ]
    assert rows["last_score"].fillna(-1).tolist() == [-1, -1, 9, 9, -1, 5, 5, 5, -1, -1, -1]
    assert rows["earlier_answer_share"].fillna(-1).round(2).tolist() == [-1, 0, 0.5, 0.33, -1, 1, 0.5, 0.5, -1, 0, 0]


def test_what_comes_after_a_landmark_changes_nothing_that_explains():
    """Answers of later waves, and of late forms, are altered: histories at the first two landmarks stand."""
    explains = ["state", "score", "silent_in_a_row", "n_earlier", "earlier_answer_share", "last_score", "tenure"]
    one = rows_of(panel({"a": [None, 9, 1, 10], "b": [5, "late 2", None, None]}))
    other = rows_of(panel({"a": [None, 9, None, "blank"], "b": [5, "late 9", 10, 10]}, left={"a": "2026-01-01"}))
    early = one["period"].isin(["2024 Q1", "2024 Q2"])
    pd.testing.assert_frame_equal(one.loc[early, explains], other.loc[early, explains])


def test_who_is_gone_is_not_at_risk_and_leaving_is_counted_in_days_from_the_landmark():
    # the first landmark is 22 January, 09:00
    study = panel(
        {"gone": [None], "soon": [None], "later": [9], "after": [9], "lost": [9]},
        left={"gone": "2024-01-22", "soon": "2024-01-23", "later": "2024-07-20", "after": "2024-08-20"},
        observed_until={"lost": "2024-03-01"},
    )
    landmarks = landmarks_of(study)
    assert landmarks.left_out == {"gone_before_landmark": 1}
    rows = landmarks.rows  # in order of their ids: after, later, lost, soon
    assert rows["days"].tolist() == [180, 180, 39, 1]
    assert rows["event"].tolist() == [False, True, False, True]
    assert rows["is_complete"].tolist() == [True, True, False, True]
    assert rows_of(study, horizon_days=10)["event"].tolist() == [False, False, False, True]


def test_leavers_of_whom_no_end_is_said_are_taken_as_watched_like_all():
    left = {"b": "2024-04-01"}
    for until in (pd.NaT, "2024-04-01"):
        rows = rows_of(panel({"a": [9], "b": [None]}, left=left, observed_until={"b": until}))
        assert rows["is_complete"].tolist() == [True, True]
        assert rows["watched_days"].tolist() == [180, 180]
        assert rows["event"].tolist() == [False, True]


def test_at_the_landmark_itself_is_gone_and_on_the_last_moment_of_the_horizon_has_left():
    study = panel(
        {"at": [None], "end": [9], "past": [None]},
        left={"at": "2024-01-22T09:00", "end": "2024-07-20T09:00", "past": "2024-07-20T09:01"},
    )
    landmarks = landmarks_of(study)
    assert landmarks.left_out == {"gone_before_landmark": 1}
    assert landmarks.rows["event"].tolist() == [True, False]
    assert landmarks.rows["days"].tolist() == [180, 180]


def test_every_invitation_is_in_a_row_or_counted_as_left_out():
    study = open_study(ROOT / "data" / "demo")
    landmarks = landmarks_of(study)
    known = study.responses["invited_at"].notna()
    pairs = study.responses[known].groupby(["account_id", "wave"]).ngroups
    assert len(landmarks.rows) + landmarks.left_out["gone_before_landmark"] == pairs


def test_by_customer_the_silent_are_those_that_thresholds_count():
    """Two ways to the same numbers: where everybody is watched to the end, the counts agree."""
    rng = np.random.default_rng(5)
    answers = {f"c{i}": [None if rng.random() < 0.4 else int(rng.integers(0, 11)) for _ in range(4)] for i in range(60)}
    left = {name: f"2024-{rng.integers(2, 13):02d}-15" for name in list(answers)[:25]}
    study = panel(answers, left=left)
    rows, counted = rows_of(study), outcome_by_score(study)
    silent = rows["state"] == "nonrespondent"
    assert (silent.sum(), rows.loc[silent, "event"].sum()) == (
        counted.nonrespondents.sum(),
        counted.nonrespondent_events.sum(),
    )
    assert (~silent).sum() == counted.n.sum()


def test_a_wave_whose_window_is_open_is_no_landmark_for_those_who_have_answered_either():
    study = panel({"a": [9, None, 8], "b": [None, 7, None]}, data_until=pd.Timestamp("2024-07-12").date())
    landmarks = landmarks_of(study)
    assert landmarks.rows["period"].unique().tolist() == ["2024 Q1", "2024 Q2"]
    assert landmarks.left_out == {"window_open": 2}


def strangers_silent():
    study = panel({"a": [9, 3], "b": [None, None]})
    return replace(study, customers=study.customers[study.customers["customer_id"] != "b"])


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (lambda: panel({"a": [9, 3], "b": [8, 10]}), "landmark: every invitation that arrived was answered"),
        (lambda: strangers_silent(), "those who did not answer belong to no customer of this study"),
        (lambda: panel({"a": [None, None], "b": [None, "late 3"]}), "Nobody answered within the window"),
    ],
)
def test_without_somebody_silent_and_somebody_answering_there_is_no_landmark(study, says):
    with pytest.raises(CannotAnswerError, match=says):
        landmarks_of(study())


def test_invitations_without_dates_cannot_be_followed():
    study = open_study(ROOT / "data" / "demo")
    undated = type(study).from_frames(
        responses=study.responses.drop(columns=["invited_at", "response_state", *study.drivers, *study.segments]),
        customers=study.customers,
    )
    with pytest.raises(CannotAnswerError, match="invited_at"):
        landmarks_of(undated)


def test_what_is_wrong_with_a_horizon_is_said():
    study = panel({"a": [9], "b": [None]})
    for horizon in (0, -5, 90.5):
        with pytest.raises(ContractError, match="whole number of days"):
            landmarks_of(study, horizon_days=horizon)


def test_the_landmark_comes_a_window_after_the_last_invitation_of_the_account():
    study = panel({"a": [9], "b": [None], "c": [None]}, account={"a": "X", "b": "X", "c": "Y"})
    later = study.responses["invited_at"].mask(study.responses["respondent_id"] == "b", pd.Timestamp("2024-01-20"))
    rows = landmarks_of(replace(study, rows=study.responses.assign(invited_at=later))).rows
    assert rows["landmark"].tolist() == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-01-22T09:00")]


def test_accounts_that_only_the_customers_table_knows_are_accounts_still():
    """Where a wave's invitations do not say the account, churn is the account's none the less, and counted once."""
    account = {name: name[0] for name in ("a1", "a2", "b1", "b2")}
    answers = {"a1": [9, None], "a2": [None, None], "b1": [3, 8], "b2": [7, None]}
    study = panel(answers, left={"a": "2024-06-01"}, account=account)
    whole = landmarks_of(study)
    for unsaid in (study.responses["wave"] == "2024 Q2", study.responses["wave"].notna()):
        of_invitations = study.responses["account_id"].mask(unsaid)
        found = landmarks_of(replace(study, rows=study.responses.assign(account_id=of_invitations)))
        assert found.unit == "account"
        pd.testing.assert_frame_equal(found.rows, whole.rows)


def test_churn_that_differs_within_an_account_is_the_customers():
    study = panel({"a": [9], "b": [None], "c": [None]}, left={"a": "2024-05-01"})
    responses = study.responses.drop(columns="response_state").assign(account_id=["X", "X", "Y"])
    settings = {"data_until": "2026-06-30"}
    study = type(study).from_frames(responses=responses, customers=study.customers, settings=settings, made_up=True)
    landmarks = landmarks_of(study)
    assert (landmarks.unit, landmarks.rows["event"].sum(), len(landmarks.rows)) == ("customer", 1, 3)


def test_a_customer_without_account_is_not_the_account_of_the_same_number():
    account = {"1": "4", "2": "4", "3": "7"}
    rows = rows_of(panel({"1": [9], "2": [9], "3": [3], "4": [None]}, account=account))
    assert rows["state"].tolist() == ["promoter", "detractor", "nonrespondent"]
    assert rows["n_contacts"].tolist() == [2, 1, 1]


def test_who_is_asked_twice_in_a_quarter_is_one_contact():
    study = panel({"a": [9], "b": [None]}, account={"a": "X", "b": "Y"})
    again = study.responses.assign(
        invited_at=study.responses["invited_at"] + pd.Timedelta(days=20), likelihood_to_recommend=np.nan
    ).drop(columns=["responded_at", "response_state"])
    responses = pd.concat([study.responses.drop(columns="response_state"), again]).drop(columns="wave")
    settings = {"data_until": "2026-06-30"}
    rows = rows_of(
        type(study).from_frames(responses=responses, customers=study.customers, settings=settings, made_up=True)
    )
    assert rows["state"].tolist() == ["promoter", "nonrespondent"]
    assert rows["n_contacts"].tolist() == [1, 1]
    assert rows["silent_share"].tolist() == [0, 1]


def test_invitations_without_a_wave_are_counted_as_left_out():
    study = panel({"a": [9, 9], "b": [None, None], "c": [None, 3]})
    wave = study.responses["wave"].mask(study.responses["respondent_id"] == "c")
    assert landmarks_of(replace(study, rows=study.responses.assign(wave=wave))).left_out == {"no_wave": 2}


def test_stayers_lost_sight_of_beside_leavers_who_were_not_give_no_rate():
    study = panel(
        {"a": [9], "b": [None], "c": [8], "d": [7]},
        left={"b": "2024-04-01"},
        observed_until={"b": "2024-04-01", "c": "2024-03-01"},
    )
    with pytest.raises(CannotAnswerError, match="1 invitations are of customers who stayed"):
        landmarks_of(study)
