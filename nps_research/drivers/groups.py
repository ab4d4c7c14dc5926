"""Are the drivers the same everywhere? Segments, waves, stages of the customer's life, touchpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.people import moment_known, people_at_invitation
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.drivers.enough import ANSWERS_PER_GROUP, CLUSTERS_PER_GROUP
from nps_research.drivers.fitting.data import group_labels
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import joined, points
from nps_research.statistics.distributions import f_sf
from nps_research.statistics.least_squares import regress
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.study.study import Study
from nps_research.typing import Floats

LIFETIME = "lifetime stage"
STAGES = {3.0: "months 1 to 3", 6.0: "months 4 to 6", 9.0: "months 7 to 9", 12.0: "months 10 to 12"}
LATER = "after month 12"
TESTS_SHOWN = 5  # those with the strongest evidence that groups differ; the frame has all


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DriversByGroup(Result):
    """Points at stake of each driver in each group.

    `frame` columns: by, term, group, n (answers), estimate (points at stake in the group) with std_error, conf_low,
    conf_high; difference (from all groups together); p_value and p_adjusted of the test that the driver is worth the
    same in all groups of `by` (the same on each of its rows; Holm over drivers and groupings).

    Attributes
    ----------
    tested : int
        Drivers times groupings.
    left_out : int
        Groups with too few answers.
    """

    tested: int
    left_out: int

    kind: ClassVar[str] = "drivers_by_group"
    headings: ClassVar[Mapping[str, str]] = {
        "by": "Grouping",
        "term": "Rating",
        "estimate": "Points at stake",
        "difference": "Against all",
        "p_adjusted": "p, groups alike, adjusted",
    }
    formats: ClassVar[Mapping[str, str]] = {"by": "text"}
    table_columns: ClassVar = ("term", "by", "group", "n", "estimate", "conf_high", "difference", "p_adjusted")

    @cached_property
    def shown(self) -> pd.DataFrame:
        shown = super().shown
        first = shown[["by", "term"]].drop_duplicates().head(TESTS_SHOWN)
        return shown.merge(first, on=["by", "term"])

    @property
    def n_hidden(self) -> int:
        return 0  # groups that may not be shown are not in the frame

    @property
    def finding(self) -> str:
        real = self.frame[self.frame["p_adjusted"] < 1 - self.confidence_level]
        if real.empty:
            tests = f"{self.tested} tests (each of" if self.tested != 1 else "1 test (of"
            return (
                f"No difference between groups in what a rating is worth is proven, by {tests} a rating in a grouping)."
            )
        said = []
        for (by, term), rows in real.groupby(["by", "term"], sort=False):
            shown = rows[~rows["group"].isin(self.hidden or ())]
            if shown.empty:
                continue
            most, least = shown.iloc[shown["estimate"].argmax()], shown.iloc[shown["estimate"].argmin()]
            said.append(
                f"{term}: not worth the same in each {by}, {points(most['estimate'])} in {joined([most['group']])}, "
                f"{points(least['estimate'])} in {joined([least['group']])}"
            )
        return (
            f"{'; '.join(said[:4])}. In all else, {self.tested - len(said)} of {self.tested} tests show no difference."
        )

    @property
    def note(self) -> str:
        groups = "1 group" if self.left_out == 1 else f"{self.left_out} groups"
        small = f" {groups} with fewer than {ANSWERS_PER_GROUP} answers left out." if self.left_out else ""
        chosen = (
            f"Of {self.tested} tests, the {TESTS_SHOWN} with the strongest evidence are shown. "
            if self.tested > TESTS_SHOWN
            else ""
        )
        return (
            f"{chosen}Each group's points: the model's, times what the group makes of the rating (a "
            "regression of its answers on all contributions, errors robust to clusters). Only ratings above noise are "
            f"compared.{small} No difference shown is not the same as none: look at the intervals."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} in {row['group']} {points(row['estimate'])}" for row in self.records]
        return "Points at stake with interval bars: " + "; ".join(said) + "."


def lifetime_stages(study: Study) -> pd.Series[Any]:
    """Label each answer's stage of the customer's life at the invitation; CannotAnswerError without starts."""
    study.require("customers.started_at", f"responses.{moment_known(study)}")
    answered = study.responses[study.responses["response_state"] == "answered"]
    months = people_at_invitation(study, answered).get("tenure", pd.Series(np.nan, answered.index))
    stage = pd.cut(months, [0, *STAGES, np.inf], labels=[*STAGES.values(), LATER], right=False)
    return stage.cat.add_categories([NOT_STATED]).fillna(NOT_STATED)


def compare_drivers(study: Study, model: DriverModel, *, by: Sequence[str] | None = None) -> DriversByGroup:
    """Test whether drivers above noise are worth the same in all groups, and say by how much they are not.

    In each grouping, answers are regressed on group means and on every driver's contribution within each group. The
    coefficient is what the group makes of the driver, as a multiple of what the model says for all; the group's points
    at stake are the model's times it. Contributions are taken as they are: their own uncertainty, which all groups
    share, is in the intervals of `fit_drivers` and not in these.

    Parameters
    ----------
    study : Study
    model : DriverModel
        Of `study`.
    by : sequence of str, optional
        Groupings, each apart: columns of the responses, or ``"lifetime stage"``. None: waves, touchpoints, segments and
        stages, as far as the study has them.

    Returns
    -------
    DriversByGroup

    Raises
    ------
    CannotAnswerError
        If no grouping has two groups of 100 answers, or no driver is above noise.
    """
    real = model.leaders
    if not real:
        raise CannotAnswerError("No rating is above noise, so there is none to compare.")
    if by is None:
        by = [name for name in ("wave", "touchpoint") if f"responses.{name}" in study.available] + list(study.segments)
        by += [LIFETIME] * study.can_answer(
            "customers.started_at", f"responses.{moment_known(study)}", "responses.customer_id"
        )
    places = [model.data.terms.index(term) for term in real]
    points_of_all = model.frame.set_index("term")["estimate"]
    rest = model.data.y.sum(axis=0) - model.fit.contributions.sum(axis=(0, 2))
    contributions = model.data.among_raters(model.fit.contributions.sum(axis=0))
    rated = np.isfinite(model.data.ratings)
    rows, tests, left_out = [], [], 0
    for name in by:
        labels = lifetime_stages(study) if name == LIFETIME else group_labels(study, name)
        of_model = labels.reindex(model.data.index)
        hidden = groups_not_shown(study, [name]) if name != LIFETIME else frozenset()
        counts = of_model.value_counts().reindex(of_model.cat.categories)
        clusters = pd.Series(model.data.cluster, index=model.data.index).groupby(of_model, observed=False).nunique()
        enough = (counts >= ANSWERS_PER_GROUP) & (clusters.reindex(counts.index) >= CLUSTERS_PER_GROUP)
        kept = [str(group) for group in counts.index[enough] if group != NOT_STATED and group not in hidden]
        left_out += int(((counts > 0) & ~enough).sum())
        if len(kept) < 2:
            continue
        within = of_model.isin(kept).to_numpy()
        member = np.stack([(of_model[within] == group).to_numpy() for group in kept], axis=1).astype(float)
        phi = contributions[within][:, places]
        design = np.hstack([member, (member[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)])
        cluster = np.unique(model.data.cluster[within], return_inverse=True)[1]
        fitted = regress(rest[within], design, model.data.weights[within], cluster)
        extra = fitted.coefficient[len(kept) :].reshape(len(kept), len(places))
        errors = np.sqrt(np.diag(fitted.covariance)[len(kept) :]).reshape(extra.shape)
        rated_by = (member.T @ rated[within][:, places]).astype(int)
        for place, term in enumerate(real):
            asked = np.flatnonzero(rated_by[:, place] >= ANSWERS_PER_GROUP)
            if len(asked) < 2:
                continue
            which = len(kept) + asked * len(places) + place
            least = int(clusters[[kept[position] for position in asked]].min())
            p_value = _equal(fitted.coefficient[which], fitted.covariance[np.ix_(which, which)], least - 1)
            tests.append({"by": name, "term": term, "p_value": p_value})
            for position in asked:
                group, base = kept[position], float(points_of_all[term])
                rows.append(
                    {
                        "by": name,
                        "term": term,
                        "group": group,
                        "n": int(rated_by[position, place]),
                        "estimate": base * (1 + extra[position, place]),
                        "std_error": abs(base) * errors[position, place],
                        "difference": base * extra[position, place],
                    }
                )
    if not rows:
        raise CannotAnswerError(f"No grouping has two groups of {ANSWERS_PER_GROUP} answers to compare.")
    tested = pd.DataFrame(tests)
    tested["p_adjusted"] = adjust_p_values(tested["p_value"].to_numpy())
    frame = pd.DataFrame(rows).merge(tested, on=["by", "term"], how="left")
    frame = frame.assign(**with_normal_limits(frame["estimate"], frame["std_error"], model.confidence_level))
    return DriversByGroup(
        frame=frame.sort_values("p_value", kind="stable", ignore_index=True),
        confidence_level=model.confidence_level,
        title="Points at stake by group",
        minimum_cell=model.minimum_cell,
        hidden=frozenset(),  # groups that may not be shown are not in the frame
        tested=len(tested),
        left_out=left_out,
    )


def _equal(value: Floats, covariance: Floats, df: int) -> float:
    """p-value of the hypothesis that all values are the same (Wald; F, with the smallest group's clusters less one)."""
    contrast = np.eye(len(value))[1:] - np.eye(len(value))[0]
    difference, spread = contrast @ value, contrast @ covariance @ contrast.T
    statistic = float(difference @ np.linalg.pinv(spread, hermitian=True) @ difference) / len(difference)
    return float(f_sf(statistic, len(difference), df))
