"""What explains an outcome, row by row: numbers and categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Covariates"]


@dataclass(frozen=True, eq=False)
class Covariates:
    """What explains answering, row by row beside the invitations it was made for.

    Attributes
    ----------
    numbers : DataFrame of float
        ``tenure`` (months), ``log_revenue``, ``answered_before`` (share of earlier invitations answered): those that
        are known; missing where not known of a person.
    categories : DataFrame of str
        Segments, role, channel and touchpoint, ``last_answer`` (detractor, passive, promoter); "(not stated)" where
        not known.
    """

    numbers: pd.DataFrame
    categories: pd.DataFrame

    def without(self, name: str) -> Covariates:
        """The covariates but one."""
        return Covariates(
            numbers=self.numbers.drop(columns=name, errors="ignore"),
            categories=self.categories.drop(columns=name, errors="ignore"),
        )
