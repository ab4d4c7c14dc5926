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

from nps_research.errors import ContractError
from nps_research.reading.header_rows import LONGEST_HEADER, HeaderRows, read_header_rows
from nps_research.reading.raw_table import Header, RawTable, counted, named_columns, rejected_records, to_frame, trimmed
from nps_research.typing import Integers

BAD_QUOTES = "has a quote that is never closed, or text after a closing quote"
_CELLS_AT_ONCE = 200_000  # held as Python text before they go into arrow


class Record(NamedTuple):
    """One record: the line it starts on; no fields where the line is blank, None where it cannot be parsed."""

    line: int
    fields: list[str] | None


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
    """Make a table of records; `what` names the file or sheet in errors.

    Raises
    ------
    ContractError
        There is no record, or the header cannot be read.
    """
    found, records = _find_header(records, what, header_rows)
    header = named_columns(found.names)
    body = _read_body(records, header, columns)
    several = {"header_rows": found.n_rows} if found.n_rows > 1 else {}
    return RawTable(
        frame=body.frame,
        line=body.line,
        path=path,
        header=tuple(header.positions),
        read_with={**read_with, **several},
        notes=(*notes, *found.notes, *header.notes, *body.notes),
        rejected=rejected_records(body.rejected),
        duplicate_columns=header.duplicates,
        questions={
            name: found.questions[position]
            for name, position in header.positions.items()
            if position < len(found.questions) and found.questions[position] not in ("", name)
        },
    )


def _find_header(records: Iterator[Record], what: str, stated: int | None) -> tuple[HeaderRows, Iterator[Record]]:
    """The header, and the records below it."""
    head: list[Record] = []  # the first records, up to as many as a header can have
    for record in records:
        if head or record.fields != []:
            head.append(record)
        if len(head) == LONGEST_HEADER:
            break
    if not head:
        raise ContractError(f"{what} is empty: only blank lines, where a header and records are expected")
    if head[0].fields is None:
        raise ContractError(f"{what}: the header, on line {head[0].line}, {BAD_QUOTES}")
    width = len(head[0].fields)
    is_like = [record.fields is not None and len(record.fields) == width for record in head]
    together = head[: is_like.index(False)] if False in is_like else head
    alike = [record.fields for record in together if record.fields is not None]
    if stated is not None and len(alike) < stated:
        raise ContractError(
            f"{what}: header_rows = {stated} is stated, but from line {head[0].line} on there are not "
            f"{stated} rows of equal width without a blank one between"
        )
    found = read_header_rows(alike, stated)
    return found, chain(head[found.n_rows :], records)


@dataclass(frozen=True, kw_only=True)
class _Body:
    """What the records below the header come to."""

    frame: pd.DataFrame
    line: Integers
    rejected: list[tuple[int, str]]
    notes: tuple[str, ...]


def _read_body(records: Iterator[Record], header: Header, columns: Sequence[str] | None) -> _Body:
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
                has = counted(len(fields), "field")
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
            cells[name].append(trimmed(pa.array([fields[position] for _, fields in chunk], pa.large_string())))

    notes = [f"{counted(blank, 'blank line')} skipped"] if blank else []
    if empty:
        notes.append(f"{counted(empty, 'record')} with every cell empty")
    line = np.concatenate(lines)
    frame = to_frame({name: pa.chunked_array(part, pa.large_string()) for name, part in cells.items()}, len(line))
    return _Body(frame=frame, line=line, rejected=rejected, notes=tuple(notes))
