"""The silent against each group that answered, other things equal: rates and hazard ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.results.result import Result
from nps_research.results.words import format_interval, format_value, joined, p_text

_OTHERS_EQUAL = "Other things equal"
DIFFERENCE, RATIO = "adjusted_risk_difference", "adjusted_hazard_ratio"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdjustedSilence(Result):
    """Contrasts of the silent with each group, as observed and other things equal.

    `frame` columns: term, state, n (at risk), then as in `NonresponseSignal`: risk_difference,
    adjusted_risk_difference, hazard_ratio and adjusted_hazard_ratio with their limits.
    """

    adjusted_for: tuple[str, ...]
    unit: str
    caveat: str
    early: float
    late: float
    proportional_p: float

    kind: ClassVar[str] = "adjusted_silence"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "The silent against",
        "risk_difference": "Churn rate, difference",
        DIFFERENCE: "Difference, adjusted",
    }
    formats: ClassVar[Mapping[str, str]] = {DIFFERENCE: "share_points"}
    table_columns: ClassVar = (
        *("term", "risk_difference", DIFFERENCE, f"{DIFFERENCE}_conf_high"),
        *("hazard_ratio", "hazard_ratio_conf_high", RATIO, f"{RATIO}_conf_high"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame

    @property
    def finding(self) -> str:
        rows = [row for row in self.records if np.isfinite(row[DIFFERENCE])]
        if not rows:
            return "Too little is known, or too few left, to hold other things equal."
        row = next((row for row in rows if row["state"] == "answered"), rows[-1])
        gap, whom = format_value(row[DIFFERENCE], "share_points"), "those who answered"
        if row["state"] != "answered":
            whom = row["term"].lower()
        if row[f"{DIFFERENCE}_conf_low"] <= 0 <= row[f"{DIFFERENCE}_conf_high"]:
            return f"{_OTHERS_EQUAL}, no difference is proven between the silent and {whom} ({gap})."
        how = "more" if row[DIFFERENCE] > 0 else "less"
        return f"{_OTHERS_EQUAL}, the silent still leave {how} often than {whom}: {gap}."

    @property
    def details(self) -> str:
        rows = [row for row in self.records if np.isfinite(row[DIFFERENCE])]
        if not rows:
            return self.caveat
        said = "; ".join(
            f"against {row['term'].lower()} {format_value(row[DIFFERENCE], 'share_points')} ("
            f"{format_interval(row[f'{DIFFERENCE}_conf_low'], row[f'{DIFFERENCE}_conf_high'], 'share_points')})"
            + (f", hazard ratio {row[RATIO]:.1f}" if np.isfinite(row[RATIO]) else "")
            for row in rows
        )
        return (
            f"Held constant: {joined(self.adjusted_for)}. Difference of the churn rates "
            f"({self.confidence_level:.0%} intervals): {said}. {self.caveat}"
        ).strip()

    @property
    def note(self) -> str:
        halves = ""
        if np.isfinite(self.early) and np.isfinite(self.late):
            changes = (
                "it changes with time, and one number for it is an average"
                if self.proportional_p < 1 - self.confidence_level
                else "no change with time is shown"
            )
            halves = (
                f" Against all who answered the unadjusted hazard ratio is {self.early:.1f} in the first half of the "
                f"horizon and {self.late:.1f} in the second (test that they are the same: "
                f"{p_text(self.proportional_p)}); {changes}."
            )
        return (
            "Rates: logistic regression, standardised to all at risk who were watched over the whole horizon. Hazard "
            "ratios: Cox regression, baselines by landmark, Breslow ties. Numbers enter as natural splines; errors "
            f"take rows of one {self.unit} as alike. Marginal and adjusted hazard ratios differ even where nothing "
            f"confounds; differences of rates do not.{halves}"
        )

    @property
    def alt(self) -> str:
        said = "; ".join(
            f"{row['term']}: {format_value(row['risk_difference'], 'share_points')} as observed, "
            f"{format_value(row[DIFFERENCE], 'share_points')} adjusted"
            for row in self.records
        )
        return f"Points with interval bars, churn rate of the silent less that of each group: {said}."
