"""What single accounts do to the score: leave each out in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.accounts.score import account_clusters
from nps_research.counting.account_units import LISTED, accounts_listed, by_influence, changes_without, groups_told
from nps_research.counting.checks import check_level
from nps_research.counting.given import as_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.words import plain_text, points
from nps_research.score.limits.by_design import effective_score
from nps_research.score.scored import ByLines
from nps_research.study.study import Study

FEW_ACCOUNTS = (
    "Few accounts have answered, or one has given nearly all answers, and what one answered could be worked out; "
    "answers of others would show it."
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AccountInfluence(ByLines):
    """What leaving out one account does to the score.

    `frame` columns: group, n (the account's answers), change (score without the account less the score with
    it, points; missing, where nobody else answered), margin_of_error (half-width of the group's limits, with
    accounts as clusters), estimate (the group's score). One row per account and group, sorted by the size of
    the change; no account is named. Shown are the first of those with enough answers, with their rank among
    these as ``term``.
    """

    barred: tuple[int, ...] = ()  # rows of the frame that must not be listed

    kind: ClassVar[str] = "account_influence"
    unsaid: ClassVar[tuple[str, ...]] = (*ByLines.unsaid, "barred")
    table_columns: ClassVar[tuple[str, ...]] = ("group", "term", "n", "change", "margin_of_error")
    headings: ClassVar[Mapping[str, str]] = {"term": "Influence", "change": "NPS without it, change"}

    @property
    def large_enough(self) -> pd.DataFrame:
        """The accounts that have enough answers, and which of them are listed."""
        return self._may_be_shown[self._may_be_shown["large"]]

    @cached_property
    def _may_be_shown(self) -> pd.DataFrame:
        frame = self.frame[~self.frame["group"].isin(self.hidden or ())].assign(large=False, listed=False)
        for _, rows in frame.groupby("group"):
            barred = rows.index.isin(self.barred)
            n, change = rows["n"].to_numpy(float), rows["change"].to_numpy()
            found = accounts_listed(n, change, rows.index, self.minimum_cell, barred)
            frame.loc[rows.index, "large"], frame.loc[rows.index, "listed"] = found
        return frame

    @cached_property
    def shown(self) -> pd.DataFrame:
        listed = self._may_be_shown[self._may_be_shown["listed"]].head(LISTED).reset_index(drop=True)
        ranked = listed.assign(term=[f"Rank {rank + 1}" for rank in listed.index])
        return ranked[["group", "term", "n", "change", "margin_of_error", "estimate"]]

    @property
    def beyond_margin(self) -> pd.DataFrame:
        """Accounts that move their group's score by more than its margin of error, hidden ones among them."""
        return self.frame[self.frame["change"].abs() > self.frame["margin_of_error"]]

    @property
    def finding(self) -> str:
        known = self.frame["change"].notna() & self.frame["margin_of_error"].notna()
        if self.few_units and not len(self.shown):
            return "What single accounts do to the score is hidden. " + FEW_ACCOUNTS
        if self.frame["margin_of_error"].isna().all() and self.few_units:
            return (
                "Whether the NPS hangs on a single account cannot be said: the margin of error is hidden, as it would "
                "tell what one answered."
            )
        if not known.any():
            return "What single accounts do to the score cannot be said: it needs answers from two accounts or more."
        beyond = len(self.beyond_margin)
        if beyond == 0:
            verdict = "No single account moves the NPS by more than its margin of error."
        elif beyond == 1:
            verdict = "One account moves the NPS by more than its margin of error: the score hangs on it."
        else:
            verdict = (
                f"{beyond:,} accounts each move the NPS by more than its margin of error: the score hangs on them."
            )
        return verdict

    @property
    def details(self) -> str:
        rows = [row for row in self.records if not np.isnan(row["change"]) and not np.isnan(row["margin_of_error"])]
        if not rows:
            return ""
        row = max(rows, key=lambda row: abs(float(row["change"])))
        whom = "" if row["group"] == "all" else f" of {plain_text(row['group'])}"
        return (
            f"The largest influence shown is that of an account with {row['n']:,} answers: without it, the "
            f"NPS{whom} would change by {points(row['change'])}, against a margin of ±{row['margin_of_error']:.1f}."
        )

    @property
    def note(self) -> str:
        return (
            f"{self.lines} The score is made again without each account in turn. Margin of error: half the interval, "
            "with accounts as clusters. Accounts are not named."
        )

    @property
    def full_note(self) -> str:
        allowed = len(self.large_enough)
        parts = [self.note]
        if self._may_be_shown.empty and self.few_units:
            return f"{self.note} {self.few_units_words}"
        if hidden := len(self.frame) - allowed:
            accounts = "1 account is" if hidden == 1 else f"{hidden:,} accounts are"
            parts.append(
                f"{accounts} not shown: each has fewer than {self.minimum_cell} answers, or would let such an account "
                "be worked out by subtraction."
            )
        if allowed > (listed := len(self.shown)):
            few = ", more would leave too few accounts to tell the rest from" * (listed < min(LISTED, allowed))
            parts.append(f"Of {allowed:,} others, the {listed} of most influence are listed{few}.")
        return " ".join(parts)

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])}, {row['term'].lower()}, {row['n']:,} answers: {points(row['change'])}"
            for row in self.records
        ]
        return (
            f"Bars of the change in NPS without single accounts, on a band of its margin of error: {'; '.join(rows)}."
        )


def account_influence(
    dist: ScoreDistribution | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> AccountInfluence:
    """Measure each account's influence: the score without it less the score with it, in points (leave-one-out).

    Describes these answers, one account left out at a time; set against the score's margin of error
    (clustered by account), it tells whether the score hangs on one of them.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Unweighted answers, counted with ``cluster="account_id"``, as a Study then is.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits that give the margin of error.

    Returns
    -------
    AccountInfluence

    Raises
    ------
    EstimationError
        If the distribution has no clusters, or has weights (how many answers an account gave is then not
        known), or a cut or level is impossible.

    References
    ----------
    Belsley, D. A., Kuh, E. & Welsch, R. E. (1980). Regression Diagnostics. Wiley. doi:10.1002/0471725153

    Examples
    --------
    >>> from nps_research import Study, score_distribution
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 10, 10, 2, 9], "account_id": list("aaabc")})
    >>> dist = score_distribution(Study.from_frames(responses=table), cluster="account_id")
    >>> account_influence(dist).frame[["n", "change"]].values.tolist()
    [[3.0, -60.0], [1.0, 40.0], [1.0, -10.0]]
    """
    check_level(confidence_level)
    dist = as_distribution(
        dist, cluster="account_id", weight=None, promoter_min=promoter_min, detractor_max=detractor_max
    )
    clusters = account_clusters(dist)
    if dist.weight_sums is not None:
        raise EstimationError(
            "Influence counts an account's answers, which weighted distributions do not hold: "
            "count with score_distribution(..., cluster='account_id', weight=None)."
        )
    dist = replace(dist, errors_told=groups_told(dist))
    scores = effective_score(dist, confidence_level=confidence_level)
    change = changes_without(dist)
    frame = pd.DataFrame(
        {
            "group": np.array(dist.groups, dtype=object)[clusters.group],
            "n": clusters.n.astype(np.int64),
            "change": change,
            "margin_of_error": ((scores.conf_high - scores.conf_low) / 2)[clusters.group],
            "estimate": scores.estimate[clusters.group],
        }
    )
    order = by_influence(clusters.n, change, clusters.label)
    barred = np.isin(clusters.label[order].astype(str), list(dist.barred))
    return AccountInfluence(
        frame=frame.iloc[order].reset_index(drop=True),
        barred=tuple(np.flatnonzero(barred).tolist()),
        confidence_level=confidence_level,
        title="Influence of single accounts on the Net Promoter Score",
        **dist.of_results | {"hidden": dist.hidden_groups | dist.few_units},
    )
