"""How a rating's contribution runs along its scale, and how contributions spread over respondents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.drivers.fitting.resampling import spread
from nps_research.drivers.model import DriverModel
from nps_research.errors import EstimationError, did_you_mean
from nps_research.results.result import Result
from nps_research.results.words import points
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.statistics.randomness import DEFAULT_SEED

MISSING = "not rated"
DOTS = 200  # respondents drawn for the figure of the spread


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class _WithDots(Result):
    """Results whose figure shows respondents drawn at random, without anything else of theirs; no table has them."""

    dots: Any = field(repr=False)

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().settings.items() if name != "dots"}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RatingEffect(_WithDots):
    """Mean contribution of one driver at each of its ratings.

    `frame` columns: term (the rating), n, estimate (mean contribution, NPS points against the average respondent) with
    std_error, conf_low, conf_high; promoter_points and detractor_points. `dots` (term, contribution) are respondents
    drawn at random for the figure.
    """

    driver: str

    kind: ClassVar[str] = "rating_effect"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating given",
        "estimate": "Contribution",
        "promoter_points": "To promoters",
        "detractor_points": "To detractors",
    }
    table_columns: ClassVar = ("term", "n", "estimate", "conf_high", "promoter_points", "detractor_points")

    @property
    def finding(self) -> str:
        rated = [row for row in self.records if row["term"] != MISSING]
        if len(rated) < 2:
            return f"{self.driver}: too few ratings to show."
        steps = [(b["estimate"] - a["estimate"], a["term"], b["term"]) for a, b in pairwise(rated)]
        step, low, high = max(steps, key=lambda each: abs(each[0]))
        return (
            f"{self.driver}: from {points(rated[0]['estimate'])} NPS points at a rating of {rated[0]['term']} to "
            f"{points(rated[-1]['estimate'])} at {rated[-1]['term']}; the largest step, {points(step)}, "
            f"is from {low} to {high}."
        )

    @property
    def note(self) -> str:
        return "Mean contribution to the expected answer, against the average of all; other ratings as they are."

    @property
    def alt(self) -> str:
        said = [f"{row['term']}: {points(row['estimate'])}" for row in self.records]
        return (
            f"Contribution of {self.driver} by rating, a dot a respondent, the mean with an interval band: "
            f"{'; '.join(said)}."
        )


def rating_effect(model: DriverModel, term: str) -> RatingEffect:
    """Average the contributions of one driver by its rating (SHAP dependence).

    Parameters
    ----------
    model : DriverModel
    term : str
        The driver.

    Returns
    -------
    RatingEffect

    Raises
    ------
    EstimationError
        If there is no such driver.
    """
    data = model.data
    if term not in data.terms:
        raise EstimationError(f"There is no driver {term!r}{did_you_mean(term, list(data.terms))}")
    place = data.terms.index(term)
    effect, drawn = model.summary.by_level[:, place], model.draws.by_level[:, :, place].sum(axis=1)
    n = np.bincount(data.coding.codes[:, place], minlength=len(data.levels) + 1)
    names = np.array([*(f"{level:g}" for level in data.levels), MISSING], dtype=object)
    rows = np.random.default_rng(DEFAULT_SEED).permutation(len(data))[:DOTS]
    dots = {
        "term": names[data.coding.codes[rows, place]],
        "contribution": model.fit.contributions[:, rows, place].sum(0),
    }
    frame = pd.DataFrame(
        {
            "term": names,
            "n": n,
            **with_normal_limits(effect.sum(axis=0), spread(drawn), model.confidence_level),
            "promoter_points": effect[0],
            "detractor_points": effect[1],
        }
    )
    return RatingEffect(
        frame=frame[n > 0].reset_index(drop=True),
        confidence_level=model.confidence_level,
        title=f"{term}: contribution by rating",
        minimum_cell=model.minimum_cell,
        driver=term,
        dots=pd.DataFrame(dots).sort_values(["term", "contribution"], ignore_index=True),
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ContributionSpread(_WithDots):
    """How contributions spread over respondents.

    `frame` columns: term, n (respondents), estimate (mean size of a contribution, NPS points), low, middle, high (its
    5th, 50th and 95th percentiles over respondents). The figure shows respondents drawn at random, without anything
    else of theirs; their values are not in the table.
    """

    kind: ClassVar[str] = "contribution_spread"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "estimate": "Mean size",
        "low": "Lowest twentieth",
        "high": "Highest twentieth",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "width", **dict.fromkeys(("low", "middle", "high"), "points")}

    @property
    def finding(self) -> str:
        top = self.frame.iloc[0]
        most = " most" if len(self.frame) > 1 else ""
        return (
            f"The rating that contributes{most} to single answers is {top['term']}: between {points(top['low'])} and "
            f"{points(top['high'])} NPS points for nine respondents in ten."
        )

    @property
    def note(self) -> str:
        return (
            "A dot is a respondent drawn at random, others for each rating; its place is what the rating contributes "
            "to that respondent's expected answer, its colour how high the rating is (grey: not rated). The mean size "
            "is above zero even for a rating that does nothing."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} from {points(row['low'])} to {points(row['high'])}" for row in self.records]
        return "Swarm of contributions by rating, nine in ten respondents: " + "; ".join(said) + "."


def contribution_spread(model: DriverModel, *, rng: np.random.Generator | None = None) -> ContributionSpread:
    """Show the spread of single respondents' contributions (SHAP beeswarm).

    Parameters
    ----------
    model : DriverModel
    rng : numpy.random.Generator, optional
        Draws the respondents that the figure shows.

    Returns
    -------
    ContributionSpread
    """
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    values, ratings = model.fit.contributions.sum(axis=0), model.data.ratings
    low, middle, high = np.percentile(values, [5, 50, 95], axis=0)
    order = np.argsort(-model.summary.mean_abs_shap, kind="stable")
    n = np.isfinite(ratings).sum(axis=0)
    order = order[n[order] >= model.minimum_cell]
    frame = pd.DataFrame(
        {
            "term": [model.data.terms[place] for place in order],
            "n": n[order],
            "estimate": model.summary.mean_abs_shap[order],
            "low": low[order],
            "middle": middle[order],
            "high": high[order],
        }
    )
    # Other respondents for each driver, in order of their value: dots of one person cannot be put together again.
    drawn = [np.sort(rng.permutation(len(values))[:DOTS]) for _ in order]
    drawn = [rows[np.argsort(values[rows, place], kind="stable")] for rows, place in zip(drawn, order, strict=True)]
    return ContributionSpread(
        frame=frame,
        confidence_level=model.confidence_level,
        title="What ratings contribute to single answers",
        minimum_cell=model.minimum_cell,
        dots={
            name: np.column_stack([table[rows, place] for rows, place in zip(drawn, order, strict=True)])
            for name, table in (("contributions", values), ("ratings", ratings))
        },
    )
