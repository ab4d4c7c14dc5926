"""What results of an outcome share: its name, whether it is dated, and which lines pages may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from nps_research.counting.outcome_by_score import UNDATED
from nps_research.counting.score_bands import band_text
from nps_research.results.result import Result
from nps_research.results.words import joined


def within_text(strata: Sequence[str]) -> str:
    """Within what rates are compared, with a blank after it; nothing where there is one baseline.

    Examples
    --------
    >>> within_text(["wave"]), within_text(["wave", "contract_ends"]), within_text([])
    ('within waves ', 'within each wave and contract_ends ', '')
    """
    if not strata:
        return ""
    return "within waves " if list(strata) == ["wave"] else f"within each {joined(strata)} "


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OfOutcome(Result):
    """A result of what customers did afterwards."""

    outcome: str = "event"
    dated: bool | None = None

    def said(self, *sentences: str) -> str:
        """The sentences there are, and that the outcome is not dated, where it is not."""
        return " ".join(filter(None, (*sentences, UNDATED if self.dated is False else "")))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ByCut(OfOutcome):
    """A result with a row for each line, of which pages show some."""

    cuts_shown: tuple[int, ...] = ()

    unsaid: ClassVar[tuple[str, ...]] = (*OfOutcome.unsaid, "cuts_shown")

    def shown_where(self, there: pd.Series) -> pd.DataFrame:
        """Rows that may be shown, of those that are there; each line in words."""
        shown = self.frame[there & self.frame["cut"].isin(self.cuts_shown)].reset_index(drop=True)
        return shown.assign(cut=[band_text(0, cut) for cut in shown["cut"]])

    @property
    def n_hidden(self) -> int:
        return len(self.frame) - len(self.shown)
