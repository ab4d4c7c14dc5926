"""Cross-fitted driver models: each respondent is explained by trees that never saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nps_research.drivers.fitting.data import DriverData
from nps_research.drivers.fitting.trees import (
    Background,
    Coding,
    Tables,
    boost_folds,
    shapley_of_table,
    tables_of,
    trees_of,
)
from nps_research.typing import Floats, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossFit:
    """A driver model's explanation of everybody.

    Attributes
    ----------
    baseline : ndarray, shape (2,)
        Weighted means of the promoter and the detractor part; their sum is the observed NPS.
    contributions : ndarray, shape (2, n, n_drivers)
        Interventional Shapley values against all respondents, NPS points; with the baseline they are the prediction.
    fold : ndarray of int, shape (n,)
        By the trees of which fold each respondent is explained: those that saw all other folds.
    tables : list of list of dict
        ``tables[part][fold]``, the trees as tables.
    """

    baseline: Floats
    contributions: Floats
    fold: Integers
    tables: list[list[Tables]]

    @property
    def predictions(self) -> Floats:
        """Predicted promoter and detractor part of each respondent, shape (2, n)."""
        return np.asarray(self.baseline[:, None] + self.contributions.sum(axis=2))


def cross_fit(data: DriverData, fold: Integers) -> CrossFit:
    """Fit the promoter and the detractor part once for each fold left out, and explain those left out."""
    n, p = data.ratings.shape
    background = Background(data.coding, data.weights)
    contributions = np.zeros((len(data.y), n, p))
    tables: list[list[Tables]] = [[] for _ in data.y]
    for left_out, boosters in boost_folds(data.ratings, data.y, data.weights, fold, coding=data.coding):
        rows = np.flatnonzero(left_out)
        for part, booster in enumerate(boosters):
            found = tables_of(trees_of(booster), data.coding)
            tables[part].append(found)
            for terms, table in found.items():
                cell = data.coding.cells(terms, rows)
                _, values = shapley_of_table(table, background.shares(terms))
                for term, value in zip(terms, values, strict=True):
                    contributions[part, rows, term] += value.ravel()[cell]
    baseline = np.average(data.y, axis=1, weights=data.weights)
    return CrossFit(baseline=baseline, contributions=contributions, fold=fold, tables=tables)


def predictions_left_out(
    data: DriverData, y: Floats, fold: Integers, terms: Sequence[int] | Integers, *, max_depth: int
) -> Floats:
    """Predict y from some of the ratings, each by trees that did not see the respondent; shape (n,)."""
    if not len(terms):
        weight = np.bincount(fold, data.weights)
        total = np.bincount(fold, data.weights * y)
        return np.asarray(((total.sum() - total) / (weight.sum() - weight))[fold])
    ratings = data.ratings[:, terms]
    coding = Coding(levels=tuple(data.coding.levels[term] for term in terms), codes=data.coding.codes[:, terms])
    predicted = np.empty(len(y))
    for left_out, (trees,) in boost_folds(ratings, y[None], data.weights, fold, coding=coding, max_depth=max_depth):
        predicted[left_out] = trees.predict(ratings[left_out], num_threads=1)
    return predicted


def points_at_stake(data: DriverData, contributions: Floats) -> Floats:
    """Subtract mean contributions (..., n, n_drivers) at poor ratings from those at good ones; nan without both."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = []
        for chosen in (data.ratings >= data.good, data.ratings <= data.poor):
            weight = data.weights[:, None] * chosen
            ends.append((contributions * weight).sum(axis=-2) / weight.sum(axis=0))
        return np.asarray(ends[0] - ends[1])


def lifted(data: DriverData, fit: CrossFit) -> Floats:
    """Predict the change of NPS if each driver's poor ratings were one higher, shape (2, n_drivers), points."""
    up = np.searchsorted(data.levels, data.levels + 1 - 1e-9).clip(max=len(data.levels) - 1)
    up = np.append(up, len(data.levels))
    change = np.zeros((2, data.ratings.shape[1]))
    for part, of_folds in enumerate(fit.tables):
        for left_out, tables in enumerate(of_folds):
            rows = np.flatnonzero(fit.fold == left_out)
            codes = data.coding.codes[rows]
            for terms, table in tables.items():
                for axis, term in enumerate(terms):
                    poor = data.ratings[rows, term] <= data.poor
                    before = [codes[poor, each] for each in terms]
                    after = [*before]
                    after[axis] = up[before[axis]]
                    gain = table[tuple(after)] - table[tuple(before)]
                    change[part, term] += gain @ data.weights[rows][poor]
    return np.asarray(change / data.weights.sum())
