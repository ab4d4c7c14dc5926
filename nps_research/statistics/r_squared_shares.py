"""Shares of R2 from correlations alone: all subsets of drivers swept out at once, and closed forms.

The outcome is the last row of each correlation matrix; resamples stand side by side in the first axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Literal

import numpy as np

from nps_research.typing import Floats, Integers

SharesMethod = Literal["lmg", "johnson", "first", "last", "betasq", "pratt", "genizi", "car"]
MOST_EXACT = 20  # drivers; more are averaged over N_ORDERS orders drawn at random, and their reverses
MOST_EXACT_RESAMPLED = 17  # in resamples: time doubles with each driver, orders take about as long as all subsets of 18
N_ORDERS = 1000
SINGULAR = 1e-10  # of a driver's variance left by others, below which it adds nothing
BLOCK = 2**22  # subsets times resamples held at once


def shares_of_r_squared(
    correlation: Floats, methods: Sequence[SharesMethod], *, orders: Integers | None = None
) -> dict[SharesMethod, Floats]:
    """Share R2 among drivers by method, from correlation matrices whose last row is the outcome's.

    Parameters
    ----------
    correlation : ndarray, shape (b, p + 1, p + 1)
    methods : sequence of str
    orders : ndarray of int, shape (n_orders, p), optional
        Over which lmg is averaged; None: over all.

    Returns
    -------
    dict of str to ndarray, shape (b, p)
    """
    among, with_y = correlation[:, :-1, :-1], correlation[:, :-1, -1]
    inverse = np.linalg.pinv(among, hermitian=True, rcond=SINGULAR)
    beta = np.einsum("bij,bj->bi", inverse, with_y)
    found: dict[SharesMethod, Floats] = {}
    for method in methods:
        match method:
            case "lmg":
                found[method] = (
                    _dominance(correlation) if orders is None else _dominance_of_orders(among, with_y, orders)
                )
            case "first":
                found[method] = with_y**2
            case "last":
                left = 1 / np.einsum("bii->bi", inverse).clip(1.0)
                found[method] = np.where(left > SINGULAR, beta**2 * left, 0.0) * _own(among)
            case "betasq":
                found[method] = beta**2
            case "pratt":
                found[method] = beta * with_y
            case "johnson" | "genizi":
                size, vectors = np.linalg.eigh(among)
                half = np.einsum("bik,bk,bjk->bij", vectors, np.sqrt(size.clip(0.0)), vectors)
                found[method] = np.einsum("bij,bj->bi", half**2, with_own_parts(correlation) ** 2)
            case "car":
                found[method] = with_own_parts(correlation) ** 2
    return found


def with_own_parts(correlation: Floats) -> Floats:
    """Correlate the outcome with each driver's own part: the nearest variable uncorrelated with other drivers'."""
    size, vectors = np.linalg.eigh(correlation[:, :-1, :-1])
    return np.asarray(np.einsum("bij,bj->bi", _inverse_half(size, vectors), correlation[:, :-1, -1]))


def _inverse_half(size: Floats, vectors: Floats) -> Floats:
    root = np.where(size > SINGULAR, 1 / np.sqrt(size.clip(SINGULAR)), 0.0)
    return np.asarray(np.einsum("bik,bk,bjk->bij", vectors, root, vectors))


def _own(among: Floats) -> Floats:
    """1 for drivers that have something of their own, 0 for those that others make up; shape (b, p)."""
    p = among.shape[-1]
    own = np.ones(among.shape[:2])
    for term in range(p):
        others = [other for other in range(p) if other != term]
        if others:
            rest = among[:, others][:, :, others]
            along = among[:, others, term]
            told = np.einsum("bi,bij,bj->b", along, np.linalg.pinv(rest, hermitian=True, rcond=SINGULAR), along)
            own[:, term] = 1 - told > SINGULAR
    return own


def _dominance(correlation: Floats) -> Floats:
    """Shapley values of R2 over all subsets, shape (b, p)."""
    p = correlation.shape[-1] - 1
    block = max(1, BLOCK >> p)
    worth = _coefficients(p)
    return np.concatenate(
        [(1 - _unexplained(correlation[start : start + block])) @ worth for start in range(0, len(correlation), block)]
    )


def _unexplained(correlation: Floats) -> Floats:
    """Variance of the outcome that each subset of drivers leaves, shape (b, 2**p); driver k is the subset's bit k.

    Sweeps one driver after the other out of all subsets at once: each step doubles the subsets and drops a driver.
    """
    left = correlation[:, None]
    for _ in range(correlation.shape[-1] - 1):
        pivot = left[:, :, :1, :1]
        across = left[:, :, :1, 1:]
        rest = left[:, :, 1:, 1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            gain = np.where(pivot > SINGULAR, across / pivot, 0.0)
        swept = rest - across.swapaxes(-1, -2) * gain
        left = np.concatenate([rest, swept], axis=1)
    return np.asarray(left[:, :, 0, 0])


def _coefficients(p: int) -> Floats:
    """How each subset's R2 counts in each driver's Shapley value, shape (2**p, p)."""
    subset = np.arange(2**p)
    size = np.bitwise_count(subset).astype(np.int64)
    # of a subset of k others to stand before a driver: k! (p - 1 - k)! / p!
    chance = np.array([[1 / (p * comb(p - 1, k))] for k in range(p)])
    within = (subset[:, None] >> np.arange(p)) & 1 == 1
    return np.asarray(np.where(within, chance[(size - 1).clip(0)], -chance[size.clip(max=p - 1)]))


def orders_of(p: int, rng: np.random.Generator, *, most_exact: int = MOST_EXACT) -> Integers | None:
    """Draw orders to average over where there are too many drivers for all; each with its reverse."""
    if p <= most_exact:
        return None
    drawn = rng.permuted(np.tile(np.arange(p), (N_ORDERS, 1)), axis=1)
    return np.concatenate([drawn, drawn[:, ::-1]])


def _dominance_of_orders(among: Floats, with_y: Floats, orders: Integers) -> Floats:
    found = np.zeros(with_y.shape)
    p = with_y.shape[1]
    for row in range(len(with_y)):
        ordered = among[row][orders[:, :, None], orders[:, None, :]] + SINGULAR * np.eye(p)
        root = np.linalg.cholesky(ordered)
        gain = np.linalg.solve(root, with_y[row][orders][:, :, None])[:, :, 0] ** 2
        np.add.at(found[row], orders.ravel(), gain.ravel())
    return found / len(orders)
