"""How a score was made, in words: cuts, limits, weights, clusters, strata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.limits.methods import METHOD_WORDS, LimitsMethod


class Scored(Protocol):
    """A result of scores: how each was made."""

    @property
    def promoter_min(self) -> int: ...
    @property
    def detractor_max(self) -> int: ...
    @property
    def method(self) -> LimitsMethod: ...
    @property
    def design(self) -> Mapping[str, str]: ...


def design_note(result: Scored) -> str:
    """How a score was made: cuts, limits, weights, clusters, strata, who is left out."""
    design = result.design
    weight, cluster = design.get("weight"), design.get("cluster")
    said = [
        f"Promoters {result.promoter_min}-10, detractors 0-{result.detractor_max}.",
        f"Limits: {METHOD_WORDS[result.method]}.",
        f"Weighted by {weight}." if weight else "Every answer counts the same.",
        f"Answers within one {cluster} are taken as alike." if cluster else "Answers are taken as independent.",
    ]
    if "stratum" in design:
        said.append(f"Drawn in strata ({design['stratum']}).")
    if "lone_strata" in design:
        said.append(f"Strata with one cluster, centred at the overall score: {design['lone_strata']}.")
    if "without_revenue" in design:
        said.append(f"Left out, as their revenue is not known: {design['without_revenue']}.")
    if "zero_revenue" in design:
        said.append(f"Without weight, as they bring in nothing: {design['zero_revenue']}.")
    return " ".join(said)


def described_design(dist: ScoreDistribution) -> dict[str, str]:
    """How the answers were gathered, and how many strata have one cluster, which tells not how its like differ."""
    _, sizes = dist.clusters.stratum_codes if dist.clusters is not None else (None, None)
    lone = 0 if sizes is None else int((sizes == 1).sum())
    return {**dist.design, **({"lone_strata": f"{lone:,}"} if lone else {})}
