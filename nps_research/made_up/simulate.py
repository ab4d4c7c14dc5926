"""A made-up company with known truth: what the estimators ought to find, planted.

"Made-up Supplies Ltd" sells to other businesses; all contacts of its accounts are invited every
quarter. `Truth` holds every planted parameter, `simulate_study` draws the company and surveys it,
and `write_demo` writes one as CSV files, the same bytes each time:
``python -m nps_research.made_up.simulate data/demo``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nps_research.made_up.company import MADE_UP_ROLES, RESPONSE_WINDOW_DAYS, Company, draw_company
from nps_research.made_up.text import draw_comments
from nps_research.made_up.truth import Truth, planted
from nps_research.typing import Flags, Integers, Numbers

DEFAULT_TRUTH = Truth()
OUTCOME_HORIZON_DAYS = 180
NOT_USED = 6  # the code for "did not use it", beside ratings of 1 to 5
MINUTES_PER_DAY = 24 * 60
OPENING_HOUR = 8
# forms returned by hour of the day, from 8 to 18
HOURS = (0.07, 0.14, 0.16, 0.11, 0.06, 0.08, 0.12, 0.11, 0.08, 0.05, 0.02)
# rows that break the contract: what is wrong -> the column and what is written into it
BAD_CELLS = {
    "score 11": ("likelihood_to_recommend", "11"),
    "score -1": ("likelihood_to_recommend", "-1"),
    "score 7.5": ("likelihood_to_recommend", "7.5"),
    "answer without delivery": ("delivered", "0"),
    "answer before the invitation": ("responded_at", "2023-12-01T10:00"),
    "unreadable date of invitation": ("invited_at", "mid-August"),
    "unreadable date of the answer": ("responded_at", "2025-13-45T09:00"),
}
WRITTEN_TWICE = "same person twice in the wave"  # a row more, rather than a cell
# wave -> what is wrong -> rows
BAD_ROWS = {
    "2024 Q3": {"score 11": 2, "score -1": 1, "answer without delivery": 2, "unreadable date of invitation": 1},
    "2025 Q3": {
        "score 7.5": 2,
        "unreadable date of the answer": 1,
        "answer before the invitation": 1,
        WRITTEN_TWICE: 2,
    },
}
# unusual, but stated rules read them: wave -> as written -> the score it stands for, rows
ODDITIES: dict[str, dict[str, tuple[int | None, int]]] = {
    "2024 Q3": {"9,0": (9, 3), "n/a": (None, 2)},
    "2025 Q3": {"10 - Extremely likely": (10, 3), "n/a": (None, 2)},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedStudy:
    """A drawn company and what its survey brought in.

    Attributes
    ----------
    responses, customers : pandas.DataFrame
        As the contract has them: one row per invitation, one row per contact.
    latent : pandas.DataFrame
        What no survey sees, row by row beside `responses`: `would_be_score`, `disengaged`,
        `life_month`, `silent` (reached, nothing returned within the window), `at_risk` (not gone
        by the landmark), `churned` within 180 days of it, and each driver as it would be rated.
        Never written to a file.
    truth : Truth
    """

    responses: pd.DataFrame
    customers: pd.DataFrame
    latent: pd.DataFrame
    truth: Truth


def simulate_study(truth: Truth = DEFAULT_TRUTH, *, rng: np.random.Generator) -> SimulatedStudy:
    """Draw a made-up company, survey it, and follow it to the end.

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
    company = draw_company(truth, rng=rng)
    contact, wave, invited_at = _invite(company, truth, rng)
    latent = pd.DataFrame(
        {
            "would_be_score": company.score[contact, wave],
            "disengaged": company.disengaged[company.contacts["account"].to_numpy()[contact], wave],
            "life_month": company.life_month()[contact, wave],
        }
    ).join(pd.DataFrame(company.experience[contact, wave], columns=list(truth.drivers)))
    customers = _customer_table(company)
    churned_at = customers["churned_at"].iloc[contact].reset_index(drop=True)
    responses = pd.DataFrame(
        {
            "respondent_id": customers["customer_id"].to_numpy()[contact],
            "account_id": customers["account_id"].to_numpy()[contact],
            "wave": np.array(company.calendar.labels, dtype=object)[wave],
            "invited_at": invited_at,
            "channel": company.contacts["channel"].to_numpy()[contact],
            "language": company.contacts["language"].to_numpy()[contact],
        }
    )
    role = company.contacts["role"].to_numpy()[contact]
    responses = _answer(responses, latent, role, churned_at, truth, rng)
    responses = _fill_in(responses, latent, company.used[contact], truth, rng)
    landmark = responses["invited_at"] + pd.Timedelta(days=RESPONSE_WINDOW_DAYS)
    latent["silent"] = (responses["delivered"] == 1) & ~(responses["responded_at"] <= landmark)
    latent["at_risk"] = ~(churned_at <= landmark)
    latent["churned"] = latent["at_risk"] & (churned_at <= landmark + pd.Timedelta(days=OUTCOME_HORIZON_DAYS))
    return SimulatedStudy(responses=responses, customers=customers, latent=latent, truth=truth)


def _invite(
    company: Company, truth: Truth, rng: np.random.Generator
) -> tuple[Integers, Integers, pd.Series[pd.Timestamp]]:
    """Contact, wave and moment of each invitation: everybody whose account is there, wave by wave."""
    opens = company.calendar.invited[: truth.n_waves, None]
    day = opens + rng.integers(3, size=len(company.accounts))
    there = (company.accounts["started"].to_numpy() < opens) & ~(company.accounts["churned"].to_numpy() <= day)
    account = company.contacts["account"].to_numpy()
    wave, contact = np.nonzero(there[:, account])
    minutes = day[wave, account[contact]] * MINUTES_PER_DAY + rng.integers(18, 23, len(wave)) * 30
    return contact, wave, _moments(minutes)


def _answer(
    responses: pd.DataFrame,
    latent: pd.DataFrame,
    role: Integers,
    churned_at: pd.Series[pd.Timestamp],
    truth: Truth,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add `delivered` and `responded_at`: who is reached, who answers, and when."""
    n = len(responses)
    delivered = rng.random(n) >= truth.not_reached
    chance = np.array(truth.answer_by_role)[role] * np.exp(truth.answer_slope * (latent["would_be_score"] - 8))
    chance *= np.where(latent["disengaged"], truth.answer_if_disengaged, 1.0)
    answers = delivered & (rng.random(n) < np.minimum(chance, truth.answer_cap))
    delay = np.minimum(rng.geometric(0.25, n) - 1, 11)
    delay = np.where(rng.random(n) < truth.late_share, rng.integers(15, 36, n), delay)
    invited = (responses["invited_at"] - pd.Timestamp(0)) // pd.Timedelta(minutes=1)
    day = invited.to_numpy() // MINUTES_PER_DAY + delay
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    waits = (weekday >= 5) & (rng.random(n) < 0.8)
    day = np.where(waits, day + 7 - weekday, day)
    hour = OPENING_HOUR + rng.choice(len(HOURS), n, p=HOURS)
    minutes = day * MINUTES_PER_DAY + hour * 60 + rng.integers(60, size=n)
    minutes = np.where(minutes <= invited, minutes + MINUTES_PER_DAY, minutes)
    responded_at = _moments(minutes)
    return responses.assign(
        delivered=delivered.astype(int), responded_at=responded_at.where(answers & ~(churned_at <= responded_at))
    )


def _fill_in(
    responses: pd.DataFrame, latent: pd.DataFrame, used: Flags, truth: Truth, rng: np.random.Generator
) -> pd.DataFrame:
    """Add what is on the form: score, ratings, comment, wish to be called back."""
    n = len(responses)
    returned = responses["responded_at"].notna()
    score = latent["would_be_score"].astype("Int64").where(returned & (rng.random(n) >= truth.item_missing))
    wishes = rng.random(n) < np.where(latent["would_be_score"] <= 6, 0.12, 0.02)
    position = np.where(rng.random(n) < 0.5, "first", "last")
    commented = (returned & (rng.random(n) < truth.comment_share)).to_numpy()
    comment = np.full(n, None, dtype=object)
    language = responses.loc[commented, "language"].to_numpy()
    comment[commented] = draw_comments(language, score[commented].to_numpy(float, na_value=np.nan), rng=rng)
    ratings = {}
    for at, (column, driver) in enumerate(truth.drivers.items()):
        rating = latent[column].astype("Int64").where(used[:, at], NOT_USED)
        ratings[column] = rating.where(returned & (rng.random(n) >= driver.missing))
    return responses.assign(
        likelihood_to_recommend=score,
        question_position=position,
        callback_requested=pd.Series(wishes.astype(int), dtype="Int64").where(returned),
        **ratings,
        comment=comment,
    )


def _customer_table(company: Company) -> pd.DataFrame:
    contacts = company.contacts
    of_account = company.accounts.iloc[contacts["account"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:05d}" for number in range(1, len(contacts) + 1)],
            "account_id": [f"A{number + 1:04d}" for number in contacts["account"]],
            "name": contacts["name"],
            "email": contacts["email"],
            "role": np.array(MADE_UP_ROLES, dtype=object)[contacts["role"]],
            "region": contacts["region"],
            "industry": contacts["industry"],
            "language": contacts["language"],
            "started_at": _moments(of_account["started"] * MINUTES_PER_DAY),
            "churned_at": _moments(of_account["churned"] * MINUTES_PER_DAY),
            "observed_until": _moments(np.full(len(contacts), company.calendar.ends) * MINUTES_PER_DAY),
            "revenue": of_account["revenue"],
        }
    )


def _moments(minutes: Numbers | pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Minutes since 1970 as date-times; nan is missing."""
    return pd.Series(pd.to_datetime(np.asarray(minutes) * 60, unit="s")).astype("datetime64[s]")


def write_demo(folder: Path, truth: Truth = DEFAULT_TRUTH, *, seed: int = 20261122) -> None:
    """Write a made-up study as CSV files, with truth.json beside them; the same bytes each time.

    Some rows are spoiled on purpose, and some scores written unusually; truth.json lists them.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    truth : Truth
        What is planted.
    seed : int
    """
    study = simulate_study(truth, rng=np.random.default_rng(seed))
    spoiling = np.random.default_rng([seed, 1])
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(study.customers, folder / "customers.csv", date_format="%Y-%m-%d")
    bad_rows, oddities = [], []
    for wave, rows in study.responses.groupby("wave"):
        file = f"responses_{str(wave).replace(' ', '').lower()}.csv"
        table, spoiled, unusual = _spoil(rows.drop(columns="wave"), str(wave), spoiling)
        _write_csv(table, folder / file, date_format="%Y-%m-%dT%H:%M")
        bad_rows += [{"file": file, "what": what, "rows": n} for what, n in spoiled.items()]
        oddities += [{"file": file, "written": written, "rows": n} for written, n in unusual.items()]
    content = {
        "made_up": True,
        "seed": seed,
        "planted": planted(truth),
        "realised": _realised(study),
        "bad_rows": bad_rows,
        "readable_oddities": oddities,
        "parameters": asdict(truth),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "truth.json").write_bytes(f"{text}\n".encode())


def _write_csv(table: pd.DataFrame, path: Path, *, date_format: str) -> None:
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8", date_format=date_format)


def _spoil(
    rows: pd.DataFrame, wave: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int], dict[str, int]]:
    """A wave's rows with its bad rows and unusual scores, and how many there are of each.

    Bad rows are made of answers of 7 and 8, so that the low scores, which are few, stay whole.
    """
    score = rows["likelihood_to_recommend"]
    table = rows.astype({"likelihood_to_recommend": object, "delivered": object}).copy()
    for column in ("invited_at", "responded_at"):
        table[column] = rows[column].dt.strftime("%Y-%m-%dT%H:%M").astype(object)
    bad = BAD_ROWS.get(wave, {})
    passive = rng.permutation(rows.index[score.isin([7, 8])])
    for what, n in bad.items():
        chosen, passive = passive[:n], passive[n:]
        if what == WRITTEN_TWICE:
            table = pd.concat([table, table.loc[chosen]])
        else:
            column, written = BAD_CELLS[what]
            table.loc[chosen, column] = written
    unusual = ODDITIES.get(wave, {})
    for written, (value, n) in unusual.items():
        matching = score.isna() & rows["responded_at"].notna() if value is None else score == value
        table.loc[rng.permutation(rows.index[matching.fillna(False)])[:n], "likelihood_to_recommend"] = written
    return table, bad, {written: n for written, (_, n) in unusual.items()}


def _realised(study: SimulatedStudy) -> dict[str, Any]:
    """What the draw came to, before rows were spoiled: NPS in points (0-6), rates in 0 to 1."""
    responses, latent = study.responses, study.latent
    given, would_be = responses["likelihood_to_recommend"], latent["would_be_score"]
    reached, silent, low = responses["delivered"] == 1, latent["silent"], would_be <= 3
    answered = reached & ~silent & given.notna()
    churn = {"silent": silent, "score 0-3": answered & low, "score 4-10": answered & ~low, "all reached": reached}
    return {
        "accounts": int(study.customers["account_id"].nunique()),
        "contacts": len(study.customers),
        "invitations": len(responses),
        "reached": int(reached.sum()),
        "response_rate": round(float(1 - silent[reached].mean()), 4),
        "net_promoter_score_by_wave": {
            str(wave): _net_promoter_score(scores) for wave, scores in given.groupby(responses["wave"])
        },
        "would_be_net_promoter_score": {
            "answered within the window": _net_promoter_score(would_be[answered]),
            "silent": _net_promoter_score(would_be[silent]),
            "all reached": _net_promoter_score(would_be[reached]),
        },
        "would_be_net_promoter_score_by_wave": {
            str(wave): _net_promoter_score(scores)
            for wave, scores in would_be[reached].groupby(responses["wave"][reached])
        },
        f"churn_within_{OUTCOME_HORIZON_DAYS}_days": {
            group: round(float(latent.loc[rows & latent["at_risk"], "churned"].mean()), 4)
            for group, rows in churn.items()
        },
    }


def _net_promoter_score(scores: pd.Series[Any]) -> float:
    given = scores.dropna()
    return round(100 * float((given >= 9).mean() - (given <= 6).mean()), 2)


if __name__ == "__main__":
    write_demo(Path(sys.argv[1]))
