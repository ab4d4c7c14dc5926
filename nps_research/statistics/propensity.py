"""The modelled chance to answer, from what was known before the invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nps_research.errors import EstimationError
from nps_research.statistics.randomness import DEFAULT_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nps_research.statistics.covariates import Covariates
    from nps_research.typing import Flags, Floats, Integers


__all__ = [
    "Propensity",
    "PropensityModel",
    "design_matrix",
    "folds_of_clusters",
    "joined_levels",
    "response_propensity",
    "tree_features",
]

PropensityModel = Literal["logistic", "boosted"]

FEWEST = 10  # answered, and not answered, in a category that has a term of its own
PER_COLUMN = 5  # the rarer of answers and silences, per column of the model
RIDGE = 0.01  # on columns of standard deviation 1: keeps a separable category's coefficient finite, moves nothing else
OTHER = "(other)"
N_FOLDS = 5
N_TREES = 100
TREES: Mapping[str, Any] = {
    "num_leaves": 8,
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
_NEWTON_STEPS = 50


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
    """Model each person's chance to answer.

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
    probability, inverse = _logistic(design, answered)
    return Propensity(probability=probability, design=design, information_inverse=inverse, is_bent=is_bent)


def joined_levels(column: pd.Series, answered: Flags, *, fewest: int = FEWEST) -> pd.Series:
    """A category's levels, those with fewer than `fewest` who answered, or who did not, joined into one.

    Examples
    --------
    >>> area = pd.Series(["N"] * 4 + ["S"] * 4 + ["W", "E"])
    >>> joined_levels(area, np.array([1, 0] * 5, dtype=bool), fewest=1).unique().tolist()
    ['N', 'S', '(other)']
    """
    counts = pd.DataFrame({"yes": answered, "no": ~answered}).groupby(column.to_numpy()).sum().min(axis=1)
    few = counts.index[counts < fewest]
    if not len(few):
        return column
    joined = column.mask(column.isin(few), OTHER)
    other = (joined == OTHER).to_numpy()
    if min(int((answered & other).sum()), int((~answered & other).sum())) >= fewest:
        return joined
    kept = column[~column.isin(few)]
    return joined.mask(other, kept.mode().iloc[0] if len(kept) else OTHER)


def design_matrix(
    answered: Flags, covariates: Covariates, *, extra: Sequence[Floats] = (), is_bent: bool = True
) -> Floats:
    """Columns of a model on the covariates, each of mean 0 and standard deviation 1 but the constant, the first.

    Numbers as natural cubic splines, or as they are where not `is_bent`; a mark of what is missing, where enough is;
    categories, small ones joined; and what is `extra`.
    """
    columns = list(extra)
    for name in covariates.numbers:
        value = covariates.numbers[name].to_numpy(dtype=float)
        gap = np.isnan(value)
        columns += _bent(np.where(gap, np.nanmedian(value), value), is_bent=is_bent)
        if min((gap & answered).sum(), (gap & ~answered).sum()) >= FEWEST:
            columns.append(gap.astype(float))
    for name in covariates.categories:
        levels = joined_levels(covariates.categories[name], answered)
        columns += [(levels == level).to_numpy(dtype=float) for level in sorted(levels.unique())[1:]]
    kept = [column for column in columns if column.std() > 0]
    return np.column_stack([np.ones(len(answered)), *((column - column.mean()) / column.std() for column in kept)])


def _bent(value: Floats, *, is_bent: bool) -> list[Floats]:
    """Columns of a natural cubic spline with knots at the quartiles; the value itself where they coincide."""
    import patsy  # late: importing it takes longer than all else here

    inner = np.unique(np.quantile(value, [0.25, 0.5, 0.75]))
    inner = inner[(inner > value.min()) & (inner < value.max())]
    if not is_bent or not len(inner):
        return [value]
    spline = patsy.dmatrix("cr(value, knots=inner, constraints='center') - 1", {"value": value, "inner": inner})
    return list(np.asarray(spline).T)


def _logistic(design: Floats, answered: Flags) -> tuple[Floats, Floats]:
    """Fitted chances of a logistic model with a slight ridge, and its inverse information, by Newton's method."""
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0.0
    beta = np.zeros(design.shape[1])
    beta[0] = logit(answered.mean())
    for _ in range(_NEWTON_STEPS):
        probability = expit(design @ beta)
        information = (design * (probability * (1 - probability))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(information, design.T @ (answered - probability) - ridge * beta)
        step *= min(1.0, 5 / np.abs(step).max()) if np.abs(step).max() > 0 else 1.0
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return expit(design @ beta), np.asarray(np.linalg.inv(information), dtype=np.float64)


def tree_features(answered: Flags, covariates: Covariates) -> Floats:
    """Columns that trees are grown on: numbers as they are, gaps kept, and a mark of each level, small ones joined."""
    dummies = [
        (levels == level).to_numpy(dtype=float)
        for levels in (joined_levels(covariates.categories[name], answered) for name in covariates.categories)
        for level in sorted(levels.unique())
    ]
    return np.column_stack([*(covariates.numbers[name] for name in covariates.numbers), *dummies])


def folds_of_clusters(cluster: Integers, rng: np.random.Generator) -> Integers:
    """The fold of each person, 0 to 4, drawn by clusters: nobody of one cluster is in another's fold.

    Raises
    ------
    EstimationError
        If there are fewer clusters than folds.

    Examples
    --------
    >>> folds_of_clusters(np.array([7, 7, 1, 2, 3, 4]), np.random.default_rng(1)).tolist()
    [3, 3, 4, 0, 1, 2]
    """
    codes = np.unique(cluster, return_inverse=True)[1]
    if codes.max() + 1 < N_FOLDS:
        raise EstimationError(f"Boosted trees need people of {N_FOLDS} clusters or more; there are {codes.max() + 1}.")
    return np.asarray(rng.permutation(np.arange(codes.max() + 1) % N_FOLDS)[codes], dtype=np.int64)


def _boosted_log_odds(answered: Flags, covariates: Covariates, cluster: Integers, rng: np.random.Generator) -> Floats:
    """Log-odds to answer of each fold of clusters, by trees grown on the other folds."""
    import lightgbm  # late: importing it takes longer than all else here

    features = tree_features(answered, covariates)
    settings = {**TREES, "objective": "binary"}
    fold = folds_of_clusters(cluster, rng)
    log_odds = np.zeros(len(answered))
    for number in range(N_FOLDS):
        out = fold == number
        if not out.any():
            continue
        data = lightgbm.Dataset(features[~out], answered[~out].astype(float))
        booster = lightgbm.train(settings, data, N_TREES, keep_training_booster=True)
        log_odds[out] = np.asarray(booster.predict(features[out], raw_score=True))
    return log_odds
