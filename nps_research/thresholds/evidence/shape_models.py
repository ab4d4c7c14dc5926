"""Shapes of risk by score 0-10, fitted to counts: one line, two lines, a straight line, steps that never rise.

Every function takes events and answers per score in the last axis, of as many tables at once as there are before it,
and lets the risk of the event fall with the score, never rise: a line below which customers are better is none. An
event that is good has to be turned round before. Log-likelihoods are binomial, less what does not depend on the risks.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlogy

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.typing import Floats, Integers

CUTS = np.arange(N_SCORES - 1)  # the highest score below the line
PAIRS = np.array([(a, b) for a in CUTS for b in CUTS if a < b])  # the highest score of each of two lower groups
_LINE_STEPS = 25
_STEP_TOLERANCE = 1e-9


def loglik(events: Floats, n: Floats, risks: Floats) -> Floats:
    """Log-likelihood of risks per score, shape of the tables.

    Examples
    --------
    >>> float(loglik(np.array([1.0]), np.array([2.0]), np.array([0.5])).round(4))
    -1.3863
    """
    return np.asarray((xlogy(events, risks) + xlogy(n - events, 1 - risks)).sum(axis=-1))


def _best(events: Floats, n: Floats) -> Floats:
    """Log-likelihood of groups at their own rates."""
    return np.asarray(xlogy(events, events) + xlogy(n - events, n - events) - xlogy(n, n))


def _fitted_rate(events: Floats, n: Floats) -> Floats:
    return np.divide(events, n, out=np.zeros(np.broadcast(events, n).shape), where=n > 0)


def constant_loglik(events: Floats, n: Floats) -> Floats:
    """Log-likelihood of one risk for all scores, shape of the tables."""
    return _best(events.sum(axis=-1), n.sum(axis=-1))


def cut_logliks(events: Floats, n: Floats) -> Floats:
    """Log-likelihood of two groups, for each cut; where the lower group is the better one, of one risk for all.

    Returns
    -------
    ndarray of shape (..., 10)

    Examples
    --------
    >>> n = np.full(11, 100.0)
    >>> events = np.array([20, 20, 20, 20, 5, 5, 5, 5, 5, 5, 5.0])
    >>> int(cut_logliks(events, n).argmax())
    3
    """
    below, below_n = (np.cumsum(values, axis=-1)[..., :-1] for values in (events, n))
    total, total_n = events.sum(axis=-1)[..., None], n.sum(axis=-1)[..., None]
    above, above_n = total - below, total_n - below_n
    two = _best(below, below_n) + _best(above, above_n)
    return np.where(below * above_n > above * below_n, two, _best(total, total_n))


def pair_logliks(events: Floats, n: Floats, cuts: Floats) -> Floats:
    """Log-likelihood of three groups, for each of `PAIRS`; risks fall from group to group or are one.

    `cuts` is what `cut_logliks` gives: where three risks do not fall, the best that do are two.
    """
    first, second = PAIRS.T
    below, below_n = (np.cumsum(values, axis=-1) for values in (events, n))
    low, low_n = below[..., first], below_n[..., first]
    middle, middle_n = below[..., second] - low, below_n[..., second] - low_n
    high, high_n = below[..., -1:] - below[..., second], below_n[..., -1:] - below_n[..., second]
    falls = (low * middle_n > middle * low_n) & (middle * high_n > high * middle_n)
    ends = _best(below, below_n)[..., :-1]  # each group that begins at 0, and each that ends at 10
    starts = _best(below[..., -1:] - below[..., :-1], below_n[..., -1:] - below_n[..., :-1])
    three = ends[..., first] + _best(middle, middle_n) + starts[..., second]
    return np.where(falls, three, np.maximum(cuts[..., first], cuts[..., second]))


def cut_risks(events: Floats, n: Floats, cut: Integers | int) -> Floats:
    """Risks per score with a line above `cut` (one cut, or one for each table), shape (..., 11)."""
    is_below = np.arange(N_SCORES) <= np.asarray(cut)[..., None]
    return _of_groups(events, n, np.broadcast_to(np.where(is_below, 0, 1), n.shape))


def pair_risks(events: Floats, n: Floats, pair: Integers) -> Floats:
    """Risks per score in three groups; `pair` ends in the highest scores of the two lower ones."""
    score = np.arange(N_SCORES)
    group = (score > pair[..., [0]]).astype(int) + (score > pair[..., [1]])
    return _of_groups(events, n, np.broadcast_to(group, n.shape))


def _of_groups(events: Floats, n: Floats, group: Integers) -> Floats:
    """Rates of groups of neighbouring scores that fall from one to the next: neighbours that do not are one."""
    member = group[..., None, :] == np.arange(3)[:, None]
    events_of, n_of = ((values[..., None, :] * member).sum(axis=-1) for values in (events, n))
    return np.take_along_axis(isotonic_risks(events_of, n_of), group, axis=-1)


def isotonic_risks(events: Floats, n: Floats) -> Floats:
    """Risks of highest likelihood among all that never rise from one score to the next (the min-max formula).

    References
    ----------
    Barlow, R. E., Bartholomew, D. J., Bremner, J. M. & Brunk, H. D. (1972). Statistical Inference under Order
    Restrictions. Wiley, theorem 1.4.

    Examples
    --------
    >>> isotonic_risks(np.array([1.0, 3.0, 0.0]), np.array([10.0, 10.0, 10.0])).tolist()
    [0.2, 0.2, 0.0]
    """
    size = events.shape[-1]
    low, high = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    shape = (*events.shape[:-1], size + 1)
    sums, sums_n = np.zeros(shape), np.zeros(shape)
    sums[..., 1:], sums_n[..., 1:] = np.cumsum(events, axis=-1), np.cumsum(n, axis=-1)
    count = sums_n[..., high + 1] - sums_n[..., low]
    mean = _fitted_rate(sums[..., high + 1] - sums[..., low], count)
    # The mean of scores low..high; runs without answers constrain nothing.
    upward = np.where((low <= high) & (count > 0), mean, -np.inf)
    most = np.maximum.accumulate(upward[..., ::-1], axis=-1)[..., ::-1]  # over all ends from this score on
    most = np.where((low <= high) & (most > -np.inf), most, np.inf)
    least = np.minimum.accumulate(most, axis=-2)  # over all beginnings up to this score
    risks = np.asarray(np.diagonal(least, axis1=-2, axis2=-1))
    return np.where(np.isfinite(risks), risks, _fitted_rate(events.sum(axis=-1), n.sum(axis=-1))[..., None])


def line_risks(events: Floats, n: Floats) -> Floats:
    """Risks on a straight line of the logit scale that does not rise, by maximum likelihood, shape (..., 11).

    Newton's method on all tables at once; a fit whose line would rise is one risk for all.
    """
    score = np.arange(N_SCORES) / (N_SCORES - 1)
    total, total_n = events.sum(axis=-1), n.sum(axis=-1)
    mean = np.clip(_fitted_rate(total, total_n), 1e-9, 1 - 1e-9)
    level, slope = np.log(mean / (1 - mean)), np.zeros(mean.shape)
    for _ in range(_LINE_STEPS):
        risk = expit(level[..., None] + slope[..., None] * score)
        gap, weight = events - n * risk, n * risk * (1 - risk)
        w0, w1, w2 = (np.asarray((weight * score**power).sum(axis=-1)) for power in range(3))
        g0, g1 = gap.sum(axis=-1), (gap * score).sum(axis=-1)
        size = w0 * w2 - w1**2
        known = size > 1e-12 * np.maximum(w0, 1e-12) ** 2
        by = np.where(known, size, 1.0)
        up, turn = np.where(known, (w2 * g0 - w1 * g1) / by, 0.0), np.where(known, (w0 * g1 - w1 * g0) / by, 0.0)
        longest = np.maximum(np.maximum(np.abs(up), np.abs(turn)) / 4, 1.0)  # no wild step where all above are safe
        level, slope = np.clip(level + up / longest, -40, 40), np.clip(slope + turn / longest, -80, 80)
        if max(np.abs(up).max(initial=0), np.abs(turn).max(initial=0)) < _STEP_TOLERANCE:
            break
    line = expit(level[..., None] + slope[..., None] * score)
    return np.where((slope < 0)[..., None], line, mean[..., None])
