"""What the score of all would be if the silent think less well than those who resemble them: the shift table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import interval_text, joined, plain_text, points, share
from nps_research.statistics.doubly_robust import Reached, Weighted


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A figure for the NPS of all that would turn a conclusion.

    Attributes
    ----------
    term : str
        What it would mean, e.g. "NPS of all is zero".
    asks : str
        The same as the end of "for ...", e.g. "the NPS of all to be zero".
    target : float
        The figure, in points.
    shift : float
        By how many points the silent would have to come out below their weighted estimate; above it, where negative.
    is_possible : bool
        Whether any answers of the silent could bring it about.
    is_reached : bool
        Whether it is so at the weighted estimate already.
    """

    term: str
    asks: str
    target: float
    shift: float
    is_possible: bool
    is_reached: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SilentShifts(Result):
    """NPS of all, for shifts of the silent below their weighted estimate.

    `frame` columns: wave, shift (points below their weighted estimate), silent (NPS of the silent), estimate (NPS of
    all), conf_low, conf_high, term (the conclusion that this shift turns, if any).
    """

    based_on: str
    silent_share: float
    turns: tuple[Turn, ...] = ()
    hint: str = ""
    caveat: str = ""

    kind: ClassVar[str] = "silent_shifts"
    headings: ClassVar[Mapping[str, str]] = {
        "shift": "Silent below their weighted estimate, points",
        "silent": "NPS of the silent",
        "estimate": "NPS of all",
        "term": "What that turns",
    }
    formats: ClassVar[Mapping[str, str]] = {"shift": "width", "silent": "points"}
    table_columns: ClassVar = ("shift", "silent", "estimate", "conf_high", "term")

    def at(self, points_below: float) -> SilentShifts:
        """The same at one shift alone: 0 or more points below, as far as answers of the silent can be."""
        rows = self.shown[self.shown["shift"] == 0] if len(self.shown) else self.shown
        if rows.empty:
            raise CannotAnswerError("The score with no shift is not among those shown.")
        row = rows.iloc[0]
        most = row["silent"] + 100
        if not 0 <= points_below <= most:
            raise CannotAnswerError(f"The silent can come out 0 to {most:.1f} points below, not {points_below:g}.")
        falls, lowest = self.silent_share * points_below, row["estimate"] - self.silent_share * most
        at = {
            "shift": float(points_below),
            "silent": row["silent"] - points_below,
            "estimate": row["estimate"] - falls,
            "conf_low": max(row["conf_low"] - falls, lowest),
            "conf_high": row["conf_high"] - falls,
        }
        return replace(self, frame=pd.DataFrame([{**row, **at, "term": ""}]))

    @property
    def settings(self) -> dict[str, Any]:
        kept = {name: value for name, value in super().settings.items() if name != "turns"}
        if not self.records:
            return {name: kept[name] for name in ("confidence_level", "minimum_cell")}
        return kept | {"turns": {turn.term: turn.shift if turn.is_possible else None for turn in self.turns}}

    @property
    def finding(self) -> str:
        if not self.records:
            return "There are too few answers to say what the silent might change."
        if len(self.records) == 1:
            (row,) = self.records
            limits = interval_text(row, self.confidence_level)
            return f"With the silent {_below(row['shift'])}, the NPS of all is {points(row['estimate'])} ({limits})."
        return (
            f"For each 10 points that the silent think worse than assumed, the NPS of all falls by "
            f"{10 * self.silent_share:.1f}."
        )

    @property
    def details(self) -> str:
        if not self.records:
            return self.caveat
        said = [f"The silent are {share(self.silent_share)} of all.", *_sentences(self.turns)]
        return " ".join([*said, "Which shift is right the data cannot tell.", self.caveat]).strip()

    @property
    def note(self) -> str:
        return (
            f"Shifts are taken from the estimate {self.based_on!r}; limits are that estimate's, moved with it, and "
            f"within what is possible. {self.hint}"
        ).strip()

    @property
    def alt(self) -> str:
        if not self.records:
            return "There are too few answers to draw."
        first, last = self.records[0], self.records[-1]
        return (
            f"Line of the NPS of all, from {points(first['estimate'])} with the silent {_below(first['shift'])} to "
            f"{points(last['estimate'])} with them {_below(last['shift'])}, with a band for its interval."
        )


def _below(shift: float) -> str:
    if abs(shift) < 0.05:
        return "at their weighted estimate"
    return f"{abs(shift):.1f} points {'below' if shift > 0 else 'above'} their weighted estimate"


def _sentences(turns: Sequence[Turn]) -> list[str]:
    """What would turn each conclusion: one sentence for what could be, and others for what is so or could not be."""
    already = [turn for turn in turns if turn.is_reached]
    ahead = [turn for turn in turns if turn.is_possible and not turn.is_reached]
    said = [f"{turn.term}, with no shift at all." for turn in already]
    if ahead:
        sides = {turn: "below" if turn.shift > 0 else "above" for turn in ahead}
        parts = [f"{abs(turn.shift):.1f} points {side} for {turn.asks}" for turn, side in sides.items()]
        said.append(f"Against their weighted estimate they would have to come out {joined(parts)}.")
    return said + [f"For {turn.asks}, no answers of the silent would do." for turn in turns if not turn.is_possible]


def silent_shifts(
    people: Reached,
    weighted: Weighted,
    *,
    based_on: str,
    bounds: tuple[float, float],
    shifts: Sequence[float],
    margin: float,
    previous: tuple[str, float] | None,
    wave: str,
    **of_result: Any,
) -> SilentShifts:
    """Shift the silent below their weighted estimate (delta adjustment): the NPS of all.

    The estimand is the score of all in `people`, had all answered, for each supposed difference between the silent and
    what the weighting gives them; only the data of the silent could tell which is right.

    Parameters
    ----------
    people : Reached
        Who answered and what.
    weighted : Weighted
        The estimate that is shifted.
    based_on : str
        Its name.
    bounds : tuple of float
        The lowest and the highest score that all could have.
    shifts : sequence of float
        Points below; those that no answers could bring about are left out.
    margin : float
        Margin of error of the observed score, points.
    previous : tuple of str and float, optional
        The wave before and its observed score.
    wave : str
        The wave, for the frame.
    **of_result
        Further fields of the result.

    Returns
    -------
    SilentShifts

    References
    ----------
    National Research Council (2010). The Prevention and Treatment of Missing Data in Clinical Trials, chapter 5.
    doi:10.17226/12955
    """
    silent, of_all = people.of_silent(weighted.estimate), people.silent_share
    turns = _turns(people, weighted.estimate, margin, previous)
    at = {float(shift): "" for shift in shifts if -100 <= silent - shift <= 100}
    for turn in turns:
        if turn.is_possible:
            at[turn.shift] = "; ".join(filter(None, [at.get(turn.shift, ""), turn.term]))
    rows = [
        {
            "wave": wave,
            "shift": shift,
            "silent": silent - shift,
            "estimate": weighted.estimate - of_all * shift,
            "conf_low": max(weighted.conf_low - of_all * shift, bounds[0]),
            "conf_high": min(weighted.conf_high - of_all * shift, bounds[1]),
            "term": term,
        }
        for shift, term in sorted(at.items())
    ]
    return SilentShifts(frame=pd.DataFrame(rows), based_on=based_on, silent_share=of_all, turns=turns, **of_result)


def _turns(people: Reached, score: float, margin: float, previous: tuple[str, float] | None) -> tuple[Turn, ...]:
    """The conclusions that a board would ask for."""
    asked = []
    if margin == margin:
        too_much = f"more than its margin of error ({margin:.1f} points)"
        asked.append(
            (
                f"Observed NPS overstates by over {margin:.1f}, its margin of error",
                f"the observed NPS to overstate that of all by {too_much}",
                people.observed - margin,
                True,
            )
        )
    asked.append(("NPS of all is zero", "the NPS of all to be zero", 0.0, False))
    if previous is not None:
        name, figure = plain_text(previous[0]), points(previous[1])
        asked.append(
            (
                f"NPS of all is {name}'s observed {figure}",
                f"the NPS of all to be at the {figure} observed in {name}, where the change turns sign",
                previous[1],
                False,
            )
        )
    found = []
    for term, asks, target, is_overstating in asked:
        silent = people.of_silent(target)
        shift = (score - target) / people.silent_share
        found.append(
            Turn(
                term=term,
                asks=asks,
                target=target,
                shift=shift,
                is_possible=-100 <= silent <= 100,
                is_reached=is_overstating and shift <= 0,
            )
        )
    return tuple(found)
