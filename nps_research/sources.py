"""Where tables come from: one function per file format behind `read_table`.

Nothing is repaired on the way in. Text arrives as it stands in the file but for surrounding blanks;
what was detected rather than stated is said in the notes; a record that cannot be read is listed
with its line and reason, never dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from nps_research.delimited import (
    BAD_QUOTES,
    Record,
    find_encoding,
    find_separator,
    long_cells,
    open_text,
    parse_records,
)
from nps_research.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RawTable", "read_table", "sha256_of"]

_CELLS_AT_ONCE = 1_000_000  # held as Python text before they go into arrow


@dataclass(frozen=True, kw_only=True, eq=False)
class RawTable:
    """A table as its file gives it.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per record, columns in the file's order. CSV: text throughout, an empty cell is
        missing. Parquet: the file's types; integers and booleans as pandas' nullable ones, so that
        a missing value turns no id into a float.
    line : ndarray of int, shape (len(frame),)
        Line of the file on which each record starts, the header's being 1. Parquet: row number from 1.
    path : Path
    header : tuple of str
        Every named column of the file once, whether wanted or not.
    encoding, separator : str or None
        What the file was read with; None where the format has none.
    notes : tuple of str
        What was detected or left out, in plain words.
    rejected : pandas.DataFrame
        Records that could not be read: ``line``, ``reason``.
    duplicate_columns : tuple of str
        Names that stand more than once in the header; the frame keeps the first of each.
    """

    frame: pd.DataFrame
    line: NDArray[np.int64]
    path: Path
    header: tuple[str, ...]
    encoding: str | None
    separator: str | None
    notes: tuple[str, ...]
    rejected: pd.DataFrame
    duplicate_columns: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """Records in the file: those in the frame and those rejected."""
        return len(self.frame) + len(self.rejected)


@dataclass(frozen=True, kw_only=True)
class _Header:
    """The named columns of a file and where they stand."""

    positions: dict[str, int]
    width: int
    duplicates: tuple[str, ...]
    notes: tuple[str, ...]

    def wanted(self, columns: Sequence[str] | None) -> dict[str, int]:
        if columns is None:
            return self.positions
        names = {column.strip() for column in columns}
        return {name: position for name, position in self.positions.items() if name in names}


def read_table(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    encoding: str | None = None,
    separator: str | None = None,
) -> RawTable:
    r"""Read one file as it stands.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv`` or ``.txt`` (text with separators) or ``.parquet``.
    columns : sequence of str, optional
        Columns to keep; all by default. A name the file lacks is left out: compare with `RawTable.header`.
    encoding, separator : str, optional
        Of a text file; detected where not given.

    Returns
    -------
    RawTable

    Raises
    ------
    ContractError
        The file is missing, empty, of another format, or does not decode; or the encoding or
        separator stated is not one.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answers.csv")
    >>> _ = path.write_text("id;nps\n1;9\n2; 10\n3\n")
    >>> table = read_table(path)
    >>> table.frame["nps"].tolist(), table.line.tolist()
    (['9', '10'], [2, 3])
    >>> table.rejected.to_dict("records")
    [{'line': 4, 'reason': 'has 1 field where the header has 2'}]
    """
    _check_file(path)
    if path.suffix.lower() not in _READERS:
        raise ContractError(
            f"{path.name}: files ending in {path.suffix!r} are not read; allowed: {', '.join(_READERS)}"
        )
    return _READERS[path.suffix.lower()](path, columns, encoding, separator)


def sha256_of(paths: Iterable[Path]) -> str:
    """Hash of the names (without folders) and contents of files, in the order given.

    Examples
    --------
    >>> sha256_of([])[:12]
    'e3b0c44298fc'
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ContractError(f"{path.name} is a folder where a file is expected")
    if not path.is_file():
        folder = path.parent
        names = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
        close = get_close_matches(path.name, names)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ContractError(f"there is no file {path.name!r} in the folder {folder.name!r}{hint}")
    if path.stat().st_size == 0:
        raise ContractError(f"{path.name} is empty: 0 bytes, where a header and records are expected")


def _read_header(raw: Sequence[str]) -> _Header:
    """Names stripped of blanks; of equal ones the first is kept, and those without a name are left out."""
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
        notes.append(f"blanks around {_count(padded, 'column name')} removed")
    if unnamed:
        notes.append(f"{_count(len(unnamed), 'column')} without a name left out: number {', '.join(unnamed)}")
    if duplicates:
        listed = ", ".join(map(repr, duplicates))
        notes.append(f"{_count(len(duplicates), 'column name')} more than once, the first of each is kept: {listed}")
    return _Header(positions=positions, width=len(names), duplicates=duplicates, notes=tuple(notes))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# Text with separators


def _read_delimited(path: Path, columns: Sequence[str] | None, encoding: str | None, separator: str | None) -> RawTable:
    encoding, notes = find_encoding(path, encoding)
    if separator is None:
        separator, note = find_separator(path, encoding)
        notes = (*notes, note)
    elif len(separator) != 1 or separator in '" \r\n':
        raise ContractError(
            f"separator {separator!r} stated for {path.name}; allowed is one character, not a quote, blank or line end"
        )
    with long_cells(), open_text(path, encoding) as file:
        records = parse_records(file, separator)
        first = next((record for record in records if record.fields != []), None)
        if first is None:
            raise ContractError(f"{path.name} is empty: only blank lines, where a header and records are expected")
        if first.fields is None:
            raise ContractError(f"{path.name}: the header, on line {first.line}, {BAD_QUOTES}")
        header = _read_header(first.fields)
        body = _read_body(records, header, columns)
    return RawTable(
        frame=body.frame,
        line=body.line,
        path=path,
        header=tuple(header.positions),
        encoding=encoding,
        separator=separator,
        notes=(*notes, *header.notes, *body.notes),
        rejected=_rejected(body.rejected),
        duplicate_columns=header.duplicates,
    )


@dataclass(frozen=True, kw_only=True)
class _Body:
    """What the records below the header come to."""

    frame: pd.DataFrame
    line: NDArray[np.int64]
    rejected: list[tuple[int, str]]
    notes: tuple[str, ...]


def _read_body(records: Iterator[Record], header: _Header, columns: Sequence[str] | None) -> _Body:
    rejected: list[tuple[int, str]] = []
    blank = empty = 0

    def whole() -> Iterator[tuple[int, list[str]]]:
        nonlocal blank, empty
        for line, fields in records:
            if fields is None:
                rejected.append((line, BAD_QUOTES))
            elif not fields:
                blank += 1
            elif len(fields) != header.width:
                has = _count(len(fields), "field")
                rejected.append((line, f"has {has} where the header has {header.width:,}"))
            else:
                empty += not any(fields)
                yield line, fields

    wanted = header.wanted(columns)
    cells: dict[str, list[pa.Array]] = {name: [] for name in wanted}
    lines = [np.empty(0, dtype=np.int64)]
    remaining = whole()
    while chunk := list(islice(remaining, max(1, _CELLS_AT_ONCE // header.width))):
        lines.append(np.array([line for line, _ in chunk], dtype=np.int64))
        for name, position in wanted.items():
            cells[name].append(_plain_text(pa.array([fields[position] for _, fields in chunk], pa.large_string())))

    notes = [f"{_count(blank, 'blank line')} skipped"] if blank else []
    if empty:
        notes.append(f"{_count(empty, 'record')} with every cell empty")
    line = np.concatenate(lines)
    frame = _frame({name: pa.chunked_array(part, pa.large_string()) for name, part in cells.items()}, len(line))
    return _Body(frame=frame, line=line, rejected=rejected, notes=tuple(notes))


def _plain_text(cells: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Text without surrounding blanks; empty text is missing."""
    stripped = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, stripped.type), stripped)


def _frame(arrays: dict[str, pa.ChunkedArray], n_rows: int) -> pd.DataFrame:
    columns = {name: array.to_pandas(types_mapper=_PANDAS_TYPES.get) for name, array in arrays.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows), columns=pd.Index(list(arrays), dtype="str"))


def _rejected(records: list[tuple[int, str]]) -> pd.DataFrame:
    return pd.DataFrame(records, columns=["line", "reason"]).astype({"line": "int64", "reason": "str"})


# Parquet

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


def _read_parquet(path: Path, columns: Sequence[str] | None, encoding: str | None, separator: str | None) -> RawTable:
    try:
        with parquet.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError):
        raise ContractError(f"{path.name} cannot be read as Parquet: it is damaged, or another format") from None
    header = _read_header(table.column_names)
    arrays = {name: _parquet_column(table.column(position)) for name, position in header.wanted(columns).items()}
    unused = ["encoding and separator stated but not used: Parquet has none"] if encoding or separator else []
    return RawTable(
        frame=_frame(arrays, table.num_rows),
        line=np.arange(1, table.num_rows + 1, dtype=np.int64),
        path=path,
        header=tuple(header.positions),
        encoding=None,
        separator=None,
        notes=(*unused, *header.notes),
        rejected=_rejected([]),
        duplicate_columns=header.duplicates,
    )


def _parquet_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _plain_text(column)
    return column


_Reader = Callable[[Path, Sequence[str] | None, str | None, str | None], RawTable]
_READERS: dict[str, _Reader] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".txt": _read_delimited,
    ".parquet": _read_parquet,
}
