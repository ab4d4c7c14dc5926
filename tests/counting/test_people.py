"""What is known of a person: decided once, and told the same in every table."""

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.landmarks import landmarks_of
from nps_research.counting.outcomes import outcome_rows
from nps_research.counting.people import (
    QUARTERS,
    REVENUE,
    YEARS,
    bands_of,
    covariates_at_invitation,
    in_bands,
    people_at_invitation,
    tenure_in_months,
    was_customer,
)
from nps_research.drivers.groups import lifetime_stages
from nps_research.responding.factors import response_factors
from nps_research.responding.representativeness import _alive
from nps_research.silence.value.features import features_of
from nps_research.study.study import Study
from nps_research.thresholds.adjusted_risk import _covariates

INVITED = pd.Timestamp("2024-03-01 09:00")
EDGES = {
    "joined on the day, at a later hour": "2024-03-01 17:00",
    "joined a day later": "2024-03-02",
    "joined years later": "2027-01-01",
    "joined between the first invitation and the own": "2024-03-05",
    "exactly 12 months": "2023-03-01",
    "a day short of 12 months": "2023-03-02",
    "exactly 5 years": "2019-03-01",
    "start not known": None,
}
EXPECTED = {
    **dict.fromkeys(("joined on the day, at a later hour", "a day short of 12 months"), "under 1"),
    **dict.fromkeys(("joined a day later", "joined years later", "start not known"), "(not stated)"),
    "joined between the first invitation and the own": "under 1",
    "exactly 12 months": "1 to 3",
    "exactly 5 years": "over 5",
}


@pytest.fixture(scope="module")
def study():
    """One wave: a person for each edge, and others at random, of whom revenue is none, missing or drawn."""
    rng = np.random.default_rng(1)
    n = 240
    started = INVITED.normalize() - pd.to_timedelta(rng.integers(30, 3000, n), unit="D")
    customers = pd.DataFrame(
        {
            "customer_id": [*EDGES, *(f"person {each}" for each in range(n))],
            "started_at": [*map(pd.Timestamp, EDGES.values()), *started],
            "churned_at": [*[pd.NaT] * len(EDGES), *(INVITED + pd.to_timedelta(rng.integers(20, 900, n), unit="D"))],
            "observed_until": pd.Timestamp("2028-01-01"),
            "revenue": [0.0, np.nan, *np.exp(rng.normal(8, 1, n + len(EDGES) - 2))],
        }
    )
    responses = pd.DataFrame({"customer_id": customers["customer_id"], "wave": "1", "invited_at": INVITED})
    responses["respondent_id"] = responses["customer_id"]
    late = responses["customer_id"] == "joined between the first invitation and the own"
    responses.loc[late, "invited_at"] = pd.Timestamp("2024-03-10")
    answered = (rng.random(len(responses)) < 0.6) | (np.arange(len(responses)) < len(EDGES))
    score = pd.Series(rng.integers(0, 11, len(responses)), dtype="Int64").where(answered)
    return Study.from_frames(
        responses=responses.assign(likelihood_to_recommend=score, responded=answered.astype(int)),
        customers=customers,
        settings={"response_window_days": 14, "data_until": "2028-01-01"},
    )


def labels(study, tenure, log_revenue):
    """Groups by customer, from the numbers that a model was given."""
    base = np.log(study.customers["revenue"].where(study.customers["revenue"] > 0))
    return bands_of(tenure, log_revenue - base.min() + 1, base - base.min() + 1)  # above zero, in the same order


def of_balance(study):
    rows = study.responses
    return in_bands(covariates_at_invitation(study, rows)).set_index(rows["customer_id"])


def of_who_answers(study):
    found = {each.name: np.array(each.groups)[each.group] for each in response_factors(study, study.responses)}
    return pd.DataFrame(found, index=study.responses["customer_id"])


def of_representativeness(study):
    return _alive(study.customers, study.responses, "invited_at").set_index("customer_id")


def of_adjusted_risk(study):
    rows = _covariates(study, outcome_rows(study, outcome="churned"))[0]
    return labels(study, rows["tenure"], rows["log_revenue"]).set_index(rows["customer_id"])


def of_landmarks(study):
    landmarks = landmarks_of(study)
    ids = landmarks.owners.drop_duplicates("unit").set_index("unit")["id"]
    return labels(study, landmarks.rows["tenure"], landmarks.rows["log_revenue"]).set_index(
        landmarks.rows["unit"].map(ids)
    )


def of_features(study):
    landmarks = landmarks_of(study)
    ids = landmarks.owners.drop_duplicates("unit").set_index("unit")["id"]
    numbers = features_of(landmarks).numbers
    return labels(study, numbers["tenure"], numbers["log_revenue"]).set_index(landmarks.rows["unit"].map(ids))


@pytest.mark.parametrize(
    "of", [of_balance, of_who_answers, of_representativeness, of_adjusted_risk, of_landmarks, of_features]
)
def test_every_table_puts_a_person_into_the_same_groups(study, of):
    known = people_at_invitation(study, study.responses).set_index(study.responses["customer_id"])
    assert known[YEARS].loc[list(EXPECTED)].to_dict() == EXPECTED
    assert set(known[REVENUE]) == {*QUARTERS, "(not stated)"}
    found = of(study)
    assert len(found) > 100
    for name in (YEARS, REVENUE):
        pd.testing.assert_series_equal(found[name], known[name].loc[found.index], check_names=False, check_dtype=False)


def test_stages_of_life_and_tenure_are_of_the_same_months(study):
    answered = study.responses[study.responses["response_state"] == "answered"]
    tenure = people_at_invitation(study, answered)["tenure"]
    stage = lifetime_stages(study)
    assert (stage[tenure.isna()] == "(not stated)").all()
    assert ((stage == "months 1 to 3") == (tenure < 3)).all()
    assert ((stage == "after month 12") == (tenure >= 12)).all()


def test_the_base_of_representativeness_are_those_who_were_customers(study):
    base = set(of_representativeness(study).index)
    assert "joined a day later" not in base
    assert "joined years later" not in base
    assert {"joined on the day, at a later hour", "joined between the first invitation and the own"} <= base


def test_who_left_on_the_moment_has_left_and_who_joined_that_day_is_a_customer():
    moment = pd.Timestamp("2024-03-01 09:00")
    people = pd.DataFrame(
        {
            "started_at": pd.to_datetime(
                [None, "2024-03-01 23:00", "2024-03-02", "2020-01-01", "2020-01-01"], format="mixed"
            ),
            "churned_at": pd.to_datetime([None, None, None, "2024-03-01 09:00", "2024-03-01 09:01"], format="mixed"),
        }
    )
    assert was_customer(people, moment).tolist() == [True, True, False, False, True]
    tenure = tenure_in_months(people["started_at"], moment)
    assert tenure.isna().tolist() == [True, False, True, False, False]
    assert tenure[1] == 0


def test_quarters_are_of_all_customers_and_none_without_four_revenues():
    revenue = pd.Series([1.0, 2.0, 3.0, 4.0, 0.0, np.nan])
    assert bands_of(None, revenue)[REVENUE].tolist() == [*QUARTERS, "(not stated)", "(not stated)"]
    assert bands_of(None, revenue[:2], revenue)[REVENUE].tolist() == [*QUARTERS[:2]]
    assert REVENUE not in bands_of(None, pd.Series([1.0, 2.0, 3.0]))
