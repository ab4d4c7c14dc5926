"""Which responses are of a survey by the customer's age, and each survey held against the contract by itself."""

from __future__ import annotations

import pandas as pd

from nps_research.study.contract import Violations, check_responses
from nps_research.study.repeats import Counts


def is_by_age(responses: pd.DataFrame) -> pd.Series:
    """Mark the rows that a stage of life set off, where others were not; where all rows were, none is marked.

    Examples
    --------
    >>> is_by_age(pd.DataFrame({"life_stage": ["month 3", None]})).tolist()
    [True, False]
    >>> is_by_age(pd.DataFrame({"life_stage": ["month 3", "month 12"]})).tolist()
    [False, False]
    """
    if "life_stage" not in responses or (marked := responses["life_stage"].notna()).all():
        return pd.Series(data=False, index=responses.index)
    return marked


def asked_in_all(responses: pd.DataFrame, by_age: pd.DataFrame) -> pd.DataFrame:
    """The rows of both surveys."""
    return pd.concat([responses, by_age], ignore_index=True) if len(by_age) else responses


def check_surveys(table: pd.DataFrame, violations: Violations, *, counts: Counts) -> pd.DataFrame | None:
    """Hold typed responses against the rules that need more than one cell, each survey by itself.

    So a date or weight that one survey alone has asks nothing of the other, and nobody's answer displaces one of the
    other survey. Arguments and what is returned are those of `check_responses`.
    """
    by_age = is_by_age(table).to_numpy()
    if not by_age.any():
        return check_responses(table, violations, counts=counts)
    displaced = []
    for rows in (~by_age, by_age):
        part, survey = violations.part(rows), table[rows]
        if "design_weight" in survey and survey["design_weight"].isna().all():
            survey = survey.drop(columns="design_weight")
        displaced.append(check_responses(survey, part, counts=counts))
        violations.take(rows, part)
    found = [each for each in displaced if each is not None]
    filled = [each for each in found if len(each)]
    return pd.concat(filled, ignore_index=True) if filled else next(iter(found), None)
