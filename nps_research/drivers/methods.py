"""Other ways to rank drivers, beside points at stake, and why they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.drivers.fitting.cross_fit import points_at_stake
from nps_research.drivers.fitting.noise import rating_correlations
from nps_research.drivers.fitting.trees import boost_folds
from nps_research.drivers.linear.relative_importance import decompose_r_squared
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.result import Result
from nps_research.results.words import joined, points
from nps_research.typing import Floats

APART = 2  # ranks


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DriverMethods(Result):
    """Each driver by each method, and its rank.

    `frame` columns: term, n, estimate (points at stake, interventional) with conf_low, conf_high; path_dependent_points
    (the same with path-dependent Shapley values); correlation_points (what the rating alone goes with: the mean answer
    at good ratings minus that at poor ones); mean_abs_shap; general_dominance and relative_weight (shares of variance
    in a linear model, with limits); rank_* of each; why (the reason where ranks differ).
    """

    kind: ClassVar[str] = "driver_methods"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "estimate": "Points at stake",
        "path_dependent_points": "Path-dependent",
        "correlation_points": "Rating alone",
        "general_dominance": "LMG share",
        "relative_weight": "Johnson share",
        "why": "Where ranks differ, why",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "path_dependent_points": "points",
        "correlation_points": "points",
        "general_dominance": "share",
        "relative_weight": "share",
        "why": "text",
    }
    table_columns: ClassVar = (
        *("term", "estimate", "path_dependent_points", "correlation_points", "mean_abs_shap"),
        *("general_dominance", "relative_weight", "why"),
    )

    @property
    def finding(self) -> str:
        apart = self._ranks_apart
        if not (apart > 0).any():
            return f"All methods put the {len(apart)} ratings in the same order."
        several = (apart >= APART).sum()
        differ = f"{(apart > 0).sum()} of {len(apart)} ratings rank differently by some method"
        return f"{differ}, {several} by {APART} places or more."

    @property
    def _ranks_apart(self) -> Floats:
        ranked = self.frame.filter(regex="^rank_")
        return np.asarray((ranked.max(axis=1) - ranked.min(axis=1)).to_numpy(), dtype=float)

    @property
    def details(self) -> str:
        gap = self.frame["path_dependent_points"] - self.frame["estimate"]
        most = self.frame.iloc[gap.abs().argmax()]
        shapley = (
            f"The two kinds of Shapley values differ most for {joined([most['term']])}: {points(most['estimate'])} "
            f"points interventional, {points(most['path_dependent_points'])} path-dependent."
        )
        over = self.frame["correlation_points"] - self.frame["estimate"]
        if over.max() <= 0:
            return shapley
        row = self.frame.iloc[over.argmax()]
        return (
            f"{shapley} Alone, the rating of {joined([row['term']])} goes with {points(row['correlation_points'])} "
            f"points; beside all other ratings, {points(row['estimate'])} are its own."
        )

    @property
    def note(self) -> str:
        return (
            "Points at stake are interventional Shapley values: others held as they are, so an unused rating gets "
            "nothing. Path-dependent values hand part of the credit to ratings that go together with those used. The "
            "rating alone takes along all that goes with it. LMG and Johnson divide the variance in a linear model: "
            "they see no curves and no working together, and a rating that varies little gets little."
        )

    @property
    def alt(self) -> str:
        said = [
            f"{row['term']} {row['rank_estimate']:.0f} by points, {row['rank_general_dominance']:.0f} by LMG, "
            f"{row['rank_correlation_points']:.0f} alone"
            for row in self.records
            if pd.notna(row["rank_estimate"])
        ]
        return "Ranks of ratings by method: " + "; ".join(said) + "."


def path_dependent_contributions(model: DriverModel) -> Floats:
    """Compute the model's path-dependent Shapley values (LightGBM's), points; shape (2, n, n_drivers)."""
    data, fold = model.data, model.fit.fold
    found = np.zeros_like(model.fit.contributions)
    for left_out, boosters in boost_folds(data.ratings, data.y, data.weights, fold, coding=data.coding):
        for part, booster in enumerate(boosters):
            found[part, left_out] = booster.predict(data.ratings[left_out], pred_contrib=True, num_threads=1)[:, :-1]
    return found


def compare_methods(
    model: DriverModel, *, n_resamples: int = 200, rng: np.random.Generator | None = None
) -> DriverMethods:
    """Set points at stake beside path-dependent values, the rating alone, and the linear classics.

    Parameters
    ----------
    model : DriverModel
    n_resamples : int
        For the limits of LMG and Johnson.
    rng : numpy.random.Generator, optional

    Returns
    -------
    DriverMethods

    Raises
    ------
    CannotAnswerError
        If there is one rating only; or a linear model cannot be made, for want of ratings or of answers that share
        them.
    """
    data = model.data
    if len(data.terms) == 1:
        raise CannotAnswerError("With one rating methods have nothing to share out, nor to rank.")
    y = data.y.sum(axis=0)
    table = data.frame.loc[:, data.can_be_judged]
    if table.empty:
        raise CannotAnswerError("No rating has enough good and poor ratings for a linear model.")
    try:
        linear = decompose_r_squared(
            table,
            y,
            weights=data.weights,
            cluster=data.cluster,
            n_resamples=n_resamples,
            confidence_level=model.confidence_level,
            rng=rng,
        ).frame
    except EstimationError as error:
        raise CannotAnswerError(str(error)) from None
    alone = points_at_stake(data, np.broadcast_to(y[:, None], data.ratings.shape))
    path = points_at_stake(data, path_dependent_contributions(model)).sum(axis=0)
    frame = model.frame[["term", "n", "estimate", "conf_low", "conf_high", "mean_abs_shap"]].set_index("term")
    frame["path_dependent_points"] = pd.Series(path, index=list(data.terms))
    frame["correlation_points"] = pd.Series(alone, index=list(data.terms))
    for method, name in (("lmg", "general_dominance"), ("johnson", "relative_weight")):
        of_method = linear[linear["method"] == method].set_index("term")
        frame[name] = of_method["estimate"]
        frame[f"{name}_conf_low"], frame[f"{name}_conf_high"] = of_method["conf_low"], of_method["conf_high"]
    ranked = ("estimate", "path_dependent_points", "correlation_points", "mean_abs_shap", "general_dominance")
    for name in (*ranked, "relative_weight"):
        frame[f"rank_{name}"] = frame[name].rank(ascending=False, method="first")
    frame["why"] = _rank_reasons(model, frame)
    return DriverMethods(
        frame=frame.reset_index(),
        confidence_level=model.confidence_level,
        title="The same ratings by other methods",
        minimum_cell=model.minimum_cell,
    )


def _rank_reasons(model: DriverModel, frame: pd.DataFrame) -> list[str]:
    """Why a driver's rank by the rating alone, or by the linear model, is another than by points at stake."""
    data = model.data
    related = np.abs(rating_correlations(data))
    np.fill_diagonal(related, 0.0)
    spread = np.nanstd(data.ratings, axis=0)
    bent = _bends(model)
    real = set(model.leaders)
    said = []
    for term, row in frame.iterrows():
        place = data.terms.index(str(term))
        reasons = []
        apart = [
            abs(row[f"rank_{name}"] - row["rank_estimate"]) for name in ("correlation_points", "general_dominance")
        ]
        if max(apart) >= APART and str(term) not in real:
            said.append("not above noise: what it has alone, or in a linear model, it has from others")
            continue
        if abs(row["rank_correlation_points"] - row["rank_estimate"]) >= APART:
            other = data.terms[int(related[place].argmax())]
            if row["rank_correlation_points"] < row["rank_estimate"]:
                reasons.append(
                    f"alone it takes credit from what goes with it, most {other} "
                    f"(correlation {related[place].max():.2f})"
                )
            else:
                reasons.append("it goes less with other ratings than those ranked beside it")
        if abs(row["rank_general_dominance"] - row["rank_estimate"]) >= APART:
            if bent[place] > 0.25:
                reasons.append("its effect is no straight line")
            elif spread[place] < np.nanmedian(spread):
                reasons.append("its ratings vary less, and shares of variance count that")
            else:
                reasons.append("shares of variance also count how much its ratings vary, and what goes with it")
        said.append("; ".join(reasons))
    return said


def _bends(model: DriverModel) -> Floats:
    """Share of each driver's effect, by level, that no straight line tells; shape (n_drivers,)."""
    data = model.data
    effect = model.summary.by_level.sum(axis=0)[:, :-1]
    found = np.zeros(len(data.terms))
    for place, values in enumerate(effect):
        seen = np.isfinite(values)
        if seen.sum() < 3:
            continue
        weight = np.bincount(data.coding.codes[:, place], data.weights, minlength=len(data.levels) + 1)[:-1][seen]
        line = np.polynomial.polynomial.polyfit(data.levels[seen], values[seen], 1, w=np.sqrt(weight))
        rest = values[seen] - np.polynomial.polynomial.polyval(data.levels[seen], line)
        total = weight @ (values[seen] - np.average(values[seen], weights=weight)) ** 2
        found[place] = weight @ rest**2 / total if total > 0 else 0.0
    return found
