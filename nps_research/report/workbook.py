"""A report's results as one workbook: what there is on the first sheet, then a sheet a result."""

from __future__ import annotations

from collections.abc import Sequence

from nps_research.report.harvest import HarvestedResult
from nps_research.results.excel import fill_sheet, fill_with_result, saved, sheet_name

WORKBOOK = "results.xlsx"


def workbook_of(results: Sequence[HarvestedResult]) -> bytes:
    """Write results as a workbook of typed and formatted cells: the same bytes for the same results.

    Text never is a formula, whatever it begins with. Rows are those of the CSVs, with their columns' names.
    """
    from openpyxl import Workbook
    from openpyxl.worksheet.hyperlink import Hyperlink

    book = Workbook()
    contents = book.active
    contents.title = "Contents"
    shown = [result for result in results if result.bundle["rows"]]
    names = [
        sheet_name(f"{number} {each.bundle['title'] or each.name}") for number, each in enumerate(shown, 1)
    ]  # each its own
    fill_sheet(
        contents,
        ["sheet", "notebook", "title", "finding"],
        [
            [name, result.notebook, result.bundle["title"], result.bundle["finding"]]
            for name, result in zip(names, shown, strict=True)
        ],
    )
    for row, name in enumerate(names, 2):
        contents.cell(row, 1).hyperlink = Hyperlink(ref=f"A{row}", location=f"'{name}'!A1")
    for name, result in zip(names, shown, strict=True):
        fill_with_result(book.create_sheet(name), result.bundle)
    return saved(book)
