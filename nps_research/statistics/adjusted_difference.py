"""The difference between treated and untreated people, other things equal, beside the naive one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nps_research.errors import EstimationError
from nps_research.statistics.boosting import folds_of_clusters
from nps_research.statistics.clustered_limits import MeanDifference, clustered_difference, difference_of_means
from nps_research.statistics.cross_fitted import CrossFitted, cross_fitted
from nps_research.statistics.enough import PER_COLUMN
from nps_research.statistics.hidden_confounder import HiddenConfounder, hidden_confounder
from nps_research.statistics.logistic import independent_columns
from nps_research.statistics.overlap import Estimand, Overlap, covariate_balance, odds_weights, overlap
from nps_research.statistics.propensity import SLIGHT_RIDGE
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.typing import Flags, Floats, Integers, Numbers

EVENTS_AN_ARM = 10  # in each arm, and as many without
CLUSTERS_AN_ARM = 10  # in each arm
LARGEST_TRIMMED = 0.2
POPULATION = {
    ("treated", False): "the treated",
    ("treated", True): "the treated who are like some of the untreated",
    ("all", False): "all",
    ("all", True): "all who are like some of the treated and some of the untreated",
}


@dataclass(frozen=True, kw_only=True)
class AdjustedMeans(MeanDifference):
    """A difference, other things equal.

    Attributes
    ----------
    mean_treated, mean_untreated : float
        Mean outcome of the population, were all treated, and were none.
    selection : MeanDifference
        How much of the naive difference the choice of who was treated (and who answered) made: naive less adjusted.
    hidden : HiddenConfounder
        How strong something not measured would have to be to remove the difference; in a linear working model.
    """

    mean_treated: float
    mean_untreated: float
    selection: MeanDifference
    hidden: HiddenConfounder


@dataclass(frozen=True, kw_only=True, eq=False)
class AdjustedDifference:
    """The difference between treated and untreated people, adjusted for who was treated, or why there is none.

    Attributes
    ----------
    estimand : {"treated", "all"}
        The mean difference among the treated (ATT), or of all (ATE).
    population : str
        Of whom it is; where some were trimmed, another one than was asked for.
    adjusted : AdjustedMeans or None
        None where it cannot be answered.
    reason : str
        Why it cannot be answered; "" where it is.
    naive : MeanDifference or None
        Mean outcome of the treated less that of the untreated, of those whose outcome is known; None where an arm has
        none.
    n_treated, n_untreated : int
        People.
    n_clusters_treated, n_clusters_untreated : int
        Clusters with somebody of the arm whose outcome is known.
    answered_treated, answered_untreated : float
        Share of each arm whose outcome is known.
    overlap : Overlap or None
        None where too few were there to model.
    balance : DataFrame
        ``covariate``, standardised mean differences ``before`` and, where modelled, ``after`` weighting.
    """

    estimand: Estimand
    population: str
    adjusted: AdjustedMeans | None
    reason: str
    naive: MeanDifference | None
    n_treated: int
    n_untreated: int
    n_clusters_treated: int
    n_clusters_untreated: int
    answered_treated: float
    answered_untreated: float
    overlap: Overlap | None
    balance: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The people of both arms: arrays of shape (n,)."""

    outcome: Flags | Floats  # 0, or False, where not known
    treated: Flags
    answered: Flags
    cluster: Integers

    def clusters(self, arm: bool) -> int:
        """Clusters with an outcome in the arm."""
        return len(np.unique(self.cluster[self.answered & (self.treated == arm)]))


def adjusted_difference(
    outcome: Flags | Floats,
    treated: Flags,
    covariates: pd.DataFrame,
    cluster: Numbers,
    *,
    estimand: Estimand = "treated",
    answered: Flags | None = None,
    folds: Integers | None = None,
    ridge: float = SLIGHT_RIDGE,
    cut: float = 0.98,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> AdjustedDifference:
    """Compare treated with untreated people who are alike in what was known before (cross-fitted AIPW).

    The estimand is the mean over the treated (or over all) of the outcome under treatment less the outcome without it.
    Each person's outcome under either is foretold, and what people's outcomes are off it is added with weights: the
    augmented inverse-propensity weighted estimate, right where either the chances or the outcomes are modelled well.
    Where outcomes are missing of some, the weights are also over the chance that it is known in the person's arm.

    Parameters
    ----------
    outcome : ndarray of bool or float, shape (n,)
        Yes or no (flags), modelled by logistic regression; or numbers, by least squares. Not read where not known.
    treated : ndarray of bool, shape (n,)
    covariates : DataFrame of float, shape (n, k)
        Known before treatment, encoded by the caller; nothing missing.
    cluster : array-like, shape (n,)
        Label of whom a person's outcome goes together with: the account.
    estimand : {"treated", "all"}
    answered : ndarray of bool, shape (n,), optional
        Whose outcome is known; None takes all.
    folds : ndarray of int, shape (n,), optional
        Fold of each person, whole clusters in one; None draws five.
    ridge : float
        Of the logistic models; the slight one keeps a covariate that separates the arms finite and moves nothing else.
    cut : float
        Largest propensity kept; of all, also one less it as the smallest.
    confidence_level : float
    rng : numpy.random.Generator, optional
        Draws the folds; None starts a fixed one.

    Returns
    -------
    AdjustedDifference
        Without a number, and with the reason, where an arm has fewer than 10 clusters, or of yes and no fewer than 10
        of either; where treated or untreated people are fewer than five for each column; where more than 20% of the
        population asked for are trimmed.

    Raises
    ------
    EstimationError
        If arrays differ in length, a covariate is missing of somebody, or folds part a cluster.

    Notes
    -----
    It is an effect only if whoever are alike in the covariates were treated by chance (and answered by chance, given
    the arm), if everyone could have been either, and if nobody's treatment changes another's outcome. The standard
    error is that of the influence function, summed by cluster; see `clustered_limits` for the t limits. Trimmed people
    leave the mean, not the models. Covariates of a handful of people make treatment foretold badly: join small
    categories before.

    References
    ----------
    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
    not always observed. Journal of the American Statistical Association 89, 846-866.
    doi:10.1080/01621459.1994.10476818

    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. The Econometrics Journal 21, C1-C68.
    doi:10.1111/ectj.12097

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> loyalty = rng.normal(size=2000)
    >>> called = rng.random(2000) < 1 / (1 + np.exp(-loyalty))  # the loyal are called; a call changes nothing
    >>> score = 7 + loyalty + rng.normal(size=2000)
    >>> found = adjusted_difference(score, called, pd.DataFrame({"loyalty": loyalty}), np.arange(2000))
    >>> round(found.naive.estimate, 1), found.adjusted.conf_low < 0 < found.adjusted.conf_high
    (0.7, True)
    """
    _check_lengths(outcome=outcome, treated=treated, covariates=covariates, cluster=cluster)
    people = _compared(outcome, treated, answered, cluster)
    _check(covariates, people, folds)
    values = covariates.to_numpy(dtype=float)
    spread = values.std(axis=0)
    design = np.column_stack([np.ones(len(values)), (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)])
    design = design[:, independent_columns(design)]
    reason, modelled, within = _too_few(people, design.shape[1]), None, None
    if not reason:
        drawn = (
            folds_of_clusters(people.cluster, rng or np.random.default_rng(DEFAULT_SEED)) if folds is None else folds
        )
        modelled = cross_fitted(people.outcome, people.treated, people.answered, design, drawn, ridge=ridge)
        within = overlap(modelled.propensity, people.treated, estimand=estimand, cut=cut)
        reason = _too_far_apart(within, estimand, cut)
    adjusted = None
    if modelled is not None and within is not None and not reason:
        adjusted = _adjusted(people, covariates, modelled, within.kept, estimand, confidence_level)
    return AdjustedDifference(
        estimand=estimand,
        population=POPULATION[estimand, within is not None and not within.kept.all()],
        adjusted=adjusted,
        reason=reason,
        naive=_naive(people, confidence_level),
        n_treated=int(people.treated.sum()),
        n_untreated=int((~people.treated).sum()),
        n_clusters_treated=people.clusters(True),
        n_clusters_untreated=people.clusters(False),
        answered_treated=_share(people.answered[people.treated]),
        answered_untreated=_share(people.answered[~people.treated]),
        overlap=within,
        balance=_balance(covariates, people.treated, modelled, within, estimand),
    )


def doubly_robust(
    people: Compared, modelled: CrossFitted, kept: Flags, estimand: Estimand, confidence_level: float
) -> tuple[MeanDifference, tuple[float, float], Floats]:
    """Compute the augmented inverse-propensity weighted difference, both means and each row's influence."""
    treated, outcome = people.treated, np.where(people.answered, people.outcome, 0.0)
    target = kept * (treated if estimand == "treated" else 1.0)
    weight = odds_weights(modelled.propensity, treated, kept, estimand=estimand) * people.answered
    off_treated = np.where(treated, weight / modelled.answers_treated * (outcome - modelled.if_treated), 0.0)
    off_untreated = np.where(~treated, weight / modelled.answers_untreated * (outcome - modelled.if_untreated), 0.0)
    if_treated = (target * modelled.if_treated + off_treated) / target.sum()
    if_untreated = (target * modelled.if_untreated + off_untreated) / target.sum()
    means = float(if_treated.sum()), float(if_untreated.sum())
    estimate = means[0] - means[1]
    influence = if_treated - if_untreated - target / target.sum() * estimate
    found = clustered_difference(estimate, influence, people.cluster, confidence_level=confidence_level)
    return found, means, influence


def _check_lengths(**given: Any) -> None:
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        raise EstimationError(
            f"As many of each are needed: {', '.join(f'{n:,} {name}' for name, n in lengths.items())}."
        )


def _compared(outcome: Flags | Floats, treated: Flags, answered: Flags | None, cluster: Numbers) -> Compared:
    treated = np.asarray(treated, dtype=bool)
    known = np.ones(len(treated), dtype=bool) if answered is None else np.asarray(answered, dtype=bool)
    filled = np.where(known, np.asarray(outcome), False)
    codes = np.unique(np.asarray(cluster), return_inverse=True)[1].astype(np.int64)
    values = filled if filled.dtype == bool else filled.astype(float)
    return Compared(outcome=values, treated=treated, answered=known, cluster=codes)


def _check(covariates: pd.DataFrame, people: Compared, folds: Integers | None) -> None:
    gaps = covariates.columns[covariates.isna().any()]
    if len(gaps):
        raise EstimationError(f"Missing of some people: {', '.join(map(str, gaps))}. Fill it and mark where it was.")
    if not np.isfinite(people.outcome).all():
        raise EstimationError("An outcome is missing of somebody who is said to have answered.")
    if folds is not None and pd.Series(folds).groupby(people.cluster).nunique().max() > 1:
        raise EstimationError("The folds part a cluster: whoever goes together belongs into one fold.")


def _adjusted(
    people: Compared,
    covariates: pd.DataFrame,
    modelled: CrossFitted,
    kept: Flags,
    estimand: Estimand,
    confidence_level: float,
) -> AdjustedMeans:
    """The doubly robust difference, what selection made beside it, and what would remove it."""
    found, means, influence = doubly_robust(people, modelled, kept, estimand, confidence_level)
    naive, naive_influence = difference_of_means(
        people.outcome, people.treated, people.answered, people.cluster, confidence_level=confidence_level
    )
    selection = clustered_difference(
        naive.estimate - found.estimate, naive_influence - influence, people.cluster, confidence_level=confidence_level
    )
    in_model = kept & people.answered
    hidden = hidden_confounder(
        people.outcome[in_model].astype(float),
        people.treated[in_model],
        covariates[in_model],
        estimate=found.estimate,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
    )
    return AdjustedMeans(
        **vars(found), mean_treated=means[0], mean_untreated=means[1], selection=selection, hidden=hidden
    )


def _naive(people: Compared, confidence_level: float) -> MeanDifference | None:
    """The difference of means; None where an arm has no outcome, or all are of one cluster."""
    if not people.clusters(True) or not people.clusters(False) or people.cluster.max() == 0:
        return None
    outcome, treated, answered, cluster = people.outcome, people.treated, people.answered, people.cluster
    return difference_of_means(outcome, treated, answered, cluster, confidence_level=confidence_level)[0]


def _too_few(people: Compared, n_columns: int) -> str:
    """Why there are too few people to compare; "" where there are enough."""
    for arm, name in ((True, "treated"), (False, "untreated")):
        clusters = people.clusters(arm)
        if clusters < CLUSTERS_AN_ARM:
            return f"The {name} whose outcome is known are of {clusters} clusters; {CLUSTERS_AN_ARM} are needed."
        known = people.outcome[people.answered & (people.treated == arm)]
        fewer = min(int(known.sum()), int((~known).sum())) if known.dtype == bool else EVENTS_AN_ARM
        if fewer < EVENTS_AN_ARM:
            rarer = "yes" if known.mean() < 0.5 else "no"
            return f"Among the {name} the outcome is {rarer} of {fewer} people; {EVENTS_AN_ARM} are needed."
        n_arm = int((people.treated == arm).sum())
        if n_arm < PER_COLUMN * n_columns:
            return f"{n_arm} are {name}; with {n_columns} columns {PER_COLUMN * n_columns} are needed."
    return ""


def _too_far_apart(within: Overlap, estimand: Estimand, cut: float) -> str:
    """Why the arms are too unlike to be compared; "" where they are not."""
    if within.trimmed_share <= LARGEST_TRIMMED:
        return ""
    whom = "the treated" if estimand == "treated" else "all"
    return (
        f"{within.trimmed_share:.0%} of {whom} are like hardly anyone of the other arm (propensity beyond {cut:g}); "
        f"at most {LARGEST_TRIMMED:.0%} can be left out."
    )


def _balance(
    covariates: pd.DataFrame, treated: Flags, modelled: CrossFitted | None, within: Overlap | None, estimand: Estimand
) -> pd.DataFrame:
    if not treated.any() or treated.all():
        return pd.DataFrame({"covariate": covariates.columns})
    if modelled is None or within is None or not (within.kept & treated).any() or not (within.kept & ~treated).any():
        return covariate_balance(covariates, treated)
    weights = odds_weights(modelled.propensity, treated, within.kept, estimand=estimand)
    return covariate_balance(covariates, treated, weights)


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else np.nan
