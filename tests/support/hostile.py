"""Small studies that are hostile in one way, and how the command takes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli

START = 'name = "Made up"\n[responses]\nfile = "a.csv"\n'
COLUMNS = ("respondent_id", "likelihood_to_recommend", "account_id", "interviewer", "Company", "region")


def command(*words, input_of=None, **environment):
    """The command in a process of its own."""
    root = str(Path(nps.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "nps_research.cli", *map(str, words)],
        env=os.environ | {"PYTHONPATH": root, "COLUMNS": "200"} | environment,
        capture_output=True,
        timeout=120,
        check=False,
        **(input_of or {}),
    )


def refused(folder, said):
    result = CliRunner().invoke(cli.app, ["check", str(folder)])
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert result.output.startswith("Error:")
    assert result.output.count("\n") == 1
    assert said in result.output
    return result.output
