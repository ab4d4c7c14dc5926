"""Names of columns from the one, two or three header rows that survey platforms write."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LONGEST_HEADER = 5
_MOST_TITLES = 20
_NUMBER_OR_DATE = re.compile(r"[\d.,:;/+\-%TZ\s]*\d[\d.,:;/+\-%TZ\s]*")
_ONE_ANSWER = ("response", "open-ended response")  # SurveyMonkey's words below a question with one column


@dataclass(frozen=True, kw_only=True)
class HeaderRows:
    """The names of columns, how many rows they took up, what was detected, and the questions below them, if any."""

    names: tuple[str, ...]
    n_rows: int
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def read_header_rows(rows: Sequence[Sequence[str]], stated: int | None = None) -> HeaderRows:
    """Find the header among the first rows of a table.

    Two platforms are known by their exports as they document them. Qualtrics: names, question texts,
    and a row of ``{"ImportId": ...}``; the names are kept. SurveyMonkey: questions, and below them the
    choices, one column each; see `join_header_rows`. Without either, one row, or as many as stated.

    Parameters
    ----------
    rows : sequence of sequences of str, at least one
        The first rows that are not blank, all as wide as the first.
    stated : int, optional
        How many rows the header has.

    Examples
    --------
    >>> ids = ['{"ImportId":"_recordId"}', '{"ImportId":"QID1"}']
    >>> found = read_header_rows([["id", "Q1"], ["ID", "How likely?"], ids])
    >>> found.names, found.n_rows
    (('id', 'Q1'), 3)
    """
    if stated in (None, 3) and _is_qualtrics(rows):
        note = "Qualtrics export, detected: names from the first of 3 header rows"
        questions = tuple(" ".join(cell.split()) for cell in rows[1])
        return HeaderRows(names=tuple(rows[0]), n_rows=3, notes=(note, *_time_zones(rows[2])), questions=questions)
    if stated is None and _is_surveymonkey(rows):
        note = "SurveyMonkey export, detected: names joined from 2 header rows"
        return HeaderRows(names=join_header_rows(rows[:2]), n_rows=2, notes=(note,))
    if stated is None or stated == 1:
        return HeaderRows(names=tuple(rows[0]), n_rows=1)
    return HeaderRows(names=join_header_rows(rows[:stated]), n_rows=stated)


def join_header_rows(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One name per column: the question, and after a colon the choice below it.

    A question stands over its first column only and holds for those to the right that have a choice
    but no question. ``Response`` and ``Open-Ended Response`` below a question add nothing.

    Examples
    --------
    >>> join_header_rows([["ID", "How likely?", "Used?", ""], ["", "Response", "Phone", "Chat"]])
    ('ID', 'How likely?', 'Used?: Phone', 'Used?: Chat')
    """
    tidy = [[" ".join(cell.split()) for cell in row] for row in rows]
    for upper, lower in pairwise(tidy):
        for column in range(1, len(upper)):
            if not upper[column] and lower[column]:
                upper[column] = upper[column - 1]
    names = []
    for parts in zip(*tidy, strict=True):
        told = [part for part in parts[1:] if part and part.lower() not in _ONE_ANSWER]
        names.append(": ".join(dict.fromkeys(filter(None, (parts[0], *told)))))
    return tuple(names)


def count_title_rows(rows: Sequence[Sequence[str] | None]) -> int:
    """How many rows stand above the header: titles, dates, names of filters.

    They fill at most half as many cells as the header does. The header has names that are all different and no
    numbers or dates; of the rows below it most are as full as it is, and hardly any is wider.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first rows that are not blank; None for one that cannot be read.

    Examples
    --------
    >>> count_title_rows([["NPS report"], ["Until", "2025"], ["ID", "NPS", "Region", "Plan"], ["a", "9", "N", ""]])
    2
    >>> count_title_rows([["ID", "NPS"], ["a", "9"]])
    0
    """
    filled = [sum(bool(cell.strip()) for cell in row or ()) for row in rows]
    reach = [max((at for at, cell in enumerate(row or (), start=1) if cell.strip()), default=0) for row in rows]
    for at in range(1, min(len(rows) - 1, _MOST_TITLES + 1)):
        names = [cell.strip() for cell in rows[at] or () if cell.strip()]
        below = reach[at + 1 :]
        if (
            2 * max(filled[:at]) <= filled[at]
            and len(set(names)) == len(names) >= 2
            and not any(map(_NUMBER_OR_DATE.fullmatch, names))
            and sum(2 * size > reach[at] for size in below) >= 0.6 * len(below)
            and sum(size <= len(rows[at] or ()) for size in below) >= 0.9 * len(below)
        ):
            return at
    return 0


def _is_qualtrics(rows: Sequence[Sequence[str]]) -> bool:
    marks = [cell for cell in rows[2] if cell.strip()] if len(rows) >= 3 else []
    return bool(marks) and all(_import_settings(mark) is not None for mark in marks)


def _import_settings(cell: str) -> dict[str, str] | None:
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "ImportId" in found else None


def _time_zones(cells: Sequence[str]) -> tuple[str, ...]:
    zones = {str(found["timeZone"]) for cell in cells if (found := _import_settings(cell)) and "timeZone" in found}
    return (f"times are written in the time zone {', '.join(sorted(zones))}, and kept as written",) if zones else ()


def _is_surveymonkey(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 2:
        return False
    names = ["".join(name.lower().replace("_", " ").split()) for name in rows[0]]
    below = [cell.strip() for cell in rows[1]]
    return names[0] == "respondentid" and "collectorid" in names and not below[0] and any(below)
