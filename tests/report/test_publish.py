"""Publishing: folders are swapped whole, what is not ours stays, and killed runs leave nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nps_research.errors import ReportError
from nps_research.report import publish
from nps_research.report.provenance import CHECKOUT
from nps_research.report.publish import PRIVATE_NOTE, check_place, private_folder, workspace, write_shared
from nps_research.results.csv_files import write_private

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from nps_research.report.publish import workspace
with workspace(Path(sys.argv[1])) as place:
    (place.shared / "index.html").write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def publish_text(out: Path, text: str) -> None:
    with workspace(out) as place:
        write_shared(place.shared, "results.json", b'{"made_by": "nps_research"}')
        write_shared(place.shared, "tables/a.csv", text.encode())
        write_private(place.private, PRIVATE_NOTE, "nps_research")
        write_private(place.private, "quarantine.csv", text)
        place.publish(out, private_folder(out))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("atomic", [True, False])
def test_folders_are_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atomic: bool) -> None:
    if not atomic:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    out = tmp_path / "deep" / "demo"
    publish_text(out, "first")
    (out / "old.html").write_text("old", encoding="utf-8")
    publish_text(out, "second")
    assert (out / "tables" / "a.csv").read_text(encoding="utf-8") == "second"
    assert (private_folder(out) / "quarantine.csv").read_text(encoding="utf-8") == "second"
    assert not (out / "old.html").exists()
    assert names(out.parent) == ["demo", "demo-private"]


@pytest.mark.skipif(sys.platform != "linux", reason="an exchange in one step is Linux's own")
def test_exchange_is_one_step(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert publish._exchange(tmp_path / "one", tmp_path / "two")
    assert (names(tmp_path / "one"), names(tmp_path / "two")) == (["two"], ["one"])
    assert not publish._exchange(tmp_path / "one", tmp_path / "absent")


def test_second_rename_failing_brings_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    out = tmp_path / "demo"
    out.mkdir()
    (out / "old.html").touch()
    with pytest.raises(FileNotFoundError):
        publish._swap(tmp_path / "absent", out)
    assert names(out) == ["old.html"]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "photos"
    other.mkdir()
    check_place(other)
    check_place(tmp_path / "absent")
    (other / "results.json").write_text('{"made_by": "somebody"}', encoding="utf-8")
    for private in (False, True):
        with pytest.raises(ReportError, match="not a report made here"):
            check_place(other, private=private)
    with pytest.raises(ReportError, match="not a report made here"):
        check_place(other / "results.json")
    publish_text(tmp_path / "demo", "x")
    check_place(tmp_path / "demo")
    check_place(tmp_path / "demo-private", private=True)


def test_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="nothing can be written to"), workspace(tmp_path / "file" / "demo"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_leftovers_of_killed_runs_go_and_running_ones_keep_the_place(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    command = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        (building,) = tmp_path.iterdir()
        with pytest.raises(ReportError, match="another run is making the report"), workspace(out):
            pass
        assert (building / "shared" / "index.html").exists()
        run.kill()
    assert building.exists()
    with workspace(out) as place:
        assert names(place.shared) == []
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_run_killed_between_two_renames_is_undone(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    left = tmp_path / ".demo.building"
    write_shared(left / "shared.old", "results.json", b"{}")
    with workspace(out):
        assert names(out) == ["results.json"]


def test_neighbours_with_similar_names_keep_their_workspaces(tmp_path: Path) -> None:
    with workspace(tmp_path / "demo") as one, workspace(tmp_path / "demo-two") as other:
        assert one.shared.exists()
        assert other.shared.exists()


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_where_the_report_cannot_be_swapped_the_private_folder_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool, before: bool
) -> None:
    out = tmp_path / "demo"
    if before:
        publish_text(out, "first")
    swap = publish._swap

    def busy(new: Path, place: Path) -> None:
        if place == out:
            raise OSError(16, "Device or resource busy")
        swap(new, place)

    monkeypatch.setattr(publish, "_swap", busy)
    if not exchange:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    with pytest.raises(ReportError, match="could not be written"):
        publish_text(out, "second")
    monkeypatch.undo()
    publish_text(tmp_path / "other", "third")
    kept = [path.read_text(encoding="utf-8") for path in tmp_path.glob("demo-private/quarantine.csv")]
    assert kept == (["first"] if before else [])
