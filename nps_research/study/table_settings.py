"""A table as study.toml describes it: where its rows come from, and which columns mean what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from nps_research.reading.file_settings import _INHERITED, Code, FileSettings, SourceSettings, StrictModel


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


class DriverSettings(StrictModel):
    """Ratings of single experiences, all on one scale."""

    scale: tuple[int, int] = Field(default=(1, 5), strict=False)
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


class SegmentSettings(StrictModel):
    """Columns by which groups are compared, with words for their codes."""

    columns: dict[str, str] = Field(min_length=1)
    labels: dict[str, dict[str, str]] = Field(default={})
    missing_codes: list[Code] = Field(default=[])


class TableSettings(SourceSettings):
    """Where a table's rows come from and which columns mean what."""

    files: list[FileSettings] = Field(default=[])
    wide: WideSettings | None = None
    date_format: str | None = None
    columns: dict[str, str] = Field(default={})
    missing_codes: dict[str, list[Code]] = Field(default={})
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
