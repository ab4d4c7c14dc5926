"""What is planted in the made-up company: every parameter, and each truth in plain English."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One rated experience and what it does to the score.

    Attributes
    ----------
    kind : str
        ``"linear"``: `weight` score points per rating point. ``"delighter"``: `weight` score
        points at a rating of 5, nothing below. ``"must-be"``: makes contacts reject when bad
        (`Truth.rejection_by_rating`), no gain when good. ``"idle"``: nothing.
        ``"shadow"``: nothing of its own, but it goes with the driver named in `shadow_of`.
    mean : float
        Of the rating, before it is rounded and kept within 1 to 5.
    fall : float
        By how many rating points the mean falls with `Truth.fall_wave`, for good.
    missing : float
        Chance that the rating is left blank on a returned form.
    not_used : tuple of float
        Chance that a decision maker, influencer, user does not use it; then it moves no score.
    """

    label: str
    kind: Literal["linear", "delighter", "must-be", "idle", "shadow"] = "linear"
    weight: float = 0.0
    mean: float = 3.9
    fall: float = 0.0
    missing: float = 0.03
    not_used: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shadow_of: str = ""


def _planted_drivers() -> dict[str, Driver]:
    return {
        "delivery_on_time": Driver(label="Delivery on time", weight=0.50, fall=0.8),
        "product_quality": Driver(label="Product quality", kind="must-be", missing=0.02),
        "price_fairness": Driver(label="Price fairness", weight=0.30, mean=3.4, missing=0.06),
        "support_response": Driver(label="Support response", weight=0.40, fall=0.6, not_used=(0.2, 0.1, 0.05)),
        "account_manager": Driver(label="Account manager", kind="delighter", weight=0.9, not_used=(0.0, 0.05, 0.15)),
        "invoicing_accuracy": Driver(label="Invoicing accuracy", weight=0.15, mean=4.1, not_used=(0.05, 0.3, 0.7)),
        "ordering_online": Driver(label="Ordering online", weight=0.25, mean=3.6, not_used=(0.2, 0.2, 0.2)),
        "documentation": Driver(label="Documentation", kind="idle", mean=3.7, missing=0.05),
        "onboarding": Driver(label="Onboarding", weight=0.10, not_used=(0.3, 0.3, 0.3)),
        "complaint_handling": Driver(label="Complaint handling", weight=0.25, mean=3.3, not_used=(0.5, 0.5, 0.5)),
        "order_tracking": Driver(label="Order tracking", kind="shadow", shadow_of="delivery_on_time"),
        "newsletter": Driver(label="Newsletter", kind="idle", mean=3.2, missing=0.10, not_used=(0.25, 0.25, 0.25)),
    }


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
    rejection_by_rating : tuple of float
        Chance of a score of 0-3 by the must-be rating 1 to 5.
    score_mean, score_deviation, account_deviation, contact_deviation : float
        Of the score given no rejection: before the drivers, per answer, per account, per contact.
    life_dips : dict of int to float
        Score shift by month of the account's life.
    region_shift : dict of str to float
        Score shift by region.
    trait, mood : float
        Loadings that tie a contact's ratings together, over all waves and within a wave.
    shadow_correlation : float
        Of the shadow driver with the driver it goes with, before rounding.
    answer_by_role, answer_slope, answer_if_disengaged : float
        Chance to answer = role's value x exp(slope x (would-be score - 8)), at most
        `answer_cap`; if disengaged times `answer_if_disengaged`.
    disengaged_at_start, disengaging : float
        Accounts disengaged before the panel; engaged accounts disengaging per quarter, for good.
    churn_base, churn_rejecting, churn_disengaged : float
        Churn per quarter: base + `churn_rejecting` x share of contacts rejecting +
        `churn_disengaged` if disengaged; all that times the tenure and revenue multipliers.
    churn_by_tenure : tuple of float
        Multipliers under 12, from 12 to 36 and over 36 months.
    churn_if_large : float
        Multiplier of accounts with revenue of at least `large_revenue`; the others' is 1.
    revenue_log_mean, revenue_log_deviation : float
        Yearly revenue in euros is lognormal.

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
    drivers: dict[str, Driver] = field(default_factory=_planted_drivers)
    fall_wave: str = "2025 Q2"
    trait: float = 0.35
    mood: float = 0.45
    shadow_correlation: float = 0.85
    rejection_by_rating: tuple[float, ...] = (0.75, 0.45, 0.025, 0.025, 0.025)
    score_mean: float = 8.6
    score_deviation: float = 1.2
    account_deviation: float = 0.7
    contact_deviation: float = 0.6
    life_dips: dict[int, float] = field(default_factory=lambda: {3: -1.2, 9: -1.0})
    region_shift: dict[str, float] = field(
        default_factory=lambda: {"Moldova": -0.3, "Romania": 0.1, "Ukraine": 0.0, "UK": 0.2}
    )
    answer_by_role: tuple[float, float, float] = (0.52, 0.57, 0.60)
    answer_slope: float = 0.06
    answer_cap: float = 0.95
    answer_if_disengaged: float = 0.10
    item_missing: float = 0.025
    late_share: float = 0.03
    not_reached: float = 0.025
    comment_share: float = 0.18
    disengaged_at_start: float = 0.19
    disengaging: float = 0.035
    churn_base: float = 0.003
    churn_rejecting: float = 0.25
    churn_disengaged: float = 0.46
    churn_by_tenure: tuple[float, float, float] = (1.05, 1.35, 0.8)
    large_revenue: float = 45_000.0
    churn_if_large: float = 0.4
    revenue_log_mean: float = 9.5
    revenue_log_deviation: float = 1.5


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
    'Scores are lower by 1 point in month 3 of an account.'
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
    return {
        "churn_by_score": {
            "says": "Contacts scoring 0-3 leave more often; from 4 to 10 the score says nothing about leaving. "
            "Churn is the account's: per quarter it rises with the share of its contacts at 0-3.",
            "detractor_max": 3,
            "churn_per_quarter_at_share_1": truth.churn_rejecting,
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
            f"{truth.large_revenue:,.0f} euros.",
            "base_per_quarter": truth.churn_base,
            "by_tenure": truth.churn_by_tenure,
            "if_large": truth.churn_if_large,
        },
        "response": {
            "says": "The chance to answer rises with the score not yet given, so those who stay silent would have "
            "given a lower NPS than those who answer.",
            "log_slope_per_score_point": truth.answer_slope,
            "at_score_8_by_role": truth.answer_by_role,
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
            "says": f"Scores are lower {dips} of an account." if dips else "No month of an account is low.",
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
        "nothing_to_find": {
            "says": "Industry, channel, language and the position of the question change neither score nor answer "
            "nor churn; role changes only the chance to answer; region only the score."
        },
    }
