"""Boosted trees over ratings as tables, and the exact Shapley values of tables.

A path from the root of a tree to a leaf splits on few ratings, and a rating has few levels. Leaves that split on
the same ratings add up to one table over the levels of these ratings, however many trees there are, and the Shapley
values of a table against a background sample need no more than the background's counts over the same cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, prod
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

    def at(self, rows: Any) -> Coding:
        """Some of the rows, over the same levels."""
        return Coding(levels=self.levels, codes=self.codes[rows])

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
class Trees:
    """Trees as arrays over all their inner nodes, and over all their leaves, one tree after the other.

    Attributes
    ----------
    feature : ndarray of int
        What each inner node splits on.
    threshold : ndarray of float
        Values up to it go left.
    missing_left : ndarray of bool
        Where missing values go.
    above, is_left : ndarray of int, ndarray of bool
        Each inner node's parent (-1: it is a root), and whether it stands on its left.
    above_leaf, leaf_is_left
        The same of each leaf.
    value : ndarray of float
        Of the leaves.
    """

    feature: Integers
    threshold: Floats
    missing_left: Flags
    above: Integers
    is_left: Flags
    above_leaf: Integers
    leaf_is_left: Flags
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
    booster = lightgbm.Booster(settings, binned.construct().set_label(y))
    for _ in range(N_TREES):
        booster.update()
    return booster


def trees_of(booster: Any) -> Trees:
    """Read the trees of a booster from its text."""
    said: dict[str, list[str]] = {name: [] for name in _FIELDS}
    for line in booster.model_to_string().split("\n"):
        name, _, value = line.partition("=")
        if name in said:
            said[name].append(value)
    numbers = {name: np.fromstring(" ".join(of_trees), sep=" ") for name, of_trees in said.items()}
    n_leaves = np.array([len(of_tree.split()) for of_tree in said["leaf_value"]])
    tree = np.repeat(np.arange(len(n_leaves)), n_leaves - 1)
    first_leaf = (np.cumsum(n_leaves) - n_leaves)[tree]  # of the tree of each inner node
    first_node = first_leaf - tree
    above, above_leaf = np.full(len(tree), -1), np.full(int(n_leaves.sum()), -1)
    is_left, leaf_is_left = np.zeros(len(above), dtype=bool), np.zeros(len(above_leaf), dtype=bool)
    for side in ("left_child", "right_child"):
        child = numbers[side].astype(np.int64)  # leaves as -1 - leaf
        inner = child >= 0
        nodes, leaves = (first_node + child)[inner], (first_leaf - 1 - child)[~inner]
        above[nodes], above_leaf[leaves] = np.flatnonzero(inner), np.flatnonzero(~inner)
        is_left[nodes] = leaf_is_left[leaves] = side == "left_child"
    kind, threshold = numbers["decision_type"].astype(np.int64), numbers["threshold"]
    return Trees(
        feature=numbers["split_feature"].astype(np.int64),
        threshold=threshold,
        # where training saw no missing value, LightGBM takes one for a zero
        missing_left=np.where(kind >> 2 == NAN_TYPE, (kind & 2) > 0, threshold >= 0),
        above=above,
        is_left=is_left,
        above_leaf=above_leaf,
        leaf_is_left=leaf_is_left,
        value=numbers["leaf_value"],
    )


def tables_of(trees: Trees, coding: Coding) -> Tables:
    """Add trees up to tables: ratings split on along a path -> values over their levels (missing last).

    Together the tables give each row what the trees give it, to floating-point error.
    """
    split, passes = _paths(trees, coding)
    kinds, first, kind = np.unique(np.packbits(split, axis=1), axis=0, return_index=True, return_inverse=True)
    tables: Tables = {}
    for number in range(len(kinds)):
        terms, leaves = tuple(np.flatnonzero(split[first[number]]).tolist()), kind == number
        boxes: list[Any] = [trees.value[leaves], [0]]
        for axis, (term, size) in enumerate(zip(terms, coding.shape(terms), strict=True), 1):
            boxes += [passes[leaves, term, :size], [0, axis]]
        tables[terms] = np.asarray(np.einsum(*boxes, list(range(1, len(terms) + 1))))
    return tables


def _paths(trees: Trees, coding: Coding) -> tuple[Flags, Floats]:
    """Which ratings are split on on the way to each leaf, and which of their levels come to it (1, else 0)."""
    sizes = coding.shape(range(len(coding.levels)))
    levels = np.full((len(sizes), max(sizes)), np.nan)
    for values, row in zip(coding.levels, levels, strict=True):
        row[: len(values)] = values
    go_left = levels[trees.feature] <= trees.threshold[:, None]
    go_left[np.arange(len(go_left)), np.array(sizes)[trees.feature] - 1] = trees.missing_left
    split = np.zeros((len(trees.value), len(sizes)), dtype=bool)
    passes = np.ones((*split.shape, max(sizes)))
    leaf, node, is_left = np.arange(len(split)), trees.above_leaf, trees.leaf_is_left
    while (inside := node >= 0).any():  # a step up on the way from each leaf to the root
        leaf, node, is_left = leaf[inside], node[inside], is_left[inside]
        term = trees.feature[node]
        split[leaf, term] = True
        passes[leaf, term] *= go_left[node] == is_left[:, None]
        node, is_left = trees.above[node], trees.is_left[node]
    return split, passes


def stacked(tables: Tables) -> Iterator[tuple[list[tuple[int, ...]], Floats]]:
    """Put tables of one shape on top of each other: of which ratings each is, and the tables."""
    of_shape: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for terms, table in tables.items():
        of_shape.setdefault(table.shape, []).append(terms)
    for alike in of_shape.values():
        yield alike, np.stack([tables[terms] for terms in alike])


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
            counted = np.bincount(self._coding.cells(terms), weights=self._weights, minlength=prod(shape))
            self._shares[terms] = np.asarray(counted.reshape(shape), dtype=np.float64)
        return self._shares[terms]


def shapley_of_tables(tables: Floats, shares: Floats) -> tuple[Floats, list[Floats]]:
    """Compute interventional Shapley values of functions given as tables, exactly.

    Ratings outside a coalition are drawn from the background together, apart from those inside: v(S)(x) is the mean
    of the table where the ratings in S are held at x.

    Parameters
    ----------
    tables : ndarray, shape (n, ...)
        Each a function over the levels of m ratings, an axis a rating after the first.
    shares : ndarray, shape (n, ...)
        Shares of the background in the cells of each table.

    Returns
    -------
    ndarray, shape (n,)
        The background's means.
    list of ndarray, shape (n, ...)
        Per rating its value in every cell; with the mean they add up to the table.

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees.
    Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> mean, (first, second) = shapley_of_tables(np.array([[[0.0, 0.0], [0.0, 4.0]]]), np.full((1, 2, 2), 0.25))
    >>> mean.tolist(), first[0].tolist()
    ([1.0], [[-0.5, -1.5], [0.5, 1.5]])
    """
    m = tables.ndim - 1
    axes = range(1, m + 1)
    worth: Tables = {}
    for size in range(m + 1):
        for inside in combinations(axes, size):
            outside = tuple(axis for axis in axes if axis not in inside)
            rest = shares.sum(axis=inside, keepdims=True)
            worth[inside] = (tables * rest).sum(axis=outside, keepdims=True)
    values = []
    for axis in axes:
        value = np.zeros_like(tables)
        others = [other for other in axes if other != axis]
        for size in range(m):
            chance = factorial(size) * factorial(m - size - 1) / factorial(m)
            for inside in combinations(others, size):
                value += chance * (worth[tuple(sorted((*inside, axis)))] - worth[inside])
        values.append(value)
    return worth[()].reshape(len(tables)), values
