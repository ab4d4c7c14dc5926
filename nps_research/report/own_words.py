"""Words that are nobody's secret, whoever repeats them in a comment: the package's sentences, the study's labels.

A sentence of the package is put together from texts of its code, with labels and numbers between them. Such texts may
therefore follow each other where one ends and the next begins, and nowhere else.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from nps_research.study.contract import CUSTOMERS, RESPONSES
from nps_research.study.study import Study

_SOURCES = Path(__file__).parents[1]
_NOT_SAID = "made_up"  # its comments are those of made-up people
_WORD = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?|\w+", re.IGNORECASE)  # a decimal number is one word
_SHORT_NUMBER = re.compile(r"\d{1,6}(?:\.\d+)?")  # seven digits may be an id
_MARKUP = re.compile(r"<[^>]*>|{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def words_of(text: str) -> list[str]:
    """The words of a text, as written."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))


class OwnWords:
    """What a page may say of its own accord: `labels` are those of the study, and what describes it."""

    def __init__(self, labels: Iterable[str]) -> None:
        labels = list(labels)
        self._labels = _line_each(labels)
        self._values = {label.strip().casefold() for label in labels}
        self.says = lru_cache(maxsize=None)(self._says)

    def has(self, value: str, run: tuple[str, ...]) -> bool:
        """Whether a run of a private value's words tells nothing; of an id, only where all of it is a label."""
        return self.says(run) if len(value.split()) > 1 else value.strip().casefold() in self._values

    def _says(self, run: tuple[str, ...]) -> bool:
        """Whether a run of words is of texts, labels and numbers, one behind the other.

        Examples
        --------
        >>> OwnWords(["North America"]).says(("answers", "to", "the", "recommendation", "question"))
        True
        """
        reached = {0}
        for start in range(len(run)):
            if start in reached:
                ends = range(start + 1, len(run) + 1)
                reached |= {end for end in ends if self._is_one(run[start:end], start > 0, end < len(run))}
        return len(run) in reached

    def _is_one(self, words: tuple[str, ...], from_start: bool, to_end: bool) -> bool:
        said = f" {' '.join(words)} "
        if said in self._labels or (len(words) == 1 and _SHORT_NUMBER.fullmatch(words[0])):
            return True
        return ("\n" * from_start) + said + ("\n" * to_end) in _texts_of_package()


def labels_of(study: Study) -> set[str]:
    """Names of waves, drivers, segments and outcomes, and of the groups that are large enough to be shown."""
    labels = {*study.waves, *study.drivers, *study.segments, *(each.label for each in study.outcomes.values())}
    for table, columns in ((study.responses, RESPONSES), (study.customers, CUSTOMERS)):
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
    texts: list[str] = []
    for path in sorted(_SOURCES.rglob("*.py")):
        if _NOT_SAID not in path.parts:
            texts += _texts_in(ast.parse(path.read_text(encoding="utf-8")))
    for path in sorted(_SOURCES.rglob("*.j2")):
        texts += _MARKUP.sub("\n", path.read_text(encoding="utf-8")).splitlines()
    return _line_each(texts)


def _texts_in(tree: ast.AST) -> Iterator[str]:
    """The texts of a module but its docstrings; those of an f-string between what is filled in."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
                yield child.value
                if child.value.isalpha():
                    yield f"{child.value}s"  # as `counted` writes several
