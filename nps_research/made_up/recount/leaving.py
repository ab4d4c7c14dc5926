"""What is planted in leaving, counted in a drawn company: leavers over what they would be without it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.counting.people import DAYS_PER_MONTH
from nps_research.made_up.counted import Counted, CountedRows, times
from nps_research.made_up.following.followed import day_numbers
from nps_research.made_up.lives import renewals
from nps_research.made_up.simulate import SimulatedStudy
from nps_research.typing import Flags, Floats, Numbers


def counted_leaving(study: SimulatedStudy) -> list[Counted]:
    """Who leaves how much more often than without what is planted.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
        With nan as what is planted where it follows from many planted numbers together.
    """
    truth, company, lives = study.truth, study.company, study.lives
    accounts, calendar = company.accounts, company.calendar
    quarters = len(calendar.labels) - 1  # the last one is not seen to its end
    rows = CountedRows(np.repeat(np.arange(truth.n_accounts), quarters))
    hazard, multiplier = lives.hazard[:, :quarters].ravel(), lives.multiplier[:, :quarters].ravel()
    there = ~np.isnan(hazard)
    landmark = calendar.landmark
    day = lives.churned[:, None]
    leaves = ((day >= landmark[:quarters]) & (day < landmark[1 : quarters + 1])).ravel()
    expected = np.nan_to_num(hazard)

    def against(words: str, planted: float, group: Flags) -> Counted:
        """Leavers of a group over what they would be without a multiplier."""
        without = np.where(there & group, expected / planted, 0.0)
        return rows.count(words, planted, "times", (leaves / np.where(without > 0, without, 1), without))

    tenure = ((calendar.invited[:quarters] - accounts["started"].to_numpy()[:, None]) / DAYS_PER_MONTH).ravel()
    stage = np.digitize(tenure, [12, 36])
    large = np.repeat(accounts["revenue"].to_numpy() >= truth.large_revenue, quarters)
    light = np.repeat(accounts["revenue"].to_numpy() < truth.card.light_below, quarters)
    renewal = renewals(company)[:, :quarters].ravel()
    started = pd.PeriodIndex(pd.to_datetime(accounts["started"], unit="D"), freq="Q")
    cohort = np.repeat([f"{each.year} Q{each.quarter}" == truth.loyal_cohort for each in started], quarters)
    member = (lives.card["joined"].to_numpy()[:, None] <= landmark[:quarters]).ravel()
    counts = [
        against(f"Leaving {words}, against what it would be without that", planted, stage == at)
        for at, (words, planted) in enumerate(
            zip(("under 12 months", "from 12 to 36 months", "over 36 months"), truth.churn_by_tenure, strict=True)
        )
    ]
    counts += [
        against("Leaving of large accounts, against smaller ones alike in all else", truth.churn_if_large, large),
        against("Leaving where the first yearly contract ends", truth.churn_at_first_renewal, renewal == 1),
        against("Leaving where a later contract ends", truth.churn_at_renewal, renewal > 1),
        against("Leaving between contracts' ends", truth.churn_between, renewal == 0),
        against(f"Leaving of who began in {truth.loyal_cohort}", truth.churn_of_cohort, cohort),
        against("Leaving of light buyers with the card, against the same without", truth.card.leaving, member & light),
    ]
    counts += _counted_reasons(study, rows, leaves, multiplier, there)
    active = there & (landmark[:quarters] >= landmark[1])[np.tile(np.arange(quarters), truth.n_accounts)]
    parts = (100 * leaves, active & member), (100 * leaves, active & ~member)
    counts.append(
        rows.count(
            "Leaving of card members, against others, taken as they are", np.nan, "times", *parts, combined=times
        )
    )
    words = "Leaving of light buyers with the card, against other light buyers, taken as they are"
    parts = (100 * leaves, active & light & member), (100 * leaves, active & light & ~member)
    counts.append(rows.count(words, np.nan, "times", *parts, combined=times))
    factor = np.where(light, truth.card.leaving, 1.0)
    without = np.where(active & member, expected / factor, 0.0)
    words = "Leaving of card members, against the same without the card"
    counts.append(rows.count(words, np.nan, "times", (leaves / np.where(without > 0, without, 1), without)))
    words = "Leaving within half a year of somebody's leaving the newsletter, against what it would be without that"
    counts.append(against(words, 1.0, _newsletter_left(study, quarters).ravel()))
    disengaged = company.disengaged[:, : quarters + 1]
    may = np.arange(quarters) > np.searchsorted(calendar.invited, accounts["started"].to_numpy())[:, None]
    may, turns = (may & ~disengaged[:, :-1]).ravel(), 100 * disengaged[:, 1:].ravel()
    words = "Who disengages in a quarter, of the accounts engaged"
    counts.append(rows.count(words, 100 * truth.disengaging, "%", (turns, may)))
    return counts


def _newsletter_left(study: SimulatedStudy, quarters: int) -> Flags:
    """Of which accounts somebody left the newsletter in the two quarters before each: (n_accounts, quarters)."""
    company, landmark = study.company, study.company.calendar.landmark
    days = study.customers["unsubscribed_at"]
    left = np.flatnonzero(days.notna())
    quarter = np.searchsorted(landmark, day_numbers(days.iloc[left]))  # the first landmark on or after it
    seen = np.zeros((study.truth.n_accounts, quarters + 2), dtype=bool)
    for later in (0, 1):
        seen[company.account[left], np.minimum(quarter + later, quarters + 1)] = True
    return seen[:, :quarters]


def _counted_reasons(
    study: SimulatedStudy, rows: CountedRows, leaves: Flags, multiplier: Floats, there: Flags
) -> list[Counted]:
    """Leaving in a quarter where all multipliers are 1: of the engaged, the disengaged, and by who rejects."""
    truth, company, lives = study.truth, study.company, study.lives
    n, quarters = truth.n_accounts, len(company.calendar.labels) - 1
    weight = np.where(company.contacts["role"] == 0, truth.decision_maker_counts, 1.0)
    helped = np.zeros((len(weight), quarters))
    helped[:, : truth.n_waves] = lives.called
    low = lives.rejects[:, :quarters] * (1 - truth.calls.keeps * helped)

    def summed(values: Numbers) -> Floats:
        return np.array([np.bincount(company.account, each, n) for each in values.T]).T.ravel()

    share = summed(weight[:, None] * low) / np.repeat(np.bincount(company.account, weight, n), quarters)
    people = np.repeat(np.bincount(company.account, minlength=n), quarters)
    of_maker = summed((low > 0) * (weight[:, None] > 1)) if truth.decision_maker_counts > 1 else np.zeros(len(share))
    of_others = summed((low > 0) * 1.0) - of_maker
    disengaged = company.disengaged[:, :quarters].ravel()
    base = truth.churn_base
    there = there & ((base + truth.churn_disengaged) * multiplier < 1)  # a chance is at most 1
    engaged = there & ~disengaged

    def chance(words: str, planted: float, values: Numbers, exposure: Floats) -> Counted:
        known = np.where(exposure > 0, exposure, 0.0)
        return rows.count(words, 100 * planted, "%", (100 * values / np.where(known > 0, known, 1), known))

    counts = [
        chance(
            "Leaving in a quarter of the engaged, nobody rejecting", base, leaves, multiplier * (engaged & (share == 0))
        ),
        chance(
            "Leaving in a quarter of the disengaged, nobody rejecting",
            base + truth.churn_disengaged,
            leaves,
            multiplier * (there & disengaged & (share == 0)),
        ),
        chance(
            "Leaving in a quarter that a whole account's rejecting adds",
            truth.churn_rejecting,
            leaves - base * multiplier,
            multiplier * share * engaged,
        ),
    ]
    if truth.churn_rejecting:
        alone = engaged & (people > 1) & (of_maker + of_others == 1)
        parts = []
        for who in (of_maker, of_others):
            known = np.where(alone & (who == 1), multiplier / (people + truth.decision_maker_counts - 1), 0.0)
            parts.append(((leaves - base * multiplier) / np.where(known > 0, known, 1), known))
        words = "Leaving that a decision maker's rejecting adds, against another's"
        counts.append(rows.count(words, truth.decision_maker_counts, "times", *parts, combined=times))
    return counts
