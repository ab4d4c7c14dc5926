"""Bootstrap of the Net Promoter Score, from counts: the rows are not needed; all in points."""

from __future__ import annotations

import numpy as np

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.limits.independent import VALUES, Estimates, independent, mean_and_variance
from nps_research.typing import Floats


def bootstrap(
    dist: ScoreDistribution, *, confidence_level: float, n_resamples: int, rng: np.random.Generator
) -> Estimates:
    """Percentile limits from resampled answers (multinomial) or resampled clusters.

    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap. Chapman & Hall.
    """
    classes = dist.classes()
    mean, _ = mean_and_variance(classes)
    tails = [0.5 - confidence_level / 2, 0.5 + confidence_level / 2]
    std_error, low, high = (np.full(len(mean), np.nan) for _ in range(3))
    # Each group draws from a stream of its own: what one group's limits are, tells nothing of the others.
    for row, (of_group, stream) in enumerate(zip(classes, rng.spawn(len(classes)), strict=True)):
        n = of_group.sum()
        if dist.clusters is not None:
            sums = dist.classes(dist.clusters.sums[dist.clusters.group == row])
            if len(sums) < 2 or dist.error_tells[row]:
                continue
            drawn = _resampled_clusters(sums, n_resamples, stream)
        elif n > 0:
            drawn = resampled_scores(of_group, n_resamples=n_resamples, rng=stream)
        else:
            continue
        std_error[row], (low[row], high[row]) = drawn.std(ddof=1), np.quantile(drawn, tails)
    return independent(mean, std_error, low, high)


def resampled_scores(of_group: Floats, *, n_resamples: int, rng: np.random.Generator) -> Floats:
    """Scores of resamples of one group's independent answers, shape (n_resamples,); the rows are not needed."""
    n = of_group.sum()
    return np.asarray(rng.multinomial(int(n), of_group / n, size=n_resamples) @ VALUES / n)


def _resampled_clusters(sums: Floats, n_resamples: int, rng: np.random.Generator) -> Floats:
    m = len(sums)
    parts = []
    for start in range(0, n_resamples, 500):  # a block of draws at a time bounds the memory
        times = rng.multinomial(m, np.full(m, 1 / m), size=min(500, n_resamples - start))
        drawn = times @ sums
        parts.append(drawn @ VALUES / drawn.sum(axis=1))
    return np.concatenate(parts)
