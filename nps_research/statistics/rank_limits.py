"""Ranks of several estimates that hold together."""

from __future__ import annotations

import numpy as np

from nps_research.typing import Floats, Integers

N_DRAWS = 20_000  # of the largest difference between two


def rank_limits(estimate: Floats, draws: Floats, *, confidence_level: float, rng: np.random.Generator) -> Integers:
    """Bound the ranks that each of several estimates can have, 1 the highest, so that all hold; shape (2, p).

    One outranks another where their difference is above zero by more than the quantile of the largest of all
    standardised differences, drawn from a normal distribution with the resamples' covariance (Mogstad et al. 2024).

    Parameters
    ----------
    estimate : ndarray, shape (p,)
    draws : ndarray, shape (n_resamples, p)
        Estimates of resamples; or what `draws_of` makes of their covariance.
    confidence_level : float
    rng : numpy.random.Generator

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M. & Wilhelm, D. (2024). Inference for ranks with applications to mobility
    across neighbourhoods and academic achievement across countries. Review of Economic Studies 91, 476-518.
    doi:10.1093/restud/rdad006
    """
    p = len(estimate)
    if p == 1:
        return np.ones((2, 1), dtype=np.int64)
    first, second = np.triu_indices(p, 1)
    spread = (draws[:, first] - draws[:, second]).std(axis=0, ddof=1)
    deviations = draws - draws.mean(axis=0)
    largest = np.empty(N_DRAWS)
    for start in range(0, N_DRAWS, 2000):
        drawn = rng.standard_normal((2000, len(draws))) @ deviations / np.sqrt(len(draws) - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.abs(drawn[:, first] - drawn[:, second]) / spread
        largest[start : start + 2000] = np.nan_to_num(ratio).max(axis=1)
    beyond = np.quantile(largest, confidence_level) * spread
    difference = estimate[first] - estimate[second]
    above = np.zeros((p, p), dtype=bool)
    above[first, second], above[second, first] = difference > beyond, -difference > beyond
    return np.stack([1 + above.sum(axis=0), p - above.sum(axis=1)])


def draws_of(covariance: Floats) -> Floats:
    """Make 2 p draws around zero that have a covariance exactly, for `rank_limits`.

    Examples
    --------
    >>> covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    >>> np.cov(draws_of(covariance), rowvar=False).round(9).tolist()
    [[2.0, 0.5], [0.5, 1.0]]
    """
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    return np.asarray(np.concatenate([root.T, -root.T]) * np.sqrt((2 * len(covariance) - 1) / 2))
