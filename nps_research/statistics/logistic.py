"""Logistic regression: designs with natural splines, fits with a ridge, fits with errors robust to clusters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nps_research.statistics.covariates import Covariates
from nps_research.statistics.enough import TOLD_OF_LEVEL
from nps_research.typing import Flags, Floats, Integers

OTHER = "(other)"
NEWTON_STEPS = 60


def natural_spline(
    value: Floats, *, at: Floats | None = None, knots: Floats | None = None, constraints: str | None = "center"
) -> Floats:
    """Compute the columns of a natural cubic spline (patsy's ``cr``).

    Parameters
    ----------
    value : ndarray, shape (n,)
        Where the curve ends, and over which its columns are centred.
    at : ndarray, shape (m,), optional
        Where it is wanted; None takes `value`.
    knots : ndarray, optional
        Inner knots; None takes the quartiles of the different values.
    constraints : {"center", None}
        None leaves the columns as they are; they then sum to 1.

    Returns
    -------
    ndarray, shape (m, k)

    Examples
    --------
    >>> natural_spline(np.arange(20.0)).shape
    (20, 4)
    """
    from patsy.mgcv_cubic_splines import CR  # late: importing it takes longer than all else here

    curve, df = CR(), 4 if knots is None else None
    curve.memorize_chunk(value, df=df, knots=knots, constraints=constraints)
    curve.memorize_finish()
    return np.asarray(curve.transform(value if at is None else at))


def filled(value: Floats) -> tuple[Floats, Flags]:
    """Put the median where a number is missing, and mark where it was."""
    gap = np.isnan(value)
    return np.where(gap, np.nanmedian(value), value), gap


def joined_levels(column: pd.Series, event: Flags, *, fewest: int = TOLD_OF_LEVEL) -> pd.Series:
    """Join a category's levels with fewer than `fewest` that had the event, or had not, into one.

    Examples
    --------
    >>> area = pd.Series(["N"] * 4 + ["S"] * 4 + ["W", "E"])
    >>> joined_levels(area, np.array([1, 0] * 5, dtype=bool), fewest=1).unique().tolist()
    ['N', 'S', '(other)']
    """
    counts = pd.DataFrame({"yes": event, "no": ~event}).groupby(column.to_numpy()).sum().min(axis=1)
    few = counts.index[counts < fewest]
    if not len(few):
        return column
    joined = column.mask(column.isin(few), OTHER)
    other = (joined == OTHER).to_numpy()
    if min(int((event & other).sum()), int((~event & other).sum())) >= fewest:
        return joined
    kept = column[~column.isin(few)]
    return joined.mask(other, kept.mode().iloc[0] if len(kept) else OTHER)


def coded_columns(event: Flags, covariates: Covariates, *, is_bent: bool = True) -> pd.DataFrame:
    """Code covariates as named columns: numbers, a mark of what is missing where enough is, and categories.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
        What they are to explain: small categories, which tell little of it, are joined.
    covariates : Covariates
    is_bent : bool
        Whether numbers are natural cubic splines of several columns, or stand as they are.

    Examples
    --------
    >>> known = Covariates(pd.DataFrame({"years": [1.0, 2, 3]}), pd.DataFrame(index=range(3)))
    >>> coded_columns(np.array([True, False, True]), known, is_bent=False).to_dict("list")
    {'years': [1.0, 2.0, 3.0]}
    """
    columns: dict[str, Floats] = {}
    for name in covariates.numbers:
        value, gap = filled(covariates.numbers[name].to_numpy(dtype=float))
        knots = np.unique(np.quantile(value, [0.25, 0.5, 0.75]))
        knots = knots[(knots > value.min()) & (knots < value.max())]
        if is_bent and len(knots):
            curve = natural_spline(value, knots=knots)
            columns |= {f"{name}, part {at + 1} of its curve": part for at, part in enumerate(curve.T)}
        else:
            columns[str(name)] = value
        if min((gap & event).sum(), (gap & ~event).sum()) >= TOLD_OF_LEVEL:
            columns[f"{name} not known"] = gap.astype(float)
    for name in covariates.categories:
        levels = joined_levels(covariates.categories[name], event)
        columns |= {
            f"{name}: {level}": (levels == level).to_numpy(dtype=float) for level in sorted(levels.unique())[1:]
        }
    kept = {name: column for name, column in columns.items() if column.std() > 0}
    return pd.DataFrame(kept, index=range(len(event)))


def design_matrix(
    event: Flags, covariates: Covariates, *, extra: Sequence[Floats] = (), is_bent: bool = True
) -> Floats:
    """Code covariates as columns, each of mean 0 and standard deviation 1 but the constant, the first.

    What is `extra` comes before those of `coded_columns`.
    """
    coded = coded_columns(event, covariates, is_bent=is_bent)
    kept = [*(column for column in extra if column.std() > 0), *coded.to_numpy().T]
    return np.column_stack([np.ones(len(event)), *((column - column.mean()) / column.std() for column in kept)])


def independent_columns(design: Floats) -> Integers:
    """Find the columns that are no sums of multiples of those before them."""
    scale = np.linalg.norm(design, axis=0)
    rest = np.abs(np.diag(np.linalg.qr(design / np.where(scale > 0, scale, 1.0), mode="r")))
    return np.flatnonzero(rest > 1e-7)


def ridge_logistic(design: Floats, event: Flags, *, ridge: float) -> tuple[Floats, Floats]:
    """Fit a logistic regression that minimises log loss plus `ridge` times half the squared slopes, by Newton's method.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        The constant first; the other columns of standard deviation 1.
    event : ndarray of bool, shape (n,)
        Some of both.
    ridge : float

    Returns
    -------
    coefficients : ndarray, shape (k,)
    information_inverse : ndarray, shape (k, k)
    """
    penalty = np.r_[0.0, np.full(design.shape[1] - 1, ridge)]
    weights: Floats = np.r_[logit(event.mean()), np.zeros(design.shape[1] - 1)]
    for _ in range(NEWTON_STEPS):
        chance = expit(design @ weights)
        information = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(information, design.T @ (event - chance) - penalty * weights)
        weights = weights + step / max(1.0, float(np.abs(step).max()))  # no leap: far off, steps overshoot
        if np.abs(step).max() < 1e-9:
            break
    return weights, np.asarray(np.linalg.inv(information), dtype=np.float64)


def clustered_logistic(event: Flags, design: Floats, cluster: Integers) -> tuple[Floats, Floats]:
    """Fit a logistic regression with a sandwich covariance over clusters (Liang & Zeger 1986).

    Coefficients and covariance are NaN where the likelihood has no highest point: all can be foretold.
    """
    from statsmodels.discrete.discrete_model import Logit  # late: importing it takes longer than all else here

    unknown = np.full(design.shape[1], np.nan), np.full((design.shape[1],) * 2, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted: Any = Logit(event.astype(float), design).fit(
                method="newton", maxiter=100, disp=0, cov_type="cluster", cov_kwds={"groups": cluster}
            )
        except np.linalg.LinAlgError:
            return unknown
    if not fitted.mle_retvals["converged"]:
        return unknown
    return np.asarray(fitted.params), np.asarray(fitted.cov_params())
