"""Which questions of the suite a study can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nps_research.counting.silence import records_silence
from nps_research.results.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nps_research.study.study import Study

__all__ = ["questions"]


SILENCE = "How many answer, and how many are silent?"


# Each question of the suite with what it needs: all of one of the alternatives.
QUESTIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "What is the score?": (("responses.likelihood_to_recommend",),),
    "Did it move from wave to wave?": (("responses.likelihood_to_recommend", "responses.wave"),),
    SILENCE: (("responses.responded_at",), ("responses.responded",)),
    "Do those who answer resemble the customers?": (
        ("responses.respondent_id", "customers.customer_id"),
        ("responses.responded_at", "responses.segments"),
        ("responses.responded", "responses.segments"),
    ),
    "What drives loyalty?": (("responses.likelihood_to_recommend", "responses.drivers"),),
    "Where do detractors end?": (
        ("responses.likelihood_to_recommend", "responses.respondent_id", "customers.churned_at"),
        ("responses.likelihood_to_recommend", "outcomes"),
    ),
    "Is silence a sign of churn?": (
        ("responses.invited_at", "responses.responded_at", "responses.respondent_id", "customers.churned_at"),
    ),
    "Which accounts are at risk?": (("responses.likelihood_to_recommend", "responses.account_id"),),
}


def questions(study: Study) -> Listing:
    """Which questions of the suite this study can answer, and what is missing for the others.

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
    rows = []
    for question, alternatives in QUESTIONS.items():
        lacking = [study.missing(*needs) for needs in alternatives]
        if question == SILENCE and not all(lacking) and not records_silence(study):
            lacking = ["Every row of this study is an answer; those who did not answer are not there."]
        rows.append((question, "no" if all(lacking) else "yes", min(lacking, key=len) if all(lacking) else ""))
    frame = pd.DataFrame(rows, columns=["term", "answer", "missing"])
    n = int((frame["answer"] == "yes").sum())
    return Listing(
        frame=frame,
        title="Questions this study can answer",
        says=f"This study can answer {n} of the {len(frame)} questions.",
    )
