"""The README's three made-up exports: taken in by the commands it shows, with the one edit it names."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.made_up.exports import write_exports
from nps_research.report import make_report
from tests.support.made_once import made_once
from tests.support.published import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCORE = {
    "shop": "Q1",
    "supplier": "NPS Score",
    "bank": "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen? (0-10)",
}
PAGES = {
    "shop": ["00_study", "01_score", "02_thresholds", "03_drivers"],
    "bank": ["00_study", "01_score", "03_drivers"],
    "supplier": ["00_study", "01_score", "02_thresholds", "03_drivers", "04_nonresponse"],
}


def taken_in(folder: Path) -> dict[str, Path]:
    """Follow the README: write the exports, draft each study, state until when leaving was seen."""
    write_exports(folder / "exports")
    studies = {}
    for command in re.findall(r"^\.venv/bin/(nps-research init .*--out data/.*)$", README, re.MULTILINE):
        words = [word.replace("../exports", str(folder / "exports")) for word in shlex.split(command)[1:]]
        name = Path(words[-1]).name
        studies[name] = folder / "data" / name
        said = CliRunner().invoke(cli.app, [*words[:-1], str(studies[name])])
        assert said.exit_code == 0, said.output
        toml = studies[name] / "study.toml"
        drafted = toml.read_text(encoding="utf-8")
        edited = re.sub(r"^# observed_until = .*$", "observed_until = 2025-09-30", drafted, flags=re.MULTILINE)
        assert (edited != drafted) == ("until which day" in said.output.lower())
        toml.write_text(edited, encoding="utf-8")
    return studies


@pytest.fixture(params=list(SCORE))
def study(request) -> tuple[str, nps.Study]:
    place = made_once("made-up-exports", lambda folder: taken_in(folder))[request.param]
    return request.param, nps.open_study(place, data=place.parents[1] / "exports")


def answers_in(name: str, folder: Path) -> pd.Series:
    """The score's column, read without our reader."""
    if name == "bank":
        table = pd.read_excel(
            folder / "Bank Kundenbefragung 2024.xlsx", sheet_name="Daten", header=2, engine="openpyxl"
        )
    elif name == "shop":
        table = pd.read_csv(folder / "Shop NPS_November 30, 2025.csv", skiprows=[1, 2])
        table = table[table["Status"] == "IP Address"]
    else:
        table = pd.read_csv(folder / "nps_invitations.csv")
    return table[SCORE[name]].dropna()


def test_the_score_is_that_of_the_file(study):
    name, opened = study
    found = nps.net_promoter_score(nps.score_distribution(opened)).frame.iloc[0]
    answers = answers_in(name, opened.data_folder)
    assert found["n"] == len(answers)
    assert found["estimate"] == pytest.approx(100 * ((answers >= 9).mean() - (answers <= 6).mean()))
    assert opened.name == f"A made-up {name}"
    assert not opened.warnings
    assert not len(opened.quarantine)


def test_what_they_can_feed_is_answered(study):
    name, opened = study
    answered = nps.intake.questions(opened).frame["answer"].eq("yes").sum()
    assert answered == {"shop": 5, "bank": 3, "supplier": 11}[name]
    assert len(opened.waves) == {"shop": 4, "bank": 2, "supplier": 4}[name]
    assert len(opened.drivers) == {"shop": 12, "bank": 6, "supplier": 12}[name]


def test_where_detractors_end_is_found_where_it_is_planted(study):
    name, opened = study
    if name == "bank":
        assert not opened.can_answer("outcomes.churned")
        return
    found = nps.compare_thresholds(nps.outcome_by_score(opened), rng=np.random.default_rng(1))
    assert (found.verdict, found.best_cut) == ("move", 3)


def test_bounces_are_not_reached(study):
    name, opened = study
    states = opened.responses["response_state"].value_counts()
    assert (states.get("not_reached", 0) > 0) == (name == "supplier")


@pytest.mark.whole
def test_reports_are_made_of_all_three(study, tmp_path):
    name, opened = study
    made = make_report(opened, out=tmp_path / name)
    assert not made.failed
    assert [page.name for page in made.made] == PAGES[name]
