"""Where to look first: what is at stake against how it is rated, and what better ratings would be associated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.drivers.asymmetry import rating_asymmetry
from nps_research.drivers.enough import SURE
from nps_research.drivers.fitting.resampling import spread
from nps_research.drivers.lists import NOT_CAUSES, above_noise
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError, EstimationError, did_you_mean
from nps_research.results.result import Result
from nps_research.results.words import interval_text, joined, points
from nps_research.statistics.normal_limits import with_normal_limits


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImportancePerformance(Result):
    """Points at stake against mean ratings.

    `frame` columns: term, n, mean_rating, estimate (points at stake) with conf_low, conf_high, quadrant (a must-be that
    is rated above the average is to be protected), certainty (share of resamples on the same side of both lines).

    Attributes
    ----------
    rating_line, points_line : float
        Averages of the drivers above noise (of all, where none is), at which quadrants meet.
    some_above_noise : bool
    """

    rating_line: float
    points_line: float
    some_above_noise: bool

    kind: ClassVar[str] = "importance_performance"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "n": "Rated by",
        "estimate": "Points at stake",
        "quadrant": "Where it lies",
    }
    formats: ClassVar[Mapping[str, str]] = {"quadrant": "text"}

    @property
    def finding(self) -> str:
        first = [row for row in self.records if row["quadrant"] == "look here first"]
        if not first:
            return "No rating is both worth more than the average and rated worse than the average."
        sure = [
            f"{row['term']} (mean rating {row['mean_rating']:.1f}, {points(row['estimate'])} points)"
            for row in first
            if row["certainty"] >= SURE
        ]
        near = joined([row["term"] for row in first if row["certainty"] < SURE])
        if not sure:
            return f"Perhaps much at stake and rated below average, but too near the lines to be sure: {near}."
        doubt = f" Near the lines, so unsure: {near}." if near else ""
        return f"Much at stake and rated below average: {joined(sure)}.{doubt}"

    @property
    def note(self) -> str:
        return (
            f"Lines: mean rating {self.rating_line:.2f} and {points(self.points_line)} points at stake, the averages "
            f"of {'the ratings above noise' if self.some_above_noise else 'all ratings'}. Certainty: share of "
            f"resamples with the rating on the same side of both lines. {NOT_CAUSES}"
        )

    @property
    def alt(self) -> str:
        said = [
            f"{row['term']} at mean rating {row['mean_rating']:.1f} and {points(row['estimate'])} points "
            f"({row['quadrant']})"
            for row in self.records
        ]
        return "Points at stake against mean rating: " + "; ".join(said) + "."


def importance_performance(model: DriverModel) -> ImportancePerformance:
    """Map drivers by points at stake and mean rating (importance-performance analysis).

    Parameters
    ----------
    model : DriverModel

    Returns
    -------
    ImportancePerformance

    Raises
    ------
    CannotAnswerError
        If the average would be of one rating: a rating cannot be set against itself.

    References
    ----------
    Martilla, J. A. & James, J. C. (1977). Importance-performance analysis. Journal of Marketing 41, 77-79.
    doi:10.1177/002224297704100112
    """
    frame = model.frame[model.frame["estimate"].notna()].reset_index(drop=True)
    real = above_noise(frame)
    rating, estimate = frame["mean_rating"].to_numpy(), frame["estimate"].to_numpy()
    over = real if real.any() else np.ones(len(real), dtype=bool)
    if over.sum() < 2:
        only = joined(frame.loc[over, "term"].tolist())
        which = "There is one rating" if only else "There is none"
        which = f"Only one rating ({only}) is above noise" if len(frame) > 1 else which
        raise CannotAnswerError(f"{which}, so no rating can be set against the average of several.")
    lines = (rating[over].mean(), np.abs(estimate[over]).mean())
    places = [model.data.terms.index(term) for term in frame["term"]]
    drawn, ratings = np.abs(model.draws.points.sum(axis=1)[:, places]), model.draws.mean_rating[:, places]
    asymmetry = rating_asymmetry(model).frame
    must_be = set(asymmetry.loc[asymmetry["certain"] & (asymmetry["class"] == "must-be"), "term"])
    quadrant = _quadrants(rating, estimate, lines)
    quadrant = np.where(frame["term"].isin(must_be) & (rating > lines[0]), "protect", quadrant)
    quadrant = np.where(estimate < 0, "higher is worse", quadrant)
    quadrant = np.where(real, quadrant, "not above noise")
    agree = (drawn > drawn[:, over].mean(axis=1, keepdims=True)) == (np.abs(estimate) > lines[1])
    agree &= (ratings > ratings[:, over].mean(axis=1, keepdims=True)) == (rating > lines[0])
    return ImportancePerformance(
        frame=frame[["term", "n", "mean_rating", "estimate", "conf_low", "conf_high"]].assign(
            quadrant=quadrant, certainty=np.where(real, agree.mean(axis=0), np.nan)
        ),
        confidence_level=model.confidence_level,
        title="What is at stake, and how it is rated",
        minimum_cell=model.minimum_cell,
        rating_line=float(lines[0]),
        points_line=float(lines[1]),
        some_above_noise=bool(real.any()),
    )


def _quadrants(rating: np.ndarray, estimate: np.ndarray, lines: tuple[float, float]) -> np.ndarray:
    high, liked = estimate > lines[1], rating > lines[0]
    return np.select(
        [high & ~liked, high & liked, ~high & ~liked], ["look here first", "keep it up", "low priority"], "holding"
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Improvement(Result):
    """NPS associated with poor ratings so many points higher, a row a driver.

    `frame` columns: term, n (who rated it), poor_share (of those who rated it), estimate (change of the predicted NPS,
    points) with std_error, conf_low, conf_high; promoter_points and detractor_points, its parts; above_noise.
    """

    scale: str
    points_higher: int = 1

    kind: ClassVar[str] = "improvement"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "n": "Rated by",
        "poor_share": "Poor ratings",
        "estimate": "NPS associated",
        "promoter_points": "More promoters",
        "detractor_points": "Fewer detractors",
    }
    formats: ClassVar[Mapping[str, str]] = {"poor_share": "share"}
    table_columns: ClassVar = (
        *("term", "n", "poor_share"),
        *("estimate", "conf_high", "promoter_points", "detractor_points"),
    )

    @property
    def finding(self) -> str:
        shown = self.shown
        real = shown[above_noise(shown) & (shown["conf_low"] > 0)]
        if len(shown) == 1:
            (row,) = self.records
            doubt = "" if len(real) else "; whether that is more than noise is open"
            of = f"Poor ratings of {joined([row['term']])} {self._higher} higher go with"
            return f"{of} {points(row['estimate'])} NPS points ({interval_text(row, self.confidence_level)}){doubt}."
        if real.empty:
            where = f"where poor ratings are {self._higher} higher"
            return f"For no rating above noise do the data show a higher NPS {where}."
        named = [f"{row['term']} ({points(row['estimate'])})" for row in real.iloc[:3].to_dict("records")]
        higher = self._higher.capitalize()
        return f"{higher} more on poor ratings {self._goes} with most NPS points for {joined(named)}."

    @property
    def _higher(self) -> str:
        return higher_by(self.points_higher)

    @property
    def _goes(self) -> str:
        return "goes" if self.points_higher == 1 else "go"

    @property
    def details(self) -> str:
        shown = self.shown
        real = shown[above_noise(shown) & (shown["conf_low"] > 0)]
        best = real.iloc[:3] if len(shown) > 1 else real.iloc[:0]
        limits = [f"{row['term']} {interval_text(row, self.confidence_level)}" for _, row in best.iterrows()]
        return f"{joined(limits)}." if limits else ""

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        shown = self.shown
        real = shown[above_noise(shown) & (shown["conf_low"] > 0)]
        if real.empty:
            return {}
        name, gain = joined([real["term"].iloc[0]]), points(real["estimate"].iloc[0])
        more = f"{self._higher} more on its poor ratings {self._goes} with {gain} NPS points"
        return {"improve": f"Improve first: {name}; {more}."}

    @property
    def note(self) -> str:
        return (
            f"Ratings that are poor raised by {self._higher}, all else as it is, and the model's NPS before and after "
            f"compared; {self.scale}. That is what goes with such ratings among these respondents, not what a change "
            f"of the service would bring. {NOT_CAUSES}"
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} {points(row['estimate'])}" for row in self.records]
        return "NPS points with interval bars, by rating: " + "; ".join(said) + "."


def higher_by(n: int) -> str:
    """So many points, in words."""
    return "one point" if n == 1 else f"{n} points"


def simulate_improvement(model: DriverModel, *, rating: str | None = None, points_higher: int = 1) -> Improvement:
    """Predict the NPS that goes with poor ratings higher than they are, for each driver.

    The estimand is the mean over all respondents of the model's prediction with the driver's poor ratings (6 or less of
    0-10, 3 or less of 1-5) raised by so many points, minus that without; who did not rate it adds nothing.

    Parameters
    ----------
    model : DriverModel
    rating : str, optional
        One driver; None: each.
    points_higher : int
        From 1 to what lies between the highest poor rating and the best one, but at most 4.

    Returns
    -------
    Improvement

    Raises
    ------
    CannotAnswerError
        If ratings are not whole numbers, so that one higher is not a rating.
    EstimationError
        If there is no such driver, or poor ratings cannot be so many points higher.
    """
    data = model.data
    if rating is not None and rating not in data.terms:
        raise EstimationError(f"There is no driver {rating!r}{did_you_mean(rating, list(data.terms))}")
    if points_higher not in range(1, model.liftable + 1):
        raise EstimationError(
            f"points_higher = {points_higher!r}: a whole number from 1 to {model.liftable} is needed."
        )
    if (data.levels != np.rint(data.levels)).any():
        raise CannotAnswerError("Ratings are not whole numbers, so that one higher may not be a rating.")
    step = points_higher - 1
    estimate, error = model.summary.lifted[:, step], spread(model.draws.lifted[:, :, step].sum(axis=1))
    above = model.frame.set_index("term")["above_noise"].reindex(list(data.terms))
    frame = pd.DataFrame(
        {
            "term": list(data.terms),
            "n": data.n_rated,
            "poor_share": data.mean_of_raters(data.ratings <= data.poor),
            **with_normal_limits(estimate.sum(axis=0), error, model.confidence_level),
            "promoter_points": estimate[0],
            "detractor_points": estimate[1],
            "above_noise": above.array,
        }
    )
    if rating is not None:
        frame = frame[frame["term"] == rating]
    return Improvement(
        frame=frame.sort_values("estimate", ascending=False, kind="stable", ignore_index=True),
        confidence_level=model.confidence_level,
        title=f"NPS associated with poor ratings {higher_by(points_higher)} higher",
        minimum_cell=model.minimum_cell,
        scale=model.scale,
        points_higher=points_higher,
    )
