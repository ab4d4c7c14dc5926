"""Dates as people and tools write them, into moments: what is written one way only is read, the rest is asked.

A shape says which part of a cell is what; months and weekdays go by their names in the languages below. Where
a date is all numbers and the year does not stand in front with four digits, the order of its parts is known
only if no other order would give dates for every such cell of the column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

FIRST_DAY = pd.Timestamp("1990-01-01")  # no survey of this kind is older

# English, German, French, Spanish, Portuguese, Italian, Dutch, Romanian, Ukrainian, Russian, Polish
_MONTHS = (
    "january januar janvier enero janeiro gennaio januari ianuarie січень січня январь января styczeń stycznia jänner",
    "february februar février febrero fevereiro febbraio februari februarie лютий лютого февраль февраля luty lutego",
    "march märz mars marzo março maart martie березень березня март марта marzec marca mrz mrt",
    "april avril abril aprile aprilie квітень квітня апрель апреля kwiecień kwietnia",
    "may mai mayo maio maggio mei травень травня май мая maj maja",
    "june juni juin junio junho giugno iunie червень червня июнь июня czerwiec czerwca",
    "july juli juillet julio julho luglio iulie липень липня июль июля lipiec lipca",
    "august août agosto augustus серпень серпня август августа sierpień sierpnia",
    (
        "september septembre septiembre setiembre setembro settembre septembrie вересень вересня сентябрь сентября "
        "wrzesień września"
    ),
    "october oktober octobre octubre outubro ottobre octombrie жовтень жовтня октябрь октября październik października",
    "november novembre noviembre novembro noiembrie листопад листопада ноябрь ноября listopad listopada",
    "december dezember décembre diciembre dezembro dicembre decembrie грудень грудня декабрь декабря grudzień grudnia",
)
_WEEKDAYS = """
    monday tuesday wednesday thursday friday saturday sunday
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo
    segunda-feira terça-feira quarta-feira quinta-feira sexta-feira
    lunedì martedì mercoledì giovedì venerdì sabato domenica
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    luni marți miercuri joi vineri sâmbătă duminică
    понеділок вівторок середа четвер пʼятниця п'ятниця субота неділя пн вт ср чт пт сб нд
    понедельник вторник среда четверг пятница суббота воскресенье вс
    poniedziałek wtorek środa czwartek piątek sobota niedziela pt
"""
# Names of zones that RFC 5322 or the European Union fix; hours from UTC.
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "ut": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "wet": 0,
    "west": 1,
    "cet": 1,
    "cest": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
}


def _folded(word: str) -> str:
    """A word without accents and capitals."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _by_beginning(names: Sequence[str], least: int) -> dict[str, int]:
    """What each beginning of at least `least` letters stands for, as a number from 1 on, where it is one only."""
    found: dict[str, set[int]] = {}
    for number, words in enumerate(names, 1):
        for word in map(_folded, words.split()):
            for end in range(min(least, len(word)), len(word) + 1):
                found.setdefault(word[:end], set()).add(number)
    return {word: numbers.pop() for word, numbers in found.items() if len(numbers) == 1}


MONTHS = _by_beginning(_MONTHS, 3)
_DAYS_OF_WEEK = frozenset(_by_beginning([_WEEKDAYS], 2))

_DAY_OF_WEEK = r"(?:(?P<weekday>[^\W\d_]{2,}(?:[-'ʼ][^\W\d_]+)?)\.?,? )?"
_MONTH_NAME = r"(?P<month>[^\W\d_]{3,})\.?"
_DAY, _YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|o|a|°)?", r"(?P<year>\d{4})"
_BETWEEN = r"(?:[ ./-]|, ?|,? de |,? del )[ .]?"
_AFTER_YEAR = r"(?:,? ?(?:г|р|r)\.?|,? ?(?:года|року|roku))?"
_DATE_SHAPES = (  # the first that fits holds
    _YEAR + r"(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})",
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})",
    r"(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})(?P=sign)(?P<third>\d{4}|\d{2})",
    _DAY + _BETWEEN + _MONTH_NAME + _BETWEEN + r"(?P<year>\d{4}|\d{2})" + _AFTER_YEAR,
    _MONTH_NAME + "[ -]" + _DAY + r"(?:, ?| |-)" + _YEAR,
    _YEAR + "[ -]" + _MONTH_NAME + "[ -]" + _DAY,
)
_THEN = r"(?P<then>t|[ ,]+(?:(?:at|um|a|as|alle|om|la|о|в|o|u) )?)?"  # what stands between a date and a time
_HALVES = r"(?s)^(?P<date>.*?)(?P<clock>[0-9]{1,2}[:h][0-9]{2}.*?)?(?P<year> [0-9]{4})?$"
_DOTTED_CLOCKS = (  # 10.30.00 and 10.30, behind a year and a blank
    (r"(\d{2},? )(\d{1,2})\.(\d{2})\.(\d{2})$", r"\1\2:\3:\4"),
    (r"(\d{4},? )(\d{1,2})\.(\d{2})$", r"\1\2:\3"),
)
_CLOCK_SHAPE = (
    r"(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<seconds>\d{2}(?:[.,]\d{1,9})?))?"
    r"(?: ?(?P<half>[ap])\.? ?m\.?| uhr)?"
    r"(?: ?(?P<zone>z|(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?|[a-z]{2,4}))?(?: ?\([^()]*\))?"
)
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?$"
_ORDERS = {"day, month, year": "dmy", "month, day, year": "mdy", "year, month, day": "ymd"}
_WHY_SO = {
    "day, month, year": "another in its column has a first number above 12",
    "month, day, year": "another in its column has a second number above 12",
    "year, month, day": "in no other order is each of its column a date",
}


@dataclass(frozen=True, kw_only=True)
class Moments:
    """A column of dates, read.

    Attributes
    ----------
    values : pandas.Series
        Moments in UTC without a zone; missing where no shape fits, or the order is open.
    ambiguous : pandas.Series of bool
        Where the order of day, month and year is open.
    rules : dict of str to pandas.Series of bool
        Which cells were read by each rule that does more than copy.
    """

    values: pd.Series
    ambiguous: pd.Series
    rules: dict[str, pd.Series]


def last_day() -> pd.Timestamp:
    """Tomorrow: no answer is younger, whatever the zone."""
    return pd.Timestamp.now().normalize() + pd.Timedelta(days=1)


def moments_of(text: pd.Series) -> Moments:
    """Read dates in all spellings that leave no doubt.

    Examples
    --------
    >>> read = moments_of(pd.Series(["2024-01-05 09:00:00 UTC", "5 января 2024", "Jan 5, 2024 9:00 PM", "05.01.2024"]))
    >>> read.values.astype("str").tolist()[:3], read.ambiguous.tolist()
    (['2024-01-05 09:00:00', '2024-01-05 00:00:00', '2024-01-05 21:00:00'], [False, False, False, True])
    """
    zoned, open_order = (pd.Series(data=False, index=text.index) for _ in range(2))
    rules = {"a time with a zone turned to UTC": zoned}
    if (at_once := _all_plain(text)) is not None:
        return Moments(values=at_once, ambiguous=open_order, rules=rules)
    values = pd.Series(pd.NaT, text.index, dtype="datetime64[us]")
    plain = text.str.match(_ISO).fillna(value=False).to_numpy(dtype=bool)
    read = pd.to_datetime(text[plain], format="ISO8601", errors="coerce", utc=True, cache=False)  # most differ
    values[plain] = read.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    zoned[plain] = text[plain].str.slice(len("2024-01-05")).str.contains("[Z+-]", regex=True).to_numpy(dtype=bool)
    others = ~plain & text.notna().to_numpy()
    if others.any():
        codes, distinct = pd.factorize(text[others])
        of_date, of_clock = (part.take(codes) for part in _read_apart(pd.Series(distinct, dtype="str")))
        read = (of_date["moment"] + of_clock["after_midnight"]).where(of_date["has_clock"] == of_clock["is_clock"])
        values[others] = read.to_numpy()
        open_order[others] = of_date["is_open"].to_numpy()
        zoned[others] = (of_clock["has_zone"] & read.notna()).to_numpy()
        for name in _ORDERS:
            read_so = pd.Series(data=False, index=text.index)
            read_so[others] = ((of_date["order"] == name) & read.notna()).to_numpy()
            rules[f"a date read as {name}: {_WHY_SO[name]}"] = read_so
    return Moments(values=values, ambiguous=open_order, rules=rules)


def _all_plain(text: pd.Series) -> pd.Series | None:
    """Moments of a column in which all are of ISO 8601 without a zone, in a tenth of the time; else None."""
    try:
        moments = pa.array(text, pa.large_string(), from_pandas=True).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return pd.Series(moments.to_numpy(zero_copy_only=False), text.index)


def _read_apart(cells: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each cell's date and time of day; either is read once, however many cells have it."""
    text = pa.array(cells.str.lower(), pa.large_string())
    for dotted, with_colons in _DOTTED_CLOCKS:
        text = pc.replace_substring_regex(text, dotted, with_colons)
    found = pc.extract_regex(text, _HALVES)
    date, clock, year = (pd.Series(pc.struct_field(found, [n]), cells.index, dtype="str").fillna("") for n in range(3))
    date += year.mask((clock != "") & (year != ""), year.str[1:] + " ")  # a year behind the time is the date's
    (dates, distinct_dates), (clocks, distinct_clocks) = pd.factorize(date), pd.factorize(clock)
    of_date = _dates(_parts_of(distinct_dates, _DATE_SHAPES, _THEN)).take(dates)
    of_clock = _clocks(_parts_of(distinct_clocks, [_CLOCK_SHAPE])).take(clocks)
    return of_date.set_axis(cells.index), of_clock.set_axis(cells.index)


def _parts_of(texts: pd.Index, shapes: Sequence[str], after: str = "") -> pd.DataFrame:
    """The named parts of each text by the first shape that fits."""
    left = pd.Series(texts, dtype="str").map(_folded).astype("str").str.replace(r"\s+", " ", regex=True)
    names = dict.fromkeys(name for shape in (*shapes, _DAY_OF_WEEK, after) for name in re.findall(r"P<(\w+)>", shape))
    parts = pd.DataFrame(index=left.index, columns=list(names), dtype="str").assign(text=left)
    for shape in shapes:
        fits = left.str.match(rf"^{_DAY_OF_WEEK}{shape}{after}$")
        if fits.any():
            found = left[fits].str.extract(f"^{_DAY_OF_WEEK}{shape}{after}$")
            parts.loc[found.index, found.columns] = found
            left = left[~fits]
    strange = parts["weekday"].notna() & ~parts["weekday"].isin(_DAYS_OF_WEEK)
    return parts.mask(strange, other=np.nan).assign(text=parts["text"])


def _dates(parts: pd.DataFrame) -> pd.DataFrame:
    """Midnight of each date; its order, where that was open at first; whether it still is; whether a time follows."""
    named = parts["month"].str.isalpha().fillna(value=False).astype(bool)
    parts["month"] = parts["month"].mask(named, parts["month"].map(MONTHS).astype("str"))
    order, is_open = _orders_of(parts)
    numbers = _ordered(parts, order)[["year", "month", "day"]].apply(pd.to_numeric)
    numbers["year"] = _full_year(numbers["year"])
    moment = pd.to_datetime(numbers, errors="coerce").astype("datetime64[us]")
    return pd.DataFrame({"moment": moment, "order": order, "is_open": is_open, "has_clock": parts["then"].notna()})


def _orders_of(parts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The order in which dates of numbers alone are written, by the sign between them; and where it is open."""
    first, second, third = (pd.to_numeric(parts[name]) for name in ("first", "second", "third"))
    long_year = parts["third"].str.len() == 4
    front = _full_year(first)
    fits = {
        "day, month, year": first.between(1, 31) & second.between(1, 12),
        "month, day, year": first.between(1, 12) & second.between(1, 31),
        "year, month, day": ~long_year
        & second.between(1, 12)
        & third.between(1, 31)
        & front.between(FIRST_DAY.year, last_day().year),
    }
    possible = pd.DataFrame(fits)
    dates = possible.any(axis=1)
    all_of_sign = possible[dates].groupby(parts["sign"][dates]).all()
    known = all_of_sign[all_of_sign.sum(axis=1) == 1].idxmax(axis=1)
    order = parts["sign"].where(parts["first"].notna()).map(known)
    return order, dates & order.isna()


def _full_year(short: pd.Series) -> pd.Series:
    """Years of two digits as POSIX has them: 69 to 99 are of the last century."""
    return short.mask(short < 100, short + 2000 - 100 * (short >= 69))


def _ordered(parts: pd.DataFrame, order: pd.Series) -> pd.DataFrame:
    """Parts with year, month and day where only the order of numbers was known."""
    numbers = parts[["first", "second", "third"]]
    columns = {}
    for letter, name in zip("ymd", ("year", "month", "day"), strict=True):
        column = parts[name]
        for said, letters in _ORDERS.items():
            column = column.mask(order == said, numbers.iloc[:, letters.index(letter)])
        columns[name] = column
    return parts.assign(**columns)


def _clocks(parts: pd.DataFrame) -> pd.DataFrame:
    """Time in UTC since midnight, none where no time is given, missing where it is none; and whether a zone is."""
    hour, minute = (pd.to_numeric(parts[name]) for name in ("hour", "minute"))
    second = pd.to_numeric(parts["seconds"].str.replace(",", ".")).fillna(0)
    half = parts["half"]
    right = (minute < 60) & (second < 60) & (hour < 24) & (half.isna() | hour.between(1, 12))
    hour = hour.mask(half.notna(), hour % 12 + 12 * (half == "p"))
    ahead = parts["zone"].map({zone: _minutes_ahead(zone) for zone in parts["zone"].dropna().unique()}).astype(float)
    seconds = ((hour * 60 + minute - ahead.mask(parts["zone"].isna(), 0)) * 60 + second).where(right)
    is_none = parts["text"] == ""
    after = pd.to_timedelta((seconds.mask(is_none, 0) * 1e6).round().astype("Int64"), unit="us")
    return pd.DataFrame({"after_midnight": after, "is_clock": ~is_none, "has_zone": parts["zone"].notna()})


def _minutes_ahead(zone: str) -> float:
    """Minutes ahead of UTC; missing for what is no zone of one meaning."""
    if zone in _ZONES:
        return 60.0 * _ZONES[zone]
    sign, digits = zone.lstrip("utcgm")[:1], zone.lstrip("utcgm")[1:].replace(":", "")
    if sign not in ("+", "-"):
        return np.nan
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    ahead = hours * 60 + minutes
    return np.nan if minutes >= 60 or ahead > 14 * 60 else float(ahead if sign == "+" else -ahead)


def moments_of_seconds(numbers: pd.Series) -> pd.Series:
    """Unix time, seconds or (from 1e11 on: the year 1973) milliseconds since 1970, as moments; 0 is no moment.

    Examples
    --------
    >>> moments_of_seconds(pd.Series([0.0, 1704067200.0, 1704067200000.0])).astype("str").tolist()
    [nan, '2024-01-01', '2024-01-01']
    """
    seconds = numbers.mask(numbers.abs() >= 1e11, numbers / 1000).where(numbers != 0)
    seconds = seconds.where(seconds.between(-1e10, 1e10))
    return pd.to_datetime((seconds * 1e6).round().astype("Int64"), unit="us", errors="coerce").astype("datetime64[us]")
