"""Which columns rate single experiences, and on which scale."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
import pandas as pd

from nps_research.study.draft.columns import ReadColumn
from nps_research.study.draft.vocabulary import OVERALL, RATING, REVERSED, SATISFACTION

_USUAL = ((1, 4), (1, 5), (1, 6), (1, 7), (1, 10), (0, 10))
_MOST_ODD = 3  # different codes outside the scale: more, and it is no scale
_FILLED = 0.3  # of the answers, at least
_FEWEST = 3  # columns that make a battery without a word for rating in their names
_ROWS_TO_CORRELATE = 30


@dataclass(frozen=True, kw_only=True)
class RatingsGuess:
    """Columns that seem to be ratings on one scale.

    Attributes
    ----------
    scale : tuple of int
        Lowest and highest rating that the battery as a whole shows.
    columns : tuple of ReadColumn
    odd_codes : dict of int to int
        Codes outside the scale and their cells.
    labels : dict of str to int
        Words as written -> rating.
    left_out : dict of str to str
        Columns that look like ratings and are none of these, and why.
    reversed : tuple of str
        Columns of which a high number may be bad: to be asked about.
    names : dict of str to str
        Column -> what a reader would call it: the question without what the battery shares.
    """

    scale: tuple[int, int]
    columns: tuple[ReadColumn, ...]
    odd_codes: dict[int, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    reversed: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)


def find_ratings(columns: Sequence[ReadColumn], score: ReadColumn | None = None) -> RatingsGuess | None:
    """Find the largest battery of ratings: columns named or asked alike, of whole numbers of one small range, or words.

    Where names have nothing in common, columns on one scale that move with the score, or with those that do, are one.
    The scale is that of the battery, so that a rating nobody gave a 1 is on it, too. Overall satisfaction is set
    apart: it is an outcome of the others, not one of them.
    """
    answers = (
        len(score.cells) if score is not None and len(score.cells) else max((c.n_rows for c in columns), default=0)
    )
    filled = [
        column
        for column in columns
        if len(column.cells) >= _FILLED * answers and not column.is_date and not column.is_personal
    ]
    in_words, labels, high = _word_batteries(filled)
    batteries: dict[str, list[ReadColumn]] = defaultdict(list)
    for column in filled:
        if column not in in_words and _is_rating(column):
            batteries[_family(column)].append(column)
    large = {
        family: battery
        for family, battery in batteries.items()
        if family and len([c for c in battery if not _is_overall(c)]) >= (2 if family == "rating" else _FEWEST)
    }
    named = {column.name for battery in large.values() for column in battery}
    if score is not None and not named:
        large["moving together"] = _moving_together([c for battery in batteries.values() for c in battery], score)
    by_scale: dict[tuple[int, int], list[ReadColumn]] = defaultdict(list)
    for battery in large.values():
        for scale, of_scale in _scales(battery).items():
            by_scale[scale] += of_scale
    best = max(by_scale, key=lambda scale: len(by_scale[scale])) if by_scale else None
    if len(in_words) > (len(by_scale[best]) if best else 0):
        singles = tuple(column for column in in_words if not _is_overall(column))
        if len(singles) < 2:
            return None
        overall = {
            column.name: "an overall rating, not a single experience" for column in in_words if _is_overall(column)
        }
        return RatingsGuess(
            scale=(1, high), columns=singles, labels=labels, left_out=overall, names=names_in_battery(singles)
        )
    if best is None:
        return None
    rated = [
        column
        for column in filled
        if column in by_scale[best]
        or (
            column not in in_words
            and _is_rating(column)
            and _family(column) == "rating"
            and _scale_on_which(column) == best
        )
    ]
    left_out = {}
    for column in filled:
        if column in in_words or not _is_rating(column):
            continue
        if column in rated and _is_overall(column):
            left_out[column.name] = "an overall rating, not a single experience"
        elif column not in rated and any(column in of_scale for of_scale in by_scale.values()):
            left_out[column.name] = "on another scale"
        elif column not in rated and _scale_on_which(column) == best:
            left_out[column.name] = "on the same scale, but not one of several alike"
    kept = tuple(column for column in rated if column.name not in left_out)
    if not kept:
        return None
    odd: Counter[int] = Counter()
    for column in kept:
        odd.update({code: n for code, n in column.points.items() if not best[0] <= code <= best[1]})
    return RatingsGuess(
        scale=best,
        columns=kept,
        labels={label: number for column in kept for label, number in column.labelled.items()},
        odd_codes=dict(sorted(odd.items())),
        left_out=left_out,
        reversed=tuple(column.name for column in kept if REVERSED.search(f"{column.words} {column.asked}")),
        names=names_in_battery(kept),
    )


def names_in_battery(columns: Sequence[ReadColumn]) -> dict[str, str]:
    """What each column asks, without the words that all share: "Price" of "How satisfied are you with: Price".

    Where no question stands beside the names, a name may be one, with its choice behind a colon; else empty.
    """
    questions = [column.question for column in columns]
    if not all(questions) or len(set(questions)) < len(questions):
        questions = [column.name for column in columns]
        if not all(": " in name for name in questions):
            return {}
    shared = re.match(r".*[-:–?|]\s+", _common_start(questions), re.DOTALL)
    start = shared.end() if shared else 0
    return {column.name: asked[start:].strip() or asked for column, asked in zip(columns, questions, strict=True)}


def _common_start(texts: Sequence[str]) -> str:
    """The characters with which all texts begin."""
    alike = takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in alike)


def _is_overall(column: ReadColumn) -> bool:
    return OVERALL.search(column.words) is not None or OVERALL.search(column.asked) is not None


def _family(column: ReadColumn) -> str:
    """What columns of one battery share: a word for rating, or the start of their names."""
    if stated := re.search(r"\b[01] (?:to )?(?:4|5|6|7|10)$", column.words):
        return stated.group()
    if RATING.search(column.words) or RATING.search(column.asked):
        return "rating"
    start = re.match(r"[^\W\d_]*\d+|[^\W\d_]+", column.words)
    return start.group() if start else ""


def _moving_together(columns: Sequence[ReadColumn], score: ReadColumn) -> list[ReadColumn]:
    """Of columns on the scale that most are on, those that move with the score, or with one that does."""
    scales = Counter(scale for scale in map(_scale_on_which, columns) if scale)
    if not scales:
        return []
    most = max(scales, key=lambda scale: (scales[scale], scale[1]))
    waiting = [column for column in columns if _scale_on_which(column) == most]
    found: list[ReadColumn] = []
    news: list[ReadColumn] = [score]
    while news:
        news = [column for column in waiting if any(_move_together(column, other) for other in news)]
        found += news
        waiting = [column for column in waiting if column not in news]
    kept = [column for column in columns if column in found]
    return kept if len(kept) >= _FEWEST else []


def _move_together(one: ReadColumn, other: ReadColumn) -> bool:
    """Whether two columns of numbers are correlated, in ranks, beyond doubt."""
    pair = pd.concat([one.numbers, other.numbers], axis=1, join="inner").rank()
    if len(pair) < _ROWS_TO_CORRELATE:
        return False
    r = float(np.corrcoef(pair.to_numpy(), rowvar=False)[0, 1])
    return bool(abs(r) > max(0.1, 4 / len(pair) ** 0.5))


def _is_rating(column: ReadColumn) -> bool:
    """Whole numbers, three different ones or more within 0 to 10, few others."""
    inside = [code for code in column.points if 0 <= code <= 10]
    return len(inside) >= 3 and len(column.points) - len(inside) <= _MOST_ODD


def _scale_on_which(column: ReadColumn) -> tuple[int, int] | None:
    """The usual scale that a column's codes lie on, a point of it perhaps unused, a few other codes aside.

    A number next above the scale is a rating, unless 0 occurs, too: then both are codes.
    """
    codes = set(column.points)
    fits = []
    for low, high in _USUAL:
        points = set(range(low, high + 1))
        unused, outside = points - codes, codes - points
        is_longer = high + 1 in codes and 0 not in codes
        is_coded = high == 6 and 0 in codes
        if len(unused) <= (high - low) // 4 and len(outside) <= _MOST_ODD and not is_longer and not is_coded:
            fits.append((len(unused), len(outside), high, low))
    return (min(fits)[-1], min(fits)[-2]) if fits else None


def _scales(battery: Sequence[ReadColumn]) -> dict[tuple[int, int], list[ReadColumn]]:
    """Columns of a battery by scale; one whose scale no other shows is on that of most, where its codes lie on it."""
    alone = {column.name: _scale_on_which(column) for column in battery}
    own = Counter(scale for scale in alone.values() if scale)
    found: dict[tuple[int, int], list[ReadColumn]] = defaultdict(list)
    if not own:
        return found
    most = max(own, key=lambda scale: (own[scale], scale[1]))
    points = set(range(most[0], most[1] + 1))
    for column in battery:
        scale = alone[column.name]
        if (scale is None or own[scale] < 2) and len(set(column.points) - points) <= _MOST_ODD:
            scale = most if scale is None or set(column.points) <= points else scale
        if scale is not None:
            found[scale].append(column)
    return found


def _word_batteries(columns: Sequence[ReadColumn]) -> tuple[list[ReadColumn], dict[str, int], int]:
    """The columns whose answers are words of one vocabulary, each word's rating, and the vocabulary's highest.

    Where several vocabularies have the words, it is the one of which no level is unused, and then that which gives
    fewest words the same level.
    """
    best: tuple[list[ReadColumn], dict[str, int], int] = ([], {}, 0)
    rank = (1, 0, 0)
    for vocabulary in SATISFACTION:
        fitting = [
            column
            for column in columns
            if len(column.folded) > 2
            and sum(n for word, n in column.folded.items() if _plain_word(word) in vocabulary)
            >= 0.9 * len(column.cells)
        ]
        labels = {
            str(value): vocabulary[_plain_word(str(value))]
            for column in fitting
            for value in column.counts.index
            if _plain_word(str(value)) in vocabulary
        }
        levels, used = max(vocabulary.values()), len(set(labels.values()))
        if (found := (len(fitting), used - levels, used - len({_plain_word(word) for word in labels}))) > rank:
            best, rank = (fitting, dict(sorted(labels.items(), key=lambda item: item[1])), levels), found
    return best


def _plain_word(word: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", word).casefold().split())
