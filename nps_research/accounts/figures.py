"""Drawing for detectable changes, pooling and accounts, in the house style of `figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nps_research.accounts.influence import AccountInfluence
from nps_research.accounts.score import AccountScores
from nps_research.results.drawing import (
    INK,
    PROMOTER,
    _bands,
    axes_for,
    draws,
    label,
    legend_below,
    literal,
    note_at_edge,
)
from nps_research.results.words import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(AccountScores)
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


@draws(AccountInfluence)
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
