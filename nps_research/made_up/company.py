"""The made-up company itself: its accounts and contacts, what they would say, and who leaves.

For each contact and quarter, twelve experiences are rated (a lasting trait and the day's mood
tie them together). A bad must-be experience makes some reject (score 0-3); the others' score,
4-10, follows the other experiences, the account and the stage of its life. Churn is the account's:
it knows tenure, revenue, the share of contacts rejecting and whether the account has disengaged,
and nothing else. Hence, given a score of 4-10, the score says no more about churn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.counting.people import DAYS_PER_MONTH
from nps_research.made_up.text import draw_names
from nps_research.made_up.truth import Truth
from nps_research.typing import Flags, Floats, Integers

MADE_UP_ROLES = ("decision maker", "influencer", "user")
INDUSTRIES = ("Construction", "Food", "Logistics", "Machinery", "Retail")
LANGUAGES = ("en", "uk", "ro", "ru")
# share of the accounts, then of their contacts' languages in the order of LANGUAGES
REGIONS = {
    "Moldova": (0.20, (0.05, 0.05, 0.60, 0.30)),
    "Romania": (0.25, (0.10, 0.00, 0.90, 0.00)),
    "Ukraine": (0.30, (0.05, 0.85, 0.00, 0.10)),
    "UK": (0.25, (1.00, 0.00, 0.00, 0.00)),
}
QUARTERS_AFTER = 3  # observed after the last wave's quarter, so that its outcome horizon closes
RESPONSE_WINDOW_DAYS = 14
FIELDWORK_DAYS = 3  # invitations go out on a Tuesday, Wednesday and Thursday


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """Quarters in days since 1970; the first `n_waves` of them are surveyed.

    Attributes
    ----------
    labels : tuple of str
        ``"2024 Q1"`` and so on.
    invited : ndarray of int, shape (n_quarters + 1,)
        The Tuesday, mid-quarter, on which invitations begin to go out.
    ends : int
        Last day on which anything is observed.
    """

    labels: tuple[str, ...]
    invited: Integers
    ends: int

    @classmethod
    def of_waves(cls, n_waves: int) -> Calendar:
        """The calendar of a panel that begins with 2024 Q1.

        Examples
        --------
        >>> calendar = Calendar.of_waves(8)
        >>> calendar.labels[7], len(calendar.labels), calendar.ends
        ('2025 Q4', 11, 20726)
        """
        quarters = pd.period_range("2024Q1", periods=n_waves + QUARTERS_AFTER + 1, freq="Q")
        twelfth = np.array([_days(quarter.start_time + pd.DateOffset(months=1, days=11)) for quarter in quarters])
        return cls(
            labels=tuple(f"{quarter.year} Q{quarter.quarter}" for quarter in quarters[:-1]),
            invited=twelfth + (5 - twelfth) % 7,  # 1970-01-06 was a Tuesday
            ends=_days(quarters[-2].end_time),
        )

    @property
    def landmark(self) -> Integers:
        """First day after everybody's response window, shape (n_quarters + 1,)."""
        return self.invited + FIELDWORK_DAYS + RESPONSE_WINDOW_DAYS


@dataclass(frozen=True, kw_only=True, eq=False)
class Company:
    """A drawn company, surveyed or not.

    Attributes
    ----------
    calendar : Calendar
    accounts : pandas.DataFrame
        One row per account; `started` and `churned` in days since 1970, `churned` nan if it stays.
    contacts : pandas.DataFrame
        One row per contact; `account` and `role` are positions.
    experience : ndarray of int8, shape (n_contacts, n_quarters, n_drivers)
        Ratings 1-5 as they would be given.
    used : ndarray of bool, shape (n_contacts, n_drivers)
        Who uses what.
    score : ndarray of int, shape (n_contacts, n_quarters)
        Likelihood to recommend, 0-10, as it would be given; 0-3 if the contact rejects.
    disengaged : ndarray of bool, shape (n_accounts, n_quarters)
    """

    calendar: Calendar
    accounts: pd.DataFrame
    contacts: pd.DataFrame
    experience: NDArray[np.int8]
    used: Flags
    score: Integers
    disengaged: Flags

    def life_month(self) -> Integers:
        """Month of the account's life, counted from 1, at each wave: (n_contacts, n_quarters)."""
        account = self.contacts["account"].to_numpy(dtype=np.int64)
        return np.asarray(_life_month(self.accounts, self.calendar)[account])


def draw_company(truth: Truth, *, rng: np.random.Generator) -> Company:
    """Draw accounts, contacts, what they would say each quarter, and when accounts leave.

    Parameters
    ----------
    truth : Truth
        What is planted.
    rng : numpy.random.Generator

    Returns
    -------
    Company

    Examples
    --------
    >>> import numpy as np
    >>> from nps_research.made_up.truth import Truth
    >>> draw_company(Truth(n_accounts=40), rng=np.random.default_rng(1)).disengaged.shape
    (40, 11)
    """
    calendar = Calendar.of_waves(truth.n_waves)
    accounts = _draw_accounts(truth, calendar, rng)
    contacts = _draw_contacts(accounts, truth, rng)
    experience, used = _draw_experience(contacts, calendar, truth, rng)
    score = _draw_scores(accounts, contacts, experience, used, calendar, truth, rng)
    disengaged = _draw_disengaged(accounts, calendar, truth, rng)
    churned = _draw_churn(accounts, contacts, score <= 3, disengaged, calendar, truth, rng)
    return Company(
        calendar=calendar,
        accounts=accounts.assign(churned=churned),
        contacts=contacts,
        experience=experience,
        used=used,
        score=score,
        disengaged=disengaged,
    )


def _draw_accounts(truth: Truth, calendar: Calendar, rng: np.random.Generator) -> pd.DataFrame:
    n = truth.n_accounts
    opens, last = calendar.invited[0] - 45, calendar.invited[truth.n_waves - 1]
    is_new = rng.random(n) < truth.new_share
    age = 1 + rng.exponential(truth.mean_age_months * DAYS_PER_MONTH, n)
    disengaged_at_start = rng.random(n) < truth.disengaged_at_start
    return pd.DataFrame(
        {
            "started": np.where(is_new, rng.integers(opens, last, n), opens - age.astype(int)),
            "disengaged_at_start": ~is_new & disengaged_at_start,
            "revenue": np.ceil(rng.lognormal(truth.revenue_log_mean, truth.revenue_log_deviation, n)).astype(int),
            "region": rng.choice(len(REGIONS), n, p=[share for share, _ in REGIONS.values()]),
            "industry": rng.choice(np.array(INDUSTRIES, dtype=object), n),
            "shares_mailbox": rng.random(n) < truth.shared_mailbox_share,
            "n_contacts": 1 + rng.poisson(truth.contacts_per_account - 1, n),
        }
    )


def _draw_contacts(accounts: pd.DataFrame, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    account = np.repeat(np.arange(len(accounts)), accounts["n_contacts"])
    n = len(account)
    of_account = accounts.iloc[account].reset_index(drop=True)
    is_first = np.r_[True, account[1:] != account[:-1]]
    spoken = np.array([shares for _, shares in REGIONS.values()]).cumsum(axis=1)[of_account["region"]]
    language = np.array(LANGUAGES, dtype=object)[(rng.random((n, 1)) > spoken[:, :-1]).sum(axis=1)]
    contacts = pd.DataFrame(
        {
            "account": account,
            "role": np.where(is_first, 0, rng.integers(1, 3, n)),
            "region": np.array(list(REGIONS), dtype=object)[of_account["region"]],
            "industry": of_account["industry"],
            "language": language,
            "channel": rng.choice(np.array(["email", "phone", "in app"], dtype=object), n, p=[0.75, 0.15, 0.10]),
        }
    )
    return contacts.join(draw_names(language, account + 1, of_account["shares_mailbox"].to_numpy(), rng=rng))


def _draw_experience(
    contacts: pd.DataFrame, calendar: Calendar, truth: Truth, rng: np.random.Generator
) -> tuple[NDArray[np.int8], Flags]:
    columns, n, quarters = list(truth.drivers), len(contacts), len(calendar.labels)
    trait, mood = rng.standard_normal((n, 1)), rng.standard_normal((n, quarters))
    fallen = np.array(calendar.labels) >= truth.fall_wave
    deviation: dict[str, Floats] = {}
    experience = np.empty((n, quarters, len(columns)), dtype=np.int8)
    for column, driver in sorted(truth.drivers.items(), key=lambda item: item[1].shadow_of != ""):
        if driver.kind == "shadow":
            common = truth.shadow_correlation * deviation[driver.shadow_of]
            own = np.sqrt(1 - truth.shadow_correlation**2)
        else:
            # a lasting trait in the must-be would let one wave's score tell the next wave's rejection
            of_trait = 0.0 if driver.kind == "must-be" else truth.trait
            common = of_trait * trait + truth.mood * mood
            own = np.sqrt(1 - of_trait**2 - truth.mood**2)
        deviation[column] = common + own * rng.standard_normal((n, quarters))
        rating = driver.mean - driver.fall * fallen + deviation[column]
        experience[:, :, columns.index(column)] = np.clip(np.rint(rating), 1, 5)
    not_used = np.array([driver.not_used for driver in truth.drivers.values()]).T[contacts["role"]]
    return experience, rng.random(not_used.shape) >= not_used


def _draw_scores(
    accounts: pd.DataFrame,
    contacts: pd.DataFrame,
    experience: NDArray[np.int8],
    used: Flags,
    calendar: Calendar,
    truth: Truth,
    rng: np.random.Generator,
) -> Integers:
    shape = experience.shape[:2]
    account = contacts["account"].to_numpy()
    index = truth.score_mean + rng.normal(0, truth.score_deviation, shape)
    index += rng.normal(0, truth.account_deviation, len(accounts))[account, None]
    index += rng.normal(0, truth.contact_deviation, len(contacts))[:, None]
    index += contacts["region"].map(truth.region_shift).fillna(0.0).to_numpy(dtype=float)[:, None]
    month = _life_month(accounts, calendar)[account]
    for dip, shift in truth.life_dips.items():
        index += shift * (month == dip)
    rejects = np.zeros(shape)
    for position, driver in enumerate(truth.drivers.values()):
        rating, uses = experience[:, :, position], used[:, [position]]
        if driver.kind == "linear":
            index += driver.weight * uses * (rating - 4.0)
        elif driver.kind == "delighter":
            index += driver.weight * uses * (rating == 5)
        elif driver.kind == "must-be":
            rejects += uses * np.array(truth.rejection_by_rating)[rating - 1]
    low = rng.choice(4, shape, p=[0.15, 0.20, 0.25, 0.40])
    high = np.clip(np.rint(index), 4, 10).astype(np.int64)
    return np.where(rng.random(shape) < rejects, low, high)


def _draw_disengaged(accounts: pd.DataFrame, calendar: Calendar, truth: Truth, rng: np.random.Generator) -> Flags:
    first_wave = np.searchsorted(calendar.invited, accounts["started"].to_numpy())
    since = first_wave + rng.geometric(truth.disengaging, len(accounts))
    since[accounts["disengaged_at_start"]] = 0
    quarters = np.arange(len(calendar.labels))
    return np.asarray(quarters >= since[:, None])


def _draw_churn(
    accounts: pd.DataFrame,
    contacts: pd.DataFrame,
    rejects: Flags,
    disengaged: Flags,
    calendar: Calendar,
    truth: Truth,
    rng: np.random.Generator,
) -> Floats:
    """Day on which each account leaves: a quarter's churn falls between its landmark and the next one."""
    rejecting = np.zeros(disengaged.shape)
    np.add.at(rejecting, contacts["account"].to_numpy(), rejects)
    rejecting /= accounts["n_contacts"].to_numpy()[:, None]
    started = accounts["started"].to_numpy()[:, None]
    tenure_months = (calendar.invited[:-1] - started) / DAYS_PER_MONTH
    by_tenure = np.array(truth.churn_by_tenure)[np.digitize(tenure_months, [12, 36])]
    by_revenue = np.where(accounts["revenue"] >= truth.large_revenue, truth.churn_if_large, 1.0)[:, None]
    chance = truth.churn_base + truth.churn_rejecting * rejecting + truth.churn_disengaged * disengaged
    chance *= by_tenure * by_revenue
    leaves = (rng.random(chance.shape) < chance) & (tenure_months > 0)
    quarter = leaves.argmax(axis=1)
    days = np.floor(rng.random(len(accounts)) * np.diff(calendar.landmark)[quarter])
    churned = calendar.landmark[quarter] + days
    return np.where(leaves.any(axis=1) & (churned <= calendar.ends), churned, np.nan)


def _life_month(accounts: pd.DataFrame, calendar: Calendar) -> Integers:
    """Month of life by account and quarter."""
    age = calendar.invited[:-1] - accounts["started"].to_numpy(dtype=np.int64)[:, None]
    return np.asarray(np.floor(age / DAYS_PER_MONTH), dtype=np.int64) + 1


def _days(moment: pd.Timestamp) -> int:
    return int((moment.normalize() - pd.Timestamp(0)).days)
