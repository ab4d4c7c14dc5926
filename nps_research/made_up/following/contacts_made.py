"""Made-up visits and calls: large and new accounts get more, some loyal ones none for a year, some again after that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.followed import (
    DAYS_PER_YEAR,
    Followed,
    as_dates,
    day_numbers,
    numbered,
    ratio_of_sums,
)
from nps_research.typing import Flags, Floats, Integers

VISITED_AGAIN_DAYS = 270  # before the end of all that is observed


@dataclass(frozen=True, kw_only=True)
class ContactTruth:
    """What is planted in visits and calls.

    Attributes
    ----------
    a_year : tuple of int
        Contacts a year by third of revenue, the smallest first.
    more_when_new : int
        So many more in the first year of an account.
    neglected_share : float
        Share of all accounts that are loyal, there for two years at the end, and had no contact for a year or more.
        Where fewer are loyal, all of those.
    visited_again_share : float
        Share of all accounts, drawn by lot from the same loyal ones, that had none for a year, and then again as
        before. Where fewer are loyal, the rest of those.
    loyal : float
        Mean score from which an account is loyal.
    visits : float
        Share of visits; the others are calls.
    employees : int

    Examples
    --------
    >>> ContactTruth.null().a_year
    (4, 4, 4)
    """

    a_year: tuple[int, ...] = (3, 4, 5)
    more_when_new: int = 1
    neglected_share: float = 0.06
    visited_again_share: float = 0.02
    loyal: float = 8.5
    visits: float = 0.3
    employees: int = 12

    @classmethod
    def null(cls) -> Self:
        """The same company, in which accounts of any size and age are contacted alike, and none stays neglected."""
        return cls(a_year=(4, 4, 4), more_when_new=0, neglected_share=0.0)


def draw_contacts_made(followed: Followed, truth: ContactTruth, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw when each account was visited or called from the panel's first day on, at about equal distances.

    Returns
    -------
    DataFrame
        Columns account_id, contacted_at, kind, employee, by day.
    """
    opens = np.maximum(followed.started, followed.quarter_starts[0]).astype(np.float64)
    last = np.minimum(followed.left, followed.ends)
    gap = DAYS_PER_YEAR + rng.integers(1, 180, len(last))
    neglected, visited_again = _draw_neglected(followed, truth, rng)
    again = float(followed.ends - VISITED_AGAIN_DAYS)
    until = np.where(neglected, followed.ends - gap, np.where(visited_again, again - gap, last))
    a_year = np.array(truth.a_year)[followed.size_band(len(truth.a_year))]
    becomes_old = np.clip(followed.started + float(DAYS_PER_YEAR), opens, last)
    parts = [
        _draw_evenly(a_year + truth.more_when_new, opens, np.minimum(becomes_old, until), rng),
        _draw_evenly(a_year, becomes_old, until, rng),
        _draw_evenly(a_year, np.where(visited_again, again, last), last, rng),
    ]
    account, day = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((account, day))
    account = account[order]
    return pd.DataFrame(
        {
            "account_id": followed.column("account_id")[account],
            "contacted_at": as_dates(day[order]),
            "kind": np.where(rng.random(len(account)) < truth.visits, "visit", "call").astype(object),
            "employee": numbered("E", account % truth.employees + 1, 2),
        }
    )


def _draw_neglected(followed: Followed, truth: ContactTruth, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """Which accounts have no contact for a year at the end, and which had none for a year before that."""
    n = len(followed.accounts)
    drawn = rng.permutation(np.flatnonzero(_loyal_and_long_there(followed, truth)))
    first, then = drawn[: round(truth.neglected_share * n)], drawn[round(truth.neglected_share * n) :]
    then = then[_was_early(followed)[then]][: round(truth.visited_again_share * n)]
    return np.isin(np.arange(n), first), np.isin(np.arange(n), then)


def _was_early(followed: Followed) -> Flags:
    """Who was there long enough to be contacted, then not for a year or more, and then again."""
    return np.asarray(followed.started < followed.ends - VISITED_AGAIN_DAYS - 2 * DAYS_PER_YEAR)


def visited_again_on(contacts: pd.DataFrame, followed: Followed) -> Floats:
    """Day on which each account was contacted again after a year without, infinite where it was not: (n_accounts,).

    Parameters
    ----------
    contacts : DataFrame
        As `draw_contacts_made` returns it.
    followed : Followed
    """
    account = pd.Index(followed.accounts["account_id"]).get_indexer(pd.Index(contacts["account_id"]))
    day = day_numbers(contacts["contacted_at"])
    order = np.lexsort((day, account))
    account, day = account[order], day[order]
    late = np.flatnonzero((np.diff(account) == 0) & (np.diff(day) > DAYS_PER_YEAR)) + 1
    again = np.full(len(followed.accounts), np.inf)
    again[account[late]] = day[late]
    return again


def _loyal_and_long_there(followed: Followed, truth: ContactTruth) -> Flags:
    score, given = followed.account_score(), ~np.isnan(followed.account_score())
    mean = np.where(given, score, 0).sum(axis=1) / np.maximum(given.sum(axis=1), 1)
    long_there = (followed.started < followed.ends - 2 * DAYS_PER_YEAR) & (followed.left >= followed.ends)
    return np.asarray((mean >= truth.loyal) & long_there)


def _draw_evenly(a_year: Integers, first: Floats, until: Floats, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Account and day of so many contacts a year, one at random within each of the year's equal parts."""
    step = DAYS_PER_YEAR / a_year
    places = np.arange(int(np.ceil((until - first).max() / step.min())) + 1)
    day = np.floor(first[:, None] + (places + rng.random((len(first), len(places)))) * step[:, None])
    account, place = np.nonzero(day < until[:, None])
    return account, day[account, place].astype(np.int64)


def counted_contacts_made(contacts: pd.DataFrame, followed: Followed, truth: ContactTruth) -> list[Counted]:
    """Count again how often accounts are contacted, and how many loyal ones are not.

    Parameters
    ----------
    contacts : DataFrame
        As `draw_contacts_made` returns it.
    followed : Followed
    truth : ContactTruth
    """
    n = len(followed.accounts)
    account = pd.Index(followed.accounts["account_id"]).get_indexer(pd.Index(contacts["account_id"]))
    day = day_numbers(contacts["contacted_at"])
    latest = np.zeros(n)
    np.maximum.at(latest, account, day)
    neglected = _loyal_and_long_there(followed, truth) & (latest < followed.ends - DAYS_PER_YEAR)
    opens = np.maximum(followed.started, followed.quarter_starts[0])
    old_at = np.maximum(followed.started + DAYS_PER_YEAR, opens)
    years_old = np.maximum(np.minimum(followed.left, followed.ends) - old_at, 0) / DAYS_PER_YEAR
    years_new = np.maximum(np.minimum(np.minimum(followed.left, followed.ends), old_at) - opens, 0) / DAYS_PER_YEAR
    is_new = day < old_at[account]
    band = followed.size_band(len(truth.a_year))
    again = np.isfinite(visited_again_on(contacts, followed))
    left_for_it = (_loyal_and_long_there(followed, truth) & _was_early(followed) & ~neglected).mean()
    found = [
        Counted(
            truth="Loyal accounts without contact for a year, of all accounts",
            planted=100 * truth.neglected_share,
            counted=100 * float(neglected.mean()),
            unit="%",
            error=100 / n,  # a whole number of accounts
        ),
        Counted(
            truth="Loyal accounts contacted again after a year without, of all accounts",
            planted=100 * min(truth.visited_again_share, float(left_for_it)),
            counted=100 * float(again.mean()),
            unit="%",
            error=100 / n,
        ),
    ]
    names = ("smallest", "middle", "largest")
    for position, says in enumerate(names):
        chosen = (band == position) & ~neglected & ~again
        for new, years, of in ((False, years_old, "older than a year"), (True, years_new, "in their first year")):
            times = np.bincount(account[is_new == new], minlength=n)
            ratio, error = ratio_of_sums(times[chosen], years[chosen], np.flatnonzero(chosen))
            found.append(
                Counted(
                    truth=f"Contacts a year of the {says} third of accounts, {of}",
                    planted=truth.a_year[position] + new * truth.more_when_new,
                    counted=ratio,
                    unit="times",
                    error=error,
                )
            )
    return found
