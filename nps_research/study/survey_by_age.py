"""A survey that goes out by the customer's age, kept apart from the survey by waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.reading.raw_table import counted
from nps_research.study.acceptance import Table
from nps_research.study.raw_rows import Plan
from nps_research.study.standard_columns import RESPONSES
from nps_research.study.surveys import is_by_age


def survey_by_age_apart(responses: Table, plan: Plan, cluster: str | None) -> tuple[Table, Table | None]:
    """Part the accepted responses: the survey by waves, and those that a stage of life set off; None if there are none.

    The survey by waves has no text, segment nor rating that the other alone fills, unless it is the `cluster`.
    """
    apart = is_by_age(responses.accepted).to_numpy()
    if not apart.any():
        return responses, None
    of_waves, by_age = _survey_of(responses, ~apart), _survey_of(responses, apart)
    named = {name for name, column in RESPONSES.items() if column.kind == "text"}
    named |= {*plan.segment_names, *plan.driver_names}
    empty = of_waves.accepted.isna().all() & by_age.accepted.notna().any()
    foreign = [name for name in empty.index[empty] if name in named and name != cluster]
    kept = {name: getattr(of_waves, name).drop(columns=foreign, errors="ignore") for name in ("accepted", "not_used")}
    return replace(of_waves, **kept), by_age


def _survey_of(table: Table, rows: NDArray[np.bool_]) -> Table:
    displaced = table.displaced
    if displaced is not None:
        displaced = displaced[rows[displaced["kept"]]]
        displaced = displaced.assign(kept=(rows.cumsum() - 1)[displaced["kept"]])
    kept = {name: getattr(table, name)[rows].reset_index(drop=True) for name in ("accepted", "not_used")}
    return replace(table, **kept, displaced=displaced)


def said_of_survey_by_age(by_age: pd.DataFrame) -> str:
    """Say how many rows are kept apart.

    Examples
    --------
    >>> said_of_survey_by_age(pd.DataFrame({"response_state": ["answered", "nonrespondent"]}))
    "2 rows of a survey that goes out by the customer's age (life_stage), 1 of them answered, are kept apart: waves do \
not count them."
    """
    n, answered = len(by_age), int((by_age["response_state"] == "answered").sum())
    which = f"{counted(n, 'row')} of a survey that goes out by the customer's age (life_stage)"
    return f"{which}, {answered:,} of them answered, {'is' if n == 1 else 'are'} kept apart: waves do not count them."
