"""What a question may need of a study, by name and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nps_research.study.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NEEDS", "need_in_words"]

_OUTCOMES = "what customers did afterwards"
NEEDS: Mapping[str, str] = {
    **{f"{table}.{name}": column.says for table, columns in TABLES.items() for name, column in columns.items()},
    "responses.drivers": "ratings of single experiences",
    "responses.segments": "columns to compare groups by",
    "responses.silence": "who was silent beside those who returned the form",
    "outcomes": _OUTCOMES,
}


def need_in_words(need: str) -> str:
    """What a need is, and its name.

    Examples
    --------
    >>> need_in_words("responses.wave")
    'the round of the survey (responses.wave)'
    """
    return f"{NEEDS.get(need, _OUTCOMES)} ({need})"
