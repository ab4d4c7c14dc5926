"""Measure everything, and write tables, page and figure beside this file."""

from __future__ import annotations

from benchmarks import counting, drivers, nonresponse, opening, resampling, thresholds, whole
from benchmarks.measuring import ROOT, machine
from benchmarks.results import figure_of, page, targets
from nps_research.results.drawing import house_style

HERE = ROOT / "benchmarks"


def main() -> None:
    """Run each benchmark in turn."""
    measured = {}
    for module in (counting, resampling, thresholds, drivers, nonresponse, opening, whole):
        name = module.__name__.rpartition(".")[2]
        print(f"{name}: {module.__doc__}", flush=True)
        measured[name] = module.measure()
        measured[name].to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
    (HERE / "README.md").write_text(page(**measured, machine=machine()), encoding="utf-8")
    with house_style():
        figure_of(measured["counting"]).savefig(HERE / "counting.svg", metadata={"Date": None, "Creator": None})
    print(targets(**measured))


if __name__ == "__main__":
    main()
