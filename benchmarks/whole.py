"""What the whole costs on the made-up company: opening the study, making the report."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

import nps_research as nps
from benchmarks.measuring import ROOT, in_turns, peak_megabytes, timed

DEMO = ROOT / "data" / "demo"
REPEATS = 3


def open_the_study() -> None:
    """Read, check and join the tables."""
    nps.open_study(DEMO)


def make_the_report() -> None:
    """The command, its start included; all notebooks run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [Path(sys.executable).with_name("nps-research"), "report", DEMO, "--out", Path(folder) / "demo"]
        subprocess.run([*command, "--fresh"], check=True, stdout=subprocess.DEVNULL)


def run_the_notebooks() -> None:
    """The same notebooks by `jupyter nbconvert --execute`, one after the other, as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--to", "html", "--execute"]
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([*command, "--output-dir", folder, notebook], check=True, **quiet)


REPORT, NBCONVERT = "nps-research report --fresh", "jupyter nbconvert --execute, one by one"
STEPS = {"open_study": open_the_study, REPORT: make_the_report, NBCONVERT: run_the_notebooks}


def measure(repeats: int = REPEATS) -> pd.DataFrame:
    """Seconds of each step; memory of the process that was timed, without those it started."""
    found = in_turns({step: ("benchmarks.whole", step) for step in STEPS}, repeats)
    measured = pd.DataFrame([{"repeats": repeats, **each} for each in found])
    return measured.round({"seconds": 2, "peak_megabytes": 0})


if __name__ == "__main__":
    seconds, _ = timed(STEPS[sys.argv[1]])
    print(json.dumps({"seconds": seconds, "peak_megabytes": peak_megabytes()}))
