"""A study: validated tables, settings, and what they can and cannot answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.reading.sources import sha256_of
from nps_research.results.suppression import hidden_rows
from nps_research.study.acceptance import check_names, check_table
from nps_research.study.contract import PRIVATE
from nps_research.study.lazy_responses import lazy_fields
from nps_research.study.needs import NEEDS, need_in_words
from nps_research.study.raw_rows import Plan, read_files
from nps_research.study.response_states import response_states, rows_of_frame
from nps_research.study.settings_file import (
    DriverSettings,
    OutcomeSettings,
    SegmentSettings,
    Settings,
    read_outcome,
    read_settings,
    read_study_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import narwhals as nw
    from narwhals.typing import IntoLazyFrame

__all__ = ["Study", "open_study"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Study:
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
    available: frozenset[str]
    quarantine: pd.DataFrame
    violations: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[str, ...]
    data_hash: str
    warnings: tuple[str, ...] = ()
    too_much_lost: bool = False
    folder: Path | None = None
    data_folder: Path | None = None

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
        held = {name: read_outcome(name, outcome) for name, outcome in (outcomes or {}).items()}
        if not isinstance(responses, pd.DataFrame):
            return cls._from_lazy(responses, customers, rated, segments, held, checked, name=name, made_up=made_up)
        plans, raws = [], []
        for table, frame in (("responses", responses), ("customers", customers)):
            if frame is None:
                continue
            own = [name for name in segments if name in frame]
            plans.append(
                Plan(
                    table=table,
                    drivers=rated if table == "responses" else None,
                    segments=SegmentSettings(columns={name: name for name in own}) if own else None,
                    outcomes={name: outcome for name, outcome in held.items() if outcome.table == table},
                )
            )
            raws.append(rows_of_frame(frame, plans[-1]))
        found = {name for plan in plans for name in plan.segment_names}
        if lost := [name for name in segments if name not in found]:
            raise ContractError(f"No table has the segment columns {', '.join(lost)}.")
        digest = hashlib.sha256()
        for frame in (responses, customers):
            if frame is not None:
                digest.update(pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy().tobytes())
        tables = [check_table(raw, plan) for raw, plan in zip(raws, plans, strict=True)]
        return cls(
            name=name,
            made_up=made_up,
            outcomes=held,
            data_hash=digest.hexdigest(),
            **response_states(tables, plans, checked),
        )

    @classmethod
    def _from_lazy(
        cls,
        responses: Any,
        customers: pd.DataFrame | None,
        drivers: DriverSettings | None,
        segments: Sequence[str],
        outcomes: Mapping[str, OutcomeSettings],
        settings: Settings,
        **said: Any,
    ) -> Study:
        of_customers = [name for name, outcome in outcomes.items() if outcome.table == "customers"]
        if customers is not None or of_customers:
            raise ContractError(
                "customers: a lazy frame of responses takes no customers. Join what is needed to the responses "
                "where they lie: segments, or a yes/no outcome as a column."
            )
        plan = Plan(
            table="responses",
            drivers=drivers,
            segments=SegmentSettings(columns={name: name for name in segments}) if segments else None,
            outcomes=outcomes,
        )
        check_names(plan)
        return cls(settings=settings, outcomes=outcomes, **lazy_fields(responses, plan, settings), **said)

    @property
    def responses(self) -> pd.DataFrame:
        """Accepted invitations, one row each, with ``response_state``.

        The state is ``answered``, ``item_missing``, ``nonrespondent``, ``not_reached`` or ``pending`` (the window
        is still open). A study on a lazy frame has none to give and raises CannotAnswerError.
        """
        if isinstance(self.rows, pd.DataFrame):
            return self.rows
        raise CannotAnswerError(
            "The responses of this study are a lazy frame: they can be counted where they lie, but this needs the rows "
            "themselves. Give Study.from_frames a pandas DataFrame, of a sample for example."
        )

    @property
    def is_lazy(self) -> bool:
        """Whether the responses are a lazy frame."""
        return not isinstance(self.rows, pd.DataFrame)

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the responses."""
        return (
            list(map(str, self.rows.columns))
            if isinstance(self.rows, pd.DataFrame)
            else list(self.rows.collect_schema())
        )

    def __repr__(self) -> str:
        return f"<Study {self.name!r}: {self.base}>"

    @property
    def base(self) -> str:
        """Base sizes in a sentence."""
        if self.is_lazy:
            return "a lazy frame, whose rows are counted where they lie"
        responses = self.files[self.files["table"] == "responses"]
        rows, kept, quarantined = (int(responses[name].sum()) for name in ("rows", "accepted", "quarantined"))
        answers = int((self.responses["response_state"] == "answered").sum())
        intake = f"{rows:,} rows in, {kept:,} accepted, {quarantined:,} quarantined"
        if "excluded" in responses and (excluded := int(responses["excluded"].sum())):
            intake += f", {excluded:,} left out as the study says"
        return f"{intake}; {answers:,} answers to the recommendation question"

    @property
    def nothing_accepted(self) -> str:
        """Why there is nothing to work on, in a sentence; empty where there is something."""
        if self.is_lazy or len(self.responses):
            return ""
        n = int((self.quarantine["table"] == "responses").sum())
        if n == 0:
            return "the responses have a header and no rows"
        rules = self.violations[self.violations["table"] == "responses"].to_dict("records")
        most = max(rules, key=lambda rule: int(rule["rows"]), default={"column": "a record", "rule": "cannot be read"})
        return f"none of the {n:,} rows of the responses is accepted; most often {most['column']} {most['rule']}"

    @property
    def period(self) -> str:
        """From when to when the data speak: as stated, else months where dates are known, else the waves."""
        if self.stated_period or self.is_lazy:
            return self.stated_period or "not stated"
        dates = [self.responses[name].dropna() for name in ("invited_at", "responded_at") if name in self.responses]
        dates = [date for date in dates if len(date)]
        if dates:
            first, last = min(date.min() for date in dates), max(date.max() for date in dates)
            return f"{first:%B %Y} to {last:%B %Y}"
        if not self.waves:
            return "not stated"
        wave, answered = self.responses["wave"], self.responses["response_state"] == "answered"
        answers, people = (rows.value_counts().reindex(self.waves, fill_value=0) for rows in (wave[answered], wave))
        hidden = hidden_rows(answers.to_numpy(), self.settings.minimum_cell, people=people.to_numpy())
        waves = [wave for wave, is_hidden in zip(self.waves, hidden, strict=True) if not is_hidden]
        if len(waves) > 2:
            return f"{waves[0]} to {waves[-1]}"
        return " and ".join(waves) or "not stated"

    def can_answer(self, *needs: str) -> bool:
        """Whether the study holds all of the columns, each with at least one value.

        Parameters
        ----------
        *needs : str
            ``table.column`` with standard names, ``responses.drivers``, ``responses.segments``,
            ``responses.silence`` (who was silent, and who was not), ``outcomes`` (any) or ``outcomes.<name>``.

        Raises
        ------
        ContractError
            If a need names no standard column.
        """
        return not self._lacking(needs)

    def missing(self, *needs: str) -> str:
        """One sentence on what the study lacks; empty where it lacks nothing."""
        lacking = self._lacking(needs)
        return f"This study does not record {', nor '.join(map(need_in_words, lacking))}." if lacking else ""

    def require(self, *needs: str) -> None:
        """Raise `CannotAnswerError`, which says what is missing, unless `can_answer`."""
        if sentence := self.missing(*needs):
            raise CannotAnswerError(sentence)

    def _lacking(self, needs: Sequence[str]) -> list[str]:
        for need in needs:
            if need not in NEEDS and not need.startswith("outcomes."):
                raise ContractError(f"The contract has no {need}{did_you_mean(need, list(NEEDS))}")
        return [need for need in needs if need not in self.available]

    def private_values(self) -> frozenset[str]:
        """Every id, name, e-mail and comment in the tables and the quarantine, for leak scans."""
        found: set[str] = set()
        for table in (self.responses, self.customers, self.quarantine):
            if table is None:
                continue
            for name in PRIVATE:
                # A row number that stands in for an id is nobody's.
                stands_in = table is self.responses and f"responses.{name}" not in self.available
                if name in table and not (name == "respondent_id" and stands_in):
                    found.update(table[name].dropna().astype("str").unique())
        for name in self.quarantine.columns.difference(["table", "file", "line", "reasons"]):
            cells = self.quarantine[name].dropna().astype("str")
            found.update(cells[cells.str.contains("@")].unique())
        return frozenset(found)


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
    if not tables_in.is_dir():
        raise ContractError(f"The data folder {tables_in.name!r} is not there.")
    tables, plans, paths, from_databases = [], [], [path], []
    for name, settings in file.tables.items():
        plan = Plan.of(name, settings, file.outcomes)
        raw = read_files(settings, plan, tables_in)
        tables.append(check_table(raw, plan))
        plans.append(plan)
        paths += dict.fromkeys(tables_in / source.file for source in settings.sources if source.file)
        if any(source.url_variable for source in settings.sources):
            from_databases.append(raw.cells)
    return Study(
        name=file.name,
        source=file.source,
        licence=file.licence,
        url=file.url,
        stated_period=file.period,
        caution=file.caution,
        made_up=file.made_up,
        outcomes=file.outcomes_of_customers,
        data_hash=sha256_of(paths, from_databases),
        folder=path.parent,
        data_folder=tables_in,
        **response_states(tables, plans, file.settings),
    )
