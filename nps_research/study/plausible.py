"""Dates that cannot be right: before there were such surveys, in the future, or years away from all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nps_research.reading.dates import FIRST_DAY, last_day

OUTSIDE = f"is not from {FIRST_DAY.year} to tomorrow"
YEARS_AWAY = "is more than two years away from the other dates"
_FIRST = int(np.datetime64(FIRST_DAY, "D").astype(np.int64))
PLANNED = ("contract_ends_at",)  # moments that may be yet to come
_DAYS_APART = 731
_SLIPS = 0.05  # of all dates; more of them are no slip


def implausible_dates(table: pd.DataFrame, names: Sequence[str]) -> dict[tuple[str, str], pd.Series]:
    """Where a date breaks which rule, by column and rule.

    The dates of all columns are looked at together: a group of dates that lies more than two years from all others
    and holds at most one in twenty of them is taken for slips.

    Examples
    --------
    >>> days = ["2052-01-01"] + ["2025-01-01"] * 40 + ["2020-01-01"]
    >>> found = implausible_dates(pd.DataFrame({"responded_at": pd.to_datetime(days)}), ["responded_at"])
    >>> [(rule, where.to_numpy().nonzero()[0].tolist()) for (_, rule), where in found.items()]
    [('is not from 1990 to tomorrow', [0]), ('is more than two years away from the other dates', [41])]
    """
    found: dict[tuple[str, str], pd.Series] = {}
    inside = {}
    for name in names:
        outside = table[name].notna() & ~table[name].between(FIRST_DAY, last_day())
        found[name, OUTSIDE] = outside
        inside[name] = table[name].mask(outside)
    day = {name: dates.to_numpy(dtype="datetime64[D]") for name, dates in inside.items()}
    known = [days[~np.isnat(days)].astype(np.int64) for days in day.values()]
    times = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *known]) - _FIRST)
    days = np.flatnonzero(times)
    group = np.cumsum(np.diff(days, prepend=days[:1]) > _DAYS_APART)
    size = np.bincount(group, weights=times[days], minlength=1)
    slips = (days[size[group] <= _SLIPS * times.sum()] + _FIRST).astype("datetime64[D]")
    if not len(slips):
        return found
    return found | {
        (name, YEARS_AWAY): pd.Series(np.isin(days, slips) & ~np.isnat(days), table.index) for name, days in day.items()
    }


def latest_plausible_date(
    tables: Mapping[str, pd.DataFrame], constants: Mapping[str, frozenset[str]]
) -> tuple[str, pd.Timestamp] | None:
    """The latest date of any table, and its column; neither a constant nor a day yet to come sets it."""
    latest: dict[str, pd.Timestamp] = {}
    for name, table in tables.items():
        for column in table.select_dtypes("datetime"):
            dates = table[column][table[column] <= last_day()]
            planned = column == "observed_until" and dates.nunique() < 2  # one day for all: stated, not seen
            if len(dates) and not planned and column not in (*constants[name], *PLANNED):
                latest[f"{name}.{column}"] = dates.max()
    return max(latest.items(), key=lambda each: each[1]) if latest else None
