"""P-values of several comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from nps_research.errors import EstimationError
from nps_research.typing import Floats

Adjustment = Literal["holm", "benjamini-hochberg", "bonferroni", "none"]


def adjust_p_values(p: Sequence[float] | Floats, adjust: Adjustment = "holm") -> Floats:
    """Adjust p-values for the number of comparisons (Holm and others); missing ones stay missing and count not.

    Parameters
    ----------
    p : array-like of shape (n_comparisons,)
        p-values.
    adjust : {"holm", "benjamini-hochberg", "bonferroni", "none"}
        Holm (1979) and Bonferroni bound the chance of any false claim; Benjamini & Hochberg (1995)
        bounds the expected share of false ones among those claimed.

    Returns
    -------
    ndarray of shape (n_comparisons,)

    Raises
    ------
    EstimationError
        If `adjust` is not known.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    if adjust not in get_args(Adjustment):
        raise EstimationError(f"adjust = {adjust!r} is not known; allowed: {', '.join(get_args(Adjustment))}.")
    adjusted = np.array(p, dtype=float)
    known = ~np.isnan(adjusted)
    order = np.argsort(np.where(known, adjusted, np.inf), kind="stable")[: known.sum()]
    rising, n = adjusted[order], len(order)
    if adjust == "holm":
        adjusted[order] = np.maximum.accumulate(rising * np.arange(n, 0, -1)).clip(max=1)
    elif adjust == "benjamini-hochberg":
        adjusted[order] = np.minimum.accumulate((rising * n / np.arange(1, n + 1))[::-1])[::-1].clip(max=1)
    elif adjust == "bonferroni":
        adjusted[order] = (rising * n).clip(max=1)
    return adjusted
