"""How driver points vary: the whole procedure again on resampled clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.drivers.enough import LEAST_OF_GROUP
from nps_research.drivers.fitting.cross_fit import CrossFit, cross_fit, lifted, points_at_stake
from nps_research.drivers.fitting.data import DriverData
from nps_research.statistics.boosting import folds_of_clusters, side_by_side
from nps_research.typing import Floats

# A procedure fitted to resamples varies less than one fitted to new samples, which differ in more than weights:
# standard deviations came out 8 to 10% too small in calibration.
WIDENED = 1.08
PRIOR_SPREAD = 2.0  # of what a group makes of a driver, as a multiple of what all make of it: wide, so that it hardly
# moves a rating with much at stake, and keeps one without from running wild


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupFits:
    """One model for each group: the drivers' contributions among raters, each times what the group makes of it.

    A group's answers are its `level` plus the sum of `worth` times contribution, by weighted least squares, with
    `worth` drawn towards 1 (all groups alike) as by a wide normal prior of standard deviation `PRIOR_SPREAD`. nan where
    a group has fewer than `LEAST_OF_GROUP` answers.

    Attributes
    ----------
    score, level : ndarray, shape (..., n_groups)
        Observed NPS; what the model says where all contributions are zero.
    means, worth : ndarray, shape (..., n_groups, n_drivers)
        Mean contributions; multiples.
    """

    score: Floats
    level: Floats
    means: Floats
    worth: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Summary:
    """What is kept of a fit; arrays of many fits have one axis more, in front.

    Attributes
    ----------
    points : ndarray, shape (2, n_drivers)
        Points at stake.
    lifted : ndarray, shape (2, n_steps, n_drivers)
        Change of NPS if poor ratings were 1, 2, ... higher.
    by_level : ndarray, shape (2, n_drivers, n_levels + 1)
        Mean contribution at each rating, missing last; nan where nobody gave it.
    mean_abs_shap, mean_rating : ndarray, shape (n_drivers,)
    r_squared : ndarray, shape ()
        Share of the variance of -100, 0, 100 that is predicted out of sample.
    groups : GroupFits or None
    """

    points: Floats
    lifted: Floats
    by_level: Floats
    mean_abs_shap: Floats
    mean_rating: Floats
    r_squared: Floats
    groups: GroupFits | None


def summary_of(data: DriverData, fit: CrossFit, *, least_of_group: int = LEAST_OF_GROUP) -> Summary:
    """Summarise one fit; a resample may have fewer of a group than the data."""
    both = fit.contributions.sum(axis=0)
    y, predicted = data.y.sum(axis=0), fit.predictions.sum(axis=0)
    error = np.average((y - predicted) ** 2, weights=data.weights)
    spread = np.average((y - fit.baseline.sum()) ** 2, weights=data.weights)
    return Summary(
        points=points_at_stake(data, fit.contributions),
        lifted=lifted(data, fit),
        by_level=_by_level(data, fit),
        mean_abs_shap=np.average(np.abs(both), axis=0, weights=data.weights),
        mean_rating=data.mean_of_raters(data.ratings),
        r_squared=np.asarray(1 - error / spread),
        groups=None if data.group is None else _group_fits(data, data.group, data.among_raters(both), least_of_group),
    )


def resample(data: DriverData, *, n_resamples: int, rng: np.random.Generator) -> Summary:
    """Fit anew to resampled clusters, `n_resamples` times, each with folds of its own.

    A respondent drawn twice weighs twice, and so is never in training and left out at once. What trees say
    varies `WIDENED` times as much around its mean as in the resamples.
    """
    m = data.n_clusters

    def refit(stream: np.random.Generator) -> Summary:
        times = stream.multinomial(m, np.full(m, 1 / m))[data.cluster]
        drawn = data.rows(times > 0, times=times[times > 0].astype(float))
        return summary_of(drawn, cross_fit(drawn, folds_of_clusters(drawn.cluster, stream)), least_of_group=10)

    found = side_by_side(refit, rng.spawn(n_resamples))
    groups = None
    if data.group is not None:
        fits = [each.groups for each in found if each.groups is not None]
        names = ("score", "level", "means", "worth")
        of_groups = {name: np.stack([getattr(fit, name) for fit in fits]) for name in names}
        groups = GroupFits(**of_groups | {name: _widened(of_groups[name]) for name in ("means", "worth")})
    kept = {
        name: np.stack([getattr(each, name) for each in found])
        for name in ("mean_abs_shap", "mean_rating", "r_squared")
    }
    kept |= {
        name: _widened(np.stack([getattr(each, name) for each in found])) for name in ("points", "lifted", "by_level")
    }
    return Summary(**kept, groups=groups)


def spread(drawn: Floats) -> Floats:
    """Compute standard deviations over resamples that have a value; nan where fewer than two have one."""
    known = np.isfinite(drawn)
    n = known.sum(axis=0)
    value = np.where(known, drawn, 0.0)
    mean = value.sum(axis=0) / n.clip(1)
    squares = (np.where(known, drawn - mean, 0.0) ** 2).sum(axis=0)
    return np.asarray(np.where(n > 1, np.sqrt(squares / (n - 1).clip(1)), np.nan))


def _widened(drawn: Floats) -> Floats:
    known = np.isfinite(drawn)
    mean = np.where(known, drawn, 0.0).sum(axis=0) / known.sum(axis=0).clip(1)
    return np.asarray(mean + WIDENED * (drawn - mean))


def _by_level(data: DriverData, fit: CrossFit) -> Floats:
    n_levels = len(data.levels) + 1
    parts, _, p = fit.contributions.shape
    found = np.empty((parts, p, n_levels))
    for term in range(p):
        codes = data.coding.codes[:, term]
        weight = np.bincount(codes, data.weights, minlength=n_levels)
        for part in range(parts):
            total = np.bincount(codes, data.weights * fit.contributions[part, :, term], minlength=n_levels)
            with np.errstate(invalid="ignore", divide="ignore"):
                found[part, term] = np.where(weight > 0, total / weight, np.nan)
    return found


def _group_fits(data: DriverData, group: pd.Categorical, contributions: Floats, least: int) -> GroupFits:
    """One model for each category of the data's groups; nan for a group of nobody."""
    n_groups, p = len(group.categories), contributions.shape[1]
    y, code = data.y.sum(axis=0), np.asarray(group.codes)
    score, level = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    means, worth = np.full((n_groups, p), np.nan), np.full((n_groups, p), np.nan)
    for place in range(n_groups):
        rows = code == place
        if rows.sum() < least:
            continue
        weight = data.weights[rows] / data.weights[rows].mean()
        score[place] = np.average(y[rows], weights=weight)
        means[place] = np.average(contributions[rows], axis=0, weights=weight)
        centred = contributions[rows] - means[place]
        rest = y[rows] - score[place] - centred.sum(axis=1)
        ridge = max(float(np.average(rest**2, weights=weight)), 1e-9) / PRIOR_SPREAD**2
        gram = (centred * weight[:, None]).T @ centred + ridge * np.eye(p)
        worth[place] = 1 + np.linalg.solve(gram, centred.T @ (weight * rest))
        level[place] = score[place] - means[place] @ worth[place]
    return GroupFits(score=score, level=level, means=means, worth=worth)
