"""The revenue of customers with a problem, an account's shared by its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.counting.clusters import cluster_codes
from nps_research.problems.mentions import Drawn, Mentions
from nps_research.problems.population import CustomerBase
from nps_research.results.few_units import tells_of_one
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats


def _of_unit(study: Study, rows: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """Whose revenue each answer belongs to, and how much it is; None where revenue is not known."""
    customers = study.customers
    if customers is None or "customers.revenue" not in study.available:
        return None
    owner = "account_id" if "customers.account_id" in study.available else "customer_id"
    if owner not in rows:
        return None
    known = customers.dropna(subset=[owner, "revenue"]).drop_duplicates(owner).set_index(owner)["revenue"]
    return rows[owner], rows[owner].map(known).astype(float)


def revenue_with(study: Study, found: Mentions, base: CustomerBase, drawn: Drawn) -> tuple[Floats | None, Floats, str]:
    """Compute the share of revenue with each problem, its linearised errors, and why there is none."""
    nothing = np.zeros((0, 0))
    unit = _of_unit(study, found.rows)
    if unit is None:
        return None, nothing, "Places leave revenue out: this study does not record what customers bring in."
    owner, revenue = unit
    code = cluster_codes(owner)
    of_owner = np.bincount(code, drawn.weight)
    each = np.nan_to_num(revenue.to_numpy()) * drawn.weight / of_owner[code]
    if base.revenue is not None:
        total = np.bincount(base.group, each, len(base.revenue))
        each = each * (base.revenue / np.where(total > 0, total, 1.0))[base.group]
    if each.sum() <= 0:
        return None, nothing, "Places leave revenue out: no answer belongs to a customer of known revenue."
    part = each / each.sum()
    without = int(revenue.isna().sum())
    why = f"Of {without:,} answers the revenue is not known; they count nothing in it." if without else ""
    return part @ found.has, part[:, None] * base.less_group_mean(found.has.astype(float), each), why


def revenue_tells(study: Study, rows: pd.DataFrame, has: Flags) -> bool:
    """Whether the revenue of those with a problem, or without, would tell that of one account."""
    unit = _of_unit(study, rows)
    if unit is None:
        return False
    owner, revenue = unit
    for side in (has, ~has):
        code = cluster_codes(owner[side])
        if not len(code):
            continue
        answers = np.bincount(code)
        of_owner = np.bincount(code, np.nan_to_num(revenue[side].to_numpy())) / answers
        if tells_of_one(of_owner, answers, study.settings.minimum_cell):
            return True
    return False
