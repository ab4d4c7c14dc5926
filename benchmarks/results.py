"""The tables and the figure that `make bench` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter
from scipy import stats

from benchmarks.counting import CODED, PANDAS, POLARS, SQL
from benchmarks.drivers import (
    ATTRIBUTIONS,
    BACKGROUND,
    CHECKED,
    DEMO,
    DOMINANCE,
    FIT_SIZES,
    FITS,
    LIGHTGBM,
    LMG,
    RELAIMPO_SECONDS,
    SCIKIT_LEARN,
    SHAP,
)
from benchmarks.measuring import OURS
from benchmarks.nonresponse import TARGET_INVITATIONS
from benchmarks.opening import CSV, CSV_RATINGS, PARQUET, PARQUET_RATINGS, TABLES, WORKBOOK
from benchmarks.resampling import N_RESAMPLES, NUMPY, SCIPY
from benchmarks.thresholds import ACCOUNTS, FROM_COUNTS
from benchmarks.whole import NBCONVERT_TWO, REPORT
from nps_research.results.palette import DETRACTOR, INK, PASSIVE, PROMOTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    Target = tuple[str, str, str, bool]  # what, the target, what was measured, whether it is met

TARGET_ROWS = 10_000_000
TARGET_ANSWERS = 1_000_000
LOOKS = {
    "pandas group-by": (DETRACTOR, "^", ":"),
    CODED: (DETRACTOR, "v", "-."),
    POLARS: (INK, "D", (0, (5, 1))),
    SQL: (PASSIVE, "s", "--"),
    OURS: (PROMOTER, "o", "-"),
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
    """Each target, what was measured, and whether that meets it; below, what is missed."""
    rows = [
        *_targets_of_counting(counting),
        *_targets_of_resampling(resampling),
        *_targets_of_thresholds(thresholds),
        *_targets_of_drivers(drivers),
        *_targets_of_nonresponse(nonresponse),
        *_targets_of_whole(whole),
        *_targets_of_opening(opening),
    ]
    cells = [[what, target, measured, "yes" if met else "no"] for what, target, measured, met in rows]
    missed = [f"- {what}: {measured}, not {target}.\n" for what, target, measured, met in rows if not met]
    told = (
        f"Not met are {len(missed)} of {len(rows)} targets:\n\n{''.join(missed)}"
        if missed
        else "Every target is met.\n"
    )
    return f"{_table(['', 'target', 'measured', 'met'], cells)}\n{told}"


def _targets_of_counting(counting: pd.DataFrame) -> list[Target]:
    counted = counting[counting["rows"] == TARGET_ROWS].set_index("contender")
    seconds, megabytes = counted["seconds"], counted.loc[OURS, "peak_megabytes"]
    faster = seconds[list(PANDAS)].min() / seconds[OURS]
    of_polars, of_sql = (seconds[OURS] / seconds[peer] for peer in (POLARS, SQL))
    case = "Counting 10 million rows by three keys"
    return [
        (f"{case}: times as fast as pandas' fastest way", "5 or more", f"{faster:.1f}", faster >= 5),
        (f"{case}: times the time of Polars", "1 or less", f"{of_polars:.2f}", of_polars <= 1),
        (f"{case}: times the time of bare DuckDB SQL", "1.5 or less", f"{of_sql:.2f}", of_sql <= 1.5),
        (f"{case}: memory", "under 1,000 MB", f"{megabytes:,.0f} MB", megabytes < 1000),
    ]


def _targets_of_resampling(resampling: pd.DataFrame) -> list[Target]:
    seconds = resampling.set_index(["answers", "contender"])["seconds"]
    faster = seconds[TARGET_ANSWERS, SCIPY] / seconds[TARGET_ANSWERS, OURS]
    of_numpy = {n: seconds[n, OURS] / seconds[n, NUMPY] for n in resampling["answers"].unique()}
    apart = limits_apart(resampling)
    case = "10,000 resamples of a difference"
    return [
        (
            f"{case}, {TARGET_ANSWERS:,} answers: times as fast as SciPy",
            "1,000 or more",
            f"{faster:,.0f}",
            faster >= 1000,
        ),
        *(
            (f"{case}, {n:,} answers: times the time of {NUMPY}", "1 or less", f"{ratio:.2f}", ratio <= 1)
            for n, ratio in of_numpy.items()
        ),
        (
            "Limits from 10,000 resamples each: how far apart at most, in standard errors of that distance",
            "3.3 or less",
            f"{apart:.1f}",
            apart <= 3.3,
        ),
    ]


def _targets_of_thresholds(thresholds: pd.DataFrame) -> list[Target]:
    compared = thresholds.set_index("contender")["seconds"]
    few, many = (compared[case] for case in FROM_COUNTS)
    case = "Every line between scores"
    return [
        (f"{case}, 10 million answers: seconds", "under 0.5", f"{many:.2f}", many < 0.5),
        (
            f"{case}, 10 million answers: times the time of 10 thousand",
            "1.2 or less",
            f"{many / few:.2f}",
            many / few <= 1.2,
        ),
        (
            f"{case}, 10,000 accounts, resampled whole: seconds",
            "under 3",
            f"{compared[ACCOUNTS]:.2f}",
            compared[ACCOUNTS] < 3,
        ),
    ]


def _targets_of_drivers(drivers: pd.DataFrame) -> list[Target]:
    of_processor = drivers.set_index(["case", "contender"])["processor_seconds"]

    def times(case: str, other: str) -> float:
        return float(of_processor[case, other] / of_processor[case, OURS])

    lmg, dominance = float(of_processor[LMG, OURS]), times(DOMINANCE, "dominance-analysis")
    explained = times(ATTRIBUTIONS, SHAP)
    apart = float(drivers.loc[drivers["case"] == ATTRIBUTIONS, "check"].max())
    peers = {"scikit-learn's fastest way": (list(SCIKIT_LEARN), 3), "plain LightGBM": ([LIGHTGBM], 1)}
    fitted = [
        (n, peer, least, times_as_fast(drivers, n, "seconds", ways))
        for peer, (ways, least) in peers.items()
        for n in FIT_SIZES
    ]
    whole = float(drivers.loc[drivers["case"] == DEMO, "seconds"].iloc[0])
    return [
        (
            f"{LMG}: seconds of processor",
            f"{RELAIMPO_SECONDS / 2:.0f} or less",
            f"{lmg:.1f}",
            lmg <= RELAIMPO_SECONDS / 2,
        ),
        (f"{DOMINANCE}: times as fast as dominance-analysis", "100 or more", f"{dominance:,.0f}", dominance >= 100),
        (f"{ATTRIBUTIONS}: times as fast as shap", "3 or more", f"{explained:,.0f}", explained >= 3),
        (f"{ATTRIBUTIONS}: how far apart, points", "0.001 or less", f"{apart:.6f}", apart <= 1e-3),
        *(
            (f"{FITS}, {n:,} rows: times as fast as {peer}", f"{least} or more", f"{ratio:.2f}", ratio >= least)
            for n, peer, least, ratio in fitted
        ),
        (f"{DEMO}: seconds", "under 360", f"{whole:.0f}", whole < 360),
    ]


def _targets_of_nonresponse(nonresponse: pd.DataFrame) -> list[Target]:
    of_size = nonresponse[nonresponse["invitations"] == TARGET_INVITATIONS].set_index("step").loc["all"]
    seconds, memory = float(of_size["seconds"]), float(of_size["peak_megabytes"])
    case = f"What silence means, {TARGET_INVITATIONS:,} invitations"
    return [
        (f"{case}: seconds", "under 120", f"{seconds:.0f}", seconds < 120),
        (f"{case}: memory", "under 2,000 MB", f"{memory:,.0f} MB", memory < 2000),
    ]


def _targets_of_whole(whole: pd.DataFrame) -> list[Target]:
    steps = whole.set_index("contender")
    of_two = steps.loc[REPORT, ["seconds", "peak_megabytes"]] / steps.loc[NBCONVERT_TWO, ["seconds", "peak_megabytes"]]
    return [
        (
            f"A report of all notebooks: times the {what} of nbconvert two at a time",
            "1 or less",
            f"{ratio:.2f}",
            ratio <= 1,
        )
        for what, ratio in zip(("time", "memory"), of_two, strict=True)
    ]


def _targets_of_opening(opening: pd.DataFrame) -> list[Target]:
    measured = opening.set_index("contender")
    times = measured["times_as_long"]
    memory = float(measured.loc[CSV_RATINGS, "peak_megabytes"])
    seconds, of_tables = (float(measured.loc[TABLES, column]) for column in ("seconds", "peak_megabytes"))
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
        (f"{TABLES}: seconds", "under 10", f"{seconds:.1f}", seconds < 10),
        (f"{TABLES}: memory", "under 1,000 MB", f"{of_tables:,.0f} MB", of_tables < 1000),
    ]


def times_as_fast(drivers: pd.DataFrame, n: int, unit: str, ways: Sequence[str]) -> float:
    """How many times as fast as the fastest of these ways the package's fits to n rows are."""
    of = drivers[drivers["case"] == f"{FITS}, {n:,} rows"].set_index("contender")[unit]
    return float(of[list(ways)].min() / of[OURS])


def limits_apart(resampling: pd.DataFrame) -> float:
    """The largest distance of a limit from the package's, in standard errors, where both resampled alike."""
    of_a_limit = np.sqrt(0.025 * 0.975 / N_RESAMPLES) / stats.norm.pdf(stats.norm.ppf(0.975))
    limits = ["conf_low", "conf_high"]
    apart = []
    for _, of_size in resampling.groupby("answers"):
        ours = of_size[of_size["contender"] == OURS].iloc[0]
        alike = of_size[of_size["resamples"] == ours["resamples"]]
        apart.append((alike[limits] - ours[limits].astype(float)).abs().max(axis=None) / ours["std_error"])
    return float(max(apart) / (np.sqrt(2) * of_a_limit))


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
    of_scikit_learn, of_lightgbm = (
        ", ".join(f"{times_as_fast(drivers, n, 'processor_seconds', ways):.1f}" for n in FIT_SIZES)
        for ways in (list(SCIKIT_LEARN), [LIGHTGBM])
    )
    tables = [_table(*_heads_and_cells(frame)) for frame in (counting, resampling, thresholds, drivers)]
    by_size = nonresponse.pivot_table(index="step", columns="invitations", values="seconds", sort=False).reset_index()
    memory = nonresponse[nonresponse["step"] == "all"].set_index("invitations")["peak_megabytes"]
    by_size.loc[len(by_size)] = ["megabytes, at most", *memory]
    by_size.columns = [str(name) if name == "step" else f"{name:,}" for name in by_size.columns]
    tables += [_table(*_heads_and_cells(frame)) for frame in (by_size, opening, whole)]
    return f"""# What it costs

Written by `make bench`; made-up data. Last measured on {machine}.

Contenders took turns, each run in a process of its own after one on a small table, each in the fastest way that was
found for it. Seconds are medians of the repeats, memory is the most that any run held, Python and its packages
included.

{targets(counting, resampling, thresholds, drivers, nonresponse, opening, whole)}
## Counting answers per score by wave, channel and region, from Parquet

Every contender gave the same counts. pandas groups by the keys as text, and a second time keeps them coded as in the
file, joins their codes and the score into one integer a row, and counts these. Polars scans and groups lazily,
streamed. More than 10 million rows are not tried with pandas, which holds them all.

{tables[0]}
![Seconds and memory against rows, on logarithmic axes; the table above holds the numbers.](counting.svg)

## 10,000 bootstrap resamples of a difference between two groups

The package counts the scores first and resamples the counts, and so does NumPy's multinomial here: bare counts of
detractors, passives and promoters, without the package's checks and tables. SciPy resamples the answers, ten resamples
at a time. Limits are percentiles. `resamples` says how many were timed; seconds are scaled to 10,000.

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

Attributions are interventional Shapley values of the same rows against the same {BACKGROUND} others, all of which shap
is made to take: of an array it takes 100 by lot. They are compared on {CHECKED} rows.

Fits are those of a model and its resamples: promoters and detractors, each without one of five folds, with weights.
Two surveys are fitted on two cores, and half the time is told. The package fits them side by side, and sorts the
ratings of one into bins once for its ten fits. Plain LightGBM has the same settings, sorts them for each fit, and fits
the two surveys side by side, too; scikit-learn is tried with two threads for each fit, with one, and with two fits
side by side. The targets are set against the fastest way of each, by the clock. By the processor, where it does not
matter what can run side by side, the package's fits are {of_scikit_learn} times as fast as scikit-learn's at 1,000,
2,500 and 10,000 rows, and {of_lightgbm} times as fast as plain LightGBM's.

{tables[3]}
## What silence means: the computations of its notebook

Seconds by number of invitations, of customers asked once a quarter until they left, ten times on average; each size in
a process of its own, once, the study in memory.

{tables[4]}
## Opening a study of a million answers in 17 columns

Score, two dates and two groups are mapped; with ratings, ten more columns. The package reads, checks every cell and
joins; DuckDB reads every cell as text, calamine those of the workbook as values of Python. `times as long` is against
these, in seconds of processor, which do not depend on what else a machine does.

{tables[5]}
## The whole, on the made-up company

The report runs two notebooks side by side, and so does nbconvert where it is told, those that take longest first.
Memory is that of all processes of a command together, kernels included, looked at twice a second; of a page that
several share each counts its part (PSS). That of open_study is its process's.

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
    seconds.set(title="Time", ylabel="Seconds, median")
    memory.set(title="Memory", ylabel="Megabytes, at most", ylim=(100, 10_000))
    memory.legend(*seconds.get_legend_handles_labels(), loc="upper left")  # where no line is
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
