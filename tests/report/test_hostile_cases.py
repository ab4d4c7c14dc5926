"""Studies that broke a promise: each folder of tests/cases/hostile holds one, and what is right for it.

A case is right where one of the alternatives of its expected.json holds in full; what its keys mean is in
tests/cases/README.md. No step may change the study's folder, make a file beside it, or end in a traceback.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import traceback
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import NPSResearchError
from nps_research.reading import database
from nps_research.report import runner
from tests.support.run_here import run_here

CASES = sorted(path.parent for path in (Path(__file__).parents[1] / "cases" / "hostile").glob("*/expected.json"))
OURS = {"study", "outside", "out", "out-private"}


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern.replace("(?i)", ""), text, re.IGNORECASE if "(?i)" in pattern else 0) is not None


class Tried:
    """A case laid out in a folder, and what its steps did."""

    def __init__(self, case: Path, expected: dict[str, Any], place: Path) -> None:
        self.place, self.expected = place, expected
        shutil.copytree(case, place / "study", ignore=shutil.ignore_patterns("expected.*"))
        for name, text in expected.get("outside", {}).items():
            (place / "outside").mkdir(exist_ok=True)
            (place / "outside" / name).write_text(text)
        for name, target in expected.get("links", {}).items():
            (place / "study" / name).symlink_to(target)
        self.before = self.files("study")

    def files(self, folder: str) -> dict[str, bytes]:
        found = (path for path in (self.place / folder).rglob("*") if path.is_file())
        return {path.name: path.read_bytes() for path in found}

    def faults(self, step: dict[str, Any]) -> list[str]:
        faults = self.said(step) if "command" in step else []
        shared = {name: content.decode("utf-8", "replace") for name, content in self.files("out").items()}
        texts = "\n".join(shared.values())
        faults += [f"report lacks {each}" for each in step.get("report_has", ()) if not _found(each, texts)]
        faults += [f"report has {each}" for each in step.get("report_not", ()) if _found(each, texts)]
        if "raw_not" in step and _found(step["raw_not"], texts):
            faults.append("raw in the report")
        if "asked" in step:
            faults += self.asked(step["asked"])
        if self.files("study") != self.before or {path.name for path in self.place.iterdir()} - OURS:
            faults.append("the study's folder was changed, or a file made beside it")
        return faults

    def said(self, step: dict[str, Any]) -> list[str]:
        apart = "env" in step or "memory" in self.expected
        code, text = (self._apart if apart else self._here)(step)
        faults = [] if code in step.get("exit", [0]) else [f"exit {code}: {text[-500:]}"]
        faults += ["a traceback"] * ("Traceback" in text)
        faults += [f"{each} is not said" for each in step.get("say", ()) if not _found(each, text)]
        return faults + [f"{each} is said" for each in step.get("not", ()) if _found(each, text)]

    def _here(self, step: dict[str, Any]) -> tuple[int, str]:
        """The command in this process, which spares the seconds of three that begin."""
        with (
            chdir(self.place),
            mock.patch.object(runner, "run_notebooks", run_here),
            mock.patch.object(database, "QUERY_SECONDS", 1),
        ):
            ended = CliRunner().invoke(cli.app, step["command"])
        crash = [] if ended.exception is None or isinstance(ended.exception, SystemExit) else ended.exc_info
        return ended.exit_code, ended.output + "".join(traceback.format_exception(*crash[:3]) if crash else [])

    def _apart(self, step: dict[str, Any]) -> tuple[int, str]:
        """The command in a process of its own, with little memory or another terminal."""

        def limit() -> None:
            if most := self.expected.get("memory"):
                resource.setrlimit(resource.RLIMIT_AS, (most, most))

        ended = subprocess.run(
            [sys.executable, "-m", "nps_research.cli", *step["command"]],
            cwd=self.place,
            env=os.environ | {"PYTHONPATH": str(Path(nps.__file__).parents[1])} | step.get("env", {}),
            capture_output=True,
            timeout=step.get("seconds", 120),
            preexec_fn=limit,
            check=False,
        )
        return ended.returncode, (ended.stdout + ended.stderr).decode("utf-8", "replace")

    def asked(self, asked: dict[str, Any]) -> list[str]:
        try:
            responses = nps.open_study(self.place / "study").responses
        except NPSResearchError as error:
            return [str(error)]
        states = responses["response_state"].value_counts()
        told: dict[str, Any] = {"n": int(states.get("answered", 0))}
        told["nonrespondents"] = int(states.get("nonrespondent", 0))
        told |= {f"group {name}": responses[name].value_counts().to_dict() for name in responses}
        return [
            f"{key}: {told[key]}"
            for key, right in asked.items()
            if not (told[key] in right if isinstance(right, list) else right.items() <= told[key].items())
        ]


@pytest.mark.skipif(sys.platform == "win32", reason="limits memory, makes links")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_hostile_study_keeps_the_promise(case: Path, tmp_path: Path) -> None:
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    faults = []
    for number, alternative in enumerate(expected["right"]):
        (place := tmp_path / str(number)).mkdir()
        tried = Tried(case, expected, place)
        faults.append([fault for step in alternative for fault in tried.faults(step)])
        if not faults[-1]:
            return
    raise AssertionError(faults)
