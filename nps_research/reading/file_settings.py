"""How the files of a table are read: settings of study.toml that say where rows come from."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from nps_research.errors import NO_ADDRESS

Code = bool | int | float | str


def _in_data_folder(file: str) -> str:
    if "://" in file:
        raise ValueError(NO_ADDRESS)
    if PurePath(file).is_absolute() or ".." in PurePath(file).parts:
        raise ValueError("must be a path inside the data folder")
    return file


InDataFolder = Annotated[str, AfterValidator(_in_data_folder)]


class StrictModel(BaseModel):
    """A part of study.toml in which every name is known and every value of its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DateAndTime(StrictModel):
    """The two columns of a moment whose date and time of day stand apart."""

    date: str
    time: str


class YesAndNo(StrictModel):
    """A column whose codes say yes or no.

    Attributes
    ----------
    column : str
        The column of the file.
    yes, no : list of str or number
        Its codes. Where one of the two is given, every other code means the other; where both are, what is neither
        is not known.
    """

    column: str
    yes: list[Code] = []
    no: list[Code] = []

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        if not (self.yes or self.no):
            raise ValueError('needs yes = [...] or no = [...], e.g. { column = "Status", no = ["Bounced"] }')
        if both := {str(code).strip().lower() for code in self.yes} & {str(code).strip().lower() for code in self.no}:
            raise ValueError(f"a code cannot be both yes and no: {', '.join(sorted(both))}")
        return self


class SeveralColumns(StrictModel):
    """Columns of which each may hold a code, such as the first, the second and the third problem named."""

    columns: list[str] = Field(min_length=2)


def kind_of_mapped(value: Any) -> str:
    """What a standard column is mapped to: a column, or of what kind two columns, or codes, are.

    Examples
    --------
    >>> kind_of_mapped("NPS"), kind_of_mapped(DateAndTime(date="Date", time="Time"))
    ("a column's name", 'date and time')
    """
    if isinstance(value, dict):
        kinds = {"date": "date and time", "time": "date and time", "columns": "several columns"}
        return next((kind for key, kind in kinds.items() if key in value), "yes and no")
    return next((kind for kind, model in KINDS.items() if isinstance(value, model)), ONE_COLUMN)


ONE_COLUMN = "a column's name"
KINDS: dict[str, type[StrictModel]] = {
    "date and time": DateAndTime,
    "yes and no": YesAndNo,
    "several columns": SeveralColumns,
}
MappedColumn = Annotated[
    Annotated[str, Tag(ONE_COLUMN)]
    | Annotated[DateAndTime, Tag("date and time")]
    | Annotated[YesAndNo, Tag("yes and no")]
    | Annotated[SeveralColumns, Tag("several columns")],
    Discriminator(kind_of_mapped),
]


def columns_behind(mapped: MappedColumn) -> tuple[str, ...]:
    """The columns of a file that a standard column is made of.

    Examples
    --------
    >>> columns_behind(DateAndTime(date="Date", time="Time"))
    ('Date', 'Time')
    """
    if isinstance(mapped, DateAndTime):
        return mapped.date, mapped.time
    if isinstance(mapped, SeveralColumns):
        return tuple(mapped.columns)
    return (mapped.column if isinstance(mapped, YesAndNo) else mapped,)


class SourceSettings(StrictModel):
    """Where rows come from and how they are to be read; what is not stated is detected or has one possible value.

    Attributes
    ----------
    file : str or None
        A file in the data folder: text with separators, Excel, SPSS, Parquet, DuckDB or SQLite.
    url_variable : str or None
        Instead of a file: the environment variable that holds a database's URL. The URL itself, which
        may hold a password, does not belong in study.toml.
    encoding, separator : str or None
        Of a text file; detected.
    sheet : str or None
        Of a workbook; the first that is not hidden, or the largest table where that is a cover.
    header_rows : int or None
        Rows that the names of columns take up, in a text file or sheet. Exports of Qualtrics and
        SurveyMonkey and merged cells are detected; else one.
    table, query : str or None
        What to read from a database, by its name or by one SELECT; its only table.
    query_seconds : int or None
        How long reading from a database may take; 20.
    value_labels : list of str
        Columns of an SPSS file whose codes are replaced by their labels, e.g. those to be segments.
    """

    file: InDataFolder | None = None
    url_variable: str | None = None
    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None
    header_rows: int | None = Field(default=None, ge=1, le=5)
    table: str | None = None
    query: str | None = None
    query_seconds: int | None = Field(default=None, ge=1, le=86_400)
    value_labels: list[str] = []

    @field_validator("url_variable")
    @classmethod
    def _is_a_name(cls, url_variable: str | None) -> str | None:
        if url_variable is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", url_variable):
            raise ValueError("must be the name of an environment variable that holds the URL, not the URL itself")
        return url_variable

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if self.table is not None and self.query is not None:
            raise ValueError('needs either table = "..." or query = "...", not both')
        return self


_INHERITED = tuple(key for key in SourceSettings.model_fields if key != "file")


class FileSettings(SourceSettings):
    """One file, sheet or query of a table, with its own overrides."""

    wave: str | None = None
    columns: dict[str, MappedColumn] = {}
    drivers: dict[str, str] = {}
    segments: dict[str, str] = {}
    missing_codes: dict[str, list[Code]] = {}

    @property
    def label(self) -> str:
        """What to call the source in tables and sentences; differs between the sources of a table."""
        return self._with_part(self.sheet or self.table or (self.wave if self.query else None))

    @property
    def file_label(self) -> str:
        """What to call the file that it is, or is part of."""
        return self.label

    def _with_part(self, part: str | None) -> str:
        return f"{self.file or self.url_variable}" + (f" ({part})" if part else "")
