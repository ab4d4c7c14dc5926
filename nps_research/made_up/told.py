"""Each truth that is planted in the made-up company, in plain English and with its numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nps_research.made_up.following.purchases import CANNIBAL, LIFTING, NEIGHBOUR
from nps_research.made_up.truth import Truth


def planted(truth: Truth) -> dict[str, dict[str, Any]]:
    """Each planted truth as a sentence (`says`) and as the numbers behind it.

    Parameters
    ----------
    truth : Truth

    Returns
    -------
    dict of str to dict

    Examples
    --------
    >>> planted(Truth(life_dips={3: -1.0}))["life_dips"]["says"]
    'Opinions are lower by 1 point in month 3 of an account.'
    """
    by_kind: dict[str, list[str]] = {}
    for column, driver in truth.drivers.items():
        by_kind.setdefault(driver.kind, []).append(column)
    labels = {kind: ", ".join(truth.drivers[column].label for column in columns) for kind, columns in by_kind.items()}
    falls = {column: driver.fall for column, driver in truth.drivers.items() if driver.fall}
    fallen = " and ".join(f"{truth.drivers[column].label} by {fall:g}" for column, fall in falls.items())
    dips = " and ".join(
        f"by {-shift:g} point{'s' * (shift != -1)} in month {month}" for month, shift in truth.life_dips.items()
    )
    under_12, to_36, over_36 = truth.churn_by_tenure
    purchases = truth.purchases
    return {
        "churn_by_score": {
            "says": "Contacts scoring 0-3 leave more often; from 4 to 10 the score says nothing about leaving. "
            "Churn is the account's: per quarter it rises with the share of its contacts at 0-3, of whom a decision "
            f"maker counts {truth.decision_maker_counts:g} times.",
            "detractor_max": 3,
            "churn_per_quarter_at_share_1": truth.churn_rejecting,
            "decision_maker_counts": truth.decision_maker_counts,
        },
        "silence": {
            "says": "Disengaged accounts hardly answer and leave most often, so the silent have the highest churn "
            "of all. Disengaging does not depend on the score, and silence adds to what tenure and revenue tell.",
            "disengaged_at_start": truth.disengaged_at_start,
            "disengaging_per_quarter": truth.disengaging,
            "answer_multiplier": truth.answer_if_disengaged,
            "churn_per_quarter": truth.churn_disengaged,
        },
        "tenure_and_revenue": {
            "says": f"Churn is multiplied by {under_12:g}, {to_36:g} and {over_36:g} under 12, from 12 to 36 "
            f"and over 36 months, and by {truth.churn_if_large:g} for accounts with a revenue of at least "
            f"{truth.large_revenue:,.0f} euros; by {truth.churn_at_first_renewal:g} in the quarter in which the first "
            f"yearly contract ends, by {truth.churn_at_renewal:g} where a later one does, by {truth.churn_between:g} "
            f"between. Who began in {truth.loyal_cohort} truly stays longer (by {truth.churn_of_cohort:g}); who began "
            "long before 2024 only looks so, since who had left by then is in no table.",
            "base_per_quarter": truth.churn_base,
            "by_tenure": truth.churn_by_tenure,
            "if_large": truth.churn_if_large,
            "at_first_renewal": truth.churn_at_first_renewal,
            "at_renewal": truth.churn_at_renewal,
            "between": truth.churn_between,
            "loyal_cohort": {truth.loyal_cohort: truth.churn_of_cohort},
        },
        "response": {
            "says": "The chance to answer rises with the score not yet given, so those who stay silent would have "
            "given a lower NPS than those who answer. Each invitation in the weeks before multiplies it by "
            f"{truth.fatigue:g}; who complained in the quarter answers {truth.answer_if_complained:g} times as often.",
            "log_slope_per_score_point": truth.answer_slope,
            "at_score_8_by_role": truth.answer_by_role,
            "fatigue": truth.fatigue,
            "if_complained": truth.answer_if_complained,
        },
        "lasting_opinion": {
            "says": "A contact has an opinion that lasts; an answer is this opinion, the day's experience and error. "
            "So most moves between answers are error. Truly moved are few: `counted` has the shares, wave to wave.",
            "score_deviation": truth.score_deviation,
            "account_deviation": truth.account_deviation,
            "contact_deviation": truth.contact_deviation,
        },
        "drivers": {
            "says": f"Nothing of their own: {labels.get('idle', 'none')}. Only through the driver it goes with: "
            f"{labels.get('shadow', 'none')}. Must-be (hurts when bad, no gain when good): "
            f"{labels.get('must-be', 'none')}. Delighter (gains only at 5): {labels.get('delighter', 'none')}. "
            f"In a straight line: {labels.get('linear', 'none')}.",
            "by_kind": by_kind,
            "score_points": {column: driver.weight for column, driver in truth.drivers.items() if driver.weight},
        },
        "life_dips": {
            "says": f"Opinions are lower {dips} of an account." if dips else "No month of an account is low.",
            "score_points_by_month": truth.life_dips,
        },
        "fall": {
            "says": f"With {truth.fall_wave} the mean ratings fell for good: {fallen} (before rounding to 1-5), "
            "and so NPS fell.",
            "wave": truth.fall_wave,
            "rating_points": falls,
        },
        "revenue": {
            "says": f"Revenue is lognormal with a heavy tail (log standard deviation {truth.revenue_log_deviation:g}).",
            "log_mean": truth.revenue_log_mean,
            "log_deviation": truth.revenue_log_deviation,
        },
        "groups": {
            "says": "Decision makers think less of the company than others; regions differ; answers given by phone are "
            "higher, and those to a question that comes last lower than to one that comes first. Longer customers "
            "choose the phone more often; in 2025 a lottery says for some how they are asked.",
            "score_points_by_region": truth.region_shift,
            "score_points_by_role": truth.role_shift,
            "score_points_by_channel": truth.channel_shift,
            "score_points_last": truth.last_shift,
        },
        "problems": {
            "says": f"{len(truth.problems)} problems come and go, whatever is rated. The largest is hardly ever "
            "complained of; the loudest is rare; one is only of large accounts; one was truly mended; one only fell "
            "from its peak.",
            **{name: asdict(problem) for name, problem in truth.problems.items()},
        },
        "calls": {
            "says": f"Who scores {truth.calls.score_max} or less, or asks for it, is a case. Before "
            f"{truth.calls.by_lottery_from} somebody chose whom to call, those first who had been content before; from "
            f"then on a lottery holds out {truth.calls.held_out:.0%}. A call within {truth.calls.in_time_hours} hours "
            f"that solves the problem adds {truth.calls.points:g} points to the opinion by the next wave, of which "
            f"half is left each wave after; it ends a rejection in {truth.calls.ends_rejection:.0%} of cases, and "
            f"prevents {truth.calls.keeps:.0%} of the leaving that comes from rejecting. Queues are drawn by lot.",
            **asdict(truth.calls),
        },
        "card": {
            "says": "The card multiplies the leaving of light buyers (under "
            f"{truth.card.light_below:,.0f} euros a year) by {truth.card.leaving:g}, and does nothing for others. It "
            "is offered in a random order, and taken more often by the engaged, who stay anyway: taken as they "
            "are, members seem to stay far longer.",
            **asdict(truth.card),
        },
        "people": {
            "says": f"{truth.employees} employees serve the accounts; scores differ between them, "
            f"{truth.bad_employees} are bad beyond that, and one leaves contacts off the list who would score 0-6. "
            f"{truth.interviewers} interviewers ask by phone; answers differ between them.",
            "employee_deviation": truth.employee_deviation,
            "bad_employee_shift": truth.bad_employee_shift,
            "interviewer_deviation": truth.interviewer_deviation,
        },
        "purchases": {
            "says": "What an account buys grows with its score, its size and its region; regions that grow have better "
            "scores, so that the gap between score groups looks larger than it is. "
            f"{purchases.fading_share:.0%} of those who leave buy less in the two months before. Two pairs of products "
            f"are bought together {purchases.pair_lift:g} times as often as by chance. An offer of {LIFTING} works in "
            f"loyal small accounts above all; one of {CANNIBAL} takes from {NEIGHBOUR}.",
            **asdict(purchases),
        },
        "visits": {
            "says": "Large and new accounts are visited and called more often. "
            f"{truth.contacts.neglected_share:.0%} of all accounts are loyal and were not for a year; as many as "
            f"{truth.contacts.visited_again_share:.0%}, drawn by lot, were then again, and bought "
            f"{purchases.demand_if_visited:.0%} more from that day on.",
            **asdict(truth.contacts),
        },
        "referrals": {
            "says": "Promoters refer twice as often once asked, and are asked five times as often.",
            **asdict(truth.referrals),
        },
        "units": {
            "says": "A product line that scores a point more than it does on average grows by "
            f"{truth.units.slope_lines:g} points more {truth.units.lag} quarters later; regions do not, and between "
            "units there is no link.",
            **asdict(truth.units),
        },
        "market": {
            "says": "One of six brands is better than the others. Where we are named, we are scored higher than in a "
            "blind survey, and so is a person's main brand.",
            **asdict(truth.market),
        },
        "nothing_to_find": {
            "says": "Industry and language change neither score nor answer nor churn; role, region, channel and the "
            "position of the question change no churn by themselves. Who leaves the newsletter, how an account was "
            "won and which kind of surveyor asks change nothing."
        },
    }
