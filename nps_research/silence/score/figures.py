"""Figures of what the silent might have said."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from nps_research.results.drawing import (
    SIDES,
    axes_for,
    band,
    draws,
    estimate_rows,
    estimates,
    label,
    legend_below,
    literal,
    name_points,
    rows_axis,
    with_interval,
)
from nps_research.results.palette import DETRACTOR, HATCHED, INK, PASSIVE, PROMOTER
from nps_research.results.words import format_value, points
from nps_research.silence.score.balance import MEAN, TOLERABLE, ResponseBalance
from nps_research.silence.score.earlier_scores import EarlierScores
from nps_research.silence.score.estimates import HIGHEST, LOWEST, NAIVE, OBSERVED
from nps_research.silence.score.result import SilentScore
from nps_research.silence.score.shifts import SilentShifts

MARKS = {"observed": "o", "raked": "s", "logistic": "D", "boosted": "^"}
COLOURS = {"observed": DETRACTOR, "raked": PASSIVE, "logistic": PROMOTER, "boosted": INK}
MOST_DRAWN = 20  # groups of the balance, those furthest off


@draws(SilentScore)
def plot_silent_score(result: SilentScore, ax: Axes | None = None) -> Axes:
    """Each method's score with its interval; what is possible as a hatched bar behind them all."""
    rows = {row["term"]: row for row in result.records}
    low, high = rows.pop(LOWEST)["estimate"], rows.pop(HIGHEST)["estimate"]
    ranges = {"what is possible": (low, high)}
    thin = result.hardly_answering
    if thin is not None and np.isfinite(thin.low):
        ranges = {"of some hardly anybody answered": (thin.low, thin.high), **ranges}
    ax = axes_for(ax, n_rows=len(rows) + len(ranges))
    names = [literal(f"{term}, no estimate" if term == NAIVE else term) for term in rows]
    place = rows_axis(ax, [*names, *ranges])
    ax.axvspan(low, high, color=HATCHED, alpha=0.06, linewidth=0)
    for where, (start, end) in zip(place[len(rows) :], ranges.values(), strict=True):
        ax.barh([where], [end - start], left=[start], height=0.5, facecolor="white", edgecolor=HATCHED, hatch="///")
        ax.annotate(
            f"{points(start)} to {points(end)}",
            ((start + end) / 2, where),
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    for where, (term, row) in zip(place, rows.items(), strict=False):
        colour = PASSIVE if term == NAIVE else DETRACTOR if term == OBSERVED else PROMOTER
        estimates(ax, [where], [row], text=points, color=colour, fmt="x" if term == NAIVE else "o")
    ax.set_xlabel(with_interval(f"NPS of all who were {result.asked}, points", result))
    return ax


@draws(ResponseBalance)
def plot_balance(result: ResponseBalance, ax: Axes | None = None) -> Axes:
    """Standardised differences per group, before weighting and after; those furthest off before come first."""
    rows = sorted(result.records, key=lambda row: -abs(float(row["observed"])))[:MOST_DRAWN]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [
        literal(format_value(row["term"], "name"), 24)
        + (", mean" if row["group"] == MEAN else f": {label(row['group'])}")
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
    ax.set_xlabel(f"Answered less all {result.asked}, standard deviations")
    return ax


@draws(SilentShifts)
def plot_shifts(result: SilentShifts, ax: Axes | None = None) -> Axes:
    """NPS of all against the shift of the silent, with a band for its limits; turning points marked."""
    ax = axes_for(ax)
    rows = result.records
    shift = [row["shift"] for row in rows]
    band(ax, shift, rows, colour=PROMOTER)
    ax.plot(shift, [row["estimate"] for row in rows], color=PROMOTER, linewidth=2)
    turns = [row for row in rows if row["term"]]
    places = [(row["shift"], row["estimate"]) for row in turns]
    ax.plot([x for x, _ in places], [y for _, y in places], "o", color=DETRACTOR, markersize=7)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.grid(axis="y")
    ax.margins(x=0.03, y=0.15)
    ax.set(xlabel="The silent below their weighted estimate, NPS points", ylabel=with_interval("NPS of all", result))
    name_points(ax, places, [label(row["term"]) for row in turns], sides=SIDES[4:] + SIDES[:4])
    return ax


@draws(EarlierScores)
def plot_earlier_scores(result: EarlierScores, ax: Axes | None = None) -> Axes:
    """Last earlier NPS of both, and the difference, with interval bars."""
    rows = result.records
    names = [f"{literal(row['term'])} (n = {row['n']:,})" for row in rows]
    return estimate_rows(result, rows, names, ax, words="NPS, points")
