"""DriverModel: what goes with loyalty, by driver, in NPS points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import pandas as pd

from nps_research.drivers.fitting.cross_fit import CrossFit
from nps_research.drivers.fitting.data import PARTS, DriverData
from nps_research.drivers.fitting.resampling import Summary
from nps_research.drivers.lists import NOT_CAUSES, DriverList, above_noise, with_estimate, with_verdicts
from nps_research.errors import CannotAnswerError
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import interval_text, joined, points, share

MOST_LEADERS = 3  # that may have most at stake, named


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DriverModel(Result):
    """A fitted driver model. Made by `fit_drivers` or `fit_drivers_from_frame`.

    `frame` has a row a driver, the most points first, whichever way they go: term, n (who rated it), mean_rating,
    top_box_share (of those who rated it), estimate (points at stake: `promoter_points` plus `detractor_points`) with
    std_error, conf_low and conf_high; promoter_points and detractor_points, each with its own limits; mean_abs_shap
    (NPS points; positive even for noise); rank_low and rank_high (1 is the most points, of either sign; ranks of all
    drivers hold together); above_noise, p_value (one-sided, see `fitting.noise.noise_tests`) and p_adjusted (Holm);
    told_from (drivers that it cannot be told apart from); n_asked (who was asked for it: somebody of the same wave
    rated it), skip_points (NPS of those who skipped it less that of those who rated it) and skip_p_adjusted. Where too
    few gave good or poor ratings the estimate is missing. above_noise is missing where the data cannot tell: nothing
    varies, or a set of drivers is above noise and no one of them is.

    Attributes
    ----------
    baseline : float
        The observed NPS, points: what is predicted where all contributions are zero.
    n : int
        Respondents.
    n_clusters : int or None
        Clusters; None where respondents are independent.
    weighted : bool
        Whether respondents have weights.
    unweighted : bool
        Whether the study has weights that were left out.
    n_resamples : int
    r_squared, r_squared_conf_low, r_squared_conf_high : float
        Share of the variance of the answers (as -100, 0, 100) that is predicted for respondents left out.
    scale : str
        Which ratings are good and which poor.
    sets : tuple of dict
        Near-duplicates: terms, p_adjusted, above_noise of them together.
    by : tuple of str
        Columns of the groups, if any.
    """

    baseline: float
    n: int
    n_clusters: int | None
    weighted: bool
    n_resamples: int
    r_squared: float
    r_squared_conf_low: float
    r_squared_conf_high: float
    scale: str
    sets: tuple[dict[str, Any], ...] = ()
    by: tuple[str, ...] = ()
    not_shown: frozenset[str] = frozenset()
    unweighted: bool = False
    data: DriverData = field(repr=False)
    fit: CrossFit = field(repr=False)
    summary: Summary = field(repr=False)
    draws: Summary = field(repr=False)

    kind: ClassVar[str] = "driver_model"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Rating",
        "n": "Rated by",
        "top_box_share": "Top rating",
        "estimate": "Points at stake",
        "promoter_points": "Making promoters",
        "detractor_points": "Keeping from detractors",
        "mean_abs_shap": "Mean size of a contribution",
        "ranks": "Rank",
        "verdict": "Beyond all others",
    }
    formats: ClassVar[Mapping[str, str]] = {"top_box_share": "share", "ranks": "text"}
    table_columns: ClassVar = (
        *("term", "n", "mean_rating", "top_box_share"),
        *("estimate", "conf_high", "promoter_points", "detractor_points"),
        *("ranks", "verdict", "p_adjusted", "mean_abs_shap"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        shown = super().shown
        ranks = [
            "\N{EM DASH}" if pd.isna(low) else f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
            for low, high in zip(shown["rank_low"], shown["rank_high"], strict=True)
        ]
        return with_verdicts(shown).assign(ranks=ranks)

    @property
    def contributions(self) -> pd.DataFrame:
        """Each respondent's contributions, NPS points, a column a driver; private, never displayed."""
        return self._per_respondent(self.fit.contributions.sum(axis=0))

    @property
    def promoter_contributions(self) -> pd.DataFrame:
        """The part of the contributions in making promoters."""
        return self._per_respondent(self.fit.contributions[0])

    @property
    def detractor_contributions(self) -> pd.DataFrame:
        """The part of the contributions in keeping from detractors; a positive number raises NPS."""
        return self._per_respondent(self.fit.contributions[1])

    @property
    def predictions(self) -> pd.Series:
        """Each respondent's predicted part in the NPS, points: baseline + contributions."""
        return pd.Series(self.fit.predictions.sum(axis=0), index=self.data.index, name="prediction")

    @property
    def observed(self) -> pd.Series:
        """Each respondent's part in the NPS: -100, 0 or 100."""
        return pd.Series(self.data.y.sum(axis=0), index=self.data.index, name="observed")

    @property
    def leaders(self) -> list[str]:
        """The drivers above noise to which points can be put, most first."""
        return list(map(str, self.frame.loc[above_noise(self.frame) & self.frame["estimate"].notna(), "term"]))

    @property
    def liftable(self) -> int:
        """By how many points the model can say what goes with higher poor ratings."""
        return int(self.summary.lifted.shape[1])

    @property
    def largest_change(self) -> tuple[str, str]:
        """The two groups, one after the other, between which the score changed most; small ones are left out."""
        groups, fits = self.data.group, self.summary.groups
        if groups is None or fits is None:
            raise CannotAnswerError("The model has no groups to compare.")
        known = [
            (str(name), float(score))
            for name, score in zip(groups.categories, fits.score, strict=True)
            if score == score and str(name) not in self.not_shown
        ]
        if len(known) < 2:
            raise CannotAnswerError("There are no two groups large enough to compare.")
        _, before, after = max((abs(b - a), one, other) for (one, a), (other, b) in pairwise(known))
        return before, after

    def _per_respondent(self, values: Any) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.data.index, columns=list(self.data.terms))

    @property
    def promoters(self) -> DriverList:
        """The list of what goes with being a promoter."""
        return self._list("promoter", "What goes with being a promoter")

    @property
    def detractors(self) -> DriverList:
        """The list of what goes with being a detractor."""
        return self._list("detractor", "What goes with being a detractor")

    def _list(self, part: str, title: str) -> DriverList:
        of_part = {"estimate": f"{part}_points"} | {
            name: f"{part}_points_{name}" for name in ("std_error", "conf_low", "conf_high")
        }
        columns = ["term", "n", *of_part.values(), "above_noise", "told_from"]
        frame = self.frame[columns].rename(columns={column: name for name, column in of_part.items()})
        return DriverList(
            frame=frame.sort_values("estimate", key=abs, ascending=False, kind="stable", ignore_index=True),
            confidence_level=self.confidence_level,
            title=f"{title}: NPS points at stake",
            minimum_cell=self.minimum_cell,
            part=part,
            scale=self.scale,
            baseline_share=abs(float(self.fit.baseline[PARTS.index(part)])) / 100,
        )

    @property
    def settings(self) -> dict[str, Any]:
        private = ("data", "fit", "summary", "draws", "not_shown", "unweighted")
        said = {name: value for name, value in super().settings.items() if name not in private}
        low, high = self.data.scale
        return {**said, "scale_low": low, "scale_high": high, "good": self.data.good, "poor": self.data.poor}

    @property
    def finding(self) -> str:
        shown = self.shown
        is_real = above_noise(shown)
        real = shown[is_real & shown["estimate"].notna()]
        if real.empty:
            return self._none_found(shown, is_real)
        top = real.iloc[0]
        first, way = joined([top["term"]]), "below" if top["estimate"] < 0 else "above"
        leaders = real.loc[real["rank_low"] == 1, "term"].tolist()
        if len(shown) == 1:
            lead, it = f"The rating that matters is {first}", "it"
        elif len(real) == 1:
            lead, it = f"Only {first} is above noise", "it"
        elif len(leaders) == 1:
            lead, it = f"The rating that matters most is {first}", "it"
        elif 1 < len(leaders) <= MOST_LEADERS:
            lead, it = f"{joined(leaders)} lead", first
        else:
            lead, it = f"First place is open{f' among {len(leaders)} ratings' * bool(leaders)}", first
        return (
            f"{lead}: customers who rate {it} well score {abs(top['estimate']):.0f} NPS points {way} those who rate "
            "it poorly, other ratings equal."
        )

    def _none_found(self, shown: pd.DataFrame, is_real: Any) -> str:
        """What is said where no rating above noise has points."""
        if is_real.any():
            terms = joined(shown.loc[is_real, "term"].tolist())
            return f"{terms}: above noise, but too few good or poor ratings for points."
        together = [found["terms"] for found in self.sets if found["above_noise"]]
        if together:
            return f"{joined(together[0])} cannot be told apart; together they are above noise."
        return "No rating could be told from noise, given the others."

    @property
    def details(self) -> str:
        shown = self.shown
        is_real = above_noise(shown)
        real = shown[is_real & shown["estimate"].notna()]
        said = []
        if is_real.any() and len(shown) > 1:
            n = int(is_real.sum())
            said.append(
                f"Of {len(shown)} ratings, {n} tell{'s' * (n == 1)} something about the answer that all others do not."
            )
        if len(real):
            top = real.iloc[0]
            said.append(
                f"{joined([top['term']])}: {points(top['estimate'])} ({interval_text(top, self.confidence_level)}); "
                f"its rank is {'' if top['rank_low'] == top['rank_high'] else 'from '}{top['ranks']}."
            )
        if falling := real.loc[real["conf_high"] < 0, "term"].tolist():
            said.append(f"Higher ratings go with lower scores: {joined(falling)}.")
        if noise := shown.loc[shown["above_noise"].notna() & ~is_real, "term"].tolist():
            said.append(f"Not above noise: {joined(noise)}.")
        said.extend(
            f"{joined(found['terms'])} cannot be told apart; together they are above noise."
            for found in self.sets
            if found["above_noise"] and not is_real[shown["term"].isin(found["terms"])].any()
        )
        if unknown := shown.loc[shown["estimate"].isna(), "term"].tolist():
            said.append(f"Too few good or too few poor ratings to put points to: {joined(unknown)}.")
        who = "All ratings together predict" if len(shown) > 1 else "It predicts"
        said.append(f"{who} {share(max(self.r_squared, 0.0))} of the differences between answers.")
        return " ".join(said)

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        return {"why": self.finding} if above_noise(self.shown).any() else {}

    @property
    def note(self) -> str:
        groups = f" of {self.n_clusters:,} clusters" if self.n_clusters else ""
        weights = ", weighted" if self.weighted else ""
        return (
            f"{self.n:,} answers{groups}{weights}; {self.scale}. Points at stake: the mean contribution of a rating to "
            "the expected answer (as -100, 0, 100) where it is good, minus that where it is poor. Contributions are "
            "interventional Shapley values of boosted trees that did not see the respondent. "
            f"{self.confidence_level:.0%} intervals from {self.n_resamples:,} refits"
            f"{' to resampled clusters' if self.n_clusters else ''}. They are not tests against zero: a rating that "
            f"does nothing can average a few points; whether it adds {self._tested}.{self._skipped} {NOT_CAUSES}"
        )

    @property
    def _skipped(self) -> str:
        """Who did not rate, where not everybody did."""
        rows = self.shown[self.shown["n"] < self.n]
        if rows.empty:
            return ""
        said = " Points and test of a rating are among those who rated it."
        if parts := rows.loc[rows["n_asked"] < self.n, "term"].tolist():
            said += f" Not asked in every wave: {joined(parts)}."
        told = rows[rows["skip_p_adjusted"] < 1 - self.confidence_level]
        if len(told):
            who = joined([f"{row['term']} ({points(row['skip_points'])})" for row in told.to_dict("records")])
            said += f" Who skips a rating is no part of it; NPS of those who did, less that of the others: {who}."
        return said

    @property
    def _tested(self) -> str:
        if len(self.frame) == 1:
            return "to what the prediction knows without it is tested apart"
        sets = " and their sets" if self.sets else ""
        return f"to all others is tested apart (Holm over {len(self.frame)} ratings{sets})"

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        shown = self.shown
        real = shown[above_noise(shown) & shown["estimate"].notna()]
        return tuple(
            KeyNumber(
                label=f"{row['term']}: points at stake",
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
            )
            for row in real.head(2).to_dict("records")
        )

    @property
    def alt(self) -> str:
        said = [
            f"{row['term']} {points(row['estimate'])} ({points(row['promoter_points'])} making promoters, "
            f"{points(row['detractor_points'])} keeping from detractors)"
            for row in with_estimate(self)
        ]
        return "Bars of NPS points at stake by rating, in two parts: " + "; ".join(said) + "."
