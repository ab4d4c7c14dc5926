"""Made-up purchases and offers: what loyal accounts spend, what is bought together, what an offer brings.

Each basket holds the product of the standing order and, independently, any of the other eleven; two pairs are bought
together more often. A year's money follows the account's revenue, and grows with its size and its score of the quarter
before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from nps_research.made_up.following.contacts_made import visited_again_on
from nps_research.made_up.following.followed import Followed, account_positions, as_dates, day_numbers, numbered
from nps_research.typing import Flags, Floats, Integers

STANDING_ORDER = "Cleaning cloths"
BOUGHT_TOGETHER = (("Drills", "Drill bits"), ("Printers", "Ink"))
LIFTING, CANNIBAL, NEIGHBOUR = "Gloves", "Masks plus", "Masks"
# chance to be in a basket, euros apiece
PRODUCTS: dict[str, tuple[float, float]] = {
    STANDING_ORDER: (1.0, 8.0),
    "Drills": (0.07, 90.0),
    "Drill bits": (0.06, 12.0),
    "Printers": (0.06, 150.0),
    "Ink": (0.05, 30.0),
    LIFTING: (0.06, 6.0),
    CANNIBAL: (0.06, 20.0),
    NEIGHBOUR: (0.06, 15.0),
    "Tape": (0.06, 4.0),
    "Boxes": (0.04, 2.0),
    "Filters": (0.03, 25.0),
    "Lamps": (0.03, 40.0),
}
_PRODUCT_NAMES = np.array(list(PRODUCTS), dtype=object)
_PRODUCT_CHANCES = np.array([chance for chance, _ in PRODUCTS.values()])
_PRODUCT_PRICES = np.array([price for _, price in PRODUCTS.values()])
_PRODUCT_AT = {name: position for position, name in enumerate(PRODUCTS)}
DECIDING_DAYS = 10
RETURNING_DAYS = 20
LAST_DAYS = 61
LOYAL = 2  # the score group at 9-10


@dataclass(frozen=True, kw_only=True)
class PurchaseTruth:
    """What is planted in purchases and offers.

    Attributes
    ----------
    growth_by_score : tuple of float
        Growth a year of an account whose mean score in the quarter before rounds to less than 6, to 6-8, to 9-10.
    growth_by_size : tuple of float
        Growth a year by fifth of revenue, the smallest first, on top of that by score.
    growth_by_region : dict of str to float
        Growth a year by region, on top of both. Where regions that grow score higher, it is this that makes the gap
        between score groups seem larger than it is; nothing is confounded within a region and a fifth.
    december : float
        Share by which December is above the other months.
    fading_share, fading : float
        Share of the accounts that leave whose spend falls by `fading` in the two months before.
    pair_lift : float
        How many times as often as if independent the two of a pair are in one basket.
    lift, lift_elsewhere : float
        Share by which the lifting offer raises purchases of its product: in accounts that are loyal and small
        (`takes_offers`), and in all others.
    demand_if_visited : float
        Share by which a loyal account buys more once it is contacted again after a year without.
    cannibal : float
        Share by which the other offer raises those of its product, and lowers those of the neighbour.
    accepted : tuple of float
        Share of those offered who accept the lifting offer, and the cannibal; what an offer does it does to them.
    offered_in : tuple of int
        Quarters on whose first day the two are offered, or held back.
    returned : float
        Share of the lines that are given back.
    month_skipped, month_in_two : float
        Chance that a month brings no basket, or two that share its money.
    noise : float
        Log standard deviation of a basket's money.
    first_buys : float
        Share of the baskets that the account's first customer buys; any of its customers buys the others.

    Examples
    --------
    >>> PurchaseTruth.null().growth_by_score
    (0.0, 0.0, 0.0)
    """

    growth_by_score: tuple[float, float, float] = (-0.04, 0.0, 0.06)
    growth_by_size: tuple[float, ...] = (-0.12, -0.06, 0.0, 0.06, 0.12)
    growth_by_region: dict[str, float] = field(
        default_factory=lambda: {"Moldova": -0.25, "Romania": 0.05, "Ukraine": -0.05, "UK": 0.25}
    )
    december: float = 0.25
    fading_share: float = 0.4
    fading: float = 0.5
    pair_lift: float = 3.0
    lift: float = 1.0
    lift_elsewhere: float = 0.2
    demand_if_visited: float = 0.4
    cannibal: float = 0.4
    accepted: tuple[float, float] = (0.3, 0.6)
    offered_in: tuple[int, int] = (5, 6)
    returned: float = 0.02
    month_skipped: float = 0.02
    month_in_two: float = 0.02
    noise: float = 0.15
    first_buys: float = 0.7

    @classmethod
    def null(cls) -> Self:
        """The same company, in which score, size, region, season, leaving, pairs, offers and visits change nothing."""
        return cls(
            growth_by_score=(0.0, 0.0, 0.0),
            growth_by_size=(0.0,) * 5,
            growth_by_region={},
            december=0,
            fading_share=0,
            pair_lift=1,
            lift=0,
            lift_elsewhere=0,
            demand_if_visited=0,
            cannibal=0,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Baskets:
    """Baskets in the order of their days: whose, when, for how much."""

    account: Integers
    day: Integers
    money: Floats


def draw_offers(followed: Followed, truth: PurchaseTruth, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw two offers to the first customer of each account then there, half of them held back by lottery.

    Returns
    -------
    DataFrame
        Columns customer_id, product, offered_at, arm, accepted_at.
    """
    offers = []
    first = followed.first_customers()
    for product, quarter, share in zip((LIFTING, CANNIBAL), truth.offered_in, truth.accepted, strict=True):
        if quarter >= len(followed.labels):
            continue  # a short panel ends before the offer
        day = int(followed.quarter_starts[quarter])
        customer = first[followed.is_there(day)[followed.account_of[first]]]
        n = len(customer)
        offered = rng.permutation(n) < n / 2
        accepted_on = day + rng.integers(DECIDING_DAYS, size=n)
        accepts = offered & (rng.random(n) < share) & (accepted_on < followed.left[followed.account_of[customer]])
        offers.append(
            pd.DataFrame(
                {
                    "customer_id": followed.customers["customer_id"].to_numpy()[customer],
                    "product": product,
                    "offered_at": as_dates(np.full(n, day)),
                    "arm": np.where(offered, "offered", "held back").astype(object),
                    "accepted_at": as_dates(np.where(accepts, accepted_on, np.nan)),
                }
            )
        )
    return pd.concat(offers, ignore_index=True) if offers else _no_offers()


def _no_offers() -> pd.DataFrame:
    words = pd.Series([], dtype=object)
    days = as_dates(np.array([]))
    return pd.DataFrame({"customer_id": words, "product": words, "offered_at": days, "arm": words, "accepted_at": days})


def draw_transactions(
    followed: Followed, offers: pd.DataFrame, contacts: pd.DataFrame, truth: PurchaseTruth, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw what each account bought from the panel's first day on, a row for each line of a basket, and returns.

    A line is of kind ``new`` in the first basket of an account that began within the panel; else ``renewal`` where it
    is of the product of the standing order, and ``second`` of any other.

    Parameters
    ----------
    followed : Followed
    offers : DataFrame
        As `draw_offers` returns them.
    contacts : DataFrame
        As `contacts_made.draw_contacts_made` returns them.
    truth : PurchaseTruth
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        Columns customer_id, bought_at, amount, basket_id, product, quantity, kind, by day and basket.
    """
    baskets = _draw_baskets(followed, visited_again_on(contacts, followed), truth, rng)
    basket, product, amount = _draw_lines(baskets, followed, offers, truth, rng)
    first = np.unique(baskets.account, return_index=True)[1]  # baskets are in the order of their days
    opens = np.zeros(len(baskets.day), dtype=bool)
    opens[first] = (followed.started >= followed.quarter_starts[0])[baskets.account[first]]
    kind = np.where(product == _PRODUCT_AT[STANDING_ORDER], "renewal", "second").astype(object)
    amount = np.maximum(amount.round(2), 0.01)
    lines = pd.DataFrame(
        {
            "basket": basket,
            "day": baskets.day[basket],
            "amount": amount,
            "product": _PRODUCT_NAMES[product],
            "quantity": np.maximum(np.rint(amount / _PRODUCT_PRICES[product]), 1).astype(np.int64),
            "kind": np.where(opens[basket], "new", kind),
        }
    )
    given_back = lines[rng.random(len(lines)) < truth.returned]
    given_back = given_back.assign(
        day=given_back["day"] + rng.integers(3, RETURNING_DAYS + 1, len(given_back)),
        amount=-given_back["amount"],
        quantity=-given_back["quantity"],
        kind="return",
    )
    lines = pd.concat([lines, given_back[given_back["day"] < followed.ends]])
    lines = lines.sort_values(["day", "basket"], kind="stable", ignore_index=True)
    of_basket = lines["basket"].to_numpy()
    buyer = _draw_buyers(baskets.account, followed, truth, rng)
    return pd.DataFrame(
        {
            "customer_id": followed.customers["customer_id"].to_numpy(dtype=object)[buyer][of_basket],
            "bought_at": as_dates(lines["day"].to_numpy()),
            "amount": lines["amount"],
            "basket_id": numbered("B", np.arange(1, len(baskets.day) + 1), 6)[of_basket],
            "product": lines["product"],
            "quantity": lines["quantity"],
            "kind": lines["kind"],
        }
    )


def score_groups(followed: Followed) -> Integers:
    """Group of each account's mean score by quarter: 0 below 6, 1 at 6-8, 2 at 9-10; -1 where it has no customer."""
    score = followed.account_score()
    return np.where(np.isnan(score), -1, np.digitize(score, [5.5, 8.5]))


def takes_offers(followed: Followed, truth: PurchaseTruth) -> Flags:
    """Which accounts are loyal and small when the lifting offer is made: score at 9-10, revenue under the median."""
    quarter = min(truth.offered_in[0], len(followed.labels) - 1)
    return np.asarray((score_groups(followed)[:, quarter] == LOYAL) & (followed.size_band(2) == 0))


def _draw_baskets(
    followed: Followed, visited_again: Floats, truth: PurchaseTruth, rng: np.random.Generator
) -> _Baskets:
    group = score_groups(followed)
    own = np.log1p(truth.growth_by_size)[followed.size_band(len(truth.growth_by_size))]
    own = own + np.log1p([truth.growth_by_region.get(each, 0.0) for each in followed.column("region")])
    grows = np.where(group < 0, 0, np.log1p(truth.growth_by_score)[group] + own[:, None]) / 4
    level = np.exp(np.cumsum(grows, axis=1) - grows)  # the score of a quarter moves the next one
    months = first_days_of_months(followed)
    december = months[:-1].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 == 11
    season = (1 + truth.december * december) / (1 + truth.december / 12)
    monthly = followed.accounts["revenue"].to_numpy(dtype=np.float64)[:, None] / 12 / (1 - truth.month_skipped)
    money = monthly * np.repeat(level, 3, axis=1) * season
    shape = (2, *money.shape)
    chance = rng.random(money.shape)
    n = np.where(chance < truth.month_skipped, 0, np.where(chance > 1 - truth.month_in_two, 2, 1))
    day = months[:-1] + np.floor(rng.random(shape) * np.diff(months)).astype(np.int64)
    started, left = followed.started[:, None], followed.left[:, None]
    fades = rng.random(len(started)) < truth.fading_share
    bought = (np.arange(2)[:, None, None] < n) & (started <= day) & (day < left)
    faded = fades[:, None] & (day >= left - LAST_DAYS)
    money = money / np.maximum(n, 1) * (1 - truth.fading * faded)
    money = money * (1 + truth.demand_if_visited * (day > visited_again[:, None]))
    money = money * np.exp(truth.noise * rng.standard_normal(shape) - truth.noise**2 / 2)
    account = np.broadcast_to(np.arange(len(started))[:, None], shape)[bought]
    order = np.lexsort((account, day[bought]))
    return _Baskets(account=account[order], day=day[bought][order], money=money[bought][order])


def first_days_of_months(followed: Followed) -> Integers:
    """First day of each month that is observed, and of the one after."""
    first = followed.quarter_starts[0].astype("datetime64[D]").astype("datetime64[M]")
    return np.asarray((first + np.arange(3 * len(followed.labels) + 1)).astype("datetime64[D]").astype(np.int64))


def _draw_lines(
    baskets: _Baskets, followed: Followed, offers: pd.DataFrame, truth: PurchaseTruth, rng: np.random.Generator
) -> tuple[Integers, Integers, Floats]:
    """Basket, product and money of each line."""
    n = len(baskets.day)
    chance = np.broadcast_to(_PRODUCT_CHANCES, (n, len(_PRODUCT_CHANCES))).copy()
    drawn = rng.random(chance.shape)
    for one, other in (map(_PRODUCT_AT.__getitem__, pair) for pair in BOUGHT_TOGETHER):
        both = truth.pair_lift * _PRODUCT_CHANCES[one] * _PRODUCT_CHANCES[other]
        has_one = drawn[:, one] < _PRODUCT_CHANCES[one]
        without = (_PRODUCT_CHANCES[other] - both) / (1 - _PRODUCT_CHANCES[one])
        chance[:, other] = np.where(has_one, both / _PRODUCT_CHANCES[one], without)
    held = drawn < chance
    basket, product = np.nonzero(held)
    weight = rng.uniform(0.5, 1.5, len(basket))
    money = baskets.money[basket] * weight / np.bincount(basket, weight)[basket]
    lifted = _accepted_before(baskets, followed, offers, LIFTING)
    lift = np.where(takes_offers(followed, truth), truth.lift, truth.lift_elsewhere)[baskets.account]
    usual = _PRODUCT_CHANCES[_PRODUCT_AT[LIFTING]]
    more = lift / truth.accepted[0] * usual / (1 - usual)
    added = np.flatnonzero(lifted & ~held[:, _PRODUCT_AT[LIFTING]] & (rng.random(n) < more))
    turning = _accepted_before(baskets, followed, offers, CANNIBAL) & ~held[:, _PRODUCT_AT[CANNIBAL]]
    turning &= rng.random(n) < truth.cannibal / truth.accepted[1] / (1 - _PRODUCT_CHANCES[_PRODUCT_AT[CANNIBAL]])
    product = np.where((product == _PRODUCT_AT[NEIGHBOUR]) & turning[basket], _PRODUCT_AT[CANNIBAL], product)
    on_top = baskets.money[added] * rng.uniform(0.5, 1.5, len(added)) / _PRODUCT_CHANCES.sum()
    return (
        np.concatenate([basket, added]),
        np.concatenate([product, np.full(len(added), _PRODUCT_AT[LIFTING])]),
        np.concatenate([money, on_top]),
    )


def _accepted_before(baskets: _Baskets, followed: Followed, offers: pd.DataFrame, product: str) -> Flags:
    """Which baskets an account bought after it accepted an offer."""
    accepted = offers[(offers["product"] == product) & offers["accepted_at"].notna()]
    since = np.full(len(followed.accounts), np.inf)
    since[account_positions(followed, accepted["customer_id"])] = day_numbers(accepted["accepted_at"])
    return np.asarray(baskets.day >= since[baskets.account])


def _draw_buyers(account: Integers, followed: Followed, truth: PurchaseTruth, rng: np.random.Generator) -> Integers:
    """The customer who buys each basket, by position."""
    order = np.argsort(followed.account_of, kind="stable")
    n = np.bincount(followed.account_of, minlength=len(followed.accounts))
    place = np.floor(rng.random(len(account)) * n[account]).astype(np.int64)
    place[rng.random(len(account)) < truth.first_buys] = 0
    return np.asarray(order[(np.cumsum(n) - n)[account] + place])
