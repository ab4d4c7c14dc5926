"""Shallow boosted trees, the same for the same rows in the same order, and folds of whole clusters to judge them by."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from nps_research.errors import EstimationError
from nps_research.results.live import progress
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.logistic import joined_levels
from nps_research.typing import Flags, Floats, Integers

N_FOLDS = 5
N_THREADS = 2
T = TypeVar("T")
U = TypeVar("U")
REPEATABLE: Mapping[str, Any] = {
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
SHALLOW: Mapping[str, Any] = {"num_leaves": 8, "max_depth": 3, "learning_rate": 0.1, "min_data_in_leaf": 20}


def boosted_trees(
    features: Floats, value: Floats, *, objective: str, weight: Floats | None = None, n_trees: int = 100, **own: Any
) -> Any:
    """Grow shallow boosted trees (a lightgbm.Booster): the same for the same rows in the same order.

    Parameters
    ----------
    features : ndarray, shape (n, k)
        Missing values are nan.
    value : ndarray, shape (n,)
        What is predicted; 0 and 1 where the objective is ``"binary"``.
    objective : str
        LightGBM's name of the loss.
    weight : ndarray, shape (n,), optional
    n_trees : int
    **own
        LightGBM's settings, in place of those of `SHALLOW`.
    """
    import lightgbm  # late: importing it takes longer than all else here

    data = lightgbm.Dataset(features, value, weight=weight)
    chosen = {**REPEATABLE, **SHALLOW, "objective": objective, **own}
    return lightgbm.train(chosen, data, n_trees, keep_training_booster=True)


def side_by_side(work: Callable[[T], U], items: Sequence[T]) -> list[U]:
    """Do the same work with each item, two at a time: trees are grown outside Python.

    Matrices are multiplied in one thread each, as in a report: the same digits, and no threads that wait for threads.
    """
    one_thread = threadpool_limits(1, user_api="blas")
    with one_thread, ThreadPoolExecutor(max_workers=min(N_THREADS, os.cpu_count() or 1)) as threads:
        return list(progress(threads.map(work, items), of=len(items)))


def tree_features(event: Flags, covariates: Covariates) -> Floats:
    """Code covariates for trees: numbers as they are, gaps kept, and a mark of each level, small ones joined."""
    dummies = [
        (levels == level).to_numpy(dtype=float)
        for levels in (joined_levels(covariates.categories[name], event) for name in covariates.categories)
        for level in sorted(levels.unique())
    ]
    return np.column_stack([*(covariates.numbers[name] for name in covariates.numbers), *dummies])


def folds_of_clusters(cluster: Integers, rng: np.random.Generator) -> Integers:
    """Draw the fold of each row, 0 to 4, by whole clusters; folds have the same number of clusters.

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
    return np.asarray(rng.permutation(codes.max() + 1)[codes] % N_FOLDS, dtype=np.int64)


def folds_left_out(cluster: Integers, rng: np.random.Generator) -> Iterator[Flags]:
    """Draw folds of clusters and give who is left out, fold by fold."""
    fold = folds_of_clusters(cluster, rng)
    return (fold == number for number in range(N_FOLDS))
