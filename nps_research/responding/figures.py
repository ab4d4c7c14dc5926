"""Figures of who answers, how fast, and who leaves; in the house style of `figures`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from nps_research.responding.days_to_answer import DaysToAnswer
from nps_research.responding.funnel import ResponseFunnel
from nps_research.responding.panel_attrition import PanelAttrition
from nps_research.responding.representativeness import Representativeness
from nps_research.responding.response_rates import ResponseRates
from nps_research.responding.who_answers import WhoAnswers
from nps_research.results.drawing import (
    HATCHED,
    INK,
    PROMOTER,
    axes_for,
    draws,
    label,
    legend_below,
    literal,
    note_at_edge,
)
from nps_research.results.words import format_value, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes


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


@draws(PanelAttrition)
def plot_panel_attrition(result: PanelAttrition, ax: Axes | None = None) -> Axes:
    """Share gone at the end with its interval, by earlier misses."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [f"{label(row['term'])} (n = {row['n']:,})" for row in rows]
    _rows_with_bars(ax, rows, names, [share(row["estimate"]) for row in rows], colour=HATCHED)
    ax.set_xlim(left=0)
    ax.set(xlabel=f"Gone at the end (%), {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(ResponseRates)
def plot_response_rates(result: ResponseRates, ax: Axes | None = None) -> Axes:
    """Response rate with its interval, a row per wave and one for all."""
    rows = [row for row in result.records if np.isfinite(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [f"{label(row['group'])} (n = {row['n']:,})" for row in rows]
    _rows_with_bars(ax, rows, names, [share(row["estimate"]) for row in rows], colour=PROMOTER)
    ax.set(xlabel=f"Response rate (%), {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(WhoAnswers)
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


@draws(DaysToAnswer)
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


@draws(ResponseFunnel)
def plot_funnel(result: ResponseFunnel, ax: Axes | None = None) -> Axes:
    """Invited, delivered, returned, answered: bars that shrink; the silent hatched beside the returned."""
    row = result.records[-1]
    ax = axes_for(ax, n_rows=5)
    steps = [
        ("Invited", "invited"),
        ("Delivered", "delivered"),
        ("Returned", "returned"),
        ("Answered the question", "n"),
    ]
    place = list(range(len(steps)))[::-1]
    widths = [row[column] for _, column in steps]
    ax.barh(place, widths, color=PROMOTER, height=0.62)
    ax.barh(
        [place[2]],
        [row["nonrespondents"]],
        left=[row["returned"]],
        height=0.62,
        facecolor="white",
        edgecolor=HATCHED,
        hatch="///",
    )
    ax.annotate(
        f"silent {row['nonrespondents']:,}",
        (row["returned"] + row["nonrespondents"] / 2, place[2] - 0.36),
        ha="center",
        va="top",
    )
    for where, width in zip(place, widths, strict=True):
        ax.annotate(
            f"{width:,} ({share(width / row['invited'])})",
            (0, where),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color="white",
            fontweight="bold",
        )
    ax.set_yticks(place, [name for name, _ in steps])
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.set_title(literal(result.title))
    return ax


@draws(Representativeness)
def plot_representativeness(result: Representativeness, ax: Axes | None = None) -> Axes:
    """Share of the base (hollow) and of the answers (full) per group, joined by a line."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    place = list(range(len(rows)))[::-1]
    base, answers = [100 * row["base_share"] for row in rows], [100 * row["answer_share"] for row in rows]
    ax.hlines(place, base, answers, color="#5A5A5A", linewidth=1.5)
    ax.plot(base, place, "o", markerfacecolor="white", markeredgecolor=INK, markersize=8, label="Share of the base")
    ax.plot(answers, place, "o", color=PROMOTER, markersize=8, label="Share of the answers")
    ax.set_yticks(place, [label(f"{literal(row['term'], 24)}: {literal(row['group'], 28)}") for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    legend_below(ax, ncols=2)
    ax.set(xlabel="Share (%)", title=literal(result.title))
    return ax
