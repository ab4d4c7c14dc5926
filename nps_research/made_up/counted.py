"""A planted truth beside what it came to in the company itself, by counting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nps_research.typing import Floats, Integers, Numbers

GROUPS = 50  # of accounts; leaving out each in turn gives the error of what is counted


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One planted number, and the same number counted in a drawn company that is wholly known.

    Attributes
    ----------
    truth : str
        What is planted, in words that stand alone.
    planted, counted : float
    unit : str
        ``"score points"``, ``"NPS points"``, ``"%"``, ``"times"``; empty for a correlation or a slope.
    error : float
        Standard error of `counted`, from the draw alone.
    """

    truth: str
    planted: float
    counted: float
    unit: str
    error: float

    @property
    def is_held(self) -> bool:
        """Whether what was counted lies within 3.5 standard errors of what was planted."""
        return abs(self.counted - self.planted) <= 3.5 * self.error + 1e-9


@dataclass(frozen=True, eq=False)
class CountedRows:
    """CountedRows of which each belongs to an account, and how to count over them.

    Attributes
    ----------
    account : ndarray of int, shape (n,)
        Position of each row's account.
    """

    account: Integers

    def count(
        self,
        truth: str,
        planted: float,
        unit: str,
        *parts: tuple[Numbers, Numbers],
        combined: Callable[..., Floats] = lambda only: only,
    ) -> Counted:
        """Means of values over weights, combined into one number, with its error between groups of accounts.

        Parameters
        ----------
        truth, planted, unit
            As in `Counted`.
        *parts : tuple of ndarray
            Values and weights (or flags) of each mean, both of shape (n,).
        combined : callable
            Makes the number of the means.
        """
        group = np.random.default_rng(0).permutation(int(self.account.max()) + 1)[self.account] % GROUPS
        totals = [
            [np.bincount(group, np.where(weight > 0, part * weight, 0.0), GROUPS), np.bincount(group, weight, GROUPS)]
            for part, weight in (
                (np.asarray(values, dtype=float), np.asarray(given, dtype=float)) for values, given in parts
            )
        ]
        with np.errstate(invalid="ignore", divide="ignore"):
            counted = combined(*(values.sum() / weights.sum() for values, weights in totals))
            without = combined(*((values.sum() - values) / (weights.sum() - weights) for values, weights in totals))
        known = np.asarray(without)[~np.isnan(without)]  # in a small company nobody may be left
        error = np.sqrt((GROUPS - 1) / GROUPS * ((known - known.mean()) ** 2).sum()) if len(known) else np.nan
        return Counted(truth=truth, planted=planted, counted=float(counted), unit=unit, error=float(error))


def gap(one: Floats, other: Floats) -> Floats:
    """How much the first mean lies above the second."""
    return one - other


def times(one: Floats, other: Floats) -> Floats:
    """How many times the second mean the first one is."""
    return one / other
