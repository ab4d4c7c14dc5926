"""Whether two ratings matter more, or less, together than one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.drivers.fitting.data import DriverData
from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import joined, points
from nps_research.statistics.distributions import t_sf
from nps_research.statistics.least_squares import Regression, level_dummies, regress
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.statistics.normal_limits import with_normal_limits
from nps_research.typing import Flags, Floats

PAIRS_SHOWN = 8
LOOSE = 10.0  # little shrinkage, so that a level that few gave has a finite log odds


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DriverInteractions(Result):
    """Pairs of ratings, the strongest evidence first.

    `frame` columns: term_a, term_b, n (who rated both), estimate (points by which a good rating of one is worth more
    where the other is good than where it is poor) with std_error, conf_low, conf_high;
    statistic (the smaller one, on the scale of points or of log odds), p_value and p_adjusted (Holm over all pairs).

    Attributes
    ----------
    n_pairs : int
        Pairs tested; the table shows the first.
    """

    n_pairs: int
    scale: str

    kind: ClassVar[str] = "driver_interactions"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "pair": "Pair of ratings",
        "n": "Rated both",
        "estimate": "Extra points, both good",
    }
    formats: ClassVar[Mapping[str, str]] = {"pair": "text"}
    table_columns: ClassVar = ("pair", "n", "estimate", "conf_high", "p_value", "p_adjusted")

    @cached_property
    def shown(self) -> pd.DataFrame:
        shown = self._large_enough.head(PAIRS_SHOWN)
        return shown.assign(pair=[f"{a} and {b}" for a, b in zip(shown["term_a"], shown["term_b"], strict=True)])

    @property
    def n_hidden(self) -> int:
        return len(self.frame) - len(self._large_enough)

    @property
    def finding(self) -> str:
        real = [row for row in self.records if row["p_adjusted"] < 1 - self.confidence_level]
        if not real:
            return f"For none of {self.n_pairs} pairs of ratings is a combined effect proven."
        said = [
            f"{row['pair']} ({points(row['estimate'])}: "
            f"each counts {'more' if row['estimate'] > 0 else 'less'} where the other is good)"
            for row in real[:4]
        ]
        return f"Combined effects: {joined(said)}."

    @property
    def note(self) -> str:
        return (
            f"{self.n_pairs} pairs tested (Holm), those with the strongest evidence shown; {self.scale}. Extra points: "
            "what a good rather than a poor rating of one goes with where the other is good, minus that where it is "
            "poor. Scores end at 0 and 10, and where one bad experience alone makes a detractor another adds little: a "
            "pair counts only where that does not explain it (effects do not add up in log odds either)."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['pair']} {points(row['estimate'])}" for row in self.records]
        return "Extra NPS points of pairs, with interval bars: " + "; ".join(said) + "."


def driver_interactions(model: DriverModel) -> DriverInteractions:
    """Test each pair of drivers for working together otherwise than the sum of both.

    The direction of a pair is what the model, by trees that did not see the respondent, makes of it beyond both main
    effects. The answer is regressed on all pairs' directions together and on every level of every rating, so that a
    pair is not taken for its neighbour: each t statistic, robust to clusters, tests that effects add up, one-sided and
    doubled, since its sign is learned from these answers too. Where nearly all are promoters already, nothing can add
    much, so that a pair counts only where effects add up neither on the scale of points nor on that of log odds: the
    statistic is the smaller of the two. Both parts of the score are taken together. The estimate
    is the model's contrast (good, good) - (good, poor) - (poor, good) + (poor, poor), times the coefficient.

    Parameters
    ----------
    model : DriverModel

    Returns
    -------
    DriverInteractions

    Raises
    ------
    CannotAnswerError
        If there is one driver only, or the model uses no two together.
    """
    data, fit = model.data, model.fit
    p, n_levels = len(data.terms), len(data.levels) + 1
    if p < 2:
        raise CannotAnswerError("With one rating there is no pair to look at.")
    pairs = list(combinations(range(p), 2))
    directions, contrasts = np.zeros((len(data), len(pairs))), np.zeros(len(pairs))
    good, poor = np.append(data.levels >= data.good, False), np.append(data.levels <= data.poor, False)
    for place, pair in enumerate(pairs):
        shares = np.asarray(np.bincount(data.coding.cells(pair), data.weights, minlength=n_levels**2), dtype=float)
        for of_folds in fit.tables:
            for left_out, tables in enumerate(of_folds):
                if (table := tables.get(pair)) is None:
                    continue
                here = np.flatnonzero(fit.fold == left_out)
                pure = _pure(table, shares)
                directions[here, place] += pure.ravel()[data.coding.cells(pair, here)]
                contrasts[place] += _contrast(pure, good, poor, shares) / len(of_folds)
    used = np.ptp(directions, axis=0) > 0
    if not used.any():
        raise CannotAnswerError("The model uses no two ratings together.")
    design = np.column_stack([directions[:, used], level_dummies(data.coding.codes, n_levels)])
    y = data.y.sum(axis=0)
    fitted = regress(y, design, data.weights, data.cluster)
    beyond = regress(y - _sum_of_log_odds(data), design, data.weights, data.cluster)
    size, error, statistic = np.zeros(len(pairs)), np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    size[used], error[used] = _sizes(fitted, used.sum())
    ratios = [value / error_of for value, error_of in (_sizes(fitted, used.sum()), _sizes(beyond, used.sum()))]
    alike = np.sign(ratios[0]) == np.sign(ratios[1])
    statistic[used] = np.where(alike, np.sign(ratios[0]) * np.abs(ratios).min(axis=0), 0.0)
    rated = np.isfinite(data.ratings)
    rows = [
        {
            "term_a": data.terms[first],
            "term_b": data.terms[second],
            "n": int((rated[:, first] & rated[:, second]).sum()),
            "estimate": contrasts[place] * size[place],
            "std_error": abs(contrasts[place]) * error[place],
            "statistic": statistic[place] if error[place] > 0 else np.nan,
        }
        for place, (first, second) in enumerate(pairs)
    ]
    frame = pd.DataFrame(rows)
    frame = frame.assign(**with_normal_limits(frame["estimate"], frame["std_error"], model.confidence_level))
    frame["p_value"] = (2 * t_sf(frame["statistic"], data.n_clusters - 1)).clip(max=1)
    frame["p_adjusted"] = adjust_p_values(frame["p_value"].to_numpy())
    return DriverInteractions(
        frame=frame.sort_values("p_value", kind="stable", ignore_index=True),
        confidence_level=model.confidence_level,
        title="Pairs of ratings that work together",
        minimum_cell=model.minimum_cell,
        n_pairs=int(frame["statistic"].notna().sum()),
        scale=model.scale,
    )


def _sizes(fitted: Regression, n: int) -> tuple[Floats, Floats]:
    """The first coefficients, and their standard errors."""
    return fitted.coefficient[:n], np.sqrt(np.diag(fitted.covariance)[:n])


def _sum_of_log_odds(data: DriverData) -> Floats:
    """Expected answer (as -100, 0, 100) where ratings add up on the scale of log odds, which has no ends."""
    from sklearn.linear_model import LogisticRegression

    dummies = level_dummies(data.coding.codes, len(data.levels) + 1)[:, 1:]
    told = np.zeros(len(data))
    for y in data.y:
        if np.ptp(y):
            model = LogisticRegression(C=LOOSE, solver="newton-cholesky").fit(dummies, y != 0, data.weights)
            told += y[y != 0][0] * model.predict_proba(dummies)[:, 1]
    return told


def _pure(table: Floats, counted: Floats) -> Floats:
    """A table without its main effects, each the mean over the other rating drawn from the background."""
    shares = counted.reshape(table.shape) / counted.sum()
    rows = (table * shares.sum(axis=0, keepdims=True)).sum(axis=1, keepdims=True)
    columns = (table * shares.sum(axis=1, keepdims=True)).sum(axis=0, keepdims=True)
    middle = (rows * shares.sum(axis=1, keepdims=True)).sum()
    return np.asarray(table - rows - columns + middle)


def _contrast(pure: Floats, good: Flags, poor: Flags, counted: Floats) -> float:
    """(good, good) - (good, poor) - (poor, good) + (poor, poor), levels weighted as they occur."""
    shares = counted.reshape(pure.shape)
    sides = []
    for axis in (1, 0):
        weight = shares.sum(axis=axis)
        ends = [weight * chosen / max((weight * chosen).sum(), 1e-12) for chosen in (good, poor)]
        sides.append(ends[0] - ends[1])
    return float(sides[0] @ pure @ sides[1])
