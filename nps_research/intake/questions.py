"""Which questions of the suite a study can answer: those of the notebooks, asked of the functions that answer them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from operator import attrgetter

import pandas as pd

from nps_research.results.listing import Listing
from nps_research.results.words import quoted, without_column_names
from nps_research.study.needs import refusal
from nps_research.study.notebooks import asked
from nps_research.study.study import Study


def why_not(answered_by: str, study: Study) -> str:
    """Ask a function by its public name, such as ``"silence.nonresponse_signal"``: why it refuses, or empty."""
    # By name, when asked: this room knows nothing of those beside it.
    return refusal(attrgetter(answered_by)(import_module("nps_research")), study)


def questions(study: Study) -> Listing:
    """List the questions that this study can answer, and why not the others.

    The notebooks' metadata names questions and the functions that answer them. Each is asked as far as it may refuse.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` columns: term (the question), answer (yes or no), missing.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3]}))
    >>> questions(study).frame["answer"].tolist().count("yes")
    1
    """
    every = [each for page in asked() for each in page.questions]
    refused = [(question, why_not(answered_by, study)) for question, answered_by in every]
    rows = [(question, "no" if missing else "yes", missing) for question, missing in refused]
    frame = pd.DataFrame(rows, columns=["term", "answer", "missing"])
    n = int((frame["answer"] == "yes").sum())
    return Listing(
        frame=frame,
        title="Questions this study can answer",
        says=f"This study can answer {n} of the {len(frame)} questions.",
        glance={"ask": _record_next(refused)} if n < len(frame) else {},
    )


def _record_next(refused: Sequence[tuple[str, str]]) -> str:
    """What to record so that the first of the open questions can be answered, without names of columns."""
    question, missing = next((question, missing) for question, missing in refused if missing)
    lacks = re.sub(r"^[^:.]* is not known: ", "", without_column_names(missing))  # the question says so
    return f"To answer {quoted(question)}, record more: {lacks[0].lower()}{lacks[1:]}"
