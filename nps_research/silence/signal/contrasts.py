"""The silent against each group that answered: hazard ratios, and rates with other things held alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from nps_research.counting.landmarks import STATES, Landmarks
from nps_research.counting.people import WORDS
from nps_research.statistics.enough import TOLD_APART
from nps_research.statistics.hazard_ratios import Contrasts, hazard_ratios
from nps_research.statistics.standardised_rates import adjustment, standardised_risks
from nps_research.typing import Floats, Integers

ALL_ANSWERS = np.array([0, 1, 1, 1, 2])  # states, promoters, passives and detractors put together
HELD_ALIKE = ("tenure", "log_revenue", "n_earlier", "earlier_answer_share")


@dataclass(frozen=True, kw_only=True, eq=False)
class Adjusted:
    """Contrasts of the silent with each state, other things alike.

    Attributes
    ----------
    words : tuple of str
        What is held alike, beside the landmark; empty if nothing is known.
    differences, ratios : Contrasts
        Of risks and of log hazards, in the order of `STATES`.
    """

    words: tuple[str, ...]
    differences: Contrasts
    ratios: Contrasts


def ratios(rows: pd.DataFrame, group: Integers) -> Contrasts:
    """Estimate log hazard ratios of the silent to each state; baselines differ by landmark."""
    return _cox(rows, group, len(STATES))


def ratios_to_all(rows: pd.DataFrame, group: Integers) -> Contrasts:
    """Estimate the log hazard ratio of the silent to all who answered, in place 1."""
    return _cox(rows, ALL_ANSWERS[group], 3)


def halves(rows: pd.DataFrame, group: Integers, horizon_days: int) -> tuple[float, float, float]:
    """Compare the hazard ratio of the silent to all who answered in each half of the horizon (proportionality)."""
    half = horizon_days // 2
    early = rows.assign(days=rows["days"].clip(upper=half), event=rows["event"] & (rows["days"] <= half))
    is_late = (rows["days"] > half).to_numpy()
    late = rows[is_late].assign(days=rows.loc[is_late, "days"] - half)
    first, second = ratios_to_all(early, group), ratios_to_all(late, group[is_late])
    gap = first.estimate[1] - second.estimate[1]
    p = 2 * stats.norm.sf(abs(gap) / np.hypot(first.std_error[1], second.std_error[1]))
    return float(np.exp(first.estimate[1])), float(np.exp(second.estimate[1])), float(p)


def adjusted_contrasts(landmarks: Landmarks, rows: pd.DataFrame, group: Integers) -> Adjusted:
    """Contrast the silent with each state, tenure, revenue, segments and earlier answering alike; nan if few left."""
    none = Contrasts(estimate=np.full(len(STATES), np.nan), std_error=np.full(len(STATES), np.nan))
    numbers = [name for name in HELD_ALIKE if rows[name].dropna().nunique() >= 2]
    if not numbers and not landmarks.segments:
        return Adjusted(words=(), differences=none, ratios=none)
    words = (*(WORDS[name] for name in numbers), *landmarks.segments)
    complete = rows["is_complete"].to_numpy(dtype=bool)
    event = rows["event"].to_numpy(dtype=bool)
    left = np.bincount(group[complete & event], minlength=len(STATES))
    stayed = np.bincount(group[complete & ~event], minlength=len(STATES))
    usable = np.flatnonzero((left >= TOLD_APART) & (stayed >= TOLD_APART))
    if 0 not in usable or len(usable) < 2:
        return Adjusted(words=(), differences=none, ratios=none)
    kept = np.isin(group, usable)
    other = adjustment(rows[kept], numbers, landmarks.segments)
    position = np.searchsorted(usable, group[kept])
    hazards = _cox(rows[kept], position, len(usable), other[:, 1:])
    whole = complete[kept]
    risks, covariance = standardised_risks(
        event[kept][whole],
        position[whole],
        n_groups=len(usable),
        other=np.hstack([other, adjustment(rows[kept], [], ["period"])[:, 1:]])[whole],
        cluster=rows["unit"].to_numpy()[kept][whole],
    )
    variance = covariance[0, 0] + np.diag(covariance) - 2 * covariance[0]
    return Adjusted(
        words=words,
        differences=_spread_over_groups(risks[0] - risks, np.sqrt(np.maximum(variance, 0.0)), usable),
        ratios=_spread_over_groups(hazards.estimate, hazards.std_error, usable),
    )


def _spread_over_groups(estimate: Floats, std_error: Floats, usable: Integers) -> Contrasts:
    """Contrasts of some states among all of them."""
    found = np.full((2, len(STATES)), np.nan)
    found[:, usable[1:]] = [estimate[1:], std_error[1:]]
    return Contrasts(estimate=found[0], std_error=found[1])


def _cox(rows: pd.DataFrame, group: Integers, n_groups: int, other: Floats | None = None) -> Contrasts:
    return hazard_ratios(
        rows["days"].to_numpy(),
        rows["event"].to_numpy(dtype=bool),
        group,
        n_groups=n_groups,
        other=other,
        strata=pd.factorize(rows["period"])[0].astype(np.int64),
        cluster=rows["unit"].to_numpy(),
    )
