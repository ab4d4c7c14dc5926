"""How surely clusters and strata let a weighted mean be known: Taylor-linearised covariances and degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nps_research.counting.cluster_sums import ClusterSums
from nps_research.typing import Flags, Floats


@dataclass(frozen=True, kw_only=True)
class Linearization:
    """Covariances of the weighted means of several groups.

    Attributes
    ----------
    covariance : ndarray, shape (n_groups, n_groups)
        NaN in the rows and columns of groups whose clusters cannot be compared.
    degrees : ndarray, shape (n_groups,)
        Degrees of freedom of the variances; NaN, where covariances are.
    n_clusters : ndarray, shape (n_groups,)
        Clusters per group: as many as there are, or the effective number.
    """

    covariance: Floats
    degrees: Floats
    n_clusters: Floats

    def without(self, groups: Flags) -> Linearization:
        """The same with nothing known of some groups' errors."""
        covariance = np.where(groups | groups[:, None], np.nan, self.covariance)
        return replace(self, covariance=covariance, degrees=np.where(groups, np.nan, self.degrees))


def of_answers(spread: Floats, n: Floats) -> Linearization:
    """Of answers in no cluster: sums of squared linearised errors, and how many, or (sum w)^2 / sum w^2, per group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _known(np.diag(spread * n / (n - 1)), n - 1, n)


def of_clusters(
    clusters: ClusterSums, error: Floats, share: Floats, n_groups: int, *, effective: bool
) -> Linearization:
    """Of answers in clusters, and in strata where the clusters were drawn in strata.

    Over the m clusters of stratum h the covariance of two groups is c_h sum (u - mean u)(v - mean v), u and v
    the clusters' linearised errors in the two groups, 0 for a cluster without answers in a group. c_h is
    m / (m - 1); or, `effective`, what makes the variance unbiased where it is in proportion to weight:
    1 / (1 - 1/m - p (1/k - 1/m)), with p the stratum's share of the group's weight and
    k = (sum w)^2 / sum w^2 the effective number of its clusters. Without strata this is k / (k - 1). Clusters of
    one size give m / (m - 1) either way. A stratum with one cluster is centred at 0, the mean error of the whole
    sample (in R's survey: ``survey.lonely.psu = "adjust"``).

    Parameters
    ----------
    clusters : ClusterSums
        Which row is which cluster in which group.
    error, share : ndarray, shape (n_rows,)
        Linearised errors sum w (y - mean) / sum w, and shares of the group's weight.
    n_groups : int
        Number of groups.
    effective : bool
        Whether clusters count by weight: for the covariance as above, for the degrees of freedom as
        sum (k - 1) over strata instead of clusters less strata.
    """
    group, code = clusters.group, clusters.code
    stratum, sizes = clusters.stratum_codes
    n_strata = 1 if sizes is None else len(sizes)
    cell = group * n_strata + stratum

    def per_cell(values: Floats | None = None) -> Floats:
        added = np.bincount(cell, weights=values, minlength=n_groups * n_strata)
        return added.astype(np.float64).reshape(n_groups, n_strata)

    present, weight, squares = per_cell(), per_cell(share), per_cell(share**2)
    m = present if sizes is None else np.broadcast_to(sizes.astype(np.float64), present.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        k = np.where(present > 0, weight**2 / squares, 0.0)
        unbiased = 1 / (1 - 1 / m - (squares / weight - weight / m))
        factor = np.where(m > 1, unbiased if effective else m / (m - 1), 1.0)
        factor = np.where(present > 0, factor, 0.0)
        degrees = np.where(present > 0, (k if effective else present) - 1, 0.0).sum(axis=1)
        # Where each stratum has one cluster of the group, the others of the sample tell how clusters differ.
        degrees = np.where(degrees > 1e-9, degrees, np.where(present > 0, m - 1, 0.0).sum(axis=1))
        n_clusters = weight.sum(axis=1) ** 2 / squares.sum(axis=1) if effective else present.sum(axis=1)
    scaled = error * np.sqrt(factor[group, stratum])
    errors = np.zeros((int(code.max(initial=-1)) + 1, n_groups))
    errors[code, group] = scaled
    covariance = errors.T @ errors
    if sizes is not None:
        mean = per_cell(scaled)[:, sizes > 1] / np.sqrt(sizes[sizes > 1])
        covariance = covariance - mean @ mean.T
    return _known(covariance, degrees, n_clusters)


def _known(covariance: Floats, degrees: Floats, n_clusters: Floats) -> Linearization:
    """Without what one cluster alone says of how clusters differ: nothing."""
    lone = ~(degrees > 1e-9)
    return Linearization(covariance=covariance, degrees=degrees, n_clusters=n_clusters).without(lone)
