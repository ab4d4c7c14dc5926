"""Made-up referrals: promoters are asked more often, and once asked refer more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.followed import (
    DAYS_PER_YEAR,
    Followed,
    account_positions,
    as_dates,
    day_numbers,
    ratio_of_sums,
    times_as_much,
)
from nps_research.typing import Flags, Floats, Integers, Numbers

REFERRING_DAYS = 40  # at most, from being asked to referring
BECOMING_DAYS = 90  # at most, from being referred to being a customer
OTHER_WAYS = ("sales", "web", "trade fair")  # to win an account


@dataclass(frozen=True, kw_only=True)
class ReferralTruth:
    """What is planted in referrals; pairs hold others, then promoters, who gave 9 or 10 in their last answer.

    Attributes
    ----------
    asked : tuple of float
        How many times a year somebody is asked to refer.
    refers_if_asked : tuple of float
        Share of those asked who refer.
    refers_unasked : tuple of float
        How many times a year somebody refers unasked.
    becomes : float
        Share of the referred who become customers.
    reward : float
        Euros, where the referred became a customer.

    Examples
    --------
    >>> ReferralTruth.null().asked
    (0.09, 0.09)
    """

    asked: tuple[float, float] = (0.05, 0.25)
    refers_if_asked: tuple[float, float] = (0.2, 0.4)
    refers_unasked: tuple[float, float] = (0.015, 0.03)
    becomes: float = 0.5
    reward: float = 50.0

    @classmethod
    def null(cls) -> Self:
        """The same company, in which promoters are asked and refer as others do."""
        return cls(asked=(0.09, 0.09), refers_if_asked=(0.3, 0.3), refers_unasked=(0.02, 0.02))


def draw_referrals(followed: Followed, truth: ReferralTruth, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw who was asked to refer and who referred, a row for each request and each referral unasked.

    Of the referred who become customers, those for whom one of our accounts began within 90 days are that account's
    first customer, no two the same; the others, and all who do not become customers, have no id.

    Returns
    -------
    DataFrame
        Columns referrer_id, referred_id, asked_at, referred_at, became_customer_at, reward, by day.
    """
    standing = _Standing.of(followed)
    customer, promoter, asked_on = _draw_days(truth.asked, standing, followed, rng)
    unasked = _draw_days(truth.refers_unasked, standing, followed, rng)
    refers = rng.random(len(customer)) < np.array(truth.refers_if_asked)[promoter]
    referred_on = np.where(refers, asked_on + rng.integers(1, REFERRING_DAYS + 1, len(customer)), np.nan)
    table = pd.DataFrame(
        {
            "customer": np.concatenate([customer, unasked[0]]),
            "asked": np.concatenate([asked_on, np.full(len(unasked[0]), np.nan)]),
            "referred": np.concatenate([np.where(referred_on < followed.ends, referred_on, np.nan), unasked[2]]),
        }
    )
    table["day"] = table["asked"].fillna(table["referred"])
    table = table.sort_values(["day", "customer"], kind="stable", ignore_index=True)
    new, became_on = _draw_became(table["referred"].to_numpy(), followed, truth, rng)
    ids = np.array([*followed.customers["customer_id"], None], dtype=object)
    return pd.DataFrame(
        {
            "referrer_id": ids[table["customer"]],
            "referred_id": ids[new],
            "asked_at": as_dates(table["asked"].to_numpy()),
            "referred_at": as_dates(table["referred"].to_numpy()),
            "became_customer_at": as_dates(became_on),
            "reward": np.where(np.isnan(became_on), np.nan, truth.reward),
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Standing:
    """Who is a promoter by their last answer, before and after that of a quarter, by customer and quarter.

    Attributes
    ----------
    before, after : ndarray of bool
    since : ndarray of float
        From which day on the answer of the quarter counts; infinite where there is none.
    """

    before: Flags
    after: Flags
    since: Floats

    @classmethod
    def of(cls, followed: Followed) -> Self:
        shape = (len(followed.customers), len(followed.labels))
        given, since = np.full(shape, -1), np.full(shape, np.inf)
        at = (followed.answers["customer"].to_numpy(), followed.answers["quarter"].to_numpy())
        given[at] = followed.answers["score"]
        since[at] = followed.answers["day"] + 1
        known = np.maximum.accumulate(np.where(given >= 0, np.arange(shape[1]), 0), axis=1)
        after = np.take_along_axis(given, known, axis=1) >= 9
        before = np.concatenate([np.zeros((shape[0], 1), dtype=bool), after[:, :-1]], axis=1)
        return cls(before=before, after=after, since=since)

    def on(self, customer: Integers, quarter: Integers, day: Numbers) -> Flags:
        """Who is a promoter on a day of a quarter."""
        at = (customer, quarter)
        return np.where(day >= self.since[at], self.after[at], self.before[at])

    def promoter_days(self, first: Floats, last: Floats) -> Floats:
        """Days of a quarter, from the first to before the last, on which somebody is a promoter."""
        turn = np.clip(self.since, first, last)
        return self.before * (turn - first) + self.after * (last - turn)


def _days_there(followed: Followed) -> tuple[Floats, Floats]:
    """First and last day of each customer in each quarter, the last not counted; no days where it is before the first.

    Nobody is asked on the day on which the account begins.
    """
    starts = followed.quarter_starts
    first = np.maximum(followed.started[followed.account_of, None] + 1, starts[:-1])
    last = np.minimum(followed.left[followed.account_of, None], starts[1:])
    return first.astype(np.float64), np.maximum(last, first)


def _draw_days(
    a_year: tuple[float, float], standing: _Standing, followed: Followed, rng: np.random.Generator
) -> tuple[Integers, Integers, Integers]:
    """Customer, whether a promoter, and day of what happens so many times a year, once a quarter at most."""
    first, last = _days_there(followed)
    at_most = max(a_year)
    customer, quarter = np.nonzero(rng.random(first.shape) < at_most * (last - first) / DAYS_PER_YEAR)
    since = first[customer, quarter]
    day = (since + np.floor(rng.random(len(customer)) * (last[customer, quarter] - since))).astype(np.int64)
    promoter = standing.on(customer, quarter, day).astype(np.int64)
    happens = rng.random(len(day)) < np.array(a_year)[promoter] / at_most
    return customer[happens], promoter[happens], day[happens]


def draw_acquired_by(followed: Followed, referrals: pd.DataFrame, *, rng: np.random.Generator) -> Numbers:
    """How each customer's account was won: by a referral where the table of them says so, else by one of three ways.

    Returns
    -------
    ndarray of object, shape (n_customers,)
    """
    n = len(followed.accounts)
    won = rng.choice(np.array(OTHER_WAYS, dtype=object), n, p=(0.6, 0.25, 0.15))
    won[account_positions(followed, referrals["referred_id"].dropna())] = "referral"
    return np.asarray(won[followed.account_of])


def _draw_became(
    referred_on: Floats, followed: Followed, truth: ReferralTruth, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    """The customer whom each referral brought, by position (-1: none of ours), and the day on which it became one."""
    n = len(referred_on)
    becomes = ~np.isnan(referred_on) & (rng.random(n) < truth.becomes)
    became_on = np.where(becomes, referred_on + rng.integers(1, BECOMING_DAYS + 1, n), np.nan)
    first = followed.first_customers()
    first = first[np.argsort(followed.started[followed.account_of[first]], kind="stable")]
    started = followed.started[followed.account_of[first]]
    lowest = np.searchsorted(started, np.where(becomes, referred_on, np.inf), side="right")
    beyond = np.searchsorted(started, np.where(becomes, referred_on, -np.inf) + BECOMING_DAYS, side="right")
    place = np.floor(lowest + rng.random(n) * (beyond - lowest)).astype(np.int64)
    ours = becomes & (beyond > lowest)
    ours[ours] = ~pd.Series(place[ours]).duplicated().to_numpy()
    new = np.full(n, -1)
    new[ours] = first[place[ours]]
    became_on[ours] = started[place[ours]]
    return new, np.where(became_on < followed.ends, became_on, np.nan)


def counted_referrals(referrals: pd.DataFrame, followed: Followed, truth: ReferralTruth) -> list[Counted]:
    """Count again what is planted in referrals, per person-year of promoters and of others.

    Parameters
    ----------
    referrals : DataFrame
        As `draw_referrals` returns it.
    followed : Followed
    truth : ReferralTruth
    """
    standing = _Standing.of(followed)
    first, last = _days_there(followed)
    promoter_days = standing.promoter_days(first, last).sum(axis=1)
    years = np.array([(last - first).sum(axis=1) - promoter_days, promoter_days]) / DAYS_PER_YEAR
    customer = pd.Index(followed.customers["customer_id"]).get_indexer(pd.Index(referrals["referrer_id"]))
    asked, referred = referrals["asked_at"].notna().to_numpy(), referrals["referred_at"].notna().to_numpy()
    day = day_numbers(referrals["asked_at"].fillna(referrals["referred_at"]))
    of_promoter = standing.on(customer, np.searchsorted(followed.quarter_starts, day, side="right") - 1, day)
    in_time = day + REFERRING_DAYS < followed.ends  # else the referral may lie beyond what is observed

    persons = np.arange(len(followed.customers))

    def each(of: Flags, group: int) -> Integers:
        return np.bincount(customer[of & (of_promoter == group)], minlength=len(persons))

    found = []
    asked_early = asked & in_time
    for says, planted, top, bottom in (
        ("Promoters are asked to refer, beside others, in a year", truth.asked, asked, None),
        ("Promoters refer once asked, beside others", truth.refers_if_asked, referred & asked_early, asked_early),
        ("Promoters refer unasked, beside others, in a year", truth.refers_unasked, ~asked, None),
    ):
        rates = [
            ratio_of_sums(each(top, group), years[group] if bottom is None else each(bottom, group), persons)
            for group in (0, 1)
        ]
        ratio, error = times_as_much(rates[1], rates[0])
        found.append(Counted(truth=says, planted=planted[1] / planted[0], counted=ratio, unit="times", error=error))
        found.append(
            Counted(
                truth=says.replace(", beside others", ""),
                planted=100 * planted[1],
                counted=100 * rates[1][0],
                unit="%",
                error=100 * rates[1][1],
            )
        )
    settled = referrals["referred_at"].notna() & (
        referrals["referred_at"] < as_dates(np.array([followed.ends - BECOMING_DAYS]))[0]
    )
    became = referrals.loc[settled, "became_customer_at"].notna()
    return [
        *found,
        Counted(
            truth="Referred who become customers",
            planted=100 * truth.becomes,
            counted=100 * float(became.mean()),
            unit="%",
            error=100 * float(became.std() / np.sqrt(len(became))),
        ),
    ]
