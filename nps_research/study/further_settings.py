"""What study.toml says of problems and experiments: `[problems.NAME]`, `[experiments.COLUMN]`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nps_research.reading.file_settings import Code, StrictModel
from nps_research.study.further_tables import FURTHER
from nps_research.study.table_settings import TableSettings


class ProblemSettings(StrictModel):
    """One problem that customers may have.

    Attributes
    ----------
    label : str
        The problem in words; its code where empty.
    owner : {"front line", "head office", "nobody"} or None
        Who can mend it.
    fixed_on : date or None
        The day on which it was mended.
    fixed_in : dict of str to list of str or number
        A segment (branches, regions), and in which of its values; everywhere where empty.
    cost : float or None
        What it costs to mend it.
    praise : bool
        Whether the code stands for praise, not for a problem.
    """

    label: str = ""
    owner: Literal["front line", "head office", "nobody"] | None = None
    fixed_on: dt.date | None = Field(default=None, strict=False, ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31))
    fixed_in: dict[str, Annotated[list[Code], Field(min_length=1)]] = Field(default={}, max_length=1)
    cost: float | None = Field(default=None, strict=False, ge=0)
    praise: bool = False

    @model_validator(mode="after")
    def _in_some_on_a_day(self) -> ProblemSettings:
        if self.fixed_in and self.fixed_on is None:
            raise ValueError("fixed_in needs fixed_on, the day on which it was mended there")
        return self


class ExperimentSettings(StrictModel):
    """A column of the responses whose values were assigned.

    Attributes
    ----------
    randomised : bool
        Whether by chance.
    since : date or None
        From which day on; None is from the first.
    """

    randomised: bool
    since: dt.date | None = Field(default=None, strict=False, ge=dt.date(1990, 1, 1), le=dt.date(2100, 12, 31))


class ProblemsOfStudy(StrictModel):
    """`[problems]`: the table of problems, where there is one, and beside it a part `[problems.NAME]` of each problem.

    Attributes
    ----------
    problem_rows : TableSettings or None
    problem_codes : dict of str to ProblemSettings
    """

    problem_rows: TableSettings | None = None
    problem_codes: dict[str, ProblemSettings] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        of_table = {*TableSettings.model_fields, *FURTHER["problems"].columns}
        codes = {name: value for name, value in values.items() if name not in of_table and isinstance(value, dict)}
        rows = {name: value for name, value in values.items() if name not in codes}
        if blank := [name for name in codes if not name.strip()]:
            raise ValueError(f"a problem needs a name, and {len(blank)} has none")
        return {"problem_codes": codes, **({"problem_rows": rows} if rows else {})}
