import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from calibration.complaints import DAY, LABELS, complained_tables
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.problems.complaints import complaints_against_survey
from nps_research.results.words import MOST_WORDS
from nps_research.study.study import Study
from tests.problems.test_pain_map import demo


def study_of(rows, complaints, *, problems=LABELS, customers=None, **settings):
    return Study.from_frames(
        responses=rows,
        customers=customers,
        tables={"complaints": complaints},
        problems=problems,
        settings={"data_until": dt.date(2026, 12, 31), **settings},
    )


def by_term(result):
    return result.frame.set_index("term")


def displayed(result):
    json.dumps(result.to_json(), allow_nan=False)
    assert len(result.finding.split()) <= MOST_WORDS
    result.plot()
    return result._repr_mimebundle_()["text/html"]


def test_weights_undo_that_who_complained_answers_more():
    rows, complaints = complained_tables(rng=np.random.default_rng(1))
    frame = by_term(complaints_against_survey(study_of(rows, complaints)))
    complained = rows["respondent_id"].isin(complaints["customer_id"])
    answered = rows["responded"] == 1
    weight = np.where(complained, 1 / answered[complained].mean(), 1 / answered[~complained].mean())
    of = complaints.loc[complaints["problem"] == "loud", "customer_id"]
    has = answered & rows["problems"].fillna("").str.contains("loud")
    told = rows["respondent_id"].isin(of)
    assert frame.loc["Loud", "naive"] == pytest.approx(told[has].mean())
    assert frame.loc["Loud", "estimate"] == pytest.approx(np.average(told[has], weights=weight[has]))
    assert frame.loc["Loud", ["n", "events"]].tolist() == [has.sum(), (has & told).sum()]
    assert frame.loc["Loud", "complaints"] == len(of)


def test_planted_rates_are_covered_and_the_hidden_problem_is_found():
    covered, naive, hidden, falsely, runs = 0, 0.0, 0, 0, 60
    for seed in range(runs):
        frame = by_term(complaints_against_survey(study_of(*complained_tables(rng=np.random.default_rng(seed)))))
        covered += frame.loc["Loud", "conf_low"] <= 0.3 <= frame.loc["Loud", "conf_high"]
        naive += frame.loc["Loud", "naive"] / runs
        hidden += frame.loc["Big", "verdict"] == "shown"
        falsely += (frame.loc[["Loud", "Small"], "verdict"] == "shown").any()
    assert covered / runs >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / runs)
    assert naive > 0.36
    assert hidden / runs >= 0.9
    assert falsely / runs <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / runs)


def test_where_all_complain_alike_nothing_is_hidden():
    shown, runs = 0, 40
    for seed in range(runs):
        rows, complaints = complained_tables(rng=np.random.default_rng(seed), told=(0.1, 0.1, 0.1))
        shown += (complaints_against_survey(study_of(rows, complaints)).frame["verdict"] == "shown").any()
    assert shown / runs <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_made_up_company_hides_its_largest_problem():
    company = simulate_study(Truth(n_accounts=500), rng=np.random.default_rng(3))
    rows = company.responses.drop(columns="comment")
    labels = {code: {"label": of.label} for code, of in company.truth.problems.items()}
    study = study_of(
        rows, company.tables["complaints"], problems=labels, customers=company.customers, cluster="account_id"
    )
    result = complaints_against_survey(study)
    frame = by_term(result)
    assert frame.loc["Minimum order raised", "verdict"] == "shown"
    planted = pd.Series({of.label: of.told for of in company.truth.problems.values()})
    known = frame.dropna(subset=["estimate"])
    inside = known["conf_low"].le(planted[known.index]) & known["conf_high"].ge(planted[known.index])
    assert inside.mean() >= 0.8


def test_the_demo_is_compared_and_names_nobody():
    html = displayed(complaints_against_survey(demo()))
    assert not re.search(r"\b[CA]\d{4,5}\b", html)


def test_without_the_silent_nothing_is_corrected_and_that_is_said():
    rows, complaints = complained_tables(rng=np.random.default_rng(2), silence=False)
    result = complaints_against_survey(study_of(rows, complaints))
    assert not result.corrected
    assert "too high" in result.note
    frame = by_term(result)
    assert frame.loc["Loud", "estimate"] == pytest.approx(frame.loc["Loud", "naive"])


def test_complaints_count_in_the_window_alone():
    rows, complaints = complained_tables(rng=np.random.default_rng(2))
    late = complaints.assign(complained_at=complaints["complained_at"] - pd.Timedelta(days=200))
    both = pd.concat([complaints, late.head(20)], ignore_index=True)
    one, other = (complaints_against_survey(study_of(rows, each)).frame for each in (complaints, both))
    pd.testing.assert_frame_equal(one, other)
    after = complaints.assign(complained_at=DAY + pd.Timedelta(days=1))
    with pytest.raises(CannotAnswerError, match="No complaint is from the 90 days before"):
        complaints_against_survey(study_of(rows, after))
    with pytest.raises(EstimationError, match="window_days = 0"):
        complaints_against_survey(study_of(rows, complaints), window_days=0)


def test_few_with_a_problem_show_no_rate():
    rows, complaints = complained_tables(400, rng=np.random.default_rng(4), shares=(0.2, 0.02, 0.1))
    result = complaints_against_survey(study_of(rows, complaints))
    assert by_term(result).loc["Loud", "n"] < 10
    assert "Loud" not in result.shown["term"].tolist()


def test_complaints_of_people_who_are_no_customers_are_not_counted():
    rows, complaints = complained_tables(rng=np.random.default_rng(5))
    strangers = complaints.assign(customer_id="X" + complaints["customer_id"])
    customers = pd.DataFrame({"customer_id": rows["respondent_id"]})
    study = study_of(rows, pd.concat([complaints, strangers]), customers=customers)
    assert len(study.quarantine) == len(strangers)
    found = complaints_against_survey(study)
    plain = complaints_against_survey(study_of(rows, complaints, customers=customers))
    pd.testing.assert_frame_equal(found.frame, plain.frame)
    with pytest.raises(CannotAnswerError, match="does not record which customer"):
        complaints_against_survey(study_of(rows, strangers, customers=customers))


def test_what_is_missing_is_named():
    rows, complaints = complained_tables(rng=np.random.default_rng(6))
    with pytest.raises(CannotAnswerError, match=r"the problem, by its code \(complaints\.problem\)"):
        complaints_against_survey(study_of(rows, complaints.drop(columns="problem")))
    with pytest.raises(CannotAnswerError, match=r"problems\.problem"):
        complaints_against_survey(study_of(rows.drop(columns="problems"), complaints))
    with pytest.raises(CannotAnswerError, match=r"responses\.invited_at"):
        complaints_against_survey(study_of(rows.drop(columns="invited_at"), complaints))
