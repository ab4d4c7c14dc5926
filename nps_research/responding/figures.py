"""Figures of who answers, how fast, and who leaves."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from nps_research.responding.days_to_answer import DaysToAnswer
from nps_research.responding.funnel import ResponseFunnel
from nps_research.responding.panel_attrition import PanelAttrition
from nps_research.responding.representativeness import Representativeness
from nps_research.responding.response_rates import ResponseRates
from nps_research.responding.who_answers import WhoAnswers
from nps_research.results.drawing import (
    above,
    axes_for,
    bars,
    draws,
    dumbbells,
    estimate_rows,
    label,
    literal,
    rows_axis,
)
from nps_research.results.palette import HATCHED, PROMOTER
from nps_research.results.words import format_value, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(PanelAttrition)
def plot_panel_attrition(result: PanelAttrition, ax: Axes | None = None) -> Axes:
    """Share gone at the end with its interval, by earlier misses."""
    rows = result.records
    names = [f"{label(row['term'])} (n = {row['n']:,})" for row in rows]
    return estimate_rows(result, rows, names, ax, words="Gone at the end (%)", text=share, scale=100, color=HATCHED)


@draws(ResponseRates)
def plot_response_rates(result: ResponseRates, ax: Axes | None = None) -> Axes:
    """Response rate with its interval, a row per wave and one for all."""
    rows = [row for row in result.records if np.isfinite(row["estimate"])]
    names = [f"{label(row['group'])} (n = {row['n']:,})" for row in rows]
    return estimate_rows(result, rows, names, ax, words="Response rate (%)", text=share, scale=100, zero=False)


@draws(WhoAnswers)
def plot_who_answers(result: WhoAnswers, ax: Axes | None = None) -> Axes:
    """How much more or less often each group answers, other things equal, in percentage points."""
    rows = [row for row in result.records if np.isfinite(row["estimate"])]
    names = [label(f"{literal(row['term'], 24)}: {literal(row['group'], 28)}") for row in rows]
    words = "Difference of the response rate, percentage points"
    return estimate_rows(
        result, rows, names, ax, words=words, text=lambda value: format_value(value, "share_points"), scale=100
    )


@draws(DaysToAnswer)
def plot_days_to_answer(result: DaysToAnswer, ax: Axes | None = None) -> Axes:
    """Share of the answers that had come by the end of each band of days."""
    ax = axes_for(ax)
    rows = result.records
    place, value = np.arange(len(rows)), np.array([100 * row["cumulative_share"] for row in rows])
    ax.plot(place, value, "o-", color=PROMOTER, linewidth=2, markersize=7)
    for where, row in zip(place, rows, strict=True):
        above(ax, share(row["cumulative_share"]), (where, 100 * row["cumulative_share"]), gap=7)
    ax.set_xticks(place, ["\n".join(textwrap.wrap(literal(row["group"]), 9)) for row in rows])
    ax.margins(x=0.08)
    ax.set(ylim=(0, 112), xlabel="Days from the invitation to the answer", ylabel="Of all answers, had come (%)")
    ax.grid(axis="y")
    return ax


@draws(ResponseFunnel)
def plot_funnel(result: ResponseFunnel, ax: Axes | None = None) -> Axes:
    """Invited, delivered, returned, answered: bars that shrink; the silent hatched beside the returned."""
    row = result.records[-1]
    ax = axes_for(ax, n_rows=5)
    steps = {"Invited": "invited", "Delivered": "delivered", "Returned": "returned", "Answered the question": "n"}
    steps = {name: column for name, column in steps.items() if row[column] == row[column]}  # what is recorded
    widths, returned = [int(row[column]) for column in steps.values()], list(steps).index("Returned")
    bars(ax, widths, PROMOTER)
    place = rows_axis(ax, list(steps), zero=False)
    ax.grid(visible=False)
    silent = row["nonrespondents"]
    ax.barh(
        place[returned : returned + 1],
        [silent],
        left=[row["returned"]],
        height=0.6,
        facecolor="white",
        edgecolor=HATCHED,
        hatch="////",
    )
    ax.annotate(f"silent {silent:,}", (row["returned"] + silent / 2, place[returned] + 0.34), ha="center", va="top")
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
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([])
    return ax


@draws(Representativeness)
def plot_representativeness(result: Representativeness, ax: Axes | None = None) -> Axes:
    """Share of the base (hollow) and of the answers (full) per group, joined by a line."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    names = [label(f"{literal(row['term'], 24)}: {literal(row['group'], 28)}") for row in rows]
    base, answers = ([row[name] for row in rows] for name in ("base_share", "answer_share"))
    dumbbells(ax, names, base, answers, words=("Share of the base", "Share of the answers"))
    ax.set_xlabel("Share (%)")
    return ax
