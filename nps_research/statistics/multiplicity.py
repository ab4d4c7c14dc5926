"""P-values of several comparisons at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from nps_research.errors import EstimationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nps_research.typing import Floats


__all__ = ["Adjustment", "adjust_p_values"]


Adjustment = Literal["holm", "benjamini-hochberg", "bonferroni", "none"]


def adjust_p_values(p: Sequence[float] | Floats, adjust: Adjustment = "holm") -> Floats:
    """p-values adjusted for how many comparisons were made; missing ones stay missing and count not.

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
    values = np.asarray(p, dtype=float)
    adjusted = values.copy()
    known = ~np.isnan(values)
    m = int(known.sum())
    if adjust == "benjamini-hochberg":
        adjusted[known] = stats.false_discovery_control(values[known], method="bh") if m else values[known]
    elif adjust == "holm":
        order = np.argsort(values[known], kind="stable")
        stepped = np.maximum.accumulate(values[known][order] * np.arange(m, 0, -1))
        placed = np.empty(m)
        placed[order] = np.minimum(stepped, 1.0)
        adjusted[known] = placed
    elif adjust == "bonferroni":
        adjusted[known] = np.minimum(values[known] * m, 1.0)
    elif adjust != "none":
        raise EstimationError(f"adjust = {adjust!r} is not known; allowed: holm, benjamini-hochberg, bonferroni, none.")
    return adjusted
