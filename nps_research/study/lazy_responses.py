"""A lazy frame as a study's responses: columns' names and types, checked at the door without reading a row."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from nps_research.errors import ContractError, did_you_mean, sentences_joined
from nps_research.study.acceptance import check_names
from nps_research.study.contract import SUMMARY
from nps_research.study.further_tables import Kind
from nps_research.study.needs import NOT_READ
from nps_research.study.raw_rows import Plan
from nps_research.study.settings_file import OutcomeSettings, Settings
from nps_research.study.standard_columns import RESPONSES
from nps_research.study.table_settings import DriverSettings, SegmentSettings

_UTC = (None, "UTC", "Etc/UTC", "GMT")
_NEEDED: Mapping[Kind, str] = {
    "score": "numbers",
    "number": "numbers",
    "flag": "booleans, or 1 and 0",
    "timestamp": "dates, or timestamps without zone or in UTC",
    "text": "text or whole numbers",
    "id": "text or whole numbers",
}


def lazy_fields(
    responses: Any,
    customers: pd.DataFrame | None,
    drivers: DriverSettings | None,
    segments: Sequence[str],
    outcomes: Mapping[str, OutcomeSettings],
    settings: Settings,
    *,
    beside: bool = False,
) -> dict[str, Any]:
    """Check a lazy frame's columns, and give the fields of a Study that stand on it.

    Parameters
    ----------
    responses : LazyFrame
        What Narwhals takes as lazy: a DuckDB relation, a Polars LazyFrame, a PySpark DataFrame, ...
    customers, drivers, segments, outcomes, settings
        As for `Study.from_frames`; customers must be None.
    beside : bool
        Whether further tables, problems or experiments are given, which it does not take either.

    Raises
    ------
    ContractError
        If it is no lazy frame, lacks a column, or a column holds values of another type; all are listed.
    """
    if beside:
        raise ContractError("tables: a lazy frame of responses takes no further tables, problems or experiments.")
    of_customers = [name for name, outcome in outcomes.items() if outcome.table == "customers"]
    if customers is not None or of_customers:
        raise ContractError(
            "customers: a lazy frame of responses takes no customers. Join what is needed to the responses "
            "where they lie: segments, or a yes/no outcome as a column."
        )
    plan = Plan(
        table="responses",
        drivers=drivers,
        segments=SegmentSettings(columns={name: name for name in segments}) if segments else None,
        outcomes=outcomes,
    )
    check_names(plan)
    frame = _as_lazy(responses)
    schema = frame.collect_schema()
    known = list(schema)
    faults = []
    if not {"likelihood_to_recommend", "responded", "responded_at"} & set(known):
        faults.append(
            "there is neither likelihood_to_recommend nor responded or responded_at, so nothing says who answered "
            f"or what{did_you_mean('likelihood_to_recommend', known)}"
        )
    wanted = [*plan.driver_names, *plan.segment_names, *(outcome.column for outcome in plan.outcomes.values())]
    wanted += [settings.cluster] if settings.cluster else []
    faults += [f"there is no column {name!r}{did_you_mean(name, known)}" for name in wanted if name not in known]
    if "life_stage" in known:
        faults.append(
            "rows that a stage of life set off (life_stage) are kept apart, and of a lazy frame cannot be: filter it, "
            "and leave that column out"
        )
    kinds = {name: RESPONSES[name].kind for name in RESPONSES if name in known}
    faults += [
        f"{name} holds {schema[name]}, where {_NEEDED[kind]} are needed"
        for name, kind in kinds.items()
        if not _suits(schema[name], kind)
    ]
    if faults:
        raise ContractError(f"responses: {sentences_joined(faults)}")
    available = {f"responses.{name}" for name in kinds} | {f"outcomes.{name}" for name in plan.outcomes}
    available |= {"responses.drivers"} if plan.driver_names else set()
    available |= {"responses.segments"} if plan.segment_names else set()
    available |= {"outcomes"} if plan.outcomes else set()
    available.add(NOT_READ)
    return {
        "settings": settings,
        "outcomes": outcomes,
        "rows": frame,
        "not_used": pd.DataFrame(),
        "customers": None,
        "drivers": plan.driver_names,
        "driver_scale": plan.driver_scale,
        "segments": plan.segment_names,
        "waves": (),
        "available": frozenset(available),
        "quarantine": pd.DataFrame(columns=["table", "file", "line", "reasons"]),
        "violations": pd.DataFrame(columns=["table", *SUMMARY]),
        "files": pd.DataFrame(columns=["table", "file", "wave", "rows", "accepted", "quarantined"]),
        "notes": ("responses: a lazy frame. Its values are checked when they are counted; no row is quarantined.",),
        "data_hash": uuid.uuid4().hex,
    }


def _as_lazy(responses: Any) -> nw.LazyFrame[Any]:
    try:
        frame = nw.from_native(responses)
    except TypeError:
        frame = None
    if not isinstance(frame, nw.LazyFrame):
        kind = f"{type(responses).__module__.split('.')[0]}.{type(responses).__name__}"
        raise ContractError(
            f"responses: a {kind} arrived; a pandas DataFrame is needed, or a lazy frame, such as a DuckDB relation, "
            "a Polars LazyFrame or a PySpark DataFrame."
        )
    return frame


def _suits(dtype: nw.dtypes.DType, kind: Kind) -> bool:
    if kind in ("score", "number"):
        return dtype.is_numeric()
    if kind == "flag":
        return dtype.is_integer() or dtype == nw.Boolean
    if kind == "timestamp":
        return dtype == nw.Date or (dtype == nw.Datetime and getattr(dtype, "time_zone", None) in _UTC)
    return dtype.is_integer() or dtype in (nw.String, nw.Categorical, nw.Enum)
