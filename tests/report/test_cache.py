"""Unchanged notebooks are taken from the last report: the same bytes, and never where what they depend on differs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from email.message import Message
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nps_research.report import Progress, cache, make_report, runner
from tests.support.made_once import put_back
from tests.support.published import files_of
from tests.support.report_notebooks import DEFINE_RESULT, code, notebook, stand_in_study, text, write_notebooks
from tests.support.run_here import run_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nbformat import NotebookNode

UNCHANGED = {"01_one": "unchanged", "02_two": "unchanged"}
READS = """
import os
note = "it's mine"; margin = os.environ.get("MARGIN_FOR_TESTS")
more = open(f"{study_folder}/more.csv").read() + open(study_folder + '/extra.csv').read()
limits = open("../limits.csv").read()
"""


def states(study: Any, folder: Path, **options: Any) -> dict[str, str]:
    """Make the report on `study` in `folder` and say how each notebook ended."""
    last: dict[str, Progress] = {}

    def tell(news: Progress) -> None:
        last[news.notebook] = news

    make_report(study, notebooks=folder / "notebooks", out=folder / "out", progress=tell, **options)
    return {name: news.state for name, news in last.items()}


def test_same_bytes_with_and_without_the_last_report(tmp_path: Path) -> None:
    """With every kind of output that can be shared."""
    write_notebooks(
        tmp_path / "notebooks",
        n01_one=notebook(
            "Everything",
            code(DEFINE_RESULT),
            code("shown('Wave & wave <b>', groups=('<2017>', '2018'))", "headline"),
            text("## A heading"),
            code("print('\\x1b[31mred\\x1b[0m <b> & at', object())\nobject()"),
            code("pd.DataFrame({'a': [1, 2], '<b>': ['x & y', '<i>z</i>']})"),
            code(
                "from IPython.display import HTML, Markdown, display\nMarkdown('**bold** [x](https://a.example) $x$')"
            ),
            code("HTML('<table><tr><th></th><th>a</th></tr><tr><td>&amp;lt;</td><td>1</td></tr></table>')"),
            code("""
                import io
                import matplotlib.pyplot as plt
                plt.rcParams["svg.hashsalt"] = "fixed"
                for kind, mime in (("png", "image/png"), ("svg", "image/svg+xml")):
                    fig, ax = plt.subplots()
                    ax.plot([0, 1])
                    plt.close(fig)
                    drawn = io.BytesIO()
                    fig.savefig(drawn, format=kind)
                    content = drawn.getvalue() if kind == "png" else drawn.getvalue().decode()
                    from base64 import b64encode
                    data = {mime: b64encode(content).decode() if kind == "png" else content}
                    display(data, raw=True, metadata={mime: {"alt": 'A "line" & more'}})
            """),
        ),
    )
    study = stand_in_study(tmp_path / "demo")
    assert states(study, tmp_path) == {"01_one": "made"}
    shared, private = files_of(tmp_path / "out"), files_of(tmp_path / "out-private")
    assert shared["01_one.html"].count(b"<figure") == 3
    assert states(study, tmp_path) == {"01_one": "unchanged"}
    assert (files_of(tmp_path / "out"), files_of(tmp_path / "out-private")) == (shared, private)
    assert states(study, tmp_path, fresh=True) == {"01_one": "made"}
    assert (files_of(tmp_path / "out"), files_of(tmp_path / "out-private")) == (shared, private)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its report, which made again is unchanged."""
    folder = tmp_path_factory.mktemp("cache") / "place"
    write_notebooks(
        folder / "notebooks",
        n01_one=notebook("One", code("1")),
        n02_two=notebook("Two", code(READS + f"rates = '{folder}/rates.csv'")),
    )
    (folder / "notebooks" / "own.py").write_text("LEVEL = 0.9", encoding="utf-8")
    for name in ("limits.csv", "rates.csv"):
        (folder / name).write_text("0", encoding="utf-8")
    (folder / "demo").mkdir()
    for name in ("more.csv", "extra.csv", "README.md"):
        (folder / "demo" / name).write_text("0", encoding="utf-8")
    (folder / "package" / "report").mkdir(parents=True)
    (folder / "package" / "report" / "page.css").write_text("p {}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        run_nothing(patch, folder)
        study = stand_in_study(folder / "demo")
        assert set(states(study, folder).values()) == {"made"}
        assert states(study, folder) == UNCHANGED
    return folder


@pytest.fixture
def place(reported: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """That folder; notebooks are not run but given an output each."""
    run_nothing(monkeypatch, reported)
    with put_back(reported):
        yield reported


def run_nothing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def run(notebooks: Mapping[str, NotebookNode], *, progress: Callable[..., None], **_: Any) -> dict[str, None]:
        for name, node in notebooks.items():
            node.cells[-1].outputs = [nbformat.v4.new_output("stream", text=f"{name} was run, see RUN-{name}")]
            progress(Progress(notebook=name, cells_done=1, cells_total=1, seconds=0.0, state="made"))
        return dict.fromkeys(notebooks)

    monkeypatch.setattr(runner, "run_notebooks", run)
    monkeypatch.setattr(cache, "PACKAGE", folder / "package")
    install(monkeypatch, "3.0")


def install(monkeypatch: pytest.MonkeyPatch, pandas: str) -> None:
    """As if this version of pandas were all there is; reading what really is installed takes long."""
    about = Message()
    about["Name"], about["Version"] = "pandas", pandas
    monkeypatch.setattr(cache, "distributions", lambda: [SimpleNamespace(metadata=about)])


def made_from(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    before = cache.provenance
    monkeypatch.setattr(cache, "provenance", lambda study: replace(before(study), **changes))


def edit(*parts: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def append(place: Path, _: pytest.MonkeyPatch) -> None:
        with place.joinpath(*parts).open("a", encoding="utf-8") as file:
            file.write("1")

    return append


def retitle(place: Path, _: pytest.MonkeyPatch) -> None:
    write_notebooks(place / "notebooks", n01_one=notebook("Uno", code("1")))


def rewrite(place: Path, _: pytest.MonkeyPatch) -> None:
    write_notebooks(place / "notebooks", n01_one=notebook("One", code("2")))


BOTH, ONE, TWO = {"01_one", "02_two"}, {"01_one"}, {"02_two"}


@pytest.mark.parametrize(
    ("change", "run_again"),
    [
        pytest.param(rewrite, ONE, id="cell"),
        pytest.param(retitle, ONE, id="title"),
        pytest.param(edit("package", "report", "page.css"), BOTH, id="package"),
        pytest.param(edit("notebooks", "own.py"), BOTH, id="module beside the notebooks"),
        pytest.param(edit("demo", "more.csv"), TWO, id="file named after a folder"),
        pytest.param(edit("demo", "extra.csv"), TWO, id="file added to a folder"),
        pytest.param(edit("limits.csv"), TWO, id="file beside the notebooks' folder"),
        pytest.param(edit("rates.csv"), TWO, id="file named with all its folders"),
        pytest.param(lambda _, patch: patch.setenv("MARGIN_FOR_TESTS", "5"), TWO, id="variable it names"),
        pytest.param(lambda _, patch: made_from(patch, data="other"), BOTH, id="data"),
        pytest.param(lambda _, patch: made_from(patch, lock="other"), BOTH, id="lock"),
        pytest.param(lambda _, patch: made_from(patch, version="9"), BOTH, id="version"),
        pytest.param(lambda _, patch: made_from(patch, seed=1), BOTH, id="seed"),
        pytest.param(
            lambda _, patch: patch.setattr(cache.platform, "python_version", lambda: "3.99.0"), BOTH, id="Python"
        ),
        pytest.param(lambda _, patch: install(patch, "3.1"), BOTH, id="installed packages"),
        pytest.param(edit("demo", "README.md"), set(), id="file it does not name"),
        pytest.param(lambda _, patch: patch.setenv("OTHER_FOR_TESTS", "5"), set(), id="variable it does not name"),
        pytest.param(lambda _, patch: made_from(patch, commit="other"), set(), id="commit"),
        pytest.param(lambda place, _: (place / "out" / "01_one.html").unlink(), set(), id="page removed by hand"),
    ],
)
def test_what_changed_is_run_again_and_nothing_else(
    place: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, pytest.MonkeyPatch], Any], run_again: set[str]
) -> None:
    change(place, monkeypatch)
    last = states(stand_in_study(place / "demo"), place)
    assert {name for name, state in last.items() if state == "made"} == run_again
    assert (place / "out" / "01_one.html").is_file()


def test_another_folder_of_data_is_run_again(place: Path) -> None:
    shutil.copytree(place / "demo", place / "moved")
    assert set(states(stand_in_study(place / "moved"), place).values()) == {"made"}


def tamper(place: Path) -> None:
    path = place / "out" / "notebooks" / "01_one.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("was run", "was sunk"), encoding="utf-8")


def halve(place: Path) -> None:
    path = place / "out" / "notebooks" / "01_one.ipynb"
    path.write_bytes(path.read_bytes()[:200])


def record(content: str) -> Callable[[Path], None]:
    return lambda place: (place / "out-private" / "last_run.json").write_text(content, encoding="utf-8") and None


@pytest.mark.parametrize(
    "harm",
    [
        tamper,
        halve,
        lambda place: (place / "out" / "notebooks" / "01_one.ipynb").unlink(),
        lambda place: shutil.rmtree(place / "out"),
        lambda place: shutil.rmtree(place / "out-private"),
        record('{"01_one": '),
        record("[]"),
        record('{"01_one": {"made_from": "", "notebook": ""}}'),
    ],
    ids=["tampered", "half", "no notebook", "no report", "no private folder", "half a record", "a list", "blank"],
)
def test_harmed_report_is_not_used(place: Path, harm: Callable[[Path], Any]) -> None:
    before = files_of(place / "out")
    harm(place)
    assert states(stand_in_study(place / "demo"), place)["01_one"] == "made"
    assert files_of(place / "out") == before


def test_failed_notebook_is_run_again(place: Path) -> None:
    """Here one that ran to its end but showed too much."""
    write_notebooks(place / "notebooks", n01_one=notebook("One", code("3")))
    study = stand_in_study(place / "demo", private=frozenset({"RUN-01_one"}))
    assert states(study, place) == {"01_one": "failed", "02_two": "unchanged"}
    assert set(json.loads((place / "out-private" / "last_run.json").read_text(encoding="utf-8"))) == {"02_two"}
    assert states(study, place) == {"01_one": "failed", "02_two": "unchanged"}
    assert states(stand_in_study(place / "demo"), place) == {"01_one": "made", "02_two": "unchanged"}


def test_unchanged_notebook_is_looked_through_as_well(place: Path) -> None:
    study = stand_in_study(place / "demo", private=frozenset({"RUN-02_two"}))
    assert states(study, place) == {"01_one": "unchanged", "02_two": "failed"}
    assert b"RUN-02_two" not in (place / "out" / "02_two.html").read_bytes()


def test_only_some_and_the_last_report(place: Path) -> None:
    study = stand_in_study(place / "demo")
    assert states(study, place, only=["one"]) == {"01_one": "unchanged"}
    assert states(study, place) == {"01_one": "unchanged", "02_two": "made"}
    assert states(study, place, only=["one"], fresh=True) == {"01_one": "made"}
    assert states(study, place, jobs=1) == {"01_one": "unchanged", "02_two": "made"}


def test_lists_of_people_go_to_the_private_folder_and_stay_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "run_notebooks", run_here)
    listed = """
import pandas as pd
from nps_research.results.listing import Listing

people = pd.DataFrame({"who": [f"RESP-{48213}", "=1+1"]})
Listing.of_people(people, title="Who to call!", who="people", remark="", minimum_cell=1)
"""
    write_notebooks(
        tmp_path / "notebooks",
        n01_one=notebook("Lists", code(listed, "headline")),
        n02_two=notebook("None", code("1", "headline")),
    )
    study, kept = stand_in_study(tmp_path / "data" / "demo"), []
    for _ in range(2):
        last = states(study, tmp_path)
        (path,) = (tmp_path / "out-private" / "lists").rglob("*.csv")
        assert path.relative_to(tmp_path / "out-private").as_posix() == "lists/01_one/who-to-call.csv"
        kept.append(path.read_text(encoding="utf-8"))
    assert last == UNCHANGED
    assert kept == ["who\nRESP-48213\n'=1+1\n"] * 2
    assert not [name for name in files_of(tmp_path / "out") if "lists" in name]
    assert "RESP-48213" not in "".join(content.decode() for content in files_of(tmp_path / "out").values())
