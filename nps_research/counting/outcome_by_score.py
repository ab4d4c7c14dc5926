"""OutcomeByScore: events per score 0-10 and group, and of the silent; all that comparisons of thresholds need.

`nps_research.counting.outcomes` counts it from a study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.grouped import Grouped
from nps_research.counting.score_bands import shown_cuts
from nps_research.errors import ContractError
from nps_research.results.suppression import hidden_rows
from nps_research.statistics.proportions import wilson_limits
from nps_research.typing import Integers

Direction = Literal["good", "bad"]

UNDATED = "The outcome is not dated after the answer: an association, no prediction."


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OutcomeClusters:
    """Counts per cluster, one row for each cluster that occurs in a group.

    Attributes
    ----------
    group : ndarray of int, shape (n_rows,)
        Position of the group.
    label : ndarray of object, shape (n_rows,)
        The cluster's identity; private. The same label in two groups is the same cluster.
    n, events : ndarray of int, shape (n_rows, 11)
        Answers at risk, and events among them, per score 0 to 10.
    nonrespondents, nonrespondent_events : ndarray of int, shape (n_rows,)
        The silent at risk, and events among them.
    stratum : ndarray of int, shape (n_rows,), or None
        Position among the strata: then a cluster has a row for each stratum of a group that it occurs in.
    """

    group: Integers
    label: NDArray[np.object_]
    n: Integers
    events: Integers
    nonrespondents: Integers
    nonrespondent_events: Integers
    stratum: Integers | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OutcomeStrata:
    """The same counts by stratum within each group: answers that share a baseline of risk, such as those of one wave.

    Attributes
    ----------
    by : tuple of str
        What the strata are: columns of the responses.
    n, events : ndarray of int, shape (n_groups, n_strata, 11)
        Answers at risk, and events among them, per score 0 to 10.
    """

    by: tuple[str, ...]
    n: Integers
    events: Integers


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OutcomeByScore(Grouped):
    """Events per score 0-10 and group: all that comparisons of thresholds need.

    Attributes
    ----------
    n, events : ndarray of int, shape (n_groups, 11)
        Answers at risk of the event, and events among them, per score 0 to 10.
    nonrespondents, nonrespondent_events : ndarray of int, shape (n_groups,), or None
        The silent at risk, and events among them; None where the data cannot tell who was silent.
    left_out : mapping of str to ndarray of int, shape (n_groups,)
        Rows in none of these, by reason. All together are the rows counted.
    clusters : OutcomeClusters or None
        The same per cluster.
    strata : OutcomeStrata or None
        The same per stratum, where there are several.
    outcome : str
        Name of the outcome, or its label.
    direction : {"good", "bad"}
        Whether the event is good (renewed) or bad (left).
    dated : bool or None
        Whether the event came after the answer; if not, all that follows is association only. None: not said.
    horizon_days : int or None
        Days after the landmark over which churn is counted; None for other outcomes.
    after_answers : bool
        Whether the landmark is the answer itself, since no invitations are recorded.
    not_shown : frozenset of str
        Groups that shared pages must not show.
    shown_first : (int, int) or None
        The study's `convention`, by which `cuts_shown` are chosen whatever lines are named: others would show other
        cuts, and both together what lies between; None while no others are named.
    confidence_level : float
        Level of the limits in `frame`.
    """

    n: Integers
    events: Integers
    nonrespondents: Integers | None = None
    nonrespondent_events: Integers | None = None
    left_out: Mapping[str, Integers] = field(default_factory=dict)
    clusters: OutcomeClusters | None = None
    strata: OutcomeStrata | None = None
    outcome: str = "event"
    direction: Direction = "bad"
    dated: bool | None = None
    horizon_days: int | None = None
    after_answers: bool = False
    not_shown: frozenset[str] = frozenset()
    shown_first: tuple[int, int] | None = None
    confidence_level: float = 0.95

    @classmethod
    def from_counts(
        cls,
        n: Sequence[int],
        events: Sequence[int],
        nonrespondents: tuple[int, int] | None = None,
        direction: Direction = "bad",
        *,
        promoter_min: int = 9,
        detractor_max: int = 6,
    ) -> OutcomeByScore:
        """An outcome by score from counts that are known already.

        Parameters
        ----------
        n, events : 11 ints
            Answers per score 0, 1, ..., 10, and events among them.
        nonrespondents : (int, int), optional
            The silent, and events among them.
        direction : {"bad", "good"}
            Whether the event is bad (left) or good (renewed, recommended).
        promoter_min, detractor_max : int
            Lowest promoter and highest detractor answer.

        Raises
        ------
        ContractError
            If there are not 11 counts each, one is negative or no whole number, or events are more than answers.
        EstimationError
            If the lines are impossible.

        Examples
        --------
        >>> outcome = OutcomeByScore.from_counts([4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 20], [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        >>> outcome.frame.query("n > 0")[["likelihood_to_recommend", "estimate"]].values.tolist()
        [[0.0, 0.5], [5.0, 0.2], [10.0, 0.05]]
        """
        if direction not in ("good", "bad"):
            raise ContractError(f"direction = {direction!r}: 'good' or 'bad' is needed.")
        counts = {"n": _whole("n", n, N_SCORES), "events": _whole("events", events, N_SCORES)}
        if (above := counts["events"] > counts["n"]).any():
            scores = ", ".join(str(score) for score in np.flatnonzero(above))
            raise ContractError(f"events: there are more than answers at score {scores}.")
        silent: dict[str, Any] = {}
        if nonrespondents is not None:
            there, left = _whole("nonrespondents", nonrespondents, 2)
            if left > there:
                raise ContractError("nonrespondents: there are more events among them than there are of them.")
            silent = {"nonrespondents": np.array([there]), "nonrespondent_events": np.array([left])}
        return cls(
            groups=("all",),
            n=counts["n"][None, :],
            events=counts["events"][None, :],
            direction=direction,
            promoter_min=promoter_min,
            detractor_max=detractor_max,
            **silent,
        )

    @property
    def convention(self) -> tuple[int, int]:
        """The study's highest detractor answer and highest passive answer."""
        return self.detractor_max, self.promoter_min - 1

    @property
    def frame(self) -> pd.DataFrame:
        """One row per group and score: group, likelihood_to_recommend, n, events, estimate, conf_low, conf_high.

        `estimate` is the rate of events among the answers, 0 to 1, with Wilson's score limits, which take answers as
        independent; NaN where a score has none. Groups by several keys have a column for each key, too.
        """
        low, high = wilson_limits(self.events, self.n, confidence_level=self.confidence_level)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = self.events / self.n
        frame = pd.DataFrame(
            {
                "group": np.repeat(np.array(self.groups, dtype=object), N_SCORES),
                "likelihood_to_recommend": np.tile(np.arange(N_SCORES), len(self.groups)),
                "n": self.n.ravel(),
                "events": self.events.ravel(),
                "estimate": rate.ravel(),
                "conf_low": low.ravel(),
                "conf_high": high.ravel(),
            }
        )
        return self.with_keys(frame)

    def with_lines(self, promoter_min: int | None, detractor_max: int | None) -> Self:
        """The same counts with other lines, and no other cuts on pages; None keeps the study's."""
        first = self.shown_first or self.convention
        return replace(super().with_lines(promoter_min, detractor_max), shown_first=first)

    @property
    def cuts_shown(self) -> tuple[int, ...]:
        """Lines between scores that pages may show the two sides of; those of the convention before the others."""
        if self.is_hidden:
            return ()
        return shown_cuts(self.n.sum(axis=0), self.minimum_cell, first=self.shown_first or self.convention)

    @property
    def hidden_groups(self) -> frozenset[str]:
        """Groups that pages must not show: those of the study, and those with few answers of known outcome."""
        small = hidden_rows(self.n.sum(axis=1), self.minimum_cell, in_time=self.ordered)
        return self.not_shown | {group for group, gone in zip(self.groups, small, strict=True) if gone}

    @property
    def is_hidden(self) -> bool:
        """Whether pages must show nothing of all the groups together."""
        return set(self.groups) <= self.hidden_groups

    def group(self, name: str | Sequence[str]) -> OutcomeByScore:
        """The outcome of one group alone, by its name or by its values of several keys."""
        row = self.place(name)
        clusters = self.clusters
        if clusters is not None:
            kept = clusters.group == row
            columns = {each.name: getattr(clusters, each.name) for each in fields(clusters)}
            of_group = {name: values[kept] for name, values in columns.items() if values is not None}
            clusters = OutcomeClusters(**of_group | {"group": np.zeros(int(kept.sum()), dtype=np.int64)})
        one, strata = slice(row, row + 1), self.strata
        if strata is not None:
            strata = replace(strata, n=strata.n[one], events=strata.events[one])
        return replace(
            self,
            groups=self.groups[one],
            keys=self.keys[one],
            n=self.n[one],
            events=self.events[one],
            nonrespondents=None if self.nonrespondents is None else self.nonrespondents[one],
            nonrespondent_events=None if self.nonrespondent_events is None else self.nonrespondent_events[one],
            left_out={reason: rows[one] for reason, rows in self.left_out.items()},
            clusters=clusters,
            strata=strata,
        )

    def __repr__(self) -> str:
        return (
            f"<OutcomeByScore: {self.outcome}, {len(self.groups)} groups, {int(self.n.sum()):,} answers, "
            f"{int(self.events.sum()):,} events>"
        )


def _whole(name: str, values: Sequence[int], size: int) -> Integers:
    try:
        given = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        given = np.array([])
    if given.shape != (size,):
        what = "11 counts are needed, for scores 0 to 10" if size == N_SCORES else "two are: of people, and of events"
        raise ContractError(f"{name}: {given.size} values arrived; {what}.")
    if not (np.isfinite(given) & (given >= 0) & (given == np.round(given))).all():
        raise ContractError(f"{name}: every count must be a whole number of 0 or more.")
    return given.astype(np.int64)
