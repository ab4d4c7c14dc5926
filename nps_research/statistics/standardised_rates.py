"""Adjusted differences in the chance to answer: a logistic regression, read on the scale of rates."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nps_research.typing import Flags, Floats, Integers


__all__ = ["AdjustedDifferences", "Differences", "Factor", "adjusted_differences", "changes_since_first"]

FEWEST = 8  # forms returned, and silences, in a group that the model tells apart
_SPLINE = "cr(number, df=4, constraints='center') - 1"  # natural cubic


@dataclass(frozen=True, kw_only=True, eq=False)
class Differences:
    """Differences of the groups of one factor, shape (n_groups,) each; NaN where there is none."""

    estimate: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    p_value: Floats

    @classmethod
    def of(cls, estimate: Floats, std_error: Floats, degrees: Floats | float, confidence_level: float) -> Differences:
        """With t limits, kept within -1 to 1; none where nothing tells how far chance may move it."""
        std_error = np.where(std_error > 0, std_error, np.nan)
        estimate = np.where(std_error > 0, estimate, np.nan)
        degrees = np.maximum(degrees, 1)
        half = stats.t.ppf(0.5 + confidence_level / 2, degrees) * std_error
        return cls(
            estimate=estimate,
            std_error=std_error,
            conf_low=np.maximum(estimate - half, -1.0),
            conf_high=np.minimum(estimate + half, 1.0),
            p_value=np.asarray(2 * stats.t.sf(np.abs(estimate) / std_error, degrees)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class AdjustedDifferences:
    """Differences of each factor, by its name, and the factors that say no more than the others do."""

    of: Mapping[str, Differences]
    not_separable: tuple[str, ...]


def adjusted_differences(
    event: Flags, factors: Sequence[Factor], cluster: Integers, *, confidence_level: float
) -> AdjustedDifferences:
    """Mean chance if all were of a group, less the mean chance as it is, for each group of each factor.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
        Whether it happened.
    factors : sequence of Factor
        What is known; all are in one model.
    cluster : ndarray of int, shape (n,)
        Within which events are alike.
    confidence_level : float
        Level of the limits.

    Notes
    -----
    A group with few events, or few without, stands with the largest group in the model and has no difference (few of
    whom a number is not known stand at its median); where the model foretells every event there are none at all.
    Errors by the delta method from the sandwich covariance over clusters; t with clusters - 1 degrees of freedom.
    """
    parts = [_design(factor, event) for factor in factors]
    width = [part.columns.shape[1] for part in parts]
    ends = np.cumsum([1, *width])
    design = np.column_stack([np.ones(len(event)), *(part.columns for part in parts)])
    gram = design.T @ design
    scale = np.sqrt(np.diag(gram))
    gram /= np.outer(scale, scale)
    kept = _independent(gram)
    n_independent = len(kept)
    own = [np.arange(start, end) for start, end in pairwise(ends)]
    separable = [
        len(columns) > 0
        and n_independent - np.linalg.matrix_rank(np.delete(np.delete(gram, columns, 0), columns, 1), 1e-9)
        == len(columns)
        for columns in own
    ]
    design = design[:, kept]
    codes = pd.factorize(cluster)[0]
    params, covariance = _fitted(event, design, codes)
    linear = design @ params
    chance = expit(linear)
    slope = (chance * (1 - chance)) @ design / len(design)
    place = {column: row for row, column in enumerate(kept)}
    found = {}
    for factor, part, columns, is_apart in zip(factors, parts, own, separable, strict=True):
        estimate = np.full(len(factor.groups), np.nan)
        std_error = estimate.copy()
        if is_apart:
            at = [place[column] for column in columns]
            rest = linear - design[:, at] @ params[at]
            for group in np.flatnonzero(part.is_told):
                risk = expit(rest + part.levels[group] @ params[at])
                weight = risk * (1 - risk)
                gradient = weight @ design / len(design)
                gradient[at] = weight.mean() * part.levels[group]
                estimate[group] = risk.mean() - chance.mean()
                gradient -= slope
                std_error[group] = np.sqrt(gradient @ covariance @ gradient)
        found[factor.name] = Differences.of(estimate, std_error, codes.max(), confidence_level)
    apart = [len(columns) > 0 and not each for columns, each in zip(own, separable, strict=True)]
    return AdjustedDifferences(
        of=found,
        not_separable=tuple(factor.name for factor, each in zip(factors, apart, strict=True) if each),
    )


def _fitted(event: Flags, design: Floats, codes: Integers) -> tuple[Floats, Floats]:
    """Coefficients with their covariance; NaN where the likelihood has no highest point: all can be foretold."""
    from statsmodels.discrete.discrete_model import Logit

    unknown = np.full(design.shape[1], np.nan), np.full((design.shape[1],) * 2, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted: Any = Logit(event.astype(float), design).fit(
                method="newton", maxiter=100, disp=0, cov_type="cluster", cov_kwds={"groups": codes}
            )
        except np.linalg.LinAlgError:
            return unknown
    if not fitted.mle_retvals["converged"]:
        return unknown
    return np.asarray(fitted.params), np.asarray(fitted.cov_params())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Design:
    """Columns of a factor; each group's values of them; which groups have a difference of their own."""

    columns: Floats
    levels: Floats
    is_told: Flags


def _design(factor: Factor, event: Flags) -> _Design:
    n = np.bincount(factor.group, minlength=len(factor.groups))
    events = np.bincount(factor.group, weights=event, minlength=len(factor.groups))
    enough = np.minimum(events, n - events) >= FEWEST
    if enough.sum() < 2:
        none = np.zeros(len(n), dtype=bool)
        return _Design(columns=np.empty((len(event), 0)), levels=np.empty((len(n), 0)), is_told=none)
    if factor.number is not None:
        return _spline(factor, enough, event)
    reference = int(np.where(enough, n, -1).argmax())
    levels = np.eye(len(n))[:, enough & (np.arange(len(n)) != reference)]
    return _Design(columns=levels[factor.group], levels=levels, is_told=enough)


def _spline(factor: Factor, enough: Flags, event: Flags) -> _Design:
    """A natural spline of the number; where it is not known, its median, and an indicator if it is so of enough."""
    import patsy

    number = np.asarray(factor.number)
    missing = np.isnan(number)
    middle = float(np.nanmedian(number))
    basis = patsy.dmatrix(_SPLINE, {"number": np.where(missing, middle, number)})
    places = range(len(factor.groups))
    middles = np.array(
        [
            middle if missing[factor.group == each].all() else np.nanmedian(number[factor.group == each])
            for each in places
        ]
    )
    levels = np.asarray(patsy.build_design_matrices([basis.design_info], {"number": middles})[0])
    columns, is_missing = np.asarray(basis), np.array([missing[factor.group == each].all() for each in places])
    if min((missing & event).sum(), (missing & ~event).sum()) >= FEWEST:
        columns, levels = np.column_stack([columns, missing]), np.column_stack([levels, is_missing])
    return _Design(columns=columns, levels=levels, is_told=enough)


def _independent(gram: Floats) -> list[int]:
    """Columns that are no sum of those before them, from their scaled products."""
    kept: list[int] = []
    for column in range(len(gram)):
        tried = [*kept, column]
        if np.linalg.matrix_rank(gram[np.ix_(tried, tried)], 1e-9) == len(tried):
            kept = tried
    return kept


def changes_since_first(
    event: Flags, number: Integers, person: Integers, cluster: Integers, *, confidence_level: float
) -> Differences:
    """Rate at each invitation less the same people's rate at their first; several later ones of a person are averaged.

    Examples
    --------
    >>> person, number = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    >>> event = np.tile([True, False, True, True], 20)
    >>> found = changes_since_first(event, number, person, person, confidence_level=0.95)
    >>> found.estimate.tolist()
    [nan, -0.5]
    """
    rates = pd.DataFrame({"person": person, "number": number, "event": event.astype(float)})
    table = rates.pivot_table(index="person", columns="number", values="event", aggfunc="mean")
    of_person = pd.Series(cluster).groupby(person).first()
    n_groups = int(number.max()) + 1
    estimate, std_error, degrees = (np.full(n_groups, np.nan) for _ in range(3))
    for group in range(1, n_groups):
        change = (table[group] - table[0]).dropna()
        sums = (change - change.mean()).groupby(of_person.reindex(change.index)).sum()
        m = len(sums)
        if m > 1:
            estimate[group] = change.mean()
            std_error[group] = np.sqrt((sums**2).sum() * m / (m - 1)) / len(change)
            degrees[group] = m - 1
    return Differences.of(estimate, std_error, degrees, confidence_level)


@dataclass(frozen=True, kw_only=True, eq=False)
class Factor:
    """One thing known of each invitation.

    Attributes
    ----------
    name : str
        What it is, as reports show it.
    groups : tuple of str
        Its groups, in the order in which they are shown.
    group : ndarray of int
        Each invitation's place among them.
    number : ndarray of float or None
        The number behind bands, NaN where not known.
    """

    name: str
    groups: tuple[str, ...]
    group: Integers
    number: Floats | None = None
