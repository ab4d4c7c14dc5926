"""Employees: equal ones are not named, far ones are; a spread is told from outliers; names stay private."""

import numpy as np
import pandas as pd
import pytest

from nps_research.callbacks.beyond_luck import LOWER, WITHIN, beyond_luck
from nps_research.callbacks.employees import employee_differences
from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study


def answers(n_employees=20, each=80, *, low=(), by=0.0, spread=0.0, seed=1):
    rng = np.random.default_rng(seed)
    employee = np.repeat(np.arange(n_employees), each)
    account = np.arange(len(employee)) // 4
    shift = rng.normal(0, spread, n_employees) - by * np.isin(np.arange(n_employees), low)
    opinion = 8.0 + shift[employee] + rng.normal(0, 1.0, account.max() + 1)[account]
    score = np.clip(np.rint(opinion + rng.normal(0, 1.6, len(employee))), 0, 10)
    names = np.array([f"Employee Smith{at:02d}" for at in range(n_employees)])
    ids = [f"K{at:05d}" for at in range(len(employee))]
    responses = pd.DataFrame(
        {
            "respondent_id": ids,
            "account_id": [f"A{each:04d}" for each in account],
            "wave": "2025 Q1",
            "invited_at": "2025-01-10",
            "employee": names[employee],
            "likelihood_to_recommend": score.astype(int),
        }
    )
    customers = pd.DataFrame({"customer_id": ids, "account_id": responses["account_id"]})
    return responses, customers


def study_of(responses, customers=None, **settings):
    return Study.from_frames(
        responses=responses, customers=customers, settings={"cluster": "account_id", **settings}, made_up=True
    )


def test_two_far_below_are_named_in_the_private_list_and_nowhere_else():
    responses, customers = answers(low=(3, 11), by=2.0)
    result = employee_differences(study_of(responses, customers))
    beyond = result.people[result.people["verdict"] == LOWER]
    assert sorted(beyond["employee"]) == ["Employee Smith03", "Employee Smith11"]
    assert "two are lower than luck explains" in result.finding
    assert "Smith" not in f"{result.to_json()}{result}{result.named.to_json()}"
    assert len(result.named.people) == 20
    assert dict(result.named.at_a_glance) == {}  # they are not customers to call
    assert result.plot() is not None


def test_equal_employees_are_not_called_different():
    found = [
        (employee_differences(study_of(*answers(seed=seed))).frame["verdict"] != WITHIN).any() for seed in range(30)
    ]
    assert np.mean(found) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 30)
    assert "luck" in employee_differences(study_of(*answers(seed=2))).finding


def test_a_spread_is_told_as_one():
    result = employee_differences(study_of(*answers(40, 120, spread=0.4)))
    assert result.share_conf_low > 0
    assert result.spread == pytest.approx(0.4, abs=0.2)
    assert result.finding.startswith("Employees differ, but none stands out")


def test_answers_of_one_account_do_not_count_as_many():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(20), 60)
    account = np.repeat(np.arange(60), 20)  # three accounts an employee, whose answers are all but the same
    y = rng.normal(0, 1, 60)[account] + 0.1 * rng.normal(size=1200)
    one, alone = np.ones((1200, 1)), np.arange(1200)
    assert (beyond_luck(y, group, one, alone, with_limits=False).frame["std_error"] < 0.15).all()
    clustered = beyond_luck(y, group, one, account, with_limits=False).frame
    assert clustered["std_error"].mean() == pytest.approx(1 / np.sqrt(3), rel=0.3)
    assert (clustered["verdict"] == WITHIN).all()


def test_who_leaves_out_the_unhappy_is_flagged():
    responses, customers = answers(20, 80)
    unhappy = (responses["employee"] == "Employee Smith05") & (responses["likelihood_to_recommend"] <= 7)
    result = employee_differences(study_of(responses[~unhappy], customers))
    flagged = result.people[result.people["few_asked"]]
    assert flagged["employee"].tolist() == ["Employee Smith05"]
    assert flagged["asked_share"].iloc[0] == pytest.approx(
        1 - unhappy.sum() / 80, abs=0.05
    )  # accounts of which nobody is asked are not known
    assert "asked fewer of their customers" in result.details
    assert not employee_differences(study_of(responses, customers)).people["few_asked"].any()


def test_the_mix_of_customers_is_held_constant():
    responses, _ = answers(10, 100)
    rng = np.random.default_rng(6)
    hard = rng.random(1000) < np.where(responses["employee"] == "Employee Smith00", 0.9, 0.2)
    responses["kind"] = np.where(hard, "hard", "easy")
    responses["likelihood_to_recommend"] = (responses["likelihood_to_recommend"] - 3 * hard).clip(0, 10)
    study = Study.from_frames(responses=responses, segments=["kind"], settings={"cluster": "account_id"})
    people = employee_differences(study).people.set_index("employee")
    assert people.loc["Employee Smith00", "verdict"] == WITHIN
    assert people.loc["Employee Smith00", "raw_estimate"] == pytest.approx(people["raw_estimate"].mean(), abs=0.5)


def test_too_few_employees_or_answers_are_refused():
    responses, _ = answers(4, 50)
    with pytest.raises(CannotAnswerError, match="Fewer than 5 employees"):
        employee_differences(study_of(responses))
    with pytest.raises(CannotAnswerError, match="who served"):
        employee_differences(study_of(responses.drop(columns="employee")))
