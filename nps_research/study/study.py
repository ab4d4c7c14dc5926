"""A study: validated tables, settings, and what they can and cannot answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoLazyFrame

from nps_research.errors import CannotAnswerError, ContractError, check_no_address
from nps_research.reading.sources import path_inside, sha256_of
from nps_research.study.further_acceptance import checked_tables
from nps_research.study.further_settings import ExperimentSettings, ProblemSettings
from nps_research.study.lazy_responses import lazy_fields
from nps_research.study.needs import NEEDS_ROWS, Recorded
from nps_research.study.notebooks import asked
from nps_research.study.part import (
    as_of,
    available_in,
    by_age_of_part,
    chosen_rows,
    latest_date_of,
    lazy_rows,
    part_in_words,
    read_part,
    rows_of_part,
    rows_with,
)
from nps_research.study.planned_rows import core_frames, further_frames, rows_of_files
from nps_research.study.private_values import private_values_of
from nps_research.study.settings_file import OutcomeSettings, Settings, read_part_of, read_settings, read_study_file
from nps_research.study.small_waves import small_waves_of, small_waves_said, without_waves
from nps_research.study.summary import answers_in, base_of, facts_html, period_of, shown_waves, why_nothing_is_accepted
from nps_research.study.surveys import asked_in_all
from nps_research.study.table_settings import DriverSettings


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Study(Recorded):
    """A survey export after the contract. Made by `open_study` or `Study.from_frames`.

    Attributes
    ----------
    name, source, licence, url, stated_period, caution : str
        As the study's file gives them.
    made_up : bool
        Whether the data are invented; every report then says so.
    settings : Settings
        Cuts, windows, smallest cell to show, seed.
    rows : DataFrame or narwhals.LazyFrame
        What `responses` gives where it is in memory; else the lazy frame, which is only ever counted.
    not_used : DataFrame of bool
        Per driver, where "not used" was said; rows as in `responses`.
    customers : DataFrame or None
    drivers, segments, waves : tuple of str
        Names of the ratings and of the grouping columns in `responses`; waves in order of time.
    driver_scale : tuple of int
        Lowest and highest rating.
    quarantine : DataFrame
        Rows not accepted, with reasons. Private.
    violations, files : DataFrame
        Rules broken and rows per file; free of cell values.
    notes : tuple of str
        What was detected, or read by a rule.
    warnings : tuple of str
        What makes one doubt the column of the score, and how many answers were lost, where it is many.
    too_much_lost : bool
        Whether more than half of the answers were lost.
    data_hash : str
        SHA-256 of the study's file and tables; of a lazy frame, which is not read for it, a random mark.
    folder, data_folder : Path or None
        Where the study's file and its tables lie.
    whole : Study or None
        The study that this one is a part of, see `where`.
    part : mapping of str to tuple of str
        The values, by column, that make it one.
    left_out_waves : mapping of str to int
        Small waves whose rows are not here, with their answers; see `counting.without_small_waves`.
    tables : mapping of str to DataFrame
        Accepted rows of the further tables, such as ``callbacks``, by name.
    by_age : DataFrame
        Rows as in `responses`, of a survey that a stage of life sets off (`life_stage`), where there is one by waves.
    problems, experiments : mapping
        What the study's file says of problems, by code, and of columns that were assigned.
    """

    name: str
    source: str = ""
    licence: str = ""
    url: str = ""
    stated_period: str = ""
    caution: str = ""
    made_up: bool = False
    settings: Settings
    outcomes: Mapping[str, OutcomeSettings]
    rows: pd.DataFrame | nw.LazyFrame[Any]
    not_used: pd.DataFrame
    customers: pd.DataFrame | None
    drivers: tuple[str, ...]
    driver_scale: tuple[int, int]
    segments: tuple[str, ...]
    waves: tuple[str, ...]
    quarantine: pd.DataFrame
    violations: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[str, ...]
    data_hash: str
    warnings: tuple[str, ...] = ()
    too_much_lost: bool = False
    folder: Path | None = None
    data_folder: Path | None = None
    whole: Study | None = None
    part: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out_waves: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    by_age: pd.DataFrame = field(default_factory=pd.DataFrame)
    problems: Mapping[str, ProblemSettings] = field(default_factory=dict)
    experiments: Mapping[str, ExperimentSettings] = field(default_factory=dict)

    @classmethod
    def from_frames(
        cls,
        *,
        responses: pd.DataFrame | IntoLazyFrame,
        customers: pd.DataFrame | None = None,
        drivers: Sequence[str] | DriverSettings = (),
        segments: Sequence[str] = (),
        outcomes: Mapping[str, OutcomeSettings | Mapping[str, Any]] | None = None,
        settings: Mapping[str, Any] | Settings | None = None,
        name: str = "Study",
        made_up: bool = False,
        tables: Mapping[str, pd.DataFrame] | None = None,
        problems: Mapping[str, ProblemSettings | Mapping[str, Any]] | None = None,
        experiments: Mapping[str, ExperimentSettings | Mapping[str, Any]] | None = None,
    ) -> Study:
        """A study from tables in memory, or from a lazy frame; their columns have the standard names already.

        Parameters
        ----------
        responses, customers : DataFrame
            The tables; they go through the same contract as files and are not changed. `responses` may also be
            a lazy frame, of however many rows: a DuckDB relation, a Polars LazyFrame, a PySpark DataFrame, or what
            else Narwhals takes as lazy. It is counted where it lies (`score_distribution`,
            `nps_research.counting.outcomes.outcome_by_score`) and never brought into memory; what needs its rows raises
            CannotAnswerError. Names and types of its columns are checked at once, values when they are counted:
            no row is quarantined, one that breaks a rule stops the count. It takes no `customers`.
        drivers : sequence of str or DriverSettings
            Rating columns of `responses`, on a 1-5 scale unless settings say otherwise.
        segments : sequence of str
            Grouping columns, of `responses` or of `customers`.
        outcomes : mapping, optional
            Name to settings, as in study.toml.
        settings : mapping, optional
            As ``[settings]`` in study.toml.
        name, made_up
            As the attributes.
        tables : mapping of str to DataFrame, optional
            Further tables by name, such as ``callbacks``; columns by their standard names. A lazy frame takes none.
        problems, experiments : mapping, optional
            As ``[problems.NAME]`` and ``[experiments.COLUMN]`` in study.toml.

        Raises
        ------
        ContractError
            If a named column is missing, or the tables cannot be a study; of a lazy frame also if a column
            holds another type than its name says.

        Examples
        --------
        >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 11]}))
        >>> len(study.responses), len(study.quarantine)
        (3, 1)
        """
        checked = settings if isinstance(settings, Settings) else read_settings(settings or {})
        rated: DriverSettings | None = None
        if isinstance(drivers, DriverSettings):
            rated = drivers
        elif drivers:
            rated = DriverSettings(columns={name: name for name in drivers})
        held = {
            name: read_part_of(OutcomeSettings, f"outcome {name}", outcome)
            for name, outcome in (outcomes or {}).items()
        }
        if not isinstance(responses, pd.DataFrame):
            beside = tables or problems or experiments
            fields = lazy_fields(responses, customers, rated, segments, held, checked, beside=bool(beside))
            return cls(name=name, made_up=made_up, **fields)
        planned = core_frames({"responses": responses, "customers": customers}, rated, segments, held)
        planned += further_frames(tables or {})
        digest = hashlib.sha256()
        for frame in (responses, customers, *(tables or {}).values()):
            if frame is not None:
                digest.update(pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy().tobytes())
        said = {each: read_part_of(ProblemSettings, f"problem {each}", of) for each, of in (problems or {}).items()}
        assigned = {
            each: read_part_of(ExperimentSettings, f"experiment {each}", of) for each, of in (experiments or {}).items()
        }
        fields = checked_tables(planned, checked, said, assigned)
        return cls(name=name, made_up=made_up, outcomes=held, data_hash=digest.hexdigest(), **fields)

    def where(self, rows: Any = None, /, **values: Any) -> Study:
        """Take a part of the study: the responses that have given values, or that are chosen.

        Customers with other values of a column of theirs go. All else stays; the day of the data is that of the whole.

        Parameters
        ----------
        rows : mask or callable, optional
            True or False for each row of `responses`; or what makes that of them.
        **values
            A value, or several, of a column: ``Region="UK"``, ``wave=["2024", "2025"]``.

        Returns
        -------
        Study
            Its name says which part it is; a lazy one is filtered where it lies.

        Raises
        ------
        ContractError
            If a column is not there or is private, no row has one of the values, or none is chosen.
        CannotAnswerError
            If rows of a lazy frame are chosen otherwise than by values.

        Examples
        --------
        >>> answers = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3], "Region": ["UK", "UK", "IE"]})
        >>> Study.from_frames(responses=answers, segments=["Region"], name="S").where(Region="UK")
        <Study 'S (Region: UK)': 2 of 3 accepted rows; 2 answers to the recommendation question>
        """
        if rows is None and not values:
            return self
        wanted, whole = read_part(values, self.columns), self.whole or self
        part = {**self.part, **({} if rows is None else {"": ()}), **wanted}
        mark = hashlib.sha256(f"{self.data_hash}{wanted}".encode())
        said: dict[str, Any] = {"whole": whole, "part": part, "name": f"{whole.name} ({part_in_words(part)})"}
        if isinstance(self.rows, nw.LazyFrame):
            said["settings"] = as_of(self.settings, latest_date_of(self.rows))
            return replace(self, rows=lazy_rows(self.rows, rows, wanted), data_hash=mark.hexdigest(), **said)
        chosen = rows_with(self.responses, wanted, minimum_cell=(fewest := self.settings.minimum_cell))
        if rows is not None:
            if not (chosen := chosen & chosen_rows(self.responses, rows)).any():
                raise ContractError("where: no row that is chosen has these values.")
            mark.update(chosen.to_numpy().tobytes())
            said |= {"folder": None, "data_folder": None}
        responses, customers = self.responses[chosen].reset_index(drop=True), self.customers
        if customers is not None and (own := {name: wanted[name] for name in wanted if name in customers}):
            customers = customers[rows_with(customers, own, minimum_cell=fewest)].reset_index(drop=True)
        by_age = by_age_of_part(self.by_age, responses, wanted, chosen=rows is not None, available=self.available)
        segments = tuple(name for name in self.segments if len(part.get(name, "many")) > 1)
        core = {"responses": responses} | ({} if customers is None else {"customers": customers})
        return replace(
            self,
            rows=responses,
            not_used=self.not_used[chosen.to_numpy()].reset_index(drop=True),
            customers=customers,
            segments=segments,
            waves=tuple(wave for wave in self.waves if (responses["wave"] == wave).any()),
            by_age=by_age,
            tables=(tables := rows_of_part(self.tables, asked_in_all(responses, by_age), customers)),
            available=available_in(self.available, {**core, **tables}, self.drivers, segments),
            data_hash=mark.hexdigest(),
            notes=(
                *whole.notes,
                f"This is a part of the study ({part_in_words(part)}); files and rules are of all of it.",
            ),
            **said,
        )

    @property
    def responses(self) -> pd.DataFrame:
        """Accepted invitations, one row each, with ``response_state``.

        The state is ``answered``, ``item_missing``, ``nonrespondent``, ``not_reached`` or ``pending`` (the window
        is still open). A study on a lazy frame has none to give and raises CannotAnswerError.
        """
        if isinstance(self.rows, pd.DataFrame):
            return self.rows
        raise CannotAnswerError(NEEDS_ROWS)

    @property
    def is_lazy(self) -> bool:
        """Whether the responses are a lazy frame."""
        return not isinstance(self.rows, pd.DataFrame)

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the responses."""
        rows = self.rows
        return list(map(str, rows.columns)) if isinstance(rows, pd.DataFrame) else list(rows.collect_schema())

    def __repr__(self) -> str:
        return f"<Study {self.name!r}: {self.base}>"

    def _repr_html_(self) -> str:
        waves = shown_waves(self.responses, self.waves, self.settings.minimum_cell) if self.waves else []
        facts = {
            "Made up": ["This company does not exist."] * self.made_up,
            "Period": [self.period],
            "Rows": [self.base],
            "Waves": [", ".join(waves)] * bool(waves),
            "Segments": self.segments,
            "Drivers": self.drivers,
            "Further tables": [f"{name}: {len(rows):,} rows" for name, rows in self.tables.items()],
            "Answers": [page.question for page in asked() if self.can_answer(*page.needs)],
            "Mind": [self.caution] * bool(self.caution),
        }
        return facts_html(self.name, facts)

    @property
    def base(self) -> str:
        """Base sizes in a sentence."""
        if self.is_lazy:
            return "a lazy frame, whose rows are counted where they lie"
        whole = None if self.whole is None else len(self.whole.responses)
        small = small_waves_said(self.small_waves, self.settings.minimum_cell)
        return base_of(self.files, self.responses, whole=whole, small_waves=small, apart=len(self.by_age))

    @property
    def small_waves(self) -> Mapping[str, int]:
        """Waves of few answers, with these, that no page counts; see `counting.without_small_waves`."""
        whole, fewest = self.whole or self, self.settings.minimum_cell
        return self.left_out_waves or small_waves_of(whole.responses, whole.waves, fewest, part=self.responses)

    @property
    def nothing_accepted(self) -> str:
        """Why there is nothing to work on, in a sentence; empty where there is something."""
        there_is = self.is_lazy or len(self.responses)
        return "" if there_is else why_nothing_is_accepted(self.quarantine, self.violations)

    @property
    def period(self) -> str:
        """From when to when the data speak: as stated, else months where dates are known, else the waves."""
        if self.stated_period or self.is_lazy:
            return self.stated_period or "not stated"
        return period_of(without_waves(self.responses, self.small_waves), self.waves, self.settings.minimum_cell)

    @property
    def n_answers(self) -> int:
        """How many answered the recommendation question, or anything where there is no such question."""
        return answers_in(self.responses, self.available)

    def private_values(self) -> frozenset[str]:
        """Every id, name, e-mail and comment in the tables and the quarantine, for leak scans."""
        asked = asked_in_all(self.responses, self.by_age)
        return private_values_of(asked, self.customers, self.tables, self.quarantine, self.available)


def open_study(folder: str | Path, *, data: str | Path | None = None) -> Study:
    """Open the study that a folder's ``study.toml`` describes.

    Parameters
    ----------
    folder : str or Path
        The folder with ``study.toml``, or that file itself.
    data : str or Path, optional
        Folder of the tables, when it is not the study's own.

    Returns
    -------
    Study

    Raises
    ------
    ContractError
        If the file or its tables break the contract as a whole: a missing file or column, a typo.
        Rows that break it are quarantined instead.
    """
    path = Path(folder)
    path = path / "study.toml" if path.suffix != ".toml" else path
    file = read_study_file(path)
    tables_in = Path(data) if data is not None else path.parent
    check_no_address(tables_in, "data")
    if not tables_in.is_dir():
        raise ContractError(f"The data folder {tables_in.name!r} is not there.")
    planned = rows_of_files(file, tables_in)
    sources = [source for settings in file.every_table.values() for source in settings.sources]
    paths = [path, *dict.fromkeys(path_inside(tables_in, source.file) for source in sources if source.file)]
    by_url = {name for name, table in file.every_table.items() if any(each.url_variable for each in table.sources)}
    return Study(
        name=file.name,
        source=file.source,
        licence=file.licence,
        url=file.url,
        stated_period=file.period,
        caution=file.caution,
        made_up=file.made_up,
        outcomes=file.outcomes_of_customers,
        data_hash=sha256_of(paths, [raw.cells for plan, raw in planned if plan.table in by_url]),
        folder=path.parent,
        data_folder=tables_in,
        **checked_tables(planned, file.settings, file.problems.problem_codes, file.experiments),
    )
