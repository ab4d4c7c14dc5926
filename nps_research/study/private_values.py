"""What of a study belongs to respondents, and must be in nothing that is shared."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import pandas as pd

from nps_research.study.contact_details import holds_contact
from nps_research.study.standard_columns import PRIVATE, private_columns


def private_values_of(
    responses: pd.DataFrame,
    customers: pd.DataFrame | None,
    further: Mapping[str, pd.DataFrame],
    quarantine: pd.DataFrame,
    available: frozenset[str],
) -> frozenset[str]:
    """Collect every id, name, e-mail and comment of the tables and the quarantine."""
    found: set[str] = set()
    set_apart = ((str(name), rows) for name, rows in quarantine.groupby("table"))
    for table_name, rows in chain(further.items(), set_apart):
        for name in (each for each in private_columns(table_name) if each in rows):
            found.update(rows[name].dropna().astype("str").unique())
    for table in (responses, customers):
        if table is None:
            continue
        for name in PRIVATE:
            # A row number that stands in for an id is nobody's.
            stands_in = table is responses and f"responses.{name}" not in available
            if name in table and not (name == "respondent_id" and stands_in):
                found.update(table[name].dropna().astype("str").unique())
    for name in quarantine.columns.difference(["table", "file", "line", "reasons"]):
        cells = quarantine[name].dropna().astype("str")
        found.update(cells[cells.str.contains("@") | holds_contact(cells)].unique())
    return frozenset(found)
