"""Figures of what the silent might have said."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    note_at_edge,
    rows_axis,
)
from nps_research.results.words import points
from nps_research.silence.score.balance import MEAN, TOLERABLE, ResponseBalance
from nps_research.silence.score.earlier_scores import EarlierScores
from nps_research.silence.score.estimates import HIGHEST, LOWEST, NAIVE, OBSERVED
from nps_research.silence.score.full_response import SilentScore
from nps_research.silence.score.shifts import SilentShifts

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MARKS = {"observed": "o", "raked": "s", "logistic": "D", "boosted": "^"}
COLOURS = {"observed": DETRACTOR, "raked": PASSIVE, "logistic": PROMOTER, "boosted": INK}
MOST_DRAWN = 20  # groups of the balance, those furthest off


@draws(SilentScore)
def plot_silent_score(result: SilentScore, ax: Axes | None = None) -> Axes:
    """Each method's score with its interval; what is possible as a hatched bar behind them all."""
    rows = {row["term"]: row for row in result.records}
    low, high = rows.pop(LOWEST)["estimate"], rows.pop(HIGHEST)["estimate"]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [literal(f"{term}, no estimate" if term == NAIVE else term) for term in rows]
    place = rows_axis(ax, [*names, "what is possible"])
    ax.barh([place[-1]], [high - low], left=[low], height=0.5, facecolor="white", edgecolor=HATCHED, hatch="///")
    ax.axvspan(low, high, color=HATCHED, alpha=0.06, linewidth=0)
    ax.annotate(
        f"{points(low)} to {points(high)}",
        ((low + high) / 2, place[-1]),
        ha="center",
        va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )
    for (term, row), where in zip(rows.items(), place, strict=False):
        colour = PASSIVE if term == NAIVE else DETRACTOR if term == OBSERVED else PROMOTER
        ax.plot([row["conf_low"], row["conf_high"]], [where, where], color=colour, linewidth=2)
        ax.plot([row["estimate"]], [where], "x" if term == NAIVE else "o", color=colour, markersize=7)
        note_at_edge(ax, points(row["estimate"]), where)
    ax.set(
        xlabel=f"NPS of all who were reached, points, with {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    return ax


@draws(ResponseBalance)
def plot_balance(result: ResponseBalance, ax: Axes | None = None) -> Axes:
    """Standardised differences per group, before weighting and after; those furthest off before come first."""
    rows = sorted(result.records, key=lambda row: -abs(float(row["observed"])))[:MOST_DRAWN]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [
        f"{literal(row['term'], 24)}: {label(row['group'])}"
        if row["group"] != MEAN
        else f"{literal(row['term'], 24)}, mean"
        for row in rows
    ]
    place = rows_axis(ax, names)
    ax.axvspan(-TOLERABLE, TOLERABLE, color=PASSIVE, alpha=0.12, linewidth=0)
    for name in ("observed", *result.weightings):
        ax.plot(
            [row[name] for row in rows],
            place,
            MARKS[name],
            color=COLOURS[name],
            markerfacecolor=COLOURS[name] if name == "observed" else "white",
            markersize=7,
            label="before" if name == "observed" else name,
        )
    legend_below(ax, ncols=4)
    ax.set(xlabel="Answered less all reached, standard deviations", title=literal(result.title))
    return ax


@draws(SilentShifts)
def plot_shifts(result: SilentShifts, ax: Axes | None = None) -> Axes:
    """NPS of all against the shift of the silent, with a band for its limits; turning points marked."""
    ax = axes_for(ax)
    rows = result.records
    shift, value = [row["shift"] for row in rows], [row["estimate"] for row in rows]
    ax.fill_between(
        shift,
        [row["conf_low"] for row in rows],
        [row["conf_high"] for row in rows],
        color=PROMOTER,
        alpha=0.18,
        linewidth=0,
    )
    ax.plot(shift, value, color=PROMOTER, linewidth=2)
    turns = [row for row in rows if row["term"]]
    ax.plot([row["shift"] for row in turns], [row["estimate"] for row in turns], "o", color=DETRACTOR, markersize=7)
    for row in turns:
        ax.annotate(
            label(row["term"]),
            (row["shift"], row["estimate"]),
            xytext=(6, 6),
            textcoords="offset points",
            ha="left" if row["shift"] < np.mean([min(shift), max(shift)]) else "right",
        )
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.grid(axis="y")
    ax.margins(x=0.03, y=0.15)
    ax.set(
        xlabel="The silent below their weighted estimate, NPS points",
        ylabel=f"NPS of all, with {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    return ax


@draws(EarlierScores)
def plot_earlier_scores(result: EarlierScores, ax: Axes | None = None) -> Axes:
    """Last earlier NPS of both, and the difference, with interval bars."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    place = rows_axis(ax, [f"{literal(row['term'])} (n = {row['n']:,})" for row in rows])
    for row, where in zip(rows, place, strict=True):
        ax.plot([row["conf_low"], row["conf_high"]], [where, where], color=PROMOTER, linewidth=2)
        ax.plot([row["estimate"]], [where], "o", color=PROMOTER, markersize=7)
        note_at_edge(ax, points(row["estimate"]), where)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax
