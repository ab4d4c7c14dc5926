"""Why the score differs between two waves or groups: how ratings changed, what they are worth, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.cluster_sums import N_SCORES, merged_clusters
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.drivers.enough import LEAST_OF_GROUP, LEAST_RATINGS
from nps_research.drivers.fitting.data import DriverData
from nps_research.drivers.fitting.resampling import GroupFits, spread
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError, EstimationError, did_you_mean
from nps_research.results.result import Result
from nps_research.results.words import interval_text, joined, points
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.statistics.normal_limits import normal_quantile, with_normal_limits
from nps_research.typing import Flags, Floats, Integers

REST = "Not explained by the ratings"
A_PASSIVE = 7  # an answer that is neither a promoter's nor a detractor's


def _score_words(*, weighted: bool, unweighted: bool) -> str:
    return f"{'weighted ' * weighted}{'unweighted ' * unweighted}NPS"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreBridge(Result):
    """The difference of two scores, in parts that add up to it.

    `frame` has a row a driver, the largest change first, then the remainder: term, mean_from, mean_to (mean ratings;
    missing where too few rated), rating_points (change of the ratings, at what they are worth in both groups on
    average), worth_points (change of what ratings are worth, at both groups' ratings on average), estimate (their sum)
    with std_error, conf_low, conf_high; the two parts bring their own limits; stake_from and stake_to (points at stake
    in each group) and stake_change, with limits.

    Attributes
    ----------
    from_group, to_group : str
    score_from, score_to : float
        Observed NPS, weighted as the model.
    change, told, rating_points, worth_points, remainder : dict
        ``estimate``, ``conf_low``, ``conf_high`` of the whole difference and of the sums; rating_points +
        worth_points = told, told + remainder = change.
    n_from, n_to : int
    weighted : bool
        Whether answers have weights.
    not_in_both : tuple of str
        Drivers that hardly anybody rated in one of the groups, or in both: they have no part.
    unweighted : bool
        Whether the study has weights that were left out.
    """

    from_group: str
    to_group: str
    score_from: float
    score_to: float
    change: dict[str, float]
    told: dict[str, float]
    rating_points: dict[str, float]
    worth_points: dict[str, float]
    remainder: dict[str, float]
    n_from: int
    n_to: int
    weighted: bool
    n_resamples: int
    not_in_both: tuple[str, ...] = ()
    unweighted: bool = False

    kind: ClassVar[str] = "score_bridge"
    unsaid: ClassVar[tuple[str, ...]] = (*Result.unsaid, "unweighted")
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Part",
        "mean_from": "Mean rating, from",
        "mean_to": "Mean rating, to",
        "estimate": "NPS points",
        "rating_points": "Ratings changed",
        "worth_points": "Worth changed",
        "stake_from": "At stake, from",
        "stake_to": "At stake, to",
        "stake_change": "Change of the stake",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "mean_from": "number",
        "mean_to": "number",
        "rating_points": "points",
        "worth_points": "points",
        **dict.fromkeys(("stake_from", "stake_to", "stake_change"), "points"),
    }
    table_columns: ClassVar = (
        *("term", "mean_from", "mean_to", "rating_points", "rating_points_conf_high"),
        *("worth_points", "estimate", "conf_high", "stake_from", "stake_to", "stake_change_conf_high"),
    )

    @property
    def finding(self) -> str:
        sure = [row for row in self.records if row["term"] != REST and row["conf_low"] * row["conf_high"] > 0][:2]
        change, of = self.change["estimate"], self._score
        moved = f"{'fell' if change < 0 else 'rose'} by {abs(change):.1f} points"
        fell = f"From {self.from_group} to {self.to_group} {of} {moved}"
        if not sure:
            return f"{fell}; no single rating is shown to go with that."
        ways = {bool(row["mean_to"] < row["mean_from"]) for row in sure}
        how = "changed" if len(ways) > 1 else "lower" if ways == {True} else "higher"
        named = [f"{row['term']} ({points(row['estimate'])})" for row in sure]
        return f"{fell}; {how} ratings of {joined(named)} go with it."

    @property
    def _score(self) -> str:
        return _score_words(weighted=self.weighted, unweighted=self.unweighted)

    @property
    def details(self) -> str:
        said = [
            (
                f"{self._score[0].upper()}{self._score[1:]} went from {points(self.score_from)} ({self.from_group}) to "
                f"{points(self.score_to)} ({self.to_group}; {interval_text(self.change, self.confidence_level)} of the "
                f"change). Of it, {points(self.told['estimate'])} points go with the ratings "
                f"({interval_text(self.told, self.confidence_level)}); {points(self.remainder['estimate'])} are not "
                f"explained by them ({interval_text(self.remainder, self.confidence_level)})."
            )
        ]
        if worth := self._worth_changed():
            said.append(f"The points at stake changed with {joined(worth)}; by itself that hardly moves the score.")
        if self.not_in_both:
            said.append(f"Not rated in both, so without a part: {joined(self.not_in_both)}.")
        return " ".join(said)

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        return {"change": self.finding}

    def _worth_changed(self) -> list[str]:
        """Ratings at stake for more, or less, than before, beyond chance in as many as there are."""
        rows = [row for row in self.records if row["term"] != REST and row["stake_change_std_error"] > 0]
        reach = normal_quantile(1 - (1 - self.confidence_level) / max(len(rows), 1))
        return [
            f"{row['term']} ({points(row['stake_from'])} to {points(row['stake_to'])})"
            for row in rows
            if abs(row["stake_change"]) > reach * row["stake_change_std_error"]
        ]

    @property
    def note(self) -> str:
        return (
            f"{self.n_from:,} and {self.n_to:,} answers. Each group has its own model: all answers' contributions, "
            "times what the group makes of each rating, plus its level. Either group could go first, so both orders "
            "are averaged; the parts add up to the difference exactly. Worth is measured around the average of all who "
            "rated: a rating worth more lifts those above it and lowers those below, so that the score hardly moves; "
            f"what is at stake in each group shows it. {self.confidence_level:.0%} intervals from {self.n_resamples:,} "
            "refits. What goes with the score need not move it."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} {points(row['estimate'])}" for row in self.records]
        return (
            f"Bars from NPS {points(self.score_from)} ({self.from_group}) to {points(self.score_to)} "
            f"({self.to_group}): " + "; ".join(said) + "."
        )


def explain_change(model: DriverModel, from_group: str | None = None, to_group: str | None = None) -> ScoreBridge:
    """Split the difference of two groups' scores into drivers' points and a remainder.

    With group models y = level_g + sum of worth_gj x contribution_j, the difference NPS_b - NPS_a is, exactly, the
    sum over drivers of (worth_a + worth_b) / 2 x (mean_b - mean_a) of the contributions [ratings changed], plus the sum
    of (mean_a + mean_b) / 2 x (worth_b - worth_a) [worth changed], plus level_b - level_a [not told by the ratings].

    Parameters
    ----------
    model : DriverModel
        Fitted with ``by``, or with ``group``.
    from_group, to_group : str, optional
        Both, or neither: the neighbours between which the score changed most.

    Returns
    -------
    ScoreBridge

    Raises
    ------
    EstimationError
        If the model has no such groups.
    CannotAnswerError
        If one of them is too small to show.

    References
    ----------
    Kitagawa, E. M. (1955). Components of a difference between two rates. Journal of the American Statistical
    Association 50, 1168-1194. doi:10.1080/01621459.1955.10501299

    Examples
    --------
    >>> from nps_research.drivers.fit_drivers import fit_drivers_from_frame
    >>> rng = np.random.default_rng(1)
    >>> wave = np.repeat(["2024", "2025"], 400)
    >>> ratings = pd.DataFrame({"delivery": rng.integers(1, 6, 800)})
    >>> ratings.loc[400:, "delivery"] = ratings.loc[400:, "delivery"].clip(upper=4)
    >>> answer = (4 + ratings["delivery"] + rng.normal(0, 1.5, 800)).round().clip(0, 10)
    >>> bridge = explain_change(fit_drivers_from_frame(ratings, answer, group=wave, n_resamples=20), "2024", "2025")
    >>> bool(abs(bridge.frame["estimate"].sum() - (bridge.score_to - bridge.score_from)) < 1e-9)
    True
    """
    group, of_model, of_draws = model.data.group, model.summary.groups, model.draws.groups
    if group is None or of_model is None or of_draws is None:
        raise EstimationError("The model has no groups: fit_drivers(study, by=...) gives it some.")
    if from_group is None or to_group is None:
        if from_group != to_group:
            raise EstimationError("One group is given: two are needed, or none for the largest change.")
        from_group, to_group = model.largest_change
    names = list(map(str, group.categories))
    for name in (from_group, to_group):
        if name not in names:
            raise EstimationError(f"There is no group {name!r}{did_you_mean(name, names)}")
        if name in model.not_shown:
            raise CannotAnswerError("One of the two groups is too small to be shown.")
    if from_group == to_group:
        raise EstimationError(f"Both groups are {from_group!r}: two are needed.")
    first, second = names.index(from_group), names.index(to_group)
    if not np.isfinite(of_model.score[[first, second]]).all():
        raise CannotAnswerError(f"One of the two groups has fewer than {LEAST_OF_GROUP} answers: too few for a model.")
    data, level = model.data, model.confidence_level
    rated = np.stack([np.isfinite(data.ratings[np.asarray(group.codes) == end]).sum(axis=0) for end in (first, second)])
    in_both = np.asarray((rated >= LEAST_RATINGS).all(axis=0))
    parts, drawn = _parts(of_model, first, second, in_both), _parts(of_draws, first, second, in_both)
    columns: dict[str, Any] = {"term": [*data.terms, REST]}
    for end, place in (("mean_from", first), ("mean_to", second)):
        rows = np.asarray(group.codes) == place
        few = np.isfinite(data.ratings[rows]).sum(axis=0) < model.minimum_cell
        columns[end] = [*np.where(few, np.nan, data.mean_of_raters(data.ratings, rows)), np.nan]
    stake, stakes = model.summary.points.sum(axis=0), model.draws.points.sum(axis=1)
    worth_a, worth_b = of_model.worth[first], of_model.worth[second]
    columns |= {"stake_from": np.append(stake * worth_a, np.nan), "stake_to": np.append(stake * worth_b, np.nan)}
    parts["stake_change"] = stake * (worth_b - worth_a)
    drawn["stake_change"] = stakes * (of_draws.worth[:, second] - of_draws.worth[:, first])
    for name in ("estimate", "rating_points", "worth_points", "stake_change"):
        rest = name == "estimate"  # only the whole difference has a part that no rating tells
        value = np.append(parts[name], parts["remainder"] if rest else np.nan)
        error = np.append(spread(drawn[name]), spread(drawn["remainder"]) if rest else np.nan)
        columns |= with_normal_limits(value, error, level, name=name)
    frame = pd.DataFrame(columns)
    order = [place for place in np.argsort(-np.abs(parts["estimate"]), kind="stable") if in_both[place]]
    order.append(len(data.terms))
    sums = {
        name: _bridge_limits(parts[name].sum(), drawn[name].sum(axis=-1), level)
        for name in ("estimate", "rating_points", "worth_points")
    }
    score = _score_words(weighted=model.weighted, unweighted=model.unweighted)
    return ScoreBridge(
        frame=frame.loc[order].reset_index(drop=True),
        confidence_level=model.confidence_level,
        title=f"{score[0].upper()}{score[1:]} from {from_group} to {to_group}: what goes with the difference",
        minimum_cell=0,
        from_group=from_group,
        to_group=to_group,
        score_from=float(of_model.score[first]),
        score_to=float(of_model.score[second]),
        change=_change(data, np.asarray(group.codes), (first, second), level, model.minimum_cell),
        remainder=_bridge_limits(parts["remainder"], drawn["remainder"], level),
        n_from=int((np.asarray(group.codes) == first).sum()),
        n_to=int((np.asarray(group.codes) == second).sum()),
        weighted=model.weighted,
        unweighted=model.unweighted,
        n_resamples=model.n_resamples,
        not_in_both=tuple(term for term, known in zip(data.terms, in_both, strict=True) if not known),
        told=sums["estimate"],
        rating_points=sums["rating_points"],
        worth_points=sums["worth_points"],
    )


def _parts(fits: GroupFits, first: int, second: int, in_both: Flags) -> dict[str, Floats]:
    """The parts of the difference, by driver in the last axis; the remainder without that axis.

    Zero for a driver that was not rated in both: what the model makes of it goes to the remainder.
    """
    mean_a, mean_b = fits.means[..., first, :], fits.means[..., second, :]
    worth_a, worth_b = fits.worth[..., first, :], fits.worth[..., second, :]
    ratings = np.where(in_both, (worth_a + worth_b) / 2 * (mean_b - mean_a), 0.0)
    worth = np.where(in_both, (mean_a + mean_b) / 2 * (worth_b - worth_a), 0.0)
    either = ratings + worth
    change = fits.score[..., second] - fits.score[..., first]
    return {
        "rating_points": ratings,
        "worth_points": worth,
        "estimate": either,
        "remainder": np.asarray(change - either.sum(axis=-1)),
    }


def _change(
    data: DriverData, group: Integers, ends: tuple[int, int], confidence_level: float, minimum_cell: int
) -> dict[str, float]:
    """The whole difference, with the limits that the scores of these answers have wherever they are compared."""
    answers = np.zeros((len(data), N_SCORES))
    answers[np.arange(len(data)), np.where(data.y[0] > 0, N_SCORES - 1, np.where(data.y[1] < 0, 0, A_PASSIVE))] = 1.0
    place = np.where(group == ends[0], 0, np.where(group == ends[1], 1, -1))

    def per_end(weight: Floats) -> Floats:
        return np.stack([(weight[:, None] * answers)[place == end].sum(axis=0) for end in (0, 1)])

    weighted, either = bool(np.ptp(data.weights) > 0), place >= 0
    of_clusters = merged_clusters(
        place[either],
        data.cluster[either].astype(object),
        (data.weights[:, None] * answers)[either],
        np.ones(int(either.sum())),
    )
    dist = ScoreDistribution(
        groups=("from", "to"),
        counts=per_end(np.ones(len(data))).astype(np.int64),
        weight_sums=per_end(data.weights) if weighted else None,
        squared_weight_sums=per_end(data.weights**2) if weighted else None,
        clusters=of_clusters if data.n_clusters < len(data) else None,
        minimum_cell=minimum_cell,
    )
    found = compare_net_promoter_scores(dist, confidence_level=confidence_level).frame
    return {name: float(found[name].iloc[0]) for name in ("estimate", "conf_low", "conf_high")}


def _bridge_limits(estimate: Any, drawn: Floats, confidence_level: float) -> dict[str, float]:
    found = with_normal_limits(float(estimate), float(spread(drawn)), confidence_level)
    return {name: found[name] for name in ("estimate", "conf_low", "conf_high")}
