"""What a line costs: how many customers to call below it, and how many of those who leave are among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_outcome
from nps_research.counting.outcome_by_score import Direction, OutcomeByScore
from nps_research.counting.score_bands import band_text
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.words import format_value, joined, plain_text, quoted, share
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.shape_models import CUTS
from nps_research.thresholds.of_outcome import ByCut


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallsByCut(ByCut):
    """Calls and leavers reached at each line.

    `frame` columns: cut, calls (answers below the line), call_share, reached (bad outcomes among them),
    reached_share (of all bad outcomes of those who answered), estimate (calls per bad outcome reached) with conf_low
    and conf_high.

    Attributes
    ----------
    called : str
        The wave whose answers are called, with these in column `last_calls`; empty where all are.
    silent_leavers : int or None
        Bad outcomes among the silent, whom no call list of answers reaches; None where silence is not known, or the
        silent are too few to show.
    """

    lines: tuple[int, ...]
    called: str = ""
    silent_leavers: int | None = None
    direction: Direction = "bad"

    kind: ClassVar[str] = "calls_by_cut"
    headings: ClassVar[Mapping[str, str]] = {
        "cut": "Call those who answered",
        "last_calls": "Calls, last wave",
        "calls": "Answers so far",
        "call_share": "Share of all answers",
        "reached": "Bad outcomes reached",
        "reached_share": "Share of bad outcomes",
        "estimate": "Calls per bad outcome",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "calls": "count",
        "last_calls": "count",
        "call_share": "share",
        "reached": "count",
        "reached_share": "share",
        "estimate": "width",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        "cut",
        "last_calls",
        "calls",
        "call_share",
        "reached",
        "reached_share",
        "estimate",
        "conf_high",
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.shown_where(self.frame["calls"] > 0)

    @property
    def full_note(self) -> str:
        return self.note

    @property
    def finding(self) -> str:
        parts = [
            f"{row['last_calls' if self.called else 'calls']:,}{' calls' * (place == 0)} for {row['cut']} "
            f"({format_value(row['estimate'], 'width')}{' per bad outcome' * (place == 0)})"
            for place, row in enumerate(self._compared)
        ]
        if not parts:
            return "No line with enough answers below it has a bad outcome there."
        of_wave = f" of {plain_text(self.called)}" if self.called else ""
        return f"The call list{of_wave} has {joined(parts)}."

    @property
    def _compared(self) -> list[dict[str, Any]]:
        rows = {row["cut"]: row for row in self.records}
        found = [rows.get(band_text(0, cut)) for cut in self.lines]
        return [row for row in found if row is not None and row["reached"] > 0]

    @property
    def details(self) -> str:
        parts = [
            f"Of {row['calls']:,} answers {row['cut']} so far, {row['reached']:,} were followed by a bad outcome "
            f"({share(row['reached_share'])} of those of all who answered)."
            for row in self._compared
        ]
        if parts and self.silent_leavers:
            parts.append(
                f"Another {self.silent_leavers:,} bad outcomes are among those who did not answer in time, whom no "
                "such list reaches."
            )
        return self.said(*parts)

    @property
    def note(self) -> str:
        bad = f"{quoted(self.outcome)} is not true" if self.direction == "good" else f"{quoted(self.outcome)} is true"
        return (
            f"A bad outcome is that {bad}. Rows are invitations: one customer may be called once for each answer. "
            f"Limits are Wilson's, at the effective answers. What a call changes is not known from this."
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{row['cut']}: {share(row['call_share'])} called, {share(row['reached_share'])} reached"
            for row in self.records
        )
        return f"Share of bad outcomes reached against share of customers called, by line: {rows}."


def calls_by_cut(
    outcome: OutcomeByScore | Study,
    *,
    lines: tuple[int, ...] | None = None,
    last: ScoreDistribution | None = None,
    confidence_level: float = 0.95,
) -> CallsByCut:
    """Count the calls to everybody below each line, and the bad outcomes among them (sensitivity, calls per outcome).

    Parameters
    ----------
    outcome : OutcomeByScore or Study
        One group's outcomes by score; of a Study churn is counted, or its only yes/no outcome.
    lines : tuple of int, optional
        Highest scores called that the finding compares; None takes the study's line and 3 (6, where its line is 3).
    last : ScoreDistribution, optional
        The answers that would be called now, of one group, such as `counting.answers_to_call` gives; None counts the
        calls to all whose outcome is known.
    confidence_level : float
        Level of the limits of calls per bad outcome.

    Returns
    -------
    CallsByCut

    Raises
    ------
    EstimationError
        If there are several groups, or a line is none.

    Examples
    --------
    >>> from nps_research.counting.outcome_by_score import OutcomeByScore
    >>> outcome = OutcomeByScore.from_counts([20, 0, 0, 0, 0, 0, 80, 0, 0, 0, 100], [10, 0, 0, 0, 0, 0, 10, 0, 0, 0, 5])
    >>> calls_by_cut(outcome).frame.query("cut in (3, 6)")[["calls", "reached", "estimate"]].values.tolist()
    [[20.0, 10.0, 2.0], [100.0, 20.0, 5.0]]
    """
    outcome = as_outcome(outcome)
    lines = outcome.lines_compared if lines is None else lines
    if wrong := [line for line in lines if line not in CUTS]:
        raise EstimationError(f"lines: {wrong[0]} is none; the highest score below a line is 0 to 9.")
    sample = Sample.of_group(outcome)
    calls, reached = np.cumsum(sample.n)[:-1], np.cumsum(sample.events)[:-1]
    deff = np.array([sample.design_effect(np.arange(len(sample.n)) <= cut) for cut in CUTS])
    low, high = wilson_limits(reached / deff, calls / deff, confidence_level=confidence_level)
    with np.errstate(invalid="ignore", divide="ignore"):
        frame = pd.DataFrame(
            {
                "cut": CUTS,
                "calls": calls.astype(np.int64),
                "call_share": calls / sample.n.sum(),
                "reached": reached.astype(np.int64),
                "reached_share": reached / sample.events.sum(),
                "estimate": np.where(reached > 0, calls / reached, np.nan),
                "conf_low": np.where(reached > 0, 1 / high, np.nan),
                "conf_high": np.where(reached > 0, 1 / low, np.nan),
            }
        )
    called = ""
    if last is not None and not last.hidden.any():
        called = last.groups[0]
        frame.insert(1, "last_calls", np.cumsum(last.counts[0])[:-1])
    silent = None
    if outcome.nonrespondents is not None and outcome.nonrespondent_events is not None:
        there, left = int(outcome.nonrespondents[0]), int(outcome.nonrespondent_events[0])
        if there >= outcome.minimum_cell and not outcome.is_hidden:
            silent = there - left if outcome.direction == "good" else left
    return CallsByCut(
        frame=frame,
        confidence_level=confidence_level,
        title=f"What calling everybody below a line costs and reaches, by {quoted(outcome.outcome)}",
        minimum_cell=outcome.minimum_cell,
        lines=lines,
        called="this survey" if called == "all" else called,
        silent_leavers=silent,
        outcome=outcome.outcome,
        direction=outcome.direction,
        dated=outcome.dated,
        cuts_shown=outcome.cuts_shown,
    )
