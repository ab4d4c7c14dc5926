"""The modelled chance to answer, from what was known before the invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from nps_research.errors import EstimationError
from nps_research.statistics.boosting import boosted_trees, folds_left_out, tree_features
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.enough import PER_COLUMN
from nps_research.statistics.logistic import design_matrix, ridge_logistic
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.typing import Flags, Floats, Integers

PropensityModel = Literal["logistic", "boosted"]

SLIGHT_RIDGE = 0.01  # keeps a separable category's coefficient finite, moves nothing else


@dataclass(frozen=True, kw_only=True, eq=False)
class Propensity:
    """Modelled chances to answer, and what is needed to know how sure they are.

    Attributes
    ----------
    probability : ndarray, shape (n,)
        P(answer | covariates) of every person, between 0 and 1.
    design : ndarray, shape (n, k)
        Columns of the logistic model, the constant first, each of mean 0 and standard deviation 1.
    information_inverse : ndarray, shape (k, k)
        Inverse of its information matrix.
    is_bent : bool
        Whether numbers entered as splines; False where answers were too few for it.
    """

    probability: Floats
    design: Floats
    information_inverse: Floats
    is_bent: bool


def response_propensity(
    answered: Flags,
    covariates: Covariates,
    *,
    cluster: Integers | None = None,
    model: PropensityModel = "logistic",
    rng: np.random.Generator | None = None,
) -> Propensity:
    """Model each person's chance to answer (response propensity).

    The estimand is P(answer | covariates) among the people in the rows. ``"logistic"``: numbers as natural cubic
    splines (straight where answers are few), categories as they are, those with few answers or few silent joined.
    ``"boosted"``: trees, whose log-odds for each fold of clusters come from the other folds, so that nobody's is
    learned from their own response or that of their account; they enter the logistic model as one more column, which
    sets their scale and keeps what they smooth away.

    Parameters
    ----------
    answered : ndarray of bool, shape (n,)
        Who answered.
    covariates : Covariates
        What was known of the same people.
    cluster : ndarray of int, shape (n,), optional
        Whose answers belong together, such as accounts; None takes each person alone.
    model : {"logistic", "boosted"}
        Which model.
    rng : numpy.random.Generator, optional
        Draws the folds; None starts a fixed one.

    Returns
    -------
    Propensity

    Raises
    ------
    EstimationError
        If answers or silences are too few for the columns, or nothing is known.

    Notes
    -----
    A ridge of 0.01 on standardised columns keeps coefficients finite.

    References
    ----------
    Rosenbaum, P. R. & Rubin, D. B. (1983). The central role of the propensity score in observational studies for
    causal effects. Biometrika 70, 41-55. doi:10.1093/biomet/70.1.41

    Examples
    --------
    >>> import pandas as pd
    >>> from nps_research.statistics.covariates import Covariates
    >>> area = pd.DataFrame({"area": ["N"] * 40 + ["S"] * 40})
    >>> covariates = Covariates(numbers=pd.DataFrame(index=area.index), categories=area)
    >>> answered = np.array([True] * 30 + [False] * 10 + [True] * 10 + [False] * 30)
    >>> response_propensity(answered, covariates).probability[[0, 79]].round(2).tolist()
    [0.75, 0.25]
    """
    fewer = int(min(answered.sum(), (~answered).sum()))
    extra: list[Floats] = []
    if model == "boosted":
        codes = np.arange(len(answered)) if cluster is None else cluster
        extra = [_boosted_log_odds(answered, covariates, codes, rng or np.random.default_rng(DEFAULT_SEED))]
    for is_bent in (True, False):
        design = design_matrix(answered, covariates, extra=extra, is_bent=is_bent)
        if design.shape[1] == 1:
            raise EstimationError("Nothing that is known sets those who answered apart from the silent.")
        if fewer >= PER_COLUMN * design.shape[1]:
            break
    else:
        raise EstimationError(
            f"Too few to model who answers: {int(answered.sum()):,} answered and {int((~answered).sum()):,} did not; "
            f"with {design.shape[1]} columns, {PER_COLUMN} of each are needed per column."
        )
    weights, inverse = ridge_logistic(design, answered, ridge=SLIGHT_RIDGE)
    return Propensity(probability=expit(design @ weights), design=design, information_inverse=inverse, is_bent=is_bent)


def _boosted_log_odds(answered: Flags, covariates: Covariates, cluster: Integers, rng: np.random.Generator) -> Floats:
    """Log-odds to answer of each fold of clusters, by trees grown on the other folds."""
    features, log_odds = tree_features(answered, covariates), np.zeros(len(answered))
    for out in folds_left_out(cluster, rng):
        booster = boosted_trees(features[~out], answered[~out].astype(float), objective="binary")
        log_odds[out] = np.asarray(booster.predict(features[out], raw_score=True))
    return log_odds
