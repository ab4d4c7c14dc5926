"""What was known of each invited person before the invitation, of those who answered and of the silent alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nps_research.counting.clusters import first_available
from nps_research.counting.score_counts import NOT_STATED
from nps_research.statistics.covariates import Covariates

if TYPE_CHECKING:
    from nps_research.study.study import Study


__all__ = ["WORDS", "covariates_at_invitation", "earlier_answers", "in_bands", "in_words"]

DAYS_PER_MONTH = 365.25 / 12
TENURE_EDGES = (-np.inf, 12, 36, 60, np.inf)
TENURE_BANDS = ("under 1", "1 to 3", "3 to 5", "over 5")
QUARTERS = ("1 (lowest)", "2", "3", "4 (highest)")
HISTORY = ("answered_before", "last_answer")  # made of earlier waves, not of who the customer is
WORDS = {
    "tenure": "tenure",
    "log_revenue": "revenue",
    "answered_before": "earlier answering",
    "last_answer": "the last earlier answer",
}


def in_words(covariates: Covariates) -> tuple[str, ...]:
    """What is known, as a reader calls it."""
    return tuple(WORDS.get(name, name) for name in [*covariates.categories, *covariates.numbers])


def in_bands(covariates: Covariates) -> pd.DataFrame:
    """All that tells who the person is, in groups: the categories, years as a customer, revenue in quarters."""
    groups = covariates.categories.drop(columns=[name for name in HISTORY if name in covariates.categories])
    if "tenure" in covariates.numbers:
        banded = pd.cut(covariates.numbers["tenure"], TENURE_EDGES, labels=TENURE_BANDS, right=False)
        groups = groups.assign(**{"Years as a customer": banded.astype("str").fillna(NOT_STATED)})
    if "log_revenue" in covariates.numbers:
        rank = covariates.numbers["log_revenue"].rank(method="average", pct=True)
        banded = pd.cut(rank, [0, 0.25, 0.5, 0.75, 1], labels=QUARTERS)
        groups = groups.assign(**{"Revenue, quarters": banded.astype("str").fillna(NOT_STATED)})
    return groups


def covariates_at_invitation(study: Study, rows: pd.DataFrame, *, detractor_max: int | None = None) -> Covariates:
    """What was known of the people in `rows` before they were invited.

    Segments, role, channel and touchpoint; tenure at the invitation and the logarithm of revenue; and, where `rows`
    are invitations of one wave, people have ids and invitations have dates: the share of earlier invitations
    answered, and the class of the last earlier answer, both as known when this invitation went out. What does not
    differ among the rows is left out.

    Parameters
    ----------
    study : Study
        The study.
    rows : DataFrame
        Rows of ``study.responses``.
    detractor_max : int, optional
        Highest detractor answer, for the class of the last answer; None takes the study's.

    Returns
    -------
    Covariates
        In the order of `rows`, numbered from 0.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [9, None], "responded": [1, 0], "area": ["N", "S"]})
    >>> study = Study.from_frames(responses=table, segments=["area"])
    >>> covariates_at_invitation(study, study.responses).categories["area"].tolist()
    ['N', 'S']
    """
    numbers: dict[str, pd.Series] = {}
    names = [*study.segments, *(name for name in ("channel", "touchpoint") if f"responses.{name}" in study.available)]
    categories = {name: rows[name] for name in dict.fromkeys(names)}
    if study.customers is not None and first_available(study, "customer_id", "respondent_id"):
        of_customer = study.customers.set_index("customer_id")
        customer = rows["customer_id"]
        if "customers.role" in study.available and "role" not in {name.casefold() for name in study.segments}:
            categories["role"] = customer.map(of_customer["role"])
        if {"customers.started_at", "responses.invited_at"} <= study.available:
            days = (rows["invited_at"] - customer.map(of_customer["started_at"])).dt.days
            numbers["tenure"] = days.astype(float) / DAYS_PER_MONTH
        if "customers.revenue" in study.available:
            revenue = customer.map(of_customer["revenue"]).astype(float)
            numbers["log_revenue"] = revenue.where(revenue > 0).map(np.log)
    earlier = earlier_answers(study, rows)
    if earlier is not None:
        highest = study.settings.detractor_max if detractor_max is None else detractor_max
        last = earlier["last_score"]
        classes = np.select(
            [last <= highest, last >= study.settings.promoter_min], ["detractor", "promoter"], "passive"
        )
        numbers["answered_before"] = earlier["answered_before"]
        categories["last_answer"] = pd.Series(classes, index=rows.index).where(last.notna(), "none")
    texts = {name: column.astype("str").fillna(NOT_STATED) for name, column in categories.items()}
    differing = [
        pd.DataFrame(
            {name: column for name, column in columns.items() if len(column.dropna().unique()) > 1}, rows.index
        )
        for columns in (numbers, texts)
    ]
    return Covariates(*(frame.reset_index(drop=True) for frame in differing))


def earlier_answers(study: Study, rows: pd.DataFrame) -> pd.DataFrame | None:
    """How the people in `rows`, invitations of one wave, answered in earlier waves, as known when invited now.

    An answer counts from its own date on; where answers have no dates, once its window had closed.

    Returns
    -------
    DataFrame or None
        With the index of `rows`: ``answered_before`` (answered of the earlier invitations that reached the person;
        missing without any) and ``last_score`` (0 to 10; missing without any). None where earlier waves, dates of
        invitations or ids are not known.
    """
    needs = ("responses.invited_at", "responses.likelihood_to_recommend")
    person = first_available(study, "customer_id", "respondent_id")
    if "wave" not in rows or len(rows["wave"].unique()) != 1 or person is None or not study.can_answer(*needs):
        return None
    wave = rows["wave"].iloc[0]
    before = study.responses[study.responses["wave"].isin(study.waves[: study.waves.index(wave)])]
    invited_now = rows.drop_duplicates(person).set_index(person)["invited_at"]
    now = before[person].map(invited_now)
    known_at = before["invited_at"] + pd.Timedelta(days=study.settings.response_window_days)
    if "responses.responded_at" in study.available:
        known_at = before["responded_at"].fillna(known_at)
    reached = ~before["response_state"].isin(["not_reached", "pending"])
    before = before.assign(answered=(before["response_state"] == "answered") & (known_at <= now))
    before = before[reached & (before["invited_at"] < now)]
    if before.empty:
        return None
    last = before[before["answered"]].sort_values("invited_at", kind="stable").drop_duplicates(person, keep="last")
    return pd.DataFrame(
        {
            "answered_before": rows[person].map(before.groupby(person)["answered"].mean()).astype(float),
            "last_score": rows[person].map(last.set_index(person)["likelihood_to_recommend"]).astype(float),
        },
        index=rows.index,
    )
