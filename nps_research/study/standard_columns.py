"""Every standard column of every table: its kind of value, what it means, and whether it tells who somebody is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from nps_research.study.further_tables import FURTHER, Column

RESPONSES: Mapping[str, Column] = {
    "respondent_id": Column("id", "who was asked", private=True),
    "customer_id": Column("id", "which customer the respondent is", private=True),
    "account_id": Column("id", "which account (company) the respondent belongs to", private=True),
    "likelihood_to_recommend": Column("score", "the answer from 0 to 10"),
    "wave": Column("text", "the round of the survey"),
    "invited_at": Column("timestamp", "when the invitation went out"),
    "delivered": Column("flag", "whether the invitation reached the person"),
    "responded": Column("flag", "whether the person returned the form"),
    "responded_at": Column("timestamp", "when the person answered"),
    "touchpoint": Column("text", "the experience asked about; blank means the whole relationship"),
    "channel": Column("text", "how the person was asked"),
    "interviewer": Column("text", "who asked", private=True),
    "question_position": Column("text", "whether the question came first or last"),
    "callback_requested": Column("flag", "whether the person asked to be called"),
    "comment": Column("text", "what the person wrote", private=True),
    "design_weight": Column("number", "how many of the population the respondent stands for"),
    "cluster": Column("id", "the sampling unit the respondent was drawn in"),
    "stratum": Column("id", "the stratum the respondent was drawn in"),
    "language": Column("text", "the language of the form and the comment"),
    "employee": Column("text", "who served the person", private=True),
    "assigned_channel": Column("text", "how the person was to be asked, where that was assigned"),
    "surveyor_kind": Column("text", "who surveyed: an independent one, or the account manager"),
    "life_stage": Column("text", "the stage of a customer's life that set the survey off"),
    "problems": Column("text", "codes of the problems named, with a separator between them"),
}

CUSTOMERS: Mapping[str, Column] = {
    "customer_id": Column("id", "which customer", private=True),
    "account_id": Column("id", "which account (company) the customer belongs to", private=True),
    "name": Column("text", "the person's name", private=True),
    "email": Column("text", "the person's e-mail address", private=True),
    "role": Column("text", "decision maker, influencer or user"),
    "started_at": Column("timestamp", "when the customer's life began"),
    "churned_at": Column("timestamp", "when the customer left"),
    "churn_reason": Column("text", "why the customer left"),
    "observed_until": Column("timestamp", "until when leaving would have been seen"),
    "revenue": Column("number", "what the customer brings in"),
    "margin": Column("number", "what is left of the revenue; may be negative"),
    "parent_account_id": Column("id", "the account that the account belongs to", private=True),
    "account_manager": Column("text", "who looks after the account", private=True),
    "contract_ends_at": Column("timestamp", "when the contract ends, or would be renewed; may be yet to come"),
    "acquired_by": Column("text", "how the customer was won"),
    "last_contacted_at": Column("timestamp", "when we last contacted the customer"),
    "decision_power": Column("number", "how much the person decides, from 0 to 3"),
    "influence": Column("number", "how much the person sways those who decide, from 0 to 3"),
}

OF_ACCOUNT = (
    *("started_at", "churned_at", "churn_reason", "observed_until", "revenue", "margin"),
    *("parent_account_id", "account_manager", "contract_ends_at"),
)
CORE: Mapping[str, Mapping[str, Column]] = {"responses": RESPONSES, "customers": CUSTOMERS}
TABLES: Mapping[str, Mapping[str, Column]] = {**CORE, **{name: table.columns for name, table in FURTHER.items()}}
# What a table of accounts may hold becomes the customers'.
STANDARD: Mapping[str, Mapping[str, Column]] = {
    **TABLES,
    "accounts": {name: CUSTOMERS[name] for name in ("account_id", *OF_ACCOUNT)},
}
PRIVATE = tuple(sorted({name for table in CORE.values() for name, column in table.items() if column.private}))
# What may be private in one table and a rating in another.
_MAY_BE_RATED = ("account_manager", "employee")
IS_PRIVATE = "is private: it tells who somebody is, and is not shown to others. Take another column"
_PRIVATE_OF_FURTHER = tuple(
    sorted({name for table in FURTHER.values() for name, column in table.columns.items() if column.private})
)
_PRIVATE_TOO = (  # as exports call a person's name, address and number, and what was written
    *("first name", "last name", "full name", "surname", "family name", "given name", "forename", "nickname"),
    *("contact name", "customer name", "respondent name", "user name", "account name", "interviewer name"),
    *("email address", "mail address", "phone", "phone number", "telephone", "telephone number", "mobile phone"),
    *("mobile number", "mobile phone number", "cell phone", "ip address", "comments", "verbatim", "interviewer id"),
    *("vorname", "nachname", "telefon", "telefonnummer", "emailadresse", "имя", "фамилия", "телефон", "прізвище"),
)


def private_columns(table: str) -> tuple[str, ...]:
    """The standard columns of a table that tell who somebody is; of the responses and customers those of both.

    Examples
    --------
    >>> private_columns("complaints")
    ('customer_id',)
    """
    if table not in FURTHER:
        return PRIVATE
    return tuple(name for name, column in FURTHER[table].columns.items() if column.private)


def is_private_name(column: str, *, as_words: bool = True) -> bool:
    """Whether a file's column is called as a private standard one, however it is spelt.

    Where its words would be shown, also as what exports call such a one; "Phone" may be a rating.

    Examples
    --------
    >>> is_private_name("Account ID"), is_private_name("E-mail 2"), is_private_name("Account type")
    (True, True, False)
    """
    names = (
        (*PRIVATE, *_PRIVATE_OF_FURTHER, *_PRIVATE_TOO)
        if as_words
        else (name for name in PRIVATE if name not in _MAY_BE_RATED)
    )
    return _letters(column).rstrip("0123456789") in map(_letters, names)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()
