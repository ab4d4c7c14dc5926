"""Where a report comes from, as its footer and results.json say."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

from nps_research.report.provenance import provenance
from tests.support.report_notebooks import stand_in_study

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def checkout(folder: Path) -> Path:
    (folder / "nps_research").mkdir(parents=True)
    (folder / "nps_research" / "__init__.py").write_text("", encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_commit_and_local_changes(tmp_path: Path) -> None:
    folder, study = checkout(tmp_path / "code"), stand_in_study(tmp_path / "demo")
    commit = git(folder, "rev-parse", "HEAD")
    assert provenance(study, checkout=folder).commit == commit
    (folder / "reports").mkdir()
    (folder / "reports" / "x.html").touch()
    assert provenance(study, checkout=folder).commit == commit
    (folder / "nps_research" / "new.py").touch()
    assert provenance(study, checkout=folder).commit == f"{commit} with local changes"


def test_not_under_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = stand_in_study(tmp_path / "demo")
    folder = checkout(tmp_path / "code")
    inside = folder / "lib" / "site-packages"
    inside.mkdir(parents=True)
    assert provenance(study, checkout=tmp_path).commit == "not under git"
    assert provenance(study, checkout=inside).commit == "not under git"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance(study, checkout=folder).commit == "not under git"


def test_data_lock_and_seed(tmp_path: Path) -> None:
    study = stand_in_study(tmp_path / "demo")
    assert provenance(study, checkout=tmp_path).lock == "no lock"
    (tmp_path / "uv.lock").write_bytes(b"locked")
    made_from = provenance(study, checkout=tmp_path)
    assert made_from.lock == sha256(b"locked").hexdigest()
    assert (made_from.data, made_from.seed) == (study.data_hash, 20261122)
