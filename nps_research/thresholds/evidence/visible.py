"""What could have been seen where no relation is: risks planted across a line, the whole search run on each draw."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.statistics.distributions import normal_ppf
from nps_research.thresholds.evidence.lines import POWER, best_gain
from nps_research.thresholds.evidence.resampling import Sample, drawn_tables
from nps_research.typing import Floats

DOUBLED = 2.0
RATIOS = (1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, DOUBLED, 2.2, 2.5, 3.0, 4.0, 5.0)
_HIGHEST = 0.95  # a planted risk above it is none that could be


@dataclass(frozen=True, kw_only=True)
class Visible:
    """What the search for a line would have found.

    Attributes
    ----------
    ratios : mapping of int to float
        Of each line, the least of `RATIOS` that would have been found with a chance of `POWER`; infinite if none.
    doubled : float
        The chance that twice the risk below the first line would have been found.
    required_events : float
        Events at which that chance is `POWER`; infinite where a side of the line is empty, or the risk cannot double.
    of_bad : bool
        Whether ratios are of the bad outcome below the line; else, where it is the commoner one, of the good above it.
    """

    ratios: Mapping[int, float]
    doubled: float
    required_events: float
    of_bad: bool = True


def visible_ratios(
    sample: Sample, cuts: Sequence[int], *, alpha: float, n_resamples: int, rng: np.random.Generator
) -> Visible:
    """Plant each of `RATIOS` across each line, events in all as they are, and count how often a relation is found.

    Found means what it means of the data: the best of all lines gains more over one risk for all than it does in all
    but a share `alpha` of draws without a relation. Strata keep the events they have, clusters stay whole.
    """
    table = sample.pooled
    of_bad = bool(table.events.sum() <= table.n.sum() / 2)

    def gains(risks: Floats) -> Floats:
        return np.asarray(best_gain(*drawn_tables(sample, risks[None], n_resamples=n_resamples, rng=rng))[0])

    beyond = max(int(np.floor(alpha * (n_resamples + 1))), 1)  # a p-value of alpha allows one draw fewer
    enough = float(np.sort(gains(np.full(N_SCORES, table.events.sum() / table.n.sum())))[-beyond])

    @cache
    def power(cut: int, ratio: float) -> float:
        risks = _planted(table, cut, ratio, of_bad=of_bad)
        return float("inf") if risks is None else float((gains(risks) > enough).mean())

    ratios = {}
    for cut in cuts:
        place = bisect_left(RATIOS, POWER, key=lambda ratio: power(cut, ratio))
        is_seen = place < len(RATIOS) and power(cut, RATIOS[place]) <= 1
        ratios[cut] = RATIOS[place] if is_seen else float("inf")
    doubled = power(cuts[0], DOUBLED)
    return Visible(
        ratios=ratios,
        doubled=doubled if doubled <= 1 else 0.0,
        required_events=_required(table, _planted(table, cuts[0], DOUBLED, of_bad=of_bad), cuts[0], enough),
        of_bad=of_bad,
    )


def _planted(table: Sample, cut: int, ratio: float, *, of_bad: bool) -> Floats | None:
    """Risks a line apart that give the events there are; None where they cannot be."""
    is_below = np.arange(N_SCORES) <= cut
    happened, higher = (table.events, is_below) if of_bad else (table.n - table.events, ~is_below)
    if not 0 < table.n[higher].sum() < table.n.sum():
        return None
    lower_rate = happened.sum() / (ratio * table.n[higher].sum() + table.n[~higher].sum())
    if ratio * lower_rate > _HIGHEST:
        return None
    rates = lower_rate * np.where(higher, ratio, 1.0)
    return np.asarray(rates if of_bad else 1 - rates)


def _required(table: Sample, risks: Floats | None, cut: int, enough: float) -> float:
    """Events at which `risks` are found with the chance `POWER`: twice the gain grows with them, its root is normal."""
    if risks is None:
        return float("inf")
    expected = float(best_gain(table.n * risks, table.n))
    spread = float(normal_ppf(POWER)) * np.sqrt(table.design_effect_of_cut(cut))
    events = float(min(table.events.sum(), (table.n - table.events).sum()))
    return float(events * (np.sqrt(2 * max(enough, 0.0)) + spread) ** 2 / (2 * expected))
