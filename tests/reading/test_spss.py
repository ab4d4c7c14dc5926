import datetime as dt

import pandas as pd
import pyreadstat
import pytest

from nps_research.errors import ContractError
from nps_research.reading.sources import read_table
from nps_research.study.draft.draft import draft_study

ANSWERS = pd.DataFrame(
    {
        "ID": ["a", " b ", "", "d"],
        "NPS": [10, 3, 98, 99],
        "REGION": [1, 2, 2, 7],
        "WEIGHT": [0.1, 1 / 3, None, 2],
        "DAY": [dt.date(2025, 12, 31), None, dt.date(2025, 1, 1), dt.date(2025, 1, 2)],
        "WORD": ["x", "REFUSED", "y", "z"],
    }
)
WRITTEN = {
    "missing_ranges": {"NPS": [98, {"lo": 99, "hi": 100}], "WORD": ["REFUSED"]},
    "variable_value_labels": {"REGION": {1: "North", 2: "South"}, "NPS": {98: "Don't know", 10: "Extremely likely"}},
}


@pytest.fixture
def path(tmp_path):
    pyreadstat.write_sav(ANSWERS, tmp_path / "answers.sav", **WRITTEN)
    return tmp_path / "answers.sav"


def test_codes_stay_codes_and_declared_missing_ones_are_missing(path):
    table = read_table(path)
    assert table.frame["NPS"].tolist() == [10, 3, pd.NA, pd.NA]
    assert table.frame["REGION"].tolist() == [1, 2, 2, 7]
    assert {name: str(table.frame[name].dtype) for name in ("NPS", "REGION")} == {"NPS": "Int64", "REGION": "Int64"}
    assert table.frame["WORD"].fillna("-").tolist() == ["x", "-", "y", "z"]
    assert "2 cells of NPS held a code declared user-missing" in table.notes
    assert "1 cell of WORD held a code declared user-missing" in table.notes


def test_numbers_dates_and_words_come_as_they_were(path):
    table = read_table(path)
    assert table.frame["WEIGHT"].tolist()[:2] == [0.1, 1 / 3]
    assert table.frame["DAY"].fillna("-").tolist() == ["2025-12-31", "-", "2025-01-01", "2025-01-02"]
    assert table.frame["ID"].fillna("-").tolist() == ["a", "b", "-", "d"]
    assert (table.line.tolist(), table.header, table.n_rows) == ([1, 2, 3, 4], tuple(ANSWERS), 4)


def test_labels_replace_the_codes_of_the_columns_named(path):
    table = read_table(path, value_labels=["REGION"])
    assert table.frame["REGION"].tolist() == ["North", "South", "South", "7"]
    assert table.frame["NPS"].tolist() == [10, 3, pd.NA, pd.NA]
    assert "1 column with value labels kept as codes; value_labels = [...] gives words: 'NPS'" in table.notes


def test_a_declared_missing_code_is_missing_even_where_it_has_a_label(path):
    assert read_table(path, value_labels=["NPS"]).frame["NPS"].fillna("-").tolist() == [
        "Extremely likely",
        "3",
        "-",
        "-",
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("REGIO", r"^answers\.sav: value_labels: there is no column 'REGIO': did you mean REGION\?$"),
        ("WEIGHT", r"^answers\.sav: value_labels: column 'WEIGHT' has no value labels$"),
    ],
)
def test_labels_that_are_not_there(path, named, said):
    with pytest.raises(ContractError, match=said):
        read_table(path, value_labels=[named])


def test_wanted_columns_only(path):
    assert list(read_table(path, columns=["NPS", "nothing"]).frame) == ["NPS"]


def test_init_says_which_columns_have_labels(path):
    assert "# 2 columns with value labels kept as codes" in draft_study(path).toml


def test_a_compressed_file(tmp_path):
    pyreadstat.write_sav(ANSWERS[["ID", "NPS"]], tmp_path / "answers.zsav", compress=True)
    assert read_table(tmp_path / "answers.zsav").frame["NPS"].tolist() == [10, 3, 98, 99]


@pytest.mark.parametrize(
    "damage", [lambda content: content[:300], lambda _: b"ID,NPS\nSECRET,9\n" * 30, lambda c: c[:-20]]
)
def test_a_damaged_file(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ContractError, match=r"^answers\.sav cannot be read as an SPSS file") as caught:
        read_table(path)
    assert "SECRET" not in str(caught.value)
    assert str(path.parent) not in str(caught.value)


def test_a_file_without_rows(tmp_path):
    pyreadstat.write_sav(ANSWERS[["ID", "NPS"]].iloc[:0], tmp_path / "answers.sav")
    table = read_table(tmp_path / "answers.sav")
    assert (table.n_rows, table.header) == (0, ("ID", "NPS"))
