"""The score per unit of revenue: what accounts bring in decides how much their answers count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nps_research.counting.account_units import groups_told
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError
from nps_research.results.suppression import hidden_rows
from nps_research.statistics.group_sums import group_sums
from nps_research.study.study import Study
from nps_research.typing import Floats


def revenue_unit(study: Study, cluster: str | None) -> str:
    """The column of the responses that says whose revenue it is: the account's, without accounts the customer's.

    Raises
    ------
    CannotAnswerError
        If the study has no revenue, or its responses do not say which account (or customer) answered.
    ContractError
        If other clusters are asked for.
    """
    if "customers.account_id" in study.available:
        unit = "account_id"
    else:
        unit = "customer_id" if "responses.customer_id" in study.available else "respondent_id"
    study.require("customers.revenue", f"responses.{unit}")
    if cluster not in ("auto", unit):
        raise ContractError(
            f"cluster = {cluster!r}: an answer's share of revenue depends on who else of its {unit} answered, so "
            f"answers weighted by revenue are clustered by {unit}; leave cluster at 'auto'."
        )
    return unit


def revenue_weighted(dist: ScoreDistribution, study: Study, unit: str) -> ScoreDistribution:
    """Answers counted by account, weighted so that an account's answers in a group share its revenue equally.

    The score of what comes out is sum(revenue x the account's own score) / sum(revenue) over the accounts that
    answered in a group: a ratio, with accounts as clusters. An account in several groups counts in each with
    all its revenue. Accounts (and answers that belong to none) without known revenue are left out; how many,
    `design` says. Accounts that bring in nothing weigh nothing; they stay among the answers counted. Negative
    revenue does not get here: the contract puts such rows into quarantine, and their accounts have no known
    revenue. `unit`, by which the unweighted counts are clustered, is what `revenue_unit` says; where it is
    ``"respondent_id"``, that is the customer's.
    """
    clusters = dist.clusters
    if clusters is None:
        raise ContractError(f"Answers weighted by revenue must be counted with cluster={unit!r}.")
    of_unit = _revenue(study, unit)
    revenue = np.array([of_unit.get(label, np.nan) for label in clusters.label], dtype=np.float64)
    known = ~np.isnan(revenue)
    counts, group = clusters.sums[known], clusters.group[known]
    each = revenue[known, None] / counts.sum(axis=1, keepdims=True)  # the weight of one answer

    def per_group(values: Floats) -> Floats:
        return group_sums(values, group, len(dist.groups))

    of = "accounts" if unit == "account_id" else "customers"
    answered, without = set(clusters.label), set(clusters.label[~known])
    words = f"{len(without):,} of {len(answered):,} {of}"
    nothing = len(set(clusters.label[known][revenue[known] == 0]))
    extra = {"without_revenue": words} if without else {}
    if nothing:
        extra["zero_revenue"] = f"{nothing:,} of {len(answered):,} {of}"
    known_counts = per_group(counts).astype(np.int64)
    return replace(
        dist,
        counts=known_counts,
        # Whose revenue is not known is left out of the answers alone: no rate can be made of them and the silent.
        item_missing=None,
        nonrespondents=None,
        not_reached=None,
        pending=None,
        not_shown=frozenset(
            np.array(dist.groups)[hidden_rows(known_counts.sum(axis=1), dist.minimum_cell, hidden=dist.hidden)]
        ),
        weight_sums=per_group(counts * each),
        squared_weight_sums=per_group(counts * each**2),
        clusters=replace(clusters.kept(known), sums=counts * each, answers=counts.sum(axis=1).astype(np.int64)),
        design={**dist.design, "weight": "revenue", **extra},
        told_elsewhere=groups_told(dist, np.ones(len(revenue)), np.nan_to_num(revenue)),
    )


def _revenue(study: Study, unit: str) -> dict[str, float]:
    """Known revenue of each account or customer; the contract holds that an account's rows agree."""
    customers: pd.DataFrame | None = study.customers
    if customers is None:
        return {}
    owner = "account_id" if unit == "account_id" else "customer_id"
    known = customers.dropna(subset=[owner, "revenue"]).drop_duplicates(owner)
    return dict(zip(known[owner].astype("str"), known["revenue"].astype(float), strict=True))
