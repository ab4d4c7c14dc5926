"""Figures of what silence tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import seaborn
from matplotlib.axes import Axes

from nps_research.results.drawing import (
    axes_for,
    band,
    bars,
    draws,
    estimates,
    label,
    legend_below,
    rows_axis,
    with_interval,
)
from nps_research.results.palette import DETRACTOR, HATCHED, INK, PASSIVE, PROMOTER
from nps_research.silence.signal.adjusted import AdjustedSilence
from nps_research.silence.signal.curves import RetentionCurves
from nps_research.silence.signal.history import SilenceHistory
from nps_research.silence.signal.leaving_reasons import LeavingReasons
from nps_research.silence.signal.result import NonresponseSignal

LINES: dict[str, tuple[str, Any, str]] = {  # colour, dashes and marker: never colour alone
    "The silent": (HATCHED, (0, (4, 1.5)), "s"),
    "Promoters": (PROMOTER, "-", "o"),
    "Passives": (PASSIVE, (0, (1, 1.2)), "^"),
    "Detractors": (DETRACTOR, "-.", "D"),
}


@draws(SilenceHistory)
@draws(NonresponseSignal)
def plot_rates(result: NonresponseSignal | SilenceHistory, ax: Axes | None = None) -> Axes:
    """Churn rates by state or by history, with interval bars; the silent hatched."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    colours = [LINES.get(row["term"], (INK,))[0] for row in rows]
    quiet = ["silent" in row["term"].lower() or "never" in row["term"].lower() for row in rows]
    bars(ax, [100 * row["churn_rate"] for row in rows], colours, quiet=quiet)
    place = rows_axis(ax, [f"{label(row['term'])} ({row['n']:,})" for row in rows])
    estimates(ax, place, rows, column="churn_rate", scale=100, fmt="none", color=INK, elinewidth=1.6)
    ax.set_xlim(left=0)
    ax.set_xlabel(with_interval(f"Left within {result.horizon_days} days (%)", result))
    return ax


@draws(RetentionCurves)
def plot_curves(result: RetentionCurves, ax: Axes | None = None) -> Axes:
    """Share still customers by day, with bands."""
    ax = axes_for(ax)
    for group, rows in result.shown.groupby("group", sort=False):
        colour, dashes, marker = LINES[str(group)]
        band(ax, rows["day"], [dict(row) for _, row in rows.iterrows()], colour=colour, scale=100)
        ax.plot(
            rows["day"],
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
    legend_below(ax, ncols=2)
    level = f"{result.confidence_level:.0%} band"
    ax.set(xlabel="Days after the landmark", ylabel=f"Still customers (%), {level}")
    return ax


@draws(LeavingReasons)
def plot_reasons(result: LeavingReasons, ax: Axes | None = None) -> Axes:
    """Share that left for each reason: the silent hatched, those who answered full."""
    rows = result.records
    ax = axes_for(ax, n_rows=2 * len(rows))
    who = {"silent": "The silent", "answered": "Those who answered"}
    seaborn.barplot(
        x=[100 * row[name] for name in who for row in rows],
        y=[*range(len(rows))] * 2,
        hue=np.repeat([*who.values()], len(rows)),
        palette=["white", PROMOTER],
        orient="h",
        saturation=1,
        errorbar=None,
        ax=ax,
    )
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for name, shift, drawn in zip(who, (-0.2, 0.2), ax.containers[:2], strict=True):
        for bar in drawn if name == "silent" else ():
            bar.set(edgecolor=HATCHED, hatch="////")
        estimates(ax, place + shift, rows, column=name, scale=100, fmt="none", color=INK, capsize=3, elinewidth=1.4)
    ax.set_xlim(left=0)
    legend_below(ax, ncols=2)
    ax.set_xlabel(with_interval(f"Left for it within {result.horizon_days} days (%)", result))
    return ax


@draws(AdjustedSilence)
def plot_adjusted(result: AdjustedSilence, ax: Axes | None = None) -> Axes:
    """Differences of rates as observed, hollow, and adjusted, full."""
    rows = result.records
    ax = axes_for(ax, n_rows=2 * len(rows))
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for shift, name, marker, fill, words in (
        (-0.14, "risk_difference", "o", "white", "As observed"),
        (0.14, "adjusted_risk_difference", "s", INK, "Other things equal"),
    ):
        how: dict[str, Any] = {"fmt": marker, "color": INK, "markerfacecolor": fill, "elinewidth": 1.6, "label": words}
        estimates(ax, place + shift, rows, column=name, scale=100, **how)
    legend_below(ax, ncols=2)
    ax.set_xlabel(with_interval("Churn rate of the silent less these, percentage points", result))
    return ax
