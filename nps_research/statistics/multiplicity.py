"""P-values of several comparisons at once."""

from __future__ import annotations

import gc
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
    if adjust != "none" and known.any():
        from statsmodels.stats.multitest import multipletests  # late: it takes longer than all else here

        method = "fdr_bh" if adjust == "benjamini-hochberg" else adjust
        gc.freeze()  # multipletests asks for a collection of garbage, which would look through all that is in memory
        try:
            adjusted[known] = multipletests(adjusted[known], method=method)[1]
        finally:
            gc.unfreeze()
    return adjusted
