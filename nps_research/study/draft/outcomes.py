"""Columns that seem to say what people did afterwards: a yes or a no, or a state such as active and cancelled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nps_research.reading.values import NO, YES
from nps_research.study.draft.columns import ReadColumn
from nps_research.study.draft.spelling import display_name, listed, quoted_toml
from nps_research.study.draft.vocabulary import HAS_LEFT, HAS_STAYED, OUTCOMES


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A column that seems to say what people did afterwards."""

    column: ReadColumn
    event: tuple[str, ...]
    no_event: tuple[str, ...]
    n_neither: int
    direction: str


def guess_outcome(column: ReadColumn) -> Outcome | None:
    """Tell whether a column is called like an outcome and says yes or no, or is a state in which people have left."""
    values = [str(value) for value in column.counts.index]
    direction = next((good for good, pattern in OUTCOMES.items() if re.search(pattern, column.words)), None)
    event = tuple(value for value in values if value.lower() in YES)
    no_event = tuple(value for value in values if value.lower() in NO)
    if not (direction and event and no_event):
        direction = "bad"
        event = tuple(value for value in values if HAS_LEFT.search(value))
        no_event = tuple(value for value in values if HAS_STAYED.search(value) and value not in event)
        if len(values) > _MOST_STATES:
            return None
    neither = len(column.cells) - int(column.counts[[*event, *no_event]].sum())
    if not event or not no_event or neither > 0.5 * len(column.cells):
        return None
    return Outcome(column=column, event=event, no_event=no_event, n_neither=neither, direction=direction)


_MOST_STATES = 8


def outcome_toml(outcome: Outcome, name: str, *, table: str) -> str:
    """Write an outcome of a table as a block of study.toml."""
    lines = [
        f"[outcomes.{name}]   # by its name and values",
        f"table = {quoted_toml(table)}",
        f"column = {quoted_toml(outcome.column.name)}",
        'kind = "binary"',
        f"event = [{listed(outcome.event)}]",
        f"no_event = [{listed(outcome.no_event)}]",
    ]
    if outcome.n_neither:
        lines.append(f"# {outcome.n_neither:,} rows are neither, and count as unknown.")
    lines += [f'direction = "{outcome.direction}"', "dated = false   # asked in the same survey, or without a date"]
    return "\n".join(lines)


def outcome_names(columns: Sequence[str]) -> dict[str, str]:
    """Column -> name of the outcome, in lower case with underscores."""
    names = {column: display_name(column).lower().replace(" ", "_") for column in columns}
    times = Counter(names.values())
    return {column: name if times[name] == 1 else column for column, name in names.items()}
