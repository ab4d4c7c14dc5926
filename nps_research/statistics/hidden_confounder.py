"""How strong something that was not measured would have to be to make a difference vanish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.statistics.least_squares import left_over
from nps_research.typing import Flags, Floats

HALVINGS = 60


@dataclass(frozen=True, kw_only=True)
class HiddenConfounder:
    """How strong a hidden confounder would remove a difference.

    Attributes
    ----------
    robustness_value : float
        Share of what is left of treatment and of outcome (partial R2) that it would have to explain, of both alike.
    robustness_value_of_limit : float
        The same to bring the limits to zero; 0 where they hold it.
    strongest : str
        The measured covariate that is the strongest confounder; "" where none is one.
    multiple, multiple_of_limit : float
        How many times as strong as it the hidden one would have to be, in both; infinite where none is one.
    """

    robustness_value: float
    robustness_value_of_limit: float
    strongest: str
    multiple: float
    multiple_of_limit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkingModel:
    """Least squares of the outcome on treatment and covariates, as far as biases need it.

    Attributes
    ----------
    estimate : float
        Its coefficient of treatment.
    scale : float
        Bias of a confounder of which the root below is 1: what is left of the outcome over what is left of treatment.
    of_treated, of_outcome : ndarray, shape (k,)
        Partial R2 of each covariate with treatment, and with the outcome given treatment, given the others.
    """

    estimate: float
    scale: float
    of_treated: Floats
    of_outcome: Floats


def working_model(outcome: Floats, treated: Flags, covariates: Floats) -> WorkingModel:
    """Fit the linear working model in which the strength of confounders is measured."""
    ones = np.ones((len(outcome), 1))
    known, both = np.hstack([ones, covariates]), np.column_stack([outcome, treated]).astype(float)
    y, d = left_over(both, known, ones[:, 0]).T
    estimate = float(d @ y / (d @ d))
    y = y - estimate * d
    shares = []
    for column in range(covariates.shape[1]):
        without = np.delete(known, column + 1, axis=1)
        d_more = left_over(both[:, 1], without, ones[:, 0])
        y_more = left_over(both[:, 0], np.column_stack([without, both[:, 1]]), ones[:, 0])
        shares.append((1 - (d @ d) / (d_more @ d_more), 1 - (y @ y) / (y_more @ y_more)))
    of_treated, of_outcome = np.clip(np.array(shares).reshape(-1, 2), 0.0, 1.0).T
    return WorkingModel(
        estimate=estimate, scale=float(np.sqrt((y @ y) / (d @ d))), of_treated=of_treated, of_outcome=of_outcome
    )


def bias_bounds(model: WorkingModel, multiple: float) -> Floats:
    """Bound the bias of a confounder so many times as strong as each covariate, in treatment and outcome alike.

    Infinite where nothing can be that strong.
    """
    r2d, r2y = model.of_treated, model.of_outcome
    with np.errstate(divide="ignore", invalid="ignore"):
        of_treated = multiple * r2d / (1 - r2d)
        between = multiple * r2d**2 / ((1 - multiple * r2d) * (1 - r2d))
        root = (np.sqrt(multiple) + np.sqrt(between)) / np.sqrt(1 - between)
        of_outcome = np.minimum(root**2 * r2y / (1 - r2y), 1.0)
        bias = model.scale * np.sqrt(of_outcome * of_treated / (1 - of_treated))
    return np.where((of_treated >= 1) | (multiple * r2d >= 1) | (between >= 1) | (r2y >= 1), np.inf, bias)


def robustness_value(size: float, scale: float) -> float:
    """Compute the partial R2, with treatment and outcome alike, of a confounder that makes a bias of this size.

    Examples
    --------
    >>> round(robustness_value(4.18445, 783**0.5), 4)  # t of 4.18 on 783 degrees, in Cinelli & Hazlett's example
    0.1388
    """
    if not size > 0:
        return 0.0
    if not scale > 0:
        return 1.0
    square = (size / scale) ** 2
    return float(np.sqrt(square**2 + 4 * square) - square) / 2


def hidden_confounder(
    outcome: Floats, treated: Flags, covariates: pd.DataFrame, *, estimate: float, conf_low: float, conf_high: float
) -> HiddenConfounder:
    """Say how strong a hidden confounder would remove a difference, in multiples of the strongest measured one.

    Strength is partial R2 with treatment and with the outcome given treatment. The bias of a confounder so many times
    as strong as a covariate is bounded in a linear working model: least squares of the outcome on treatment and
    covariates. The difference, and its limits, may be of another method (doubly robust): what is approximated is that
    a confounder would bias it as it biases the coefficient of that model, which is linear, does not weigh, and knows
    no interaction of treatment with covariates. Of an outcome of yes and no it is the linear probability model.
    The strongest covariate is the one whose like would make the largest bias. A category of several columns counts
    column by column.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    treated : ndarray of bool, shape (n,)
    covariates : DataFrame of float, shape (n, k)
    estimate, conf_low, conf_high : float
        The difference that is to be removed.

    References
    ----------
    Cinelli, C. & Hazlett, C. (2020). Making sense of sensitivity: extending omitted variable bias. Journal of the Royal
    Statistical Society B 82, 39-67. doi:10.1111/rssb.12348

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> age = rng.normal(size=400)
    >>> treated = rng.normal(size=400) + age > 0
    >>> outcome = age + treated + rng.normal(size=400)
    >>> found = hidden_confounder(
    ...     outcome, treated, pd.DataFrame({"age": age}), estimate=1.0, conf_low=0.8, conf_high=1.2
    ... )
    >>> found.strongest, found.multiple > 0.5
    ('age', True)
    """
    model = working_model(outcome, treated, covariates.to_numpy(dtype=float))
    nearest = 0.0 if conf_low <= 0 <= conf_high else min(abs(conf_low), abs(conf_high))
    once = bias_bounds(model, 1.0)
    is_one = bool(len(once)) and float(once.max()) > 0
    strongest = int(once.argmax()) if is_one else -1
    return HiddenConfounder(
        robustness_value=robustness_value(abs(estimate), model.scale),
        robustness_value_of_limit=robustness_value(nearest, model.scale),
        strongest=str(covariates.columns[strongest]) if is_one else "",
        multiple=_multiple(model, strongest, abs(estimate)) if is_one else np.inf,
        multiple_of_limit=_multiple(model, strongest, nearest) if is_one else np.inf,
    )


def _multiple(model: WorkingModel, column: int, size: float) -> float:
    """Find how many times the covariate makes a bias of this size, by halving: bias grows with the multiple."""
    if size == 0:
        return 0.0
    low, high = 0.0, 1 / float(model.of_treated[column])  # there it would explain more than all of treatment
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if bias_bounds(model, middle)[column] < size else (low, middle)
    return (low + high) / 2
