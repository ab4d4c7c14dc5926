"""Who stands twice: rows of one person in one wave, and which of them counts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts = Literal["newest", "first", "all"]

STANDS_TWICE = "stands twice in one wave"


def stands_twice(table: pd.DataFrame, broken: NDArray[np.bool_], counts: Counts) -> tuple[pd.Series, str]:
    """Rows of a person beside another that counts, in the same wave and touchpoint; and the rule, in words.

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
    moments = [name for name in ("invited_at", "responded_at") if name in table and table[name].notna().any()]
    wave = "wave" if "wave" in table else next(iter(moments), "wave")
    key = [name for name in ("respondent_id", wave, "touchpoint") if name in table]
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


def _newest_or_first(moment: pd.Series, counts: Counts) -> NDArray[np.int64]:
    """Ranks of moments, the newest or the first of them in front, and last where none is known."""
    ranks = moment.rank(method="dense", ascending=counts == "first", na_option="bottom")
    return np.asarray(ranks, dtype=np.int64)
