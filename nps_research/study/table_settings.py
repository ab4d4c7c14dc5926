"""A table as study.toml describes it: where its rows come from, and which columns mean what."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import pandas as pd
from pydantic import Field, field_validator, model_validator

from nps_research.errors import did_you_mean
from nps_research.reading.file_settings import (
    _INHERITED,
    Code,
    FileSettings,
    MappedColumn,
    SourceSettings,
    StrictModel,
    columns_behind,
    kind_of_mapped,
)
from nps_research.reading.raw_table import cell_text
from nps_research.reading.values import PARSERS
from nps_research.study.further_tables import FURTHER
from nps_research.study.repeats import Counts
from nps_research.study.standard_columns import IS_PRIVATE, STANDARD, is_private_name, private_columns

Constant = bool | int | float | str | dt.datetime | dt.date
SCORE = "likelihood_to_recommend"
_AS_WORDS = ("text", "id")  # kinds whose cells are shown as they are
_NEVER_SHOWN = ("cluster",)
_KIND_IN_WORDS = {"flag": "true or false", "timestamp": "a date", "number": "a number", "text": "text", "id": "text"}
STANDARD_NAMES = tuple(dict.fromkeys(name for table in STANDARD.values() for name in table))


def _constants_apart(values: Any, fields: Sequence[str]) -> Any:
    """Standard columns stated as one value for all rows, put together under `constants`."""
    if not isinstance(values, dict) or "constants" in values:
        return values
    stated = {name: value for name, value in values.items() if name in STANDARD_NAMES and name not in fields}
    if several := [name for name, value in stated.items() if isinstance(value, (list, dict))]:
        raise ValueError(f"{several[0]}: takes one value for all rows; a column of the file goes under columns")
    rest = {name: value for name, value in values.items() if name not in stated}
    return {**rest, "constants": stated} if stated else values


class WaveOfDates(StrictModel):
    """Waves made of a date.

    Attributes
    ----------
    from_date : {"invited_at", "responded_at"}
        Whose wave it is: that of the invitation, or of the answer where invitations are not recorded.
    every : {"month", "quarter", "half-year", "year"}
        How long one wave is.
    """

    from_date: Literal["invited_at", "responded_at"] = Field(alias="from")
    every: Literal["month", "quarter", "half-year", "year"]


class Recode(StrictModel):
    """Answers whose codes are not their values: all shifted by a number, or each code with its value."""

    shift: int | None = Field(default=None, ge=-100, le=100)
    codes: dict[str, Annotated[int, Field(ge=0, le=10)]] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _codes_stand_alone(cls, values: Any) -> Any:
        if not isinstance(values, dict) or set(values) <= {"shift", "codes"}:
            return values
        if "shift" in values:
            raise ValueError("needs either shift = ... or a value for each code, e.g. { 1 = 0, 2 = 1 }, not both")
        return {"codes": values}

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.shift and not self.codes:
            raise ValueError("needs shift = -1, or a value for each code, e.g. { 1 = 0, 2 = 1 }")
        return self


def _is_nothing(value: Constant) -> bool:
    """Whether it is infinite, or no number, as TOML may write them."""
    return isinstance(value, float) and not math.isfinite(value)


def _of_constants(table: str, constants: Mapping[str, Constant], columns: Mapping[str, MappedColumn]) -> list[str]:
    """What is wrong with the constants of a table."""
    faults, standard = [], STANDARD[table]
    for name, value in constants.items():
        where = f"{table}.{name}"
        if name not in standard:
            faults.append(f"{where} is not known: {name} is no column of {table}")
        elif name in private_columns(table) or standard[name].kind == "score":
            faults.append(f"{where}: is each row's own, and cannot be one value for all")
        elif name in columns:
            faults.append(f"{where}: is stated as one value for all rows, and columns name a column of it: one of them")
        elif _is_nothing(value) or PARSERS[standard[name].kind](pd.Series([cell_text(value)])).unreadable.any():
            faults.append(f"{where}: {value!r} arrived, where {_KIND_IN_WORDS[standard[name].kind]} is needed")
    return faults


def _of_private(
    table: str,
    mapped: Sequence[tuple[str, MappedColumn]],
    shown: Sequence[tuple[str, str]],
    labelled: Iterable[str],
    behind: Collection[str],
) -> list[str]:
    """Where a column that tells who somebody is would be shown: as a wave, a segment, a rating.

    `mapped` are standard columns with those of the file behind them, `shown` drivers and segments likewise; `behind`
    are the columns behind private ones, of whichever table.
    """
    hidden = (*private_columns(table), *_NEVER_SHOWN)
    public = [
        (f"columns.{name}", column)
        for name, columns in mapped
        if name in STANDARD[table] and name not in hidden and STANDARD[table][name].kind in _AS_WORDS
        for column in columns_behind(columns)
    ]
    labels = [(f"segments.labels.{name}", name) for name in labelled if name in private_columns(table)]
    return [
        f"{table}.{where}: {column} {IS_PRIVATE}"
        for where, column in (*public, *shown, *labels)
        if column in behind or is_private_name(column, as_words=not where.startswith("drivers."))
    ]


class FileOfTable(FileSettings):
    """One file of several, with its own overrides and constants."""

    constants: dict[str, Constant] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _constants_named(cls, values: Any) -> Any:
        return _constants_apart(values, list(cls.model_fields)) if not isinstance(values, FileSettings) else values


class WideSettings(StrictModel):
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

    def files(self, file: str | None) -> list[FileOfTable]:
        """The file's waves, as if each were a file of its own."""
        return [
            WaveOfFile(
                file=file,
                wave=wave,
                columns={name: column.replace("{wave}", spelt) for name, column in self.columns.items()},
            )
            for wave, spelt in self.waves.items()
        ]


class WaveOfFile(FileOfTable):
    """The columns of one wave in a file whose rows stand for several."""

    @property
    def label(self) -> str:
        return f"{self.file_label}, {self.wave}"

    @property
    def file_label(self) -> str:
        return self._with_part(self.sheet or self.table)


class DriverSettings(StrictModel):
    """Ratings of single experiences.

    Attributes
    ----------
    scale : tuple of int
        Lowest and highest rating.
    scales : dict of str to tuple of int
        Of single ratings, where it is another; they are stretched to `scale`.
    reverse : list of str
        Ratings of which a low one is good; they are turned round.
    """

    scale: tuple[int, int] = Field(default=(1, 5), strict=False)
    scales: dict[str, Annotated[tuple[int, int], Field(strict=False)]] = Field(default={})
    reverse: list[str] = Field(default=[])
    columns: dict[str, str] = Field(min_length=1)
    missing_codes: list[Code] = Field(default=[])
    not_used_codes: list[Code] = Field(default=[])
    labels: dict[str, int] = Field(default={})

    @field_validator("scale")
    @classmethod
    def _scale_rises(cls, scale: tuple[int, int]) -> tuple[int, int]:
        if scale[0] >= scale[1]:
            raise ValueError("must rise, e.g. [1, 5]")
        return scale

    @model_validator(mode="after")
    def _ratings_are_there(self) -> Self:
        for key, names in (("scales", list(self.scales)), ("reverse", self.reverse)):
            if strange := [name for name in names if name not in self.columns]:
                raise ValueError(f"{key}: {strange[0]} is no rating{did_you_mean(strange[0], list(self.columns))}")
        if falling := [name for name, (low, high) in self.scales.items() if low >= high]:
            raise ValueError(f"scales: that of {falling[0]} must rise, e.g. [1, 6]")
        return self

    def scale_of(self, name: str) -> tuple[int, int]:
        """Lowest and highest rating of one of them."""
        return self.scales.get(name, self.scale)


class SegmentSettings(StrictModel):
    """Columns by which groups are compared, with words for their codes."""

    columns: dict[str, str] = Field(min_length=1)
    labels: dict[str, dict[str, str]] = Field(default={})
    missing_codes: list[Code] = Field(default=[])


class TableSettings(SourceSettings):
    """Where a table's rows come from and which columns mean what.

    Attributes
    ----------
    files : list of FileOfTable
        Several files instead of one.
    wide : WideSettings or None
        Where a row stands for several invitations.
    wave : WaveOfDates or None
        Waves made of a date.
    constants : dict
        Standard columns with one value for all rows; in study.toml under their own names.
    exclude, only : dict of str to list of str or number
        Codes of columns of the file, by which rows are left out before anything else, or not.
    counts : {"newest", "first", "all"} or None
        Which answer of a person who stands twice in a wave counts; None is the newest, not stated.
    date_format : dict of str to str
        How dates are written, by standard column; of all others under ``""``. A single text is for all.
    columns : dict
        The file's columns behind the standard ones.
    missing_codes : dict of str to list of str or number
    recode : dict of str to Recode
        Values of the score's codes.
    drivers, segments : DriverSettings and SegmentSettings or None
    """

    files: list[FileOfTable] = Field(default=[])
    wide: WideSettings | None = None
    wave: WaveOfDates | None = None
    constants: dict[str, Constant] = Field(default={})
    exclude: dict[str, Annotated[list[Code], Field(min_length=1)]] = Field(default={})
    only: dict[str, Annotated[list[Code], Field(min_length=1)]] = Field(default={})
    counts: Counts | None = None
    date_format: dict[str, str] = Field(default={})
    columns: dict[str, MappedColumn] = Field(default={})
    missing_codes: dict[str, list[Code]] = Field(default={})
    recode: dict[str, Recode] = Field(default={})
    drivers: DriverSettings | None = None
    segments: SegmentSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _constants_named(cls, values: Any) -> Any:
        is_made = isinstance(values, dict) and isinstance(values.get("wave"), dict)
        return _constants_apart(values, [name for name in cls.model_fields if name != "wave" or is_made])

    @field_validator("date_format", mode="before")
    @classmethod
    def _for_all_or_each(cls, date_format: Any) -> Any:
        if isinstance(date_format, str):
            return {"": date_format}
        if not (isinstance(date_format, dict) and all(isinstance(each, str) for each in date_format.values())):
            raise ValueError('must be a format such as "%d.%m.%Y", or "unix", or { responded_at = "%d.%m.%Y" }')
        return date_format

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

    def columns_of_persons(self, table: str) -> set[str]:
        """The columns of its files that are mapped as what tells who somebody is."""
        mapped = (columns for name, columns in self._mapped_columns if name in private_columns(table))
        return {column for columns in mapped for column in columns_behind(columns)}

    def faults(self, table: str, private: Collection[str]) -> list[str]:
        """What a table of this name cannot say, in sentences; `private` are the study's private columns."""
        standard = STANDARD[table]
        moments = [name for name, column in standard.items() if column.kind == "timestamp"]
        faults = [
            f"{table}.date_format: {name} is no moment{did_you_mean(name, moments)}"
            for name in self.date_format
            if name and name not in moments
        ]
        for constants in (self.constants, *(file.constants for file in self.files)):
            faults += _of_constants(table, constants, self.columns)
        for name, mapped in self._mapped_columns:
            kind = standard[name].kind if name in standard else None
            wanted = {"yes and no": "flag", "date and time": "timestamp"}.get(kind_of_mapped(mapped))
            several = kind_of_mapped(mapped) == "several columns" and (table, name) != ("responses", "problems")
            if several or (kind is not None and wanted is not None and kind != wanted):
                faults.append(f"{table}.columns.{name}: takes one column; {name} holds no {kind_of_mapped(mapped)}")
        labelled = self.segments.labels if self.segments else ()
        faults += _of_private(table, self._mapped_columns, self._shown_columns, labelled, private)
        if table == "responses":
            if strange := [name for name in self.recode if name != SCORE]:
                faults.append(f"{table}.recode: {strange[0]}: only {SCORE} is recoded")
            taken = "wave" in self.columns or any(file.wave or "wave" in file.columns for file in self.files)
            if self.wave is not None and (taken or self.wide is not None):
                faults.append(f"{table}.wave: made of a date, and there is a column or a name of it, too: one of them")
            return faults
        for key in ("wide", "wave", "counts", "recode", "drivers"):
            if getattr(self, key):
                faults.append(f"{table}.{key}: only responses may be wide, or have waves, scores and ratings")
        if self.segments and table in FURTHER and table != "population":
            faults.append(f"{table}.segments: only responses, customers, accounts and population have segments")
        return faults

    @property
    def _mapped_columns(self) -> list[tuple[str, MappedColumn]]:
        """Standard columns with those of the file behind them, of each wave of a wide file."""
        stating: list[TableSettings | FileOfTable] = [
            self,
            *self.files,
            *(self.wide.files(self.file) if self.wide else []),
        ]
        return [mapped for each in stating for mapped in each.columns.items()]

    @property
    def _shown_columns(self) -> list[tuple[str, str]]:
        """Drivers and segments by where they are stated, with the columns of the file."""
        stated = [
            *(("drivers", each.columns) for each in [self.drivers] if each),
            *(("segments", each.columns) for each in [self.segments] if each),
            *(("drivers", file.drivers) for file in self.files),
            *(("segments", file.segments) for file in self.files),
        ]
        return [(f"{kind}.{name}", column) for kind, columns in stated for name, column in columns.items()]

    @property
    def sources(self) -> list[FileOfTable]:
        """The files or queries, or waves of a wide one, with what is stated for the table where they state nothing."""
        stated = {key: getattr(self, key) for key in _INHERITED}
        files: Sequence[FileOfTable] = self.files or [FileOfTable(file=self.file)]
        if self.wide is not None:
            files = self.wide.files(self.file)
        return [
            file.model_copy(update={key: getattr(file, key) or value for key, value in stated.items()})
            for file in files
        ]
