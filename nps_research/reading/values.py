"""Cells into values, by stated rules: what a cell may look like, and what it then means.

Each `parse_*` function takes one column and returns its values, which cells could not be read, and
how many were read by a rule that is more than copying (a decimal comma, a label after the number).
Nothing is guessed: what no rule covers is unreadable, and the contract quarantines its row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from nps_research.errors import ContractError
from nps_research.reading.dates import moments_of, moments_of_seconds
from nps_research.typing import Integers

MISSING_WORDS = ("", "n/a", "na", "nan", "null", "none", "-", "--", ".", "?", "#n/a")
YES = ("1", "1.0", "true", "t", "yes", "yes.", "y", "ja", "oui", "da", "да", "так")
UNIX = "unix"  # instead of a format of dates
NO = ("0", "0.0", "false", "f", "no", "no.", "n", "nein", "non", "nu", "нет", "ні")


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A column as values.

    Attributes
    ----------
    values : pandas.Series
        One value per cell; missing where the cell is missing or unreadable.
    unreadable : pandas.Series of bool
        Cells that hold something no rule can read.
    read_by : dict of str to pandas.Series of bool
        Cells that were read by each rule that did more than copy.
    ambiguous : pandas.Series of bool or None
        Unreadable dates that could be day-month or month-day, where nothing in the column tells which.
    """

    values: pd.Series
    unreadable: pd.Series
    read_by: dict[str, pd.Series] = field(default_factory=dict)
    ambiguous: pd.Series | None = None

    @property
    def rules(self) -> dict[str, int]:
        """How many cells were read by each rule that did more than copy."""
        return {rule: n for rule, where in self.read_by.items() if (n := int(where.sum()))}


_FEW = 1_000  # cells that are read faster one by one
_MANY = 0.5  # share of cells: with more distinct ones, all are read
_Given = ParamSpec("_Given")
_Read = TypeVar("_Read", pd.Series, Parsed)


def each_distinct_value(
    read: Callable[Concatenate[pd.Series, _Given], _Read],
) -> Callable[Concatenate[pd.Series, _Given], _Read]:
    """Read each distinct value of a column once, by a rule for which it does not count how often or where it stands.

    Most columns of a survey hold few values; where most cells differ, all are read.
    """

    @wraps(read)
    def read_distinct(column: pd.Series, /, *given: _Given.args, **options: _Given.kwargs) -> _Read:
        kind = column.dtype
        if not (pd.api.types.is_string_dtype(kind) or pd.api.types.is_integer_dtype(kind)) or len(column) < _FEW:
            return read(column, *given, **options)
        text = column.astype("str") if pd.api.types.is_object_dtype(kind) else column  # 1 and True are equal objects
        some = text.iloc[:: len(text) // _FEW]
        if some.nunique() > _MANY * len(some):
            return read(column, *given, **options)
        place, distinct = text.factorize(use_na_sentinel=False)
        return _at(read(pd.Series(distinct), *given, **options), place, column.index)

    return read_distinct


def _at(found: _Read, place: Integers, index: pd.Index) -> _Read:
    """What was found for distinct values, for the cells that hold them."""
    if isinstance(found, pd.Series):
        return pd.Series(found.array.take(place), index)
    return Parsed(
        values=_at(found.values, place, index),
        unreadable=_at(found.unreadable, place, index),
        read_by={rule: _at(where, place, index) for rule, where in found.read_by.items() if where.any()},
        ambiguous=None if found.ambiguous is None else _at(found.ambiguous, place, index),
    )


def _is_of_numbers(column: pd.Series) -> bool:
    """Whether a column comes as real numbers; true and false, and complex numbers, are read as text."""
    kinds = pd.api.types
    return kinds.is_numeric_dtype(column) and not (kinds.is_bool_dtype(column) or kinds.is_complex_dtype(column))


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype("str").str.strip() if not pd.api.types.is_string_dtype(column) else column.str.strip()


def _missing(text: pd.Series) -> pd.Series:
    return text.isna() | text.str.lower().isin(MISSING_WORDS)


def has_code(column: pd.Series, codes: Sequence[int | float | str]) -> pd.Series:
    """Find cells that are one of the codes; 0, ``"0"`` and ``"0.0"`` are the same code.

    Examples
    --------
    >>> has_code(pd.Series(["0", "BLANK", "3"]), [0, "blank"]).tolist()
    [True, True, False]
    """
    return _is_one_of(column, codes) if codes else pd.Series(data=False, index=column.index)


@each_distinct_value
def _is_one_of(column: pd.Series, codes: Sequence[int | float | str]) -> pd.Series:
    text = _as_text(column).str.lower()
    numbers = {float(code) for code in codes if _is_finite(code)}
    words = {str(code).strip().lower() for code in codes}
    found = text.isin(words) & column.notna()
    if numbers:
        found |= pd.to_numeric(text, errors="coerce").isin(numbers)
    return found.fillna(value=False).astype(bool)


def _is_finite(code: int | float | str) -> bool:
    try:
        return math.isfinite(float(code))
    except ValueError:
        return False


def blank_codes(column: pd.Series, codes: Sequence[int | float | str]) -> tuple[pd.Series, int]:
    """Make the codes that mean "no answer" missing, and count them."""
    if not codes:
        return column, 0
    coded = has_code(column, codes)
    return column.mask(coded), int(coded.sum())


@each_distinct_value
def parse_score(column: pd.Series) -> Parsed:
    """Answers that must be whole numbers: ``"9"``, ``"9,0"``, ``"10 - Extremely likely"``; range is not checked here.

    Examples
    --------
    >>> parsed = parse_score(pd.Series(["9", "9,0", "10 - Extremely likely", "n/a", "7.5"]))
    >>> parsed.values.tolist(), parsed.unreadable.tolist()
    ([9, 9, 10, <NA>, <NA>], [False, False, False, False, True])
    """
    if _is_of_numbers(column):
        number = pd.to_numeric(column, errors="coerce").astype("Float64")
        missing = number.isna()
        whole = (~missing) & (number == number.round()).fillna(value=False) & (number.abs() < 1000).fillna(value=False)
        return Parsed(values=number.where(whole).astype("Int64"), unreadable=~missing & ~whole)
    text = _as_text(column)
    missing = _missing(text)
    parts = text.str.extract(
        r"^(?P<number>[+-]?[0-9]{1,3})(?P<zeros>[.,]0+)?(?P<label>[-–—:=.,)(\s]+[^\W\d_][^\d@]*)?$"
    )
    number = parts["number"].where(~missing)
    values = pd.to_numeric(number, errors="coerce").astype("Int64")
    read = number.notna()
    read_by = {
        "a word for no answer, such as n/a, read as missing": text.notna() & (text != "") & missing,
        "zeros after the decimal sign dropped": read & parts["zeros"].notna(),
        "the number taken from the front of a label": read & parts["label"].notna(),
    }
    return Parsed(values=values, unreadable=~missing & ~read, read_by=read_by)


@each_distinct_value
def parse_number(column: pd.Series) -> Parsed:
    """Read amounts and weights; which sign is the decimal one, and which sets thousands apart, the whole column tells.

    Examples
    --------
    >>> parse_number(pd.Series(["1.234,56 €", "80,00 €", "1.000 €"])).values.tolist()
    [1234.56, 80.0, 1000.0]
    >>> parse_number(pd.Series(["1.5", "2,5", "x"])).values.tolist(), parse_number(pd.Series(["1,250"])).values.tolist()
    ([1.5, 2.5, nan], [nan])
    >>> parse_number(pd.Series(["1,250", "0,75"])).values.tolist()
    [1.25, 0.75]
    """
    if _is_of_numbers(column):
        values = column.astype("float64")
        return Parsed(values=values, unreadable=values.notna() & ~np.isfinite(values))
    given = _as_text(column)
    missing = _missing(given)
    text = given.str.replace(_CURRENCY_FIRST, r"\1\2", regex=True).str.replace(_CURRENCY_LAST, r"\1", regex=True)
    of_money = text != given
    text, apart = _without_thousands(text)
    # Three digits behind a comma may be thousands: a fraction only where a lone zero stands before it, or where
    # another comma in the column cannot be one of thousands, and no point stands in any.
    comma = text.str.match(r"^[+-]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))$").fillna(value=False)
    if comma.any() and not text.str.contains(".", regex=False).fillna(value=False).any():
        comma |= text.str.match(r"^[+-]?\d{1,3},\d{3}$").fillna(value=False)
    values = pd.to_numeric(text.mask(comma, text.str.replace(",", ".")).mask(missing), errors="coerce").astype(
        "float64"
    )
    values = values.where(np.isfinite(values))
    return Parsed(
        values=values,
        unreadable=~missing & values.isna(),
        read_by={
            "a decimal comma read as a decimal point": comma & ~missing,
            "a sign between thousands left out": apart & ~missing & values.notna(),
            "a currency left out": of_money & ~missing & values.notna(),
        },
    )


_MONEY = r"(?:€|\$|£|¥|₴|₽|(?i:zł|lei|eur|usd|gbp|chf|pln|ron|mdl|uah|rub|грн\.?|руб\.?))"
_CURRENCY_FIRST = rf"^([+-]?)\s*{_MONEY}\s*([+-]?\d[\d.,'\s]*)$"
_CURRENCY_LAST = rf"^([+-]?\d[\d.,'\s]*?)\s*{_MONEY}$"


def _without_thousands(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers without what stands between thousands, and where it stood; a column that tells nothing stays as it is.

    A blank or an apostrophe between groups of three is nothing else. A point or a comma is where one cell of the column
    has both signs, or the same one twice, and no cell has them the other way round.
    """
    by_blank = text.str.fullmatch(r"[+-]?\d{1,3}(?:[\s']\d{3})+(?:[.,]\d+)?").fillna(value=False).astype(bool)
    text = text.mask(by_blank, text.str.replace(r"[\s']", "", regex=True))
    told = {
        sign: text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:(?:\{sign}\d{{3}})+\{other}\d+|(?:\{sign}\d{{3}}){{2,}})")
        .fillna(value=False)
        .any()
        for sign, other in ((".", ","), (",", "."))
    }
    if told["."] == told[","]:
        return text, by_blank
    sign, other = (".", ",") if told["."] else (",", ".")
    grouped = text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:\{sign}\d{{3}})+(?:\{other}\d+)?").fillna(value=False).astype(bool)
    against = text.str.contains(sign, regex=False).fillna(value=False).astype(bool) & ~grouped
    if against.any():
        return text, by_blank
    return text.mask(grouped, text.str.replace(sign, "", regex=False)), by_blank | grouped


@each_distinct_value
def parse_flag(column: pd.Series) -> Parsed:
    """Read yes or no.

    Examples
    --------
    >>> parse_flag(pd.Series(["1", "no", ""])).values.tolist()
    [True, False, <NA>]
    """
    text = _as_text(column).str.lower()
    missing = _missing(text)
    yes, no = text.isin(YES) & ~missing, text.isin(NO) & ~missing
    values = pd.Series(pd.NA, index=column.index, dtype="boolean").mask(yes, other=True).mask(no, other=False)
    return Parsed(values=values, unreadable=~missing & ~yes & ~no)


@each_distinct_value
def parse_timestamp(column: pd.Series, *, date_format: str | None = None) -> Parsed:
    """Read moments in the usual spellings, or in the stated ``strptime`` format; a zone is turned to UTC.

    Without a stated format, dates such as 31.12.2025 or 12/31/25 are read where some date of the column
    with the same sign between its numbers leaves one order of day, month and year, and no other date
    contradicts it. Else they are unreadable, and `Parsed.ambiguous` says so: nothing is guessed.
    With ``"unix"`` numbers are seconds, or milliseconds, since 1970, and 0 is blank.

    Examples
    --------
    >>> parse_timestamp(pd.Series(["2025-12-31", "31/12/2025", "01/02/2025"])).values.dt.date.astype("str").tolist()
    ['2025-12-31', '2025-12-31', '2025-02-01']
    >>> parse_timestamp(pd.Series(["2025-12-31", "01/02/2025"])).ambiguous.tolist()
    [False, True]
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        values = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
        return Parsed(values=values.astype("datetime64[us]"), unreadable=pd.Series(data=False, index=column.index))
    if date_format == UNIX:
        number = parse_number(column)
        values = moments_of_seconds(number.values)
        blank = number.values == 0
        return Parsed(
            values=values,
            unreadable=number.unreadable | (number.values.notna() & values.isna() & ~blank),
            read_by={"Unix time read as a moment": values.notna(), "a Unix time of 0 read as missing": blank},
        )
    text = _as_text(column)
    if date_format is None:
        read = moments_of(text)
        values, ambiguous, read_by = read.values, read.ambiguous, dict(read.rules)
    else:
        values = _to_datetime(text, date_format).dt.tz_localize(None)
        read_by, ambiguous = {}, None
    missing = text.isna()
    unread = values.isna() & ~missing
    missing[unread] = _missing(text[unread])
    return Parsed(
        values=values.astype("datetime64[us]"),
        unreadable=~missing & values.isna(),
        read_by=read_by,
        ambiguous=ambiguous,
    )


def _to_datetime(text: pd.Series, date_format: str) -> pd.Series:
    if "%" in date_format:
        try:
            return pd.to_datetime(text, format=date_format, errors="coerce", utc=True)
        except (ValueError, re.error):  # the format is none; an unreadable cell raises nothing
            pass
    raise ContractError(
        f"date_format = {date_format!r} is no format of dates; allowed are e.g. '%d.%m.%Y %H:%M', or 'unix'."
    )


@each_distinct_value
def parse_text(column: pd.Series) -> Parsed:
    """Read words as they are, whole numbers of a column of them without the ``.0``; an empty cell is missing."""
    text = _as_text(_without_zero(column))
    text = text.mask(text.isna() | (text == ""))
    return Parsed(values=text.astype("str"), unreadable=pd.Series(data=False, index=column.index))


_STORED_AS_FLOAT = r"-?\d+\.0"


@each_distinct_value
def parse_id(column: pd.Series) -> Parsed:
    """Read identifiers: words; whole numbers that a spreadsheet stored as ``12.0``, all of them, lose the ``.0``."""
    column = _without_zero(column)
    parsed = parse_text(column.astype("str").mask(column.isna()))
    given = parsed.values.dropna()
    if len(given) and given.str.fullmatch(_STORED_AS_FLOAT).all():
        read_by = {"a whole number without its .0": parsed.values.notna()}
        return replace(parsed, values=parsed.values.str.removesuffix(".0"), read_by=read_by)
    return parsed


def _without_zero(column: pd.Series) -> pd.Series:
    """A column of whole floats as whole numbers; any other as it is."""
    present = column.dropna()
    if pd.api.types.is_float_dtype(column) and ((present == present.round()) & (present.abs() < 2**53)).all():
        return column.astype("Int64")
    return column


PARSERS: dict[str, Callable[[pd.Series], Parsed]] = {
    "score": parse_score,
    "number": parse_number,
    "flag": parse_flag,
    "timestamp": parse_timestamp,
    "text": parse_text,
    "id": parse_id,
}
