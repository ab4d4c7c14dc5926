"""Answers without estimates: a table with a sentence, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Listing", "NotAnswered", "attempt"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Listing(Result):
    """A table with a sentence: `says` is its finding, `remark` its note. No estimates, no figure."""

    says: str
    remark: str = ""

    kind: ClassVar[str] = "listing"
    has_figure: ClassVar[bool] = False
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("rows", "accepted", "quarantined", "identities", "people"), "count"),
    }
    headings: ClassVar[Mapping[str, str]] = {"term": "What", "first_lines": "First lines"}

    @property
    def settings(self) -> dict[str, Any]:
        return {}

    @property
    def finding(self) -> str:
        return self.says

    @property
    def note(self) -> str:
        return self.remark


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NotAnswered(Listing):
    """A question that this study cannot answer, and why."""

    kind: ClassVar[str] = "not_answered"


def attempt(question: Callable[[], Result]) -> Result:
    """The answer to a question, or one sentence on what the study lacks for it.

    Parameters
    ----------
    question : callable
        Takes nothing and returns a result; may raise CannotAnswerError.

    Returns
    -------
    Result
        What `question` returns, or a `NotAnswered`. Every other error passes through.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3]}))
    >>> attempt(lambda: study.require("responses.wave"))
    <NotAnswered: This study does not record the round of the survey (responses.wave).>
    """
    try:
        return question()
    except CannotAnswerError as error:
        return NotAnswered(frame=pd.DataFrame({"term": pd.Series(dtype="str")}), says=str(error))
