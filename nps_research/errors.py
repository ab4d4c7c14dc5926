"""The errors this package raises on purpose.

Their texts are safe to share: they name columns, rules and counts, never a respondent's id,
e-mail, comment or an unreadable cell. Every other exception is a fault of ours, and reports
show no more of it than its class.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CannotAnswerError", "ContractError", "EstimationError", "NPSResearchError", "ReportError"]


# What steers a terminal, breaks a line (but line feed and tab), turns the direction of writing or has no width, but for
# what joins letters of some scripts, and emoji; halves of characters.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)

NO_ADDRESS = (
    "is an address (URL), and must be a path: put the address of a database into an environment variable, and state "
    "the variable's name as url_variable"
)
_WITH_SCHEME = re.compile(r"[A-Za-z][\w+.-]+:/")  # a path has lost one of two strokes
_SECRET = re.compile(
    r"([A-Za-z][\w+.-]*:/{1,2}).*@|\b((?:password|passwd|pwd|token|secret)\s*=)\s*[^\s;&]+", re.IGNORECASE
)


class NPSResearchError(Exception):
    """Base of all errors raised by nps_research."""

    def __str__(self) -> str:
        return _SECRET.sub(r"\1\2***", visible(super().__str__()))


class ContractError(NPSResearchError):
    """A study's settings or tables break the data contract."""


class CannotAnswerError(ContractError):
    """A study lacks the columns that a question needs."""


class EstimationError(NPSResearchError):
    """The data given cannot support the estimate asked for."""


class ReportError(NPSResearchError):
    """A report could not be made or published."""


def visible(text: str) -> str:
    r"""Text whose control characters are shown as such, so that no terminal and no page does what they say.

    Examples
    --------
    >>> visible("2024\x1b[2J")
    '2024\\x1b[2J'
    """
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def check_no_address(path: object, what: str) -> None:
    """Refuse an address such as postgresql://user:password@host where a path is meant; it is not repeated."""
    if _WITH_SCHEME.search(str(path)):
        raise ContractError(f"{what} {NO_ADDRESS}.")


def sentences_joined(sentences: Iterable[str]) -> str:
    """Several faults as one text that ends in one mark.

    Examples
    --------
    >>> sentences_joined(["a is missing", "b is not known: did you mean c?"])
    'a is missing; b is not known: did you mean c?'
    """
    text = "; ".join(sentences)
    return text if text.endswith("?") else f"{text}."


def did_you_mean(name: str, allowed: list[str]) -> str:
    """The nearest allowed name as a question, or all that is allowed.

    Examples
    --------
    >>> did_you_mean("promotor_min", ["promoter_min", "seed"])
    ': did you mean promoter_min?'
    """
    close = get_close_matches(name.lower(), [item.lower() for item in allowed], n=1, cutoff=0.6)
    if close:
        return f": did you mean {next(item for item in allowed if item.lower() == close[0])}?"
    return f" (allowed: {', '.join(allowed)})" if allowed else ""
