"""ScoreDistribution: answers per score 0-10 and group; all that the score statistics need.

`nps_research.counting.score_counts` makes it in one pass over a study's rows; nothing after that depends on how
many rows there were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.cluster_sums import N_SCORES, ClusterSums, merged_clusters
from nps_research.counting.grouped import Grouped
from nps_research.errors import ContractError
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.results.suppression import hidden_rows
from nps_research.results.unit_ranges import MANY, error_tells_of_units, errors_tell_together
from nps_research.typing import Flags, Floats, Integers, Numbers


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreDistribution(Grouped):
    """Counts of answers per score and of missing answers, per group. Distributions add.

    Attributes
    ----------
    counts : ndarray of int, shape (n_groups, 11)
        Answers per score 0 to 10.
    item_missing, nonrespondents, not_reached, pending : ndarray of int, shape (n_groups,), or None
        Returned without this answer; delivered, window closed, nothing returned; bounced; nothing
        returned yet, window open. None where the data cannot tell.
    weight_sums, squared_weight_sums : ndarray, shape (n_groups, 11), or None
        Sums of weights and of squared weights per score; None where every answer counts 1.
    clusters : ClusterSums or None
        Per-cluster sums, where answers within clusters are alike.
    not_shown : frozenset of str or None
        Groups that shared pages must not show; None works them out from these groups alone.
    told_elsewhere : frozenset of str
        Groups in which the weighted score would tell of one unit together with what else is shown.
    errors_told, barred, apart, errors_beside
        Groups whose error over clusters tells of one (None: looked for here), and `account_units.scores_beside`.
    target : float or None
        The score that the study aims at, in points.
    """

    counts: Integers
    item_missing: Integers | None = None
    nonrespondents: Integers | None = None
    not_reached: Integers | None = None
    pending: Integers | None = None
    weight_sums: Floats | None = None
    squared_weight_sums: Floats | None = None
    clusters: ClusterSums | None = None
    not_shown: frozenset[str] | None = None
    told_elsewhere: frozenset[str] = frozenset()
    errors_told: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    apart: tuple[frozenset[str], ...] = ()
    errors_beside: bool = False
    target: float | None = None

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, Sequence[int]],
        *,
        item_missing: Mapping[str, int] | None = None,
        nonrespondents: Mapping[str, int] | None = None,
        not_reached: Mapping[str, int] | None = None,
        ordered: bool = False,
        promoter_min: int = 9,
        detractor_max: int = 6,
    ) -> ScoreDistribution:
        """A distribution from counts that are known already.

        Parameters
        ----------
        counts : mapping of str to 11 ints
            Group to its answers per score 0, 1, ..., 10.
        item_missing, nonrespondents, not_reached : mapping of str to int, optional
            Missing answers per group; leave out what is not known.
        ordered : bool
            Whether the groups follow each other in time.
        promoter_min, detractor_max : int
            Lowest promoter and highest detractor answer.

        Raises
        ------
        ContractError
            If a group has not 11 counts, or one is negative or no whole number.
        EstimationError
            If the lines are impossible.

        Examples
        --------
        >>> dist = ScoreDistribution.from_counts({"2018": [0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 5]})
        >>> dist.n.tolist()
        [14]
        """
        groups = tuple(str(group) for group in counts)
        if not groups:
            raise ContractError("counts: no group was given.")
        for group, row in counts.items():
            values = _numbers(row)
            if values.shape != (N_SCORES,):
                raise ContractError(
                    f"counts of {group!r}: {values.size} values arrived; 11 are needed, for scores 0 to 10."
                )
            if not ((values >= 0) & (values == np.round(values)) & np.isfinite(values)).all():
                raise ContractError(f"counts of {group!r}: every count must be a whole number of 0 or more.")
        extra = {"item_missing": item_missing, "nonrespondents": nonrespondents, "not_reached": not_reached}
        for name, known in extra.items():
            if known is None:
                continue
            if strange := [group for group in known if str(group) not in groups]:
                raise ContractError(f"{name}: no counts for group {strange[0]!r}.")
            if wrong := [group for group, count in known.items() if not (np.isfinite(count) and count >= 0)]:
                raise ContractError(f"{name} of {wrong[0]!r}: must be a whole number of 0 or more.")

        def per_group(known: Mapping[str, int] | None) -> Integers | None:
            return None if known is None else np.array([known.get(group, 0) for group in counts], dtype=np.int64)

        return cls(
            groups=groups,
            counts=np.array([list(row) for row in counts.values()], dtype=np.int64),
            item_missing=per_group(item_missing),
            nonrespondents=per_group(nonrespondents),
            not_reached=per_group(not_reached),
            ordered=ordered,
            promoter_min=promoter_min,
            detractor_max=detractor_max,
        )

    def _repr_html_(self) -> str:
        from nps_research.results.display import result_html
        from nps_research.results.listing import Listing

        table = pd.DataFrame({"group": self.groups, "n": self.n}).join(pd.DataFrame(self.counts).rename(columns=str))
        says = f"Answers per score, by {' and '.join(self.by)}." if self.by else "Answers per score."
        shown: dict[str, Any] = {"minimum_cell": self.minimum_cell, "hidden": self.not_shown}
        return result_html(Listing(frame=table, title="Answers per score", says=says, **shown))

    @property
    def n(self) -> Integers:
        """Answers per group, shape (n_groups,)."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.int64)

    @property
    def is_simple(self) -> bool:
        """Whether the answers are independent and count the same."""
        return self.clusters is None and self.weight_sums is None

    @property
    def response_rate(self) -> Floats | None:
        """Returned forms among delivered invitations whose window has closed, shape (n_groups,).

        AAPOR's RR2 (2023 Standard Definitions) among the reached: forms returned without this answer
        count as returned; bounced invitations are in ``reach``, not here. None where unknown, NaN where
        a window is still open: those who answer early would count, and those who may yet answer not.
        """
        if self.nonrespondents is None:
            return None
        returned = self.n + (0 if self.item_missing is None else self.item_missing)
        delivered = returned + self.nonrespondents
        rate: Floats = np.divide(returned, delivered, out=np.full(len(self.groups), np.nan), where=delivered > 0)
        return rate if self.pending is None else np.where(self.pending > 0, np.nan, rate)

    @property
    def hidden_groups(self) -> frozenset[str]:
        """The groups of which shared pages must not show the score."""
        return self.small_groups | self.weights_tell_of

    @property
    def small_groups(self) -> frozenset[str]:
        """The groups that shared pages must not show at all: of few answers, or such that would give them away."""
        if self.not_shown is not None:
            return self.not_shown & frozenset(self.groups)
        missing = (self.item_missing, self.nonrespondents, self.not_reached, self.pending)
        people = sum((values for values in missing if values is not None), self.n)
        gone = hidden_rows(self.n, self.minimum_cell, people=people, in_time=self.ordered)
        return frozenset(group for group, hidden in zip(self.groups, gone, strict=True) if hidden)

    @property
    def hidden(self) -> Flags:
        """Which groups shared pages must not show, shape (n_groups,)."""
        hidden = self.hidden_groups
        return np.array([group in hidden for group in self.groups], dtype=bool)

    @cached_property
    def few_units(self) -> frozenset[str]:
        """The groups, not `small_groups`, whose weighted score, or error over clusters, would tell of one unit."""
        few = np.zeros(len(self.groups), dtype=bool)
        if self.minimum_cell > 1 and self.clusters is not None:
            weight, n = self.clusters.sums.sum(axis=1), self.clusters.n
            for row in range(len(few)):
                own = self.clusters.group == row
                few[row] = tells_of_one(weight[own], n[own], self.minimum_cell)
        elif self.minimum_cell > 1 and self.weight_sums is not None and self.squared_weight_sums is not None:
            few = answers_tell_of_one(self.weight_sums.sum(axis=1), self.squared_weight_sums.sum(axis=1))
        found = frozenset(group for group, is_few in zip(self.groups, few, strict=True) if is_few)
        return (found | self.told_elsewhere & frozenset(self.groups)) - self.small_groups

    @cached_property
    def weights_tell_of(self) -> frozenset[str]:
        """Where answers are weighted: the `few_units`, and the smallest groups that must be hidden beside them.

        Together those hidden must keep the rule too, or the total less the others would tell. By revenue, groups do
        not add up: an account counts in each with all it brings in.
        """
        gone = self.few_units if self.weight_sums is not None else frozenset()
        if (
            not gone
            or self.design.get("weight") == "revenue"
            or len(self.groups) == 1
            or self._together(self.groups).few_units
        ):
            return gone  # the total is not shown
        for row in np.argsort(self.n, kind="stable"):
            if not self._together(gone | self.small_groups).few_units:
                break
            gone |= {self.groups[row]}
        return gone

    @cached_property
    def errors_tell(self) -> frozenset[str]:
        """The `few_units`, and the groups whose error over clusters would tell of one beside the score.

        By revenue, both are judged together with what else is told of accounts: `told_elsewhere`.
        """
        told, clusters = set(self.few_units), self.clusters
        if self.errors_told is not None:
            return (self.few_units | self.errors_told & frozenset(self.groups)) - self.small_groups
        if self.minimum_cell <= 1 or clusters is None or self.design.get("weight") == "revenue":
            return frozenset(told)
        classes, n = self.classes(clusters.sums), clusters.n.astype(np.float64)
        some = (n > 0) & (classes.sum(axis=1) > 0)
        for row, group in enumerate(self.groups):
            own = (clusters.group == row) & some
            if group not in told and own.any() and error_tells_of_units(classes[own], n[own], self.minimum_cell):
                told.add(group)
        left = [row for row in np.unique(clusters.group[some]) if self.groups[row] not in told | self.small_groups]
        few = self.weight_sums is None and len(set(clusters.label)) == len(clusters.label) <= MANY
        while (
            few and len(self.groups) > 1 and left and some.any()
        ):  # a cluster is in one group: beside the error of all
            if not errors_tell_together(classes[some], clusters.group[some], left, self.minimum_cell):
                break
            least = min(left, key=lambda row: int((clusters.group == row).sum()))
            told.add(self.groups[left.pop(left.index(least))])
        return frozenset(told) - self.small_groups

    @property
    def error_tells(self) -> Flags:
        """Groups of which the score may be shown and its error over clusters not; shape (n_groups,)."""
        told = self.errors_tell - (self.few_units if self.weight_sums is not None else frozenset())
        return np.array([group in told for group in self.groups], dtype=bool)

    def _together(self, groups: Iterable[str]) -> ScoreDistribution:
        apart = replace(self, not_shown=frozenset(), told_elsewhere=frozenset(), minimum_cell=0)
        together = apart.select(sorted(groups)).total()
        return replace(together, not_shown=frozenset(), minimum_cell=self.minimum_cell)

    @property
    def of_results(self) -> dict[str, Any]:
        """What every result of these groups is told: the study's lines, and which groups pages must not show."""
        shown = {"minimum_cell": self.minimum_cell, "hidden": self.hidden_groups, "few_units": self.errors_tell}
        return shown | {"promoter_min": self.promoter_min, "detractor_max": self.detractor_max}

    @property
    def weights(self) -> Floats:
        """Sums of weights per score (counts, where unweighted), shape (n_groups, 11)."""
        return self.counts.astype(np.float64) if self.weight_sums is None else self.weight_sums

    def classes(self, per_score: Numbers | None = None) -> Floats:
        """Detractors, passives and promoters, shape (..., 3), of sums per score, shape (..., 11); None: the weights."""
        values = np.asarray(self.weights if per_score is None else per_score, dtype=np.float64)
        parts = np.split(values, [self.detractor_max + 1, self.promoter_min], axis=-1)
        return np.stack([part.sum(axis=-1) for part in parts], axis=-1)

    @property
    def shares(self) -> Floats:
        """Shares of detractors, passives and promoters, shape (n_groups, 3); NaN without answers."""
        classes = self.classes()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(classes / classes.sum(axis=1, keepdims=True))

    def group(self, name: str | Sequence[str]) -> ScoreDistribution:
        """The distribution of one group alone, by its name or by its values of several keys."""
        return self.select([name])

    def select(self, names: Sequence[str | Sequence[str]]) -> ScoreDistribution:
        """The distribution of some groups, in the order named."""
        rows = np.array([self.place(name) for name in names], dtype=np.int64)
        clusters = self.clusters
        if clusters is not None:
            place = np.full(len(self.groups), -1)
            place[rows] = np.arange(len(rows))
            kept = place[clusters.group] >= 0
            clusters = clusters.kept(kept, place[clusters.group[kept]])
        groups = tuple(self.groups[row] for row in rows)
        return replace(
            self._with_arrays(groups, lambda values: values[rows], clusters),
            keys=tuple(self.keys[row] for row in rows) if self.keys else (),
            not_shown=self.small_groups,
            told_elsewhere=self.weights_tell_of,
        )

    def total(self) -> ScoreDistribution:
        """All groups together, as one."""
        clusters = self.clusters
        if clusters is not None:
            clusters = merged_clusters(
                np.zeros_like(clusters.group), clusters.label, clusters.sums, clusters.answers, strata=clusters.strata
            )
        together = self._with_arrays(("all",), lambda values: values.sum(axis=0, keepdims=True), clusters)
        return replace(together, keys=(), not_shown=None, errors_told=None)

    def __add__(self, other: ScoreDistribution) -> ScoreDistribution:
        """The distribution of two samples together."""
        if not isinstance(other, ScoreDistribution):
            return NotImplemented
        if (self.weight_sums is None) != (other.weight_sums is None) or (self.clusters is None) != (
            other.clusters is None
        ):
            raise ContractError("Only distributions with the same weighting and clustering can be added.")
        lines, others = ((part.promoter_min, part.detractor_max) for part in (self, other))
        if lines != others:
            raise ContractError(
                f"Only distributions with the same lines can be added: one has promoter_min = {lines[0]} and "
                f"detractor_max = {lines[1]}, the other {others[0]} and {others[1]}."
            )
        groups = tuple(dict.fromkeys([*self.groups, *other.groups]))
        place = {group: row for row, group in enumerate(groups)}
        rows = [np.array([place[group] for group in part.groups], dtype=np.int64) for part in (self, other)]

        def added(name: str) -> Numbers | None:
            parts: list[Any] = [getattr(part, name) for part in (self, other)]
            if parts[0] is None or parts[1] is None:
                return None
            total: Numbers = np.zeros((len(groups), *parts[0].shape[1:]), dtype=parts[0].dtype)
            for where, values in zip(rows, parts, strict=True):
                np.add.at(total, where, values)
            return total

        clusters = None
        if self.clusters is not None and other.clusters is not None:
            strata = [part.strata for part in (self.clusters, other.clusters)]
            if (strata[0] is None) != (strata[1] is None):
                raise ContractError("Only distributions with the same weighting, clustering and strata can be added.")
            clusters = merged_clusters(
                np.concatenate(
                    [where[part.group] for where, part in zip(rows, (self.clusters, other.clusters), strict=True)]
                ),
                np.concatenate([self.clusters.label, other.clusters.label]),
                np.concatenate([self.clusters.sums, other.clusters.sums]),
                np.concatenate([self.clusters.n, other.clusters.n]).astype(np.int64),
                strata=None if strata[0] is None else {**strata[0], **(strata[1] or {})},
            )
        arrays: dict[str, Any] = {name: added(name) for name in _ARRAYS}
        both_keyed = self.by == other.by and self.keys and other.keys
        keys = dict(zip(self.groups + other.groups, self.keys + other.keys, strict=True)) if both_keyed else {}
        together = replace(
            self,
            groups=groups,
            keys=tuple(keys[group] for group in groups if keys),
            clusters=clusters,
            ordered=self.ordered and other.ordered,
            minimum_cell=max(self.minimum_cell, other.minimum_cell),
            not_shown=None,
            errors_told=None,
            **arrays,
        )
        before = self.hidden_groups | other.hidden_groups  # less the one sample, the sum would tell of the other
        return replace(together, not_shown=before | together.hidden_groups) if before else together

    def _with_arrays(
        self, groups: tuple[str, ...], change: Callable[[Numbers], Numbers], clusters: ClusterSums | None
    ) -> ScoreDistribution:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        changed: dict[str, Any] = {name: None if values is None else change(values) for name, values in arrays.items()}
        return replace(self, groups=groups, clusters=clusters, **changed)

    def __repr__(self) -> str:
        return f"<ScoreDistribution: {len(self.groups)} groups, {int(self.n.sum()):,} answers>"


_ARRAYS = ("counts", "item_missing", "nonrespondents", "not_reached", "pending", "weight_sums", "squared_weight_sums")


def _numbers(row: Sequence[float]) -> Floats:
    try:
        return np.asarray(row, dtype=float)
    except (TypeError, ValueError):
        return np.full(N_SCORES, np.nan)
