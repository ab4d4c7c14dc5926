"""Cells that reach one person: e-mail addresses and telephone numbers, which name no group."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from nps_research.reading.values import each_distinct_value

NO_GROUP = "holds an e-mail address or a telephone number, which names no group"

_DASHES = "\N{EN DASH}\N{EM DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{MINUS SIGN}"
_PLAIN_SIGNS = str.maketrans(dict.fromkeys(_DASHES, "-") | dict.fromkeys("\N{MIDDLE DOT}\N{BULLET}", "."))
_MAILED = r"[^\s@]@[^\s@]+\.[^\s@]"
_SEVEN_DIGITS = r"\d(?:[\s().\-/]{0,3}\d){6}"
_DIGITS = re.compile(r"(?:\+ ?)?[\d(](?:[\d\s().\-/]*\d)?")  # digits with what stands between those of a number
_NTH_DAY, _NTH_MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_WRITTEN_DATE = re.compile(
    rf"(?:19|20)\d\d[./-]{_NTH_MONTH}[./-]{_NTH_DAY}(?!\d)|(?<!\d){_NTH_DAY}[./-]{_NTH_MONTH}[./-](?:(?:19|20)\d\d|\d\d)(?!\d)"
)
_ANNOUNCED = re.compile(r"(?i)\b(?:tel|telephone|telefon|phone|fon|whatsapp|тел|телефон|моб)\b[\s.:#№]*[+(]?\d")
_NATIONAL = (
    r"\(?0\d{1,4}\)?(?:[\s.\-/]{1,2}\d{2,}){1,5}",  # 0171 1234567, (030) 123 45 67
    r"(?:[178][\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{2}[\s.-]?\d{2}",  # 555-123-4567, 8 (495) 123-45-67
    r"(?:\d{1,3}[\s.-]?)?\(\d{2,4}\)(?:[\s.\-/]{0,2}\d{2,}){1,4}",  # (67) 123 45 67, 8(495)1234567
    r"(?:\d{1,3}[\s.-]){0,2}\d{2,3}[\s.-]\d{3}[\s.-]\d\d[\s.-]\d\d",  # 380 67 123-45-67
    r"\d{1,3}[\s-]\d{2,4}[\s-](?!(?:19|20)\d\d)\d{3,4}[\s-]\d{4}",  # 44 20 7946 0958: not two years
    r"\d{3}[\s.-]0\d{3}",  # 555-0123: a range would not begin again with 0
    r"[5-9]\d\d[\s-]\d{3}[\s-](?!000|999)\d{3}",  # 600 123 456: an amount would be round
    r"(?:\d\d|[5-9]\d\d)(?:[\s.]\d\d){3,5}",  # 12 34 56 78, 612 34 56 78
    r"\d\d\s9\d{4}-\d{4}",  # 11 91234-5678
    r"[6-9]\d{4}\s\d{5}",  # 98765 43210
)
_BARE = re.compile(r"[1-9]\d{9,11}|0\d{8,11}|00[1-9]\d{8,12}")  # as a spreadsheet keeps one
_TELEPHONE = re.compile("|".join(f"(?:{each})" for each in _NATIONAL))


@each_distinct_value
def holds_contact(text: pd.Series, *, is_id: bool = False) -> pd.Series:
    """Where a cell has an e-mail address or a telephone number in it: of a shifted row, most likely.

    In a column of ids, ten digits alone are an id.

    Examples
    --------
    >>> holds_contact(pd.Series(["ann@example.com", "+1 555 010 9999", "2024-12-31", "100 000 - 499 999"])).tolist()
    [True, True, False, False]
    """
    text = text.map(_plainly_written, na_action="ignore").astype("str")
    address = text.str.contains(_MAILED, regex=True).fillna(value=False).astype(bool)
    may_call = text.str.contains(_SEVEN_DIGITS, regex=True).fillna(value=False).astype(bool) & ~address
    calls = text[may_call].map(lambda cell: _has_telephone_number(cell, is_id)).astype(bool)
    return address | calls.reindex(text.index, fill_value=False)


def _plainly_written(cell: str) -> str:
    """Digits, dashes and dots as on a keyboard, whatever was typed instead."""
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell).translate(_PLAIN_SIGNS)


def _has_telephone_number(cell: str, is_id: bool) -> bool:
    undated = _WRITTEN_DATE.sub(" | ", cell)
    runs = _DIGITS.findall(undated)
    return _ANNOUNCED.search(undated) is not None or any(_is_telephone_number(run, is_id) for run in runs)


def _is_telephone_number(run: str, is_id: bool) -> bool:
    if not 7 <= sum(map(str.isdigit, run)) <= 15:
        return False
    return run.startswith("+") or bool(_TELEPHONE.fullmatch(run)) or (not is_id and bool(_BARE.fullmatch(run)))
