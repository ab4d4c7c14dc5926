"""What counts of answers and counts of outcomes share: their groups, the study's lines, what pages may show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import pandas as pd

from nps_research.counting.checks import check_cuts
from nps_research.errors import ContractError, did_you_mean
from nps_research.results.words import BETWEEN, joined


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Grouped:
    """Groups of a study's rows, with the lines between promoters, passives and detractors.

    Attributes
    ----------
    groups : tuple of str
        Names of the groups.
    by : tuple of str
        What the groups are groups of.
    keys : tuple of tuple of str
        Each group's values of `by`, where there are several; empty otherwise.
    ordered : bool
        Whether the groups follow each other in time.
    minimum_cell : int
        Smallest number of answers that shared pages may show for a group.
    design : mapping
        How the rows were gathered: ``"cluster"``, ``"weight"``, ``"stratum"``, where there is one.
    promoter_min, detractor_max : int
        The study's lowest promoter and highest detractor answer.
    """

    groups: tuple[str, ...]
    by: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    ordered: bool = False
    minimum_cell: int = 0
    design: Mapping[str, str] = field(default_factory=dict)
    promoter_min: int = 9
    detractor_max: int = 6

    def __post_init__(self) -> None:
        check_cuts(self.promoter_min, self.detractor_max)

    @property
    def lines_compared(self) -> tuple[int, ...]:
        """Highest detractor answers that are compared where none is named: the study's own, and 3 (6, where its is)."""
        others = [line for line in (3, 6, *range(10)) if line != self.detractor_max and line < self.promoter_min]
        return (self.detractor_max, *others[:1])

    def with_lines(self, promoter_min: int | None, detractor_max: int | None) -> Self:
        """The same counts with other lines; None keeps the study's."""
        return replace(
            self,
            promoter_min=self.promoter_min if promoter_min is None else promoter_min,
            detractor_max=self.detractor_max if detractor_max is None else detractor_max,
        )

    @property
    def by_words(self) -> str:
        """What the groups are groups of, for the end of a title; nothing of one group."""
        return f", by {joined(self.by)}" if self.by else ""

    @cached_property
    def _places(self) -> dict[str, int]:
        return {group: row for row, group in enumerate(self.groups)}

    def place(self, group: str | Sequence[str]) -> int:
        """Where a group stands, by its name or by its values of several keys; ContractError if there is none."""
        named = group if isinstance(group, str) else BETWEEN.join(map(str, group))
        if named in self._places:
            return self._places[named]
        raise ContractError(f"There is no group {named!r}{did_you_mean(named, list(self.groups))}")

    def with_keys(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame with a column for each of several keys after ``group``, so that it can be pivoted.

        A column has the key's name; ``_key`` is added to it where the frame has another column of that name.
        """
        frame, after = frame.copy(), list(frame.columns).index("group") + 1
        for position, name in enumerate(self.by if self.keys else ()):
            while name in frame:
                name += "_key"
            value = {group: values[position] for group, values in zip(self.groups, self.keys, strict=True)}
            frame.insert(after + position, name, frame["group"].map(value))
        return frame
