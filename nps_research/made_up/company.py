"""The made-up company before it is asked anything: its accounts and contacts, what they experience and what they think.

What a contact thinks (`Company.opinion`) lasts: who they are, who serves them, what they have been used to in twelve
experiences, and the problems they have. A day's answer is this opinion, the day's experience and error; so one answer
tells less of a person than it seems. A bad must-be experience makes some reject: they answer 0-3 whatever else they
think. What happens then, quarter by quarter, is in `lives`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from nps_research.counting.people import DAYS_PER_MONTH
from nps_research.made_up.text import draw_names
from nps_research.made_up.truth import Truth
from nps_research.typing import Flags, Floats, Integers

MADE_UP_ROLES = ("decision maker", "influencer", "user")
INDUSTRIES = ("Construction", "Food", "Logistics", "Machinery", "Retail")
PRODUCT_LINES = (
    *("Adhesives", "Bearings", "Cables", "Cleaning", "Fasteners", "Filters"),
    *("Lighting", "Packaging", "Paints", "Pumps", "Safety wear", "Tools"),
)
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
CONTRACT_DAYS = 365
BETWEEN_RATINGS = np.array([1.5, 2.5, 3.5, 4.5])  # between the ratings 1 to 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """Quarters in days since 1970; the first `n_waves` of them are surveyed.

    Attributes
    ----------
    labels : tuple of str
        ``"2024 Q1"`` and so on.
    invited : ndarray of int, shape (n_quarters + 1,)
        The Tuesday, mid-quarter, on which invitations begin to go out.
    begins : ndarray of int, shape (n_quarters + 1,)
        First day of each quarter, and the day after the last.
    ends : int
        Last day on which anything is observed.
    """

    labels: tuple[str, ...]
    invited: Integers
    begins: Integers
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
            begins=np.array([_days(quarter.start_time) for quarter in quarters]),
            ends=_days(quarters[-2].end_time),
        )

    @property
    def landmark(self) -> Integers:
        """First day after everybody's response window, shape (n_quarters + 1,)."""
        return self.invited + FIELDWORK_DAYS + RESPONSE_WINDOW_DAYS


@dataclass(frozen=True, kw_only=True, eq=False)
class Company:
    """A drawn company, not surveyed yet. Shapes: n contacts, q quarters, d drivers, p problems.

    Attributes
    ----------
    calendar : Calendar
    accounts : pandas.DataFrame
        One row per account; `started` in days since 1970, `employee` a position, `line` a product line.
    contacts : pandas.DataFrame
        One row per contact; `account` and `role` are positions.
    experience : ndarray of int8, shape (n, q, d)
        Ratings 1-5 as they would be given.
    used : ndarray of bool, shape (n, d)
        Who uses what.
    has : ndarray of bool, shape (n, q, p)
        Who has which problem.
    opinion : ndarray of float, shape (n, q)
        The score that a contact would give on average over days, were no call made, nobody young and no score cut off.
    used_to : ndarray of float, shape (n, q)
        What of the opinion comes from the twelve experiences.
    today : ndarray of float, shape (n, q)
        What the day's experience and the error of answering add to it.
    lot : ndarray of float, shape (n, q)
        Between 0 and 1: rejects who has a lot below the chance of its must-be rating.
    disengaged : ndarray of bool, shape (n_accounts, q)
    employee_shift : ndarray of float, shape (n_employees,)
        Score points that goes with each employee.
    """

    calendar: Calendar
    accounts: pd.DataFrame
    contacts: pd.DataFrame
    experience: NDArray[np.int8]
    used: Flags
    has: Flags
    opinion: Floats
    used_to: Floats
    today: Floats
    lot: Floats
    disengaged: Flags
    employee_shift: Floats

    @property
    def account(self) -> Integers:
        """Position of each contact's account."""
        return self.contacts["account"].to_numpy(dtype=np.int64)

    def life_month(self) -> Integers:
        """Month of the account's life, counted from 1, at each wave: (n_contacts, n_quarters)."""
        age = self.calendar.invited[:-1] - self.accounts["started"].to_numpy(dtype=np.int64)[self.account, None]
        return np.asarray(np.floor(age / DAYS_PER_MONTH), dtype=np.int64) + 1

    def rejects_by_rating(self, truth: Truth) -> Flags:
        """Who rejects because of what they experience, were no call made: (n_contacts, n_quarters)."""
        chance = np.zeros(self.lot.shape)
        for at, driver in enumerate(truth.drivers.values()):
            if driver.kind == "must-be":
                chance += self.used[:, [at]] * np.array(truth.rejection_by_rating)[self.experience[:, :, at] - 1]
        return np.asarray(self.lot < chance)


def draw_company(truth: Truth, *, rng: np.random.Generator) -> Company:
    """Draw accounts, contacts, what they experience each quarter and what they think of it.

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
    experience, used, used_to, day = _draw_experience(contacts, calendar, truth, rng)
    has = _draw_problems(accounts, contacts, calendar, truth, rng)
    employee_shift = rng.normal(0, truth.employee_deviation, truth.employees)
    employee_shift[: truth.bad_employees] = truth.bad_employee_shift
    opinion = _draw_lasting_opinion(accounts, contacts, employee_shift, calendar, truth, rng) + used_to
    opinion -= has @ np.array([problem.points for problem in truth.problems.values()])
    shape = opinion.shape
    return Company(
        calendar=calendar,
        accounts=accounts,
        contacts=contacts,
        experience=experience,
        used=used,
        has=has,
        opinion=opinion,
        used_to=used_to,
        today=day + rng.normal(0, truth.score_deviation, shape),
        lot=_lasting_lots(shape, truth.rejection_lasts, rng),
        disengaged=_draw_disengaged(accounts, calendar, truth, rng),
        employee_shift=employee_shift,
    )


def _draw_accounts(truth: Truth, calendar: Calendar, rng: np.random.Generator) -> pd.DataFrame:
    n = truth.n_accounts
    opens, last = calendar.invited[0] - 45, calendar.invited[truth.n_waves - 1]
    is_new = rng.random(n) < truth.new_share
    age = 1 + rng.exponential(truth.mean_age_months * DAYS_PER_MONTH, n)
    disengaged_at_start = rng.random(n) < truth.disengaged_at_start
    revenue = np.ceil(rng.lognormal(truth.revenue_log_mean, truth.revenue_log_deviation, n)).astype(int)
    has_parent = rng.random(n) < 0.1
    return pd.DataFrame(
        {
            "started": np.where(is_new, rng.integers(opens, last, n), opens - age.astype(int)),
            "is_new": is_new,
            "disengaged_at_start": ~is_new & disengaged_at_start,
            "revenue": revenue,
            "margin": np.round(revenue * rng.normal(0.22, 0.11, n)).astype(int),
            "region": rng.choice(len(REGIONS), n, p=[share for share, _ in REGIONS.values()]),
            "industry": rng.choice(np.array(INDUSTRIES, dtype=object), n),
            "line": rng.integers(len(PRODUCT_LINES), size=n),
            "employee": rng.integers(truth.employees, size=n),
            "parent": np.where(has_parent, rng.integers(max(n // 20, 1), size=n), -1),
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
    role = np.where(is_first, 0, rng.integers(1, 3, n))
    # longer customers choose the phone more often
    by_phone = rng.random(n) < np.where(of_account["is_new"], 0.08, 0.19)
    contacts = pd.DataFrame(
        {
            "account": account,
            "role": role,
            "decision_power": np.array([3, 1, 0])[role] - (is_first & (rng.random(n) < 0.2)),
            "influence": np.array([2, 2, 0])[role] + rng.integers(2, size=n),
            "region": np.array(list(REGIONS), dtype=object)[of_account["region"]],
            "industry": of_account["industry"],
            "language": language,
            "channel": np.where(by_phone, "phone", np.where(rng.random(n) < 0.12, "in app", "email")).astype(object),
            "asked_by_age": of_account["is_new"] & (rng.random(n) < truth.life_survey_share),
        }
    )
    return contacts.join(draw_names(language, account + 1, of_account["shares_mailbox"].to_numpy(), rng=rng))


def _draw_experience(
    contacts: pd.DataFrame, calendar: Calendar, truth: Truth, rng: np.random.Generator
) -> tuple[NDArray[np.int8], Flags, Floats, Floats]:
    """Ratings and who uses what; the score points of what they are used to, and of the day beside it."""
    columns, n, quarters = list(truth.drivers), len(contacts), len(calendar.labels)
    not_used = np.array([driver.not_used for driver in truth.drivers.values()]).T[contacts["role"]]
    used = rng.random(not_used.shape) >= not_used
    trait, mood = rng.standard_normal((n, 1)), rng.standard_normal((n, quarters))
    fallen = np.array(calendar.labels) >= truth.fall_wave
    habit: dict[str, Floats] = {}  # the part of each deviation that lasts, and the whole
    whole: dict[str, Floats] = {}
    experience = np.empty((n, quarters, len(columns)), dtype=np.int8)
    lasting, day = np.zeros((n, quarters)), np.zeros((n, quarters))
    for column, driver in sorted(truth.drivers.items(), key=lambda item: item[1].shadow_of != ""):
        must_be = driver.kind == "must-be"
        share, keeps = (truth.must_be_lasting, truth.must_be_keeps) if must_be else (truth.lasting, truth.keeps)
        own = np.sqrt(share) * _lasting((n, quarters), keeps, rng)
        own_day = np.sqrt(1 - share) * rng.standard_normal((n, quarters))
        if driver.kind == "shadow":
            size = np.sqrt(1 - truth.shadow_correlation**2)
            habit[column] = truth.shadow_correlation * habit[driver.shadow_of] + size * own
            whole[column] = truth.shadow_correlation * whole[driver.shadow_of] + size * (own + own_day)
        else:
            # what the must-be shared with other ratings would let a wave's score tell the next wave's rejection
            of_trait, of_mood = (0.0, 0.0) if must_be else (truth.trait, truth.mood)
            size = np.sqrt(1 - of_trait**2 - of_mood**2)
            habit[column] = of_trait * trait + size * own
            whole[column] = habit[column] + of_mood * mood + size * own_day
        mean = driver.mean - driver.fall * fallen
        at = columns.index(column)
        experience[:, :, at] = np.clip(np.rint(mean + whole[column]), 1, 5)
        if driver.kind in ("linear", "delighter"):
            of_day = np.sqrt(truth.mood**2 + (1 - truth.trait**2 - truth.mood**2) * (1 - truth.lasting))
            above = ndtr(
                (mean + habit[column] - BETWEEN_RATINGS[:, None, None]) / of_day
            )  # chance of a rating above each cut
            expected = above[3] if driver.kind == "delighter" else above.sum(axis=0) - 3
            given = experience[:, :, at] == 5 if driver.kind == "delighter" else experience[:, :, at] - 4.0
            lasting += driver.weight * used[:, [at]] * expected
            day += driver.weight * used[:, [at]] * (given - expected)
    return experience, used, lasting, day


def _draw_problems(
    accounts: pd.DataFrame, contacts: pd.DataFrame, calendar: Calendar, truth: Truth, rng: np.random.Generator
) -> Flags:
    large = accounts["revenue"].to_numpy()[contacts["account"]] >= truth.large_revenue
    shape = (len(contacts), len(calendar.labels))
    has = np.empty((*shape, len(truth.problems)), dtype=bool)
    for at, problem in enumerate(truth.problems.values()):
        share = np.full(shape[1], problem.share)
        for wave, other in problem.share_from.items():
            share[np.array(calendar.labels) >= wave] = other
        has[:, :, at] = _lasting_lots(shape, truth.problem_lasts, rng) < share
        has[~large, :, at] &= not problem.only_large
    return has


def _draw_lasting_opinion(
    accounts: pd.DataFrame,
    contacts: pd.DataFrame,
    employee_shift: Floats,
    calendar: Calendar,
    truth: Truth,
    rng: np.random.Generator,
) -> Floats:
    """Score points of who a contact is, who serves them and what they buy: (n_contacts, n_quarters)."""
    quarters = len(calendar.labels)
    account = contacts["account"].to_numpy()
    line = truth.line_deviation * _lasting((len(PRODUCT_LINES), quarters), truth.line_keeps, rng)
    line -= line.mean(axis=0)  # the whole company neither rises nor falls with its lines
    own = rng.normal(0, truth.account_deviation, len(accounts)) + employee_shift[accounts["employee"]]
    own += truth.large_shift * (accounts["revenue"].to_numpy() >= truth.large_revenue)
    own = own[account] + rng.normal(0, truth.contact_deviation, len(contacts))
    role = np.array([truth.role_shift.get(name, 0.0) for name in MADE_UP_ROLES])[contacts["role"]]
    region = contacts["region"].map(truth.region_shift).fillna(0.0).to_numpy(dtype=float)
    return np.asarray((truth.score_mean + own + role + region)[:, None] + line[accounts["line"].to_numpy()[account]])


def _draw_disengaged(accounts: pd.DataFrame, calendar: Calendar, truth: Truth, rng: np.random.Generator) -> Flags:
    first_wave = np.searchsorted(calendar.invited, accounts["started"].to_numpy())
    since = first_wave + rng.geometric(truth.disengaging, len(accounts))
    since[accounts["disengaged_at_start"]] = 0
    quarters = np.arange(len(calendar.labels))
    return np.asarray(quarters >= since[:, None])


def _lasting(shape: tuple[int, int], keeps: float, rng: np.random.Generator) -> Floats:
    """Standard normal deviates of which each row keeps `keeps` from one column to the next."""
    drawn = rng.standard_normal(shape)
    for at in range(1, shape[1]):
        drawn[:, at] = keeps * drawn[:, at - 1] + np.sqrt(1 - keeps**2) * drawn[:, at]
    return drawn


def _lasting_lots(shape: tuple[int, int], lasts: float, rng: np.random.Generator) -> Floats:
    """Uniform lots, each kept from one column to the next with a chance of `lasts`."""
    lots, kept = rng.random(shape), rng.random(shape) < lasts
    for at in range(1, shape[1]):
        lots[:, at] = np.where(kept[:, at], lots[:, at - 1], lots[:, at])
    return lots


def _days(moment: pd.Timestamp) -> int:
    return int((moment.normalize() - pd.Timestamp(0)).days)
