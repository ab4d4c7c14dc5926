"""Quantiles and tails of the usual distributions, by scipy.special.

`scipy.stats` computes the same numbers by the same functions, and takes longer to import than most commands run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def normal_ppf(p: Any) -> Any:
    """Quantile of the standard normal distribution."""
    return special.ndtri(np.asarray(p))


def normal_cdf(z: Any) -> Any:
    """Chance that a standard normal variable is at most z."""
    return special.ndtr(np.asarray(z))


def normal_sf(z: Any) -> Any:
    """Chance that a standard normal variable is above z."""
    return special.ndtr(-np.asarray(z))


def normal_isf(p: Any) -> Any:
    """Value that a standard normal variable is above with chance p."""
    return -special.ndtri(np.asarray(p))


def t_ppf(p: Any, degrees: Any) -> Any:
    """Quantile of Student's t distribution."""
    return special.stdtrit(degrees, np.asarray(p))


def t_sf(t: Any, degrees: Any) -> Any:
    """Chance that a variable with Student's t distribution is above t."""
    return special.stdtr(degrees, -np.asarray(t))


def f_sf(f: Any, numerator: Any, denominator: Any) -> Any:
    """Chance that a variable with Fisher's F distribution is above f."""
    return special.fdtrc(numerator, denominator, np.asarray(f))


def chi2_sf(x: Any, degrees: Any) -> Any:
    """Chance that a variable with a chi-squared distribution is above x."""
    return special.chdtrc(degrees, np.asarray(x))


def beta_sf(x: Any, a: Any, b: Any) -> Any:
    """Chance that a variable with a beta distribution is above x."""
    return special.betaincc(a, b, np.asarray(x))
