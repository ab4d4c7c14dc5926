"""The reports on the real surveys."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from nps_research.report import ReportOutcome, make_report
from tests.support.browser import n_printed
from tests.support.made_once import made_once
from tests.support.published import PAGES, check_in_browser, findings_of, results_of
from tests.support.real_surveys import real_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.real

REAL = ("sfo-airport", "carpentries", "garden-centre")


def report_of(name: str) -> ReportOutcome:
    outcome: ReportOutcome = made_once(f"real-{name}", lambda folder: make_report(real_study(name), out=folder / name))
    return outcome


@pytest.fixture(scope="session", params=REAL)
def real_report(request: pytest.FixtureRequest) -> ReportOutcome:
    return report_of(request.param)


@pytest.fixture(scope="session")
def panel_report() -> ReportOutcome:
    return report_of("taps-panel")


def test_a_panel_without_scores_says_who_answers_and_who_leaves(browser: Browser, panel_report: ReportOutcome) -> None:
    assert [outcome.name for outcome in panel_report.made] == ["00_study", "04_nonresponse"]
    check_in_browser(browser, panel_report)
    results = [each["result"] for each in results_of(panel_report)["results"]]
    (attrition,) = [result for result in results if result["kind"] == "panel_attrition"]
    rows = [dict(zip(attrition["columns"], row, strict=True)) for row in attrition["rows"]]
    assert [(row["n"], round(row["estimate"], 3)) for row in rows] == [(1352, 0.137), (120, 0.317), (39, 0.436)]
    assert rows[1]["adjusted_hazard_ratio_conf_low"] > 1
    assert "Leaving a panel is itself seen as silence" in attrition["details"]
    assert "cannot be told apart" in attrition["details"]  # silence, and what never arrived
    assert "does not record the answer from 0 to 10" in findings_of(panel_report)
    page = (panel_report.out / "04_nonresponse.html").read_text(encoding="utf-8")
    assert "window" not in re.sub(r"<details class=.code.>.*?</details>", "", page, flags=re.DOTALL)  # none is recorded
    (listed,) = re.findall(r'aria-labelledby="open-questions">(.*?)</section>', page, re.DOTALL)
    assert listed.count("<li>") == 3
    assert "responses." not in listed
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert "Who stops answering for good" in headings
    assert "Other things equal" not in headings


def test_real_reports_in_a_browser(browser: Browser, real_report: ReportOutcome) -> None:
    assert not real_report.failed
    check_in_browser(browser, real_report)
    assert [n_printed(browser, real_report.out / "index.html", paper) for paper in ("A4", "Letter")] == [1, 1]


def test_real_reports_say_what_they_cannot_answer(real_report: ReportOutcome) -> None:
    findings = findings_of(real_report)
    assert "Who was silent is not known" in findings
    assert "Who could have answered is not known" in findings
    if real_report.out.name == "sfo-airport":
        assert "The NPS is +35.1 in 2018" in findings
        assert "Weighted and clustered, the change is −5.3, likely but not proven" in findings
        assert re.search(r"Weighted and clustered: 95% interval −10\.\d to \+0\.\d; p", findings)
        assert "With every answer alike, the change is −8.9" in findings
        assert "Boarding area" in json.dumps(results_of(real_report))
        not_made = ["02_thresholds", "04_nonresponse", "08_callbacks"]
        assert [outcome.name for outcome in real_report.not_made] == not_made
        assert "Code 32 is named most, by 3.7% of those who answered; no problem can be ranked" in findings
        assert "give them a label in study.toml" in json.dumps(results_of(real_report))
        assert "First place is open among 5 ratings: customers who rate Flight screens well score 28" in findings
        assert "In 2018, the NPS by Boarding area runs from +26.9 (area C) to +51.0 (area E)" in findings
        assert "From 2017 to 2018 weighted NPS fell by 5.3 points" in findings
        assert "From 2017 to 2018 unweighted NPS fell by 8.9 points" in findings
        assert "go with more promoters, most for Restaurants" in findings
        assert "go with fewer detractors, most for Flight screens" in findings
    else:
        assert "This study does not record the round of the survey" in findings
        assert "not dated: an association" in findings
    if real_report.out.name == "garden-centre":  # its one rating is of the visit as a whole
        assert [outcome.name for outcome in real_report.made] == list(PAGES[:3])
    if real_report.out.name == "carpentries":
        assert [outcome.name for outcome in real_report.made] == list(PAGES[:4])
        assert "Only Improved research productivity is above noise: customers who rate it well score 30" in findings
        assert "This rests on 60 outcomes of the rarer kind among 358 answers" in findings


def test_lines_of_a_real_survey_leave_no_few_answers_to_be_worked_out(real_report: ReportOutcome) -> None:
    of_lines = ("threshold_comparison", "calls_by_cut", "risk_by_score")  # no calls: no outcome here is dated
    results = [each["result"] for each in results_of(real_report)["results"] if each["result"]["kind"] in of_lines]
    for result in results:
        counts = next(name for name in ("n_below", "calls", "n") if name in result["columns"])
        n = [row[result["columns"].index(counts)] for row in result["rows"]]
        parts = n if result["kind"] == "risk_by_score" else [b - a for a, b in pairwise([0, *n])]
        assert all(part == 0 or part >= 10 for part in parts), result["title"]
    assert len(results) == {"sfo-airport": 0, "carpentries": 2, "garden-centre": 4}[real_report.out.name]
