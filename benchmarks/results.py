"""The tables and the figure that `make bench` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter
from scipy import stats

from benchmarks.drivers import ATTRIBUTIONS, DEMO, DOMINANCE, FIT_SIZES, FITS, LMG, OURS, RELAIMPO_SECONDS, WAYS
from benchmarks.nonresponse import TARGET_INVITATIONS
from benchmarks.opening import CSV, CSV_RATINGS, PARQUET, PARQUET_RATINGS, WORKBOOK
from benchmarks.resampling import N_RESAMPLES
from benchmarks.thresholds import ACCOUNTS, FROM_COUNTS
from benchmarks.whole import NBCONVERT, REPORT
from nps_research.results.palette import DETRACTOR, PASSIVE, PROMOTER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TARGET_ROWS = 10_000_000
TARGET_ANSWERS = 1_000_000
LOOKS = {
    "pandas group-by": (DETRACTOR, "^", ":"),
    "bare DuckDB SQL": (PASSIVE, "s", "--"),
    "nps_research": (PROMOTER, "o", "-"),
}


def targets(
    counting: pd.DataFrame,
    resampling: pd.DataFrame,
    thresholds: pd.DataFrame,
    drivers: pd.DataFrame,
    nonresponse: pd.DataFrame,
    opening: pd.DataFrame,
    whole: pd.DataFrame,
) -> str:
    """Each target, what was measured, and whether that meets it."""
    counted = counting[counting["rows"] == TARGET_ROWS].set_index("contender")
    resampled = resampling[resampling["answers"] == TARGET_ANSWERS].set_index("contender")["seconds"]
    ours = counted.loc["nps_research"]
    faster = counted.loc["pandas group-by", "seconds"] / ours["seconds"]
    slower = ours["seconds"] / counted.loc["bare DuckDB SQL", "seconds"]
    resampled_faster = resampled["scipy.stats.bootstrap"] / resampled["nps_research"]
    apart = limits_apart(resampling)
    compared = thresholds.set_index("contender")["seconds"]
    few, many = (compared[case] for case in FROM_COUNTS)
    rows = [
        ("Counting 10 million rows by three keys: times as fast as pandas", "5 or more", f"{faster:.1f}", faster >= 5),
        ("The same: times the time of bare DuckDB SQL", "1.5 or less", f"{slower:.2f}", slower <= 1.5),
        ("The same: memory", "under 1,000 MB", f"{ours['peak_megabytes']:,.0f} MB", ours["peak_megabytes"] < 1000),
        (
            "10,000 resamples of a difference at a million answers: times as fast as SciPy",
            "1,000 or more",
            f"{resampled_faster:,.0f}",
            resampled_faster >= 1000,
        ),
        (
            "Limits from 10,000 resamples each: how far apart, in standard errors of that distance",
            "3.3 or less",
            f"{apart:.1f}",
            apart <= 3.3,
        ),
        ("Every line between scores, 10 million answers: seconds", "under 0.5", f"{many:.2f}", many < 0.5),
        ("The same: times the time of 10 thousand", "1.2 or less", f"{many / few:.2f}", many / few <= 1.2),
        (
            "The same for 10,000 accounts, resampled whole: seconds",
            "under 3",
            f"{compared[ACCOUNTS]:.2f}",
            compared[ACCOUNTS] < 3,
        ),
        *_targets_of_drivers(drivers),
        *_targets_of_notebooks(nonresponse, whole),
        *_targets_of_opening(opening),
    ]
    return _table(
        ["", "target", "measured", "met"],
        [[what, target, measured, "yes" if met else "no"] for what, target, measured, met in rows],
    )


def _targets_of_drivers(drivers: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    of_processor = drivers.set_index(["case", "contender"])["processor_seconds"]

    def times(case: str, other: str) -> float:
        return float(of_processor[case, other] / of_processor[case, OURS])

    lmg, dominance = float(of_processor[LMG, OURS]), times(DOMINANCE, "dominance-analysis")
    explained = times(ATTRIBUTIONS, "shap.TreeExplainer")
    apart = float(drivers.loc[drivers["case"] == ATTRIBUTIONS, "check"].max())
    fitted = {n: times_as_fast(drivers, n, "seconds") for n in FIT_SIZES}
    whole = float(drivers.loc[drivers["case"] == DEMO, "seconds"].iloc[0])
    return [
        (
            f"{LMG}: seconds of processor",
            f"{RELAIMPO_SECONDS / 2:.0f} or less",
            f"{lmg:.1f}",
            lmg <= RELAIMPO_SECONDS / 2,
        ),
        (f"{DOMINANCE}: times as fast as dominance-analysis", "100 or more", f"{dominance:,.0f}", dominance >= 100),
        (f"{ATTRIBUTIONS}: times as fast as shap", "3 or more", f"{explained:.1f}", explained >= 3),
        ("The same: how far apart, points", "0.001 or less", f"{apart:.6f}", apart <= 1e-3),
        *(
            (
                f"{FITS}, {n:,} rows: times as fast as scikit-learn's fastest way",
                "3 or more",
                f"{ratio:.1f}",
                ratio >= 3,
            )
            for n, ratio in fitted.items()
        ),
        (f"{DEMO}: seconds", "under 360", f"{whole:.0f}", whole < 360),
    ]


def _targets_of_notebooks(nonresponse: pd.DataFrame, whole: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    of_size = nonresponse[nonresponse["invitations"] == TARGET_INVITATIONS].set_index("step").loc["all"]
    seconds, memory = float(of_size["seconds"]), float(of_size["peak_megabytes"])
    steps = whole.set_index("contender")["seconds"]
    faster = float(steps[NBCONVERT] / steps[REPORT])
    return [
        (
            f"What silence means, {TARGET_INVITATIONS:,} invitations: seconds",
            "under 120",
            f"{seconds:.0f}",
            seconds < 120,
        ),
        ("The same: memory", "under 2,000 MB", f"{memory:,.0f} MB", memory < 2000),
        (
            "A report of all notebooks: times as fast as nbconvert one by one",
            "1.6 or more",
            f"{faster:.2f}",
            faster >= 1.6,
        ),
    ]


def _targets_of_opening(opening: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    measured = opening.set_index("contender")
    times = measured["times_as_long"]
    memory = float(measured.loc[CSV_RATINGS, "peak_megabytes"])
    most = {CSV: 4.0, CSV_RATINGS: 5.0, PARQUET: 2.0, PARQUET_RATINGS: 2.5}
    return [
        (
            f"{name}: times as long as DuckDB's reading as text",
            f"{limit:g} or less",
            f"{times[name]:.1f}",
            times[name] <= limit,
        )
        for name, limit in most.items()
    ] + [
        (f"{CSV_RATINGS}: memory", "under 1,000 MB", f"{memory:,.0f} MB", memory < 1000),
        (f"{WORKBOOK}: times as long as calamine alone", "3 or less", f"{times[WORKBOOK]:.1f}", times[WORKBOOK] <= 3),
    ]


def times_as_fast(drivers: pd.DataFrame, n: int, unit: str) -> float:
    """How many times as fast as the fastest way of scikit-learn the package's fits to n rows are."""
    of = drivers[drivers["case"] == f"{FITS}, {n:,} rows"].set_index("contender")[unit]
    return float(of[list(WAYS)].min() / of[OURS])


def limits_apart(resampling: pd.DataFrame) -> float:
    """The larger distance between both contenders' limits, in standard errors, where both resampled alike."""
    alike = resampling.groupby("answers")["resamples"].transform("nunique") == 1
    ours, theirs = (part.iloc[0] for _, part in resampling[alike].groupby("contender"))
    of_a_limit = np.sqrt(0.025 * 0.975 / N_RESAMPLES) / stats.norm.pdf(stats.norm.ppf(0.975)) * ours["std_error"]
    return max(abs(ours[name] - theirs[name]) for name in ("conf_low", "conf_high")) / (np.sqrt(2) * of_a_limit)


def page(
    counting: pd.DataFrame,
    resampling: pd.DataFrame,
    thresholds: pd.DataFrame,
    drivers: pd.DataFrame,
    nonresponse: pd.DataFrame,
    opening: pd.DataFrame,
    whole: pd.DataFrame,
    machine: str,
) -> str:
    """All results in words and tables, as Markdown."""
    of_processor = ", ".join(f"{times_as_fast(drivers, n, 'processor_seconds'):.1f}" for n in FIT_SIZES)
    tables = [_table(*_heads_and_cells(frame)) for frame in (counting, resampling, thresholds, drivers)]
    by_size = nonresponse.pivot_table(index="step", columns="invitations", values="seconds", sort=False).reset_index()
    memory = nonresponse[nonresponse["step"] == "all"].set_index("invitations")["peak_megabytes"]
    by_size.loc[len(by_size)] = ["megabytes, at most", *memory]
    by_size.columns = [str(name) if name == "step" else f"{name:,}" for name in by_size.columns]
    tables += [_table(*_heads_and_cells(frame)) for frame in (by_size, opening, whole)]
    return f"""# What it costs

Written by `make bench`; made-up data. Measured on {machine}.

Contenders took turns, each run in a process of its own after one on a small table. Seconds are those of the fastest
run, memory is the most that any run held, Python and its packages included.

{targets(counting, resampling, thresholds, drivers, nonresponse, opening, whole)}
## Counting answers per score by wave, channel and region, from Parquet

Every contender gave the same counts.

{tables[0]}
![Seconds and memory against rows, on logarithmic axes; the table above holds the numbers.](counting.svg)

## 10,000 bootstrap resamples of a difference between two groups

The package counts the scores first and resamples the counts; SciPy resamples the answers, ten resamples at a time
(percentile limits). `resamples` says how many were timed; seconds are scaled to 10,000.

{tables[1]}
## Where detractors end: every line between scores

A full comparison with 2,000 resamples for each test. From counts it costs the same at any number of answers; where
three contacts share an account's outcome, accounts are resampled whole.

{tables[2]}
## What drives loyalty

One thread for each, but two for whole models and for fits. `check` says that contenders did the same: the share of the
first driver, how far Shapley values are apart in points, the share of variance fitted. Of relaimpo,
{RELAIMPO_SECONDS:.0f} seconds of processor are on record for 20 drivers. dominance-analysis runs in an environment of
its own, with the old packages it needs.

Fits are those of a model and its resamples: promoters and detractors, each without one of five folds, with weights.
Two surveys are fitted on two cores, and half the time is told. The package fits them side by side, and sorts the
ratings of one into bins once for its ten fits; scikit-learn is tried with two threads for each fit, with one, and with
two fits side by side. The targets are set against the fastest of these, by the clock. By the processor, where it does
not matter what can run side by side, the package's fits are {of_processor} times as fast at 1,000, 2,500 and 10,000
rows.

{tables[3]}
## What silence means: the computations of its notebook

Seconds by number of invitations, of customers asked once a quarter until they left, ten times on average; each size in
a process of its own, the study in memory.

{tables[4]}
## Opening a study of a million answers in 17 columns

Score, two dates and two groups are mapped; with ratings, ten more columns. The package reads, checks every cell and
joins; DuckDB reads every cell as text, calamine those of the workbook as values of Python. `times as long` is against
these, in seconds of processor, which do not depend on what else a machine does.

{tables[5]}
## The whole, on the made-up company

The report runs two notebooks side by side. Its memory is that of the command alone, not of the notebooks' kernels.

{tables[6]}"""


def _heads_and_cells(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    formats = {"seconds": "{:,.4g}", "processor_seconds": "{:,.4g}", "peak_megabytes": "{:,.0f}", "check": "{:g}"}
    formats |= {name: "{:,.4g}" for name in frame if name.replace(",", "").isdigit()}
    formats |= dict.fromkeys(("rows", "answers", "resamples"), "{:,}")
    records = frame.to_dict("records")
    cells = [
        ["" if value != value else formats.get(name, "{}").format(value) for name, value in row.items()]
        for row in records
    ]
    return [name.replace("_", " ") for name in frame], cells


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def figure_of(counting: pd.DataFrame) -> Figure:
    """Seconds and memory against rows, both on logarithmic axes."""
    figure = Figure(figsize=(9.0, 3.9), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    _lines(seconds, counting, "seconds")
    _lines(memory, counting, "peak_megabytes")
    seconds.set(title="Time", ylabel="Seconds, fastest run")
    memory.set(title="Memory", ylabel="Megabytes, at most", ylim=(100, 10_000))
    seconds.legend(loc="upper left")
    return figure


def _lines(ax: Axes, counting: pd.DataFrame, column: str) -> None:
    for contender, (colour, marker, line) in LOOKS.items():
        rows = counting[counting["contender"] == contender]
        ax.loglog(rows["rows"], rows[column], color=colour, marker=marker, linestyle=line, label=contender)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="y")
    ax.set_xlabel("Rows")
