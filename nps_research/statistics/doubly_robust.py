"""Scores of all who were reached, from the answers of those who answered: weights, and how sure they are.

All is said of the people who were reached, as they are: chance lies only in who of them answered. Values are in NPS
points: 100 of a promoter, -100 of a detractor, 0 of a passive. Each weighted score is linearised to sum (R - p) u over
the people, R whether one answered and p the chance of it, so that its variance is that of who answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nps_research.statistics.distributions import t_ppf
from nps_research.statistics.propensity import Propensity
from nps_research.typing import Flags, Floats, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Reached:
    """The people who were reached: who answered and what.

    Attributes
    ----------
    answered : ndarray of bool, shape (n,)
    value : ndarray, shape (n,)
        NPS points of each answer; 0 of the silent, which nothing reads.
    base : ndarray, shape (n,)
        Design weights, 1 without them.
    cluster : ndarray of int, shape (n,)
        Whose answering may go together.
    """

    answered: Flags
    value: Floats
    base: Floats
    cluster: Integers

    @property
    def silent_share(self) -> float:
        """Share of the (weighted) people who did not answer."""
        return float(self.base[~self.answered].sum() / self.base.sum())

    @property
    def observed(self) -> float:
        """The score of those who answered."""
        return float(np.average(self.value[self.answered], weights=self.base[self.answered]))

    def of_silent(self, score: float) -> float:
        """The score of the silent, where that of all is `score`."""
        share = self.silent_share
        return (score - (1 - share) * self.observed) / share


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighted:
    """One weighted score.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Of those who answered, mean 1; 0 of the silent.
    estimate, std_error, conf_low, conf_high : float
        In points; limits within the worst-case bounds.
    n_effective, largest_weight : float
        Kish's number of equal weights; the largest weight.
    n_trimmed : int
        How many weights were brought down to the largest allowed.
    smallest_chance : float
        The smallest modelled chance to answer; nan where none is modelled.
    """

    weights: Floats
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    n_effective: float
    largest_weight: float
    n_trimmed: int = 0
    smallest_chance: float = np.nan


def worst_case_bounds(people: Reached) -> tuple[float, float]:
    """Bound the score of all (Manski): every silent person a detractor, and every one a promoter.

    References
    ----------
    Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2), 319-323.

    Examples
    --------
    >>> people = Reached(
    ...     answered=np.array([True, True, False, False]), value=np.array([100.0, 0.0, 0.0, 0.0]),
    ...     base=np.ones(4), cluster=np.arange(4)
    ... )
    >>> worst_case_bounds(people)
    (-25.0, 75.0)
    """
    share = people.silent_share
    middle = (1 - share) * people.observed
    return middle - 100 * share, middle + 100 * share


def inverse_propensity_score(
    people: Reached,
    propensity: Propensity,
    *,
    largest_weight: float,
    confidence_level: float,
    predicted: Floats | None = None,
) -> Weighted:
    """Weight each answer by one over its chance (inverse propensity): the score of all.

    The estimand is the score of all in `people`, had all answered, if answering has nothing to do with loyalty but
    through what the propensity knows (Hájek's ratio). Weights have mean 1; those above `largest_weight` are brought
    down to it. The variance is linearised with the estimating equations of the logistic model, whose coefficients are
    estimated; where people of one cluster answer together more often than the model says, by the ratio of both.

    With `predicted`, what each person would answer in points, by a model that has not seen their answer, the mean of
    it over all is taken and the weighted mean of what the answers are off it is added: the doubly robust, or augmented,
    estimate. Its variance is that of the second, as the first is the same whoever answers.

    References
    ----------
    Kim, J. K. & Kim, J. J. (2007). Nonresponse weighting adjustment using estimated response probability. Canadian
    Journal of Statistics 35(4), 501-514.

    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
    not always observed. Journal of the American Statistical Association 89, 846-866.
    doi:10.1080/01621459.1994.10476818
    """
    yes, chance = people.answered, propensity.probability
    weight = np.where(yes, 1 / chance, 0.0)
    # Cap and mean depend on each other; the mean of what is left falls at each round, so a few rounds settle it.
    cap = np.inf
    for _ in range(100):
        lower = largest_weight * float(np.minimum(weight[yes], cap).mean())
        if lower >= cap * (1 - 1e-12):
            break
        cap = lower
    trimmed = yes & (weight > cap)
    weight = np.minimum(weight, cap)
    total = people.base * weight
    left = people.value if predicted is None else np.where(yes, people.value - predicted, 0.0)
    mean_left = float(np.average(left, weights=total))
    score = mean_left if predicted is None else mean_left + float(np.average(predicted, weights=people.base))
    error = total * (left - mean_left)
    free = np.where(trimmed, 0.0, error * (1 - chance))  # a trimmed weight does not move with the coefficients
    slope = propensity.information_inverse @ (propensity.design.T @ free)
    influence = error - np.where(yes, propensity.design @ slope, 0.0)
    found = with_limits(people, score, total, influence, chance, n_columns=len(slope), level=confidence_level)
    return replace(found, n_trimmed=int(trimmed.sum()), smallest_chance=float(chance.min()))


def with_limits(
    people: Reached, score: float, total: Floats, influence: Floats, chance: Floats, *, n_columns: int, level: float
) -> Weighted:
    """Give a score its linearised standard error and limits, and the weights with mean 1."""
    yes, n = people.answered, int(people.answered.sum())
    own = float(((1 - chance[yes]) * influence[yes] ** 2).sum())
    variance = own + _together(people, influence, chance)
    std_error = float(np.sqrt(variance * n / max(n - n_columns, 1)) / total.sum())
    weights = total * n / total.sum()
    n_effective = float(weights.sum() ** 2 / (weights**2).sum())
    half_width = float(t_ppf(0.5 + level / 2, max(n_effective - 1, 1))) * std_error
    low, high = worst_case_bounds(people)
    score = min(max(score, low), high)  # a mean of answers is within; a sum of two means need not be
    return Weighted(
        weights=weights,
        estimate=score,
        std_error=std_error,
        conf_low=min(max(score - half_width, low), score),
        conf_high=max(min(score + half_width, high), score),
        n_effective=n_effective,
        largest_weight=float(weights.max()),
    )


def _together(people: Reached, influence: Floats, chance: Floats) -> float:
    """What people of one cluster add to the variance by answering, or keeping silent, together.

    Pairs of one cluster answer both `ratio` times as often as if each answered by itself: the covariance of a pair that
    answered is 1 - 1/ratio of the product of their influences. Nothing where pairs answer no more often than that.
    """
    yes, codes = people.answered, people.cluster

    def pairs(values: Floats) -> float:
        return float((np.bincount(codes, values) ** 2).sum() - (values**2).sum())

    expected = pairs(np.minimum(chance, 1.0)) if len(codes) else 0.0
    both = pairs(yes.astype(float))
    if expected <= 0 or both <= expected:
        return 0.0
    return max((1 - expected / both) * pairs(np.where(yes, influence, 0.0)), 0.0)
