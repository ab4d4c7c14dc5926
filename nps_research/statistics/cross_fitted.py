"""Chances and outcomes that models foretell of people whom they have not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from nps_research.statistics.enough import PER_COLUMN
from nps_research.statistics.logistic import ridge_logistic
from nps_research.typing import Flags, Floats, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossFitted:
    """What is foretold of each person by models of the other folds; arrays of shape (n,).

    Attributes
    ----------
    propensity : ndarray
        P(treated | covariates).
    if_treated, if_untreated : ndarray
        Expected outcome of each under either.
    answers_treated, answers_untreated : ndarray
        Chance that the outcome is known under either; 1 where all of an arm's are.
    """

    propensity: Floats
    if_treated: Floats
    if_untreated: Floats
    answers_treated: Floats
    answers_untreated: Floats


def cross_fitted(
    outcome: Flags | Floats, treated: Flags, answered: Flags, design: Floats, fold: Integers, *, ridge: float
) -> CrossFitted:
    """Foretell treatment, outcome and answering of each fold by models of the other folds.

    Treatment and answering by logistic regression; the outcome, in each arm among those whose outcome is known, by
    least squares, or by logistic regression where it is yes or no (flags). Where the rarer of yes and no has fewer than
    five rows for each column of the design, the other folds' share stands in for the model, but for treatment.

    Parameters
    ----------
    outcome : ndarray of bool or float, shape (n,)
    treated, answered : ndarray of bool, shape (n,)
    design : ndarray, shape (n, k)
        The constant first; the other columns of standard deviation 1.
    fold : ndarray of int, shape (n,)
    ridge : float
        Of the logistic models.

    References
    ----------
    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. The Econometrics Journal 21, C1-C68.
    doi:10.1111/ectj.12097

    Examples
    --------
    >>> rows = np.arange(8)
    >>> found = cross_fitted(rows % 2 + 1.0, rows % 2 == 1, rows >= 0, np.ones((8, 1)), rows // 4, ridge=0.0)
    >>> [float(foretold[0].round(6)) for foretold in (found.if_treated, found.if_untreated, found.propensity)]
    [2.0, 1.0, 0.5]
    """
    n = len(treated)
    propensity, foretold, answers = np.empty(n), np.empty((2, n)), np.empty((2, n))
    for number in np.unique(fold):
        out = fold == number
        coefficients, _ = ridge_logistic(design[~out], treated[~out], ridge=ridge)
        propensity[out] = expit(design[out] @ coefficients)
        for arm in (0, 1):
            of_arm = ~out & (treated == bool(arm))
            answers[arm, out] = _chance(design, answered, of_arm, out, ridge=ridge)
            known = of_arm & answered
            if outcome.dtype == bool:
                foretold[arm, out] = _chance(design, outcome.astype(bool), known, out, ridge=ridge)
            else:
                slopes = np.linalg.lstsq(design[known], outcome[known].astype(float), rcond=None)[0]
                foretold[arm, out] = design[out] @ slopes
    return CrossFitted(
        propensity=propensity,
        if_treated=foretold[1],
        if_untreated=foretold[0],
        answers_treated=answers[1],
        answers_untreated=answers[0],
    )


def _chance(design: Floats, event: Flags, learn: Flags, out: Flags, *, ridge: float) -> Floats | float:
    """Chance of the event of those left out, by a model of those to learn from, or by their share."""
    events = int(event[learn].sum())
    if min(events, int(learn.sum()) - events) < PER_COLUMN * design.shape[1]:
        return events / int(learn.sum())
    coefficients, _ = ridge_logistic(design[learn], event[learn], ridge=ridge)
    return np.asarray(expit(design[out] @ coefficients))
