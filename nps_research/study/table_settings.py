"""A table as study.toml describes it: where its rows come from, and which columns mean what."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Code",
    "DriverSettings",
    "FileSettings",
    "SegmentSettings",
    "SourceSettings",
    "TableSettings",
    "WideSettings",
]

Code = int | float | str


def _in_data_folder(file: str) -> str:
    if PurePath(file).is_absolute() or ".." in PurePath(file).parts:
        raise ValueError("must be a path inside the data folder")
    return file


InDataFolder = Annotated[str, AfterValidator(_in_data_folder)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceSettings(_Strict):
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
        Of a workbook; the first that is not hidden.
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


class WideSettings(_Strict):
    """One row of the file stands for one invitation per wave.

    Attributes
    ----------
    waves : dict of str to str
        Each wave's name, and how the names of its columns spell it, in order of time; a list where both are the same.
    columns : dict of str to str
        Standard columns that each wave has of its own, with ``{wave}`` where its spelling stands.
    """

    waves: dict[str, str]
    columns: dict[str, str] = Field(min_length=1)

    @field_validator("waves", mode="before")
    @classmethod
    def _named(cls, waves: Any) -> Any:
        if not isinstance(waves, list):
            return waves
        if repeated := sorted({str(wave) for wave in waves if waves.count(wave) > 1}):
            raise ValueError(f"{', '.join(repeated)}: listed more than once")
        return {str(wave): wave for wave in waves}

    @model_validator(mode="after")
    def _one_column_a_wave(self) -> Self:
        if not self.waves:
            raise ValueError("needs at least one wave")
        if len(set(self.waves.values())) < len(self.waves):
            raise ValueError("two waves are spelt alike in the names of columns")
        if plain := [name for name, column in self.columns.items() if "{wave}" not in column]:
            raise ValueError(
                f'columns need {{wave}} where the wave is spelt ("responded_{{wave}}"): {", ".join(plain)}'
            )
        if "wave" in self.columns:
            raise ValueError("the wave is known by its columns, and has none of its own")
        return self

    def files(self, file: str | None) -> list[FileSettings]:
        """The file's waves, as if each were a file of its own."""
        return [
            WaveOfFile(
                file=file,
                wave=wave,
                columns={name: column.replace("{wave}", spelt) for name, column in self.columns.items()},
            )
            for wave, spelt in self.waves.items()
        ]


class WaveOfFile(FileSettings):
    """The columns of one wave in a file whose rows stand for several."""

    @property
    def label(self) -> str:
        return f"{self.file_label}, {self.wave}"

    @property
    def file_label(self) -> str:
        return self._with_part(self.sheet or self.table)


class DriverSettings(_Strict):
    """Ratings of single experiences, all on one scale."""

    scale: tuple[int, int] = Field(default=(1, 5), strict=False)
    columns: dict[str, str] = Field(min_length=1)
    missing_codes: list[Code] = []
    not_used_codes: list[Code] = []
    labels: dict[str, int] = {}

    @field_validator("scale")
    @classmethod
    def _scale_rises(cls, scale: tuple[int, int]) -> tuple[int, int]:
        if scale[0] >= scale[1]:
            raise ValueError("must rise, e.g. [1, 5]")
        return scale


class SegmentSettings(_Strict):
    """Columns by which groups are compared, with words for their codes."""

    columns: dict[str, str] = Field(min_length=1)
    labels: dict[str, dict[str, str]] = {}
    missing_codes: list[Code] = []


class TableSettings(SourceSettings):
    """Where a table's rows come from and which columns mean what."""

    files: list[FileSettings] = []
    wide: WideSettings | None = None
    date_format: str | None = None
    columns: dict[str, str] = {}
    missing_codes: dict[str, list[Code]] = {}
    drivers: DriverSettings | None = None
    segments: SegmentSettings | None = None

    @model_validator(mode="after")
    def _some_file(self) -> Self:
        if self.file is not None and self.files:
            raise ValueError('needs either file = "..." or [[...files]], not both')
        if self.wide is not None and self.files:
            raise ValueError("wide takes one file, whose rows stand for several waves, and no [[...files]]")
        if self.wide is not None and (twice := sorted({"wave", *self.wide.columns} & set(self.columns))):
            raise ValueError(f"{', '.join(twice)}: wide has a column of each wave, so columns may name none")
        for source in self.sources:
            if bool(source.file) == bool(source.url_variable):
                raise ValueError('needs either file = "...", or [[...files]], or url_variable = "...", and one only')
        labels = [source.label for source in self.sources]
        if repeated := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"{', '.join(repeated)}: listed more than once")
        return self

    @property
    def sources(self) -> list[FileSettings]:
        """The files or queries, or waves of a wide one, with what is stated for the table where they state nothing."""
        stated = {key: getattr(self, key) for key in _INHERITED}
        files: Sequence[FileSettings] = self.files or [FileSettings(file=self.file)]
        if self.wide is not None:
            files = self.wide.files(self.file)
        return [
            file.model_copy(update={key: getattr(file, key) or value for key, value in stated.items()})
            for file in files
        ]
