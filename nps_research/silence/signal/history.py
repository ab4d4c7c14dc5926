"""Churn by how long, and how completely, a unit has been silent at the landmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import ANSWERED, SILENT
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import format_interval, format_value, share
from nps_research.statistics.survival import survival_risks
from nps_research.typing import Flags

HEARD = "Answered"
FIRST = "Silent, asked for the first time"
ONCE, TWO = "Silent once, after answering", "Silent twice in a row"
LONG = "Silent three times or more in a row"
QUIET, NEVER = "Went quiet: answered once, silent now", "Never answered, though asked before"
WHOLES = ((FIRST, ONCE, TWO, LONG), (FIRST, QUIET, NEVER))  # each adds up to all the silent, who are shown elsewhere


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SilenceHistory(Result):
    """Churn by history at the landmark; the rows overlap.

    `frame` columns: term (the history), n, events, churn_rate with conf_low, conf_high, risk_difference (churn rate of
    the row less that of all who answered) with risk_difference_conf_low, risk_difference_conf_high.
    """

    unit: str
    horizon_days: int
    caveat: str = ""

    kind: ClassVar[str] = "silence_history"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "At the landmark",
        "n": "At risk",
        "events": "Left",
        "risk_difference": "Less all who answered",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share"}
    table_columns: ClassVar = (
        *("term", "n", "events", "churn_rate", "conf_high"),
        *("risk_difference", "risk_difference_conf_high"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        n, term = self.frame["n"].to_numpy(dtype=float), self.frame["term"]
        gone = (n > 0) & (n < self.minimum_cell)
        for parts in WHOLES * 2:  # twice, as they share the first
            own = term.isin(parts).to_numpy()
            gone[own] = hidden_rows(n[own], self.minimum_cell, hidden=gone[own])
        return self.frame[~gone].reset_index(drop=True)

    @property
    def finding(self) -> str:
        most = self._highest
        if most is None:
            return f"There are too few silent {self.unit}s to tell their histories apart."
        return (
            f"Of the silent, these {self.unit}s leave most: {most['term'].lower()}. {share(most['churn_rate'])} "
            f"left within {self.horizon_days} days."
        )

    @property
    def _highest(self) -> dict[str, Any] | None:
        rows = [row for row in self.records if row["term"] != HEARD]
        return max(rows, key=lambda row: float(row["churn_rate"]), default=None)

    @property
    def details(self) -> str:
        most = self._highest
        if most is None:
            return self.caveat
        limits = format_interval(most["conf_low"], most["conf_high"], "share")
        gap = format_interval(most["risk_difference_conf_low"], most["risk_difference_conf_high"], "share_points")
        return (
            f"{self.confidence_level:.0%} interval {limits}; {format_value(most['risk_difference'], 'share_points')} "
            f"beside those who answered ({gap}). {self.caveat}"
        ).strip()

    @property
    def note(self) -> str:
        return (
            "Only what was known at the landmark. A unit stands in several rows; the highest of many rates is "
            f"high partly by chance. Limits take rows of one {self.unit} as alike."
        )

    @property
    def alt(self) -> str:
        said = "; ".join(f"{row['term']}: {share(row['churn_rate'])} of {row['n']:,}" for row in self.records)
        return f"Churn rate within {self.horizon_days} days by history of silence, with interval: {said}."


def histories_of(
    rows: pd.DataFrame, *, horizon_days: int, unit: str, confidence_level: float, **of_result: Any
) -> SilenceHistory:
    """Compute churn rates by history of silence, from rows as `Landmarks.classed` gives them."""
    days, event = rows["days"].to_numpy(), rows["event"].to_numpy(dtype=bool)
    cluster = rows["unit"].to_numpy()
    answered = rows["state"].isin(ANSWERED).to_numpy()
    found = []
    for words, member in {HEARD: answered, **_histories(rows, unit)}.items():
        if not member.any():
            continue
        # two copies, so that a history may overlap those who answered
        both = np.concatenate([np.flatnonzero(answered), np.flatnonzero(member)])
        group = np.repeat([0, 1], [answered.sum(), member.sum()])
        risks = survival_risks(days[both], event[both], group, cluster[both], n_groups=2, at=[horizon_days])[0]
        low, high = risks.limits(confidence_level)
        gap = risks.difference(1, 0, confidence_level) if words != HEARD else (np.nan, np.nan, np.nan)
        found.append(
            {
                "term": words,
                "n": int(member.sum()),
                "events": int(risks.events[1]),
                "churn_rate": float(risks.risk[1]),
                "conf_low": float(low[1]),
                "conf_high": float(high[1]),
                "risk_difference": gap[0],
                "risk_difference_conf_low": gap[1],
                "risk_difference_conf_high": gap[2],
            }
        )
    return SilenceHistory(
        frame=pd.DataFrame(found),
        confidence_level=confidence_level,
        title=f"Churn within {horizon_days} days, by history of silence",
        unit=unit,
        horizon_days=horizon_days,
        **of_result,
    )


def _histories(rows: pd.DataFrame, unit: str) -> dict[str, Flags]:
    """Which rows have which history."""
    silent = (rows["state"] == SILENT).to_numpy()
    in_a_row = rows["silent_in_a_row"].to_numpy()
    before, asked_before = rows["answered_before"].to_numpy(dtype=bool), (rows["n_earlier"] > 0).to_numpy()
    found = {
        FIRST: silent & ~asked_before,
        ONCE: silent & (in_a_row == 1) & asked_before,
        TWO: silent & (in_a_row == 2),
        LONG: silent & (in_a_row >= 3),
        QUIET: silent & before,
        NEVER: silent & ~before & asked_before,
    }
    if unit == "account":
        share_silent, decides = rows["silent_share"].to_numpy(), rows["decision_maker_silent"].to_numpy()
        some = ~silent & (rows["n_contacts"] > 1).to_numpy()
        found |= {
            "All contacts answered": some & (share_silent == 0),
            "Some contacts answered, some were silent": some & (share_silent > 0),
            "Decision maker silent, others answered": some & (decides == 1),
            "Decision maker answered": decides == 0,
        }
    return found
