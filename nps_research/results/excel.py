"""Results as worksheets: typed and formatted cells, of which no text is a formula."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nps_research.errors import visible
from nps_research.results.tables import COLUMNS

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

FORMATS: Mapping[str, str] = {
    "points": "+0.0;\N{MINUS SIGN}0.0;0.0",
    "share": "0.0%",
    "share_points": "+0.0%;\N{MINUS SIGN}0.0%;0.0%",
    "count": "#,##0",
    "p": "0.000",
    "width": "0.0",
    "number": "0.00",
}
_LONGEST_NAME = 31  # of a sheet
_WIDEST = 48  # of a column, letters
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_WHEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_ZERO_HOUR = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


def result_workbook(bundle: Mapping[str, Any]) -> bytes:
    """Write one result as a workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = sheet_name(bundle["title"] or bundle["kind"])
    fill_with_result(book.active, bundle)
    return saved(book)


def sheet_name(text: str) -> str:
    """A name that spreadsheets take for a sheet, whatever the text is."""
    return _NOT_IN_NAMES.sub(" ", visible(text))[:_LONGEST_NAME].strip() or "Result"


def fill_with_result(sheet: Worksheet, bundle: Mapping[str, Any]) -> None:
    """Write a result as `Result.to_json` gives it: its words, then its rows under their columns' names."""
    above = [bundle["title"], bundle["finding"], bundle["details"], bundle["note"]]
    fill_sheet(sheet, bundle["columns"], bundle["rows"], above=[text for text in above if text])


def fill_sheet(
    sheet: Worksheet, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, above: Sequence[str] = ()
) -> None:
    """Write words, headings and rows; numbers in the format that the column's name has everywhere."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for row, text in enumerate(above, 1):
        _write(sheet, row, 1, text).font = Font(bold=row == 1)
    head = len(above) + (2 if above else 1)
    for place, column in enumerate(columns, 1):
        _write(sheet, head, place, str(column)).font = Font(bold=True)
        style = "" if column == "estimate" else COLUMNS.get(str(column), ("", ""))[1]  # of many kinds
        for row, values in enumerate(rows, head + 1):
            cell = _write(sheet, row, place, values[place - 1])
            if isinstance(values[place - 1], float):
                cell.number_format = FORMATS.get(style, "0.00##")
            elif style == "count":
                cell.number_format = FORMATS[style]
        texts = [values[place - 1] for values in rows if isinstance(values[place - 1], str)]
        longest = max(map(len, [str(column), *texts]))
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, 10), _WIDEST)
    sheet.freeze_panes = sheet.cell(head + 1, 1)


def _write(sheet: Worksheet, row: int, column: int, value: Any) -> Any:
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = visible(value)
        cell.data_type = "s"  # else "=1+1" were a formula
    else:
        cell.value = value
    return cell


def saved(book: Workbook) -> bytes:
    """A workbook's bytes, without the time at which it was made."""
    buffer, kept_in = io.BytesIO(), io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(kept_in, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            content = _WHEN.sub(rb"\g<1>1980-01-01T00:00:00Z", made.read(name))
            entry = zipfile.ZipInfo(name, _ZERO_HOUR)
            entry.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(entry, content)
    return kept_in.getvalue()
