"""Means of what is known of a sample alone, helped by what a machine predicts of everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_research.typing import Floats, Integers


@dataclass(frozen=True, kw_only=True)
class PredictionPowered:
    """A prediction-powered mean.

    Attributes
    ----------
    estimate, std_error : float
    power : float
        How far the machine is trusted (lambda): 0 is the sample alone.
    """

    estimate: float
    std_error: float
    power: float


def prediction_powered_mean(
    truth: Floats,
    predicted: Floats,
    everybody: Floats,
    *,
    chance: Floats,
    cluster: Integers | None = None,
    power: float | None = None,
) -> PredictionPowered:
    """Estimate a mean from a sample of known truth and predictions for all (PPI++), Horvitz-Thompson weighted.

    The estimand is the mean of the truth over all whose like `everybody` is. With w = 1 / chance, f = sum w / sum w^2
    and the mean of what is not in the sample G = (mean of all predictions - f x weighted mean of the sample's) / (1 -
    f), the estimate is lambda G + weighted mean of (truth - lambda predicted). Where all have the same chance, f is the
    part drawn, G is the mean of the others' predictions, and all is as Angelopoulos et al. have it.

    Parameters
    ----------
    truth, predicted : ndarray, shape (n,)
        Of the sample; predictions from models that never saw its truth.
    everybody : ndarray, shape (n_all,)
        Predictions for all, the sample among them.
    chance : ndarray, shape (n,)
        The chance with which each of the sample was drawn, above 0 and at most 1.
    cluster : ndarray of int, shape (n,), optional
        Whose errors belong together; None takes each alone.
    power : float, optional
        lambda; None takes what makes the variance least.

    Returns
    -------
    PredictionPowered

    References
    ----------
    Angelopoulos, A. N., Duchi, J. C. & Zrnic, T. (2023). PPI++: efficient prediction-powered inference.
    arXiv:2311.01453

    Examples
    --------
    >>> found = prediction_powered_mean(
    ...     np.array([1.0, 0, 1, 0]), np.array([1.0, 0, 1, 0]), np.array([1.0, 0, 1, 0, 1, 1]), chance=np.full(4, 4 / 6)
    ... )
    >>> round(found.estimate, 3), round(found.power, 3)
    (0.656, 0.312)
    """
    weight = 1 / chance
    drawn = min(float(weight.sum() / (weight**2).sum()), 1.0)
    part = weight / weight.sum()
    n_rest = len(everybody) * (1 - drawn)

    def of_rest(value: Floats, sampled: Floats) -> float:
        return float((value.mean() - drawn * (part @ sampled)) / (1 - drawn))

    if n_rest < 1:
        tuned, rest, spread = 0.0, 0.0, 0.0
    else:
        rest = of_rest(everybody, predicted)
        spread = max(of_rest(everybody**2, predicted**2) - rest**2, 0.0)
        together = float(part @ ((truth - part @ truth) * (predicted - part @ predicted)))
        variance = float(everybody.var(ddof=1)) / (1 - drawn)
        tuned = power if power is not None else together / variance if variance > 0 else 0.0
    error = truth - tuned * predicted
    mean = float(part @ error)
    own = part * (error - mean)
    sums = own if cluster is None else np.bincount(cluster, own)
    squared = float((sums**2).sum()) + (tuned**2 * spread / n_rest if n_rest >= 1 else 0.0)
    return PredictionPowered(estimate=tuned * rest + mean, std_error=float(np.sqrt(squared)), power=tuned)
