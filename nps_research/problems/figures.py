"""Figures of problems: who has them, who complains, what changed, what comments say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nps_research.problems.pain_map import PainMap
from nps_research.results.drawing import draws, estimate_rows, label
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
