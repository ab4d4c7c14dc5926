"""What a question may need of a study, by name and in words, and whether a study records it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.results.listing import NotAnswered
from nps_research.study.standard_columns import TABLES

Question = TypeVar("Question", bound=Callable[..., Any])

_OUTCOMES = "what customers did afterwards"
NEEDS: Mapping[str, str] = {
    **{f"{table}.{name}": column.says for table, columns in TABLES.items() for name, column in columns.items()},
    "responses.drivers": "ratings of single experiences",
    "responses.segments": "columns to compare groups by",
    "responses.silence": "who was silent beside those who returned the form",
    "outcomes": _OUTCOMES,
    "problems.named": "which problems customers have, nor what coders read in their comments",
}
EITHER: Mapping[str, tuple[str, ...]] = {"problems.named": ("problems.problem", "hand_codes.problem")}


def need_in_words(need: str) -> str:
    """Say what a need is, and its name.

    Examples
    --------
    >>> need_in_words("responses.wave")
    'the round of the survey (responses.wave)'
    """
    return f"{NEEDS.get(need, _OUTCOMES)} ({need})"


NOT_YET = "responses.pending"  # some have not answered, and for all of them the window is still open
NOT_READ = "responses.lazy"  # rows are counted where they lie; who was silent is not looked up
NEEDS_ROWS = (
    "The responses of this study are a lazy frame: they can be counted where they lie, but this needs the rows "
    "themselves. Give Study.from_frames a pandas DataFrame, of a sample for example."
)

_FIRST_STEPS: dict[Callable[..., Any], Callable[[Any], object]] = {}


def begins_with(first: Callable[[Any], object]) -> Callable[[Question], Question]:
    """Declare what a question does first with a study: what it counts or checks, and where it refuses.

    Parameters
    ----------
    first : callable
        Takes a study. The question itself calls it, or what it consists of, so that both refuse alike.
    """

    def declare(question: Question) -> Question:
        _FIRST_STEPS[question] = first
        return question

    return declare


def refusal(question: Callable[..., Any], study: object) -> str:
    """Ask a question only as far as it may refuse: the sentence of its CannotAnswerError, or empty."""
    try:
        _FIRST_STEPS[question](study)
    except CannotAnswerError as error:
        return str(error)
    return ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Recorded:
    """What a study records.

    Attributes
    ----------
    available : frozenset of str
        The needs that are met.
    """

    available: frozenset[str]

    def can_answer(self, *needs: str) -> bool:
        """Whether the study holds all of the columns, each with at least one value.

        Parameters
        ----------
        *needs : str
            ``table.column`` with standard names, ``responses.drivers``, ``responses.segments``,
            ``responses.silence`` (who was silent, and who was not), ``problems.named`` (by the survey, or in codes of
            comments), ``outcomes`` (any) or ``outcomes.<name>``.

        Raises
        ------
        ContractError
            If a need names no standard column.
        """
        return not self._lacking(needs)

    def missing(self, *needs: str) -> str:
        """One sentence on what the study lacks; empty where it lacks nothing."""
        lacking = self._lacking(needs)
        if lacking == ["responses.silence"] and NOT_YET in self.available:
            return "Who is silent is not known yet: all who have not answered may still do so in time."
        if "responses.silence" in lacking and NOT_READ in self.available:
            return NEEDS_ROWS
        return f"This study does not record {', nor '.join(map(need_in_words, lacking))}." if lacking else ""

    def require(self, *needs: str) -> None:
        """Raise `CannotAnswerError`, which says what is missing, unless `can_answer`."""
        if sentence := self.missing(*needs):
            raise CannotAnswerError(sentence)

    def explain_missing(self, *needs: str) -> NotAnswered:
        """Say what the study lacks, as a question that is not answered; ContractError where it lacks nothing."""
        sentence = self.missing(*needs)
        if not sentence:
            raise ContractError(f"Nothing is missing: this study records {', '.join(needs)}.")
        return NotAnswered(says=sentence)

    def _lacking(self, needs: Sequence[str]) -> list[str]:
        for need in needs:
            if need not in NEEDS and not need.startswith("outcomes."):
                raise ContractError(f"The contract has no {need}{did_you_mean(need, list(NEEDS))}")
        return [need for need in needs if not self.available.intersection(EITHER.get(need, (need,)))]
