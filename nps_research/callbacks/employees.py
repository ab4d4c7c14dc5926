"""Which employees differ beyond luck in the score of those they serve; names are private, counts are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.callbacks.beyond_luck import HIGHER, LOWER, beyond_luck
from nps_research.callbacks.reach import reach_of_employees
from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.counting.people import as_text
from nps_research.errors import CannotAnswerError
from nps_research.results.listing import Listing
from nps_research.results.result import Result
from nps_research.results.words import format_interval, points, share
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.logistic import coded_columns, independent_columns
from nps_research.statistics.variance_components import variance_components
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Floats, Integers

LEAST_EMPLOYEES = 5
MOST_GROUPS = 100  # of a segment, to be branches or regions


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EmployeeDifferences(Result):
    """The answers of those whom each employee serves, and how much of all differences lies between employees.

    `frame` columns: group (employees numbered from the lowest mean up), n (answers), raw_estimate (mean answer, 0 to
    10, of whom they serve, the same mix of customers for all) with std_error, estimate (pooled: drawn towards all by as
    much as the answers leave open) with conf_low, conf_high; rank_low, rank_high (1 the highest; they hold together),
    p_adjusted (Holm, of a distance beyond the spread of all), verdict; nps (of the answers as they are).

    Attributes
    ----------
    share_between, share_conf_low, share_conf_high : float
        Part of the variance of answers that lies between employees (ICC), and its limits.
    groupings : mapping of str to tuple of float
        The same of segments (branches, regions), beside employees.
    spread : float
        Standard deviation of employees' true means, without the few who are unlike the others.
    overall : float
        Mean answer of all of them.
    n_few_asked : int
        Employees with a mean above that of whose customers few are asked.
    n_too_few : int
        Employees with too few answers to be compared.
    people : DataFrame
        Private: employee, and their row.
    """

    share_between: float = np.nan
    share_conf_low: float = np.nan
    share_conf_high: float = np.nan
    groupings: Mapping[str, tuple[float, float, float]]
    spread: float = np.nan
    overall: float = np.nan
    n_few_asked: int = 0
    n_too_few: int = 0
    people: pd.DataFrame

    kind: ClassVar[str] = "employee_differences"
    rows_are_parts: ClassVar[bool] = False
    unsaid: ClassVar[tuple[str, ...]] = (*Result.unsaid, "people")
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Employee",
        "raw_estimate": "Mean answer",
        "estimate": "Mean answer, pooled",
        "nps": "NPS as it is",
    }
    formats: ClassVar[Mapping[str, str]] = {"raw_estimate": "width", "estimate": "width", "nps": "points"}
    table_columns: ClassVar[tuple[str, ...]] = ("group", "n", "raw_estimate", "estimate", "conf_high", "nps", "verdict")

    @property
    def _beyond(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["verdict"] in (LOWER, HIGHER)]

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            return "There are too few answers to compare employees."
        lower = sum(row["verdict"] == LOWER for row in rows)
        higher = sum(row["verdict"] == HIGHER for row in rows)
        named = " and ".join(
            f"{_spelt_out(n)} {'is' if n == 1 else 'are'} {word}"
            for n, word in ((lower, "lower"), (higher, "higher"))
            if n
        )
        if named:
            return (
                f"Of {len(rows)} employees {named} than luck explains in what customers answer; the private list names "
                "them."
            )
        if self.share_conf_low > 0:
            return (
                f"Employees differ, but none stands out: {share(self.share_between)} of the variance of answers lies "
                f"between the {len(rows)} of them."
            )
        return f"No difference between the {len(rows)} employees is shown: what is seen can be luck."

    @property
    def details(self) -> str:
        if not self.records:
            return ""
        between = format_interval(self.share_conf_low, self.share_conf_high, "share")
        said = [f"Between employees: {share(self.share_between)} of the variance ({between})."]
        said += [
            f"{name}: {share(value)} ({format_interval(low, high, 'share')})."
            for name, (value, low, high) in self.groupings.items()
        ]
        first, last = self.records[0], self.records[-1]
        scores = [row["nps"] for row in self.records]
        said.append(
            f"Pooled means run from {first['estimate']:.1f} to {last['estimate']:.1f}; as they are, from "
            f"{first['raw_estimate']:.1f} to {last['raw_estimate']:.1f} (NPS {points(min(scores))} to "
            f"{points(max(scores))})."
        )
        if self.spread > 0:
            said.append(f"Spread of the others: standard deviation {self.spread:.2f} points of the answer.")
        if self.n_few_asked:
            said.append(
                f"{_spelt_out(self.n_few_asked).capitalize()} with a high score asked fewer of their customers than "
                "the others did."
            )
        return " ".join(said)

    @property
    def note(self) -> str:
        few = f" {self.n_too_few} employees with fewer answers are left out." if self.n_too_few else ""
        return (
            "Base: answers of all waves. Employees are compared with the same mix of customers (segments, channel, "
            "wave; mixed model, accounts apart). Lower or higher: further from the others than luck and the usual "
            f"spread make the furthest of so many (Holm). Names are private.{few} Whom an employee serves is not by "
            "chance: a low score is a reason to look, no proof of poor work."
        )

    @property
    def alt(self) -> str:
        beyond = [f"employee {row['group']} {row['raw_estimate']:.1f}, {row['verdict']}" for row in self._beyond]
        return (
            f"Funnel: each employee's mean answer by number of answers, around {self.overall:.1f}"
            f"{'; ' + '; '.join(beyond) if beyond else ''}."
        )

    @property
    def named(self) -> Listing:
        """The private list of the employees, the lowest score first."""
        found = Listing.of_people(
            self.people,
            title="Employees by score",
            who="employees, with their scores,",
            remark="A low score is a reason to look, no proof of poor work: see the limits and the places.",
            minimum_cell=0,
        )
        return replace(found, glance={})  # nobody calls them


def _spelt_out(n: int) -> str:
    return {1: "one", 2: "two", 3: "three"}.get(n, f"{n:,}")


def _served(study: Study) -> pd.DataFrame:
    """Answers that say who served the person."""
    study.require("responses.employee", "responses.likelihood_to_recommend")
    rows = study.responses
    found = rows[(rows["response_state"] == "answered") & rows["employee"].notna()]
    least = max(study.settings.minimum_cell, 1)
    enough = found["employee"].value_counts()
    if (enough >= least).sum() < LEAST_EMPLOYEES:
        raise CannotAnswerError(
            f"Fewer than {LEAST_EMPLOYEES} employees have {least} answers or more, so they cannot be compared."
        )
    return found


@begins_with(_served)
def employee_differences(study: Study, *, confidence_level: float = 0.95) -> EmployeeDifferences:
    """Compare employees by the score of those they serve: how much lies between them, and who differs beyond luck.

    The estimands are the part of the variance of answers that lies between employees, and each employee's mean answer
    with the mix of customers of all. Means tell more than classes do: a difference of 45 NPS points is found with half
    the answers.

    Parameters
    ----------
    study : Study
        Its responses say who served the person (``employee``).
    confidence_level : float
        Level of the limits; one less it is the level of the verdicts.

    Returns
    -------
    EmployeeDifferences

    Raises
    ------
    CannotAnswerError
        If responses do not say who served, or fewer than five employees have enough answers.

    Notes
    -----
    Scores and their errors are those of a linear model with an effect of each employee, of segments, channel and wave,
    in which answers of one account go together. An employee is called lower or higher where the distance from the mean
    of the others, over its error and the spread between employees, is beyond chance for the furthest of so many (t,
    Holm). The spread is estimated so that a few far out do not widen it (Huber's second proposal); where there is none,
    the test is that of equal employees, and where there is one, of an outlier of the spread (Spiegelhalter 2005).

    References
    ----------
    Goldstein, H. & Spiegelhalter, D. J. (1996). League tables and their limitations. Journal of the Royal Statistical
    Society A 159, 385-443. doi:10.2307/2983325

    Spiegelhalter, D. J. (2005). Funnel plots for comparing institutional performance. Statistics in Medicine 24,
    1185-1202. doi:10.1002/sim.1970
    """
    check_level(confidence_level)
    served = _served(study)
    size = served["employee"].value_counts()
    least = max(study.settings.minimum_cell, 1)
    rows = served[served["employee"].map(size) >= least]
    y = rows["likelihood_to_recommend"].to_numpy(dtype=float)
    names = np.array(sorted(rows["employee"].unique()), dtype=object)
    employee = pd.Index(names).get_indexer(pd.Index(rows["employee"])).astype(np.int64)
    cluster, _ = response_clusters(study, rows)
    x = _mix_of_customers(study, rows)
    found = beyond_luck(y, employee, x, cluster, confidence_level=confidence_level)
    classes = 100.0 * (y >= study.settings.promoter_min) - 100.0 * (y <= study.settings.detractor_max)
    frame = found.frame.assign(nps=np.bincount(employee, classes) / found.frame["n"], employee=names)
    frame = frame.sort_values("raw_estimate", kind="stable", ignore_index=True)
    asked = reach_of_employees(study)
    frame = frame.join(asked, on="employee")
    few_asked = frame["few_asked"].fillna(value=False).astype(bool) & (frame["raw_estimate"] > found.overall)
    frame["few_asked"] = few_asked
    shown = frame.drop(columns=["employee", "asked_share", "few_asked"])
    shown.insert(0, "group", np.arange(1, len(shown) + 1).astype(str))
    between = {name: _between(rows[name], y, x, employee, cluster, confidence_level) for name in study.segments}
    return EmployeeDifferences(
        frame=shown,
        confidence_level=confidence_level,
        title="Mean answer by employee",
        minimum_cell=study.settings.minimum_cell,
        share_between=found.share,
        share_conf_low=found.share_low,
        share_conf_high=found.share_high,
        groupings={name: each for name, each in between.items() if each is not None},
        spread=found.spread,
        overall=found.overall,
        n_few_asked=int(few_asked.sum()),
        n_too_few=int((size < least).sum()),
        people=frame[["employee", *(name for name in frame if name != "employee")]].round(2),
    )


def _mix_of_customers(study: Study, rows: pd.DataFrame) -> Floats:
    """What is held constant: a constant, segments, channel and wave."""
    names = [name for name in (*study.segments, "channel", "wave") if name in rows]
    texts = pd.DataFrame({name: as_text(rows[name]) for name in names}, index=rows.index).reset_index(drop=True)
    known = Covariates(numbers=pd.DataFrame(index=texts.index), categories=texts)
    halves = np.arange(len(rows)) % 2 == 0  # levels are joined where few rows have them
    x = np.column_stack([np.ones(len(rows)), coded_columns(halves, known).to_numpy()])
    return x[:, independent_columns(x)]


def _between(
    labels: pd.Series, y: Floats, x: Floats, employee: Integers, cluster: Integers, confidence_level: float
) -> tuple[float, float, float] | None:
    """Part of the variance that lies between the groups of a segment, employees and accounts apart, and its limits."""
    codes, names = pd.factorize(as_text(labels))
    if not 3 <= len(names) <= MOST_GROUPS:
        return None
    constant = x[:, :1]
    found = variance_components(
        y, [codes.astype(np.int64), employee], constant, cluster=cluster, confidence_level=confidence_level
    )
    return float(found.share[0]), float(found.conf_low[0]), float(found.conf_high[0])
