"""Words that are nobody's secret, whoever repeats them in a comment: the package's sentences, the study's labels.

A sentence of the package is put together from texts of its code, with labels and numbers between them. Such texts may
therefore follow each other where one ends and the next begins, and nowhere else.
"""

from __future__ import annotations

import ast
import calendar
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from nps_research.study.further_tables import FURTHER
from nps_research.study.standard_columns import CUSTOMERS, RESPONSES
from nps_research.study.study import Study

_SOURCES = Path(__file__).parents[1]
_NOT_SAID = "made_up"  # its comments are those of made-up people
_WORD = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?|\w+", re.IGNORECASE)  # a decimal number is one word
_SHORT_NUMBER = re.compile(r"\d{1,6}(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)  # seven digits may be an id
_ATTRIBUTES = re.compile(r'="([^"{]*)"')
_FILLED_IN = re.compile(r"\{[^{}]*\}(?:s\b)?|^s\b")  # f"{unit}s that left": what is filled in may have a plural's s
# Of more single words than these, where nothing is filled in, what people write could be put together.
_MOST_SINGLE, _STATED = 3, -5
_MARKUP = re.compile(r"<[^>]*>|{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def words_of(text: str) -> list[str]:
    """The words of a text, as written."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))


class OwnWords:
    """What a page may say of its own accord: `labels` are those of the study, and what describes it."""

    def __init__(self, labels: Iterable[str]) -> None:
        labels = list(labels)
        self._lines = _line_each(labels)
        self._values = {label.strip().casefold() for label in labels}
        self.says = lru_cache(maxsize=None)(self._says)

    def has(self, value: str, run: tuple[str, ...]) -> bool:
        """Whether a run of a private value's words tells nothing.

        Of an id, only where all of it is a label, or stands so in a text of the package, such as ``utf-8``.
        """
        if len(value.split()) > 1:
            return self.says(run)
        is_of_package = any(map(str.isalpha, value)) and f" {' '.join(run)} " in _texts_of_package()
        return is_of_package or value.strip().casefold() in self._values

    def _says(self, run: tuple[str, ...]) -> bool:
        """Whether a run of words is of texts, labels and numbers, one behind the other.

        Examples
        --------
        >>> OwnWords(["North America"]).says(("answers", "to", "the", "recommendation", "question"))
        True
        """
        least = {0: 0}  # the words reached -> least doubt on the way there
        for start in range(len(run)):
            for end in range(start + 1, len(run) + 1) if start in least else ():
                doubt = self._doubt(run[start:end], start > 0, end < len(run))
                if doubt is not None:
                    until = least[start] + doubt
                    least[end] = min(until, least.get(end, until))
        return len(run) in least and least[len(run)] <= _MOST_SINGLE

    def _doubt(self, words: tuple[str, ...], from_start: bool, to_end: bool) -> int | None:
        """What a text of the package, a label or a number adds: 1 where it is a single word; nothing else is one."""
        if len(words) == 1 and _SHORT_NUMBER.fullmatch(words[0]):
            return _STATED
        said = ("\n" * from_start) + f" {' '.join(words)} " + ("\n" * to_end)
        if said in self._lines and (len(words) > 1 or f"\n {words[0]} \n" in self._lines):
            return _STATED
        return int(len(words) == 1) if said in self._lines or said in _texts_of_package() else None


def labels_of(study: Study) -> set[str]:
    """Names of waves, drivers, segments, outcomes and problems, and of the groups that are large enough to be shown."""
    labels = {*study.waves, *study.drivers, *study.segments}
    labels |= {each.label for each in study.outcomes.values()} | {each.label for each in study.problems.values()}
    further = [(table, FURTHER[name].columns) for name, table in study.tables.items()]
    for table, columns in [(study.responses, RESPONSES), (study.customers, CUSTOMERS), *further]:
        if table is None:
            continue
        shown = [name for name, column in columns.items() if column.kind in ("text", "id") and not column.private]
        for name in {*shown, *study.segments} & set(table):
            answers = table[name].dropna().astype("str").value_counts()
            labels |= set(answers.index[answers >= study.settings.minimum_cell])
    return labels - {""}


def _line_each(texts: Iterable[str]) -> str:
    """A text a line, as written and in small letters, a blank around every word."""
    written = {" ".join(words) for text in texts if (words := words_of(text))}
    return "\n" + "".join(f" {line} \n" for line in sorted(written | {line.casefold() for line in written}))


@cache
def _texts_of_package() -> str:
    """What the code and the templates of the package say."""
    texts = [*calendar.month_name, *calendar.day_name]
    for path in sorted(_SOURCES.rglob("*.py")):
        if _NOT_SAID not in path.parts:
            texts += _texts_in(ast.parse(path.read_text(encoding="utf-8")))
    for path in sorted(_SOURCES.rglob("*.j2")):
        template = path.read_text(encoding="utf-8")
        texts += _MARKUP.sub("\n", template).splitlines() + _ATTRIBUTES.findall(template)
    return _line_each(texts)


def _texts_in(tree: ast.AST) -> Iterator[str]:
    """The texts of a module but its docstrings; those of an f-string between what is filled in."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
                said = _FILLED_IN.split(child.value)
                if child.value.isalpha() or (isinstance(node, ast.JoinedStr) and child.value[-1:].isalpha()):
                    said.append(f"{child.value}s")  # as `counted` writes several
                for text in said:
                    heading = text.replace("_", " ") if text.isidentifier() else text
                    yield from (text, heading[:1].upper() + heading[1:])
