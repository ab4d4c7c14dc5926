"""Figures of who answers, how fast, and who leaves; in the house style of `figures`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from nps_research.results.drawing import INK, PROMOTER, SILENT, axes_for, label, literal, note_at_edge, styled
from nps_research.results.tables import format_value
from nps_research.results.words import share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from nps_research.responding.days_to_answer import DaysToAnswer
    from nps_research.responding.panel_attrition import PanelAttrition
    from nps_research.responding.response_rates import ResponseRates
    from nps_research.responding.who_answers import WhoAnswers

__all__ = ["plot_days_to_answer", "plot_panel_attrition", "plot_response_rates", "plot_who_answers"]


def _rows_with_bars(
    ax: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str], texts: Sequence[str], *, colour: str
) -> None:
    """A point with its interval in percent per row, and its value at the right edge."""
    place = np.arange(len(rows))[::-1]
    value, low, high = (
        np.array([100 * row[name] for row in rows], dtype=float) for name in ("estimate", "conf_low", "conf_high")
    )
    errors = [np.nan_to_num(np.maximum(value - low, 0)), np.nan_to_num(np.maximum(high - value, 0))]
    ax.errorbar(value, place, xerr=errors, fmt="o", color=colour, markersize=7, capsize=4, elinewidth=2)
    for where, text in zip(place, texts, strict=True):
        note_at_edge(ax, text, where)
    ax.set_yticks(place, list(names))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


@styled
def plot_panel_attrition(result: PanelAttrition, ax: Axes | None = None) -> Axes:
    """Share gone at the end with its interval, by earlier misses."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [f"{label(row['term'])} (n = {row['n']:,})" for row in rows]
    _rows_with_bars(ax, rows, names, [share(row["estimate"]) for row in rows], colour=SILENT)
    ax.set_xlim(left=0)
    ax.set(xlabel=f"Gone at the end (%), {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_response_rates(result: ResponseRates, ax: Axes | None = None) -> Axes:
    """Response rate with its interval, a row per wave and one for all."""
    rows = [row for row in result.records if np.isfinite(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [f"{label(row['group'])} (n = {row['n']:,})" for row in rows]
    _rows_with_bars(ax, rows, names, [share(row["estimate"]) for row in rows], colour=PROMOTER)
    ax.set(xlabel=f"Response rate (%), {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_who_answers(result: WhoAnswers, ax: Axes | None = None) -> Axes:
    """How much more or less often each group answers, other things alike, in percentage points."""
    rows = [row for row in result.records if np.isfinite(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [label(f"{literal(row['term'], 24)}: {literal(row['group'], 28)}") for row in rows]
    _rows_with_bars(ax, rows, names, [format_value(row["estimate"], "share_points") for row in rows], colour=PROMOTER)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(
        xlabel=f"Difference of the response rate, percentage points, {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    return ax


@styled
def plot_days_to_answer(result: DaysToAnswer, ax: Axes | None = None) -> Axes:
    """Share of the answers that had come by the end of each band of days."""
    ax = axes_for(ax)
    rows = result.records
    place, value = np.arange(len(rows)), np.array([100 * row["cumulative_share"] for row in rows])
    ax.plot(place, value, "o-", color=PROMOTER, linewidth=2, markersize=7)
    for where, row in zip(place, rows, strict=True):
        ax.annotate(
            share(row["cumulative_share"]),
            (where, 100 * row["cumulative_share"]),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
        )
    ax.set_xticks(place, ["\n".join(textwrap.wrap(literal(row["group"]), 9)) for row in rows])
    ax.margins(x=0.08)
    ax.set(
        ylim=(0, 112),
        xlabel="Days from the invitation to the answer",
        ylabel="Of all answers, had come (%)",
        title=literal(result.title),
    )
    ax.grid(axis="y")
    return ax
