"""Bounds of what a lottery did, where those who won it answered more, or less, often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.errors import EstimationError
from nps_research.statistics.clustered_limits import MeanDifference, clustered_difference, difference_of_means
from nps_research.statistics.distributions import t_ppf
from nps_research.statistics.normal_limits import normal_quantile
from nps_research.statistics.thin_response import imbens_manski_limits
from nps_research.typing import Flags, Floats, Numbers


@dataclass(frozen=True, kw_only=True)
class LeeBounds:
    """Bounds of an effect on those who would have answered either way.

    Attributes
    ----------
    low, high : MeanDifference
        The bounds, each with its own error and two-sided limits.
    conf_low, conf_high : float
        Limits of the effect itself, wherever between the bounds it lies.
    naive : MeanDifference
        Mean answer of the treated less that of the untreated.
    answering : MeanDifference
        Share of the treated who answered less that of the untreated.
    answered_treated, answered_untreated : float
        Those shares.
    trimmed_share : float
        Share of the answers that is left out, of the arm that answered more often.
    """

    low: MeanDifference
    high: MeanDifference
    conf_low: float
    conf_high: float
    naive: MeanDifference
    answering: MeanDifference
    answered_treated: float
    answered_untreated: float
    trimmed_share: float


def lee_bounds(
    outcome: Flags | Floats, answered: Flags, treated: Flags, cluster: Numbers, *, confidence_level: float = 0.95
) -> LeeBounds:
    """Bound the effect of a lottery on the answers of those who would have answered either way.

    The arm that answered more often holds people who answered only for being in it. They are at worst its happiest
    answers, or its unhappiest: as many as the rates differ by are left out at either end. An answer on the edge is left
    out in part, so that scores of 0 to 10, or yes and no, may tie.

    Parameters
    ----------
    outcome : ndarray of bool or float, shape (n,)
        Not read of those who did not answer.
    answered, treated : ndarray of bool, shape (n,)
    cluster : array-like, shape (n,)
        Label of whom an outcome goes together with.
    confidence_level : float

    Returns
    -------
    LeeBounds

    Raises
    ------
    EstimationError
        If nobody of an arm answered, or all are of one cluster.

    Notes
    -----
    Assumed: arms were drawn at random; being in one makes everybody answer at least as readily as the other, or
    everybody at most as readily (monotonicity). Errors are those of the influence function, that of the share left out
    among it, summed by cluster. The limits of the effect take the larger of both bounds' errors (Imbens & Manski), t
    on the fewer of their effective clusters. Where both arms answer alike the bounds meet, and which arm is trimmed is
    chance: limits are then too wide rather than too narrow.

    References
    ----------
    Lee, D. S. (2009). Training, wages, and sample selection: estimating sharp bounds on treatment effects. Review of
    Economic Studies 76, 1071-1102. doi:10.1111/j.1467-937X.2009.00536.x

    Imbens, G. W. & Manski, C. F. (2004). Confidence intervals for partially identified parameters. Econometrica 72,
    1845-1857. doi:10.1111/j.1468-0262.2004.00555.x

    Examples
    --------
    >>> treated = np.arange(40) < 20
    >>> answered = treated | (np.arange(40) % 2 == 0)  # all of the treated, half of the others
    >>> found = lee_bounds(np.tile([4.0, 6.0], 20) + treated, answered, treated, np.arange(40))
    >>> found.trimmed_share, found.low.estimate, found.high.estimate
    (0.5, 1.0, 3.0)
    """
    answered, treated = np.asarray(answered, dtype=bool), np.asarray(treated, dtype=bool)
    codes = np.unique(np.asarray(cluster), return_inverse=True)[1].astype(np.int64)
    if not (answered & treated).any() or not (answered & ~treated).any():
        raise EstimationError("Nobody of one arm answered: nothing bounds the effect.")
    if codes.max() == 0:
        raise EstimationError("All are of one cluster: nothing tells how sure the bounds are.")
    value = np.where(answered, np.asarray(outcome), 0.0).astype(float)
    rate = {arm: float(answered[treated == arm].mean()) for arm in (True, False)}
    answering, of_answering = difference_of_means(
        answered, treated, np.ones(len(treated), dtype=bool), codes, confidence_level=confidence_level
    )
    of_rate = {True: np.where(treated, of_answering, 0.0), False: np.where(treated, 0.0, -of_answering)}
    more = rate[True] >= rate[False]  # the arm that is trimmed
    kept = rate[not more] / rate[more]
    of_kept = kept * (of_rate[not more] / rate[not more] - of_rate[more] / rate[more])
    sign = 1.0 if more else -1.0
    whole = _mean_of_kept(value, answered & (treated != more), 1.0, 0.0 * of_kept)
    bounds = []
    for is_top in (False, True) if more else (True, False):
        flip = 1.0 if is_top else -1.0
        mean, influence = _mean_of_kept(flip * value, answered & (treated == more), kept, of_kept)
        bounds.append((sign * (flip * mean - whole[0]), sign * (flip * influence - whole[1])))
    low, high = (
        clustered_difference(estimate, influence, codes, confidence_level=confidence_level)
        for estimate, influence in bounds
    )
    degrees = min(low.degrees, high.degrees)
    wider = float(t_ppf(0.5 + confidence_level / 2, degrees)) / normal_quantile(confidence_level)
    std_error = max(low.std_error, high.std_error) * wider
    limits = imbens_manski_limits(low.estimate, high.estimate, std_error, confidence_level=confidence_level)
    return LeeBounds(
        low=low,
        high=high,
        conf_low=limits[0],
        conf_high=limits[1],
        naive=difference_of_means(value, treated, answered, codes, confidence_level=confidence_level)[0],
        answering=answering,
        answered_treated=rate[True],
        answered_untreated=rate[False],
        trimmed_share=1 - kept,
    )


def _mean_of_kept(value: Floats, rows: Flags, kept: float, of_kept: Floats) -> tuple[float, Floats]:
    """Mean of the highest values of the rows, as many as the kept share, and each person's influence on it.

    The mean is c plus that of what values are above c over the share, for the value c at the edge (Rockafellar &
    Uryasev 2002); so written it needs no density of the values, and ties do no harm.
    """
    edge = np.quantile(value[rows], 1 - kept, method="inverted_cdf")
    above = np.maximum(value - edge, 0.0)
    mean_above = float(above[rows].mean())
    mean = float(edge) + mean_above / kept
    influence = np.where(rows, above - mean_above, 0.0) / rows.sum() / kept
    return mean, influence - mean_above / kept**2 * of_kept
