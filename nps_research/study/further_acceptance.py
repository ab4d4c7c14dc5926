"""All tables of a study held against the contract: the core first, then what refers to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.raw_table import counted
from nps_research.results.words import plain_text
from nps_research.study.acceptance import Table, check_table
from nps_research.study.doubts import lost_answers
from nps_research.study.further_rules import Known, is_no_problem
from nps_research.study.further_settings import ExperimentSettings, ProblemSettings
from nps_research.study.further_tables import FURTHER, OF_RESPONSE
from nps_research.study.part import read_part, rows_with
from nps_research.study.planned_rows import Planned
from nps_research.study.raw_rows import Plan, RawRows
from nps_research.study.response_states import states_by_survey
from nps_research.study.settings_file import Settings
from nps_research.study.standard_columns import RESPONSES
from nps_research.study.surveys import asked_in_all

_BETWEEN_CODES = r"\s*[;,|\n]\s*"


def checked_tables(
    planned: Planned,
    settings: Settings,
    problems: Mapping[str, ProblemSettings],
    experiments: Mapping[str, ExperimentSettings],
) -> dict[str, Any]:
    """Hold all tables of a study against the contract, the further ones against the responses and customers accepted.

    Problems that the responses name in a column of theirs become the rows of `problems`, where there is no such table.

    Parameters
    ----------
    planned : list of (Plan, RawRows)
        The tables.
    settings : Settings
    problems, experiments : mapping
        As study.toml states them.

    Returns
    -------
    dict
        The fields of a Study that come from its tables.

    Raises
    ------
    ContractError
        A table lacks a column without which its rows say nothing, an experiment names no column, or a problem was
        mended in a segment that is not there.
    """
    core = [(plan, raw) for plan, raw in planned if plan.table not in FURTHER]
    raws = [(plan, raw) for plan, raw in planned if plan.table in FURTHER]
    tables = [check_table(raw, plan) for plan, raw in core]
    fields = states_by_survey(tables, [plan for plan, _ in core], settings)
    accepted = {plan.table: table.accepted for table, (plan, _) in zip(tables, core, strict=True)}
    responses = asked_in_all(fields["rows"], fields["by_age"])
    _check_experiments(experiments, responses)
    _check_branches(problems, fields["segments"], responses, settings.minimum_cell)
    named = {plan.table for plan, _ in raws}
    of_responses = [name for name in sorted(named) if FURTHER[name].rules.of_response]
    if of_responses and len(responses) and "responses.respondent_id" not in fields["available"]:
        raise ContractError(f"{of_responses[0]}: the responses have no respondent_id, so no row can be of one of them.")
    if "problems" not in named and "problems" in responses and responses["problems"].notna().any():
        raws = [*raws, (Plan(table="problems"), problems_named(responses, problems))]
    known = Known.of(responses, fields["customers"], problems, accepted.get("accounts")) if raws else None
    checked = {plan.table: check_table(raw, plan, known=known) for plan, raw in raws}
    available = {
        f"{name}.{column}"
        for name, table in checked.items()
        for column in FURTHER[name].columns
        if column in table.accepted and table.accepted[column].notna().any()
    }
    notes = [note for table in checked.values() for note in table.notes]
    notes += [note for name, problem in problems.items() if (note := _too_early(name, problem.fixed_on, responses))]
    notes += _joined_to_nothing(checked, responses, fields["segments"])
    lost = [_much_lost(name, table) for name, table in checked.items()]
    joined = {
        name: pd.concat([fields[name], *(getattr(table, name) for table in checked.values())], ignore_index=True)
        for name in ("quarantine", "violations", "files")
    }
    if "excluded" in joined["files"]:
        joined["files"]["excluded"] = joined["files"]["excluded"].fillna(0).astype(int)
    return {
        **fields,
        **joined,
        "notes": (*fields["notes"], *notes),
        "warnings": (*fields["warnings"], *filter(None, lost)),
        "available": fields["available"] | available,
        "tables": {name: table.accepted for name, table in checked.items()},
        "problems": dict(problems),
        "experiments": dict(experiments),
    }


def _much_lost(name: str, table: Table) -> str:
    """How many rows of a table the contract cost, where that is much."""
    rows = table.files[["rows", "quarantined"]].sum()
    return lost_answers(table.violations, int(rows["quarantined"]), int(rows["rows"]), f"rows of {name}")[0]


def _joined_to_nothing(checked: Mapping[str, Table], responses: pd.DataFrame, segments: Sequence[str]) -> list[str]:
    """Units that are no group of the responses, periods that are no wave, segments that the responses do not have."""

    def names(values: pd.Series) -> set[str]:
        return set(values.dropna().astype("str").str.casefold())

    notes = []
    if "units" in checked and len(units := checked["units"].accepted):
        groups = set().union(*(names(responses[each]) for each in segments if each in responses))
        if not names(units["unit"]) & groups:
            notes.append("units: none of them is a group of the responses, so no score can be told beside them.")
        if "wave" in responses and not names(units["period"]) & names(responses["wave"]):
            notes.append("units: no period is called as a wave of the responses, so no score can be told beside them.")
    if "population" in checked:
        own = set(map(str, checked["population"].accepted)) - set(FURTHER["population"].columns)
        notes += [
            f"population: the responses have no segment {plain_text(each)}, so they cannot be weighed by it."
            for each in sorted(own - set(segments))
        ]
    return notes


def problems_named(responses: pd.DataFrame, problems: Collection[str]) -> RawRows:
    """The problems that a column of the responses names, a row each, as if they came from a file of their own.

    A word that says that there is none makes no row, and is counted, unless it is among the study's `problems`.
    """
    kept = [name for name in OF_RESPONSE if name in responses]
    codes = responses["problems"].str.split(_BETWEEN_CODES, regex=True)
    rows = responses[kept].assign(problem=codes, source="asked").explode("problem")
    rows = rows[rows["problem"].notna() & (rows["problem"].str.strip() != "")]
    nothing = is_no_problem(rows["problem"], problems)
    n = int(nothing.sum())
    said = (f"problems of the responses: a word for no problem names none: {counted(n, 'cell')}.",) if n else ()
    rows = rows[~nothing]
    label = "(problems of the responses)"
    return RawRows(
        cells=rows.reset_index(drop=True),
        file=np.full(len(rows), label, dtype=object),
        line=rows.index.to_numpy(dtype=np.int64) + 1,
        rejected=pd.DataFrame(columns=["file", "line", "reason"]),
        waves={label: None},
        notes=said,
    )


def _check_experiments(experiments: Mapping[str, ExperimentSettings], responses: pd.DataFrame) -> None:
    """An experiment is a column of the responses."""
    for name in experiments:
        if name not in responses:
            known = did_you_mean(name, [each for each in map(str, responses.columns) if each in RESPONSES])
            raise ContractError(f"experiments.{name}: the responses have no such column{known}")


def _check_branches(
    problems: Mapping[str, ProblemSettings], segments: Sequence[str], responses: pd.DataFrame, minimum_cell: int
) -> None:
    """Where a problem was mended is a segment, and values of it that are there."""
    for name, problem in problems.items():
        try:
            if problem.fixed_in:
                rows_with(responses, read_part(problem.fixed_in, segments), minimum_cell=minimum_cell)
        except ContractError as error:
            raise ContractError(str(error).replace("where:", f"problems.{name}.fixed_in:", 1)) from None


def _too_early(name: str, fixed_on: dt.date | None, responses: pd.DataFrame) -> str:
    """That a problem was mended before anybody was asked: whether it helped cannot be told."""
    moments = [responses[each].min() for each in ("invited_at", "responded_at") if each in responses]
    first = min((each for each in moments if pd.notna(each)), default=None)
    if fixed_on is None or first is None or pd.Timestamp(fixed_on) > first:
        return ""
    return f"problems.{name}: fixed_on lies before all answers, so whether that helped cannot be told."
