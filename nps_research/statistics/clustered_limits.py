"""Differences with errors clustered by account, and t limits on as many degrees as the clusters bear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.statistics.distributions import t_ppf
from nps_research.statistics.group_sums import group_sums
from nps_research.typing import Flags, Floats, Integers


@dataclass(frozen=True, kw_only=True)
class MeanDifference:
    """A difference between two groups and how sure it is.

    Attributes
    ----------
    estimate, std_error, conf_low, conf_high : float
        In units of the outcome; shares where it is yes or no.
    degrees : float
        Degrees of freedom of the t limits: the effective number of clusters less one.
    """

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    degrees: float


def effective_clusters(cluster_sums: Floats) -> float:
    """Compute how many clusters of equal weight would leave the standard error as unsure as these do.

    Three times the squared sum of s^2 over the sum of s^4, s the summed influence of each cluster; at most the number
    of clusters. It is Satterthwaite's number for a sum of variances, each told by one squared normal deviate, whose
    fourth moment is three squared variances; with the variances known it is Carter, Schnepel and Steigerwald's
    G / (1 + Gamma). A few large clusters, or few with treated people in them, make it small.

    References
    ----------
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin
    2(6), 110-114. doi:10.2307/3002019

    Carter, A. V., Schnepel, K. T. & Steigerwald, D. G. (2017). Asymptotic behavior of a t-test robust to cluster
    heterogeneity. Review of Economics and Statistics 99(4), 698-709. doi:10.1162/REST_a_00639

    Examples
    --------
    >>> effective_clusters(np.array([1.0, -1.0, 1.0, -1.0]))
    4.0
    >>> round(effective_clusters(np.array([3.0, -3.0] + [0.1] * 98)), 1)  # two of a hundred decide
    6.7
    """
    square = cluster_sums**2
    fourth = float((square**2).sum())
    return min(3 * float(square.sum()) ** 2 / fourth, float(len(square))) if fourth > 0 else 1.0


def clustered_difference(
    estimate: float, influence: Floats, cluster: Integers, *, confidence_level: float
) -> MeanDifference:
    """Give an estimate its error clustered over whose influence belongs together, and t limits.

    Parameters
    ----------
    estimate : float
    influence : ndarray, shape (n,)
        What each row adds to the estimate's error; they sum to about zero.
    cluster : ndarray of int, shape (n,)
        Codes from 0, none of them unused.
    confidence_level : float

    Notes
    -----
    The variance is the sum of squared cluster sums times m / (m - 1), m the number of clusters.

    Examples
    --------
    >>> found = clustered_difference(2.0, np.array([0.5, -0.5, 0.5, -0.5]), np.arange(4), confidence_level=0.95)
    >>> round(found.std_error, 3), found.degrees
    (1.155, 3.0)
    """
    sums = group_sums(influence[:, None], cluster, int(cluster.max()) + 1)[:, 0]
    std_error = float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)))
    degrees = max(effective_clusters(sums) - 1, 1.0)
    reach = float(t_ppf(0.5 + confidence_level / 2, degrees)) * std_error
    return MeanDifference(
        estimate=estimate, std_error=std_error, conf_low=estimate - reach, conf_high=estimate + reach, degrees=degrees
    )


def difference_of_means(
    value: Flags | Floats, treated: Flags, known: Flags, cluster: Integers, *, confidence_level: float
) -> tuple[MeanDifference, Floats]:
    """Compute the mean of the treated less that of the untreated, nothing adjusted, and each row's influence.

    Parameters
    ----------
    value : ndarray of bool or float, shape (n,)
        Not read where not known.
    treated, known : ndarray of bool, shape (n,)
        Some that are known in either arm.
    cluster : ndarray of int, shape (n,)
        Codes from 0, none of them unused.
    confidence_level : float

    Examples
    --------
    >>> treated = np.array([True, True, False, False])
    >>> found, influence = difference_of_means(
    ...     np.array([3.0, 5.0, 1.0, 2.0]), treated, treated | True, np.arange(4), confidence_level=0.95
    ... )
    >>> found.estimate, influence.tolist()
    (2.5, [-0.5, 0.5, 0.25, -0.25])
    """
    means, influence = [], np.zeros(len(treated))
    for arm, sign in ((True, 1.0), (False, -1.0)):
        of_arm = known & (treated == arm)
        means.append(float(value[of_arm].mean()))
        influence[of_arm] = sign * (value[of_arm] - means[-1]) / of_arm.sum()
    found = clustered_difference(means[0] - means[1], influence, cluster, confidence_level=confidence_level)
    return found, influence
