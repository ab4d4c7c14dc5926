"""Who is still there, day by day after the landmark, by what was answered at it."""

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
from nps_research.results.words import format_interval, joined, p_text, share
from nps_research.statistics.survival import log_rank, survival, survival_risks
from nps_research.typing import Flags

STEPS = 6
SHOWN = {SILENT: "The silent", "promoter": "Promoters", "passive": "Passives", "detractor": "Detractors"}


def hidden_states(n: pd.Series, answered: Flags, minimum_cell: int) -> Flags:
    """Find the states that may not be shown, where histories beside them show all who answered."""
    size = n.to_numpy(dtype=float)
    gone = hidden_rows(size, minimum_cell)
    # what is hidden of those who answered must not be the rest of what the histories show
    gone[answered] = hidden_rows(size[answered], minimum_cell, hidden=gone[answered])
    return gone


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RetentionCurves(Result):
    """Kaplan-Meier curves from the landmark.

    `frame` columns: group (the silent, promoters, passives, detractors), n (at risk at the landmark), day, n_at_risk
    (still there and still watched on that day), estimate (share still there) with conf_low, conf_high.
    """

    unit: str
    horizon_days: int
    caveat: str = ""
    z: float
    p_value: float

    kind: ClassVar[str] = "retention_curves"
    headings: ClassVar[Mapping[str, str]] = {
        "group": "At the landmark",
        "n_at_risk": "Still at risk",
        "estimate": "Still customers",
    }
    formats: ClassVar[Mapping[str, str]] = {"day": "count", "n_at_risk": "count", "estimate": "share"}
    table_columns: ClassVar = ("group", "day", "n_at_risk", "estimate", "conf_high")

    @cached_property
    def shown(self) -> pd.DataFrame:
        groups = self.frame.drop_duplicates("group")
        gone = hidden_states(groups["n"], (groups["group"] != SHOWN[SILENT]).to_numpy(), self.minimum_cell)
        return self.frame[~self.frame["group"].isin(groups["group"][gone])].reset_index(drop=True)

    @property
    def finding(self) -> str:
        last = self._at_horizon
        if not last:
            return f"There are too few {self.unit}s to draw who is still there."
        rates = joined([f"{share(row['estimate'])} of {row['group'].lower()}" for row in last])
        return f"After {self.horizon_days} days, {rates} were still customers."

    @property
    def _at_horizon(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["day"] == self.horizon_days]

    @property
    def details(self) -> str:
        said = "; ".join(
            f"{row['group'].lower()} {format_interval(row['conf_low'], row['conf_high'], 'share')}"
            for row in self._at_horizon
        )
        limits = f"{self.confidence_level:.0%} intervals, days from the landmark: {said}." if said else ""
        return f"{limits} {self.caveat}".strip()

    @property
    def note(self) -> str:
        test = (
            f" Log-rank test of the silent against all who answered, within landmarks: z = {self.z:.1f}, "
            f"{p_text(self.p_value)}."
            if np.isfinite(self.z)
            else ""
        )
        return (
            f"Kaplan-Meier from the landmark; limits and test take rows of one {self.unit} as alike.{test} Curves "
            "start with those who were customers at the landmark, and so say nothing of who had left before."
        )

    @property
    def alt(self) -> str:
        return f"Curves of the share still customers, falling from 100% at the landmark: {self.finding}"


def curves_of(
    rows: pd.DataFrame, *, horizon_days: int, unit: str, confidence_level: float, **of_result: Any
) -> RetentionCurves:
    """Estimate retention curves (Kaplan-Meier) by state, from rows as `Landmarks.classed` gives them."""
    kept = rows[rows["state"].isin(SHOWN)]
    group = pd.Categorical(kept["state"], list(SHOWN)).codes.astype(np.int64)
    days, event = kept["days"].to_numpy(), kept["event"].to_numpy(dtype=bool)
    cluster = kept["unit"].to_numpy()
    at = sorted({max(round(step * horizon_days / STEPS), 1) for step in range(1, STEPS + 1)})
    risks = survival_risks(days, event, group, cluster, n_groups=len(SHOWN), at=at)
    found: list[tuple[Any, ...]] = []
    for place, words in enumerate(SHOWN.values()):
        member = group == place
        if not member.any():
            continue
        _, _, at_risk = survival(days[member], event[member])
        n = int(member.sum())
        found.append((words, n, 0, n, 1.0, 1.0, 1.0))
        for day, risk in zip(at, risks, strict=True):
            low, high = risk.limits(confidence_level)
            still = int(at_risk[day]) if day < len(at_risk) else 0
            stayed = (float(1 - left[place]) for left in (risk.risk, high, low))
            found.append((words, n, day, still, *stayed))
    silent = (kept["state"] == SILENT).to_numpy()
    tested = silent.any() and kept["state"].isin(ANSWERED).any()
    strata = pd.factorize(kept["period"])[0].astype(np.int64)
    z, p = log_rank(days, event, silent, strata=strata, cluster=cluster) if tested else (np.nan, np.nan)
    return RetentionCurves(
        frame=pd.DataFrame(found, columns=["group", "n", "day", "n_at_risk", "estimate", "conf_low", "conf_high"]),
        confidence_level=confidence_level,
        title="Still customers after the landmark",
        unit=unit,
        horizon_days=horizon_days,
        z=z,
        p_value=p,
        **of_result,
    )
