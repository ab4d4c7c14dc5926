"""The score in which every account counts the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.account_units import groups_told
from nps_research.counting.checks import check_level
from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.given import as_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.result import KeyNumber
from nps_research.results.words import interval_text, joined, p_text, plain_text, points
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.by_design import effective_score
from nps_research.score.limits.methods import METHOD_WORDS
from nps_research.score.scored import ByLines, no_score
from nps_research.statistics.group_sums import group_sums
from nps_research.study.needs import begins_with
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AccountScores(ByLines):
    """Scores in which every account counts the same, beside those in which every answer does.

    `frame` columns: group, n, n_accounts, estimate, std_error, conf_low, conf_high (the account-level
    score's), respondent_score, respondent_score_conf_low,
    respondent_score_conf_high (every answer alike, clustered by
    account), difference (account-level less respondent-level), difference_conf_low, difference_conf_high,
    difference_p_value.
    """

    by: tuple[str, ...] = ()

    kind: ClassVar[str] = "account_score"
    table_columns: ClassVar[tuple[str, ...]] = (
        "group",
        "n_accounts",
        "n",
        "estimate",
        "conf_high",
        "respondent_score",
        "respondent_score_conf_high",
        "difference",
        "difference_conf_high",
    )
    headings: ClassVar[Mapping[str, str]] = {
        "n_accounts": "Accounts",
        "estimate": "NPS, every account alike",
        "respondent_score": "NPS, every answer alike",
    }
    formats: ClassVar[Mapping[str, str]] = {"n_accounts": "count", "respondent_score": "points"}

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows:
            return no_score(self)
        row = rows[-1]
        whom = "" if row["group"] == "all" else f" of {plain_text(row['group'])}"
        said = f"With every account counting the same, the NPS{whom} is {points(row['estimate'])}"
        if np.isnan(row["difference_p_value"]):
            return f"{said}; with every answer counting the same, {points(row['respondent_score'])}."
        if row["difference_p_value"] >= 1 - self.confidence_level:
            return f"{said}, not provably different from the {points(row['respondent_score'])} of all answers."
        lower = "lower" if row["difference"] > 0 else "higher"
        return (
            f"{said} against {points(row['respondent_score'])} with every answer: "
            f"accounts with many answers score {lower}."
        )

    @property
    def details(self) -> str:
        if not self.answered:
            return ""
        row = self.answered[-1]
        said = f"{row['n_accounts']:,} accounts, {interval_text(row, self.confidence_level)}; {row['n']:,} answers."
        if np.isnan(row["difference_p_value"]):
            return said
        limits = interval_text(row, self.confidence_level, prefix="difference_")
        return f"{said} The difference is {points(row['difference'])} ({limits}; {p_text(row['difference_p_value'])})."

    @property
    def note(self) -> str:
        return (
            f"{self.lines} An account's own score is the mean of its answers; an answer without an account is an "
            "account of its own. Neither score is weighted by revenue or design. Limits, with accounts as clusters: "
            f"{METHOD_WORDS['effective-score']}; of differences, t limits."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])} {points(row['estimate'])} and {points(row['respondent_score'])}"
            for row in self.answered
        ]
        return (
            f"NPS by {joined(self.by) or 'group'} with interval bars, every account alike (full) and every answer "
            f"alike (hollow): {'; '.join(rows)}."
        )

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(
            KeyNumber.of(row, "NPS, every account alike" + ("" if row["group"] == "all" else f", {row['group']}"))
            for row in self.answered
        )


def _by_account(
    study: Study,
    by: str | Sequence[str] | None = None,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
) -> ScoreDistribution:
    study.require("responses.account_id")
    return as_distribution(
        study, promoter_min=promoter_min, detractor_max=detractor_max, by=by, cluster="account_id", weight=None
    )


@begins_with(_by_account)
def account_score(
    study: Study,
    *,
    by: str | Sequence[str] | None = None,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> AccountScores:
    """Estimate the Net Promoter Score in which every account counts the same, however many of its people answered.

    The estimand is the mean, over accounts that would answer, of the account's own score: the mean of its
    answers recoded to -100, 0 and 100. Accounts are taken as independent; limits are those of
    `limits.independent.effective_score`, accounts being the clusters. Beside it stands the score in which every answer
    counts the same, and their difference with its own interval (both come from the same accounts, so the
    covariance is kept).

    Parameters
    ----------
    study : Study
        The study; it must have ``account_id``.
    by : str or sequence of str, optional
        Columns to group by, e.g. ``"wave"``; an account in several groups counts in each.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    AccountScores

    Raises
    ------
    CannotAnswerError
        If the study has no ``account_id`` or no ``likelihood_to_recommend``.
    EstimationError
        If the level is impossible.

    References
    ----------
    Woodruff, R. S. (1971). A simple method for approximating the variance of a complicated estimate.
    Journal of the American Statistical Association 66, 411-414. doi:10.1080/01621459.1971.10482279

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 10, 10, 2, 9], "account_id": list("aaabc")})
    >>> account_score(Study.from_frames(responses=table)).frame[["estimate", "respondent_score"]].round().values
    array([[33., 60.]])
    """
    check_level(confidence_level)
    dist = _by_account(study, by, promoter_min=promoter_min, detractor_max=detractor_max)
    k = len(dist.groups)
    both = _answers_and_accounts(dist)
    scores = effective_score(both, confidence_level=confidence_level)
    pairs = list(zip(both.groups[:k], both.groups[k:], strict=True))
    between = compare_net_promoter_scores(
        both, pairs=pairs, method="effective-score", confidence_level=confidence_level
    ).frame
    frame = pd.DataFrame(
        {
            "group": list(dist.groups),
            "n": dist.n,
            "n_accounts": np.bincount(account_clusters(dist).group, minlength=k),
            "estimate": scores.estimate[k:],
            "std_error": scores.std_error[k:],
            "conf_low": scores.conf_low[k:],
            "conf_high": scores.conf_high[k:],
            "respondent_score": scores.estimate[:k],
            "respondent_score_conf_low": scores.conf_low[:k],
            "respondent_score_conf_high": scores.conf_high[:k],
            "difference": between["estimate"],
            "difference_conf_low": between["conf_low"],
            "difference_conf_high": between["conf_high"],
            "difference_p_value": between["p_value"],
        }
    )
    alike = replace(both.select(both.groups[k:]), groups=dist.groups, minimum_cell=dist.minimum_cell)
    told = groups_told(dist, np.ones(len(account_clusters(dist).label)))
    few = (alike.few_units | dist.few_units | told) - dist.small_groups
    return AccountScores(
        frame=dist.with_keys(frame),
        confidence_level=confidence_level,
        title=f"Net Promoter Score, every account alike{dist.by_words}",
        **dist.of_results | {"few_units": few, "hidden": dist.hidden_groups | few | alike.weights_tell_of},
        by=dist.by,
    )


def _answers_and_accounts(dist: ScoreDistribution) -> ScoreDistribution:
    """Each group twice, in the same clusters: first with every answer weighing 1, then every account."""
    clusters = account_clusters(dist)
    size = clusters.sums.sum(axis=1, keepdims=True)
    equal = clusters.sums / size
    k = len(dist.groups)
    of_accounts, squared = (group_sums(each, clusters.group, k) for each in (equal, equal / size))
    return ScoreDistribution(
        groups=(*(f"answers {row}" for row in range(k)), *(f"accounts {row}" for row in range(k))),
        counts=np.concatenate([dist.counts, dist.counts]),
        weight_sums=np.concatenate([dist.counts, of_accounts]),
        squared_weight_sums=np.concatenate([dist.counts, squared]),
        clusters=ClusterSums(
            group=np.concatenate([clusters.group, clusters.group + k]),
            label=np.concatenate([clusters.label, clusters.label]),
            sums=np.concatenate([clusters.sums, equal]),
            answers=np.concatenate([clusters.n, clusters.n]),
        ),
        minimum_cell=1,  # what is told of accounts is judged together
        promoter_min=dist.promoter_min,
        detractor_max=dist.detractor_max,
    )


def account_clusters(dist: ScoreDistribution) -> ClusterSums:
    """The clusters of a distribution counted by account; EstimationError where there are none."""
    if dist.clusters is None:
        raise EstimationError("Answers must be counted by account: score_distribution(..., cluster='account_id').")
    return dist.clusters
