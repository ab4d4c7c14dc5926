"""Excel workbooks: one sheet, row by row, its cells as a CSV would hold them."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, count, islice, pairwise, repeat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

import openpyxl
import python_calamine
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.cell import range_boundaries

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.containers import OLD_CONTAINER, check_workbook_size
from nps_research.reading.header_rows import LONGEST_HEADER, count_title_rows, read_header_rows
from nps_research.reading.raw_table import RawTable, Reading, cell_text, counted
from nps_research.reading.records import LOOKED_AT, Record, table_of_records

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ROWS_AT_ONCE = 1 << 20
_LONGEST_FORMULA = 1 << 16
_NOT_PLAIN = (b't="e"', b"='", b't="d"')  # errors; attributes written another way; dates as text
_FORMULA_CELL = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d+)"')
_EXACT = 2.0**53
_ROWS_OF_A_TABLE = 20
_MORE_ROWS = 5  # times as many as on a cover
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


class _Sheet(NamedTuple):
    """A sheet of cells, where it lies in the archive, and whether it is shown."""

    title: str
    part: str
    is_shown: bool


class _NotAlikeError(Exception):
    """A cell that calamine may read differently from openpyxl."""


def read_workbook(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """One sheet of a workbook: the stated one, or the first that is not hidden, or the one with the table.

    A formula counts as the value stored with it. Cells merged in the first rows make a header of
    several rows; one merged over the whole width is a title, and left out. Error values such as
    ``#DIV/0!`` stay as they are, so that the contract can refuse them.

    Calamine reads the cells, which is many times faster; openpyxl where it would give others: it leaves error
    values empty.
    """
    _check_container(path)
    with _cell_in_words(path):
        check_workbook_size(path)
        sheets = _sheets(path)
    sheet, notes = _choose_sheet(sheets, path, reading.sheet)
    what = f"{path.name}, sheet {sheet.title!r}"
    with _cell_in_words(path):
        merges, last = _look_through(path, sheet, what)
        rows = (_quick_rows(path, sheet, last) if last else None) or _every_row(path, sheet)
    head = [_Row(number, _trimmed_row(cells)) for number, cells in islice(rows, LOOKED_AT)]
    head, header_rows, merge_notes = _header(head, merges, reading.header_rows)
    width = _header_width(head, header_rows)
    first = (Record(row.number, _padded(row.cells, width)) for row in head)
    return table_of_records(
        chain(first, (Record(number, _fitted(cells, width)) for number, cells in rows)),
        path,
        columns,
        what=what,
        header_rows=header_rows,
        read_with={"sheet": sheet.title},
        notes=(*reading.unused("a workbook", "sheet", "header_rows"), *notes, *merge_notes),
    )


def _check_container(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(8) != OLD_CONTAINER:
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


def _sheets(path: Path) -> list[_Sheet]:
    """What a workbook says of its sheets, without their cells."""
    with path.open("rb") as file:  # by its name, openpyxl would refuse one that is not named as a workbook
        reader = ExcelReader(file, read_only=True)
        reader.read_manifest()
        reader.read_workbook()
        return [
            _Sheet(sheet.name, rel.target, sheet.state == "visible")
            for sheet, rel in reader.parser.find_sheets()
            if rel.target in reader.valid_files and "chartsheet" not in rel.Type
        ]


def _choose_sheet(sheets: list[_Sheet], path: Path, stated: str | None) -> tuple[_Sheet, tuple[str, ...]]:
    titles = [sheet.title for sheet in sheets]
    if stated is not None:
        if stated not in titles:
            raise ContractError(f"{path.name}: there is no sheet {stated!r}{did_you_mean(stated, titles)}")
        return sheets[titles.index(stated)], ()
    shown = [sheet for sheet in sheets if sheet.is_shown] or sheets
    if not shown:
        raise ContractError(f"{path.name} has no sheet with cells")
    chosen = _largest_table(path, shown) if len(shown) > 1 else shown[0]
    others = ", ".join(repr(title) for title in titles if title != chosen.title)
    if chosen != shown[0]:
        which = f"the largest table, as the first sheet, {shown[0].title!r}, holds none; the other sheets: {others}"
    else:
        which = f"the first; there are also {others}" if others else "the only one"
    return chosen, (f"sheet {chosen.title!r}, {which}",)


def _largest_table(path: Path, shown: list[_Sheet]) -> _Sheet:
    """The first sheet, but where that is a cover or a summary and another clearly a table, the largest one."""
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            first = sum(sum(cell != "" for cell in row) > 1 for row in _cells_of(book, shown[0]))
            if first >= _ROWS_OF_A_TABLE:
                return shown[0]
            sizes = {}
            for sheet in shown[1:]:
                found = book.get_sheet_by_name(sheet.title)
                if found.width > 1 and found.height >= max(_ROWS_OF_A_TABLE, _MORE_ROWS * first):
                    sizes[sheet] = found.width * found.height
    except (python_calamine.CalamineError, OSError):
        return shown[0]
    return max(sizes, key=sizes.__getitem__, default=shown[0])


def _cells_of(book: python_calamine.CalamineWorkbook, sheet: _Sheet) -> list[list[Any]]:
    cells: list[list[Any]] = book.get_sheet_by_name(sheet.title).to_python(skip_empty_area=False)
    return cells


def _look_through(path: Path, sheet: _Sheet, what: str) -> tuple[list[_Merge], int | None]:
    """Merged cells, and the last row, or None where calamine may leave cells out.

    Formulas without a stored value are refused, and so is a sheet that is not well-formed.
    """
    merges: set[bytes] = set()
    no_value: dict[bytes, bytes] = {}
    is_plain = True
    parser = expat.ParserCreate()
    with zipfile.ZipFile(path) as archive, archive.open(sheet.part) as file:
        held = b""
        while block := file.read(_ROWS_AT_ONCE):
            held = held[-_LONGEST_FORMULA:] + block
            parser.Parse(block)
            is_plain = is_plain and not any(sign in held for sign in _NOT_PLAIN)
            if b"mergeCell" in held:
                merges.update(_MERGE.findall(held))
            has_formula = (b"<f" in held or b":f" in held) and _FORMULA_CELL.search(held)  # the sign is sooner found
            for attributes in _NO_VALUE.findall(held) if has_formula else ():
                cell = re.search(rb'\br="[A-Z]+(\d+)"', attributes)
                if cell and b't="str"' not in attributes:  # a formula may well give empty text
                    no_value[cell.group()] = cell.group(1)
        parser.Parse(b"", True)
    if no_value:
        raise ContractError(
            f"{what}: {counted(len(no_value), 'formula')} without a stored value, the first in row "
            f"{min(map(int, no_value.values()))}: open the file in a spreadsheet program and save it"
        )
    numbers = _ROW.findall(held)
    last = int(numbers[-1]) if is_plain and numbers else None
    return [_Merge(*range_boundaries(cells.decode())) for cells in merges], last


def _quick_rows(path: Path, sheet: _Sheet, last: int) -> Iterator[tuple[int, list[str]]] | None:
    """The rows by calamine, which knows no blank ones at the end; None where openpyxl may give other cells."""
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            numbers = _Numbers()
            for row in (rows := _cells_of(book, sheet)):
                row[:] = _texts_of(row, numbers)
    except (python_calamine.CalamineError, _NotAlikeError, OSError):
        return None
    blank: list[str] = []
    return enumerate(chain(rows, repeat(blank, last - len(rows))), start=1)


class _Numbers(dict[float, str]):
    """Numbers as text, each written once."""

    def __missing__(self, value: float) -> str:
        if not abs(value) < _EXACT:
            raise _NotAlikeError
        text = self[value] = str(int(value)) if value == int(value) else repr(value)
        return text


def _texts_of(row: list[Any], numbers: _Numbers) -> list[str]:
    """A row of calamine's as `cell_text` gives that of openpyxl's."""
    cells = [
        value.strip()
        if (kind := type(value)) is str
        else numbers[value]
        if kind is float or kind is int
        else _text_of(value, kind)
        for value in row
    ]
    if "_x" in "\0".join(cells):  # may be an escaped character
        raise _NotAlikeError
    return cells


def _text_of(value: Any, kind: type) -> str:
    if kind is dt.timedelta or kind is dt.time:
        raise _NotAlikeError
    return cell_text(value) or ""


def _trimmed_row(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _every_row(path: Path, sheet: _Sheet) -> Iterator[tuple[int, list[str]]]:
    """The rows by openpyxl."""
    file = path.open("rb")
    try:
        return _rows_of(
            path, file, openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False), sheet
        )
    except Exception:
        file.close()
        raise


def _rows_of(path: Path, file: BinaryIO, book: Any, sheet: _Sheet) -> Iterator[tuple[int, list[str]]]:
    with file, closing(book):
        cells = book[sheet.title]
        cells.reset_dimensions()  # what a file says of its own size is often wrong
        values = cells.iter_rows(values_only=True)
        for number in count(1):
            with _cell_in_words(path):
                row = next(values, None)
            if row is None:
                return
            yield number, [(cell_text(value) or "").strip() for value in row]


def _padded(cells: list[str], width: int) -> list[str]:
    """A row as wide as the header; a blank row stays one."""
    return cells + [""] * (width - len(cells)) if cells else []


def _fitted(cells: list[str], width: int) -> list[str]:
    """A row as wide as the header, or wider where its cells are filled; a blank row has none."""
    if len(cells) != width:
        cells = _padded(_trimmed_row(cells), width)
    return cells if any(cells) else []


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
    if stated is None and (n_titles := _count_titles(head, merges)):
        head = _from_first_filled(_without_first(head, n_titles))
        said = (
            f"{counted(n_titles, 'row')} above the header skipped: the names of columns stand in row {head[0].number:,}"
        )
        notes.append(said)
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


def _count_titles(head: list[_Row], merges: list[_Merge]) -> int:
    """Rows of titles above the header; one merged over columns is a title where it begins in the first."""
    filled = [row for row in head if row.cells]
    n_titles = count_title_rows([row.cells for row in filled])
    rows = {row.number for row in filled[:n_titles]}
    names = [merge for merge in merges if merge.top in rows and merge.right > merge.left > 1]
    return 0 if names else n_titles


def _without_first(head: list[_Row], n_filled: int) -> list[_Row]:
    """Rows behind the first that are filled."""
    filled = [position for position, row in enumerate(head) if row.cells]
    return head[filled[n_filled] :]


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
