"""A table of accounts, brought to the customers that belong to them."""

from __future__ import annotations

import pandas as pd

from nps_research.reading.raw_table import counted


def customers_with_accounts(
    responses: pd.DataFrame, customers: pd.DataFrame | None, accounts: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """The customers with the columns of their accounts, and what is to be said of who has none.

    Where there is no table of customers, they are those of the responses; where it does not say the account, the
    responses do. What the customers' own table says stays.

    Parameters
    ----------
    responses, customers, accounts : DataFrame
        Accepted rows; `accounts` has each account_id once.

    Examples
    --------
    >>> responses = pd.DataFrame({"customer_id": ["1", "2"], "account_id": ["A", "A"]})
    >>> accounts = pd.DataFrame({"account_id": ["A", "B"], "revenue": [5.0, 7.0]})
    >>> customers, said = customers_with_accounts(responses, None, accounts)
    >>> customers["revenue"].tolist(), said
    ([5.0, 5.0], ['accounts: 1 of 2 accounts has no customer here.'])
    """
    of_person = pd.Series(dtype="str")
    if {"customer_id", "account_id"} <= set(responses):
        pairs = responses[["customer_id", "account_id"]].dropna().drop_duplicates("customer_id", keep="last")
        of_person = pairs.set_index("customer_id")["account_id"]
    if customers is None:
        ids = responses["customer_id"] if "customer_id" in responses else pd.Series(dtype="str")
        customers = pd.DataFrame({"customer_id": ids.dropna().unique()})
    joined = customers.copy()
    account = joined["customer_id"].map(of_person).astype("str")
    joined["account_id"] = joined["account_id"].fillna(account) if "account_id" in joined else account
    known = accounts.set_index("account_id")
    for name in known.columns:
        brought = joined["account_id"].map(known[name])
        joined[name] = joined[name].fillna(brought) if name in joined else brought.astype(known[name].dtype)
    notes = []
    if lonely := int((~known.index.isin(joined["account_id"])).sum()):
        have = "has" if lonely == 1 else "have"
        notes.append(f"accounts: {lonely:,} of {counted(len(known), 'account')} {have} no customer here.")
    if strangers := int((joined["account_id"].notna() & ~joined["account_id"].isin(known.index)).sum()):
        belong = "belongs" if strangers == 1 else "belong"
        notes.append(f"accounts: {counted(strangers, 'customer')} {belong} to no accepted account.")
    return joined, notes
