"""Excel workbooks: one sheet, row by row, its cells as a CSV would hold them."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
from openpyxl.utils.cell import range_boundaries

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.header_rows import LONGEST_HEADER, read_header_rows
from nps_research.reading.raw_table import RawTable, Reading, cell_text, counted
from nps_research.reading.records import Record, table_of_records

_OLD_CONTAINER = bytes.fromhex("d0cf11e0a1b11ae1")  # of .xls, and of a workbook with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BYTES_AT_ONCE = 1 << 20
_LONGEST_FORMULA = 1 << 16
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_NO_VALUE = re.compile(
    rb"<(?:\w+:)?c ([^>]*)><(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)


class _Merge(NamedTuple):
    """Cells that are one; columns and rows from 1, both ends included."""

    left: int
    top: int
    right: int
    bottom: int


class _Row(NamedTuple):
    """A row of a sheet, empty cells behind the last filled one cut off."""

    number: int
    cells: list[str]


def read_workbook(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """Read one sheet of a workbook: the stated one, or the first that is not hidden.

    A formula counts as the value stored with it. Cells merged in the first rows make a header of
    several rows; one merged over the whole width is a title, and left out. Error values such as
    ``#DIV/0!`` stay as they are, so that the contract can refuse them.
    """
    _check_container(path)
    with _cell_in_words(path):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheet, notes = _choose_sheet(book, path, reading.sheet)
        what = f"{path.name}, sheet {sheet.title!r}"
        with _cell_in_words(path):
            merges = _look_through(path, sheet, what)
        rows = _sheet_rows(sheet, path)
        head = [row for row in (next(rows, None) for _ in range(LONGEST_HEADER + 1)) if row is not None]
        head, header_rows, merge_notes = _header(head, merges, reading.header_rows)
        width = _header_width(head, header_rows)
        return table_of_records(
            (Record(row.number, _padded(row.cells, width)) for row in chain(head, rows)),
            path,
            columns,
            what=what,
            header_rows=header_rows,
            read_with={"sheet": sheet.title},
            notes=(*reading.unused("a workbook", "sheet", "header_rows"), *notes, *merge_notes),
        )
    finally:
        book.close()


def _check_container(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(8) != _OLD_CONTAINER:
            return
        encrypted = _ENCRYPTED in file.read()
    if encrypted:
        raise ContractError(f"{path.name} is protected by a password: save a copy without one")
    raise ContractError(f"{path.name} is a workbook of the old .xls format: save it as .xlsx")


@contextmanager
def _cell_in_words(path: Path) -> Iterator[None]:
    """Whatever goes wrong in reading a damaged workbook, in one sentence; its parser raises errors of all kinds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions, which are not read
            yield
    except ContractError:
        raise
    except Exception:
        raise ContractError(f"{path.name} cannot be read as a workbook: it is damaged, or another format") from None


def _choose_sheet(book: Any, path: Path, stated: str | None) -> tuple[Any, tuple[str, ...]]:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if stated is not None:
        if stated not in sheets:
            raise ContractError(f"{path.name}: there is no sheet {stated!r}{did_you_mean(stated, list(sheets))}")
        return sheets[stated], ()
    shown = [sheet for sheet in sheets.values() if sheet.sheet_state == "visible"] or list(sheets.values())
    if not shown:
        raise ContractError(f"{path.name} has no sheet with cells")
    others = [repr(title) for title in sheets if title != shown[0].title]
    which = f"the first; there are also {', '.join(others)}" if others else "the only one"
    return shown[0], (f"sheet {shown[0].title!r}, {which}",)


def _look_through(path: Path, sheet: Any, what: str) -> list[_Merge]:
    """Merged cells, which the row-by-row reader does not give; formulas without a stored value are refused."""
    merges: set[bytes] = set()
    no_value: dict[bytes, bytes] = {}
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as file:
        held = b""
        while block := file.read(_BYTES_AT_ONCE):
            held = held[-_LONGEST_FORMULA:] + block
            merges.update(_MERGE.findall(held))
            for attributes in _NO_VALUE.findall(held):
                cell = re.search(rb'\br="[A-Z]+(\d+)"', attributes)
                if cell and b't="str"' not in attributes:  # a formula may well give empty text
                    no_value[cell.group()] = cell.group(1)
    if no_value:
        raise ContractError(
            f"{what}: {counted(len(no_value), 'formula')} without a stored value, the first in row "
            f"{min(map(int, no_value.values()))}: open the file in a spreadsheet program and save it"
        )
    return [_Merge(*range_boundaries(cells.decode())) for cells in merges]


def _sheet_rows(sheet: Any, path: Path) -> Iterator[_Row]:
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    values = sheet.iter_rows(values_only=True)
    number = 0
    while True:
        with _cell_in_words(path):
            row = next(values, None)
        if row is None:
            return
        number += 1
        cells = [(cell_text(value) or "").strip() for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield _Row(number, cells)


def _padded(cells: list[str], width: int) -> list[str]:
    """A row as wide as the header; a blank row stays one."""
    return cells + [""] * (width - len(cells)) if cells else []


def _header_width(head: list[_Row], header_rows: int | None) -> int:
    """Columns up to the last one that some row of the header names."""
    widest = max((len(row.cells) for row in head), default=0)
    if header_rows is None and head:
        header_rows = read_header_rows([_padded(row.cells, widest) for row in head if row.cells]).n_rows
    return max((len(row.cells) for row in head[:header_rows]), default=0)


def _header(
    head: list[_Row], merges: list[_Merge], stated: int | None
) -> tuple[list[_Row], int | None, tuple[str, ...]]:
    """The first rows without a title, merged names spread out; how many rows the header has, None where one."""
    notes: list[str] = []
    head = _from_first_filled(head)
    below_first = _from_first_filled(head[1:])
    if below_first and _is_title(head[0], below_first[0], merges):
        notes.append(f"row {head[0].number}, merged over the whole width, taken for a title and left out")
        head = below_first
    if not head:
        return head, None, ()
    top = head[0].number
    n_rows = stated or _header_rows_by_merges(head, merges)
    within = [merge for merge in merges if top <= merge.top < top + n_rows]
    below = sum(merge.top >= top + n_rows for merge in merges)
    if below:
        notes.append(f"{counted(below, 'merged cell')} below the header: the value stands in the first row of each")
    if n_rows == 1:
        return head, stated, tuple(notes)
    if stated is None:
        notes.append(f"names joined from {n_rows} header rows, detected by their merged cells")
    return _spread_merged(head, within, n_rows), n_rows, tuple(notes)


def _from_first_filled(rows: list[_Row]) -> list[_Row]:
    return rows[next((position for position, row in enumerate(rows) if row.cells), len(rows)) :]


def _is_title(first: _Row, second: _Row, merges: list[_Merge]) -> bool:
    """One cell merged over all the columns that the next row fills."""
    filled = [position for position, cell in enumerate(second.cells, start=1) if cell]
    return len(filled) > 1 and any(
        merge.top == first.number and merge.left <= filled[0] and merge.right >= filled[-1] for merge in merges
    )


def _header_rows_by_merges(head: list[_Row], merges: list[_Merge]) -> int:
    """Rows down to the lowest cell merged with the header's first row, or below one merged over several columns."""
    top, n_rows = head[0].number, 1
    for merge in sorted(merges, key=lambda merge: merge.top):
        if not top <= merge.top < top + n_rows:
            continue
        n_rows = max(n_rows, merge.bottom - top + 1)
        below = head[merge.bottom - top + 1].cells if merge.bottom - top + 1 < len(head) else []
        names = below[merge.left - 1 : merge.right]
        if merge.right > merge.left and len(names) > merge.right - merge.left and not any(map(_is_number, names)):
            n_rows = max(n_rows, merge.bottom - top + 2)
    return min(n_rows, LONGEST_HEADER)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).lstrip("-").isdigit()


def _spread_merged(head: list[_Row], merges: list[_Merge], n_rows: int) -> list[_Row]:
    """Merged names repeated over their columns; a name that stands alone in a lower row moves up."""
    width = max(len(row.cells) for row in head[:n_rows])
    rows = [_padded(row.cells, width) or [""] * width for row in head[:n_rows]]
    for merge in merges:
        row = rows[merge.top - head[0].number]
        row[merge.left - 1 : merge.right] = [row[merge.left - 1]] * (min(merge.right, width) - merge.left + 1)
    for upper, lower in pairwise(rows):
        for column in range(width if merges else 0):
            if not upper[column]:
                upper[column], lower[column] = lower[column], ""
    return [_Row(row.number, cells) for row, cells in zip(head, rows, strict=False)] + head[n_rows:]
