"""A made-up company with known truth: what the estimators ought to find, planted.

"Made-up Supplies Ltd" sells to other businesses; all contacts of its accounts are invited every quarter. `Truth`
holds every planted parameter and `simulate_study` draws the company, lets it live and writes down what its systems
would hold. `demo_files` writes one as files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.made_up.comments import PROBLEM_CODES
from nps_research.made_up.company import RESPONSE_WINDOW_DAYS, Company, draw_company
from nps_research.made_up.following.contacts_made import draw_contacts_made
from nps_research.made_up.following.followed import Followed
from nps_research.made_up.following.market import draw_market, draw_population
from nps_research.made_up.following.purchases import draw_offers, draw_transactions
from nps_research.made_up.following.referrals import draw_acquired_by, draw_referrals
from nps_research.made_up.following.units import draw_units
from nps_research.made_up.lives import MINUTES_PER_DAY, Lives, live
from nps_research.made_up.survey import (
    age_answers,
    callback_table,
    complaint_table,
    customer_table,
    hand_code_table,
    membership_table,
    wave_answers,
)
from nps_research.made_up.truth import Truth
from nps_research.typing import Flags, Integers

DEFAULT_TRUTH = Truth()
OUTCOME_HORIZON_DAYS = 180


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedStudy:
    """A drawn company and what its systems hold.

    Attributes
    ----------
    responses, customers : pandas.DataFrame
        As the contract has them: one row per invitation of a wave, one row per contact.
    by_age : pandas.DataFrame
        Responses of the survey by age: one row per invitation.
    tables : dict of str to pandas.DataFrame
        The further tables of the contract.
    latent : pandas.DataFrame
        What no survey sees, row by row beside `responses`: `would_be_score`, `opinion`, `disengaged`,
        `life_month`, `answer_chance`, `silent` (reached, nothing returned within the window), `at_risk` (not gone
        by the landmark), `churned` within 180 days of it, each driver as it would be rated, each problem, and what
        the comment says of each (`says_...`). Never written to a file.
    company, lives, followed : Company, Lives, Followed
        All that was drawn, and what the tables that follow from it see of it.
    truth : Truth
    """

    responses: pd.DataFrame
    customers: pd.DataFrame
    by_age: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    latent: pd.DataFrame
    company: Company
    lives: Lives
    followed: Followed
    truth: Truth


def simulate_study(truth: Truth = DEFAULT_TRUTH, *, rng: np.random.Generator) -> SimulatedStudy:
    """Draw a made-up company, let it live, and write down what is known of it.

    Parameters
    ----------
    truth : Truth
        What is planted.
    rng : numpy.random.Generator

    Returns
    -------
    SimulatedStudy

    Examples
    --------
    >>> import numpy as np
    >>> study = simulate_study(Truth(n_accounts=40), rng=np.random.default_rng(1))
    >>> study.customers["account_id"].nunique(), study.responses["wave"].nunique()
    (40, 8)
    """
    # each part has a stream of its own: what is added at the end leaves all before as it was
    of_company, of_lives, of_waves, of_ages, of_calls, of_complaints, of_codes = rng.spawn(7)
    of_offers, of_purchases, of_referrals, of_market, of_units, of_contacts = rng.spawn(6)
    of_unsubscribing, of_acquiring = rng.spawn(2)
    company = draw_company(truth, rng=of_company)
    lives = live(company, truth, rng=of_lives)
    responses, codes, contact, wave = wave_answers(company, lives, truth, of_waves)
    by_age = age_answers(company, lives, truth, of_ages)
    customers = customer_table(company, lives, of_unsubscribing)
    followed = _as_followed(company, lives, customers)
    offers = draw_offers(followed, truth.purchases, rng=of_offers)
    contacts = draw_contacts_made(followed, truth.contacts, rng=of_contacts)
    referrals = draw_referrals(followed, truth.referrals, rng=of_referrals)
    tables = {
        "callbacks": callback_table(company, lives, truth, of_calls),
        "complaints": complaint_table(company, lives, truth, of_complaints),
        "memberships": membership_table(company, lives),
        "hand_codes": hand_code_table(responses, codes, of_codes),
        "transactions": draw_transactions(followed, offers, contacts, truth.purchases, rng=of_purchases),
        "offers": offers,
        "referrals": referrals,
        "contacts": contacts,
        "units": draw_units(followed, truth.units, rng=of_units),
        "market": draw_market(followed, truth.market, rng=of_market),
        "population": draw_population(followed, truth.market),
    }
    return SimulatedStudy(
        responses=responses,
        customers=customers.assign(acquired_by=draw_acquired_by(followed, referrals, rng=of_acquiring)),
        by_age=by_age,
        tables=tables,
        latent=_latent(responses, codes, company, lives, truth, contact, wave),
        company=company,
        lives=lives,
        followed=followed,
        truth=truth,
    )


def _as_followed(company: Company, lives: Lives, customers: pd.DataFrame) -> Followed:
    """The company as the tables that follow from it see it."""
    first = customers.drop_duplicates("account_id").reset_index(drop=True)
    started, left = company.accounts["started"].to_numpy(), np.nan_to_num(lives.churned, nan=np.inf)
    begins = company.calendar.begins
    there = (started[:, None] < begins[1:]) & (left[:, None] >= begins[:-1])
    contact, quarter = np.nonzero(~np.isnan(lives.given))
    return Followed(
        accounts=first[["account_id", "region", "product_line", "revenue"]].assign(
            started=started, churned=lives.churned
        ),
        customers=customers[["customer_id", "role"]].assign(account=company.account),
        quarter_starts=begins,
        labels=company.calendar.labels,
        score=np.where(there[company.account], lives.score, -1),
        answers=pd.DataFrame(
            {
                "customer": contact,
                "quarter": quarter,
                "day": (lives.responded[contact, quarter] // MINUTES_PER_DAY).astype(np.int64),
                "score": lives.given[contact, quarter].astype(np.int64),
            }
        ),
    )


def _latent(
    responses: pd.DataFrame,
    codes: Flags,
    company: Company,
    lives: Lives,
    truth: Truth,
    contact: Integers,
    wave: Integers,
) -> pd.DataFrame:
    latent = pd.DataFrame(
        {
            "would_be_score": lives.score[contact, wave],
            "opinion": lives.opinion[contact, wave],
            "rejects": lives.rejects[contact, wave],
            "disengaged": company.disengaged[company.account[contact], wave],
            "life_month": company.life_month()[contact, wave],
            "answer_chance": lives.answer_chance[contact, wave],
        }
    )
    churned_at = pd.Series(pd.to_datetime(lives.churned[company.account[contact]], unit="D"))
    landmark = responses["invited_at"] + pd.Timedelta(days=RESPONSE_WINDOW_DAYS)
    latent["silent"] = (responses["delivered"] == 1) & ~(responses["responded_at"] <= landmark)
    latent["at_risk"] = ~(churned_at <= landmark)
    latent["churned"] = latent["at_risk"] & (churned_at <= landmark + pd.Timedelta(days=OUTCOME_HORIZON_DAYS))
    return pd.concat(
        [
            latent,
            pd.DataFrame(company.experience[contact, wave], columns=list(truth.drivers)),
            pd.DataFrame(company.has[contact, wave], columns=list(truth.problems)),
            pd.DataFrame(codes, columns=[f"says_{code}" for code in PROBLEM_CODES]),
        ],
        axis=1,
    )
