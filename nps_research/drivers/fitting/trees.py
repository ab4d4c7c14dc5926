"""Boosted trees over ratings as tables, and the exact Shapley values of tables.

A path from the root of a tree to a leaf splits on few ratings, and a rating has few levels. Leaves that split on
the same ratings add up to one table over the levels of these ratings, however many trees there are, and the Shapley
values of a table against a background sample need no more than the background's counts over the same cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np

from nps_research.statistics.boosting import REPEATABLE
from nps_research.typing import Flags, Floats, Integers

Tables = dict[tuple[int, ...], Floats]

N_TREES = 100
MAX_DEPTH = 2  # pairs of ratings; deeper trees predicted no better on any survey tried
LEAF_WEIGHT = 20.0  # least sum of weights in a leaf; weights have a mean of 1
SETTINGS = {
    **REPEATABLE,
    "objective": "regression",
    "learning_rate": 0.1,
    "min_data_in_leaf": 1,  # copies of a row and a weight of 2 are the same
    "min_sum_hessian_in_leaf": LEAF_WEIGHT,
    "min_data_in_bin": 1,
    "feature_pre_filter": False,
}
_FIELDS = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value")
_FIELD = re.compile(rf"^({'|'.join(_FIELDS)})=(.*)$", re.MULTILINE)
NAN_TYPE = 2  # LightGBM's code for "missing values were seen and have a side of their own"


@dataclass(frozen=True, kw_only=True, eq=False)
class Coding:
    """Levels of ratings, and ratings as positions among them.

    Attributes
    ----------
    levels : tuple of ndarray
        Per rating the values it can take, in order; a missing rating is one level more, the last.
    codes : ndarray of int, shape (n, n_ratings)
        Position of each rating among its levels.
    """

    levels: tuple[Floats, ...]
    codes: Integers

    @classmethod
    def of(cls, ratings: Floats, levels: Sequence[Floats]) -> Coding:
        """Code ratings (nan is missing); each value must be among the levels."""
        codes = np.empty(ratings.shape, dtype=np.int64)
        for column, values in enumerate(levels):
            codes[:, column] = np.searchsorted(values, ratings[:, column])
            codes[np.isnan(ratings[:, column]), column] = len(values)
        return cls(levels=tuple(levels), codes=codes)

    def shape(self, terms: Sequence[int]) -> tuple[int, ...]:
        """Cells of a table over these ratings."""
        return tuple(len(self.levels[term]) + 1 for term in terms)

    def counts(self, rows: Any = slice(None)) -> Integers:
        """How often each level of each rating was given, missing last; one after the other."""
        sizes = np.array(self.shape(range(len(self.levels))))
        first = np.cumsum(sizes) - sizes
        return np.bincount((self.codes[rows] + first).ravel(), minlength=int(sizes.sum()))

    def cells(self, terms: Sequence[int], rows: Any = slice(None)) -> Integers:
        """Position of each row's cell in a table over these ratings, flattened."""
        cell = np.zeros(len(self.codes[rows]), dtype=np.int64)
        for term, size in zip(terms, self.shape(terms), strict=True):
            cell = cell * size + self.codes[rows, term]
        return cell


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """One tree as arrays over its inner nodes.

    Attributes
    ----------
    feature : ndarray of int
        What each inner node splits on.
    threshold : ndarray of float
        Values up to it go left.
    missing_left : ndarray of bool
        Where missing values go.
    left, right : ndarray of int
        Children: inner nodes from 0, leaves as -1 - leaf.
    value : ndarray of float
        Of the leaves.
    """

    feature: Integers
    threshold: Floats
    missing_left: Flags
    left: Integers
    right: Integers
    value: Floats


def boost(ratings: Floats, y: Floats, weights: Floats, *, max_depth: int = MAX_DEPTH) -> Any:
    """Grow shallow boosted trees (a lightgbm.Booster) for the mean of y, by squared error.

    Missing ratings are nan; a split sends them to the side that fits better. The same for the same rows in the same
    order.
    """
    return _grown(_binned(ratings, weights), y, max_depth)


def boost_folds(
    ratings: Floats, y: Floats, weights: Floats, fold: Integers, *, coding: Coding, max_depth: int = MAX_DEPTH
) -> Iterator[tuple[Flags, list[Any]]]:
    """Grow trees as `boost` for each fold left out: who is left out, and the trees of each y that did not see them.

    The same trees as from the training rows alone, in less time: ratings are sorted into bins once for all folds. `y`
    has a row an outcome, and `coding` is that of the ratings.
    """
    everybody, together = _binned(ratings, weights).construct(), coding.counts()
    for number in np.unique(fold):
        left_out = fold == number
        train = np.flatnonzero(~left_out)
        # bins lie between the levels that are there: they would not be the same without a level
        lost = ((coding.counts(left_out) == together) & (together > 0)).any()
        binned = _binned(ratings[train], weights[train]) if lost else everybody.subset(train)
        yield left_out, [_grown(binned, each[train], max_depth) for each in y]


def _binned(ratings: Floats, weights: Floats) -> Any:
    """Ratings as LightGBM takes them, with no y yet."""
    import lightgbm

    return lightgbm.Dataset(ratings, np.zeros(len(ratings)), weight=weights, params=SETTINGS)


def _grown(binned: Any, y: Floats, max_depth: int) -> Any:
    import lightgbm

    settings = {**SETTINGS, "num_leaves": 2**max_depth, "max_depth": max_depth}
    # a booster that is kept as it is saves writing the trees out and reading them back
    return lightgbm.train(settings, binned.construct().set_label(y), N_TREES, keep_training_booster=True)


def trees_of(booster: Any) -> list[Tree]:
    """Read the trees of a booster from its text."""
    fields = [dict(_FIELD.findall(block)) for block in booster.model_to_string().split("\nTree=")[1:]]

    def numbers(name: str) -> list[Floats]:
        """A field of every tree; all are read at once, which takes less time than one by one."""
        said = [each.get(name, "").split() for each in fields]
        together = np.array([float(text) for texts in said for text in texts])
        return np.split(together, np.cumsum([len(texts) for texts in said])[:-1])

    return [
        Tree(
            feature=feature.astype(np.int64),
            threshold=threshold,
            # where training saw no missing value, LightGBM takes one for a zero
            missing_left=np.where((kind := decision.astype(np.int64)) >> 2 == NAN_TYPE, (kind & 2) > 0, threshold >= 0),
            left=left.astype(np.int64),
            right=right.astype(np.int64),
            value=value,
        )
        for feature, threshold, decision, left, right, value in zip(*map(numbers, _FIELDS), strict=True)
    ]


def tables_of(trees: Sequence[Tree], coding: Coding) -> Tables:
    """Add trees up to tables: ratings split on along a path -> values over their levels (missing last).

    Together the tables give each row what the trees give it, to floating-point error.
    """
    tables: Tables = {}
    known: dict[tuple[int, float, bool], Flags] = {}
    for tree in trees:
        for passes, value in _leaves(tree, coding, known):
            terms = tuple(sorted(passes))
            if terms not in tables:
                tables[terms] = np.zeros(coding.shape(terms))
            box = np.array(value)
            for term in terms:
                box = np.multiply.outer(box, passes[term])
            tables[terms] += box
    return tables


def _leaves(
    tree: Tree, coding: Coding, known: dict[tuple[int, float, bool], Flags]
) -> Iterator[tuple[dict[int, Flags], float]]:
    """Each leaf: which levels of which ratings come to it, and its value; `known` keeps what each split sends left."""
    if not len(tree.feature):
        yield {}, float(tree.value[0])
        return
    open_nodes: list[tuple[int, dict[int, Flags]]] = [(0, {})]
    while open_nodes:
        node, passes = open_nodes.pop()
        split = term, threshold, missing_left = (
            int(tree.feature[node]),
            float(tree.threshold[node]),
            bool(tree.missing_left[node]),
        )
        if split not in known:
            known[split] = np.append(coding.levels[term] <= threshold, missing_left)
        goes_left = known[split]
        for child, side in ((int(tree.left[node]), goes_left), (int(tree.right[node]), ~goes_left)):
            reached = {**passes, term: passes[term] & side if term in passes else side}
            if child < 0:
                yield reached, float(tree.value[-1 - child])
            else:
                open_nodes.append((child, reached))


class Background:
    """Weighted shares of the background's rows over the cells of tables; counted once for each set of ratings."""

    def __init__(self, coding: Coding, weights: Floats) -> None:
        self._coding = coding
        self._weights = weights / weights.sum()
        self._shares: Tables = {}

    def shares(self, terms: tuple[int, ...]) -> Floats:
        """Shares over the cells of a table, which sum to 1."""
        if terms not in self._shares:
            shape = self._coding.shape(terms)
            counted = np.bincount(self._coding.cells(terms), weights=self._weights, minlength=int(np.prod(shape)))
            self._shares[terms] = np.asarray(counted.reshape(shape), dtype=np.float64)
        return self._shares[terms]


def shapley_of_table(table: Floats, shares: Floats) -> tuple[float, list[Floats]]:
    """Compute interventional Shapley values of a function given as a table, exactly.

    Ratings outside a coalition are drawn from the background together, apart from those inside: v(S)(x) is the mean
    of the table where the ratings in S are held at x.

    Parameters
    ----------
    table : ndarray
        The function over the levels of its m ratings, one axis each.
    shares : ndarray, same shape
        Shares of the background in the cells.

    Returns
    -------
    float
        The background's mean.
    list of ndarray
        Per rating its value in every cell; with the mean they add up to the table.

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees.
    Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> mean, (first, second) = shapley_of_table(np.array([[0.0, 0.0], [0.0, 4.0]]), np.full((2, 2), 0.25))
    >>> mean, first.tolist()
    (1.0, [[-0.5, -1.5], [0.5, 1.5]])
    """
    m = table.ndim
    axes = range(m)
    worth: Tables = {}
    for size in range(m + 1):
        for inside in combinations(axes, size):
            outside = tuple(axis for axis in axes if axis not in inside)
            rest = shares.sum(axis=inside, keepdims=True)
            worth[inside] = (table * rest).sum(axis=outside, keepdims=True)
    values = []
    for axis in axes:
        value = np.zeros_like(table)
        others = [other for other in axes if other != axis]
        for size in range(m):
            chance = factorial(size) * factorial(m - size - 1) / factorial(m)
            for inside in combinations(others, size):
                value += chance * (worth[tuple(sorted((*inside, axis)))] - worth[inside])
        values.append(value)
    return float(worth[()].item()) if m else float(table), values
