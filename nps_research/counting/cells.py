"""Cells: rows counted where they lie, by what they have in common.

One Narwhals expression, group and count, goes to the engine that holds the rows: to DuckDB for a study's
tables in memory, else to the engine of the lazy frame. Only whole numbers come back, so that every engine
gives the same; sums of weights, and rates, are made of them in Python.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from nps_research.counting.silence import _SAYS_WHO
from nps_research.errors import CannotAnswerError, ContractError, did_you_mean, sentences_joined
from nps_research.study.contact_details import NO_GROUP, holds_contact
from nps_research.study.contract import Violations, check_responses, typed
from nps_research.study.response_states import response_state
from nps_research.study.standard_columns import PRIVATE, RESPONSES, is_private_name
from nps_research.study.study import Study
from nps_research.typing import Integers

NOT_STATED = "(not stated)"
SEPARATOR = "\N{SYMBOL FOR UNIT SEPARATOR}"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Groupings made from the moment of the answer; who never answered has no such moment.
FROM_ANSWER = ("weekday", "hour")
# Groupings made from the answer's date, else the invitation's; a column of that name comes first.
PERIODS = ("month", "quarter", "year")
MOST_CELLS = 2_000_000  # of a lazy frame; more are not brought into memory
_SPELT: Mapping[str, Callable[[Any], str]] = {
    "weekday": lambda day: WEEKDAYS[int(day) - 1],
    "hour": lambda hour: f"{int(hour):02d}:00",
    "month": lambda months: f"{int(months) // 12}-{int(months) % 12 + 1:02d}",
    "quarter": lambda months: f"{int(months) // 12} Q{int(months) % 12 // 3 + 1}",
    "year": lambda months: f"{int(months) // 12}",
}
_SOME_DAY = pd.Timestamp(2000, 1, 1)
_DATES = ("responded_at", "invited_at")


def is_period(study: Study, name: str) -> bool:
    """Whether a grouping is made from dates, as ``"quarter"`` is, and no column of the responses has its name."""
    return name in PERIODS and name not in study.columns


def from_answer(study: Study, keys: Sequence[str]) -> bool:
    """Whether a grouping is made from the moment of the answer, which those who did not answer do not have."""
    dated = "responses.responded_at" in study.available
    return any(name in FROM_ANSWER or (dated and is_period(study, name)) for name in keys)


def count_cells(
    study: Study,
    keys: Sequence[str],
    *,
    cluster: str | None = None,
    weight: str | None = None,
    stratum: str | None = None,
    outcome: str | None = None,
) -> pd.DataFrame:
    """Count a study's rows by keys, cluster, weight, stratum, outcome, state and score; each row is in one cell.

    A lazy frame is held against the contract on the way: its cells hold all that the rules need.

    Parameters
    ----------
    study : Study
        The study.
    keys : sequence of str
        As `score_counts.score_distribution` takes them.
    cluster, weight, stratum, outcome : str, optional
        Further columns of the responses. In a stratum each row is a cluster where none is given.

    Returns
    -------
    DataFrame
        One row per cell, in an order that is the same for every engine: ``key0``, ``key1``, ... (text),
        ``cluster`` (text; who belongs to none is one alone, in a row of their own; apart in each stratum),
        ``stratum`` (text; apart in each wave, unless clusters span waves), ``weight``,
        ``outcome`` (as it came), ``state``, ``score``, ``n``; and of a lazy frame ``first_invited``, the
        earliest invitation of the cell, where waves are to be put in order by it.

    Raises
    ------
    CannotAnswerError
        If the study lacks a standard column that is named, or a lazy frame has more than `MOST_CELLS` cells.
    ContractError
        If a column is named that no study has, a weight is missing or negative, or values of a lazy frame
        break the contract.
    """
    _check_names(study, [*keys, *(name for name in (cluster, weight, stratum) if name is not None)])
    if private := [key for key in keys if key in (*PRIVATE, "cluster") or (study.is_lazy and is_private_name(key))]:
        raise ContractError(f"responses: {private[0]} tells who answered; it cannot be grouped by.")
    score = "likelihood_to_recommend" if "likelihood_to_recommend" in study.columns else None
    columns = {"score": score, "weight": weight, "outcome": outcome}
    columns |= {"cluster": cluster, "stratum": stratum}
    if "wave" in study.columns:
        columns |= dict.fromkeys(_apart_in_waves(study, cluster, stratum), "wave")
    named = {part: name for part, name in columns.items() if name is not None}
    made = {key for key in keys if key in FROM_ANSWER or is_period(study, key)}
    if isinstance(study.rows, pd.DataFrame):
        roots = {root for key in keys for root in (_DATES if key in made else [key])}
        frame = _in_duckdb(study.rows[sorted({*named.values(), *roots & set(study.columns), "response_state"})])
    else:
        frame = study.rows
    schema = frame.collect_schema()
    if weight is not None and not schema[weight].is_numeric():
        raise ContractError(f"responses: {weight} is no column of numbers, and cannot be a weight.")
    parts = {
        f"key{position}": _made_key(name, schema) if name in made else _plain_column(name, schema)
        for position, name in enumerate(keys)
    }
    parts |= {part: _plain_column(name, schema) for part, name in named.items()}
    counts, held = {"n": nw.len()}, {}
    if study.is_lazy:
        parts |= _silence_signs(study, frame, schema)
        if "wave" in keys and "invited_at" in schema:
            held = {"invited_at": _moment("invited_at", schema)}
            counts["first_invited"] = nw.col("invited_at").min()
    else:
        parts["state"] = nw.col("response_state")
    counted = frame.select(**parts, **held).group_by(*parts).agg(**counts)
    # One cell more than allowed is enough to know; a study in memory has no more cells than rows.
    found = (counted.head(MOST_CELLS + 1) if study.is_lazy else counted).collect("pyarrow").to_native()
    if study.is_lazy and len(found) > MOST_CELLS:
        raise _too_many([*keys, *named.values()])
    spellings = {f"key{position}": _SPELT[name] for position, name in enumerate(keys) if name in made}
    cells = _cells_read(found, spellings)
    if score is None:
        cells["score"] = np.nan
    if study.is_lazy:
        cells = _with_states(cells, len(keys))
    if weight is not None:
        _check_weights(cells, weight)
    # Texts first; then weights and counts, so that sums of floats are the same on every engine.
    keyed = [f"key{position}" for position in range(len(keys))]
    order = [*keyed, "cluster", "stratum", "state", "score", "weight", "n"]
    cells = cells.sort_values([name for name in order if name in cells], ignore_index=True)
    if cluster is None and stratum is None:
        return cells
    return _each_stratum_apart(_each_alone(cells.assign(cluster=cells.get("cluster")), study))


def _check_names(study: Study, names: Sequence[str]) -> None:
    for name in names:
        if name in RESPONSES or name in FROM_ANSWER:
            study.require("responses.responded_at" if name in FROM_ANSWER else f"responses.{name}")
        elif is_period(study, name):
            if not any(study.can_answer(f"responses.{date}") for date in _DATES):
                study.require(*(f"responses.{date}" for date in _DATES))
        elif name not in study.columns:
            known = [*study.columns, *FROM_ANSWER, *PERIODS]
            raise ContractError(f"responses: there is no column {name!r}{did_you_mean(name, known)}")


def _apart_in_waves(study: Study, cluster: str | None, stratum: str | None) -> list[str]:
    """Which of cluster and stratum are others in each wave, by the name of the part that tells the wave."""
    if cluster is not None and (cluster != "cluster" or study.settings.cluster_spans_waves):
        return []
    return [f"{part}_wave" for part, name in (("cluster", cluster), ("stratum", stratum)) if name is not None]


def _in_duckdb(rows: pd.DataFrame) -> nw.LazyFrame[Any]:
    if rows.columns.str.casefold().has_duplicates:  # DuckDB takes "Channel" and "channel" for one
        return nw.from_native(rows).lazy()
    table = pa.Table.from_pandas(rows, preserve_index=False)
    return nw.from_native(_database(os.getpid()).cursor().from_arrow(table))


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """An empty database, kept: to make one takes longer than to count. A process that was split off has its own."""
    return duckdb.connect()


def _plain_column(name: str, schema: nw.Schema) -> nw.Expr:
    """A column whose values mean the same on every engine."""
    if schema[name] in (nw.Categorical, nw.Enum):
        return nw.col(name).cast(nw.String)
    return nw.col(name).cast(nw.Float64) if schema[name] == nw.Decimal else nw.col(name)


def _moment(name: str, schema: nw.Schema) -> nw.Expr:
    """A moment without zone; those with one are in UTC, which was checked at the door."""
    if schema[name] == nw.Date:
        return nw.col(name).cast(nw.Datetime("us"))
    return nw.col(name).dt.replace_time_zone(None) if getattr(schema[name], "time_zone", None) else nw.col(name)


def _made_key(name: str, schema: nw.Schema) -> nw.Expr:
    """A grouping made from dates: the weekday, the hour, or the number of the month since the year 0."""
    if name in FROM_ANSWER:
        moment = _moment("responded_at", schema).dt
        return moment.weekday() if name == "weekday" else moment.hour()
    date = nw.coalesce(*(_moment(date, schema) for date in _DATES if date in schema)).dt
    return date.year().cast(nw.Int64) * 12 + date.month().cast(nw.Int64) - 1


def _silence_signs(study: Study, frame: nw.LazyFrame[Any], schema: nw.Schema) -> dict[str, nw.Expr]:
    """What tells the state of an invitation, as columns of few values each."""
    signs = {name: _plain_column(name, schema) for name in ("delivered", "responded") if name in schema}
    if "responded_at" in schema:
        signs["dated"] = ~nw.col("responded_at").is_null()
    if {"invited_at", "responded_at"} <= set(schema):
        # An invitation with a date alone says nothing of the hour: compare days then.
        day = _moment("invited_at", schema).dt.truncate("1d")
        signs["early"] = _moment("responded_at", schema) < day
    if "invited_at" in schema and set(_SAYS_WHO) & set(schema):
        until = study.settings.data_until or _last_moment(frame, schema)
        if until is not None:
            start = pd.Timestamp(until).floor("us") - pd.Timedelta(days=study.settings.response_window_days)
            signs["open"] = _moment("invited_at", schema) > nw.lit(start.to_pydatetime())
    return signs


def _last_moment(frame: nw.LazyFrame[Any], schema: nw.Schema) -> dt.datetime | None:
    """The latest date in the responses: the one number that must be known before the counting."""
    dates = [name for name in _DATES if name in schema]
    latest = frame.select(**{name: _moment(name, schema).max() for name in dates}).collect("pyarrow").to_native()
    return max((moment for moment in latest.to_pylist()[0].values() if moment is not None), default=None)


def _cells_read(found: pa.Table, spellings: Mapping[str, Callable[[Any], str]]) -> pd.DataFrame:
    """The counted cells as a frame: keys and clusters as text, all else as it came."""
    columns: dict[str, Any] = {}
    for part in found.column_names:
        if part.startswith("key"):
            columns[part] = _texts(found[part], spellings.get(part, str)).fillna(NOT_STATED)
        elif part.startswith(("cluster", "stratum")):
            columns[part] = _texts(found[part], str)
        elif part == "weight":
            columns[part] = found[part].to_pandas().astype("float64")
        else:
            columns[part] = found[part].to_pandas()
    cells = pd.DataFrame(columns).astype({"n": "int64"})
    if "stratum" in cells:
        cells["stratum"] = cells["stratum"].fillna(NOT_STATED)
    for part in ("cluster", "stratum"):
        if f"{part}_wave" in cells:
            cells[part] = cells.pop(f"{part}_wave").fillna(NOT_STATED) + SEPARATOR + cells[part]
    return cells


def _texts(column: pa.ChunkedArray, spell: Callable[[Any], str]) -> pd.Series:
    """Values as text without blanks around it; missing where there is none."""
    coded = column.combine_chunks().dictionary_encode()
    texts = [
        None if value is None or value != value else spell(value).strip() or None
        for value in coded.dictionary.to_pylist()
    ]
    place: Integers = coded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False).astype(np.int64)
    return pd.Series(np.array([*texts, None], dtype=object)[place], dtype="str")


def _with_states(cells: pd.DataFrame, n_keys: int) -> pd.DataFrame:
    """Cells of a lazy frame after the contract, with what became of their invitations."""
    table = cells[[name for name in ("delivered", "responded") if name in cells]].assign(
        likelihood_to_recommend=cells["score"]
    )
    if "dated" in cells:
        table["responded_at"] = pd.Series(_SOME_DAY, index=cells.index).where(cells["dated"].astype(bool))
    if "early" in cells:
        early = cells["early"].astype("boolean").fillna(value=False)
        table["invited_at"] = pd.Series(_SOME_DAY, index=cells.index).mask(early, _SOME_DAY + pd.Timedelta(days=1))
    violations = Violations(len(cells))
    values, _ = typed(table, RESPONSES, violations)
    check_responses(values, violations)
    for position in range(n_keys):
        violations.add("a grouping column", NO_GROUP, holds_contact(cells[f"key{position}"]))
    if said := violations.counted(cells["n"].to_numpy()):
        raise ContractError(
            f"responses: {sentences_joined(said)} A lazy frame is counted whole: set such rows apart where they lie."
        )
    is_open = cells["open"] if "open" in cells else pd.Series(data=False, index=cells.index)
    state = response_state(values, is_open.astype("boolean").fillna(value=False).astype(bool))
    return cells.assign(score=values["likelihood_to_recommend"], state=state)


def _check_weights(cells: pd.DataFrame, weight: str) -> None:
    answered = cells["state"] == "answered"
    violations = Violations(len(cells))
    violations.add(weight, "is missing", answered & cells["weight"].isna())
    violations.add(weight, "is negative or infinite", answered & ((cells["weight"] < 0) | np.isinf(cells["weight"])))
    if said := violations.counted(cells["n"].to_numpy()):
        raise ContractError(f"responses: as a weight, {sentences_joined(said)}")


def _each_alone(cells: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Whoever belongs to no cluster is one alone: a row each, with a label that no other study has."""
    alone = cells["cluster"].isna().to_numpy()
    n_alone = int(cells["n"][alone].sum())
    if study.is_lazy and len(cells) + n_alone > MOST_CELLS:
        raise _too_many(["cluster (rows that belong to none are one each)"])
    times = np.where(alone, cells["n"], 1)
    single = np.repeat(alone, times)
    rows = cells.loc[cells.index.repeat(times)].reset_index(drop=True)
    rows.loc[single, "n"] = 1
    rows.loc[single, "cluster"] = [f"{study.data_hash} {number}" for number in range(n_alone)]
    return rows


def _each_stratum_apart(cells: pd.DataFrame) -> pd.DataFrame:
    """A cluster number that occurs in several strata is another cluster in each."""
    if "stratum" not in cells:
        return cells
    several = cells.groupby("cluster")["stratum"].transform("nunique") > 1
    return cells.assign(cluster=cells["cluster"].where(~several, cells["cluster"] + SEPARATOR + cells["stratum"]))


def _too_many(names: Sequence[str]) -> CannotAnswerError:
    return CannotAnswerError(
        f"The lazy frame has more than {MOST_CELLS:,} different combinations of {', '.join(names)}: more than are "
        "brought into memory. Group by less, leave cluster or weight out (None), or round the weights."
    )
