"""Figures of calls: how far and how fast cases got, what calls changed, how employees differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nps_research.callbacks.beyond_luck import WITHIN
from nps_research.callbacks.effect import CallbackEffect
from nps_research.callbacks.employees import EmployeeDifferences
from nps_research.callbacks.recovery import RecoveryWithoutCalls
from nps_research.callbacks.steps import STEPS_OF_CASES, CallbackSteps
from nps_research.callbacks.times import UNTIL_REACHED, CallbackTimes
from nps_research.counting.trials import CANNOT
from nps_research.results.drawing import (
    at_edge,
    axes_for,
    bars,
    draws,
    estimate_rows,
    estimates,
    label,
    legend_below,
    rows_axis,
    with_interval,
)
from nps_research.results.palette import DETRACTOR, GRID, INK, PASSIVE, PROMOTER
from nps_research.results.words import share
from nps_research.statistics.distributions import normal_ppf

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CLASSES = {"detractor": DETRACTOR, "passive": PASSIVE, "promoter": PROMOTER}


@draws(CallbackSteps)
def plot_callback_steps(result: CallbackSteps, ax: Axes | None = None) -> Axes:
    """Bars of how many cases got how far."""
    row = next(row for row in result.records if row["group"] == "all")
    values = [float(row["n" if name == "due" else name]) for name in STEPS_OF_CASES]
    ax = axes_for(ax, n_rows=len(values))
    rows_axis(ax, list(STEPS_OF_CASES.values()), zero=False)
    bars(ax, values, [PASSIVE, PASSIVE, *[PROMOTER] * (len(values) - 2)])
    at_edge(ax, [f"{value:,.0f}" for value in values], np.arange(len(values), dtype=float))
    ax.set_xlabel("Answers")
    return ax


@draws(CallbackTimes)
def plot_callback_times(result: CallbackTimes, ax: Axes | None = None) -> Axes:
    """Share of cases reached within 72 hours, with its interval."""
    rows = [row | _as_estimate(row, "within_72") for row in result.records if row["term"] == UNTIL_REACHED]
    names = [label(f"{row['group']} (n = {row['n']:,})") for row in rows]
    words = "Reached within 72 hours (% of cases assigned)"
    return estimate_rows(result, rows, names, ax, words=words, text=share, scale=100, zero=False)


def _as_estimate(row: dict[str, float], name: str) -> dict[str, float]:
    return {"estimate": row[name], "conf_low": row[f"{name}_conf_low"], "conf_high": row[f"{name}_conf_high"]}


@draws(CallbackEffect)
def plot_callback_effect(result: CallbackEffect, ax: Axes | None = None) -> Axes:
    """The called less the others: as they are (hollow), and other things equal with its interval."""
    rows = [row for row in result.records if row["verdict"] != CANNOT]
    scale = 100 if result.unit == "share_points" else 1
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    naive = [scale * row["naive"] for row in rows]
    ax.plot(naive, place - 0.18, "o", markerfacecolor="white", markeredgecolor=INK, markersize=7, label="as they are")
    estimates(ax, place, rows, scale=scale, text=result.spelt, label="other things equal")
    unit = "percentage points" if scale == 100 else "points of the answer"
    ax.set_xlabel(with_interval(f"{result.treated_words.capitalize()} less {result.untreated_words}, {unit}", result))
    legend_below(ax, ncols=2)
    return ax


@draws(RecoveryWithoutCalls)
def plot_recovery(result: RecoveryWithoutCalls, ax: Axes | None = None) -> Axes:
    """What detractors answer the next time: bars divided into detractors, passives and promoters."""
    rows = result.records
    ax = axes_for(ax, n_rows=2 * len(rows))
    place = rows_axis(ax, [label(f"{row['group']}: {row['n']:,}") for row in rows], zero=False)
    before = np.zeros(len(rows))
    for name, colour in _CLASSES.items():
        width = np.array([100 * row[f"{name}_share"] for row in rows])
        drawn = ax.barh(place, width, 0.6, before, color=colour, label=f"{name}s")
        ax.bar_label(
            drawn,
            [share(each / 100) if each >= 15 else "" for each in width],
            label_type="center",
            color="white",
            fontsize=9,
        )
        before += width
    ax.set(xlim=(0, 100), xticks=(0, 50, 100), xlabel="Next answer of detractors (%)")
    legend_below(ax, ncols=3)
    return ax


@draws(EmployeeDifferences)
def plot_employees(result: EmployeeDifferences, ax: Axes | None = None) -> Axes:
    """Funnel: mean answers of whom each employee serves, against the number of answers; those beyond luck full."""
    ax = axes_for(ax)
    rows = result.records
    n, mean, error = (np.array([row[name] for row in rows], dtype=float) for name in ("n", "raw_estimate", "std_error"))
    order = np.argsort(n)
    reach = float(normal_ppf(0.5 + result.confidence_level / 2)) * np.median(error * np.sqrt(n))
    along = np.geomspace(n.min() * 0.9, n.max() * 1.1, 100)
    within = reach / np.sqrt(along)
    wider = np.sqrt(within**2 + (normal_ppf(0.5 + result.confidence_level / 2) * result.spread) ** 2)
    level = f"{result.confidence_level:.0%} of"
    ax.fill_between(along, result.overall - wider, result.overall + wider, color=GRID, alpha=0.5, linewidth=0,
                    label=f"{level} them, with their usual spread")  # fmt: skip
    ax.plot(along, result.overall - within, color=INK, linewidth=0.8, linestyle="--", label=f"{level} equal ones")
    ax.plot(along, result.overall + within, color=INK, linewidth=0.8, linestyle="--")
    ax.axhline(result.overall, color=INK, linewidth=0.8)
    beyond = np.array([row["verdict"] != WITHIN for row in rows])[order]
    for those, face in ((~beyond, "white"), (beyond, DETRACTOR)):
        ax.plot(n[order][those], mean[order][those], "o", markerfacecolor=face, markeredgecolor=INK, markersize=7)
    ax.set(xlabel="Answers", ylabel="Mean answer, 0 to 10")
    legend_below(ax, ncols=2)
    return ax
