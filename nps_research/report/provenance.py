"""Where a report comes from: data, code, lock and seed. No clock time: it would differ every run."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from nps_research.study.study import Study

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent  # the folder the package lies in
_CODE = ("nps_research", "notebooks", "pyproject.toml", "uv.lock")


def comes_with_the_package(inside: str, beside: str) -> Path:
    """Where something is that comes with the package: inside it where it was installed, in a checkout beside it."""
    return PACKAGE / inside if (PACKAGE / inside).is_dir() else CHECKOUT / beside


def own_notebooks() -> Path:
    """Find the folder of the suite's notebooks."""
    return comes_with_the_package("notebooks", "notebooks")


def made_up_company() -> Path:
    """Find the study of the made-up company."""
    return comes_with_the_package("made_up/demo", "data/demo")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What has to be the same for a report to come out the same.

    Attributes
    ----------
    data : str
        SHA-256 of the study's tables.
    version, commit : str
        Of this package; the commit says where there is none, or where files differ from it.
    lock : str
        SHA-256 of ``uv.lock``, or ``"no lock"``.
    python : str
        Minor version.
    seed : int
        From which all random numbers come.
    """

    data: str
    version: str
    commit: str
    lock: str
    python: str
    seed: int

    def to_json(self) -> dict[str, str | int]:
        """As it stands in ``results.json``."""
        return asdict(self)


def provenance(study: Study, *, checkout: Path = CHECKOUT) -> Provenance:
    """State the provenance of a report made now from `study`."""
    lock = checkout / "uv.lock"
    return Provenance(
        data=study.data_hash,
        version=version("nps-research"),
        commit=_commit(checkout),
        lock=sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "no lock",
        python=".".join(platform.python_version_tuple()[:2]),
        seed=study.settings.seed,
    )


def _commit(checkout: Path) -> str:
    top = _git(checkout, "rev-parse", "--show-toplevel")
    commit = _git(checkout, "rev-parse", "HEAD")
    if not top or not commit or Path(top).resolve() != checkout.resolve():
        return "not under git"
    changes = _git(checkout, "status", "--porcelain", "--", *(name for name in _CODE if (checkout / name).exists()))
    return f"{commit} with local changes" if changes else commit


def _git(folder: Path, *arguments: str) -> str:
    """What git answers; nothing where git is absent or refuses."""
    command = ["git", "-C", str(folder), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()
