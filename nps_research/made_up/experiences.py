"""The twelve experiences that the made-up company's contacts rate, and the eleven problems that they may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


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


def planted_drivers() -> dict[str, Driver]:
    """The twelve experiences of the made-up company, by their columns."""
    return {
        "delivery_on_time": Driver(label="Delivery on time", weight=0.50, fall=0.8),
        "product_quality": Driver(label="Product quality", kind="must-be", mean=3.75, missing=0.02),
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
class Problem:
    """One problem that some contacts have for a while, whatever they rate.

    Attributes
    ----------
    owner : str
        Who can mend it: ``"front line"``, ``"head office"`` or ``"nobody"``.
    share : float
        Of the contacts who have it in a quarter; of large accounts' contacts where `only_large`.
    points : float
        Score points that it takes while it lasts.
    told : float
        Chance that who has it complains within a quarter.
    only_large : bool
        Whether only accounts with a revenue of at least `Truth.large_revenue` have it.
    share_from : dict of str to float
        Other shares, each from a wave on.
    fixed_on : str
        Day on which it is said to have been mended; empty if never.
    """

    label: str
    owner: Literal["front line", "head office", "nobody"]
    share: float
    points: float
    told: float = 0.07
    only_large: bool = False
    share_from: dict[str, float] = field(default_factory=dict)
    fixed_on: str = ""


def planted_problems() -> dict[str, Problem]:
    """The eleven problems of the made-up company, by their codes."""
    return {
        "minimum_order": Problem(label="Minimum order raised", owner="head office", share=0.10, points=1.25, told=0.01),
        "login_fails": Problem(
            label="Login fails",
            owner="head office",
            share=0.10,
            points=0.6,
            share_from={"2025 Q1": 0.05},
            fixed_on="2024-12-16",
        ),
        "out_of_stock": Problem(
            label="Out of stock",
            owner="head office",
            share=0.05,
            points=0.5,
            share_from={"2024 Q3": 0.10, "2024 Q4": 0.05},
            fixed_on="2024-09-16",
        ),
        "wrong_item": Problem(label="Wrong item delivered", owner="front line", share=0.03, points=0.8, told=0.2),
        "damaged_goods": Problem(label="Damaged on the way", owner="front line", share=0.03, points=0.7, told=0.2),
        "double_invoice": Problem(label="Invoiced twice", owner="head office", share=0.02, points=0.6, told=0.15),
        "slow_refund": Problem(label="Slow refunds", owner="head office", share=0.02, points=0.8, told=0.12),
        "credit_limit": Problem(
            label="Credit limit cut", owner="head office", share=0.15, points=1.2, told=0.08, only_large=True
        ),
        "excess_packaging": Problem(label="Too much packaging", owner="nobody", share=0.04, points=0.1, told=0.03),
        "hand_over": Problem(
            label="Sales and service do not talk", owner="head office", share=0.03, points=0.9, told=0.06
        ),
        "rude_driver": Problem(label="Rude driver", owner="front line", share=0.01, points=1.0, told=0.35),
    }
