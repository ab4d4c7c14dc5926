"""Made-up answers, and the estimators done slowly: loops over rows, to hold the fast ones against."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.study.study import Study

SHAPES = {  # detractors, passives, promoters
    "b2b": (0.25, 0.40, 0.35),
    "skewed high": (0.04, 0.16, 0.80),
    "skewed low": (0.70, 0.20, 0.10),
    "few promoters": (0.30, 0.65, 0.05),
    "no passives": (0.40, 0.00, 0.60),
    "extreme": (0.01, 0.04, 0.95),
}
CLASS_SCORES = [3, 7, 10]  # one answer standing for each class


def truth_of(shape) -> float:
    return 100 * (shape[2] - shape[0])


def of_classes(**groups) -> ScoreDistribution:
    """A distribution from detractors, passives and promoters per group."""
    counts = np.zeros((len(groups), 11), dtype=int)
    counts[:, CLASS_SCORES] = list(groups.values())
    return ScoreDistribution.from_counts(dict(zip(groups, counts.tolist(), strict=True)))


def made_up_rows(rng: np.random.Generator, n: int = 400, n_accounts: int = 35) -> pd.DataFrame:
    """Invitations over two waves and three segments, weighted, in accounts that span both; some scores missing."""
    account = rng.integers(0, n_accounts, n)
    level = rng.normal(7.5, 1.6, n_accounts)
    score = np.clip(np.round(level[account] + rng.normal(0, 1.8, n)), 0, 10)
    return pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "account_id": [f"a{code}" for code in account],
            "likelihood_to_recommend": np.where(rng.random(n) < 0.06, np.nan, score),
            "wave": np.where(rng.random(n) < 0.5, "2024", "2025"),
            "region": rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]),
            "design_weight": np.round(rng.lognormal(0, 0.6, n), 3),
        }
    )


def study_of(rows: pd.DataFrame, **settings) -> Study:
    segments = [name for name in ("region", "branch") if name in rows]
    return Study.from_frames(responses=rows, segments=segments, settings=settings)


def distribution_of(rows: pd.DataFrame, **options) -> ScoreDistribution:
    return score_distribution(study_of(rows), **options)


def clustered_distribution(sums: np.ndarray, counts: np.ndarray, labels: np.ndarray) -> ScoreDistribution:
    """A distribution from weighted class sums per group and cluster, shape (n_groups, m, 3)."""
    n_groups, m, _ = sums.shape
    per_score, whole = np.zeros((n_groups, m, 11)), np.zeros((n_groups, 11), dtype=np.int64)
    per_score[..., CLASS_SCORES], whole[:, CLASS_SCORES] = sums, counts.sum(axis=1)
    return ScoreDistribution(
        groups=tuple(f"g{row}" for row in range(n_groups)),
        counts=whole,
        weight_sums=per_score.sum(axis=1),
        clusters=ClusterSums(
            group=np.repeat(np.arange(n_groups), m), label=labels.ravel(), sums=per_score.reshape(-1, 11)
        ),
    )


def class_value(score: float, promoter_min: int = 9, detractor_max: int = 6) -> int:
    return 100 if score >= promoter_min else -100 if score <= detractor_max else 0


def slow_score(rows: pd.DataFrame, weight: str | None, **cuts) -> float:
    total = above = 0.0
    for row in rows.dropna(subset=["likelihood_to_recommend"]).to_dict("records"):
        w = 1.0 if weight is None else row[weight]
        total += w
        above += w * class_value(row["likelihood_to_recommend"], **cuts)
    return above / total


def slow_cluster_errors(
    rows: pd.DataFrame, weight: str | None, cluster: str | None, *, effective: bool = False, **cuts
) -> dict[str, float]:
    """Each cluster's share in the error of the rows' score, with the root of m / (m - 1), or of k / (k - 1)."""
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    score = slow_score(answered, weight, **cuts)
    total = sum(1.0 if weight is None else w for w in (answered[weight] if weight else answered.index))
    errors: dict[str, float] = {}
    for place, row in zip(answered.index, answered.to_dict("records"), strict=True):
        w = 1.0 if weight is None else row[weight]
        label = str(place) if cluster is None else row[cluster]
        error = w * (class_value(row["likelihood_to_recommend"], **cuts) - score) / total
        errors[label] = errors.get(label, 0.0) + error
    m = effective_clusters(answered, weight, cluster) if effective else len(errors)
    return {label: error * math.sqrt(m / (m - 1)) for label, error in errors.items()}


def effective_clusters(rows: pd.DataFrame, weight: str | None, cluster: str | None) -> float:
    """(sum w)^2 / sum w^2 over the clusters of the rows that hold answers."""
    sums: dict[str, float] = {}
    for place, row in rows.dropna(subset=["likelihood_to_recommend"]).iterrows():
        label = str(place) if cluster is None else row[cluster]
        sums[label] = sums.get(label, 0.0) + (1.0 if weight is None else row[weight])
    return sum(sums.values()) ** 2 / sum(value**2 for value in sums.values())


def slow_covariance(a: dict[str, float], b: dict[str, float]) -> float:
    return sum(error * b[label] for label, error in a.items() if label in b)


def in_clusters(outcome: OutcomeByScore, times: int) -> OutcomeByScore:
    """The outcome with each answer in a cluster of its own, there so many times."""
    n, events = outcome.n[0], outcome.events[0]
    score = np.repeat(np.arange(11), n)
    happened = np.concatenate([np.arange(of) < with_event for of, with_event in zip(n, events, strict=True)])
    rows, none = np.arange(len(score)), np.zeros(len(score), dtype=np.int64)
    counts = np.zeros((len(score), 11), dtype=np.int64)
    counts[rows, score] = times
    clusters = OutcomeClusters(
        group=none,
        label=rows.astype(object),
        n=counts,
        events=counts * happened[:, None],
        nonrespondents=none,
        nonrespondent_events=none,
    )
    return replace(outcome, n=outcome.n * times, events=outcome.events * times, clusters=clusters)
