"""A table as its source gives it, before any cell is read for its meaning."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nps_research.typing import Integers


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
    value_labels : tuple of str
        Columns of an SPSS file whose codes give way to their labels.
    """

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    header_rows: int | None = None
    table: str | None = None
    query: str | None = None
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
    line: Integers
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
        names = {column.strip() for column in columns}
        return {name: position for name, position in self.positions.items() if name in names}


def named_columns(raw: Sequence[str]) -> Header:
    """Strip names of blanks; of equal ones the first is kept, and those without a name are left out."""
    names = [name.strip() for name in raw]
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        if name:
            positions.setdefault(name, position)
    duplicates = tuple(name for name, times in Counter(filter(None, names)).items() if times > 1)
    unnamed = [str(position + 1) for position, name in enumerate(names) if not name]
    padded = sum(before != after for before, after in zip(raw, names, strict=True))
    notes = []
    if padded:
        notes.append(f"blanks around {counted(padded, 'column name')} removed")
    if unnamed:
        notes.append(f"{counted(len(unnamed), 'column')} without a name left out: number {', '.join(unnamed)}")
    if duplicates:
        listed = ", ".join(map(repr, duplicates))
        notes.append(f"{counted(len(duplicates), 'column name')} more than once, the first of each is kept: {listed}")
    return Header(positions=positions, width=len(names), duplicates=duplicates, notes=tuple(notes))


def counted(number: int, what: str) -> str:
    """Spell a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# Cells


def cell_text(value: Any) -> str | None:
    """Spell a cell as a CSV would hold it: whole numbers without ``.0``, dates and times as ISO 8601.

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


def trimmed(cells: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Strip text of surrounding blanks; empty text is missing."""
    stripped = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, stripped.type), stripped)


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read a column as numbers, yes/no, moments or text; whatever else there is becomes text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if kind in _PANDAS_TYPES or pa.types.is_floating(kind) or pa.types.is_timestamp(kind):
        return trimmed(column) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else column
    return trimmed(pa.chunked_array([[cell_text(value) for value in column.to_pylist()]], pa.large_string()))


def arrow_of_cells(cells: Sequence[Any]) -> pa.Array:
    """Put values of one column into arrow; as text where they are of several kinds."""
    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # the last two: Decimal("Infinity"), year 10000
        return pa.array([cell_text(value) for value in cells], pa.large_string())


def arrow_of_parts(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Put parts of one column under each other; as text where they are of several kinds."""
    kinds = {part.type for part in parts} - {pa.null()}
    if not kinds:
        return pa.chunked_array(parts, pa.null())
    if len(kinds) == 1:
        return pa.chunked_array([part.cast(*kinds) for part in parts])
    return pa.chunked_array([[cell_text(value) for part in parts for value in part.to_pylist()]], pa.large_string())


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
    """Turn columns into a frame of pandas' nullable types."""
    columns = {name: array.to_pandas(types_mapper=_PANDAS_TYPES.get) for name, array in arrays.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows), columns=pd.Index(list(arrays), dtype="str"))


def rejected_records(records: Sequence[tuple[int, str]]) -> pd.DataFrame:
    """List rejected lines and reasons as a table."""
    return pd.DataFrame(records, columns=["line", "reason"]).astype({"line": "int64", "reason": "str"})


def table_of_arrow(
    table: pa.Table,
    path: Path,
    columns: Sequence[str] | None,
    *,
    read_with: Mapping[str, str | int] | None = None,
    notes: Sequence[str] = (),
    questions: Mapping[str, str] | None = None,
    value_labels: Mapping[str, Mapping[str, str]] | None = None,
) -> RawTable:
    """Take a source whose columns have types already."""
    header = named_columns(table.column_names)
    arrays = {name: plain_column(table.column(position)) for name, position in header.wanted(columns).items()}
    return RawTable(
        frame=to_frame(arrays, table.num_rows),
        line=np.arange(1, table.num_rows + 1, dtype=np.int64),
        path=path,
        header=tuple(header.positions),
        read_with=read_with or {},
        notes=(*notes, *header.notes),
        rejected=rejected_records([]),
        duplicate_columns=header.duplicates,
        questions=questions or {},
        value_labels=value_labels or {},
    )
