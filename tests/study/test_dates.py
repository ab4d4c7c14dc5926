from itertools import combinations

import pandas as pd
import pytest

from nps_research.reading.dates import MONTHS
from nps_research.reading.values import parse_timestamp
from nps_research.study.study import Study


def read(*cells, **options):
    return parse_timestamp(pd.Series(cells, dtype="str"), **options)


def days(parsed):
    return parsed.values.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("-").tolist()


DAY_FIRST = "a date read as day, month, year: another in its column has a first number above 12"
MONTH_FIRST = "a date read as month, day, year: another in its column has a second number above 12"


@pytest.mark.parametrize("sign", [".", "/", "-"])
def test_one_number_above_12_settles_the_order_for_its_column(sign):
    day_first = read(*(date.replace(".", sign) for date in ("31.12.2025", "1.2.2025", "03.04.2025")))
    assert days(day_first) == ["2025-12-31 00:00:00", "2025-02-01 00:00:00", "2025-04-03 00:00:00"]
    assert day_first.rules == {DAY_FIRST: 3}
    month_first = read(*(date.replace(".", sign) for date in ("12.31.2025", "1.2.2025", "03.04.2025")))
    assert days(month_first) == ["2025-12-31 00:00:00", "2025-01-02 00:00:00", "2025-03-04 00:00:00"]
    assert month_first.rules == {MONTH_FIRST: 3}
    assert not (day_first.unreadable | month_first.unreadable).any()


def test_without_such_a_number_none_is_read():
    parsed = read("2025-12-31", "01/02/2025", "", "12/12/2025")
    assert parsed.unreadable.tolist() == parsed.ambiguous.tolist() == [False, True, False, True]
    assert days(parsed) == ["2025-12-31 00:00:00", "-", "-", "-"]
    assert parsed.rules == {}


def test_dates_that_contradict_each_other_are_not_read():
    parsed = read("31/12/2025", "12/31/2025", "01/02/2025")
    assert parsed.values.isna().all()
    assert parsed.ambiguous.all()


def test_each_sign_is_settled_by_itself():
    parsed = read("31.12.2025", "01.02.2025", "12/31/2025", "01/02/2025", "01-02-2025")
    assert days(parsed)[:4] == [
        "2025-12-31 00:00:00",
        "2025-02-01 00:00:00",
        "2025-12-31 00:00:00",
        "2025-01-02 00:00:00",
    ]
    assert parsed.ambiguous.tolist() == [False, False, False, False, True]


def test_with_times_as_platforms_write_them():
    parsed = read("10/13/2025 09:05:10 AM", "10/01/2025 12:00:00 PM", "10/01/2025 1:30 pm", "10/02/2025 17:30")
    assert days(parsed) == ["2025-10-13 09:05:10", "2025-10-01 12:00:00", "2025-10-01 13:30:00", "2025-10-02 17:30:00"]
    assert days(read("31.12.2025, 17:30:05")) == ["2025-12-31 17:30:05"]


@pytest.mark.parametrize(
    "cell", ["31.13.2025", "32.01.2025", "31.02.2025", "31.12.225", "31.12/2025", "1.1.2025.", "0.1.2025"]
)
def test_what_is_no_date_is_unreadable_and_not_a_question(cell):
    parsed = read("31.12.2025", cell)
    assert parsed.unreadable.tolist() == [False, True]
    assert not parsed.ambiguous.any()


def test_a_stated_format_settles_all():
    parsed = read("01/02/2025", date_format="%d/%m/%Y")  # day first, though nothing else says so
    assert (days(parsed), parsed.ambiguous) == (["2025-02-01 00:00:00"], None)


def test_a_study_quarantines_them_with_the_question():
    answers = pd.DataFrame({"likelihood_to_recommend": [9, 8, 7], "responded_at": ["01/02/2025", "yesterday", ""]})
    study = Study.from_frames(responses=answers)
    rules = study.violations.set_index("rule")["rows"].to_dict()
    asked = next(rule for rule in rules if "which is it?" in rule)
    assert rules == {asked: 1, "is not a date in a spelling that leaves no doubt; if it is one, state date_format": 1}
    assert len(study.responses) == 1


def test_what_is_no_date_settles_no_order():
    parsed = read("45.01.2025", "31.31.2025", "01.02.2025")
    assert parsed.values.isna().all()
    assert parsed.ambiguous.tolist() == [False, False, True]


# Spellings


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-01-01 09:00:00 UTC", "2024-01-01 09:00:00"),
        ("2024-01-01 09:00:00 +0000", "2024-01-01 09:00:00"),
        ("2024-01-01 09:00:00.500 +02:00", "2024-01-01 07:00:00.5"),
        ("2024-01-01T09:00:00+02", "2024-01-01 07:00:00"),
        ("2024-01-01 09:00 Z", "2024-01-01 09:00:00"),
        ("2024-01-01 09:00:00 EST", "2024-01-01 14:00:00"),
        ("2024-01-01 09:00:00 CEST", "2024-01-01 07:00:00"),
        ("2024/01/05 09:12:33 AM GMT+3", "2024-01-05 06:12:33"),
        ("2024/01/05 12:12:33 AM GMT-5:30", "2024-01-05 05:42:33"),
        ("2024/01/05", "2024-01-05"),
        ("2024/1/5 9:05", "2024-01-05 09:05:00"),
        ("2024.01.05", "2024-01-05"),
        ("20240105", "2024-01-05"),
        ("5 Jan 2024", "2024-01-05"),
        ("05-Jan-2024", "2024-01-05"),
        ("05-JAN-24", "2024-01-05"),
        ("Jan 5, 2024", "2024-01-05"),
        ("January 5th, 2024 at 9:05 p.m.", "2024-01-05 21:05:00"),
        ("Jan 5 2024 12:00 AM", "2024-01-05"),
        ("2024-Jan-05", "2024-01-05"),
        ("Fri, 05 Jan 2024 09:12:33 GMT", "2024-01-05 09:12:33"),
        ("Fri Jan 05 2024 09:12:33 GMT+0300 (Moscow Standard Time)", "2024-01-05 06:12:33"),
        ("Fri Jan  5 09:12:33 2024", "2024-01-05 09:12:33"),
        ("Fri Jan 05 09:12:33 +0000 2024", "2024-01-05 09:12:33"),
        ("Friday, January 5, 2024", "2024-01-05"),
        ("Freitag, 5. Januar 2024, 14:30 Uhr", "2024-01-05 14:30:00"),
        ("Mo., 5. März 2024", "2024-03-05"),
        ("vendredi 5 janvier 2024 à 14h30", "2024-01-05 14:30:00"),
        ("1er août 2024", "2024-08-01"),
        ("viernes, 5 de enero de 2024", "2024-01-05"),
        ("5 de março de 2024", "2024-03-05"),
        ("sexta-feira, 5 de jan. de 2024", "2024-01-05"),
        ("5 gennaio 2024", "2024-01-05"),
        ("5 mrt 2024", "2024-03-05"),
        ("vineri, 5 ianuarie 2024", "2024-01-05"),
        ("5 січня 2024 р.", "2024-01-05"),
        ("пт, 5 січ. 2024", "2024-01-05"),
        ("5 января 2024 г., 9:05", "2024-01-05 09:05:00"),
        ("5 мая 2024", "2024-05-05"),
        ("5 stycznia 2024 r.", "2024-01-05"),
        ("pt., 5 paź 2024", "2024-10-05"),
    ],
)
def test_common_spellings_are_read(cell, moment):
    parsed = read(cell)
    assert parsed.values.tolist() == [pd.Timestamp(moment)]
    assert not parsed.unreadable.any()


@pytest.mark.parametrize(
    "cell",
    [
        "5 Foo 2024",
        "Frix, 5 Jan 2024",
        "5 jui 2024",  # juin or juillet
        "31 Feb 2024",
        "2024-01-05 13:00 PM",
        "2024-01-05 09:60",
        "2024-01-05 09:00 IST",  # of India, Ireland or Israel
        "2024-01-05 09:00 +15:00",
        "2024-01-05 UTC",
        "Jan 2024",
        "2024-W01",
        "9:05",
    ],
)
def test_what_no_spelling_fits_is_unreadable(cell):
    parsed = read(cell, "2024-01-05")
    assert parsed.unreadable.tolist() == [True, False]
    assert not parsed.ambiguous.any()


def test_the_same_in_any_order_and_repeated():
    cells = ["2024-01-01 09:00:00 UTC", "5 Jan 2024", "31.12.2024", "01.02.24", "x", ""]
    parsed = read(*cells, *reversed(cells), None)
    assert days(parsed) == [*days(read(*cells)), *reversed(days(read(*cells))), "-"]
    assert parsed.rules[DAY_FIRST] == 4


def test_a_year_of_two_digits_is_known_by_another_date():
    assert days(read("05.01.24", "28.01.24")) == ["2024-01-05 00:00:00", "2024-01-28 00:00:00"]
    assert days(read("01/05/24", "01/28/24"))[0] == "2024-01-05 00:00:00"
    assert days(read("05.01.24", "13.01.2024"))[0] == "2024-01-05 00:00:00"  # the long year says the order of both
    assert read("05.01.24", "15.01.24").ambiguous.all()  # 2024 or 2005 and 2015
    assert days(read("99-01-05", "98-01-31")) == ["1999-01-05 00:00:00", "1998-01-31 00:00:00"]


def test_no_beginning_of_a_month_means_two():
    assert {MONTHS[word] for word in ("mar", "мар", "mrt")} == {3}
    assert "jui" not in MONTHS
    assert set(MONTHS.values()) == set(range(1, 13))
    for one, other in combinations(("juin", "juillet", "juni", "juli", "listopad", "lipiec", "липень"), 2):
        assert (MONTHS[one] == MONTHS[other]) == (
            {one, other} in ({"juin", "juni"}, {"juillet", "juli"})
            or {one, other} <= {"lipiec", "липень", "juillet", "juli"}
        )


def test_unix_time_only_where_stated():
    parsed = read("1704067200", "1704067200500", "0", "", "soon", "1704067200.25", date_format="unix")
    assert parsed.values.tolist()[:2] == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01 00:00:00.5")]
    assert parsed.values[5] == pd.Timestamp("2024-01-01 00:00:00.25")
    assert parsed.values[2:5].isna().all()
    assert parsed.unreadable.tolist() == [False, False, False, False, True, False]
    assert parsed.rules == {"Unix time read as a moment": 3, "a Unix time of 0 read as missing": 1}
    assert read("1704067200").unreadable.all()


def test_a_time_may_have_dots():
    read = parse_timestamp(pd.Series(["06/01/2025 10.30.05", "31/01/2025 9.05", "31.12.2025", "06.01.25 10.30.05"]))
    assert read.values.astype("str").tolist() == [
        "2025-01-06 10:30:05", "2025-01-31 09:05:00", "2025-12-31 00:00:00", "2025-01-06 10:30:05",
    ]  # fmt: skip
