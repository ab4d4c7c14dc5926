"""How well predicted chances meet what happened, and how surely two predictions of the same rows can be told apart.

Each measure comes with each row's influence on it (its derivative by the row's weight): the variance of the measure,
or of a difference of two, is the sum of the squares of the clusters' influences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nps_research.statistics.distributions import normal_sf
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.typing import Floats, Integers

Measured = tuple[float, Floats]

TOP = 0.1


def log_loss(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Compute the log loss: mean of -log of the chance that was given to what happened; lower is better."""
    loss = -np.where(y > 0, np.log(p), np.log1p(-p))
    return float(loss.mean()), (loss - loss.mean()) / len(y)


def _ranks(p: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, times = np.unique(p, return_inverse=True, return_counts=True)
    return np.asarray((times.cumsum() - (times - 1) / 2)[place])


def auc(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Compute the AUC: chance that a leaver had a higher prediction than one who stayed; ties count half.

    DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44, 837-845. doi:10.2307/2531595
    """
    left = y > 0
    n_left, n_stayed = int(left.sum()), int((~left).sum())
    ranks = _ranks(p)
    own = np.empty(len(y))
    own[left], own[~left] = _ranks(p[left]), _ranks(p[~left])
    above = (ranks - own) / np.where(left, n_stayed, n_left)  # of the other kind, how many lie below
    placement = np.where(left, above, 1 - above)
    area = float(placement[left].mean())
    return area, (placement - area) / np.where(left, n_left, n_stayed)


def average_precision(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Average over leavers the precision: the share of leavers among all with a prediction at least as high."""
    _, place = np.unique(-p, return_inverse=True)
    at_least = np.cumsum(np.bincount(place))
    leavers = np.bincount(place, weights=y)
    found = np.cumsum(leavers)
    n_left = found[-1]
    precision = found / at_least
    value = float((leavers * precision).sum() / n_left)

    def from_here(of_place: Floats) -> Floats:
        return np.cumsum(of_place[::-1])[::-1]

    gain, cost = from_here(leavers / at_least), from_here(leavers * precision / at_least)
    influence = y * (precision[place] - value) + y * gain[place] - cost[place]
    return value, influence / n_left


def leavers_in_top(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Compute recall at the top tenth of predictions of each wave: the share of all leavers there; ties shared out."""
    n_left = y.sum()
    inside, at_line = np.empty(len(y)), np.empty(len(y))
    for each in np.unique(wave):
        rows = np.flatnonzero(wave == each)
        ordered = rows[np.argsort(-p[rows], kind="stable")]
        room = TOP * len(rows)
        _, place, size = np.unique(-p[ordered], return_inverse=True, return_counts=True)
        before = np.cumsum(size) - size
        inside[ordered] = np.clip((room - before) / size, 0, 1)[place]
        near = slice(max(int(room - 0.05 * len(rows)), 0), int(room + 0.05 * len(rows)) + 1)
        at_line[ordered] = y[ordered[near]].mean()
    found = float((y * inside).sum() / n_left)
    # one more row of weight makes room for a tenth, takes up its own, and the line moves among those near it
    return found, (y * (inside - found) + (TOP - inside) * at_line) / n_left


def predicted_minus_observed(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Subtract the share that left from the mean predicted chance: calibration in the large, 0 if right."""
    error = p - y
    return float(error.mean()), (error - error.mean()) / len(y)


def calibration_slope(y: Floats, p: Floats, wave: Integers) -> Measured:
    """Fit the calibration slope, of what happened on the predicted log-odds: 1 if right, below 1 if too extreme."""
    design = np.column_stack([np.ones(len(y)), logit(p)])
    spread = design[:, 1].std()
    if spread < 1e-9:
        return np.nan, np.full(len(y), np.nan)
    design[:, 1] = (design[:, 1] - design[:, 1].mean()) / spread
    weight = np.array([logit(y.mean()), spread])
    for _ in range(50):
        fitted = expit(design @ weight)
        bread = np.linalg.inv((design * (fitted * (1 - fitted))[:, None]).T @ design)
        step = bread @ (design.T @ (y - fitted))
        weight = weight + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return float(weight[1] / spread), (design @ bread[1]) * (y - expit(design @ weight)) / spread


MEASURES: dict[str, tuple[Callable[[Floats, Floats, Integers], Measured], int]] = {
    "log loss": (log_loss, -1),  # -1: lower is better, 1: higher is better, 0: neither
    "AUC": (auc, 1),
    "average precision": (average_precision, 1),
    "leavers in the top tenth": (leavers_in_top, 1),
    "predicted minus observed": (predicted_minus_observed, 0),
    "calibration slope": (calibration_slope, 0),
}


def compare_predictions(
    y: Floats,
    without: Floats,
    with_more: Floats,
    *,
    wave: Integers,
    cluster: Integers,
    confidence_level: float,
    terms: Sequence[str] = tuple(MEASURES),
) -> pd.DataFrame:
    """Compare two predictions of the same rows by each measure, with limits of the difference.

    Parameters
    ----------
    y : ndarray of float
        1 who left, 0 who stayed.
    without, with_more : ndarray
        Predicted chances, above 0 and below 1.
    wave, cluster : ndarray of int
        In which wave a row was predicted, and to which cluster it belongs.
    confidence_level : float
    terms : sequence of str
        Which of `MEASURES`.

    Returns
    -------
    DataFrame
        term, n, without, with, estimate (with minus without), std_error, conf_low, conf_high (normal limits), p_value
        (one-sided, that more is no better; nan where neither direction is better).

    Examples
    --------
    >>> y, wave = np.array([1.0, 0, 0, 1]), np.zeros(4, dtype=int)
    >>> found = compare_predictions(
    ...     y, np.full(4, 0.5), np.array([0.9, 0.2, 0.3, 0.6]), wave=wave, cluster=np.arange(4), confidence_level=0.95
    ... )
    >>> found.set_index("term").loc["AUC", ["without", "with", "estimate"]].tolist()
    [0.5, 1.0, 0.5]
    """
    _, code = np.unique(cluster, return_inverse=True)
    m = int(code.max()) + 1
    found = []
    for term in terms:
        measure, better = MEASURES[term]
        before, influence_before = measure(y, without, wave)
        after, influence_after = measure(y, with_more, wave)
        by_cluster = np.bincount(code, weights=influence_after - influence_before, minlength=m)
        std_error = float(np.sqrt(m / (m - 1) * (by_cluster**2).sum()))
        change = after - before
        p_value = np.nan
        if better and std_error > 0:
            p_value = float(normal_sf(better * change / std_error))
        elif better and np.isfinite(std_error):
            p_value = 1.0
        found.append(
            {
                "term": term,
                "n": len(y),
                "without": before,
                "with": after,
                **with_normal_limits(change, std_error, confidence_level),
                "p_value": p_value,
            }
        )
    return pd.DataFrame(found)
