"""Shares of a linear model's R2: general dominance (LMG), Johnson's relative weights, and their relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast, get_args

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.drivers.enough import LEAST_CLUSTERS, LEAST_RESAMPLES
from nps_research.drivers.fitting.data import clusters_of
from nps_research.errors import EstimationError
from nps_research.results.result import Result
from nps_research.results.words import joined, share
from nps_research.statistics.least_squares import correlations
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.statistics.r_squared_shares import (
    MOST_EXACT,
    MOST_EXACT_RESAMPLED,
    N_ORDERS,
    SharesMethod,
    orders_of,
    shares_of_r_squared,
    with_own_parts,
)
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.typing import Floats, Integers

METHODS: tuple[SharesMethod, ...] = get_args(SharesMethod)
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
    headings: ClassVar[Mapping[str, str]] = {"term": "Rating", "estimate": "Share of the variance"}
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share", "sign": "text", "method": "text", "outcome": "text"}
    table_columns: ClassVar = ("term", "outcome", "method", "estimate", "conf_high", "sign")

    @cached_property
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
    def _resamples_are_rough(self) -> bool:
        """Whether lmg went through orders drawn at random in the resamples, and perhaps there alone."""
        return "lmg" in set(self.frame["method"]) and self.frame["term"].nunique() > MOST_EXACT_RESAMPLED

    @property
    def note(self) -> str:
        gaps = " Where ratings are missing, correlations are over those who gave both." if self.pairwise else ""
        where = "" if not self.exact else " in the resamples" if self._resamples_are_rough else None
        rough = (
            ""
            if where is None
            else f" General dominance: averaged{where} over {2 * N_ORDERS:,} orders of the drivers, not all."
        )
        intervals = (
            f", with {self.confidence_level:.0%} intervals from {self.n_resamples:,} resamples whose lower limits stop "
            "at zero"
            if self.n_resamples
            else ""
        )
        return (
            f"Share of variance that each rating is given in a linear model of all of them{intervals}. A rating that "
            f"does nothing still gets a little.{gaps}{rough}"
        )


def decompose_r_squared(
    ratings: pd.DataFrame,
    y: Any,
    *,
    methods: Sequence[SharesMethod] = ("lmg", "johnson"),
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
    ([0.671, 0.324], 0.994)
    """
    check_level(confidence_level)
    odd = [repr(method) for method in methods if method not in METHODS] or ["named"] * (not methods)
    if odd:
        raise EstimationError(f"There is no method {odd[0]}: {', '.join(METHODS)} are there.")
    if n_resamples != 0 and n_resamples < LEAST_RESAMPLES:
        raise EstimationError(f"n_resamples = {n_resamples}: 0, or {LEAST_RESAMPLES} or more are needed.")
    outcomes = y if isinstance(y, pd.DataFrame) else pd.DataFrame({"y": np.asarray(y)})
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    x, values, weight, of_cluster = _checked(ratings, outcomes, weights, cluster)
    ordering, resampling = rng.spawn(2)
    orders = orders_of(x.shape[1], ordering)
    of_resamples = orders_of(x.shape[1], ordering, most_exact=MOST_EXACT_RESAMPLED) if orders is None else orders
    m = int(of_cluster.max()) + 1
    rows, r_squared = [], {}
    for name, column in zip(outcomes.columns, values.T, strict=True):
        table = np.column_stack([x, column])
        correlation = correlations(table, weight[None])
        if np.linalg.eigvalsh(correlation[0]).min() < -1e-6:
            raise EstimationError(
                "Correlations over those who gave both ratings do not fit together: too many are missing."
            )
        estimates = shares_of_r_squared(correlation, methods, orders=orders)
        drawn: dict[SharesMethod, list[Floats]] = {method: [] for method in methods}
        # the same draws for every outcome
        stream = np.random.default_rng(cast("np.random.SeedSequence", resampling.bit_generator.seed_seq))
        for start in range(0, n_resamples, 100):
            times = stream.multinomial(m, np.full(m, 1 / m), size=min(100, n_resamples - start))[:, of_cluster]
            resampled = correlations(table, weight * times)
            for method, found in shares_of_r_squared(resampled, methods, orders=of_resamples).items():
                drawn[method].append(found)
        coefficient = np.linalg.pinv(correlation[0, :-1, :-1]) @ correlation[0, :-1, -1]
        r_squared[str(name)] = float(coefficient @ correlation[0, :-1, -1])
        own_part = with_own_parts(correlation)
        for method in methods:
            estimate = estimates[method][0]
            error = np.concatenate(drawn[method]).std(axis=0, ddof=1) if n_resamples else np.full(len(estimate), np.nan)
            sign = np.sign(np.round(own_part[0], 12)).astype(int)
            row = {
                "outcome": str(name),
                "method": method,
                "term": list(map(str, ratings.columns)),
                "n": np.isfinite(x).sum(axis=0),
                **with_normal_limits(estimate, error, confidence_level),
                "sign": sign,
                "signed_estimate": estimate if method == "pratt" else sign * estimate,
            }
            if method != "pratt":
                row["conf_low"] = np.maximum(row["conf_low"], 0.0)
            rows.append(pd.DataFrame(row))
    return RSquaredDecomposition(
        frame=pd.concat(rows, ignore_index=True),
        confidence_level=confidence_level,
        title="A linear model's R\N{SUPERSCRIPT TWO} divided among the ratings",
        r_squared=r_squared,
        exact="lmg" not in methods or x.shape[1] <= MOST_EXACT,
        n_resamples=n_resamples,
        pairwise=bool(np.isnan(x).any()),
    )


def _checked(
    ratings: pd.DataFrame, outcomes: pd.DataFrame, weights: Any, cluster: Any
) -> tuple[Floats, Floats, Floats, Integers]:
    """Arrays of the rows with an outcome and a weight; EstimationError where nothing can be divided."""
    x, values = (_predictor_numbers(table, what) for table, what in ((ratings, "Ratings"), (outcomes, "Outcomes")))
    weight = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(x) == len(values) == len(weight):
        raise EstimationError(
            f"{len(x):,} rows of ratings, {len(values):,} outcomes and {len(weight):,} weights arrived."
        )
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise EstimationError("A weight is missing, negative or infinite.")
    kept = np.isfinite(values).all(axis=1) & (weight > 0)
    code = clusters_of(cluster, kept)
    if cluster is not None and code.max(initial=-1) + 1 < LEAST_CLUSTERS:
        raise EstimationError(f"{code.max(initial=-1) + 1} clusters are too few: {LEAST_CLUSTERS} are needed.")
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
    return x, values, weight, code


def _predictor_numbers(table: pd.DataFrame, what: str) -> Floats:
    try:
        return table.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise EstimationError(f"{what} must be numbers.") from error
