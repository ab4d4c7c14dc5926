"""Does one line fit all? Where detractors end in each group, against a line common to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.given import as_outcomes
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.score_bands import band_text
from nps_research.errors import EstimationError
from nps_research.results.result import Result
from nps_research.results.words import joined, p_text, plain_text, quoted
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.study import Study
from nps_research.thresholds.evidence.resampling import Sample, drawn_tables
from nps_research.thresholds.evidence.shape_models import cut_logliks, cut_risks

NEAR_EDGE = 1e-9
GROUPS_NAMED = 2  # groups in the finding


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SegmentLines(Result):
    """The best line of each group of several groupings.

    `frame` columns: term (the grouping), group, n, events, common_cut (best line of the grouping's groups together),
    best_cut (highest score below the group's best line; missing where the outcome does not vary), statistic (twice the
    log-likelihood ratio of the group's own line over the common one), p_value, p_adjusted (Holm, over all groups of
    all groupings), term_p_value (of all lines of the grouping being one).
    """

    outcome: str = "event"
    n_resamples: int = 0

    kind: ClassVar[str] = "segment_lines"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Grouping",
        "common_cut": "Common line",
        "best_cut": "Own best line",
        "statistic": "Likelihood ratio",
    }
    formats: ClassVar[Mapping[str, str]] = {"common_cut": "count", "best_cut": "count"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "group",
        "n",
        "events",
        "common_cut",
        "best_cut",
        "statistic",
        "p_value",
        "p_adjusted",
    )

    @property
    def finding(self) -> str:
        rows = self._compared
        if not rows:
            return "No two groups have enough outcomes for their lines to be compared."
        clear = [row for row in rows if row["p_adjusted"] < 1 - self.confidence_level]
        if not clear:
            return f"No line of {len(rows)} groups differs detectably from the one common to its grouping."
        named = [f"{row['group']} ({band_text(0, int(row['best_cut']))})" for row in clear[:GROUPS_NAMED]]
        rest = [f"{len(clear) - GROUPS_NAMED} more"] if len(clear) > GROUPS_NAMED else []
        have = "has a line of its own" if len(clear) == 1 else "have lines of their own"
        return f"{len(clear)} of {len(rows)} groups {have}: {joined(named + rest)}."

    @property
    def _compared(self) -> list[dict[str, Any]]:
        return [row for row in self.records if not np.isnan(row["p_adjusted"])]

    @property
    def details(self) -> str:
        rows = self._compared
        if not rows:
            return ""
        least = min(row["p_adjusted"] for row in rows)
        smallest = f"Smallest adjusted {p_text(least)}."
        if least < 1 - self.confidence_level:
            return smallest
        return (
            f"{smallest} With few outcomes in a group a difference could be missed, and this does not show that there "
            "is a line."
        )

    @property
    def note(self) -> str:
        return (
            f"Outcome: {quoted(self.outcome)}. Lines are the highest score below. Each group's own best line against "
            f"the best line common to its grouping, by the likelihood ratio in {self.n_resamples:,} tables drawn under "
            "the common one; p-values adjusted for all groups of all groupings (Holm)."
        )


def compare_segments(
    outcomes: OutcomeByScore | Sequence[OutcomeByScore] | Study,
    *,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> SegmentLines:
    """Test whether groups share one line: the interaction of group and cut.

    The estimand is each group's own cut of a two-step risk. Under the null hypothesis all groups of a grouping have one
    cut, each with risks of its own, and baselines of its strata. Tables are drawn as in `compare_thresholds`; a cluster
    that spans groups has one sign in all of them. Groups that pages must not show take no part.

    Parameters
    ----------
    outcomes : OutcomeByScore, a sequence of them, or Study
        One for each grouping, counted with ``by``; of a Study churn, or its only yes/no outcome, by each segment.
    n_resamples : int
        Tables drawn under the common line.
    confidence_level : float
        1 less the level at which a group's line is called its own.
    rng : numpy.random.Generator, optional
        Source of the draws; None starts a fixed one.

    Returns
    -------
    SegmentLines

    Raises
    ------
    EstimationError
        If no grouping was given, or they are of different outcomes.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> from nps_research.counting.outcomes import outcome_by_score
    >>> table = pd.DataFrame({"likelihood_to_recommend": [0, 10] * 40, "area": ["A", "A", "B", "B"] * 20})
    >>> table["Left"] = (["yes", "no"] * 18 + ["no", "yes"] * 2) * 2
    >>> left = {"table": "responses", "column": "Left", "event": ["yes"], "no_event": ["no"], "direction": "bad"}
    >>> study = Study.from_frames(responses=table, segments=["area"], outcomes={"left": left})
    >>> compare_segments(outcome_by_score(study, outcome="left", by="area"), n_resamples=200).frame["best_cut"].tolist()
    [0.0, 0.0]
    """
    check_level(confidence_level)
    given = as_outcomes(outcomes, by_segments=True)
    if not given:
        raise EstimationError("No grouping was given.")
    if len({outcome.outcome for outcome in given}) > 1:
        raise EstimationError("The groupings are of different outcomes: compare one at a time.")
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    frame = pd.concat([_of_grouping(outcome, n_resamples, rng) for outcome in given], ignore_index=True)
    return SegmentLines(
        frame=frame.assign(p_adjusted=adjust_p_values(frame["p_value"].to_numpy(dtype=float))),
        confidence_level=confidence_level,
        title=f"Where detractors end, group by group, by {quoted(given[0].outcome)}",
        minimum_cell=max(outcome.minimum_cell for outcome in given),
        hidden=frozenset().union(*(outcome.hidden_groups for outcome in given)),
        outcome=given[0].outcome,
        n_resamples=n_resamples,
    )


def _of_grouping(outcome: OutcomeByScore, n_resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of one grouping; missing where a group cannot be compared."""
    n, events = outcome.n.sum(axis=1), outcome.events.sum(axis=1)
    frame = pd.DataFrame(
        {
            "term": " and ".join(plain_text(name) for name in outcome.by),
            "group": outcome.groups,
            "n": n,
            "events": events,
        }
    ).assign(**dict.fromkeys(("common_cut", "best_cut", "statistic", "p_value", "term_p_value"), np.nan))
    shown = np.array([group not in outcome.hidden_groups for group in outcome.groups], dtype=bool)
    tested = np.flatnonzero((events > 0) & (events < n) & shown)
    if len(tested) < 2:
        return frame
    sample = Sample.in_strata(outcome, tested.tolist())
    shape = (len(tested), N_SCORES)
    events_of, n_of = (values.reshape(shape) for values in (sample.pooled.events, sample.pooled.n))
    own = cut_logliks(events_of, n_of)
    common = int(own.sum(axis=0).argmax())
    risks = np.concatenate([cut_risks(of, m, common) for of, m in zip(events_of, n_of, strict=True)])
    drawn, drawn_n = (
        np.broadcast_to(values, (1, n_resamples, len(risks)))[0].reshape(n_resamples, *shape)
        for values in drawn_tables(sample, risks[None], n_resamples=n_resamples, rng=rng)
    )
    of_drawn = cut_logliks(drawn, drawn_n)
    best = of_drawn.sum(axis=1).argmax(axis=1)
    at_common = np.take_along_axis(of_drawn, best[:, None, None], axis=2)[..., 0]
    null, gain = of_drawn.max(axis=2) - at_common, own.max(axis=1) - own[:, common]
    p_values = (1 + (null >= gain - NEAR_EDGE).sum(axis=0)) / (n_resamples + 1)
    together = (1 + (null.sum(axis=1) >= gain.sum() - NEAR_EDGE).sum()) / (n_resamples + 1)
    found = {"best_cut": own.argmax(axis=1), "statistic": 2 * gain, "p_value": p_values}
    frame.loc[tested, list(found)] = np.column_stack(list(found.values()))
    return frame.assign(common_cut=float(common), term_p_value=together)
