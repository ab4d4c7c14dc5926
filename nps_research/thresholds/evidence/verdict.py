"""From what the counts say of lines to a verdict on the convention: one rule.

Its gaps were chosen on the designs of calibration/threshold_gaps.csv and certified on others, those of
calibration/thresholds.csv.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.score_bands import band_text
from nps_research.results.words import p_text
from nps_research.statistics.proportions import difference_limits
from nps_research.thresholds.evidence.lines import POWER, Lines, Relation, events_to_tell_apart
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.visible import RATIOS, Visible

LineWord = Literal["keep", "move", "gradual", "flat", "reversed", "undecided"]

# How much lower the deviance of answers left out must be, of all of them together and per independent answer.
MOVE_GAP = 3.5  # of another line than the convention's, to move the line
SHAPE_GAP = 1.5  # of one shape than another's, to call it the better one
LOW_LINE = 3  # a line that few answers lie below hides more: flat says how much
OUT_OF_REACH = 100  # times the events there are


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with its reason; see `comparison.ThresholdComparison`."""

    verdict: LineWord
    reason: str
    required_events: int | None = None


def lines_to_plant(detractor_max: int) -> tuple[int, ...]:
    """Lines of which it is said what could have been seen: the convention's, and a low one."""
    return tuple(dict.fromkeys([detractor_max, min(LOW_LINE, detractor_max)]))


def line_verdict(
    sample: Sample,
    lines: Lines,
    relation: Relation,
    lower: Lines,
    deviance: Mapping[str, float],
    *,
    visible: Visible | None,
    deff: float,
    detractor_max: int,
    promoter_min: int,
    confidence_level: float,
    move_gap: float = MOVE_GAP,
    shape_gap: float = SHAPE_GAP,
) -> Judgement:
    """The verdict by the rule that `thresholds.compare_thresholds` states.

    `lower` is the lower of two lines; `deviance` that of all answers left out together, over the design effect `deff`;
    `visible` says what could have been seen, where no relation is.
    """
    table = sample.pooled
    n_events = float(min(sample.events.sum(), (sample.n - sample.events).sum()))
    if visible is not None:
        if visible.doubled < POWER:
            says = "No line is shown, but a doubled risk below the convention might well have been missed"
            return _undecided(says, n_events, visible.required_events)
        return Judgement(verdict="flat", reason=_seen_text(visible, table))
    if relation.rises:
        says = f"Chance hardly does that ({p_text(relation.rises_p_value)})."
        return Judgement(verdict="reversed", reason=says)
    kept = lines.confidence_set(confidence_level)
    held = f"with {confidence_level:.0%} confidence the line is at {cuts_text(kept)}"
    convention = min(deviance["convention"], deviance["three"])
    straight, smooth = deviance["straight"], min(deviance["straight"], deviance["isotonic"])
    if detractor_max not in kept and deviance["best"] + move_gap < min(convention, straight):
        says = f"If there is one line, {held}; it predicts better than the convention and than a gradual change."
        return Judgement(verdict="move", reason=says)
    three_stand = deviance["three"] + shape_gap < min(deviance["convention"], deviance["best"]) and (
        detractor_max in lower.confidence_set(confidence_level)
    )
    unbeaten = convention < min(deviance["best"], deviance["best_three"]) + move_gap
    if convention + shape_gap < straight and unbeaten and (three_stand or detractor_max in kept):
        says = (
            "The three conventional groups predict better than any one line and than a gradual change."
            if three_stand
            else f"It predicts better than a gradual change, and {held}."
        )
        return Judgement(verdict="keep", reason=says)
    if smooth + shape_gap < min(convention, deviance["best"]) and smooth < deviance["best_three"]:
        curve = (
            "A straight line on the logit scale predicts better than any cut, so that every cut is arbitrary"
            if straight == smooth
            else "A curve in several steps predicts better than any one cut"
        )
        says = f"{curve}. This rests on {n_events:,.0f} outcomes of the rarer kind among {sample.n.sum():,.0f} answers."
        return Judgement(verdict="gradual", reason=says)
    leader, rivals = _leading(deviance, is_convention=lines.best == detractor_max)
    needed = events_to_tell_apart(
        table,
        leader,
        rivals,
        gap=move_gap if leader == "best" else shape_gap,
        detractor_max=detractor_max,
        promoter_min=promoter_min,
    )
    falls = f"Risk falls with the score ({p_text(relation.falls_p_value)})"
    says = f"{falls}, but no shape predicts clearly better than others"
    needed *= deff * n_events / float(table.events.sum())
    return _undecided(says, n_events, needed)


def _seen_text(visible: Visible, table: Sample) -> str:
    """What would have been found with a chance of 80%, line by line."""
    there = {cut: ratio for cut, ratio in visible.ratios.items() if table.n[: cut + 1].sum()}
    side = {cut: band_text(0, cut) if visible.of_bad else band_text(cut + 1, N_SCORES - 1) for cut in there}
    seen = [f"{ratio:g} times as high at {side[cut]}" for cut, ratio in there.items() if ratio < math.inf]
    seen[1:] = [each.replace(" as high", "") for each in seen[1:]]
    unseen = [f"; at {side[cut]} even {RATIOS[-1]:g} times could be missed" for cut in there if there[cut] == math.inf]
    what = "Risks" if visible.of_bad else "Chances of the better"
    return f"{what} {', or '.join(seen)} would have been found with {POWER:.0%} chance{''.join(unseen)}."


def largest_difference(sample: Sample, cut: int, deff: float, confidence_level: float) -> float:
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


def _undecided(says: str, n_events: float, needed: float) -> Judgement:
    """Undecided, with how many outcomes of the rarer kind would do."""
    if not needed < OUT_OF_REACH * n_events:
        reason = f"{says}. More of the same answers would not soon tell."
        return Judgement(verdict="undecided", reason=reason)
    required = math.ceil(max(needed, n_events + 1))
    reason = f"{says}: it takes some {required:,} outcomes; there are {n_events:,.0f}."
    return Judgement(verdict="undecided", reason=reason, required_events=required)


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
