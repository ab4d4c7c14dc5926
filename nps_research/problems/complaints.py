"""Complaints against the survey: how many of those with a problem complained of it, and which problem stays hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.problems.enough import LEAST_WITH
from nps_research.problems.mentions import (
    Drawn,
    bonferroni_level,
    mentions_of,
    places_in_words,
    problem_label,
    share_limits,
)
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import format_interval, points, share
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.statistics.rank_limits import draws_of, rank_limits
from nps_research.study.needs import begins_with
from nps_research.study.response_states import window_open
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

USUAL_DAYS = 90  # looked back for complaints, where waves do not tell
_RETURNED = ("answered", "item_missing")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComplaintsAgainstSurvey(Result):
    """Problems as the survey and as complaints tell of them, over all waves that asked.

    `frame` columns: term, owner, n (forms that name the problem), events (of these, sent by somebody who complained of
    it in the window), estimate (share that complained of it, of all who have it) with std_error, conf_low, conf_high;
    naive (the same of the forms as they are); survey_share (share that has it) with limits, survey_rank_low and
    survey_rank_high; complaints (customers who complained of it, each invitation apart), complaint_share (of all
    invited) with complaint_rank_low and complaint_rank_high; verdict: whether it is "shown" that the problem is hidden,
    large in the survey and seldom complained of, each by limits that hold for all problems together.

    Attributes
    ----------
    window_days : int
        Complaints count in so many days before each invitation.
    corrected : bool
        Whether forms are weighted so that who complained counts as often as among all who were asked.
    answered_if_complained, answered_else : float
        Shares that returned the form; nan where silence is not known.
    overall : float
        Share complained of, of all problems that people have.
    score, score_corrected : float
        NPS of the forms as they are, and with those who complained counted as often as among all who were asked.
    """

    window_days: int = USUAL_DAYS
    corrected: bool = True
    answered_if_complained: float = np.nan
    answered_else: float = np.nan
    overall: float = np.nan
    score: float = np.nan
    score_corrected: float = np.nan

    kind: ClassVar[str] = "complaints_against_survey"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Problem",
        "n": "Named by",
        "estimate": "Complained of it",
        "survey_share": "Have it",
        "survey_ranks": "Place, survey",
        "complaint_ranks": "Place, complaints",
        "verdict": "Hidden",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "estimate": "share",
        "survey_share": "share",
        "complaints": "count",
        "survey_ranks": "text",
        "complaint_ranks": "text",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "n", "survey_share", "survey_ranks", "estimate", "conf_high", "complaints", "complaint_ranks"),
        "verdict",
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        rows = super().shown
        ranks = {
            f"{name}_ranks": list(map(places_in_words, rows[f"{name}_rank_low"], rows[f"{name}_rank_high"]))
            for name in ("survey", "complaint")
        }
        return rows.assign(**ranks)

    @property
    def _hidden_problems(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["verdict"] == "shown"]

    @property
    def finding(self) -> str:
        rows, hidden = self.records, self._hidden_problems
        if not rows:
            return "There are too few answers that name a problem to compare them with complaints."
        if not hidden:
            return (
                f"No problem is shown to be hidden: of those with a problem {share(self.overall)} complained of it "
                f"within {self.window_days} days."
            )
        most = hidden[0]
        return (
            f"Complaints hide {most['term']}: {share(most['survey_share'])} have it, but only "
            f"{share(most['estimate'])} of these complained, against {share(self.overall)} for all problems."
        )

    @property
    def details(self) -> str:
        rows = self.records
        if not rows:
            return ""
        loud = max(rows, key=lambda row: float(row["estimate"]))
        limits = format_interval(loud["conf_low"], loud["conf_high"], "share")
        said = f"Most often complained of, where people have it: {loud['term']} ({share(loud['estimate'])}; {limits})."
        others = [row["term"] for row in self._hidden_problems[1:]]
        hidden = f" Hidden, too: {', '.join(others)}." if others else ""
        if self.answered_if_complained != self.answered_if_complained:
            return said + hidden
        scores = (
            f"NPS {points(self.score)} as it is, {points(self.score_corrected)} with all counted as they were asked"
        )
        return (
            f"{said}{hidden} Of those who had complained {share(self.answered_if_complained)} answered, of the others "
            f"{share(self.answered_else)}: {scores}."
        )

    @property
    def note(self) -> str:
        how = (
            "Forms are post-stratified by whether the person had complained of anything, so that those who complained "
            "count no more often than among all who were asked."
            if self.corrected
            else "Who was silent is not known: if those who complained answer more often, these shares are too high."
        )
        return (
            f"Base: all waves that asked; complaints in the {self.window_days} days before each invitation. {how} "
            "Hidden: more have it than the average problem, and fewer complain than on average, each by limits that "
            f"hold for all problems together ({self.confidence_level:.0%}). Places, from-to, hold together."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        ]
        return f"Points with intervals, the share of those with a problem who complained of it: {'; '.join(rows)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(
            KeyNumber.of(row, f"Complained, of those with: {row['term']}", unit="share")
            for row in self._hidden_problems
        )


def _joined_to_survey(study: Study) -> str:
    """The column that says when somebody was asked; refuses where complaints cannot be joined to the survey."""
    study.require(
        *("problems.problem", "problems.respondent_id"),
        *("complaints.customer_id", "complaints.complained_at", "complaints.problem"),
    )
    dated = [name for name in ("invited_at", "responded_at") if f"responses.{name}" in study.available]
    if not dated:
        study.require("responses.invited_at")
    return dated[0]


@begins_with(_joined_to_survey)
def complaints_against_survey(
    study: Study, *, window_days: int | None = None, confidence_level: float = 0.95
) -> ComplaintsAgainstSurvey:
    """Compare complaints with the survey: P(complained of it | has it) per problem, and which stay hidden.

    The estimand is, among all who were asked, the share that complained of a problem in the days before, of those who
    have it.

    Parameters
    ----------
    study : Study
        The study; its survey asked for problems, and its complaints say which customer, when and of what.
    window_days : int, optional
        How many days before being asked complaints count; None takes the time from wave to wave.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    ComplaintsAgainstSurvey

    Raises
    ------
    CannotAnswerError
        If problems were not asked for, complaints do not say who, when and of what, or none is in the window.
    EstimationError
        If `window_days` is not positive.

    Notes
    -----
    Who complained answers more often, so the share among answers is too high. Answers are weighted by 1 / the share
    that answered, of those who had complained of anything and of the others, per wave where enough of both answered:
    right as long as, of those who complained, answering does not depend on having the problem complained of. Weights
    count as given. No list is matched with the other to work out who is on neither: the lists depend on each other.
    """
    check_level(confidence_level)
    if window_days is not None and window_days <= 0:
        raise EstimationError(f"window_days = {window_days}: a number of days above 0 is needed.")
    moment = _joined_to_survey(study)
    found = mentions_of(study)
    kept = ~found.praise
    codes = tuple(np.array(found.codes, dtype=object)[kept])
    asked = study.responses[study.responses["response_state"].isin([*_RETURNED, "nonrespondent"])]
    if (asked["response_state"] == "nonrespondent").any():  # who is silent is known once the window has closed
        asked = asked[~window_open(asked, study.settings)]
    asked = asked[asked[moment].notna()]
    if study.waves:
        asked = asked[asked["wave"].isin(found.rows["wave"].unique())]
    days = _window(asked[moment], asked.get("wave")) if window_days is None else window_days
    complained = _complained(study, asked, asked[moment], codes, days)
    if not complained.any():
        raise CannotAnswerError(f"No complaint is from the {days} days before somebody was asked.")
    named = pd.DataFrame(found.has[:, kept], index=found.rows.index).reindex(asked.index)
    returned = asked["response_state"].isin(_RETURNED).to_numpy() & named.notna().all(axis=1).to_numpy()
    silent = (asked["response_state"] == "nonrespondent").to_numpy()
    any_of = np.asarray(complained.any(axis=1))
    times, rates = _times(asked, returned, any_of) if silent.any() else (np.ones(len(asked)), (np.nan, np.nan))
    drawn = Drawn.of(study, asked)
    has = named.to_numpy(dtype=float, na_value=0.0)[returned] > 0
    told, weight = complained[returned], (times * drawn.weight)[returned]
    forms = Drawn(weight=weight, cluster=drawn.cluster[returned], strata=drawn.strata)
    frame = pd.DataFrame({"term": [problem_label(study, code) for code in codes]})
    frame["owner"] = [study.problems[code].owner if code in study.problems else None for code in codes]
    frame["n"], frame["events"] = has.sum(axis=0), (has & told).sum(axis=0)
    all_hold = bonferroni_level(confidence_level, len(codes))
    least = max(LEAST_WITH, study.settings.minimum_cell)
    rates_of = [
        _rate_told(forms, has[:, at], told[:, at], least, (confidence_level, all_hold)) for at in range(len(codes))
    ]
    frame[["estimate", "std_error", "naive", "conf_low", "conf_high", "highest"]] = rates_of
    part = weight / weight.sum()
    value = part @ has
    of_survey = forms.linearized(part[:, None] * (has - value))
    lowest, _ = share_limits(value, of_survey, forms, confidence_level=all_hold)
    frame["survey_share"] = value
    frame["survey_share_conf_low"], frame["survey_share_conf_high"] = share_limits(
        value, of_survey, forms, confidence_level=confidence_level
    )
    of_all = drawn.weight / drawn.weight.sum()
    frame["complaints"], frame["complaint_share"] = complained.sum(axis=0), of_all @ complained
    of_complaints = drawn.linearized(of_all[:, None] * (complained - of_all @ complained))
    for name, each, covariance in (
        ("survey", value, of_survey.covariance),
        ("complaint", of_all @ complained, of_complaints.covariance),
    ):
        rng = np.random.default_rng(DEFAULT_SEED)
        low, high = rank_limits(each, draws_of(covariance), confidence_level=confidence_level, rng=rng)
        frame[f"{name}_rank_low"], frame[f"{name}_rank_high"] = low.astype(float), high.astype(float)
    overall = float((weight @ (has & told)).sum() / max((weight @ has).sum(), 1e-300))
    hidden = (lowest > value.mean()) & (frame["highest"] < overall)
    frame["verdict"] = pd.Series(np.where(hidden, "shown", "not shown")).where(frame["estimate"].notna(), None)
    order = np.lexsort([-value, ~hidden.to_numpy()])
    return ComplaintsAgainstSurvey(
        frame=frame.drop(columns="highest").iloc[order].reset_index(drop=True),
        confidence_level=confidence_level,
        title="Problems by the survey and by complaints",
        minimum_cell=least,
        window_days=days,
        corrected=bool(silent.any()),
        answered_if_complained=rates[0],
        answered_else=rates[1],
        overall=overall,
        score=_score_of_forms(study, asked[returned], drawn.weight[returned]),
        score_corrected=_score_of_forms(study, asked[returned], weight),
    )


def _score_of_forms(study: Study, rows: pd.DataFrame, weight: Floats) -> float:
    """NPS of weighted forms, as far as they hold an answer; nan where none does."""
    answer = rows["likelihood_to_recommend"].to_numpy(dtype=float, na_value=np.nan)
    known = ~np.isnan(answer)
    classes = 100.0 * (answer >= study.settings.promoter_min) - 100.0 * (answer <= study.settings.detractor_max)
    return float(np.average(classes[known], weights=weight[known])) if known.any() else np.nan


def _window(moment: pd.Series, wave: pd.Series | None) -> int:
    """Days from wave to wave: the median of those between the middles of waves."""
    if wave is None or wave.nunique() < 2:
        return USUAL_DAYS
    middles = moment.groupby(wave).median().sort_values()
    return max(int(middles.diff().dropna().dt.total_seconds().median() // 86_400), 1)


def _complained(study: Study, asked: pd.DataFrame, moment: pd.Series, codes: tuple[str, ...], days: int) -> Flags:
    """Who complained of what in the days before being asked, shape (n_asked, n_codes)."""
    table = study.tables["complaints"][["customer_id", "complained_at", "problem"]].dropna()
    rows = pd.DataFrame(
        {"customer_id": asked["customer_id"].astype("str"), "moment": moment, "row": np.arange(len(asked))}
    )
    both = rows.merge(table.assign(customer_id=table["customer_id"].astype("str")), on="customer_id")
    before = both["moment"].dt.normalize() - both["complained_at"].dt.normalize()
    both = both[(before >= pd.Timedelta(0)) & (before < pd.Timedelta(days=days))]
    code = pd.Index(codes).get_indexer(pd.Index(both["problem"]))
    complained = np.zeros((len(asked), len(codes)), dtype=bool)
    complained[both["row"].to_numpy()[code >= 0], code[code >= 0]] = True
    return complained


def _times(asked: pd.DataFrame, returned: Flags, complained: Flags) -> tuple[Floats, tuple[float, float]]:
    """How many who were asked each form stands for, and the shares that answered with and without a complaint."""
    rates = tuple(float(returned[of].mean()) if of.any() else np.nan for of in (complained, ~complained))
    cell = pd.Series(complained, asked.index).astype("str")
    by_wave = cell + asked["wave"].astype("str") if "wave" in asked else cell
    answers = pd.Series(returned, asked.index)
    if answers.groupby(by_wave).sum().min() >= LEAST_WITH:
        cell = by_wave
    share_returned = answers.groupby(cell).transform("mean").to_numpy()
    return np.where(returned, 1 / np.where(share_returned > 0, share_returned, 1.0), 0.0), (rates[0], rates[1])


def _rate_told(forms: Drawn, has: Flags, told: Flags, least: int, levels: tuple[float, float]) -> tuple[float, ...]:
    """Share that complained, of those with a problem: estimate, error, unweighted, limits, upper limit of all."""
    if has.sum() < least:
        return (np.nan,) * 6
    of = Drawn(weight=forms.weight[has], cluster=forms.cluster[has], strata=forms.strata)
    part = of.weight / of.weight.sum()
    rate = float(part @ told[has])
    found = of.linearized((part * (told[has] - rate))[:, None])
    ends = [share_limits(np.array([rate]), found, of, confidence_level=level) for level in levels]
    error = float(np.sqrt(found.covariance[0, 0]))
    return (rate, error, float(told[has].mean()), float(ends[0][0][0]), float(ends[0][1][0]), float(ends[1][1][0]))
