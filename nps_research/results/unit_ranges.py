"""How far single units' scores are left open by all that is shown over them: by linear programming.

Shown over the same units are the plain shares of detractors and promoters, shares in which units count by some other
weight, and standard errors of their scores. Given the means, a standard error is a sum of squares of a s + b, s being
a unit's score: linear in s and its square. The square is taken as an unknown of its own, no less than on the lines
between neighbouring scores that a unit of n answers can have, and no more than 100^2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from nps_research.typing import Flags, Floats, Integers

NARROWEST = 20.0  # points: a score is not to be known to within 10
_BLOCKS, _MOST, _ROUNDS = (40, 160), 80, 3  # units asked for together, at first and where that leaves too little open
MANY = 100  # units, of which the second largest does not learn more than others, nor do errors together
_CUTS = 10  # answers up to which every score that can be is asked for
_SLACK = 1e-6
_AS_IT_IS: dict[str, Any] = {"presolve": False}  # small programs are solved sooner than simplified


def tells_of_units(
    classes: Floats,
    weights: Sequence[Floats],
    spreads: Sequence[tuple[Floats, Floats]],
    minimum_cell: int,
    asked: Flags | None = None,
    exactly: Flags | bool = False,
) -> bool:
    """Whether some unit's score is told to within 10 points, or, of fewer than `minimum_cell` answers, exactly.

    Parameters
    ----------
    classes : ndarray, shape (n_units, 3)
        Detractors, passives and promoters of each unit of which nothing else is known.
    weights : sequence of ndarray, shape (n_units,)
        What an answer of the unit counts, for each way of counting that is shown beside the plain one.
    spreads : sequence of pairs of ndarray, shape (n_units,)
        a and b of each standard error that is shown.
    minimum_cell : int
        Units of fewer answers have few possible scores: another than the true one must be possible.
    asked : ndarray of bool, shape (n_units,), optional
        The units of which nothing is to be told; None: all of them.
    exactly : ndarray of bool, shape (n_units,), optional
        Units of few answers that may be told to within 10 points, as parts of what is shown.

    Notes
    -----
    Units of which the same is told could change places, so each may have the score of the others. The rest are asked
    for in blocks, all others as they are: what is possible so is possible.

    Examples
    --------
    Of units with 1, 2, 3 and 4 answers, their plain score and their mean leave some open:

    >>> classes = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [2, 0, 2]])
    >>> tells_of_units(classes, [], [], 10), tells_of_units(classes, [1 / classes.sum(axis=1)], [], 10)
    (False, False)
    >>> tells_of_units(classes[:2], [1 / classes[:2].sum(axis=1)], [], 10)
    True
    """
    n = classes.sum(axis=1)
    score = _unit_scores(classes, n)
    alike = pd.DataFrame([n, *weights, *(values for pair in spreads for values in pair)]).T.round(12)
    of_type = pd.Series(score).groupby([alike[column] for column in alike])
    low, high = (of_type.transform(end).to_numpy(copy=True) for end in ("min", "max"))

    def narrow() -> Flags:
        return _narrow(low, high, score, n, minimum_cell, exactly) & (True if asked is None else asked)

    rng = np.random.default_rng(0)
    heaviest = np.max([size / max(size.max(), _SLACK**4) for size in (n, *(weight * n for weight in weights))], axis=0)
    first = np.flatnonzero(narrow())
    asked_for = _heaviest(first, heaviest)
    sizes = _BLOCKS if len(n) > _BLOCKS[0] else _BLOCKS[:1]
    for block in (block for size in sizes for block in _unit_blocks(first[narrow()[first]], heaviest, size, rng)):
        is_last = len(block) == min(len(n), sizes[-1])
        of_block = _Programs(
            classes[block], [each[block] for each in weights], [(a[block], b[block]) for a, b in spreads]
        )
        directions = rng.normal(size=(_ROUNDS, len(block)))
        singly = (sign * np.eye(len(block))[row] for row in range(len(block)) for sign in (1, -1))
        for position, direction in enumerate([*directions, *-directions, *singly]):
            single = position - 2 * _ROUNDS
            if not narrow()[block[single // 2] if single >= 0 else block].any():
                continue
            found = of_block.furthest(direction)
            low[block], high[block] = np.minimum(low[block], found), np.maximum(high[block], found)
            row = block[max(single, 0) // 2]
            if is_last and single > 0 and single % 2 and row in asked_for and narrow()[row]:
                return True  # both its ends are known, and near
    return bool(narrow()[asked_for].any())


def told_by_shares(classes: Floats, minimum_cell: int, exactly: bool = False) -> Flags:
    """Which units are told by the shares of promoters and detractors over all of them, by themselves.

    Examples
    --------
    >>> told_by_shares(np.array([[1, 0, 0], [0, 60, 3]]), 10), told_by_shares(np.array([[4, 1, 3]] * 3), 10)
    (array([False,  True]), array([False, False, False]))
    """
    n = classes.sum(axis=1)
    return _narrow(*_possible(classes), _unit_scores(classes, n), n, minimum_cell, exactly)


def shares_tell_of_units(classes: Floats, minimum_cell: int) -> bool:
    """Whether these shares tell of one, if only to the second largest.

    Examples
    --------
    >>> shares_tell_of_units(np.array([[1, 0, 0]]), 10), shares_tell_of_units(np.array([[4, 1, 3]] * 3), 10)
    (True, False)
    """
    others = np.arange(len(classes)) != np.argsort(classes.sum(axis=1), kind="stable")[-2:][0]
    return any(told_by_shares(classes[rows], minimum_cell).any() for rows in (np.ones_like(others), others))


def error_tells_of_units(classes: Floats, answers: Floats, minimum_cell: int) -> bool:
    """Whether the standard error of a mean over units tells of one that the mean does not, also to the second largest.

    In closed form, on the safe side: a unit may be so far from the mean as all others of which nothing is known can
    have what is left in the same proportions, and the squared errors are then no more than they are; or as another
    unit of as many answers and the same weight is, with which it could change places.

    Parameters
    ----------
    classes : ndarray, shape (n_units, 3)
        Weights of detractors, passives and promoters of each unit.
    answers : ndarray, shape (n_units,)
        How many answers that are.
    minimum_cell : int
        As `tells_of_units` takes it.

    Examples
    --------
    One of twenty units has nearly all answers, and the error says that it is like the others:

    >>> classes = np.array([[30, 30, 60]] + [[1, 1, 2]] * 19)
    >>> error_tells_of_units(classes, classes.sum(axis=1), 10)
    True
    """
    weight = classes.sum(axis=1)
    score, share = _unit_scores(classes, weight), weight / weight.sum()
    mean, jump = float(share @ score), 50 / answers  # what few answers miss of any proportions
    of_type = pd.Series(score).groupby([answers, weight.round(9)])
    places = [of_type.transform(end).to_numpy() for end in ("min", "max")]
    others = np.arange(len(weight)) != np.argsort(weight, kind="stable")[-2:][0]
    for rows in (np.ones_like(others), others):
        low, high = _possible(classes[rows])
        alone = _narrow(low, high, score[rows], answers[rows], minimum_cell)
        below, above = _within(share[rows], score[rows] - mean, jump[rows])
        low = np.minimum(places[0][rows], np.maximum(low, mean + below))
        high = np.maximum(places[1][rows], np.minimum(high, mean + above))
        if (_narrow(low, high, score[rows], answers[rows], minimum_cell) & ~alone).any():
            return True
    return False


def errors_tell_together(classes: Floats, group: Integers, errors_of: Sequence[int], minimum_cell: int) -> bool:
    """Whether linear programs tell of a unit by the errors of some groups and of all units, that no score tells.

    Parameters
    ----------
    classes : ndarray, shape (n_units, 3)
        Detractors, passives and promoters of each unit.
    group : ndarray of int, shape (n_units,)
        The one group in which it is.
    errors_of : sequence of int
        The groups whose errors are shown.
    minimum_cell : int
        As `tells_of_units` takes it.
    """
    n = classes.sum(axis=1)
    score, asked = _unit_scores(classes, n), np.ones(len(n), dtype=bool)
    insides = [group == each for each in np.unique(group)]
    for inside in insides:
        asked[inside] = ~told_by_shares(classes[inside], minimum_cell)
    spreads = []
    for inside in [np.ones_like(asked), *(group == each for each in errors_of)]:
        share = np.where(inside, n, 0.0) / n[inside].sum()
        spreads.append((share, -share * (share @ score)))
    return tells_of_units(classes, [inside.astype(float) for inside in insides], spreads, minimum_cell, asked)


def _within(share: Floats, error: Floats, jump: Floats) -> tuple[Floats, Floats]:
    """How far below and above the mean units may be, the sum and the sum of squares of share times error being told."""
    rest = share.sum() - share
    with np.errstate(invalid="ignore", divide="ignore"):
        others = np.where(rest > 0, ((share**2).sum() - share**2) / rest**2, 0.0)
        squares = ((share * error) ** 2).sum() - ((share * jump) ** 2).sum()
        middle = others * (share @ error) / (1 + others)
        width = np.sqrt(np.maximum(middle**2 - (others * (share @ error) ** 2 - squares) / (1 + others), 0.0))
    return (middle - width) / share, (middle + width) / share


def _possible(classes: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest score that each unit may have, for all that the classes in all tell."""
    size, (detractors, passives, promoters) = classes.sum(axis=1), classes.sum(axis=0)
    few, many = np.minimum(size, detractors), np.minimum(size, promoters)
    low = np.maximum(size - few - passives, 0) - few
    high = many - np.maximum(size - many - passives, 0)
    return np.asarray(100 * low / size), np.asarray(100 * high / size)


def _narrow(
    low: Floats, high: Floats, score: Floats, n: Floats, minimum_cell: int, exactly: Flags | bool = False
) -> Flags:
    """Whether scores between these limits are told: to within 10 points, or, of few answers, exactly."""
    step = np.where(n < minimum_cell, 100 / n, 0.0)
    near = (high - low < NARROWEST - _SLACK) & ~np.asarray(exactly)
    return np.asarray(near | (np.maximum(high - score, score - low) < step - _SLACK))


def _heaviest(asked: Integers, heaviest: Floats) -> Integers:
    return asked[np.argsort(-heaviest[asked], kind="stable")[:_MOST]]


def _unit_blocks(asked: Integers, heaviest: Floats, size: int, rng: np.random.Generator) -> Iterator[Integers]:
    """The units that are asked for, the heaviest where they are many, in blocks; others fill the last."""
    most = rng.permutation(_heaviest(asked, heaviest))
    for start in range(0, len(most), size):
        block = most[start : start + size]
        others = np.setdiff1d(np.arange(len(heaviest)), block)
        yield np.concatenate([block, _heaviest(others, heaviest)[: max(size - len(block), 0)]])


def _unit_scores(classes: Floats, n: Floats) -> Floats:
    return np.asarray(100 * (classes[:, 2] - classes[:, 0]) / n)


class _Programs:
    """All that is told of a block's units, as a linear program in their detractors, promoters and squared scores."""

    def __init__(self, classes: Floats, weights: Sequence[Floats], spreads: Sequence[tuple[Floats, Floats]]) -> None:
        n, one = classes.sum(axis=1), np.eye(len(classes))
        self.to_score = np.hstack([-100 * one, 100 * one]) / n[:, None]
        none = np.zeros(len(classes))
        told = [
            np.concatenate(row) for each in (none + 1, *weights) for row in ((each, none, none), (none, each, none))
        ]
        told += [np.concatenate([2 * a * b @ self.to_score, a**2]) for a, b in spreads]
        equal = np.array([row / max(np.abs(row).max(), 1e-300) for row in told])
        self.truth = np.concatenate([classes[:, 0], classes[:, 2], _unit_scores(classes, n) ** 2])
        within, limits = [sparse.csr_array(np.hstack([one, one, 0 * one]))], [n]
        for row, answers in enumerate(n if spreads else ()):
            ends = np.linspace(-100, 100, int(min(2 * answers, 2 * _CUTS)) + 1)
            pairs = [ends[:-1], ends[1:]] if answers <= _CUTS else [ends, ends]  # lines between scores, or tangents
            cuts = np.outer(pairs[0] + pairs[1], np.append(self.to_score[row], none))
            cuts[:, 2 * len(n) + row] = -1
            within.append(sparse.csr_array(cuts))
            limits.append(pairs[0] * pairs[1] + _SLACK)
        self.known: dict[str, Any] = {
            "options": _AS_IT_IS,
            "A_eq": sparse.csr_array(equal),
            "b_eq": equal @ self.truth,
            "A_ub": sparse.vstack(within),
            "b_ub": np.concatenate(limits),
            "bounds": [(0, most) for most in np.concatenate([n, n, none + 1e4])],
        }

    def furthest(self, direction: Floats) -> Floats:
        """The units' scores where their sum, in a direction, is largest."""
        from scipy.optimize import linprog  # late: it takes longer than most commands

        solved = linprog(-np.append(direction @ self.to_score, np.zeros(len(direction))), **self.known)
        counts = self.truth if solved.x is None else solved.x
        return np.asarray(self.to_score @ counts[: 2 * len(direction)])
