"""Figures of what silence tells; in the house style of `figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nps_research.results.drawing import (
    DETRACTOR,
    HATCHED,
    INK,
    PASSIVE,
    PROMOTER,
    axes_for,
    draws,
    label,
    legend_below,
    literal,
)
from nps_research.silence.signal.adjusted import AdjustedSilence
from nps_research.silence.signal.curves import RetentionCurves
from nps_research.silence.signal.history import SilenceHistory
from nps_research.silence.signal.leaving_reasons import LeavingReasons
from nps_research.silence.signal.result import NonresponseSignal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes


LINES: dict[str, tuple[str, Any, str]] = {  # colour, dashes and marker: never colour alone
    "The silent": (HATCHED, (0, (4, 1.5)), "s"),
    "Promoters": (PROMOTER, "-", "o"),
    "Passives": (PASSIVE, (0, (1, 1.2)), "^"),
    "Detractors": (DETRACTOR, "-.", "D"),
}


@draws(NonresponseSignal)
def plot_signal(result: NonresponseSignal, ax: Axes | None = None) -> Axes:
    """Churn rates by state with interval bars; the silent hatched."""
    return _rates(result.records, result.horizon_days, result.confidence_level, result.title, ax)


@draws(SilenceHistory)
def plot_histories(result: SilenceHistory, ax: Axes | None = None) -> Axes:
    """Churn rates by history with interval bars."""
    return _rates(result.records, result.horizon_days, result.confidence_level, result.title, ax)


def _rates(
    rows: Sequence[Mapping[str, Any]], horizon_days: int, confidence_level: float, title: str, ax: Axes | None
) -> Axes:
    ax = axes_for(ax, n_rows=len(rows))
    place = np.arange(len(rows))
    rate = np.array([100 * row["churn_rate"] for row in rows])
    errors = np.array(
        [
            [100 * (row["churn_rate"] - row["conf_low"]) for row in rows],
            [100 * (row["conf_high"] - row["churn_rate"]) for row in rows],
        ]
    )
    for where, row, width in zip(place, rows, rate, strict=True):
        colour, *_ = LINES.get(row["term"], (INK, "-", "o"))
        quiet = "silent" in row["term"].lower() or "never" in row["term"].lower()
        ax.barh(
            where,
            width,
            color="white" if quiet else colour,
            edgecolor=HATCHED if quiet else colour,
            hatch="////" if quiet else None,
            height=0.6,
        )
    ax.errorbar(rate, place, xerr=np.maximum(errors, 0), fmt="none", ecolor=INK, capsize=4, elinewidth=1.6)
    ax.set_yticks(place, [f"{label(row['term'])} ({row['n']:,})" for row in rows])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.grid(axis="x")
    ax.set(xlabel=f"Left within {horizon_days} days (%), {confidence_level:.0%} interval", title=literal(title))
    return ax


@draws(RetentionCurves)
def plot_curves(result: RetentionCurves, ax: Axes | None = None) -> Axes:
    """Share still customers by day, with bands."""
    ax = axes_for(ax)
    frame = result.shown
    for group, rows in frame.groupby("group", sort=False):
        colour, dashes, marker = LINES[str(group)]
        day = rows["day"].to_numpy(dtype=float)
        ax.fill_between(day, 100 * rows["conf_low"], 100 * rows["conf_high"], color=colour, alpha=0.15, linewidth=0)
        ax.plot(
            day,
            100 * rows["estimate"],
            color=colour,
            linestyle=dashes,
            marker=marker,
            markersize=4.5,
            linewidth=2,
            label=f"{label(group)} ({int(rows['n'].iloc[0]):,})",
        )
    ax.set_ylim(top=100)
    ax.grid(axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=4)
    ax.set(
        xlabel="Days after the landmark",
        ylabel=f"Still customers (%), {result.confidence_level:.0%} band",
        title=literal(result.title),
    )
    return ax


@draws(LeavingReasons)
def plot_reasons(result: LeavingReasons, ax: Axes | None = None) -> Axes:
    """Share that left for each reason: the silent hatched, those who answered full."""
    rows = result.records
    ax = axes_for(ax, n_rows=2 * len(rows))
    place = np.arange(len(rows), dtype=float)
    for shift, name, words in ((-0.2, "silent", "The silent"), (0.2, "answered", "Those who answered")):
        rate = np.array([100 * row[name] for row in rows])
        limits = np.array([[100 * row[f"{name}_conf_{side}"] for row in rows] for side in ("low", "high")])
        quiet = name == "silent"
        ax.barh(
            place + shift,
            rate,
            color="white" if quiet else PROMOTER,
            edgecolor=HATCHED if quiet else PROMOTER,
            hatch="////" if quiet else None,
            height=0.36,
            label=words,
        )
        errors = np.maximum([rate - limits[0], limits[1] - rate], 0)
        ax.errorbar(rate, place + shift, xerr=errors, fmt="none", ecolor=INK, capsize=3, elinewidth=1.4)
    ax.set_yticks(place, [label(row["term"]) for row in rows])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.grid(axis="x")
    ax.legend(loc="lower right")
    days, level = result.horizon_days, result.confidence_level
    ax.set(xlabel=f"Left for it within {days} days (%), {level:.0%} interval", title=literal(result.title))
    return ax


@draws(AdjustedSilence)
def plot_adjusted(result: AdjustedSilence, ax: Axes | None = None) -> Axes:
    """Differences of rates as observed, hollow, and adjusted, full."""
    rows = result.records
    ax = axes_for(ax, n_rows=2 * len(rows))
    place = np.arange(len(rows), dtype=float)
    for shift, name, marker, fill, words in (
        (-0.14, "risk_difference", "o", "white", "As observed"),
        (0.14, "adjusted_risk_difference", "s", INK, "Other things alike"),
    ):
        value, low, high = (
            np.array([100 * row[f"{name}{end}"] for row in rows], dtype=float)
            for end in ("", "_conf_low", "_conf_high")
        )
        known = np.isfinite(value)
        ax.errorbar(
            value[known],
            (place + shift)[known],
            xerr=np.maximum([(value - low)[known], (high - value)[known]], 0),
            fmt=marker,
            color=INK,
            markerfacecolor=fill,
            capsize=4,
            elinewidth=1.6,
            label=words,
        )
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(place, [label(row["term"]) for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="x")
    legend_below(ax, ncols=2)
    level = f"{result.confidence_level:.0%} interval"
    ax.set(xlabel=f"Churn rate of the silent less these, percentage points, {level}", title=literal(result.title))
    return ax
