"""What takes long is made once a run: by the worker that needs it first, and read by the others."""

from __future__ import annotations

import pickle
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nps_research.report.publish import _try_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_met_in: list[Path] = []  # the folder of this run, the same for all its workers
_read: dict[str, Any] = {}


def meet_in(folder: Path) -> None:
    """Say, before the first test, where the workers of this run meet."""
    _met_in[:] = [folder]


def made_once(name: str, make: Callable[[Path], Any]) -> Any:
    """What `make` gives for an empty folder of its own. Nobody may change it: others read it, too."""
    if name not in _read:
        folder = _met_in[0] / "made-once" / name
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder.with_name(f"{folder.name}.pickle")  # with_suffix would take "at-0.08" for "at-0.5"
        with _locked(folder.with_name(f"{folder.name}.lock")):
            if not kept.exists():
                kept.write_bytes(pickle.dumps(make(folder)))
        _read[name] = pickle.loads(kept.read_bytes())  # noqa: S301 (written by this run)
    return _read[name]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone among the workers; the lock goes with the process that holds it."""
    with path.open("a") as lock:
        while not _try_lock(lock.fileno()):
            time.sleep(0.1)
        yield


@contextmanager
def put_back(folder: Path) -> Iterator[Path]:
    """A folder that may be changed inside: afterwards it is as it was when it first came here."""
    kept = folder.with_name(f"{folder.name}.kept")
    if not kept.exists():
        shutil.copytree(folder, kept)
    yield folder
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
