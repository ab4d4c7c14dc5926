import pandas as pd
import pytest

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
    "cell", ["31.13.2025", "32.01.2025", "31.02.2025", "31.12.25", "31.12/2025", "1.1.2025.", "0.1.2025"]
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
    assert rules == {asked: 1, "is not a date the file's format allows (ISO 8601, or the stated date_format)": 1}
    assert len(study.responses) == 1


def test_what_is_no_date_settles_no_order():
    parsed = read("45.01.2025", "31.31.2025", "01.02.2025")
    assert parsed.values.isna().all()
    assert parsed.ambiguous.tolist() == [False, False, True]
