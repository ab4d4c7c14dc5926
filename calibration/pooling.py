"""How near pooled scores of groups come to the truth, and how often their limits hold it.

Fills `pooling.csv` beside this file with made-up studies of 5, 20 and 60 groups of 4, 10, 30 or 100 answers each. The
groups' true shares are drawn around one of two shapes with concentration 10 (groups differ widely), 100 (hardly) or
infinity (not at all), and their answers in one of four ways:

    independent  every answer by itself
    weighted     every answer by itself, with lognormal weights (sigma 0.6)
    clustered    clusters of up to 5 answers, alike by 0.2 (the intraclass correlation)
    uneven       weighted and in clusters of up to 10, alike by 0.02 in half of the groups and by 0.3 in the others

The last rows are studies of 12 groups of 30, 60 or 100 answers, all by themselves: eleven at +35, the first at -40.

Columns: runs; coverage of the pooled scores' 95% limits over all groups, its Monte Carlo standard error (runs are
independent, groups of one run are not), and the coverage of groups with 4 and with 100 answers, and of the first group;
mean squared error of raw and pooled scores; the share of runs in which the pooled scores' mean squared error is the
lower.
Run it with `python -m calibration.pooling`.
"""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.limits.independent import VALUES
from nps_research.score.pooled_groups import pool_groups

SHAPES = {"b2b": (0.25, 0.40, 0.35), "skewed high": (0.04, 0.16, 0.80)}  # detractors, passives, promoters
SIZES = (4, 10, 30, 100)
DESIGNS = {  # clusters of up to so many answers, how alike they are in even and in odd groups, spread of the weights
    "independent": (1, (0.0, 0.0), 0.0),
    "weighted": (1, (0.0, 0.0), 0.6),
    "clustered": (5, (0.2, 0.2), 0.0),
    "uneven": (10, (0.02, 0.3), 0.6),
}
UNLIKE = {f"one of {size} answers unlike": size for size in (30, 60, 100)}
OTHERS, OUTLIER = (0.15, 0.35, 0.50), (0.60, 0.20, 0.20)
SCORE_OF_CLASS = np.array([3, 7, 10])
N_GROUPS_PER_CELL, RUNS_WITH_OUTLIER = 6000, 2000
N_DRAWS = 1000


def made_up_study(
    n_groups: int, concentration: float, shape: str, design: str, rng: np.random.Generator
) -> tuple[np.ndarray, ScoreDistribution]:
    """True scores of the groups, and answers."""
    shares = np.tile(SHAPES[shape], (n_groups, 1))
    if math.isfinite(concentration):
        shares = rng.dirichlet(concentration * np.array(SHAPES[shape]), size=n_groups)
    most, alike, sigma = DESIGNS[design]
    size = rng.choice(SIZES, n_groups)
    group = np.repeat(np.arange(n_groups), size)
    within = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    cluster = np.unique(group * max(SIZES) + within // most, return_inverse=True)[1]
    group_of_cluster = group[np.unique(cluster, return_index=True)[1]]
    of_cluster = shares[group_of_cluster]
    if most > 1:
        likeness = np.array(alike)[group_of_cluster % 2]
        drawn = rng.standard_gamma(np.maximum((1 / likeness - 1)[:, None] * of_cluster, 1e-12)) + 1e-300
        of_cluster = drawn / drawn.sum(axis=1, keepdims=True)
    answer = (rng.random(len(group))[:, None] > np.cumsum(of_cluster, axis=1)[cluster, :2]).sum(axis=1)
    weight = rng.lognormal(0, sigma, len(group))
    cell = (group, SCORE_OF_CLASS[answer])
    counts, weights, squares = (np.zeros((n_groups, 11), dtype=kind) for kind in (np.int64, float, float))
    np.add.at(counts, cell, 1)
    np.add.at(weights, cell, weight)
    np.add.at(squares, cell, weight**2)
    sums = np.zeros((len(group_of_cluster), 11))
    np.add.at(sums, (cluster, SCORE_OF_CLASS[answer]), weight)
    clusters = ClusterSums(group=group_of_cluster, label=np.arange(len(sums)).astype(object), sums=sums)
    return shares @ VALUES, ScoreDistribution(
        groups=tuple(f"g{row}" for row in range(n_groups)),
        counts=counts,
        weight_sums=weights if sigma else None,
        squared_weight_sums=squares if sigma else None,
        clusters=clusters if most > 1 else None,
    )


def with_an_outlier(n: int, n_groups: int, rng: np.random.Generator) -> tuple[np.ndarray, ScoreDistribution]:
    """True scores, of which the first is unlike the others, and answers."""
    shares = np.array([OUTLIER, *[OTHERS] * (n_groups - 1)])
    counts = np.zeros((n_groups, 11), dtype=np.int64)
    counts[:, SCORE_OF_CLASS] = rng.multinomial(n, shares)
    return shares @ VALUES, ScoreDistribution(groups=tuple(f"g{row}" for row in range(n_groups)), counts=counts)


def measure(n_groups: int, concentration: float, shape: str, design: str) -> dict[str, object]:
    """Coverage and squared errors of one cell."""
    rng = generator({"n_groups": n_groups, "concentration": concentration, "shape": shape, "design": design})
    runs = RUNS_WITH_OUTLIER if design in UNLIKE else N_GROUPS_PER_CELL // n_groups
    held, size, raw, pooled = (np.zeros((runs, n_groups)) for _ in range(4))
    for run in range(runs):
        dist = None
        while dist is None or (dist.counts > 0).any(axis=0).sum() < 2:  # all answers alike are refused
            if design in UNLIKE:
                truth, dist = with_an_outlier(UNLIKE[design], n_groups, rng)
            else:
                truth, dist = made_up_study(n_groups, concentration, shape, design, rng)
        frame = pool_groups(dist, n_draws=N_DRAWS, rng=rng).frame
        held[run] = (frame["conf_low"] <= truth + 1e-9) & (truth - 1e-9 <= frame["conf_high"])
        size[run] = dist.n
        raw[run], pooled[run] = ((frame[name] - truth) ** 2 for name in ("raw_estimate", "estimate"))
    return {
        "runs": runs,
        "coverage": round(held.mean(), 4),
        "coverage_std_error": round(held.mean(axis=1).std(ddof=1) / math.sqrt(runs), 4),
        "coverage_of_4": round(held[size == 4].mean(), 4) if (size == 4).any() else math.nan,
        "coverage_of_100": round(held[size == 100].mean(), 4) if (size == 100).any() else math.nan,
        "coverage_of_first": round(held[:, 0].mean(), 4),
        "raw_squared_error": round(raw.mean(), 2),
        "pooled_squared_error": round(pooled.mean(), 2),
        "runs_won": round(float((pooled.mean(axis=1) < raw.mean(axis=1)).mean()), 4),
    }


def main() -> None:
    """Fill the table, and show it by design, concentration and number of groups."""
    names = ("design", "concentration", "n_groups", "shape")
    cells = [
        dict(zip(names, cell, strict=True)) for cell in product(DESIGNS, (10.0, 100.0, math.inf), (5, 20, 60), SHAPES)
    ]
    cells += [dict(zip(names, (design, math.inf, 12, "one unlike"), strict=True)) for design in UNLIKE]
    table = fill(Path(__file__).with_suffix(".csv"), cells, measure, fresh=fresh_is_asked(__doc__))
    error_left = (table["pooled_squared_error"] / table["raw_squared_error"]).rename("error_left")
    kept = ["coverage", "coverage_of_4", "coverage_of_100", "coverage_of_first", "error_left", "runs_won"]
    shown = table.join(error_left).groupby(["design", "concentration", "n_groups"])
    print(shown[kept].mean().round(3).to_string())


if __name__ == "__main__":
    main()
