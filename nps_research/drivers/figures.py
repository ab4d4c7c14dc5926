"""Figures of driver models."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from nps_research.drivers.asymmetry import RatingAsymmetry
from nps_research.drivers.bridge import ScoreBridge
from nps_research.drivers.calibration import ModelCalibration
from nps_research.drivers.effects import ContributionSpread, RatingEffect
from nps_research.drivers.groups import DriversByGroup
from nps_research.drivers.interactions import DriverInteractions
from nps_research.drivers.lists import DriverList
from nps_research.drivers.methods import DriverMethods
from nps_research.drivers.model import DriverModel
from nps_research.drivers.priorities import ImportancePerformance, Improvement
from nps_research.results.drawing import (
    DETRACTOR,
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes


LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", [DETRACTOR, "#B8A9B0", PROMOTER])
TESTS_DRAWN = 3
LEVELS_DRAWN = 8


def _is_real(row: Mapping[str, Any]) -> bool:
    return bool(pd.notna(row["above_noise"]) and row["above_noise"])


def _with_bars(ax: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str], colour: str, *, mark: bool) -> None:
    """Points with interval bars; hollow where the driver is not above noise."""
    place = rows_axis(ax, names)
    for where, row in zip(place, rows, strict=True):
        real = not mark or _is_real(row)
        ax.plot([row["conf_low"], row["conf_high"]], [where, where], color=colour if real else PASSIVE, linewidth=2)
        ax.plot(
            [row["estimate"]],
            [where],
            "o",
            color=colour if real else PASSIVE,
            markerfacecolor=colour if real else "white",
            markersize=7,
        )
        note_at_edge(ax, points(row["estimate"]), where)


@draws(DriverModel)
def plot_drivers(result: DriverModel, ax: Axes | None = None) -> Axes:
    """Points at stake in two parts, with the interval of their sum; pale where not above noise."""
    rows = [row for row in result.records if pd.notna(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for where, row in zip(place, rows, strict=True):
        pale = 1.0 if _is_real(row) else 0.35
        parts = ((row["promoter_points"], PROMOTER, ""), (row["detractor_points"], DETRACTOR, "///"))
        ends = {True: 0.0, False: 0.0}
        for width, colour, hatch in parts:
            ax.barh(
                where,
                width,
                left=ends[width >= 0],
                color=colour,
                alpha=pale,
                height=0.56,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
            )
            ends[width >= 0] += width
        ax.plot([row["conf_low"], row["conf_high"]], [where - 0.38, where - 0.38], color=INK, linewidth=1.6)
        note_at_edge(ax, points(row["estimate"]), where)
    handles = [
        ax.barh([np.nan], [0], color=PROMOTER, label="Making promoters"),
        ax.barh([np.nan], [0], color=DETRACTOR, hatch="///", edgecolor="white", label="Keeping from detractors"),
        ax.plot([], [], color=INK, linewidth=1.6, label=f"{result.confidence_level:.0%} interval of the sum")[0],
    ]
    legend_below(ax, ncols=3, handles=handles)
    ax.set(xlabel="NPS points at stake (pale: not above noise)", title=literal(result.title))
    return ax


@draws(DriverList)
def plot_driver_list(result: DriverList, ax: Axes | None = None) -> Axes:
    """One list, with intervals."""
    rows = [row for row in result.records if pd.notna(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows))
    colour = PROMOTER if result.part == "promoter" else DETRACTOR
    _with_bars(ax, rows, [label(row["term"]) for row in rows], colour, mark=True)
    ax.set(
        xlabel=f"NPS points at stake, with {result.confidence_level:.0%} interval (hollow: not above noise)",
        title=literal(result.title),
    )
    return ax


@draws(Improvement)
def plot_improvement(result: Improvement, ax: Axes | None = None) -> Axes:
    """NPS associated, with intervals."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    _with_bars(ax, rows, [label(row["term"]) for row in rows], PROMOTER, mark=True)
    ax.set(
        xlabel=f"NPS points, with {result.confidence_level:.0%} interval (hollow: not above noise)",
        title=literal(result.title),
    )
    return ax


@draws(DriverInteractions)
def plot_interactions(result: DriverInteractions, ax: Axes | None = None) -> Axes:
    """Extra points of the pairs shown."""
    rows = [row for row in result.records if pd.notna(row["std_error"])]
    ax = axes_for(ax, n_rows=len(rows))
    _with_bars(ax, rows, [label(row["pair"]) for row in rows], PROMOTER, mark=False)
    ax.set(xlabel=f"Extra NPS points, with {result.confidence_level:.0%} interval", title=literal(result.title))
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
    names = [
        label(f"NPS, {result.from_group}"),
        *(label(name) for name, _ in steps),
        label(f"NPS, {result.to_group}"),
    ]
    place = rows_axis(ax, names)
    at = result.score_from
    ax.barh(place[0], at, color=PASSIVE, height=0.56)
    for where, (_, step) in zip(place[1:-1], steps, strict=True):
        ax.barh(
            where, step, left=at, color=PROMOTER if step >= 0 else DETRACTOR, height=0.56,
            hatch="" if step >= 0 else "///", edgecolor="white", linewidth=0,
        )  # fmt: skip
        ax.plot([at + step, at + step], [where - 0.9, where + 0.28], color=INK, linewidth=0.8)
        at += step
        note_at_edge(ax, points(step), where)
    ax.barh(place[-1], result.score_to, color=PASSIVE, height=0.56)
    for where, value in ((place[0], result.score_from), (place[-1], result.score_to)):
        note_at_edge(ax, points(value), where)
    ax.set(xlabel="NPS, points", title=literal(result.title))
    return ax


@draws(ModelCalibration)
def plot_calibration(result: ModelCalibration, ax: Axes | None = None) -> Axes:
    """Observed against predicted NPS, with the line on which both are the same."""
    ax = axes_for(ax)
    rows = result.records
    predicted, observed = [row["predicted"] for row in rows], [row["estimate"] for row in rows]
    ends = [min(predicted + observed), max(predicted + observed)]
    ax.plot(ends, ends, color="#5A5A5A", linewidth=1, linestyle="--", label="As predicted")
    below = [value - row["conf_low"] for value, row in zip(observed, rows, strict=True)]
    above = [row["conf_high"] - value for value, row in zip(observed, rows, strict=True)]
    ax.errorbar(
        predicted, observed, yerr=[below, above], fmt="o", color=PROMOTER, capsize=3, label="A tenth of the answers"
    )
    ax.grid()
    ax.legend(loc="upper left")
    ax.set(xlabel="Predicted NPS, points", ylabel="Observed NPS, points", title=literal(result.title))
    return ax


@draws(RatingAsymmetry)
def plot_asymmetry(result: RatingAsymmetry, ax: Axes | None = None) -> Axes:
    """Points lost per rating point below the middle to the left, won above it to the right."""
    rows = [row for row in result.records if pd.notna(row["estimate"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = rows_axis(ax, [label(row["term"]) for row in rows])
    for where, row in zip(place, rows, strict=True):
        pale = 0.35 if row["class"] == "none" else 1.0
        ax.barh(
            where,
            -row["penalty"],
            color=DETRACTOR,
            hatch="///",
            edgecolor="white",
            linewidth=0,
            height=0.56,
            alpha=pale,
        )
        ax.barh(where, row["reward"], color=PROMOTER, height=0.56, alpha=pale)
        for name, side in (("penalty", -1), ("reward", 1)):
            ends = [side * row[f"{name}_conf_low"], side * row[f"{name}_conf_high"]]
            ax.plot(ends, [where, where], color=INK, linewidth=1.2)
        said = {"none": "not above noise"}.get(row["class"], row["class"])
        ax.annotate(
            said if row["certain"] or row["class"] == "none" else f"{said}?",
            (1.01, where),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    ax.set(
        xlabel="NPS points per rating point: lost below the middle (left), won above it (right)",
        title=literal(result.title),
    )
    return ax


@draws(ImportancePerformance)
def plot_importance_performance(result: ImportancePerformance, ax: Axes | None = None) -> Axes:
    """Points at stake against mean ratings, with the lines at which quarters meet."""
    ax = axes_for(ax)
    figure = ax.get_figure(root=True)
    if figure is not None and len(figure.axes) == 1:
        figure.set_size_inches(8.0, 5.4)
    rows = result.records
    ax.axhline(result.points_line, color="#5A5A5A", linewidth=1, linestyle="--")
    ax.axvline(result.rating_line, color="#5A5A5A", linewidth=1, linestyle="--")
    for row in rows:
        first, real = row["quadrant"] == "look here first", row["quadrant"] != "not above noise"
        colour = DETRACTOR if first else PROMOTER if real else PASSIVE
        ax.plot([row["mean_rating"]] * 2, [row["conf_low"], row["conf_high"]], color=colour, linewidth=1.2, alpha=0.6)
        ax.plot(
            [row["mean_rating"]],
            [row["estimate"]],
            "s" if first else "o",
            color=colour,
            markerfacecolor=colour if real else "white",
            markersize=8,
        )
        ax.annotate(
            literal(row["term"], 24),
            (row["mean_rating"], row["estimate"]),
            xytext=(7, 3),
            textcoords="offset points",
            fontsize=9,
        )
    ax.margins(x=0.18, y=0.1)
    for (x, y), text, across, up in (
        ((0.01, 0.99), "Look here first", "left", "top"),
        ((0.99, 0.99), "Keep it up", "right", "top"),
        ((0.01, 0.01), "Low priority", "left", "bottom"),
        ((0.99, 0.01), "More than needed", "right", "bottom"),
    ):
        ax.annotate(text, (x, y), xycoords="axes fraction", ha=across, va=up, color="#5A5A5A", fontweight="bold")
    ax.grid()
    ax.set(xlabel="Mean rating", ylabel="NPS points at stake (hollow: not above noise)", title=literal(result.title))
    return ax


@draws(RatingEffect)
def plot_rating_effect(result: RatingEffect, ax: Axes | None = None) -> Axes:
    """Mean contribution by rating: the sum with its band, and its two parts."""
    ax = axes_for(ax)
    rows = result.records
    rated = [place for place, row in enumerate(rows) if row["term"] != "not rated"]
    value = np.array([row["estimate"] for row in rows])
    low, high = np.array([row["conf_low"] for row in rows]), np.array([row["conf_high"] for row in rows])
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.fill_between(rated, low[rated], high[rated], color=PASSIVE, alpha=0.22, linewidth=0)
    ax.plot(rated, value[rated], "o-", color=INK, linewidth=2, label="Both")
    for name, colour, style, words in (
        ("promoter_points", PROMOTER, "--", "Making promoters"),
        ("detractor_points", DETRACTOR, ":", "Keeping from detractors"),
    ):
        ax.plot(rated, [rows[place][name] for place in rated], style, color=colour, linewidth=2, label=words)
    for place in range(len(rows)):
        if place not in rated:
            ax.errorbar([place], [value[place]], yerr=[[value[place] - low[place]], [high[place] - value[place]]],
                        fmt="o", color=PASSIVE, capsize=4)  # fmt: skip
    many = len(rows) > LEVELS_DRAWN  # then "n =" under each would run into the next
    ax.set_xticks(range(len(rows)), [f"{row['term']}\n{'' if many else 'n = '}{row['n']:,}" for row in rows])
    ax.grid(axis="y")
    ax.legend(loc="best")
    below = ", and number of answers" if many else ""
    ax.set(xlabel=f"Rating given{below}", ylabel="Contribution, NPS points", title=literal(result.title))
    return ax


@draws(DriversByGroup)
def plot_drivers_by_group(result: DriversByGroup, ax: Axes | None = None) -> Axes:
    """Points at stake by group, of the drivers with the strongest evidence that groups differ."""
    rows = result.records
    chosen: list[tuple[str, str]] = []
    for row in rows:
        if (row["by"], row["term"]) not in chosen:
            chosen.append((row["by"], row["term"]))
    shown = [row for row in rows if (row["by"], row["term"]) in chosen[:TESTS_DRAWN]]
    ax = axes_for(ax, n_rows=len(shown))
    names = [label(f"{literal(row['term'], 26)}: {literal(row['group'], 26)}") for row in shown]
    _with_bars(ax, shown, names, PROMOTER, mark=False)
    ax.set(
        xlabel=f"NPS points at stake, with {result.confidence_level:.0%} interval",
        title=literal(f"{result.title}: where groups differ most"),
    )
    return ax


@draws(DriverMethods)
def plot_methods(result: DriverMethods, ax: Axes | None = None) -> Axes:
    """Ranks of the drivers by each method, joined by lines."""
    ax = axes_for(ax)
    figure = ax.get_figure(root=True)
    rows = [row for row in result.records if pd.notna(row["rank_estimate"])]
    if figure is not None and len(figure.axes) == 1:
        figure.set_size_inches(8.0, max(3.0, 1.2 + 0.36 * len(rows)))
    columns = {
        "rank_estimate": "Points\nat stake",
        "rank_path_dependent_points": "Path-\ndependent",
        "rank_mean_abs_shap": "Mean\nsize",
        "rank_general_dominance": "LMG",
        "rank_relative_weight": "Johnson",
        "rank_correlation_points": "Rating\nalone",
    }
    for row in rows:
        ranks = [row[name] for name in columns]
        moved = max(ranks) - min(ranks) >= 2
        ax.plot(range(len(columns)), ranks, "o-", color=DETRACTOR if moved else PASSIVE, linewidth=2 if moved else 1.2)
        ax.annotate(literal(row["term"], 30), (-0.12, ranks[0]), ha="right", va="center", fontsize=9.5)
    ax.set_xticks(range(len(columns)), list(columns.values()))
    ax.xaxis.tick_top()
    ax.set_yticks([])
    ax.set_xlim(-2.6, len(columns) - 0.7)
    ax.set_ylim(len(rows) + 0.6, 0.4)
    ax.spines[["left", "bottom", "top"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    ax.set_title(literal(f"{result.title}: rank, 1 at the top"), pad=14)
    return ax


@draws(ContributionSpread)
def plot_spread(result: ContributionSpread, ax: Axes | None = None) -> Axes:
    """A swarm for each driver, the largest mean size first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party deprecations at import and in drawing
        import shap  # late: slow to import

        names = [label(row["term"]) for row in result.records]
        ax = axes_for(ax, n_rows=len(names) + 1)
        explained = shap.Explanation(
            values=result.dots["contributions"], data=result.dots["ratings"], feature_names=names
        )
        state = np.random.get_state()  # noqa: NPY002 - shap spreads dots with the global generator, put back below
        np.random.seed(0)  # noqa: NPY002
        try:
            shap.plots.beeswarm(
                explained,
                max_display=len(names),
                order=np.arange(len(names)),
                color=LOW_TO_HIGH,
                color_bar=False,
                ax=ax,
                plot_size=None,
                show=False,
                s=9,
            )
        finally:
            np.random.set_state(state)  # noqa: NPY002
    for dots in ax.collections:
        dots.set_rasterized(False)
    for text in ax.get_yticklabels():
        text.set_fontsize(10)
    ax.tick_params(axis="both", labelsize=10)
    ax.set_xlabel("Contribution to the expected answer, NPS points (vermilion: low rating, blue: high)", fontsize=10.5)
    ax.set_title(literal(result.title))
    return ax
