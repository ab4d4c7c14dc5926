"""A sheet of comments to code by hand, drawn by lot with known chances; private."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.listing import Listing
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.study.surveys import asked_in_all

N_TO_CODE = 400
TWICE = 0.25  # of the sheet, by two coders
ENRICHED = 3.0  # times as often, comments of unhappy people in the part that two code: there problems are
CODERS = ("Coder A", "Coder B")


def _commented(study: Study) -> pd.DataFrame:
    """The responses with a comment."""
    study.require("responses.comment", "responses.respondent_id")
    rows = asked_in_all(study.responses, study.by_age)
    rows = rows[rows["comment"].fillna("").str.strip() != ""]
    if rows.empty:
        raise CannotAnswerError("Nobody wrote a comment, so there is nothing to code.")
    return rows


@begins_with(_commented)
def comments_to_code(study: Study, *, n: int = N_TO_CODE, rng: np.random.Generator | None = None) -> Listing:
    """Draw a private sheet of comments to code by hand, each with its chance to be drawn; a quarter for two coders.

    Every comment has the same chance to be coded. Which of the drawn two people code is drawn so that detractors'
    comments come three times as often: agreement on a problem is known only from comments that name it.

    Parameters
    ----------
    study : Study
        With comments.
    n : int
        How many comments to code.
    rng : numpy.random.Generator, optional
        Draws; None starts a fixed one.

    Returns
    -------
    Listing
        `people` columns: respondent_id, wave where there are waves, language where known, coder, problem (to be filled
        in; of several a row each, and of a comment that names none a code of its own, such as none), comment,
        inclusion_probability. Filled in it is the table `hand_codes`. The score is not on it: who sees it codes it.

    Raises
    ------
    CannotAnswerError
        If nobody wrote a comment.
    EstimationError
        If `n` is below 1.
    """
    if n < 1:
        raise EstimationError(f"n = {n}: at least one comment is needed.")
    rows, generator = _commented(study), np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    size = min(n, len(rows))
    drawn = rows.iloc[np.sort(generator.choice(len(rows), size, replace=False))]
    unhappy = (drawn["likelihood_to_recommend"] <= study.settings.detractor_max).fillna(value=False)
    weight = np.where(unhappy, ENRICHED, 1.0)
    n_twice = round(size * TWICE)
    twice = drawn.iloc[np.sort(generator.choice(size, n_twice, replace=False, p=weight / weight.sum()))]
    names = [name for name in ("respondent_id", "wave", "language", "comment") if name in drawn]
    sheet = pd.concat([drawn.assign(coder=CODERS[0]), twice.assign(coder=CODERS[1])])[[*names, "coder"]]
    sheet = sheet.assign(problem="", inclusion_probability=round(size / len(rows), 6))
    order = [name for name in names if name != "comment"]
    sheet = sheet[[*order, "coder", "problem", "comment", "inclusion_probability"]].reset_index(drop=True)
    return Listing(
        frame=pd.DataFrame({"term": pd.Series(dtype="str")}),
        title="Comments to code by hand",
        people=sheet,
        says=(
            f"{size:,} of {len(rows):,} comments are drawn to be coded by hand, {n_twice:,} of them by two people; the "
            "sheet is in lists/ of the private folder of the report."
        ),
        remark=(
            "Write the code of the problem that a comment names; a row each where it names several, and none where it "
            "names none. State the filled sheet as hand_codes in study.toml. Coders see no score: who sees it codes it."
        ),
    )
