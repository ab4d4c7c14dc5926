"""What the columns of an export probably mean, by their names, questions, values and companions.

Guesses are for an analyst to check, so each carries its reason. Cell values go into a guess only where they come from
a list in the vocabulary or are whole numbers on a rating scale.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from nps_research.reading.raw_table import RawTable
from nps_research.reading.values import NO, parse_number
from nps_research.study.draft.columns import ReadColumn, matches, profiles
from nps_research.study.draft.dates import DatesGuess, find_dates
from nps_research.study.draft.outcomes import Outcome, guess_outcome
from nps_research.study.draft.people import PeopleGuess, find_people
from nps_research.study.draft.ratings import RatingsGuess, find_ratings
from nps_research.study.draft.score import ScoreGuess, find_score
from nps_research.study.draft.vocabulary import FINISHED, NOT_REACHED, NOT_REAL, ROLES
from nps_research.study.standard_columns import is_private_name


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column taken for a standard one, why, and which others came into question."""

    column: ReadColumn
    why: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StatusColumn:
    """A column of the survey tool: which values are no real answers, not delivered, not finished.

    Attributes
    ----------
    column : ReadColumn
    kind : str
        ``"not real"`` (previews, tests, spam), ``"not delivered"`` or ``"not finished"``.
    values : dict of str to int
        The values meant, and their rows.
    """

    column: ReadColumn
    kind: str
    values: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class WideScores:
    """Scores of several waves, side by side in one row of a person."""

    stem: str
    waves: dict[str, str]  # as shown -> as spelt in the columns' names
    columns: tuple[ReadColumn, ...]


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """All that was guessed about a file; `unused` gives each column left over with what it looks like."""

    score: ScoreGuess
    people: PeopleGuess
    dates: DatesGuess
    standard: dict[str, Guess]
    drivers: RatingsGuess | None
    segments: tuple[ReadColumn, ...]
    outcomes: tuple[Outcome, ...]
    statuses: tuple[StatusColumn, ...]
    unused: dict[str, str]
    wide: WideScores | None = None
    n_rows: int = 0
    asked: dict[str, str] = field(default_factory=dict)  # column -> question

    @property
    def knows_silence(self) -> bool:
        """Whether rows without an answer seem to be invitations that nobody answered."""
        invited = "invited_at" in self.standard
        told = any(name in self.standard for name in ("responded_at", "responded", "delivered"))
        return (invited and told) or "responded" in self.standard


_LOOKS: dict[str, Callable[[ReadColumn], bool]] = {
    "wave": lambda column: 1 <= len(column.counts) <= 60 and not column.is_date,
    "responded": lambda column: column.is_flag,
    "touchpoint": lambda column: 1 <= len(column.counts) <= 60,
    "channel": lambda column: 1 <= len(column.counts) <= 30,
    "employee": lambda column: len(column.counts) >= 2 and not (column.is_date or column.points),
    "interviewer": lambda column: len(column.counts) >= 2 and not column.is_date,
    "callback_requested": lambda column: column.is_flag,
    "comment": lambda column: not column.is_number and not column.is_flag and len(column.counts) > 1,
    "stratum": lambda column: len(column.counts) >= 2 and not column.is_date,
}


def guess_columns(table: RawTable, *, joined: str | None = None) -> Guesses:
    """Guess what the columns of a table mean.

    Parameters
    ----------
    table : RawTable
        As `read_table` gives it, all columns.
    joined : str, optional
        Name of the column whose ids stand in a table of customers or accounts, too.

    Returns
    -------
    Guesses
    """
    columns = profiles(table)
    wide = _wide_scores(columns)
    taken = {column.name for column in wide.columns} if wide else set()
    score = ScoreGuess() if wide else find_score(columns)
    standard: dict[str, Guess] = {}
    if score.column is not None:
        standard["likelihood_to_recommend"] = Guess(column=score.column, why=score.why, others=score.others)
        taken.add(score.column.name)
    taken |= {*score.companions, *(() if score.column is not None else score.others)}
    statuses = _statuses([column for column in columns if column.name not in taken])
    taken |= {status.column.name for status in statuses}

    def free() -> list[ReadColumn]:
        return [column for column in columns if column.name not in taken]

    def take(name: str, column: ReadColumn | None, why: str = "by its name and values") -> None:
        if column is not None:
            others = tuple(other.name for other in free() if other is not column and _might_be(name, other))
            standard[name] = Guess(column=column, why="by its name" if column.cells.empty else why, others=others)
            taken.add(column.name)

    take("wave", _best_by_name("wave", free()))
    dates = find_dates(free(), has_wave="wave" in standard or wide is not None)
    for name, column in dates.columns.items():
        take(name, column)
    if dates.clock is not None:
        taken.add(dates.clock.name)
    people = find_people(
        free(), has_waves="wave" in standard or wide is not None, counted=_counted(table, statuses), joined=joined
    )
    for name, column in people.columns.items():
        take(name, column)
    take("design_weight", next((column for column in free() if _is_weight(column)), None))
    for name in _LOOKS:
        if name != "wave":
            take(name, _best_by_name(name, free()))
    delivered = next((status for status in statuses if status.kind == "not delivered"), None)
    if delivered is None:
        take("delivered", next((c for c in free() if matches(ROLES["delivered"][0], c) and c.is_flag), None))
    outcomes = tuple(filter(None, map(guess_outcome, free())))
    taken |= {outcome.column.name for outcome in outcomes}
    drivers = find_ratings(free(), score.column)
    if drivers:
        taken |= {column.name for column in drivers.columns} | set(drivers.left_out)
    numbered = Counter(_without_digits(column.name) for column in columns)
    segments = tuple(column for column in free() if _is_segment(column) and numbered[_without_digits(column.name)] < 3)
    taken |= {column.name for column in segments}
    unused = {column.name: _remark(column) for column in free()}
    unused |= dict.fromkeys(
        score.companions, "says of each answer again whether it is a promoter, passive or detractor"
    )
    return Guesses(
        score=score,
        people=people,
        dates=dates,
        standard=standard,
        drivers=drivers,
        segments=segments,
        outcomes=outcomes,
        statuses=statuses,
        unused=unused,
        wide=wide,
        n_rows=len(table.frame),
        asked={column.name: column.question for column in columns if column.question},
    )


def _counted(table: RawTable, statuses: Sequence[StatusColumn]) -> pd.Index:
    """Rows of real answers: previews, tests, spam and records of nothing left out."""
    out = table.frame.isna().all(axis=1)
    for status in statuses:
        if status.kind == "not real":
            out |= status.column.cells.isin(list(status.values)).reindex(out.index, fill_value=False)
    return out.index[~out]


def _best_by_name(name: str, columns: Sequence[ReadColumn]) -> ReadColumn | None:
    """The best column for a standard name: by the strongest pattern, then by its place in the file."""
    fitting = (c for p in ROLES[name] for c in columns if matches(p, c) and (c.cells.empty or _LOOKS[name](c)))
    return next(fitting, None)


def _might_be(name: str, column: ReadColumn) -> bool:
    looks = _LOOKS.get(name)
    return (
        looks is not None and any(matches(p, column) for p in ROLES[name]) and not column.cells.empty and looks(column)
    )


def _is_weight(column: ReadColumn) -> bool:
    """Named as a weight, of numbers not below 0, some above it."""
    if not any(re.search(pattern, column.words) for pattern in ROLES["design_weight"]):
        return False
    if column.cells.empty:
        return True
    values = parse_number(pd.Series(column.counts.index, dtype="str")).values
    return column.is_number and bool((values >= 0).all() and (values > 0).any())


def _statuses(columns: Sequence[ReadColumn]) -> tuple[StatusColumn, ...]:
    """Columns of the survey tool; of several that say what is not finished, the one that says it plainest."""
    found = [status for status in map(_status, columns) if status is not None]
    unfinished = sorted((s for s in found if s.kind == "not finished"), key=lambda s: not s.column.is_flag)
    return tuple(replace(status, values={}) if status in unfinished[1:] else status for status in found)


def _status(column: ReadColumn) -> StatusColumn | None:
    """What a survey tool says of each record, where the column tells real answers from others."""
    if not 1 <= len(column.counts) <= 12 or (column.is_number and not FINISHED.search(column.words)):
        return None
    values = {str(value): int(n) for value, n in column.counts.items()}
    not_reached = {value: n for value, n in values.items() if NOT_REACHED.search(value)}
    not_real = {value: n for value, n in values.items() if NOT_REAL.search(value)}
    if not_reached and re.search(r"status|deliver|outcome|disposition", column.words):
        return StatusColumn(column=column, kind="not delivered", values=not_reached)
    if not_real and re.search(r"status|response ?type|mode|channel|distribution", column.words):
        return StatusColumn(column=column, kind="not real", values=not_real)
    if FINISHED.search(column.words):
        if column.is_flag:
            unfinished = {value: n for value, n in values.items() if value.strip().casefold() in NO}
        else:
            unfinished = {
                v: n for v, n in values.items() if v != "100" and (v.isdigit() or re.search("partial|incompl", v, re.I))
            }
        return StatusColumn(column=column, kind="not finished", values=unfinished)
    partial = {
        v: n for v, n in values.items() if re.search(r"^(partial|incomplete|disqualified|screened)", v, re.IGNORECASE)
    }
    if partial and re.search(r"status|state|completion", column.words):
        return StatusColumn(column=column, kind="not finished", values=partial)
    return None


def _wide_scores(columns: Sequence[ReadColumn]) -> WideScores | None:
    """Columns such as NPS_2023 and NPS_2024: one score for each of several waves in a row."""
    families: dict[str, list[tuple[str, ReadColumn]]] = defaultdict(list)
    for column in columns:
        named = re.fullmatch(
            r"(.*?)((?:19|20)\d{2}(?:[ _-]?(?:Q[1-4]|H[12]|\d{2}))?|(?:w|wave|t)[ _-]?\d{1,2})(.*)", column.name, re.I
        )
        if named and any(matches(pattern, column) for pattern in ROLES["likelihood_to_recommend"]):
            inside = sum(n for code, n in column.scores.items() if 0 <= code <= 10)
            if len(column.scores) > 3 and inside >= 0.9 * len(column.cells):
                families[f"{named[1]}{{wave}}{named[3]}"].append((named[2], column))
    large = {stem: found for stem, found in families.items() if len(found) >= 2}
    if len(large) != 1:
        return None
    stem, found = next(iter(large.items()))
    return WideScores(
        stem=stem, waves={spelt: spelt for spelt, _ in found}, columns=tuple(column for _, column in found)
    )


def _without_digits(name: str) -> str:
    """What numbered columns, as of one question asked in many waves, have in common."""
    return re.sub(r"\d+", "#", name)


def _is_segment(column: ReadColumn) -> bool:
    """Text with a few values, each shared by several rows."""
    return (
        2 <= len(column.counts) <= 30
        and 3 * len(column.counts) <= len(column.cells)
        and column.filled >= 0.5
        and not (column.is_number or column.is_date or column.is_personal or column.is_free_text or column.is_clock)
        and not is_private_name(column.name)
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
