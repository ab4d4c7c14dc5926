"""Whether treated and untreated people are alike enough to be compared, and how alike weights make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from nps_research.typing import Flags, Floats

Estimand = Literal["treated", "all"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap:
    """How far the propensities of treated and untreated people overlap.

    Attributes
    ----------
    kept : ndarray of bool, shape (n,)
        Whose propensity is within the cut.
    trimmed_share : float
        Share that is not kept: of the treated, or of all.
    outside_support_share : float
        Share of the treated whose propensity is above that of every untreated person; they are told, not left out.
    smallest, largest : float
        Propensity of all.
    n_effective_untreated : float
        Kish's number of equally weighted untreated people.
    """

    kept: Flags
    trimmed_share: float
    outside_support_share: float
    smallest: float
    largest: float
    n_effective_untreated: float


def odds_weights(propensity: Floats, treated: Flags, kept: Flags, *, estimand: Estimand) -> Floats:
    """Weight the people who are kept so that either arm resembles the estimand's population.

    Among the treated: 1 of each treated, the odds of treatment of each untreated person. Of all: one over the chance of
    the arm that each is in.

    Examples
    --------
    >>> chance, treated = np.array([0.8, 0.8, 0.5]), np.array([True, False, False])
    >>> odds_weights(chance, treated, chance > 0, estimand="treated").round(2).tolist()
    [1.0, 4.0, 1.0]
    """
    within = np.where(kept, propensity, 0.5)
    target = within if estimand == "treated" else np.ones(len(within))
    return np.where(kept, target / np.where(treated, within, 1 - within), 0.0)


def overlap(propensity: Floats, treated: Flags, *, estimand: Estimand, cut: float) -> Overlap:
    """Trim where one of the arms is all but absent, and say how many that are.

    Among the treated, people whose propensity is above the cut; of all, also those below one less the cut. Who is left
    is another population: the treated who are like some of the untreated.

    References
    ----------
    Crump, R. K., Hotz, V. J., Imbens, G. W. & Mitnik, O. A. (2009). Dealing with limited overlap in estimation of
    average treatment effects. Biometrika 96, 187-199. doi:10.1093/biomet/asn055

    Examples
    --------
    >>> found = overlap(np.array([0.3, 0.6, 0.99, 0.2]), np.array([0, 1, 1, 0], bool), estimand="treated", cut=0.98)
    >>> found.trimmed_share, found.outside_support_share
    (0.5, 1.0)
    """
    kept = propensity <= cut
    if estimand == "all":
        kept &= propensity >= 1 - cut
    counted = treated if estimand == "treated" else np.ones(len(treated), dtype=bool)
    weight = odds_weights(propensity, treated, kept, estimand=estimand)[~treated]
    return Overlap(
        kept=kept,
        trimmed_share=float((~kept[counted]).mean()),
        outside_support_share=float((propensity[treated] > propensity[~treated].max()).mean()),
        smallest=float(propensity.min()),
        largest=float(propensity.max()),
        n_effective_untreated=float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0,
    )


def covariate_balance(covariates: pd.DataFrame, treated: Flags, weights: Floats | None = None) -> pd.DataFrame:
    """Compute standardised mean differences of each covariate between treated and untreated, before and after weights.

    The difference of means over the root mean of both arms' variances before weighting, which stays below the line
    after it, too.

    Returns
    -------
    DataFrame
        ``covariate``, ``before``, and ``after`` where there are weights.

    References
    ----------
    Austin, P. C. (2009). Balance diagnostics for comparing the distribution of baseline covariates between treatment
    groups in propensity-score matched samples. Statistics in Medicine 28, 3083-3107. doi:10.1002/sim.3697

    Examples
    --------
    >>> covariates = pd.DataFrame({"age": [1.0, 3.0, 2.0, 4.0]})
    >>> covariate_balance(covariates, np.array([False, False, True, True])).round(2).to_dict("records")
    [{'covariate': 'age', 'before': 1.0}]
    """
    values = covariates.to_numpy(dtype=float)
    spread = np.sqrt((values[treated].var(axis=0) + values[~treated].var(axis=0)) / 2)
    spread = np.where(spread > 0, spread, np.inf)
    by_weights = {"before": np.ones(len(values))} | ({} if weights is None else {"after": weights})
    means = {
        name: np.average(values[treated], axis=0, weights=weight[treated])
        - np.average(values[~treated], axis=0, weights=weight[~treated])
        for name, weight in by_weights.items()
    }
    return pd.DataFrame({"covariate": covariates.columns} | {name: mean / spread for name, mean in means.items()})
