"""What differs between the ``results.json`` of two reports: which value, in which row of which result, by how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from nps_research.results.words import DASH, plain_text

_ABSENT, _PRESENT = "not there", "there"
_WIDTH = 80  # characters of a text that are shown

Content = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that differs, or one row, result or notebook that is gone or new.

    Attributes
    ----------
    notebook, result, row, column : str
        Where: the result by its title, the row by its labels. Blank where the thing differs as a whole.
    was, now : object
        The values; ``"there"`` and ``"not there"`` where one is gone or new.
    """

    notebook: str
    result: str
    row: str
    column: str
    was: Any
    now: Any

    @property
    def amount(self) -> float | None:
        """By how much a number differs; None where not both are numbers."""
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (self.was, self.now))
        return self.now - self.was if numbers else None

    @property
    def place(self) -> str:
        """Notebook and result, e.g. ``"01_score, Net Promoter Score wave by wave"``."""
        return ", ".join(plain_text(each, _WIDTH) for each in (self.notebook, self.result) if each)

    @property
    def text(self) -> str:
        """What differs at that place, e.g. ``"2025 Q4, estimate: was 8.5; now 9; difference +0.5"``."""
        was, now = (_text(value) for value in (self.was, self.now))
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, now, strict=False)))
        start = max(same - 20, 0) if max(len(was), len(now)) > _WIDTH else 0  # from shortly before they part
        before = "\N{HORIZONTAL ELLIPSIS}" if start else ""
        was, now = (before + plain_text(text[start:], _WIDTH) for text in (was, now))
        what = ", ".join(plain_text(each, _WIDTH) for each in (self.row, self.column) if each)
        amount = "" if self.amount is None else f"; difference {self.amount:+.6g}"
        return f"{what}: was {was}; now {now}{amount}".removeprefix(": ")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return DASH if value is None else str(value)


def compare_results(was: Content, now: Content) -> tuple[list[Difference], int]:
    """Find what differs between the ``results.json`` of two reports, and count the values that were compared.

    Results of notebooks that fail now are not compared.
    """
    failed = {each["name"] for each in now["notebooks"] if each["state"] == "failed"}
    found = compare_values(("", "the study", ""), was["study"], now["study"])
    n_values = len(was["study"])
    for name, old, new in _paired_results(
        *({each["name"]: each for each in content["notebooks"]} for content in (was, now))
    ):
        found += compare_values((name, "", ""), old, new)
    for (notebook, title), old, new in _paired_results(_results(was), _results(now)):
        if notebook in failed:
            continue
        if old is None or new is None:
            found += compare_values((notebook, title, ""), old, new)
            continue
        n_labels = _n_labels(old["result"], new["result"])
        rows = _rows_apart(old, n_labels)
        n_values += sum(len(row) for row in rows.values())
        for label, before, after in _paired_results(rows, _rows_apart(new, n_labels)):
            found += compare_values((notebook, title, label), before, after)
    return found, n_values


def compare_values(
    where: tuple[str, str, str], was: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> list[Difference]:
    """Find the values of one row that differ, by column; one difference alone where one side has no such row."""
    if was is None or now is None:
        whole = ("", *(_ABSENT if side is None else _PRESENT for side in (was, now)))
        return [_difference(where, *whole)]
    columns = dict.fromkeys([*was, *now])
    values = ((column, was.get(column, _ABSENT), now.get(column, _ABSENT)) for column in columns)
    return [_difference(where, column, old, new) for column, old, new in values if old != new]


def _difference(where: tuple[str, str, str], column: str, was: Any, now: Any) -> Difference:
    notebook, result, row = where
    return Difference(notebook=notebook, result=result, row=row, column=column, was=was, now=now)


def _paired_results(was: Mapping[Any, Any], now: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Each key of either with what it has in both; None where it has nothing."""
    for key in dict.fromkeys([*was, *now]):
        yield key, was.get(key), now.get(key)


def _results(content: Content) -> dict[tuple[str, str], Content]:
    """Results by notebook and title."""
    keys = _numbered((each["notebook"], each["result"]["title"]) for each in content["results"])
    return dict(zip(keys, content["results"], strict=True))


def _rows_apart(item: Content, n_labels: int) -> dict[str, Content]:
    """All values of a result by row: its texts and settings are one, each key number is one."""
    bundle, columns = item["result"], item["result"]["columns"]
    texts = {name: bundle[name] for name in ("kind", "finding", "note", "alt")}
    rows = {"": texts | {"headline": item["headline"]} | bundle["settings"]}
    rows |= {f"key number: {number['label']}": number for number in bundle["key_numbers"]}
    labels = _numbered(("", "; ".join(map(str, row[:n_labels])) or "row") for row in bundle["rows"])
    table = (dict(zip(columns, row, strict=True)) for row in bundle["rows"])
    return rows | {label: row for (_, label), row in zip(labels, table, strict=True)}


def _n_labels(*bundles: Content) -> int:
    """How many of the first columns name a row: as few texts as tell the rows of each result apart."""

    def is_label(column: int) -> bool:
        names = {bundle["columns"][column] for bundle in bundles}
        values = [row[column] for bundle in bundles for row in bundle["rows"]]
        return len(names) == 1 and (names <= {"group", "term"} or all(isinstance(value, str) for value in values))

    n_columns = min(len(bundle["columns"]) for bundle in bundles)
    n_labels = len(list(takewhile(is_label, range(n_columns))))
    for n in range(1, n_labels):
        if all(len({tuple(row[:n]) for row in bundle["rows"]}) == len(bundle["rows"]) for bundle in bundles):
            return n
    return n_labels


def _numbered(labels: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Labels, of which one that comes again is numbered."""
    used: Counter[tuple[str, str]] = Counter()
    numbered = []
    for first, second in labels:
        used[first, second] += 1
        again = used[first, second]
        numbered.append((first, second if again == 1 else f"{second} ({again})"))
    return numbered
