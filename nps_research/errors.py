"""The errors this package raises on purpose.

Their texts are safe to share: they name columns, rules and counts, never a respondent's id,
e-mail, comment or an unreadable cell. Every other exception is a fault of ours, and reports
show no more of it than its class.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CannotAnswerError", "ContractError", "EstimationError", "NPSResearchError", "ReportError"]


class NPSResearchError(Exception):
    """Base of all errors raised by nps_research."""


class ContractError(NPSResearchError):
    """A study's settings or tables break the data contract."""


class CannotAnswerError(ContractError):
    """A study lacks the columns that a question needs."""


class EstimationError(NPSResearchError):
    """The data given cannot support the estimate asked for."""


class ReportError(NPSResearchError):
    """A report could not be made or published."""


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
