"""Waves made of dates: months, quarters, half-years, years."""

from __future__ import annotations

import pandas as pd

from nps_research.errors import ContractError
from nps_research.study.table_settings import WaveOfDates


def wave_of_dates(table: pd.DataFrame, made: WaveOfDates) -> pd.Series:
    """Each row's wave by its date, missing where there is none. Who did not answer belongs to that of the invitation.

    Raises
    ------
    ContractError
        If the table has no such date.

    Examples
    --------
    >>> import pandas as pd
    >>> from nps_research.study.table_settings import WaveOfDates
    >>> table = pd.DataFrame({"invited_at": pd.to_datetime(["2024-07-01", None, "2023-02-28"])})
    >>> wave_of_dates(table, WaveOfDates.model_validate({"from": "invited_at", "every": "quarter"})).tolist()
    ['2024 Q3', nan, '2023 Q1']
    """
    if made.from_date not in table:
        other = next((name for name in ("invited_at", "responded_at") if name in table), None)
        hint = f": did you mean {other}?" if other else ", nor is there another date."
        raise ContractError(f'responses: wave is made from "{made.from_date}", which the responses do not have{hint}')
    date = table[made.from_date]
    if "invited_at" in table:
        date = date.fillna(table["invited_at"])
    wave: pd.Series
    year = date.dt.year.astype("Int64").astype("str").where(date.notna())
    if made.every == "year":
        wave = year
    elif made.every == "month":
        wave = date.dt.strftime("%Y-%m").astype("str").where(date.notna())
    else:
        letter, part = ("Q", date.dt.quarter) if made.every == "quarter" else ("H", (date.dt.month > 6) + 1)
        wave = year + f" {letter}" + part.astype("Int64").astype("str").where(date.notna())
    return wave
