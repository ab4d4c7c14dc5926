"""The customer base behind the answers: how many customers, and how much revenue, each answer stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.counting.people import as_text
from nps_research.problems.enough import SMALL_PART
from nps_research.problems.mentions import Drawn
from nps_research.results.words import joined
from nps_research.study.further_rules import key_of
from nps_research.study.study import Study
from nps_research.typing import Floats, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomerBase:
    """Answers weighted up to the customer base (post-stratified by the groups of `population`), where it is known.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        What each answer counts: customers, where their number is known.
    group : ndarray of int, shape (n,)
        Its group of the base.
    customers : float
        How many there are; nan where not known.
    answered_part : ndarray, shape (n,)
        Part of the answer's group that answered; 0 where that is too small to matter, or not known.
    revenue : ndarray, shape (n_groups,), or None
        What each group brings in.
    why_not : str
        Why customers are not counted, as a sentence; empty where they are.
    """

    weight: Floats
    group: Integers
    customers: float
    answered_part: Floats
    revenue: Floats | None = None
    why_not: str = ""

    @classmethod
    def of(cls, study: Study, rows: pd.DataFrame, drawn: Drawn) -> CustomerBase:
        """Weight a wave's answers up to the study's population."""
        n, table = len(rows), study.tables.get("population")
        if table is None or table.empty:
            return cls._not_known(drawn, "this study has no table of its customer base (population).")
        keys = [str(name) for name in table if name not in ("customers", "revenue")]
        if absent := [name for name in keys if name not in rows]:
            return cls._not_known(drawn, f"the answers do not say their {joined(absent)}.")
        labels = key_of(table.assign(**{name: as_text(table[name]) for name in keys}), keys)
        own = key_of(rows.assign(**{name: as_text(rows[name]) for name in keys}), keys)
        group = pd.Index(labels).get_indexer(pd.Index(own)).astype(np.int64)
        present = np.bincount(group[group >= 0], minlength=len(table))
        size = table["customers"].to_numpy(dtype=np.float64)
        if (group < 0).any() or ((present == 0) & (size > 0)).any() or (size[group] < present[group]).any():
            return cls._not_known(
                drawn,
                "groups of the customer base (population) and of the answers do not match, or a group has more answers "
                "than customers.",
            )
        total = np.bincount(group, drawn.weight, len(table))
        part = n / size.sum()
        revenue = table["revenue"].to_numpy(dtype=np.float64) if "revenue" in table else None
        return cls(
            weight=drawn.weight * (size / np.where(total > 0, total, 1.0))[group],
            group=group,
            customers=float(size.sum()),
            answered_part=(present / np.where(size > 0, size, 1.0))[group] if part >= SMALL_PART else np.zeros(n),
            revenue=None if revenue is None or np.isnan(revenue).any() else revenue,
        )

    @classmethod
    def _not_known(cls, drawn: Drawn, why: str) -> CustomerBase:
        """Answers that stand for themselves."""
        n = len(drawn.weight)
        return cls(
            weight=drawn.weight,
            group=np.zeros(n, dtype=np.int64),
            customers=np.nan,
            answered_part=np.zeros(n),
            why_not=f"How many customers that is cannot be told: {why}",
        )

    def less_group_mean(self, value: Floats, weight: Floats) -> Floats:
        """Values less their weighted mean in each group, shape (n, p): what post-stratification leaves to chance."""
        n_groups = int(self.group.max()) + 1
        total = np.bincount(self.group, weight, n_groups)
        sums = np.stack([np.bincount(self.group, weight * column, n_groups) for column in value.T], axis=1)
        return np.asarray(value - (sums / np.where(total > 0, total, 1.0)[:, None])[self.group])
