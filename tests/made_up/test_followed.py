"""The tables that follow from a made-up company: what is planted in them is there, and the contract takes each row."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.made_up.following.contacts_made import ContactTruth, counted_contacts_made, draw_contacts_made
from nps_research.made_up.following.followed import Followed, as_dates
from nps_research.made_up.following.market import BRANDS, MarketTruth, counted_market, draw_market, draw_population
from nps_research.made_up.following.purchases import PurchaseTruth, draw_offers, draw_transactions
from nps_research.made_up.following.purchases_counted import counted_purchases
from nps_research.made_up.following.referrals import REFERRING_DAYS, ReferralTruth, counted_referrals, draw_referrals
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
    return {
        "offers": offers,
        "transactions": draw_transactions(followed, offers, purchase, rng=rngs[1]),
        "referrals": draw_referrals(followed, referral, rng=rngs[2]),
        "market": draw_market(followed, market, rng=rngs[3]),
        "population": draw_population(followed, market),
        "units": draw_units(followed, unit, rng=rngs[4]),
        "contacts": draw_contacts_made(followed, contact, rng=rngs[5]),
    }


def counted(tables, followed, truths):
    purchase, referral, market, unit, contact = truths
    return [
        *counted_purchases(tables["transactions"], tables["offers"], followed, purchase),
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
    assert [each for each in found if not each.is_held] == []
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
    few = "How much more a year purchases grow at a mean score of below 6 than at 6-8, at the same size"
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


def test_larger_accounts_make_the_gap_between_score_groups_seem_larger():
    """The gap in growth between accounts at 9-10 and at 6-8, counted where nobody knows how large they are."""
    followed = stand_in(4000, 1)
    shuffled = followed.accounts["revenue"].sample(frac=1, random_state=1).to_numpy()
    unknown = replace(followed, accounts=followed.accounts.assign(revenue=shuffled))
    truths = [PurchaseTruth(), PurchaseTruth(growth_by_size=(0.0,) * 5)]
    naive = []
    for truth in truths:
        offers = draw_offers(followed, truth, rng=np.random.default_rng(1))
        lines = draw_transactions(followed, offers, truth, rng=np.random.default_rng(2))
        found = counted_purchases(lines, offers, unknown, truth)
        naive.append(next(each.counted for each in found if "9-10" in each.truth))
    assert naive[0] > 1.4 * naive[1]


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
