"""A fresh checkout sets up what a report needs and no more, and only once; then the tools beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from tests.support.published import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.whole, pytest.mark.skipif(sys.platform == "win32", reason="make is of POSIX")]


def uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".uv" / "bin"))
    if found is None:
        pytest.skip("no uv found; make lint brings one")
    return found


def checkout(folder: Path) -> Path:
    """The files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_reports_need_no_development_packages_and_nothing_is_set_up_twice(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def make(*arguments: str) -> str:
        command = ["make", f"UV={uv()}", f"PYTHON={sys.executable}", *arguments]
        run = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr

    make("setup")
    there = {path.name for path in (folder / ".venv" / "bin").iterdir()}
    assert "nps-research" in there
    assert not {"pytest", "mypy", "ruff", "lint-imports"} & there
    report = [folder / ".venv" / "bin" / "nps-research", "report", "data/demo", "--only", "01_score"]
    run = subprocess.run(report, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert (folder / "reports" / "demo" / "01_score.html").is_file()

    make(".venv/.ready-to-develop")
    assert {"pytest", "mypy", "ruff", "lint-imports"} <= {path.name for path in (folder / ".venv" / "bin").iterdir()}
    for again in ("setup", ".venv/.ready-to-develop"):
        assert "sync" not in make("--dry-run", again)
    (folder / "uv.lock").touch()  # as if there were another: what was installed for development stays
    assert "Uninstalled" not in make("setup")
    assert (folder / ".venv" / "bin" / "pytest").exists()


def test_the_wheel_has_the_command_with_notebooks_and_the_made_up_company(tmp_path: Path) -> None:
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    work, environment = tmp_path / "work", tmp_path / "environment"
    work.mkdir()

    def run(*command: str | Path, cwd: Path = work) -> str:
        done = subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(uv(), "build", "--wheel", "--out-dir", tmp_path / "wheel", cwd=checkout(tmp_path / "checkout"))
    run(uv(), "venv", "--python", sys.executable, environment)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    run(uv(), "pip", "install", "--no-deps", "--python", environment / "bin" / "python", wheel)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "present.pth").write_text(sysconfig.get_paths()["purelib"])  # what it depends on, as it is here
    command = environment / "bin" / "nps-research"
    shutil.rmtree(tmp_path / "checkout")
    assert "nps-research report demo" in run(command, "demo")
    run(command, "report", "demo", "--only", "01_score")
    made = json.loads((work / "reports" / "demo" / "results.json").read_text(encoding="utf-8"))
    assert [(each["name"], each["state"]) for each in made["notebooks"]] == [("01_score", "made")]
    run(command, "init", "demo/responses_2025q4.csv", "--out", "export")
    assert "likelihood_to_recommend" in (work / "export" / "study.toml").read_text(encoding="utf-8")
