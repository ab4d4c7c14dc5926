"""Which encoding a text file has, and its text as UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from typing import NamedTuple

from nps_research.errors import ContractError
from nps_research.reading.containers import FileContent
from nps_research.reading.raw_table import counted

BYTES_AT_ONCE = 1 << 20
_MARK = codecs.BOM_UTF8
_MARKS = (  # the order matters: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CYRILLIC = ("cp1251", "koi8-u", "cp866")
_LATIN = ("cp1252", "cp1250")
_JAPANESE = "cp932"  # Shift-JIS as Windows writes it
_NOT_OF_FILES = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7")  # ways to spell text in ASCII
_GOOD_TO_BAD = 5  # characters beyond ASCII that are UTF-8, for each byte that is not
_LINES_NAMED = 5

# Letters of Central Europe that cp1252 would read as signs, or as letters rare in the middle of a word.
_CENTRAL_EUROPEAN = re.compile(rb"[A-Za-z\xc0-\xff][\x9a\x9d\x9e\xb3\xb9\xba\xbe\xbf\xec\xfe][a-z\xc0-\xff]")
# Hiragana, katakana, their signs, and the kanji of every day, two bytes each.
_SHIFT_JIS = re.compile(rb"(?:[\x81-\x83\x88-\x97][\x40-\x7e\x80-\xfc])+")


class FoundEncoding(NamedTuple):
    """The encoding of a text file; `errors` is ``replace`` where single bytes are not of it."""

    name: str
    notes: tuple[str, ...]
    errors: str = "strict"


def utf8_blocks(content: FileContent, encoding: FoundEncoding) -> Iterator[bytes]:
    """The text as UTF-8, in blocks, behind its byte order mark; no character is cut in two in any but UTF-8 files."""
    with content.open() as file:
        if _is_utf_8(encoding.name) and encoding.errors == "strict":
            block = file.read(BYTES_AT_ONCE).removeprefix(_MARK)
            while block:
                yield block
                block = file.read(BYTES_AT_ONCE)
            return
        decoder = codecs.getincrementaldecoder(_without_mark(encoding.name))(encoding.errors)
        first = True
        while True:
            block = file.read(BYTES_AT_ONCE)
            text = decoder.decode(block, final=not block)
            if first and text:
                text, first = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), False
            if text:
                yield text.encode()
            if not block:
                return


def find_encoding(content: FileContent, stated: str | None) -> FoundEncoding:
    """The encoding of a text file: as stated, by its byte order mark, UTF-8 where nearly all is, else guessed.

    The notes say how it was found. The file is known to decode then, to its end.
    """
    with content.open() as file:
        start = file.read(4)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    removed = ("byte order mark removed",) if marked else ()
    if stated is not None:
        _check_encoding(stated, content.name)
        if not _decodes(content, stated):
            line = _undecodable_line(content, stated)
            raise ContractError(
                f"{content.name} does not decode as {stated}, the encoding stated, from line {line:,} on"
            )
        return FoundEncoding(stated, removed)
    encoding = marked or _unmarked_utf_16(content) or "utf-8"
    if _decodes(content, encoding):
        return FoundEncoding(encoding, (f"encoding {encoding}, detected", *removed))
    if _is_utf_8(encoding) and (bad := _bad_lines(content)):
        n_bytes, lines = bad
        listed = ", ".join(f"{line:,}" for line in lines[:_LINES_NAMED]) + (
            ", ..." if len(lines) > _LINES_NAMED else ""
        )
        note = (
            f"{counted(n_bytes, 'piece')} of text not of that encoding, on line{'s' * (len(lines) > 1)} {listed}, "
            "replaced by the sign \N{REPLACEMENT CHARACTER}"
        )
        return FoundEncoding(encoding, (f"encoding {encoding}, detected", *removed, note), "replace")
    if marked:
        line = _undecodable_line(content, encoding)
        raise ContractError(
            f"{content.name} begins with the mark of {marked}, but does not decode from line {line:,} on"
        )
    encoding = _other_encoding(content)
    return FoundEncoding(encoding, (f"encoding {encoding}, detected",))


def _is_utf_8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _without_mark(encoding: str) -> str:
    return "utf-8" if _is_utf_8(encoding) else encoding  # the errors of utf-8-sig miss the mark


def _check_encoding(stated: str, name: str) -> None:
    try:
        "".encode(stated)  # refuses, too, codecs that make no text
        known = codecs.lookup(stated).name not in _NOT_OF_FILES
    except (LookupError, UnicodeError, ValueError):
        known = False
    if not known:
        close = get_close_matches(stated.lower(), ["utf-8", "utf-16", "latin1", "cp1250", "cp1251", "cp1252", "koi8-r"])
        hint = f"did you mean {close[0]!r}?" if close else "allowed are e.g. 'utf-8', 'cp1251', 'latin1'"
        raise ContractError(f"there is no encoding {stated!r}, stated for {name}; {hint}")


def _decodes(content: FileContent, encoding: str) -> bool:
    """Whether all of a file is of an encoding."""
    is_utf_8 = _is_utf_8(encoding)
    decoder = codecs.getincrementaldecoder(_without_mark(encoding))()
    with content.open() as file:
        while block := file.read(BYTES_AT_ONCE):
            if is_utf_8 and block.isascii() and not decoder.getstate()[0]:
                continue
            try:
                decoder.decode(block)
            except UnicodeError:
                return False
        try:
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _undecodable_line(content: FileContent, encoding: str) -> int:
    """The first line that does not decode, of a file that does not."""
    decoder = codecs.getincrementaldecoder(_without_mark(encoding))()
    line_ends = io.IncrementalNewlineDecoder(None, translate=True)
    line = 1
    with content.open() as file:
        while True:
            block = file.read(BYTES_AT_ONCE)
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
                return line


def _bad_lines(content: FileContent) -> tuple[int, list[int]] | None:
    """In a file that is nearly all UTF-8: how many pieces are not, and on which lines; None where many are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    sign = "\N{REPLACEMENT CHARACTER}"
    bad = beyond = 0
    lines: dict[int, None] = {}
    line, after_return = 1, False
    with content.open() as file:
        block = b" "
        while block:
            block = file.read(BYTES_AT_ONCE)
            text = decoder.decode(block, final=not block)
            beyond += len(text) - len(text.encode("ascii", "ignore"))
            if after_return and text.startswith("\n"):
                text = text[1:]  # the second half of a line end that was counted
            after_return = text.endswith("\r") if text else after_return
            if sign in text:
                rows = re.split("\r\n|\r|\n", text)
                for number, row in enumerate(rows):
                    if sign in row:
                        bad += row.count(sign)
                        lines[line + number] = None
                line += len(rows) - 1
            else:
                line += text.count("\n") + text.count("\r") - text.count("\r\n")
    return (bad, list(lines)) if beyond - bad >= _GOOD_TO_BAD * bad else None


def _unmarked_utf_16(content: FileContent) -> str | None:
    """UTF-16 without a byte order mark: every digit, separator and line end has a zero byte, always on one side."""
    with content.open() as file:
        start = file.read(BYTES_AT_ONCE)
    start = start[: len(start) // 2 * 2]
    if 0 not in start:
        return None
    for encoding, low, high in (("utf-16-le", start[0::2], start[1::2]), ("utf-16-be", start[1::2], start[0::2])):
        if high.count(0) > 0.05 * len(high) and 0 not in low and b"\n" in _characters_below_256(low, high):
            return encoding
    return None


def _characters_below_256(low: bytes, high: bytes) -> bytes:
    return bytes(character for character, page in zip(low, high, strict=True) if page == 0)


def _other_encoding(content: FileContent) -> str:
    """Guess from the lines with bytes beyond ASCII, wherever in the file they stand.

    Shift-JIS is told by its kana and common kanji. In Cyrillic text such bytes come in runs, in Latin text they
    stand alone between ASCII letters: that tells the scripts apart even by a few words. Among Cyrillic encodings
    charset_normalizer weighs the language; between the Latin ones it cannot choose, and the letters of Polish,
    Czech or Romanian decide. Hungarian is not told from Western text: state cp1250.
    """
    sample = _beyond_ascii(content)
    high = sum(map(len, re.findall(rb"[\x80-\xff]+", sample)))
    japanese = sum(map(len, _SHIFT_JIS.findall(sample)))
    if japanese > 0.8 * high and _decodes(content, _JAPANESE):
        return _JAPANESE
    in_runs = sum(map(len, re.findall(rb"[\x80-\xff]{2,}", sample)))
    alone = len(re.findall(rb"[A-Za-z][\x80-\xff](?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff][A-Za-z]", sample))
    if in_runs > alone:
        from charset_normalizer import from_bytes  # late: only files that are not UTF-8 need it

        match = from_bytes(sample, steps=20, cp_isolation=[*_CYRILLIC]).best()
        guess = str(match.encoding).replace("_", "-") if match else _CYRILLIC[0]
    else:
        central = 20 * len(_CENTRAL_EUROPEAN.findall(sample)) > in_runs + alone
        guess = "cp1250" if central else "cp1252"
    candidates: list[str] = [guess, *(_CYRILLIC if guess in _CYRILLIC else _LATIN), "latin1"]
    return next(encoding for encoding in candidates if _decodes(content, encoding))


def _beyond_ascii(content: FileContent) -> bytes:
    """Up to 1 MB of the lines with bytes beyond ASCII."""
    sample = bytearray()
    with content.open() as file:
        while len(sample) < BYTES_AT_ONCE and (block := file.read(BYTES_AT_ONCE)):
            for line in block.splitlines():  # one pattern for such a line would try long ones from every byte
                if not line.isascii():
                    sample += line + b"\n"
    return bytes(sample[:BYTES_AT_ONCE])
