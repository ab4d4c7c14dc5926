"""The quick way to read records of text: what is regular goes to arrow in blocks, the rest one by one.

A record is regular where every quote in it opens or closes a cell, or stands doubled in one that is quoted. From the
start of a record on, quotes alone then tell where cells and records end: by whether their number is even.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from nps_research.reading.raw_table import Header
from nps_research.reading.records import Body, too_many_fields
from nps_research.reading.text_lines import TextLines, parse_records

_WINDOW = 1 << 20
_ONE_BY_ONE = 1 << 16  # bytes read the slow way before the quick one is tried again
_QUOTE, _NEW_LINE, _RETURN, _BLANK_BYTES = b'"\n\r '
# How characters begin in UTF-8 that are blanks beyond ASCII, or not seen at all; others that begin so do no harm.
_UNSEEN = tuple(map(bytes.fromhex, ("e280", "e281", "e38080", "e19a80", "efbbbf", "c285", "c2a0", "c2ad")))


def read_body(text: TextLines, header: Header, separator: str, columns: Sequence[str] | None) -> Body:
    """All records from where the text stands."""
    body = Body(header, columns)
    sign = separator.encode()
    if len(sign) > 1 or sign == b"\0":  # no sign that arrow takes
        body.add(parse_records(text.lines(), separator, text.line))
        return body
    reader = _Blocks(body, sign[0])
    window = _WINDOW
    while text.at < len(text.held) or text.more():
        view = np.frombuffer(text.held, np.uint8, min(window, len(text.held) - text.at), text.at)
        is_last = text.ended and text.at + len(view) == len(text.held)
        found = _find_records(view, sign[0], is_last=is_last)
        if found.n:
            size = int(found.ends[-1]) + 1
            reader.add(found, text.held[text.at : text.at + size], text.line)
            text.drop(size, found.n_lines)
            window = _WINDOW
        if found.is_irregular or (is_last and not found.n):
            _add_slowly(body, text, separator)
        elif found.n == 0:  # a record longer than what is in view
            window *= 2
            if text.at + len(view) == len(text.held):
                text.more()
    return body


def _add_slowly(body: Body, text: TextLines, separator: str) -> None:
    """Some records one by one, by the csv module."""
    starts, n_lines = [0], 0

    def some() -> Iterator[Any]:
        nonlocal n_lines
        for record in parse_records(text.lines(starts), separator, text.line):
            yield record
            n_lines = record.line + record.n_lines - text.line
            if starts[n_lines] >= _ONE_BY_ONE:
                return

    body.add(some())
    text.drop(starts[n_lines], n_lines)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Regular records in a stretch of bytes: where each starts and ends, its line end included, and on which line."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]  # from 0
    quotes: NDArray[np.int64]
    n_lines: int
    is_irregular: bool  # what comes behind them

    @property
    def n(self) -> int:
        return len(self.starts)


def _find_records(view: NDArray[np.uint8], separator: int, *, is_last: bool) -> _Found:
    """The regular records from the start of a stretch on, up to the first that is not, or does not end in it."""
    is_end = view == _NEW_LINE
    returns = np.flatnonzero(view == _RETURN)
    if len(returns):
        behind = view[np.minimum(returns + 1, len(view) - 1)]
        alone = returns[(behind != _NEW_LINE) & ((returns + 1 < len(view)) | is_last)]
        is_end[alone] = True
    line_ends = np.flatnonzero(is_end)
    quotes = np.flatnonzero(view == _QUOTE)
    if not len(quotes):
        ends, number, irregular = line_ends, np.arange(1, len(line_ends) + 1), False
    else:
        is_outside = np.searchsorted(quotes, line_ends) % 2 == 0
        ends, number = line_ends[is_outside], np.flatnonzero(is_outside) + 1
        stray = _first_stray(view, quotes, separator)
        n = int(np.searchsorted(ends, stray))
        irregular = stray < len(view)
        ends, number = ends[:n], number[:n]
    before = np.concatenate([[0], number[:-1]]) if len(number) else number
    return _Found(
        starts=np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends,
        ends=ends,
        lines=before.astype(np.int64),
        quotes=quotes[: np.searchsorted(quotes, ends[-1])] if len(ends) else quotes[:0],
        n_lines=int(number[-1]) if len(number) else 0,
        is_irregular=irregular,
    )


def _first_stray(view: NDArray[np.uint8], quotes: NDArray[np.int64], separator: int) -> int:
    """Where the first quote stands that neither opens nor closes a cell, nor is doubled; behind the end where none."""
    may_stand_beside = np.zeros(256, dtype=bool)
    may_stand_beside[[separator, _NEW_LINE, _RETURN, _QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    opens = may_stand_beside[view[np.maximum(opening - 1, 0)]] | (opening == 0)
    closes = may_stand_beside[view[np.minimum(closing + 1, len(view) - 1)]] | (closing + 1 == len(view))
    stray = [len(view)]
    stray += opening[~opens][:1].tolist() + closing[~closes][:1].tolist()
    return min(stray)


class _Blocks:
    """Stretches of regular records, by arrow."""

    def __init__(self, body: Body, separator: int) -> None:
        self._body = body
        self._separator = separator
        self._wanted = list(body.wanted.values())
        # In most files all records are as wide as the header; where some are not, fields are counted first.
        self._is_counted = body.width == 1

    def add(self, found: _Found, data: bytes, line: int) -> None:
        """Add the records that `data` is made of to the body, the first on the given line."""
        view = np.frombuffer(data, np.uint8)
        if (lone := found.ends[view[found.ends] == _RETURN]).size:
            view = view.copy()
            view[lone] = _NEW_LINE
        stops = found.ends - ((found.ends > found.starts) & (view[found.ends - 1] == _RETURN))
        is_plain = data.isascii() or not any(beginning in data for beginning in _UNSEEN)
        lines = found.lines + line
        if not self._is_counted:
            arrays = self._parsed(view, found.n)
            if arrays is not None:
                n_empty = self._count_empty(data, view, found.starts, stops, self._body.width)
                self._body.add_columns(arrays, lines, n_empty=n_empty, is_plain=is_plain)
                return
            self._is_counted = True
        self._add_counted(found, data, view, stops, lines, is_plain=is_plain)

    def _add_counted(
        self,
        found: _Found,
        data: bytes,
        view: NDArray[np.uint8],
        stops: NDArray[np.int64],
        lines: NDArray[np.int64],
        *,
        is_plain: bool,
    ) -> None:
        """Leave out blank lines and records with too many fields, and fill up those with too few."""
        width, starts = self._body.width, found.starts
        separates = view == self._separator
        if len(found.quotes):
            separates &= np.cumsum(view == _QUOTE, dtype=np.uint8) % 2 == 0
        n_fields = np.add.reduceat(separates, starts, dtype=np.int64) + 1
        has_quote = np.searchsorted(found.quotes, stops) > np.searchsorted(found.quotes, starts)
        first = view[starts]
        is_blank = np.zeros(found.n, dtype=bool)
        for row in np.flatnonzero((n_fields == 1) & ~has_quote & ((first <= _BLANK_BYTES) | (first >= 128))).tolist():
            is_blank[row] = not data[starts[row] : stops[row]].decode().strip()
        is_long = n_fields > width
        self._body.n_blank += int(is_blank.sum())
        self._body.rejected += [
            (int(lines[row]), too_many_fields(int(n_fields[row]), width)) for row in np.flatnonzero(is_long)
        ]
        kept = ~is_blank & ~is_long
        lacks = np.where(kept, width - n_fields, 0)
        self._body.note_short(lines[lacks > 0].tolist())
        sizes = found.ends + 1 - starts
        bytes_kept = view[np.repeat(kept, sizes)]
        if lacks.any():
            stops_kept = np.cumsum(np.where(kept, sizes, 0)) - (found.ends + 1 - stops)
            bytes_kept = np.insert(bytes_kept, np.repeat(stops_kept, lacks), self._separator)
        n_empty = self._count_empty(data, view, starts[kept], stops[kept], n_fields[kept])
        n = int(kept.sum())
        arrays = self._parsed(bytes_kept, n) if n else None
        if arrays is None and n:  # never seen, yet nothing may be lost
            raise AssertionError("arrow finds other records than there are")
        if arrays is not None:
            self._body.add_columns(arrays, lines[kept], n_empty=n_empty, is_plain=is_plain)

    def _parsed(self, view: NDArray[np.uint8], n: int) -> list[pa.Array | pa.ChunkedArray] | None:
        """The wanted columns, empty cells missing; None where a record is not as wide as the header."""
        others = 0

        def note(_row: Any) -> str:
            nonlocal others
            others += 1
            return "skip"

        if bytes(view[:3]) == codecs.BOM_UTF8:  # arrow would take it for a mark; it skips blank lines
            view = np.insert(view, 0, _NEW_LINE)
        wanted = [str(position) for position in self._wanted] or ["0"]
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(view)),
            read_options=csv.ReadOptions(
                column_names=[str(position) for position in range(self._body.width)], block_size=max(len(view), 1) + 1
            ),
            parse_options=csv.ParseOptions(
                delimiter=chr(self._separator), newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.large_string() for name in wanted},
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        if others or table.num_rows != n:
            return None
        return [table.column(str(position)) for position in self._wanted]

    def _count_empty(
        self,
        data: bytes,
        view: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        n_fields: NDArray[np.int64] | int,
    ) -> int:
        """Records in which every cell is empty: of separators alone, or of these, blanks and pairs of quotes."""
        only_separators = stops - starts == np.subtract(n_fields, 1)
        first = view[starts]
        may_be = ((first == self._separator) | (first == _BLANK_BYTES) | (first == _QUOTE)) & ~only_separators
        none = bytes([self._separator]) + b' "'
        count = int((only_separators & (stops > starts)).sum())
        for row in np.flatnonzero(may_be).tolist():
            record = data[starts[row] : stops[row]]
            if not record.translate(None, none):
                (parsed,) = parse_records(iter([record.decode()]), chr(self._separator))
                count += not any(parsed.fields or ())
        return count
