"""Which column is the answer to "how likely are you to recommend us?", and how it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from nps_research.study.draft.columns import ReadColumn, matches
from nps_research.study.draft.vocabulary import (
    COMPANION,
    GROUP_WORDS,
    LEAST_LIKELY,
    MOST_LIKELY,
    NO_ANSWER,
    PLAIN_SCORE,
    ROLES,
)

_SCALE = range(11)
_FEWEST_POINTS = 4  # different values of what may be an answer on a shorter scale
_NEAR = re.compile(r"satisf|recommend|rating|score|zufrieden|empfehl|satisfa|soddisf|tevreden|оцен|оцін|рекоменд")
_LABEL_AROUND = re.compile(r"(?:^|[(\[\s:\-–—])(10|\d)(?:[)\]\s.:\-–—]|\s*/\s*10$|$)")
_OUT_OF_ANOTHER = re.compile(r"\d\s*(?:/|\b(?:out of|of|von|sur|de|di|su|van|av|af|din|из|з|із)\b)\s*(?!10\b)\d", re.I)


@dataclass(frozen=True, kw_only=True)
class ScoreGuess:
    """The column taken for the score, or why none is.

    Attributes
    ----------
    column : ReadColumn or None
        None where nothing is a score, or where several could be it.
    why : str
        By what it was found.
    others : tuple of str
        Columns that came into question, too.
    shift : int
        What is added to each code: -1 where codes run from 1 to 11.
    recode : dict of str to int
        Values as written -> the answer they stand for, where that is not plain.
    no_answer : tuple of str
        Values that stand for no answer.
    odd : dict of str to int
        Other values that are no answer from 0 to 10, and how often they occur.
    companions : tuple of str
        Columns that repeat the answer as detractor, passive, promoter.
    proven : bool
        Whether a companion says the same as the answers, row by row.
    nearest : str
        Where nothing is a score: what is nearest, and why it is not.
    """

    column: ReadColumn | None = None
    why: str = ""
    others: tuple[str, ...] = ()
    shift: int = 0
    recode: dict[str, int] = field(default_factory=dict)
    no_answer: tuple[str, ...] = ()
    odd: dict[str, int] = field(default_factory=dict)
    companions: tuple[str, ...] = ()
    proven: bool = False
    nearest: str = ""

    @property
    def answers(self) -> pd.Series:
        """The answers from 0 to 10 that the column gives, by row; missing rows left out."""
        if self.column is None:
            return pd.Series(dtype="int64")
        return _answers(self.column, self.shift, self.recode, self.no_answer)


BY_VALUES = "by its values alone: every whole number from 0 to 10"


@dataclass(frozen=True, kw_only=True)
class _Reading:
    shift: int
    recode: dict[str, int]
    no_answer: tuple[str, ...]
    odd: dict[str, int]
    fits: bool
    answers: pd.Series


def find_score(columns: Sequence[ReadColumn]) -> ScoreGuess:
    """Find the column of answers from 0 to 10, by names, questions, values and companions.

    A column with three values or fewer, none above 3, is a group and never the score. Where two columns are named
    alike well, neither is taken: which one counts is for the analyst to say.

    Parameters
    ----------
    columns : sequence of ReadColumn

    Returns
    -------
    ScoreGuess
    """
    strong, weak = ROLES["likelihood_to_recommend"]
    readings = {column.name: _reading(column) for column in columns}
    fitting = [column for column in columns if readings[column.name].fits or column.cells.empty]
    tiers = (
        ([column for column in fitting if matches(strong, column)], "by its name and values"),
        ([column for column in fitting if matches(weak, column)], "by its name and values"),
        ([column for column in fitting if _is_repeated_by(column, columns, readings)], "by a column that groups it"),
        ([c for c in fitting if PLAIN_SCORE.search(c.words) and len(c.scores) > 5], "by its name and values"),
        ([c for c in fitting if set(c.codes) == set(_SCALE)], BY_VALUES),
    )
    for candidates, why in tiers:
        proven = [column for column in candidates if _is_repeated_by(column, columns, readings)]
        exact = [column for column in candidates if re.search(r"^(nps|ltr)( score)?$", column.words)]
        chosen = candidates if len(candidates) == 1 else proven if len(proven) == 1 else exact
        if len(chosen) == 1:
            named = [column for column in fitting if matches(strong, column) or matches(weak, column)]
            others = tuple(c.name for c in dict.fromkeys([*candidates, *named]) if c is not chosen[0])
            return _guess(chosen[0], "by its name" if chosen[0].cells.empty else why, others, columns, readings)
        if candidates:
            return ScoreGuess(others=tuple(column.name for column in candidates), companions=_group_columns(columns))
    return ScoreGuess(companions=_group_columns(columns), nearest=_nearest_score(columns, strong, weak))


def _guess(
    column: ReadColumn, why: str, others: tuple[str, ...], columns: Sequence[ReadColumn], readings: dict[str, _Reading]
) -> ScoreGuess:
    reading = readings[column.name]
    companions = companions_of(reading.answers, columns, but=column)
    return ScoreGuess(
        column=column,
        why=why,
        others=tuple(name for name in others if name not in companions),
        shift=reading.shift,
        recode=reading.recode,
        no_answer=reading.no_answer,
        odd=reading.odd,
        companions=tuple(dict.fromkeys([*companions, *_group_columns(columns)])),
        proven=bool(companions),
    )


def _reading(column: ReadColumn) -> _Reading:
    """How a column's values would be read as answers, and whether most then are some."""
    recode = _labels_around(column)
    no_answer = tuple(column.no_answers)
    if column.value_labels:
        of_labels, none_of_labels = _by_value_labels(column)
        recode |= of_labels
        no_answer += none_of_labels
    shift = -1 if not recode and _runs_from_1_to_11(column) else 0
    answers = _answers(column, shift, recode, no_answer)
    left = len(column.cells) - int(column.cells.isin(no_answer).sum())
    numbers = {int(value) for value in answers.unique()}
    is_group = len(numbers) <= 3 and max(numbers, default=0) <= 3 and len(column.cells) >= 10
    fits = len(numbers) >= 2 and not is_group and len(answers) >= 0.8 * max(left, 1) and not column.is_date
    known = set(map(str, column.cells.loc[answers.index].unique())) | set(no_answer)
    odd = {str(value): int(n) for value, n in column.counts.items() if str(value) not in known} if fits else {}
    return _Reading(shift=shift, recode=recode, no_answer=no_answer, odd=odd, fits=fits, answers=answers)


def _answers(column: ReadColumn, shift: int, recode: dict[str, int], no_answer: Sequence[str]) -> pd.Series:
    distinct = pd.Series(column.counts.index, dtype="str")
    values = column.distinct.reset_index(drop=True).astype("Float64") + shift
    if recode:
        values = distinct.map({str(k): v for k, v in recode.items()}).astype("Float64").fillna(values)
    values = values.mask(
        distinct.isin(no_answer) | (values < 0).fillna(value=False) | (values > 10).fillna(value=False)
    )
    table = dict(zip(distinct, values, strict=True))
    return column.cells.map(table).dropna().astype("int64")


def _runs_from_1_to_11(column: ReadColumn) -> bool:
    """Whether codes run from 1 to 11: no 0, and as many 11 as there might be of an answer."""
    codes = column.codes
    if 0 in codes or 11 not in codes or len([code for code in codes if 1 <= code <= 11]) < 6:
        return False
    usual = float(np.median([n for code, n in codes.items() if 1 <= code <= 10]))
    return codes[11] >= 0.3 * usual


def _labels_around(column: ReadColumn) -> dict[str, int]:
    """Values whose number stands in a label or out of ten, or in other digits; or one of two end points in words."""
    values = [str(value) for value in column.counts.index]
    if len(values) > 60:
        return {}
    plain = column.distinct.notna().to_numpy()
    words = [value for value, is_plain in zip(values, plain, strict=True) if not is_plain]
    if any(map(_OUT_OF_ANOTHER.search, words)):
        return {}
    behind = {value: int(found[1]) for value in words if (found := _LABEL_AROUND.search(_with_plain_digits(value)))}
    if behind:
        return behind
    ends = {value: 0 for value in words if LEAST_LIKELY.search(value.casefold())}
    ends |= {value: 10 for value in words if MOST_LIKELY.search(value.casefold())}
    return ends if set(column.scores) >= set(range(2, 9)) and len(ends) <= 2 else {}


def _with_plain_digits(value: str) -> str:
    """Digits of any script as 0 to 9."""
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in value)


def _by_value_labels(column: ReadColumn) -> tuple[dict[str, int], tuple[str, ...]]:
    """Codes whose labels say another number, such as 1 "0 - Not at all likely"; and codes for no answer."""
    said = {code: _LABEL_AROUND.search(label) for code, label in column.value_labels.items()}
    recode = {code: int(found[1]) for code, found in said.items() if found and code != found[1]}
    none = tuple(code for code, label in column.value_labels.items() if NO_ANSWER.search(label.strip()))
    return recode, none


def companions_of(answers: pd.Series, columns: Sequence[ReadColumn], *, but: ReadColumn) -> tuple[str, ...]:
    """Columns of two or three values that cut the answers at 6 and 8, row by row."""
    cut = pd.cut(answers, [-1, 6, 8, 10], labels=False)
    found = []
    for column in columns:
        if column is but or not 2 <= len(column.counts) <= 3 or len(column.cells) < 10:
            continue
        both = pd.DataFrame({"cut": cut, "group": column.cells}).dropna()
        cells = both.drop_duplicates()
        one_to_one = len(cells) == both["cut"].nunique() == both["group"].nunique() >= 2
        if one_to_one and len(both) >= 0.9 * len(column.cells):
            found.append(column.name)
    return tuple(found)


def _group_columns(columns: Sequence[ReadColumn]) -> tuple[str, ...]:
    """Columns that say in words who is a detractor, a passive, a promoter; or are named as such a group."""
    return tuple(
        column.name
        for column in columns
        if 1 <= len(column.counts) <= 3
        and (
            (set(column.folded) <= set(GROUP_WORDS) and len(set(column.folded)) > 1)
            or (re.search(r"\bnps\b", column.words) and matches(COMPANION, column))
        )
    )


def _is_repeated_by(column: ReadColumn, columns: Sequence[ReadColumn], readings: dict[str, _Reading]) -> bool:
    return bool(companions_of(readings[column.name].answers, columns, but=column))


def _nearest_score(columns: Sequence[ReadColumn], strong: str, weak: str) -> str:
    """What comes nearest to a score, and why it is none."""
    named = next((column for pattern in (strong, weak) for column in columns if matches(pattern, column)), None)
    if named is not None:
        if len(named.counts) <= 3:
            return f"{named.name!r} is named so, but has {len(named.counts)} values where answers run from 0 to 10"
        read = sum(n for code, n in named.scores.items() if 0 <= code <= 10)
        return f"{named.name!r} is named so, but {read:,} of its {len(named.cells):,} cells hold an answer from 0 to 10"
    wide = [column for column in columns if len(column.codes) > 5 and set(column.codes) <= set(_SCALE)]
    if wide:
        listed = ", ".join(repr(column.name) for column in wide[:3])
        return (
            f"{listed} hold whole numbers from 0 to 10, but no name or question says that they are about recommending"
        )
    short = [c for c in columns if len(c.codes) >= _FEWEST_POINTS and min(c.codes) >= 0 and max(c.codes) <= max(_SCALE)]
    if short:
        nearest = max(short, key=lambda column: (bool(matches(_NEAR, column)), len(column.codes)))
        low, high = min(nearest.codes), max(nearest.codes)
        return (
            f"{nearest.name!r} comes nearest, with whole numbers from {low} to {high}: the score needs answers "
            "from 0 to 10, and another scale gives no Net Promoter Score"
        )
    return "No column holds whole numbers from 0 to 10"
