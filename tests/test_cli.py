"""The nps-research command: what it says, what it writes, how it ends."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from nps_research import cli
from nps_research.report import NotebookOutcome, ReportOutcome, Verification
from nps_research.report.differences import Difference

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = "ID;How likely are you to recommend us?;Region;Comment\n" + "\n".join(
    f"p{row};{row % 11};{'North' if row % 2 else 'South'};fine {row}" for row in range(60)
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a console wide enough to read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.console, "width", 200)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(arguments))
    return result.exit_code, result.output


def test_init_check_and_report_of_an_export(here: Path) -> None:
    (here / "export.csv").write_text(EXPORT, encoding="utf-8")
    code, said = run("init", "export.csv")
    assert code == 0
    assert "data/export/study.toml" in said
    drafted = tomllib.loads((here / "data" / "export" / "study.toml").read_text(encoding="utf-8"))
    assert drafted["responses"]["columns"]["likelihood_to_recommend"] == "How likely are you to recommend us?"
    code, said = run("check", "data/export", "--data", ".")
    assert code == 0
    assert "60 rows came in: 60 are accepted, none is quarantined" in said
    assert "responses.likelihood_to_recommend" in said
    assert "fine 1" not in said
    code, said = run("report", "data/export", "--data", ".", "--only", "00_study")
    assert code == 0, said
    assert "Report: reports/export/index.html" in said
    assert (here / "reports" / "export" / "00_study.html").is_file()
    assert not (here / "reports" / "export" / "01_score.html").exists()
    assert (here / "reports" / "export-private").is_dir()
    code, said = run("report", "data/export", "--data", ".", "--only", "00_study")
    assert code == 0, said
    assert "00_study: unchanged, taken from the last run" in said


def test_demo_puts_the_made_up_company_into_a_new_folder(here: Path) -> None:
    code, said = run("demo", "company")
    assert code == 0
    assert "Made-up data in company. Next: nps-research report company" in said
    assert "made_up = true" in (here / "company" / "study.toml").read_text(encoding="utf-8")
    code, said = run("demo", "company")
    assert code == 1
    assert "company is there already and was left alone" in said


def test_init_leaves_a_study_alone(here: Path) -> None:
    (here / "export.csv").write_text(EXPORT, encoding="utf-8")
    assert run("init", "export.csv")[0] == 0
    path = here / "data" / "export" / "study.toml"
    path.write_text("mine", encoding="utf-8")
    code, said = run("init", "export.csv")
    assert code == 1
    assert "is there already; it was not touched" in said
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", ["check", "report"])
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            "1,9,03/04/2025\n2,8,05/06/2025\n",
            "none of the 2 rows of the responses is accepted; most often responded_at may",
        ),
        ("", "the responses have a header and no rows"),
    ],
)
def test_a_study_without_an_accepted_row_is_an_error(here: Path, command: str, rows: str, words: str) -> None:
    (here / "answers.csv").write_text("id,nps,when\n" + rows, encoding="utf-8")
    columns = '{ respondent_id = "id", likelihood_to_recommend = "nps", responded_at = "when" }'
    (here / "study.toml").write_text(
        f'name = "Made up"\n[responses]\nfile = "answers.csv"\ncolumns = {columns}\n', encoding="utf-8"
    )
    code, said = run(command, str(here))
    assert code == 1
    assert words in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "nowhere"), "There is no folder 'nowhere'"),
        (("report", "nowhere"), "There is no folder 'nowhere'"),
        (("init", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_errors_are_one_line_and_exit_code_1(here: Path, arguments: tuple[str, ...], words: str) -> None:
    code, said = run(*arguments)
    assert code == 1
    assert said.startswith("Error:")
    assert words in said
    assert "Traceback" not in said


def test_misspelt_column_is_named_with_the_nearest(here: Path) -> None:
    (here / "export.csv").write_text("ID,Score\na,9\n", encoding="utf-8")
    (here / "study.toml").write_text(
        'name = "x"\n[responses]\nfile = "export.csv"\ncolumns = { likelihood_to_recommend = "Scroe" }\n',
        encoding="utf-8",
    )
    code, said = run("check", ".")
    assert code == 1
    assert "there is no column 'Scroe' for likelihood_to_recommend: did you mean 'Score'?" in said


def test_studies_says_which_tables_are_here(here: Path) -> None:
    for name, has_table in (("a", True), ("b", False)):
        (here / "data" / name).mkdir(parents=True)
        (here / "data" / name / "study.toml").write_text(
            f'name = "Study {name}"\nmade_up = true\n[responses]\nfile = "t.csv"\n', encoding="utf-8"
        )
        if has_table:
            (here / "data" / name / "t.csv").write_text("x\n", encoding="utf-8")
    code, said = run("studies")
    assert code == 0
    lines = {line.split()[1]: line for line in said.splitlines() if "Study " in line and "made up" in line}
    assert "not here" not in lines["data/a"]
    assert "not here (name their folder with --data): t.csv" in lines["data/b"]


def test_failed_notebook_is_exit_code_2(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "t.csv").write_text("likelihood_to_recommend\n9\n", encoding="utf-8")
    (here / "study.toml").write_text('name = "x"\n[responses]\nfile = "t.csv"\n', encoding="utf-8")
    outcome = ReportOutcome(
        out=here / "out",
        private=here / "out-private",
        made=(),
        failed=(NotebookOutcome(name="01_score", title="The [score]", reason="EstimationError: no"),),
        not_made=(NotebookOutcome(name="02_x", title="Churn", reason="This study has no outcomes."),),
    )
    asked: dict[str, Any] = {}
    monkeypatch.setattr("nps_research.report.make_report", lambda *_, **options: asked.update(options) or outcome)
    assert run("report", ".")[0] == 2
    assert asked["fresh"] is False
    code, said = run("report", ".", "--fresh")
    assert code == 2
    assert asked["fresh"] is True
    assert "Failed: The [score]. EstimationError: no" in said
    assert "Not made: Churn. This study has no outcomes." in said


def test_verify_lists_the_first_differences_and_counts_the_rest(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "t.csv").write_text("likelihood_to_recommend\n9\n", encoding="utf-8")
    (here / "study.toml").write_text('name = "x"\n[responses]\nfile = "t.csv"\n', encoding="utf-8")
    differences = tuple(
        Difference(notebook="01_score", result=f"By [{row % 2}]", row=f"{row:02}", column="n", was=row, now=9)
        for row in range(0, 64, 2)
    )
    found = Verification(differences=differences, n_values=99, files=("a.html was changed",), made_from=(), failed=())
    monkeypatch.setattr("nps_research.report.verify_report", lambda *_, **__: found)
    code, said = run("verify", ".")
    assert code == 1
    first, place, *lines, more, last = said.splitlines()
    assert (first, place) == ("a.html was changed", "01_score, By [0]")
    assert lines == [f"  {row:02}, n: was {row}; now 9; difference {9 - row:+}" for row in range(0, 60, 2)]
    assert more == "  and 2 more"
    assert last.startswith("32 differences were found")
