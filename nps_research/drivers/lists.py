"""The two lists of a driver model: what goes with promoters, and what with detractors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from nps_research.drivers.fitting.data import DriverData
from nps_research.results.result import Result
from nps_research.results.words import format_value, interval_text, joined, points
from nps_research.typing import Flags

NOT_CAUSES = (
    "Points at stake say what goes with what, not what causes what: another thing can move both the rating and the "
    "answer."
)


def scale_text(data: DriverData) -> str:
    """Say which ratings are good and which poor: ``'good is 5, poor is 1 to 3'``."""
    (low, high), good, poor = data.scale, data.good, data.poor
    upper = f"{good:g}" if good == high else f"{good:g} to {high:g}"
    lower = f"{poor:g}" if poor == low else f"{low:g} to {poor:g}"
    return f"good is {upper}, poor is {lower}"


def with_verdicts(shown: pd.DataFrame) -> pd.DataFrame:
    """Add a column that says in words whether each driver adds to all others."""
    words = [
        ("above noise" if value else "not above noise")
        if pd.notna(value)
        else f"cannot be told from {told_from}"
        if told_from
        else "cannot tell"
        for value, told_from in zip(shown["above_noise"], shown["told_from"], strict=True)
    ]
    return shown.assign(verdict=words)


def above_noise(frame: pd.DataFrame) -> Flags:
    """Find the rows above noise; where that cannot be told they are not."""
    return frame["above_noise"].fillna(value=False).to_numpy(dtype=bool)


def with_estimate(result: Result) -> list[dict[str, Any]]:
    """Give the shown rows of the ratings to which points can be put."""
    return [row for row in result.records if pd.notna(row["estimate"])]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DriverList(Result):
    """One of the two lists: points at stake in making promoters, or in keeping from detractors.

    `frame` columns: term, n, estimate with std_error, conf_low, conf_high, above_noise; most points first.

    Attributes
    ----------
    part : {"promoter", "detractor"}
    scale : str
        Which ratings are good and which poor.
    baseline_share : float
        Share of promoters (detractors) among all.
    """

    part: str
    scale: str
    baseline_share: float

    kind: ClassVar[str] = "driver_list"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "n": "Rated by",
        "estimate": "Points at stake",
        "verdict": "Beyond all others, in either list",
    }

    table_columns: ClassVar = ("term", "n", "estimate", "conf_high", "verdict")

    @cached_property
    def shown(self) -> pd.DataFrame:
        return with_verdicts(super().shown)

    @property
    def leaders(self) -> list[dict[str, Any]]:
        """Up to three drivers above noise whose limits are on one side of zero, most points first."""
        shown = self.shown
        rows = shown[above_noise(shown) & (shown["conf_low"] * shown["conf_high"] > 0)].to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows[:3]]

    @property
    def finding(self) -> str:
        who = "promoters" if self.part == "promoter" else "detractors"
        more, fewer = ("more", "fewer") if self.part == "promoter" else ("fewer", "more")
        said = []
        for way, of_way in ((more, 1), (fewer, -1)):
            named = [
                f"{row['term']} ({points(row['estimate'])})" for row in self.leaders if row["estimate"] * of_way > 0
            ]
            if named:
                most = ", most for" if len(self.frame) > 1 else " for"
                said.append(f"Good ratings go with {way} {who}{most} {joined(named)}.")
        return " ".join(said) or f"For no rating above noise are the points of {who} away from zero."

    @property
    def details(self) -> str:
        limits = [f"{row['term']} {interval_text(row, self.confidence_level)}" for row in self.leaders]
        return f"Of the ratings above noise: {joined(limits)}." if limits else ""

    @property
    def note(self) -> str:
        who = "promoters" if self.part == "promoter" else "detractors"
        sign = "" if self.part == "promoter" else " A positive number means fewer detractors, and so a higher NPS."
        return (
            f"NPS points, of which a point is one {who[:-1]} in a hundred answers; "
            f"{format_value(self.baseline_share, 'share')} of all answers are {who}.{sign} {self.scale.capitalize()}."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} {points(row['estimate'])}" for row in with_estimate(self)]
        who = "promoter" if self.part == "promoter" else "detractor"
        return f"NPS points at stake in what goes with being a {who}, with interval bars: " + "; ".join(said) + "."
