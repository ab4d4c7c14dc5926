"""How limits are made: the methods by name, which suits what, and scores by one of them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nps_research.counting.checks import check_level
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.score.limits.bootstrap import bootstrap
from nps_research.score.limits.by_design import effective_score, linearized
from nps_research.score.limits.independent import Estimates, adjusted_wald, score_interval, wald
from nps_research.statistics.randomness import DEFAULT_SEED

LimitsMethod = Literal["adjusted-wald", "score", "wald", "bootstrap", "linearized", "effective-score"]
METHOD_WORDS = {
    "adjusted-wald": "adjusted Wald",
    "score": "score interval (Tango)",
    "wald": "Wald",
    "bootstrap": "bootstrap percentile",
    "linearized": "linearised ratio estimate, t limits",
    "effective-score": "score interval (Tango) at the effective number of answers",
}


def suitable_method(dist: ScoreDistribution) -> LimitsMethod:
    """The method that suits how the answers were gathered, chosen by coverage: see ``calibration/``."""
    return "score" if dist.is_simple else "effective-score"


def estimate(
    dist: ScoreDistribution,
    *,
    method: LimitsMethod,
    confidence_level: float,
    n_resamples: int = 10_000,
    rng: np.random.Generator | None = None,
) -> Estimates:
    """Scores and limits by one method, as arrays; see `net_promoter_score`."""
    check_level(confidence_level)
    if method == "linearized":
        return linearized(dist, confidence_level=confidence_level)
    if method == "effective-score":
        return effective_score(dist, confidence_level=confidence_level)
    if method == "bootstrap":
        if dist.weight_sums is not None and dist.clusters is None:
            raise EstimationError(
                "method 'bootstrap' needs clusters where answers are weighted; take 'effective-score'."
            )
        if dist.clusters is not None and dist.clusters.strata is not None:
            raise EstimationError(
                "method 'bootstrap' draws clusters without regard to strata; take 'effective-score', or count with "
                "stratum=None."
            )
        generator = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
        return bootstrap(dist, confidence_level=confidence_level, n_resamples=n_resamples, rng=generator)
    formulas = {"wald": wald, "adjusted-wald": adjusted_wald, "score": score_interval}
    if method not in formulas:
        allowed = ", ".join(METHOD_WORDS)
        raise EstimationError(f"method = {method!r} is not known; allowed: {allowed}.")
    if not dist.is_simple:
        raise EstimationError(
            f"method {method!r} takes answers as independent and equal, but these are weighted or clustered. "
            "Take 'effective-score', or count with cluster=None, weight=None."
        )
    return formulas[method](dist.classes(), confidence_level=confidence_level)
