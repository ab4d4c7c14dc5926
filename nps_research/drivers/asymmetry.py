"""Must-be, performance or delighter: whether more is lost below the middle of the scale, or won above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.drivers.enough import SURE
from nps_research.drivers.fitting.resampling import spread
from nps_research.drivers.lists import with_estimate
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import joined, share
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.typing import Floats

NO_CLASS = "none"
ONE_SIDED = 1 / 3  # of the index: one side's step is worth twice the other's


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RatingAsymmetry(Result):
    """What one rating point is worth below and above the middle of the scale.

    `frame` columns: term, n, penalty (NPS points lost per rating point from middle to poor ratings) and reward (won per
    rating point from middle to good ones), each with limits; estimate ((reward - penalty) / (|reward| + |penalty|), -1
    to 1) with std_error, conf_low, conf_high; class (must-be, performance, delighter; none where the driver is not
    above noise, or higher ratings go with lower scores); certainty (share of resamples of the same class); certain
    (whether that is 80% or more).

    Attributes
    ----------
    middle : str
        The ratings between good and poor.
    """

    middle: str
    scale: str

    kind: ClassVar[str] = "rating_asymmetry"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "n": "Rated by",
        "penalty": "Lost per rating point below",
        "reward": "Won per rating point above",
        "estimate": "Asymmetry",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "penalty": "points",
        "reward": "points",
        "estimate": "number",
        "class": "text",
    }
    table_columns: ClassVar = (
        *("term", "n", "penalty", "penalty_conf_high", "reward", "reward_conf_high"),
        *("class", "certainty"),
    )

    @property
    def finding(self) -> str:
        rows = [row for row in self.records if row["certain"] and row["class"] != NO_CLASS]
        if not rows:
            return "No rating is surely a must-be, a performance rating or a delighter."
        words = {"must-be": "hurting only when bad", "delighter": "helping only when good"}
        words["performance"] = "working both ways"
        names = {kind: [row["term"] for row in rows if row["class"] == kind] for kind in words}
        said = [f"{joined(those)} ({kind}, {words[kind]})" for kind, those in names.items() if those]
        return f"{'; '.join(said)}."

    @property
    def details(self) -> str:
        rows = [row for row in self.records if row["certain"] and row["class"] != NO_CLASS]
        sure = [f"{row['term']} in {share(row['certainty'])} of resamples" for row in rows]
        return f"So classed: {joined(sure)}." if sure else ""

    @property
    def note(self) -> str:
        return (
            f"{self.scale[:1].upper()}{self.scale[1:]}; the middle is {self.middle}. A must-be loses at least twice as "
            "much per rating point below the middle as it wins above it, a delighter the reverse; a class is certain "
            f"where {SURE:.0%} of resamples agree. A rating that is not above noise has none, nor one "
            "whose higher ratings go with lower scores. Few at the end of the "
            "scale, or answers that pile up there, bend these numbers."
        )

    @property
    def alt(self) -> str:
        said = [
            f"{row['term']} {row['penalty']:.1f} below and {row['reward']:.1f} above" for row in with_estimate(self)
        ]
        return "Bars of NPS points per rating point, lost below and won above the middle: " + "; ".join(said) + "."


def rating_asymmetry(model: DriverModel) -> RatingAsymmetry:
    """Class each driver by what a rating point is worth below and above the middle of the scale.

    The estimands are slopes of the model's mean contribution: from poor ratings to middle ones (penalty) and from
    middle to good ones (reward), per rating point, as averages over those who gave these ratings.

    Parameters
    ----------
    model : DriverModel

    Returns
    -------
    RatingAsymmetry

    Raises
    ------
    CannotAnswerError
        If no rating lies between good and poor.

    References
    ----------
    Mikulic, J. & Prebezac, D. (2008). Prioritizing improvement of service attributes using impact range-performance
    analysis and impact-asymmetry analysis. Managing Service Quality 18, 559-576. doi:10.1108/09604520810920068
    """
    data, levels = model.data, model.data.levels
    middle = (levels > data.poor) & (levels < data.good)
    if not middle.any():
        raise CannotAnswerError("No rating lies between good and poor, so there is no middle to look from.")
    shares = np.array(
        [np.bincount(codes, data.weights, minlength=len(levels) + 1)[:-1] for codes in data.coding.codes.T]
    )
    penalty, reward = _slopes(model.summary.by_level.sum(axis=0), shares, levels, data.poor, data.good)
    penalties, rewards = _slopes(model.draws.by_level.sum(axis=1), shares, levels, data.poor, data.good)
    index, indices = _index(penalty, reward), _index(penalties, rewards)
    above = model.frame.set_index("term")["above_noise"].reindex(list(data.terms))
    real = above.fillna(value=False).to_numpy(dtype=bool) & data.can_be_judged
    kinds = np.where(real, _classes(penalty, reward), NO_CLASS)
    real &= kinds != NO_CLASS
    certainty = (_classes(penalties, rewards) == kinds).mean(axis=0)
    columns: dict[str, Any] = {"term": list(data.terms), "n": data.n_rated}
    values = {"penalty": (penalty, penalties), "reward": (reward, rewards), "estimate": (index, indices)}
    for name, (value, drawn) in values.items():
        columns |= with_normal_limits(value, spread(drawn), model.confidence_level, name=name)
    frame = pd.DataFrame(columns)
    frame["conf_low"], frame["conf_high"] = frame["conf_low"].clip(lower=-1), frame["conf_high"].clip(upper=1)
    frame["class"], frame["certainty"] = kinds, np.where(real, certainty, np.nan)
    frame["certain"] = real & (certainty >= SURE)
    order = model.frame["term"].tolist()
    between = levels[middle]
    return RatingAsymmetry(
        frame=frame.set_index("term").loc[order].reset_index(),
        confidence_level=model.confidence_level,
        title="What a rating point is worth below and above the middle",
        minimum_cell=model.minimum_cell,
        middle=f"{between[0]:g}" if len(between) == 1 else f"{between[0]:g} to {between[-1]:g}",
        scale=model.scale,
    )


def _slopes(by_level: Floats, shares: Floats, levels: Floats, poor: float, good: float) -> tuple[Floats, Floats]:
    """Penalty and reward per rating point, from mean contributions of shape (..., n_drivers, n_levels + 1)."""
    effect = by_level[..., :-1]
    weight = np.where(np.isfinite(effect), shares, 0.0)
    means = []
    for chosen in (levels <= poor, (levels > poor) & (levels < good), levels >= good):
        of_these = weight * chosen
        with np.errstate(invalid="ignore", divide="ignore"):
            total = of_these.sum(axis=-1)
            means.append((np.nansum(effect * of_these, axis=-1) / total, (levels * of_these).sum(axis=-1) / total))
    (low, low_at), (mid, mid_at), (high, high_at) = means
    with np.errstate(invalid="ignore", divide="ignore"):
        return (mid - low) / (mid_at - low_at), (high - mid) / (high_at - mid_at)


def _index(penalty: Floats, reward: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((reward - penalty) / (np.abs(reward) + np.abs(penalty)))


def _classes(penalty: Floats, reward: Floats) -> NDArray[np.str_]:
    """The class of each rating; none where higher ratings go with lower scores."""
    index, rises = _index(penalty, reward), penalty + reward > 0
    which = [~rises | ~np.isfinite(index), index < -ONE_SIDED, index > ONE_SIDED]
    return np.select(which, [NO_CLASS, "must-be", "delighter"], "performance")
