"""What the whole costs on the made-up company: opening the study, making the report beside nbconvert."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

import nps_research as nps
from benchmarks.measuring import ROOT, in_turns, peak_megabytes, timed, timed_with_started

DEMO = ROOT / "data" / "demo"
REPEATS = 3
LONGEST_FIRST = ("03_drivers", "04_nonresponse", "01_score", "08_callbacks", "09_problems", "00_study", "02_thresholds")


def open_the_study() -> None:
    """Read, check and join the tables."""
    nps.open_study(DEMO)


def make_the_report() -> None:
    """The command, its start included; all notebooks run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [Path(sys.executable).with_name("nps-research"), "report", DEMO, "--out", Path(folder) / "demo"]
        subprocess.run([*command, "--fresh"], check=True, stdout=subprocess.DEVNULL)


def run_the_notebooks(side_by_side: int) -> None:
    """The same notebooks by `jupyter nbconvert --execute`, those that take longest first."""
    command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--to", "html", "--execute"]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(side_by_side) as threads:

        def run(name: str) -> None:
            notebook = ROOT / "notebooks" / f"{name}.ipynb"
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([*command, "--output-dir", folder, notebook], check=True, **quiet)

        list(threads.map(run, LONGEST_FIRST))


OPEN, REPORT = "open_study", "nps-research report --fresh"
NBCONVERT, NBCONVERT_TWO = (f"jupyter nbconvert --execute, {how}" for how in ("one by one", "two at a time"))
STEPS = {
    OPEN: open_the_study,
    REPORT: make_the_report,
    NBCONVERT: lambda: run_the_notebooks(1),
    NBCONVERT_TWO: lambda: run_the_notebooks(2),
}


def run_here(step: str) -> dict[str, float]:
    """One run: memory of this process where it opens the study, else of all that were started, kernels included."""
    if step == OPEN:
        seconds, _ = timed(open_the_study)
        return {"seconds": seconds, "peak_megabytes": peak_megabytes()}
    seconds, megabytes = timed_with_started(STEPS[step])
    return {"seconds": seconds, "peak_megabytes": megabytes}


def measure(repeats: int = REPEATS) -> pd.DataFrame:
    """Seconds and memory of each step."""
    found = in_turns({step: ("benchmarks.whole", step) for step in STEPS}, repeats)
    measured = pd.DataFrame([{"repeats": repeats, **each} for each in found])
    return measured.round({"seconds": 2, "peak_megabytes": 0})


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1])))
