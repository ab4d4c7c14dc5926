"""Figures of where detractors end; in the house style of `figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nps_research.counting.score_bands import band_text
from nps_research.results.drawing import DETRACTOR, INK, PASSIVE, PROMOTER, axes_for, draws, label, literal
from nps_research.results.words import points, share
from nps_research.thresholds.adjusted_risk import AdjustedRisk
from nps_research.thresholds.bands import BandComparison
from nps_research.thresholds.calls import CallsByCut
from nps_research.thresholds.comparison import ThresholdComparison
from nps_research.thresholds.conclusions import LineConclusions
from nps_research.thresholds.risk_by_score import RiskByScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LABEL_ROOM = 4.0  # percent of those called


@draws(RiskByScore)
def plot_risk(result: RiskByScore, ax: Axes | None = None) -> Axes:
    """Rates by score with interval bars; the best step and the straight line over them."""
    ax = axes_for(ax)
    rows = [row for row in result.records if row["n"] > 0]
    place = np.array([(row["low"] + row["high"]) / 2 for row in rows])
    value = np.array([100 * row["estimate"] for row in rows])
    limits = [[100 * row["conf_low"] for row in rows], [100 * row["conf_high"] for row in rows]]
    errors = [np.maximum(value - limits[0], 0), np.maximum(limits[1] - value, 0)]
    ax.errorbar(
        place, value, yerr=errors, fmt="o", color=INK, markersize=6, capsize=4, elinewidth=1.6, label="Observed"
    )
    shapes = (
        ("best_line", "One line, the best", DETRACTOR, "-"),
        ("straight_line", "Gradual (straight on the logit scale)", PASSIVE, "--"),
    )
    for name, words, colour, dashes in shapes:
        fitted = np.array([100 * row[name] for row in rows], dtype=float)
        if np.isfinite(fitted).all():
            how = "steps-mid" if name == "best_line" else "default"
            ax.plot(place, fitted, color=colour, linestyle=dashes, linewidth=2.2, drawstyle=how, label=words)
    ax.set_xticks(place, [row["term"] for row in rows])
    ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3)
    ax.set(
        xlabel="Likelihood to recommend (0 to 10)",
        ylabel=f"Rate (%), {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    return ax


@draws(ThresholdComparison)
def plot_confidence_set(result: ThresholdComparison, ax: Axes | None = None) -> Axes:
    """The p-value of each line: those above the bar cannot be excluded; the convention hatched."""
    ax = axes_for(ax)
    rows = result.shown.to_dict("records")
    alpha = 1 - result.confidence_level
    place = range(len(rows))
    for where, row in zip(place, rows, strict=True):
        is_convention = row["cut"] == band_text(0, result.detractor_max)
        kept = row["p_value"] > alpha
        ax.bar(
            where,
            max(row["p_value"], 0.004),
            width=0.7,
            color=PROMOTER if kept else "white",
            edgecolor=PROMOTER if kept else PASSIVE,
            hatch="///" if is_convention and not kept else None,
        )
    ax.axhline(alpha, color=INK, linestyle="--", linewidth=1)
    names = [
        f"{row['cut']}\n(convention)" if row["cut"] == band_text(0, result.detractor_max) else row["cut"]
        for row in rows
    ]
    ax.set_xticks(list(place), names)
    ax.set(
        ylim=(0, 1.05),
        xlabel="Detractors are",
        ylabel=f"p-value (under {alpha:.2g}: excluded)",
        title=literal(f"If there is one line: which cannot be excluded ({result.confidence_level:.0%})"),
    )
    return ax


@draws(BandComparison)
def plot_bands(result: BandComparison, ax: Axes | None = None) -> Axes:
    """The difference of the two rates with its limits, between the margins."""
    ax = axes_for(ax, n_rows=2)
    row = result.records[0]
    margin = 100 * result.margin
    ax.axvspan(-margin, margin, color=PROMOTER, alpha=0.12, linewidth=0, label="Within the margin: as loyal")
    value = 100 * row["estimate"]
    errors = [[max(value - 100 * row["conf_low"], 0)], [max(100 * row["conf_high"] - value, 0)]]
    ax.errorbar([value], [0], xerr=errors, fmt="o", color=INK, markersize=7, capsize=5, elinewidth=2)
    ax.axvline(0, color=INK, linewidth=0.8)
    reach = max(margin, 100 * abs(row["conf_low"]), 100 * abs(row["conf_high"])) * 1.15
    ax.set_yticks([0], [literal(row["term"])])
    ax.set(
        xlim=(-reach, reach),
        ylim=(-0.6, 1.0),
        xlabel=f"Difference of the rates, percentage points, {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    ax.legend(loc="upper left")
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
    last = -LABEL_ROOM
    for row, across, up in zip(rows, x[1:], y[1:], strict=False):
        if across - last < LABEL_ROOM:  # its name would stand on the one before
            continue
        last = across
        ax.annotate(row["cut"], (across, up), xytext=(-4, 6), textcoords="offset points", ha="right")
    ax.grid()
    ax.legend(loc="lower right")
    ax.set(
        xlim=(0, 102),
        ylim=(0, 105),
        xlabel="Share of those who answered that are called (%)",
        ylabel="Share of bad outcomes reached (%)",
        title=literal(result.title),
    )
    return ax


@draws(LineConclusions)
def plot_line_conclusions(result: LineConclusions, ax: Axes | None = None) -> Axes:
    """Each group's score under both lines: full the convention's, hollow the other's."""
    rows = [row for row in result.records if row["n"] > 0]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = np.arange(len(rows))[::-1]
    for prefix, line, face, shift in (
        ("", result.detractor_max, PROMOTER, 0.13),
        ("other_", result.other, "white", -0.13),
    ):
        value = np.array([row[prefix.rstrip("_") or "estimate"] for row in rows])
        low, high = (np.array([row[f"{prefix}{end}"] for row in rows]) for end in ("conf_low", "conf_high"))
        ax.errorbar(
            value,
            place + shift,
            xerr=[np.maximum(value - low, 0), np.maximum(high - value, 0)],
            fmt="o",
            color=PROMOTER,
            markerfacecolor=face,
            markersize=7,
            capsize=3,
            elinewidth=1.6,
            label=f"Detractors {band_text(0, line)}",
        )
        for where, each in zip(place + shift, value, strict=True):
            ax.annotate(points(each), (1.01, where), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    ax.set_yticks(place, [label(row["group"]) for row in rows])
    ax.grid(axis="x")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_ylim(-0.6, len(rows) + 0.3)
    ax.legend(loc="upper center", ncols=2)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(AdjustedRisk)
def plot_adjusted_risk(result: AdjustedRisk, ax: Axes | None = None) -> Axes:
    """Rates by band as observed (hollow) and adjusted (full), with interval bars on the adjusted."""
    ax = axes_for(ax)
    rows = result.records
    place = np.arange(len(rows))
    value = np.array([100 * row["estimate"] for row in rows])
    errors = [
        np.maximum(value - [100 * row["conf_low"] for row in rows], 0),
        np.maximum([100 * row["conf_high"] for row in rows] - value, 0),
    ]
    observed = [100 * row["observed"] for row in rows]
    ax.plot(
        place - 0.08, observed, "o", markerfacecolor="white", markeredgecolor=INK, markersize=7, label="As observed"
    )
    ax.errorbar(
        place + 0.08,
        value,
        yerr=errors,
        fmt="o",
        color=PROMOTER,
        markersize=7,
        capsize=4,
        elinewidth=1.8,
        label="Adjusted",
    )
    for where, row in zip(place, rows, strict=True):
        ax.annotate(
            share(row["estimate"]),
            (where + 0.08, 100 * row["conf_high"]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.set_xticks(place, [row["term"] for row in rows])
    ax.set_ylim(bottom=0)
    ax.margins(y=0.15)
    ax.grid(axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2)
    ax.set(
        xlabel="Likelihood to recommend (0 to 10)",
        ylabel=f"Rate (%), {result.confidence_level:.0%} interval",
        title=literal(result.title),
    )
    return ax
