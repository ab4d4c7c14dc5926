"""Who answers: response rates of those reached by what is known of them, one by one and other things equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError
from nps_research.responding.factors import INVITATION, WAVE, response_factors
from nps_research.results.column_groups import ColumnGroups, names_of
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import format_interval, format_value, joined, p_text, plain_text, share
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.statistics.standardised_rates import Differences, Factor, adjusted_differences, changes_since_first
from nps_research.study.response_states import window_open
from nps_research.study.study import Study
from nps_research.typing import Flags


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WhoAnswers(ColumnGroups):
    """Response rates by group, and how far they are from everybody's other things equal.

    `frame` columns: term (what is known), group, n (invitations that reached somebody), events (forms returned),
    response_rate with response_rate_conf_low and response_rate_conf_high, estimate (adjusted rate of the group less the
    rate of all, 0 to 1; of the number of the invitation: the same people's rate less that of their first) with
    std_error, conf_low, conf_high, p_value, p_adjusted (Holm, over the groups that are shown).
    """

    n_all: int
    rate_all: float
    adjusted_for: tuple[str, ...] = ()
    not_separable: tuple[str, ...] = ()
    knows_delivery: bool = True
    caveat: str = ""

    kind: ClassVar[str] = "who_answers"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "What is known",
        "n": "Reached",
        "events": "Returned",
        "estimate": "Difference, other things equal",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share_points", "std_error": "share"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "group",
        "n",
        "response_rate",
        "response_rate_conf_high",
        "estimate",
        "conf_high",
        "p_adjusted",
    )

    @property
    def finding(self) -> str:
        rows = [row for row in self.records if np.isfinite(row["estimate"])]
        if not rows:
            return "No group has enough forms, and enough silence, to be compared."
        of_people, sure = self._of_people(rows)
        if not sure:
            return "In the columns at hand no group answers more or less often than all by more than chance."
        most = max(sure, key=lambda row: abs(float(row["estimate"])))
        differ = "differs" if len(sure) == 1 else "differ"
        return (
            f"Other things equal, {len(sure)} of {len(of_people)} groups {differ} from all in how often they answer. "
            f"Most: {plain_text(most['term'])} {plain_text(most['group'])}, "
            f"{format_value(most['estimate'], 'share_points')}."
        )

    def _of_people(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        of_people = [row for row in rows if row["term"] != INVITATION]
        return of_people, [row for row in of_people if row["p_adjusted"] < 1 - self.confidence_level]

    @property
    def details(self) -> str:
        rows = [row for row in self.records if np.isfinite(row["estimate"])]
        _, sure = self._of_people(rows)
        said = ""
        if sure:
            most = max(sure, key=lambda row: abs(float(row["estimate"])))
            said = (
                f"Of all, {share(self.rate_all)} answer. {plain_text(most['term'])} {plain_text(most['group'])}: "
                f"{self._in_words(most)}."
            )
        return " ".join(filter(None, (said, self._fatigue(rows), self.caveat)))

    def _fatigue(self, rows: list[dict[str, Any]]) -> str:
        later = [row for row in rows if row["term"] == INVITATION]
        if not later:
            return ""
        row = later[-1]
        is_sure = row["p_adjusted"] < 1 - self.confidence_level
        how = "less" if row["estimate"] < 0 else "more"
        if not is_sure:
            return (
                f"That the same people answer the {row['group']} invitation {how} often than their first is not shown, "
                f"with all groups counted: {self._in_words(row)}."
            )
        return (
            f"The same people answer the {row['group']} invitation {how} often than their first: {self._in_words(row)}."
        )

    def _in_words(self, row: Mapping[str, Any]) -> str:
        limits = format_interval(row["conf_low"], row["conf_high"], "share_points")
        return (
            f"{format_value(row['estimate'], 'share_points')} ({self.confidence_level:.0%} interval {limits}; "
            f"{p_text(row['p_adjusted'])}, adjusted for all groups)"
        )

    @property
    def note(self) -> str:
        reached = " that reached somebody" if self.knows_delivery else ""
        parts = [f"Base: {self.n_all:,} invitations{reached}, none still open; late answers count, too (AAPOR RR6)."]
        if self.adjusted_for:
            parts.append(
                f"Other things equal: logistic regression on {joined(self.adjusted_for)} (numbers as natural splines, "
                "set to the middle of each band); the difference is the mean rate if all were of the group, less the "
                "rate of all. Groups with under 8 forms, or under 8 silent, have no difference of their own."
            )
        if self.not_separable:
            parts.append(f"Not to be told from the rest, and so without a difference: {joined(self.not_separable)}.")
        if (self.frame["term"] == INVITATION).any():
            parts.append(
                "Number of the invitation: the rates may be of other people each time, as who leaves is not invited "
                "again; the difference is between the same people's invitations, and cannot tell tiredness of surveys "
                "from growing apart, nor from time."
            )
        return " ".join([*parts, "Limits by clusters; p-values adjusted for the number of groups (Holm)."])

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['term'])} {plain_text(row['group'])} {format_value(row['estimate'], 'share_points')}"
            for row in self.records
            if np.isfinite(row["estimate"])
        ]
        if not rows:
            return "There is no difference to draw."
        what = "Points with intervals, how far the response rate is from that of all, other things equal"
        return f"{what}: {'; '.join(rows)}."


def who_answers(study: Study, *, confidence_level: float = 0.95) -> WhoAnswers:
    """Compare response rates by segment, role, channel, tenure, revenue and number of invitations, other things equal.

    The estimand of a difference is the rate that all who were reached would have if they were of this group and in all
    else as they are, less the rate that they have; for the number of the invitation it is the rate at it of the people
    who got so many, less the same people's rate at their first. Both describe; neither says what makes people answer.

    Parameters
    ----------
    study : Study
        The study; it must tell who was silent.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    WhoAnswers

    Raises
    ------
    CannotAnswerError
        If nobody was silent or nobody returned a form, as far as is known; or nothing is known of whom.

    Notes
    -----
    Logistic regression with natural cubic splines; marginal differences by the delta method from the covariance
    clustered by the study's cluster, else the person (Lane & Nelder 1982; Liang & Zeger 1986). Waves are held constant,
    too. Where a column says no more than others do (areas within regions), it has no difference of its own.

    References
    ----------
    Lane, P. W. & Nelder, J. A. (1982). Analysis of covariance and standardization as instances of prediction.
    Biometrics 38, 613-621. doi:10.2307/2530043

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"area": ["N", "S"] * 100, "responded": [1, 0, 1, 1, 0, 0, 0, 0] * 25})
    >>> found = who_answers(Study.from_frames(responses=table, segments=["area"])).frame
    >>> found[["group", "n", "response_rate", "estimate"]].round(3).values.tolist()
    [['N', 100, 0.5, 0.125], ['S', 100, 0.25, -0.125]]
    """
    check_level(confidence_level)
    study.require("responses.silence")
    rows = study.responses
    reached = rows["response_state"].isin(["answered", "item_missing", "nonrespondent"])
    rows = rows[reached & ~window_open(rows, study.settings)].reset_index(drop=True)
    returned = rows["response_state"].isin(["answered", "item_missing"]).to_numpy()
    if returned.all() or not returned.any():
        raise CannotAnswerError("Of those whose window has closed, either all answered or none.")
    factors = response_factors(study, rows)
    shown = [factor for factor in factors if factor.name != WAVE]
    if not shown:
        raise CannotAnswerError("Nothing is known of those who were invited by which they could be compared.")
    cluster = response_clusters(study, rows)[0]
    in_model = [factor for factor in factors if factor.name != INVITATION]
    model = adjusted_differences(returned, in_model, cluster, confidence_level=confidence_level)
    parts, hidden = [], []
    for factor in shown:
        rates = clustered_rates(
            returned, factor.group, cluster, n_groups=len(factor.groups), confidence_level=confidence_level
        )
        if factor.name == INVITATION:
            found = changes_since_first(
                returned,
                factor.group,
                pd.factorize(rows["respondent_id"])[0],
                cluster,
                confidence_level=confidence_level,
            )
        else:
            found = model.of[factor.name]
        parts.append(_rows(factor, rates, found))
        hidden.append(_hidden(study, factor, rates))
    frame = pd.concat(parts, ignore_index=True)
    gone = np.concatenate(hidden)
    frame["p_adjusted"] = adjust_p_values(frame["p_value"].mask(gone).to_numpy())
    return WhoAnswers(
        frame=frame,
        confidence_level=confidence_level,
        title="Who answers",
        minimum_cell=study.settings.minimum_cell,
        hidden=frozenset(names_of(frame)[gone]),
        n_all=len(rows),
        rate_all=float(returned.mean()),
        adjusted_for=tuple(factor.name.removesuffix(" group") for factor in in_model) if len(in_model) > 1 else (),
        not_separable=model.not_separable,
        knows_delivery="responses.delivered" in study.available,
        caveat=silence_caveat(study),
    )


def _rows(factor: Factor, rates: pd.DataFrame, found: Differences) -> pd.DataFrame:
    """One factor's rows of the frame."""
    return pd.DataFrame(
        {
            "term": factor.name,
            "group": factor.groups,
            "n": rates["n"],
            "events": rates["events"],
            "response_rate": rates["estimate"],
            "response_rate_conf_low": rates["conf_low"],
            "response_rate_conf_high": rates["conf_high"],
            **vars(found),
        }
    )


def _hidden(study: Study, factor: Factor, rates: pd.DataFrame) -> Flags:
    """Groups with few answers, those that would give them away, and those that other pages hide."""
    standard = {"Channel": "channel"}.get(factor.name, factor.name)
    elsewhere = groups_not_shown(study, [standard]) if standard in (*study.segments, "channel") else frozenset()
    return hidden_rows(
        rates["events"].to_numpy(),
        study.settings.minimum_cell,
        people=rates["n"].to_numpy(),
        hidden=[group in elsewhere for group in factor.groups],
    )
