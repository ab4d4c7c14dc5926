"""Results whose rows are groups of several columns, such as regions and roles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from nps_research.results.result import Result
from nps_research.results.words import BETWEEN


def names_of(frame: pd.DataFrame) -> pd.Series[str]:
    """Name each row among those hidden: by its column, ``term``, and its ``group``, as columns may share a group."""
    return frame["term"] + BETWEEN + frame["group"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ColumnGroups(Result):
    """A result of groups of several columns; `hidden` names them as `names_of` does."""

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame[~names_of(self.frame).isin(self.hidden or ())].reset_index(drop=True)

    @property
    def n_hidden(self) -> int:
        return len(self.frame) - len(self.shown)
