"""The NPS points that go with problems, all together, and whether two together are other than their sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.problems.enough import LEAST_TOGETHER
from nps_research.problems.mentions import Drawn, Mentions
from nps_research.problems.population import CustomerBase
from nps_research.statistics.distributions import chi2_sf, t_ppf, t_sf
from nps_research.statistics.group_sums import group_sums
from nps_research.statistics.least_squares import left_over
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.study.study import Study
from nps_research.typing import Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """What each problem takes, in NPS points of who has it, and the linearised errors; nan where few have it."""

    coefficient: Floats
    error: Floats


def recoded_answers(study: Study, found: Mentions) -> Floats:
    """Recode the answers to -100, 0, 100, by the study's lines."""
    score = found.rows["likelihood_to_recommend"].to_numpy(dtype=float)
    return 100.0 * (score >= study.settings.promoter_min) - 100.0 * (score <= study.settings.detractor_max)


def points_lost(
    frame: pd.DataFrame,
    y: Floats,
    found: Mentions,
    base: CustomerBase,
    drawn: Drawn,
    enough: int,
    confidence_level: float,
    value: Floats,
    error: Floats,
) -> Fitted:
    """Add what goes with each problem, all together; returns coefficients and their linearised errors."""
    weight = base.weight / base.weight.sum()
    n, p = found.has.shape
    x = np.column_stack([np.ones(n), found.has[:, ~found.praise]])
    bread = np.linalg.pinv((x * weight[:, None]).T @ x, hermitian=True, rcond=1e-10)
    slopes = bread @ (x.T @ (weight * y))
    errors = (x * (weight * (y - x @ slopes))[:, None]) @ bread
    coefficient, coefficient_error = np.full(p, np.nan), np.full((n, p), np.nan)
    coefficient[~found.praise], coefficient_error[:, ~found.praise] = slopes[1:], errors[:, 1:]
    events = found.has.sum(axis=0)
    few = (np.minimum(events, n - events) < enough) | found.praise
    coefficient[few], coefficient_error[:, few] = np.nan, np.nan
    names = ("coefficient", "points")
    estimates = (coefficient, value * coefficient)
    both = (coefficient_error, value * coefficient_error + coefficient * error)
    p_value = np.full(p, np.nan)
    for name, estimate, each in zip(names, estimates, both, strict=True):
        frame[name] = estimate
        frame[f"{name}_conf_low"], frame[f"{name}_conf_high"] = np.nan, np.nan
        if few.all():
            continue
        of = drawn.linearized(each[:, ~few])
        std_error = np.sqrt(np.diag(of.covariance))
        reach = t_ppf(0.5 + confidence_level / 2, np.maximum(of.degrees, 1)) * std_error
        frame.loc[~few, f"{name}_conf_low"] = estimate[~few] - reach
        frame.loc[~few, f"{name}_conf_high"] = estimate[~few] + reach
        with np.errstate(invalid="ignore", divide="ignore"):
            p_value[~few] = 2 * t_sf(np.abs(estimate[~few]) / std_error, np.maximum(of.degrees, 1))
    frame["p_adjusted"] = adjust_p_values(p_value)
    is_shown = (frame["p_adjusted"] < 1 - confidence_level) & (frame["points"] < 0)
    frame["verdict"] = pd.Series(np.where(is_shown, "shown", "not shown")).where(~np.isnan(p_value), None)
    return Fitted(coefficient=coefficient, error=coefficient_error)


def pairs_test(y: Floats, found: Mentions, base: CustomerBase, drawn: Drawn) -> tuple[float, int]:
    """Test whether any two problems together are other than their sum: one score test over all pairs; its p-value."""
    has = found.has[:, ~found.praise].astype(float)
    pairs = [
        has[:, one] * has[:, other]
        for one in range(has.shape[1])
        for other in range(one)
        if (has[:, one] * has[:, other]).sum() >= LEAST_TOGETHER
    ]
    if not pairs:
        return np.nan, 0
    x = np.column_stack([np.ones(len(has)), has])
    rest = left_over(y, x, base.weight)
    together = left_over(np.column_stack(pairs), x, base.weight)
    m = int(drawn.cluster.max()) + 1
    scores = group_sums(together * (base.weight * rest)[:, None], drawn.cluster, m)
    total = scores.sum(axis=0)
    statistic = float(total @ np.linalg.pinv(scores.T @ scores, hermitian=True) @ total)
    return float(chi2_sf(statistic, len(pairs))), len(pairs)
