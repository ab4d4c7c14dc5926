"""Two models of who leaves after a landmark: a logistic regression with curves, and shallow boosted trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nps_research.silence.value.features import Features
    from nps_research.typing import Flags, Floats, Integers


__all__ = ["BOOSTED", "LEARNERS", "LOGISTIC", "Encoding", "contributions", "fit_boosted", "predict", "ridge_logistic"]

BOOSTED, LOGISTIC = "boosted", "logistic"
LEARNERS = (BOOSTED, LOGISTIC)
MOST_ROWS = 60_000  # learnt from; of more, every so many-th
LEAST_OF_CATEGORY = 20  # training rows; rarer categories, and those not seen in training, are one
MOST_CATEGORIES = 20
CURVED_FROM = 12  # different values, from which a number gets a curve
KNOTS = 6
N_TREES = 80
LEARNING_RATE = 0.05
MAX_DEPTH = 3
LEAST_IN_LEAF = 50
RIDGE = 5.0  # on leaves' log-odds, and on slopes of standardised columns
LEAST_SPREAD = 1e-9
MOST_STEPS = 60
SURE = 1e-5  # no prediction is nearer to 0 or 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """Numbers and categories as columns of a matrix; categories are those of the training rows.

    Attributes
    ----------
    features : Features
    train : ndarray of int
        Positions of the training rows.
    numbers : tuple of str
    levels : tuple of (str, str)
        Category column and value that have a column of their own.
    """

    features: Features
    train: Integers
    numbers: tuple[str, ...]
    levels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, features: Features, names: Sequence[str], train: Integers) -> Encoding:
        """Learn from the training rows which columns there are."""
        if len(train) > MOST_ROWS:
            train = train[np.linspace(0, len(train) - 1, MOST_ROWS).astype(np.int64)]
        levels = []
        for name in features.categories.columns.intersection(list(names)):
            counts = features.categories[name].iloc[train].value_counts()
            common = counts[counts >= LEAST_OF_CATEGORY].sort_index().sort_values(ascending=False, kind="stable")
            levels += [(str(name), str(value)) for value in common.index[:MOST_CATEGORIES]]
        varied = [name for name in names if name in features.numbers and _varies(features.numbers[name].iloc[train])]
        return cls(features=features, train=train, numbers=tuple(varied), levels=tuple(levels))

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature behind each column of `matrix`."""
        return (*self.numbers, *(name for name, _ in self.levels))

    def matrix(self, rows: Integers) -> Floats:
        """Numbers as they are, missing ones nan, then categories as 0 and 1."""
        numbers = self.features.numbers[list(self.numbers)].to_numpy()[rows]
        return np.hstack([numbers, self._of_categories(rows)])

    def curves(self, rows: Integers) -> Floats:
        """Numbers as natural cubic splines, few values as they are, missing ones marked; then categories."""
        import patsy

        parts = []
        for name in self.numbers:
            values = self.features.numbers[name].to_numpy()
            learnt, given = values[self.train], values[rows]
            known = learnt[~np.isnan(learnt)]
            middle = float(np.median(known))
            given = np.clip(np.where(np.isnan(given), middle, given), known.min(), known.max())
            if len(np.unique(known)) >= CURVED_FROM:
                knots = np.unique(np.quantile(known, np.linspace(0, 1, KNOTS)))
                inner = knots[1:-1]
                basis = patsy.cr(given, knots=inner, lower_bound=knots[0], upper_bound=knots[-1], constraints=None)
                parts.append(np.asarray(basis)[:, 1:])
            else:
                parts.append(given[:, None])
            if np.isnan(learnt).any():
                parts.append(np.isnan(values[rows])[:, None].astype(float))
        return np.hstack([*parts, self._of_categories(rows)])

    def _of_categories(self, rows: Integers) -> Floats:
        found = np.empty((len(rows), len(self.levels)))
        for place, (name, value) in enumerate(self.levels):
            found[:, place] = (self.features.categories[name] == value).to_numpy()[rows]
        return found


def predict(learner: str, encoding: Encoding, event: Flags, rows: Integers) -> Floats:
    """Chance to leave of the rows, by a model of the training rows.

    Parameters
    ----------
    learner : {"boosted", "logistic"}
    encoding : Encoding
    event : ndarray of bool
        Of all rows; only those of training rows are looked at.
    rows : ndarray of int

    Returns
    -------
    ndarray, same length as `rows`
    """
    if not encoding.columns:
        found = np.full(len(rows), event[encoding.train].mean())
    elif learner == BOOSTED:
        found = fit_boosted(encoding, event).predict(encoding.matrix(rows), num_threads=1)
    else:
        found = _logistic(encoding, event, rows)
    return np.clip(np.asarray(found, dtype=np.float64), SURE, 1 - SURE)


def fit_boosted(encoding: Encoding, event: Flags) -> Any:
    """Boosted trees (a lightgbm.Booster): the same for the same rows in the same order."""
    import lightgbm

    settings = {
        "objective": "binary",
        "num_leaves": 2**MAX_DEPTH,
        "max_depth": MAX_DEPTH,
        "learning_rate": LEARNING_RATE,
        "min_data_in_leaf": LEAST_IN_LEAF,
        "min_sum_hessian_in_leaf": 1.0,
        "lambda_l2": RIDGE,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": 0,
        "verbose": -1,
    }
    data = lightgbm.Dataset(encoding.matrix(encoding.train), event[encoding.train].astype(float))
    return lightgbm.train(settings, data, N_TREES, keep_training_booster=True)


def contributions(booster: Any, encoding: Encoding, rows: Integers) -> pd.DataFrame:
    """Exact path-dependent Shapley values of the rows on the log-odds scale, a column a feature.

    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees.
    Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
    """
    found = np.asarray(booster.predict(encoding.matrix(rows), pred_contrib=True, num_threads=1))[:, :-1]
    by_column = pd.DataFrame(found.T, index=pd.Index(encoding.columns))
    return by_column.groupby(level=0, sort=False).sum().T


def _logistic(encoding: Encoding, event: Flags, rows: Integers) -> Floats:
    """A ridge on standardised columns: nothing where outcomes are many, a hold where they are few."""
    learnt, given = encoding.curves(encoding.train), encoding.curves(rows)
    centre, spread = learnt.mean(axis=0), learnt.std(axis=0)
    kept = spread > LEAST_SPREAD
    learnt, given = ((part[:, kept] - centre[kept]) / spread[kept] for part in (learnt, given))
    weights = ridge_logistic(learnt, event[encoding.train].astype(float))
    return np.asarray(expit(weights[0] + given @ weights[1:]))


def ridge_logistic(x: Floats, y: Floats, *, ridge: float = RIDGE) -> Floats:
    """Constant and slopes that minimise summed log loss plus `ridge` times half the squared slopes, by Newton's method.

    Parameters
    ----------
    x : ndarray, shape (n, k)
    y : ndarray, shape (n,)
        0 or 1, both of them.
    ridge : float

    Returns
    -------
    ndarray, shape (k + 1,)
    """
    design = np.column_stack([np.ones(len(y)), x])
    penalty = np.r_[0.0, np.full(x.shape[1], ridge)]
    weights: Floats = np.r_[logit(y.mean()), np.zeros(x.shape[1])]
    for _ in range(MOST_STEPS):
        fitted = expit(design @ weights)
        spread = (design * (fitted * (1 - fitted))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(spread, design.T @ (y - fitted) - penalty * weights)
        weights = weights + step / max(1.0, float(np.abs(step).max()))  # no leap: far off, steps overshoot
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _varies(values: pd.Series) -> bool:
    known = values.dropna().to_numpy()
    return bool(len(known) and (known != known[0]).any())
