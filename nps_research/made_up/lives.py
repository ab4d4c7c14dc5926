"""What happens to a made-up company, quarter by quarter: who is asked and answers, complains, is called, and leaves.

What a contact answers decides whether it is called; a call moves what it thinks in the next quarter; and what the
contacts of an account think decides whether it leaves. So it is drawn in the order in which it happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from nps_research.counting.people import DAYS_PER_MONTH
from nps_research.made_up.company import CONTRACT_DAYS, FIELDWORK_DAYS, Company
from nps_research.made_up.truth import Truth
from nps_research.typing import Flags, Floats, Integers, Numbers

MINUTES_PER_DAY = 24 * 60
MINUTES_PER_HOUR = 60
OPENING_HOUR = 8
# forms returned by hour of the day, from 8 to 18
HOURS = (0.07, 0.14, 0.16, 0.11, 0.06, 0.08, 0.12, 0.11, 0.08, 0.05, 0.02)
FATIGUE_DAYS = 80  # shorter than the time between two waves
LAST_CALL_DAYS = 13  # who answers later than the response window is not called


@dataclass(frozen=True, kw_only=True, eq=False)
class Lives:
    """What happened. Shapes: n contacts, q quarters, w waves, p problems; moments in minutes since 1970.

    Attributes
    ----------
    opinion : ndarray of float, shape (n, q)
        The lasting opinion, with what calls and the stage of life add to it.
    by_calls : ndarray of float, shape (n, q)
        What of it calls have added.
    rejects : ndarray of bool, shape (n, q)
    index : ndarray of float, shape (n, q)
        The answer before it is rounded and kept within 4 to 10, were there no rejection.
    score, score_uncalled : ndarray of int, shape (n, q)
        Likelihood to recommend, 0-10, as it would be given; and had there been no call in the quarter before.
    churned : ndarray of float, shape (n_accounts,)
        Day on which the account leaves, nan if it stays.
    hazard, multiplier : ndarray of float, shape (n_accounts, q)
        Chance to leave within the quarter, nan where the account is not there; and what tenure, size, contract,
        cohort and card multiply it by.
    listed, delivered, last, called : ndarray of bool, shape (n, w)
        Who is invited, is reached, has the question last, and is called early enough with the problem solved.
    invited, responded : ndarray of float, shape (n, w)
        Moments of the invitation and the answer; nan where there is none.
    answer_chance : ndarray of float, shape (n, w)
    given : ndarray of float, shape (n, w)
        The score on the form; nan where there is none.
    requested : ndarray of bool, shape (n, w)
        Who asks to be called back.
    channel : ndarray of str, shape (n, w)
    assigned_channel : ndarray of object, shape (n, w)
        Where the channel was drawn by lot: which; None elsewhere.
    interviewer : ndarray of int, shape (n, w)
        -1 where nobody asked by phone.
    interviewer_shift : ndarray of float, shape (n, w)
        Score points that go with the interviewer.
    by_age : pandas.DataFrame
        The survey by age: contact, month, day, as planned.
    complained : ndarray of bool, shape (n, q, p)
    cases : pandas.DataFrame
        One row per case: contact, wave, assignment, assigned, fast, and moments; nan where it did not come to that.
    card : pandas.DataFrame
        One row per account: days of `offered` and `joined`; nan where there was none.
    """

    opinion: Floats
    by_calls: Floats
    rejects: Flags
    index: Floats
    score: Integers
    score_uncalled: Integers
    churned: Floats
    hazard: Floats
    multiplier: Floats
    listed: Flags
    delivered: Flags
    last: Flags
    called: Flags
    invited: Floats
    responded: Floats
    answer_chance: Floats
    given: Floats
    requested: Flags
    channel: Numbers
    assigned_channel: Numbers
    interviewer: Integers
    interviewer_shift: Floats
    by_age: pd.DataFrame
    complained: Flags
    cases: pd.DataFrame
    card: pd.DataFrame


def live(company: Company, truth: Truth, *, rng: np.random.Generator) -> Lives:
    """Let a drawn company live through its quarters.

    Parameters
    ----------
    company : Company
    truth : Truth
        What is planted.
    rng : numpy.random.Generator

    Returns
    -------
    Lives

    Examples
    --------
    >>> import numpy as np
    >>> from nps_research.made_up.company import draw_company
    >>> truth, rng = Truth(n_accounts=40), np.random.default_rng(1)
    >>> live(draw_company(truth, rng=rng), truth, rng=rng).listed.shape[1]
    8
    """
    account, (n, quarters), waves = company.account, company.opinion.shape, truth.n_waves
    asked = _draw_asking(company, truth, rng)
    by_age = _plan_by_age(company, truth)
    card = _draw_card(company, truth, rng)
    month = company.life_month()
    life = sum((shift * (month == dip) for dip, shift in truth.life_dips.items()), np.zeros((n, quarters)))
    low = rng.choice(4, (n, quarters), p=[0.15, 0.20, 0.25, 0.40])
    told = np.array([problem.told for problem in truth.problems.values()])
    complained = company.has & (rng.random(company.has.shape) < told)
    by_rating = company.rejects_by_rating(truth)
    multiplier = _multiplier(company, truth, card)

    opinion, index, of_calls = (np.empty((n, quarters)) for _ in range(3))
    rejects = np.zeros((n, quarters), dtype=bool)
    score, uncalled = np.zeros((n, quarters), dtype=np.int64), np.zeros((n, quarters), dtype=np.int64)
    hazard, churned = np.full((truth.n_accounts, quarters), np.nan), np.full(truth.n_accounts, np.nan)
    of_waves = {name: np.zeros((n, waves), dtype=bool) for name in ("listed", "delivered", "called", "requested")}
    of_waves |= {name: np.full((n, waves), np.nan) for name in ("invited", "responded", "answer_chance", "given")}
    by_calls, ended = np.zeros(n), np.zeros(n, dtype=bool)
    newly, added, last_given = np.zeros(n, dtype=bool), np.zeros(n), np.full(n, np.nan)
    cases = []
    for at in range(quarters):
        still = by_rating[:, at] & ~ended
        ended = (ended | newly) & by_rating[:, at]
        rejects[:, at] = by_rating[:, at] & ~ended
        base = company.opinion[:, at] + life[:, at]
        of_calls[:, at] = by_calls + added
        opinion[:, at] = base + of_calls[:, at]
        today = company.today[:, at] + (asked["shift"][:, at] if at < waves else 0.0)
        index[:, at] = opinion[:, at] + today
        score[:, at] = _score_given(index[:, at], low[:, at], rejects[:, at])
        uncalled[:, at] = _score_given(base + by_calls + today, low[:, at], still)
        by_calls = (by_calls + added) / 2
        effective = np.zeros(n, dtype=bool)
        newly, added = np.zeros(n, dtype=bool), np.zeros(n)
        if at < waves:
            answers = _answer(company, truth, at, score[:, at], complained[:, at], churned, by_age, rng)
            for name, values in answers.items():
                of_waves[name][:, at] = values
            called = _call(company, truth, at, answers, last_given, rng)
            effective[called["contact"][called["helps"]]] = True
            of_waves["called"][:, at] = effective
            cases.append(called)
            added = truth.calls.points * effective
            newly = effective & rejects[:, at] & (rng.random(n) < truth.calls.ends_rejection)
            last_given = np.where(np.isnan(answers["given"]), last_given, answers["given"])
        chance = _chance_to_leave(company, truth, at, rejects[:, at] * (1 - truth.calls.keeps * effective))
        there = (company.accounts["started"].to_numpy() < company.calendar.invited[at]) & np.isnan(churned)
        hazard[:, at] = np.where(there, np.minimum(chance * multiplier[:, at], 1), np.nan)
        leaves = rng.random(truth.n_accounts) < np.nan_to_num(hazard[:, at])
        churned = np.where(leaves, _days_of_leaving(company, at, rng), churned)
    churned[churned > company.calendar.ends] = np.nan
    left = of_waves["responded"] // MINUTES_PER_DAY >= churned[account][:, None]  # a form returned too late
    for name in ("responded", "given"):
        of_waves[name][left] = np.nan
    return Lives(
        opinion=opinion,
        by_calls=of_calls,
        rejects=rejects,
        index=index,
        score=score,
        score_uncalled=uncalled,
        churned=churned,
        hazard=hazard,
        multiplier=multiplier,
        last=asked["last"],
        channel=asked["channel"],
        assigned_channel=asked["assigned_channel"],
        interviewer=asked["interviewer"],
        interviewer_shift=asked["interviewer_shift"],
        by_age=by_age[~(churned[account[by_age["contact"]]] <= by_age["day"].to_numpy())].reset_index(drop=True),
        complained=complained,
        cases=pd.concat(cases, ignore_index=True),
        card=pd.DataFrame({name: days.where(~(churned <= days)) for name, days in card.items()}),
        **of_waves,
    )


def _score_given(index: Floats, low: Integers, rejects: Flags) -> Integers:
    return np.where(rejects, low, np.clip(np.rint(index), 4, 10).astype(np.int64))


def _draw_asking(company: Company, truth: Truth, rng: np.random.Generator) -> dict[str, Numbers]:
    """How each contact would be asked in each wave, and what that does to the answer."""
    shape = (len(company.contacts), truth.n_waves)
    last = rng.random(shape) < 0.5
    by_lot = np.where(rng.random(shape) < 0.5, "phone", "email").astype(object)
    is_drawn = (rng.random(shape) < 0.15) & (np.array(company.calendar.labels[: truth.n_waves]) >= "2025 Q1")
    assigned = np.full(shape, None, dtype=object)
    assigned[is_drawn] = by_lot[is_drawn]
    channel = np.where(is_drawn, by_lot, company.contacts["channel"].to_numpy()[:, None])
    interviewer = np.where(channel == "phone", rng.integers(truth.interviewers, size=shape), -1)
    of_interviewer = np.append(rng.normal(0, truth.interviewer_deviation, truth.interviewers), 0.0)
    shift = truth.last_shift * (last - 0.5) + of_interviewer[interviewer]
    for name, value in truth.channel_shift.items():
        shift = shift + value * (channel == name)
    return {
        "last": last,
        "channel": channel,
        "assigned_channel": assigned,
        "interviewer": interviewer,
        "interviewer_shift": of_interviewer[interviewer],
        "shift": shift,
    }


def _plan_by_age(company: Company, truth: Truth) -> pd.DataFrame:
    """The survey by age: whom it asks in which month of life, on which day, were nobody to leave."""
    contact = np.repeat(np.flatnonzero(company.contacts["asked_by_age"]), 12)
    month = np.tile(np.arange(1, 13), len(contact) // 12)
    started = company.accounts["started"].to_numpy()[company.account[contact]]
    day = started + np.floor((month - 0.5) * DAYS_PER_MONTH).astype(np.int64)
    within = day <= company.calendar.invited[truth.n_waves - 1] + FIELDWORK_DAYS
    return pd.DataFrame({"contact": contact[within], "month": month[within], "day": day[within]})


def _draw_card(company: Company, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """Days on which each account is offered the card and takes it, were it to stay so long."""
    n, accounts = truth.n_accounts, company.accounts
    quarter = rng.integers(1, max(truth.n_waves, 2), n)
    offered = company.calendar.invited[quarter] - rng.integers(10, 40, n)
    is_offered = (rng.random(n) < truth.card.offered) & (accounts["started"].to_numpy() < offered)
    disengaged = company.disengaged[np.arange(n), quarter]
    takes = rng.random(n) < np.where(disengaged, truth.card.taken_if_disengaged, truth.card.taken)
    joined = offered + rng.integers(1, 15, n)
    return pd.DataFrame(
        {"offered": np.where(is_offered, offered, np.nan), "joined": np.where(is_offered & takes, joined, np.nan)}
    )


def renewals(company: Company) -> Integers:
    """Which yearly contract of the account ends in each quarter: 1, 2, ...; 0 where none does."""
    started = company.accounts["started"].to_numpy()[:, None]
    landmark = company.calendar.landmark
    before, after = (landmark[:-1] - started - 1) // CONTRACT_DAYS, (landmark[1:] - started - 1) // CONTRACT_DAYS
    return np.where((after > before) & (after >= 1), after, 0)


def _multiplier(company: Company, truth: Truth, card: pd.DataFrame) -> Floats:
    """What tenure, size, contract, cohort and card multiply an account's leaving by, quarter by quarter."""
    accounts, calendar = company.accounts, company.calendar
    started, revenue = accounts["started"].to_numpy()[:, None], accounts["revenue"].to_numpy()[:, None]
    tenure = np.digitize((calendar.invited[:-1] - started) / DAYS_PER_MONTH, [12, 36])
    times = np.array(truth.churn_by_tenure)[tenure] * np.where(revenue >= truth.large_revenue, truth.churn_if_large, 1)
    renewal = renewals(company)
    at_end = np.where(renewal == 1, truth.churn_at_first_renewal, truth.churn_at_renewal)
    times = times * np.where(renewal > 0, at_end, truth.churn_between)
    quarter = pd.PeriodIndex(pd.to_datetime(accounts["started"], unit="D"), freq="Q")
    cohort = np.array([f"{each.year} Q{each.quarter}" for each in quarter]) == truth.loyal_cohort
    times *= np.where(cohort, truth.churn_of_cohort, 1)[:, None]
    light = revenue < truth.card.light_below
    is_member = card["joined"].to_numpy()[:, None] <= calendar.landmark[:-1]
    return np.asarray(times * np.where(is_member & light, truth.card.leaving, 1))


def _chance_to_leave(company: Company, truth: Truth, at: int, rejecting: Floats) -> Floats:
    """Chance of each account to leave in a quarter in which all multipliers are 1."""
    weight = np.where(company.contacts["role"] == 0, truth.decision_maker_counts, 1.0)
    n = truth.n_accounts
    share = np.bincount(company.account, weight * rejecting, n) / np.bincount(company.account, weight, n)
    chance = truth.churn_base + truth.churn_rejecting * share + truth.churn_disengaged * company.disengaged[:, at]
    return np.asarray(chance)


def _days_of_leaving(company: Company, at: int, rng: np.random.Generator) -> Integers:
    """Day on which an account would leave in a quarter: where its contract ends, or any day up to the next landmark."""
    calendar, renewal = company.calendar, renewals(company)[:, at]
    days = np.floor(rng.random(len(company.accounts)) * (calendar.landmark[at + 1] - calendar.landmark[at])).astype(
        np.int64
    )
    ends = company.accounts["started"].to_numpy() + renewal * CONTRACT_DAYS
    return np.where(renewal > 0, ends, calendar.landmark[at] + days)


def _answer(
    company: Company,
    truth: Truth,
    at: int,
    score: Integers,
    complained: Flags,
    churned: Floats,
    by_age: pd.DataFrame,
    rng: np.random.Generator,
) -> dict[str, Numbers]:
    """One wave: who is invited when, is reached, answers, with which chance, and what stands on the form."""
    account, n = company.account, len(score)
    opens = int(company.calendar.invited[at])
    day = (opens + rng.integers(FIELDWORK_DAYS, size=truth.n_accounts))[account]
    there = (company.accounts["started"].to_numpy() < opens)[account] & ~(churned[account] <= day)
    omitted = (company.accounts["employee"].to_numpy()[account] == truth.employees - 1) & (score <= 6)
    listed = there & ~(omitted & (rng.random(n) < truth.omits))
    invited = day * MINUTES_PER_DAY + rng.integers(18, 23, n) * 30
    delivered = listed & (rng.random(n) >= truth.not_reached)
    invited_lately = by_age[(by_age["day"] < opens) & (by_age["day"] >= opens - FATIGUE_DAYS)]
    often = np.bincount(invited_lately["contact"], minlength=n)
    role, disengaged = company.contacts["role"].to_numpy(), company.disengaged[account, at]
    chance = np.array(truth.answer_by_role)[role] * np.exp(truth.answer_slope * (score - 8)) * truth.fatigue**often
    chance *= np.where(disengaged, truth.answer_if_disengaged, 1.0)
    chance = np.minimum(chance * np.where(complained.any(axis=1), truth.answer_if_complained, 1.0), truth.answer_cap)
    answers = delivered & (rng.random(n) < chance)
    late = rng.random(n) < truth.late_share
    responded = draw_moments_of_answering(invited, rng, waits=np.where(late, rng.integers(15, 36, n), -1))
    given = answers & (rng.random(n) >= truth.item_missing)
    return {
        "listed": listed,
        "delivered": delivered,
        "invited": np.where(listed, invited, np.nan),
        "answer_chance": np.where(delivered, chance, np.nan),
        "responded": np.where(answers, responded, np.nan),
        "given": np.where(given, score, np.nan),
        "requested": answers & (rng.random(n) < np.where(score <= 6, 0.12, 0.02)),
    }


def draw_moments_of_answering(
    invited: Integers, rng: np.random.Generator, *, waits: Integers | None = None
) -> Integers:
    """Moments of answers: within office hours, few on a weekend, most within days; `waits` states days, unless -1."""
    n = len(invited)
    days = np.minimum(rng.geometric(0.25, n) - 1, 11)
    day = invited // MINUTES_PER_DAY + (days if waits is None else np.where(waits >= 0, waits, days))
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    put_off = (weekday >= 5) & (rng.random(n) < 0.8)
    day = np.where(put_off, day + 7 - weekday, day)
    hour = OPENING_HOUR + rng.choice(len(HOURS), n, p=HOURS)
    minutes = day * MINUTES_PER_DAY + hour * MINUTES_PER_HOUR + rng.integers(60, size=n)
    return np.where(minutes <= invited, minutes + MINUTES_PER_DAY, minutes)


def _call(
    company: Company, truth: Truth, at: int, answers: dict[str, Numbers], last_given: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    """The wave's cases: who is called, when, and whether that helps."""
    calls, given, responded = truth.calls, answers["given"], answers["responded"]
    in_time = responded - answers["invited"] <= LAST_CALL_DAYS * MINUTES_PER_DAY
    contact = np.flatnonzero(in_time & ((given <= calls.score_max) | (answers["requested"] == 1)))
    n = len(contact)
    if by_lottery := company.calendar.labels[at] >= calls.by_lottery_from:
        chance = np.full(n, 1 - calls.held_out)
    else:  # somebody calls first who was content before, is large, or asks for it
        revenue = np.log(company.accounts["revenue"].to_numpy()[company.account[contact]]) - truth.revenue_log_mean
        before = np.nan_to_num(last_given[contact] - 6)
        asks = answers["requested"][contact]
        chance = expit(-0.4 + 0.4 * before + 0.5 * revenue / truth.revenue_log_deviation + 1.2 * asks)
    assigned = rng.random(n) < chance
    fast = rng.random(n) < calls.fast
    since = responded[contact] + rng.integers(60, 600, n)
    attempted = since + MINUTES_PER_HOUR * np.where(fast, rng.lognormal(2.8, 0.8, n), rng.lognormal(4.9, 0.5, n))
    reached = rng.random(n) < calls.reached
    reached_at = attempted + np.where(rng.random(n) < 0.7, 0, rng.integers(60, 1400, n))
    solved = reached & (rng.random(n) < calls.solved)
    closed_at = reached_at + rng.integers(30, 10_000, n)
    helps = assigned & solved & (reached_at - responded[contact] <= calls.in_time_hours * MINUTES_PER_HOUR)
    return pd.DataFrame(
        {
            "contact": contact,
            "wave": at,
            "assignment": "random" if by_lottery else "judgement",
            "assigned": assigned,
            "fast": fast,
            "assigned_at": np.where(assigned, since, np.nan),
            "attempted_at": np.where(assigned, attempted, np.nan),
            "reached_at": np.where(assigned & reached, reached_at, np.nan),
            "closed_at": np.where(assigned & reached & (rng.random(n) < 0.9), closed_at, np.nan),
            "solved": assigned & solved,
            "helps": helps,
        }
    )
