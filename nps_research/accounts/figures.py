"""Figures of accounts: their scores, and what each does to the score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nps_research.accounts.influence import AccountInfluence
from nps_research.accounts.score import AccountScores
from nps_research.results.drawing import (
    at_edge,
    axes_for,
    bars,
    draws,
    estimates,
    grey_bands,
    label,
    legend_below,
    literal,
    rows_axis,
    with_interval,
)
from nps_research.results.palette import INK, PROMOTER
from nps_research.results.words import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(AccountScores)
def plot_account_scores(result: AccountScores, ax: Axes | None = None) -> Axes:
    """Per group, the score with every account alike (full) and every answer alike (hollow), with intervals."""
    rows = result.answered
    ax = axes_for(ax, n_rows=2 * len(rows) + 1)
    place = rows_axis(ax, [f"{label(row['group'])} ({row['n_accounts']:,} accounts)" for row in rows])
    hollow: dict[str, Any] = {"color": INK, "markerfacecolor": "white", "elinewidth": 1.2}
    estimates(ax, place - 0.18, rows, text=points, label="Every account alike")
    estimates(ax, place + 0.18, rows, column="respondent_score", text=points, label="Every answer alike", **hollow)
    legend_below(ax, ncols=3)
    ax.set_xlabel(with_interval("NPS, points", result))
    return ax


@draws(AccountInfluence)
def plot_account_influence(result: AccountInfluence, ax: Axes | None = None) -> Axes:
    """Bars of the change without each account, on a band of the score's margin of error."""
    rows = [row for row in result.records if not np.isnan(row["change"])]
    ax = axes_for(ax, n_rows=len(rows) + 1)
    one = len({row["group"] for row in rows}) == 1
    names = [row["term"] if one else f"{literal(row['group'], 24)}, {row['term'].lower()}" for row in rows]
    names = [f"{name} ({row['n']:,} answers)" for name, row in zip(names, rows, strict=True)]
    margins, changes = ([row[name] for row in rows] for name in ("margin_of_error", "change"))
    place = grey_bands(ax, names, margins, height=1.0, words="Margin of error of the score")
    bars(ax, changes, PROMOTER, words="Change without the account")
    rows_axis(ax, names)
    ax.grid(visible=False)
    at_edge(ax, [points(change) for change in changes], place)
    legend_below(ax, ncols=3)
    ax.set_xlabel("Change of the NPS, points")
    return ax
