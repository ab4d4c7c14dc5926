"""The answer to whether silence is a signal: churn by state at the landmark, a verdict, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import ANSWERED, SILENT
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import format_interval, format_value, joined, p_text, share
from nps_research.silence.signal.adjusted import AdjustedSilence
from nps_research.silence.signal.curves import SHOWN, RetentionCurves, hidden_states
from nps_research.silence.signal.history import SilenceHistory
from nps_research.silence.signal.verdict import SilenceWord

STATE_WORDS = {**SHOWN, "answered": "All who answered", "not_reached": "Not reached"}
LEFT_OUT = {
    "no_invitation_date": "invitations without a date",
    "no_customer": "invitations of nobody in the customer table",
    "window_open": "invitations whose window was still open",
    "no_wave": "invitations without a wave",
    "gone_before_landmark": "landmarks of {unit}s that had left by then",
    "outcome_unobserved": "landmarks of {unit}s that were not watched after it",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NonresponseSignal(Result):
    """Churn after a landmark by what was answered at it, and the silent against each group.

    `frame` columns, a row a state: term, state (nonrespondent, promoter, passive, detractor, answered: these three
    together, not_reached), n (units at risk, over all landmarks), events (left within the horizon), churn_rate with
    conf_low, conf_high; then the silent against the row: risk_difference (churn rate of the silent less the row's),
    p_value (one-sided: that the silent leave no more often), hazard_ratio, and both adjusted:
    adjusted_risk_difference, adjusted_hazard_ratio; each with its ``_conf_low`` and ``_conf_high``.

    Attributes
    ----------
    verdict : str
        As in `nps_research.silence.signal.verdict.SilenceVerdict`.
    curves : RetentionCurves
        Kaplan-Meier curves from the landmark.
    histories : SilenceHistory
        Churn by how long and how completely a unit has been silent.
    early, late : float
        Hazard ratio of the silent against all who answered, in the first and the second half of the horizon;
        `proportional_p` tests that they are the same.
    """

    verdict: SilenceWord
    margin: float
    unit: str
    horizon_days: int
    n_units: int
    n_landmarks: int
    detractor_max: int
    promoter_min: int
    adjusted_for: tuple[str, ...]
    lacking: str
    is_rare: bool
    caveat: str
    early: float
    late: float
    proportional_p: float
    left_out: Mapping[str, int]
    curves: RetentionCurves = field(repr=False)
    histories: SilenceHistory = field(repr=False)

    kind: ClassVar[str] = "nonresponse_signal"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "At the landmark",
        "n": "At risk",
        "events": "Left",
        "risk_difference": "Silent less these",
        "p_value": "p, silent no worse",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share"}
    table_columns: ClassVar = (
        *("term", "n", "events", "churn_rate", "conf_high"),
        *("risk_difference", "risk_difference_conf_high", "p_value"),
    )

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().settings.items() if name not in ("curves", "histories")}

    @property
    def shown(self) -> pd.DataFrame:
        total = (self.frame["state"] == "answered").to_numpy()
        answered = self.frame["state"].isin(ANSWERED).to_numpy()
        gone = np.zeros(len(self.frame), dtype=bool)
        gone[~total] = hidden_states(self.frame["n"][~total], answered[~total], self.minimum_cell)
        gone |= total & (gone & answered).any()
        return self.frame[~gone].reset_index(drop=True)

    @property
    def n_hidden(self) -> int:
        return len(self.frame) - len(self.shown)

    def _row(self, state: str) -> Mapping[str, Any] | None:
        return next((row for row in self.records if row["state"] == state), None)

    @property
    def finding(self) -> str:
        silent = self._row(SILENT)
        if silent is None:
            return _sentence("There are too few silent to show what became of them.", self.caveat)
        units = f"{self.unit}s"
        others = [row for row in self.records if row["state"] in ANSWERED]
        rates = joined([f"{share(row['churn_rate'])} of {row['term'].lower()}" for row in others])
        against = f", against {rates}" if others else ""
        limits = format_interval(silent["conf_low"], silent["conf_high"], "share")
        said = (
            f"Of {units} that met the survey with silence, {share(silent['churn_rate'])} left within "
            f"{self.horizon_days} days ({self.confidence_level:.0%} interval {limits}){against}."
        )
        return _sentence(f"{self._verdict_words(others)} {said}", self.caveat)

    def _verdict_words(self, others: Sequence[Mapping[str, Any]]) -> str:
        all_shown = len(others) == len(ANSWERED)
        nearest = min(others, key=lambda row: float(row["risk_difference"])) if all_shown else None
        margin = f"{100 * self.margin:g} percentage points{self._wide}"
        if self.verdict == "worst" and nearest is not None:
            gap = format_interval(
                nearest["risk_difference_conf_low"], nearest["risk_difference_conf_high"], "share_points"
            )
            return (
                f"The silent leave most of all: more often than promoters, passives and detractors, each. Smallest is "
                f"the gap to {nearest['term'].lower()} ({format_value(nearest['risk_difference'], 'share_points')}, "
                f"{self.confidence_level:.0%} interval {gap}; one-sided {p_text(nearest['p_value'])})."
            )
        if self.verdict == "cannot-tell":
            if self.lacking:
                absent = STATE_WORDS[self.lacking].lower()
                return f"There are no {absent} at any landmark, so no verdict on silence is given."
            if self.is_rare:
                return "Too few left, or too few stayed, for the silent to be set beside those who answer."
            p_values = self.frame.set_index("state")["p_value"]
            above = [STATE_WORDS[name].lower() for name in ANSWERED if p_values[name] < 1 - self.confidence_level]
            unclear = [words for name in ANSWERED if (words := STATE_WORDS[name].lower()) not in above]
            more = f" They leave more often than {joined(above)}; beside {joined(unclear)} it is open." if above else ""
            return f"Where the silent stand among those who answer cannot be told.{more}"
        return {
            "worst": "The silent leave most of all: more often than promoters, passives and detractors, each.",
            "better": "The silent leave least of all: less often than promoters, passives and detractors, each.",
            "like-respondents": "The churn rates of the silent and of all who answer differ by less than "
            f"{margin}{self._still('answered')}.",
            "like-detractors": "The silent leave more often than promoters and passives; their churn rate and that of "
            f"detractors differ by less than {margin}{self._still('detractor')}.",
            "between": "The silent leave more often than promoters and less often than detractors.",
        }[self.verdict]

    @property
    def _wide(self) -> str:
        """A margin as large as the rate itself says little."""
        rate = float(self.frame.set_index("state")["churn_rate"].get("answered", np.nan))
        return (
            f" (a margin as large as the rate itself: even twice {share(rate)} is within it)"
            if rate <= self.margin
            else ""
        )

    def _still(self, state: str) -> str:
        """What two rates within the margin may be none the less: apart by more than chance."""
        row = self.frame.set_index("state").loc[state]
        if row["risk_difference_conf_low"] > 0:
            return ", though the silent leave more often"
        return ", though the silent leave less often" if row["risk_difference_conf_high"] < 0 else ""

    @property
    def note(self) -> str:
        who = (
            "An account is silent where nobody reached in it returned the form within the window; else it is what the "
            "mean answer of its contacts is. "
            if self.unit == "account"
            else ""
        )
        return (
            f"{self.n_units:,} {self.unit}s over {self.n_landmarks} landmarks (the end of each wave's window), one row "
            f"each at risk; an answer after it is silence, and who had left by then is not at risk. {who}Detractors: "
            f"0 to {self.detractor_max}; promoters: {self.promoter_min} to 10. Rates by Kaplan-Meier; limits and tests "
            f"take rows of one {self.unit} as alike.{self._left_out} To be silent goes with leaving; whether it, or "
            "being asked at all, brings it about is not known."
        )

    @property
    def _left_out(self) -> str:
        """What is not at risk at any landmark, counted."""
        said = [f"{n:,} {LEFT_OUT[reason].format(unit=self.unit)}" for reason, n in self.left_out.items()]
        return f" Left out: {', '.join(said)}." if said else ""

    @property
    def adjusted(self) -> AdjustedSilence:
        """The silent against each group, other things alike."""
        frame = self.shown
        contrasts = ("risk_difference", "adjusted_risk_difference", "hazard_ratio", "adjusted_hazard_ratio")
        limits = [f"{name}{end}" for name in contrasts for end in ("", "_conf_low", "_conf_high")]
        return AdjustedSilence(
            frame=frame.loc[frame["state"] != SILENT, ["term", "state", "n", *limits]].reset_index(drop=True),
            confidence_level=self.confidence_level,
            title="The silent, other things alike",
            minimum_cell=self.minimum_cell,
            adjusted_for=self.adjusted_for,
            unit=self.unit,
            caveat=self.caveat,
            early=self.early,
            late=self.late,
            proportional_p=self.proportional_p,
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{row['term']}: {share(row['churn_rate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        )
        return f"Churn rate within {self.horizon_days} days by state at the landmark, with interval: {rows}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        silent, answered = self._row(SILENT), self._row("answered")
        return tuple(
            KeyNumber(
                label=f"Churn within {self.horizon_days} days, {words}",
                estimate=row["churn_rate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                unit="share",
            )
            for row, words in ((silent, "the silent"), (answered, "those who answered"))
            if row is not None
        )


def _sentence(finding: str, caveat: str) -> str:
    return f"{finding} {caveat}".strip()
