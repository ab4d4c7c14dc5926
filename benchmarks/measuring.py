"""What the benchmarks share: made-up tables, contenders that take turns in processes of their own, the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parents[1]
SEED = 20261122
OURS = "nps_research"
ROWS_AT_ONCE = 1_000_000
SECONDS_BETWEEN_LOOKS = 0.5
COMPARED = ("duckdb", "lightgbm", "nbconvert", "numpy", "pandas", "polars", "scikit-learn", "scipy", "shap")
SCORE_SHARES = np.array([2, 1, 1, 2, 2, 6, 6, 14, 22, 20, 24]) / 100  # of 0 to 10, made up
ITEM_MISSING = 0.05
KEYS = {
    "wave": [f"{year} Q{quarter}" for year in (2024, 2025) for quarter in (1, 2, 3, 4)],
    "channel": ["e-mail", "in person", "phone", "web"],
    "region": [f"Region {number:02d}" for number in range(1, 13)],
}


def write_made_up_answers(path: Path, n: int) -> None:
    """A Parquet file of n made-up answers by wave, channel and region, written in blocks."""
    rng = np.random.default_rng(SEED)
    schema = pa.schema([*((name, pa.string()) for name in KEYS), ("likelihood_to_recommend", pa.int8())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n, ROWS_AT_ONCE):
            rows = min(ROWS_AT_ONCE, n - start)
            columns = [pa.array(labels).take(rng.integers(len(labels), size=rows)) for labels in KEYS.values()]
            scores = np.searchsorted(np.cumsum(SCORE_SHARES), rng.random(rows)).clip(max=10)
            columns.append(pa.array(scores.astype("int8"), mask=rng.random(rows) < ITEM_MISSING))
            writer.write_table(pa.table(columns, schema=schema))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds a call takes, and what it returns."""
    start = time.perf_counter()
    answer = call()
    return time.perf_counter() - start, answer


def peak_megabytes() -> float:
    """The most memory this process has held so far; unknown where there is no /proc."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


def started_megabytes() -> float:
    """What all processes that this one started hold now, theirs included, but not this one.

    Of a page that several share each counts its part (PSS); where the system does not tell, only their own (USS).
    """
    held = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended
            memory = process.memory_full_info()
            held += getattr(memory, "pss", memory.uss)
    return held / 2**20


def timed_with_started(call: Callable[[], Any], every: float = SECONDS_BETWEEN_LOOKS) -> tuple[float, float]:
    """Seconds a call takes, and the most megabytes that the processes it started held together, looked at often."""
    seen, ended = [0.0], Event()

    def look() -> None:
        while not ended.wait(every):
            seen.append(started_megabytes())

    thread = Thread(target=look)
    thread.start()
    try:
        seconds, _ = timed(call)
    finally:
        ended.set()
        thread.join()
    return seconds, round(max(seen), 1)


def in_own_process(*arguments: str) -> dict[str, Any]:
    """What ``python -m ARGUMENTS`` prints, as JSON."""
    run = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def in_turns(commands: Mapping[str, Sequence[object]], repeats: int) -> list[dict[str, Any]]:
    """Each contender's median seconds and largest memory; every round begins with another one."""
    contenders = list(commands)
    runs: dict[str, list[dict[str, Any]]] = {contender: [] for contender in contenders}
    for turn in range(repeats):
        first = turn % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            runs[contender].append(in_own_process(*map(str, commands[contender])))
    return [{"contender": contender, **_median_run(of)} for contender, of in runs.items()]


def _median_run(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is the same in every run, with the medians of its seconds and the largest memory."""
    units = runs[0].keys() & {"seconds", "processor_seconds"}
    return {
        **runs[0],
        **{unit: median(run[unit] for run in runs) for unit in units},
        "peak_megabytes": max(run["peak_megabytes"] for run in runs),
    }


def machine() -> str:
    """The kind of machine, how busy it was, and the versions that were measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in COMPARED)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory, {platform.system()}, with "
        f"{os.getloadavg()[2]:.0f} processes running or waiting on average over the last 15 minutes; "
        f"Python {platform.python_version()}, {packages}"
    )
