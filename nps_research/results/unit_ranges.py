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
_CUTS = 10  # answers up to which every score that can be is asked for
_SLACK = 1e-6


def tells_of_units(
    classes: Floats, weights: Sequence[Floats], spreads: Sequence[tuple[Floats, Floats]], minimum_cell: int
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
    step = np.where(n < minimum_cell, 100 / n, 0.0)

    def narrow() -> Flags:
        short = (high - low < NARROWEST - _SLACK) | (np.maximum(high - score, score - low) < step - _SLACK)
        return np.asarray(short)

    rng = np.random.default_rng(0)
    heaviest = np.max([size / max(size.max(), _SLACK**4) for size in (n, *(weight * n for weight in weights))], axis=0)
    asked = np.flatnonzero(narrow())
    for block in (block for size in _BLOCKS for block in _unit_blocks(asked[narrow()[asked]], heaviest, size, rng)):
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
    return bool(narrow()[_heaviest(asked, heaviest)].any())


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
