"""Tables in memory or in files as raw rows, with the plan of what each is to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nps_research.errors import ContractError, did_you_mean, sentences_joined
from nps_research.study.further_tables import FURTHER
from nps_research.study.raw_rows import Plan, RawRows, read_files
from nps_research.study.settings_file import OutcomeSettings, StudyFile
from nps_research.study.standard_columns import TABLES
from nps_research.study.table_settings import DriverSettings, SegmentSettings

Planned = list[tuple[Plan, RawRows]]


def core_frames(
    frames: Mapping[str, pd.DataFrame | None],
    drivers: DriverSettings | None,
    segments: Sequence[str],
    outcomes: Mapping[str, OutcomeSettings],
) -> Planned:
    """Responses and customers in memory, as raw rows with their plans.

    Raises
    ------
    ContractError
        If a column that is named is in neither of them.
    """
    planned: Planned = []
    for table, frame in frames.items():
        if frame is None:
            continue
        plan = Plan(
            table=table,
            drivers=drivers if table == "responses" else None,
            segments=_named_segments([name for name in segments if name in frame]),
            outcomes={name: outcome for name, outcome in outcomes.items() if outcome.table == table},
        )
        planned.append((plan, rows_of_frame(frame, plan)))
    found = {name for plan, _ in planned for name in plan.segment_names}
    if lost := [name for name in segments if name not in found]:
        raise ContractError(f"No table has the segment columns {', '.join(lost)}.")
    return planned


def rows_of_files(file: StudyFile, folder: Path) -> Planned:
    """All tables of a study's file, as raw rows with their plans."""
    planned: Planned = []
    for table, settings in file.every_table.items():
        plan = Plan.of(table, settings, file.outcomes)
        planned.append((plan, read_files(settings, plan, folder)))
    return planned


def further_frames(frames: Mapping[str, pd.DataFrame]) -> Planned:
    """Further tables in memory, as raw rows with their plans; what else a population holds are its segments.

    Raises
    ------
    ContractError
        If there is no such table.
    """
    planned: Planned = []
    for table, frame in frames.items():
        if table not in FURTHER:
            raise ContractError(f"tables: there is no table {table}{did_you_mean(table, list(FURTHER))}")
        own = [str(name) for name in frame if name not in FURTHER[table].columns] if table == "population" else []
        plan = Plan(table=table, segments=_named_segments(own))
        planned.append((plan, rows_of_frame(frame, plan)))
    return planned


def _named_segments(names: Sequence[str]) -> SegmentSettings | None:
    return SegmentSettings(columns={name: name for name in names}) if names else None


def rows_of_frame(frame: pd.DataFrame, plan: Plan) -> RawRows:
    """A frame in memory as raw rows; row numbers, from 1, stand for lines."""
    if repeated := frame.columns[frame.columns.duplicated()].unique().tolist():
        raise ContractError(f"{plan.table}: columns {', '.join(map(str, repeated))} are there more than once.")
    wanted = [*plan.driver_names, *plan.segment_names]
    if lost := [name for name in wanted if name not in frame]:
        known = list(map(str, frame.columns))
        raise ContractError(
            f"{plan.table}: "
            + sentences_joined(f"there is no column {name!r}{did_you_mean(name, known)}" for name in lost)
        )
    columns = [name for name in dict.fromkeys([*TABLES[plan.table], *wanted]) if name in frame]
    cells = frame[columns].reset_index(drop=True)
    for name, outcome in plan.outcomes.items():
        if outcome.column not in frame:
            raise ContractError(f"{plan.table}: there is no column {outcome.column!r} for outcome {name}.")
        cells[f"outcome_{name}"] = frame[outcome.column].reset_index(drop=True)
    label = "(in memory)"
    return RawRows(
        cells=cells,
        file=np.full(len(cells), label, dtype=object),
        line=np.arange(1, len(cells) + 1),
        rejected=pd.DataFrame(columns=["file", "line", "reason"]),
        waves={label: None},
        notes=(),
    )
