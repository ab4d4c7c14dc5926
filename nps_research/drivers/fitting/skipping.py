"""Who was asked for a rating and did not give it: told beside the drivers, and no driver itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.drivers.enough import LEAST_CLUSTERS, LEAST_RATINGS
from nps_research.drivers.fitting.data import DriverData
from nps_research.statistics.distributions import t_sf
from nps_research.statistics.least_squares import regress
from nps_research.statistics.multiplicity import adjust_p_values


def skipping(data: DriverData, *, minimum_cell: int) -> pd.DataFrame:
    """Set those who were asked for a rating and skipped it beside those who gave it.

    Returns
    -------
    DataFrame
        A row a driver: n_asked; skip_points (NPS of those who skipped it minus NPS of those who rated it) and
        skip_p_adjusted (t over clusters; Holm), nan where fewer than `minimum_cell`, or `LEAST_RATINGS`, skipped it
        or rated it.
    """
    n_asked, y, least = data.asked.sum(axis=0), data.y.sum(axis=0), max(minimum_cell, LEAST_RATINGS)
    found = np.full((2, len(data.terms)), np.nan)
    for term, asked in enumerate(data.asked.T):
        skipped = np.isnan(data.ratings[asked, term])
        cluster = np.unique(data.cluster[asked], return_inverse=True)[1]
        if min(skipped.sum(), (~skipped).sum()) >= least and cluster.max() + 1 >= LEAST_CLUSTERS:
            design = np.column_stack([np.ones(len(skipped)), skipped])
            fit = regress(y[asked], design, data.weights[asked], cluster)
            statistic = fit.coefficient[1] / np.sqrt(fit.covariance[1, 1])
            found[:, term] = fit.coefficient[1], 2 * t_sf(abs(statistic), cluster.max())
    return pd.DataFrame({"n_asked": n_asked, "skip_points": found[0], "skip_p_adjusted": adjust_p_values(found[1])})
