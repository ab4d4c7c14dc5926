"""A part of a study: the rows that have given values, or that are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import narwhals as nw
import pandas as pd

from nps_research.errors import CannotAnswerError, ContractError, did_you_mean, sentences_joined
from nps_research.results.words import plain_text
from nps_research.study.further_rules import key_of, response_key
from nps_research.study.further_tables import FURTHER
from nps_research.study.needs import NOT_YET
from nps_research.study.response_states import needed_for_churn, records_who_was_silent
from nps_research.study.settings_file import Settings
from nps_research.study.standard_columns import PRIVATE

_NAMED = 20  # groups that an error names at most


def read_part(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read the values wanted of each column as texts; they are compared as such.

    Raises
    ------
    ContractError
        If a column is not there, is private, or no value is given for it.
    """
    part, faults = {}, []
    for name, value in values.items():
        several = list(value) if pd.api.types.is_list_like(value) else [value]
        part[name] = tuple(sorted({value_text(each) for each in several}))
        if name in PRIVATE:
            faults.append(f"{name} belongs to respondents: no part of a study is named by its values")
        elif name not in columns:
            known = [column for column in columns if column not in PRIVATE]
            faults.append(f"there is no column {plain_text(name)!r}{did_you_mean(name, known)}")
        elif not part[name]:
            faults.append(f"no value of {plain_text(name)} is given")
    if faults:
        raise ContractError(f"where: {sentences_joined(faults)}")
    return part


def value_text(value: object) -> str:
    """A value as the text it is compared by: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def part_in_words(part: Mapping[str, Sequence[str]]) -> str:
    """Say which part it is.

    Examples
    --------
    >>> part_in_words({"Region": ("UK", "IE"), "wave": ("2024",)})
    'Region: UK, IE; wave: 2024'
    """
    said = [f"{name}: {', '.join(values)}" if name else "chosen rows" for name, values in part.items()]
    return plain_text("; ".join(said), 200)


def rows_with(frame: pd.DataFrame, part: Mapping[str, Sequence[str]], *, minimum_cell: int) -> pd.Series:
    """Mark the rows that have the values, of every column; ContractError where no row has one of them."""
    chosen = pd.Series(data=True, index=frame.index)
    for name, wanted in part.items():
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            raise ContractError(
                f"where: {name} holds dates, of which a part is chosen by rows: "
                f'study.where(lambda rows: rows["{name}"] >= "2025-01-01").'
            )
        found = {value_text(value): value for value in column.dropna().unique()}
        if absent := [value for value in wanted if value not in found]:
            n = column.value_counts()
            known = [value_text(value) for value in n.index[n >= minimum_cell]]
            raise ContractError(f"where: {sentences_joined(_no_row(name, value, known) for value in absent)}")
        chosen &= column.isin([found[value] for value in wanted])
    if not chosen.any():
        raise ContractError(f"where: no row has all of {part_in_words(part)}.")
    return chosen


def _no_row(name: str, value: str, known: list[str]) -> str:
    few = known if len(known) <= _NAMED else get_close_matches(value, known, n=1)
    return (
        f"no row has {plain_text(name)} {plain_text(value)!r}{did_you_mean(value, [plain_text(each) for each in few])}"
    )


def chosen_rows(frame: pd.DataFrame, rows: Any) -> pd.Series:
    """Read a mask, or what makes one of the responses, as a mark for each row."""
    mask = rows(frame) if callable(rows) else rows
    if not isinstance(mask, pd.Series):
        mask = pd.Series(mask)
        if len(mask) == len(frame):
            mask.index = frame.index
    if not pd.api.types.is_bool_dtype(mask):
        raise ContractError(f"where: rows are chosen by True and False; {mask.dtype} arrived.")
    if not mask.index.equals(frame.index):
        raise ContractError(f"where: {len(frame):,} rows need a mark each, in their order; {len(mask):,} arrived.")
    mask = mask.fillna(value=False).astype(bool)
    if not mask.any():
        raise ContractError("where: no row is chosen.")
    return mask


def rows_of_part(
    tables: Mapping[str, pd.DataFrame], responses: pd.DataFrame, customers: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """The rows of further tables that belong to a part's responses, or to their customers; others stay whole."""
    people = set(responses["customer_id"].dropna()) if "customer_id" in responses else set()
    accounts = set(responses["account_id"].dropna()) if "account_id" in responses else set()
    if customers is not None and "account_id" in customers:
        accounts |= set(customers.loc[customers["customer_id"].isin(people), "account_id"].dropna())
    kept = {}
    for name, frame in tables.items():
        rules, chosen = FURTHER[name].rules, pd.Series(data=True, index=frame.index)
        if rules.of_response:
            key = response_key(frame, responses)
            chosen = key_of(frame, key).isin(key_of(responses, key))
        elif named := [each for each in (*rules.customers, *rules.accounts) if each in frame]:
            chosen = pd.concat(
                [frame[each].isin(accounts if each in rules.accounts else people) for each in named], axis=1
            ).any(axis=1)
        kept[name] = frame[chosen].reset_index(drop=True)
    return kept


def by_age_of_part(
    by_age: pd.DataFrame,
    responses: pd.DataFrame,
    part: Mapping[str, Sequence[str]],
    *,
    chosen: bool,
    available: frozenset[str],
) -> pd.DataFrame:
    """The rows of a survey by age that belong to a part: by its values, of columns which that survey fills.

    Where it does not fill one, or rows were `chosen`, those of the part's people; none if no id says who they are.
    """
    if by_age.empty:
        return by_age
    held = [name for name in part if name in by_age and by_age[name].notna().any()]
    kept = pd.Series(data=True, index=by_age.index)
    for name in held:
        kept &= by_age[name].map(value_text, na_action="ignore").isin(part[name])
    if chosen or len(held) < len(part):
        kept &= by_age["respondent_id"].isin(responses["respondent_id"])
        kept &= "responses.respondent_id" in available
    return by_age[kept].reset_index(drop=True)


def as_of(settings: Settings, day: Any) -> Settings:
    """The settings, with the day of the data stated."""
    if settings.data_until is not None or pd.isna(day):
        return settings
    return settings.model_copy(update={"data_until": day})


def available_in(
    available: frozenset[str], tables: Mapping[str, pd.DataFrame], drivers: Sequence[str], segments: Sequence[str]
) -> frozenset[str]:
    """Find what is still recorded in a part of what was recorded in the whole, by its tables."""
    responses = tables["responses"]
    filled = {f"{table}.{name}" for table, frame in tables.items() for name in frame if frame[name].notna().any()}
    filled |= {f"outcomes.{name.partition('.outcome_')[2]}" for name in filled if ".outcome_" in name}
    columns = {name.partition(".")[2] for name in filled if name.startswith("responses.")}
    filled |= {"responses.drivers"} if columns & set(drivers) else set()
    filled |= {"responses.segments"} if columns & set(segments) else set()
    filled |= {"responses.silence"} if records_who_was_silent(responses) else set()
    filled |= {NOT_YET} if (responses["response_state"] == "pending").any() else set()
    filled |= {"outcomes.churned"} if set(needed_for_churn(filled)) <= filled else set()
    kept = available & filled
    return kept | ({"outcomes"} if any(name.startswith("outcomes.") for name in kept) else set())


def latest_date_of(frame: nw.LazyFrame[Any]) -> pd.Timestamp | None:
    """Find the latest date of an invitation or an answer in a lazy frame."""
    names = [name for name in ("invited_at", "responded_at") if name in frame.collect_schema()]
    if not names:
        return None
    (latest,) = frame.select(nw.col(name).max() for name in names).collect("pyarrow").to_native().to_pylist()
    return max((pd.Timestamp(date).tz_localize(None) for date in latest.values() if date is not None), default=None)


def lazy_rows(frame: nw.LazyFrame[Any], rows: Any, part: Mapping[str, Sequence[str]]) -> nw.LazyFrame[Any]:
    """Filter a lazy frame where it lies; one count says whether every value is there."""
    if rows is not None:
        raise CannotAnswerError(
            "The responses of this study are a lazy frame, of which a part is taken by values of columns, as in "
            'study.where(Region="UK"); for other rows filter the frame before it becomes a study.'
        )
    for name, wanted in part.items():
        column = nw.col(name).cast(nw.String)
        frame = frame.filter(column.is_in(list(wanted)))
        found = frame.select(column.alias("value")).unique().collect("pyarrow").to_native()["value"].to_pylist()
        if absent := [value for value in wanted if value not in found]:
            raise ContractError(f"where: {sentences_joined(_no_row(name, value, []) for value in absent)}")
    return frame
