"""Which bands of scores a shared page may show an outcome for: none with few answers, nor left by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.typing import Integers


def shown_cuts(n: Integers, minimum_cell: int, *, first: Sequence[int] = ()) -> tuple[int, ...]:
    """Cuts whose two sides may be shown beside each other: between neighbours lie `minimum_cell` answers, or none.

    Counts on two neighbouring sides tell by subtraction what lies between them. Cuts are taken one by one, those of
    `first` before the others, by the answers `n` per score.

    Examples
    --------
    >>> import numpy as np
    >>> shown_cuts(np.array([4, 0, 2, 3, 2, 19, 25, 46, 51, 63, 143]), 10, first=(6, 8))
    (4, 5, 6, 7, 8, 9)
    """
    taken: list[int] = []
    for cut in dict.fromkeys([*first, *range(N_SCORES - 1)]):
        if cut in range(N_SCORES - 1):
            trial = sorted([*taken, cut])
            if all(size == 0 or size >= minimum_cell for size in (sum(n[a : b + 1]) for a, b in bands_between(trial))):
                taken = trial
    return tuple(taken)


def answer_class(score: Any, *, promoter_min: int, detractor_max: int) -> NDArray[np.str_]:
    """Class of each answer, ``"promoter"``, ``"passive"`` or ``"detractor"``; passive, where there is none."""
    return np.select([score >= promoter_min, score <= detractor_max], ["promoter", "detractor"], "passive")


def bands_between(cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Bands of scores between cuts, both ends in them.

    Examples
    --------
    >>> bands_between([3, 8])
    [(0, 3), (4, 8), (9, 10)]
    """
    edges = [-1, *cuts, N_SCORES - 1]
    return [(low + 1, high) for low, high in pairwise(edges)]


def band_text(low: int, high: int) -> str:
    """A band in words.

    Examples
    --------
    >>> band_text(0, 3), band_text(10, 10)
    ('0-3', '10')
    """
    return f"{low}-{high}" if low != high else f"{low}"
