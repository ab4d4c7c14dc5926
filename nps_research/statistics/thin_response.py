"""Which groups hardly answer, and limits of a score of which a part is only bounded."""

from __future__ import annotations

import numpy as np

from nps_research.statistics.distributions import beta_sf, normal_cdf, normal_ppf
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.typing import Flags, Floats, Integers

RESPONSE_FLOOR = 0.1  # below it an answer speaks for more than ten people


def hardly_answers(
    n_answered: Integers | Floats,
    n_people: Integers | Floats,
    *,
    confidence_level: float,
    floor: float = RESPONSE_FLOOR,
    design_effect: float = 1.0,
) -> Flags:
    """Mark the groups whose upper limit of response, by Holm over all groups, lies below the floor.

    Limits are one-sided and exact (Clopper & Pearson); where people answer together, with both counts over the design
    effect. Where all groups together answer less than the floor, half of their rate takes its place: there a group is
    named for what it lacks beside the others.

    Parameters
    ----------
    n_answered, n_people : array-like of shape (n_groups,)
        Of each group.
    confidence_level : float
        Chance that no group is marked that answers the floor or more.
    floor : float
        Rate of response.
    design_effect : float
        Variance of the counts over that of people who answer one by one, 1 or more.

    Returns
    -------
    ndarray of bool, shape (n_groups,)

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.

    Examples
    --------
    >>> hardly_answers([3, 20, 400], [150, 150, 700], confidence_level=0.95).tolist()
    [True, False, False]
    """
    count, people = np.asarray(n_answered, dtype=float), np.asarray(n_people, dtype=float)
    overall = count.sum() / people.sum()
    at = floor if overall >= floor else overall / 2
    silent = (people - count) / design_effect
    p = np.where(silent > 0, beta_sf(at, count / design_effect + 1, np.maximum(silent, 1e-300)), 1.0)
    return np.asarray(adjust_p_values(p) <= 1 - confidence_level)


def imbens_manski_limits(low: float, high: float, std_error: float, *, confidence_level: float) -> tuple[float, float]:
    """Give limits to a figure that is known to lie between two estimates that err alike.

    They hold the figure, wherever between the two it lies, with the chance stated; where the two are far apart each
    side takes the one-sided quantile.

    References
    ----------
    Imbens, G. W. & Manski, C. F. (2004). Confidence intervals for partially identified parameters. Econometrica 72,
    1845-1857. doi:10.1111/j.1468-0262.2004.00555.x

    Examples
    --------
    >>> [round(limit, 2) for limit in imbens_manski_limits(0.0, 0.0, 1.0, confidence_level=0.95)]
    [-1.96, 1.96]
    >>> [round(limit, 2) for limit in imbens_manski_limits(0.0, 10.0, 1.0, confidence_level=0.95)]
    [-1.64, 11.64]
    """
    if not std_error > 0:
        return low, high
    apart = (high - low) / std_error
    two_sided = float(normal_ppf(0.5 + confidence_level / 2))
    from scipy.optimize import brentq  # late: it takes longer than most commands

    quantile = brentq(lambda c: normal_cdf(c + apart) - normal_cdf(-c) - confidence_level, 0.0, two_sided + 1e-6)
    return low - float(quantile) * std_error, high + float(quantile) * std_error
