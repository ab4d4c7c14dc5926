"""study.toml as typed settings: what a study's file may say, checked all at once."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from nps_research.errors import ContractError, check_no_address, did_you_mean, sentences_joined
from nps_research.reading.file_settings import KINDS, ONE_COLUMN, Code, StrictModel
from nps_research.study.further_settings import ExperimentSettings, ProblemsOfStudy
from nps_research.study.further_tables import FURTHER
from nps_research.study.standard_columns import IS_PRIVATE, is_private_name
from nps_research.study.table_settings import STANDARD_NAMES, TableSettings

_UNSAID = ("problem_rows", "problem_codes")  # both stand under [problems]
_LONGEST_REPEATED = 60  # of what is repeated from the file, in characters
_DEEPEST = 12  # tables and lists in each other
_SHORTER = "write a shorter one, or put a code of so many digits in quotation marks"
_FLATTER = "write its tables and lists side by side"


PartOfFile = TypeVar("PartOfFile", bound=StrictModel)


class Settings(StrictModel):
    """The study's settings; every default is the field's convention.

    Attributes
    ----------
    promoter_min, detractor_max : int
        Lowest promoter and highest detractor answer.
    target : float or None
        The Net Promoter Score that is aimed at, in points.
    response_window_days, outcome_horizon_days : int
        Days an answer may take; days over which an outcome is counted after the landmark.
    minimum_cell : int
        Smallest number of answers a shared page may show for a group.
    seed : int
        Start of every random number.
    cluster : str or None
        Column within whose values answers are alike (``"account_id"``, ``"respondent_id"``);
        None takes the ``cluster`` column, where there is one.
    cluster_spans_waves : bool
        Whether one value of the ``cluster`` column means the same cluster in every wave. False for
        sampling units that are numbered anew in each wave.
    data_until : date or None
        Day on which the tables were drawn; None takes the latest date in the responses.
    lapse_days : int or None
        Where no contract says who left: days without a purchase after which a customer has.
    rest_days : int or None
        Days after an invitation in which the same person is not asked again.
    equivalence_margin : float
        NPS points by which two ways of asking may differ and still be called alike.
    winsor : float
        Share of the amounts above which they are brought down to it.
    discount : float
        By how much money of a year later is worth less.
    comments_read_by : {"letters", "meaning"}
        What the machine that helps to code comments goes by; meaning needs the extra `themes`.
    """

    promoter_min: int = Field(default=9, ge=1, le=10)
    detractor_max: int = Field(default=6, ge=0, le=9)
    target: float | None = Field(default=None, strict=False, ge=-100, le=100)
    response_window_days: int = Field(default=14, ge=1, le=3_650)
    outcome_horizon_days: int = Field(default=180, ge=1, le=36_500)
    minimum_cell: int = Field(default=10, ge=1, le=1_000_000)
    seed: int = Field(default=20261122, ge=0, le=2**63 - 1)
    cluster: str | None = None
    cluster_spans_waves: bool = False
    data_until: dt.date | None = Field(default=None, strict=False, ge=dt.date(1970, 1, 1), le=dt.date(2100, 12, 31))
    lapse_days: int | None = Field(default=None, ge=1, le=3_650)
    rest_days: int | None = Field(default=None, ge=1, le=3_650)
    equivalence_margin: float = Field(default=3.0, strict=False, gt=0, le=100)
    winsor: float = Field(default=0.99, strict=False, ge=0.5, le=1)
    discount: float = Field(default=0.1, strict=False, ge=0, le=1)
    comments_read_by: Literal["letters", "meaning"] = "letters"

    @model_validator(mode="after")
    def _cuts_in_order(self) -> Settings:
        if self.detractor_max >= self.promoter_min:
            raise ValueError(f"detractor_max ({self.detractor_max}) must be below promoter_min ({self.promoter_min})")
        return self


class OutcomeSettings(StrictModel):
    """What customers did afterwards.

    Attributes
    ----------
    event, no_event : list of str or number
        Codes of a yes and of a no; anything else is not known.
    event_min : float or None
        Instead of codes, of a column of numbers: from here on it is a yes, below a no.
    direction : {"good", "bad"}
        Whether a yes is good (renewed) or bad (left).
    dated : bool
        Whether it came after the answer.
    label : str
        The outcome in words; empty where none are given.
    """

    table: Literal["responses", "customers", "accounts"]
    column: str
    kind: Literal["binary", "amount"] = "binary"
    event: list[Code] = Field(default=[])
    no_event: list[Code] = Field(default=[])
    event_min: float | None = Field(default=None, strict=False)
    direction: Literal["good", "bad"]
    dated: bool = False
    label: str = ""

    @model_validator(mode="after")
    def _binary_has_values(self) -> OutcomeSettings:
        coded = bool(self.event or self.no_event)
        if self.kind == "binary" and not (self.event and self.no_event) and (coded or self.event_min is None):
            raise ValueError("a binary outcome needs both event = [...] and no_event = [...]")
        if self.event_min is not None and (coded or self.kind == "amount"):
            raise ValueError("event_min stands alone: it takes no codes, and an amount takes no event_min")
        folded = [{str(code).strip().lower() for code in codes} for codes in (self.event, self.no_event)]
        if folded[0] & folded[1]:
            raise ValueError("a code cannot be both event and no_event")
        return self


class StudyFile(StrictModel):
    """The whole of a study.toml."""

    name: str = Field(min_length=1)
    source: str = ""
    licence: str = ""
    period: str = ""
    url: str = ""
    caution: str = ""
    made_up: bool = False
    responses: TableSettings
    customers: TableSettings | None = None
    accounts: TableSettings | None = None
    callbacks: TableSettings | None = None
    problems: ProblemsOfStudy = ProblemsOfStudy()
    hand_codes: TableSettings | None = None
    complaints: TableSettings | None = None
    transactions: TableSettings | None = None
    memberships: TableSettings | None = None
    referrals: TableSettings | None = None
    contacts: TableSettings | None = None
    offers: TableSettings | None = None
    units: TableSettings | None = None
    market: TableSettings | None = None
    population: TableSettings | None = None
    outcomes: dict[str, OutcomeSettings] = Field(default={})
    experiments: dict[str, ExperimentSettings] = Field(default={})
    settings: Settings = Settings()

    @property
    def outcomes_of_customers(self) -> dict[str, OutcomeSettings]:
        """The outcomes, those of accounts being of their customers."""
        brought = {"table": "customers"}
        return {
            name: outcome.model_copy(update=brought) if outcome.table == "accounts" else outcome
            for name, outcome in self.outcomes.items()
        }

    @property
    def tables(self) -> dict[str, TableSettings]:
        """The tables that there are, by name."""
        stated = {"responses": self.responses, "customers": self.customers, "accounts": self.accounts}
        return {name: table for name, table in stated.items() if table is not None}

    @property
    def every_table(self) -> dict[str, TableSettings]:
        """All tables that there are, by name."""
        return self.tables | self.further_tables

    @property
    def further_tables(self) -> dict[str, TableSettings]:
        """The further tables that there are, by name."""
        stated = {name: getattr(self, name) for name in FURTHER} | {"problems": self.problems.problem_rows}
        return {name: table for name, table in stated.items() if table is not None}

    @model_validator(mode="after")
    def _tables_say_what_they_may(self) -> Self:
        private = {column for name, table in self.tables.items() for column in table.columns_of_persons(name)}
        of_further = {name: private | table.columns_of_persons(name) for name, table in self.further_tables.items()}
        faults = [
            fault
            for name, table in self.every_table.items()
            for fault in table.faults(name, of_further.get(name, private))
        ]
        faults += [
            f"outcomes.{name}.table: there is no [{outcome.table}]"
            for name, outcome in self.outcomes.items()
            if outcome.table not in self.tables
        ]
        faults += [
            f"outcomes.{name}.column: {outcome.column} {IS_PRIVATE}"
            for name, outcome in self.outcomes.items()
            if outcome.column in private or is_private_name(outcome.column, as_words=False)
        ]
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))  # each wave of a wide file has the same
        return self


def read_study_file(path: Path) -> StudyFile:
    """Read and check a study.toml.

    Parameters
    ----------
    path : Path
        The file itself.

    Raises
    ------
    ContractError
        If it is missing, is no TOML, or says something it may not; every fault is listed.
    """
    check_no_address(path, "The study")
    try:
        if not path.parent.is_dir():
            beside = path.resolve().parent.parent
            names = [each.name for each in beside.iterdir() if each.is_dir()] if beside.is_dir() else []
            raise ContractError(f"There is no folder {str(path.parent)!r}{did_you_mean(path.parent.name, names)}.")
        if not path.is_file():
            raise ContractError(
                f"There is no {path.name} in {path.resolve().parent.name!r}. Make one with: nps-research init FILE"
            )
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ContractError(f"{path.name[:80]} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ContractError(f"{path.name} is not UTF-8 text. Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{path.name} is not valid TOML: {error}.") from None
    except ValueError:  # Python turns no text of more than 4,300 digits into a number
        raise ContractError(f"{path.name} holds a number of thousands of digits: {_SHORTER}.") from None
    except RecursionError:
        raise ContractError(f"{path.name} is nested too deeply: {_FLATTER}.") from None
    if fault := _out_of_bounds(content):
        raise ContractError(f"{path.name}: {fault}.")
    try:
        return StudyFile.model_validate(content)
    except ValidationError as error:
        raise ContractError(f"{path.name}: " + problems(error, StudyFile)) from None


def _out_of_bounds(value: Any, where: str = "", depth: int = 0) -> str:
    """Where a value is nested deeper, or a whole number longer, than anything in a study.toml; empty where none is."""
    if depth > _DEEPEST:
        return f"{where[:_LONGEST_REPEATED]} is nested too deeply: {_FLATTER}"
    if isinstance(value, int) and abs(value) >= 2**63:
        return f"{where[:_LONGEST_REPEATED]} is a number of more than 18 digits: {_SHORTER}"
    if isinstance(value, dict):
        inner = [(f"{where}.{name}" if where else name, each) for name, each in value.items()]
    else:
        inner = [(where, each) for each in value] if isinstance(value, list) else []
    return next((fault for name, each in inner if (fault := _out_of_bounds(each, name, depth + 1))), "")


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Check settings given as a mapping; raises ContractError as `read_study_file` does."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        raise ContractError("settings: " + problems(error, Settings)) from None


def read_part_of(model: type[PartOfFile], what: str, values: PartOfFile | Mapping[str, Any]) -> PartOfFile:
    """Check a part of study.toml given as a mapping; raises ContractError as `read_study_file` does."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ContractError(f"{what}: " + problems(error, model)) from None


def problems(error: ValidationError, model: type[BaseModel]) -> str:
    """Every fault that pydantic found, in our words, with the nearest allowed name for a typo."""
    sentences = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"] if part not in (ONE_COLUMN, *KINDS, *_UNSAID))
        if fault["type"] == "extra_forbidden":
            allowed = _allowed_names(model, fault["loc"][:-1])
            name = str(fault["loc"][-1])
            meant = did_you_mean(name, [*allowed, *STANDARD_NAMES] if "constants" in allowed else allowed)
            listed = [each for each in allowed if each != "constants"]
            sentences.append(f"{where} is not known{meant if meant.endswith('?') else did_you_mean(name, listed)}")
        elif fault["type"] == "missing":
            sentences.append(f"{where} is missing")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            sentence = f"{where}: {message[:1].lower()}{message[1:]}" if where else message
            # What should have been a path, or the name of a variable, may be a URL with a password.
            is_safe = "url_variable" not in fault["loc"] and "://" not in str(fault["input"])
            if isinstance(fault["input"], (str, int, float)) and is_safe:
                arrived = repr(fault["input"])
                sentence += f" ({arrived[:_LONGEST_REPEATED]}{'...' * (len(arrived) > _LONGEST_REPEATED)} arrived)"
            sentences.append(sentence)
    return sentences_joined(sentences)


def _allowed_names(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Field names of the model that a path into `model` leads to."""
    for part in path:
        if part in KINDS:
            return list(KINDS[str(part)].model_fields)
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None
