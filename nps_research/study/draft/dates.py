"""When people were invited and when they answered; which waves that makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from nps_research.reading.dates import FIRST_DAY, last_day
from nps_research.reading.values import parse_timestamp
from nps_research.study.draft.columns import ReadColumn, matches
from nps_research.study.draft.vocabulary import ROLES

Every = Literal["month", "quarter", "half-year", "year"]
_START = re.compile(r"\bstart(ed)?\b|begin|beginn|début|inicio|início")
_CLOCK_NAMES = re.compile(r"^(time|hour|clock|uhrzeit|heure|hora|ora|tijd|время|час|godzina)\b")
_OF_THE_PERSON = re.compile(
    r"birth|\bdob\b|geburt|naissance|nacimiento|nascimento|nascita|народж|рожден|urodz|\bsince\b|\bseit\b|join|sign ?up"
    r"|regist|expir|renew|contract|vertrag|churn|cancel|gekündigt|\bleft\b"
)
_DAYS = {"month": 30.4, "quarter": 91.3}
_MONTHS_OF: dict[Every, int] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_DAYS_BY_MONTH = 250  # what goes on for longer is read by the quarter
_ANSWERS_PER_WAVE = 50  # a shorter wave would hold fewer, and say little
_WAVES_WITH_EDGES = 4  # from so many on the first and the last, which may be cut off, need not be full


@dataclass(frozen=True, kw_only=True)
class DatesGuess:
    """Columns of dates, how they are written, and waves made of them.

    Attributes
    ----------
    columns : dict of str to ReadColumn
        ``invited_at``, ``responded_at``: those found.
    clock : ReadColumn or None
        Time of day that stands in a column of its own, for ``responded_at``.
    formats : dict of str to str
        Standard name -> how its dates are written, where it must be stated.
    unclear : tuple of ReadColumn
        Dates whose order of day and month is open.
    wave_from, wave_every : str or None
        Of which dates waves can be made, and how long each is.
    others : tuple of str
        Further columns of dates.
    """

    columns: dict[str, ReadColumn] = field(default_factory=dict)
    clock: ReadColumn | None = None
    formats: dict[str, str] = field(default_factory=dict)
    unclear: tuple[ReadColumn, ...] = ()
    wave_from: str | None = None
    wave_every: Every | None = None
    others: tuple[str, ...] = ()


def find_dates(columns: Sequence[ReadColumn], *, has_wave: bool) -> DatesGuess:
    """Find the dates of invitations and answers, by names and values, and the length of waves that they make.

    Parameters
    ----------
    columns : sequence of ReadColumn
        Those not taken for something else.
    has_wave : bool
        Whether a column tells waves apart; then none are made.
    """
    dated = [c for c in columns if not c.is_personal and (c.is_date or _is_unix(c) or _empty_and_named(c))]
    invited = _named_date(dated, "invited_at")
    rest = [column for column in dated if column is not invited and not _START.search(column.words)]
    responded = _named_date(rest, "responded_at")
    if responded is None and invited is None:
        moments = [column for column in rest if _may_be_of_an_answer(column)]
        responded = moments[0] if len(moments) == 1 else None
    found = {name: c for name, c in (("invited_at", invited), ("responded_at", responded)) if c is not None}
    formats = {name: "unix" for name, column in found.items() if _is_unix(column)}
    unclear = tuple(column for name, column in found.items() if name not in formats and column.is_unclear_date)
    clock = None
    if responded is not None and not responded.cells.str.contains(":").any():
        clock = next((c for c in columns if c.is_clock and _CLOCK_NAMES.search(c.words)), None)
    wave_from = next((name for name in ("invited_at", "responded_at") if name in found), None)
    every = None
    if wave_from is not None and not has_wave and found[wave_from] not in unclear:
        every = _every(found[wave_from], formats.get(wave_from))
    return DatesGuess(
        columns=found,
        clock=clock,
        formats=formats,
        unclear=unclear,
        wave_from=wave_from if every else None,
        wave_every=every,
        others=tuple(column.name for column in dated if column not in found.values()),
    )


def _may_be_of_an_answer(column: ReadColumn) -> bool:
    """Whether dates that are not named as an answer's may be one's: not of a person's life, and plausible."""
    days = parse_timestamp(column.cells).values.dropna()
    return not _OF_THE_PERSON.search(column.words) and (
        column.is_unclear_date or bool(len(days) and days.between(FIRST_DAY, last_day()).mean() > 0.9)
    )


def _named_date(columns: Sequence[ReadColumn], role: str) -> ReadColumn | None:
    fitting = [column for pattern in ROLES[role] for column in columns if matches(pattern, column)]
    return next((column for column in fitting if not _START.search(column.words)), None)


def _is_unix(column: ReadColumn) -> bool:
    roles = (*ROLES["invited_at"], *ROLES["responded_at"], r"\b(date|time|timestamp|at)\b")
    return column.is_unix_time and any(matches(pattern, column) for pattern in (*roles, *ROLES["responded"]))


def _empty_and_named(column: ReadColumn) -> bool:
    return column.cells.empty and any(
        matches(p, column) for role in ("invited_at", "responded_at") for p in ROLES[role]
    )


def _every(column: ReadColumn, date_format: str | None) -> Every | None:
    """The shortest usual wave of which the dates make two or more, with enough answers in each; gaps have none."""
    text = column.cells
    if date_format == "unix":
        seconds = pd.to_numeric(text, errors="coerce")
        moments = pd.to_datetime(seconds.where(seconds > 0), unit="s")
    else:
        moments = parse_timestamp(text).values
    moments = moments.dropna()
    if moments.empty:
        return None
    months = moments.dt.year * 12 + moments.dt.month - 1
    days = (moments.max() - moments.min()).days
    for every, length in _MONTHS_OF.items():
        wave = months // length
        answers = wave.value_counts().reindex(range(wave.min(), wave.max() + 1), fill_value=0)
        whole = answers.iloc[1:-1] if len(answers) >= _WAVES_WITH_EDGES else answers
        if len(answers) >= 2 and (every != "month" or days <= _DAYS_BY_MONTH) and whole.min() >= _ANSWERS_PER_WAVE:
            return every
    return "quarter" if days >= 1.5 * _DAYS["quarter"] else "month" if days >= 1.5 * _DAYS["month"] else None
