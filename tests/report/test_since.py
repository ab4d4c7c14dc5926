"""What the first page says of the time since an earlier report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nps_research import open_study
from nps_research.errors import ReportError
from nps_research.report import make_report, read_earlier, runner, verify_report
from nps_research.report.harvest import HarvestedResult
from nps_research.report.since import Earlier, check_earlier, since_earlier
from tests.support.published import DEMO, files_of
from tests.support.report_notebooks import CANARY_EMAIL, code, notebook, stand_in_study, write_notebooks
from tests.support.run_here import run_here

SAID = {"happened": "The NPS is +40.4.", "improve": "Improve first: the bill."}


def earlier_report(folder: Path, *, n_answers: Any = 5_000, data: str = "old", **said: str) -> Path:
    """The results.json of an earlier report on the stand-in study."""
    content = {
        "made_by": "nps_research",
        "schema": 1,
        "study": {"name": "Northwind Tools", "period": "2017", "n_answers": n_answers},
        "made_from": {"data": data},
        "results": [{"result": {"at_a_glance": said or SAID}}],
    }
    place = folder / "results.json"
    place.write_text(json.dumps(content), encoding="utf-8")
    return place


def result_now(**said: str) -> HarvestedResult:
    bundle = {"kind": "trend", "at_a_glance": said}
    return HarvestedResult(notebook="01_score", position=1, name="score", headline=True, bundle=bundle)


def test_answers_that_changed_stand_beside_those_of_then(tmp_path: Path) -> None:
    study, earlier = stand_in_study(tmp_path / "demo"), read_earlier(earlier_report(tmp_path))
    now = result_now(happened="The NPS is +35.1.", improve=SAID["improve"], sure="49% answered.")
    found = since_earlier(earlier, study, "new", [now])
    assert found.news == "701 more answers: 5,701 now, 5,000 then."
    told = [(each.label, each.was, each.now) for each in found.changes]
    assert told == [("What happened", "The NPS is +40.4.", "The NPS is +35.1."), ("How sure", "", "49% answered.")]


def test_the_same_answers_are_one_sentence(tmp_path: Path) -> None:
    study, earlier = stand_in_study(tmp_path / "demo"), read_earlier(earlier_report(tmp_path, n_answers=5_701))
    same = since_earlier(earlier, study, "old", [result_now(**SAID)])
    assert same.news == "The data are the same as then. Nothing on this first screen has changed."
    assert not same.changes


@pytest.mark.parametrize("n_answers", [5_692, 5_701, 5_710])
def test_a_few_new_answers_are_not_told_of(tmp_path: Path, n_answers: int) -> None:
    study, earlier = stand_in_study(tmp_path / "demo"), read_earlier(earlier_report(tmp_path, n_answers=n_answers))
    found = since_earlier(earlier, study, "new", [result_now(happened="The NPS is +40.2.")])
    assert found.news == "Fewer than 10 answers more or less than then: what changed with them is not told."
    assert not found.changes


def test_no_earlier_report_is_said_in_words(tmp_path: Path) -> None:
    study = stand_in_study(tmp_path / "demo")
    with pytest.raises(ReportError, match="cannot be read"):
        read_earlier(tmp_path / "nowhere.json")
    for content in ("{", "[1]", "[" * 100_000, json.dumps({"made_by": "nps_research", "schema": 2})):
        (tmp_path / "other.json").write_text(content, encoding="utf-8")
        with pytest.raises(ReportError, match="is not the results"):
            read_earlier(tmp_path / "other.json")
    with pytest.raises(ReportError, match="is not the results"):
        read_earlier(earlier_report(tmp_path, n_answers=None))
    study.name = "Another"
    with pytest.raises(ReportError, match="another study"):
        check_earlier(read_earlier(earlier_report(tmp_path)), study)


def test_what_a_report_kept_is_read_back_and_refused_where_it_was_changed_by_hand(tmp_path: Path) -> None:
    kept = read_earlier(earlier_report(tmp_path))
    stated = json.loads(json.dumps(kept.to_json()))
    assert Earlier.from_json(stated) == kept
    for wrong in (1, {}, stated | {"said": [1]}, stated | {"said": {"happened": 1}}, stated | {"n_answers": "5"}):
        with pytest.raises(TypeError):
            Earlier.from_json(wrong)


def made(tmp_path: Path, earlier: Earlier | None) -> str:
    """The first page of a report on the stand-in study."""
    notebooks = write_notebooks(tmp_path / "notebooks", **{"01_x": notebook("X", code("1"))})
    study = stand_in_study(tmp_path / "data" / "demo")
    report = make_report(study, notebooks=notebooks, out=tmp_path / "reports" / "demo", since=earlier)
    assert verify_report(study, report=report.out, notebooks=notebooks).exit_code == 0
    return (report.out / "index.html").read_text(encoding="utf-8")


def test_the_first_page_says_it_and_verify_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_notebooks", run_here)
    hostile = f"<script>alert(1)</script> of {CANARY_EMAIL}"
    earlier = read_earlier(earlier_report(tmp_path, happened=hostile))
    page = made(tmp_path, earlier)
    assert "701 more answers: 5,701 now, 5,000 then." in page
    assert "No longer said: &lt;script&gt;alert(1)&lt;/script&gt; of [e-mail]" in page
    assert earlier.sha256 in page
    assert "701 more answers" not in made(tmp_path, None)


def test_the_demo_held_against_itself(demo_report: Any, tmp_path: Path) -> None:
    for folder in (demo_report.out, demo_report.private):
        shutil.copytree(folder, tmp_path / folder.name)
    out = tmp_path / "demo"
    make_report(open_study(DEMO), out=out, since=read_earlier(out))
    then, now = files_of(demo_report.out), files_of(out)
    assert {name for name in then if then[name] != now[name]} == {"index.html", "results.json", "SHA256SUMS"}
    assert "Nothing on this first screen has changed." in now["index.html"].decode()
