"""Tables of detractors, passives and promoters with their probabilities: coverage without drawing at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from nps_research.score.limits.independent import VALUES, adjusted_wald, score_interval, wald

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from nps_research.score.limits.independent import Estimates

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LEVEL = 0.95
BLOCK = 500  # the formulas make a covariance matrix of all groups at once
EDGE = 1e-9  # a truth on a limit is held
SHAPES = {  # detractors, passives, promoters
    "b2b": (0.25, 0.40, 0.35),
    "skewed high": (0.04, 0.16, 0.80),
    "skewed low": (0.70, 0.20, 0.10),
    "few promoters": (0.30, 0.65, 0.05),
    "no passives": (0.40, 0.00, 0.60),
    "extreme": (0.01, 0.04, 0.95),
    # Answers of the San Francisco International Airport survey (data/sfo-airport), each counted once.
    "SFO 2017": (342 / 2746, 968 / 2746, 1436 / 2746),
    "SFO 2018": (447 / 2650, 935 / 2650, 1268 / 2650),
}


def truth_of(shape: str) -> float:
    """The score of the population, in points."""
    return float(VALUES @ np.array(SHAPES[shape]))


def every_table(n: int) -> Floats:
    """All tables of n answers."""
    detractors, promoters = (count.ravel() for count in np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0)))
    possible = detractors + promoters <= n
    detractors, promoters = detractors[possible], promoters[possible]
    return np.stack([detractors, n - detractors - promoters, promoters], axis=1)


def likely(tables: Floats, shares: Sequence[float], *, left_out: float) -> tuple[Integers, Floats]:
    """Which tables are likely, and their probabilities; the least likely are left out, `left_out` together."""
    probability = np.asarray(stats.multinomial.pmf(tables, tables[0].sum(), shares))
    order = np.argsort(-probability, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(probability[order]), 1 - left_out)) + 1]
    return kept, probability[kept] / probability[kept].sum()


def likely_tables(n: int, shape: str, *, left_out: float) -> tuple[Floats, Floats]:
    """Tables of n answers and their probabilities, without the least likely."""
    tables = every_table(n)
    kept, probability = likely(tables, SHAPES[shape], left_out=left_out)
    return tables[kept], probability


def in_blocks(formula: Callable[..., Estimates], tables: Floats, *names: str) -> list[Floats]:
    """What an interval formula of the package gives for each table, some tables at a time."""
    blocks = [formula(tables[row : row + BLOCK], confidence_level=LEVEL) for row in range(0, len(tables), BLOCK)]
    return [np.concatenate([getattr(block, name) for block in blocks]) for name in names]


def reaches(tables: Floats, method: str) -> tuple[Floats, Floats, Floats]:
    """What differences are centred at, and how far one group's limits reach below and above it."""
    if method == "score":
        mean, low, high = in_blocks(score_interval, tables, "estimate", "conf_low", "conf_high")
        return mean, mean - low, high - mean
    formula = {"wald": wald, "adjusted-wald": adjusted_wald}[method]
    centre, std_error = in_blocks(formula, tables, "centre", "std_error")
    reach = stats.norm.ppf(0.5 + LEVEL / 2) * std_error
    return centre, reach, reach
