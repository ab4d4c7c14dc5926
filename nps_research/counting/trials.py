"""Trials that a study's data emulate: at a moment some are treated and some are not; what was known, what came after.

For each trial the naive difference stands beside that of people who are alike in what was known before, so that a
reader sees how much of it the choice of who was treated had made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.errors import EstimationError
from nps_research.results.result import Result
from nps_research.results.words import amount_text, format_interval, format_value, share
from nps_research.statistics.adjusted_difference import AdjustedDifference, AdjustedMeans, adjusted_difference
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.enough import FOUND_WITH
from nps_research.statistics.lee_bounds import lee_bounds
from nps_research.statistics.logistic import coded_columns
from nps_research.statistics.normal_limits import normal_quantile
from nps_research.typing import Flags, Floats, Numbers

PEOPLE_A_COLUMN = 20  # of the smaller arm, outcome known: so many columns are held constant, the first ones
SHOWN_BETTER, SHOWN_WORSE = "shown: better", "shown: worse"
DIFFERS_BETTER, DIFFERS_WORSE = "difference, other things equal: better", "difference, other things equal: worse"
GROUP_CHOSEN = "the group was chosen, so this is not an effect"
NO_LARGER, NOT_DECIDED, CANNOT = "no larger than the margin", "undecided", "cannot be answered"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """People at one moment each, some of them treated after it.

    Attributes
    ----------
    treated : ndarray of bool, shape (n,)
    outcome : ndarray of bool or float, shape (n,)
        What came after; not read where not known.
    known : ndarray of bool, shape (n,)
        Whose outcome is known.
    cluster : array-like, shape (n,)
        Label of whom an outcome goes together with.
    covariates : Covariates
        What was known of each before.
    is_random : bool
        Whether a lottery said who was treated.
    before : ndarray of float, shape (n,), or None
        The same outcome at a time when nobody had been treated, and not among the covariates: a negative control.
        Missing where not known.
    """

    treated: Flags
    outcome: Flags | Floats
    known: Flags
    cluster: Numbers
    covariates: Covariates
    is_random: bool = False
    before: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrialComparison(Result):
    """Treated against untreated people, a row a trial.

    `frame` columns: term (how it was settled who was treated), n, n_other (treated and untreated people), answered,
    answered_other (shares whose outcome is known), mean, mean_other (of these), naive (difference of means), selection
    (what of it the choice of the treated made), estimate (the difference, other things equal), control (the difference
    before anybody was treated, other things equal), each with limits; bounds_conf_low, bounds_conf_high (of a lottery,
    whoever answers); trimmed (share of the treated like hardly anybody untreated), strongest (the known thing that
    matters most) and multiple (how many times as strong something unknown would have to be to bring the limits to
    zero); needed (people in all to find a difference of `margin`), reason (why there is no answer) and verdict.

    Attributes
    ----------
    margin : float
        Smallest difference that matters, fixed beforehand.
    treated_words, untreated_words, outcome_words : str
        Who is compared, and in what.
    """

    margin: float = 0.5
    treated_words: str = "treated"
    untreated_words: str = "untreated"
    outcome_words: str = "outcome"

    kind: ClassVar[str] = "trial_comparison"
    rows_are_parts: ClassVar[bool] = False
    unit: ClassVar[str] = "points"  # the format of differences
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("naive", "selection", "control", "bounds"), "points"),
        **dict.fromkeys(("answered", "answered_other"), "share"),
        "n_other": "count",
    }
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Who was treated",
        "naive": "As they are",
        "selection": "Made by the choice",
        "estimate": "Other things equal",
        "bounds": "Whoever answers",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "n", "n_other", "answered", "answered_other", "naive", "selection", "estimate", "conf_high"),
        *("bounds_conf_high", "verdict"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        rows = super().shown
        return rows[rows["n_other"] >= self.minimum_cell].reset_index(drop=True)

    @property
    def best(self) -> dict[str, Any] | None:
        """The row that tells most: of a lottery, else adjusted; None where no trial can be answered."""
        return next((row for row in self.records if row["verdict"] != CANNOT), None)

    def at(self, margin: float) -> Self:
        """The same with another smallest difference that matters."""
        if not margin > 0:
            raise EstimationError(f"margin = {margin}: a difference above 0 is needed.")
        within = np.maximum(-self.frame["conf_low"], self.frame["conf_high"]) < margin
        is_open = self.frame["verdict"].isin([NO_LARGER, NOT_DECIDED]) & (self.frame["conf_low"] <= 0)
        verdict = self.frame["verdict"].mask(is_open & (self.frame["conf_high"] >= 0), NOT_DECIDED)
        verdict = verdict.mask((verdict == NOT_DECIDED) & is_open & (self.frame["conf_high"] >= 0) & within, NO_LARGER)
        needed = self.frame["needed"] * (self.margin / margin) ** 2
        return replace(self, frame=self.frame.assign(verdict=verdict, needed=needed), margin=margin)

    def spelt(self, value: float, *, signed: bool = True) -> str:
        """Spell a difference in the unit of the outcome."""
        text = format_value(value, self.unit)
        return text if signed else text.lstrip("+\N{MINUS SIGN}")

    @property
    def details(self) -> str:
        return " ".join(self._said_of(row) for row in self.records)

    def _said_of(self, row: Mapping[str, Any]) -> str:
        """What one row says beyond the finding."""
        if row["verdict"] == CANNOT:
            return f"{row['term']}: cannot be answered. {row['reason']}"
        limits = format_interval(row["conf_low"], row["conf_high"], self.unit)
        adjusted = f"{row['term']}: {self.spelt(row['estimate'])} ({self.confidence_level:.0%} interval {limits})"
        choice = f"of which differences from before made {self.spelt(row['selection'])}"
        said = [adjusted, f"as they are {self.spelt(row['naive'])}, {choice}"]
        if row["answered"] < 1 or row["answered_other"] < 1:
            said.append(
                f"known of {share(row['answered'])} of the {self.treated_words} and {share(row['answered_other'])} of "
                f"the {self.untreated_words}"
            )
        if row["bounds_conf_low"] == row["bounds_conf_low"]:
            bounds = format_interval(row["bounds_conf_low"], row["bounds_conf_high"], self.unit)
            said.append(f"{bounds} without the assumption that who answers is alike in both")
        if row["trimmed"] > 0:
            said.append(f"left out: {share(row['trimmed'])} of the {self.treated_words}, like hardly anybody else")
        if row["control"] == row["control"]:
            control = format_interval(row["control_conf_low"], row["control_conf_high"], self.unit)
            said.append(f"before, when there can be none, {self.spelt(row['control'])} ({control})")
        if row["verdict"] in (DIFFERS_BETTER, DIFFERS_WORSE) and np.isfinite(row["multiple"]):
            said.append(
                f"something not known, {row['multiple']:.1f} times as strong as {row['strongest']}, would undo it"
            )
        if row["verdict"] == NOT_DECIDED and np.isfinite(row["needed"]):
            said.append(
                f"{amount_text(row['needed'])} people would show a difference of "
                f"{self.spelt(self.margin, signed=False)}"
            )
        return f"{'; '.join(said)}."

    @property
    def note(self) -> str:
        return (
            f"Unit: {self.outcome_words}, mean of the {self.treated_words} less that of the {self.untreated_words}. "
            "Other things equal: people alike in what was known before (their answers, tenure, revenue, groups; "
            "cross-fitted, doubly robust), among the treated; limits by account. Only a lottery shows an effect: "
            "whoever chose may have known more. Whoever answers: bounds for a lottery if it changed who answers (Lee "
            "2009)."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {self.spelt(row['naive'])} as they are, {self.spelt(row['estimate'])} "
            f"({format_interval(row['conf_low'], row['conf_high'], self.unit)}) other things equal"
            for row in self.records
            if row["verdict"] != CANNOT
        ]
        return f"The {self.treated_words} less the {self.untreated_words}: {'; '.join(rows)}."

    @property
    def is_drawn(self) -> bool:
        return self.best is not None


def trial_rows(
    trials: Mapping[str, Trial],
    *,
    margin: float,
    more_is_better: bool,
    minimum_cell: int,
    words: tuple[str, str],
    confidence_level: float,
) -> pd.DataFrame:
    """Compare treated with untreated people in each trial: the frame of a `TrialComparison`.

    Parameters
    ----------
    trials : mapping of str to Trial
        By how it was settled who was treated; lotteries first.
    margin : float
        Smallest difference that matters.
    more_is_better : bool
    minimum_cell : int
        Fewest people of either arm of whom anything is shown.
    words : tuple of str
        What the treated and the untreated are called.
    confidence_level : float

    Notes
    -----
    Better or worse is shown of a lottery whose limits leave out zero; where the arms did not answer alike (by the same
    level), only if the bounds of Lee (2009) leave it out, too. Otherwise it is a difference, other things equal; and
    not even that where the same people already differed before anybody was treated. No larger than the margin: the
    limits lie within it.
    """
    check_level(confidence_level)
    columns = ["term", "n", "n_other", "answered", "answered_other", "mean", "mean_other"]
    for name in ("naive", "selection", "", "control"):
        columns += [name or "estimate", *(f"{name}_{end}".lstrip("_") for end in ("conf_low", "conf_high"))]
    columns += ["std_error", "bounds_conf_low", "bounds_conf_high", "trimmed", "strongest", "multiple", "needed"]
    rows = []
    for name, trial in trials.items():
        row = _compared_arms(trial, words, minimum_cell, confidence_level)
        row["verdict"] = _verdict_of(row, trial.is_random, margin, more_is_better)
        reach = normal_quantile(confidence_level) + normal_quantile(2 * FOUND_WITH - 1)
        row["needed"] = len(trial.treated) * (reach * row.get("std_error", np.nan) / margin) ** 2
        rows.append({"term": name, **row})
    return pd.DataFrame(rows).reindex(columns=[*columns, "reason", "verdict"])


def _compared_arms(trial: Trial, words: tuple[str, str], minimum_cell: int, confidence_level: float) -> dict[str, Any]:
    """All numbers of one trial, or why there are none."""
    n, n_other = int(trial.treated.sum()), int((~trial.treated).sum())
    if min(n, n_other) < minimum_cell:
        of = words[0] if n < n_other else words[1]
        return {"n": n, "n_other": n_other, "reason": f"Fewer than {minimum_cell} were {of}."}
    coded = coded_columns(trial.treated, trial.covariates, is_bent=False)
    found = _adjusted_for(trial, trial.outcome, trial.known, coded, confidence_level)
    row: dict[str, Any] = {
        "n": n,
        "n_other": n_other,
        "answered": found.answered_treated,
        "answered_other": found.answered_untreated,
        "reason": _in_their_words(found.reason, words),
    }
    if found.adjusted is None or found.naive is None or found.overlap is None:
        return row
    means = [float(trial.outcome[trial.known & (trial.treated == arm)].mean()) for arm in (True, False)]
    row |= {"mean": means[0], "mean_other": means[1], "std_error": found.adjusted.std_error}
    parts = {"naive": found.naive, "selection": found.adjusted.selection, "estimate": found.adjusted}
    if trial.before is not None:
        control = _before_anybody_was_treated(trial, trial.before, coded, confidence_level)
        parts |= {} if control is None else {"control": control}
    for name, part in parts.items():
        ends = ("conf_low", "conf_high") if name == "estimate" else (f"{name}_conf_low", f"{name}_conf_high")
        row |= {name: part.estimate, ends[0]: part.conf_low, ends[1]: part.conf_high}
    row |= {
        "trimmed": found.overlap.trimmed_share,
        "strongest": found.adjusted.hidden.strongest,
        "multiple": found.adjusted.hidden.multiple_of_limit,
    }
    if trial.is_random and not trial.known.all():
        bounds = lee_bounds(trial.outcome, trial.known, trial.treated, trial.cluster, confidence_level=confidence_level)
        row |= {"bounds_conf_low": bounds.conf_low, "bounds_conf_high": bounds.conf_high}
        row["answers_alike"] = bounds.answering.conf_low <= 0 <= bounds.answering.conf_high
    return row


def _before_anybody_was_treated(
    trial: Trial, before: Floats, coded: pd.DataFrame, confidence_level: float
) -> AdjustedMeans | None:
    """The same difference before anybody was treated, of the people of whom that is known; None where they are few."""
    seen = ~np.isnan(before)
    if not seen.any():
        return None
    of_seen = replace(trial, treated=trial.treated[seen], cluster=np.asarray(trial.cluster)[seen], outcome=before[seen])
    known = coded[seen].loc[:, coded[seen].std() > 0].reset_index(drop=True)
    return _adjusted_for(
        of_seen, of_seen.outcome, np.ones(int(seen.sum()), dtype=bool), known, confidence_level
    ).adjusted


def _adjusted_for(
    trial: Trial, outcome: Flags | Floats, known: Flags, coded: pd.DataFrame, confidence_level: float
) -> AdjustedDifference:
    smaller = min(int(known[trial.treated == arm].sum()) for arm in (True, False))
    coded = coded[coded.columns[: max(smaller // PEOPLE_A_COLUMN, 1)]]
    return adjusted_difference(
        outcome, trial.treated, coded, trial.cluster, answered=known, confidence_level=confidence_level
    )


def _verdict_of(row: Mapping[str, Any], is_random: bool, margin: float, more_is_better: bool) -> str:
    """What may be said of one trial."""
    if "estimate" not in row:
        return CANNOT
    low, high = row["conf_low"], row["conf_high"]
    if low <= 0 <= high:
        return NO_LARGER if max(-low, high) < margin else NOT_DECIDED
    is_better = (low > 0) == more_is_better
    if is_random:
        if not row.get("answers_alike", True) and row["bounds_conf_low"] <= 0 <= row["bounds_conf_high"]:
            return NOT_DECIDED
        return SHOWN_BETTER if is_better else SHOWN_WORSE
    if "control" in row and not row["control_conf_low"] <= 0 <= row["control_conf_high"]:
        return GROUP_CHOSEN
    return DIFFERS_BETTER if is_better else DIFFERS_WORSE


def _in_their_words(reason: str, words: tuple[str, str]) -> str:
    """A reason of `adjusted_difference` with the arms' own names."""
    marked = reason.replace("untreated", "\0")
    return marked.replace("treated", words[0]).replace("\0", words[1])
