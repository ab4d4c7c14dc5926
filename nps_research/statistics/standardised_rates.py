"""Standardised rates: a logistic regression, read on the scale of rates, other things equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import expit

from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.enough import FEWEST_DIFFERENT, TOLD_APART
from nps_research.statistics.logistic import clustered_logistic, filled, independent_columns, natural_spline
from nps_research.typing import Flags, Floats, Integers


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
        half = t_ppf(0.5 + confidence_level / 2, degrees) * std_error
        return cls(
            estimate=estimate,
            std_error=std_error,
            conf_low=np.maximum(estimate - half, -1.0),
            conf_high=np.minimum(estimate + half, 1.0),
            p_value=np.asarray(2 * t_sf(np.abs(estimate) / std_error, degrees)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class AdjustedDifferences:
    """Differences of each factor, by its name, and the factors that say no more than the others do."""

    of: Mapping[str, Differences]
    not_separable: tuple[str, ...]


def adjusted_differences(
    event: Flags, factors: Sequence[Factor], cluster: Integers, *, confidence_level: float
) -> AdjustedDifferences:
    """Standardise rates: the mean if all were of a group less the mean as it is, for each group of each factor.

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
    kept = independent_columns(design)
    own = [np.arange(start, end) for start, end in pairwise(ends)]
    separable = [
        len(columns) > 0 and len(kept) - len(independent_columns(np.delete(design, columns, 1))) == len(columns)
        for columns in own
    ]
    design = design[:, kept]
    codes = pd.factorize(cluster)[0]
    params, covariance = clustered_logistic(event, design, codes)
    chance = expit(design @ params)
    slope = (chance * (1 - chance)) @ design / len(design)
    found = {}
    for factor, part, columns, is_apart in zip(factors, parts, own, separable, strict=True):
        estimate = np.full(len(factor.groups), np.nan)
        std_error = estimate.copy()
        if is_apart:
            told, at = part.is_told, np.searchsorted(kept, columns)
            risks, gradients = _standardised(design, params, at, part.levels[told])
            estimate[told] = risks - chance.mean()
            gradients -= slope
            std_error[told] = np.sqrt(np.einsum("gi,ij,gj->g", gradients, covariance, gradients))
        found[factor.name] = Differences.of(estimate, std_error, codes.max(), confidence_level)
    apart = [len(columns) > 0 and not each for columns, each in zip(own, separable, strict=True)]
    return AdjustedDifferences(
        of=found, not_separable=tuple(factor.name for factor, each in zip(factors, apart, strict=True) if each)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Design:
    """Columns of a factor; each group's values of them; which groups have a difference of their own."""

    columns: Floats
    levels: Floats
    is_told: Flags


def _design(factor: Factor, event: Flags) -> _Design:
    n = np.bincount(factor.group, minlength=len(factor.groups))
    events = np.bincount(factor.group, weights=event, minlength=len(factor.groups))
    enough = np.minimum(events, n - events) >= TOLD_APART
    if enough.sum() < 2:
        none = np.zeros(len(n), dtype=bool)
        return _Design(columns=np.empty((len(event), 0)), levels=np.empty((len(n), 0)), is_told=none)
    if factor.number is not None:
        return _curve(factor.group, factor.number, enough, event)
    reference = int(np.where(enough, n, -1).argmax())
    levels = np.eye(len(n))[:, enough & (np.arange(len(n)) != reference)]
    return _Design(columns=levels[factor.group], levels=levels, is_told=enough)


def _curve(group: Integers, number: Floats, enough: Flags, event: Flags) -> _Design:
    """A natural spline of the number; where it is not known, its median, and an indicator if it is so of enough."""
    value, gap = filled(number)
    members = [group == each for each in range(len(enough))]
    is_missing = np.array([gap[member].all() for member in members])
    known = [value[member] if lost else number[member] for member, lost in zip(members, is_missing, strict=True)]
    levels = natural_spline(value, at=np.array([np.nanmedian(each) for each in known]))
    columns = natural_spline(value)
    if min((gap & event).sum(), (gap & ~event).sum()) >= TOLD_APART:
        columns, levels = np.column_stack([columns, gap]), np.column_stack([levels, is_missing])
    return _Design(columns=columns, levels=levels, is_told=enough)


def standardised_risks(
    event: Flags, group: Integers, *, n_groups: int, other: Floats, cluster: Integers
) -> tuple[Floats, Floats]:
    """Standardise risks: the mean had every row been of a group, for each group, and how these means err together.

    The estimand is the risk averaged over all rows, if nothing else sets the groups apart but what is in `other`.
    Logistic regression; covariance by the delta method, robust to clusters.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
    group : ndarray of int, shape (n,)
        0 to n_groups - 1; each has rows with the event and without.
    n_groups : int
    other : ndarray, shape (n, k)
        With a constant, as `adjustment` makes it.
    cluster : ndarray of int, shape (n,)
        Its own row where rows are independent.

    Returns
    -------
    tuple of ndarray
        Risks, shape (n_groups,), and their covariance.

    References
    ----------
    Lane, P. W. & Nelder, J. A. (1982). Analysis of covariance and standardization as instances of prediction.
    Biometrics 38, 613-621. doi:10.2307/2530043
    """
    indicators = np.eye(n_groups)[:, 1:]
    design = np.hstack([indicators[group], other])
    design = design[:, independent_columns(design)]
    params, covariance = clustered_logistic(event, design, cluster)
    risks, gradients = _standardised(design, params, np.arange(n_groups - 1), indicators)
    return risks, gradients @ covariance @ gradients.T


def _standardised(design: Floats, params: Floats, columns: Integers, levels: Floats) -> tuple[Floats, Floats]:
    """Mean risk of all rows with some columns set to each of the levels, and its slope in the coefficients."""
    rest = design @ params - design[:, columns] @ params[columns]
    risks, gradients = np.empty(len(levels)), np.empty((len(levels), design.shape[1]))
    for place, level in enumerate(levels):
        risk = expit(rest + level @ params[columns])
        weight = risk * (1 - risk)
        risks[place], gradients[place] = risk.mean(), weight @ design / len(design)
        gradients[place, columns] = weight.mean() * level
    return risks, gradients


def adjustment(rows: pd.DataFrame, numbers: Sequence[str], groupings: Sequence[str]) -> Floats:
    """Code what is held constant: a constant, natural splines of numbers, indicators of groupings.

    Numbers of few different values enter as they are; a missing number is its own indicator, at the median.

    Parameters
    ----------
    rows : DataFrame
    numbers, groupings : sequence of str
        Its columns.

    Returns
    -------
    ndarray, shape (n, k)
    """
    parts: list[Floats] = [np.ones((len(rows), 1))]
    for name in numbers:
        number = rows[name].to_numpy(dtype=float, na_value=np.nan)
        if np.isnan(number).all():
            continue
        value, gap = filled(number)
        parts.append(natural_spline(value) if rows[name].nunique() >= FEWEST_DIFFERENT else value[:, None])
        if gap.any():
            parts.append(gap[:, None].astype(float))
    for name in groupings:
        label = rows[name].astype("str").fillna("")
        labels = label.value_counts().index  # the largest is the one that the others are set against
        parts.append(np.asarray(label.to_numpy()[:, None] == labels.to_numpy()[1:], dtype=np.float64))
    return np.hstack(parts)


def changes_since_first(
    event: Flags, number: Integers, person: Integers, cluster: Integers, *, confidence_level: float
) -> Differences:
    """Compare the rate at each invitation with the same people's at their first; a person's later ones are averaged.

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
