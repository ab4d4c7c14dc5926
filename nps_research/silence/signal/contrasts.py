"""The silent against each group that answered: hazard ratios, and rates other things equal."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import logit

from nps_research.counting.landmarks import STATES, Landmarks
from nps_research.counting.people import WORDS
from nps_research.statistics.distributions import normal_sf
from nps_research.statistics.enough import TOLD_APART
from nps_research.statistics.hazard_ratios import Contrasts, hazard_ratios
from nps_research.statistics.standardised_rates import adjustment, standardised_risks
from nps_research.typing import Flags, Floats, Integers

ALL_ANSWERS = np.array([0, 1, 1, 1, 2])  # states, promoters, passives and detractors put together
HELD_ALIKE = ("tenure", "log_revenue", "n_earlier", "earlier_answer_share")


@dataclass(frozen=True, kw_only=True, eq=False)
class Adjusted:
    """Contrasts of the silent with each state, other things equal.

    Attributes
    ----------
    known : tuple of str
        What could be held constant, beside the landmark; empty if nothing is known.
    differences, log_odds, ratios : Contrasts
        Of risks, of the log odds of the same risks (for tests, which keep their level better on this scale) and of log
        hazards, in the order of `STATES`; of risks also to all who answered, last.
    """

    known: tuple[str, ...]
    differences: Contrasts
    log_odds: Contrasts
    ratios: Contrasts

    @property
    def words(self) -> tuple[str, ...]:
        """What is held constant; nothing, where too few left."""
        return self.known if np.isfinite(self.differences.estimate).any() else ()


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
    p = 2 * normal_sf(abs(gap) / np.hypot(first.std_error[1], second.std_error[1]))
    return float(np.exp(first.estimate[1])), float(np.exp(second.estimate[1])), float(p)


def adjusted_contrasts(
    landmarks: Landmarks, rows: pd.DataFrame, group: Integers, *, for_verdict: bool = False
) -> Adjusted:
    """Contrast the silent with each state, and with all who answered, whatever is known of both alike.

    That is tenure, revenue, segments and earlier answering; nan where few left. `for_verdict` leaves out what takes
    long and no verdict rests on: hazard ratios, and all who answered together.
    """
    numbers = [name for name in HELD_ALIKE if rows[name].dropna().nunique() >= 2]
    known = (*(WORDS[name] for name in numbers), *landmarks.segments)
    unknown = _unknown(len(STATES))
    none = Adjusted(known=known, differences=_unknown(len(STATES) + 1), log_odds=unknown, ratios=unknown)
    if not known:
        return none
    complete = rows["is_complete"].to_numpy(dtype=bool)
    event = rows["event"].to_numpy(dtype=bool)
    usable = _usable(group[complete], event[complete], len(STATES))
    if 0 not in usable or len(usable) < 2:
        return none
    kept = np.isin(group, usable)
    other = adjustment(rows[kept], numbers, landmarks.segments)
    position = np.searchsorted(usable, group[kept])
    of_states, odds_of_states = _risk_contrasts(rows[kept], position, len(usable), other)
    risks = _spread_over_groups(of_states, usable, len(STATES) + 1)
    log_odds = _spread_over_groups(odds_of_states, usable)
    if for_verdict:
        return replace(none, differences=risks, log_odds=log_odds)
    hazards = _cox(rows[kept], position, len(usable), other[:, 1:])
    two = ALL_ANSWERS[group]
    if 1 in _usable(two[complete], event[complete], 3):
        of_two = two <= 1
        held = adjustment(rows[of_two], numbers, landmarks.segments)
        of_answered, _ = _risk_contrasts(rows[of_two], two[of_two], 2, held)
        risks.estimate[-1], risks.std_error[-1] = of_answered.estimate[1], of_answered.std_error[1]
    return replace(none, differences=risks, log_odds=log_odds, ratios=_spread_over_groups(hazards, usable))


def _unknown(n_groups: int) -> Contrasts:
    return Contrasts(estimate=np.full(n_groups, np.nan), std_error=np.full(n_groups, np.nan))


def _usable(group: Integers, event: Flags, n_groups: int) -> Integers:
    """Groups of which enough left, and enough stayed, for a model to tell them apart."""
    left, stayed = (np.bincount(group[of], minlength=n_groups) for of in (event, ~event))
    return np.flatnonzero(np.minimum(left, stayed) >= TOLD_APART)


def _risk_contrasts(rows: pd.DataFrame, group: Integers, n_groups: int, other: Floats) -> tuple[Contrasts, Contrasts]:
    """Standardised risk of the first group less that of each, and its log odds likewise, among those watched whole."""
    whole = rows["is_complete"].to_numpy(dtype=bool)
    risks, covariance = standardised_risks(
        rows["event"].to_numpy(dtype=bool)[whole],
        group[whole],
        n_groups=n_groups,
        other=np.hstack([other, adjustment(rows, [], ["period"])[:, 1:]])[whole],
        cluster=rows["unit"].to_numpy()[whole],
    )
    slope = 1 / (risks * (1 - risks))
    return _first_less_each(risks, covariance), _first_less_each(logit(risks), covariance * np.outer(slope, slope))


def _first_less_each(values: Floats, covariance: Floats) -> Contrasts:
    variance = covariance[0, 0] + np.diag(covariance) - 2 * covariance[0]
    return Contrasts(estimate=values[0] - values, std_error=np.sqrt(np.maximum(variance, 0.0)))


def _spread_over_groups(found: Contrasts, usable: Integers, n_groups: int = len(STATES)) -> Contrasts:
    """Contrasts of some states among all of them."""
    spread = np.full((2, n_groups), np.nan)
    spread[:, usable[1:]] = [found.estimate[1:], found.std_error[1:]]
    return Contrasts(estimate=spread[0], std_error=spread[1])


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
