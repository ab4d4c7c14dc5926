"""Figures of scores, differences, trend and plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import seaborn

from nps_research.results.drawing import (
    above,
    at_edge,
    axes_for,
    band,
    draws,
    estimate_rows,
    estimates,
    grey_bands,
    label,
    legend_below,
    literal,
    name_points,
    target_line,
    with_interval,
)
from nps_research.results.palette import DETRACTOR, GRID, INK, PASSIVE, PROMOTER
from nps_research.results.words import points, share
from nps_research.score.by_cut import ScoresByCut
from nps_research.score.class_shares import ANSWER_CLASSES, ClassShares
from nps_research.score.designs import DesignComparison
from nps_research.score.detectable_change import DetectableChange
from nps_research.score.differences import ScoreDifferences
from nps_research.score.histogram import ScoreHistogram
from nps_research.score.pooled_groups import PooledGroups
from nps_research.score.score import NetPromoterScores
from nps_research.score.trend import Trend
from nps_research.statistics.distributions import normal_ppf

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer

CLASSES = {"detractor": DETRACTOR, "passive": PASSIVE, "promoter": PROMOTER}
MOST_NAMED = 12  # pooled groups; of more, those beyond the funnel are named


@draws(ScoreHistogram)
def plot_histogram(result: ScoreHistogram, ax: Axes | None = None) -> Axes:
    """Bars of answers from 0 to 10 in the palette, with the class of each named."""
    ax = axes_for(ax)
    shown = result.shown.assign(percent=100 * result.shown["answer_share"])
    seaborn.barplot(
        shown, x="term", y="percent", hue="answer_class", palette=CLASSES, native_scale=True, dodge=False,
        saturation=1, width=0.82, errorbar=None, legend=False, ax=ax,
    )  # fmt: skip
    for bars in ax.containers:
        ax.bar_label(cast("BarContainer", bars), fmt=lambda percent: share(percent / 100), padding=2, fontsize=9)
    top = shown["percent"].max()
    for name, of_class in shown.groupby("answer_class", sort=False):
        first, last, colour = of_class["term"].min(), of_class["term"].max(), CLASSES[str(name)]
        ax.plot([first - 0.4, last + 0.4], [1.17 * top] * 2, color=colour, linewidth=3, solid_capstyle="butt")
        words = f"{str(name).capitalize()}s {share(of_class['answer_share'].sum())}"
        above(ax, words, ((first + last) / 2, 1.17 * top), color=colour)
    ax.set(ylim=(0, 1.32 * top), xticks=shown["term"], ylabel="Share of answers (%)")
    ax.set_xlabel("How likely are you to recommend us? (0 to 10)")
    return ax


@draws(NetPromoterScores)
def plot_scores(result: NetPromoterScores, ax: Axes | None = None) -> Axes:
    """NPS of groups with interval bars, sorted from the highest (waves: in order of time)."""
    rows = result.answered
    if not result.ordered and result.by not in (("weekday",), ("hour",)):
        rows = sorted(rows, key=lambda row: -float(row["estimate"]))
    names = [f"{label(row['group'])} (n = {row['n']:,})" for row in rows]
    return estimate_rows(result, rows, names, ax, words="NPS, points")


@draws(ScoreDifferences)
def plot_differences(result: ScoreDifferences, ax: Axes | None = None) -> Axes:
    """Differences with interval bars."""
    rows = [row for row in result.records if np.isfinite(row["std_error"])]
    names = [f"{literal(row['group_b'], 24)} - {literal(row['group_a'], 24)}" for row in rows]
    return estimate_rows(result, rows, names, ax, words="Difference, NPS points")


@draws(Trend)
def plot_trend(result: Trend, ax: Axes | None = None) -> Axes:
    """NPS over the waves: a line, and a band for the interval."""
    ax = axes_for(ax)
    rows = result.answered
    place = list(range(len(rows)))
    band(ax, place, rows, colour=PROMOTER)
    estimates(ax, place, rows, text=points, upright=True, fmt="o-", linewidth=2, elinewidth=1.2, capsize=3)
    if result.target is not None:
        target_line(ax, result.target)
    ax.margins(x=0.08, y=0.18)
    ax.set_xticks(place, [label(row["group"]) for row in rows])
    ax.grid(axis="y")
    ax.set_ylabel(with_interval("NPS, points", result))
    return ax


@draws(ClassShares)
def plot_class_shares(result: ClassShares, ax: Axes | None = None) -> Axes:
    """Bars of each wave, divided into detractors, passives and promoters, from the bottom."""
    ax = axes_for(ax)
    rows = result.answered
    place, below = list(range(len(rows))), np.zeros(len(rows))
    for name in reversed(ANSWER_CLASSES):
        height = np.array([100 * row[f"{name}_share"] for row in rows])
        drawn = ax.bar(place, height, 0.7, below, color=CLASSES[name], label=f"{name.capitalize()}s")
        ax.bar_label(drawn, [share(each / 100) for each in height], label_type="center", color="white", fontsize=9)
        below += height
    ax.set_xticks(place, [label(row["group"]) for row in rows])
    ax.set(ylim=(0, 100), ylabel="Share of answers (%)")
    legend_below(ax, ncols=3)
    return ax


@draws(ScoresByCut)
def plot_scores_by_cut(result: ScoresByCut, ax: Axes | None = None) -> Axes:
    """NPS of each group at several cuts: one row per group and cut."""
    rows = [row for row in result.records if row["n"] > 0]
    one = len({row["group"] for row in rows}) == 1
    names = [
        f"Detractors {row['term']}" if one else f"{literal(row['group'], 30)}, detractors {row['term']}" for row in rows
    ]
    return estimate_rows(result, rows, names, ax, words="NPS, points")


@draws(DesignComparison)
def plot_designs(result: DesignComparison, ax: Axes | None = None) -> Axes:
    """NPS of each wave under each way of counting."""
    rows = result.records
    names = [row["term"] if row["group"] == "all" else f"{row['term']}, {literal(row['group'], 20)}" for row in rows]
    return estimate_rows(result, rows, names, ax, words="NPS, points")


@draws(DetectableChange)
def plot_detectable_change(result: DetectableChange, ax: Axes | None = None) -> Axes:
    """Grey bands of changes too small to be found, and the change seen."""
    rows = result.able
    ax = axes_for(ax, n_rows=len(rows) + 1)
    names = [f"{literal(row['group_b'], 24)} - {literal(row['group_a'], 24)}" for row in rows]
    least = [row["detectable_change"] for row in rows]
    place = grey_bands(ax, names, least, height=0.5, words="Too small to be found")
    ax.plot([row["change"] for row in rows], place, "o", color=PROMOTER, markersize=8, label="Change seen")
    at_edge(ax, [f"±{change:.1f}" for change in least], place, weight="normal")
    legend_below(ax, ncols=3)
    ax.set_xlabel(f"Change, NPS points ({result.power:.0%} power)")
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
    reach = normal_ppf(0.5 + result.confidence_level / 2) * result.answer_std_dev
    low, high = (np.clip(result.overall_estimate + side * reach / np.sqrt(along), -100, 100) for side in (-1, 1))
    ax.fill_between(
        along, low, high, color=GRID, alpha=0.6, linewidth=0,
        label=f"{result.confidence_level:.0%} of raw scores, were all groups alike",
    )  # fmt: skip
    ax.axhline(result.overall_estimate, color=INK, linewidth=0.8)
    ax.vlines(n, raw, pooled, color=PASSIVE, linewidth=1)
    ax.plot(n, raw, "o", markerfacecolor="white", markeredgecolor=INK, markersize=7, label="Raw")
    ax.plot(n, pooled, "o", color=PROMOTER, markersize=7, label="Pooled")
    ax.set(xscale="log", xlabel="Effective answers" if result.design else "Answers", ylabel="NPS, points")
    steps = (1, 2, 5) if along[-1] > 5 * along[0] else range(1, 10)
    ticks = [step * 10**power for power in range(9) for step in steps]
    ticks = [tick for tick in ticks if along[0] <= tick <= along[-1]]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.grid(axis="y")
    legend_below(ax, ncols=3)
    beyond = np.abs(raw - result.overall_estimate) > reach / np.sqrt(n)
    named = np.flatnonzero(beyond | (len(rows) <= MOST_NAMED))
    name_points(ax, [(n[each], raw[each]) for each in named], [literal(rows[each]["group"], 24) for each in named])
    return ax
