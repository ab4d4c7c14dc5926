"""Accidents while a report is made, each one made to happen: the last report stays whole, and the next run heals.

The runs are real commands in processes of their own, with small notebooks in the place of the checkout's.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nps_research.errors import ReportError
from nps_research.report import publish
from nps_research.report.publish import private_folder, workspace
from tests.support.report_command import NEW_NAME, Place, forks, gone, mount_small_disk, obey_permissions
from tests.support.report_notebooks import code, notebook, write_notebooks

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the faults are made with the means of Linux")

STOPPED = "Stopped. Nothing is left half made.\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Processes that are stopped


@pytest.mark.whole
def test_a_killed_kernel_fails_its_notebook_alone(place: Place) -> None:
    run = place.with_report().start("slow")
    os.kill(place.kernel(), signal.SIGKILL)
    assert run.ends() == 2
    assert "Failed: Waits. DeadKernelError: the notebook's Python process stopped before its end" in run.shown
    assert "Not made: Who leaves." in run.shown
    assert "DeadKernelError" in place.files()["out/01_waits.html"].decode()
    place.assert_heals()
    assert "out/01_waits.html" not in place.files()


@pytest.mark.whole
@pytest.mark.parametrize(("stop", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_a_notebook_runs(place: Place, stop: int, exit_code: int) -> None:
    """To the whole group of processes, as the terminal does it on Ctrl-C; the kernel is in a group of its own."""
    run = place.with_report().start("slow")
    kernel = place.kernel()
    os.killpg(run.pid, stop)
    assert run.ends() == exit_code
    assert run.errors == STOPPED
    assert gone(kernel)
    place.assert_as_before()
    place.assert_heals()


def stop_in_swap(stop: int) -> None:
    swap = publish._swap

    def swapped(new: Path, place: Path) -> None:
        swap(new, place)
        os.kill(os.getpid(), stop)

    publish._swap = swapped


@pytest.mark.parametrize(("stop", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_between_the_two_swaps_makes_both_first(place: Place, stop: int, exit_code: int) -> None:
    run = place.with_report().start(fault=partial(stop_in_swap, stop))
    assert run.ends() == exit_code
    assert run.errors == STOPPED
    made = place.files()
    assert NEW_NAME.encode() in made["out/index.html"]
    place.assert_heals()
    assert place.files() == made


@pytest.mark.whole
def test_a_killed_run_leaves_the_last_report_and_its_lock_is_in_nobodys_way(place: Place) -> None:
    run = place.with_report().start("slow")
    kernel = place.kernel()
    os.kill(run.pid, signal.SIGKILL)
    assert run.ends() == -signal.SIGKILL
    assert place.files() == place.before
    assert place.beside() == [".out.building", "out", "out-private"]
    assert gone(kernel)
    place.assert_heals()


def test_killed_between_the_two_swaps(place: Place) -> None:
    """Then the private folder is the new one and the report the old one, each whole."""
    run = place.with_report().start(fault=partial(stop_in_swap, signal.SIGKILL))
    assert run.ends() == -signal.SIGKILL
    assert place.files(shared=True).items() <= place.before.items()
    assert set(place.files()) == set(place.before)
    place.assert_heals()


def kill_between_renames() -> None:
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        if target.name == "shared.old":
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

    publish._exchange = lambda one, other: False
    Path.rename = renamed  # type: ignore[method-assign]


def test_killed_between_renames_where_folders_cannot_be_exchanged(place: Place) -> None:
    """Then the report is gone from its place until the next run, which puts it back first."""
    run = place.with_report().start(fault=kill_between_renames)
    assert run.ends() == -signal.SIGKILL
    assert not place.out.exists()
    with workspace(place.out):
        old = place.files(shared=True)
        assert old
        assert old.items() <= place.before.items()
    place.assert_heals()


# Disks that are full, folders that may not be written to


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    ("notebooks", "size"), [("quick", 2_000), ("quick", 13_000), ("slow", 200)], ids=["index", "glossary", "kernel"]
)
def test_a_file_that_cannot_grow(place: Place, notebooks: str, size: int) -> None:
    """A limit on the size of files, met by the first file of the report, by a later one, or before a kernel runs."""
    run = place.with_report().start(notebooks, fault=partial(limit_files, size))
    assert run.ends() == 1
    assert run.errors == f"Error: the report could not be written to {place.out}: File too large\n"
    place.assert_as_before()
    place.assert_heals()


def on_a_small_disk(folder: Path) -> None:
    """Exit code 77 where no disk can be mounted, which is seen in this process alone."""
    place = Place(folder)
    if not mount_small_disk(place.out.parent):
        raise SystemExit(77)
    place.with_report()
    for left in (0, 4_096, 40_960):  # bytes free: for nothing, for the lock, for some of the pages
        filler = place.out.parent / "filler"
        disk = os.statvfs(place.out.parent)
        filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize - left))
        with pytest.raises(ReportError, match=r"written to .*: No space left on device$"):
            place.report()
        filler.unlink()
        place.assert_as_before()
    place.assert_heals()


def test_a_full_disk(tmp_path: Path) -> None:
    process = forks.Process(target=on_a_small_disk, args=(tmp_path,))
    process.start()
    process.join(100)
    if process.exitcode == 77:
        pytest.skip("no small disk can be mounted here")
    assert process.exitcode == 0


def talk_to_a_full_disk() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def test_a_log_that_cannot_grow(place: Place) -> None:
    """Standard output goes to a full disk; the word goes to standard error."""
    run = place.with_report().start("slow", fault=talk_to_a_full_disk)
    assert run.ends() == 1
    assert "No space left on device" in run.errors
    place.assert_as_before()
    place.assert_heals()


@pytest.fixture
def unwritable(place: Place) -> Iterator[None]:
    """Give back, afterwards, the right to write that a test takes away."""
    yield
    for folder in (place.study, place.out.parent):
        folder.chmod(0o755)


def obey_permissions_of(folder: Path) -> None:
    obey_permissions()
    with pytest.raises(PermissionError):
        (folder / "written").touch()


@pytest.mark.usefixtures("unwritable")
def test_a_study_folder_without_write_permission_is_all_right(place: Place) -> None:
    read = code("import nps_research as nps\nlen(nps.open_study(study_folder, data=data_folder).responses)")
    write_notebooks(place.folder / "reads" / "notebooks", n01_reads=notebook("Reads", read))
    held = sorted(path.name for path in place.study.iterdir())
    place.study.chmod(0o555)
    run = place.start("reads", fault=partial(obey_permissions_of, place.study))
    assert run.ends() == 0, run.errors
    assert "01_reads: made" in run.shown
    assert "40" in place.files()["out/01_reads.html"].decode()
    assert sorted(path.name for path in place.study.iterdir()) == held


@pytest.mark.usefixtures("unwritable")
def test_a_place_without_write_permission(place: Place) -> None:
    place.with_report().out.parent.chmod(0o555)
    run = place.start(fault=partial(obey_permissions_of, place.out.parent))
    assert run.ends() == 1
    assert run.errors == f"Error: nothing can be written to {place.out.parent}: Permission denied\n"
    place.assert_as_before()
    place.out.parent.chmod(0o755)
    place.assert_heals()


# Two runs into one folder


def test_a_second_run_into_the_same_folder_is_refused(place: Place) -> None:
    first = place.with_report().start("slow")
    place.kernel()
    second = place.start()
    assert second.ends() == 1
    assert second.errors == (
        f"Error: another run is making the report in {place.out}: wait until it has ended, "
        "or choose another place with --out\n"
    )
    assert place.files() == place.before
    place.let_go()
    assert first.ends() == 0, first.errors
    assert "out/01_waits.html" in place.files()
    place.assert_heals()


def test_many_at_once_have_the_place_one_by_one(tmp_path: Path) -> None:
    """Each holds the place alone or is refused; those who come as another leaves are neither stuck nor let in."""
    inside: list[int] = []
    ends: list[str] = []

    def run(number: int) -> None:
        for _ in range(60):
            try:
                with workspace(tmp_path / "out") as place:
                    inside.append(number)
                    alone = inside == [number] and not any(place.shared.iterdir())
                    (place.shared / "index.html").touch()
                    inside.remove(number)
                ends.append("alone" if alone else "not alone")
            except ReportError as error:
                ends.append("refused" if "another run is making the report" in str(error) else str(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 360
    assert set(ends) == {"alone", "refused"}
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_as_another_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workspace goes between the other's opening of the lock and its locking: that lock is worth nothing."""
    try_lock, ended = publish._try_lock, []

    def late(descriptor: int) -> bool:
        if not ended:
            shutil.rmtree(tmp_path / ".out.building")
        ended.append(descriptor)
        return try_lock(descriptor)

    monkeypatch.setattr(publish, "_try_lock", late)
    with workspace(tmp_path / "out") as place:
        assert place.shared.is_dir()
        assert (tmp_path / ".out.building" / "lock").exists()
    assert len(ended) == 2


def test_what_came_to_lie_in_the_place_meanwhile_is_left_alone(place: Place) -> None:
    with workspace(place.out) as made:
        (made.shared / "index.html").touch()
        place.out.mkdir()
        (place.out / "photo.jpg").write_bytes(b"mine")
        with pytest.raises(ReportError, match="is not a report made here and was left alone"):
            made.publish(place.out, private_folder(place.out))
    assert place.files() == {"out/photo.jpg": b"mine"}
    assert place.beside() == ["out"]


def test_the_workspace_is_for_its_owner_alone(tmp_path: Path) -> None:
    with workspace(tmp_path / "out"):
        (building,) = tmp_path.iterdir()
        assert stat.S_IMODE(building.stat().st_mode) == 0o700
