"""A table as its source gives it, before any cell is read for its meaning."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a source is to be read, as stated; what is None is detected or has one possible value.

    Attributes
    ----------
    encoding, separator : str or None
        Of a text file.
    sheet : str or None
        Of a workbook.
    header_rows : int or None
        How many rows of a text file or sheet hold the names of columns.
    table, query : str or None
        Of a database.
    query_seconds : int or None
        How long reading from a database may take.
    value_labels : tuple of str
        Columns of an SPSS file whose codes give way to their labels.
    """

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    header_rows: int | None = None
    table: str | None = None
    query: str | None = None
    query_seconds: int | None = None
    value_labels: tuple[str, ...] = ()

    def unused(self, kind: str, *used: str) -> tuple[str, ...]:
        """A note on what is stated and has no meaning for this kind of source.

        Examples
        --------
        >>> Reading(sheet="Answers", encoding="utf-8").unused("Parquet")
        ('encoding and sheet stated but not used: Parquet has none',)
        """
        stated = [key.name for key in fields(self) if getattr(self, key.name) and key.name not in used]
        return (f"{' and '.join(stated)} stated but not used: {kind} has none",) if stated else ()


@dataclass(frozen=True, kw_only=True, eq=False)
class RawTable:
    """A table as its source gives it.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per record, columns in the source's order. CSV and Excel: text throughout, an empty cell is
        missing. Parquet, SPSS, databases: the source's types; integers and booleans as pandas' nullable
        ones, so that a missing value turns no id into a float.
    line : ndarray of int, shape (len(frame),)
        Line of the file, or row of the sheet, on which each record starts, the first being 1.
        Others: row number from 1.
    path : Path
        The file; for a database behind a URL, the name of the variable that holds it.
    header : tuple of str
        Every named column of the source once, whether wanted or not.
    read_with : mapping
        What the source was read with, stated or detected, in the words of study.toml.
    notes : tuple of str
        What was detected or left out, in plain words.
    rejected : pandas.DataFrame
        Records that could not be read: ``line``, ``reason``.
    duplicate_columns : tuple of str
        Names that stand more than once in the header; the frame keeps the first of each.
    questions : mapping of str to str
        What a column asks, where the source says so beside its name (Qualtrics' second row, labels of SPSS).
    value_labels : mapping of str to mapping of str to str
        Words for the codes of a column, where the source has them (SPSS).
    """

    frame: pd.DataFrame
    line: NDArray[np.int64]
    path: Path
    header: tuple[str, ...]
    read_with: Mapping[str, str | int] = field(default_factory=dict)
    notes: tuple[str, ...]
    rejected: pd.DataFrame
    duplicate_columns: tuple[str, ...]
    questions: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Records in the source: those in the frame and those rejected."""
        return len(self.frame) + len(self.rejected)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The named columns of a source and where they stand."""

    positions: dict[str, int]
    width: int
    duplicates: tuple[str, ...]
    notes: tuple[str, ...]

    def wanted(self, columns: Sequence[str] | None) -> dict[str, int]:
        """The columns to keep; all where `columns` is None."""
        if columns is None:
            return self.positions
        names = {_seen(column) for column in columns}
        return {name: position for name, position in self.positions.items() if name in names}


def named_columns(raw: Sequence[str]) -> Header:
    """Names stripped of blanks; of equal ones the first is kept, and those without a name are left out."""
    names = [_seen(name) for name in raw]
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        if name:
            positions.setdefault(name, position)
    duplicates = tuple(name for name, times in Counter(filter(None, names)).items() if times > 1)
    unnamed = [str(position + 1) for position, name in enumerate(names) if not name]
    padded = sum(before != before.strip() for before in raw)
    unseen = sum(before.strip() != after for before, after in zip(raw, names, strict=True))
    notes = []
    if padded:
        notes.append(f"blanks around {counted(padded, 'column name')} removed")
    if unseen:
        notes.append(f"invisible characters in {counted(unseen, 'column name')} removed")
    if unnamed:
        notes.append(f"{counted(len(unnamed), 'column')} without a name left out: number {', '.join(unnamed)}")
    if duplicates:
        listed = ", ".join(map(repr, duplicates))
        notes.append(f"{counted(len(duplicates), 'column name')} more than once, the first of each is kept: {listed}")
    return Header(positions=positions, width=len(names), duplicates=duplicates, notes=tuple(notes))


def wanted_names(names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """Of a source's columns, by the names it writes, those to be read."""
    return [names[position] for position in named_columns(names).wanted(columns).values()]


def counted(number: int, what: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# Cells


def cell_text(value: Any) -> str | None:
    """One cell as a CSV would hold it: whole numbers without ``.0``, dates and times as ISO 8601, true and false.

    Examples
    --------
    >>> [cell_text(value) for value in (9.0, 0.1, True, dt.datetime(2025, 12, 31), None)]
    ['9', '0.1', 'true', '2025-12-31', None]
    """
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case dt.datetime() if value.tzinfo is None and value.time() == dt.time():
            return value.date().isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes():
            return value.decode(errors="replace")
        case _:
            return str(value)


# Characters without a shape of their own. Those that join letters or turn the direction of writing may be meant inside
# words; at the ends of a cell they are not.
_BLANK = ord(" ")
_NEVER_SEEN = "\u00ad\u200b\u2060\ufeff"
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
_NO_ENDS = (
    _BLANKS + _NEVER_SEEN + "".join(map(chr, (*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
)
_BEGINNINGS = (b"\xe2\x80", b"\xe2\x81", b"\xef\xbb\xbf", b"\xc2\xad")  # of these in UTF-8
_OTHER_BLANKS = (b"\xe3\x80\x80", b"\xe1\x9a\x80", b"\xc2\x85", b"\xc2\xa0")


def _seen(name: str) -> str:
    return re.sub(f"[{_NEVER_SEEN}]", "", name).strip(_NO_ENDS)


def trimmed(cells: pa.Array | pa.ChunkedArray) -> tuple[pa.Array | pa.ChunkedArray, int]:
    """Text without surrounding blanks and invisible characters, empty text missing; how many cells held the latter.

    Examples
    --------
    >>> cells, unseen = trimmed(pa.array([" North", "North\N{ZERO WIDTH SPACE}", "\N{NO-BREAK SPACE}"]))
    >>> cells.to_pylist(), unseen
    (['North', 'North', None], 1)
    """
    if not (may_hide := _has_any(cells, _BEGINNINGS)) and is_clean(cells) and not _has_any(cells, _OTHER_BLANKS):
        return cells, 0
    stripped = pc.utf8_trim_whitespace(cells)
    unseen = 0
    if may_hide:
        seen = pc.utf8_trim(pc.replace_substring_regex(stripped, f"[{_NEVER_SEEN}]", ""), _NO_ENDS)
        unseen = pc.sum(pc.not_equal(seen, stripped)).as_py() or 0
        stripped = seen
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, stripped.type), stripped), unseen


def _has_any(cells: pa.Array | pa.ChunkedArray, beginnings: Sequence[bytes]) -> bool:
    """Whether there can be characters that begin so, by a quick look at the bytes."""
    for part in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        text = part.buffers()[-1]
        held = text.to_pybytes() if text is not None else b""
        if not held.isascii() and any(beginning in held for beginning in beginnings):
            return True
    return False


def is_clean(cells: pa.Array | pa.ChunkedArray) -> bool:
    """Whether no cell is empty, nor begins or ends with a blank of ASCII, by a look at lengths and ends."""
    wide = np.int64 if pa.types.is_large_string(cells.type) else np.int32
    for part in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        _, ends, text = part.buffers()
        if ends is None or not len(part):
            continue
        at = np.frombuffer(ends, wide).astype(np.int64, copy=False)[part.offset : part.offset + len(part) + 1]
        is_filled = at[1:] > at[:-1]
        if len(part) - int(is_filled.sum()) != part.null_count:
            return False
        if text is None or not text.size:
            continue
        letters = np.frombuffer(text, np.uint8)
        first, last = letters.take(at[:-1], mode="clip"), letters.take(at[1:] - 1, mode="clip")
        if (((first <= _BLANK) | (last <= _BLANK)) & is_filled).any():
            return False
    return True


def note_unseen(unseen: Mapping[str, int]) -> list[str]:
    """A note for each column in which cells held invisible characters."""
    return [f"invisible characters removed from {counted(n, 'cell')} of {name}" for name, n in unseen.items() if n]


def plain_column(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """A column as numbers, yes/no, moments or text, whatever else there is as text; see `trimmed`."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return trimmed(column)
    if kind in _PANDAS_TYPES or pa.types.is_floating(kind):
        return column, 0
    if pa.types.is_timestamp(kind) and _in_the_calendar(column):
        return column, 0
    try:
        cells = [cell_text(value) for value in column.to_pylist()]
    except (ArithmeticError, ValueError):
        cells = [_cell_of(value) for value in column]
    return trimmed(pa.chunked_array([cells], pa.large_string()))


def _in_the_calendar(moments: pa.ChunkedArray) -> bool:
    """Whether all lie in the years that Python and pandas count, whatever the time zone."""
    ends = pc.min_max(moments.cast(pa.timestamp(moments.type.unit)).cast(pa.int64())).as_py()
    second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[moments.type.unit]
    return ends["min"] is None or (_EARLIEST * second < ends["min"] and ends["max"] < _LATEST * second)


def _cell_of(value: pa.Scalar) -> str | None:
    """One cell as text, where a moment in the column is beyond what Python counts."""
    try:
        return cell_text(value.as_py())
    except (ArithmeticError, ValueError):
        return _BEYOND


def arrow_of_cells(cells: Sequence[Any]) -> pa.Array:
    """Values of one column as arrow; as text where they are of several kinds."""
    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # the last two: Decimal("Infinity"), year 10000
        return pa.array([cell_text(value) for value in cells], pa.large_string())


def arrow_of_parts(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Parts of one column under each other; as text where they are of several kinds."""
    kinds = {part.type for part in parts} - {pa.null()}
    if not kinds:
        return pa.chunked_array(parts, pa.null())
    if len(kinds) == 1:
        return pa.chunked_array([part.cast(*kinds) for part in parts])
    return pa.chunked_array([[cell_text(value) for part in parts for value in part.to_pylist()]], pa.large_string())


_EARLIEST, _LATEST = -62_135_400_000, 253_402_100_000  # seconds since 1970: within the years 1 to 9999, by some days
_BEYOND = "a date beyond the calendar"

# Frames

_PANDAS_TYPES: dict[pa.DataType, pd.api.extensions.ExtensionDtype] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(na_value=np.nan),
    pa.large_string(): pd.StringDtype(na_value=np.nan),
}


def to_frame(arrays: Mapping[str, pa.ChunkedArray], n_rows: int) -> pd.DataFrame:
    """Columns as a frame of pandas' nullable types."""
    columns = {name: array.to_pandas(types_mapper=_PANDAS_TYPES.get) for name, array in arrays.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows), columns=pd.Index(list(arrays), dtype="str"))


def rejected_records(records: Sequence[tuple[int, str]]) -> pd.DataFrame:
    """Lines and reasons as a table."""
    return pd.DataFrame(records, columns=["line", "reason"]).astype({"line": "int64", "reason": "str"})


def table_of_arrow(
    table: pa.Table,
    path: Path,
    columns: Sequence[str] | None,
    *,
    names: Sequence[str] | None = None,
    read_with: Mapping[str, str | int] | None = None,
    notes: Sequence[str] = (),
    questions: Mapping[str, str] | None = None,
    value_labels: Mapping[str, Mapping[str, str]] | None = None,
) -> RawTable:
    """A source whose columns have types already; `names` are all it has, where `table` holds the wanted ones alone."""
    names = names or table.column_names
    header = named_columns(names)
    first = {name: position for position, name in reversed(list(enumerate(table.column_names)))}
    plain = {name: plain_column(table.column(first[names[at]])) for name, at in header.wanted(columns).items()}
    arrays = {name: column for name, (column, _) in plain.items()}
    return RawTable(
        frame=to_frame(arrays, table.num_rows),
        line=np.arange(1, table.num_rows + 1, dtype=np.int64),
        path=path,
        header=tuple(header.positions),
        read_with=read_with or {},
        notes=(*notes, *header.notes, *note_unseen({name: unseen for name, (_, unseen) in plain.items()})),
        rejected=rejected_records([]),
        duplicate_columns=header.duplicates,
        questions=questions or {},
        value_labels=value_labels or {},
    )
