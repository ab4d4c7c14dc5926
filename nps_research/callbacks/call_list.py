"""Whom to call back now: due, not reached, not held out by a lottery; private."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nps_research.callbacks.cases import LOTTERY, cases_of
from nps_research.callbacks.enough import PROMISED_HOURS
from nps_research.counting.people import has_left
from nps_research.errors import CannotAnswerError
from nps_research.results.listing import Listing
from nps_research.results.words import plain_text
from nps_research.study.further_rules import key_of, response_key
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

MOST_DRIVERS = 3  # of a person
POOR_RATING = 0.5  # of the scale, from its lower end: up to here a rating is a reason to call


def _last_cases(study: Study) -> pd.DataFrame:
    """The cases of the last wave in which calls were made."""
    study.require("responses.responded_at")
    cases = cases_of(study)
    if study.waves:
        cases = cases[cases["wave"] == [wave for wave in study.waves if (cases["wave"] == wave).any()][-1]]
    return cases[cases["is_due"]]


@begins_with(_last_cases)
def people_to_call_back(study: Study, *, promised_hours: int = PROMISED_HOURS) -> Listing:
    """List who is due a call and was not reached, in the last wave in which calls were made; private.

    Whom a lottery holds out is not on it: a call would undo the lottery. Nor is who has left.

    Parameters
    ----------
    study : Study
        With `callbacks` and dates of answers.
    promised_hours : int
        Within how many hours of the answer a call is promised.

    Returns
    -------
    Listing
        `people` columns: the ids, answer, reason (why due), problems (that the person named) and poorly_rated (their
        lowest ratings), revenue where known, attempted_at, responded_at and hours_left of the promised time on the day
        of the data (below 0: overdue); the largest revenue first, else the lowest answer.

    Raises
    ------
    CannotAnswerError
        If no case is recorded, or all who are due were reached, closed, held out, or have left.
    """
    cases = _last_cases(study)
    held_out = (cases["assignment"] == LOTTERY) & cases["has_case"] & ~cases["assigned"]
    waits = cases["reached_at"].isna() & cases["closed_at"].isna() & ~held_out
    now = pd.Timestamp(study.settings.data_until or cases["responded_at"].max())
    customers = None if study.customers is None else study.customers.set_index("customer_id")
    if customers is not None and "churned_at" in customers:
        waits &= ~has_left(cases["customer_id"].map(customers["churned_at"]), now)
    chosen = cases[waits]
    if chosen.empty:
        raise CannotAnswerError("Nobody is due a call: all were reached, closed, held out by a lottery, or have left.")
    names = [name for name in ("respondent_id", "account_id", "wave") if name in chosen]
    people = chosen[names].assign(answer=chosen["likelihood_to_recommend"], reason=chosen["reason"])
    if "problems" in study.tables:
        people["problems"] = _named_problems(study, chosen)
    people["poorly_rated"] = _poorly_rated(study, chosen)
    if customers is not None and "revenue" in customers:
        people["revenue"] = chosen["customer_id"].map(customers["revenue"])
    people["attempted_at"], people["responded_at"] = chosen["attempted_at"], chosen["responded_at"]
    since = (now - chosen["responded_at"]).dt.total_seconds() / 3600
    people["hours_left"] = (promised_hours - since).round(0)
    by = ["revenue", "answer"] if "revenue" in people else ["answer"]
    ordered = people.sort_values(by, ascending=[False] * (len(by) - 1) + [True], kind="stable", ignore_index=True)
    wave = f", {chosen['wave'].iloc[0]}" if "wave" in chosen else ""
    n_held = int(held_out.sum())
    n_late = int((ordered["hours_left"] < 0).sum())
    late = " All are overdue." if n_late == len(ordered) else f" {n_late:,} are overdue." if n_late else ""
    held = f" {n_held:,} held out by a lottery are not on it." if n_held >= study.settings.minimum_cell else ""
    found = Listing.of_people(
        ordered,
        title=f"People to call back{wave}",
        who="people who are due a call and were not reached",
        remark=(
            f"Largest revenue first. Promised within {promised_hours} hours; hours left are those on the day of the "
            f"data, {now:%Y-%m-%d}.{late}{held}"
        ),
        minimum_cell=study.settings.minimum_cell,
    )
    return replace(found, glance={})  # the first page has the list of the silent, whom nobody else calls


def _named_problems(study: Study, rows: pd.DataFrame) -> pd.Series:
    """The problems that each person named, in words."""
    named = study.tables["problems"]
    keys = response_key(named, rows)
    words = named["problem"].map({code: plain_text(each.label or code) for code, each in study.problems.items()})
    by_key = words.fillna(named["problem"]).groupby(key_of(named, keys)).agg("; ".join)
    return key_of(rows, keys).map(by_key).fillna("")


def _poorly_rated(study: Study, rows: pd.DataFrame) -> list[str]:
    """The lowest of each person's own ratings, in the poorer half of the scale, the lowest first."""
    names = [name for name in study.drivers if name in rows]
    if not names:
        return [""] * len(rows)
    low, high = study.driver_scale
    rated = rows[names].to_numpy(dtype=float, na_value=np.nan)
    order = np.argsort(np.where(np.isnan(rated), np.inf, rated), axis=1, kind="stable")[:, :MOST_DRIVERS]
    worst = low + (high - low) * POOR_RATING
    return [
        "; ".join(f"{names[at]} {rated[row, at]:.0f}" for at in chosen if rated[row, at] <= worst)
        for row, chosen in enumerate(order)
    ]
