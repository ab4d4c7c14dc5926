"""Whether those who answer resemble those who could have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.clusters import cluster_codes
from nps_research.counting.people import REVENUE, YEARS, as_text, bands_of, moment_known, tenure_in_months, was_customer
from nps_research.counting.shown_groups import groups_not_shown, hidden_elsewhere
from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.results.column_groups import ColumnGroups, names_of
from nps_research.results.group_order import in_order
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import format_interval, format_value, p_text, plain_text, share
from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.study.needs import NOT_YET, begins_with
from nps_research.study.study import Study
from nps_research.typing import Integers


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Representativeness(ColumnGroups):
    """Those who answered against those who could have.

    `frame` columns: term (the column), group, n (answers), base_share, answer_share, estimate
    (answer_share - base_share, 0 to 1), std_error, conf_low, conf_high, p_value, p_adjusted (over the
    groups that are shown).
    """

    wave: str = ""
    base: str = "customers"
    by_account: bool = False

    kind: ClassVar[str] = "representativeness"
    unsaid: ClassVar[tuple[str, ...]] = (*ColumnGroups.unsaid, "by_account")
    headings: ClassVar[Mapping[str, str]] = {
        "term": "What is known",
        "base_share": "Share of the base",
        "estimate": "Difference",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "group",
        "n",
        "base_share",
        "answer_share",
        "estimate",
        "conf_high",
        "p_adjusted",
    )
    formats: ClassVar[Mapping[str, str]] = {"base_share": "share", "estimate": "share_points", "std_error": "share"}

    @property
    def finding(self) -> str:
        rows = [row for row in self.records if row["p_adjusted"] < 1 - self.confidence_level]
        whom = "the customer base" if self.base == "customers" else "those invited"
        if not self.records:
            return "There are too few answers to compare those who answered with those who could have."
        if not rows:
            return (
                f"In the columns at hand those who answered do not differ from {whom} by more than chance. "
                "They may still differ in loyalty itself."
            )
        most = max(rows, key=lambda row: abs(float(row["estimate"])))
        return (
            f"Those who answered differ from {whom} in {len(rows)} of {len(self.records)} groups, most in "
            f"{plain_text(most['group'])} ({plain_text(most['term'])}): {share(most['base_share'])} of the base, "
            f"{share(most['answer_share'])} of the answers."
        )

    @property
    def details(self) -> str:
        rows = [row for row in self.records if row["p_adjusted"] < 1 - self.confidence_level]
        if not rows:
            return ""
        most = max(rows, key=lambda row: abs(float(row["estimate"])))
        difference, level = format_value(most["estimate"], "share_points"), f"{self.confidence_level:.0%} interval"
        limits = format_interval(most["conf_low"], most["conf_high"], "share_points")
        return f"Largest difference: {difference} ({level} {limits}; {p_text(most['p_adjusted'])})."

    @property
    def note(self) -> str:
        base = "all who were customers at the time of the wave" if self.base == "customers" else "all invitations"
        wave = f" Wave {plain_text(self.wave)}." if self.wave else ""
        alike = ", with answers of one account taken as alike" if self.by_account else ""
        return (
            f"Base: {base}.{wave} Limits treat the answers as a sample and the base as fixed{alike}; p-values are "
            "adjusted for the number of groups (Holm)."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['term'])} {plain_text(row['group'])} {share(row['base_share'])} of the base, "
            f"{share(row['answer_share'])} of the answers"
            for row in self.records
        ]
        return f"Pairs of points, share of the base and share of the answers, per group: {'; '.join(rows)}."


def _base(study: Study, wave: str | None = None) -> tuple[pd.DataFrame, list[str], pd.Series, str, str]:
    """Those who could have answered, what describes them, which of them did, what they are, and the wave."""
    if wave is not None and wave not in study.waves:
        raise ContractError(f"There is no wave {wave!r}{did_you_mean(wave, list(study.waves))}")
    chosen = wave or (study.waves[-1] if study.waves else "")
    asked = study.responses[study.responses["wave"] == chosen] if chosen else study.responses
    joined = bool({"responses.customer_id", "responses.respondent_id"} & study.available)
    if study.customers is not None and joined:
        base, kind = _alive(study.customers, asked, moment_known(study)), "customers"
    elif "responses.silence" in study.available:
        base, kind = asked, "invitations"
    else:
        if NOT_YET in study.available:
            study.require("responses.silence")
        raise CannotAnswerError(
            "Who could have answered is not known: this study has neither a customers table nor invitations "
            "without an answer."
        )
    described = [name for name in (*study.segments, YEARS, REVENUE) if name in base]
    if not described:
        raise CannotAnswerError(
            "This study has no columns that describe both those who answered and those who could have."
        )
    # Where nobody was asked to recommend, the form itself is the answer.
    answers = ["answered"] if "responses.likelihood_to_recommend" in study.available else ["answered", "item_missing"]
    if kind == "customers":
        answered = base["customer_id"].isin(asked.loc[asked["response_state"].isin(answers), "customer_id"])
    else:
        answered = base["response_state"].isin(answers)
    if not answered.any():
        raise CannotAnswerError("None of those who could have answered did, so there is nobody to compare with them.")
    return base, described, answered, kind, chosen


@begins_with(_base)
def representativeness(study: Study, *, wave: str | None = None, confidence_level: float = 0.95) -> Representativeness:
    """Compare the shares of groups among those who answered with those among all who could have (representativeness).

    The base is the customers alive when the wave's invitations went out (when its answers came, where no invitations
    are recorded), where there is a customers table; else all invitations. The groups are the study's segments and,
    with customers, years as a customer and revenue in quarters.

    Parameters
    ----------
    study : Study
        The study.
    wave : str, optional
        None takes the last.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    Representativeness

    Raises
    ------
    CannotAnswerError
        If neither a customers table nor silence is known, or no column describes the customers.

    Notes
    -----
    The base is fixed; what is left to chance is who of it answers, as if answering had nothing to do
    with the groups: linearised over accounts, or over people where there are no accounts, t limits.
    A base of which most answered, and a group of which nobody did, are so taken into account.
    """
    base, described, answered, kind, chosen = _base(study, wave)
    cluster = cluster_codes(base["account_id"]) if "account_id" in base else np.arange(len(base))
    rows: list[tuple[Any, ...]] = []
    hidden = np.zeros(0, dtype=bool)
    for term in described:
        groups = as_text(base[term])
        order = in_order(groups.unique())
        found: list[tuple[Any, ...]] = [
            (term, group, *_share_difference(groups == group, answered, cluster, confidence_level)) for group in order
        ]
        elsewhere = hidden_elsewhere(study, term, chosen)
        gone = hidden_rows(
            [row[2] for row in found],
            study.settings.minimum_cell,
            people=groups.value_counts().reindex(order).to_numpy(),
            hidden=[elsewhere is None or row[1] in elsewhere for row in found],
        )
        hidden = np.append(hidden, gone)
        rows += found
    columns = ["n", "base_share", "answer_share", "estimate", "std_error", "conf_low", "conf_high", "p_value"]
    frame = pd.DataFrame(rows, columns=["term", "group", *columns])
    frame["p_adjusted"] = adjust_p_values(frame["p_value"].mask(hidden).to_numpy())
    named = "" if chosen in groups_not_shown(study, ["wave"] if chosen else []) else chosen
    return Representativeness(
        frame=frame,
        confidence_level=confidence_level,
        title="Those who answered against those who could have" + (f", {named}" if named else ""),
        minimum_cell=study.settings.minimum_cell,
        hidden=frozenset(names_of(frame)[hidden]),
        wave=named,
        base=kind,
        by_account="account_id" in base,
    )


def _alive(customers: pd.DataFrame, asked: pd.DataFrame, asked_at: str) -> pd.DataFrame:
    """Customers when they were invited or answered (else when the first was), with years and revenue in groups."""
    base, tenure = customers, None
    if asked_at in asked and asked[asked_at].notna().any():
        own = customers["customer_id"].map(asked.groupby("customer_id")[asked_at].min())
        moment = own.fillna(asked[asked_at].min())
        base = customers[was_customer(customers, moment)]
        tenure = tenure_in_months(base["started_at"], moment[base.index]) if "started_at" in base else None
    return base.join(bands_of(tenure, base.get("revenue"), customers.get("revenue")))


def _share_difference(
    member: pd.Series, answered: pd.Series, cluster: Integers, confidence_level: float
) -> tuple[float, ...]:
    """n, base share, answer share, difference, its error, limits and p-value, for one group."""
    n, base_share = int((member & answered).sum()), float(member.mean())
    answer_share = float(member[answered].mean())
    # Chance lies in who of the base answers: the base-wide mean of both is taken off.
    error = ((member - base_share) * (answered - answered.mean())).groupby(cluster).sum() / int(answered.sum())
    m = len(error)
    std_error = float(np.sqrt((error**2).sum() * m / (m - 1))) if m > 1 else np.nan
    difference = answer_share - base_share
    half_width = float(t_ppf(0.5 + confidence_level / 2, max(m - 1, 1))) * std_error
    p = float(2 * t_sf(abs(difference) / std_error, m - 1)) if m > 1 and std_error > 0 else np.nan
    return (n, base_share, answer_share, difference, std_error, difference - half_width, difference + half_width, p)
