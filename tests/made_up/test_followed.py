"""The tables that follow from a made-up company: what is planted in them is there, and the contract takes each row."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.made_up.following.contacts_made import (
    ContactTruth,
    counted_contacts_made,
    draw_contacts_made,
    visited_again_on,
)
from nps_research.made_up.following.followed import Followed, as_dates
from nps_research.made_up.following.market import BRANDS, MarketTruth, counted_market, draw_market, draw_population
from nps_research.made_up.following.purchases import PurchaseTruth, draw_offers, draw_transactions
from nps_research.made_up.following.purchases_counted import counted_purchases
from nps_research.made_up.following.referrals import (
    REFERRING_DAYS,
    ReferralTruth,
    counted_referrals,
    draw_acquired_by,
    draw_referrals,
)
from nps_research.made_up.following.units import UnitTruth, counted_units, draw_units

TRUTHS = (PurchaseTruth, ReferralTruth, MarketTruth, UnitTruth, ContactTruth)
REGIONS = ("Moldova", "Romania", "Ukraine", "UK")
LINES = tuple(f"Line {number:02d}" for number in range(1, 13))


def stand_in(n_accounts: int, seed: int) -> Followed:
    """A company much like the made-up one: account and person have lasting parts, and larger accounts score higher."""
    rng = np.random.default_rng([seed, 9])
    quarters = pd.period_range("2024Q1", periods=12, freq="Q")
    starts = np.array([(quarter.start_time - pd.Timestamp(0)).days for quarter in quarters])
    size = rng.standard_normal(n_accounts)
    begins = np.where(rng.random(n_accounts) < 0.35, rng.integers(starts[0], starts[8], n_accounts), 0)
    started = np.where(begins > 0, begins, starts[0] - 1 - rng.exponential(1460, n_accounts)).astype(int)
    left = np.maximum(started, starts[0]) + 30 + np.floor(rng.exponential(2000, n_accounts))
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{number:05d}" for number in range(n_accounts)],
            "started": started,
            "churned": np.where(left < starts[-1], left, np.nan),
            "revenue": np.ceil(np.exp(9.5 + 1.5 * size)).astype(int),
            "region": rng.choice(REGIONS, n_accounts),
            "product_line": rng.choice(LINES, n_accounts),
        }
    )
    account = np.repeat(np.arange(n_accounts), 1 + rng.poisson(2, n_accounts))
    n = len(account)
    lasting = 8.1 + 0.5 * size + rng.normal(0, 0.7, n_accounts)
    mean = lasting[account, None] + rng.normal(0, 0.6, n)[:, None]
    score = np.clip(np.rint(mean + rng.normal(0, 1.4, (n, 11))), 0, 10).astype(int)
    there = (started[account, None] < starts[1:]) & (left[account, None] >= starts[:-1])
    score = np.where(there, score, -1)
    asked = starts[:-1] + 45
    answering = (rng.random(score.shape) < 0.5) & (started[account, None] < asked) & (left[account, None] > asked + 14)
    answering[:, 8:] = False
    customer, quarter = np.nonzero(answering & there)
    return Followed(
        accounts=accounts,
        customers=pd.DataFrame(
            {
                "customer_id": [f"C{number:06d}" for number in range(n)],
                "account": account,
                "role": rng.choice(["decision maker", "user"], n),
            }
        ),
        quarter_starts=starts,
        labels=tuple(f"{quarter.year} Q{quarter.quarter}" for quarter in quarters[:-1]),
        score=score,
        answers=pd.DataFrame(
            {
                "customer": customer,
                "quarter": quarter,
                "day": asked[quarter] + rng.integers(14, size=len(quarter)),
                "score": score[customer, quarter],
            }
        ),
    )


def drawn(followed, truths, seed):
    """Every table that follows, each from a stream of its own."""
    purchase, referral, market, unit, contact = truths
    rngs = [np.random.default_rng([seed, part]) for part in range(6)]
    offers = draw_offers(followed, purchase, rng=rngs[0])
    contacts = draw_contacts_made(followed, contact, rng=rngs[5])
    return {
        "offers": offers,
        "transactions": draw_transactions(followed, offers, contacts, purchase, rng=rngs[1]),
        "referrals": draw_referrals(followed, referral, rng=rngs[2]),
        "market": draw_market(followed, market, rng=rngs[3]),
        "population": draw_population(followed, market),
        "units": draw_units(followed, unit, rng=rngs[4]),
        "contacts": contacts,
    }


def counted(tables, followed, truths):
    purchase, referral, market, unit, contact = truths
    return [
        *counted_purchases(tables["transactions"], tables["offers"], tables["contacts"], followed, purchase),
        *counted_referrals(tables["referrals"], followed, referral),
        *counted_market(tables["market"], market),
        *counted_units(tables["units"], followed, unit),
        *counted_contacts_made(tables["contacts"], followed, contact),
    ]


def large(truths):
    """The same truths, with a market survey as large as the company, and units whose growth is not drowned in noise."""
    more = {MarketTruth: {"n_persons": 20_000}, UnitTruth: {"noise": 0.05}}
    return [replace(truth, **more.get(type(truth), {})) for truth in truths]


@pytest.fixture(scope="module")
def company():
    return stand_in(1200, 1)


@pytest.fixture(scope="module")
def tables(company):
    return drawn(company, [truth() for truth in TRUTHS], 1)


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("null", [False, True], ids=["planted", "null"])
def test_what_is_planted_is_counted(null, seed):
    truths = large([truth.null() if null else truth() for truth in TRUTHS])
    followed = stand_in(4000, seed)
    found = counted(drawn(followed, truths, seed), followed, truths)
    assert [each for each in found if not (each.is_held or np.isnan(each.planted))] == []
    assert len({each.truth for each in found}) == len(found)


def test_an_effect_that_is_planted_is_not_what_a_null_company_counts():
    followed = stand_in(4000, 1)
    planted, null = (large(truths) for truths in ([each() for each in TRUTHS], [each.null() for each in TRUTHS]))
    in_null = counted(drawn(followed, null, 1), followed, null)
    wanted = counted(drawn(followed, planted, 1), followed, planted)
    seen = [one.truth for one, other in zip(wanted, in_null, strict=True) if one.planted != other.planted]
    apart = [
        one.truth
        for one, other in zip(wanted, in_null, strict=True)
        if abs(one.counted - other.counted) > 2 * np.hypot(one.error, other.error)
    ]
    few = next(each for each in seen if "below 6 than" in each)
    assert len(seen) > 20
    assert set(seen) - {few} <= set(apart)


def test_the_contract_takes_every_row(company, tables):
    accounts = company.accounts.iloc[company.account_of].reset_index(drop=True)
    customers = pd.DataFrame(
        {
            "customer_id": company.customers["customer_id"],
            "account_id": accounts["account_id"],
            "region": accounts["region"],
            "started_at": as_dates(accounts["started"].to_numpy()),
            "churned_at": as_dates(accounts["churned"].to_numpy()),
        }
    )
    answers = company.answers
    responses = pd.DataFrame(
        {
            "respondent_id": customers["customer_id"].to_numpy()[answers["customer"]],
            "account_id": customers["account_id"].to_numpy()[answers["customer"]],
            "wave": np.array(company.labels)[answers["quarter"]],
            "responded_at": as_dates(answers["day"].to_numpy()),
            "likelihood_to_recommend": answers["score"],
        }
    )
    study = nps.Study.from_frames(responses=responses, customers=customers, segments=["region"], tables=tables)
    assert study.quarantine.empty
    assert {name: len(table) for name, table in study.tables.items()} == {
        name: len(table) for name, table in tables.items()
    }
    assert study.warnings == ()
    assert [note for note in study.notes if any(name in note for name in tables)] == []


def test_the_tables_are_of_the_wanted_size(company, tables):
    months = (np.minimum(company.left, company.ends) - np.maximum(company.started, company.quarter_starts[0])) / 30.44
    a_month = len(tables["transactions"]) / np.maximum(months, 0).sum()
    assert 1.5 < a_month < 1.7
    packed = io.BytesIO()
    tables["transactions"].to_parquet(packed, compression="zstd")
    assert len(packed.getvalue()) < 900_000
    assert len(tables["contacts"]) < 12_000
    assert len(tables["market"]) == 6000
    assert tables["market"].groupby("person_id")["brand"].nunique().eq(3).all()
    assert set(tables["market"]["brand"]) == set(BRANDS)


def test_the_same_seed_draws_the_same_tables(company, tables):
    for name, table in drawn(company, [truth() for truth in TRUTHS], 1).items():
        pd.testing.assert_frame_equal(table, tables[name])


def test_nothing_is_bought_before_an_account_begins_or_after_it_left(company, tables):
    bought = tables["transactions"][tables["transactions"]["kind"] != "return"]
    account = company.account_of[pd.Index(company.customers["customer_id"]).get_indexer(bought["customer_id"])]
    day = bought["bought_at"].to_numpy(dtype="datetime64[D]").astype(int)
    assert (day >= company.started[account]).all()
    assert (day < company.left[account]).all()


def test_a_return_follows_its_purchase_and_gives_the_same_back(tables):
    lines = tables["transactions"]
    returned = lines[lines["kind"] == "return"]
    both = returned.merge(lines[lines["kind"] != "return"], on=["customer_id", "basket_id", "product"])
    assert len(both) == len(returned) > 500
    assert (both["amount_x"] == -both["amount_y"]).all()
    assert (both["quantity_x"] == -both["quantity_y"]).all()
    assert (both["bought_at_x"] > both["bought_at_y"]).all()


def test_where_regions_that_grow_score_higher_the_gap_between_score_groups_seems_larger():
    followed = stand_in(4000, 1)
    mean = pd.Series(followed.account_score()[:, 0]).rank(pct=True)
    region = np.where(mean > 0.6, "UK", "Moldova").astype(object)
    followed = replace(followed, accounts=followed.accounts.assign(region=region))
    gaps = []
    only = {"growth_by_size": (0.0,) * 5}  # in the stand-in, larger accounts score higher, too
    for truth in (PurchaseTruth(**only), PurchaseTruth(**only, growth_by_region={})):
        tables = drawn(followed, [truth, *(each() for each in TRUTHS[1:])], 1)
        found = counted_purchases(tables["transactions"], tables["offers"], tables["contacts"], followed, truth)
        gaps.append([each.counted for each in found if "9-10" in each.truth])
    (within, naive), (within_too, naive_too) = gaps
    assert naive > 2 * within
    assert naive_too < 1.5 * within_too


def test_accounts_are_contacted_again_after_a_year_without_and_buy_more_from_that_day_on(company, tables):
    again = visited_again_on(tables["contacts"], company)
    woken = np.flatnonzero(np.isfinite(again))
    assert len(woken) == round(0.02 * len(company.accounts))
    contacts = tables["contacts"]
    for account in woken:
        days = contacts.loc[contacts["account_id"] == f"A{account:05d}", "contacted_at"]
        days = days.to_numpy(dtype="datetime64[D]").astype(int)
        assert (days < again[account] - 365).any()
        assert not ((days >= again[account] - 365) & (days < again[account])).any()
    plain = drawn(company, [PurchaseTruth(demand_if_visited=0.0), *(each() for each in TRUTHS[1:])], 1)["transactions"]
    both = tables["transactions"].merge(plain, on=["basket_id", "product", "kind", "bought_at"])
    account = company.account_of[pd.Index(company.customers["customer_id"]).get_indexer(both["customer_id_x"])]
    day = both["bought_at"].to_numpy(dtype="datetime64[D]").astype(int)
    more = both["amount_x"] / both["amount_y"]
    after = day > again[account]
    bought = (both["kind"] != "return") & (both["amount_y"] > 1)
    assert np.allclose(more[bought & after], 1.4, atol=0.01)
    assert np.allclose(more[~after], 1.0)


def test_referred_accounts_are_won_by_referral_and_others_are_not(company, tables):
    won = draw_acquired_by(company, tables["referrals"], rng=np.random.default_rng(1))
    referred = company.customers["customer_id"].isin(tables["referrals"]["referred_id"])
    accounts = company.account_of[referred]
    assert (won[np.isin(company.account_of, accounts)] == "referral").all()
    others = won[~np.isin(company.account_of, accounts)]
    assert set(others) == {"sales", "web", "trade fair"}
    assert pd.Series(won).groupby(company.account_of).nunique().eq(1).all()


def test_the_referred_who_are_ours_began_within_90_days(company, tables):
    referrals = tables["referrals"]
    ours = referrals[referrals["referred_id"].notna()]
    account = company.account_of[pd.Index(company.customers["customer_id"]).get_indexer(ours["referred_id"])]
    after = (as_dates(company.started[account]).to_numpy() - ours["referred_at"].to_numpy()) / np.timedelta64(1, "D")
    assert len(ours) > 30
    assert ours["referred_id"].is_unique
    assert ((after > 0) & (after <= 90)).all()
    assert (referrals["became_customer_at"].notna() >= referrals["referred_id"].notna()).all()
    took = (referrals["referred_at"] - referrals["asked_at"]).dt.days.dropna()
    assert took.between(1, REFERRING_DAYS).all()


def test_accounts_of_a_unit_add_up(company, tables):
    units = tables["units"]
    assert len(units) == (len(LINES) + len(REGIONS)) * len(company.labels)
    after = units["customers_start"] + units["customers_gained"] - units["customers_lost"]
    same_unit = units["unit"] == units["unit"].shift(-1)
    assert (after[same_unit] == units["customers_start"].shift(-1)[same_unit]).all()
    first = units[units["period"] == company.labels[0]]
    assert first["customers_start"].sum() == 2 * company.is_there(int(company.quarter_starts[0])).sum()


def test_the_population_is_so_many_times_the_customers_there(company, tables):
    day = company.quarter_starts[company.last_wave]
    there = company.is_there(int(day))
    assert tables["population"]["customers"].sum() == 10 * there[company.account_of].sum()
    assert tables["population"]["revenue"].sum() == 10 * company.accounts.loc[there, "revenue"].sum()


def test_a_promoter_is_who_gave_9_or_10_in_the_last_answer_before_being_asked(company):
    only_promoters = ReferralTruth(asked=(0.0, 0.25), refers_unasked=(0.0, 0.03))
    referrals = draw_referrals(company, only_promoters, rng=np.random.default_rng(3))
    answers = company.answers.assign(
        referrer_id=company.customers["customer_id"].to_numpy()[company.answers["customer"]],
        day=as_dates(company.answers["day"].to_numpy()),
    )
    day = referrals["asked_at"].fillna(referrals["referred_at"])
    last = pd.merge_asof(
        referrals.assign(day=day), answers.sort_values("day"), on="day", by="referrer_id", allow_exact_matches=False
    )
    assert len(last) > 200
    assert (last["score"] >= 9).all()
