"""Figures of what silence adds to predictions."""

from __future__ import annotations

from typing import cast

from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from nps_research.results.drawing import at_edge, axes_for, bars, draws, dumbbells, label, rows_axis
from nps_research.results.palette import PASSIVE
from nps_research.silence.value.contributions import SilenceContributions
from nps_research.silence.value.value import NonresponseValue


@draws(NonresponseValue)
def plot_value(result: NonresponseValue, ax: Axes | None = None) -> Axes:
    """Each measure without the silence (hollow) and with it (full), joined by a line."""
    rows = result.drawn
    ax = axes_for(ax, n_rows=len(rows))
    names = [label(f"{row['term'][0].upper()}{row['term'][1:]}, {row['learner']}") for row in rows]
    without, with_silence = ([row[name] for row in rows] for name in ("without", "with"))
    place = dumbbells(ax, names, without, with_silence, words=("Without", "With the silence"))
    at_edge(ax, [f"{100 * row['estimate']:+.1f}" for row in rows], place)
    ax.set_xlabel("Percent; the difference at the right edge")
    return ax


@draws(SilenceContributions)
def plot_contributions(result: SilenceContributions, ax: Axes | None = None) -> Axes:
    """Bars of mean |SHAP|, silence hatched."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    sizes = [row["mean_abs_shap"] for row in rows]
    bars(ax, sizes, PASSIVE, quiet=[row["block"] == "silence" for row in rows])
    rows_axis(ax, [label(row["term"]) for row in rows])
    for container in ax.containers:
        ax.bar_label(cast("BarContainer", container), fmt="%.2f", padding=3)
    ax.set_xlabel("Mean |SHAP|, log-odds of leaving (hatched: silence)")
    return ax
