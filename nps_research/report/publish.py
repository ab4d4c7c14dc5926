"""Publishing whole or not at all: a report is built beside its place and swapped in at the end."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nps_research.errors import ReportError
from nps_research.results.csv_files import write_private

MADE_BY = "nps_research"
PRIVATE_NOTE = "PRIVATE.txt"
LISTS_FOLDER = "lists"  # of the private folder: people to call, in a folder for each notebook

_LOCK = "lock"
_REFUSED = "errors/report.txt"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Folders beside a report's place, while it is being made.

    Attributes
    ----------
    shared, private : Path
        What will be the report, and its private folder.
    runtime : Path
        For what the notebooks' processes keep while they run.
    """

    shared: Path
    private: Path
    runtime: Path

    def publish(self, out: Path, private: Path) -> None:
        """Put both folders in their places, each in one step; Ctrl-C and SIGTERM wait until both are there.

        Where the second cannot be put there, the first is taken back.

        Raises
        ------
        ReportError
            Something else came to lie in one of the places while the report was made.
        """
        check_place(out)
        check_place(private, private=True)
        with _uninterrupted():
            _swap(self.private, private)
            try:
                _swap(self.shared, out)
            except BaseException:
                _swap_back(self.private, private)
                raise


def check_place(folder: Path, *, private: bool = False) -> None:
    """Make sure that a folder may be replaced: it is absent, empty, or one that we made.

    Raises
    ------
    ReportError
        It holds something else.
    """
    if folder.is_dir() and (not any(folder.iterdir()) or (_is_our_private(folder) if private else _is_ours(folder))):
        return
    if folder.exists():
        raise ReportError(f"{folder} is not a report made here and was left alone; choose another place with --out")


def _is_ours(folder: Path) -> bool:
    try:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("made_by") == MADE_BY


def _is_our_private(folder: Path) -> bool:
    try:
        return MADE_BY in (folder / PRIVATE_NOTE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


@contextmanager
def workspace(out: Path) -> Iterator[Workspace]:
    """Make a place to build the report that goes to `out`; gone afterwards, whatever happens.

    It is locked: a second run into the same `out` is refused while the first is there. A killed run's
    lock goes with its process, and what it left is removed by the next.

    Raises
    ------
    ReportError
        Another run is making this report, or nothing can be written beside `out`.
    """
    folder = out.with_name(f".{out.name}.building")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder, out)
    except OSError as error:
        raise ReportError(f"nothing can be written to {out.parent}: {error.strerror}") from error
    try:
        _clear_leftovers(folder, out)
        made = Workspace(shared=folder / "shared", private=folder / "private", runtime=folder / "runtime")
        made.shared.mkdir()
        made.private.mkdir(mode=0o700)
        made.runtime.mkdir(exist_ok=True)
        yield made
    except OSError as error:
        raise ReportError(f"the report could not be written to {out}: {error.strerror}") from error
    finally:
        _remove(folder, lock)


def _locked(folder: Path, out: Path) -> IO[str]:
    """Make the folder and lock it; its lock file, held open."""
    while True:
        # Not exist_ok: it fails where the folder goes as it looks whether it is one.
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # a run that has just ended took the folder away
            lock = (folder / _LOCK).open("a")
            if not _try_lock(lock.fileno()):
                lock.close()
                raise ReportError(
                    f"another run is making the report in {out}: wait until it has ended, or choose another place "
                    "with --out"
                )
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock.fileno()), (folder / _LOCK).stat()):
                    return lock
            lock.close()


def _clear_leftovers(folder: Path, out: Path) -> None:
    """Undo and remove what a killed run left."""
    for kept, place in ((folder / "shared.old", out), (folder / "private.old", private_folder(out))):
        if kept.exists() and not place.exists():
            kept.rename(place)  # it was killed between its two renames
    _empty(folder)


def _empty(folder: Path) -> None:
    for each in folder.iterdir():
        if each.name != _LOCK:
            shutil.rmtree(each, ignore_errors=True)  # a killed run's kernels may still be writing there


def _remove(folder: Path, lock: IO[str]) -> None:
    """Take the workspace away, the lock last: whoever finds it gone begins anew."""
    with lock, suppress(OSError):
        _empty(folder)
        (folder / _LOCK).unlink()
    with suppress(OSError):  # not empty: the next run is in it already
        folder.rmdir()


def private_folder(out: Path) -> Path:
    """Name the folder of a report's private part."""
    return out.with_name(f"{out.name}-private")


def _try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or its process ends; False where another holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back for a moment. Python's handlers run in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: came.append(number)) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in came:
            signal.raise_signal(number)


def _swap(new: Path, place: Path) -> None:
    """Put `new` where `place` is; what was there ends up in the workspace."""
    if not place.exists():
        new.rename(place)
    elif not _exchange(new, place):
        old = new.with_name(f"{new.name}.old")
        place.rename(old)
        try:
            new.rename(place)
        except BaseException:
            old.rename(place)
            raise


def _swap_back(new: Path, place: Path) -> None:
    """Undo `_swap`."""
    if new.exists():  # they were exchanged
        _swap(new, place)
        return
    place.rename(new)
    old = new.with_name(f"{new.name}.old")
    if old.exists():
        old.rename(place)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can."""
    if sys.platform != "linux":
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False  # a C library without it
    return bool(renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def keep_lists(last: Path, private: Path, notebooks: Iterable[str]) -> None:
    """Take over the lists of notebooks that need not be run again from the last private folder."""
    for name in notebooks:
        for path in sorted((last / LISTS_FOLDER / name).glob("*.csv")):
            write_private(private, f"{LISTS_FOLDER}/{name}/{path.name}", path.read_bytes())


def tell_in_private(private: Path, text: str) -> Path:
    """Write why a report was refused to its private folder, beside what is there; the file's place."""
    if not _is_our_private(private):
        private.mkdir(mode=0o700, exist_ok=True)
        write_private(private, PRIVATE_NOTE, f"Private, made by {MADE_BY}. Do not share.\n")
    write_private(private, _REFUSED, f"{text}\n")
    return private / _REFUSED


def write_shared(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the report; `name` may lie in a folder of it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
