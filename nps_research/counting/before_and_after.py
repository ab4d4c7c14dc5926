"""What is known of people before an answer of theirs, and what they answer after it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.counting.people import WORDS, as_text, earlier_answers, people_at_invitation
from nps_research.statistics.covariates import Covariates
from nps_research.study.study import Study
from nps_research.typing import Floats


def known_before(study: Study, rows: pd.DataFrame) -> Covariates:
    """Collect what is known up to each of the answers in `rows`, of several waves; what tells most comes first.

    The answer itself, the last earlier answer, whether a call was asked for, the logarithm of revenue, tenure and the
    share of earlier invitations answered; role, the wave, segments and channel.

    Parameters
    ----------
    study : Study
    rows : DataFrame
        Rows of ``study.responses``.

    Returns
    -------
    Covariates
        In the order of `rows`, numbered from 0.
    """
    waves = rows.groupby("wave", sort=False) if "wave" in rows else [("", rows)]
    earlier = pd.concat([_earlier(study, of_wave) for _, of_wave in waves]).reindex(rows.index)
    people = people_at_invitation(study, rows)
    numbers = {"answer": rows["likelihood_to_recommend"].astype(float), "last earlier answer": earlier["last_score"]}
    if "callback_requested" in rows:
        numbers["asked to be called"] = rows["callback_requested"].astype(float)
    numbers |= {WORDS[name]: people[name].astype(float) for name in ("log_revenue", "tenure") if name in people}
    numbers["share of earlier surveys answered"] = earlier["answered_before"]
    texts = {"role": people["role"]} if "role" in people else {}
    texts |= {name: rows[name] for name in ("wave", *study.segments, "channel") if name in rows}
    categories = {name: as_text(column) for name, column in texts.items()}
    tell = {name: column for name, column in numbers.items() if len(column.dropna().unique()) > 1}
    differ = {name: column for name, column in categories.items() if len(column.unique()) > 1}
    return Covariates(
        numbers=pd.DataFrame(tell, index=rows.index).reset_index(drop=True),
        categories=pd.DataFrame(differ, index=rows.index).reset_index(drop=True),
    )


def _earlier(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    found = earlier_answers(study, rows)
    return pd.DataFrame({"last_score": np.nan, "answered_before": np.nan}, index=rows.index) if found is None else found


def next_answers(study: Study, rows: pd.DataFrame, *, after: pd.Series) -> pd.DataFrame:
    """Look up what the people in `rows` answered in the wave after theirs.

    Parameters
    ----------
    study : Study
        With waves.
    rows : DataFrame
        Rows of ``study.responses``.
    after : Series of datetime
        Per row: only an invitation after it counts.

    Returns
    -------
    DataFrame
        With the index of `rows`: ``has_next`` (whether there is a wave after theirs) and ``score`` (missing where the
        person was not asked then, or did not answer).
    """
    following = dict(zip(study.waves, study.waves[1:], strict=False))
    next_wave = rows["wave"].map(following)
    answers = study.responses[study.responses["response_state"] == "answered"]
    key = pd.MultiIndex.from_frame(answers[["respondent_id", "wave"]])
    first = ~key.duplicated()
    found = answers[first].set_axis(key[first])
    wanted = pd.MultiIndex.from_arrays([rows["respondent_id"], next_wave])
    score = found["likelihood_to_recommend"].astype(float).reindex(wanted).set_axis(rows.index)
    moment = "invited_at" if "responses.invited_at" in study.available else "responded_at"
    asked = found[moment].reindex(wanted).set_axis(rows.index)
    return pd.DataFrame({"has_next": next_wave.notna(), "score": score.where(asked > after)})


def answers_before_last(study: Study, rows: pd.DataFrame) -> Floats:
    """Look up the answer before the last earlier one of the people in `rows`; missing where there is none."""
    place = {wave: at for at, wave in enumerate(study.waves)}
    answers = study.responses.loc[study.responses["response_state"] == "answered"]
    answers = answers[["respondent_id", "wave", "likelihood_to_recommend"]].drop_duplicates(["respondent_id", "wave"])
    answers = answers.assign(at=answers["wave"].map(place)).sort_values(["respondent_id", "at"], kind="stable")
    by_person = answers.groupby("respondent_id", sort=False)["likelihood_to_recommend"]
    answers["two_before"] = by_person.shift(2).astype(float)
    key = pd.MultiIndex.from_frame(answers[["respondent_id", "wave"]])
    wanted = pd.MultiIndex.from_frame(rows[["respondent_id", "wave"]])
    return answers.set_axis(key)["two_before"].reindex(wanted).to_numpy(dtype=float)
