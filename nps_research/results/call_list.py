"""Lists of people to call: private, so that a page shows how many they are and nothing of theirs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from nps_research.results.result import Result

__all__ = ["LISTS", "CallList"]

LISTS = "NPS_RESEARCH_LISTS"  # set by the report runner alone: the private folder that lists are written to


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallList(Result):
    """A list of respondents or accounts. Displayed, it shows its count.

    While a report is made, displaying it writes the list to the report's private folder; elsewhere `people` is there to
    be looked at or saved.

    Attributes
    ----------
    people : pandas.DataFrame
        The list; never displayed.
    says : str
        What the list holds and how many, in a sentence.
    remark : str
        Method and caveats.
    """

    people: pd.DataFrame = field(repr=False)
    says: str
    remark: str = ""

    kind: ClassVar[str] = "call_list"
    has_figure: ClassVar[bool] = False

    @classmethod
    def of(cls, people: pd.DataFrame, *, title: str, who: str, remark: str, minimum_cell: int) -> CallList:
        """A list, with a sentence on how many it holds; fewer than `minimum_cell` are not counted out."""
        n = f"{len(people):,}" if len(people) >= minimum_cell or not len(people) else f"Fewer than {minimum_cell}"
        return cls(
            frame=pd.DataFrame({"term": pd.Series(dtype="str")}),
            title=title,
            people=people,
            says=f"{n} {who} are on the list, in lists/ of the private folder of the report.",
            remark=remark,
        )

    @property
    def finding(self) -> str:
        return self.says

    @property
    def note(self) -> str:
        return self.remark

    @property
    def settings(self) -> dict[str, Any]:
        return {}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if folder := os.environ.get(LISTS):
            self._write(Path(folder))
        return super()._repr_mimebundle_(include, exclude)

    def _write(self, folder: Path) -> None:
        from nps_research.results.csv_files import csv_text, write_private

        name = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        write_private(folder, f"{name}.csv", csv_text(list(self.people.columns), self.people.itertuples(index=False)))
