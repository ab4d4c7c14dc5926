import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nps_research.reading import values
from nps_research.reading.dates import moments_of
from nps_research.reading.values import (
    PARSERS,
    blank_codes,
    has_code,
    parse_flag,
    parse_id,
    parse_number,
    parse_score,
    parse_text,
    parse_timestamp,
)
from tests.reading.test_reader_fuzz import share


def read(parser, *cells, **options):
    """Values as a list, None where missing, and the positions of the unreadable cells."""
    column = cells[0] if len(cells) == 1 and isinstance(cells[0], pd.Series) else pd.Series(list(cells))
    parsed = parser(column, **options)
    values = [None if pd.isna(value) else value for value in parsed.values]
    return values, [row for row, unreadable in enumerate(parsed.unreadable) if unreadable]


# Scores


@pytest.mark.parametrize(
    ("cell", "score"),
    [
        ("9", 9),
        (" 9 ", 9),
        ("9.0", 9),
        ("9,0", 9),
        ("09", 9),
        ("+9", 9),
        ("-1", -1),
        ("11", 11),
        ("10 - Extremely likely", 10),
        ("10 – äußerst wahrscheinlich", 10),
        ("0 = Not at all likely", 0),
        ("0 (not likely)", 0),
        ("10. Очень вероятно", 10),
        ("5: neutral", 5),
    ],
)
def test_a_score_is_read(cell, score):
    assert read(parse_score, cell) == ([score], [])


@pytest.mark.parametrize("cell", ["n/a", "N/A", "NA", "nan", "NULL", "None", "-", "--", ".", "?", "#N/A", "", "  "])
def test_a_word_for_no_answer_is_missing_not_unreadable(cell):
    assert read(parse_score, cell) == ([None], [])


@pytest.mark.parametrize(
    "cell",
    [
        "7.5",
        "7,5",
        "9/10",
        "9 of 10",
        "8-9",
        "9 10",
        "1e1",
        "0x9",
        "1_0",
        "2025-01-01",
        "12345",
        "ann@example.com",
        "ann9@example.com",
        "9 ٩",
        "ten",
        "likely - 10",
        "<script>alert(1)</script>",
        r"$\frac{1}{0}$",
        "\x00",
        "9\x00",
        "TRUE",
        "99%",
        "½",
    ],
)
def test_what_no_rule_covers_is_unreadable(cell):
    assert read(parse_score, cell) == ([None], [0])


@pytest.mark.parametrize(
    "cell", ["9lives@example.com", "9.lives@example.com", "9 - ann@example.com", "7f", "5fbcde", "٩", "９"]
)
def test_a_misplaced_address_or_id_or_foreign_digit_is_no_score(cell):
    assert read(parse_score, cell) == ([None], [0])


def test_every_rule_that_read_a_score_is_counted():
    parsed = parse_score(pd.Series(["9", "9,0", "8.00", "10 - Extremely likely", "n/a", "", None, "7.5"]))
    assert parsed.rules == {
        "a word for no answer, such as n/a, read as missing": 1,
        "zeros after the decimal sign dropped": 2,
        "the number taken from the front of a label": 1,
    }


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([9, 0, 10]),
        pd.Series([9, 0, 10], dtype="int8"),
        pd.Series([9.0, 0.0, 10.0]),
        pd.Series([9, 0, 10], dtype="Int64"),
        pd.Series([9, 0, 10], dtype="Float64"),
        pd.Series([9, 0, 10], dtype="category"),
        pd.Series([9, 0, 10], dtype=object),
        pd.Series(["9", "0", "10"], dtype=object),
        pd.Series(["9", "0", "10"], dtype="string"),
        pd.Series(["9", "0", "10"], dtype="category"),
        pd.Series([Decimal(9), Decimal(0), Decimal(10)], dtype=object),
        pd.Series([9, 0, 10], dtype="int64[pyarrow]"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_scores_of_every_type_are_the_same(column):
    assert read(parse_score, column) == ([9, 0, 10], [])


@pytest.mark.parametrize(
    ("column", "unreadable"),
    [
        (pd.Series([9.0, np.nan, 7.5]), [2]),
        (pd.Series([9.0, None, np.inf], dtype="Float64"), [2]),
        (pd.Series([9, None, 10_000], dtype="Int64"), [2]),
        (pd.Series([9, None, True], dtype=object), [2]),
        (pd.Series([9, pd.NaT, dt.date(2025, 1, 9)], dtype=object), [2]),
    ],
)
def test_a_typed_column_quarantines_what_is_no_whole_number(column, unreadable):
    values, rows = read(parse_score, column)
    assert values == [9, None, None]
    assert rows == unreadable


def test_yes_and_no_are_no_scores():
    assert read(parse_score, pd.Series([True, False])) == ([None, None], [0, 1])


@given(st.lists(st.one_of(st.text(max_size=12), st.integers(-20, 20).map(str), st.none()), min_size=1))
def test_a_cell_is_read_or_missing_or_unreadable_and_never_both(cells):
    column = pd.Series(cells, dtype="str")
    before = column.copy()
    parsed = parse_score(column)
    assert not (parsed.values.notna() & parsed.unreadable).any()
    pd.testing.assert_series_equal(column, before)
    for cell, value in zip(cells, parsed.values, strict=True):
        if pd.notna(value):
            assert str(abs(value)) in str(cell)  # the number is one that stands in the cell


# Amounts and weights


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.5", 1.5), ("2,5", 2.5), ("-2,50", -2.5), ("0,125", 0.125), ("3", 3.0), ("1e3", 1000.0), ("n/a", None)],
)
def test_a_number_is_read(cell, number):
    assert read(parse_number, cell) == ([number], [])


@pytest.mark.parametrize(
    "cell",
    [
        "inf",
        "-Infinity",
        "x",
        "1_000",
        "5 apples",
        "R$ 5",
        "-€-5",
        "1.23.456",
        "1,23,456.5",
        "12 34",
        "ann@example.com",
    ],
)
def test_a_number_that_no_rule_covers_is_unreadable(cell):
    assert read(parse_number, cell) == ([None], [0])


@pytest.mark.parametrize("cell", ["1,234", "12,500", "-1,000"])
def test_a_comma_that_may_be_decimal_or_thousands_is_not_guessed(cell):
    assert read(parse_number, cell) == ([None], [0])


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.234,56 €", "80,00 €", "1.000 €"], [1234.56, 80.0, 1000.0]),
        (["$1,755.82", "2.50", "$3,000"], [1755.82, 2.5, 3000.0]),
        (["1.275,01", "80", "-2.000,5"], [1275.01, 80.0, -2000.5]),
        (["12.345.678", "1.000"], [12345678.0, 1000.0]),
        (["1 000", "1\N{NO-BREAK SPACE}234,5", "1'234.50"], [1000.0, 1234.5, 1234.5]),
        (["5 €", "€ -6", "-€7", "-8 €", "9 lei", "20,10 грн"], [5.0, -6.0, -7.0, -8.0, 9.0, 20.1]),
        (["1.234,56", "1,234.56"], [None, None]),  # one of them is wrong
        (["1.234,56", "2.5"], [None, 2.5]),  # a point that sets no thousands apart
        (["1.234", "2.5"], [1.234, 2.5]),
    ],
)
def test_what_sets_thousands_apart_the_column_tells(cells, numbers):
    found = parse_number(pd.Series(cells)).values
    assert found.astype(object).where(found.notna(), None).tolist() == numbers


def test_signs_and_currencies_left_out_are_counted():
    rules = parse_number(pd.Series(["1.234,56 €", "80,00", "7"])).rules
    assert rules == {
        "a decimal comma read as a decimal point": 2,
        "a sign between thousands left out": 1,
        "a currency left out": 1,
    }


def test_decimal_commas_are_counted():
    assert parse_number(pd.Series(["1,5", "2.5", "3"])).rules == {"a decimal comma read as a decimal point": 1}


def test_typed_numbers():
    assert read(parse_number, pd.Series([1.5, np.nan, np.inf]))[1] == [2]
    assert read(parse_number, pd.Series([1, None], dtype="Int64")) == ([1.0, None], [])
    assert read(parse_number, pd.Series([True, False])) == ([None, None], [0, 1])


# Yes and no


@pytest.mark.parametrize(
    ("cells", "flag"),
    [
        (["1", "1.0", "true", "TRUE", "t", "Yes", "yes.", "Y", "ja", "oui", "da", "да", "так", " yes "], True),
        (["0", "0.0", "false", "False", "f", "No", "no.", "N", "nein", "non", "nu", "нет", "ні"], False),
        (["", "n/a", "NULL", "-"], None),
    ],
)
def test_a_flag_is_read(cells, flag):
    assert read(parse_flag, *cells) == ([flag] * len(cells), [])


@pytest.mark.parametrize("cell", ["2", "-1", "maybe", "yes no", "delivered", "2025-01-01"])
def test_a_flag_that_no_rule_covers_is_unreadable(cell):
    assert read(parse_flag, cell) == ([None], [0])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([True, False, None], dtype=object),
        pd.Series([1, 0, None], dtype="Int64"),
        pd.Series([1.0, 0.0, np.nan]),
        pd.Series(["yes", "no", None], dtype="category"),
        pd.Series([True, False, None], dtype="bool[pyarrow]"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_flags_of_every_type_are_the_same(column):
    assert read(parse_flag, column) == ([True, False, None], [])


# Moments


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2025-12-31", "2025-12-31"),
        ("2025-12-31 23:59", "2025-12-31 23:59"),
        ("2025-12-31T23:59:58", "2025-12-31 23:59:58"),
        ("2025-12-31T23:59:58.250", "2025-12-31 23:59:58.250"),
        ("2025-12-31T23:59:58Z", "2025-12-31 23:59:58"),
        ("2025-12-31T23:00:00+02:00", "2025-12-31 21:00"),
        ("2025-12-31 23:00-0330", "2026-01-01 02:30"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_iso_moments_are_read_and_zones_turned_to_utc(cell, moment):
    assert read(parse_timestamp, cell) == ([pd.Timestamp(moment)], [])


@pytest.mark.parametrize(
    "cell",
    [
        "01/02/2025",
        "2025-02-29",
        "2025-13-01",
        "2025-1",
        "31122025",
        "20251331",
        "45678",
        "1735603200",
        "2025-12-31 25:00",
        "yesterday",
        "2025",
        "ann@example.com",
        "2025-12-31; DROP TABLE",
    ],
)
def test_other_dates_are_unreadable_not_guessed(cell):
    assert read(parse_timestamp, cell) == ([None], [0])


def test_a_stated_date_format_is_the_only_one_read():
    cells = ("31.12.2025 18:30", "n/a", "2025-12-31", "31.12.2025")
    values, rows = read(parse_timestamp, *cells, date_format="%d.%m.%Y %H:%M")
    assert values == [pd.Timestamp("2025-12-31 18:30"), None, None, None]
    assert rows == [2, 3]


def test_zones_are_counted_and_dates_with_a_minus_are_none():
    parsed = parse_timestamp(pd.Series(["2025-12-31T10:00Z", "2025-12-31", "2025-12-31 10:00", "2025-12-31+01:00"]))
    assert parsed.rules == {"a time with a zone turned to UTC": 1}
    assert parsed.unreadable.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_datetime(["2025-12-31 10:00", None])),
        pd.Series(pd.to_datetime(["2025-12-31 10:00", None])).astype("datetime64[s]"),
        pd.Series(pd.to_datetime(["2025-12-31 12:00", None])).dt.tz_localize("Europe/Kyiv"),
        pd.Series([dt.datetime(2025, 12, 31, 10), None], dtype=object),
        pd.Series([pd.Timestamp("2025-12-31 12:00+02:00"), None], dtype=object),
        pd.Series(["2025-12-31 10:00", None], dtype="category"),
        pd.Series([dt.datetime(2025, 12, 31, 10), None], dtype="timestamp[us][pyarrow]"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_moments_of_every_type_are_the_same(column):
    assert read(parse_timestamp, column) == ([pd.Timestamp("2025-12-31 10:00"), None], [])
    assert parse_timestamp(column).values.dtype == "datetime64[us]"


def test_a_date_without_an_hour_is_midnight():
    assert read(parse_timestamp, pd.Series([dt.date(2025, 12, 31)])) == ([pd.Timestamp("2025-12-31")], [])


# Words and ids


@pytest.mark.parametrize("cell", ["<script>alert(1)</script>", r"$\frac{1}{0}$", "a\nb", "\x00", "n/a", "=1+1", "🙂"])
def test_text_stays_as_it_is(cell):
    assert read(parse_text, cell) == ([cell], [])


def test_empty_text_is_missing():
    assert read(parse_text, "", "  ", None) == ([None, None, None], [])


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pd.Series([12.0, np.nan, 7.0]), ["12", None, "7"]),
        (pd.Series([12, None, 7], dtype="Int64"), ["12", None, "7"]),
        (pd.Series([12, 7, 8]), ["12", "7", "8"]),
        (pd.Series(["012", " a ", ""]), ["012", "a", None]),
        (pd.Series(["a", None, "b"], dtype="category"), ["a", None, "b"]),
        (pd.Series([1.5, 2.0, np.nan]), ["1.5", "2.0", None]),
        (pd.Series(["C-1", "x\ny", "<b>"]), ["C-1", "x\ny", "<b>"]),
    ],
)
def test_ids_are_words_and_whole_floats_lose_their_zero(column, ids):
    assert read(parse_id, column) == (ids, [])


def test_an_endless_id_is_no_crash():
    assert read(parse_id, pd.Series([12.0, np.inf]))[0] == ["12.0", "inf"]


# Codes


@pytest.mark.parametrize(
    ("codes", "where"),
    [([0], ["0", "0.0", " 0 "]), (["blank"], ["BLANK"]), ([11, "BLANK"], ["BLANK", "11"]), (["inf"], []), ([], [])],
)
def test_codes_match_numbers_by_value_and_words_without_case(codes, where):
    column = pd.Series(["0", "0.0", " 0 ", "BLANK", "11", "x", None, "10"])
    assert column[has_code(column, codes)].tolist() == where


@pytest.mark.parametrize("code", ["nan", float("nan")])
def test_the_code_nan_is_a_word(code):
    assert has_code(pd.Series(["NaN", "BLANK", "9", None]), [code]).tolist() == [True, False, False, False]


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "category", object])
def test_codes_match_in_typed_columns(dtype):
    column = pd.Series([11, 9, 0], dtype=dtype)
    blanked, count = blank_codes(column, [11])
    assert (count, blanked.isna().tolist()) == (1, [True, False, False])


# Distinct values

_CELL = st.sampled_from(
    ["0", "9", " 9 ", "9,0", "10 - Yes", "7.5", "n/a", "", "yes", "nein", "31/12/2025", "1/2/2025", "12.0", "None"]
) | st.sampled_from(["31.1.2025 5:00 PM", "2025-12-31", "2025-12-31T12:00+01:00", "2,5", "1e400", "x"])


def columns_of(cells, dtype):
    return st.lists(cells, min_size=1, max_size=30).map(lambda drawn: pd.Series(drawn, dtype=dtype))


_COLUMNS = st.one_of(
    columns_of(_CELL | st.none(), "str"),
    columns_of(_CELL | st.sampled_from([1, 1.0, True, None, 0, 12.0]), "object"),
    columns_of(st.integers(0, 11) | st.none(), "Int64"),
)


@share(0.5)
@given(column=_COLUMNS, start=st.integers(0, 3))
def test_each_distinct_value_read_once_is_every_cell_read(column, start):
    column.index = range(start, start + len(column))
    for kind, parse in PARSERS.items():
        every = parse.__wrapped__(column)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(values, "_FEW", 1)
            patch.setattr(values, "_MANY", 1)
            once = parse(column)
            codes = has_code(column, [0, "9", "x", "true"])
        pd.testing.assert_series_equal(once.values, every.values, check_names=False, obj=kind)
        pd.testing.assert_series_equal(once.unreadable, every.unreadable, check_names=False, check_dtype=False)
        assert once.rules == every.rules
        assert (once.ambiguous is None) == (every.ambiguous is None)
        if every.ambiguous is not None:
            assert once.ambiguous.tolist() == every.ambiguous.tolist()
        assert codes.tolist() == values._is_one_of.__wrapped__(column, [0, "9", "x", "true"]).tolist()


def test_most_columns_are_read_by_their_distinct_values(monkeypatch):
    seen = []
    read = values.each_distinct_value(lambda column: seen.append(len(column)) or column == "9")
    column = pd.Series(["9", "3", None] * 1_000)
    assert read(column).tolist() == [True, False, False] * 1_000
    assert seen == [3]
    read(pd.Series([f"r{row}" for row in range(3_000)]))
    assert seen == [3, 3_000]


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)).map(str),
            st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)).flatmap(
                lambda moment: st.sampled_from(["T", " "]).flatmap(
                    lambda between: st.sampled_from(
                        ["hours", "minutes", "seconds", "milliseconds", "microseconds"]
                    ).map(lambda exact: moment.isoformat(between, exact))
                )
            ),
        ),
        min_size=1,
    )
)
def test_a_column_of_iso_moments_alone_is_read_as_beside_others(cells):
    """The quick way, by a cast, is the slow one."""
    alone = moments_of(pd.Series(cells, dtype="str"))
    beside = moments_of(pd.Series([*cells, "5 January 2024", "2024-01-05T10:00Z"], dtype="str"))
    pd.testing.assert_series_equal(alone.values, beside.values.iloc[:-2])
    assert not alone.ambiguous.any()
    assert not any(where.iloc[:-2].any() for where in beside.rules.values())
