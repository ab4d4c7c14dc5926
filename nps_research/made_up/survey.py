"""What a made-up company's systems hold of its lives: the tables of a study, by their standard names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.people import DAYS_PER_MONTH
from nps_research.made_up.comments import PROBLEM_CODES, draw_comments
from nps_research.made_up.company import CONTRACT_DAYS, MADE_UP_ROLES, PRODUCT_LINES, Company
from nps_research.made_up.following.followed import DAYS_PER_YEAR
from nps_research.made_up.lives import FATIGUE_DAYS, MINUTES_PER_DAY, Lives, draw_moments_of_answering
from nps_research.made_up.truth import Truth
from nps_research.typing import Flags, Floats, Integers, Numbers

NOT_USED = 6  # the code for "did not use it", beside ratings of 1 to 5
NO_PROBLEM = "none"  # what a coder writes of a comment that names no problem
BETWEEN_PROBLEMS = ";"
CODED, CODED_TWICE = 400, 100  # comments drawn to be coded by hand, and those of them that a second coder reads
CODER_ERROR = 0.05
INDEPENDENT = 9  # the first so many interviewers are so, the others are account managers
NEWSLETTER_LEFT_A_YEAR = 0.06  # share of the contacts who leave the newsletter, whatever they think or do


def customer_table(company: Company, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """One row per contact; start, churn, revenue and contract are the account's; who leaves the newsletter is drawn."""
    contacts = company.contacts
    accounts = company.accounts.assign(churned=lives.churned)
    seen_until = accounts["churned"].fillna(company.calendar.ends)
    accounts["ends"] = accounts["started"] + CONTRACT_DAYS * np.ceil((seen_until - accounts["started"]) / CONTRACT_DAYS)
    of_account = accounts.iloc[company.account].reset_index(drop=True)
    parent = of_account["parent"].where(of_account["parent"] != company.account, -1)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(np.arange(len(contacts))),
            "account_id": account_ids(company.account),
            "parent_account_id": _where((parent >= 0).to_numpy(), account_ids(parent.to_numpy())),
            "name": contacts["name"],
            "email": contacts["email"],
            "role": np.array(MADE_UP_ROLES, dtype=object)[contacts["role"]],
            "decision_power": contacts["decision_power"],
            "influence": contacts["influence"],
            "region": contacts["region"],
            "industry": contacts["industry"],
            "product_line": np.array(PRODUCT_LINES, dtype=object)[of_account["line"]],
            "language": contacts["language"],
            "account_manager": employees(of_account["employee"].to_numpy()),
            "started_at": moments(of_account["started"] * MINUTES_PER_DAY),
            "churned_at": moments(of_account["churned"] * MINUTES_PER_DAY),
            "contract_ends_at": moments(of_account["ends"] * MINUTES_PER_DAY),
            "observed_until": moments(np.full(len(contacts), company.calendar.ends) * MINUTES_PER_DAY),
            "revenue": of_account["revenue"],
            "margin": of_account["margin"],
            "unsubscribed_at": moments(_days_of_unsubscribing(company, lives, rng) * MINUTES_PER_DAY),
        }
    )


def _days_of_unsubscribing(company: Company, lives: Lives, rng: np.random.Generator) -> Floats:
    """Day on which each contact leaves the newsletter, within the panel and before the account leaves; else nan."""
    begins, ends = company.calendar.begins[0], company.calendar.ends
    since = np.maximum(company.accounts["started"].to_numpy()[company.account], begins)
    day = since + 1 + np.floor(rng.exponential(DAYS_PER_YEAR / NEWSLETTER_LEFT_A_YEAR, len(since)))
    gone = (day > ends) | (day >= np.nan_to_num(lives.churned, nan=np.inf)[company.account])
    return np.where(gone, np.nan, day)


def wave_answers(
    company: Company, lives: Lives, truth: Truth, rng: np.random.Generator
) -> tuple[pd.DataFrame, Flags, Integers, Integers]:
    """One row per invitation of a wave; the true codes of its comment; its contact and wave."""
    wave, contact = np.nonzero(lives.listed.T)
    at = contact, wave
    returned = ~np.isnan(lives.responded[at])
    given, n = lives.given[at], len(contact)
    interviewer = lives.interviewer[at]
    has = company.has[at] & returned[:, None]
    commented = returned & (rng.random(n) < truth.comment_share)
    comment, codes = np.full(n, None, dtype=object), np.zeros((n, len(PROBLEM_CODES)), dtype=bool)
    language = company.contacts["language"].to_numpy()[contact]
    in_order = [list(truth.problems).index(code) for code in PROBLEM_CODES]
    comment[commented], codes[commented] = draw_comments(
        language[commented], given[commented], has[commented][:, in_order], rng=rng
    )
    ratings = {}
    for position, (column, driver) in enumerate(truth.drivers.items()):
        rating = pd.array(company.experience[contact, wave, position], dtype="Int64")
        rating = pd.Series(rating).where(company.used[contact, position], NOT_USED)
        ratings[column] = rating.where(returned & (rng.random(n) >= driver.missing))
    responses = pd.DataFrame(
        {
            "respondent_id": customer_ids(contact),
            "account_id": account_ids(company.account[contact]),
            "wave": np.array(company.calendar.labels, dtype=object)[wave],
            "invited_at": moments(lives.invited[at]),
            "channel": lives.channel[at],
            "assigned_channel": lives.assigned_channel[at],
            "language": language,
            "delivered": lives.delivered[at].astype(int),
            "responded_at": moments(lives.responded[at]),
            "likelihood_to_recommend": pd.Series(given).astype("Int64"),
            "question_position": np.where(lives.last[at], "last", "first"),
            "callback_requested": pd.Series(lives.requested[at].astype(int), dtype="Int64").where(returned),
            "employee": employees(company.accounts["employee"].to_numpy()[company.account[contact]]),
            "interviewer": _where(returned & (interviewer >= 0), _lettered("I", interviewer + 1, 2)),
            "surveyor_kind": _where(
                returned & (interviewer >= 0),
                np.where(interviewer < INDEPENDENT, "independent", "account manager").astype(object),
            ),
            **ratings,
            "problems": joined_codes(has, list(truth.problems)),
            "comment": comment,
        }
    )
    return responses, codes, contact, wave


def age_answers(company: Company, lives: Lives, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """One row per invitation of the survey by age."""
    plan = lives.by_age
    contact, month, day = (plan[name].to_numpy(dtype=np.int64) for name in ("contact", "month", "day"))
    n, calendar = len(plan), company.calendar
    quarter = np.searchsorted(calendar.landmark[:-1], day)
    dip = sum((shift * (month == low) for low, shift in truth.life_dips.items()), np.zeros(n))
    index = company.opinion[contact, quarter] + dip + rng.normal(0, company.today.std(), n)
    score = np.where(
        lives.rejects[contact, quarter], rng.integers(4, size=n), np.clip(np.rint(index), 4, 10).astype(np.int64)
    )
    account = company.account[contact]
    waves_lately = ((day[:, None] - calendar.invited) <= FATIGUE_DAYS) & (day[:, None] > calendar.invited)
    times = waves_lately[:, : truth.n_waves].sum(axis=1) + np.minimum(month - 1, int(FATIGUE_DAYS // DAYS_PER_MONTH))
    chance = truth.life_survey_answer * np.exp(truth.answer_slope * (score - 8)) * truth.fatigue**times
    chance *= np.where(company.disengaged[account, quarter], truth.answer_if_disengaged, 1.0)
    delivered = rng.random(n) >= truth.not_reached
    answers = delivered & (rng.random(n) < chance)
    invited = day * MINUTES_PER_DAY + rng.integers(18, 23, n) * 30
    responded = np.where(answers, draw_moments_of_answering(invited, rng), np.nan)
    answers &= ~(lives.churned[account] <= responded // MINUTES_PER_DAY)
    responses = pd.DataFrame(
        {
            "respondent_id": customer_ids(contact),
            "account_id": account_ids(account),
            "life_stage": [f"month {each}" for each in month],
            "invited_at": moments(invited),
            "channel": "email",
            "language": company.contacts["language"].to_numpy()[contact],
            "delivered": delivered.astype(int),
            "responded_at": moments(np.where(answers, responded, np.nan)),
            "likelihood_to_recommend": pd.Series(np.where(answers, score, np.nan)).astype("Int64"),
        }
    )
    return responses.iloc[np.lexsort((contact, day))].reset_index(drop=True)


def callback_table(company: Company, lives: Lives, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """One row per case, called or not."""
    cases, n = lives.cases, len(lives.cases)
    contact, wave = cases["contact"].to_numpy(), cases["wave"].to_numpy()
    assigned, reached = cases["assigned"].to_numpy(), cases["reached_at"].notna().to_numpy()
    has = company.has[contact, wave]
    problem = _where(has.any(axis=1), np.array(list(truth.problems), dtype=object)[has.argmax(axis=1)])
    outcome = np.where(cases["solved"], "solved", np.where(reached, "not solved", "not reached"))
    return pd.DataFrame(
        {
            "respondent_id": customer_ids(contact),
            "wave": np.array(company.calendar.labels, dtype=object)[wave],
            "assignment": cases["assignment"],
            "assigned": cases["assigned"].astype(int),
            **{name: moments(cases[name]) for name in ("assigned_at", "attempted_at", "reached_at", "closed_at")},
            "queue": _where(assigned, np.where(cases["fast"], "fast", "slow")),
            "caller": _where(assigned, employees(rng.integers(truth.employees, size=n))),
            "outcome": _where(assigned, outcome),
            "problem": _where(reached, problem),
        }
    )


def complaint_table(company: Company, lives: Lives, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """One row per complaint of a customer."""
    contact, quarter, problem = np.nonzero(lives.complained)
    account, calendar = company.account[contact], company.calendar
    day = calendar.invited[quarter] - rng.integers(1, 60, len(contact))  # before the wave asks
    started = company.accounts["started"].to_numpy()[account]
    there = (started < day) & ~(lives.churned[account] <= calendar.invited[quarter])
    contact, quarter, problem, day = contact[there], quarter[there], problem[there], day[there]
    n = len(contact)
    resolved = np.where(rng.random(n) < 0.7, day + rng.integers(1, 30, n), np.nan)
    table = pd.DataFrame(
        {
            "customer_id": customer_ids(contact),
            "complained_at": moments(day * MINUTES_PER_DAY),
            "problem": np.array(list(truth.problems), dtype=object)[problem],
            "channel": rng.choice(np.array(["phone", "email", "driver"], dtype=object), n, p=[0.5, 0.4, 0.1]),
            "resolved_at": moments(resolved * MINUTES_PER_DAY),
        }
    )
    return table.iloc[np.argsort(day, kind="stable")].reset_index(drop=True)


def membership_table(company: Company, lives: Lives) -> pd.DataFrame:
    """One row per account that was offered the card, under its decision maker."""
    offered = lives.card["offered"].notna().to_numpy()
    first = np.flatnonzero(company.contacts["role"] == 0)[offered]
    joined = lives.card["joined"][offered]
    left = lives.churned[offered]
    return pd.DataFrame(
        {
            "customer_id": customer_ids(first),
            "programme": "Card",
            "offered_at": moments(lives.card["offered"][offered] * MINUTES_PER_DAY),
            "joined_at": moments(joined * MINUTES_PER_DAY),
            "left_at": moments(np.where(joined.notna(), left, np.nan) * MINUTES_PER_DAY),
        }
    )


def hand_code_table(responses: pd.DataFrame, codes: Flags, rng: np.random.Generator) -> pd.DataFrame:
    """What two coders, who err a little, found in comments drawn at random."""
    commented = np.flatnonzero(responses["comment"].notna())
    n = min(CODED, len(commented))
    drawn = rng.choice(commented, n, replace=False)
    twice = rng.random(n).argsort()[: min(CODED_TWICE, n)]
    tables = []
    for coder, rows in (("Coder A", drawn), ("Coder B", drawn[twice])):
        found = codes[rows] ^ (rng.random((len(rows), codes.shape[1])) < CODER_ERROR / codes.shape[1])
        found = np.column_stack([found, ~found.any(axis=1)])
        row, code = np.nonzero(found)
        of_response = responses.iloc[rows[row]]
        tables.append(
            pd.DataFrame(
                {
                    "respondent_id": of_response["respondent_id"].to_numpy(),
                    "wave": of_response["wave"].to_numpy(),
                    "coder": coder,
                    "problem": np.array([*PROBLEM_CODES, NO_PROBLEM], dtype=object)[code],
                    "inclusion_probability": round(n / len(commented), 6),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def joined_codes(has: Flags, codes: list[str]) -> Numbers:
    """The codes of each row with a separator between them; None where there is none."""
    joined = np.full(len(has), "", dtype=object)
    for at, code in enumerate(codes):
        rows = has[:, at]
        joined[rows] = np.where(joined[rows] == "", code, joined[rows] + f"{BETWEEN_PROBLEMS}{code}")
    return _where(joined != "", joined)


def customer_ids(contact: Integers) -> Numbers:
    """Ids of contacts by their positions."""
    return _lettered("C", contact + 1, 5)


def account_ids(account: Integers) -> Numbers:
    """Ids of accounts by their positions."""
    return _lettered("A", account + 1, 4)


def employees(employee: Integers) -> Numbers:
    """Names of employees by their positions."""
    return _lettered("E", employee + 1, 2)


def _where(rows: Flags, values: Numbers) -> Numbers:
    """Values of some rows, None in the others."""
    chosen = np.full(len(rows), None, dtype=object)
    chosen[rows] = values[rows]
    return chosen


def _lettered(letter: str, number: Integers, digits: int) -> Numbers:
    return np.array([f"{letter}{each:0{digits}d}" for each in number], dtype=object)


def moments(minutes: Floats | Numbers | pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Minutes since 1970 as date-times; nan is missing."""
    whole = pd.Series(np.asarray(minutes, dtype=float)).floordiv(1)
    return pd.Series(pd.to_datetime(whole.to_numpy() * 60, unit="s")).astype("datetime64[s]")
