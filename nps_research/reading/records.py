"""Records of text cells, from a text file or a sheet, into a table: header, body, what is rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nps_research.errors import ContractError
from nps_research.reading.header_rows import LONGEST_HEADER, HeaderRows, count_title_rows, read_header_rows
from nps_research.reading.raw_table import (
    Header,
    RawTable,
    counted,
    is_clean,
    named_columns,
    note_unseen,
    rejected_records,
    to_frame,
    trimmed,
)

BAD_QUOTES = "has a quote that is never closed, or text after a closing quote"
_CELLS_AT_ONCE = 200_000  # held as Python text before they go into arrow
LOOKED_AT = 60  # records, for the header


class Record(NamedTuple):
    """One record: the line it starts on; no fields where the line is blank, None where it cannot be parsed."""

    line: int
    fields: list[str] | None
    n_lines: int = 1


@dataclass(frozen=True, kw_only=True)
class TableHeader:
    """What the first records say of a table."""

    rows: HeaderRows
    columns: Header
    notes: tuple[str, ...]


def table_of_records(
    records: Iterator[Record],
    path: Path,
    columns: Sequence[str] | None,
    *,
    what: str,
    header_rows: int | None = None,
    read_with: Mapping[str, str | int],
    notes: Sequence[str] = (),
) -> RawTable:
    """Records into a table; `what` names the sheet in errors.

    Raises
    ------
    ContractError
        There is no record, or the header cannot be read.
    """
    header, first = find_header(records, what, header_rows, unit="row")
    body = Body(header.columns, columns)
    body.add(chain(first, records))
    return table_of_body(header, body, path, read_with=read_with, notes=notes)


def table_of_body(
    header: TableHeader, body: Body, path: Path, *, read_with: Mapping[str, str | int], notes: Sequence[str]
) -> RawTable:
    """A table, when all its records have been read."""
    frame, line = body.frame()
    several = {"header_rows": header.rows.n_rows} if header.rows.n_rows > 1 else {}
    return RawTable(
        frame=frame,
        line=line,
        path=path,
        header=tuple(header.columns.positions),
        read_with={**read_with, **several},
        notes=(*notes, *header.notes, *header.rows.notes, *header.columns.notes, *body.notes()),
        rejected=rejected_records(body.rejected),
        duplicate_columns=header.columns.duplicates,
        questions={
            name: header.rows.questions[position]
            for name, position in header.columns.positions.items()
            if position < len(header.rows.questions) and header.rows.questions[position] not in ("", name)
        },
    )


def find_header(
    records: Iterator[Record], what: str, stated: int | None, *, unit: str = "line"
) -> tuple[TableHeader, list[Record]]:
    """The header, and the records below it that have been taken from `records` with it.

    Rows above the header are skipped: titles, and what a program says of the export, see `count_title_rows`.
    """
    head: list[Record] = []
    for record in records:
        if head or record.fields != []:
            head.append(record)
        if len(head) == LOOKED_AT:
            break
    if not head:
        raise ContractError(f"{what} is empty: only blank lines, where a header and records are expected")
    if head[0].fields is None:
        raise ContractError(f"{what}: the header, on line {head[0].line}, {BAD_QUOTES}")
    notes: tuple[str, ...] = ()
    filled = [record for record in head if record.fields != []]
    if stated is None and (n_titles := count_title_rows([record.fields for record in filled])):
        top = filled[n_titles]
        head = head[head.index(top) :]
        which = f"on line {top.line:,}" if unit == "line" else f"in row {top.line:,}"
        notes = (f"{counted(n_titles, unit)} above the header skipped: the names of columns stand {which}",)
    width = len(head[0].fields or ())
    is_like = [bool(record.fields) and len(record.fields or ()) == width for record in head[:LONGEST_HEADER]]
    together = head[: is_like.index(False)] if False in is_like else head[:LONGEST_HEADER]
    alike = [record.fields for record in together if record.fields is not None]
    if stated is not None and len(alike) < stated:
        raise ContractError(
            f"{what}: header_rows = {stated} is stated, but from line {head[0].line} on there are not "
            f"{stated} rows of equal width without a blank one between"
        )
    rows = read_header_rows(alike, stated)
    return TableHeader(rows=rows, columns=named_columns(rows.names), notes=notes), head[rows.n_rows :]


def too_many_fields(n: int, width: int) -> str:
    """Why a record is rejected."""
    return f"has {counted(n, 'field')} where the header has {width:,}"


class Body:
    """Columns of the records below a header, as the records arrive: one by one, or as columns.

    Attributes
    ----------
    width : int
        Fields of the header.
    wanted : dict of str to int
        The columns to keep, and where they stand.
    n_blank : int
        Blank lines so far.
    rejected : list of tuple
        Records that cannot be read: line, reason.
    """

    def __init__(self, header: Header, columns: Sequence[str] | None) -> None:
        self.width = header.width
        self.wanted = header.wanted(columns)
        self.n_blank = 0
        self.rejected: list[tuple[int, str]] = []
        self._n_empty = self._n_short = 0
        self._first_short: int | None = None
        self._unseen = dict.fromkeys(self.wanted, 0)
        self._cells: dict[str, list[pa.Array]] = {name: [] for name in self.wanted}
        self._lines = [np.empty(0, dtype=np.int64)]

    def note_short(self, lines: Sequence[int]) -> None:
        """Count records with fewer fields than the header, which are filled up with blanks."""
        if lines and self._first_short is None:
            self._first_short = lines[0]
        self._n_short += len(lines)

    def add_columns(
        self, arrays: Sequence[pa.Array | pa.ChunkedArray], lines: NDArray[np.int64], *, n_empty: int, is_plain: bool
    ) -> None:
        """Records as the wanted columns; `is_plain` where no cell has a blank beyond ASCII or a sign not seen."""
        self._lines.append(lines)
        self._n_empty += n_empty
        for name, cells in zip(self.wanted, arrays, strict=True):
            kept, unseen = (cells, 0) if is_plain and is_clean(cells) else trimmed(cells)
            self._unseen[name] += unseen
            self._cells[name] += kept.chunks if isinstance(kept, pa.ChunkedArray) else [kept]

    def add(self, records: Iterator[Record]) -> None:
        """Records one by one."""
        whole = self._whole(records)
        while chunk := list(islice(whole, max(1, _CELLS_AT_ONCE // self.width))):
            cells = [pa.array([fields[at] for _, fields in chunk], pa.large_string()) for at in self.wanted.values()]
            lines = np.array([line for line, _ in chunk], dtype=np.int64)
            self.add_columns(cells, lines, n_empty=sum(not any(fields) for _, fields in chunk), is_plain=False)

    def _whole(self, records: Iterator[Record]) -> Iterator[tuple[int, list[str]]]:
        for line, fields, _ in records:
            if fields is None:
                self.rejected.append((line, BAD_QUOTES))
            elif not fields:
                self.n_blank += 1
            elif len(fields) > self.width:
                self.rejected.append((line, too_many_fields(len(fields), self.width)))
            elif len(fields) < self.width:
                self.note_short([line])
                yield line, fields + [""] * (self.width - len(fields))
            else:
                yield line, fields

    def frame(self) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """All that has arrived, and the line of each record."""
        line = np.concatenate(self._lines)
        arrays = {name: pa.chunked_array(parts, pa.large_string()) for name, parts in self._cells.items()}
        return to_frame(arrays, len(line)), line

    def notes(self) -> list[str]:
        """What was left out or done on the way."""
        notes = [f"{counted(self.n_blank, 'blank line')} skipped"] if self.n_blank else []
        if self._n_empty:
            notes.append(f"{counted(self._n_empty, 'record')} with every cell empty")
        if self._n_short:
            notes.append(
                f"{counted(self._n_short, 'record')} with fewer fields than the header, the first on line "
                f"{self._first_short:,}, filled up with blanks"
            )
        return notes + note_unseen(self._unseen)
