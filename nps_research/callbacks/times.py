"""How long it takes to call back: hours from the answer to the first call, and until the person is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.callbacks.cases import cases_of
from nps_research.callbacks.enough import PROMISED_HOURS
from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import format_interval, plain_text, share
from nps_research.score.pooled_groups import fit_dirichlet
from nps_research.statistics.survival import survival, survival_risks
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

FIRST_CALL, UNTIL_REACHED = "first call", "reached"
WITHIN_HOURS = (24, PROMISED_HOURS)
ALL = "all cases"
_WEEK, _WORKING = 7 * 24.0, 5 * 24.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallbackTimes(Result):
    """Shares called, and reached, within 24 and 72 hours of the answer (Kaplan-Meier).

    `frame` columns: group (all cases, and each queue), term (first call, reached), n (cases
    assigned), events (of these, called or reached), within_24, within_72 (shares within so many hours) and working_24,
    working_72 (hours of Saturday and Sunday left out), each with limits; median_hours (nan where fewer than half).

    Attributes
    ----------
    n_open : int
        Cases neither reached nor closed at the end of the data: they count as long as they were watched.
    n_callers : int
        Callers with enough cases to be counted.
    slowest, fastest : float
        Lowest and highest of the callers' shares reached in time, each drawn towards all by as much as its cases leave
        open; who they are is private.
    """

    n_open: int = 0
    n_callers: int = 0
    slowest: float = np.nan
    fastest: float = np.nan

    kind: ClassVar[str] = "callback_times"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Cases",
        "term": "Until",
        "n": "Assigned",
        "within_24": "Within 24 hours",
        "within_72": "Within 72 hours",
        "working_72": "Within 72 working hours",
        "median_hours": "Median, hours",
    }
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("within_24", "within_72", "working_24", "working_72"), "share"),
        "median_hours": "count",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("group", "term", "n", "within_24", "within_72", "within_72_conf_high", "working_72", "median_hours"),
    )

    @property
    def _whole(self) -> dict[str, Any] | None:
        return next((row for row in self.records if row["group"] == ALL and row["term"] == UNTIL_REACHED), None)

    @property
    def finding(self) -> str:
        row = self._whole
        if row is None:
            return "There are too few cases to tell how fast they are called."
        half = f", half within {row['median_hours']:.0f} hours" if row["median_hours"] == row["median_hours"] else ""
        return f"{share(row['within_72'])} of the cases are reached within {PROMISED_HOURS} hours of the answer{half}."

    @property
    def details(self) -> str:
        rows = [row for row in self.records if row["term"] == UNTIL_REACHED]
        said = [
            f"{plain_text(row['group'])}: {share(row['within_72'])} "
            f"({format_interval(row['within_72_conf_low'], row['within_72_conf_high'], 'share')}), "
            f"{share(row['working_72'])} in working time"
            for row in rows
        ]
        if not said:
            return ""
        callers = ""
        if self.n_callers > 1:
            callers = f" Of {self.n_callers} callers, pooled, from {share(self.slowest)} to {share(self.fastest)}."
        return f"Reached within {PROMISED_HOURS} hours, {'; '.join(said)}.{callers}"

    @property
    def note(self) -> str:
        still = f" {self.n_open:,} cases are open still." if self.n_open else ""
        return (
            "Base: cases assigned to be called. Kaplan-Meier: an open case counts as long as it was watched, and one "
            "closed without an answer is never reached. Working time leaves out Saturday and Sunday; holidays are not "
            f"known.{still} Limits allow for several cases of one account."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])} {share(row['within_24'])} within 24 hours, {share(row['within_72'])} within 72"
            for row in self.records
            if row["term"] == UNTIL_REACHED
        ]
        return f"Points with intervals, the share of cases reached: {'; '.join(rows)}."


def working_hours(start: pd.Series, end: pd.Series) -> Floats:
    """Count the hours between moments without those of Saturday and Sunday; nan where an end is missing.

    Examples
    --------
    >>> friday, monday = (pd.to_datetime(pd.Series([day])) for day in ("2025-03-07 18:00", "2025-03-10 06:00"))
    >>> working_hours(friday, monday).tolist()
    [12.0]
    """

    def since_monday(moment: pd.Series) -> Floats:
        hours = ((moment - pd.Timestamp(1970, 1, 5)).dt.total_seconds() / 3600).to_numpy(dtype=float)  # a Monday
        week = np.floor(hours / _WEEK)
        return np.asarray(week * _WORKING + np.minimum(hours - week * _WEEK, _WORKING))

    return since_monday(end) - since_monday(start)


def _timed(study: Study) -> pd.DataFrame:
    """Cases assigned to be called, with the moment from which the time runs."""
    study.require("callbacks.reached_at", "responses.responded_at")
    cases = cases_of(study)
    cases = cases[cases["assigned"] & cases["responded_at"].notna()]
    if cases.empty:
        raise CannotAnswerError("No case that was to be called is of an answer with a date.")
    return cases


@begins_with(_timed)
def callback_times(study: Study, *, confidence_level: float = 0.95) -> CallbackTimes:
    """Estimate the share of cases called, and reached, within 24 and 72 hours of the answer (Kaplan-Meier).

    The estimand is the share of cases assigned to be called that are called, or reached, within so many hours, were all
    watched to the end.

    Parameters
    ----------
    study : Study
        Its `callbacks` say when people were reached.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    CallbackTimes
        Of all cases, and of each queue.

    Raises
    ------
    CannotAnswerError
        If no case says when the person was reached, or answers have no dates.

    Notes
    -----
    Time is counted in whole hours, counted up. See `statistics.survival.survival_risks` for the limits.
    """
    check_level(confidence_level)
    cases = _timed(study)
    cluster, _ = response_clusters(study, cases)
    last = pd.Timestamp(study.settings.data_until or cases[["attempted_at", "reached_at", "closed_at"]].max().max())
    called = cases["attempted_at"].fillna(cases["reached_at"])
    rows = []
    for name, of_group in _queues(cases):
        for term, done in ((FIRST_CALL, called), (UNTIL_REACHED, cases["reached_at"])):
            row: dict[str, Any] = {"group": name, "term": term}
            for clock, measured in (("within", _hours), ("working", working_hours)):
                hours, event = _waits(cases[of_group], done[of_group], last, measured)
                row |= _shares_within(hours, event, cluster[of_group], clock, confidence_level)
                if clock == "within":
                    stayed = survival(hours, event)[0]
                    row |= {"n": len(hours), "events": int(event.sum()), "median_hours": _median(stayed)}
            rows.append(row)
    shares = [f"{clock}_{hours}" for clock in ("within", "working") for hours in WITHIN_HOURS]
    limits = [column for name in shares for column in (name, f"{name}_conf_low", f"{name}_conf_high")]
    is_open = cases["reached_at"].isna() & cases["closed_at"].isna()
    pooled = _of_callers(cases, study.settings.minimum_cell)
    return CallbackTimes(
        frame=pd.DataFrame(rows)[["group", "term", "n", "events", *limits, "median_hours"]],
        confidence_level=confidence_level,
        title="Time to call back",
        minimum_cell=study.settings.minimum_cell,
        n_open=int(is_open.sum()),
        n_callers=len(pooled),
        slowest=float(pooled.min()) if len(pooled) else np.nan,
        fastest=float(pooled.max()) if len(pooled) else np.nan,
    )


def _queues(cases: pd.DataFrame) -> list[tuple[str, Flags]]:
    """All cases, and each queue."""
    found = [(ALL, np.ones(len(cases), dtype=bool))]
    if "queue" in cases:
        queues = sorted(cases["queue"].dropna().unique())
        found += [(f"queue {name}", (cases["queue"] == name).to_numpy()) for name in queues if len(queues) > 1]
    return found


def _of_callers(cases: pd.DataFrame, minimum_cell: int) -> Floats:
    """Share of each caller's cases reached within the promised time, pooled; of callers with enough cases."""
    if "caller" not in cases:
        return np.empty(0)
    in_time = _hours(cases["responded_at"], cases["reached_at"]) <= PROMISED_HOURS
    of_caller = pd.DataFrame({"yes": in_time, "no": ~in_time}).groupby(cases["caller"].to_numpy()).sum()
    counts = of_caller[of_caller.sum(axis=1) >= minimum_cell].to_numpy(dtype=float)
    if len(counts) < 2 or not counts.sum(axis=0).all():
        return np.empty(0)
    mean, concentration = fit_dirichlet(counts)
    n = counts.sum(axis=1)
    own = n / (n + concentration) if np.isfinite(concentration) else np.zeros(len(n))
    return np.asarray(own * counts[:, 0] / n + (1 - own) * mean[0])


def _hours(start: pd.Series, end: pd.Series) -> Floats:
    return np.asarray(((end - start).dt.total_seconds() / 3600).to_numpy(dtype=float))


def _waits(cases: pd.DataFrame, done: pd.Series, last: pd.Timestamp, measured: Any) -> tuple[Floats, Flags]:
    """Hours until it was done, or as long as that was watched; whole, counted up."""
    event = done.notna().to_numpy()
    until = done.fillna(last)
    hours = np.ceil(measured(cases["responded_at"], until))
    return np.maximum(hours, 1.0), event


def _shares_within(hours: Floats, event: Flags, cluster: Any, clock: str, confidence_level: float) -> dict[str, float]:
    group = np.zeros(len(hours), dtype=np.int64)
    codes = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    found: dict[str, float] = {}
    for at, risks in zip(
        WITHIN_HOURS, survival_risks(hours, event, group, codes, n_groups=1, at=WITHIN_HOURS), strict=True
    ):
        low, high = risks.limits(confidence_level)
        name = f"{clock}_{at}"
        found |= {name: float(risks.risk[0]), f"{name}_conf_low": float(low[0]), f"{name}_conf_high": float(high[0])}
    return found


def _median(stayed: Floats) -> float:
    """The first hour by which at most half are left; nan where there is none."""
    below = np.flatnonzero(stayed <= 0.5)
    return float(below[0]) if len(below) else np.nan
