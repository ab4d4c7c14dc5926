"""Who stands twice: rows of one person in one wave, and which of them counts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts = Literal["newest", "first", "all"]

STANDS_TWICE = "stands twice in one wave"
FIRST_ANSWER = {  # columns of the responses, and of the first answer of who answered again
    "likelihood_to_recommend": "first_answer",
    "invited_at": "first_answer_invited_at",
    "responded_at": "first_answered_at",
}


def stands_twice(table: pd.DataFrame, broken: NDArray[np.bool_], counts: Counts) -> tuple[pd.Series, str]:
    """Rows of a person beside another that counts, in the same wave, touchpoint and life stage; and the rule, in words.

    Good rows come before those that break another rule, rows with a score before those without; of these the newest
    or the first counts, by the date of the answer, else of the invitation. Without waves, invitations of different
    moments are different ones; so are answers, where invitations are not known, and those of a day without an hour.

    Parameters
    ----------
    table : DataFrame
        Typed responses, with respondent_id.
    broken : ndarray of bool
        Which rows break another rule.
    counts : {"newest", "first", "all"}

    Examples
    --------
    >>> table = pd.DataFrame({"respondent_id": ["a", "a"], "wave": ["1", "1"], "likelihood_to_recommend": [9, 3]})
    >>> table["responded_at"] = pd.to_datetime(["2025-01-01", "2025-01-09"])
    >>> stands_twice(table, np.zeros(2, bool), "newest")[0].tolist()
    [True, False]
    """
    if counts == "all":
        return pd.Series(data=False, index=table.index), ""
    key, wave, moments = _key(table)
    several = (table[key].duplicated(keep=False) & table["respondent_id"].notna()).to_numpy()
    rows = table[several]
    lacks = [rows[name].isna().to_numpy() for name in ("likelihood_to_recommend",) if name in table]
    order = np.lexsort((*(_newest_or_first(rows[name], counts) for name in moments), *lacks, broken[several]))
    repeated = rows[key].iloc[order].duplicated().reindex(table.index, fill_value=False)
    if wave == "responded_at":
        repeated &= table[wave].notna() & (table[wave] != table[wave].dt.normalize())
    if counts == "newest" and not moments:
        return repeated, f"{STANDS_TWICE}; no date tells the newest, so the first answered row is kept"
    return repeated, f"{STANDS_TWICE}; the {counts} answered row is kept"


def _key(table: pd.DataFrame) -> tuple[list[str], str, list[str]]:
    """The columns that tell one chance to answer from another, the one that stands for the wave, and the moments."""
    moments = [name for name in ("invited_at", "responded_at") if name in table and table[name].notna().any()]
    wave = "wave" if "wave" in table else next(iter(moments), "wave")
    return [name for name in ("respondent_id", wave, "touchpoint", "life_stage") if name in table], wave, moments


def displaced_answers(table: pd.DataFrame, good: pd.Series, repeated: pd.Series) -> pd.DataFrame:
    """Answers that gave way to another of the same person and wave: their cells of `FIRST_ANSWER`, and the row `kept`.

    Parameters
    ----------
    table : DataFrame
        Typed responses.
    good, repeated : Series of bool
        Rows that break no other rule; rows that gave way.
    """
    key, _, _ = _key(table)
    names = [name for name in FIRST_ANSWER if name in table]
    if "likelihood_to_recommend" not in names or not (repeated & good).any():
        return pd.DataFrame(columns=[*names, "kept"])
    answered = good & table["likelihood_to_recommend"].notna()
    kept = table.loc[answered & ~repeated, key].assign(kept=table.index[answered & ~repeated])
    again = table.loc[answered & repeated, list(dict.fromkeys([*key, *names]))]
    return again.merge(kept, on=key)[[*names, "kept"]]


def first_answers(responses: pd.DataFrame, displaced: pd.DataFrame, window: pd.Timedelta) -> pd.DataFrame:
    """Answers that came before the one that counts, and within the window of their invitation, by `FIRST_ANSWER`.

    Where an outcome follows, the first of them is what came before it. Rows are those of `responses`, missing where
    the answer that counts is the first, or no date says which is.

    Parameters
    ----------
    responses : DataFrame
        Accepted responses.
    displaced : DataFrame
        What `displaced_answers` found; `kept` by the index of `responses`.
    window : Timedelta
        How long an invitation can be answered.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-05", "2025-02-20"])
    >>> kept = pd.DataFrame({"likelihood_to_recommend": [9], "invited_at": days[:1], "responded_at": days[2:]})
    >>> before = kept.assign(likelihood_to_recommend=3, responded_at=days[1:2], kept=0)
    >>> first_answers(kept, before, pd.Timedelta(days=14))["first_answer"].tolist()
    [3]
    """
    names = [name for name in FIRST_ANSWER if name in displaced]
    if displaced.empty or "responded_at" not in names:
        return pd.DataFrame(index=responses.index)
    own = responses.loc[displaced["kept"].unique(), names]
    all_of = pd.concat([own.assign(kept=own.index, is_own=True), displaced.assign(is_own=False)], ignore_index=True)
    all_of = all_of[all_of["responded_at"].notna()]
    if "invited_at" in names:
        all_of = all_of[~(all_of["responded_at"] > all_of["invited_at"] + window)]
    first = all_of.sort_values("responded_at", kind="stable").drop_duplicates("kept")
    earlier = first[~first["is_own"].astype(bool)].set_index("kept")[names]
    return earlier.rename(columns=FIRST_ANSWER).reindex(responses.index) if len(earlier) else responses[[]]


def _newest_or_first(moment: pd.Series, counts: Counts) -> NDArray[np.int64]:
    """Ranks of moments, the newest or the first of them in front, and last where none is known."""
    ranks = moment.rank(method="dense", ascending=counts == "first", na_option="bottom")
    return np.asarray(ranks, dtype=np.int64)
