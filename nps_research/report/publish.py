"""Publishing whole or not at all: a report is built beside its place and swapped in at the end."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nps_research.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MADE_BY",
    "PRIVATE_NOTE",
    "Workspace",
    "check_place",
    "private_folder",
    "workspace",
    "write_private",
    "write_shared",
]

MADE_BY = "nps_research"
PRIVATE_NOTE = "PRIVATE.txt"

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
        """Put both folders in their places, each in one step."""
        _swap(self.private, private)
        _swap(self.shared, out)


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
    """A place to build the report that goes to `out`; gone afterwards, whatever happens.

    What killed runs left there is removed first.

    Raises
    ------
    ReportError
        Nothing can be written beside `out`.
    """
    prefix = f".{out.name}.building-"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(out, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    except OSError as error:
        raise ReportError(f"nothing can be written to {out.parent}: {error.strerror}") from error
    try:
        with (folder / "lock").open("w") as lock:
            _try_lock(lock.fileno())
            made = Workspace(shared=folder / "shared", private=folder / "private", runtime=folder / "runtime")
            made.shared.mkdir()
            made.private.mkdir(mode=0o700)
            made.runtime.mkdir()
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_leftovers(out: Path, prefix: str) -> None:
    """Remove the workspaces of runs that are no longer there; their locks went with them."""
    if sys.platform == "win32":
        return  # no such locks: nothing tells a killed run from a running one
    for folder in sorted(out.parent.glob(f"{prefix}*")):
        with (folder / "lock").open("a") as lock:
            if not _try_lock(lock.fileno()):
                continue
        for kept, place in ((folder / "shared.old", out), (folder / "private.old", private_folder(out))):
            if kept.exists() and not place.exists():
                kept.rename(place)  # it was killed between its two renames
        shutil.rmtree(folder)


def private_folder(out: Path) -> Path:
    """Where the private part of a report goes."""
    return out.with_name(f"{out.name}-private")


def _try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or its process ends; False where another holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can."""
    if sys.platform != "linux":
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False  # a C library without it
    return bool(renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def write_shared(folder: Path, name: str, content: str) -> None:
    """Write a text file of the report; `name` may lie in a folder of it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


def write_private(folder: Path, name: str, content: str) -> None:
    """Write a text file that only its owner can read."""
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8", newline="\n")
