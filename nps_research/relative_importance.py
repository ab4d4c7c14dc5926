"""Shares of a linear model's R2: general dominance (LMG), Johnson's relative weights, and their relatives."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, get_args

import numpy as np
import pandas as pd
from scipy import stats

from nps_research.driver_regressions import correlations
from nps_research.errors import EstimationError
from nps_research.intervals import check_level
from nps_research.resampling import DEFAULT_SEED
from nps_research.result import Result
from nps_research.wording import joined, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Method", "RSquaredDecomposition", "decompose_r_squared", "shares_of_r_squared"]

Method = Literal["lmg", "johnson", "first", "last", "betasq", "pratt", "genizi", "car"]
METHODS: tuple[Method, ...] = get_args(Method)
NAMES = {
    "lmg": "General dominance (LMG)",
    "johnson": "Relative weight (Johnson)",
    "first": "Alone",
    "last": "Beyond all others",
    "betasq": "Squared coefficient",
    "pratt": "Pratt",
    "genizi": "Genizi",
    "car": "CAR",
}
MOST_EXACT = 20  # drivers; more are averaged over N_ORDERS orders drawn at random, and their reverses
N_ORDERS = 1000
SINGULAR = 1e-10  # of a driver's variance left by others, below which it adds nothing
BLOCK = 2**22  # subsets times resamples held at once


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RSquaredDecomposition(Result):
    """Shares of R2 by method and driver.

    `frame` columns: outcome, method, term, n, estimate (share of the outcome's variance; those of lmg, johnson, genizi,
    car and pratt add up to R2) with std_error, conf_low, conf_high; sign (of the outcome's correlation with the
    driver's own part, its nearest variable uncorrelated with the other drivers', as R's rwa gives it); signed_estimate.

    Attributes
    ----------
    r_squared : dict of str to float
        By outcome.
    exact : bool
        Whether lmg went through all subsets of drivers; else through `N_ORDERS` orders drawn at random, with reverses.
    n_resamples : int
    pairwise : bool
        Whether some ratings are missing, so that correlations are over those who gave both.
    """

    r_squared: dict[str, float]
    exact: bool
    n_resamples: int
    pairwise: bool

    kind: ClassVar[str] = "r_squared_decomposition"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "outcome": "Outcome",
        "method": "Method",
        "term": "Rating",
        "estimate": "Share of the variance",
        "sign": "Sign",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share", "sign": "text", "method": "text", "outcome": "text"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "outcome",
        "method",
        "estimate",
        "conf_low",
        "conf_high",
        "sign",
    )

    @property
    def shown(self) -> pd.DataFrame:
        shown = super().shown
        words = {1: "+", -1: "\N{MINUS SIGN}", 0: ""}
        return shown.assign(sign=shown["sign"].map(words), method=shown["method"].map(NAMES))

    @property
    def finding(self) -> str:
        said = []
        for outcome, of_outcome in self.frame.groupby("outcome", sort=False):
            method = of_outcome["method"].iloc[0]
            rows = of_outcome[of_outcome["method"] == method].nlargest(3, "estimate")
            first = [f"{row['term']} {share(max(row['estimate'], 0.0))}" for row in rows.to_dict("records")]
            said.append(
                f"A linear model tells {share(self.r_squared[str(outcome)])} of the differences in {outcome}; by "
                f"{NAMES[str(method)]} most goes to {joined(first)}."
            )
        return " ".join(said)

    @property
    def note(self) -> str:
        gaps = " Where ratings are missing, correlations are over those who gave both." if self.pairwise else ""
        rough = (
            "" if self.exact else f" General dominance: averaged over {2 * N_ORDERS:,} orders of the drivers, not all."
        )
        return (
            "Share of variance that each rating is given in a linear model of all of them, with "
            f"{self.confidence_level:.0%} intervals from {self.n_resamples:,} resamples; lower limits stop at zero, "
            f"and a rating that does nothing still gets a little.{gaps}{rough}"
        )


def decompose_r_squared(
    ratings: pd.DataFrame,
    y: Any,
    *,
    methods: Sequence[Method] = ("lmg", "johnson"),
    weights: Any = None,
    cluster: Any = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> RSquaredDecomposition:
    """Divide the R2 of a linear model among its drivers.

    The estimand is each driver's share of the variance of y, in the population, by the named rule. lmg (general
    dominance, the Shapley value of R2) is the gain in R2 when the driver joins, averaged over all orders: exact for up
    to 20 drivers, else averaged over 1,000 orders drawn at random and their reverses. johnson (relative weights), the
    same as genizi, goes through the nearest orthogonal variables. first and last are the gain on nothing and on all
    others; they do not add up. Limits are estimate +- z times the standard deviation over resamples, cut at zero where
    a share cannot be negative; at zero, a boundary, they do not cover at their level.

    Parameters
    ----------
    ratings : DataFrame, shape (n, n_drivers)
        Missing ratings: correlations are taken over those who gave both.
    y : array-like, shape (n,), or DataFrame, shape (n, n_outcomes)
        Numbers: the answer, a yes/no as 1 and 0, or several of these by name.
    methods : sequence of str
        Of lmg, johnson, first, last, betasq, pratt, genizi, car.
    weights, cluster : array-like, shape (n,), optional
        Weights; who is resampled together.
    n_resamples : int
        0: no limits.
    confidence_level : float
    rng : numpy.random.Generator, optional

    Returns
    -------
    RSquaredDecomposition

    Raises
    ------
    EstimationError
        If a driver or the outcome does not vary, there are no more complete rows than drivers, or correlations over
        those who gave both do not fit together.

    References
    ----------
    Groemping, U. (2007). Estimators of relative importance in linear regression based on variance decomposition. The
    American Statistician 61, 139-147. doi:10.1198/000313007X188252

    Johnson, J. W. (2000). A heuristic method for estimating the relative weight of predictor variables in multiple
    regression. Multivariate Behavioral Research 35, 1-19. doi:10.1207/S15327906MBR3501_1

    Examples
    --------
    >>> ratings = pd.DataFrame({"a": [1, 2, 3, 4, 5, 3], "b": [2, 1, 4, 3, 5, 1]})
    >>> found = decompose_r_squared(ratings, [2, 3, 6, 7, 9, 5], methods=["lmg"], n_resamples=0)
    >>> found.frame["estimate"].round(3).tolist(), round(found.r_squared["y"], 3)
    ([0.626, 0.367], 0.993)
    """
    check_level(confidence_level)
    if odd := [method for method in methods if method not in METHODS]:
        raise EstimationError(f"There is no method {odd[0]!r}: {', '.join(METHODS)} are there.")
    outcomes = y if isinstance(y, pd.DataFrame) else pd.DataFrame({"y": np.asarray(y, dtype=np.float64)})
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    x, values, weight, of_cluster = _checked(ratings, outcomes, weights, cluster)
    ordering, resampling = rng.spawn(2)
    orders = _orders(x.shape[1], ordering)
    z = float(stats.norm.ppf(0.5 + confidence_level / 2))
    m = int(of_cluster.max()) + 1
    rows, r_squared = [], {}
    for name, column in zip(outcomes.columns, values.T, strict=True):
        table = np.column_stack([x, column])
        correlation = correlations(table, weight[None])
        if np.linalg.eigvalsh(correlation[0, :-1, :-1]).min() < -1e-6:
            raise EstimationError(
                "Correlations over those who gave both ratings do not fit together: too many are missing."
            )
        estimates = shares_of_r_squared(correlation, methods, orders=orders)
        drawn: dict[Method, list[Floats]] = {method: [] for method in methods}
        # the same draws for every outcome
        stream = np.random.default_rng(cast("np.random.SeedSequence", resampling.bit_generator.seed_seq))
        for start in range(0, n_resamples, 100):
            times = stream.multinomial(m, np.full(m, 1 / m), size=min(100, n_resamples - start))[:, of_cluster]
            resampled = correlations(table, weight * times)
            for method, found in shares_of_r_squared(resampled, methods, orders=orders).items():
                drawn[method].append(found)
        coefficient = np.linalg.pinv(correlation[0, :-1, :-1]) @ correlation[0, :-1, -1]
        r_squared[str(name)] = float(coefficient @ correlation[0, :-1, -1])
        own_part = _with_own_parts(correlation)
        for method in methods:
            estimate = estimates[method][0]
            error = (
                np.concatenate(drawn[method]).std(axis=0, ddof=1) if n_resamples > 1 else np.full(len(estimate), np.nan)
            )
            low = estimate - z * error
            sign = np.sign(np.round(own_part[0], 12)).astype(int)
            rows.append(
                pd.DataFrame(
                    {
                        "outcome": str(name),
                        "method": method,
                        "term": list(map(str, ratings.columns)),
                        "n": np.isfinite(x).sum(axis=0),
                        "estimate": estimate,
                        "std_error": error,
                        "conf_low": low if method == "pratt" else np.maximum(low, 0.0) + 0.0 * error,
                        "conf_high": estimate + z * error,
                        "sign": sign,
                        "signed_estimate": estimate if method == "pratt" else sign * estimate,
                    }
                )
            )
    return RSquaredDecomposition(
        frame=pd.concat(rows, ignore_index=True),
        confidence_level=confidence_level,
        title="A linear model's R\N{SUPERSCRIPT TWO} divided among the ratings",
        r_squared=r_squared,
        exact="lmg" not in methods or x.shape[1] <= MOST_EXACT,
        n_resamples=n_resamples,
        pairwise=bool(np.isnan(x).any()),
    )


def shares_of_r_squared(
    correlation: Floats, methods: Sequence[Method], *, orders: NDArray[np.int64] | None = None
) -> dict[Method, Floats]:
    """Shares by method from correlation matrices whose last row is the outcome's.

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
    found: dict[Method, Floats] = {}
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
                found[method] = np.einsum("bij,bj->bi", half**2, _with_own_parts(correlation) ** 2)
            case "car":
                found[method] = _with_own_parts(correlation) ** 2
    return found


def _with_own_parts(correlation: Floats) -> Floats:
    """The outcome's correlation with each driver's own part, the nearest variable uncorrelated with other drivers'."""
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


def _orders(p: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
    """Orders to average over where there are too many drivers for all; each with its reverse."""
    if p <= MOST_EXACT:
        return None
    drawn = rng.permuted(np.tile(np.arange(p), (N_ORDERS, 1)), axis=1)
    return np.concatenate([drawn, drawn[:, ::-1]])


def _dominance_of_orders(among: Floats, with_y: Floats, orders: NDArray[np.int64]) -> Floats:
    found = np.zeros(with_y.shape)
    p = with_y.shape[1]
    for row in range(len(with_y)):
        ordered = among[row][orders[:, :, None], orders[:, None, :]] + SINGULAR * np.eye(p)
        root = np.linalg.cholesky(ordered)
        gain = np.linalg.solve(root, with_y[row][orders][:, :, None])[:, :, 0] ** 2
        np.add.at(found[row], orders.ravel(), gain.ravel())
    return found / len(orders)


def _checked(
    ratings: pd.DataFrame, outcomes: pd.DataFrame, weights: Any, cluster: Any
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Arrays of the rows with an outcome and a weight; EstimationError where nothing can be divided."""
    x = ratings.apply(pd.to_numeric, errors="coerce").astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    values = outcomes.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    weight = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(x) == len(values) == len(weight):
        raise EstimationError(
            f"{len(x):,} rows of ratings, {len(values):,} outcomes and {len(weight):,} weights arrived."
        )
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise EstimationError("A weight is missing, negative or infinite.")
    kept = np.isfinite(values).all(axis=1) & (weight > 0)
    code = np.arange(len(x)) if cluster is None else pd.factorize(pd.Series(cluster), use_na_sentinel=False)[0]
    if len(code) != len(x):
        raise EstimationError(f"{len(x):,} rows of ratings and {len(code):,} clusters arrived: each row needs one.")
    x, values, weight = x[kept], values[kept], weight[kept]
    if len(x) <= x.shape[1] + 1:
        raise EstimationError(
            f"{len(x):,} rows are too few for {x.shape[1]} drivers: more rows than drivers are needed."
        )
    varies = [np.ptp(column[np.isfinite(column)]) > 0 if np.isfinite(column).any() else False for column in x.T]
    if still := [str(name) for name, each in zip(ratings.columns, varies, strict=True) if not each]:
        raise EstimationError(f"{joined(still)}: everybody gave the same rating, or nobody gave one.")
    if still := [str(name) for name, column in zip(outcomes.columns, values.T, strict=True) if np.ptp(column) == 0]:
        raise EstimationError(f"The outcome {joined(still)} is the same for all.")
    return x, values, weight, np.unique(code[kept], return_inverse=True)[1]
