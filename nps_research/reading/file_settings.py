"""How the files of a table are read: settings of study.toml that say where rows come from."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["Code", "FileSettings", "SourceSettings"]


Code = int | float | str


def _in_data_folder(file: str) -> str:
    if PurePath(file).is_absolute() or ".." in PurePath(file).parts:
        raise ValueError("must be a path inside the data folder")
    return file


InDataFolder = Annotated[str, AfterValidator(_in_data_folder)]


class StrictModel(BaseModel):
    """A part of study.toml in which every name is known and every value of its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
        What to read from a database, by its name or by a select; its only table.
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
    columns: dict[str, str] = {}
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
