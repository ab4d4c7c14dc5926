"""Landmarks: what was known of each customer when a survey closed, and what the customer did after it.

A wave's landmark is the moment after which the outcome counts: the last invitation's `invited_at` and the response
window. All that explains is dated up to it, all that is explained after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
import pandas as pd

from nps_research.counting.outcomes import watched_until
from nps_research.counting.people import at_first_answer, has_left, log_revenue, tenure_in_months
from nps_research.counting.score_bands import answer_class
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.study.response_states import NEEDED_FOR_LANDMARKS, window_open
from nps_research.study.study import Study
from nps_research.typing import Flags, Integers

SILENT = "nonrespondent"
ANSWERED = ("promoter", "passive", "detractor")
STATES = (SILENT, *ANSWERED, "not_reached")
DECISION_MAKER = "decision maker"
OF_UNIT = ("started_at", "churned_at", "churn_reason", "observed_until", "revenue")


@dataclass(frozen=True, kw_only=True, eq=False)
class Landmarks:
    """Units at risk at each landmark: a unit is an account, where responses belong to accounts, else a customer.

    Attributes
    ----------
    rows : DataFrame
        A row a unit and landmark, in order of unit and time:

        - unit (int), period (the wave, else the quarter of the invitation), landmark;
        - state: one of `STATES` or ``"item_missing"``. An account is silent if nobody in it who was reached returned
          the form within the window; else it is what the mean answer of its contacts is, halves counted up;
        - score (that mean), n_contacts (reached), silent_share (of these), decision_maker_silent;
        - days (from the landmark to leaving, to the end of the observation or of the horizon, whichever comes first;
          whole days, counted up), event (left), reason (of leaving within the horizon, where known), watched_days (as
          days, had the unit stayed), is_complete (watched over the whole horizon);
        - tenure (months at the landmark), log_revenue, and the segments that do not differ within units;
        - what earlier landmarks knew: n_earlier (landmarks at which the unit was reached), earlier_answer_share,
          silent_in_a_row (this one counted), answered_before, last_score.
    unit : {"account", "customer"}
    horizon_days : int
    segments : tuple of str
    left_out : dict of str to int
        Invitations (the first four) and unit-landmarks that are not in `rows`, by reason.
    knows_delivery : bool
        Whether silence and bounces can be told apart.
    owners : DataFrame
        Private, never shown: a row a unit and landmark, those left out of `rows` too: id, unit (as in `rows`; -1 where
        the unit is in none of them), period, landmark, churned_at, state.
    """

    rows: pd.DataFrame
    unit: Literal["account", "customer"]
    horizon_days: int
    segments: tuple[str, ...]
    left_out: dict[str, int]
    knows_delivery: bool
    owners: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    def classed(self, *, promoter_min: int, detractor_max: int) -> pd.DataFrame:
        """The rows by other cuts, without those whose form came back without the answer."""
        whole = np.floor(self.rows["score"] + 0.5)
        answer = answer_class(whole, promoter_min=promoter_min, detractor_max=detractor_max)
        state = self.rows["state"].mask(whole.notna(), pd.Series(answer, index=self.rows.index))
        return self.rows.assign(state=state)[state != "item_missing"]


def landmarks_of(study: Study, *, horizon_days: int | None = None) -> Landmarks:
    """Collect what was known at each landmark, and who left after it.

    Nothing counts that was not known at the landmark: an answer after it is silence, there and in what later landmarks
    know of it, and units gone by then are not at risk. Leavers whose end of observation is missing,
    or the day they left, are taken to have been watched as long as anybody. Units are accounts where churn is the
    accounts': where customers have an ``account_id``, or the dates of customers who answer for one account agree.

    Parameters
    ----------
    study : Study
        With dates of invitations, and customers with dates of leaving and of the end of their observation.
    horizon_days : int, optional
        Days after the landmark over which leaving counts; None takes the study's.

    Returns
    -------
    Landmarks

    Raises
    ------
    CannotAnswerError
        If the study lacks a column that this needs, nobody was silent, or nobody answered; or if stayers were lost
        sight of while leavers, of whom it is not said how long they were watched, were all seen to leave.
    ContractError
        If the horizon is no whole number of days from 1 on.

    Examples
    --------
    >>> from nps_research.made_up.simulate import Truth, simulate_study
    >>> from nps_research.study.study import Study
    >>> company = simulate_study(Truth(n_accounts=40), rng=np.random.default_rng(1))
    >>> study = Study.from_frames(responses=company.responses.drop(columns="comment"), customers=company.customers)
    >>> landmarks = landmarks_of(study)  # the windows of all eight waves had closed when the data end
    >>> landmarks.unit, landmarks.rows["period"].nunique(), bool((landmarks.rows["days"] > 0).all())
    ('account', 8, True)
    """
    study.require(*NEEDED_FOR_LANDMARKS)
    if not {"responses.respondent_id", "responses.customer_id"} & study.available:
        study.require("responses.customer_id")
    horizon = study.settings.outcome_horizon_days if horizon_days is None else horizon_days
    if horizon < 1 or horizon != int(horizon):
        raise ContractError(f"horizon_days = {horizon_days!r}: a whole number of days, 1 or more, is needed.")
    study = at_first_answer(study)
    unit, owner = _owner(study)
    invitations, left_out = _invitations(study, owner)
    rows = _of_units(invitations, study)
    _check_states(rows, study)
    rows = rows.join(_history(rows))
    customers, segments = _units(study, unit, invitations)
    rows = rows.join(customers, on="unit")
    owners = rows[["unit", "period", "landmark", "churned_at", "state"]].rename(columns={"unit": "id"})
    rows, gone, ids = _followed(rows, horizon)
    invited = rows["landmark"] - pd.Timedelta(days=study.settings.response_window_days)
    rows["tenure"] = tenure_in_months(rows["started_at"], invited) if "started_at" in rows else np.nan
    rows["log_revenue"] = log_revenue(rows["revenue"]) if "revenue" in rows else np.nan
    return Landmarks(
        rows=rows.drop(columns=[name for name in OF_UNIT if name in rows]).reset_index(drop=True),
        unit=unit,
        horizon_days=horizon,
        segments=segments,
        left_out={name: n for name, n in (left_out | gone).items() if n},
        knows_delivery="responses.delivered" in study.available,
        owners=owners.assign(unit=ids.get_indexer(pd.Index(owners["id"]))),
    )


def require_horizon(rows: pd.DataFrame, horizon_days: int) -> None:
    """Raise CannotAnswerError where nobody was watched over the horizon: rates would be those of a shorter time."""
    if not rows["is_complete"].any():
        raise CannotAnswerError(
            f"Nobody was watched for {horizon_days} days after a landmark (the longest: "
            f"{int(rows['watched_days'].max()) if len(rows) else 0}), so how many leave in that time is not known."
        )


def _owner(study: Study) -> tuple[Literal["account", "customer"], pd.Series]:
    """Whose churn it is, and the unit of each invitation: its account, where that is known, else its customer."""
    responses, customers = study.responses, cast("pd.DataFrame", study.customers).set_index("customer_id")
    customer = responses["customer_id"]
    account = pd.Series(index=responses.index, dtype="str")
    if "responses.account_id" in study.available:
        account = responses["account_id"].astype("str")
    if "customers.account_id" in study.available:
        account = account.fillna(customer.map(customers["account_id"]).astype("str"))
    else:
        pairs = pd.DataFrame({"account": account, "customer_id": customer}).drop_duplicates()
        dates = pairs.join(customers[["churned_at", "observed_until"]], on="customer_id", how="inner")
        alike = dates.groupby("account")[["churned_at", "observed_until"]].nunique(dropna=False)
        if account.isna().all() or (alike > 1).any(axis=None):
            return "customer", customer
    return "account", account.fillna("customer " + customer.astype("str") + " alone")


def _invitations(study: Study, owner: pd.Series) -> tuple[pd.DataFrame, dict[str, int]]:
    """Invitations of known customers and dates: unit (the customer's or account's id), period, role and state."""
    responses, customers = study.responses, cast("pd.DataFrame", study.customers)
    of_customer = customers.set_index("customer_id")
    closed = responses["invited_at"] + pd.Timedelta(days=study.settings.response_window_days)
    reasons = {
        "no_invitation_date": closed.isna(),
        "no_customer": ~responses["customer_id"].isin(of_customer.index),
        "window_open": window_open(responses, study.settings),
        "no_wave": (responses["wave"] if study.waves else responses["invited_at"]).isna(),
    }
    fate = np.select(list(reasons.values()), list(reasons), "")
    state = responses["response_state"]
    late = pd.Series(data=False, index=responses.index)
    if "responded_at" in responses:
        late = (responses["responded_at"] > closed) & state.isin(["answered", "item_missing"])
    period = (
        responses["wave"].astype("str")
        if study.waves
        else responses["invited_at"].dt.to_period("Q").astype("str").astype("str")
    )
    role = responses["customer_id"].map(of_customer["role"]) if "role" in of_customer else pd.Series(index=owner.index)
    table = pd.DataFrame(
        {
            "unit": owner,
            "customer_id": responses["customer_id"],
            "period": period,
            "closed": closed,
            "state": state.mask(late, SILENT),
            "score": responses.get("likelihood_to_recommend", pd.Series(index=owner.index)).astype(float).mask(late),
            "decides": role.astype("str").str.strip().str.lower() == DECISION_MAKER,
        }
    )
    counts = {name: int((fate == name).sum()) for name in reasons}
    return table[fate == ""], counts


def _of_units(invitations: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A row a unit and landmark, in order of unit and time."""
    state, decides = invitations["state"], invitations["decides"]
    reached = state != "not_reached"
    table = invitations.assign(
        reached=reached,
        returned=state.isin(["answered", "item_missing"]),
        silent=state == SILENT,
        deciding=decides & reached,
        decided=decides & state.isin(["answered", "item_missing"]),
    )
    grouped = table.groupby(["unit", "period"], sort=False)
    flags = ["reached", "returned", "silent", "deciding", "decided"]
    if table.duplicated(["unit", "period", "customer_id"]).any():  # asked again within a quarter: one contact still
        contacts = table.groupby(["unit", "period", "customer_id"], sort=False)[flags].max()
        contacts["silent"] &= ~contacts["returned"]
        rows = contacts.groupby(["unit", "period"], sort=False).sum()
    else:
        rows = grouped[flags].sum()
    rows["landmark"] = grouped["closed"].max()
    rows["score"] = grouped["score"].mean()
    whole = np.floor(rows["score"] + 0.5)
    settings = study.settings
    rows["state"] = np.select(
        [rows["reached"] == 0, rows["returned"] == 0, whole.isna()],
        ["not_reached", SILENT, "item_missing"],
        answer_class(whole, promoter_min=settings.promoter_min, detractor_max=settings.detractor_max),
    )
    rows["n_contacts"] = rows["reached"]
    rows["silent_share"] = (rows["silent"] / rows["reached"]).where(rows["reached"] > 0)
    decision_maker = (rows["decided"] == 0).astype(float).where(rows["deciding"] > 0)
    rows["decision_maker_silent"] = decision_maker
    kept = ["landmark", "state", "score", "n_contacts", "silent_share", "decision_maker_silent"]
    return rows[kept].reset_index().sort_values(["unit", "landmark"], kind="stable", ignore_index=True)


def _check_states(rows: pd.DataFrame, study: Study) -> None:
    """There must be somebody silent and somebody who answered."""
    if not (rows["state"] == SILENT).any():
        unanswered = (
            study.responses["response_state"].value_counts().reindex(["nonrespondent", "pending"], fill_value=0)
        )
        why = "every invitation that arrived was answered, or those without an answer are not recorded"
        if unanswered["nonrespondent"]:
            why = (
                "those who did not answer belong to no customer of this study, or to an account of which somebody else "
                "did, or their invitation has no date or wave"
            )
        elif unanswered["pending"]:
            why = "those who did not answer may still do so in time"
        raise CannotAnswerError(f"Nobody is known to have been silent at a landmark: {why}.")
    if not rows["state"].isin(ANSWERED).any():
        study.require("responses.likelihood_to_recommend")
        raise CannotAnswerError("Nobody answered within the window, so there is nobody to set beside the silent.")


def _history(rows: pd.DataFrame) -> pd.DataFrame:
    """What earlier landmarks of the same unit knew; rows are in order of unit and time."""
    unit = rows["unit"]
    silent = (rows["state"] == SILENT).to_numpy()
    reached = (rows["state"] != "not_reached").to_numpy()
    returned = reached & ~silent
    is_first = (unit != unit.shift()).to_numpy()

    def earlier(flags: Flags) -> Integers:
        total: Integers = np.cumsum(flags) - flags
        return np.asarray(total - np.maximum.accumulate(np.where(is_first, total, 0)), dtype=np.int64)

    n_earlier, n_answered = earlier(reached), earlier(returned)
    run = np.cumsum(silent)
    before = np.maximum.accumulate(np.where(returned, run, np.where(is_first, run - silent, 0)))
    last_score = rows["score"].groupby(unit, sort=False).ffill().groupby(unit, sort=False).shift()
    return pd.DataFrame(
        {
            "n_earlier": n_earlier,
            "earlier_answer_share": np.where(n_earlier > 0, n_answered / np.maximum(n_earlier, 1), np.nan),
            "silent_in_a_row": np.where(silent, run - before, 0),
            "answered_before": n_answered > 0,
            "last_score": last_score,
        },
        index=rows.index,
    )


def _units(study: Study, unit: str, invitations: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Dates, revenue and segments by unit, and which segments do not differ within units."""
    customers = cast("pd.DataFrame", study.customers)
    known = customers.merge(invitations[["customer_id", "unit"]].drop_duplicates(), on="customer_id")
    if unit == "account" and "account_id" in customers:
        # who changed accounts brings no dates of the one into the other
        own = customers.assign(unit=customers["account_id"].astype("str"))
        own = own[own["unit"].isin(known["unit"])]
        known = pd.concat([own, known[~known["unit"].isin(own["unit"])]])
    columns = [name for name in OF_UNIT if name in known]
    names = [name for name in study.segments if name in known]
    of_unit = known.groupby("unit", sort=False)
    alike = [
        name
        for name in names
        if unit == "customer" or known.groupby([name, "unit"], observed=True, dropna=False).ngroups == of_unit.ngroups
    ]
    found = known.drop_duplicates("unit").set_index("unit")[columns + alike]
    return found, tuple(name for name in alike if 1 < found[name].nunique() < len(found) / 2)


def _followed(rows: pd.DataFrame, horizon: int) -> tuple[pd.DataFrame, dict[str, int], pd.Index]:
    """Rows at risk with days, event and is_complete; how many are gone, or not observed after it; units' ids."""
    landmark, left, watched = rows["landmark"], rows["churned_at"], rows["observed_until"]
    end = landmark + pd.Timedelta(days=horizon)
    watched = watched_until(left, watched, landmark, end, watched.max())
    gone, unobserved = has_left(left, landmark), ~(watched > landmark)
    until = pd.concat([watched, end], axis=1).min(axis=1)
    last = pd.concat([left, until], axis=1).min(axis=1)
    event = left <= until
    reason = rows["churn_reason"] if "churn_reason" in rows else pd.Series(index=rows.index, dtype="str")
    rows = rows.assign(
        days=np.ceil((last - landmark).dt.total_seconds() / 86_400),
        watched_days=np.ceil((until - landmark).dt.total_seconds() / 86_400),
        event=event,
        reason=reason.where(event),
        is_complete=watched >= end,
    )
    counts = {"gone_before_landmark": int(gone.sum()), "outcome_unobserved": int((unobserved & ~gone).sum())}
    rows = rows[~gone & ~unobserved]
    codes, ids = pd.factorize(rows["unit"])
    return rows.assign(unit=codes).reset_index(drop=True), counts, pd.Index(ids)
