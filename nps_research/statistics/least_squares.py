"""Least squares with errors robust to clusters, its residuals, weighted correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.statistics.group_sums import group_sums
from nps_research.typing import Floats, Integers

NO_VARIANCE = 1e-12  # of ratings


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """Coefficients and their covariance."""

    coefficient: Floats
    covariance: Floats


def regress(y: Floats, x: Floats, weights: Floats, cluster: Integers) -> Regression:
    """Fit weighted least squares with a sandwich covariance (Liang & Zeger 1986), times m / (m - 1) (n - 1) / (n - k).

    Columns of x that others make up get a coefficient of zero.
    """
    root = np.sqrt(weights)[:, None]
    bread = np.linalg.pinv((x * root).T @ (x * root), hermitian=True, rcond=1e-10)
    coefficient = bread @ (x.T @ (weights * y))
    score = x * (weights * (y - x @ coefficient))[:, None]
    m = int(cluster.max()) + 1
    of_clusters = group_sums(score, cluster, m)
    n, k = len(y), int(np.linalg.matrix_rank(bread, hermitian=True))
    covariance = bread @ (of_clusters.T @ of_clusters) @ bread * m / (m - 1) * (n - 1) / max(n - k, 1)
    return Regression(coefficient=coefficient, covariance=covariance)


def left_over(value: Floats, known: Floats, weights: Floats) -> Floats:
    """Compute the residuals of weighted least squares: what `known` leaves of a value, or of each of its columns."""
    root = np.sqrt(weights)
    solution = np.linalg.lstsq(known * root[:, None], (value.T * root).T, rcond=None)[0]
    return np.asarray(value - known @ solution)


def level_dummies(codes: Integers, n_levels: int) -> Floats:
    """Code ratings as indicators: an intercept, and each level of each rating but its first that occurs."""
    columns = [np.ones(len(codes))]
    for of_rating in codes.T:
        found = np.flatnonzero(np.bincount(of_rating, minlength=n_levels))
        columns += [(of_rating == level).astype(float) for level in found[1:]]
    return np.column_stack(columns)


def correlations(table: Floats, weights: Floats) -> Floats:
    """Compute weighted correlations over the rows that have both, for each row of weights; shape (b, p + 1, p + 1)."""
    rated = np.isfinite(table)
    mean_of_rated = np.where(rated, table, 0.0).sum(axis=0) / rated.sum(axis=0).clip(1)
    value = np.where(rated, table - mean_of_rated, 0.0)
    whole = bool(rated.all())
    known = rated.astype(float)
    found = np.empty((len(weights), table.shape[1], table.shape[1]))
    for row, weight in enumerate(weights):
        weighted = value * weight[:, None]
        cross = value.T @ weighted
        if whole:
            mean = weighted.sum(axis=0) / weight.sum()
            covariance = cross / weight.sum() - np.outer(mean, mean)
            spread = _spread(np.diag(covariance))
            found[row] = covariance / np.outer(spread, spread)
            continue
        both = (known * weight[:, None]).T @ known
        both = np.where(both > 0, both, 1.0)
        mean = weighted.T @ known / both
        square = (value * weighted).T @ known / both - mean**2
        spread = _spread(square)
        found[row] = (cross / both - mean * mean.T) / (spread * spread.T)
    return found.clip(-1, 1)


def _spread(variance: Floats) -> Floats:
    """Standard deviations; infinite where nothing varies, so that correlations are 0."""
    return np.sqrt(np.where(variance > NO_VARIANCE, variance, np.inf))
