"""Figures of where detractors end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nps_research.counting.score_bands import band_text
from nps_research.results.drawing import (
    axes_for,
    draws,
    estimates,
    label,
    legend_below,
    literal,
    rows_axis,
    with_interval,
)
from nps_research.results.palette import DETRACTOR, INK, PASSIVE, PROMOTER
from nps_research.results.result import Result
from nps_research.results.words import points, quoted, share
from nps_research.thresholds.adjusted_risk import AdjustedRisk
from nps_research.thresholds.calls import CallsByCut
from nps_research.thresholds.comparison import ThresholdComparison
from nps_research.thresholds.conclusions import LineConclusions
from nps_research.thresholds.risk_by_score import RiskByScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LABEL_ROOM = 4.0  # percent of those called


def _by_score(ax: Axes, result: Result, place: Sequence[float], names: Sequence[str]) -> Axes:
    """Axes of rates by score, from zero up, and the legend below."""
    ax.set_xticks(place, names)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    legend_below(ax, ncols=3)
    ax.set(xlabel="Likelihood to recommend (0 to 10)", ylabel=with_interval("Rate (%)", result))
    return ax


@draws(RiskByScore)
def plot_risk(result: RiskByScore, ax: Axes | None = None) -> Axes:
    """Rates by score with interval bars; the best step and the straight line over them."""
    ax = axes_for(ax)
    rows = result.records
    place = [(row["low"] + row["high"]) / 2 for row in rows]
    how: dict[str, Any] = {"color": INK, "markersize": 6, "elinewidth": 1.6, "label": "Observed"}
    estimates(ax, place, rows, scale=100, upright=True, **how)
    for name, words, colour, dashes, steps in (
        ("best_line", "One line, the best", DETRACTOR, "-", "steps-mid"),
        ("straight_line", "Gradual (straight on the logit scale)", PASSIVE, "--", "default"),
    ):
        fitted = np.array([100 * row[name] for row in rows], dtype=float)
        if np.isfinite(fitted).all():
            ax.plot(place, fitted, color=colour, linestyle=dashes, linewidth=2.2, drawstyle=steps, label=words)
    return _by_score(ax, result, place, [row["term"] for row in rows])


@draws(AdjustedRisk)
def plot_adjusted_risk(result: AdjustedRisk, ax: Axes | None = None) -> Axes:
    """Rates by band as observed (hollow) and adjusted (full), with interval bars on the adjusted."""
    ax = axes_for(ax)
    rows = result.records
    place = np.arange(len(rows))
    observed = [100 * row["observed"] for row in rows]
    hollow: dict[str, Any] = {
        "markerfacecolor": "white",
        "markeredgecolor": INK,
        "markersize": 7,
        "label": "As observed",
    }
    ax.plot(place - 0.08, observed, "o", **hollow)
    estimates(ax, place + 0.08, rows, scale=100, text=share, upright=True, label="Adjusted")
    ax.margins(y=0.15)
    return _by_score(ax, result, place.tolist(), [row["term"] for row in rows])


@draws(ThresholdComparison)
def plot_confidence_set(result: ThresholdComparison, ax: Axes | None = None) -> Axes:
    """How much more often the outcome comes below each line than above: full where the line cannot be excluded.

    Where it changes gradually there is no line to draw: the three classes with their rates take its place.
    """
    if result.classes_shown:
        return _three_classes(result, ax)
    rows = [row for row in result.records if np.isfinite(row["risk_ratio"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    convention = band_text(0, result.detractor_max)
    names = [f"{row['cut']} (convention)" if row["cut"] == convention else row["cut"] for row in rows]
    place = rows_axis(ax, names, zero=False)
    kept = np.array([row["p_value"] > 1 - result.confidence_level for row in rows], dtype=bool)
    hollow: dict[str, Any] = {"color": PASSIVE, "markerfacecolor": "white"}
    for of_these, words, how in ((kept, "Cannot be excluded", dict[str, Any]()), (~kept, "Excluded", hollow)):
        those = [row for row, taken in zip(rows, of_these, strict=True) if taken]
        if those:
            estimates(
                ax, place[of_these], those, column="risk_ratio", text=lambda ratio: f"{ratio:.2f}", label=words, **how
            )
    ax.axvline(1, color=INK, linewidth=0.8, linestyle="--")
    if rows:
        legend_below(ax, ncols=2)
    ax.set(
        xlabel=with_interval("Rate below the line, times that above it", result),
        ylabel="Detractors are",
        title=literal(f"If there is one line: which cannot be excluded ({result.confidence_level:.0%})"),
    )
    return ax


def _three_classes(result: ThresholdComparison, ax: Axes | None) -> Axes:
    """Rates of detractors, passives and promoters with interval bars."""
    rows = result.classes_shown
    ax = axes_for(ax)
    for place, row in enumerate(rows):
        colour = {"Detractors": DETRACTOR, "Passives": PASSIVE, "Promoters": PROMOTER}[row["class"]]
        estimates(ax, [place], [row], scale=100, text=share, upright=True, color=colour)
    ax.set_xticks(range(len(rows)), [f"{row['class']} ({row['term']})" for row in rows])
    ax.set_xlim(-0.5, len(rows) - 0.5)
    ax.margins(y=0.2)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    ax.set(
        xlabel="Class, by likelihood to recommend",
        ylabel=with_interval("Rate (%)", result),
        title=literal(f"No one line: {quoted(result.outcome)} by class"),
    )
    return ax


@draws(CallsByCut)
def plot_calls(result: CallsByCut, ax: Axes | None = None) -> Axes:
    """Share of bad outcomes reached against the share of customers called; the diagonal calls at random."""
    ax = axes_for(ax)
    rows = result.records
    x = [0.0, *(100 * row["call_share"] for row in rows), 100.0]
    y = [0.0, *(100 * row["reached_share"] for row in rows), 100.0]
    ax.plot([0, 100], [0, 100], color=PASSIVE, linestyle="--", linewidth=1.4, label="Calling at random")
    ax.plot(x, y, "o-", color=DETRACTOR, linewidth=2, label="Calling from the lowest score up")
    told = {band_text(0, line) for line in result.lines}
    labelled: list[float] = []
    by_weight = sorted(zip(rows, x[1:], y[1:], strict=False), key=lambda point: point[0]["cut"] not in told)
    for row, across, up in by_weight:  # the lines that the finding compares first
        if any(abs(across - taken) < LABEL_ROOM for taken in labelled):  # its name would stand on another's
            continue
        labelled.append(across)
        ax.annotate(row["cut"], (across, up), xytext=(-4, 6), textcoords="offset points", ha="right")
    ax.grid()
    ax.legend(loc="lower right")
    ax.set(
        xlim=(0, 102),
        ylim=(0, 105),
        xlabel="Share of those who answered that are called (%)",
        ylabel="Share of bad outcomes reached (%)",
    )
    return ax


@draws(LineConclusions)
def plot_line_conclusions(result: LineConclusions, ax: Axes | None = None) -> Axes:
    """Each group's score under both lines: full the convention's, hollow the other's."""
    rows = result.answered
    ax = axes_for(ax, n_rows=2 * len(rows) + 1)
    place = rows_axis(ax, [label(row["group"]) for row in rows])
    for column, line, shift, face in (
        ("estimate", result.detractor_max, -0.18, PROMOTER),
        ("other", result.other, 0.18, "white"),
    ):
        words = f"Detractors {band_text(0, line)}"
        estimates(ax, place + shift, rows, column=column, text=points, markerfacecolor=face, label=words)
    legend_below(ax, ncols=2)
    ax.set_xlabel(with_interval("NPS, points", result))
    return ax
