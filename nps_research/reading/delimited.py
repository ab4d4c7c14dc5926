"""Text tables cell by cell: which encoding, which separator, which records on which lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TextIO

from charset_normalizer import from_bytes

from nps_research.errors import ContractError
from nps_research.reading.raw_table import RawTable, Reading
from nps_research.reading.records import Record, table_of_records

_BLOCK = 1 << 20
_LONGEST_CELL = 2**31 - 1
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # the byte order mark, decoded
_MARKS = (  # the order matters: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CYRILLIC = ("cp1251", "koi8-u", "cp866")
_LATIN = ("cp1252", "cp1250")
_NOT_OF_FILES = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7")  # ways to spell text in ASCII
_SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}

# Letters of Central Europe that cp1252 would read as signs, or as letters rare in the middle of a word.
_CENTRAL_EUROPEAN = re.compile(rb"[A-Za-z\xc0-\xff][\x9a\x9d\x9e\xb3\xb9\xba\xbe\xbf\xec\xfe][a-z\xc0-\xff]")


def read_delimited(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """Read text with separators."""
    encoding, notes = find_encoding(path, reading.encoding)
    separator = reading.separator
    if separator is None:
        separator, note = find_separator(path, encoding)
        notes = (*notes, note)
    elif len(separator) != 1 or separator in '" \r\n':
        raise ContractError(
            f"separator {separator!r} stated for {path.name}; allowed is one character, not a quote, blank or line end"
        )
    with long_cells(), open_text(path, encoding) as file:
        return table_of_records(
            parse_records(file, separator),
            path,
            columns,
            what=path.name,
            header_rows=reading.header_rows,
            read_with={"encoding": encoding, "separator": separator},
            notes=(*reading.unused("a text file", "encoding", "separator", "header_rows"), *notes),
        )


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a text file behind its byte order mark, with its own line ends."""
    with path.open(encoding=encoding, newline="") as file:
        if file.read(1) != _MARK:
            file.seek(0)
        yield file


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the csv module read cells of any length for a while; its limit holds for the whole process."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def parse_records(lines: Iterator[str], separator: str) -> Iterator[Record]:
    r"""Parse records strictly; one with broken quotes costs its first line only, and parsing goes on behind it.

    Examples
    --------
    >>> lines = ["id,comment\n", '1,"two\n', 'lines"\n', '2,"never closed\n', "3,fine\n"]
    >>> for record in parse_records(iter(lines), ","):
    ...     print(*record)
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

    line = 1
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
        yield Record(line, [] if blank else fields)
        line += len(taken)


def find_separator(path: Path, encoding: str) -> tuple[str, str]:
    """Find the separator that cuts most first records into as many fields as the header, and a note on it."""
    head: list[str] = []
    size = 0
    with open_text(path, encoding) as file:
        while size < _BLOCK and len(head) < 2_000 and (line := file.readline(_BLOCK)):
            head.append(line)
            size += len(line)
    best, best_fit = "", (0.0, 0)
    for separator in _SEPARATORS:
        with long_cells():
            records = [fields for _, fields in islice(parse_records(iter(head), separator), 200) if fields != []]
        width = len(records[0] or []) if records else 0
        agree = sum(fields is not None and len(fields) == width for fields in records)
        if width >= 2 and (agree / len(records), width) > best_fit:
            best, best_fit = separator, (agree / len(records), width)
    if not best:
        return ",", "no separator found: one column"
    return best, f"separator {_SEPARATORS[best]}, detected"


def find_encoding(path: Path, stated: str | None) -> tuple[str, tuple[str, ...]]:
    """Find a text file's encoding: as stated, by its byte order mark, UTF-8 where all decodes, else guessed.

    Returns the encoding and notes on how it was found. The file is known to decode then, to its end.
    """
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    removed = ("byte order mark removed",) if marked else ()
    if stated is not None:
        _check_encoding(stated, path)
        line = _undecodable_line(path, stated)
        if line is not None:
            raise ContractError(f"{path.name} does not decode as {stated}, the encoding stated, from line {line:,} on")
        return stated, removed
    encoding = marked or _unmarked_utf_16(path) or "utf-8"
    line = _undecodable_line(path, encoding)
    if marked and line is not None:
        raise ContractError(f"{path.name} begins with the mark of {marked}, but does not decode from line {line:,} on")
    if line is not None:
        encoding = _single_byte_encoding(path)
    return encoding, (f"encoding {encoding}, detected", *removed)


def _unmarked_utf_16(path: Path) -> str | None:
    """UTF-16 without a byte order mark: every digit, separator and line end has a zero byte, always on one side."""
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    start = start[: len(start) // 2 * 2]
    for encoding, low, high in (("utf-16-le", start[0::2], start[1::2]), ("utf-16-be", start[1::2], start[0::2])):
        if high.count(0) > 0.05 * len(high) and 0 not in low and b"\n" in _characters_below_256(low, high):
            return encoding
    return None


def _characters_below_256(low: bytes, high: bytes) -> bytes:
    return bytes(character for character, page in zip(low, high, strict=True) if page == 0)


def _check_encoding(stated: str, path: Path) -> None:
    try:
        "".encode(stated)  # refuses, too, codecs that make no text
        known = codecs.lookup(stated).name not in _NOT_OF_FILES
    except (LookupError, UnicodeError, ValueError):
        known = False
    if not known:
        close = get_close_matches(stated.lower(), ["utf-8", "utf-16", "latin1", "cp1250", "cp1251", "cp1252", "koi8-r"])
        hint = f"did you mean {close[0]!r}?" if close else "allowed are e.g. 'utf-8', 'cp1251', 'latin1'"
        raise ContractError(f"there is no encoding {stated!r}, stated for {path.name}; {hint}")


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """The first line that does not decode, or None where all do."""
    plain = "utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding  # the former's errors miss the mark
    decoder = codecs.getincrementaldecoder(plain)()
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    line = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            held_back = decoder.getstate()
            try:
                line += line_ends.decode(decoder.decode(block, final=not block)).count("\n")
            except UnicodeDecodeError as error:
                decoder.setstate(held_back)
                good = block[: max(0, error.start - len(held_back[0]))]
                with suppress(UnicodeError):  # it may be the mark that does not decode
                    line += line_ends.decode(decoder.decode(good), final=True).count("\n")
                return line
            except UnicodeError:  # of the text as a whole: UTF-16 or UTF-32 stated, and no byte order mark
                return 1
            if not block:
                return None


def _single_byte_encoding(path: Path) -> str:
    """Guess from the lines with bytes beyond ASCII, wherever in the file they stand.

    In Cyrillic text such bytes come in runs, in Latin text they stand alone between ASCII letters:
    that tells the scripts apart even by a few words. Among Cyrillic encodings charset_normalizer
    weighs the language; between the Latin ones it cannot choose, and the letters of Polish, Czech
    or Romanian decide. Hungarian is not told from Western text: state cp1250.
    """
    sample = _beyond_ascii(path)
    in_runs = sum(map(len, re.findall(rb"[\x80-\xff]{2,}", sample)))
    alone = len(re.findall(rb"[A-Za-z][\x80-\xff](?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff][A-Za-z]", sample))
    if in_runs > alone:
        match = from_bytes(sample, steps=20, cp_isolation=[*_CYRILLIC]).best()
        guess = str(match.encoding).replace("_", "-") if match else _CYRILLIC[0]
    else:
        central = 20 * len(_CENTRAL_EUROPEAN.findall(sample)) > in_runs + alone
        guess = "cp1250" if central else "cp1252"
    candidates: list[str] = [guess, *(_CYRILLIC if guess in _CYRILLIC else _LATIN), "latin1"]
    return next(encoding for encoding in candidates if _undecodable_line(path, encoding) is None)


def _beyond_ascii(path: Path) -> bytes:
    """Up to 1 MB of the lines with bytes beyond ASCII."""
    sample = bytearray()
    with path.open("rb") as file:
        while len(sample) < _BLOCK and (block := file.read(_BLOCK)):
            for line in block.splitlines():  # one pattern for such a line would try long ones from every byte
                if not line.isascii():
                    sample += line + b"\n"
    return bytes(sample[:_BLOCK])
