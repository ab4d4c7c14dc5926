"""Figures of what silence adds to predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nps_research.results.drawing import (
    HATCHED,
    INK,
    PASSIVE,
    PROMOTER,
    axes_for,
    draws,
    label,
    legend_below,
    literal,
    note_at_edge,
)
from nps_research.silence.value.contributions import SilenceContributions
from nps_research.silence.value.value import NonresponseValue

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(NonresponseValue)
def plot_value(result: NonresponseValue, ax: Axes | None = None) -> Axes:
    """Each measure without the silence (hollow) and with it (full), joined by a line."""
    rows = result.drawn
    ax = axes_for(ax, n_rows=len(rows))
    place = list(range(len(rows)))[::-1]
    without, with_silence = ([100 * row[name] for row in rows] for name in ("without", "with"))
    ax.hlines(place, without, with_silence, color="#5A5A5A", linewidth=1.5)
    ax.plot(without, place, "o", markerfacecolor="white", markeredgecolor=INK, markersize=8, label="Without")
    ax.plot(with_silence, place, "o", color=PROMOTER, markersize=8, label="With the silence")
    for row, where in zip(rows, place, strict=True):
        change = 100 * row["estimate"]
        note_at_edge(ax, f"{change:+.1f}", where)
    names = [label(f"{row['term'][0].upper()}{row['term'][1:]}, {row['learner']}") for row in rows]
    ax.set_yticks(place, names)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    legend_below(ax, ncols=2)
    ax.set(xlabel="Percent; the difference at the right edge", title=literal(result.title))
    return ax


@draws(SilenceContributions)
def plot_contributions(result: SilenceContributions, ax: Axes | None = None) -> Axes:
    """Bars of mean |SHAP|, silence hatched."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    place = list(range(len(rows)))[::-1]
    for row, where in zip(rows, place, strict=True):
        of_silence = row["block"] == "silence"
        bar = ax.barh(
            [where],
            [row["mean_abs_shap"]],
            height=0.62,
            facecolor="white" if of_silence else PASSIVE,
            edgecolor=HATCHED if of_silence else PASSIVE,
            hatch="///" if of_silence else "",
        )
        ax.bar_label(bar, [f"{row['mean_abs_shap']:.2f}"], padding=3)
    ax.set_yticks(place, [label(row["term"]) for row in rows])
    ax.grid(axis="x")
    ax.set(xlabel="Mean |SHAP|, log-odds of leaving (hatched: silence)", title=literal(result.title))
    return ax
