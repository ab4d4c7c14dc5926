"""Measure everything, or the parts that are named, and write tables, page and figure beside this file.

``python -m benchmarks [NAME...]``: parts that are not named are read from their tables, as they were last measured.
"""

from __future__ import annotations

import sys

import pandas as pd

from benchmarks import counting, drivers, nonresponse, opening, resampling, thresholds, whole
from benchmarks.measuring import ROOT, machine
from benchmarks.results import figure_of, page, targets
from nps_research.results.drawing import house_style

HERE = ROOT / "benchmarks"
PARTS = {
    module.__name__.rpartition(".")[2]: module
    for module in (counting, resampling, thresholds, drivers, nonresponse, opening, whole)
}


def main(names: list[str]) -> None:
    """Run each part that is named in turn; page and figure are written from the tables of all."""
    for name in names:
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        PARTS[name].measure().to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
    tables = {name: pd.read_csv(HERE / f"{name}.csv") for name in PARTS}
    (HERE / "README.md").write_text(page(**tables, machine=machine()), encoding="utf-8")
    with house_style():
        figure_of(tables["counting"]).savefig(HERE / "counting.svg", metadata={"Date": None, "Creator": None})
    print(targets(**tables))


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        sys.exit(f"No part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    main(chosen)
