"""Text in hand, line by line, and its records parsed one by one: the way that holds for any text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from nps_research.reading.records import Record

_LINE_END = re.compile(b"\r\n|\n|\r")
_LONGEST_CELL = 2**31 - 1


class TextLines:
    r"""UTF-8 text that arrives in blocks, held from where it is still to be read.

    Attributes
    ----------
    held : bytes
        What has arrived; what lies before `at` has been read.
    line : int
        Number of the line that begins at `at`.
    ended : bool
        Whether all of it has arrived; the last line then has a line end.

    Examples
    --------
    >>> text = TextLines(iter([b"a\r", b"\nb\nc"]))
    >>> text.drop_lines(1)
    >>> list(text.lines()), text.line
    (['b\n', 'c\n'], 2)
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.held = b""
        self.at = 0
        self.line = 1
        self.ended = False
        self._blocks = blocks

    def more(self) -> bool:
        """Take in at least as much again as is held; whether there was any."""
        parts = [self.held[self.at :]]
        wanted, size = max(1, len(parts[0])), 0
        while size < wanted and not self.ended:
            block = next(self._blocks, None)
            self.ended = block is None
            parts.append(block or b"")
            size += len(parts[-1])
        if self.ended and (last := b"".join(parts[-2:])) and last[-1] not in b"\r\n":
            parts.append(b"\n")
        before, self.held, self.at = len(parts[0]), b"".join(parts), 0
        return len(self.held) > before

    def lines(self, starts: list[int] | None = None) -> Iterator[str]:
        """The lines from here on, without moving on; where each ends, from here, goes into `starts`."""
        position = 0
        while True:
            found = _LINE_END.search(self.held, self.at + position)
            if found is None or (found.end() == len(self.held) and not self.ended):  # a return may be half a line end
                if self.more():
                    continue
                if found is None:
                    return
            line = self.held[self.at + position : found.end()]
            position += len(line)
            if starts is not None:
                starts.append(position)
            yield line.decode()

    def drop(self, n_bytes: int, n_lines: int) -> None:
        """Move on."""
        self.at += n_bytes
        self.line += n_lines

    def drop_lines(self, n_lines: int | None) -> None:
        """Move on by lines; None to the end."""
        starts = [0]
        for _ in islice(self.lines(starts), n_lines):
            pass
        self.drop(starts[-1], len(starts) - 1)


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the csv module read cells of any length for a while; its limit holds for the whole process."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def parse_records(lines: Iterator[str], separator: str, first_line: int = 1) -> Iterator[Record]:
    r"""Parse records strictly; one with broken quotes costs its first line only, and parsing goes on behind it.

    Examples
    --------
    >>> lines = ["id,comment\n", '1,"two\n', 'lines"\n', '2,"never closed\n', "3,fine\n"]
    >>> for record in parse_records(iter(lines), ","):
    ...     print(record.line, record.fields)
    1 ['id', 'comment']
    2 ['1', 'two\nlines']
    4 None
    5 ['3', 'fine']
    """
    taken: list[str] = []  # lines of the record in hand
    again: list[str] = []  # lines given back, the next one last

    def feed() -> Iterator[str]:
        while (text := again.pop() if again else next(lines, None)) is not None:
            taken.append(text)
            yield text

    line = first_line
    reader = csv.reader(feed(), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        taken.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(line, None)
            line += 1
            again.extend(reversed(taken[1:]))
            reader = csv.reader(feed(), delimiter=separator, skipinitialspace=True, strict=True)
            continue
        blank = len(fields) == 1 and not fields[0].strip() and '"' not in taken[0]
        yield Record(line, [] if blank else fields, len(taken))
        line += len(taken)
