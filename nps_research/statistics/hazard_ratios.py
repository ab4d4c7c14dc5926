"""Hazard ratios between groups, and rates if the groups differed in nothing else that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from nps_research.statistics.cox import cox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nps_research.typing import Flags, Floats, Integers


__all__ = ["Contrasts", "adjustment", "hazard_ratios", "standardised_risks"]

SPLINE = "cr({name}, df=4, constraints='center')"  # natural cubic, so that what goes with tenure may bend
FEWEST_VALUES = 10  # a spline needs several different values


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
        reach = stats.norm.ppf(0.5 + confidence_level / 2) * self.std_error
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
    """Log hazard ratios of group 0 against each other group, by Cox regression.

    Breslow's handling of ties and a sandwich over clusters; a baseline hazard for each stratum. Groups without an event
    have no finite ratio and are left out of the model, as are rows of a grouping held alike (a small region) of which
    nobody had the event: at its highest the likelihood gives them no hazard.

    Parameters
    ----------
    days, event
        As in `nps_research.statistics.survival.survival`.
    group : ndarray of int, shape (n,)
        0 to n_groups - 1.
    n_groups : int
    other : ndarray, shape (n, k), optional
        What is held alike.
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
    design = _independent(design - design.mean(axis=0))  # a constant is in the baseline hazard already
    fitted = cox(days[kept], event[kept], design, strata=strata[kept], cluster=cluster[kept])
    estimate, std_error = empty, empty.copy()
    if fitted is not None:
        estimate[modelled] = -fitted[0][: len(modelled)]
        std_error[modelled] = np.sqrt(np.diag(fitted[1])[: len(modelled)])
    return Contrasts(estimate=estimate, std_error=std_error)


def standardised_risks(
    event: Flags, group: Integers, *, n_groups: int, other: Floats, cluster: Integers
) -> tuple[Floats, Floats]:
    """Mean risk had every row been of a group, for each group, and how these means err together.

    The estimand is the risk averaged over all rows, if nothing else sets the groups apart but what is in `other`.
    Logistic regression; covariance by the delta method, robust to clusters.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
    group : ndarray of int, shape (n,)
        0 to n_groups - 1; each has rows with the event and without.
    n_groups : int
    other : ndarray, shape (n, k)
        With a constant, as `adjustment` makes it.
    cluster : ndarray of int, shape (n,)
        Its own row where rows are independent.

    Returns
    -------
    tuple of ndarray
        Risks, shape (n_groups,), and their covariance.

    References
    ----------
    Lane, P. W. & Nelder, J. A. (1982). Analysis of covariance and standardization as instances of prediction.
    Biometrics 38, 613-621. doi:10.2307/2530043
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    others = list(range(1, n_groups))
    design = _independent(_dummies(group, others, other))
    fitted = GLM(event.astype(float), design, family=Binomial()).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    risks, gradients = np.empty(n_groups), np.empty((n_groups, design.shape[1]))
    for place in range(n_groups):
        design[:, : len(others)] = np.arange(1, n_groups) == place
        risk = expit(design @ fitted.params)
        risks[place] = risk.mean()
        gradients[place] = (risk * (1 - risk)) @ design / len(design)
    return risks, gradients @ fitted.cov_params() @ gradients.T


def adjustment(rows: pd.DataFrame, numbers: Sequence[str], groupings: Sequence[str]) -> Floats:
    """Design of what is held alike: a constant, natural splines of numbers, indicators of groupings.

    Numbers of few different values enter as they are; a missing number is its own indicator, at the median.

    Parameters
    ----------
    rows : DataFrame
    numbers, groupings : sequence of str
        Its columns.

    Returns
    -------
    ndarray, shape (n, k)
    """
    import patsy

    parts: list[Floats] = [np.ones((len(rows), 1))]
    for name in numbers:
        value = rows[name].astype(float)
        missing = value.isna()
        if missing.all():
            continue
        filled = pd.DataFrame({"x": value.fillna(value.median())})
        bends = value.nunique() > FEWEST_VALUES
        parts.append(
            np.asarray(patsy.dmatrix(f"{SPLINE.format(name='x')} - 1", filled)) if bends else filled.to_numpy()
        )
        if missing.any():
            parts.append(np.asarray(missing, dtype=np.float64)[:, None])
    for name in groupings:
        label = rows[name].astype("str").fillna("")
        labels = label.value_counts().index  # the largest is the one that the others are set against
        parts.append(np.asarray(label.to_numpy()[:, None] == labels.to_numpy()[1:], dtype=np.float64))
    return np.hstack(parts)


def _dummies(group: Integers, groups: Sequence[int], other: Floats | None) -> Floats:
    """Indicators of groups, then what is held alike."""
    indicators = (group[:, None] == np.array(groups)).astype(float)
    return indicators if other is None else np.hstack([indicators, other])


def _independent(design: Floats) -> Floats:
    """Columns that are not sums of multiples of those before them."""
    scale = np.linalg.norm(design, axis=0)
    kept = np.abs(np.diag(np.linalg.qr(design / np.where(scale > 0, scale, 1.0), mode="r"))) > 1e-7
    return np.asarray(design[:, kept])
