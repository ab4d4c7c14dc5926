"""A made-up market survey of six brands, and the customer base behind the survey of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import ndtr

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.followed import Followed, difference_within, numbered
from nps_research.typing import Integers

OURS, BETTER = "Made-up Supplies", "Invented Tools"
BRANDS = (OURS, BETTER, "Fabled Goods", "Imagined Parts", "Pretend Trade", "Fictive & Sons")
# within detractors, passives, promoters: scores and how often each is given
_SCORES_IN_GROUP = (np.arange(7), np.array([7, 8]), np.array([9, 10]))
_SHARES_IN_GROUP = ((0.06, 0.04, 0.06, 0.10, 0.12, 0.32, 0.30), (0.4, 0.6), (0.55, 0.45))


@dataclass(frozen=True, kw_only=True)
class MarketTruth:
    """What is planted in the market survey and the customer base; gaps are in NPS points.

    Attributes
    ----------
    n_persons, brands_each : int
        Persons asked, and how many of the brands each rates, in an order drawn at random.
    promoters, detractors : float
        Shares among ratings of any brand but the better one, not the main one, blind.
    better : float
        By how much one brand is better than the five others, which are alike.
    named : float
        By how much our brand is rated better where the survey says that we ask.
    main : float
        By how much a person's main brand is rated better; each brand is as many persons' main brand.
    blind_share : float
        Share of the persons who are not told who asks.
    other_customers : float
        Chance that a person is a customer of a brand that is not the main one.
    person_correlation : float
        Of one person's ratings, on the normal scale behind them.
    strata : tuple of (float, float)
        For how many of the population a person stands, and the share of such persons; it changes no score.
    base_factor : int
        How many times the customers in our tables the customer base is.

    Examples
    --------
    >>> MarketTruth.null().better
    0.0
    """

    n_persons: int = 2_000
    brands_each: int = 3
    promoters: float = 0.40
    detractors: float = 0.27
    better: float = 15.0
    named: float = 8.0
    main: float = 20.0
    blind_share: float = 0.75
    other_customers: float = 0.15
    person_correlation: float = 0.3
    strata: tuple[tuple[float, float], ...] = ((12.0, 0.3), (25.0, 0.5), (60.0, 0.2))
    base_factor: int = 10

    @classmethod
    def null(cls) -> Self:
        """The same market, in which all brands are alike and neither sender nor main brand changes a rating."""
        return cls(better=0.0, named=0.0, main=0.0)


def draw_market(followed: Followed, truth: MarketTruth, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a survey of the market in the last wave, a row for each brand that a person rates.

    The place of a brand among those that a person rates changes nothing.

    Returns
    -------
    DataFrame
        Columns person_id, wave, brand, likelihood_to_recommend, is_customer, main_brand, position, design_weight,
        blind.
    """
    n, each = truth.n_persons, truth.brands_each
    shape = (n, each)
    brand = np.argsort(rng.random((n, len(BRANDS))), axis=1)[:, :each]
    main = rng.integers(len(BRANDS), size=n)
    blind = rng.random(n) < truth.blind_share
    is_main = brand == main[:, None]
    gain = truth.better * (brand == BRANDS.index(BETTER)) + truth.main * is_main
    gain = gain + truth.named * ((brand == BRANDS.index(OURS)) & ~blind[:, None])
    tied = np.sqrt(truth.person_correlation) * rng.standard_normal((n, 1))
    level = ndtr(tied + np.sqrt(1 - truth.person_correlation) * rng.standard_normal(shape))
    # a point more is half a per cent of promoters more, and of detractors less
    group = np.where(level < truth.detractors - gain / 200, 0, np.where(level > 1 - truth.promoters - gain / 200, 2, 1))
    weights, shares = np.array(truth.strata).T
    is_customer = is_main | (rng.random(shape) < truth.other_customers)
    person = np.repeat(np.arange(n), each)
    names = np.array(BRANDS, dtype=object)
    return pd.DataFrame(
        {
            "person_id": numbered("P", person + 1, 5),
            "wave": followed.labels[followed.last_wave],
            "brand": names[brand.ravel()],
            "likelihood_to_recommend": _draw_market_scores(group.ravel(), rng),
            "is_customer": is_customer.ravel(),
            "main_brand": names[main][person],
            "position": np.tile(np.arange(1, each + 1), n),
            "design_weight": rng.choice(weights, n, p=shares)[person],
            "blind": blind[person],
        }
    )


def _draw_market_scores(group: Integers, rng: np.random.Generator) -> Integers:
    score = np.empty(len(group), dtype=np.int64)
    for position, (scores, shares) in enumerate(zip(_SCORES_IN_GROUP, _SHARES_IN_GROUP, strict=True)):
        chosen = group == position
        score[chosen] = rng.choice(scores, int(chosen.sum()), p=shares)
    return score


def draw_population(followed: Followed, truth: MarketTruth) -> pd.DataFrame:
    """Count the customer base of the last wave by region: people and revenue of our tables times a factor.

    Returns
    -------
    DataFrame
        Columns region, customers, revenue (euros a year).
    """
    there = followed.is_there(int(followed.quarter_starts[followed.last_wave]))
    accounts = followed.accounts[there]
    people = pd.Series(np.bincount(followed.account_of, minlength=len(there))[there], accounts.index)
    of_region = pd.DataFrame({"customers": people, "revenue": accounts["revenue"]}).groupby(accounts["region"]).sum()
    return (truth.base_factor * of_region).reset_index()


def counted_market(market: pd.DataFrame, truth: MarketTruth) -> list[Counted]:
    """Count again what is planted in the market survey, unweighted: weights have nothing to do with scores.

    Parameters
    ----------
    market : DataFrame
        As `draw_market` returns it.
    truth : MarketTruth
    """
    score = market["likelihood_to_recommend"].to_numpy()
    value = 100.0 * (score >= 9) - 100.0 * (score <= 6)
    brand = pd.factorize(market["brand"])[0]
    is_better, is_ours = (market["brand"] == BETTER).to_numpy(), (market["brand"] == OURS).to_numpy()
    is_main = (market["brand"] == market["main_brand"]).to_numpy()
    blind = market["blind"].to_numpy()
    one_cell, person = np.zeros(len(market), dtype=np.int64), pd.factorize(market["person_id"])[0]
    first_or_last = np.isin(market["position"], [1, truth.brands_each])
    every = np.ones(len(market), dtype=bool)
    wanted = (
        (f"{BETTER} beside the five other brands, in a blind survey", truth.better, is_better, one_cell, blind),
        ("Our brand where we are named, beside a blind survey", truth.named, ~blind, one_cell, is_ours),
        ("A person's main brand beside other brands", truth.main, is_main, brand, every),
        ("A brand asked last, beside first", 0.0, (market["position"] > 1).to_numpy(), one_cell, first_or_last),
    )
    found = []
    for says, planted, marked, cell, rows in wanted:
        difference, error = difference_within(value[rows], marked[rows], cell[rows], person[rows])
        found.append(Counted(truth=says, planted=planted, counted=difference, unit="NPS points", error=error))
    return found
