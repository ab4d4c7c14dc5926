"""Result: the one shape in which answers travel.

A result is a frozen bundle of one tidy frame, what was set, and what it says in words. Displayed
in a notebook it puts itself into the page three times: as text, as HTML (finding, figure, table),
and as JSON, which the report runner harvests. Nothing else carries numbers out of a notebook.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.results.suppression import hidden_rows
from nps_research.results.words import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas.io.formats.style import Styler


MIME_TYPE = "application/vnd.nps-research.result+json"
_SIGNIFICANT_DIGITS = 12  # enough for any reader; hides the last bits, in which processors differ


@dataclass(frozen=True, kw_only=True)
class KeyNumber:
    """One number for the index page, with its interval and, where there is one, its change.

    Attributes
    ----------
    label : str
        What is measured and for whom, e.g. ``"NPS, 2018"``.
    estimate, conf_low, conf_high : float
        In the unit of `unit`.
    unit : str
        ``"points"`` (NPS points), ``"share"`` (0 to 1) or ``"count"``.
    change, change_conf_low, change_conf_high : float or None
        Difference from the wave before, same unit.
    change_label : str
        What the change is measured against, e.g. ``"since 2017"``.
    """

    label: str
    estimate: float
    conf_low: float | None = None
    conf_high: float | None = None
    unit: str = "points"
    change: float | None = None
    change_conf_low: float | None = None
    change_conf_high: float | None = None
    change_label: str = ""

    @classmethod
    def of(cls, row: Any, label: str, *, column: str = "estimate", unit: str = "points", since: str = "") -> KeyNumber:
        """A column of a row with its limits, and the change since what is named."""
        prefix = "" if column == "estimate" else f"{column}_"
        ends = {name: float(row[f"{prefix}{name}"]) for name in ("conf_low", "conf_high")}
        change = {name: row[name] for name in ("change", "change_conf_low", "change_conf_high") if since}
        label_of_change = f"since {since}" if since else ""
        return cls(label=label, estimate=float(row[column]), unit=unit, change_label=label_of_change, **ends, **change)


def without_changes_from(shown: pd.DataFrame, groups: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Blank changes since a group that is not shown, of all `groups` in order of time: they would give it away."""
    kept = set(shown["group"])
    after_hidden = {group for before, group in pairwise(groups) if before not in kept}
    blank = shown["group"].isin(after_hidden)
    return shown.assign(**{name: shown[name].mask(blank) for name in columns})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result:
    """Base of every answer.

    Attributes
    ----------
    frame : pandas.DataFrame
        Tidy, one estimate per row, standard column names. NPS in points (-100 to 100), rates and
        shares in 0 to 1. Complete: groups under `minimum_cell` are in it.
    confidence_level : float
        Level of the frame's ``conf_low`` and ``conf_high``.
    title : str
        What the table shows, for captions and file names.
    minimum_cell : int
        Groups with fewer answers are left out of everything displayed.
    hidden : frozenset of str or None
        Groups to leave out; None works them out from ``n`` and `minimum_cell`. Never displayed.
    few_units : frozenset of str
        Groups in which few accounts (people, clusters) count, or one for nearly all: their scores where accounts are
        weighted, else their limits, are hidden. Never displayed.
    """

    frame: pd.DataFrame
    confidence_level: float = 0.95
    title: str = ""
    minimum_cell: int = 0
    hidden: frozenset[str] | None = None
    few_units: frozenset[str] = frozenset()

    kind: ClassVar[str] = "result"
    formats: ClassVar[Mapping[str, str]] = {}  # column -> format, where it differs from tables.COLUMNS
    headings: ClassVar[Mapping[str, str]] = {}  # column -> heading, likewise
    table_columns: ClassVar[tuple[str, ...]] = ()  # columns of the displayed table, in order; empty: all
    has_figure: ClassVar[bool] = True
    rows_are_dots: ClassVar[bool] = False  # of the figure, which is none where there is but one
    rows_are_parts: ClassVar[bool] = True  # of a total, from which a hidden row could be worked out
    unsaid: ClassVar[tuple[str, ...]] = ("frame", "title", "hidden", "few_units")  # fields that are no settings

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The frame without the groups that must not be shown."""
        return self._large_enough

    @property
    def _large_enough(self) -> pd.DataFrame:
        if self.hidden is not None:
            named = self.frame.columns.intersection(["group", "group_a", "group_b", "wave"])
            return self.frame[~self.frame[named].isin(self.hidden).any(axis=1)].reset_index(drop=True)
        if "n" not in self.frame or not self.minimum_cell:
            return self.frame
        if not self.rows_are_parts:
            return self.frame[self.frame["n"] >= self.minimum_cell].reset_index(drop=True)
        if "group" not in self.frame:
            small = hidden_rows(self.frame["n"].to_numpy(dtype=float), self.minimum_cell)
            return self.frame[~small].reset_index(drop=True)
        groups = self.frame.drop_duplicates("group")  # a group with several rows is shown whole or not at all
        gone = groups["group"][hidden_rows(groups["n"].to_numpy(dtype=float), self.minimum_cell)]
        return self.frame[~self.frame["group"].isin(gone)].reset_index(drop=True)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The shown rows, as mappings of column to value."""
        return [{str(name): value for name, value in row.items()} for row in self.shown.to_dict("records")]

    @property
    def n_hidden(self) -> int:
        """How many groups of the frame are not shown; rows, where there are no groups."""
        if "group" not in self.frame:
            return len(self.frame) - len(self.shown)
        return self.frame["group"].nunique() - self.shown["group"].nunique()

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer; False of a `NotAnswered` alone."""
        return True

    @property
    def finding(self) -> str:
        """What the numbers say, in one or two sentences for a manager: at most 30 words and three numbers."""
        raise NotImplementedError

    @property
    def details(self) -> str:
        """What else the numbers say, with the finding's intervals and conditions, for who asks."""
        return ""

    @property
    def in_words(self) -> str:
        """The finding and the details."""
        return f"{self.finding} {self.details}".strip()

    @property
    def message(self) -> str:
        """The message of the figure, its title; empty where it has none that is short enough."""
        return title_of(self.finding)

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        """What a report's first page says of it by the keys that `report.at_a_glance` reads; none of most."""
        return {}

    @property
    def note(self) -> str:
        """Base, method and caveats, for the line under the table."""
        return ""

    @property
    def alt(self) -> str:
        """The figure in words."""
        raise NotImplementedError

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        """Numbers for the index page; empty unless a result has a headline."""
        return ()

    def plot(self, ax: Axes | None = None, *, figsize: tuple[float, float] | None = None) -> Axes:
        """Draw the result, on a figure of its own unless `ax` is given, `figsize` in inches; never shows."""
        from nps_research.results.drawing import plot_of

        draw = plot_of(type(self))
        if draw is None:
            raise NotImplementedError(f"{type(self).__name__} has no figure")
        drawn = draw(self, ax)
        if figsize is not None and (figure := drawn.get_figure(root=True)) is not None:
            figure.set_size_inches(figsize)
        return drawn

    def to_excel(self, path: str | Path) -> None:
        """Write what is shown as a workbook of one sheet: words, then typed rows under their columns' names.

        Examples
        --------
        >>> import tempfile
        >>> from nps_research.score import required_responses
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     required_responses().to_excel(f"{folder}/answers.xlsx")
        ...     pd.read_excel(f"{folder}/answers.xlsx", header=None, engine="calamine").iloc[0, 0]
        'Answers needed'
        """
        from nps_research.results.excel import result_workbook

        Path(path).write_bytes(result_workbook(self.to_json()))

    @property
    def style(self) -> Styler:
        """The table as displayed, limits in columns of their own: a pandas Styler, to be coloured or changed.

        Examples
        --------
        >>> from nps_research.score import required_responses
        >>> "861" in required_responses(margin_of_error=5).style.to_html()
        True
        """
        from nps_research.results.tables import table_styler

        return table_styler(self)

    @property
    def settings(self) -> dict[str, Any]:
        """All that was set."""
        kept = [field.name for field in fields(self) if field.name not in self.unsaid]
        return {name: _plain(getattr(self, name)) for name in kept}

    @property
    def has_drawing(self) -> bool:
        """Whether it is a figure at all: not where that would be a single dot."""
        return self.has_figure and not (self.rows_are_dots and len(self.shown) == 1)

    @property
    def is_drawn(self) -> bool:
        """Whether there is something to draw."""
        return self.has_drawing and not self.shown.empty

    def to_json(self) -> dict[str, Any]:
        """The shareable content of the result, as plain JSON values."""
        shown = self.shown
        return {
            "schema": 1,
            "kind": self.kind,
            "title": self.title,
            "finding": self.finding,
            "message": self.message if self.has_drawing else "",
            "details": self.details,
            "note": self.full_note,
            "alt": self.alt if self.has_drawing else "",
            "settings": self.settings,
            **({"at_a_glance": dict(self.at_a_glance)} if self.at_a_glance else {}),
            "key_numbers": [_plain(number) for number in self.key_numbers],
            "columns": [str(column) for column in shown.columns],
            "rows": [[_plain(value) for value in row] for row in shown.itertuples(index=False)],
        }

    @property
    def full_note(self) -> str:
        """The note, and how many groups are too small to show."""
        few = self.few_units_words
        n_hidden = self.n_hidden
        if not n_hidden or self._all_of_few:
            return " ".join(filter(None, (self.note, few)))
        groups = "1 group is" if n_hidden == 1 else f"{n_hidden} groups are"
        or_told = ", or would let such a group be worked out by subtraction" if self.rows_are_parts else ""
        has = "it has" if n_hidden == 1 else "each has"
        hidden = f"{groups} not shown: {has} fewer than {self.minimum_cell} answers{or_told}."
        return " ".join(filter(None, (self.note, hidden, few)))

    @property
    def _all_of_few(self) -> bool:
        """Whether no other groups are hidden than those of few units."""
        return self.hidden is not None and bool(self.hidden) and self.few_units >= self.hidden

    @property
    def few_units_words(self) -> str:
        """Why numbers over few accounts, people or clusters are hidden, and what would show them."""
        if not self.few_units:
            return ""
        of = "1 group" if len(self.few_units) == 1 else f"{len(self.few_units)} groups"
        return (
            f"Hidden for {of}: what is weighted, or an interval over accounts, people or clusters, where fewer than "
            f"{self.minimum_cell} of them count or one counts for nearly all, as its answers could be worked out; "
            "answers of others would show it."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.finding}>"

    def __str__(self) -> str:
        from nps_research.results.tables import table_text

        return f"{self.in_words}\n\n{table_text(self)}" if len(self.shown) else self.in_words

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from nps_research.results.display import result_html

        try:
            return {"text/plain": repr(self), "text/html": result_html(self), MIME_TYPE: self.to_json()}
        except NotImplementedError as error:  # of which IPython says nothing
            raise TypeError(f"{type(self).__name__} lacks a part that is shown: {error}") from error


def _plain(value: Any) -> Any:
    """A JSON value: floats rounded past the last bits, missing values as None."""
    if isinstance(value, KeyNumber):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return str(value)
