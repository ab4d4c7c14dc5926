"""Answers without estimates: a table with a sentence, a list of people to call, or why there is no answer."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar

import pandas as pd

from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result

LISTS = "NPS_RESEARCH_LISTS"  # set by the report runner alone: the private folder that lists of people are written to

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Listing(Result):
    """A table with a sentence, or a list of people to call. No estimates, no figure.

    Attributes
    ----------
    says : str
        The finding.
    remark : str
        Method and caveats: its note.
    people : pandas.DataFrame or None
        Respondents or accounts to call; never displayed. Where a report is made, displaying the listing writes them
        to the report's private folder; elsewhere they are there to be looked at or saved.
    glance : mapping
        What a report's first page says of it.
    """

    says: str
    remark: str = ""
    people: pd.DataFrame | None = field(default=None, repr=False)
    glance: Mapping[str, str] = field(default_factory=dict)

    kind: ClassVar[str] = "listing"
    has_figure: ClassVar[bool] = False
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("rows", "accepted", "quarantined", "identities", "people"), "count")
    }
    headings: ClassVar[Mapping[str, str]] = {"term": "What"}

    @classmethod
    def of_people(
        cls, people: pd.DataFrame, *, title: str, who: str, remark: str, minimum_cell: int, at_stake: str = ""
    ) -> Listing:
        """List people to call, with a sentence on how many; fewer than `minimum_cell` are not counted out.

        `at_stake` is what may be lost with them, in words that name nobody.
        """
        n = f"{len(people):,}" if len(people) >= minimum_cell or not len(people) else f"Fewer than {minimum_cell}"
        says = f"{n} {who} are on the list, in lists/ of the private folder of the report."
        call = f"Call the {n[0].lower()}{n[1:]} {who.rstrip(',')}{at_stake}."
        glance = {"call": call} if len(people) else {}
        return cls(frame=_nothing(), title=title, people=people, says=says, remark=remark, glance=glance)

    @property
    def settings(self) -> dict[str, Any]:
        return {}

    @property
    def finding(self) -> str:
        return self.says

    @property
    def note(self) -> str:
        return self.remark

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        return self.glance

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | ({} if self.people is None else {"kind": "call_list"})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        folder = os.environ.get(LISTS)
        if folder and self.people is not None:
            from nps_research.results.csv_files import csv_text, write_private

            name = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
            text = csv_text(list(self.people.columns), self.people.itertuples(index=False))
            write_private(Path(folder), f"{name}.csv", text)
        return super()._repr_mimebundle_(include, exclude)


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({"term": pd.Series(dtype="str")})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NotAnswered(Listing):
    """A question that this study cannot answer, and why.

    A part of it is the same again: where ``signal`` is not answered, ``signal.curves`` is `signal`.
    """

    frame: pd.DataFrame = field(default_factory=_nothing)

    kind: ClassVar[str] = "not_answered"

    @property
    def is_answered(self) -> bool:
        return False

    def __getattr__(self, name: str) -> NotAnswered:
        # What is private, what Python and IPython look for, and what a half-made copy still lacks, is not there.
        if name.startswith("_") or name in type(self).__dataclass_fields__ or hasattr(type(self), name):
            raise AttributeError(name)
        return self


def attempt(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | NotAnswered:
    """Ask a question: its answer, or one sentence on what the study lacks for it.

    Parameters
    ----------
    function : callable
        May raise CannotAnswerError; every other error passes through.
    *args, **kwargs
        What it takes. If one of them is not answered itself, that is the answer, and nothing is called.

    Returns
    -------
    object
        What `function` returns, or a `NotAnswered`.

    Examples
    --------
    >>> from nps_research.score import net_promoter_score
    >>> from nps_research.counting import score_distribution
    >>> from nps_research.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3]}))
    >>> counted = attempt(score_distribution, study, by="wave")
    >>> attempt(net_promoter_score, counted)
    <NotAnswered: This study does not record the round of the survey (responses.wave).>
    """
    for value in (function, *args, *kwargs.values()):
        if isinstance(value, NotAnswered):
            return value
    try:
        return function(*args, **kwargs)
    except CannotAnswerError as error:
        return NotAnswered(says=str(error))
