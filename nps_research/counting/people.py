"""What was known of each invited person before the invitation, of those who answered and of the silent alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.clusters import first_available
from nps_research.errors import CannotAnswerError
from nps_research.statistics.covariates import Covariates
from nps_research.study.repeats import FIRST_ANSWER
from nps_research.study.study import Study

DAYS_PER_MONTH = 365.25 / 12
YEARS, REVENUE = "Years as a customer", "Revenue group"
TENURE_EDGES = (12, 36, 60)  # months
TENURE_BANDS = ("under 1", "1 to 3", "3 to 5", "over 5")
QUARTERS = ("1 of 4 (lowest)", "2 of 4", "3 of 4", "4 of 4 (highest)")
OF_EARLIER_WAVES = ("answered_before", "last_answer")  # not of who the customer is
WORDS = {
    "tenure": "tenure",
    "log_revenue": "revenue",
    "answered_before": "earlier answering",
    "last_answer": "the last earlier answer",
    "n_earlier": "number of earlier surveys",
    "earlier_answer_share": "share of these answered",
}


def as_text(values: pd.Series) -> pd.Series:
    """Spell the values of a category; "(not stated)" where not known."""
    return values.astype("object").where(values.notna(), NOT_STATED).astype("str")


def tenure_in_months(started_at: pd.Series, moment: Any) -> pd.Series:
    """Compute the tenure at a moment, in months of 365.25 / 12 days.

    Days count whole: who joined on the day itself has a tenure of 0, at whatever hour. Who joined on a later day has
    none yet: it is missing, as it is where the start is not known.

    Examples
    --------
    >>> started = pd.to_datetime(pd.Series(["2025-01-01", "2025-03-01 17:00", "2025-03-02"]), format="mixed")
    >>> tenure_in_months(started, pd.Timestamp("2025-03-01 09:00")).round(2).tolist()
    [1.94, 0.0, nan]
    """
    moment = moment.dt.normalize() if isinstance(moment, pd.Series) else moment.normalize()
    days: pd.Series = (moment - started_at.dt.normalize()).dt.days
    return days.where(days >= 0).astype(float) / DAYS_PER_MONTH


def log_revenue(revenue: pd.Series) -> pd.Series:
    """Take the logarithm of revenue; missing where there is none, or it is not known."""
    value = revenue.astype(float)
    return value.where(value > 0).map(np.log)


def bands_of(tenure: pd.Series | None, revenue: pd.Series | None, base: pd.Series | None = None) -> pd.DataFrame:
    """Group tenure in years, and revenue in quarters of the revenues above zero in `base` (None: those at hand).

    A tenure of exactly a year is "1 to 3". Without four different revenues there are no quarters.

    Examples
    --------
    >>> bands_of(pd.Series([3.0, 12.0, np.nan]), pd.Series([0.0, 8.0, 2.0]), pd.Series([1.0, 2, 4, 8])).values.tolist()
    [['under 1', '(not stated)'], ['1 to 3', '4 of 4 (highest)'], ['(not stated)', '2 of 4']]
    """
    found = {}
    if tenure is not None:
        edges = [-np.inf, *TENURE_EDGES, np.inf]
        found[YEARS] = as_text(pd.cut(tenure, edges, labels=TENURE_BANDS, right=False))
    if revenue is not None:
        whole = (revenue if base is None else base).astype(float)
        whole = whole[whole > 0]
        if whole.nunique() >= len(QUARTERS):
            edges = [0, *np.quantile(whole, [0.25, 0.5, 0.75], method="inverted_cdf"), np.inf]
            found[REVENUE] = as_text(pd.cut(revenue.astype(float), edges, labels=QUARTERS, duplicates="drop"))
    return pd.DataFrame(found)


def has_left(churned_at: pd.Series, moment: Any) -> pd.Series:
    """Tell who had left by a moment; whose leaving is not recorded had not."""
    return churned_at.le(moment)


def was_customer(customers: pd.DataFrame, moment: Any) -> pd.Series:
    """Tell who was a customer at a moment: had joined by the end of that day, as far as known, and not left by then."""
    found = pd.Series(data=True, index=customers.index)
    if "started_at" in customers:
        found &= customers["started_at"].isna() | tenure_in_months(customers["started_at"], moment).notna()
    return found & ~has_left(customers["churned_at"], moment) if "churned_at" in customers else found


def at_first_answer(study: Study) -> Study:
    """The study with the first answer in the window of who answered again in one wave: what an outcome may follow.

    For the score the newest answer counts. Picked for an outcome it would be late, and picked by who stayed to give it.
    """
    if study.is_lazy or "first_answer" not in study.responses:
        return study
    responses = study.responses
    again = responses["first_answer"].notna()
    named = {own: first for own, first in FIRST_ANSWER.items() if first in responses}
    changed = {own: responses[own].mask(again, responses[first]) for own, first in named.items()}
    return replace(study, rows=responses.assign(**changed))


def who_can_be_called(study: Study) -> pd.Series:
    """Mark the responses of customers that are known by an id; CannotAnswerError where there are none."""
    found = pd.Series(data=False, index=study.responses.index)
    if study.customers is not None and first_available(study, "customer_id", "respondent_id") is not None:
        found = study.responses["customer_id"].isin(study.customers["customer_id"])
    if not found.any():
        raise CannotAnswerError("There is nobody to call: no id of a response joins to a customer of this study.")
    return found


def moment_known(study: Study) -> str:
    """Name the date at which people are looked at: of the invitation, or of the answer where none is recorded."""
    return "invited_at" if "responses.invited_at" in study.available else "responded_at"


def people_at_invitation(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """Look up what the customers table says of the people in `rows`, as it was when they were invited.

    Where no invitations are recorded, as it was when they answered.

    Parameters
    ----------
    study : Study
    rows : DataFrame
        Rows of ``study.responses``.

    Returns
    -------
    DataFrame
        With the index of `rows`, what there is of role, tenure (months), log_revenue, and the groups of `bands_of`:
        quarters are those of all customers, so that a person has one in every table.
    """
    known = pd.DataFrame(index=rows.index)
    if study.customers is None or first_available(study, "customer_id", "respondent_id") is None:
        return known
    of_customer, who = study.customers.set_index("customer_id"), rows["customer_id"]
    tenure = revenue = base = None
    if "customers.role" in study.available and "role" not in {name.casefold() for name in study.segments}:
        known["role"] = who.map(of_customer["role"])
    moment = moment_known(study)
    if {"customers.started_at", f"responses.{moment}"} <= study.available:
        known["tenure"] = tenure = tenure_in_months(who.map(of_customer["started_at"]), rows[moment])
    if "customers.revenue" in study.available:
        base = of_customer["revenue"]
        revenue = who.map(base)
        known["log_revenue"] = log_revenue(revenue)
    return known.join(bands_of(tenure, revenue, base))


def in_words(covariates: Covariates) -> tuple[str, ...]:
    """Name what is known, as a reader calls it."""
    return tuple(WORDS.get(name, name) for name in [*covariates.categories, *covariates.numbers])


def in_bands(covariates: Covariates) -> pd.DataFrame:
    """Collect all that tells who the person is, in groups: the categories, years as a customer, revenue in quarters."""
    return covariates.categories.drop(columns=list(OF_EARLIER_WAVES), errors="ignore").join(covariates.bands)


def covariates_at_invitation(study: Study, rows: pd.DataFrame, *, detractor_max: int | None = None) -> Covariates:
    """Collect what was known of the people in `rows` before they were invited.

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
    known = people_at_invitation(study, rows)
    names = [*study.segments, *(name for name in ("channel", "touchpoint") if f"responses.{name}" in study.available)]
    categories = {name: rows[name] for name in dict.fromkeys(names)} | {
        name: known[name] for name in known if name == "role"
    }
    numbers = {name: known[name] for name in ("tenure", "log_revenue") if name in known}
    earlier = earlier_answers(study, rows)
    if earlier is not None:
        highest = study.settings.detractor_max if detractor_max is None else detractor_max
        last = earlier["last_score"]
        classes = np.select(
            [last <= highest, last >= study.settings.promoter_min], ["detractor", "promoter"], "passive"
        )
        numbers["answered_before"] = earlier["answered_before"]
        categories["last_answer"] = pd.Series(classes, index=rows.index).where(last.notna(), "none")
    texts = {name: as_text(column) for name, column in categories.items()}
    bands = {name: known[name] for name in (YEARS, REVENUE) if name in known}
    differing = [
        pd.DataFrame(
            {name: column for name, column in columns.items() if len(column.dropna().unique()) > 1}, rows.index
        )
        for columns in (numbers, texts, bands)
    ]
    return Covariates(*(frame.reset_index(drop=True) for frame in differing))


def earlier_answers(study: Study, rows: pd.DataFrame) -> pd.DataFrame | None:
    """Look up how the people in `rows`, invitations of one wave, answered in earlier waves, as known when invited now.

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
