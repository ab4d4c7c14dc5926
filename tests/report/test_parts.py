"""Reports on a part of a study: the command, where they go, what they say, and when they are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import ReportError
from nps_research.report import make_report, runner, verify_report
from nps_research.report.parts import part_folder, read_filters
from tests.support.report_notebooks import code, notebook, write_notebooks
from tests.support.run_here import run_here

HOSTILE = '../<img src=x onerror="alert(1)">\' {{ 7*7 }}'
OPEN = """
import nps_research as nps

study = nps.open_study(study_folder, data=data_folder).where(**where)
"""
SCORE = "nps.net_promoter_score(nps.score_distribution(study))"


def make_study(folder: Path, *, ireland: int = 20) -> Path:
    """A study of three regions: UK, a hostile one, and as many answers of IE as are wanted."""
    regions = ["UK"] * 40 + [HOSTILE] * 40 + ["IE"] * ireland
    rows = [f'p{k},{k % 11},"{region.replace(chr(34), chr(34) * 2)}"' for k, region in enumerate(regions)]
    folder.mkdir(parents=True)
    (folder / "answers.csv").write_text("\n".join(["id,nps,region", *rows]), encoding="utf-8")
    (folder / "study.toml").write_text(
        'name = "Northwind"\n[responses]\nfile = "answers.csv"\nseparator = ","\n'
        'columns = { respondent_id = "id", likelihood_to_recommend = "nps" }\n'
        '[responses.segments]\ncolumns = { Region = "region" }\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.console, "width", 200)
    monkeypatch.setattr(runner, "run_notebooks", run_here)  # a notebook's process is not told of parts
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(arguments))
    return result.exit_code, result.output


# Where it goes


@pytest.mark.parametrize(
    ("part", "folder"),
    [
        ({"Region": ("UK",)}, "demo--region-uk"),
        ({"Region": ("IE", "UK")}, "demo--region-ie-uk"),
        ({"Region": ("UK",), "wave": ("2024 Q1",)}, "demo--region-uk-wave-2024-q1"),
        ({"Регіон": ("Київ",)}, "demo--регіон-київ"),
    ],
)
def test_a_part_has_a_folder_of_its_own(part: dict, folder: str) -> None:
    assert part_folder("demo", part) == folder


def test_folders_of_hostile_or_long_values_are_plain_and_told_apart() -> None:
    values = ["../..", "/etc/passwd", "A+", "A-", "a\x00b", "..", "CON:", HOSTILE, "x" * 500, "x" * 501, "\n", "~"]
    names = [part_folder("demo", {"Region": (value,)}) for value in values]
    assert len(set(names)) == len(names)
    for name in names:
        assert Path(name).name == name
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert len(name) < 80
        assert name.startswith("demo--region")


@pytest.mark.parametrize("text", ["Region", "=UK", "Region=", "", "Region= "])
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ReportError, match="--where takes a column and its values"):
        read_filters([text])


def test_filters_are_read() -> None:
    assert read_filters(["Region=UK, IE", "wave=2024", "Region=FR"]) == {"Region": ["UK", "IE", "FR"], "wave": ["2024"]}
    assert read_filters(['City="London, UK",Leeds']) == {"City": ["London, UK", "Leeds"]}
    assert read_filters(["a=b=c"]) == {"a": ["b=c"]}


# What it says


def test_the_command_reports_on_a_part_and_verifies_it(here: Path) -> None:
    make_study(here / "data" / "north")
    arguments = ("data/north", "--where", "Region=UK")
    code_, said = run("report", *arguments, "--only", "00_study", "--only", "01_score")
    assert code_ == 0, said
    assert "Northwind (Region: UK): 40 of 100 accepted rows; 40 answers" in said
    assert "Report: reports/north--region-uk/index.html" in said
    out = here / "reports" / "north--region-uk"
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert content["study"]["part"] == {"Region": ["UK"]}
    assert content["study"]["name"] == "Northwind (Region: UK)"
    headline = next(each for each in content["results"] if each["headline"] and each["notebook"] == "01_score")
    uk = nps.open_study(here / "data" / "north").where(Region="UK")
    (number,) = headline["result"]["key_numbers"]
    assert number["estimate"] == pytest.approx(
        nps.net_promoter_score(nps.score_distribution(uk)).frame["estimate"].iloc[0]
    )
    for page in ("index.html", "01_score.html", "glossary.html"):
        footer = (out / page).read_text(encoding="utf-8").partition('<footer class="site">')[2]
        assert "<p>A part of the study: Region: UK</p>" in footer
    assert "where = {'Region': ['UK']}" in (out / "notebooks" / "01_score.ipynb").read_text(encoding="utf-8")
    code_, said = run("verify", *arguments)
    assert code_ == 0, said
    assert "values compared are the same" in said
    assert run("verify", "data/north")[0] == 1  # there is no report on the whole


def test_a_report_on_all_of_a_study_says_nothing_of_parts(here: Path) -> None:
    make_study(here / "data" / "north")
    notebooks = write_notebooks(here / "notebooks", n01_a=notebook("A", code(OPEN), code(SCORE, "headline")))
    make_report(nps.open_study(here / "data" / "north"), notebooks=notebooks, out=here / "out")
    assert "part" not in json.loads((here / "out" / "results.json").read_text(encoding="utf-8"))["study"]
    assert "A part of the study" not in (here / "out" / "01_a.html").read_text(encoding="utf-8")


def test_each_part_is_run_for_itself_and_none_is_taken_for_another(here: Path) -> None:
    folder = make_study(here / "data" / "north")
    notebooks = write_notebooks(here / "notebooks", n01_a=notebook("A", code(OPEN), code(SCORE, "headline")))
    study, states, news = nps.open_study(folder), [], []
    for part in (study.where(Region="UK"), study.where(Region="UK"), study.where(Region=["UK", "IE"]), study):
        made = make_report(part, notebooks=notebooks, out=here / "out", progress=news.append)
        table = next((made.out / "tables").glob("*.csv"))
        states.append((news[-1].state, int(pd.read_csv(table)["n"].iloc[0])))
    assert states == [("made", 40), ("unchanged", 40), ("made", 60), ("made", 100)]
    assert verify_report(study, report=here / "out", notebooks=notebooks).exit_code == 0
    assert verify_report(study.where(Region="UK"), report=here / "out", notebooks=notebooks).exit_code == 1


def test_hostile_values_stay_text(here: Path) -> None:
    folder = make_study(here / "data" / "north")
    notebooks = write_notebooks(here / "notebooks", n01_a=notebook("A", code(OPEN), code(SCORE, "headline")))
    part = nps.open_study(folder).where(Region=HOSTILE)
    made = make_report(part, notebooks=notebooks, out=here / part_folder("north", part.part))
    assert made.exit_code == 0
    assert made.out.parent == here
    for path in made.out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert "<img src=x" not in page
        assert "49" not in page.partition('<footer class="site">')[2].partition("Made from")[0]
    assert json.loads((made.out / "results.json").read_text(encoding="utf-8"))["study"]["part"] == {"Region": [HOSTILE]}


# When it is refused


def test_a_part_whose_rest_is_too_small_to_show_has_no_report(here: Path) -> None:
    folder = make_study(here / "data" / "north", ireland=9)
    notebooks = write_notebooks(here / "notebooks", n01_a=notebook("A", code(OPEN), code(SCORE, "headline")))
    study = nps.open_study(folder)
    with pytest.raises(ReportError, match="the rest of the study holds fewer than 10 answers"):
        make_report(study.where(Region=["UK", HOSTILE]), notebooks=notebooks, out=here / "out")
    assert not (here / "out").exists()
    everybody = study.where(Region=["UK", HOSTILE, "IE"])  # no rest, which nothing could be told of
    assert make_report(everybody, notebooks=notebooks, out=here / "out").exit_code == 0
    assert run("report", "data/north", "--where", f"Region=UK,{json.dumps(HOSTILE)[1:-1]}")[0] == 1


def test_a_notebook_that_would_open_all_of_the_study_is_refused(here: Path) -> None:
    folder = make_study(here / "data" / "north")
    whole = OPEN.replace(".where(**where)", "")
    for source in (whole, whole + "\nnote = 'where'", whole + "\n%matplotlib inline\n"):
        notebooks = write_notebooks(here / "notebooks", n01_a=notebook("A", code(source), code(SCORE, "headline")))
        with pytest.raises(ReportError, match=r"01_a would open all of the study: it needs .*\.where\(\*\*where\)"):
            make_report(nps.open_study(folder).where(Region="UK"), notebooks=notebooks, out=here / "out")


def test_chosen_rows_cannot_be_opened_again_and_have_no_report(here: Path) -> None:
    part = nps.open_study(make_study(here / "data" / "north")).where(lambda rows: rows["Region"] == "UK")
    with pytest.raises(ReportError, match="or a part of one by values"):
        make_report(part, out=here / "out")


def test_errors_of_the_filter_are_in_words(here: Path) -> None:
    make_study(here / "data" / "north")
    for wanted, says in (
        ("region=UK", "there is no column 'region': did you mean Region?"),
        ("Region=Uk", "no row has Region 'Uk': did you mean UK?"),
        ("respondent_id=p1", "respondent_id belongs to respondents"),
        ("Region", "--where takes a column and its values"),
    ):
        code_, said = run("report", "data/north", "--where", wanted)
        assert code_ == 1
        assert says in said
