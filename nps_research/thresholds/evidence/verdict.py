"""From what the counts say of lines to a verdict on the convention: one rule, set by calibration/thresholds.csv."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.score_bands import band_text
from nps_research.results.words import joined, p_text
from nps_research.statistics.proportions import difference_limits
from nps_research.thresholds.evidence.lines import Lines, Relation, events_to_find_a_doubled_risk, events_to_tell_apart
from nps_research.thresholds.evidence.resampling import Sample

LineWord = Literal["keep", "move", "gradual", "flat", "reversed", "undecided"]

# How much lower the deviance of answers left out must be, of all of them together and per independent answer.
MOVE_GAP = 3.0  # of another line than the convention's, to move the line
SHAPE_GAP = 1.0  # of one shape than another's, to call it the better one
LOW_LINE = 3  # a line that few answers lie below hides more: flat says how much
OUT_OF_REACH = 100  # times the events there are


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with its reason; see `comparison.ThresholdComparison`."""

    verdict: LineWord
    reason: str
    required_events: int | None = None
    largest_difference: float = math.nan


def line_verdict(
    sample: Sample,
    lines: Lines,
    relation: Relation,
    lower: Lines,
    deviance: Mapping[str, float],
    *,
    deff: float,
    detractor_max: int,
    promoter_min: int,
    confidence_level: float,
) -> Judgement:
    """The verdict by the rule that `thresholds.compare_thresholds` states.

    `lower` is the lower of two lines; `deviance` that of all answers left out together, over the design effect `deff`.
    """
    alpha = 1 - confidence_level
    largest = _largest_difference(sample, detractor_max, deff, confidence_level)
    n_events = float(min(sample.events.sum(), (sample.n - sample.events).sum()))
    if min(relation.falls_p_value, relation.rises_p_value) > alpha / 2:
        share_below = float(sample.n[: detractor_max + 1].sum() / sample.n.sum())
        needed = deff * events_to_find_a_doubled_risk(share_below, alpha=alpha)
        if n_events < needed:
            says = "No line is shown, but one might well have been missed."
            return _undecided(says, n_events, needed, "for a doubled risk to be found", largest)
        lines_of = dict.fromkeys([detractor_max, min(LOW_LINE, detractor_max)])
        allowed = joined(
            [
                f"{100 * _largest_difference(sample, cut, deff, confidence_level):.1f} across {band_text(0, cut)}"
                for cut in lines_of
                if 0 < sample.n[: cut + 1].sum() < sample.n.sum()
            ]
        )
        says = (
            "No line sets better from worse customers apart beyond chance. "
            f"The data allow a difference of at most so many percentage points: {allowed}."
        )
        return Judgement(verdict="flat", reason=says, largest_difference=largest)
    if relation.rises:
        says = f"Chance hardly does that ({p_text(relation.rises_p_value)})."
        return Judgement(verdict="reversed", reason=says, largest_difference=largest)
    kept = lines.confidence_set(confidence_level)
    held = f"with {confidence_level:.0%} confidence the line is at {cuts_text(kept)}"
    convention = min(deviance["convention"], deviance["three"])
    straight, smooth = deviance["straight"], min(deviance["straight"], deviance["isotonic"])
    if detractor_max not in kept and deviance["best"] + MOVE_GAP < min(convention, straight):
        says = f"If there is one line, {held}; it predicts better than the convention and than a gradual change."
        return Judgement(verdict="move", reason=says, largest_difference=largest)
    three_stand = deviance["three"] + SHAPE_GAP < min(deviance["convention"], deviance["best"]) and (
        detractor_max in lower.confidence_set(confidence_level)
    )
    unbeaten = convention < min(deviance["best"], deviance["best_three"]) + MOVE_GAP
    if convention + SHAPE_GAP < straight and unbeaten and (three_stand or detractor_max in kept):
        says = (
            "The three conventional groups predict better than any one line and than a gradual change."
            if three_stand
            else f"It predicts better than a gradual change, and {held}."
        )
        return Judgement(verdict="keep", reason=says, largest_difference=largest)
    if smooth + SHAPE_GAP < min(convention, deviance["best"]) and smooth < deviance["best_three"]:
        curve = (
            "A straight line on the logit scale predicts better than any cut, so that every cut is arbitrary"
            if straight == smooth
            else "A curve in several steps predicts better than any one cut"
        )
        says = f"{curve}. This rests on {n_events:,.0f} outcomes of the rarer kind among {sample.n.sum():,.0f} answers."
        return Judgement(verdict="gradual", reason=says, largest_difference=largest)
    leader, rivals = _leading(deviance, is_convention=lines.best == detractor_max)
    needed = events_to_tell_apart(
        sample,
        leader,
        rivals,
        gap=MOVE_GAP if leader == "best" else SHAPE_GAP,
        detractor_max=detractor_max,
        promoter_min=promoter_min,
    )
    says = (
        f"Risk falls with the score ({p_text(relation.falls_p_value)}), but no shape predicts clearly better than the "
        f"others; if there is one line, {held}."
    )
    needed *= deff * n_events / float(sample.events.sum())
    return _undecided(says, n_events, needed, "for a decision, if the risks are what they seem now", largest)


def _largest_difference(sample: Sample, cut: int, deff: float, confidence_level: float) -> float:
    """The limit of the difference in risk across a cut that is farther from 0; nan where a side is empty."""
    sides = [
        np.array([values[side].sum() / deff])
        for side in (slice(None, cut + 1), slice(cut + 1, N_SCORES))
        for values in (sample.events, sample.n)
    ]
    limits = difference_limits(*sides, confidence_level=confidence_level)
    return float(np.max(np.abs(limits)))


def _leading(deviance: Mapping[str, float], *, is_convention: bool) -> tuple[str, list[str]]:
    """The shape of lowest deviance, and those it would have to beat for a verdict."""
    against = {
        "convention": ["straight"],
        "three": ["convention", "best", "straight"],
        "best": ["convention", "three", "straight"],
        "straight": ["convention", "three", "best"],
    }
    leader = min(against, key=lambda name: deviance[name])
    if leader == "best" and is_convention:
        leader = "convention"
    return leader, against[leader]


def _undecided(says: str, n_events: float, needed: float, what_for: str, largest: float) -> Judgement:
    """Undecided, with how many outcomes would do."""
    if not needed < OUT_OF_REACH * n_events:
        return Judgement(
            verdict="undecided",
            reason=f"{says} More of the same answers would not soon tell.",
            largest_difference=largest,
        )
    required = math.ceil(max(needed, n_events + 1))
    return Judgement(
        verdict="undecided",
        reason=f"{says} Of the rarer outcome there are {n_events:,.0f}; about {required:,} would be needed {what_for}.",
        required_events=required,
        largest_difference=largest,
    )


def cuts_text(cuts: Sequence[int]) -> str:
    """A set of cuts in words, runs of neighbours as one.

    Examples
    --------
    >>> cuts_text((2, 3, 4, 7)), cuts_text(())
    ('2 to 4 or 7', 'no score')
    """
    if not cuts:
        return "no score"
    breaks = [place for place in range(1, len(cuts)) if cuts[place] != cuts[place - 1] + 1]
    runs = [cuts[a:b] for a, b in zip([0, *breaks], [*breaks, len(cuts)], strict=True)]
    return " or ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
