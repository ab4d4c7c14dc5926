"""ThresholdComparison: every line between scores, the verdict, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.outcome_by_score import Direction
from nps_research.counting.score_bands import band_text
from nps_research.results.result import KeyNumber
from nps_research.results.words import format_interval, joined, p_text, plain_text, quoted, share
from nps_research.thresholds.evidence.shape_models import CUTS
from nps_research.thresholds.evidence.verdict import LineWord, cuts_text
from nps_research.thresholds.of_outcome import ByCut, within_text
from nps_research.thresholds.shapes import GroupLines, ThresholdModels


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ThresholdComparison(ByCut):
    """Every line between scores, and the verdict on the convention.

    `frame` columns, a row for each cut 0 to 9: cut (highest score below the line), n_below, events_below, rate_below,
    rate_above (each with limits of its own), risk_ratio (below / above) with its std_error (of its logarithm),
    conf_low and conf_high, within strata where there are any; deviance
    (against a risk of its own for each score that never rises), p_value (of the likelihood ratio against the best
    line), selection_share (of resamples in which this is the best line).

    Attributes
    ----------
    verdict : str
        ``"keep"``, ``"move"``, ``"gradual"``, ``"flat"``, ``"reversed"`` or ``"undecided"``.
    reason : str
        What the verdict rests on, or why there is none.
    best_cut : int or None
        Highest score below the best line; None without events.
    confidence_set : tuple of int
        The cuts that the likelihood ratio does not exclude.
    models : ThresholdModels
    three_groups : GroupLines
    required_events : int or None
        When undecided: events at which a decision could be expected with a chance of 80%, if the risks are as they
        seem now; None if decided, or where no number would do.
    largest_difference : float
        Upper limit of the difference in risk across the conventional line that the data allow.
    classes : DataFrame
        Rates of detractors, passives and promoters by the study's lines: term, low, high, n, events, estimate,
        conf_low, conf_high. Where the verdict is ``"gradual"``, figure, sentence and key numbers are theirs.
    strata : tuple of str
        What has baselines of its own, such as waves.
    """

    verdict: LineWord
    reason: str
    best_cut: int | None
    confidence_set: tuple[int, ...]
    models: ThresholdModels
    three_groups: GroupLines
    required_events: int | None
    largest_difference: float
    classes: pd.DataFrame
    strata: tuple[str, ...] = ()
    direction: Direction = "bad"
    detractor_max: int = 6
    promoter_min: int = 9
    n: int = 0
    n_events: int = 0
    n_clusters: int | None = None
    n_resamples: int = 0
    relation_p_value: float = float("nan")
    cuts_shown: tuple[int, ...] = tuple(range(N_SCORES - 1))

    kind: ClassVar[str] = "threshold_comparison"
    unsaid: ClassVar[tuple[str, ...]] = (*ByCut.unsaid, "models", "three_groups", "classes")
    headings: ClassVar[Mapping[str, str]] = {
        "cut": "Below the line",
        "n_below": "Answers below",
        "events_below": "Outcomes below",
        "estimate": "risk ratio",
        "p_value": "p of the line",
        "selection_share": "Best in resamples",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "n_below": "count",
        "events_below": "count",
        "rate_below": "share",
        "rate_above": "share",
        "estimate": "number",
        "selection_share": "share",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        "cut",
        "n_below",
        "events_below",
        "rate_below",
        "rate_above",
        "risk_ratio",
        "conf_high",
        "p_value",
        "selection_share",
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.shown_where(self.frame["n_below"].between(1, self.n - 1))

    @property
    def full_note(self) -> str:
        few = (len(CUTS) - len(self.cuts_shown)) * (self.n > 0)
        hidden = (
            f" {few} lines are not shown: they would set fewer than {self.minimum_cell} answers apart." if few else ""
        )
        return self.note + hidden

    @property
    def settings(self) -> dict[str, Any]:
        shares = {row["term"]: row["estimate"] for row in self.classes_shown}
        return super().settings | ({"classes": shares} if shares else {})

    @property
    def classes_shown(self) -> list[dict[str, Any]]:
        """The three classes with their names, where they stand in place of a line and may be shown."""
        ends = {self.detractor_max, self.promoter_min - 1}
        if self.verdict != "gradual" or not ends <= set(self.cuts_shown):
            return []
        names = ("Detractors", "Passives", "Promoters") if len(ends) > 1 else ("Detractors", "Promoters")
        rows = self.classes.assign(**{"class": names}).to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows if row["n"]]

    @property
    def finding(self) -> str:
        seen = f" {self.reason}" if self.verdict == "flat" else ""
        return f"{_SAYS[self.verdict].format(**self._words)}{self._in_rates}.{seen}"

    @property
    def details(self) -> str:
        rates = self._rates(self._line) if self.verdict in ("move", "keep") else self._of_classes
        return self.said(rates, "" if self.verdict == "flat" else self.reason)

    @property
    def _line(self) -> int | None:
        """Highest score below the line that the verdict is for."""
        return self.best_cut if self.verdict == "move" else self.detractor_max

    @property
    def _in_rates(self) -> str:
        """The rates that the verdict rests on, from a colon on."""
        if self.verdict == "gradual":
            named = [f"{share(row['estimate'])} of {row['class'].lower()}" for row in self.classes_shown]
        elif self.verdict in ("move", "keep") and self._line in self.cuts_shown:
            row = self.frame.loc[self.frame["cut"] == self._line].iloc[0]
            named = [f"{share(row['rate_below'])} of answers {band_text(0, self._line or 0)}"]
            named += [f"{share(row['rate_above'])} of the others"]
        else:
            return ""
        return f": it applies to {joined(named)}" if named else ""

    @property
    def _of_classes(self) -> str:
        named = [f"{share(row['estimate'])} of {row['class'].lower()} ({row['term']})" for row in self.classes_shown]
        applies = f"It applies to {joined(named)}. " if self.verdict == "gradual" and named else ""
        return f"{applies}Base: {self.n:,} answers." if self.n else ""

    @property
    def _words(self) -> dict[str, str]:
        undated = " (not dated: an association)" if self.dated is False else ""
        return {
            "convention": f"{self.detractor_max}",
            "best": f"{self.best_cut}",
            "outcome": f"{quoted(self.outcome)}{undated}",
        }

    def _rates(self, cut: int | None) -> str:
        if cut is None or cut not in self.cuts_shown:
            return ""
        row = self.frame.loc[self.frame["cut"] == cut].iloc[0]
        return (
            f"It applies to {share(row['rate_below'])} of answers {band_text(0, cut)} and {share(row['rate_above'])} "
            f"of the others ({within_text(self.strata)}{row['risk_ratio']:.2f} times; {self.confidence_level:.0%} "
            f"interval {row['conf_low']:.2f} to {row['conf_high']:.2f})."
        )

    @property
    def note(self) -> str:
        units = (
            f"{self.n_clusters:,} clusters, resampled whole"
            if self.n_clusters is not None
            else "answers taken as independent"
        )
        if not self.n:
            return ""
        within = (
            f"Each {joined(self.strata)} has a baseline of its own: risks are compared within it. "
            if self.strata
            else ""
        )
        return (
            f"{within}{self.n:,} answers with a known outcome, {quoted(self.outcome)} {self.n_events:,} times; "
            f"{units}. "
            "A line is excluded where the likelihood ratio of the best line over it is larger than in "
            f"{self.confidence_level:.0%} of {self.n_resamples:,} tables drawn under it; limits of the ratio are for "
            "each line by itself. "
            "All this supposes that there is one line: where another shape predicts better, read the shapes first. "
            "Below the line must be the worse side."
        )

    @property
    def alt(self) -> str:
        if self.classes_shown:
            named = "; ".join(
                f"{row['class']} ({row['term']}): {share(row['estimate'])} "
                f"({format_interval(row['conf_low'], row['conf_high'], 'share')})"
                for row in self.classes_shown
            )
            return f"There is no one line. Rate of the outcome in each class: {named}."
        rows = "; ".join(
            f"{row['cut']}: ratio {row['risk_ratio']:.2f}, {p_text(row['p_value'])}" for row in self.records
        )
        kept = cuts_text(self.confidence_set)
        return f"Likelihood-ratio test of every line; not excluded: {kept}. Lines by the scores below: {rows}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        if self.verdict == "gradual":
            return tuple(
                KeyNumber.of(row, f"{plain_text(self.outcome)}, {row['class'].lower()} {row['term']}", unit="share")
                for row in self.classes_shown
            )
        cut = self._line
        if self.n_events == 0 or cut not in self.cuts_shown:
            return ()
        row = self.frame.loc[self.frame["cut"] == cut].iloc[0]
        sides = {"rate_below": band_text(0, cut), "rate_above": band_text(cut + 1, 10)}
        return tuple(
            KeyNumber.of(row, f"{plain_text(self.outcome)}, answers {scores}", column=name, unit="share")
            for name, scores in sides.items()
        )


_SAYS: dict[LineWord, str] = {
    "keep": "By {outcome}, detractors end at {convention}, as by convention",
    "move": "By {outcome}, detractors end at {best}, not at {convention}",
    "gradual": "By {outcome}, there is no one line",
    "flat": "No relation of {outcome} with the score is shown",
    "reversed": "By {outcome}, the relation is upside down: those below the line do better",
    "undecided": "By {outcome}, the data cannot say where detractors end",
}
