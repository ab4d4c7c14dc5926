"""Who is due to be called back, and what came of each case."""

from __future__ import annotations

import pandas as pd

from nps_research.counting.before_and_after import next_answers
from nps_research.errors import CannotAnswerError
from nps_research.study.further_rules import key_of, response_key
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

MOMENTS_OF_CASE = ("assigned_at", "attempted_at", "reached_at", "closed_at")
LOTTERY, JUDGEMENT, REQUESTED = "random", "judgement", "requested"
SCORED, ASKED = "scored as a detractor", "asked to be called"


def cases_of(study: Study) -> pd.DataFrame:
    """Collect the answers that are due a call, and those with a case, in waves in which calls were made.

    Returns
    -------
    DataFrame
        With the index of ``study.responses`` and all its columns, and: ``is_due``; ``reason`` (scored as a detractor,
        by the study's line, or asked to be called; missing where neither); ``has_case``; ``assigned`` (to be called);
        ``assignment`` (how that was settled: in words of the contract, judgement where it is not said); the moments,
        queue, caller, outcome and problem of the case as far as known.

    Raises
    ------
    CannotAnswerError
        If no case is recorded, or nobody answered the recommendation question.
    """
    study.require("callbacks.respondent_id", "responses.likelihood_to_recommend")
    table, rows = study.tables["callbacks"], study.responses
    answers = rows[rows["response_state"].isin(["answered", "item_missing"])]
    keys = response_key(table, answers)
    place = pd.Series(answers.index, key_of(answers, keys))
    row = key_of(table, keys).map(place[~place.index.duplicated()])
    of_case = table[row.notna().to_numpy()].set_axis(row[row.notna()].astype(answers.index.dtype))
    of_case = of_case[~of_case.index.duplicated()].drop(columns=[*keys, "note"], errors="ignore")
    if of_case.empty:
        raise CannotAnswerError("No case belongs to an answer of this study.")
    names = [name for name in of_case if name in answers]
    cases = answers.join(of_case.rename(columns={name: f"case_{name}" for name in names}))
    cases["has_case"] = cases.index.isin(of_case.index)
    if study.waves:
        cases = cases[cases["wave"].isin(cases.loc[cases["has_case"], "wave"])]
    asked = pd.Series(data=False, index=cases.index)
    if "callback_requested" in cases:
        asked = cases["callback_requested"].fillna(value=False).astype(bool)
    scored = (cases["likelihood_to_recommend"] <= study.settings.detractor_max).fillna(value=False)
    cases["is_due"] = scored | asked
    cases["reason"] = pd.Series(None, index=cases.index, dtype="str").mask(asked, ASKED).mask(scored, SCORED)
    cases = cases[cases["is_due"] | cases["has_case"]]
    for name in MOMENTS_OF_CASE:
        if name not in cases:
            cases[name] = pd.Series(pd.NaT, index=cases.index, dtype="datetime64[us]")
    cases["assigned"] = _assigned(cases)
    if "assignment" not in cases:
        cases["assignment"] = pd.Series(None, index=cases.index, dtype="str")
    cases["assignment"] = _assignment(cases)
    return cases


def moment_of_answer(study: Study, cases: pd.DataFrame) -> pd.Series:
    """When each answered; when invited, where that is not known."""
    names = [name for name in ("responded_at", "invited_at") if f"responses.{name}" in study.available]
    if not names:
        study.require("responses.responded_at")
    return cases[names[0]] if len(names) == 1 else cases[names[0]].fillna(cases[names[1]])


def scores_after(study: Study, cases: pd.DataFrame, landmark: pd.Series) -> tuple[Floats, Flags, Flags]:
    """Look up the next answers, of whom they are known, and who is in a wave that has a next one."""
    following = next_answers(study, cases, after=landmark)
    known = following["score"].notna().to_numpy()
    return following["score"].fillna(0.0).to_numpy(dtype=float), known, following["has_next"].to_numpy()


def _assigned(cases: pd.DataFrame) -> pd.Series:
    """Whose case was to be called: as it says; else who has a moment of a call; else all who have a case."""
    if "assigned" in cases and cases["assigned"].notna().any():
        return cases["assigned"].fillna(value=False).astype(bool)
    moments = cases[list(MOMENTS_OF_CASE)].notna().any(axis=1)
    return moments if moments.any() else cases["has_case"].copy()


def _assignment(cases: pd.DataFrame) -> pd.Series:
    """How it was settled who is called; of who has no case, as in their wave where that had one way."""
    said = cases["assignment"].mask(cases["has_case"] & cases["assignment"].isna(), JUDGEMENT)
    if "wave" not in cases:
        only = said.dropna().unique()
        return said.fillna(only[0] if len(only) == 1 else JUDGEMENT)
    ways = pd.DataFrame({"wave": cases["wave"], "way": said}).dropna().drop_duplicates()
    of_wave: pd.Series = ways.drop_duplicates("wave", keep=False).set_index("wave")["way"]
    return said.fillna(cases["wave"].map(of_wave)).fillna(JUDGEMENT)
