"""What is planted in the made-up company: every parameter, and how each is switched off."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nps_research.made_up.experiences import Driver, Problem, planted_drivers, planted_problems
from nps_research.made_up.following.contacts_made import ContactTruth
from nps_research.made_up.following.market import MarketTruth
from nps_research.made_up.following.purchases import PurchaseTruth
from nps_research.made_up.following.referrals import ReferralTruth
from nps_research.made_up.following.units import UnitTruth


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How those who score low are called back, and what a call does.

    Attributes
    ----------
    score_max : int
        Who scores this or less is a case, beside those who ask to be called.
    by_lottery_from : str
        Wave from which a lottery says who is called; before it somebody's judgement did.
    held_out : float
        Share of the cases that the lottery leaves out.
    fast : float
        Share of the called who are put, by lot, into the queue that is called first.
    reached, solved : float
        Chances that who is called is reached, and that their problem is solved then.
    in_time_hours : int
        Within how many hours of the answer a call does something, if it solves the problem.
    points : float
        Score points that such a call adds by the next wave; half of it is left each quarter after.
    ends_rejection : float
        Chance that such a call ends a rejection.
    keeps : float
        Share of the leaving through rejection that such a call prevents in the quarter.
    """

    score_max: int = 6
    by_lottery_from: str = "2025 Q1"
    held_out: float = 0.5
    fast: float = 0.6
    reached: float = 0.92
    solved: float = 0.85
    in_time_hours: int = 72
    points: float = 0.78
    ends_rejection: float = 0.15
    keeps: float = 0.2


@dataclass(frozen=True, kw_only=True)
class CardOffer:
    """The loyalty card: offered to accounts in a random order, taken by those who are engaged.

    Attributes
    ----------
    offered : float
        Share of the accounts that are ever offered it.
    taken, taken_if_disengaged : float
        Chance to take it when it is offered.
    leaving : float
        What it multiplies the leaving of light buyers by; of the others by 1.
    light_below : float
        Yearly revenue under which an account is a light buyer.
    """

    offered: float = 0.7
    taken: float = 0.6
    taken_if_disengaged: float = 0.08
    leaving: float = 0.75
    light_below: float = 16_000.0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Every planted parameter. Shares and chances in 0 to 1; shifts and deviations in score points.

    Attributes
    ----------
    n_accounts, n_waves : int
        All accounts ever seen, and quarterly waves from 2024 Q1 on.
    contacts_per_account : float
        Mean; one is the decision maker, half of the others are users.
    new_share : float
        Accounts that start during the panel; the others' age has a mean of `mean_age_months`.
    trait, mood : float
        Loadings that tie a contact's ratings together, over all waves and within a wave.
    lasting, keeps : float
        Of what is a rating's own: the share of its variance that lasts, and what of this is kept a quarter.
    must_be_lasting, must_be_keeps : float
        The same for the must-be.
    shadow_correlation : float
        Of the shadow driver with the driver it goes with, before rounding.
    problem_lasts, rejection_lasts : float
        Chance that the lot is not drawn anew each quarter that says who has a problem, and who rejects.
    rejection_by_rating : tuple of float
        Chance of a score of 0-3 by the must-be rating 1 to 5.
    score_mean, score_deviation, account_deviation, contact_deviation : float
        Of the score given no rejection: before the drivers, per answer, per account, per contact.
    life_dips : dict of int to float
        Score shift by month of the account's life.
    region_shift, role_shift, channel_shift : dict of str to float
        Score shift by region, by role, and by the channel in which the answer is given.
    large_shift : float
        Score shift of large accounts: it makes up for the problem that only they have, so that size, which keeps
        accounts, does not go with the score.
    last_shift : float
        Score shift where the question comes last, not first.
    employees, employee_deviation, bad_employees, bad_employee_shift : int or float
        Who serves the accounts, the score's deviation between them, and the first few who are bad beyond that.
    omits : float
        Chance that the last employee leaves a contact off the list who would score 0-6.
    interviewers, interviewer_deviation : int or float
        Who asks by phone, and the answers' deviation between them.
    line_deviation, line_keeps : float
        Score shift of a product line in a quarter, and what of it is kept to the next.
    answer_by_role, answer_slope, answer_if_disengaged : float
        Chance to answer = role's value x exp(slope x (would-be score - 8)), at most
        `answer_cap`; if disengaged times `answer_if_disengaged`.
    fatigue : float
        What it is multiplied by for each invitation in the `FATIGUE_DAYS` before.
    answer_if_complained : float
        What it is multiplied by if the contact complained in the quarter.
    life_survey_share, life_survey_answer : float
        Contacts of new accounts who are asked every month of the first year as well, and their
        chance to answer that, in place of the role's.
    disengaged_at_start, disengaging : float
        Accounts disengaged before the panel; engaged accounts disengaging per quarter, for good.
    churn_base, churn_rejecting, churn_disengaged : float
        Churn per quarter: base + `churn_rejecting` x share of contacts rejecting (decision makers count
        `decision_maker_counts` times) + `churn_disengaged` if disengaged; all that times the multipliers below.
    churn_by_tenure : tuple of float
        Multipliers under 12, from 12 to 36 and over 36 months.
    churn_if_large : float
        Multiplier of accounts with revenue of at least `large_revenue`; the others' is 1.
    churn_at_first_renewal, churn_at_renewal, churn_between : float
        Multipliers of quarters in which a yearly contract ends: the first, a later one, none.
    loyal_cohort, churn_of_cohort : str, float
        The quarter of start whose accounts truly stay longer, and their multiplier.
    revenue_log_mean, revenue_log_deviation : float
        Yearly revenue in euros is lognormal.
    purchases, referrals, market, units, contacts
        What is planted in the tables that follow from the company.

    Examples
    --------
    >>> Truth(n_accounts=50, life_dips={}).n_waves
    8
    """

    n_accounts: int = 1200
    n_waves: int = 8
    contacts_per_account: float = 3.0
    new_share: float = 0.35
    mean_age_months: float = 48.0
    shared_mailbox_share: float = 0.01
    drivers: dict[str, Driver] = field(default_factory=planted_drivers)
    problems: dict[str, Problem] = field(default_factory=planted_problems)
    calls: Calls = field(default_factory=Calls)
    card: CardOffer = field(default_factory=CardOffer)
    fall_wave: str = "2025 Q2"
    trait: float = 0.35
    mood: float = 0.45
    lasting: float = 0.4
    keeps: float = 0.9
    must_be_lasting: float = 0.9
    must_be_keeps: float = 0.97
    shadow_correlation: float = 0.85
    problem_lasts: float = 0.83
    rejection_lasts: float = 0.95
    rejection_by_rating: tuple[float, ...] = (0.75, 0.45, 0.025, 0.025, 0.025)
    score_mean: float = 9.2
    score_deviation: float = 0.6
    account_deviation: float = 0.5
    contact_deviation: float = 1.05
    life_dips: dict[int, float] = field(default_factory=lambda: {3: -1.2, 9: -1.0})
    region_shift: dict[str, float] = field(
        default_factory=lambda: {"Moldova": -0.3, "Romania": 0.1, "Ukraine": 0.0, "UK": 0.2}
    )
    large_shift: float = 0.18
    role_shift: dict[str, float] = field(default_factory=lambda: {"decision maker": -0.6})
    channel_shift: dict[str, float] = field(default_factory=lambda: {"phone": 0.4})
    last_shift: float = -0.35
    employees: int = 40
    employee_deviation: float = 0.35
    bad_employees: int = 2
    bad_employee_shift: float = -1.6
    omits: float = 0.7
    interviewers: int = 12
    interviewer_deviation: float = 0.4
    line_deviation: float = 0.3
    line_keeps: float = 0.7
    answer_by_role: tuple[float, float, float] = (0.52, 0.57, 0.60)
    answer_slope: float = 0.06
    answer_cap: float = 0.95
    answer_if_disengaged: float = 0.10
    fatigue: float = 0.96
    answer_if_complained: float = 1.5
    life_survey_share: float = 0.5
    life_survey_answer: float = 0.45
    item_missing: float = 0.025
    late_share: float = 0.03
    not_reached: float = 0.025
    comment_share: float = 0.18
    disengaged_at_start: float = 0.19
    disengaging: float = 0.05
    churn_base: float = 0.003
    churn_rejecting: float = 0.21
    churn_disengaged: float = 0.46
    churn_by_tenure: tuple[float, float, float] = (1.05, 1.35, 0.8)
    decision_maker_counts: float = 2.0
    large_revenue: float = 45_000.0
    churn_if_large: float = 0.4
    churn_at_first_renewal: float = 1.8
    churn_at_renewal: float = 1.2
    churn_between: float = 0.9
    loyal_cohort: str = "2024 Q3"
    churn_of_cohort: float = 0.5
    revenue_log_mean: float = 9.5
    revenue_log_deviation: float = 1.5
    purchases: PurchaseTruth = field(default_factory=PurchaseTruth)
    referrals: ReferralTruth = field(default_factory=ReferralTruth)
    market: MarketTruth = field(default_factory=MarketTruth)
    units: UnitTruth = field(default_factory=UnitTruth)
    contacts: ContactTruth = field(default_factory=ContactTruth)


def nothing_planted(truth: Truth) -> Truth:
    """The null company: of the same size and shape, but nothing has an effect on anything.

    Scores, answers and leaving still vary, between people and from quarter to quarter, by chance alone.

    Parameters
    ----------
    truth : Truth

    Returns
    -------
    Truth

    Examples
    --------
    >>> nothing_planted(Truth()).life_dips
    {}
    """
    idle = {  # the must-be stays one, but makes nobody reject more than others
        name: replace(
            driver, kind="must-be" if driver.kind == "must-be" else "idle", weight=0.0, fall=0.0, shadow_of=""
        )
        for name, driver in truth.drivers.items()
    }
    harmless = {
        name: replace(problem, points=0.0, told=0.1, only_large=False, share_from={})
        for name, problem in truth.problems.items()
    }
    return replace(
        truth,
        drivers=idle,
        problems=harmless,
        calls=replace(truth.calls, points=0.0, ends_rejection=0.0, keeps=0.0),
        card=replace(truth.card, taken_if_disengaged=truth.card.taken, leaving=1.0),
        rejection_by_rating=(0.06,) * 5,
        life_dips={},
        region_shift={},
        large_shift=0.0,
        role_shift={},
        channel_shift={},
        last_shift=0.0,
        employee_deviation=0.0,
        bad_employee_shift=0.0,
        omits=0.0,
        interviewer_deviation=0.0,
        line_deviation=0.0,
        answer_by_role=(0.5, 0.5, 0.5),
        answer_slope=0.0,
        answer_if_disengaged=1.0,
        fatigue=1.0,
        answer_if_complained=1.0,
        churn_base=0.03,
        churn_rejecting=0.0,
        churn_disengaged=0.0,
        churn_by_tenure=(1.0, 1.0, 1.0),
        churn_if_large=1.0,
        churn_at_first_renewal=1.0,
        churn_at_renewal=1.0,
        churn_between=1.0,
        churn_of_cohort=1.0,
        purchases=PurchaseTruth.null(),
        referrals=ReferralTruth.null(),
        market=MarketTruth.null(),
        units=UnitTruth.null(),
        contacts=ContactTruth.null(),
    )
