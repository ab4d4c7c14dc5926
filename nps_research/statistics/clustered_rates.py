"""Limits of shares of groups whose members come in clusters: one person's invitations, one account's people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.statistics.normal_limits import drawn_in
from nps_research.statistics.proportions import wilson_limits
from nps_research.typing import Integers, Numbers


def clustered_rates(
    event: Numbers, group: Integers, cluster: Integers, *, n_groups: int, confidence_level: float
) -> pd.DataFrame:
    """Compute rates of groups with Wilson's limits, as of the effective number in each (Korn & Graubard).

    The variance of a rate is linearised over clusters; the effective number is what a simple sample would need for
    this variance, at most the number there is, drawn in by t instead of normal quantiles for few clusters (Korn &
    Graubard 1998). Where a rate is 0 or 1 each cluster counts once.

    Parameters
    ----------
    event : ndarray of bool, shape (n,)
        Whether it happened.
    group, cluster : ndarray of int, shape (n,)
        The group of each, from 0, and the cluster; equal numbers are one cluster, over groups too.
    n_groups : int
        Number of groups.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    DataFrame
        n, events, estimate, std_error, conf_low, conf_high; a row a group, NaN where there is nobody.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.

    Examples
    --------
    >>> one = np.arange(20)
    >>> alone = clustered_rates(one < 2, one * 0, one, n_groups=1, confidence_level=0.95)
    >>> twins = clustered_rates(one < 2, one * 0, one // 2, n_groups=1, confidence_level=0.95)
    >>> bool(alone["conf_high"][0] < twins["conf_high"][0])
    True
    """
    n = np.bincount(group, minlength=n_groups)
    events = np.bincount(group, weights=event, minlength=n_groups)
    cells = pd.DataFrame({"group": group, "cluster": cluster, "event": event.astype(float)})
    sums = cells.groupby(["group", "cluster"])["event"].agg(["sum", "size"]).reset_index()
    of = sums["group"].to_numpy()
    m = np.bincount(of, minlength=n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = events / n
        error = (sums["sum"].to_numpy() - rate[of] * sums["size"].to_numpy()) / n[of]
        variance = np.bincount(of, weights=error**2, minlength=n_groups) * m / (m - 1)
        simple = rate * (1 - rate) / (n - 1)  # alone, everyone counts as one
        effective = np.where(simple > 0, np.minimum(simple / variance * n, n), np.minimum(m, n))
        effective = np.where(m < n, effective * drawn_in(m - 1, quantile=0.5 + confidence_level / 2), effective)
    low, high = wilson_limits(rate * effective, effective, confidence_level=confidence_level)
    return pd.DataFrame(
        {
            "n": n,
            "events": events.astype(np.int64),
            "estimate": rate,
            "std_error": np.where(m > 1, np.sqrt(variance), np.nan),
            "conf_low": low,
            "conf_high": high,
        }
    )
