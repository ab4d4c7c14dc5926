"""Figures of driver models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from nps_research.drivers.asymmetry import NO_CLASS, RatingAsymmetry
from nps_research.drivers.bridge import ScoreBridge
from nps_research.drivers.calibration import ModelCalibration
from nps_research.drivers.effects import MISSING, ContributionSpread, RatingEffect
from nps_research.drivers.groups import DriversByGroup
from nps_research.drivers.interactions import DriverInteractions
from nps_research.drivers.lists import DriverList, with_estimate
from nps_research.drivers.methods import DriverMethods
from nps_research.drivers.model import DriverModel
from nps_research.drivers.priorities import ImportancePerformance, Improvement
from nps_research.drivers.waterfall import shap_drawing
from nps_research.results.drawing import (
    at_edge,
    axes_for,
    band,
    draws,
    estimate_rows,
    estimates,
    label,
    legend_below,
    limits,
    literal,
    name_points,
    rows_axis,
)
from nps_research.results.palette import DETRACTOR, GREY, INK, PASSIVE, PROMOTER
from nps_research.results.words import points

LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", [DETRACTOR, "#B8A9B0", PROMOTER])
FIRST_TO_LAST = LinearSegmentedColormap.from_list("first to last", ["#66AAD1", "#F2F8FB"])  # pale under numbers
OUTLINED: dict[str, Any] = {"height": 0.56, "edgecolor": "white", "linewidth": 0}  # bars whose hatch is white
TESTS_DRAWN = 3
LEVELS_DRAWN = 8
RANKS = {  # column of ranks -> method
    "rank_estimate": "Points\nat stake",
    "rank_path_dependent_points": "Path-\ndependent",
    "rank_mean_abs_shap": "Mean\nsize",
    "rank_general_dominance": "LMG",
    "rank_relative_weight": "Johnson",
    "rank_correlation_points": "Rating\nalone",
}


def _is_real(row: Mapping[str, Any]) -> bool:
    return bool(pd.notna(row["above_noise"]) and row["above_noise"])


@draws(DriverModel)
def plot_drivers(result: DriverModel, ax: Axes | None = None) -> Axes:
    """Points at stake in two parts, with the interval of their sum; pale where not above noise."""
    rows = with_estimate(result)
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for where, row in zip(place, rows, strict=True):
        ends = {True: 0.0, False: 0.0}  # to the right of zero, and to the left
        for name, colour, hatch in (("promoter_points", PROMOTER, ""), ("detractor_points", DETRACTOR, "///")):
            width, pale = row[name], 1.0 if _is_real(row) else 0.35
            ax.barh(where, width, left=ends[width >= 0], color=colour, hatch=hatch, alpha=pale, **OUTLINED)
            ends[width >= 0] += width
    low, high = ([row[name] for row in rows] for name in ("conf_low", "conf_high"))
    interval = ax.hlines(place + 0.38, low, high, color=INK, linewidth=1.6)
    at_edge(ax, [points(row["estimate"]) for row in rows], place)
    interval.set_label(f"{result.confidence_level:.0%} interval of the sum")
    handles = [
        ax.barh([np.nan], [0], color=PROMOTER, label="Making promoters"),
        ax.barh([np.nan], [0], color=DETRACTOR, hatch="///", edgecolor="white", label="Keeping from detractors"),
        interval,
    ]
    legend_below(ax, ncols=2, handles=handles)
    ax.set_xlabel("NPS points at stake (pale: not above noise)")
    return ax


@draws(DriverList)
def plot_driver_list(result: DriverList, ax: Axes | None = None) -> Axes:
    """One list, with intervals."""
    colour = PROMOTER if result.part == "promoter" else DETRACTOR
    return _hollow_or_full(result, ax, words="NPS points at stake", color=colour)


@draws(Improvement)
def plot_improvement(result: Improvement, ax: Axes | None = None) -> Axes:
    """NPS associated, with intervals."""
    return _hollow_or_full(result, ax, words="NPS points")


def _hollow_or_full(result: DriverList | Improvement, ax: Axes | None, *, words: str, **how: Any) -> Axes:
    """Estimates of the ratings that have one; hollow where not above noise."""
    rows = with_estimate(result)
    names, hollow = [label(row["term"]) for row in rows], [not _is_real(row) for row in rows]
    ax = estimate_rows(result, rows, names, ax, words=words, hollow=hollow, **how)
    ax.set_xlabel(f"{ax.get_xlabel()} (hollow: not above noise)")
    return ax


@draws(DriverInteractions)
def plot_interactions(result: DriverInteractions, ax: Axes | None = None) -> Axes:
    """Extra points of the pairs shown."""
    rows = [row for row in result.records if pd.notna(row["std_error"])]
    return estimate_rows(result, rows, [label(row["pair"]) for row in rows], ax, words="Extra NPS points")


@draws(DriversByGroup)
def plot_drivers_by_group(result: DriversByGroup, ax: Axes | None = None) -> Axes:
    """Points at stake by group, of the drivers with the strongest evidence that groups differ."""
    chosen = list(dict.fromkeys((row["by"], row["term"]) for row in result.records))[:TESTS_DRAWN]
    rows = [row for row in result.records if (row["by"], row["term"]) in chosen]
    names = [label(f"{literal(row['term'], 26)}: {literal(row['group'], 26)}") for row in rows]
    ax = estimate_rows(result, rows, names, ax, words="NPS points at stake")
    ax.set_title(literal(f"{result.title}: where groups differ most"))
    return ax


@draws(ScoreBridge)
def plot_bridge(result: ScoreBridge, ax: Axes | None = None) -> Axes:
    """From one score to the other, part by part; small parts together."""
    rows = result.records
    shown = [row for row in rows[:-1] if abs(row["estimate"]) >= 0.3][:8]
    other = sum(row["estimate"] for row in rows[:-1]) - sum(row["estimate"] for row in shown)
    steps = [(str(row["term"]), float(row["estimate"])) for row in shown]
    steps += [("All other ratings", float(other)), (str(rows[-1]["term"]), float(rows[-1]["estimate"]))]
    ax = axes_for(ax, n_rows=len(steps) + 2)
    names = [f"NPS, {result.from_group}", *(name for name, _ in steps), f"NPS, {result.to_group}"]
    place = rows_axis(ax, [label(name) for name in names])
    ends, at = [result.score_from, result.score_to], result.score_from
    ax.barh(place[[0, -1]], ends, color=PASSIVE, height=0.56)
    for where, (_, step) in zip(place[1:-1], steps, strict=True):
        up = step >= 0
        ax.barh(where, step, left=at, color=PROMOTER if up else DETRACTOR, hatch="" if up else "///", **OUTLINED)
        at += step
        ax.plot([at, at], [where - 0.28, where + 0.9], color=INK, linewidth=0.8)
    at_edge(ax, [points(value) for value in (ends[0], *(step for _, step in steps), ends[1])], place)
    ax.set_xlabel("NPS, points")
    return ax


@draws(ModelCalibration)
def plot_calibration(result: ModelCalibration, ax: Axes | None = None) -> Axes:
    """Observed against predicted NPS, with the line on which both are the same."""
    ax = axes_for(ax)
    rows = result.records
    predicted, observed = [row["predicted"] for row in rows], [row["estimate"] for row in rows]
    ends = [min(predicted + observed), max(predicted + observed)]
    ax.plot(ends, ends, color=GREY, linewidth=1, linestyle="--", label="As predicted")
    estimates(ax, predicted, rows, upright=True, capsize=3, elinewidth=1.5, label="A tenth of the answers")
    ax.grid()
    ax.legend(loc="upper left")
    ax.set(xlabel="Predicted NPS, points", ylabel="Observed NPS, points")
    return ax


@draws(RatingAsymmetry)
def plot_asymmetry(result: RatingAsymmetry, ax: Axes | None = None) -> Axes:
    """Points lost per rating point below the middle to the left, won above it to the right."""
    rows = with_estimate(result)
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for name, side, colour, hatch in (("penalty", -1, DETRACTOR, "///"), ("reward", 1, PROMOTER, "")):
        drawn = ax.barh(place, [side * row[name] for row in rows], color=colour, hatch=hatch, **OUTLINED)
        for bar, row in zip(drawn, rows, strict=True):
            bar.set_alpha(0.35 if row["class"] == NO_CLASS else 1.0)
        value, (below, above) = limits(rows, name)
        ax.hlines(place, side * (value - below), side * (value + above), color=INK, linewidth=1.4)
    classed = [row["class"] + "?" * (not row["certain"]) for row in rows]
    said = ["not above noise" if kind.startswith(NO_CLASS) else kind for kind in classed]
    at_edge(ax, said, place, weight="normal")
    ax.set_xlabel("NPS points per rating point: lost below the middle (left), won above it (right)")
    return ax


@draws(ImportancePerformance)
def plot_importance_performance(result: ImportancePerformance, ax: Axes | None = None) -> Axes:
    """Points at stake against mean ratings, with the lines at which quarters meet."""
    ax = axes_for(ax, height=5.4)
    rows = result.records
    ax.axhline(result.points_line, color=GREY, linewidth=1, linestyle="--")
    ax.axvline(result.rating_line, color=GREY, linewidth=1, linestyle="--")
    places = [(row["mean_rating"], row["estimate"]) for row in rows]
    for (rating, _), row in zip(places, rows, strict=True):
        first, real = row["quadrant"] == "look here first", row["quadrant"] != "not above noise"
        colour = DETRACTOR if first else PROMOTER if real else PASSIVE
        how: dict[str, Any] = {
            "color": colour,
            "markerfacecolor": colour if real else "white",
            "fmt": "s" if first else "o",
        }
        estimates(ax, [rating], [row], upright=True, capsize=0, elinewidth=1.2, markersize=8, **how)
    ax.margins(x=0.18, y=0.1)
    for (x, y), text, across, up in (
        ((0.01, 0.99), "Look here first", "left", "top"),
        ((0.99, 0.99), "Keep it up", "right", "top"),
        ((0.01, 0.01), "Low priority", "left", "bottom"),
        ((0.99, 0.01), "Holding", "right", "bottom"),
    ):
        ax.annotate(text, (x, y), xycoords="axes fraction", ha=across, va=up, color=GREY, fontweight="bold")
    ax.grid()
    ax.set(xlabel="Mean rating", ylabel="NPS points at stake (hollow: not above noise)")
    name_points(ax, places, [literal(row["term"], 24) for row in rows])
    return ax


@draws(RatingEffect)
def plot_rating_effect(result: RatingEffect, ax: Axes | None = None) -> Axes:
    """Dependence of single contributions on the rating: a dot a respondent, the mean with its band, its two parts."""
    ax = axes_for(ax)
    rows = result.records
    names = [row["term"] for row in rows]
    rated = [place for place, name in enumerate(names) if name != MISSING]
    dots = result.dots[[name in names for name in result.dots["term"]]]
    if len(dots):
        with shap_drawing() as shap:
            at = np.array([names.index(name) for name in dots["term"]], dtype=float)
            explained = shap.Explanation(values=dots["contribution"].to_numpy(), data=at, feature_names=result.driver)
            shap.plots.scatter(
                explained, ax=ax, show=False, hist=False, color=PASSIVE, alpha=0.45, dot_size=9, x_jitter=0.5
            )
        ax.collections[0].set_label("Answers drawn at random")
    ax.axhline(0, color=INK, linewidth=0.8)
    both = [rows[place] for place in rated]
    band(ax, rated, both, colour=INK)
    ax.plot(rated, [row["estimate"] for row in both], "o-", color=INK, linewidth=2, label="Both")
    for name, colour, dashes, words in (
        ("promoter_points", PROMOTER, "--", "Making promoters"),
        ("detractor_points", DETRACTOR, ":", "Keeping from detractors"),
    ):
        ax.plot(rated, [row[name] for row in both], dashes, color=colour, linewidth=2, label=words)
    unrated = [place for place in range(len(rows)) if place not in rated]
    estimates(ax, unrated, [rows[place] for place in unrated], upright=True, color=GREY)
    many = len(rows) > LEVELS_DRAWN  # then "n =" under each would run into the next
    ax.set_xticks(range(len(rows)), [f"{row['term']}\n{'' if many else 'n = '}{row['n']:,}" for row in rows])
    ax.tick_params(labelsize=10)
    ax.grid(axis="y")
    legend_below(ax, ncols=2, drop=5.6)  # under ticks of two lines
    ax.set_xlabel(f"Rating given{', and number of answers' if many else ''}", fontsize=10.5)
    ax.set_ylabel("Contribution, NPS points", fontsize=10.5)
    return ax


@draws(DriverMethods)
def plot_methods(result: DriverMethods, ax: Axes | None = None) -> Axes:
    """Ranks of the drivers by each method as a heat map; bold where methods disagree by two ranks or more."""
    rows = [row for row in result.records if pd.notna(row["rank_estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    ranks = np.array([[row[name] for name in RANKS] for row in rows], dtype=float)
    text = {"fontsize": 10, "color": INK}
    seaborn.heatmap(ranks, annot=True, fmt=".0f", annot_kws=text, cmap=FIRST_TO_LAST, cbar=False, linewidths=2, ax=ax)
    ax.set_xticks(np.arange(len(RANKS)) + 0.5, list(RANKS.values()), rotation=0)
    ax.set_yticks(np.arange(len(rows)) + 0.5, [label(row["term"]) for row in rows], rotation=0)
    for name, moved in zip(ax.get_yticklabels(), np.ptp(ranks, axis=1) >= 2, strict=True):
        name.set_fontweight("bold" if moved else "normal")
    ax.tick_params(length=0)
    ax.set_xlabel("Rank, 1 first (name in bold: ranks differ by two or more)")
    return ax


@draws(ContributionSpread)
def plot_spread(result: ContributionSpread, ax: Axes | None = None) -> Axes:
    """A swarm for each driver, the largest mean size first."""
    names = [label(row["term"]) for row in result.records]
    ax = axes_for(ax, n_rows=len(names) + 1)
    with shap_drawing() as shap:
        shap.plots.beeswarm(
            shap.Explanation(values=result.dots["contributions"], data=result.dots["ratings"], feature_names=names),
            max_display=len(names),
            order=np.arange(len(names)),
            color=LOW_TO_HIGH,
            color_bar=False,
            ax=ax,
            plot_size=None,
            show=False,
            s=9,
        )
    for dots in ax.collections:
        dots.set_rasterized(False)
    ax.tick_params(axis="both", labelsize=10)
    ax.set_xlabel("Contribution to the expected answer, NPS points (vermilion: low rating, blue: high)", fontsize=10.5)
    return ax
