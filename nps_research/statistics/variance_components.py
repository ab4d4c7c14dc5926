"""How much of an outcome's variance lies between groups, such as employees: a mixed model, nested or crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nps_research.errors import EstimationError
from nps_research.statistics.distributions import normal_ppf
from nps_research.statistics.group_sums import group_sums
from nps_research.typing import Floats, Integers

_CLOSE: Any = {"ftol": 1e-13, "gtol": 1e-7}
LARGEST_SHARE = 0.999  # of the variance, between the groups of one kind


@dataclass(frozen=True, kw_only=True, eq=False)
class VarianceComponents:
    """A fitted mixed model: y = X b + an effect of each group + what is left, the effects drawn from normal ones.

    Attributes
    ----------
    share : ndarray, shape (k,)
        Part of the variance, given X, that lies between the groups of each kind: the intraclass correlation (ICC).
        Clusters, where given, come last.
    conf_low, conf_high : ndarray, shape (k,)
        Limits by profile likelihood; missing of the clusters.
    residual : float
        Variance of what is left.
    coefficient : ndarray, shape (p,)
        Of X.
    effect : tuple of ndarray
        Of each kind but clusters: each group's effect, drawn towards zero by as much as its rows leave open.
    effect_error : tuple of ndarray
        Standard deviation of each effect given the data and the variances.
    log_likelihood : float
        At its maximum; restricted, unless said otherwise.
    """

    share: Floats
    conf_low: Floats
    conf_high: Floats
    residual: float
    coefficient: Floats
    effect: tuple[Floats, ...]
    effect_error: tuple[Floats, ...]
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """All that the likelihood needs: cross-products of [X, groups, y], and their sums by cluster."""

    cross: Floats  # of the columns of [X, Z_1, ..., Z_k, y]
    of_clusters: Floats  # for each size of a cluster: cross-products of the sums of such clusters
    size: Floats  # rows of a cluster, a value for each of these
    n_of_size: Floats
    n: int
    p: int
    levels: tuple[int, ...]
    reml: bool

    def whitened(self, ratio: float) -> tuple[Floats, float]:
        """Cross-products under correlation within clusters, and the log determinant of that."""
        part = ratio / (1 + self.size * ratio)
        cross = self.cross - np.tensordot(part, self.of_clusters, axes=1)
        return cross, float(self.n_of_size @ np.log1p(self.size * ratio))

    def fitted(self, ratios: Floats) -> tuple[float, Floats, Floats, float]:
        """Log-likelihood with the variances over the residual one; coefficients, their and the effects' inverse."""
        k = len(self.levels)
        cross, log_determinant = self.whitened(float(ratios[k]) if len(ratios) > k else 0.0)
        root = np.sqrt(np.repeat(ratios[:k], self.levels))
        q, p = len(root), self.p
        scale = np.r_[np.ones(p), root, 1.0]
        scaled = cross * np.outer(scale, scale)
        lhs = scaled[: p + q, : p + q].copy()
        lhs[np.arange(p, p + q), np.arange(p, p + q)] += 1.0
        rhs = scaled[: p + q, -1]
        inner = np.linalg.cholesky(lhs[p:, p:]) if q else np.zeros((0, 0))
        log_determinant += 2 * float(np.log(np.diag(inner)).sum())
        solved = np.linalg.solve(lhs, rhs)
        rest = float(cross[-1, -1] - rhs @ solved)
        degrees = self.n - p if self.reml else self.n
        value = degrees * (1 + np.log(2 * np.pi * rest / degrees)) + log_determinant
        if self.reml:
            reduced = lhs[:p, :p] - lhs[:p, p:] @ np.linalg.solve(lhs[p:, p:], lhs[p:, :p]) if q else lhs[:p, :p]
            value += float(np.linalg.slogdet(reduced)[1])
        return -value / 2, solved, lhs, rest / degrees


def variance_components(
    y: Floats,
    groups: Sequence[Integers],
    x: Floats | None = None,
    *,
    cluster: Integers | None = None,
    confidence_level: float = 0.95,
    reml: bool = True,
    with_limits: bool = True,
) -> VarianceComponents:
    """Split the variance of an outcome between groups of one or more kinds, nested or crossed (REML).

    The estimand is the intraclass correlation of each kind of group: variance between its groups over all variance,
    given `x`.

    Parameters
    ----------
    y : ndarray, shape (n,)
    groups : sequence of ndarray of int, shape (n,)
        The group of each row, from 0, of each kind (employees, branches): a few hundred of a kind.
    x : ndarray, shape (n, p), optional
        What differs between rows beside the groups, no column the sum of others; with a constant. None: a constant.
    cluster : ndarray of int, shape (n,), optional
        One more kind, with any number of groups: the account or person whose rows go together.
    confidence_level : float
        Of the limits, each for itself.
    reml : bool
        Restricted likelihood; False takes the full one.
    with_limits : bool
        False leaves the limits out, which take most of the time.

    Returns
    -------
    VarianceComponents

    Raises
    ------
    EstimationError
        If rows are not more than columns, or the outcome does not vary.

    Notes
    -----
    The likelihood is that of Laird & Ware (1982), coefficients and residual variance profiled out, from cross-products
    alone, so that it is as fast for many rows as for few; clusters enter in closed form. Limits are where twice the log
    likelihood ratio of the share, all else at its best, meets the chi-square quantile.

    References
    ----------
    Laird, N. M. & Ware, J. H. (1982). Random-effects models for longitudinal data. Biometrics 38, 963-974.
    doi:10.2307/2529876

    Goldstein, H. & Spiegelhalter, D. J. (1996). League tables and their limitations. Journal of the Royal Statistical
    Society A 159, 385-443. doi:10.2307/2983325

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> employee = np.repeat(np.arange(40), 50)
    >>> score = rng.normal(size=2000) + 0.5 * rng.normal(size=40)[employee]  # a fifth of the variance
    >>> found = variance_components(score, [employee])
    >>> bool(found.conf_low[0] < 0.2 < found.conf_high[0])
    True
    """
    n = len(y)
    design = np.ones((n, 1)) if x is None else x
    if n <= design.shape[1] + 1 or np.ptp(y) == 0:
        raise EstimationError("More rows than columns, and an outcome that varies, are needed.")
    sums = _sums(y, groups, design, cluster, reml=reml)
    k = len(groups) + (cluster is not None)
    best = _maximum(sums, k)
    value, solved, lhs, residual = sums.fitted(best)
    total = 1 + best.sum()
    low, high = np.full(k, np.nan), np.full(k, np.nan)
    if with_limits:
        drop = float(normal_ppf(0.5 + confidence_level / 2)) ** 2 / 2
        for at in range(len(groups)):
            low[at], high[at] = _profile_limits(sums, k, at, best, value - drop)
    inverse = np.linalg.inv(lhs)
    root = np.sqrt(np.repeat(best[: len(groups)], sums.levels))
    effect = root * solved[sums.p :]
    spread = root * np.sqrt(residual * np.diag(inverse)[sums.p :])
    ends = np.cumsum(sums.levels)[:-1]
    return VarianceComponents(
        share=best / total,
        conf_low=low,
        conf_high=high,
        residual=residual,
        coefficient=solved[: sums.p],
        effect=tuple(np.split(effect, ends)),
        effect_error=tuple(np.split(spread, ends)),
        log_likelihood=value,
    )


def _sums(y: Floats, groups: Sequence[Integers], x: Floats, cluster: Integers | None, *, reml: bool) -> _Sums:
    n, levels = len(y), tuple(int(codes.max()) + 1 for codes in groups)
    dense = np.column_stack([x, y])
    sizes = (x.shape[1], *levels, 1)
    place = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.r_[np.arange(x.shape[1]), place[-1] - 1]
    cross = np.zeros((int(place[-1]), int(place[-1])))
    cross[np.ix_(columns, columns)] = dense.T @ dense
    for kind, codes in enumerate(groups):
        own = slice(int(place[kind + 1]), int(place[kind + 2]))
        of_dense = group_sums(dense, codes, levels[kind])
        cross[own, columns] = of_dense
        cross[columns[:, None], np.arange(own.start, own.stop)] = of_dense.T
        for other, codes_of_other in enumerate(groups):
            both = np.bincount(codes * levels[other] + codes_of_other, minlength=levels[kind] * levels[other])
            at = slice(int(place[other + 1]), int(place[other + 2]))
            cross[own, at] = both.reshape(levels[kind], levels[other])
    if cluster is None:
        none = np.zeros((0, *cross.shape))
        return _Sums(cross, none, np.zeros(0), np.zeros(0), n, x.shape[1], levels, reml)
    n_clusters = int(cluster.max()) + 1
    sums = np.zeros((n_clusters, int(place[-1])))
    sums[:, columns] = group_sums(dense, cluster, n_clusters)
    for kind, codes in enumerate(groups):
        own = slice(int(place[kind + 1]), int(place[kind + 2]))
        both = np.bincount(cluster * levels[kind] + codes, minlength=n_clusters * levels[kind])
        sums[:, own] = both.reshape(n_clusters, levels[kind])
    size, of_size, n_of_size = np.unique(np.bincount(cluster), return_inverse=True, return_counts=True)
    of_clusters = np.stack([sums[of_size == at].T @ sums[of_size == at] for at in range(len(size))])
    return _Sums(cross, of_clusters, size.astype(float), n_of_size.astype(float), n, x.shape[1], levels, reml)


def _maximum(sums: _Sums, k: int, *, fixed: tuple[int, float] | None = None) -> Floats:
    """Variances over the residual one that are most likely; one of the shares may be fixed."""
    from scipy.optimize import minimize, minimize_scalar  # late: it takes longer than most commands

    free = [at for at in range(k) if fixed is None or at != fixed[0]]
    highest = LARGEST_SHARE / (1 - LARGEST_SHARE)

    def ratios_of(root: Floats) -> Floats:
        ratios = np.zeros(k)
        ratios[free] = np.square(root)
        if fixed is not None:
            ratios[fixed[0]] = fixed[1] * (1 + ratios.sum()) / (1 - fixed[1])
        return ratios

    def unlikely(root: Floats) -> float:
        return -sums.fitted(ratios_of(root))[0]

    if not free:
        return ratios_of(np.empty(0))
    if len(free) == 1:
        found = minimize_scalar(
            lambda root: unlikely(np.array([root])),
            bounds=(0.0, np.sqrt(highest)),
            method="bounded",
            options={"xatol": 1e-8},
        )
        edge = ratios_of(np.zeros(1))
        inner = ratios_of(np.array([found.x]))
        return edge if sums.fitted(edge)[0] >= sums.fitted(inner)[0] else inner
    bounds = [(0.0, float(np.sqrt(highest)))] * len(free)
    several = minimize(unlikely, [0.2] * len(free), bounds=bounds, method="L-BFGS-B", options=_CLOSE)
    return ratios_of(several.x)


def _profile_limits(sums: _Sums, k: int, at: int, best: Floats, level: float) -> tuple[float, float]:
    """The shares of one kind at which the log-likelihood, all else at its best, falls to a level."""
    from scipy.optimize import brentq  # late: it takes longer than most commands

    share = float(best[at] / (1 + best.sum()))

    def above(value: float) -> float:
        return sums.fitted(_maximum(sums, k, fixed=(at, value)))[0] - level

    low = 0.0 if above(0.0) >= 0 else float(brentq(above, 0.0, share, xtol=1e-8))
    high = LARGEST_SHARE if above(LARGEST_SHARE) >= 0 else float(brentq(above, share, LARGEST_SHARE, xtol=1e-8))
    return low, high
