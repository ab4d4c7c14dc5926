"""Weights by raking: respondents made to weigh what each group is known to, for several groupings at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.errors import EstimationError, did_you_mean
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import joined, plain_text, share
from nps_research.typing import Floats, Integers

Targets = Mapping[str, Mapping[Any, float]]

ROUNDING = 1e-6  # margins' totals may differ by this part of them
MET = 1e-10  # a category's sum may differ from its target by this part of it


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RakedWeights(Result):
    """Weights that meet known margins.

    `frame` columns: term (the column), group (its category), n (respondents), target, before, after (the category's
    share of the target, of the base weights and of the raked weights, 0 to 1). `weights`, a Series with the
    respondents' index, never enters a report. `n_effective` is Kish's (sum w)^2 / sum w^2, how many equal weights
    would do as well for an answer that has nothing to do with the weights; `weight_ratio` the largest weight over
    the smallest; `n_rounds` how often all margins were gone through.
    """

    weights: pd.Series
    n_effective: float
    weight_ratio: float
    n_rounds: int

    kind: ClassVar[str] = "raked_weights"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Column",
        "n": "Respondents",
        "target": "Known share",
        "before": "Share before",
        "after": "Share after",
    }
    formats: ClassVar[Mapping[str, str]] = {"target": "share", "before": "share", "after": "share"}
    has_figure: ClassVar[bool] = False

    @property
    def settings(self) -> dict[str, Any]:
        private = {
            "weights",
            *({"n_effective", "weight_ratio"} if self.n_hidden else ()),
        }  # they tell small groups' sizes
        return {name: value for name, value in super().settings.items() if name not in private}

    @cached_property
    def shown(self) -> pd.DataFrame:
        hidden = np.zeros(len(self.frame), dtype=bool)
        for _, rows in self.frame.groupby("term", sort=False):
            hidden[rows.index] = hidden_rows(rows["n"].to_numpy(dtype=float), self.minimum_cell)
        return self.frame[~hidden].reset_index(drop=True)

    @property
    def finding(self) -> str:
        by = joined(list(dict.fromkeys(self.frame["term"])))
        cost = (
            f"Weighted to the known shares by {by}."
            if self.n_hidden
            else (
                f"Weighted to the known shares by {by}, "
                f"{len(self.weights):,} respondents tell as much as {self.n_effective:,.0f} that weigh the same; the "
                f"largest weight is {self.weight_ratio:.1f} times the smallest."
            )
        )
        rows = self.records
        if not rows:
            return cost
        most = max(rows, key=lambda row: abs(row["target"] - row["before"]))
        return (
            f"{cost} Furthest off before was {plain_text(most['group'])} ({plain_text(most['term'])}): "
            f"it weighed {share(most['before'])} where {share(most['target'])} is known."
        )

    @property
    def note(self) -> str:
        return (
            f"Raking (iterative proportional fitting), {self.n_rounds} rounds. Within a category those who answered "
            "stand for those who did not: weights cannot mend what the columns do not tell."
        )


def rake(
    frame: pd.DataFrame,
    targets: Targets,
    *,
    base_weight: str | None = None,
    max_rounds: int = 1000,
    minimum_cell: int = 0,
) -> RakedWeights:
    """Weight respondents to known margins by raking (iterative proportional fitting).

    The estimand is, for each respondent, the weight nearest to the base weight (by relative entropy) with which every
    category of every column in `targets` weighs what it is known to. One column after the other,
    each category's weights are multiplied by its target over its sum, until all columns fit at once.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per respondent, with the columns named in `targets`.
    targets : mapping of column to mapping of category to number
        Known counts, or known shares that sum to 1 in each column. Categories are compared as text.
    base_weight : str, optional
        Column of weights to start from, above 0; None starts from equal ones.
    max_rounds : int
        Most times that all columns are gone through.
    minimum_cell : int
        Smallest number of respondents that shared pages may show for a category.

    Returns
    -------
    RakedWeights
        Its ``weights`` sum to the target total where counts are given; to the sum of the base weights (the number
        of respondents, without them) where shares are.

    Raises
    ------
    EstimationError
        If a column or base weight is missing, or has missing values; a category has respondents but no
        target, or a target but no respondents; a target is not above 0; margins do not sum alike; or the margins are
        not met within `max_rounds`, as where they contradict each other.

    Notes
    -----
    Only the margins are met, not the cells in which they cross. A weighted score is without bias where answering has
    to do with loyalty only through these columns, each by itself.

    References
    ----------
    Deming, W. E. & Stephan, F. F. (1940). On a least squares adjustment of a sampled frequency table when the
    expected marginal totals are known. Annals of Mathematical Statistics 11, 427-444.

    Examples
    --------
    >>> people = pd.DataFrame({"region": ["n", "n", "n", "s"], "new": ["y", "n", "n", "n"]})
    >>> raked = rake(people, {"region": {"n": 50, "s": 50}, "new": {"y": 20, "n": 80}})
    >>> raked.weights.round(6).tolist()
    [20.0, 15.0, 15.0, 50.0]
    """
    _check_columns(frame, targets, base_weight)
    codes = [_codes(frame, name, list(map(str, of_column))) for name, of_column in targets.items()]
    known = [np.array(list(of_column.values()), dtype=float) for of_column in targets.values()]
    base = np.ones(len(frame)) if base_weight is None else frame[base_weight].to_numpy(dtype=float)
    total = _total(targets, known, base)
    goals = [goal / goal.sum() * total for goal in known]
    weights, n_rounds = _fit(base, codes, goals, list(targets), max_rounds)
    rows = [
        pd.DataFrame(
            {
                "term": name,
                "group": list(map(str, targets[name])),
                "n": np.bincount(code, minlength=len(goal)),
                "target": goal / total,
                "before": np.bincount(code, base, minlength=len(goal)) / base.sum(),
                "after": np.bincount(code, weights, minlength=len(goal)) / weights.sum(),
            }
        )
        for name, code, goal in zip(targets, codes, goals, strict=True)
    ]
    return RakedWeights(
        frame=pd.concat(rows, ignore_index=True),
        title=f"Weights raked to {joined(list(targets))}",
        minimum_cell=minimum_cell,
        weights=pd.Series(weights, index=frame.index, name="weight"),
        n_effective=float(weights.sum() ** 2 / (weights**2).sum()),
        weight_ratio=float(weights.max() / weights.min()),
        n_rounds=n_rounds,
    )


def _check_columns(frame: pd.DataFrame, targets: Targets, base_weight: str | None) -> None:
    """Columns are there and without gaps, base weights are numbers above 0, targets are numbers above 0."""
    if not targets or not len(frame):
        raise EstimationError(f"Raking needs respondents and targets; {len(frame)} and {len(targets)} arrived.")
    wrong = []
    for name in [*targets, *([base_weight] if base_weight is not None else [])]:
        if name not in frame:
            wrong.append(f"there is no column {name!r}{did_you_mean(name, list(map(str, frame.columns)))}")
        elif gaps := int(frame[name].isna().sum()):
            wrong.append(f"{name}: {gaps:,} of {len(frame):,} respondents have no value; each needs one")
        elif name == base_weight and not (
            pd.api.types.is_numeric_dtype(frame[name]) and np.isfinite(frame[name]).all() and (frame[name] > 0).all()
        ):
            wrong.append(f"{name}: base weights must be numbers above 0")
    for name, of_column in targets.items():
        bad = [str(category) for category, number in of_column.items() if not (np.isfinite(number) and number > 0)]
        if bad or not of_column:
            wrong.append(f"{name}: targets above 0 are needed" + (f", also for {joined(bad)}" if bad else ""))
    if wrong:
        raise EstimationError("Weights cannot be raked. " + "; ".join(wrong) + ".")


def _codes(frame: pd.DataFrame, name: str, categories: list[str]) -> Integers:
    """Each respondent's place among the column's categories. What stands in the cells is not repeated in errors."""
    place = {category: code for code, category in enumerate(categories)}
    code = frame[name].astype(str).map(place)
    if code.isna().any():
        raise EstimationError(
            f"Weights cannot be raked. {name}: {int(code.isna().sum()):,} of {len(frame):,} respondents are in a "
            f"category without a target; there are targets for {joined(categories)}."
        )
    codes = np.asarray(code, dtype=np.int64)
    if nobody := [category for category in categories if place[category] not in codes]:
        raise EstimationError(
            f"Weights cannot be raked. {name}: nobody answered in {joined(nobody)}, which has a target; "
            "join it with another category."
        )
    return codes


def _total(targets: Targets, known: list[Floats], base: Floats) -> float:
    """What the weights sum to; every column's targets must sum to the same."""
    totals = np.array([goal.sum() for goal in known])
    if np.ptp(totals) > ROUNDING * totals.max():
        sums = joined([f"{name} {total:,.6g}" for name, total in zip(targets, totals, strict=True)])
        raise EstimationError(
            f"Weights cannot be raked. The targets of each column must sum alike; they sum to {sums}."
        )
    return float(base.sum()) if abs(totals[0] - 1) <= ROUNDING else float(totals[0])


def _fit(
    base: Floats, codes: list[Integers], goals: list[Floats], names: list[str], max_rounds: int
) -> tuple[Floats, int]:
    """Weights with which every column's sums are its goals, and the rounds that took."""
    weights = base * (goals[0].sum() / base.sum())
    for done in range(max_rounds + 1):
        off = [np.abs(np.bincount(code, weights) / goal - 1).max() for code, goal in zip(codes, goals, strict=True)]
        if max(off) <= MET:
            return weights, done
        for code, goal in zip(codes, goals, strict=True):
            weights = weights * (goal / np.bincount(code, weights))[code]
    worst = int(np.argmax(off))
    raise EstimationError(
        f"Weights cannot be raked. After {max_rounds:,} rounds {names[worst]} is still off its targets by "
        f"{off[worst]:.2g} of them, more than {MET:g}. Margins that contradict each other among "
        "these respondents do that: join small categories, or leave a column out."
    )
