"""Whether those who answered resemble all who were reached, before weighting and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.people import WORDS, in_bands
from nps_research.counting.shown_groups import hidden_elsewhere
from nps_research.counting.silence import who_was_asked
from nps_research.results.column_groups import ColumnGroups
from nps_research.results.group_order import in_order
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import BETWEEN, format_value, joined, plain_text
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

MEAN = "mean"
TOLERABLE = 0.1  # standard deviations; a usual line, below which a difference is taken as small


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResponseBalance(ColumnGroups):
    """Standardised differences between those who answered and all who were reached.

    `frame` columns: term (what is known), group (its group, or "mean" of a number), n (answers), observed and one
    column a weighting (``raked``, ``logistic``, ``boosted``): the mean, or share, among those who answered less that
    among all who were reached, in standard deviations of the latter.
    """

    weightings: tuple[str, ...] = ()
    wave: str = ""
    asked: str = "reached"
    caveat: str = ""

    unsaid: ClassVar[tuple[str, ...]] = (*ColumnGroups.unsaid, "asked")
    kind: ClassVar[str] = "response_balance"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "What is known",
        "observed": "Before weighting",
        "logistic": "Weighted, logistic",
        "boosted": "Weighted, boosted",
    }
    formats: ClassVar[Mapping[str, str]] = {"term": "name"}

    def largest(self, column: str) -> dict[str, Any]:
        """The shown row that is furthest off in a column."""
        return max(self.records, key=lambda row: abs(float(row[column])))

    @property
    def finding(self) -> str:
        if not self.records:
            return f"There are too few answers to compare those who answered with all who were {self.asked}."
        before = self.largest("observed")
        if not self._large:
            return f"Those who answered are much like all who were {self.asked}, in what is known of both."
        return (
            f"Those who answered differ from all who were {self.asked}, in {len(self._large)} of {len(self.records)} "
            f"groups clearly; most in {named_group(before)}."
        )

    @property
    def _large(self) -> list[dict[str, Any]]:
        return [row for row in self.records if abs(row["observed"]) > TOLERABLE]

    @property
    def details(self) -> str:
        if not self.records:
            return self.caveat
        before = self.largest("observed")
        says = f"Largest difference before weighting: {_deviations(before['observed'])} ({named_group(before)})."
        left = []
        for column in self.weightings:
            most = self.largest(column)
            left.append(f"{column}: {_deviations(most[column])} ({named_group(most)})")
        if left:
            says += f" The largest difference left after weighting is, {'; '.join(left)}."
        small = f"{len(self._large)} of {len(self.records)} differences are above {TOLERABLE:g} before weighting."
        hidden = f" Of {self.n_hidden} that are not shown nothing is said here." if self.n_hidden else ""
        return f"{says} {small}{hidden} {self.caveat}".strip()

    @property
    def note(self) -> str:
        return (
            f"Means and shares among those who answered less those among all who were {self.asked}, in standard "
            f"deviations of the latter; below {TOLERABLE:g} a difference is usually taken as small. Balance in what is "
            "known says nothing of what is not, such as loyalty itself."
        )

    @property
    def alt(self) -> str:
        if not self.records:
            return "There are too few answers to draw."
        before = _deviations(self.largest("observed")["observed"])
        says = f"Points per group: the difference before weighting, at most {before}"
        after = [f"{column} at most {_deviations(self.largest(column)[column])}" for column in self.weightings]
        return f"{says}{'; after weighting, ' + joined(after) if after else ''}."


def named_group(row: Mapping[str, Any]) -> str:
    """Name a group with what it is a group of."""
    of = plain_text(row["term"])
    return f"mean {of}" if row["group"] == MEAN else f"{of} {plain_text(row['group'])}"


def _deviations(value: float) -> str:
    return f"{format_value(value, 'number')} standard deviations"


def in_a_word(name: str) -> str:
    """What is known, as a reader calls it."""
    return WORDS.get(name, name)


def compared_groups(covariates: Covariates) -> pd.DataFrame:
    """Collect all that is known in groups: who people are, and the class of their last earlier answer."""
    groups = in_bands(covariates)
    if "last_answer" in covariates.categories:
        groups = groups.assign(last_answer=covariates.categories["last_answer"])
    return groups


def response_balance(
    study: Study,
    people: Reached,
    covariates: Covariates,
    weightings: Mapping[str, Floats],
    *,
    wave: str,
    caveat: str = "",
) -> ResponseBalance:
    """Compute standardised mean differences of all that is known, before weighting and after each weighting.

    The estimand is the mean among those who answered less that among all who were reached, over the standard deviation
    among the latter.

    Parameters
    ----------
    study : Study
        The study, for what its other pages hide.
    people : Reached
        Who answered.
    covariates : Covariates
        Row by row beside `people`.
    weightings : mapping of str to ndarray
        Weights by name, 0 of the silent.
    wave : str
        The wave, "" for all rows.
    caveat : str
        What every finding has to say.

    Returns
    -------
    ResponseBalance

    References
    ----------
    Austin, P. C. (2009). Balance diagnostics for comparing the distribution of baseline covariates between treatment
    groups in propensity-score matched samples. Statistics in Medicine 28, 3083-3107. doi:10.1002/sim.3697
    """
    ways = {"observed": people.base * people.answered, **weightings}
    rows: list[dict[str, Any]] = []
    hidden: set[str] = set()
    groups = compared_groups(covariates)
    for name in map(str, covariates.numbers):
        value = covariates.numbers[name].to_numpy(dtype=float)
        known = ~np.isnan(value)
        term, n = in_a_word(name), int((known & people.answered).sum())
        rows.append({"term": term, "group": MEAN, "n": n, **_balance_differences(value, known, people.base, ways)})
        if n < study.settings.minimum_cell or hidden_elsewhere(study, name, wave) is None:
            hidden.add(f"{term}{BETWEEN}{MEAN}")
    for name in map(str, groups):
        column, found, n_answers = groups[name], [], []
        term, order = in_a_word(name), in_order(column.unique())
        for group in order:
            member = (column == group).to_numpy()
            n_answers.append(int((member & people.answered).sum()))
            row = {"term": term, "group": group, "n": n_answers[-1]}
            found.append(
                row | _balance_differences(member.astype(float), np.ones(len(member), dtype=bool), people.base, ways)
            )
        elsewhere = hidden_elsewhere(study, name, wave)
        gone = hidden_rows(
            n_answers,
            study.settings.minimum_cell,
            people=column.value_counts().reindex(order).to_numpy(),
            hidden=[elsewhere is None or row["group"] in elsewhere for row in found],
        )
        hidden |= {
            f"{row['term']}{BETWEEN}{row['group']}" for row, is_hidden in zip(found, gone, strict=True) if is_hidden
        }
        rows += found
    asked = who_was_asked(study)
    return ResponseBalance(
        frame=pd.DataFrame(rows),
        title=f"Balance: answered against all {asked}" + (f", {wave}" if wave else ""),
        asked=asked,
        minimum_cell=study.settings.minimum_cell,
        hidden=frozenset(hidden),
        weightings=tuple(weightings),
        wave=wave,
        caveat=caveat,
    )


def _balance_differences(value: Floats, known: Flags, base: Floats, ways: Mapping[str, Floats]) -> dict[str, float]:
    of, weight = value[known], base[known]
    mean = float(np.average(of, weights=weight))
    deviation = float(np.sqrt(np.average((of - mean) ** 2, weights=weight)))
    return {
        way: (float(np.average(of, weights=total[known])) - mean) / deviation
        if deviation > 0 and total[known].sum() > 0
        else 0.0
        for way, total in ways.items()
    }
