"""The answer to whether silence is a signal: churn by state at the landmark, a verdict, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import ANSWERED, SILENT
from nps_research.counting.score_bands import band_text
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import MOST_WORDS, format_interval, format_value, joined, p_text, share
from nps_research.silence.signal.adjusted import DIFFERENCE as ADJUSTED
from nps_research.silence.signal.adjusted import AdjustedSilence
from nps_research.silence.signal.curves import SHOWN, RetentionCurves, hidden_states
from nps_research.silence.signal.history import SilenceHistory
from nps_research.silence.signal.verdict import SilenceWord

STATE_WORDS = {**SHOWN, "answered": "All who answered", "not_reached": "Not reached"}
MOVED: dict[SilenceWord, str] = {  # what the verdict by the line that moved says, after "with 0-3,"
    "worst": "they leave most of all, too",
    "worst-unadjusted": "not other things equal",
    "better": "they leave least of all",
    "like-detractors": "they leave like detractors",
    "between": "they leave less often than detractors",
    "like-respondents": "they leave like respondents",
    "within-margin": "they leave nearly like respondents",
    "cannot-tell": "this cannot be told",
}
_ALIKE = "other things equal"
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
    verdict, unconfirmed, lacking, is_rare, decides_at
        As in `nps_research.silence.signal.verdict.SilenceVerdict`.
    moved_line : int or None
        Highest detractor answer by customers' leaving, where that is another one; `moved_verdict` is the verdict by it.
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
    unconfirmed: tuple[str, ...] = ()
    lacking: str
    is_rare: bool
    decides_at: int | None = None
    moved_line: int | None = None
    moved_verdict: SilenceWord | None = None
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

    @cached_property
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
            return "There are too few silent to show what became of them."
        others = [share(row["churn_rate"]) for row in sorted(self._others, key=lambda row: float(row["churn_rate"]))]
        against = "" if not others else f", respondents {' to '.join(dict.fromkeys((others[0], others[-1])))}"
        rates = f"{share(silent['churn_rate'])} of them left within {self.horizon_days} days{against}."
        said = f"{self._verdict_words} {rates}"
        return said if len(said.split()) <= MOST_WORDS else self._verdict_words

    @property
    def _others(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["state"] in ANSWERED]

    @property
    def details(self) -> str:
        silent, units = self._row(SILENT), f"{self.unit}s"
        if silent is None:
            return self.caveat
        rates = joined([f"{share(row['churn_rate'])} of {row['term'].lower()}" for row in self._others])
        against = f", against {rates} (base: {units}, each counted once a wave)" if rates else ""
        limits = format_interval(silent["conf_low"], silent["conf_high"], "share")
        said = (
            f"Of {units} that did not answer the survey, {share(silent['churn_rate'])} left within "
            f"{self.horizon_days} days ({self.confidence_level:.0%} interval {limits}){against}."
        )
        return " ".join(filter(None, (said, self._gap, self._alike_gap, self._open, self.caveat)))

    @property
    def _verdict_words(self) -> str:
        """The verdict by the line, what it is other things equal, and the verdict by the line that moved."""
        if self.lacking:
            return f"There are no {_state_words(self.lacking)} at any landmark, so no verdict on silence is given."
        if self.is_rare:
            return "Too few left, or too few stayed, for the silent to be set beside those who answer."
        times = f"{self.margin:g} times"
        says = {
            "worst": "the silent leave most of all",
            "worst-unadjusted": "the silent leave most",
            "better": "the silent leave least of all",
            "like-detractors": f"the silent leave like detractors (less than {times} apart), more often than others",
            "between": "the silent leave more often than promoters and less often than detractors",
            "like-respondents": f"the silent leave like those who answer (less than {times} apart)",
            "within-margin": f"the silent leave {self._more_or_less} often than those who answer "
            f"(by less than {times})",
            "cannot-tell": "where the silent stand cannot be told",
        }[self.verdict]
        first, moved = says + self._held_alike, ""
        if self.moved_line is not None and self.moved_verdict is not None:
            first = f"with detractors {band_text(0, self.detractor_max)}, {first}"
            moved = f"; with {band_text(0, self.moved_line)}, {MOVED[self.moved_verdict]}"
        return f"{first[0].upper()}{first[1:]}{moved}."

    @property
    def _held_alike(self) -> str:
        """What the verdict becomes with what is known held constant."""
        if self.verdict == "worst-unadjusted" and not self.adjusted_for:
            return ", but too few left to hold anything else equal"
        if not self.adjusted_for:
            return ""
        if self.verdict == "worst":
            return f", also {_ALIKE}"
        if self.verdict == "worst-unadjusted":
            others = joined([_state_words(state) for state in self.unconfirmed])
            return f", but {_ALIKE} not shown to leave more often than {others}"
        row = self._row("detractor" if self.verdict in ("like-detractors", "between") else "answered")
        if row is None or not np.isfinite(row[ADJUSTED]):
            return ""
        differs = "no difference is shown"
        if row[f"{ADJUSTED}_conf_low"] > 0 or row[f"{ADJUSTED}_conf_high"] < 0:
            they = "they leave " if self.verdict == "cannot-tell" else ""  # else the verdict has the verb
            differs = f"{they}{'more' if row[ADJUSTED] > 0 else 'less'} often"
        than = " than those who answer" if self.verdict in ("better", "cannot-tell") and "often" in differs else ""
        return f"; {_ALIKE}, {differs}{than}"

    @property
    def _alike_gap(self) -> str:
        """The gap to the nearest group with what is known held constant, with its interval."""
        of_all = self._row("answered") if not self.verdict.startswith("worst") else None
        rows = [row for row in ([of_all] if of_all else self._others) if np.isfinite(row[ADJUSTED])]
        if not rows or not self.adjusted_for:
            return ""
        row = min(rows, key=lambda row: float(row[ADJUSTED]))
        limits = format_interval(row[f"{ADJUSTED}_conf_low"], row[f"{ADJUSTED}_conf_high"], "share_points")
        gap = format_value(row[ADJUSTED], "share_points")
        beside = row["term"].lower() if row["state"] in ANSWERED else "those who answered"
        return f"With {joined(self.adjusted_for)} held constant, {gap} beside {beside} ({limits})."

    @property
    def _more_or_less(self) -> str:
        difference = self.frame.set_index("state")["risk_difference"].get("answered", np.nan)
        return "more" if difference > 0 else "less"

    @property
    def _open(self) -> str:
        """Beside whom it is open, and how many leavers would tell."""
        if self.verdict != "cannot-tell":
            return ""
        p_values = self.frame.set_index("state")["p_value"]
        above = [_state_words(name) for name in ANSWERED if p_values[name] < 1 - self.confidence_level]
        unclear = [words for name in ANSWERED if (words := _state_words(name)) not in above]
        more = f"They leave more often than {joined(above)}; beside {joined(unclear)} it is open."
        if self.decides_at is None:
            return more if above else ""
        enough = f" Some {self.decides_at:,} leavers among them and in each group would decide it."
        return (more if above else "") + enough

    @property
    def _gap(self) -> str:
        """The smallest gap of the silent that leave most, as they are."""
        others = [row for state in ANSWERED if (row := self._row(state))]
        if not self.verdict.startswith("worst") or len(others) < len(ANSWERED):
            return ""
        nearest = min(others, key=lambda row: float(row["risk_difference"]))
        limits = format_interval(
            nearest["risk_difference_conf_low"], nearest["risk_difference_conf_high"], "share_points"
        )
        gap = format_value(nearest["risk_difference"], "share_points")
        return (
            f"Smallest is the gap to {nearest['term'].lower()} ({gap}, {self.confidence_level:.0%} interval {limits}; "
            f"one-sided {p_text(nearest['p_value'])})."
        )

    @property
    def note(self) -> str:
        who = (
            "An account is silent where nobody in it who was asked returned the form within the window; else it is "
            "what the mean answer of its contacts is. "
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
        """The silent against each group, other things equal."""
        frame = self.shown
        contrasts = ("risk_difference", "adjusted_risk_difference", "hazard_ratio", "adjusted_hazard_ratio")
        limits = [f"{name}{end}" for name in contrasts for end in ("", "_conf_low", "_conf_high")]
        return AdjustedSilence(
            frame=frame.loc[frame["state"] != SILENT, ["term", "state", "n", *limits]].reset_index(drop=True),
            confidence_level=self.confidence_level,
            title="The silent, other things equal",
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
            for row, words in ((silent, f"silent {self.unit}s"), (answered, f"{self.unit}s that answered"))
            if row is not None
        )


def _state_words(state: str) -> str:
    return STATE_WORDS[state].lower()
