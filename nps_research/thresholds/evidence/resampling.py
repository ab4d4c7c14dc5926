"""Tables that might have come instead: under a shape of risk, as resamples, and in the folds of a cross-validation.

All start from counts per score, so that they cost the same at any number of answers; where answers come in clusters
(one person's, one account's), from counts per cluster, which stay whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.statistics.group_sums import group_sums
from nps_research.thresholds.evidence.baselines import at_one_baseline, stratum_risks, stratum_weights
from nps_research.typing import Flags, Floats

_DRAWS_AT_ONCE = 4_000_000  # draws kept in memory at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Events turned so that they are bad, as floats.

    Attributes
    ----------
    events, n : ndarray of shape (n_groups * n_strata * 11,)
        Bad events and answers per score; of several groups, or strata, side by side.
    cluster_events, cluster_n : ndarray of shape (n_clusters, n_groups * n_strata * 11), or None
        The same per cluster with answers; a cluster that spans groups or strata is one.
    n_strata : int
        Strata of each group, each with a baseline of its own.
    """

    events: Floats
    n: Floats
    cluster_events: Floats | None = None
    cluster_n: Floats | None = None
    n_strata: int = 1

    @classmethod
    def of_group(cls, outcome: OutcomeByScore, group: int = 0) -> Sample:
        """The counts of one group of an outcome, all strata together."""
        return cls._of(outcome, [group], in_strata=False)

    @classmethod
    def in_strata(cls, outcome: OutcomeByScore, groups: Sequence[int] = (0,)) -> Sample:
        """One group or several side by side, each in its strata."""
        return cls._of(outcome, list(groups), in_strata=True)

    @classmethod
    def _of(cls, outcome: OutcomeByScore, groups: list[int], *, in_strata: bool) -> Sample:
        is_good, strata = outcome.direction == "good", outcome.strata if in_strata else None
        counts = outcome if strata is None else strata
        n, events = (values[groups].astype(float).ravel() for values in (counts.n, counts.events))
        n_strata = 1 if strata is None else strata.n.shape[1]
        kept: dict[str, Floats] = {}
        if (clusters := outcome.clusters) is not None:
            place = {group: position for position, group in enumerate(groups)}
            rows = np.isin(clusters.group, groups) & (clusters.n.sum(axis=1) > 0)
            code, labels = pd.factorize(clusters.label[rows])
            block = np.array([place[group] for group in clusters.group[rows].tolist()], dtype=np.int64) * n_strata
            if strata is not None and clusters.stratum is not None:
                block += clusters.stratum[rows]
            n_blocks = len(groups) * n_strata
            for name in ("n", "events"):
                blocks = group_sums(getattr(clusters, name)[rows], code * n_blocks + block, len(labels) * n_blocks)
                kept[f"cluster_{name}"] = blocks.reshape(len(labels), len(n))
            if is_good:
                kept["cluster_events"] = kept["cluster_n"] - kept["cluster_events"]
        return cls(events=n - events if is_good else events, n=n, n_strata=n_strata, **kept)

    @cached_property
    def pooled(self) -> Sample:
        """The same at one baseline, strata together; of several groups, each by itself."""
        if self.n_strata == 1:
            return self
        events, n = self.at_baseline(self.events, self.n)
        if self.cluster_events is None or self.cluster_n is None:
            return Sample(events=events, n=n)
        of_clusters = self.at_baseline(self.cluster_events, self.cluster_n)
        return Sample(events=events, n=n, cluster_events=of_clusters[0], cluster_n=of_clusters[1])

    @property
    def has_both(self) -> bool:
        """Whether in any stratum there are events and others."""
        events, n = (table.sum(axis=-1) for table in self._apart(self.events, self.n))
        return bool(((events > 0) & (events < n)).any())

    @cached_property
    def _weights(self) -> Floats:
        return stratum_weights(*self._apart(self.events, self.n))

    def _apart(self, events: Floats, n: Floats) -> tuple[Floats, Floats]:
        """Tables with axes for groups, strata and scores in place of the last."""
        shape = (*events.shape[:-1], -1, self.n_strata, N_SCORES)
        return events.reshape(shape), n.reshape(shape)

    def at_baseline(self, events: Floats, n: Floats) -> tuple[Floats, Floats]:
        """Tables of parts of the sample at the sample's own baseline."""
        if self.n_strata == 1:
            return events, n
        return _strata_together(*at_one_baseline(*self._apart(events, n), self._weights))

    def at_their_baseline(self, events: Floats, n: Floats) -> tuple[Floats, Floats]:
        """Tables that might have come instead, each at its own baseline."""
        if self.n_strata == 1:
            return events, n
        apart = self._apart(events, np.broadcast_to(n, events.shape))
        happened, of = _strata_together(*at_one_baseline(*apart, stratum_weights(*apart)))
        return np.clip(happened, 0.0, of), np.maximum(of, 0.0)

    def risks_in_strata(self, risks: Floats) -> Floats:
        """Risks of shape (n_shapes, n_groups * 11) at one baseline as those of each stratum."""
        if self.n_strata == 1:
            return risks
        of_groups = risks.reshape(len(risks), -1, N_SCORES)
        return stratum_risks(*self._apart(self.events, self.n), of_groups).reshape(len(risks), -1)

    @property
    def n_clusters(self) -> int:
        """How many clusters there are; answers, where they are independent."""
        return int(self.n.sum()) if self.cluster_n is None else len(self.cluster_n)

    def design_effect_of_cut(self, cut: int) -> float:
        """Design effect of the difference in risk across a cut."""
        is_below = np.arange(N_SCORES) <= cut
        return self.design_effect(is_below, ~is_below)

    def effective_clusters(self, scores: Flags) -> float:
        """Clusters of one size that would tell as much of some scores: (sum n)^2 / sum n^2; infinite without any."""
        if self.cluster_n is None:
            return np.inf
        n = self.cluster_n[:, scores].sum(axis=1)
        return float(n.sum() ** 2 / (n**2).sum())

    def design_effect(self, scores: Flags, others: Flags | None = None, *, of_ratio: bool = False) -> float:
        """Variance of a rate of scores, or of its difference from others', with clusters over without; 1 or more.

        `of_ratio` takes the logarithm of their ratio in place of the difference, where both have events.
        """
        if self.cluster_n is None or self.cluster_events is None or self.n_clusters < 2:
            return 1.0
        contrast, binomial = np.zeros(self.n_clusters), 0.0
        for side, sign in ((scores, 1), (others, -1)):
            if side is None:
                continue
            n = self.n[side].sum()
            if n == 0:
                return 1.0
            rate = self.events[side].sum() / n
            scale = n * rate if of_ratio and rate > 0 else n
            residual = self.cluster_events[:, side].sum(axis=1) - rate * self.cluster_n[:, side].sum(axis=1)
            contrast += sign * residual / scale
            binomial += rate * (1 - rate) * n / scale**2
        robust = float((contrast**2).sum()) * self.n_clusters / (self.n_clusters - 1)
        return max(robust / binomial, 1.0) if binomial > 0 else 1.0


def _strata_together(events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Groups and scores in one axis again."""
    return events.reshape(*events.shape[:-2], -1), n.reshape(*n.shape[:-2], -1)


def drawn_tables(sample: Sample, risks: Floats, *, n_resamples: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Events and answers that might have come under given risks, strata at one baseline that is each draw's own.

    `risks` has shape (n_shapes, n_groups * 11), at one baseline; so have the tables, n_resamples of each.
    """
    events = null_tables(sample, sample.risks_in_strata(risks), n_resamples=n_resamples, rng=rng)
    return sample.at_their_baseline(events, sample.n)


def null_tables(sample: Sample, risks: Floats, *, n_resamples: int, rng: np.random.Generator) -> Floats:
    """Events as they might have come under given risks, answers per score as they are.

    Independent answers: binomial. Clusters: their residuals from the risks, each cluster's whole with a random sign
    (the wild bootstrap of the score), so that the events of scores go together as they do between clusters. How much
    each score varies is the binomial variance under the risks, times what clusters add over all scores: a score with
    few answers that happens to have no event would else seem to vary hardly at all. Of risks of shape (n_shapes, 11)
    come tables of shape (n_shapes, n_resamples, 11); of strata they may lie beyond 0 and n until these are together.

    References
    ----------
    Kline, P. & Santos, A. (2012). A score based approach to wild bootstrap inference. Journal of Econometric Methods
    1, 23-41. doi:10.1515/2156-6674.1006
    """
    if sample.cluster_n is None or sample.cluster_events is None:
        size = (len(risks), len(sample.n), n_resamples)  # the same cell many times over is drawn faster
        drawn = rng.binomial(sample.n.astype(np.int64)[:, None], risks[..., None], size=size)
        return np.ascontiguousarray(np.swapaxes(drawn, 1, 2), dtype=float)
    both = np.hstack([sample.cluster_events, sample.cluster_n])
    blocks = [(2.0 * signs - 1.0) @ both for signs in _signs(n_resamples, len(both), rng)]
    moved, moved_n = np.split(np.concatenate(blocks), 2, axis=1)
    of_signs = _residual_variance(sample.cluster_events, sample.cluster_n, risks)
    binomial = sample.n * risks * (1 - risks)
    alike = of_signs.sum(axis=1, keepdims=True) / np.maximum(binomial.sum(axis=1, keepdims=True), 1e-300)
    size = np.sqrt(np.divide(alike * binomial, of_signs, out=np.zeros_like(binomial), where=of_signs > 0))
    events = sample.n * risks[:, None, :] + size[:, None, :] * (moved - moved_n * risks[:, None, :])
    return np.asarray(np.clip(events, 0.0, sample.n) if sample.n_strata == 1 else events)


def _residual_variance(events: Floats, n: Floats, risks: Floats) -> Floats:
    """Sum of squared residuals over clusters, for each shape of risks and score."""
    squares, products, squares_n = (events**2).sum(axis=0), (events * n).sum(axis=0), (n**2).sum(axis=0)
    small_sample = len(n) / max(len(n) - 1, 1)
    return np.asarray(small_sample * (squares - 2 * risks * products + risks**2 * squares_n))


def _signs(n_resamples: int, n_clusters: int, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Random bits, some rows at a time."""
    for rows in _blocks(n_resamples, n_clusters):
        n_bytes = -(-n_clusters // 8)
        raw = np.frombuffer(rng.bytes(rows * n_bytes), dtype=np.uint8).reshape(rows, n_bytes)
        yield np.unpackbits(raw, axis=1, count=n_clusters)


def resampled_tables(sample: Sample, *, n_resamples: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Events and answers of resamples, shape (n_resamples, 11): of answers within strata, or of clusters."""
    if sample.cluster_n is None or sample.cluster_events is None:
        parts = []
        for cells in np.stack([sample.events, sample.n - sample.events], axis=1).reshape(sample.n_strata, N_SCORES, 2):
            both = cells.T.ravel()
            parts.append(rng.multinomial(int(both.sum()), both / max(both.sum(), 1), size=n_resamples).astype(float))
        events = np.concatenate([part[:, :N_SCORES] for part in parts], axis=1)
        n = events + np.concatenate([part[:, N_SCORES:] for part in parts], axis=1)
        return sample.at_their_baseline(events, n)
    both = np.hstack([sample.cluster_events, sample.cluster_n])
    m = len(both)
    parts = []
    for rows in _blocks(n_resamples, m):
        chosen = rng.integers(m, size=(rows, m)) + m * np.arange(rows)[:, None]
        parts.append(np.bincount(chosen.ravel(), minlength=rows * m).reshape(rows, m) @ both)
    events, n = np.split(np.concatenate(parts), 2, axis=1)
    return sample.at_their_baseline(events, n)


def _blocks(n_rows: int, n_columns: int) -> Iterator[int]:
    at_once = max(1, _DRAWS_AT_ONCE // max(n_columns, 1))
    for start in range(0, n_rows, at_once):
        yield min(at_once, n_rows - start)


def fold_tables(sample: Sample, *, n_folds: int, n_repeats: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Events and answers of each fold of several random splits, shape (n_repeats, n_folds, 11); clusters stay whole.

    Strata are together at the whole sample's baseline, so that folds add up to `Sample.pooled`.
    """
    if sample.cluster_n is None or sample.cluster_events is None:
        cells = np.concatenate([sample.events, sample.n - sample.events]).astype(np.int64)
        drawn = rng.multinomial(cells, np.full(n_folds, 1 / n_folds), size=(n_repeats, len(cells))).astype(float)
        events, others = np.split(np.swapaxes(drawn, 1, 2), 2, axis=-1)
        return sample.at_baseline(events, events + others)
    both = np.hstack([sample.cluster_events, sample.cluster_n])
    n_folds = min(n_folds, len(both))
    begin = np.linspace(0, len(both), n_folds + 1).astype(int)[:-1]
    drawn = np.stack([np.add.reduceat(both[rng.permutation(len(both))], begin, axis=0) for _ in range(n_repeats)])
    events, n = np.split(drawn, 2, axis=-1)
    return sample.at_baseline(events, n)
