"""Drawing of scores, differences, trend and plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from nps_research.results.drawing import (
    DETRACTOR,
    GRID,
    INK,
    PASSIVE,
    PROMOTER,
    _bands,
    _points_with_bars,
    axes_for,
    draws,
    label,
    legend_below,
    literal,
)
from nps_research.results.words import points, share
from nps_research.score.by_cut import ScoresByCut
from nps_research.score.designs import DesignComparison
from nps_research.score.detectable_change import DetectableChange
from nps_research.score.differences import ScoreDifferences
from nps_research.score.histogram import ScoreHistogram
from nps_research.score.pooled_groups import PooledGroups
from nps_research.score.score import NetPromoterScores
from nps_research.score.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(ScoreHistogram)
def plot_histogram(result: ScoreHistogram, ax: Axes | None = None) -> Axes:
    """Bars of answers from 0 to 10 in the palette, with the class of each named."""
    ax = axes_for(ax)
    rows = result.records
    colours = {"promoter": PROMOTER, "passive": PASSIVE, "detractor": DETRACTOR}
    bars = ax.bar(
        [row["term"] for row in rows],
        [100 * row["answer_share"] for row in rows],
        color=[colours[row["answer_class"]] for row in rows],
        width=0.82,
    )
    ax.bar_label(bars, labels=[share(row["answer_share"]) for row in rows], padding=2, fontsize=9)
    top = max(100 * row["answer_share"] for row in rows)
    for name, words in (("detractor", "Detractors"), ("passive", "Passives"), ("promoter", "Promoters")):
        of_class = [row for row in rows if row["answer_class"] == name]
        if of_class:
            first, last = of_class[0]["term"], of_class[-1]["term"]
            ax.plot(
                [first - 0.4, last + 0.4], [1.17 * top] * 2, color=colours[name], linewidth=3, solid_capstyle="butt"
            )
            total = share(sum(row["answer_share"] for row in of_class))
            ax.annotate(
                f"{words} {total}",
                ((first + last) / 2, 1.17 * top),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                color=colours[name],
                fontweight="bold",
            )
    ax.set(
        ylim=(0, 1.32 * top),
        xticks=[row["term"] for row in rows],
        xlabel="How likely are you to recommend us? (0 to 10)",
        ylabel="Share of answers (%)",
        title=literal(result.title),
    )
    return ax


@draws(NetPromoterScores)
def plot_scores(result: NetPromoterScores, ax: Axes | None = None) -> Axes:
    """NPS of groups with interval bars, sorted from the highest (waves: in order of time)."""
    rows = result.answered
    if not result.ordered and result.by not in (("weekday",), ("hour",)):
        rows = sorted(rows, key=lambda row: -float(row["estimate"]))
    ax = axes_for(ax, n_rows=len(rows))
    _points_with_bars(ax, rows, [f"{label(row['group'])} (n = {row['n']:,})" for row in rows], PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(ScoreDifferences)
def plot_differences(result: ScoreDifferences, ax: Axes | None = None) -> Axes:
    """Differences with interval bars."""
    rows = [row for row in result.records if np.isfinite(row["std_error"])]
    ax = axes_for(ax, n_rows=len(rows))
    names = [f"{literal(row['group_b'], 24)} - {literal(row['group_a'], 24)}" for row in rows]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"Difference, NPS points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(Trend)
def plot_trend(result: Trend, ax: Axes | None = None) -> Axes:
    """NPS over the waves: a line, and a band for the interval."""
    ax = axes_for(ax)
    rows = [row for row in result.records if row["n"] > 0]
    place, value = list(range(len(rows))), [row["estimate"] for row in rows]
    low, high = [row["conf_low"] for row in rows], [row["conf_high"] for row in rows]
    ax.fill_between(place, low, high, color=PROMOTER, alpha=0.18, linewidth=0)
    ax.errorbar(
        place,
        value,
        yerr=[np.subtract(value, low).clip(0), np.subtract(high, value).clip(0)],
        fmt="o-",
        color=PROMOTER,
        linewidth=2,
        elinewidth=1.2,
        capsize=3,
    )
    for where, row in zip(place, rows, strict=True):
        ax.annotate(
            points(row["estimate"]),
            (where, row["conf_high"]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
        )
    ax.margins(x=0.08, y=0.18)
    ax.set_xticks(place, [label(row["group"]) for row in rows])
    ax.grid(axis="y")
    ax.set(ylabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(ScoresByCut)
def plot_scores_by_cut(result: ScoresByCut, ax: Axes | None = None) -> Axes:
    """NPS of each group at several cuts: one row per group and cut."""
    rows = [row for row in result.records if row["n"] > 0]
    ax = axes_for(ax, n_rows=len(rows))
    one = len({row["group"] for row in rows}) == 1
    names = [
        f"Detractors {row['term']}" if one else f"{literal(row['group'], 30)}, detractors {row['term']}" for row in rows
    ]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(DesignComparison)
def plot_designs(result: DesignComparison, ax: Axes | None = None) -> Axes:
    """NPS of each wave under each way of counting."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    names = [row["term"] if row["group"] == "all" else f"{row['term']}, {literal(row['group'], 20)}" for row in rows]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@draws(DetectableChange)
def plot_detectable_change(result: DetectableChange, ax: Axes | None = None) -> Axes:
    """Grey bands of changes too small to be found, and the change seen."""
    rows = result.able
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = _bands(ax, [row["detectable_change"] for row in rows], height=0.5, words="Too small to be found")
    ax.plot([row["change"] for row in rows], place, "o", color=PROMOTER, markersize=8, label="Change seen")
    for row, where in zip(rows, place, strict=True):
        ax.annotate(f"±{row['detectable_change']:.1f}", (1.01, where), xycoords=("axes fraction", "data"), va="center")
    ax.set_yticks(place, [f"{literal(row['group_b'], 24)} - {literal(row['group_a'], 24)}" for row in rows])
    legend_below(ax, ncols=3)
    ax.set(xlabel=f"Change, NPS points ({result.power:.0%} power)", title=literal(result.title))
    return ax


@draws(PooledGroups)
def plot_pooled_groups(result: PooledGroups, ax: Axes | None = None) -> Axes:
    """Funnel plot: raw scores hollow and pooled ones full, against the number of effective answers."""
    ax = axes_for(ax)
    rows = result.answered
    n, raw, pooled = (
        np.array([row[name] for row in rows], dtype=float) for name in ("n_effective", "raw_estimate", "estimate")
    )
    along = np.geomspace(n.min() * 0.8, n.max() * 1.25, 200) if len(n) else np.array([1.0])
    reach = stats.norm.ppf(0.5 + result.confidence_level / 2) * result.answer_std_dev
    low, high = (np.clip(result.overall_estimate + side * reach / np.sqrt(along), -100, 100) for side in (-1, 1))
    ax.fill_between(
        along, low, high, color=GRID, alpha=0.6, linewidth=0,
        label=f"{result.confidence_level:.0%} of raw scores, were all groups alike",
    )  # fmt: skip
    ax.axhline(result.overall_estimate, color=INK, linewidth=0.8)
    ax.vlines(n, raw, pooled, color=PASSIVE, linewidth=1)
    ax.plot(n, raw, "o", markerfacecolor="white", markeredgecolor=INK, markersize=7, label="Raw")
    ax.plot(n, pooled, "o", color=PROMOTER, markersize=7, label="Pooled")
    beyond = np.abs(raw - result.overall_estimate) > reach / np.sqrt(n)
    for row, named in zip(rows, beyond, strict=True):
        if named or len(rows) <= 12:
            ax.annotate(
                literal(row["group"], 24),
                (row["n_effective"], row["raw_estimate"]),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    words = "Effective answers" if result.design else "Answers"
    ax.set(xscale="log", xlabel=words, ylabel="NPS, points", title=literal(result.title))
    steps = (1, 2, 5) if along[-1] > 5 * along[0] else range(1, 10)
    ticks = [step * 10**power for power in range(9) for step in steps]
    ticks = [tick for tick in ticks if along[0] <= tick <= along[-1]]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.grid(axis="y")
    legend_below(ax, ncols=3)
    return ax
