"""Groups in the order a reader expects: spans of numbers by their size, all others by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_UNIT = re.compile(r"\s*(day|week|month|year)s?\b", re.IGNORECASE)
_DAYS_IN = {"day": 1, "week": 7, "month": 30, "year": 365}
_BELOW = re.compile(r"\b(?:under|below|less than|up to|at most)\b|[<\u2264]", re.IGNORECASE)
_ABOVE = re.compile(r"\b(?:over|above|more than|at least|from)\b|[>\u2265]", re.IGNORECASE)


def in_order(groups: Iterable[str]) -> list[str]:
    """Sort the names of groups; those that are numbers, or spans of numbers, by size.

    Examples
    --------
    >>> in_order(["over 5", "10 to 29", "under 1", "3 to 5", "1 to 3"])
    ['under 1', '1 to 3', '3 to 5', 'over 5', '10 to 29']
    >>> in_order(["More than 1 year", "Less than 6 months", "6 months - 1 year", "North 10", "North 9"])
    ['Less than 6 months', '6 months - 1 year', 'More than 1 year', 'North 9', 'North 10']
    """
    return sorted(groups, key=_place)


def _place(name: str) -> tuple[str, float, int, str]:
    """The words before the first number, the number (of days, weeks, months, years in days), and the side of it."""
    found = _NUMBER.search(name)
    if found is None:
        return name, 0.0, 0, name
    before, unit = name[: found.start()], _UNIT.match(name[found.end() :])
    size = float(found[0].replace(",", "")) * (_DAYS_IN[unit[1].casefold()] if unit else 1)
    side = (_ABOVE.search(before) is not None) - (_BELOW.search(before) is not None)
    return _ABOVE.sub("", _BELOW.sub("", before)).strip(), size, side, name
