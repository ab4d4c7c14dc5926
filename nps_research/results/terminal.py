"""What reaches a terminal: text that steers nothing, in an encoding that may not hold it."""

from __future__ import annotations

import codecs
import io
import sys

from rich.markup import escape

from nps_research.errors import visible
from nps_research.results.words import DASH, MINUS

_NEAREST = "nps_research.nearest"
_NEAREST_OF = {MINUS: "-", DASH: "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " ", "\N{MIDDLE DOT}": "-"}


def write_what_can_be_written() -> None:
    """From now on characters that the terminal's encoding does not hold are replaced by the nearest."""
    codecs.register_error(_NEAREST, _nearest_character)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NEAREST)


def _nearest_character(error: UnicodeError) -> tuple[str, int]:
    """What to write instead of characters that the terminal's encoding does not hold."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_NEAREST_OF.get(character, "?") for character in lost), error.end


def for_terminal(text: str) -> str:
    """Text of a study or file for the terminal: one line that steers nothing."""
    return escape(visible(text).replace("\n", r"\n"))
