"""How names, values and tables are spelt in a study.toml and in sentences about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from nps_research.errors import HIDDEN, ContractError
from nps_research.reading.raw_table import counted

_SCALE_BEHIND = re.compile(r"(?<=\w)\s*[(\[][01]\s*(?:-|–|to|bis|à|a)\s*\d{1,2}[)\]]$")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def quoted_toml(text: str) -> str:
    """A TOML string, on one line and without control characters whatever is in it."""
    return HIDDEN.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    if 0xD800 <= number < 0xE000:
        raise ContractError(f"{found.string} is no text that study.toml can hold: rename it")
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"


def toml_key(text: str) -> str:
    """A key of TOML, in quotation marks where it needs them."""
    return text if _BARE_KEY.fullmatch(text) else quoted_toml(text)


def listed(names: Iterable[str]) -> str:
    """Names in quotation marks, with commas between."""
    return ", ".join(map(quoted_toml, names))


def inline_table(table: Mapping[str, object]) -> str:
    """A TOML table on one line; its values are written already."""
    return "{ " + ", ".join(f"{toml_key(key)} = {value}" for key, value in table.items()) + " }"


def on_one_line(text: str) -> str:
    """Text on one line, without quotation marks around it."""
    return quoted_toml(text)[1:-1].replace('\\"', '"')


def cells_in_words(values: Mapping[int, int]) -> str:
    """Values and how many cells hold each."""
    return ", ".join(f"{value} ({n:,} {'cell' if n == 1 else 'cells'})" for value, n in values.items())


def rows_in_words(values: Mapping[str, int]) -> str:
    """Values and how many rows hold each."""
    return ", ".join(f"{quoted_toml(value)} ({counted(n, 'row')})" for value, n in values.items())


def code_list(values: Iterable[str]) -> str:
    """Values as a TOML list; whole numbers as numbers."""
    return "[" + ", ".join(value if re.fullmatch(r"-?\d{1,9}", value) else quoted_toml(value) for value in values) + "]"


def whole_codes(odd: Mapping[str, int]) -> dict[int, int]:
    """Of values that are no answer, those that may be printed: whole numbers."""
    numbers = {int(float(value)): n for value, n in odd.items() if re.fullmatch(r"-?\d{1,4}(\.0)?", value)}
    return dict(sorted(numbers.items()))


def display_name(column: str) -> str:
    """A column's name as a reader would write it, where that is only a matter of signs between words."""
    column = _SCALE_BEHIND.sub("", column)
    words = re.sub(r"[_\s]+" if " " in column or column != column.lower() else r"[_\-\s]+", " ", column).strip()
    return words[:1].upper() + words[1:] if words else column
