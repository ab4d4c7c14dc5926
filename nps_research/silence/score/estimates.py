"""Who was reached in a wave, and the score of all of them by each method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.clusters import cluster_codes, clusters_in, first_available
from nps_research.counting.people import in_bands, in_words
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.counting.silence import require_silence, who_was_asked
from nps_research.errors import CannotAnswerError, ContractError, EstimationError, did_you_mean
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.score.score import net_promoter_score
from nps_research.silence.score.raked import raked_score
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, Weighted, inverse_propensity_score
from nps_research.statistics.predicted_answers import predicted_value
from nps_research.statistics.propensity import PropensityModel, response_propensity
from nps_research.study.response_states import window_open
from nps_research.study.study import Study

OBSERVED, RAKED, BY_LOGISTIC, BY_BOOSTING = "observed", "raked", "weighted: logistic", "weighted: boosted"
DOUBLY_ROBUST = "doubly robust"
PREFERRED = (DOUBLY_ROBUST, BY_LOGISTIC, BY_BOOSTING, RAKED)  # which to read first, of those that there are
LOWEST, HIGHEST = "bound: all silent detractors", "bound: all silent promoters"
NAIVE = "NPS x response rate"
REACHED = ("answered", "item_missing", "nonrespondent")


def reached_rows(study: Study, wave: str | None = None) -> tuple[str, pd.DataFrame]:
    """Choose the wave ("" for all rows, without waves) and its invitations that were reached and have closed.

    Raises
    ------
    ContractError
        If there is no such wave.
    CannotAnswerError
        If silence is not recorded, no window has closed, nobody was silent or nobody answered.
    """
    if wave is not None and wave not in study.waves:
        raise ContractError(f"There is no wave {wave!r}{did_you_mean(wave, list(study.waves))}")
    study.require("responses.likelihood_to_recommend")
    require_silence(study)
    responses = study.responses
    is_open = window_open(responses, study.settings)
    closed = responses[~is_open & responses["response_state"].isin(REACHED)]
    chosen = wave or ""
    if wave is None and study.waves:
        still_open = set(responses.loc[is_open, "wave"].dropna())
        with_any = [name for name in study.waves if name in set(closed["wave"].dropna())]
        whole = [name for name in with_any if name not in still_open]
        chosen = (whole or with_any or [""])[-1]
    rows = closed[closed["wave"] == chosen] if chosen else closed
    of_wave = f" in {chosen}" if chosen else ""
    if rows.empty:
        raise CannotAnswerError(
            f"Nobody's window has closed{of_wave}: until then who is silent is not known. If the tables are older than "
            "that, state data_until in the study's settings."
        )
    answered = rows["response_state"] == "answered"
    if not answered.any():
        raise CannotAnswerError(
            f"Nobody who was {who_was_asked(study)}{of_wave} answered, so there is no score to start from."
        )
    if answered.all():
        raise CannotAnswerError(
            f"Everybody who was {who_was_asked(study)}{of_wave} answered: the observed score is that of all."
        )
    return chosen, rows


def people_of(study: Study, rows: pd.DataFrame, detractor_max: int) -> tuple[Reached, list[str]]:
    """Code the people in `rows` for weighting, and say how they were taken."""
    score = rows["likelihood_to_recommend"].to_numpy(dtype=float, na_value=np.nan)
    answered = (rows["response_state"] == "answered").to_numpy()
    base, remarks = np.ones(len(rows)), [] if study.waves else ["The study has no waves: all invitations together."]
    if "responses.design_weight" in study.available:
        weight = rows["design_weight"].to_numpy(dtype=float, na_value=np.nan)
        if answers_tell_of_one(weight[answered].sum(), (weight[answered] ** 2).sum()):
            remarks.append("Design weights are left aside: few answers would count for nearly all, and so be told.")
        elif (weight > 0).all():
            base = weight
            remarks.append("Design weights are taken into account.")
        else:
            remarks.append(f"Design weights are left aside: not everybody who was {who_was_asked(study)} has one.")
    name = study.settings.cluster or first_available(study, "cluster", "account_id", "customer_id", "respondent_id")
    cluster = np.arange(len(rows)) if name is None else cluster_codes(clusters_in(study, rows, name))
    value = np.where(answered, 100.0 * (score >= study.settings.promoter_min) - 100.0 * (score <= detractor_max), 0.0)
    return Reached(answered=answered, value=value, base=base, cluster=cluster), remarks


def previous_score(study: Study, wave: str, detractor_max: int) -> tuple[str, float] | None:
    """Look up the wave before and its observed score, where there is one that may be shown."""
    place = study.waves.index(wave) if wave else 0
    if place == 0:
        return None
    before = study.waves[place - 1]
    rows = study.responses[study.responses["wave"] == before]
    people, _ = people_of(study, rows[rows["response_state"].isin(REACHED)], detractor_max)
    few = people.answered.sum() < max(study.settings.minimum_cell, 1)
    return None if few or before in groups_not_shown(study, ["wave"]) else (before, people.observed)


def observed_score(
    study: Study, rows: pd.DataFrame, people: Reached, detractor_max: int, confidence_level: float
) -> Weighted:
    """Compute the score of those who answered, as the other pages give it, with its usual limits."""
    shown = study.settings.model_copy(update={"minimum_cell": 1})  # what is hidden is looked for elsewhere
    part = replace(study, rows=rows, settings=shown)
    dist = score_distribution(part, weight="auto" if (people.base != 1).any() else None)
    dist = replace(dist, minimum_cell=study.settings.minimum_cell, not_shown=frozenset())
    usual = net_promoter_score(
        dist, promoter_min=study.settings.promoter_min, detractor_max=detractor_max, confidence_level=confidence_level
    )
    row = usual.frame.iloc[0].to_dict()
    if dist.errors_tell:
        row |= dict.fromkeys(("std_error", "conf_low", "conf_high"), np.nan)
    weights = people.base * people.answered
    weights = weights * people.answered.sum() / weights.sum()
    return Weighted(
        weights=weights,
        estimate=float(row["estimate"]),
        std_error=float(row["std_error"]),
        conf_low=float(row["conf_low"]),
        conf_high=float(row["conf_high"]),
        n_effective=float(weights.sum() ** 2 / (weights**2).sum()),
        largest_weight=float(weights.max()),
    )


def weighted_scores(
    people: Reached,
    covariates: Covariates,
    largest_weight: float,
    confidence_level: float,
    rng: np.random.Generator | None,
) -> tuple[dict[str, Weighted], list[str]]:
    """Weight the score of all in each way that these people allow, and say why others are missing.

    The doubly robust estimate has the weights of the boosted one, of which predicted answers take what they leave.
    """
    if not in_words(covariates):
        return {}, ["Nothing is known of the silent, so answers cannot be weighted."]
    found: dict[str, Weighted] = {}
    refused = []
    models: dict[str, PropensityModel] = {BY_LOGISTIC: "logistic", BY_BOOSTING: "boosted"}
    how: dict[str, Any] = {"largest_weight": largest_weight, "confidence_level": confidence_level}
    try:
        found[RAKED] = raked_score(people, in_bands(covariates), confidence_level=confidence_level)
    except EstimationError as error:
        refused.append(f"Not raked: {error}")
    try:
        for name, model in models.items():
            propensity = response_propensity(people.answered, covariates, cluster=people.cluster, model=model, rng=rng)
            found[name] = inverse_propensity_score(people, propensity, **how)
        predicted = predicted_value(people, covariates, rng=rng)
        found[DOUBLY_ROBUST] = inverse_propensity_score(people, propensity, predicted=predicted, **how)
    except EstimationError as error:
        refused.append(f"Not weighted by the chance to answer: {error}")
    return found, refused


def without_limits_of_few(found: Weighted, people: Reached, minimum_cell: int) -> Weighted:
    """The same without error and limits, where few accounts (people, clusters) have answered, or one nearly all."""
    size = np.bincount(people.cluster[people.answered]).astype(np.float64)
    if not tells_of_one(size, size, minimum_cell):
        return found
    return replace(found, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)


def frame_of(wave: str, people: Reached, scores: Mapping[str, Weighted], bounds: tuple[float, float]) -> pd.DataFrame:
    """Tabulate scores, a row a method; what follows from counts alone has neither error nor weights."""
    rows: list[dict[str, Any]] = [{"term": term, **vars(found)} for term, found in scores.items()]
    naive = people.observed * (1 - people.silent_share)
    rows += [
        {"term": term, "estimate": value} for term, value in ((LOWEST, bounds[0]), (HIGHEST, bounds[1]), (NAIVE, naive))
    ]
    frame = pd.DataFrame(rows).drop(columns="weights")
    frame.insert(0, "wave", wave)
    frame.insert(2, "n", int(people.answered.sum()))
    return frame.astype({"n_trimmed": "Int64"})
