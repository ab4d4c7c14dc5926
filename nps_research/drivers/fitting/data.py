"""Ratings and answers made ready for a driver model, and why they may not do for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.checks import check_cuts
from nps_research.counting.clusters import by_size, cluster_codes, clusters_in, declared_cluster, declared_weight
from nps_research.drivers.enough import (
    ANSWERS_PER_DRIVER,
    LEAST_ANSWERS,
    LEAST_CLUSTERS,
    LEAST_PER_PART,
    LEAST_RATINGS,
    MOST_LEVELS,
)
from nps_research.drivers.fitting.trees import Coding
from nps_research.errors import CannotAnswerError, ContractError, EstimationError, NPSResearchError, did_you_mean
from nps_research.results.words import BETWEEN, joined, quoted
from nps_research.study.draft.vocabulary import is_overall
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats, Integers, Numbers

PARTS = ("promoter", "detractor")
USUAL_SCALES = ((1, 5), (1, 7), (0, 10))
GOOD_FROM, POOR_TO = 0.88, 0.6  # of the scale's length: 5 and 1-3 of 1-5, 7 and 1-4 of 1-7, 9-10 and 0-6 of 0-10


@dataclass(frozen=True, kw_only=True, eq=False)
class DriverData:
    """Who rated what, and what they answered.

    Attributes
    ----------
    terms : tuple of str
        Names of the drivers.
    ratings : ndarray, shape (n, n_drivers)
        nan where not rated.
    coding : Coding
        The ratings as levels.
    y : ndarray, shape (2, n)
        100 for promoters and 0 for others; -100 for detractors and 0 for others. Their sum is the respondent's part
        in the NPS.
    weights : ndarray, shape (n,)
        Mean 1.
    cluster : ndarray of int, shape (n,)
        Who belongs together, as positions 0, 1, ...
    scale, good, poor
        Lowest and highest rating; good ratings are `good` or more, poor ones `poor` or less.
    index : pandas.Index
        Of the respondents in the caller's table.
    group : pandas.Categorical or None
        Each respondent's group.
    asked : ndarray of bool, shape (n, n_drivers)
        Whether the rating was asked: somebody of the same wave (or group) gave it.
    """

    terms: tuple[str, ...]
    ratings: Floats
    coding: Coding
    y: Floats
    weights: Floats
    cluster: Integers
    scale: tuple[float, float]
    good: float
    poor: float
    index: pd.Index
    asked: Flags
    group: pd.Categorical | None = None

    def __len__(self) -> int:
        return len(self.ratings)

    @property
    def frame(self) -> pd.DataFrame:
        """The ratings as a table."""
        return pd.DataFrame(self.ratings, index=self.index, columns=list(self.terms))

    @property
    def n_rated(self) -> Integers:
        """How many rated each driver."""
        return np.asarray(np.isfinite(self.ratings).sum(axis=0))

    def mean_of_raters(self, value: Floats | Flags, rows: Any = slice(None)) -> Floats:
        """Average a value of each rating over those of the rows who rated the driver; nan where nobody did."""
        rated, weight = np.isfinite(self.ratings[rows]), self.weights[rows][:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            total = np.where(rated, value[rows] * weight, 0.0).sum(axis=0)
            return np.asarray(total / (rated * weight).sum(axis=0))

    def among_raters(self, value: Floats) -> Floats:
        """Each rating's value, less its mean over those who rated the driver; 0 for who did not rate it."""
        return np.where(np.isfinite(self.ratings), value - self.mean_of_raters(value), 0.0)

    @property
    def n_clusters(self) -> int:
        """How many clusters, or respondents where each is one alone."""
        return int(self.cluster.max()) + 1

    @property
    def levels(self) -> Floats:
        """The values ratings can take, the same for all drivers."""
        return self.coding.levels[0]

    def rows(self, kept: Numbers, *, times: Floats | None = None) -> DriverData:
        """Some of the respondents, each counted `times`; weights are made to have a mean of 1 again."""
        weights = self.weights[kept] if times is None else self.weights[kept] * times
        return replace(
            self,
            ratings=self.ratings[kept],
            coding=replace(self.coding, codes=self.coding.codes[kept]),
            y=self.y[:, kept],
            weights=weights / weights.mean(),
            cluster=np.unique(self.cluster[kept], return_inverse=True)[1],
            index=self.index[kept],
            asked=self.asked[kept],
            group=None if self.group is None else self.group[kept],
        )

    @property
    def can_be_judged(self) -> Flags:
        """Drivers with enough good and enough poor ratings to be told apart."""
        enough_good = (self.ratings >= self.good).sum(axis=0) >= LEAST_RATINGS
        return np.asarray(enough_good & ((self.ratings <= self.poor).sum(axis=0) >= LEAST_RATINGS))


def data_of_study(
    study: Study,
    *,
    by: Sequence[str] = (),
    cluster: str | None = "auto",
    weight: str | None = "auto",
    good: float | None = None,
    poor: float | None = None,
) -> DriverData:
    """Code the answered invitations of a study; CannotAnswerError where they cannot feed a model."""
    study.require("responses.likelihood_to_recommend", "responses.drivers")
    if all(is_overall(name) for name in study.drivers):
        raise CannotAnswerError(
            f"{joined([quoted(name) for name in study.drivers])} is a rating of everything at once, nearly the same "
            "question as recommending: no experience can be named as a driver. Ratings of single ones, such as "
            "delivery or support, would tell."
        )
    answered = study.responses[study.responses["response_state"] == "answered"]
    cluster_name = declared_cluster(study) if cluster == "auto" else cluster
    if weight == "auto":
        weight = declared_weight(study)
    named = [name for name in (cluster_name, weight) if name is not None]
    if lost := [name for name in named if name not in answered]:
        known = list(map(str, answered.columns))
        raise ContractError(f"responses: there is no column {lost[0]!r}{did_you_mean(lost[0], known)}")
    data = data_of_frame(
        answered[list(study.drivers)],
        answered["likelihood_to_recommend"],
        cluster=None if cluster_name is None else clusters_in(study, answered, cluster_name),
        weights=None if weight is None else answered[weight],
        scale=study.driver_scale,
        good=good,
        poor=poor,
        promoter_min=study.settings.promoter_min,
        detractor_max=study.settings.detractor_max,
        too_little=CannotAnswerError,
    )
    if study.waves:
        data = replace(data, asked=_asked(data.ratings, answered.loc[data.index, "wave"]))
    if not by:
        return data
    return replace(data, group=group_labels(study, by).reindex(data.index).array)


def group_labels(study: Study, by: str | Sequence[str]) -> pd.Series[Any]:
    """Label each answer's group, by one column or several combined; waves in order of time, others by size."""
    keys = [by] if isinstance(by, str) else list(by)
    answered = study.responses[study.responses["response_state"] == "answered"]
    if lost := [key for key in keys if key not in answered]:
        allowed = ["wave", "channel", "touchpoint", *study.segments]
        raise ContractError(f"responses: there is no column {lost[0]!r}{did_you_mean(lost[0], allowed)}")
    stated = (answered[key].astype("str").where(answered[key].notna(), NOT_STATED) for key in keys)
    labels = reduce(lambda one, other: one + BETWEEN + other, stated)
    found = set(labels)
    order = [wave for wave in study.waves if wave in found] if keys == ["wave"] else []
    others = found - set(order) - {NOT_STATED}
    order += sorted(others, key=by_size) + sorted(found & {NOT_STATED} - set(order))
    return pd.Series(pd.Categorical(labels, categories=order, ordered=keys == ["wave"]), index=answered.index)


def data_of_frame(
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
    too_little: type[NPSResearchError] = EstimationError,
) -> DriverData:
    """Check plain tables and code them; EstimationError where they are none, `too_little` where they give no model."""
    check_cuts(promoter_min, detractor_max)
    table = _rating_numbers(pd.DataFrame(ratings))
    score = pd.to_numeric(pd.Series(likelihood_to_recommend), errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    if len(score) != len(table):
        raise EstimationError(f"{len(table):,} rows of ratings and {len(score):,} answers arrived: each row needs one.")
    kept = np.isfinite(score)
    if (unread := int((pd.Series(likelihood_to_recommend).notna().to_numpy() & ~kept).sum())) > 0:
        raise EstimationError(f"likelihood_to_recommend: {unread:,} values are no numbers.")
    if ((score[kept] < 0) | (score[kept] > 10)).any():
        raise EstimationError("likelihood_to_recommend: values outside 0 to 10 arrived.")
    weight = _weights(weights, len(table))
    kept &= weight > 0
    values = table.to_numpy()[kept]
    if scale is None:
        scale = _scale_of(values)
    low, high = map(float, scale)
    if np.nanmin(values, initial=low) < low or np.nanmax(values, initial=high) > high:
        raise EstimationError(
            f"Ratings outside the scale of {low:g} to {high:g} arrived; give scale=(lowest, highest)."
        )
    good = low + GOOD_FROM * (high - low) if good is None else float(good)
    poor = low + POOR_TO * (high - low) if poor is None else float(poor)
    if not low <= poor < good <= high:
        raise EstimationError(f"poor = {poor:g} and good = {good:g}: {low:g} <= poor < good <= {high:g} is needed.")
    seen = np.unique(values[np.isfinite(values)])
    whole = np.arange(np.ceil(low), high + 1)
    levels = np.union1d(whole, seen) if len(whole) <= MOST_LEVELS else np.union1d(seen, [low, high])
    if len(levels) > MOST_LEVELS:
        raise EstimationError(
            f"Ratings take {len(levels):,} different values; at most {MOST_LEVELS} are needed: round them."
        )
    score = score[kept]
    groups = None if group is None else _groups(group, kept)
    data = DriverData(
        terms=tuple(map(str, table.columns)),
        ratings=values,
        coding=Coding.of(values, [levels] * values.shape[1]),
        y=np.stack([100.0 * (score >= promoter_min), -100.0 * (score <= detractor_max)]),
        weights=weight[kept] / weight[kept].mean() if kept.any() else weight[kept],
        cluster=clusters_of(cluster, kept),
        scale=(low, high),
        good=float(levels[levels >= good - 1e-9].min()),
        poor=float(levels[levels <= poor + 1e-9].max()),
        index=table.index[kept],
        asked=_asked(values, np.zeros(len(values)) if groups is None else np.asarray(groups.codes)),
        group=groups,
    )
    if why := _why_not(data):
        raise too_little(why)
    return data


def _asked(ratings: Floats, together: Any) -> Flags:
    """Whether anybody of those who were asked together gave the rating."""
    rated = pd.DataFrame(np.isfinite(ratings))
    return np.asarray(rated.groupby(np.asarray(together), dropna=False).transform("any"), dtype=bool)


def _rating_numbers(ratings: pd.DataFrame) -> pd.DataFrame:
    if pd.Index(map(str, ratings.columns)).has_duplicates:
        raise EstimationError("Two drivers have the same name.")
    if not len(ratings.columns):
        raise EstimationError("No driver arrived.")
    odd = [
        str(name)
        for name in ratings
        if not (pd.api.types.is_numeric_dtype(ratings[name]) or ratings[name].isna().all())
        or pd.api.types.is_bool_dtype(ratings[name])
    ]
    if odd:
        raise EstimationError(f"Ratings must be numbers: {', '.join(odd)} is not.")
    table: pd.DataFrame = ratings.apply(pd.to_numeric).astype("Float64").astype("float64")
    if np.isinf(table.to_numpy()).any():
        raise EstimationError("An infinite rating arrived.")
    return table


def _groups(group: Any, kept: Flags) -> pd.Categorical:
    """Groups in the order of an ordered categorical, else sorted."""
    names = pd.Series(group)
    if len(names) != len(kept):
        raise EstimationError(f"{len(kept):,} rows of ratings and {len(names):,} groups arrived: each row needs one.")
    ordered = isinstance(names.dtype, pd.CategoricalDtype)
    order = list(map(str, names.cat.categories)) if ordered else sorted(names.dropna().astype("str").unique())
    labels = names.astype("str").where(names.notna())
    return pd.Categorical(labels.to_numpy(dtype=object)[kept], categories=order, ordered=ordered)


def _weights(weights: Any, n: int) -> Floats:
    if weights is None:
        return np.ones(n)
    weight = pd.to_numeric(pd.Series(weights), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if len(weight) != n:
        raise EstimationError(f"{n:,} rows of ratings and {len(weight):,} weights arrived: each row needs one.")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise EstimationError("A weight is missing, negative or infinite.")
    return weight


def clusters_of(cluster: Any, kept: Flags) -> Integers:
    """Number the clusters of the rows kept; without any, each row is one alone."""
    if cluster is None:
        return np.arange(int(kept.sum()), dtype=np.int64)
    names = pd.Series(cluster).reset_index(drop=True)
    if len(names) != len(kept):
        raise EstimationError(f"{len(kept):,} rows of ratings and {len(names):,} clusters arrived: each row needs one.")
    return cluster_codes(names[kept])


def _scale_of(values: Floats) -> tuple[float, float]:
    low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (1.0, 1.0)
    for lowest, highest in USUAL_SCALES:
        if low >= lowest and high <= highest:
            return float(lowest), float(highest)
    raise EstimationError(f"Ratings from {low:g} to {high:g} are on no usual scale; give scale=(lowest, highest).")


def _why_not(data: DriverData) -> str:
    """Why no driver model can be fitted, if so."""
    n, p = data.ratings.shape
    needed = max(LEAST_ANSWERS, ANSWERS_PER_DRIVER * p)
    if n < needed:
        return f"{n:,} answers are too few to say what drives them: {needed:,} are needed for {p} drivers."
    if data.n_clusters < LEAST_CLUSTERS:
        return f"{data.n_clusters} clusters of answers are too few to judge by: {LEAST_CLUSTERS} are needed."
    kinds = np.array([(data.y[0] > 0).sum(), (data.y[1] < 0).sum()])
    if ((kinds < LEAST_PER_PART) | (kinds > n - LEAST_PER_PART)).all():
        return "Nearly all answers are of one kind (promoters, passives or detractors), so nothing can tell them apart."
    if not data.can_be_judged.any():
        return f"No driver has {LEAST_RATINGS} good and {LEAST_RATINGS} poor ratings, so none can be told from another."
    return ""
