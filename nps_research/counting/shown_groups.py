"""Groups that a report must not show: small ones, and those that would give them away."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pandas as pd

from nps_research.counting.cells import FROM_ANSWER, NOT_STATED, count_cells, from_answer, is_period
from nps_research.results.suppression import hidden_groups
from nps_research.results.words import BETWEEN
from nps_research.study.part import rows_of_part, rows_with
from nps_research.study.small_waves import NO_WAVE
from nps_research.study.study import Study
from nps_research.study.surveys import asked_in_all

_SIDE, _INSIDE = "in this part", "in"
# What was found for a study, for as long as the study is there.
_NOT_SHOWN: weakref.WeakKeyDictionary[Study, dict[tuple[str, ...], frozenset[str]]] = weakref.WeakKeyDictionary()


def groups_not_shown(study: Study, by: Sequence[str]) -> frozenset[str]:
    """Groups that a report on the study must not show: small ones, and those that would give them away.

    Waves, segments, channels, weekdays and hours are all taken to be shown, in this order, and any
    other grouping beside them; of a part of a study by values, those of all of it, too.

    Parameters
    ----------
    study : Study
        The study.
    by : sequence of str
        Columns as in `score_distribution`.

    Returns
    -------
    frozenset of str
        Names of groups, as in the distribution counted by the same columns.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [9] * 50, "area": ["A"] * 30 + ["B"] * 12 + ["C"] * 8})
    >>> sorted(groups_not_shown(Study.from_frames(responses=table, segments=["area"]), ["area"]))
    ['B', 'C']
    """
    if study.settings.minimum_cell <= 1:
        return frozenset()  # no group is too small
    found = _NOT_SHOWN.setdefault(study, {})
    if tuple(by) not in found:
        groupings = _groupings(study, by)
        if (whole := study.whole) is None or study.is_lazy or "" in study.part:
            found.update(zip(groupings, _not_shown(study, groupings, found), strict=True))
        else:
            found.update(_not_shown_of_part(study, whole, groupings, found))
    return found[tuple(by)]


def without_small_waves(study: Study) -> Study:
    """Leave out the waves that are too small to show and could be worked out from the others and a total.

    Where all of them together have fewer than `minimum_cell` answers, no page may count them: else the newest wave of
    a few answers, or a stray one of long ago, would hide another that has enough. `Study.base` and the results by wave
    say which they are. A report's notebooks count such a study.

    Parameters
    ----------
    study : Study
        The study; one on a lazy frame comes back as it is.

    Returns
    -------
    Study

    Examples
    --------
    >>> table = pd.DataFrame({"likelihood_to_recommend": [9] * 14, "wave": ["W1"] * 12 + ["W2"] * 2})
    >>> without_small_waves(Study.from_frames(responses=table)).waves
    ('W1',)
    """
    small = {} if study.is_lazy else study.small_waves
    if not small or study.left_out_waves:
        return study
    part = study.where(~study.responses["wave"].fillna(NO_WAVE).isin(list(small)))
    kept = {name: getattr(study, name) for name in ("name", "notes", "whole", "part", "folder", "data_folder")}
    tables = rows_of_part(study.tables, asked_in_all(part.responses, study.by_age), part.customers)
    return replace(part, **kept, by_age=study.by_age, tables=tables, left_out_waves=small)


def usual_groupings(study: Study) -> list[str]:
    """The columns by which a report groups, in their order."""
    usual = ["wave"] * bool(study.waves) + [*study.segments, "channel", *FROM_ANSWER]
    needs = {"channel": "responses.channel"} | dict.fromkeys(FROM_ANSWER, "responses.responded_at")
    return [name for name in usual if name not in needs or study.can_answer(needs[name])]


def _groupings(study: Study, by: Sequence[str]) -> list[tuple[str, ...]]:
    """The groupings that a report shows, in their order, and any other beside them."""
    groupings: list[tuple[str, ...]] = [(name,) for name in usual_groupings(study)]
    if tuple(by) not in groupings:
        groupings += [(name,) for name in by if (name,) not in groupings] + [tuple(by)] * (len(by) != 1)
    return groupings


def _not_shown_of_part(
    part: Study, whole: Study, groupings: Sequence[tuple[str, ...]], found: Mapping[tuple[str, ...], frozenset[str]]
) -> dict[tuple[str, ...], frozenset[str]]:
    """What a report on a part must not show beside one on the whole: less the part, each group would tell of the rest.

    The groups of both sides, in the part and out of it, are told from each other by the same programs.
    """
    whole = without_small_waves(whole)
    inside = rows_with(whole.responses, part.part, minimum_cell=whole.settings.minimum_cell)
    if part.left_out_waves:
        inside &= ~whole.responses["wave"].isin(list(part.left_out_waves))
    marked = replace(whole, rows=whole.responses.assign(**{_SIDE: np.where(inside, _INSIDE, "out")}))
    of_whole = list(dict.fromkeys([*_groupings(whole, ()), *groupings]))
    sides = [(_SIDE,), *((_SIDE, *grouping) for grouping in groupings if grouping)]
    known = {grouping: groups_not_shown(whole, grouping) for grouping in of_whole} | dict(found)
    known = {grouping: known[grouping] for grouping in [*of_whole, *sides] if grouping in known}
    hidden = dict(zip(sides, _not_shown(marked, [*of_whole, *sides], known)[len(of_whole) :], strict=True))
    mark = _INSIDE + BETWEEN
    ours = {
        side[1:]: frozenset(g.removeprefix(mark) for g in gone if g.startswith(mark)) for side, gone in hidden.items()
    }
    return hidden | ours | {(): frozenset({"all"} if _INSIDE in hidden[_SIDE,] else ())}


def waves_not_shown(study: Study) -> frozenset[str]:
    """Waves, and all together, that a report on the study must not show."""
    return groups_not_shown(study, []) | (groups_not_shown(study, ["wave"]) if study.waves else frozenset())


def _not_shown(
    study: Study, groupings: Sequence[tuple[str, ...]], found: Mapping[tuple[str, ...], frozenset[str]]
) -> list[frozenset[str]]:
    """Per grouping, the groups that must not be shown where all of them are shown together."""
    columns = list(dict.fromkeys(name for grouping in groupings for name in grouping))
    cells = count_cells(study, columns)
    returned, answered = cells["state"].isin(["answered", "item_missing"]), cells["state"] == "answered"
    keys = {
        name: cells[f"key{position}"].where(returned) if from_answer(study, [name]) else cells[f"key{position}"]
        for position, name in enumerate(columns)
    }
    detractor = answered & (cells["score"] <= study.settings.detractor_max)
    promoter = answered & (cells["score"] >= study.settings.promoter_min)
    classes = np.stack([detractor, answered & ~detractor & ~promoter, promoter], axis=1)
    labels = pd.DataFrame(index=cells.index)
    parts: dict[int, list[int]] = {}
    for position, grouping in enumerate(groupings):
        of = [keys[name] for name in grouping]
        labels[position] = reduce(lambda one, other: one + BETWEEN + other, of) if of else "all"
        if len(of) > 1:
            of_side = grouping[0] == _SIDE and grouping[1:] in groupings
            combined = [grouping[:1], grouping[1:]] if of_side else [(name,) for name in grouping]
            parts[position] = [groupings.index(each) for each in combined]
    hidden = hidden_groups(
        labels,
        answers=classes * cells["n"].to_numpy()[:, None],
        people=cells["n"].to_numpy(),
        minimum_cell=study.settings.minimum_cell,
        parts=parts,
        settled={position: found[grouping] for position, grouping in enumerate(groupings) if grouping in found},
        in_time={
            position: study.waves if grouping == ("wave",) else sorted(set(labels[position].dropna()) - {NOT_STATED})
            for position, grouping in enumerate(groupings)
            if grouping == ("wave",) or (len(grouping) == 1 and is_period(study, grouping[0]))
        },
    )
    return list(hidden.values())


def hidden_elsewhere(study: Study, term: str, wave: str) -> frozenset[str] | None:
    """Groups that the report's other pages hide, or could be held against; None: all of them."""
    if wave and wave in groups_not_shown(study, ["wave"]):
        return None
    if term not in (*study.segments, "channel"):
        return frozenset()
    hidden = groups_not_shown(study, [term])
    if wave:
        hidden |= {group.removesuffix(BETWEEN + wave) for group in groups_not_shown(study, [term, "wave"])}
    return hidden
