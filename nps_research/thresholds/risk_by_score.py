"""The rate of an outcome by score, in bands that may be shown, with the shapes fitted to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.given import as_outcome
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.score_bands import band_text, bands_between
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import format_interval, joined, quoted, share
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.shape_models import cut_logliks, cut_risks, line_risks
from nps_research.thresholds.of_outcome import OfOutcome


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RiskByScore(OfOutcome):
    """Rates of an outcome in bands of scores.

    `frame` columns: term (the band), low, high (its scores), n, events, estimate (rate), conf_low, conf_high;
    best_line, straight_line (fitted rates, the mean over the band's answers).
    """

    convention: tuple[int, ...] = (6, 8)
    n_clusters: int | None = None
    horizon_days: int | None = None
    after_answers: bool = False
    may_show: bool = True
    left_out: Mapping[str, int] | None = None
    within: str = ""

    kind: ClassVar[str] = "risk_by_score"
    unsaid: ClassVar[tuple[str, ...]] = (*OfOutcome.unsaid, "left_out")
    headings: ClassVar[Mapping[str, str]] = {"term": "Score", "estimate": "Rate"}
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share"}
    table_columns: ClassVar[tuple[str, ...]] = ("term", "n", "events", "estimate", "conf_high")

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame[(self.frame["n"] > 0) & self.may_show].reset_index(drop=True)

    @property
    def full_note(self) -> str:
        return self.note if self.may_show else ""

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            few = f" of {self.minimum_cell} or more" if not self.may_show else ""
            return f"{quoted(self.outcome)} is not known{few}."
        named = [
            f"{share(sum(row['events'] for row in within) / sum(row['n'] for row in within))} of answers "
            f"{band_text(low, high)}"
            for low, high in bands_between(self.convention)
            if (within := [row for row in rows if low <= row["low"] and row["high"] <= high])
        ]
        return f"{quoted(self.outcome)} applies to {joined(named)}."

    @property
    def details(self) -> str:
        rows = self.records
        return self.said(f"Base: {sum(row['n'] for row in rows):,} answers.") if rows else ""

    @property
    def note(self) -> str:
        alike = "" if self.n_clusters is None else f", at the effective answers of {self.n_clusters:,} clusters"
        counts = {words: (self.left_out or {}).get(reason, 0) for reason, words in _LEFT_OUT.items()}
        gone = hidden_rows(list(counts.values()), self.minimum_cell)
        told = [item for item, hidden in zip(counts.items(), gone, strict=True) if item[1] and not hidden]
        out = "; ".join(f"{words}: {count:,}" for words, count in told)
        left = f" Not counted: {out}." if out else ""
        after = "each answer." if self.after_answers else "the landmark; an answer after the window is silence."
        horizon = f" Counted over {self.horizon_days} days after {after}" if self.horizon_days else ""
        within = f" Both shapes are fitted within each {self.within}." if self.within else ""
        return f"Wilson's limits{alike}. Neighbouring scores with few answers stand together.{within}{horizon}{left}"

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{row['term']}: {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        )
        return f"Rate of the outcome by score with interval bars, the best step and a straight line: {rows}."


def rates_of_bands(
    outcome: OutcomeByScore, bands: Sequence[tuple[int, int]] | None = None, *, confidence_level: float
) -> pd.DataFrame:
    """Rates of bands of scores with Wilson's limits at the effective answers; None takes the study's three classes.

    Columns: term (the band), low, high (its scores), n, events, estimate, conf_low, conf_high.
    """
    sample, scores = Sample.of_group(outcome), np.arange(N_SCORES)
    rows = []
    for low, high in bands_between(sorted(set(outcome.convention))) if bands is None else bands:
        member = (scores >= low) & (scores <= high)
        n, events = (float(values[0][member].sum()) for values in (outcome.n, outcome.events))
        deff = sample.design_effect(member)
        limits = wilson_limits(np.array([events / deff]), np.array([n / deff]), confidence_level=confidence_level)
        rows.append(
            {
                "term": band_text(low, high),
                "low": low,
                "high": high,
                "n": int(n),
                "events": int(events),
                "estimate": events / n if n else np.nan,
                "conf_low": float(limits[0][0]),
                "conf_high": float(limits[1][0]),
            }
        )
    return pd.DataFrame(rows)


_LEFT_OUT = {
    "gone_before_landmark": "gone before the landmark",
    "outcome_unobserved": "not observed over the whole horizon",
    "outcome_unknown": "outcome not known",
    "no_customer": "no such customer",
    "no_date": "no date",
    "item_missing": "returned without an answer",
}


def risk_by_score(
    outcome: OutcomeByScore | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> RiskByScore:
    """Estimate the rate of an outcome by score, 0 to 1, with Wilson's limits at the effective answers.

    Parameters
    ----------
    outcome : OutcomeByScore or Study
        One group's outcomes by score; of a Study churn is counted, or its only yes/no outcome.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits, each band by itself.

    Returns
    -------
    RiskByScore
        One row for each band of scores between the lines that pages may show.

    Raises
    ------
    EstimationError
        If there are several groups.

    Examples
    --------
    >>> from nps_research.counting.outcome_by_score import OutcomeByScore
    >>> outcome = OutcomeByScore.from_counts([20, 0, 0, 0, 0, 0, 80, 0, 0, 0, 100], [10, 0, 0, 0, 0, 0, 10, 0, 0, 0, 5])
    >>> risk_by_score(outcome).frame.query("n > 0")["estimate"].tolist()
    [0.5, 0.125, 0.05]
    """
    outcome = as_outcome(outcome, promoter_min=promoter_min, detractor_max=detractor_max)
    sample, table, is_good = Sample.of_group(outcome), Sample.in_strata(outcome).pooled, outcome.direction == "good"
    shapes = {"best_line": np.full(N_SCORES, np.nan), "straight_line": np.full(N_SCORES, np.nan)}
    if 0 < table.events.sum() < table.n.sum():
        best = int(cut_logliks(table.events, table.n).argmax())
        if best in outcome.cuts_shown:
            shapes["best_line"] = cut_risks(table.events, table.n, best)
        shapes["straight_line"] = line_risks(table.events, table.n)
    bands = bands_between(outcome.cuts_shown)
    frame = rates_of_bands(outcome, bands, confidence_level=confidence_level)
    for name, risk in shapes.items():
        fitted = 1 - risk if is_good else risk
        with np.errstate(invalid="ignore"):
            frame[name] = [
                sample.n[low : high + 1] @ fitted[low : high + 1] / sample.n[low : high + 1].sum()
                for low, high in bands
            ]
    return RiskByScore(
        frame=frame,
        confidence_level=confidence_level,
        title=f"{quoted(outcome.outcome)} by score",
        minimum_cell=outcome.minimum_cell,
        convention=tuple(cut for cut in outcome.convention if cut in outcome.cuts_shown),
        outcome=outcome.outcome,
        dated=outcome.dated,
        n_clusters=None if outcome.clusters is None else sample.n_clusters,
        horizon_days=outcome.horizon_days,
        after_answers=outcome.after_answers,
        may_show=not outcome.is_hidden,
        left_out={reason: int(rows[0]) for reason, rows in outcome.left_out.items()},
        within="" if outcome.strata is None else joined(outcome.strata.by),
    )
