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
    shapley_of_tables,
    stacked,
    tables_of,
    trees_of,
)
from nps_research.typing import Floats, Integers

MOST_STEPS = 4  # by which poor ratings are lifted


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
    background = Background(data.coding, data.weights)
    contributions = np.zeros((len(data.y), *data.ratings.shape))
    tables: list[list[Tables]] = [[] for _ in data.y]
    for left_out, boosters in boost_folds(data.ratings, data.y, data.weights, fold, coding=data.coding):
        found = [tables_of(trees_of(booster), data.coding) for booster in boosters]
        here = data.coding.at(left_out)
        cells = {terms: here.cells(terms) for terms in set().union(*found)}
        for part, of_part in enumerate(found):
            tables[part].append(of_part)
            explained = np.zeros(here.codes.T.shape)
            for alike, each in stacked(of_part):
                _, values = shapley_of_tables(each, np.stack([background.shares(terms) for terms in alike]))
                for place, terms in enumerate(alike):
                    for term, value in zip(terms, values, strict=True):
                        explained[term] += value[place].ravel()[cells[terms]]
            contributions[part, left_out] = explained.T
    baseline = np.average(data.y, axis=1, weights=data.weights)
    return CrossFit(baseline=baseline, contributions=contributions, fold=fold, tables=tables)


def predictions_left_out(
    data: DriverData, y: Floats, fold: Integers, terms: Sequence[int] | Integers, *, max_depth: int
) -> Floats:
    """Predict each y from some of the ratings, by trees that did not see the respondent; shape of y, (k, n)."""
    if not len(terms):
        weight = np.bincount(fold, data.weights)
        total = np.stack([np.bincount(fold, data.weights * each) for each in y])
        return np.asarray(((total.sum(axis=1, keepdims=True) - total) / (weight.sum() - weight))[:, fold])
    ratings = data.ratings[:, terms]
    coding = Coding(levels=tuple(data.coding.levels[term] for term in terms), codes=data.coding.codes[:, terms])
    predicted = np.empty(y.shape)
    for left_out, trees in boost_folds(ratings, y, data.weights, fold, coding=coding, max_depth=max_depth):
        predicted[:, left_out] = [each.predict(ratings[left_out], num_threads=1) for each in trees]
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
    """Predict the change of NPS if each driver's poor ratings were 1, 2, ... higher, (2, n_steps, n_drivers), points.

    There are as many steps as the highest poor rating is below the best one, but at most `MOST_STEPS`.
    """
    n_levels, p = len(data.levels), data.ratings.shape[1]
    steps = np.arange(1, min(max(int(data.scale[1] - data.poor), 1), MOST_STEPS) + 1)
    ups = np.searchsorted(data.levels, data.levels + steps[:, None] - 1e-9).clip(max=n_levels - 1)
    ups = np.append(ups, np.full((len(steps), 1), n_levels), axis=1)  # who did not rate stays so
    poor = np.append(data.levels <= data.poor, False)
    change = np.zeros((2, len(steps), p))
    for number in range(len(fit.tables[0])):
        rows = fit.fold == number
        here = Background(data.coding.at(rows), data.weights[rows])
        for part, of_folds in enumerate(fit.tables):
            for alike, tables in stacked(of_folds[number]):
                shares = np.stack([here.shares(terms) for terms in alike])
                for axis, term in enumerate(np.array(alike, dtype=np.int64).T, 1):
                    for step, up in enumerate(ups):
                        gain = np.moveaxis((tables.take(up, axis) - tables) * shares, axis, -1) @ poor
                        gain = gain.reshape(len(alike), -1).sum(axis=1)
                        change[part, step] += data.weights[rows].sum() * np.bincount(term, gain, minlength=p)
    return np.asarray(change / data.weights.sum())
