"""Drawing for detectable changes, pooling and accounts, in the house style of `figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from nps_research.results.drawing import (
    GRID,
    INK,
    PASSIVE,
    PROMOTER,
    axes_for,
    label,
    legend_below,
    literal,
    note_at_edge,
    styled,
)
from nps_research.results.words import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nps_research.accounts.influence import AccountInfluence
    from nps_research.accounts.score import AccountScores
    from nps_research.score.detectable_change import DetectableChange
    from nps_research.score.pooled_groups import PooledGroups

__all__ = [
    "plot_account_influence",
    "plot_account_scores",
    "plot_detectable_change",
    "plot_pooled_groups",
]


def _bands(ax: Axes, widths: list[float], *, height: float, words: str) -> list[int]:
    """Grey bands around zero, one a row from the top; returns the rows' places."""
    place = list(range(len(widths)))[::-1]
    ax.use_sticky_edges = False
    ax.barh(
        place,
        [2 * width for width in widths],
        left=[-width for width in widths],
        height=height,
        color=GRID,
        label=words,
    )
    ax.set_ylim(-0.6, len(widths) - 0.4)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return place


@styled
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


@styled
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


@styled
def plot_account_scores(result: AccountScores, ax: Axes | None = None) -> Axes:
    """Per group, the score with every account alike (full) and every answer alike (hollow), with intervals."""
    rows = result.answered
    ax = axes_for(ax, n_rows=2 * len(rows) + 1)
    place = np.arange(len(rows))[::-1]
    kinds = [
        ("estimate", "", 0.14, PROMOTER, "Every account alike"),
        ("respondent_score", "respondent_score_", -0.14, "white", "Every answer alike"),
    ]
    for name, prefix, shift, inside, words in kinds:
        value = np.array([row[name] for row in rows], dtype=float)
        low, high = (
            np.array([row[f"{prefix}{end}"] for row in rows], dtype=float) for end in ("conf_low", "conf_high")
        )
        ax.errorbar(
            value,
            place + shift,
            xerr=[np.maximum(value - low, 0), np.maximum(high - value, 0)],
            fmt="o",
            color=PROMOTER if inside == PROMOTER else INK,
            markerfacecolor=inside,
            markersize=7,
            capsize=4,
            elinewidth=2 if inside == PROMOTER else 1.2,
            label=words,
        )
        for each, where in zip(value, place + shift, strict=True):
            ax.annotate(points(each), (1.01, where), xycoords=("axes fraction", "data"), va="center")
    ax.set_yticks(place, [f"{label(row['group'])} ({row['n_accounts']:,} accounts)" for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    legend_below(ax, ncols=3)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_account_influence(result: AccountInfluence, ax: Axes | None = None) -> Axes:
    """Bars of the change without each account, on a band of the score's margin of error."""
    rows = [row for row in result.records if not np.isnan(row["change"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    place = _bands(ax, [row["margin_of_error"] for row in rows], height=1.0, words="Margin of error of the score")
    ax.barh(place, [row["change"] for row in rows], height=0.6, color=PROMOTER, label="Change without the account")
    for row, where in zip(rows, place, strict=True):
        note_at_edge(ax, points(row["change"]), where)
    one = len({row["group"] for row in rows}) == 1
    names = [row["term"] if one else f"{literal(row['group'], 24)}, {row['term'].lower()}" for row in rows]
    answers = [f"{name} ({row['n']:,} answers)" for name, row in zip(names, rows, strict=True)]
    ax.set_yticks(place, answers)
    legend_below(ax, ncols=3)
    ax.set(xlabel="Change of the NPS, points", title=literal(result.title))
    return ax
