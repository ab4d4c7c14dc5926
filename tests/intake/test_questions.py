"""Which questions a study can answer: what is said is what the functions do."""

import dataclasses
import json
from operator import attrgetter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research import intake as overview
from nps_research.errors import CannotAnswerError
from nps_research.intake.questions import why_not
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.report import runner
from nps_research.report.notebooks import read_notebooks
from nps_research.study.needs import begins_with, refusal

LTR = "likelihood_to_recommend"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DEMO = Path(__file__).parents[2] / "data" / "demo"

ASKED = {  # each question as a notebook asks it, in little time
    "How many answer, and how many are silent?": nps.responding.response_funnel,
    "Do those who answer resemble the customers?": nps.responding.representativeness,
    "What is the score?": lambda study: nps.net_promoter_score(nps.score_distribution(study)),
    "Did it move from wave to wave?": lambda study: nps.trend(nps.score_distribution(study, by="wave")),
    "Which accounts are at risk?": nps.accounts.account_score,
    "Where do detractors end?": lambda study: nps.compare_thresholds(
        nps.outcome_by_score(study, outcome=nps.counting.yes_no_outcomes(study)[0]), n_resamples=100
    ),
    "What drives loyalty?": lambda study: nps.fit_drivers(study, n_resamples=20),
    "Is silence a sign of churn?": nps.nonresponse_signal,
    "Does silence tell more of who leaves than what is known?": lambda study: nps.silence.nonresponse_value(
        study, n_shuffles=1
    ),
    "What would the score be if all had answered?": nps.score_if_all_responded,
    "Who stops answering for good?": nps.responding.panel_attrition,
    "Did calling back help?": nps.callbacks.callback_effect,
    "Who would have come back without a call?": nps.callbacks.recovery_without_calls,
    "Are people called back in time?": nps.callbacks.callback_times,
    "Whose problem is it?": nps.problems.problem_owners,
    "Does it help to be called sooner?": nps.callbacks.queue_effect,
    "Which employees differ beyond luck?": nps.callbacks.employee_differences,
    "Which problems hurt, and how many customers?": nps.problems.pain_map,
    "Did a fix work?": nps.problems.fix_effect,
    "What do complaints hide?": nps.problems.complaints_against_survey,
    "What do comments say?": nps.problems.comment_shares,
}


def said(study):
    frame = overview.questions(study).frame
    return {row.term: row for row in frame.itertuples()}


def of_frame(columns=None, **options):
    return nps.Study.from_frames(responses=pd.DataFrame({LTR: [9]} if columns is None else columns), **options)


# What is said is so


@pytest.fixture(scope="module")
def company():
    return simulate_study(Truth(n_accounts=300), rng=np.random.default_rng(1))


def of_company(company, *, without=(), rows=slice(None), customers=True, **options):
    given = {"segments": ["region"], **options}
    table = company.customers.drop(columns=[name for name in without if name in company.customers])
    responses = company.responses.drop(columns=["comment", *(name for name in without if name in company.responses)])
    return nps.Study.from_frames(responses=responses.loc[rows], customers=table if customers else None, **given)


def a_panel(*, gone=20, people=120):
    """Waves of a panel in which nobody was asked to recommend: who returned the form, and no more."""
    waves = [str(year) for year in range(2019, 2025)]
    rows = [(f"p{k}", wave, int(k >= gone or wave < "2022")) for k in range(people) for wave in waves]
    return nps.Study.from_frames(responses=pd.DataFrame(rows, columns=["respondent_id", "wave", "responded"]))


def with_tables(company):
    """The company with its calls, complaints and codes of comments."""
    codes = sorted(company.tables["complaints"]["problem"].unique())
    problems = {code: {"label": code, "owner": "front line"} for code in codes}
    problems |= {"login_fails": {"fixed_on": "2024-12-16"}, "none": {"label": "none", "praise": True}}
    tables = {name: company.tables[name] for name in ("callbacks", "complaints", "hand_codes")}
    return nps.Study.from_frames(
        responses=company.responses, customers=company.customers, tables=tables, problems=problems, segments=["region"]
    )


STUDIES = {
    "with its tables": with_tables,
    "all that there is": lambda company: of_company(company, drivers=["delivery_on_time", "price_fairness"]),
    "not until when leavers were watched": lambda company: of_company(company, without=["observed_until"]),
    "one wave": lambda company: of_company(company, rows=company.responses["wave"] == company.responses["wave"].min()),
    "no customers": lambda company: of_company(company, customers=False, segments=[]),
    "answers alone": lambda _: of_frame({LTR: [9, 10, 3] * 20}),
    "every row an answer": lambda company: of_company(
        company, without=["delivered"], rows=company.responses[LTR].notna() & company.responses["responded_at"].notna()
    ),
    "everybody answered": lambda _: of_frame({LTR: [9, 3] * 30, "responded": [1] * 60, "wave": ["1", "2"] * 30}),
    "a panel without the question": lambda _: a_panel(),
    "a panel that nobody left": lambda _: a_panel(gone=0),
    "too few to model": lambda _: of_frame({LTR: [9, 3] * 5, "price": [1, 5] * 5}, drivers=["price"]),
    "nobody asked the question": lambda company: of_company(company, without=[LTR]),
    "amounts only": lambda _: of_frame(
        {LTR: [9, 3] * 30, "spent": range(60)},
        outcomes={"spent": {"table": "responses", "column": "spent", "kind": "amount", "direction": "good"}},
    ),
}


@pytest.fixture(scope="module")
def answered():
    """What was said of each study so far."""
    return {}


@pytest.mark.parametrize("name", STUDIES)
def test_every_yes_runs_and_every_no_refuses_with_that_sentence(company, answered, name):
    study = STUDIES[name](company)
    answers = answered[name] = said(study)
    assert set(answers) == set(ASKED)
    for question, row in answers.items():
        if row.answer == "yes":
            assert row.missing == ""
            assert ASKED[question](study).finding, question
        else:
            with pytest.raises(CannotAnswerError) as caught:
                ASKED[question](study)
            assert str(caught.value) == row.missing, question


def test_these_studies_try_both_sides_of_every_question(company, answered):
    found = {question: set() for question in ASKED}
    for name, make in STUDIES.items():
        for question, row in (answered.get(name) or said(make(company))).items():
            found[question].add(row.answer)
    assert {question for question, answers in found.items() if answers != {"yes", "no"}} == set()


def test_the_demo_answers_every_question_and_without_an_end_of_observation_says_which_not():
    study = nps.open_study(DEMO)
    assert {row.answer for row in said(study).values()} == {"yes"}
    blind = dataclasses.replace(
        study,
        customers=study.customers.drop(columns="observed_until"),
        available=study.available - {"customers.observed_until", "outcomes.churned", "outcomes"},
    )
    no = {question: row.missing for question, row in said(blind).items() if row.answer == "no"}
    assert set(no) == {
        "Where do detractors end?",
        "Is silence a sign of churn?",
        "Does silence tell more of who leaves than what is known?",
    }
    assert "customers.observed_until" in no["Is silence a sign of churn?"]


def test_scores_alone_answer_one_question_and_the_rest_say_what_is_missing():
    frame = overview.questions(of_frame()).frame
    assert frame.loc[frame["answer"] == "yes", "term"].tolist() == ["What is the score?"]
    assert (frame["missing"] == "").tolist() == (frame["answer"] == "yes").tolist()
    found = overview.questions(of_frame())
    assert found.finding == f"This study can answer 1 of the {len(frame)} questions."
    missing = "this study records neither who was reached nor who returned the form."
    asked = f"To answer “How many answer, and how many are silent?”, record more: {missing}"
    assert found.at_a_glance["ask"] == asked
    assert "responses." not in found.at_a_glance["ask"]  # a manager reads it: no names of columns


@pytest.mark.parametrize(
    ("columns", "question"),
    [
        ({"wave": ["1"]}, "Did it move from wave to wave?"),
        ({"responded": [1]}, "How many answer, and how many are silent?"),
        ({LTR: [9, None], "responded_at": ["2025-01-01", None]}, "How many answer, and how many are silent?"),
        ({"account_id": ["A"]}, "Which accounts are at risk?"),
    ],
)
def test_a_column_opens_its_question(columns, question):
    assert said(of_frame())[question].answer == "no"
    assert said(of_frame({LTR: [9], **columns}))[question].answer == "yes"


def test_an_export_of_answers_alone_does_not_tell_who_was_silent():
    study = of_frame({LTR: [9, 3], "responded_at": ["2025-01-01", "2025-01-02"]})
    assert "every row of this study is an answer" in said(study)["How many answer, and how many are silent?"].missing
    assert nps.score_distribution(study).response_rate is None


# The registry


def test_the_notebooks_name_functions_that_say_how_they_begin():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["nps_research"]
        assert about["questions"]
        named = [each["answered_by"] for each in about["questions"]]
        assert all(each["question"].endswith("?") for each in about["questions"])
        source = path.read_text(encoding="utf-8")
        for name in [*named, *filter(None, [about.get("answered_by")])]:
            assert why_not(name, of_frame()) == refusal(attrgetter(name)(nps), of_frame())
            assert name.rpartition(".")[2] in source.partition('"metadata": {\n  "kernelspec"')[0]  # it is asked there


def test_a_question_without_a_beginning_is_a_fault_of_ours():
    with pytest.raises(KeyError):
        refusal(len, of_frame())


def test_other_errors_than_a_refusal_are_not_hidden():
    @begins_with(lambda study: study / 0)
    def question(study):
        return study

    with pytest.raises(ZeroDivisionError):
        refusal(question, 1)


def test_a_page_is_not_made_where_the_function_that_answers_it_refuses():
    pages = {page.name: page for page in read_notebooks(NOTEBOOKS)}
    few = STUDIES["too few to model"](None)
    amounts = STUDIES["amounts only"](None)
    assert runner._why_not_made(few, pages["03_drivers"]) == said(few)["What drives loyalty?"].missing != ""
    assert "no outcome that is a yes or a no" in runner._why_not_made(amounts, pages["02_thresholds"])
    assert runner._why_not_made(amounts, pages["01_score"]) == ""
    assert runner._why_not_made(amounts, pages["00_study"]) == ""
