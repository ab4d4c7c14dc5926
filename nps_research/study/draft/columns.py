"""Profiles of an export's columns: what they are called, what they ask, what their cells look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from nps_research.reading.raw_table import RawTable
from nps_research.reading.values import MISSING_WORDS, parse_flag, parse_number, parse_score, parse_timestamp
from nps_research.study.draft.vocabulary import EVERYBODY, NO_ANSWER, PERSONAL

_LOOKS_LIKE_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.\w+")
_DIGIT_AND_SIGN = re.compile(r"\d.*[-/.: ]|[^\W\d_]{3}.*\d")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?")
_MOMENTS = (631_152_000, 4_102_444_800)  # 1990 to 2100, in seconds since 1970
_MOST_POINTS = 15  # different values of a rating, codes for no answer among them
_SAMPLE = 1_000  # distinct values that are looked at, where looking at all would be slow


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadColumn:
    """One column of the file.

    Attributes
    ----------
    name : str
        As the file's header has it.
    question : str
        What it asks, where the file says so beside the name; empty else.
    cells : Series of str
        Its values, words for a blank left out; index from the table.
    n_rows : int
        Rows of the table.
    value_labels : mapping of str to str
        The file's own words for codes, as in SPSS.
    """

    name: str
    question: str = ""
    cells: pd.Series
    n_rows: int
    value_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """What a reader would call it: the question, else the name."""
        return self.question or self.name

    @cached_property
    def words(self) -> str:
        """The name in lower case, its words apart."""
        return _words_apart(self.name)

    @cached_property
    def asked(self) -> str:
        """The question in lower case, its words apart."""
        return _words_apart(self.question)

    @cached_property
    def counts(self) -> pd.Series:
        """How often each value occurs, the most frequent first."""
        return self.cells.value_counts()

    @cached_property
    def folded(self) -> dict[str, int]:
        """Values in lower case and how often each occurs."""
        folded: Counter[str] = Counter()
        for value, times in self.counts.items():
            folded[str(value).strip().casefold()] += int(times)
        return dict(folded)

    @cached_property
    def distinct(self) -> pd.Series:
        """The whole number that each value says, by value, in the order of `counts`; missing where it says none."""
        values = pd.Series(self.counts.index, dtype="str")
        return parse_score(values).values.set_axis(pd.Index(values))

    @cached_property
    def scores(self) -> dict[int, int]:
        """Whole numbers with their counts, also where a label follows, as in "10 - Extremely likely"."""
        return _whole_numbers(self.distinct, self.counts)

    @cached_property
    def codes(self) -> dict[int, int]:
        """Whole numbers by themselves with their counts; empty where fewer than nine cells in ten hold one."""
        plain = pd.to_numeric(self.counts.index.to_series(), errors="coerce").notna().to_numpy()
        codes = _whole_numbers(self.distinct[plain], self.counts[plain])
        return codes if sum(codes.values()) >= 0.9 * len(self.cells) else {}

    @cached_property
    def points(self) -> dict[int, int]:
        """As `codes`, also where labels stand beside some numbers, as in "5 - Very satisfied"."""
        return self.codes or (self.scores if sum(self.scores.values()) >= 0.9 * len(self.cells) else {})

    @cached_property
    def labelled(self) -> dict[str, int]:
        """The values in which a label stands beside the number, with their numbers."""
        values = self.distinct.index.to_series()
        labelled = self.distinct[pd.to_numeric(values, errors="coerce").isna().to_numpy()]
        return {str(value): int(n) for value, n in labelled.dropna().items()}

    @cached_property
    def numbers(self) -> pd.Series:
        """Whole numbers by row, where there is one."""
        of_value = dict(zip(self.counts.index, self.distinct, strict=True))
        return pd.to_numeric(self.cells.map(of_value), errors="coerce").dropna()

    @cached_property
    def no_answers(self) -> dict[str, int]:
        """Words that say that there is no answer, such as "Don't know", with their counts."""
        return {str(value): int(n) for value, n in self.counts.items() if NO_ANSWER.search(str(value).strip())}

    @property
    def filled(self) -> float:
        """Share of the rows with a value."""
        return len(self.cells) / self.n_rows if self.n_rows else 0.0

    @cached_property
    def is_number(self) -> bool:
        """Whether every value is a number."""
        return not parse_number(pd.Series(self.counts.index, dtype="str")).unreadable.any()

    @cached_property
    def is_date(self) -> bool:
        """Whether nearly every value is a date, in whatever spelling; the order of day and month may be open."""
        values = self._sample
        if self.is_number or not len(values) or values.str.contains(_DIGIT_AND_SIGN).mean() < 0.9:
            return False
        parsed = parse_timestamp(values)
        read = parsed.values.notna() | (parsed.ambiguous if parsed.ambiguous is not None else False)
        return bool(read.mean() > 0.9) and not self.is_clock

    @cached_property
    def is_unclear_date(self) -> bool:
        """Whether it is of dates that cannot be read before somebody says how they are written."""
        return self.is_date and bool(parse_timestamp(self._sample).values.notna().mean() < 0.9)

    @cached_property
    def is_clock(self) -> bool:
        """Whether nearly every value is a time of day alone."""
        return self.share_like(_CLOCK) > 0.9

    @cached_property
    def is_unix_time(self) -> bool:
        """Whether every value but 0 is a plausible number of seconds since 1970."""
        number = pd.to_numeric(self.counts.index.to_series(), errors="coerce")
        stated = number[number != 0]
        return bool(len(stated) and stated.between(*_MOMENTS).all() and (stated % 1 == 0).all())

    @cached_property
    def is_flag(self) -> bool:
        """Whether the values say yes or no."""
        return not parse_flag(pd.Series(self.counts.index, dtype="str")).unreadable.any()

    @cached_property
    def is_personal(self) -> bool:
        """Whether the column names or reaches a person."""
        named = PERSONAL.search(self.words) is not None and not (self.points and len(self.counts) <= _MOST_POINTS)
        return named or self.share_like(_LOOKS_LIKE_EMAIL) > 0.5

    @cached_property
    def is_free_text(self) -> bool:
        """Whether people seem to have written what they liked."""
        if self.is_number or self.is_date or self.is_personal or not len(self.cells):
            return False
        return self.cells.str.len().mean() > 60 or len(self.counts) > max(30, 0.5 * len(self.cells))

    @cached_property
    def names_nobody(self) -> bool:
        """Whether a word such as "anonymous" stands in more than one row of twenty where an id should."""
        return any(self.folded.get(word, 0) > 0.05 * len(self.cells) for word in EVERYBODY)

    @property
    def _sample(self) -> pd.Series:
        return pd.Series(self.counts.index[:_SAMPLE], dtype="str")

    def share_like(self, pattern: re.Pattern[str]) -> float:
        """Share of the distinct values that a pattern matches in full."""
        values = [str(value) for value in self.counts.index[:_SAMPLE]]
        return sum(pattern.fullmatch(value) is not None for value in values) / max(1, len(values))


def matches(pattern: str | re.Pattern[str], column: ReadColumn) -> bool:
    """Whether a pattern of the vocabulary is found in a column's name or in its question."""
    return any(
        re.search(pattern, text) is not None for text in (column.words, column.asked) if text or text == column.words
    )


def profiles(table: RawTable) -> list[ReadColumn]:
    """Profile the columns of a table as `read_table` gives it, in the file's order."""
    found = []
    for name in map(str, table.frame):
        text = table.frame[name].dropna().astype("str")
        found.append(
            ReadColumn(
                name=name,
                question=table.questions.get(name, ""),
                cells=text[~text.str.strip().str.lower().isin(MISSING_WORDS)],
                n_rows=len(table.frame),
                value_labels=table.value_labels.get(name, {}),
            )
        )
    return found


def _words_apart(text: str) -> str:
    apart = re.sub(r"(?<=[a-zа-яіїє])(?=[A-ZА-ЯІЇЄ])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", apart).casefold().split())


def _whole_numbers(said: pd.Series, counts: pd.Series) -> dict[int, int]:
    numbers: Counter[int] = Counter()
    for number, times in zip(said, counts, strict=True):
        if pd.notna(number):
            numbers[int(number)] += int(times)
    return dict(sorted(numbers.items()))
