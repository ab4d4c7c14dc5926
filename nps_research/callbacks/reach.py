"""Whom employees' surveys reach: the share of the customers they serve who are asked at all."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from nps_research.counting.people import was_customer
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.study.study import Study


def reach_of_employees(study: Study, *, confidence_level: float = 0.95) -> pd.DataFrame:
    """Compute the share of the customers of each employee's accounts who are asked, wave by wave.

    Whose survey leaves out the unhappy has a high score and few who are asked.

    Returns
    -------
    DataFrame
        Index: the employee. ``asked_share``; ``few_asked``: whether the upper limit of it, so that those of all hold
        together, is below the share of all. Empty where customers or their accounts are not known.
    """
    needs = ("responses.employee", "responses.account_id", "responses.invited_at", "responses.wave")
    nothing = pd.DataFrame({"asked_share": pd.Series(dtype=float), "few_asked": pd.Series(dtype=bool)})
    if study.customers is None or not study.can_answer(*needs):
        return nothing
    rows = study.responses
    of_account = rows[rows["employee"].notna() & rows["account_id"].notna()]
    of_account = of_account.drop_duplicates(["account_id", "wave"])[["account_id", "wave", "employee"]]
    members = _members(study)
    opens = rows.groupby("wave")["invited_at"].min()
    counted = []
    for wave, served in of_account.groupby("wave", sort=False):
        there = members[was_customer(members, opens[str(wave)])]
        found = there.merge(served, on="account_id")
        asked = set(rows.loc[rows["wave"] == wave, "customer_id"])
        counted.append(found.assign(asked=found["customer_id"].isin(asked)))
    people = pd.concat(counted, ignore_index=True)
    if people.empty:
        return nothing
    codes, names = pd.factorize(people["employee"], sort=True)
    cluster = pd.factorize(people["account_id"])[0].astype(np.int64)
    rates = clustered_rates(
        people["asked"].to_numpy(),
        codes.astype(np.int64),
        cluster,
        n_groups=len(names),
        confidence_level=1 - (1 - confidence_level) / len(names),
    )
    return pd.DataFrame(
        {
            "asked_share": rates["estimate"].to_numpy(),
            "few_asked": (rates["conf_high"] < people["asked"].mean()).to_numpy(),
        },
        index=names,
    )


def _members(study: Study) -> pd.DataFrame:
    """Customers and the account of each: as their table says, else as their answers do."""
    customers = cast("pd.DataFrame", study.customers)
    if "account_id" in customers:
        return customers[customers["account_id"].notna()]
    own = study.responses.dropna(subset=["account_id"]).drop_duplicates("customer_id").set_index("customer_id")
    return customers.assign(account_id=customers["customer_id"].map(own["account_id"])).dropna(subset=["account_id"])
