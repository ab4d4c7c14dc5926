"""What the columns of an export probably mean, by their names and by what their cells look like.

Guesses are for an analyst to check, so each carries its reason. Names are matched in English and in
common German, French, Russian and Ukrainian words. Cell values go into a guess only where they come
from a list in this module or are whole numbers on a rating scale.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from nps_research.reading.raw_table import RawTable
from nps_research.reading.values import MISSING_WORDS, NO, YES, parse_flag, parse_number, parse_score
from nps_research.study.draft.vocabulary import AGREEMENT, OUTCOMES, OVERALL, PERSONAL, RATING, ROLES

_SCALES = ((0, 10), (1, 10), (1, 5), (1, 7))
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})( .*)?")
_LOOKS_LIKE_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_DECIMAL = re.compile(r"-?\d+[.,]\d*[1-9]\d*")
_LOOKS_LIKE_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.\w+")


@dataclass(frozen=True, eq=False)
class ReadColumn:
    """One column of the file and what its cells look like."""

    name: str
    cells: pd.Series  # as text, words for "no answer" left out
    n_rows: int

    @cached_property
    def words(self) -> str:
        """The name in lower case, its words apart."""
        apart = re.sub(r"(?<=[a-zа-яіїє])(?=[A-ZА-ЯІЇЄ])", " ", self.name)
        return " ".join(re.sub(r"[\W_]+", " ", apart).casefold().split())

    @cached_property
    def counts(self) -> pd.Series:
        """How often each value occurs, the most frequent first."""
        return self.cells.value_counts()

    @cached_property
    def scores(self) -> dict[int, int]:
        """Whole numbers with their counts, also where a label follows, as in "10 - Extremely likely"."""
        return _whole_numbers(self.counts)

    @cached_property
    def codes(self) -> dict[int, int]:
        """Whole numbers by themselves with their counts; empty where fewer than nine cells in ten hold one."""
        codes = _whole_numbers(self.counts[pd.to_numeric(self.counts.index.to_series(), errors="coerce").notna()])
        return codes if sum(codes.values()) >= 0.9 * len(self.cells) else {}

    @property
    def filled(self) -> float:
        """Share of the rows with a value."""
        return len(self.cells) / self.n_rows if self.n_rows else 0.0

    @property
    def is_number(self) -> bool:
        """Whether every value is a number."""
        return not parse_number(pd.Series(self.counts.index, dtype="str")).unreadable.any()

    def share_like(self, pattern: re.Pattern[str]) -> float:
        """Share of the distinct values that a pattern matches in full."""
        values = [str(value) for value in self.counts.index[:1_000]]
        return sum(pattern.fullmatch(value) is not None for value in values) / max(1, len(values))

    @property
    def is_date(self) -> bool:
        """Whether nearly every value looks like a date."""
        return self.share_like(_DATE) > 0.9

    @property
    def is_iso_date(self) -> bool:
        """Whether nearly every value is a date written year-month-day."""
        return self.share_like(_LOOKS_LIKE_ISO_DATE) > 0.9

    @property
    def is_flag(self) -> bool:
        """Whether the values say yes or no."""
        return not parse_flag(pd.Series(self.counts.index, dtype="str")).unreadable.any()

    @property
    def is_personal(self) -> bool:
        """Whether the column names or reaches a person."""
        return PERSONAL.search(self.words) is not None or self.share_like(_LOOKS_LIKE_EMAIL) > 0.5

    @property
    def is_free_text(self) -> bool:
        """Whether people seem to have written what they liked."""
        if self.is_number or self.is_date or self.is_personal:
            return False
        return self.cells.str.len().mean() > 60 or len(self.counts) > max(30, 0.5 * len(self.cells))


def _whole_numbers(counts: pd.Series) -> dict[int, int]:
    read = parse_score(pd.Series(counts.index, dtype="str")).values
    numbers: Counter[int] = Counter()
    for number, times in zip(read, counts, strict=True):
        if pd.notna(number):
            numbers[int(number)] += int(times)
    return dict(sorted(numbers.items()))


def _is_score(column: ReadColumn) -> bool:
    answers = [times for score, times in column.scores.items() if 0 <= score <= 10]
    return len(answers) >= 2 and sum(answers) >= 0.8 * len(column.cells)


def _is_id(column: ReadColumn) -> bool:
    """Filled, and no person in more than one row of twenty; no dates and no amounts."""
    several = len(column.counts) > max(1, 0.05 * len(column.cells))
    return several and column.filled > 0.9 and not column.is_date and column.share_like(_DECIMAL) < 0.1


def _is_repeated(column: ReadColumn) -> bool:
    return len(column.counts) >= 2 and not column.is_date


def _is_weight(column: ReadColumn) -> bool:
    return column.is_number and bool((parse_number(pd.Series(column.counts.index, dtype="str")).values > 0).all())


_LOOKS: dict[str, Callable[[ReadColumn], bool]] = {
    "likelihood_to_recommend": _is_score,
    "respondent_id": _is_id,
    "customer_id": _is_repeated,
    "account_id": _is_repeated,
    "wave": lambda column: 1 <= len(column.counts) <= 60,
    "invited_at": lambda column: column.is_date,
    "responded_at": lambda column: column.is_date,
    "delivered": lambda column: column.is_flag,
    "responded": lambda column: column.is_flag,
    "touchpoint": lambda column: 1 <= len(column.counts) <= 60,
    "channel": lambda column: 1 <= len(column.counts) <= 30,
    "interviewer": _is_repeated,
    "callback_requested": lambda column: column.is_flag,
    "comment": lambda column: not column.is_number and not column.is_flag and len(column.counts) > 1,
    "design_weight": _is_weight,
    "cluster": _is_repeated,
    "stratum": _is_repeated,
}


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column taken for a standard one, why, and which others came into question."""

    column: ReadColumn
    why: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """Columns that seem to be ratings on one scale."""

    scale: tuple[int, int]
    columns: tuple[ReadColumn, ...]
    odd_codes: dict[int, int] = field(default_factory=dict)  # code -> cells, outside the scale
    labels: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # column -> why


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A yes/no column that seems to say what people did afterwards."""

    column: ReadColumn
    event: tuple[str, ...]
    no_event: tuple[str, ...]
    n_neither: int
    direction: str


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """All that was guessed about a file; `unused` gives each column left over with what it looks like."""

    standard: dict[str, Guess]
    drivers: Drivers | None
    segments: tuple[ReadColumn, ...]
    outcomes: tuple[Outcome, ...]
    unused: dict[str, str]


def guess_columns(table: RawTable) -> Guesses:
    """Guess what the columns of a table mean.

    Parameters
    ----------
    table : RawTable
        As `read_table` gives it, all columns.

    Returns
    -------
    Guesses
    """
    columns = [_profile(str(name), table.frame[name]) for name in table.frame]
    standard = _guess_standard(columns)
    taken = {guess.column.name for guess in standard.values()}
    outcomes = tuple(filter(None, (_guess_outcome(column) for column in columns if column.name not in taken)))
    taken |= {outcome.column.name for outcome in outcomes}
    drivers = _guess_drivers([column for column in columns if column.name not in taken])
    if drivers:
        taken |= {column.name for column in drivers.columns} | set(drivers.left_out)
    numbered = Counter(_without_digits(column.name) for column in columns)
    segments = tuple(
        column
        for column in columns
        if column.name not in taken and _is_segment(column) and numbered[_without_digits(column.name)] < 3
    )
    taken |= {column.name for column in segments}
    return Guesses(
        standard=standard,
        drivers=drivers,
        segments=segments,
        outcomes=outcomes,
        unused={column.name: _remark(column) for column in columns if column.name not in taken},
    )


def _profile(name: str, cells: pd.Series) -> ReadColumn:
    text = cells.dropna().astype("str")
    return ReadColumn(name, text[~text.str.lower().isin(MISSING_WORDS)], len(cells))


def _guess_standard(columns: list[ReadColumn]) -> dict[str, Guess]:
    """The best column for each standard name: by the strongest pattern, then by its place in the file."""
    guesses: dict[str, Guess] = {}
    taken: set[str] = set()
    for role, patterns in ROLES.items():
        free = [column for column in columns if column.name not in taken]
        fitting = [
            column
            for pattern in patterns
            for column in free
            if re.search(pattern, column.words) and (column.cells.empty or _LOOKS[role](column))
        ]
        candidates = list(dict.fromkeys(fitting))
        if candidates:
            best, *rest = candidates
            why = "by its name" if best.cells.empty else "by its name and values"
            guesses[role] = Guess(column=best, why=why, others=tuple(column.name for column in rest))
            taken.add(best.name)
    if "likelihood_to_recommend" not in guesses:
        full_range = [column for column in columns if column.name not in taken and set(column.codes) == set(range(11))]
        if len(full_range) == 1:
            why = "by its values alone: every whole number from 0 to 10, and no other"
            guesses["likelihood_to_recommend"] = Guess(column=full_range[0], why=why)
    return guesses


def _guess_outcome(column: ReadColumn) -> Outcome | None:
    direction = next((good for good, pattern in OUTCOMES.items() if re.search(pattern, column.words)), None)
    values = [str(value) for value in column.counts.index]
    event = tuple(value for value in values if value.lower() in YES)
    no_event = tuple(value for value in values if value.lower() in NO)
    neither = len(column.cells) - int(column.counts[[*event, *no_event]].sum())
    if direction is None or not event or not no_event or neither > 0.5 * len(column.cells):
        return None
    return Outcome(column=column, event=event, no_event=no_event, n_neither=neither, direction=direction)


# Drivers


def _guessed_scale(column: ReadColumn) -> tuple[int, int] | None:
    """The usual scale whose points all occur, with the fewest codes outside it, and those few."""
    fits = [
        (len(set(column.codes) - points), position)
        for position, (low, high) in enumerate(_SCALES)
        if (points := set(range(low, high + 1))) <= set(column.codes)
    ]
    if not fits or min(fits)[0] > 3:
        return None
    return _SCALES[min(fits)[1]]


def _family(column: ReadColumn) -> str:
    """What columns of one battery of questions share: a word for rating, or the start of their names."""
    if RATING.search(column.words):
        return "rating"
    start = re.match(r"[^\W\d_]*\d+|[^\W\d_]+", column.words)
    return start.group() if start else ""


def _guess_drivers(columns: list[ReadColumn]) -> Drivers | None:
    """The scale on which most columns of some battery lie; a battery has 3 columns, or 2 that say they rate."""
    columns = [column for column in columns if column.filled >= 0.3]
    in_words = [c for c in columns if len(c.counts) > 2 and set(c.counts.index.str.lower()) <= set(AGREEMENT)]
    scales = {column.name: _guessed_scale(column) for column in columns}
    families = Counter((_family(column), scales[column.name]) for column in columns if scales[column.name])
    batteries = {key for key, size in families.items() if size >= (2 if key[0] == "rating" else 3)}
    rated = [column for column in columns if (_family(column), scales[column.name]) in batteries]
    if not rated and len(in_words) < 3:
        return None
    if len(in_words) > len(rated):
        labels = {str(v): AGREEMENT[str(v).lower()] for column in in_words for v in column.counts.index}
        ordered = dict(sorted(labels.items(), key=lambda item: item[1]))
        return Drivers(scale=(1, 5), columns=tuple(in_words), labels=ordered)
    scale = Counter(scales[column.name] for column in rated).most_common(1)[0][0] or (0, 10)
    left_out = {}
    for column in columns:
        if scales[column.name] == scale and column not in rated:
            left_out[column.name] = "on the same scale, but not one of several alike"
        elif column in rated and scales[column.name] != scale:
            left_out[column.name] = "on another scale"
        elif column in rated and OVERALL.search(column.words):
            left_out[column.name] = "an overall rating, not a single experience"
    kept = tuple(column for column in rated if column.name not in left_out)
    if not kept:
        return None
    odd: Counter[int] = Counter()
    for column in kept:
        odd.update({code: n for code, n in column.codes.items() if not scale[0] <= code <= scale[1]})
    return Drivers(scale=scale, columns=kept, odd_codes=dict(sorted(odd.items())), left_out=left_out)


# What is left


def _without_digits(name: str) -> str:
    """What numbered columns, as of one question asked in many waves, have in common."""
    return re.sub(r"\d+", "#", name)


def _is_segment(column: ReadColumn) -> bool:
    """Text with a few values, each shared by several rows."""
    return (
        2 <= len(column.counts) <= 30
        and 3 * len(column.counts) <= len(column.cells)
        and column.filled >= 0.5
        and not (column.is_number or column.is_date or column.is_personal or column.is_free_text)
    )


def _remark(column: ReadColumn) -> str:
    if column.cells.empty:
        return "no values"
    if column.is_personal:
        return "names or addresses of persons"
    if len(column.counts) == 1:
        return "one value only"
    if column.is_date:
        return "dates"
    if column.codes and len(column.codes) <= 30:
        return "whole numbers, perhaps codes of a segment or of several answers"
    if column.is_number:
        return "numbers or ids"
    return "free text" if column.is_free_text else "words with many values, or in few rows"
