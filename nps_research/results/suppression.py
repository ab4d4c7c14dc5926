"""Which groups a report must not show: those too small, and those that would give them away.

The base counts, not the cell: a group is small by how many answers it has, not by how many of these
are detractors. Nobody's answer can be told from a group that is large enough, unless all in it
answered alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nps_research.typing import Flags, Floats, Numbers

_ZERO = 1e-6


def hidden_rows(
    n: Sequence[float] | Numbers,
    minimum_cell: int,
    *,
    people: Sequence[float] | Numbers | None = None,
    hidden: Sequence[bool] | Flags | None = None,
    in_time: bool = False,
) -> Flags:
    """Find the rows of one table that a shared page must not show.

    Groups with fewer than `minimum_cell` answers are hidden; where those hidden hold together
    fewer than `minimum_cell`, they could be worked out by subtraction from the total, and the
    next smallest group is hidden with them. A group without any answer is shown, unless it has
    fewer than `minimum_cell` people.

    Parameters
    ----------
    n : array-like of shape (n_groups,)
        Answers per group; the groups are parts of one total.
    minimum_cell : int
        Smallest number of answers that may be shown.
    people : array-like of shape (n_groups,), optional
        All who could have answered, per group, where known.
    hidden : array-like of bool, shape (n_groups,), optional
        Groups that are hidden already, for other reasons.
    in_time : bool
        Whether the groups are in order of time: the newest that is large enough is the last to be hidden with others.

    Returns
    -------
    ndarray of bool, shape (n_groups,)

    Examples
    --------
    >>> hidden_rows([120, 40, 12, 3], 10)
    array([False, False,  True,  True])
    """
    size = np.nan_to_num(np.asarray(n, dtype=float))
    small = _small(size, size if people is None else np.asarray(people, dtype=float), minimum_cell)
    gone: Flags = small if hidden is None else small | np.asarray(hidden, dtype=bool)
    newest = np.flatnonzero(~gone)[-1:] if in_time else ()
    for row in sorted(range(len(size)), key=lambda row: (row in newest, size[row])):
        if not gone.any() or size[gone].sum() >= minimum_cell:
            break
        gone[row] |= size[row] > 0
    return gone


def _small(size: Floats, people: Floats, minimum_cell: int) -> Flags:
    everyone = np.where(size > 0, size, people)
    return np.asarray((everyone > 0) & (everyone < minimum_cell))


def hidden_groups(
    labels: pd.DataFrame,
    *,
    answers: Numbers,
    people: Numbers,
    minimum_cell: int,
    parts: Mapping[Any, Sequence[Any]] | None = None,
    settled: Mapping[Any, frozenset[str]] | None = None,
    in_time: Mapping[Any, Sequence[str]] | None = None,
) -> dict[Any, frozenset[str]]:
    """Find the groups that a report must not show, where it groups the same answers in several ways.

    The groupings are taken in their order, and in each the smallest groups are hidden until every
    hidden group with answers might, for all that the groupings tell together, have `minimum_cell` answers or more.
    What they tell: how many answers of each class their shown groups have, how many there are in all, and
    which sums of groups hold the same answers (a terminal and its boarding areas, or a chain over several groupings).
    The most that a group might have is found by linear programming.

    Parameters
    ----------
    labels : DataFrame
        One row per combination of groups, one column per grouping; missing where a row is in none of
        its groups.
    answers : ndarray of int, shape (n_rows, n_classes)
        Answers per row of `labels` and class (detractors, passives, promoters).
    people : ndarray of int, shape (n_rows,)
        All who could have answered.
    minimum_cell : int
        Smallest number of answers that may be shown.
    parts : mapping, optional
        For groupings that combine earlier ones: which. A combination with a hidden group is hidden.
    settled : mapping, optional
        What is hidden of the first groupings, where it was found before.
    in_time : mapping, optional
        For groupings whose groups follow each other in time: these, the oldest first. The newest that is large enough
        is the last to be hidden.

    Returns
    -------
    dict
        Per grouping, the labels that are hidden.

    Examples
    --------
    Area B3 is small, and B2, in the same terminal, would give it away; A1 and A2 would not:

    >>> labels = pd.DataFrame({"terminal": ["A", "A", "B", "B"], "area": ["A1", "A2", "B2", "B3"]})
    >>> answers = np.array([[5, 5, 10], [10, 10, 10], [10, 20, 20], [1, 1, 2]])
    >>> sorted(hidden_groups(labels, answers=answers, people=answers.sum(axis=1), minimum_cell=10)["area"])
    ['B2', 'B3']
    """
    counts = pd.DataFrame(answers, index=labels.index).assign(people=people)
    sums = {name: counts.groupby(labels[name]).sum() for name in labels}
    ends = np.cumsum([len(table) for table in sums.values()])
    place = {
        name: pd.Series(np.arange(end - len(table), end), index=table.index)
        for (name, table), end in zip(sums.items(), ends, strict=True)
    }
    of_group = np.concatenate([table.to_numpy(dtype=float) for table in sums.values()])
    classes, size = of_group[:, :-1], of_group[:, :-1].sum(axis=1)
    hidden = _small(size, of_group[:, -1], minimum_cell)
    any_answer = answers.sum(axis=1) > 0
    codes = {name: np.asarray(labels[name].map(place[name]), dtype=np.float64) for name in labels}
    found: dict[Any, frozenset[str]] = {}
    for name, own in place.items():
        if settled and name in settled:
            hidden[own] = own.index.isin(settled[name])
            found[name] = settled[name]
            continue
        timed = own.reindex(list((in_time or {}).get(name, ()))).dropna().to_numpy(dtype=np.int64)
        newest = timed[~hidden[timed]][-1:]
        order = np.array(sorted(own, key=lambda group: (group in newest, size[group])))
        combined = list((parts or {}).get(name, ()))
        for part in combined:
            within = codes[name][labels[part].isin(found[part])]
            hidden[within[~np.isnan(within)].astype(int)] = True
        together = [*found, name]
        totals = np.zeros((len(together), len(size)))
        for row, told in enumerate(together):
            totals[row, place[told]] = 1  # the answers in all are known
        relations = _relations(np.stack([codes[told] for told in together], axis=1)[any_answer], len(size))
        _protect(hidden, order, classes, np.vstack([totals, relations]), minimum_cell)
        found[name] = frozenset(own.index[hidden[own]])
    return found


def _relations(groups: Floats, n_groups: int) -> Floats:
    """All that holds between the answers of groups, whoever has answered what: a row each, of which the sum is 0.

    `groups` has a row a combination of groups that occurs, and says which group of each grouping it is in. A region is
    the sum of its areas; of groupings that cross, a chain may lead from one to another.
    """
    inside = np.unique(np.nan_to_num(groups, nan=-1).astype(np.int64), axis=0)
    member = np.zeros((len(inside), n_groups + 1))
    np.put_along_axis(member, inside, 1.0, axis=1)
    reduced = member[:, :-1].T @ member[:, :-1]
    used = np.flatnonzero(np.diag(reduced))
    reduced = reduced[np.ix_(used, used)]
    pivots: list[int] = []
    for column in range(len(used)):  # Gauss and Jordan
        rest = np.abs(reduced[len(pivots) :, column])
        if rest.max(initial=0.0) < _ZERO:
            continue
        row, best = len(pivots), len(pivots) + int(rest.argmax())
        reduced[[row, best]] = reduced[[best, row]]
        reduced[row] /= reduced[row, column]
        others = np.arange(len(used)) != row
        reduced[others] -= np.outer(reduced[others, column], reduced[row])
        pivots.append(column)
    free = np.setdiff1d(np.arange(len(used)), pivots)
    relations = np.zeros((len(free), n_groups))
    relations[np.arange(len(free)), used[free]] = 1
    relations[:, used[pivots]] = -reduced[: len(pivots), free].T
    return np.where(np.abs(relations - relations.round()) < _ZERO, relations.round(), relations)


def _protect(hidden: Flags, own: Numbers, classes: Floats, known: Floats, minimum_cell: int) -> None:
    """Hide more of a grouping's `own` groups, in their order, until no small group in `known` could be told to be."""
    size, involved = classes.sum(axis=1), known.any(axis=0)
    safe: set[bytes] = set()  # hiding more never makes the most less
    for row in np.flatnonzero(hidden & involved & (size > 0) & (size < minimum_cell)):
        if known[:, row].tobytes() in safe:
            continue
        while (most := _most(row, hidden & involved, classes, known)) < minimum_cell:
            rest = [group for group in own if size[group] and not hidden[group]]
            if not rest:
                break
            helping = (group for group in rest if _most(row, _with(hidden & involved, group), classes, known) > most)
            hidden[next(helping, rest[0])] = True
        safe.add(known[:, row].tobytes())


def _with(hidden: Flags, group: np.int64) -> Flags:
    more = hidden.copy()
    more[group] = True
    return more


def _most(row: np.int64, hidden: Flags, classes: Floats, known: Floats) -> int:
    """The most answers that a hidden group might have, for all that the shown groups tell."""
    unknown = known[:, hidden]
    unknown = unknown[unknown.any(axis=1)]
    each_class = np.eye(classes.shape[1])
    # Groups of which the same is told are one unknown: the most of each is the most of all together.
    alike, which = np.unique(unknown, axis=1, return_inverse=True)
    own = which.ravel()[np.flatnonzero(hidden) == row]
    wanted = np.tile(np.arange(alike.shape[1]) == own, classes.shape[1]).astype(float)
    from scipy.optimize import linprog  # late: it takes longer than most commands

    solved = linprog(-wanted, A_eq=np.kron(each_class, alike), b_eq=(unknown @ classes[hidden]).T.ravel())
    return -round(float(solved["fun"]))
