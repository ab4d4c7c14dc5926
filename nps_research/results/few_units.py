"""Whether a weighted mean, or its error, would tell of one of the few units behind it: the floor and the p% rule.

A unit is an account, a person, a cluster: whoever's answers are taken together. How many answers a group has does not
protect a unit that counts for nearly all of it, nor one of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nps_research.typing import Flags, Floats, Numbers

LEAST_REST = 0.15  # of the largest unit's weight, the least that all but the two largest must weigh
FEWEST_EFFECTIVE = 5  # single answers; from here on the rest outweighs the largest, whatever the second largest is


def tells_of_one(weight: Floats, answers: Numbers, minimum_cell: int) -> bool:
    """Whether a mean of units would tell of one: fewer than `minimum_cell` of them weigh, or the p% rule fails.

    The p% rule: whoever is behind the second largest unit, and takes its part out, must not know the largest to within
    p% of its range. What is left must weigh p% of it; and as a unit of n answers, fewer than `minimum_cell`, can only
    have so many scores, 100 / n points apart, at least one n-th of it.

    Parameters
    ----------
    weight : ndarray, shape (n_units,)
        How much each unit counts.
    answers : ndarray, shape (n_units,)
        How many answers it holds.
    minimum_cell : int
        Fewest units, and fewest answers that may be shown by themselves; 1 or less asks for nothing.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley. doi:10.1002/9781118348239

    Examples
    --------
    >>> tells_of_one(np.ones(12), np.full(12, 2), 10), tells_of_one(np.append(np.ones(12), 99), np.full(13, 50), 10)
    (False, True)
    """
    counts = weight > 0
    weight, answers = weight[counts], answers[counts]
    if minimum_cell <= 1 or not len(weight):
        return False
    if len(weight) < max(minimum_cell, 3):
        return True
    second, first = np.sort(weight)[-2:]
    rest = weight.sum() - weight - np.where(np.arange(len(weight)) == np.argmax(weight), second, first)
    needed = np.maximum(LEAST_REST, np.where(answers < minimum_cell, 1 / np.maximum(answers, 1), 0.0))
    return bool((rest < needed * weight).any())


def answers_tell_of_one(weight_sum: Any, squared_weight_sum: Any) -> Flags:
    """Whether weights of single answers do, per group, from their sums: as `tells_of_one`, on the safe side.

    The p% rule with p = 100 is T >= 2 a + b, a and b the largest weights of a sum of T; and 2 a + b is no more than the
    root of 5 sum w^2.
    """
    return np.asarray((weight_sum > 0) & (weight_sum**2 < FEWEST_EFFECTIVE * squared_weight_sum))
