"""The tables a study may have beside responses, customers and accounts: what a row is, its columns, its rules.

A table is stated in study.toml under its name, as `[customers]` is. `data/README.md` says the same in prose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["score", "number", "flag", "timestamp", "text", "id"]


@dataclass(frozen=True)
class Column:
    """One standard column: what kind of value it holds, and what it means in plain words."""

    kind: Kind
    says: str
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the rows of a table keep, beside being read.

    Attributes
    ----------
    filled : tuple of str
        Columns without which a row says nothing: the table has them, and no cell of them is missing.
    customers, accounts : tuple of str
        Columns that name a customer, or an account, of the study.
    of_response : bool
        Whether a row belongs to one response, by respondent_id and, where both tables have them, wave and touchpoint.
    after_answer : bool
        Whether its moments come after the answer.
    in_order : tuple of str
        Moments that come one after the other.
    after_start : tuple of str
        Moments that come after the customer's start.
    words : mapping of str to tuple of str
        The only words a column may hold.
    same_words : mapping of str to str
        Other words that are read as one of them, and counted; those under ``""`` are of none of these kinds: blank.
    codes : tuple of str
        Columns that hold codes of the study's problems.
    not_negative : tuple of str
        Numbers that are not below 0.
    alone : tuple of str
        Columns, and segments, that no two rows have alike; those that are absent do not count.
    """

    filled: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    of_response: bool = False
    after_answer: bool = False
    in_order: tuple[str, ...] = ()
    after_start: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same_words: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    not_negative: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


def word_of(cell: str) -> str:
    """A word without capitals, its parts parted by one blank.

    Examples
    --------
    >>> word_of(" Held-Back ")
    'held back'
    """
    return re.sub(r"[\s_-]+", " ", cell.casefold()).strip()


@dataclass(frozen=True, kw_only=True)
class FurtherTable:
    """A table: what a row is, the question it is for, its columns and rules."""

    row: str
    question: str
    columns: Mapping[str, Column]
    rules: Rules


# By which a row of a table belongs to a response; as many of them as both have.
OF_RESPONSE = ("respondent_id", "wave", "touchpoint", "life_stage", "responded_at")
_CUSTOMER = Column("id", "which customer", private=True)
_RESPONDENT = Column("id", "whose response", private=True)
_WAVE = Column("text", "the round of the survey")
_LIFE_STAGE = Column("text", "the stage of a customer's life that set the survey off; blank means none did")
_TOUCHPOINT = Column("text", "the experience that the response was about")
_ANSWERED = Column("timestamp", "when the response came, where nothing else tells several of one person apart")
_PROBLEM = Column("text", "the problem, by its code")
_PRODUCT = Column("id", "the product, or its category")

FURTHER: Mapping[str, FurtherTable] = {
    "callbacks": FurtherTable(
        row="one case of one response",
        question="Did calling back help?",
        columns={
            "respondent_id": _RESPONDENT,
            "wave": _WAVE,
            "touchpoint": _TOUCHPOINT,
            "life_stage": _LIFE_STAGE,
            "responded_at": _ANSWERED,
            "assignment": Column("text", "how it was settled who is called"),
            "assigned": Column("flag", "whether the case was assigned to be called"),
            "assigned_at": Column("timestamp", "when the case was assigned"),
            "attempted_at": Column("timestamp", "when the person was first called"),
            "reached_at": Column("timestamp", "when the person was reached"),
            "closed_at": Column("timestamp", "when the case was closed; blank while it is open"),
            "queue": Column("text", "the queue the case was put into"),
            "caller": Column("text", "who called", private=True),
            "outcome": Column("text", "what came of the call"),
            "problem": _PROBLEM,
            "note": Column("text", "what the caller wrote", private=True),
        },
        rules=Rules(
            filled=("respondent_id",),
            of_response=True,
            after_answer=True,
            in_order=("assigned_at", "attempted_at", "reached_at", "closed_at"),
            words={"assignment": ("random", "capacity", "judgement", "all", "requested")},
            codes=("problem",),
            alone=OF_RESPONSE,
        ),
    ),
    "problems": FurtherTable(
        row="one problem in one response, case or complaint",
        question="What hurts, and how many?",
        columns={
            "respondent_id": _RESPONDENT,
            "wave": _WAVE,
            "touchpoint": _TOUCHPOINT,
            "life_stage": _LIFE_STAGE,
            "responded_at": _ANSWERED,
            "problem": _PROBLEM,
            "source": Column("text", "where it was found"),
        },
        rules=Rules(
            filled=("respondent_id", "problem"),
            of_response=True,
            words={"source": ("asked", "hand", "machine", "callback", "complaint")},
            codes=("problem",),
            alone=(*OF_RESPONSE, "problem", "source"),
        ),
    ),
    "hand_codes": FurtherTable(
        row="one code that one coder gave one comment",
        question="What do the comments say?",
        columns={
            "respondent_id": _RESPONDENT,
            "wave": _WAVE,
            "touchpoint": _TOUCHPOINT,
            "life_stage": _LIFE_STAGE,
            "responded_at": _ANSWERED,
            "coder": Column("text", "who coded", private=True),
            "problem": _PROBLEM,
            "inclusion_probability": Column("number", "the chance with which the comment was drawn to be coded"),
        },
        rules=Rules(
            filled=("respondent_id", "coder", "problem"),
            of_response=True,
            codes=("problem",),
            alone=(*OF_RESPONSE, "coder", "problem"),
        ),
    ),
    "complaints": FurtherTable(
        row="one complaint",
        question="What do complaints hide?",
        columns={
            "customer_id": _CUSTOMER,
            "complained_at": Column("timestamp", "when the customer complained"),
            "problem": _PROBLEM,
            "channel": Column("text", "how the customer complained"),
            "resolved_at": Column("timestamp", "when it was settled; blank while it is open"),
        },
        rules=Rules(
            filled=("customer_id", "complained_at"),
            customers=("customer_id",),
            in_order=("complained_at", "resolved_at"),
            codes=("problem",),
        ),
    ),
    "transactions": FurtherTable(
        row="one line of a purchase",
        question="What is loyalty worth?",
        columns={
            "customer_id": _CUSTOMER,
            "bought_at": Column("timestamp", "when it was bought"),
            "amount": Column("number", "what was paid; of a return what was given back, below 0"),
            "basket_id": Column("id", "which purchase the line belongs to", private=True),
            "product": _PRODUCT,
            "quantity": Column("number", "how many were bought; of a return below 0"),
            "kind": Column("text", "what the purchase was"),
        },
        rules=Rules(
            filled=("customer_id", "bought_at"),
            customers=("customer_id",),
            after_start=("bought_at",),
            words={"kind": ("new", "renewal", "second", "return")},
            same_words={
                **dict.fromkeys(("refund", "returned", "refunded", "storno", "retoure", "возврат"), "return"),
                **dict.fromkeys(("sale", "purchase", "order", "verkauf", "vente", "продажа"), ""),
            },
        ),
    ),
    "memberships": FurtherTable(
        row="one membership of one customer",
        question="Do members stay because of the card?",
        columns={
            "customer_id": _CUSTOMER,
            "programme": Column("text", "which programme"),
            "offered_at": Column("timestamp", "when it was offered"),
            "joined_at": Column("timestamp", "when the customer joined; blank where it was only offered"),
            "left_at": Column("timestamp", "when the customer left the programme; blank while a member"),
        },
        rules=Rules(
            filled=("customer_id",),
            customers=("customer_id",),
            in_order=("offered_at", "joined_at", "left_at"),
            after_start=("joined_at",),
        ),
    ),
    "referrals": FurtherTable(
        row="one referral, or one request for one",
        question="Do promoters refer?",
        columns={
            "referrer_id": Column("id", "the customer who referred, or was asked to", private=True),
            "referred_id": Column("id", "who was referred; blank where nobody was", private=True),
            "asked_at": Column("timestamp", "when the customer was asked; blank where unasked"),
            "referred_at": Column("timestamp", "when somebody was referred"),
            "became_customer_at": Column("timestamp", "when the referred became a customer"),
            "reward": Column("number", "what the referrer was given"),
        },
        rules=Rules(
            filled=("referrer_id",),
            customers=("referrer_id",),
            in_order=("asked_at", "referred_at", "became_customer_at"),
            after_start=("asked_at", "referred_at"),
            not_negative=("reward",),
        ),
    ),
    "contacts": FurtherTable(
        row="one time that we contacted a customer or an account",
        question="Whom did we neglect?",
        columns={
            "customer_id": _CUSTOMER,
            "account_id": Column("id", "which account", private=True),
            "contacted_at": Column("timestamp", "when"),
            "kind": Column("text", "a visit, a call, a letter"),
            "employee": Column("text", "who made contact", private=True),
        },
        rules=Rules(filled=("contacted_at",), customers=("customer_id",), accounts=("account_id",)),
    ),
    "offers": FurtherTable(
        row="one offer to one customer, made or held back",
        question="What to offer next?",
        columns={
            "customer_id": _CUSTOMER,
            "product": _PRODUCT,
            "offered_at": Column("timestamp", "when it was offered, or would have been"),
            "arm": Column("text", "whether it was made"),
            "accepted_at": Column("timestamp", "when the customer accepted"),
        },
        rules=Rules(
            filled=("customer_id", "offered_at", "arm"),
            customers=("customer_id",),
            in_order=("offered_at", "accepted_at"),
            words={"arm": ("offered", "held back")},
            same_words={
                **dict.fromkeys(("treatment", "treated", "test", "test group", "target"), "offered"),
                **dict.fromkeys(("control", "control group", "holdout", "hold out", "heldback"), "held back"),
            },
        ),
    ),
    "units": FurtherTable(
        row="one unit in one period",
        question="Do units with better scores grow?",
        columns={
            "unit": Column("text", "the branch, region or product line: a group of the responses"),
            "period": Column("text", "the period, as waves are called"),
            "revenue": Column("number", "what the unit took in"),
            "customers_start": Column("number", "its customers when the period began"),
            "customers_gained": Column("number", "those it won in the period"),
            "customers_lost": Column("number", "those it lost in the period"),
        },
        rules=Rules(
            filled=("unit", "period"),
            not_negative=("customers_start", "customers_gained", "customers_lost"),
            alone=("unit", "period"),
        ),
    ),
    "market": FurtherTable(
        row="one person's answer on one brand",
        question="Where do competitors stand?",
        columns={
            "person_id": Column("id", "who was asked", private=True),
            "wave": _WAVE,
            "brand": Column("text", "which brand"),
            "likelihood_to_recommend": Column("score", "the answer from 0 to 10"),
            "is_customer": Column("flag", "whether the person is a customer of the brand"),
            "main_brand": Column("text", "the brand the person uses most"),
            "position": Column("number", "as which of the brands it was asked, from 1"),
            "design_weight": Column("number", "how many of the population the person stands for"),
            "blind": Column("flag", "whether the survey did not say who was asking"),
        },
        rules=Rules(
            filled=("person_id", "brand"),
            not_negative=("position", "design_weight"),
            alone=("person_id", "wave", "brand"),
        ),
    ),
    "population": FurtherTable(
        row="one group of the customer base, by the study's segments",
        question="How many customers does it hurt?",
        columns={
            "customers": Column("number", "how many customers the group has"),
            "revenue": Column("number", "what they bring in"),
        },
        rules=Rules(filled=("customers",), not_negative=("customers", "revenue")),
    ),
}
