"""Figures of problems: who has them, who complains, what changed, what comments say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nps_research.problems.comment_shares import CommentShares
from nps_research.problems.complaints import ComplaintsAgainstSurvey
from nps_research.problems.fix_effect import FixEffect
from nps_research.problems.owners import ProblemOwners
from nps_research.problems.pain_map import PainMap
from nps_research.results.drawing import axes_for, draws, dumbbells, estimate_rows, label
from nps_research.results.words import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@draws(PainMap)
def plot_pain_map(result: PainMap, ax: Axes | None = None) -> Axes:
    """Share with each problem and its interval, the first to mend on top; praise hollow."""
    rows = result.records
    names = [label(row["term"]) for row in rows]
    whom = "customers" if result.customers == result.customers else "answers"
    praise = [bool(row["is_praise"]) for row in rows]
    return estimate_rows(
        result, rows, names, ax, words=f"Have it (% of {whom})", text=share, scale=100, zero=False, hollow=praise
    )


@draws(ComplaintsAgainstSurvey)
def plot_complaints(result: ComplaintsAgainstSurvey, ax: Axes | None = None) -> Axes:
    """Share that complained of each problem, of those who have it, with its interval; hidden problems full."""
    rows = result.records
    names = [label(f"{row['term']} (n = {row['n']:,})") for row in rows]
    hollow = [row["verdict"] != "shown" for row in rows]
    words = "Complained of it, of those who have it (%)"
    return estimate_rows(result, rows, names, ax, words=words, text=share, scale=100, zero=False, hollow=hollow)


@draws(FixEffect)
def plot_fix_effect(result: FixEffect, ax: Axes | None = None) -> Axes:
    """Share with each mended problem before (hollow) and after (full), joined by a line."""
    rows = [row for row in result.records if row["estimate"] == row["estimate"]]
    ax = axes_for(ax, n_rows=len(rows))
    names = [label(f"{row['term']}: {row['verdict']}") for row in rows]
    before, after = ([row[name] for row in rows] for name in ("before", "after"))
    dumbbells(ax, names, before, after, words=("before it was mended", "after"))
    ax.set_xlabel("Have it (% of answers)")
    return ax


@draws(CommentShares)
def plot_comment_shares(result: CommentShares, ax: Axes | None = None) -> Axes:
    """Share of comments with each problem and its interval; praise, which is far more, is left to the table."""
    rows = [row for row in result.records if np.isfinite(row["estimate"]) and not row["is_praise"]]
    names = [label(row["term"]) for row in rows]
    return estimate_rows(result, rows, names, ax, words="Comments with the code (%)", text=share, scale=100, zero=False)


@draws(ProblemOwners)
def plot_problem_owners(result: ProblemOwners, ax: Axes | None = None) -> Axes:
    """Share of detractors with a problem of each owner, with its interval."""
    rows = result.records
    names = [label(row["group"]) for row in rows]
    words = "Have such a problem (% of detractors)"
    return estimate_rows(result, rows, names, ax, words=words, text=share, scale=100, zero=False)
