"""make_report from end to end: what is made, what fails, what is kept apart, and what is the same every time."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from nps_research.errors import ReportError
from nps_research.report import Progress, ReportOutcome, assemble, make_report, publish, runner
from nps_research.report.pages import Card
from nps_research.report.provenance import CHECKOUT
from nps_research.report.publish import private_folder, workspace
from tests.support.published import files_of
from tests.support.report_notebooks import (
    CANARY_COMMENT,
    CANARY_EMAIL,
    CANARY_ID,
    code,
    notebook,
    score_notebook,
    stand_in_study,
    write_notebooks,
)
from tests.support.run_here import run_here

if TYPE_CHECKING:
    from pathlib import Path


def unmakeable(folder: Path) -> Path:
    """Notebooks that no stand-in study can feed: a report of them needs no running."""
    return write_notebooks(folder, n01_churn=notebook("Who leaves", needs=("customers.churned_at",)))


def test_every_notebook_has_its_fate(mixed_report: ReportOutcome) -> None:
    assert [each.name for each in mixed_report.made] == ["01_score"]
    assert {each.name: each.reason for each in mixed_report.failed} == {
        "02_raises": "ValueError",
        "03_dies": "DeadKernelError: the notebook's Python process stopped before its end, perhaps for lack of memory",
        "05_blind": "ReportError: cell 3: a figure has no alternative text",
        "06_leaks": "ReportError: this page shows 3 values that belong to respondents; it was not published",
        "07_ours": "EstimationError: 2 answers are too few",
        "08_undrawn": "ValueError",
        "09_unregistered": "TypeError",
    }
    assert {each.name: each.reason for each in mixed_report.not_made} == {
        "04_churn": "The study has no customers.churned_at."
    }
    assert mixed_report.exit_code == 2


def test_the_folder_holds_what_was_made_and_nothing_else(mixed_report: ReportOutcome) -> None:
    pages = {f"{each.name}.html" for each in (*mixed_report.made, *mixed_report.failed)}
    assert set(files_of(mixed_report.out)) == pages | {
        "index.html",
        "glossary.html",
        "results.json",
        "SHA256SUMS",
        "notebooks/01_score.ipynb",
        "tables/01_score-nps-by-wave.csv",
        "tables/01_score-nps-by-wave--2.csv",
    }
    assert sorted(each.name for each in mixed_report.out.parent.iterdir()) == ["demo", "demo-private"]


def test_nothing_private_and_no_machine_path_is_shared(mixed_report: ReportOutcome) -> None:
    shared = b"".join(files_of(mixed_report.out).values()).decode()
    for canary in (CANARY_ID, CANARY_EMAIL, "yellow forklift", str(mixed_report.out.parents[1]), str(CHECKOUT)):
        assert canary not in shared
    assert "Traceback" not in shared
    assert "a warning" not in shared


def test_private_folder_is_for_its_owner_alone(mixed_report: ReportOutcome) -> None:
    private = mixed_report.private
    held = files_of(private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE((private / name).stat().st_mode) for name in held} == {0o600}
    assert held["quarantine.csv"] == b"line,reason,comment\n7,score is 11,'=HYPERLINK(1)\n"
    assert CANARY_EMAIL.encode() in held["errors/02_raises.txt"]
    assert "errors/01_score.txt" not in held


def test_the_private_folder_says_which_value_a_page_was_held_back_for(mixed_report: ReportOutcome) -> None:
    held_back = files_of(mixed_report.private)["errors/06_leaks.txt"].decode()
    assert held_back.startswith("this page shows 3 values that belong to respondents: each value, and where it stood")
    for canary in (CANARY_ID, CANARY_EMAIL, CANARY_COMMENT):
        assert repr(canary) in held_back
    assert "\n    06_leaks.html: ..." in held_back
    assert "\n    notebooks/06_leaks.ipynb: ..." in held_back


def test_parameters_name_only_the_study(mixed_report: ReportOutcome) -> None:
    shared = json.loads((mixed_report.out / "notebooks" / "01_score.ipynb").read_text(encoding="utf-8"))
    assert "".join(shared["cells"][1]["source"]) == "study_folder = 'demo'\ndata_folder = None\nwhere = {}"
    assert [cell["id"] for cell in shared["cells"]] == [f"cell-{k}" for k in range(1, len(shared["cells"]) + 1)]
    assert set(shared["metadata"]) == {"nps_research", "kernelspec", "language_info"}


def test_results_are_harvested(mixed_report: ReportOutcome) -> None:
    content = json.loads((mixed_report.out / "results.json").read_text(encoding="utf-8"))
    assert content["made_by"] == "nps_research"
    assert content["made_from"]["seed"] == 20261122
    assert [(each["notebook"], each["position"], each["name"], each["headline"]) for each in content["results"]] == [
        ("01_score", 1, "nps-by-wave", True),
        ("01_score", 2, "nps-by-wave--2", False),
    ]
    table = (mixed_report.out / "tables" / "01_score-nps-by-wave.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["group"], float(row["estimate"])) for row in rows] == [("2017", 40.4), ("2018", 35.1)]
    assert content["results"][0]["result"]["rows"][0][:3] == ["2017", 2870, 40.4]


def test_index_says_it_all_at_a_glance(mixed_report: ReportOutcome) -> None:
    index = (mixed_report.out / "index.html").read_text(encoding="utf-8")
    for part in (
        "NPS is +35.1 in 2018, and the fall of 5.3 points is not established.",
        "The study has no customers.churned_at.",
        'href="tables/01_score-nps-by-wave.csv"',
        'href="notebooks/01_score.ipynb"',
        'href="results.json"',
        'href="glossary.html"',
        "Made-up data",
    ):
        assert part in index


def test_failure_page_says_no_more_than_it_may(mixed_report: ReportOutcome) -> None:
    foreign = (mixed_report.out / "02_raises.html").read_text(encoding="utf-8")
    ours = (mixed_report.out / "07_ours.html").read_text(encoding="utf-8")
    assert "ValueError" in foreign
    assert "row 7" not in foreign
    assert "half of the way" not in foreign
    assert "2 answers are too few" in ours


def test_progress_ends_where_the_outcome_does(tmp_path: Path) -> None:
    notebooks = write_notebooks(
        tmp_path / "notebooks",
        n01_one=notebook("One", code("1"), code("2")),
        n02_leak=notebook("Leak", code("print('ann' + '@somewhere.example')"), code("3")),
    )
    news: list[Progress] = []
    outcome = make_report(
        stand_in_study(tmp_path / "demo"), notebooks=notebooks, out=tmp_path / "out", progress=news.append
    )
    last = {each.notebook: each for each in news}
    assert {name: each.state for name, each in last.items()} == {"01_one": "made", "02_leak": "failed"}
    assert [each.cells_done for each in news if each.notebook == "01_one"] == [0, 0, 1, 2, 3, 3]
    assert last["01_one"].cells_total == 3
    assert [each.name for each in outcome.failed] == ["02_leak"]


def test_kernel_is_this_python_and_knows_no_user_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise SystemExit('read')", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(startup / "00.py"))
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    notebooks = write_notebooks(
        tmp_path / "notebooks",
        n01_here=notebook(
            "Here",
            code("""
                import os, sys, hashlib
                print(hashlib.sha256(sys.executable.encode()).hexdigest())
                print(os.environ["OMP_NUM_THREADS"], os.environ["TZ"], os.environ["PYTHONHASHSEED"])
            """),
        ),
    )
    outcome = make_report(stand_in_study(tmp_path / "demo"), notebooks=notebooks, out=tmp_path / "out")
    from hashlib import sha256

    page = (outcome.out / "01_here.html").read_text(encoding="utf-8")
    assert sha256(sys.executable.encode()).hexdigest() in page
    assert "1 UTC 0" in page


RUN = """
import signal
import sys
from pathlib import Path
from nps_research.report import make_report
from tests.support.report_notebooks import stand_in_study
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
place = Path(sys.argv[1])
def tell(news):
    print(news.notebook, news.cells_done, news.state, flush=True)
make_report(stand_in_study(place / "demo"), notebooks=place / "notebooks", out=place / sys.argv[2], progress=tell)
"""


def start(place: Path, out: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(place), out]
    return subprocess.Popen(
        command, cwd=CHECKOUT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.whole
def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    whole = score_notebook()
    whole["cells"].append(code("print({'north', 'south', 'east', 'west', 'up', 'down'})\nobject()"))
    write_notebooks(tmp_path / "notebooks", n01_score=whole)
    here = start(tmp_path, "one", PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C", OMP_NUM_THREADS="2")
    there = start(tmp_path, "two", PYTHONHASHSEED="2", TZ="America/Lima", LC_ALL="C.UTF-8", OMP_NUM_THREADS="1")
    for run in (here, there):
        _, said = run.communicate()
        assert run.returncode == 0, said
    first, second = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert first == second
    page = first["01_score.html"].partition(b"<main")[2]
    assert b"north" in page
    assert b" at 0x" not in page


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_leaves_the_old_report_and_no_process(tmp_path: Path) -> None:
    make_report(stand_in_study(tmp_path / "demo"), notebooks=unmakeable(tmp_path / "old"), out=tmp_path / "out")
    before = files_of(tmp_path / "out")
    write_notebooks(
        tmp_path / "notebooks",
        n01_waits=notebook(
            "Waits",
            code("import os\nopen(study_folder + '/pid', 'w').write(str(os.getpid()))"),
            code("import threading\nthreading.Event().wait()"),
        ),
    )
    run = start(tmp_path, "out")
    assert run.stdout is not None
    for line in run.stdout:
        if line.split() == ["01_waits", "2", "running"]:
            run.send_signal(signal.SIGINT)
    _, said = run.communicate()
    assert "KeyboardInterrupt" in said
    assert run.returncode != 0
    assert files_of(tmp_path / "out") == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["demo", "notebooks", "old", "out", "out-private"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "demo" / "pid").read_text()), 0)


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_stopped_while_writing_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    study, notebooks, out = stand_in_study(tmp_path / "demo"), unmakeable(tmp_path / "notebooks"), tmp_path / "out"
    make_report(study, notebooks=notebooks, out=out)
    before, beside = files_of(out), sorted(tmp_path.iterdir())
    study.name = "Another"
    write = publish.write_shared

    def stopped(folder: Path, name: str, content: str) -> None:
        if name == "results.json":
            raise stop
        write(folder, name, content)

    monkeypatch.setattr(assemble, "write_shared", stopped)
    expected: Any = ReportError if isinstance(stop, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        make_report(study, notebooks=notebooks, out=out)
    assert files_of(out) == before
    assert sorted(tmp_path.iterdir()) == beside
    monkeypatch.undo()
    make_report(study, notebooks=notebooks, out=out)
    assert b"Another" in files_of(out)["index.html"]


def test_pages_of_an_earlier_run_are_gone(tmp_path: Path) -> None:
    study, out = stand_in_study(tmp_path / "demo"), tmp_path / "out"
    write_notebooks(tmp_path / "first", n01_a=notebook("A", code("1")))
    make_report(study, notebooks=tmp_path / "first", out=out)
    write_notebooks(tmp_path / "second", n01_a=notebook("A", code("1 / 0")))
    assert (out / "notebooks" / "01_a.ipynb").exists()
    assert make_report(study, notebooks=tmp_path / "second", out=out).exit_code == 2
    assert set(files_of(out)) == {"01_a.html", "index.html", "glossary.html", "results.json", "SHA256SUMS"}


def test_all_results_as_a_workbook_where_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_notebooks", run_here)
    notebooks, out = write_notebooks(tmp_path / "notebooks", n01_a=notebook("A", code("1"))), tmp_path / "out"
    study = stand_in_study(tmp_path / "demo")
    make_report(study, notebooks=notebooks, out=out, workbook=True)
    made = files_of(out)
    assert b'href="results.xlsx"' in made["index.html"]
    assert f"{sha256(made['results.xlsx']).hexdigest()}  results.xlsx" in made["SHA256SUMS"].decode()
    make_report(study, notebooks=notebooks, out=out)
    assert "results.xlsx" not in files_of(out)


def test_page_that_names_a_folder_of_this_machine_is_not_published(tmp_path: Path) -> None:
    notebooks = write_notebooks(tmp_path / "notebooks", n01_a=notebook("A", code("print(study_folder)")))
    outcome = make_report(stand_in_study(tmp_path / "demo"), notebooks=notebooks, out=tmp_path / "out")
    assert [each.reason for each in outcome.failed] == [
        "ReportError: this page names a folder of the machine it was made on; it was not published"
    ]
    assert str(tmp_path).encode() not in b"".join(files_of(outcome.out).values())


def test_index_is_looked_through_as_well(tmp_path: Path) -> None:
    card = Card(name="01_a", title="A", question="", state="failed", reason=CANARY_COMMENT)
    part = assemble.Part(card=card, files={})
    with (
        workspace(tmp_path / "out") as place,
        pytest.raises(ReportError, match=r"index\.html would show 1 of them and results\.json would show 1 of them"),
    ):
        assemble.write_report(stand_in_study(tmp_path / "demo"), [part], place)


def test_refused_report_tells_the_private_folder_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, study = tmp_path / "out", stand_in_study(tmp_path / "demo")
    notebooks = unmakeable(tmp_path / "notebooks")
    make_report(study, notebooks=notebooks, out=out)
    before, private = files_of(out), private_folder(out)
    kept = files_of(private)
    assemble_all = assemble.assemble

    def with_comment(*args: Any) -> list[assemble.Part]:
        return [replace(each, card=replace(each.card, reason=CANARY_COMMENT)) for each in assemble_all(*args)]

    monkeypatch.setattr("nps_research.report.runner.assemble", with_comment)
    for place in (out, tmp_path / "first"):
        with pytest.raises(ReportError, match=r"errors/report\.txt says which, and where") as refused:
            make_report(study, notebooks=notebooks, out=place)
        assert CANARY_COMMENT not in str(refused.value)
        told = (private_folder(place) / "errors/report.txt").read_text(encoding="utf-8")
        assert f"{CANARY_COMMENT!r}\n    index.html: ... " in told
        assert "\n    results.json: ... " in told
    assert files_of(out) == before
    assert {name: each for name, each in files_of(private).items() if name != "errors/report.txt"} == kept
    assert not (tmp_path / "first").exists()
    monkeypatch.undo()
    make_report(study, notebooks=notebooks, out=out)
    assert not (private / "errors/report.txt").exists()


def test_reports_can_be_made_where_a_loop_is_running(tmp_path: Path) -> None:
    async def in_jupyter() -> ReportOutcome:
        return make_report(
            stand_in_study(tmp_path / "demo"), notebooks=unmakeable(tmp_path / "notebooks"), out=tmp_path / "out"
        )

    # in a thread of its own: the browser of other tests may keep a loop running in this one
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert len(thread.submit(lambda: asyncio.run(in_jupyter())).result().not_made) == 1


def test_private_values_in_a_reason_are_not_published(tmp_path: Path) -> None:
    study = stand_in_study(tmp_path / "demo", lacks=frozenset({"customers.churned_at", CANARY_COMMENT}))
    notebooks = write_notebooks(tmp_path / "notebooks", n01_a=notebook("A", needs=(CANARY_COMMENT,)))
    outcome = make_report(study, notebooks=notebooks, out=tmp_path / "out")
    assert CANARY_COMMENT.encode() not in b"".join(files_of(tmp_path / "out").values())
    assert [each.name for each in outcome.failed] == ["01_a"]


@pytest.mark.parametrize(
    ("only", "names"),
    [(["score"], ["01_score"]), (["02"], ["02_churn"]), (["01_score", "churn"], ["01_score", "02_churn"])],
)
def test_only_some(tmp_path: Path, only: list[str], names: list[str]) -> None:
    needs = ("customers.churned_at",)
    notebooks = write_notebooks(
        tmp_path / "notebooks", n01_score=notebook("S", needs=needs), n02_churn=notebook("C", needs=needs)
    )
    outcome = make_report(stand_in_study(tmp_path / "demo"), notebooks=notebooks, out=tmp_path / "out", only=only)
    assert [each.name for each in outcome.not_made] == names
    assert outcome.exit_code == 0


def test_bad_calls_say_what_is_wrong(tmp_path: Path) -> None:
    study, out = stand_in_study(tmp_path / "demo"), tmp_path / "out"
    notebooks = unmakeable(tmp_path / "notebooks")
    with pytest.raises(ReportError, match="did you mean 'churn'"):
        make_report(study, notebooks=notebooks, out=out, only=["chrun"])
    with pytest.raises(ReportError, match="no notebooks in"):
        make_report(study, notebooks=tmp_path / "demo", out=out)
    with pytest.raises(ReportError, match="opened from its folder"):
        make_report(stand_in_study(tmp_path / "demo").__class__(folder=None), notebooks=notebooks, out=out)
    untitled = notebook("")
    write_notebooks(tmp_path / "untitled", n01_a=untitled)
    with pytest.raises(ReportError, match=r"01_a\.ipynb has no title"):
        make_report(study, notebooks=tmp_path / "untitled", out=out)
    bare = notebook("A")
    bare["cells"].pop(1)
    write_notebooks(tmp_path / "bare", n01_a=bare)
    with pytest.raises(ReportError, match="tagged 'parameters'"):
        make_report(study, notebooks=tmp_path / "bare", out=out)
    (tmp_path / "bare" / "01_a.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(ReportError, match="not a notebook that can be read"):
        make_report(study, notebooks=tmp_path / "bare", out=out)
    assert not out.exists()
