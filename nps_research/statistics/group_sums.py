"""Sums of rows that belong together."""

from __future__ import annotations

import numpy as np

from nps_research.typing import Floats, Integers, Numbers


def group_sums(rows: Numbers, group: Integers, n_groups: int) -> Floats:
    """Add up the rows of each group; a group without rows has zeros.

    Parameters
    ----------
    rows : ndarray, shape (n, k)
    group : ndarray of int, shape (n,)
        Each row's group, from 0.
    n_groups : int

    Returns
    -------
    ndarray, shape (n_groups, k)

    Examples
    --------
    >>> group_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([2, 0, 2]), 3).tolist()
    [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]]
    """
    k = rows.shape[1]
    cell = group[:, None] * k + np.arange(k)
    total = np.bincount(cell.ravel(), weights=rows.ravel(), minlength=n_groups * k)
    return np.asarray(total.reshape(n_groups, k), dtype=np.float64)
