"""verify: the same report is the same, and whatever differs is named with its place and amount."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from typer.testing import CliRunner

from nps_research import ScoreDistribution, cli, compare_net_promoter_scores, net_promoter_score
from nps_research.errors import ReportError
from nps_research.report import Progress, Verification, make_report, runner, verify, verify_report
from nps_research.report.differences import Difference, compare_results
from nps_research.results.result import MIME_TYPE, Result
from tests.support.made_once import put_back
from tests.support.published import files_of
from tests.support.report_notebooks import code, notebook, stand_in_study, text, write_notebooks
from tests.support.run_here import run_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbformat import NotebookNode

COUNTS = {"a": [20] * 11, "b": [10] * 11}


def run_command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(arguments))
    return result.exit_code, result.output


SCORE = """
import nps_research as nps
study = nps.counting.without_small_waves(nps.open_study(study_folder, data=data_folder))
nps.net_promoter_score(nps.score_distribution(study, by="wave"), promoter_min=9, detractor_max=6)
"""


def test_command_from_report_to_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real study, real notebooks: untouched, with changed answers, with a notebook that fails."""
    monkeypatch.chdir(tmp_path)
    for module in (runner, verify):
        monkeypatch.setattr(module, "own_notebooks", lambda: tmp_path / "notebooks")
    write_notebooks(tmp_path / "notebooks", n01_score=notebook("The score", code(SCORE)))
    answers = [f"{wave},{row % 11}" for wave, n in (("first", 22), ("second", 33), ("tiny", 11)) for row in range(n)]
    table = Path("data") / "shop" / "answers.csv"
    table.parent.mkdir(parents=True)
    table.write_text("wave,score\n" + "\n".join(answers), encoding="utf-8")
    (table.parent / "study.toml").write_text(
        'name = "Shop"\n[responses]\nfile = "answers.csv"\n'
        'columns = { wave = "wave", likelihood_to_recommend = "score" }\n[settings]\nminimum_cell = 12\n',
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as here:
        here.setattr(runner, "run_notebooks", run_here)
        assert run_command("verify", "data/shop")[0] == 1
        assert run_command("report", "data/shop")[0] == 0
        before = files_of(tmp_path / "reports")
        exit_code, said = run_command("verify", "data/shop")
        assert exit_code == 0, said
        assert "values compared are the same." in said

        second, tiny = answers.index("second,0"), answers.index("tiny,0")
        answers[second], answers[tiny] = "second,10", "tiny,10"
        table.write_text("wave,score\n" + "\n".join(answers), encoding="utf-8")
        exit_code, said = run_command("verify", "data/shop")
        assert exit_code == 1
        assert "01_score, Net Promoter Score by wave" in said
        shown = [line.strip() for line in said.splitlines() if "estimate" in line]
        assert shown == [
            "key number: NPS, second, estimate: was -45.4545454545; now -39.3939393939; difference +6.06061",
            "second, estimate: was -45.4545454545; now -39.3939393939; difference +6.06061",
        ]
        assert "tiny" not in said
        assert "Changed since the report was made: data (" in said

    write_notebooks(tmp_path / "notebooks", n01_score=notebook("The score", code("1 / 0")))
    exit_code, said = run_command("verify", "data/shop", "--report", "reports/shop")
    assert exit_code == 2
    assert "Failed: The score. ZeroDivisionError" in said
    assert files_of(tmp_path / "reports") == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "notebooks", "reports"]


def score(**counts: list[int]) -> Result:
    return net_promoter_score(ScoreDistribution.from_counts(counts or COUNTS))


def run_what_is_said(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """From here on notebooks are not run; what each displays is said here."""
    said: list[Result] = [score()]

    def run(notebooks: Mapping[str, NotebookNode], *, progress: Callable[..., None], **_: Any) -> dict[str, None]:
        for name, node in notebooks.items():
            node.cells[-1].outputs = [
                nbformat.v4.new_output("display_data", data=nbformat.from_dict({MIME_TYPE: result.to_json()}))
                for result in said
            ]
            progress(Progress(notebook=name, cells_done=1, cells_total=1, seconds=0.0, state="made"))
        return dict.fromkeys(notebooks)

    monkeypatch.setattr(runner, "run_notebooks", run)

    def now_say(*results: Result) -> None:
        said[:] = results

    return now_say


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return run_what_is_said(monkeypatch)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of one notebook and one result."""
    folder = tmp_path_factory.mktemp("verify") / "place"
    write_notebooks(folder / "notebooks", n01_score=notebook("The score", text("## So it is"), code("score")))
    with pytest.MonkeyPatch.context() as patch:
        run_what_is_said(patch)
        make_report(stand_in_study(folder / "demo"), notebooks=folder / "notebooks", out=folder / "out")
    return folder


@pytest.fixture
def report(reported: Path, say: Callable[..., None]) -> Iterator[Path]:
    """The report in that folder, which may be changed."""
    with put_back(reported):
        yield reported / "out"


def verified(report: Path, **changes: Any) -> Verification:
    study = stand_in_study(report.parent / "demo", **changes)
    return verify_report(study, report=report, notebooks=report.parent / "notebooks")


def change_results(report: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = report / "results.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_untouched_report_is_the_same(report: Path) -> None:
    before = files_of(report)
    found = verified(report)
    assert (found.differences, found.files, found.made_from, found.exit_code) == ((), (), (), 0)
    bundle = json.loads((report / "results.json").read_text(encoding="utf-8"))["results"][0]["result"]
    in_result = 5 + len(bundle["settings"]) + sum(map(len, bundle["key_numbers"])) + sum(map(len, bundle["rows"]))
    assert found.n_values == 7 + in_result  # seven things are said of the study
    assert found.finding == f"All {found.n_values} values compared are the same."
    assert files_of(report) == before


def test_number_changed_by_hand(report: Path) -> None:
    def raise_score(content: dict[str, Any]) -> None:
        result = content["results"][0]["result"]
        result["rows"][1][result["columns"].index("estimate")] += 0.25

    change_results(report, raise_score)
    found = verified(report)
    (only,) = found.differences
    assert (only.place, only.amount) == ("01_score, Net Promoter Score", pytest.approx(-0.25))
    assert only.text == "b, estimate: was -45.2045454545; now -45.4545454545; difference -0.25"
    assert found.files == ("results.json was changed after the run",)
    assert found.finding.startswith("1 difference was found, although data, version, commit, lock, Python and seed are")
    assert found.exit_code == 1


def test_files_changed_by_hand(report: Path) -> None:
    with (report / "01_score.html").open("a", encoding="utf-8") as page:
        page.write("<p>and more</p>")
    table = report / "tables" / "01_score-net-promoter-score.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("a,", "z,"), encoding="utf-8")
    (report / "glossary.html").unlink()
    (report / "02_score.html").write_text("<p>mine</p>", encoding="utf-8")
    (report / ".DS_Store").touch()
    found = verified(report)
    assert found.files == (
        "01_score.html was changed after the run",
        "02_score.html was added after the run",
        "glossary.html was removed after the run",
        "tables/01_score-net-promoter-score.csv was changed after the run",
    )
    assert (found.differences, found.exit_code) == ((), 1)
    (report / "SHA256SUMS").unlink()
    assert verified(report).files == (
        "SHA256SUMS is missing or empty: whether files were changed after the run is not known",
    )


def test_page_that_comes_out_different(report: Path) -> None:
    """Its text was changed in the notebook; every value is the same."""
    write_notebooks(report.parent / "notebooks", n01_score=notebook("The score", text("## So it was"), code("score")))
    found = verified(report)
    assert found.files == (
        "01_score.html comes out different, though all values are the same",
        "notebooks/01_score.ipynb comes out different, though all values are the same",
    )
    assert found.exit_code == 1


def test_other_data_with_the_same_values_is_the_same(report: Path) -> None:
    found = verified(report, data_hash="f" * 64)
    assert (found.exit_code, found.files) == (0, ())
    assert found.finding.endswith("Changed since the report was made: data (0123456789ab to ffffffffffff).")


def test_what_is_new_and_what_is_gone(report: Path, say: Callable[..., None]) -> None:
    differences = compare_net_promoter_scores(ScoreDistribution.from_counts(COUNTS))
    say(score(a=COUNTS["a"], c=COUNTS["b"]), differences)
    found = verified(report).differences
    whole = [(each.place, each.text) for each in found if not each.column]
    assert ("01_score, Net Promoter Score", "b: was there; now not there") in whole
    assert ("01_score, Net Promoter Score", "c: was not there; now there") in whole
    assert (f"01_score, {differences.title}", "was not there; now there") in whole
    assert [each.column for each in found if each.row == "a"] == []


def test_notebook_that_is_gone(report: Path, say: Callable[..., None]) -> None:
    write_notebooks(report.parent / "notebooks", n02_more=notebook("More", code("more")))
    study = stand_in_study(report.parent / "demo")
    make_report(study, notebooks=report.parent / "notebooks", out=report)
    assert verified(report).exit_code == 0
    (report.parent / "notebooks" / "02_more.ipynb").unlink()
    found = verified(report).differences
    assert [(each.place, each.text) for each in found] == [
        ("02_more", "was there; now not there"),
        ("02_more, Net Promoter Score", "was there; now not there"),
    ]
    (report.parent / "notebooks" / "01_score.ipynb").unlink()
    with pytest.raises(ReportError, match="none of the notebooks of the report"):
        verified(report)


def test_notebook_the_report_left_out_is_not_asked_for(report: Path) -> None:
    write_notebooks(report.parent / "notebooks", n02_more=notebook("More", code("more")))
    assert verified(report).exit_code == 0


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda report: (report / "results.json").unlink(), "there is no report in"),
        (lambda report: (report / "results.json").write_text("{"), "is not JSON"),
        (lambda report: (report / "results.json").write_text("[]"), "of another version, or was changed"),
        (lambda report: change_results(report, lambda content: content.update(schema=2)), "of another version"),
        (lambda report: change_results(report, lambda content: content.update(made_by="me")), "of another version"),
        (lambda report: change_results(report, lambda content: content.pop("study")), "of another version"),
        (lambda report: change_results(report, lambda content: content["results"].append(1)), "of another version"),
        (
            lambda report: change_results(report, lambda content: content["results"][0]["result"]["rows"][0].pop()),
            "of another version",
        ),
    ],
)
def test_report_that_cannot_be_read(report: Path, harm: Callable[[Path], Any], words: str) -> None:
    harm(report)
    with pytest.raises(ReportError, match=words):
        verified(report)


def results(*bundles: dict[str, Any]) -> dict[str, Any]:
    """A results.json as far as it is compared."""
    made = [{"notebook": "01", "headline": False, "result": bundle} for bundle in bundles]
    return {"study": {"name": "S"}, "notebooks": [{"name": "01", "state": "made"}], "results": made}


def bundle(columns: list[str], *rows: list[Any], **texts: Any) -> dict[str, Any]:
    said = {"kind": "k", "title": "T", "finding": "", "note": "", "alt": "", "settings": {}, "key_numbers": []}
    return {**said, "columns": columns, "rows": list(rows), **texts}


@pytest.mark.parametrize(
    ("columns", "rows", "label"),
    [
        (["group", "n"], [["a", 1], ["b", 2]], "b"),
        (["group_a", "group_b", "n"], [["a", "b", 1], ["a", "c", 2]], "a; c"),
        (["term", "n"], [[0, 1], [1, 2]], "1"),
        (["term", "answer", "n"], [["a", "yes", 1], ["b", "yes", 2]], "b"),
        (["name", "n"], [["a", 1], ["a", 2]], "a (2)"),
        (["n"], [[1], [2]], "row (2)"),
    ],
)
def test_rows_are_named_by_what_tells_them_apart(columns: list[str], rows: list[list[Any]], label: str) -> None:
    was = results(bundle(columns, *rows))
    now = copy.deepcopy(was)
    now["results"][0]["result"]["rows"][1][-1] = 7
    expected = Difference(notebook="01", result="T", row=label, column="n", was=2, now=7)
    assert compare_results(was, now)[0] == [expected]
    assert expected.text == f"{label}, n: was 2; now 7; difference +5"


def test_two_results_of_one_title_are_told_apart() -> None:
    was = results(bundle(["group", "n"], ["a", 1]), bundle(["group", "n"], ["a", 2]))
    now = results(bundle(["group", "n"], ["a", 1]), bundle(["group", "n"], ["a", None]))
    (only,) = compare_results(was, now)[0]
    assert (only.place, only.text, only.amount) == ("01, T (2)", "a, n: was 2; now \N{EM DASH}", None)


def test_long_text_is_shown_from_shortly_before_it_parts() -> None:
    was = results(bundle(["n"], finding="x" * 200 + " rose by 3 points. " + "y" * 200))
    now = results(bundle(["n"], finding="x" * 200 + " rose by 4 points. " + "y" * 200))
    (only,) = compare_results(was, now)[0]
    before, after = only.text.removeprefix("finding: was ").split("; now ")
    assert before.startswith("\N{HORIZONTAL ELLIPSIS}xxxxxxxxxxx rose by 3 points.")
    assert after.startswith("\N{HORIZONTAL ELLIPSIS}xxxxxxxxxxx rose by 4 points.")
    assert max(len(before), len(after)) <= 81


def test_setting_and_headline_count() -> None:
    was = results(bundle(["n"], settings={"confidence_level": 0.95}))
    now = results(bundle(["n"], settings={"confidence_level": 0.9}))
    now["results"][0]["headline"] = True
    assert [(each.column, each.was, each.now) for each in compare_results(was, now)[0]] == [
        ("headline", False, True),
        ("confidence_level", 0.95, 0.9),
    ]
    assert compare_results(was, now)[0][0].amount is None


def test_results_of_a_notebook_that_fails_are_not_called_gone() -> None:
    was = results(bundle(["n"], [1]))
    now = results()
    now["notebooks"][0]["state"] = "failed"
    assert [each.text for each in compare_results(was, now)[0]] == ["state: was made; now failed"]
