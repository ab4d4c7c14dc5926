"""What drives loyalty: boosted trees and Shapley values in NPS points, with honest uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.score_counts import score_distribution
from nps_research.drivers.enough import LEAST_RESAMPLES
from nps_research.drivers.fitting.cross_fit import cross_fit
from nps_research.drivers.fitting.data import PARTS, DriverData, data_of_frame, data_of_study
from nps_research.drivers.fitting.noise import near_duplicates, noise_tests
from nps_research.drivers.fitting.resampling import Summary, resample, spread, summary_of
from nps_research.drivers.fitting.skipping import skipping
from nps_research.drivers.lists import scale_text
from nps_research.drivers.model import DriverModel
from nps_research.errors import EstimationError
from nps_research.results.words import joined
from nps_research.statistics.boosting import folds_of_clusters
from nps_research.statistics.normal_limits import normal_quantile, with_normal_limits
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.statistics.rank_limits import rank_limits
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

N_NOISE_FITS = 2


@begins_with(data_of_study)
def fit_drivers(
    study: Study,
    *,
    by: str | Sequence[str] | None = None,
    cluster: str | None = "auto",
    weight: str | None = "auto",
    good: float | None = None,
    poor: float | None = None,
    n_resamples: int = 100,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> DriverModel:
    """Say what each rated experience is worth, in NPS points, and how sure that is.

    The answer is recoded -100, 0, 100, as promoters (100 or 0) plus detractors (-100 or 0), each modelled by shallow
    gradient boosting on the ratings. Cross-fitted: a respondent is explained by trees that never saw them, nor anybody
    of their cluster. The estimand of a driver's `estimate`, its points at stake, is what this procedure gives on
    average at this number of answers: the mean of the rating's contribution where it is good, minus that where it is
    poor. Contributions are interventional Shapley values against all respondents: what the model says depends on a
    rating, others held as they are, so that a rating the model does not use gets nothing, however much it goes with
    others. Path-dependent values, the other kind in use, share the credit between ratings that go together by how trees
    happen to be grown; `compare_methods` shows both. Missing ratings are a level of their own; nothing is imputed.

    Whether a driver is above noise is another question than how many points it has: see `fitting.noise.noise_tests`.
    How often intervals, ranks and tests are right: ``calibration/drivers.md``. Nothing here is a cause.

    Parameters
    ----------
    study : Study
        With ratings.
    by : str or sequence of str, optional
        Column of groups for `explain_change`; several make groups of their combinations.
    cluster : str or None
        Column within whose values answers are alike; ``"auto"`` as in `score_distribution`; None: independent.
    weight : str or None
        Column of weights; ``"auto"`` takes ``design_weight``, if there is one. Made to have a mean of 1.
    good, poor : float, optional
        Lowest good and highest poor rating. None: 9 and 6 of 0-10, 5 and 3 of 1-5, 7 and 4 of 1-7, other scales alike.
    n_resamples : int
        Refits to resampled clusters, for standard errors.
    confidence_level : float
    rng : numpy.random.Generator, optional
        Draws folds and resamples; None starts a fixed one.

    Returns
    -------
    DriverModel

    Raises
    ------
    CannotAnswerError
        If the study has no ratings, or too few answers, clusters or kinds of answers to model.
    ContractError
        If a column is named that no study has.
    EstimationError
        If a setting is impossible.

    References
    ----------
    Friedman, J. H. (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29,
    1189-1232. doi:10.1214/aos/1013203451

    Janzing, D., Minorics, L. & Bloebaum, P. (2020). Feature relevance quantification in explainable AI: a causal
    problem. Proceedings of Machine Learning Research 108, 2907-2916.
    """
    keys = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    data = data_of_study(study, by=keys, cluster=cluster, weight=weight, good=good, poor=poor)
    model = _model(
        data,
        by=keys,
        not_shown=score_distribution(study, by=keys, cluster=cluster, weight=weight).hidden_groups
        if keys
        else frozenset(),
        minimum_cell=study.settings.minimum_cell,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        rng=rng,
    )
    return replace(model, unweighted=weight is None and "responses.design_weight" in study.available)


def fit_drivers_from_frame(
    ratings: pd.DataFrame,
    likelihood_to_recommend: Any,
    *,
    cluster: Any = None,
    weights: Any = None,
    group: Any = None,
    scale: tuple[float, float] | None = None,
    good: float | None = None,
    poor: float | None = None,
    promoter_min: int = 9,
    detractor_max: int = 6,
    n_resamples: int = 100,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> DriverModel:
    """Fit drivers as `fit_drivers`, from plain tables.

    Parameters
    ----------
    ratings : DataFrame, shape (n, n_drivers)
        Numbers; missing where not rated.
    likelihood_to_recommend : array-like, shape (n,)
        0 to 10; rows without it are left out.
    cluster, weights, group : array-like, shape (n,), optional
        Who belongs together; weights; groups for `explain_change`.
    scale : tuple of float, optional
        Lowest and highest rating; None takes the first of 1-5, 1-7 and 0-10 that holds them all.
    good, poor, n_resamples, confidence_level, rng
        As in `fit_drivers`.
    promoter_min, detractor_max : int
        Cuts.

    Returns
    -------
    DriverModel

    Raises
    ------
    EstimationError
        If tables do not fit together, or too little is there to model.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ratings = pd.DataFrame(rng.integers(1, 6, (600, 2)), columns=["delivery", "newsletter"])
    >>> answer = (4 + ratings["delivery"] + rng.normal(0, 1.5, 600)).round().clip(0, 10)
    >>> model = fit_drivers_from_frame(ratings, answer, n_resamples=20)
    >>> model.frame["term"].tolist(), model.frame["above_noise"].tolist()
    (['delivery', 'newsletter'], [True, False])
    """
    data = data_of_frame(
        ratings,
        likelihood_to_recommend,
        cluster=cluster,
        weights=weights,
        group=group,
        scale=scale,
        good=good,
        poor=poor,
        promoter_min=promoter_min,
        detractor_max=detractor_max,
    )
    return _model(
        data,
        by=() if group is None else ("group",),
        not_shown=frozenset(),
        minimum_cell=0,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        rng=rng,
    )


def _model(
    data: DriverData,
    *,
    by: tuple[str, ...],
    not_shown: frozenset[str],
    minimum_cell: int,
    n_resamples: int,
    confidence_level: float,
    rng: np.random.Generator | None,
) -> DriverModel:
    check_level(confidence_level)
    if n_resamples < LEAST_RESAMPLES:
        raise EstimationError(f"n_resamples = {n_resamples}: {LEAST_RESAMPLES} or more are needed.")
    folding, resampling, ranking = (np.random.default_rng(DEFAULT_SEED) if rng is None else rng).spawn(3)
    fits = [cross_fit(data, folds_of_clusters(data.cluster, folding)) for _ in range(N_NOISE_FITS)]
    summary = summary_of(data, fits[0])
    draws = resample(data, n_resamples=n_resamples, rng=resampling)
    sets = near_duplicates(data)
    tests = noise_tests(data, fits, sets=sets)
    skipped = skipping(data, minimum_cell=minimum_cell)
    frame = _frame(data, summary, draws, confidence_level).join([tests.iloc[: len(data.terms)], skipped])
    frame = _with_verdicts(frame, tests.iloc[len(data.terms) :], sets, 1 - confidence_level)
    judged = frame["estimate"].notna().to_numpy()
    if judged.any():
        size = np.where(frame["estimate"] < 0, -1.0, 1.0)[judged]  # most at stake first, whichever way it goes
        low, high = rank_limits(
            size * frame["estimate"].to_numpy()[judged],
            size * draws.points.sum(axis=1)[:, judged],
            confidence_level=confidence_level,
            rng=ranking,
        )
        frame.loc[judged, "rank_low"], frame.loc[judged, "rank_high"] = low, high
    reach = normal_quantile(confidence_level) * float(draws.r_squared.std(ddof=1))
    return DriverModel(
        frame=frame.sort_values("estimate", key=np.abs, ascending=False, kind="stable", ignore_index=True),
        confidence_level=confidence_level,
        title="Ratings and the answer: NPS points at stake",
        minimum_cell=minimum_cell,
        baseline=float(fits[0].baseline.sum()),
        n=len(data),
        n_clusters=data.n_clusters if data.n_clusters < len(data) else None,
        weighted=bool(np.ptp(data.weights) > 0),
        n_resamples=n_resamples,
        r_squared=float(summary.r_squared),
        r_squared_conf_low=float(summary.r_squared) - reach,
        r_squared_conf_high=min(float(summary.r_squared) + reach, 1.0),
        scale=scale_text(data),
        sets=tuple(
            {
                "terms": [data.terms[term] for term in terms],
                "p_adjusted": float(p),
                "above_noise": bool(p < 1 - confidence_level),
            }
            for terms, p in zip(sets, tests["p_adjusted"].iloc[len(data.terms) :], strict=True)
        ),
        by=by,
        not_shown=not_shown,
        data=data,
        fit=fits[0],
        summary=summary,
        draws=draws,
    )


def _frame(data: DriverData, summary: Summary, draws: Summary, confidence_level: float) -> pd.DataFrame:
    """A row a driver, in the order they came."""
    columns: dict[str, Any] = {
        "term": list(data.terms),
        "n": data.n_rated,
        "mean_rating": data.mean_of_raters(data.ratings),
        "top_box_share": data.mean_of_raters(data.ratings == data.scale[1]),
    }
    values = {"estimate": (summary.points.sum(axis=0), draws.points.sum(axis=1))}
    values |= {f"{part}_points": (summary.points[place], draws.points[:, place]) for place, part in enumerate(PARTS)}
    for name, (value, drawn) in values.items():
        value, error = (np.where(data.can_be_judged, each, np.nan) for each in (value, spread(drawn)))
        columns |= with_normal_limits(value, error, confidence_level, name=name)
    return pd.DataFrame({**columns, "mean_abs_shap": summary.mean_abs_shap, "rank_low": np.nan, "rank_high": np.nan})


def _with_verdicts(
    frame: pd.DataFrame, of_sets: pd.DataFrame, sets: Sequence[Sequence[int]], alpha: float
) -> pd.DataFrame:
    """above_noise, missing where nothing varies or where only a set of near-duplicates is above noise."""
    above = pd.array([pd.NA if pd.isna(p) else p < alpha for p in frame["p_adjusted"]], dtype="boolean")
    told_from = [""] * len(frame)
    for terms, p in zip(sets, of_sets["p_adjusted"], strict=True):
        if p < alpha and not any(above[term] is not pd.NA and above[term] for term in terms):
            for term in terms:
                above[term] = pd.NA
                told_from[term] = joined([frame["term"][other] for other in terms if other != term])
    return frame.assign(above_noise=above, told_from=told_from)
