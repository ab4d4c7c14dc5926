"""What explains an outcome, row by row: numbers and categories."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


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
    bands : DataFrame of str
        Numbers in groups, as far as tables show them so.
    """

    numbers: pd.DataFrame
    categories: pd.DataFrame
    bands: pd.DataFrame = field(default_factory=pd.DataFrame)
