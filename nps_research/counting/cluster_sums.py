"""Sums of answers by cluster: who belongs together, within each group of a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.statistics.group_sums import group_sums
from nps_research.typing import Floats, Integers, Numbers

N_SCORES = 11


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClusterSums:
    """Sums of weights per score, one row for each cluster that occurs in a group.

    Attributes
    ----------
    group : ndarray of int, shape (n_rows,)
        Position of the group in the distribution.
    label : ndarray of object, shape (n_rows,)
        The cluster's identity; private. The same label in two groups is the same cluster.
    sums : ndarray, shape (n_rows, 11)
        Sums of weights per score (counts, where unweighted).
    answers : ndarray of int, shape (n_rows,), or None
        Answers of each row; None where the sums are counts.
    strata : mapping of label to str, or None
        The stratum of each cluster of the sample, those without answers in these groups among them: they
        count in how many clusters a stratum has. None where clusters were not drawn in strata.
    """

    group: Integers
    label: NDArray[np.object_]
    sums: Floats
    answers: Integers | None = None
    strata: Mapping[str, str] | None = None

    @property
    def n(self) -> Numbers:
        """Answers of each row, shape (n_rows,)."""
        return self.sums.sum(axis=1) if self.answers is None else self.answers

    def kept(self, rows: Numbers, group: Numbers | None = None) -> ClusterSums:
        """Some of the rows, in other groups if these are given."""
        answers = None if self.answers is None else self.answers[rows]
        group = self.group[rows] if group is None else group
        return replace(self, group=group, label=self.label[rows], sums=self.sums[rows], answers=answers)

    @property
    def code(self) -> Integers:
        """Clusters as integers, the same for the same label."""
        codes, _ = pd.factorize(self.label)
        return np.asarray(codes, dtype=np.int64)

    @property
    def stratum_codes(self) -> tuple[Integers, Integers | None]:
        """The stratum of each row as an integer, and how many clusters each stratum has (None without strata)."""
        if self.strata is None:
            return np.zeros(len(self.group), dtype=np.int64), None
        sizes = pd.Series(list(self.strata.values()), dtype=object).value_counts(sort=False)
        place = {stratum: code for code, stratum in enumerate(sizes.index)}
        codes = np.array([place[self.strata[label]] for label in self.label], dtype=np.int64)
        return codes, np.asarray(sizes, dtype=np.int64)


def merged_clusters(
    group: Integers,
    label: NDArray[np.object_],
    sums: Floats,
    answers: Numbers | None = None,
    *,
    strata: Mapping[str, str] | None = None,
) -> ClusterSums:
    """Cluster sums with rows of the same group and label added up."""
    code, labels = pd.factorize(label)
    key, row = np.unique(np.stack([group, code]), axis=1, return_inverse=True)
    total = group_sums(sums, row.ravel(), key.shape[1])
    n = None if answers is None else np.bincount(row.ravel(), weights=answers).astype(np.int64)
    return ClusterSums(
        group=key[0].astype(np.int64),
        label=np.asarray(labels, dtype=object)[key[1]],
        sums=total,
        answers=n,
        strata=strata,
    )
