import datetime as dt
import io
import re
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from nps_research.errors import ContractError
from nps_research.reading import workbook as reader
from nps_research.reading.raw_table import cell_text
from nps_research.reading.sources import read_table


def workbook(folder, *sheets, merged=(), name="answers.xlsx"):
    """A workbook of (title, rows); cells are merged in the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    book.save(folder / name)
    return folder / name


def read(folder, *rows, merged=(), **options):
    return read_table(workbook(folder, ("Answers", rows), merged=merged), **options)


def cells(table):
    return table.frame.fillna("").to_numpy().tolist()


# Cells


def test_cells_read_as_a_csv_would_hold_them(tmp_path):
    moment, day = dt.datetime(2025, 12, 31, 9, 30), dt.date(2025, 12, 31)
    header = ["text", "whole", "whole as float", "decimal", "day", "moment", "yes", "blank", "number in text"]
    table = read(tmp_path, header, ["  Ünïcode\n", 17, 9.0, 0.1, day, moment, True, None, "007"])
    assert cells(table) == [["Ünïcode", "17", "9", "0.1", "2025-12-31", "2025-12-31T09:30:00", "true", "", "007"]]
    assert {str(dtype) for dtype in table.frame.dtypes} == {"str"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0**60, repr(2.0**60)),
        (0.1 + 0.2, "0.30000000000000004"),
        (-3.0, "-3"),
        (dt.time(9, 5), "09:05:00"),
        (b"x", "x"),
    ],
)
def test_numbers_and_times_lose_nothing_as_text(value, text):
    assert cell_text(value) == text


def test_error_values_stay_text_for_the_contract_to_refuse(tmp_path):
    assert cells(read(tmp_path, ["id", "nps"], ["a", "#DIV/0!"], ["b", "#REF!"])) == [["a", "#DIV/0!"], ["b", "#REF!"]]


def rewritten(path, part, change):
    """The workbook with one of its parts changed, as another program would have written it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_formula_counts_as_its_stored_value(tmp_path):
    path = workbook(tmp_path, ("A", [["id", "nps", "why"], ["a", "=4+5", '=IF(TRUE,"","x")']]))
    rewritten(
        path,
        SHEET,
        lambda xml: re.sub(rb"(<f>4\+5</f>)<v ?/>", rb"\1<v>9</v>", xml).replace(b'r="C2"', b'r="C2" t="str"'),
    )
    assert cells(read_table(path)) == [["a", "9", ""]]


def test_a_formula_without_a_stored_value_is_refused(tmp_path):
    path = workbook(tmp_path, ("A", [["id", "nps"], ["a", 9], ["b", "=4+5"], ["c", "=SUM(B2:B3)"]]))
    with pytest.raises(ContractError, match=r"answers\.xlsx, sheet 'A': 2 formulas without a stored value, .* row 3:"):
        read_table(path)


# Rows


def test_lines_are_rows_of_the_sheet(tmp_path):
    table = read(tmp_path, [], ["id", "nps"], ["a", 9], [], ["b", 3], ["", ""])
    assert table.line.tolist() == [3, 5]
    assert "2 blank lines skipped" in table.notes
    assert cells(table) == [["a", "9"], ["b", "3"]]


def test_short_rows_are_filled_and_cells_beyond_the_header_rejected(tmp_path):
    table = read(tmp_path, ["id", "nps", "why"], ["a"], ["b", 3, "dear", "stray"], ["c", 4, None])
    assert cells(table) == [["a", "", ""], ["c", "4", ""]]
    assert table.rejected.to_dict("records") == [{"line": 3, "reason": "has 4 fields where the header has 3"}]
    assert table.n_rows == 3


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path):
    path = workbook(tmp_path, ("A", [["id", "nps"], ["a", 9], ["b", 3]]))
    rewritten(path, SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:A1"', xml))
    assert cells(read_table(path)) == [["a", "9"], ["b", "3"]]


def test_wanted_columns_only(tmp_path):
    table = read(tmp_path, ["id", "nps", "id"], ["a", 9, "z"], columns=["nps", "id"])
    assert cells(table) == [["a", "9"]]
    assert (table.header, table.duplicate_columns) == (("id", "nps"), ("id",))


# Sheets


def test_the_only_sheet_is_taken_and_said(tmp_path):
    table = read(tmp_path, ["nps"], [9])
    assert table.notes == ("sheet 'Answers', the only one",)
    assert table.read_with == {"sheet": "Answers"}


def test_the_first_sheet_shown_is_taken_and_the_others_named(tmp_path):
    path = workbook(tmp_path, ("Hidden", [["x"], [1]]), ("2024", [["nps"], [9]]), ("2025", [["nps"], [8]]))
    book = openpyxl.load_workbook(path)
    book["Hidden"].sheet_state = "hidden"
    book.save(path)
    table = read_table(path)
    assert cells(table) == [["9"]]
    assert table.notes == ("sheet '2024', the first; there are also 'Hidden', '2025'",)


def test_the_stated_sheet_is_read_without_a_note(tmp_path):
    path = workbook(tmp_path, ("2024", [["nps"], [9]]), ("2025", [["nps"], [8]]))
    table = read_table(path, sheet="2025")
    assert (cells(table), table.notes) == ([["8"]], ())


def test_a_sheet_that_is_not_there(tmp_path):
    path = workbook(tmp_path, ("Responses", [["nps"], [9]]))
    with pytest.raises(ContractError, match=r"^answers\.xlsx: there is no sheet 'Response': did you mean Responses\?$"):
        read_table(path, sheet="Response")


@pytest.mark.parametrize("rows", [[], [[], ["", None]]])
def test_an_empty_sheet(tmp_path, rows):
    with pytest.raises(ContractError, match=r"answers\.xlsx, sheet 'Answers' is empty"):
        read(tmp_path, *rows)


# Header rows

MERGED = [
    ["ID", "What do you use?", None, None, "Rating", None, "Region"],
    [None, "Phone", "Chat", "Shop", "Price", "Speed", None],
    ["a", "x", None, "x", 4, 5, "North"],
]


def test_merged_cells_make_a_header_of_two_rows(tmp_path):
    merges = ["B1:D1", "E1:F1", "A1:A2", "G1:G2"]
    table = read(tmp_path, *MERGED, merged=merges)
    assert table.header == (
        "ID", "What do you use?: Phone", "What do you use?: Chat", "What do you use?: Shop",
        "Rating: Price", "Rating: Speed", "Region",
    )  # fmt: skip
    assert cells(table) == [["a", "x", "", "x", "4", "5", "North"]]
    assert table.line.tolist() == [3]
    assert "names joined from 2 header rows, detected by their merged cells" in table.notes
    assert table.read_with == {"sheet": "Answers", "header_rows": 2}


def test_a_name_beside_a_merged_one_does_not_get_its_question(tmp_path):
    rows = [["ID", "Rating", None, None], [None, "Price", "Speed", "Region"], ["a", 4, 5, "N"]]
    table = read(tmp_path, *rows, merged=["B1:C1"])
    assert table.header == ("ID", "Rating: Price", "Rating: Speed", "Region")


def test_two_header_rows_without_merged_cells_are_stated(tmp_path):
    assert read(tmp_path, *MERGED).header == ("ID", "What do you use?", "Rating", "Region")
    table = read(tmp_path, *MERGED, header_rows=2)
    assert table.header[1:5] == (
        "What do you use?: Phone", "What do you use?: Chat", "What do you use?: Shop", "Rating: Price"
    )  # fmt: skip
    assert cells(table)[0][:2] == ["a", "x"]


def test_a_stated_number_of_header_rows_wins_over_merged_cells(tmp_path):
    table = read(tmp_path, ["ID", "Wide", None], ["a", "text", "more"], merged=["B1:C1"], header_rows=1)
    assert table.header == ("ID", "Wide")
    assert table.rejected["line"].tolist() == [2]


def test_a_merged_name_over_numbers_is_no_second_header_row(tmp_path):
    table = read(tmp_path, ["ID", "Price", None], ["a", 4, 5], merged=["B1:C1"])
    assert table.header == ("ID", "Price")
    assert table.rejected["line"].tolist() == [2]


def test_a_title_over_the_whole_width_is_left_out(tmp_path):
    table = read(tmp_path, ["Survey 2025"], [], ["ID", "NPS"], ["a", 9], merged=["A1:B1"])
    assert table.header == ("ID", "NPS")
    assert (cells(table), table.line.tolist()) == ([["a", "9"]], [4])
    assert "row 1, merged over the whole width, taken for a title and left out" in table.notes


def test_merged_cells_below_the_header_are_said(tmp_path):
    table = read(tmp_path, ["account", "nps"], ["A1", 9], [None, 3], merged=["A2:A3"])
    assert cells(table) == [["A1", "9"], ["", "3"]]
    assert "1 merged cell below the header: the value stands in the first row of each" in table.notes


# Files that are none


def test_a_workbook_with_a_password(tmp_path):
    path = tmp_path / "answers.xlsx"
    start = bytes.fromhex("d0cf11e0a1b11ae1")
    path.write_bytes(start + b"\0" * 504 + "Root Entry".encode("utf-16-le") + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(ContractError, match=r"^answers\.xlsx is protected by a password"):
        read_table(path)
    path.write_bytes(start + b"\0" * 504 + "Workbook".encode("utf-16-le"))
    with pytest.raises(ContractError, match=r"old \.xls format: save it as \.xlsx$"):
        read_table(path)


def cut(content):
    return content[: len(content) // 2]


def not_a_workbook(_content):
    with io.BytesIO() as held:
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("hello.txt", "SECRET")
        return held.getvalue()


@pytest.mark.parametrize(
    "damage", [cut, not_a_workbook, lambda _: b"id,nps\nSECRET,9\n", lambda content: content[:-60]]
)
def test_a_damaged_workbook(tmp_path, damage):
    path = workbook(tmp_path, ("A", [["id", "nps"], ["SECRET", 9]]))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ContractError, match=r"^answers\.xlsx cannot be read as a workbook") as caught:
        read_table(path)
    assert "SECRET" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.__cause__ is None
    assert not isinstance(caught.value, InvalidFileException)


def test_a_sheet_damaged_far_down(tmp_path):
    path = workbook(tmp_path, ("A", [["id", "nps"], *[[f"r{row}", 9] for row in range(500)]]))
    rewritten(path, SHEET, lambda xml: xml.replace(b'r="A400"', b'r="A400" <'))
    with pytest.raises(ContractError, match=r"^answers\.xlsx cannot be read as a workbook"):
        read_table(path)


def test_what_is_stated_for_other_formats_is_said(tmp_path):
    table = read(tmp_path, ["nps"], [9], encoding="utf-8", query="select 1")
    assert "encoding and query stated but not used: a workbook has none" in table.notes


# Two readers

_MOMENTS = st.datetimes(min_value=dt.datetime(1899, 12, 1), max_value=dt.datetime(2200, 1, 1))
_MESSY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**55), 2**55),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-99, 99).map(lambda number: number / 10),
    _MOMENTS,
    _MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2200, 1, 1)),
    st.times(),
    st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(400)),
    st.sampled_from(
        ["", " ", "9", " padded\n", "two\nlines", "#DIV/0!", "#N/A", "_x000D_", "<&>\"'", "=1", "\u200bx", "007"]
    ),
    st.text(max_size=5).map(lambda text: ILLEGAL_CHARACTERS_RE.sub("", text)),
)


def both_read(path):
    """What the quick reader and openpyxl say of a workbook."""
    told = []
    for quick in (reader._quick_rows, lambda *_: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "_quick_rows", quick)
            try:
                table = read_table(path)
            except ContractError as error:
                told.append(str(error))
                continue
            told.append((cells(table), table.line.tolist(), table.rejected.to_dict("list"), table.notes, table.header))
    return told


@given(
    rows=st.lists(st.lists(_MESSY, max_size=4), min_size=1, max_size=8),
    merged=st.sampled_from([(), ("A1:B1",), ("A2:A3",)]),
)
@example(rows=[["a", "b"], [dt.datetime(2024, 1, 5, 9, 12, 33, 999_600), dt.time(23, 59, 59, 999_999)]], merged=())
@example(rows=[[], ["a"], [], [""], [None, 5]], merged=())
def test_calamine_and_openpyxl_give_the_same(rows, merged):
    rows = [[None if isinstance(cell, str) and cell.startswith("=") else cell for cell in row] for row in rows]
    with tempfile.TemporaryDirectory() as place:
        try:
            path = workbook(Path(place), ("A", rows), merged=merged)
        except (ValueError, OverflowError):  # no value of a workbook
            assume(False)
        quick, slow = both_read(path)
        assert quick == slow


def test_a_plain_sheet_is_read_by_calamine_and_one_with_errors_is_not(tmp_path, monkeypatch):
    slowly = []
    every_row = reader._every_row
    monkeypatch.setattr(reader, "_every_row", lambda *given: slowly.append(given) or every_row(*given))
    assert cells(read(tmp_path, ["id", "nps"], ["a", 9])) == [["a", "9"]]
    assert not slowly
    assert cells(read(tmp_path, ["id", "nps"], ["a", "#DIV/0!"])) == [["a", "#DIV/0!"]]
    assert slowly


def test_titles_above_the_header_are_skipped_and_said(tmp_path):
    titles = [["NPS report, third quarter"], ["Exported on 2025-10-01"], []]
    table = read(tmp_path, *titles, ["ID", "NPS", "Region"], *[[f"r{row}", 9, "N"] for row in range(8)])
    assert table.header == ("ID", "NPS", "Region")
    assert table.line.tolist() == [*range(5, 13)]
    assert "2 rows above the header skipped: the names of columns stand in row 4" in table.notes


def test_a_name_merged_over_ratings_is_no_title(tmp_path):
    rows = [[None, "Experience", None, None], ["ID", "Price", "Speed", "Staff"], ["a", 4, 5, 3], ["b", 4, 5, 3]]
    table = read(tmp_path, *rows, merged=["B1:D1"])
    assert table.header == ("ID", "Experience: Price", "Experience: Speed", "Experience: Staff")


def test_behind_a_cover_the_largest_table_is_taken(tmp_path):
    answers = [["ID", "NPS"], *[[f"r{row}", 9] for row in range(60)]]
    cover = ("Summary", [["Report"], ["NPS", 42]])
    table = read_table(workbook(tmp_path, cover, ("Codes", [["a", "b"]] * 30), ("Responses", answers)))
    assert (len(table.frame), table.read_with) == (60, {"sheet": "Responses"})
    said = "sheet 'Responses', the largest table, as the first sheet, 'Summary', holds none"
    assert table.notes == (f"{said}; the other sheets: 'Summary', 'Codes'",)
    few = read_table(workbook(tmp_path, ("A", [["ID", "NPS"], *[["a", 9]] * 15]), ("B", answers)))
    assert few.read_with == {"sheet": "A"}
