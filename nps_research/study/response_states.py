"""From checked tables to a study's fields: states of response, waves, segments, what is available."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nps_research.errors import ContractError, did_you_mean
from nps_research.study.acceptance import Table
from nps_research.study.accounts_table import customers_with_accounts
from nps_research.study.needs import NOT_YET
from nps_research.study.plausible import latest_plausible_date
from nps_research.study.raw_rows import Plan
from nps_research.study.repeats import first_answers
from nps_research.study.settings_file import Settings
from nps_research.study.standard_columns import TABLES
from nps_research.study.survey_by_age import said_of_survey_by_age, survey_by_age_apart
from nps_research.study.surveys import asked_in_all

_OF_CUSTOMERS = ("customers.churned_at", "customers.observed_until")
NEEDED_FOR_LANDMARKS = ("responses.invited_at", *_OF_CUSTOMERS)


def needed_for_churn(available: Collection[str]) -> tuple[str, ...]:
    """What churn by answer needs: a date of the invitation, or of the answer where no invitations are recorded.

    Examples
    --------
    >>> needed_for_churn({"responses.responded_at"})[0], needed_for_churn({"responses.comment"})[0]
    ('responses.responded_at', 'responses.invited_at')
    """
    only_answers = "responses.responded_at" in available and "responses.invited_at" not in available
    return ("responses.responded_at" if only_answers else "responses.invited_at", *_OF_CUSTOMERS)


def states_by_survey(tables: Sequence[Table], plans: Sequence[Plan], settings: Settings) -> dict[str, Any]:
    """Put the checked tables together as `response_states` does; a survey by age, beside one by waves, is `by_age`.

    Each survey has its states by itself: a column that one of them fills says nothing of the other.
    """
    of_waves, by_age = survey_by_age_apart(tables[0], plans[0], settings.cluster)
    if by_age is None:
        fields = response_states(tables, plans, settings)
        return fields | {"by_age": fields["rows"].iloc[:0]}
    fields = response_states([of_waves, *tables[1:]], plans, settings, beside=by_age.accepted)
    rows = response_states([by_age, *tables[1:]], plans, fields["settings"], beside=of_waves.accepted)["rows"]
    return fields | {"by_age": rows, "notes": (*fields["notes"], said_of_survey_by_age(rows))}


def response_states(
    tables: Sequence[Table], plans: Sequence[Plan], settings: Settings, *, beside: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Put the checked tables together: states, waves, customers' segments, what is available.

    Rows of the responses that are a survey of their own stand `beside`: they tell the day of the data, and who is a
    customer, but nothing else.

    Returns
    -------
    dict
        The fields of a Study that come from its tables.

    Raises
    ------
    ContractError
        If nothing says who answered, or the settings name a column that is not there.
    """
    accepted = {plan.table: table.accepted for plan, table in zip(plans, tables, strict=True)}
    responses, customers = accepted["responses"], accepted.get("customers")
    notes = [note for table in tables for note in table.notes]
    if "likelihood_to_recommend" not in responses and not {"responded", "responded_at"} & set(responses):
        raise ContractError(
            "responses: there is neither likelihood_to_recommend nor responded or responded_at, "
            "so nothing says who answered or what. Map one of them in study.toml."
        )
    available = _available(tables, plans)
    if "respondent_id" not in responses:
        responses.insert(0, "respondent_id", np.arange(1, len(responses) + 1).astype("str"))
        notes.append(
            "responses: no respondent_id, so the row number stands in; answers of one person are not paired "
            "over waves, nor joined to customers."
        )
    else:
        responses["customer_id"] = _with_customer_id(responses)["customer_id"]
    asked = responses if beside is None else asked_in_all(responses, _with_customer_id(beside))
    settings, until = _as_of_latest_date(settings, {**accepted, "responses": asked}, plans)
    if "accounts" in accepted:
        customers, said = customers_with_accounts(asked, customers, accepted["accounts"])
        available |= _filled("customers", customers, {name for plan in plans[1:] for name in plan.outcomes})
        available |= _with_outcomes(available)
        notes += said
    responses["response_state"] = response_state(responses, window_open(responses, settings))
    if "invited_at" in responses and responses["response_state"].isin(["pending", "nonrespondent"]).any():
        notes += until
    if records_who_was_silent(responses):
        available.add("responses.silence")
    elif (responses["response_state"] == "pending").any():
        available.add(NOT_YET)
    if customers is not None:
        of_customers = [name for plan in plans[1:] for name in plan.segment_names]
        notes += _join_segments(responses, customers, of_customers, available)
    if (displaced := tables[0].displaced) is not None:
        first = first_answers(responses, displaced, pd.Timedelta(days=settings.response_window_days))
        for name, column in first.items():
            responses[str(name)] = column
        notes += _on_repeats(responses, available)
    segments = dict.fromkeys(name for plan in plans for name in plan.segment_names if name in responses)
    if any(responses[name].notna().any() for name in segments):
        available.add("responses.segments")
    cluster = settings.cluster
    if cluster is not None and cluster not in responses:
        known = did_you_mean(cluster, list(map(str, responses.columns)))
        raise ContractError(f"settings: cluster = {cluster!r}, but responses have no such column{known}")
    return {
        "settings": settings,
        "rows": responses,
        "not_used": tables[0].not_used,
        "customers": customers,
        "drivers": tuple(name for name in plans[0].driver_names if name in responses),
        "driver_scale": plans[0].driver_scale,
        "segments": tuple(segments),
        "waves": _waves(responses, tables[0].files, made=plans[0].wave is not None),
        "available": frozenset(available),
        "quarantine": pd.concat([table.quarantine for table in tables], ignore_index=True),
        "violations": pd.concat([table.violations for table in tables], ignore_index=True),
        "files": _counts_of_files([table.files for table in tables]),
        "notes": tuple(notes),
        "warnings": tuple(warning for table in tables for warning in table.warnings),
        "too_much_lost": any(table.too_much_lost for table in tables),
    }


def _with_customer_id(responses: pd.DataFrame) -> pd.DataFrame:
    """The rows with a customer: the respondent, where none is said."""
    if "customer_id" in responses or "respondent_id" not in responses:
        return responses
    return responses.assign(customer_id=responses["respondent_id"])


def _counts_of_files(files: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The counts of all files; a table that leaves no rows out has left out none."""
    counts = pd.concat(files, ignore_index=True)
    return counts.assign(excluded=counts["excluded"].fillna(0).astype(int)) if "excluded" in counts else counts


def _as_of_latest_date(
    settings: Settings, accepted: Mapping[str, pd.DataFrame], plans: Sequence[Plan]
) -> tuple[Settings, list[str]]:
    """The settings with the day of the data, as stated or the latest plausible date; and what is to be said of it."""
    if settings.data_until is not None:
        return settings, []
    latest = latest_plausible_date(accepted, {plan.table: plan.constants for plan in plans})
    if latest is None:
        return settings, []
    day = f"{latest[1].day} {latest[1]:%B %Y}"
    said = f"The tables reach until {day} ({latest[0]}): who could still answer in time on that day is not yet silent."
    return settings.model_copy(update={"data_until": latest[1]}), [said]


def _on_repeats(responses: pd.DataFrame, available: set[str]) -> list[str]:
    """That people answer several times, where no waves tell the times apart."""
    if "responses.respondent_id" not in available or "responses.wave" in available:
        return []
    times = responses.loc[responses["response_state"] == "answered", "respondent_id"].value_counts()
    if not (several := int((times > 1).sum())):
        return []
    people = "1 person answers" if several == 1 else f"{several:,} people answer"
    date = next((name for name in ("invited_at", "responded_at") if f"responses.{name}" in available), None)
    helps = f' wave = {{ from = "{date}", every = "quarter" }} in study.toml makes waves.' if date else ""
    counted = "all of these answers count, and those of one person are taken to be alike (a cluster)"
    return [f"responses: {people} several times, and there are no waves: {counted}.{helps}"]


def _available(tables: Sequence[Table], plans: Sequence[Plan]) -> set[str]:
    available = set()
    for table, plan in zip(tables, plans, strict=True):
        if plan.table in TABLES:
            available |= _filled(plan.table, table.accepted, plan.outcomes)
        if any(name in table.accepted and table.accepted[name].notna().any() for name in plan.driver_names):
            available.add("responses.drivers")
    return _with_outcomes(available)


def _filled(table: str, accepted: pd.DataFrame, outcomes: Collection[str]) -> set[str]:
    """Standard columns and outcomes of a table that hold a value at least."""
    filled = [name for name in accepted if accepted[name].notna().any()]
    found = {f"{table}.{name}" for name in filled if name in TABLES[table]}
    return found | {f"outcomes.{name}" for name in outcomes if f"outcome_{name}" in filled}


def _with_outcomes(available: set[str]) -> set[str]:
    """What is available, churn and outcomes as such among it."""
    churn = {"outcomes.churned"} if set(needed_for_churn(available)) <= available else set()
    some = {"outcomes"} if churn or any(name.startswith("outcomes.") for name in available) else set()
    return available | churn | some


def response_state(responses: pd.DataFrame, is_open: pd.Series) -> pd.Series:
    """What became of each invitation; `is_open`: whether it could still be answered in time."""
    empty = pd.Series(pd.NA, index=responses.index, dtype="boolean")
    answered = responses["likelihood_to_recommend"].notna() if "likelihood_to_recommend" in responses else empty.notna()
    returned = reached = pd.Series(data=True, index=responses.index)
    known = [name for name in ("delivered", "responded", "responded_at") if name in responses]
    # A column without a value says nothing where there are answers; where there are none, it says silence.
    if known and (responses[known].notna().any(axis=None) or not answered.any()):
        returned = answered | responses.get("responded", empty).fillna(value=False).astype(bool)
        if "responded_at" in responses:
            returned |= responses["responded_at"].notna()
        reached = responses.get("delivered", empty).fillna(value=True).astype(bool)
    states = ["answered", "item_missing", "not_reached", "pending", "nonrespondent"]
    which = np.select([answered, returned, ~reached, is_open], range(4), default=4)
    return pd.Series(pd.array(states, dtype="str").take(which), responses.index)


def records_who_was_silent(responses: pd.DataFrame) -> bool:
    """Tell whether some were silent, and some were not (unit non-response)."""
    states = set(responses["response_state"].unique())
    return "nonrespondent" in states and bool(states & {"answered", "item_missing"})


def window_open(responses: pd.DataFrame, settings: Settings) -> pd.Series:
    """Which invitations could still be answered in time on the day the tables were drawn."""
    if "invited_at" not in responses:
        return pd.Series(data=False, index=responses.index)
    dates = responses[[name for name in ("invited_at", "responded_at") if name in responses]]
    until = pd.Timestamp(settings.data_until) if settings.data_until else dates.max().max()
    return responses["invited_at"] + pd.Timedelta(days=settings.response_window_days) > until


def _waves(responses: pd.DataFrame, files: pd.DataFrame, *, made: bool) -> tuple[str, ...]:
    """Waves in order of their first invitation, else of the files, else, or where made of dates, of their names."""
    if "wave" not in responses:
        return ()
    names = responses["wave"].dropna().unique().tolist()
    if made:
        return tuple(sorted(names))
    if "invited_at" in responses and responses["invited_at"].notna().any():
        first = responses.groupby("wave")["invited_at"].min()
        return tuple(sorted(names, key=lambda wave: (pd.isna(first[wave]), first[wave], wave)))
    of_files = [wave for wave in files["wave"].dropna() if wave in names]
    return tuple(dict.fromkeys([*of_files, *sorted(names)]))


def _join_segments(
    responses: pd.DataFrame, customers: pd.DataFrame, names: Sequence[str], available: set[str]
) -> list[str]:
    """Bring customers' segments to the responses by customer_id; says how many had no customer."""
    if "responses.respondent_id" not in available and "responses.customer_id" not in available:
        return []
    known = customers.set_index("customer_id")
    for name in names:
        if name not in responses:
            responses[name] = responses["customer_id"].map(known[name])
    strangers = int((~responses["customer_id"].isin(known.index)).sum())
    return [f"responses: {strangers:,} rows belong to no accepted customer."] if strangers else []
