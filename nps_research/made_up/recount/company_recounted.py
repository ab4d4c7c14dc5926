"""All that is planted in a made-up company, counted in it."""

from __future__ import annotations

from nps_research.made_up.counted import Counted
from nps_research.made_up.following.contacts_made import counted_contacts_made
from nps_research.made_up.following.market import counted_market
from nps_research.made_up.following.purchases_counted import counted_purchases
from nps_research.made_up.following.referrals import counted_referrals
from nps_research.made_up.following.units import counted_units
from nps_research.made_up.recount.leaving import counted_leaving
from nps_research.made_up.recount.opinion import counted_answers, counted_calls, counted_moves, counted_opinion
from nps_research.made_up.recount.ratings import counted_ratings
from nps_research.made_up.simulate import SimulatedStudy


def counted_in(study: SimulatedStudy) -> list[Counted]:
    """Count each planted truth in a drawn company.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
    """
    kinds = (counted_opinion, counted_ratings, counted_answers, counted_moves, counted_calls, counted_leaving)
    truth, tables, followed = study.truth, study.tables, study.followed
    return [
        *(each for kind in kinds for each in kind(study)),
        *counted_purchases(tables["transactions"], tables["offers"], tables["contacts"], followed, truth.purchases),
        *counted_referrals(tables["referrals"], followed, truth.referrals),
        *counted_contacts_made(tables["contacts"], followed, truth.contacts),
        *counted_units(tables["units"], followed, truth.units),
        *counted_market(tables["market"], truth.market),
    ]
