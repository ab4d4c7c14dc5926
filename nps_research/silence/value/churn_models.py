"""Two models of who leaves after a landmark: a logistic regression with curves, and shallow boosted trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from nps_research.silence.enough import CURVED_FROM, MOST_CATEGORIES, MOST_ROWS, ROWS_OF_CATEGORY
from nps_research.silence.value.features import Features
from nps_research.statistics.boosting import boosted_trees
from nps_research.statistics.logistic import natural_spline, ridge_logistic
from nps_research.typing import Flags, Floats, Integers

BOOSTED, LOGISTIC = "boosted", "logistic"
LEARNERS = (BOOSTED, LOGISTIC)
KNOTS = 6
STRONG_RIDGE = 5.0  # on leaves' log-odds, and on slopes of standardised columns: leavers are few, features many
TREES: Mapping[str, Any] = {  # slower than those for who answers, and larger leaves: who leaves is harder to tell
    "n_trees": 80,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "min_sum_hessian_in_leaf": 1.0,
    "lambda_l2": STRONG_RIDGE,
}
LEAST_SPREAD = 1e-9
NEAREST = 1e-5  # no prediction is nearer to 0 or 1


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
            common = counts[counts >= ROWS_OF_CATEGORY].sort_index().sort_values(ascending=False, kind="stable")
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
        parts = []
        for name in self.numbers:
            values = self.features.numbers[name].to_numpy()
            learnt, given = values[self.train], values[rows]
            known = learnt[~np.isnan(learnt)]
            inside = np.clip(np.where(np.isnan(given), np.median(known), given), known.min(), known.max())
            if len(np.unique(known)) >= CURVED_FROM:
                knots = np.unique(np.quantile(known, np.linspace(0, 1, KNOTS)))[1:-1]
                parts.append(natural_spline(known, at=inside, knots=knots, constraints=None)[:, 1:])
            else:
                parts.append(inside[:, None])
            if np.isnan(learnt).any():
                parts.append(np.isnan(given)[:, None].astype(float))
        return np.hstack([*parts, self._of_categories(rows)])

    def _of_categories(self, rows: Integers) -> Floats:
        found = np.empty((len(rows), len(self.levels)))
        for place, (name, value) in enumerate(self.levels):
            found[:, place] = (self.features.categories[name] == value).to_numpy()[rows]
        return found


def predict(learner: str, encoding: Encoding, event: Flags, rows: Integers) -> Floats:
    """Predict the chance to leave of the rows, by one of `LEARNERS`, from the events of the training rows alone."""
    if not encoding.columns:
        found = np.full(len(rows), event[encoding.train].mean())
    elif learner == BOOSTED:
        found = fit_boosted(encoding, event).predict(encoding.matrix(rows), num_threads=1)
    else:
        found = _curved(encoding, event, rows)
    return np.clip(np.asarray(found, dtype=np.float64), NEAREST, 1 - NEAREST)


def fit_boosted(encoding: Encoding, event: Flags) -> Any:
    """Fit boosted trees (a lightgbm.Booster) to who left among the training rows."""
    value = event[encoding.train].astype(float)
    return boosted_trees(encoding.matrix(encoding.train), value, objective="binary", **TREES)


def contributions(booster: Any, encoding: Encoding, rows: Integers) -> pd.DataFrame:
    """Compute path-dependent Shapley values of the rows on the log-odds scale, a column a feature.

    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees.
    Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
    """
    found = np.asarray(booster.predict(encoding.matrix(rows), pred_contrib=True, num_threads=1))[:, :-1]
    by_column = pd.DataFrame(found.T, index=pd.Index(encoding.columns))
    return by_column.groupby(level=0, sort=False).sum().T


def _curved(encoding: Encoding, event: Flags, rows: Integers) -> Floats:
    """A ridge on standardised columns: nothing where outcomes are many, a hold where they are few."""
    learnt, given = encoding.curves(encoding.train), encoding.curves(rows)
    centre, spread = learnt.mean(axis=0), learnt.std(axis=0)
    kept = spread > LEAST_SPREAD
    learnt, given = (
        np.column_stack([np.ones(len(part)), (part[:, kept] - centre[kept]) / spread[kept]]) for part in (learnt, given)
    )
    return np.asarray(expit(given @ ridge_logistic(learnt, event[encoding.train], ridge=STRONG_RIDGE)[0]))


def _varies(values: pd.Series) -> bool:
    known = values.dropna().to_numpy()
    return bool(len(known) and (known != known[0]).any())
