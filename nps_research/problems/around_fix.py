"""What problems did before and after a day, here and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.counting.shown_groups import groups_not_shown
from nps_research.problems.enough import LEAST_WAVES, LEAST_WITH
from nps_research.problems.mentions import Drawn, Mentions
from nps_research.study.further_settings import ProblemSettings
from nps_research.study.part import value_text
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats


@dataclass(frozen=True, kw_only=True)
class ChangeOfProblem:
    """How often a problem was named before and after a day.

    Attributes
    ----------
    answers, named : tuple of int
        Answers before and after, and those that name it.
    shares : tuple of float
        Their weighted shares.
    log_ratio, variance : float
        Logarithm of the second over the first, and its linearised variance.
    of_before : float
        The part of the variance that no answer after the day makes smaller.
    """

    answers: tuple[int, int]
    named: tuple[int, int]
    shares: tuple[float, float]
    log_ratio: float
    variance: float
    of_before: float

    @property
    def is_named(self) -> bool:
        return min(self.named) >= LEAST_WITH

    @property
    def is_known(self) -> bool:
        return self.is_named and self.variance > 0


def branches_of(study: Study, rows: pd.DataFrame, problem: ProblemSettings) -> tuple[Flags, list[Flags]]:
    """Which answers come from where a problem was mended, and which from each other branch; none of hidden ones."""
    for column, values in problem.fixed_in.items():
        if column not in rows:
            return np.zeros(len(rows), dtype=bool), []
        branch = rows[column].map(value_text, na_action="ignore").astype("string")
        branch = branch.mask(branch.isin([str(each) for each in groups_not_shown(study, [column])]))
        here = branch.isin([value_text(value) for value in values]).to_numpy(dtype=bool)
        others = sorted(branch[~here].dropna().unique())
        return here, [(branch == each).fillna(value=False).to_numpy(dtype=bool) for each in others]
    return np.ones(len(rows), dtype=bool), []


def waves_around(
    study: Study, found: Mentions, weight: Floats, at: int, day: pd.Timestamp
) -> tuple[tuple[list[str], list[str]] | str, str]:
    """The waves before and after a day, the peak left out, and which that was; or why there are none."""
    by_wave = found.rows.groupby("wave")["moment"]
    earliest, latest = by_wave.min().to_dict(), by_wave.max().to_dict()
    before = [wave for wave in study.waves if wave in latest and latest[wave] < day]
    after = [wave for wave in study.waves if wave in earliest and earliest[wave] >= day]
    if not before:
        return "cannot be answered: the fix is dated before all answers.", ""
    if not after:
        return "cannot be answered: the fix is dated after all answers.", ""
    if len(before) < LEAST_WAVES:
        return "cannot be answered: with one wave before it a fix cannot be told from a fall from a peak.", ""
    wave = found.rows["wave"].to_numpy()
    sums = {each: weight[wave == each] for each in before}
    shares = {each: part @ found.has[wave == each, at] / max(part.sum(), 1e-300) for each, part in sums.items()}
    peak = max(reversed(before), key=lambda each: shares[each])
    return ([each for each in before if each != peak], after), peak


def changes_of(found: Mentions, drawn: Drawn, before: Flags, after: Flags) -> list[ChangeOfProblem]:
    """How each problem changed between some answers and others, with linearised variances."""
    errors, shares, named = [], [], []
    for rows in (before, after):
        named.append(found.has[rows].sum(axis=0))
        weight = np.where(rows, drawn.weight, 0.0) / max(drawn.weight[rows].sum(), 1e-300)
        value = weight @ found.has
        with np.errstate(invalid="ignore", divide="ignore"):
            errors.append(weight[:, None] * (found.has - value) / value)
        shares.append(value)
    known = (shares[0] > 0) & (shares[1] > 0)
    variances = np.full((2, len(known)), np.nan)
    if known.any():
        for at, error in enumerate((errors[1] - errors[0], errors[0])):
            inside = before | after if at == 0 else before
            part = np.where(inside, drawn.weight, 0.0) / drawn.weight[inside].sum()
            variances[at, known] = np.diag(drawn.linearized(error[:, known], part).covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(known, np.log(shares[1] / shares[0]), np.nan)
    return [
        ChangeOfProblem(
            answers=(int(before.sum()), int(after.sum())),
            named=(int(named[0][at]), int(named[1][at])),
            shares=(float(shares[0][at]), float(shares[1][at])),
            log_ratio=float(ratio[at]),
            variance=float(variances[0, at]),
            of_before=float(variances[1, at]),
        )
        for at in range(len(known))
    ]
