"""What is planted in made-up purchases and offers, beside what it came to in the tables that were drawn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.contacts_made import visited_again_on
from nps_research.made_up.following.followed import (
    Followed,
    account_positions,
    day_numbers,
    difference_within,
    ratio_of_sums,
    times_as_much,
)
from nps_research.made_up.following.purchases import (
    BOUGHT_TOGETHER,
    CANNIBAL,
    DECIDING_DAYS,
    LAST_DAYS,
    LIFTING,
    LOYAL,
    NEIGHBOUR,
    PRODUCTS,
    RETURNING_DAYS,
    STANDING_ORDER,
    PurchaseTruth,
    first_days_of_months,
    score_groups,
    takes_offers,
)
from nps_research.typing import Flags, Floats, Integers


def counted_purchases(
    transactions: pd.DataFrame, offers: pd.DataFrame, contacts: pd.DataFrame, followed: Followed, truth: PurchaseTruth
) -> list[Counted]:
    """Count again what is planted in purchases and offers.

    Growth is that of the log money of whole quarters, of accounts that neither leave nor are contacted again after a
    year without, by the score of the first, and within quarter, region and fifth of revenue; by size within quarter,
    region and score group, and so on.

    Parameters
    ----------
    transactions, offers, contacts : DataFrame
        As `draw_transactions`, `draw_offers` and `contacts_made.draw_contacts_made` return them.
    followed : Followed
    truth : PurchaseTruth
    """
    lines = pd.DataFrame(
        {
            "account": account_positions(followed, transactions["customer_id"]),
            "day": day_numbers(transactions["bought_at"]),
            "amount": transactions["amount"],
            "basket": pd.factorize(transactions["basket_id"])[0],
            "product": transactions["product"],
            "returned": transactions["kind"] == "return",
        }
    )
    bought = lines[~lines["returned"]]
    months = _money_by_month(bought, followed)
    visited_again = visited_again_on(contacts, followed)
    as_ever = np.where(np.isfinite(visited_again)[:, None], np.nan, months)
    return [
        _december(months, followed, truth),
        *_growth(as_ever, followed, truth),
        _once_visited(months, visited_again, followed, truth),
        _before_leaving(bought, followed, truth),
        *_bought_together(bought, truth),
        *_of_offers(bought, offers, followed, truth),
        _returned(lines, followed, truth),
    ]


def _money_by_month(bought: pd.DataFrame, followed: Followed) -> Floats:
    """What each account bought by month, as a share of its revenue a year; nan in accounts that leave."""
    starts = first_days_of_months(followed)
    month = np.searchsorted(starts, bought["day"], side="right") - 1
    shape = (len(followed.accounts), len(starts) - 1)
    money = np.bincount(bought["account"] * shape[1] + month, bought["amount"], minlength=shape[0] * shape[1])
    money = money.reshape(shape) / followed.accounts["revenue"].to_numpy(dtype=np.float64)[:, None]
    money[np.isfinite(followed.left)] = np.nan
    money[starts[:-1] < followed.started[:, None]] = np.nan
    return np.asarray(money)


def _december(months: Floats, followed: Followed, truth: PurchaseTruth) -> Counted:
    december = first_days_of_months(followed).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 == 11
    at = np.flatnonzero(december)
    account, which = np.nonzero(np.isfinite(months[:, at - 2]))
    beside = (months[account, at[which] - 1] + months[account, at[which] - 2]) / 2  # of the same quarter
    ratio, error = ratio_of_sums(months[account, at[which]], beside, account)
    return Counted(
        truth="What is bought in December, beside October and November",
        planted=1 + truth.december,
        counted=ratio,
        unit="times",
        error=error,
    )


def _growth(months: Floats, followed: Followed, truth: PurchaseTruth) -> list[Counted]:
    quarters = months.reshape(len(months), -1, 3).sum(axis=2)
    now, later = quarters[:, :-1], quarters[:, 1:]
    group = score_groups(followed)[:, :-1]
    account, quarter = np.nonzero((now > 0) & (later > 0) & (group >= 0))
    growth = 4 * np.log(later[account, quarter] / now[account, quarter])
    group = group[account, quarter]
    n_bands = len(truth.growth_by_size)
    band = followed.size_band(n_bands)[account]
    names, region = np.unique(followed.column("region").astype(str), return_inverse=True)
    region = region[account]

    def faster(says: str, planted: float, marked: Flags, others: Flags, *within: Integers) -> Counted:
        """How much faster, in per cent a year, one group grows than another within the quarter and other cells."""
        chosen, cell = marked | others, quarter
        for each in within:
            cell = cell * (int(each.max()) + 1) + each
        difference, error = difference_within(growth[chosen], marked[chosen], cell[chosen], account[chosen])
        return _grows(says, planted, float(np.exp(difference)), error)

    by_score, by_size, by_region = truth.growth_by_score, truth.growth_by_size, truth.growth_by_region
    one, other = "UK", "Moldova"
    of_regions = (by_region.get(one, 0.0), by_region.get(other, 0.0))
    return [
        *(
            faster(
                f"at a mean score of {says}, at the same size in the same region",
                _ratio(by_score[at], by_score[1]),
                group == at,
                group == 1,
                region,
                band,
            )
            for at, says in ((LOYAL, "9-10 than at 6-8"), (0, "below 6 than at 6-8"))
        ),
        faster("at a mean score of 9-10 than at 6-8, taken as they are", np.nan, group == LOYAL, group == 1),
        faster(
            "in the largest fifth of accounts than in the smallest, at the same score in the same region",
            _ratio(by_size[-1], by_size[0]),
            band == n_bands - 1,
            band == 0,
            region,
            group,
        ),
        faster(
            f"in the {one} than in {other}, at the same score and size",
            _ratio(*of_regions),
            names[region] == one,
            names[region] == other,
            band,
            group,
        ),
    ]


def _ratio(one: float, other: float) -> float:
    return (1 + one) / (1 + other)


def _grows(says: str, planted: float, ratio: float, error: float) -> Counted:
    return Counted(
        truth=f"How much more a year purchases grow {says}",
        planted=100 * (planted - 1),
        counted=100 * (ratio - 1),
        unit="%",
        error=100 * ratio * error,
    )


def _once_visited(months: Floats, visited_again: Floats, followed: Followed, truth: PurchaseTruth) -> Counted:
    """What is bought in the three whole months after against the three before, beside other loyal accounts."""
    starts = first_days_of_months(followed)
    at = np.searchsorted(starts, np.where(np.isfinite(visited_again), visited_again, 0))  # first month wholly after it
    woken = np.flatnonzero(np.isfinite(visited_again) & (at + 3 <= months.shape[1]))
    others = ~np.isfinite(visited_again) & np.isfinite(months).all(axis=1) & (score_groups(followed)[:, -1] == LOYAL)
    after, before = np.zeros(len(woken)), np.zeros(len(woken))
    usual_after, usual_before = np.zeros(len(woken)), np.zeros(len(woken))
    for row, account in enumerate(woken):
        later, earlier = slice(at[account], at[account] + 3), slice(at[account] - 4, at[account] - 1)
        after[row], before[row] = months[account, later].sum(), months[account, earlier].sum()
        usual_after[row], usual_before[row] = months[others, later].sum(), months[others, earlier].sum()
    ratio, error = ratio_of_sums(after * usual_before / np.where(usual_after > 0, usual_after, 1), before, woken)
    return Counted(
        truth="What loyal accounts buy once they are contacted again after a year without, beside before",
        planted=1 + truth.demand_if_visited,
        counted=ratio,
        unit="times",
        error=error,
    )


def _before_leaving(bought: pd.DataFrame, followed: Followed, truth: PurchaseTruth) -> Counted:
    """Over accounts that leave and were there three times as long: the last two months against the four before."""
    left = followed.left
    opened = np.maximum(followed.started, followed.quarter_starts[0])
    counts = np.isfinite(left) & (left - 3 * LAST_DAYS >= opened)
    account = bought["account"].to_numpy()
    scaled = bought["amount"].to_numpy() / followed.accounts["revenue"].to_numpy(dtype=np.float64)[account]
    before = np.where(counts, left, 0)[account] - bought["day"].to_numpy()
    n = len(left)
    last = np.bincount(account, np.where((before > 0) & (before <= LAST_DAYS), scaled, 0), n)
    earlier = np.bincount(account, np.where((before > LAST_DAYS) & (before <= 3 * LAST_DAYS), scaled, 0), n) / 2
    ratio, error = ratio_of_sums(last, earlier, np.arange(n))
    return Counted(
        truth="What accounts buy in the two months before they leave, beside the four before",
        planted=1 - truth.fading_share * truth.fading,
        counted=ratio,
        unit="times",
        error=error,
    )


def _bought_together(bought: pd.DataFrame, truth: PurchaseTruth) -> list[Counted]:
    n_baskets = bought["basket"].nunique()
    baskets = {product: of["basket"].unique() for product, of in bought.groupby("product")}

    def both_and_expected(pairs: list[tuple[str, str]]) -> tuple[int, float]:
        both = sum(len(np.intersect1d(baskets[one], baskets[other])) for one, other in pairs)
        return both, sum(len(baskets[one]) * len(baskets[other]) for one, other in pairs) / n_baskets

    others = set(PRODUCTS) - {STANDING_ORDER, LIFTING, CANNIBAL, NEIGHBOUR}
    rest = [pair for pair in combinations(PRODUCTS, 2) if set(pair) <= others and pair not in BOUGHT_TOGETHER]
    wanted = [(f"{one} and {other}", truth.pair_lift, [(one, other)]) for one, other in BOUGHT_TOGETHER]
    found = []
    for says, planted, pairs in [*wanted, ("two products that belong to no pair and no offer", 1.0, rest)]:
        both, expected = both_and_expected(pairs)
        found.append(
            Counted(
                truth=f"How often {says} are bought together, beside independent ones",
                planted=planted,
                counted=both / expected,
                unit="times",
                error=float(np.sqrt(both)) / expected,
            )
        )
    return found


def _of_offers(bought: pd.DataFrame, offers: pd.DataFrame, followed: Followed, truth: PurchaseTruth) -> list[Counted]:
    found = []
    all_accounts = np.ones(len(followed.accounts), dtype=bool)
    in_cell = takes_offers(followed, truth)
    for product, says, planted, where, chosen in (
        (LIFTING, LIFTING, 1 + truth.lift, " to loyal small accounts", in_cell),
        (LIFTING, LIFTING, 1 + truth.lift_elsewhere, " to others", ~in_cell),
        (CANNIBAL, CANNIBAL, 1 + truth.cannibal, "", all_accounts),
        (CANNIBAL, NEIGHBOUR, 1 - truth.cannibal, "", all_accounts),
    ):
        of = offers[offers["product"] == product]
        account = account_positions(followed, of["customer_id"])
        arm = np.full(len(followed.accounts), -1)
        arm[account] = of["arm"] == "offered"
        arm[~chosen] = -1
        since = int(day_numbers(of["offered_at"])[0]) + DECIDING_DAYS
        later = bought[(bought["day"] >= since) & (arm[bought["account"]] >= 0)]
        with_it = later.loc[later["product"] == says, "basket"]
        baskets = later.drop_duplicates("basket")
        baskets = baskets.assign(has=baskets["basket"].isin(with_it))
        by_arm = [baskets[arm[baskets["account"]] == each] for each in (0, 1)]
        held, made = (ratio_of_sums(each["has"], np.ones(len(each)), each["account"].to_numpy()) for each in by_arm)
        ratio, error = times_as_much(made, held)
        found.append(
            Counted(
                truth=f"How often {says} is bought where {product} was offered{where}, beside where that was held back",
                planted=planted,
                counted=ratio,
                unit="times",
                error=error,
            )
        )
    for product, share in zip((LIFTING, CANNIBAL), truth.accepted, strict=True):
        accepts = offers.loc[(offers["product"] == product) & (offers["arm"] == "offered"), "accepted_at"].notna()
        found.append(
            Counted(
                truth=f"Those offered {product} who accept it",
                planted=100 * share,
                counted=100 * float(accepts.mean()),
                unit="%",
                error=100 * float(accepts.std() / np.sqrt(len(accepts))),
            )
        )
    return found


def _returned(lines: pd.DataFrame, followed: Followed, truth: PurchaseTruth) -> Counted:
    early = lines[lines["day"] < followed.ends - RETURNING_DAYS]
    bought = int((~early["returned"]).sum())
    of_early = lines["returned"] & lines["basket"].isin(early["basket"])
    share = float(of_early.sum()) / bought
    return Counted(
        truth="Lines that are given back",
        planted=100 * truth.returned,
        counted=100 * share,
        unit="%",
        error=100 * float(np.sqrt(share / bought)),
    )
