"""Hazard ratios between groups, other things equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nps_research.statistics.cox import cox
from nps_research.statistics.logistic import independent_columns
from nps_research.statistics.normal_limits import normal_quantile
from nps_research.typing import Flags, Floats, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrasts:
    """The first group against each group: log hazard ratios or differences of risks; nan where there is none.

    Attributes
    ----------
    estimate : ndarray, shape (n_groups,)
        First group less the group.
    std_error : ndarray, shape (n_groups,)
    """

    estimate: Floats
    std_error: Floats

    def limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Estimate less and plus normal quantile times standard error."""
        reach = normal_quantile(confidence_level) * self.std_error
        return self.estimate - reach, self.estimate + reach


def hazard_ratios(
    days: Floats,
    event: Flags,
    group: Integers,
    *,
    n_groups: int,
    other: Floats | None = None,
    strata: Integers,
    cluster: Integers,
) -> Contrasts:
    """Estimate log hazard ratios of group 0 against each other group, by Cox regression.

    Breslow's handling of ties and a sandwich over clusters; a baseline hazard for each stratum. Groups without an event
    have no finite ratio and are left out of the model, as are rows of a grouping held constant (a small region) of
    which nobody had the event: at its highest the likelihood gives them no hazard.

    Parameters
    ----------
    days, event
        As in `nps_research.statistics.survival.survival`.
    group : ndarray of int, shape (n,)
        0 to n_groups - 1.
    n_groups : int
    other : ndarray, shape (n, k), optional
        What is held constant.
    strata, cluster : ndarray of int, shape (n,)

    Returns
    -------
    Contrasts
        All nan where the likelihood has no maximum, as where every one of a group leaves before all others.

    References
    ----------
    Lin, D. Y. & Wei, L. J. (1989). The robust inference for the Cox proportional hazards model. Journal of the American
    Statistical Association 84, 1074-1078. doi:10.1080/01621459.1989.10478874

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> group = np.repeat([0, 1], 2000)
    >>> days = np.ceil(rng.exponential(np.where(group == 0, 100, 200)))
    >>> each = np.arange(4000)
    >>> ratio = hazard_ratios(days, days < 300, group, n_groups=2, strata=0 * each, cluster=each)
    >>> round(float(np.exp(ratio.estimate[1])), 1)
    2.0
    """
    empty = np.full(n_groups, np.nan)
    events = np.bincount(group[event], minlength=n_groups)
    modelled = [place for place in range(1, n_groups) if events[place]]
    if not events[0] or not modelled:
        return Contrasts(estimate=empty, std_error=empty.copy())
    kept = np.isin(group, [0, *modelled])
    if other is not None:
        flags = ((other == 0) | (other == 1)).all(axis=0) & (other[kept & event] == 0).all(axis=0)
        kept &= ~(other[:, flags] == 1).any(axis=1)
    design = _dummies(group[kept], modelled, None if other is None else other[kept])
    design = design - design.mean(axis=0)  # a constant is in the baseline hazard already
    design = design[:, independent_columns(design)]
    fitted = cox(days[kept], event[kept], design, strata=strata[kept], cluster=cluster[kept])
    estimate, std_error = empty, empty.copy()
    if fitted is not None:
        estimate[modelled] = -fitted[0][: len(modelled)]
        std_error[modelled] = np.sqrt(np.diag(fitted[1])[: len(modelled)])
    return Contrasts(estimate=estimate, std_error=std_error)


def _dummies(group: Integers, groups: Sequence[int], other: Floats | None) -> Floats:
    """Indicators of groups, then what is held constant."""
    indicators = (group[:, None] == np.array(groups)).astype(float)
    return indicators if other is None else np.hstack([indicators, other])
