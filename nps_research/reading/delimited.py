"""Text tables: which separator, which records on which lines, and the slow way to read them, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from nps_research.errors import ContractError
from nps_research.reading.containers import text_content
from nps_research.reading.encodings import BYTES_AT_ONCE, find_encoding, utf8_blocks
from nps_research.reading.header_rows import count_title_rows
from nps_research.reading.raw_table import RawTable, Reading
from nps_research.reading.records import find_header, table_of_body
from nps_research.reading.regular import read_body
from nps_research.reading.text_lines import TextLines, long_cells, parse_records

_SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
_SEPARATOR_LINE = re.compile('"?sep=([^"\r\n])"?[,;]*[\r\n]*', re.IGNORECASE)
_LOOKED_AT = 200  # records


def read_delimited(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """Text with separators."""
    content = text_content(path)
    encoding = find_encoding(content, reading.encoding)
    notes = (*content.notes, *encoding.notes)
    separator = reading.separator
    if separator is not None and (len(separator) != 1 or separator in '" \r\n'):
        raise ContractError(
            f"separator {separator!r} stated for {path.name}; allowed is one character, not a quote, blank or line end"
        )
    text = TextLines(utf8_blocks(content, encoding))
    if marked := _SEPARATOR_LINE.fullmatch(next(text.lines(), "")):
        text.drop_lines(1)
        separator = separator or marked.group(1)
        notes = (*notes, "the first line, sep=, is Excel's mark of the separator, and left out")
    if separator is None:
        separator, note = find_separator(text)
        notes = (*notes, note)
    with long_cells():
        records = parse_records(text.lines(), separator, text.line)
        header, below = find_header(records, path.name, reading.header_rows)
        below = below or list(islice(records, 1))
        n_lines = below[0].line - text.line if below else None
        text.drop_lines(n_lines)
        body = read_body(text, header.columns, separator, columns)
    return table_of_body(
        header,
        body,
        path,
        read_with={"encoding": encoding.name, "separator": separator},
        notes=(*reading.unused("a text file", "encoding", "separator", "header_rows"), *notes),
    )


def find_separator(text: TextLines) -> tuple[str, str]:
    """The separator that cuts most of the first records into as many fields as the header, and a note on it."""
    head: list[str] = []
    size = 0
    for line in text.lines():
        head.append(line)
        size += len(line)
        if size >= BYTES_AT_ONCE or len(head) == 2_000:
            break
    best, best_fit = "", (0.0, 0)
    for separator in _SEPARATORS:
        with long_cells():
            parsed = islice(parse_records(iter(head), separator), _LOOKED_AT)
            records = [record.fields for record in parsed if record.fields != []]
        records = records[count_title_rows(records) :]
        width = len(records[0] or []) if records else 0
        agree = sum(fields is not None and len(fields) == width for fields in records)
        if width >= 2 and (agree / len(records), width) > best_fit:
            best, best_fit = separator, (agree / len(records), width)
    if not best:
        return ",", "no separator found: one column"
    return best, f"separator {_SEPARATORS[best]}, detected"
