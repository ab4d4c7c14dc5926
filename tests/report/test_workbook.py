"""All results of a report as one workbook."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from openpyxl import load_workbook

from nps_research.report.harvest import HarvestedResult
from nps_research.report.workbook import workbook_of

ROWS = [["=1+1", 20, 0.125, -5.25], ["@SUM(A1)", 30, None, 3.5], ["UK\x1b[2J", 40, 0.5, None]]


def result(title: str = "NPS: by [Region]?", **said: Any) -> HarvestedResult:
    bundle = {
        "kind": "made_up",
        "title": title,
        "finding": "=HYPERLINK('x')",
        "details": "",
        "note": "A note.",
        "columns": ["group", "n", "response_rate", "change"],
        "rows": ROWS,
    }
    return HarvestedResult(notebook="01_score", position=1, name="nps", headline=True, bundle=bundle | said)


def opened(results: list[HarvestedResult]) -> Any:
    return load_workbook(io.BytesIO(workbook_of(results)))


def test_each_result_has_a_sheet_with_its_rows_and_the_first_lists_them() -> None:
    book = opened([result(), result("x" * 60), result("Nothing to show", rows=[])])
    assert book.sheetnames == ["Contents", "1 NPS  by  Region", f"2 {'x' * 29}"]
    assert [row[2] for row in book["Contents"].iter_rows(min_row=2, values_only=True)] == [
        "NPS: by [Region]?",
        "x" * 60,
    ]
    assert book["Contents"]["A2"].hyperlink.location == "'1 NPS  by  Region'!A1"
    rows = list(book.worksheets[1].iter_rows(values_only=True))
    assert [row[0] for row in rows[:3]] == ["NPS: by [Region]?", "=HYPERLINK('x')", "A note."]
    assert rows[4] == ("group", "n", "response_rate", "change")
    assert rows[5:] == [("=1+1", 20, 0.125, -5.25), ("@SUM(A1)", 30, None, 3.5), ("UK\\x1b[2J", 40, 0.5, None)]


def test_text_is_no_formula_and_numbers_have_the_format_of_their_column() -> None:
    sheet = opened([result()]).worksheets[1]
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s", "n"}
    assert [sheet.cell(6, column).number_format for column in (2, 3)] == ["#,##0", "0.0%"]
    assert sheet.cell(6, 4).number_format.startswith("+0.0;")


def test_the_workbook_does_not_know_when_it_was_made() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook_of([result()]))) as book:
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb">(\d{4})-", book.read("docProps/core.xml"))) == {b"1980"}


@pytest.mark.parametrize("title", ["Contents", "", "'", "a/b\\c*?:[]"])
def test_sheets_have_names_that_spreadsheets_take(title: str) -> None:
    names = opened([result(title), result(title)]).sheetnames
    assert len(set(names)) == 3
    assert not any(set(name) & set("[]:*?/\\'") for name in names)
