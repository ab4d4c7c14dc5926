"""Tables as CSV that no spreadsheet takes for formulas; private ones are readable by their owner alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nps_research.errors import visible

# What spreadsheets take for a formula: a sign, plain or full-width, perhaps behind blanks, seen or not; and what begins
# with a control character, which some of them drop.
_FORMULA = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\x00-\x1f]")


def csv_text(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    r"""Write a table as CSV that no spreadsheet takes for formulas.

    Text that begins like a formula gets an apostrophe before it, control characters are shown as such; numbers stay
    numbers.

    Examples
    --------
    >>> csv_text(["group", "estimate"], [["=1+1", -5.3]])
    "group,estimate\n'=1+1,-5.3\n"
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_inert(column) for column in columns])
    writer.writerows([_inert(value) for value in row] for row in rows)
    return buffer.getvalue()


def _inert(value: Any) -> Any:
    if isinstance(value, str):
        text = visible(value.replace("\r", " "))  # to some readers a new row, quoted or not
        return f"'{text}" if _FORMULA.match(value) else text
    if pd.api.types.is_scalar(value):
        return "" if pd.isna(value) else value
    return _inert(str(value))


def write_private(folder: Path, name: str, content: str | bytes) -> None:
    """Write a file that only its owner can read."""
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
