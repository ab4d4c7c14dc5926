"""Whether a driver adds anything to all the others, or what it shows is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from nps_research.drivers.enough import LEAST_CLUSTERS
from nps_research.drivers.fitting.cross_fit import CrossFit, predictions_left_out
from nps_research.drivers.fitting.data import DriverData
from nps_research.drivers.fitting.trees import Background, Tables
from nps_research.statistics.boosting import side_by_side
from nps_research.statistics.distributions import t_sf
from nps_research.statistics.least_squares import correlations, left_over
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.typing import Floats, Integers

NEAR = 0.8  # correlation from which drivers are tested together as well
ALMOST_TOLD = 0.8  # share of a rating's variance that the others tell, from which it is tested with them as well
LINKED = 0.3  # partial correlation that puts two such ratings into one set
INVERTIBLE = 1e-6  # so that ratings which others make up have a finite inverse
RISING = 0.8
RARE = 0.05  # chances nearer to 0 or 1 count as this: nobody may weigh much for a chance that is hard to tell from none
DEPTH_OF_OTHERS = 3  # deeper than the model: what others do together must not be taken for the driver's


def rating_correlations(data: DriverData) -> Floats:
    """Correlate the ratings, weighted, each pair over those who gave both; 0 where one does not vary."""
    return np.asarray(correlations(data.ratings, data.weights[None])[0])


def near_duplicates(data: DriverData) -> list[list[int]]:
    """Find sets of drivers that may not be told apart (collinearity).

    Two drivers belong together where they correlate by `NEAR` or more, either way; or where the others tell at least
    `ALMOST_TOLD` of each one's variance and they correlate by `LINKED` or more given the others.
    """
    among = rating_correlations(data)
    varies = np.diag(among) > 0
    inverse = np.linalg.pinv(among + INVERTIBLE * np.eye(len(among)), hermitian=True)
    own = np.diag(inverse)
    told = varies & (1 - 1 / own.clip(1.0) >= ALMOST_TOLD)
    partial = np.abs(inverse) / np.sqrt(np.outer(own, own))
    near = (np.abs(among) >= NEAR) | (told[:, None] & told & (partial >= LINKED))
    n_sets, of = connected_components(near, directed=False)
    return [found for each in range(n_sets) if len(found := np.flatnonzero(of == each).tolist()) > 1]


def noise_tests(data: DriverData, fits: Sequence[CrossFit], *, sets: Sequence[Sequence[int]]) -> pd.DataFrame:
    """Test for each driver, and each set of drivers, whether it adds to all the others.

    The hypothesis: among those who rated the driver (all of the set), neither the promoter nor the detractor part
    depends on it given the other ratings, of which a missing one is a level more. Who skips a rating is no part of it:
    unhappy people may skip what does nothing. But where others are skipped, a rating that goes with them stands in for
    them: it adds to what is known, without a worth of its own. The test is as good as boosted trees of depth
    `DEPTH_OF_OTHERS` are at what the others do, alone and together. The statistic is the slope of the cross-fitted
    squared error at the moment the driver is added to a model of all others: the mean of (answer - prediction from the
    others) times the driver's effect, over both parts, each after least squares on the others' ratings, their squares
    and gaps, so that what trees left of the others is not taken for the driver's. The effect is the model's own, by
    level of the rating, its bends shrunk as far as they can be noise; which effect is taken matters for what is found,
    not for how often noise is called real. Trees did not see the respondent. Under the hypothesis the mean is zero;
    above zero, adding the driver lowers the error. The plain difference of the two errors tests the same, but pays for
    the noise of both models, and finds less.

    Where effects add to chances, respondents whose answer the others leave open say less of the driver than those in
    whom it is nearly certain, and weigh by the inverse variance of the part, as the others tell it (`_certainty`).
    Where effects add to log odds they are smaller just where the answer is nearly certain, and no weights are best.
    Which of the two holds is asked of the data, of all ratings together and before any one is tested
    (`_adds_to_chances`). Under the hypothesis the mean is zero with either; ``calibration/drivers.md`` has how often
    idle ratings are called real, and others found, on both scales.

    One-sided, but whether scores rise or fall with the rating is learned from these answers too, fold by fold, so that
    each direction gets a share of the error fixed beforehand: `RISING` to higher scores where ratings are higher, the
    rest to the reverse. Without that, twice as many idle drivers as said were called real.

    Parameters
    ----------
    data : DriverData
    fits : sequence of CrossFit
        Of `data`, over other folds; slopes are averaged, so that the verdict hangs less on how folds fell.
    sets : sequence of sequence of int
        Drivers to be tested together.

    Returns
    -------
    DataFrame
        A row a driver, then a row a set: statistic (t of the clustered mean), p_value (one-sided), p_adjusted (Holm
        over all rows that can be tested); nan where a driver does not vary.

    References
    ----------
    Scheidegger, C., Hoerrmann, J. & Buehlmann, P. (2022). The weighted generalised covariance measure. Journal of
    Machine Learning Research 23 (273), 1-68. https://jmlr.org/papers/v23/21-1328.html

    Shah, R. D. & Peters, J. (2020). The hardness of conditional independence testing and the generalised covariance
    measure. Annals of Statistics 48, 1514-1538. doi:10.1214/19-AOS1857

    Lundborg, A. R. et al. (2024). The projected covariance measure for assumption-lean variable significance testing.
    Annals of Statistics 52, 2851-2878. doi:10.1214/24-AOS2447
    """
    effects = [_level_effects(data, fit) for fit in fits]
    curves = _curves(data)
    weighed = _adds_to_chances(data, curves, fits[0].fold)
    tested = [*([term] for term in range(len(data.terms))), *sets]
    statistic, n_clusters = np.array(
        side_by_side(lambda terms: _statistic(data, fits, effects, curves, terms, weighed=weighed), tested)
    ).T
    rises = np.array([_rises(data, effects, curves, term) for term in range(len(data.terms))])
    share = np.append(np.where(rises, RISING, 1 - RISING), np.full(len(sets), 0.5))
    p_value = (t_sf(statistic, n_clusters - 1) / share).clip(max=1)
    return pd.DataFrame({"statistic": statistic, "p_value": p_value, "p_adjusted": adjust_p_values(p_value)})


def _rises(data: DriverData, effects: Sequence[Floats], curves: Floats, term: int) -> bool:
    """Whether the effect goes up with the rating, all folds together."""
    effect = sum(of_fit[:, :, term].sum(axis=0) for of_fit in effects)
    return bool((data.weights * effect) @ curves[term, 0] >= 0)


def _statistic(
    data: DriverData,
    fits: Sequence[CrossFit],
    effects: Sequence[Floats],
    curves: Floats,
    terms: Sequence[int],
    *,
    weighed: bool,
) -> tuple[float, int]:
    """How many clustered standard errors the slope is above zero, and over how many clusters, among who rated all.

    nan if the drivers' effects do not vary, or too few clusters rated them.
    """
    rated = np.asarray(np.isfinite(data.ratings[:, terms]).all(axis=1))
    if len(np.unique(data.cluster[rated])) < LEAST_CLUSTERS:
        return float("nan"), LEAST_CLUSTERS
    if not rated.all():
        data, curves = data.rows(rated), curves[:, :, rated]
        fits = [replace(fit, fold=fit.fold[rated]) for fit in fits]
        effects = [effect[:, rated] for effect in effects]
    others = [term for term in range(len(data.terms)) if term not in terms]
    known = np.vstack([np.ones(len(data)), curves[others].reshape(-1, len(data))]).T
    certainty = _certainty(data, known) if weighed else np.ones_like(data.y)
    effect = np.stack([of_fit[:, :, terms].sum(axis=2) for of_fit in effects])
    effect[np.ptp(effect, axis=2) == 0] = 0.0
    if not effect.any():
        return float("nan"), LEAST_CLUSTERS
    rest = np.stack(
        [data.y - predictions_left_out(data, data.y, fit.fold, others, max_depth=DEPTH_OF_OTHERS) for fit in fits]
    )
    slope = np.zeros(len(data))
    for part, certain in enumerate(certainty):
        left = left_over(np.vstack([rest[:, part], effect[:, part]]).T, known, data.weights * certain)
        slope += certain * (left[:, : len(fits)] * left[:, len(fits) :]).sum(axis=1)
    mean = np.average(slope, weights=data.weights)
    of_clusters = np.bincount(data.cluster, data.weights * (slope - mean))
    m, n, k = len(of_clusters), len(data), known.shape[1]
    variance = (of_clusters**2).sum() * m / (m - 1) * (n - 1) / max(n - k, 1)
    return (float(mean * data.weights.sum() / np.sqrt(variance)) if variance > 0 else float("nan")), m


def _curves(data: DriverData) -> Floats:
    """Per driver its rating, the square of it, and whether it is missing; shape (n_drivers, 3, n)."""
    rated = np.isfinite(data.ratings).T
    mean = np.array(
        [column[known].mean() if known.any() else 0.0 for column, known in zip(data.ratings.T, rated, strict=True)]
    )
    centred = np.where(rated, data.ratings.T - mean[:, None], 0.0)
    return np.stack([centred, centred**2, ~rated], axis=1)


def _adds_to_chances(data: DriverData, curves: Floats, fold: Integers) -> bool:
    """Whether ratings add up on the scale of chances rather than of log odds.

    The smaller squared error decides, for respondents left out and both parts together, of least squares and of a
    logistic regression on all ratings' curves.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    columns = curves.reshape(-1, len(data))
    spread = columns.std(axis=1)
    x = (columns[spread > 0] / spread[spread > 0][:, None]).T
    error = np.zeros(2)
    for number in np.unique(fold):
        out = fold == number
        for y in np.abs(data.y) / 100:
            if np.ptp(y[~out]) == 0:
                continue  # nothing to choose by
            linear = Ridge(alpha=1.0).fit(x[~out], y[~out], sample_weight=data.weights[~out]).predict(x[out])
            logistic = LogisticRegression(solver="newton-cholesky").fit(x[~out], y[~out], data.weights[~out])
            for place, told in enumerate((linear, logistic.predict_proba(x[out])[:, 1])):
                error[place] += data.weights[out] @ (y[out] - told) ** 2
    return bool(error[0] < error[1])


def _certainty(data: DriverData, known: Floats) -> Floats:
    """Inverse variance of each respondent's promoter and detractor part, given the others; shape (2, n).

    Of a chance p it is 1 / (p (1 - p)), with p by least squares on the others' curves. Trees' chances are noisier,
    and found less; a respondent's own answer moves this one by no more than its leverage.
    """
    told = data.y - left_over(data.y.T, known, data.weights).T
    chance = (told / [[100.0], [-100.0]]).clip(RARE, 1 - RARE)
    return np.asarray(1 / (chance * (1 - chance)))


def _level_effects(data: DriverData, fit: CrossFit) -> Floats:
    """Effect of each driver's rating on each respondent, by trees that did not see them; (2, n, n_drivers).

    Of mean square 1 over each fold, so that each counts alike, however steep it found the driver to be.
    """
    background = Background(data.coding, data.weights)
    residual = np.average((data.y - fit.predictions) ** 2, axis=1, weights=data.weights)
    effects = np.zeros(fit.contributions.shape)
    for left_out in range(len(fit.tables[0])):
        rows = np.flatnonzero(fit.fold == left_out)
        of_parts = [_main_effects(tables[left_out], background, len(data.terms)) for tables in fit.tables]
        for term in range(len(data.terms)):
            by_level = np.stack([effect[term] for effect in of_parts])
            shares = background.shares((term,)).copy()
            shares[-1] = 0.0  # tested among those who rated
            n_rated, shares = (len(data) - len(rows)) * shares.sum(), shares / max(shares.sum(), 1e-12)
            direction = _towards_a_line(by_level, shares, data.levels, residual / max(n_rated, 1.0))
            size = np.sqrt((direction**2 @ shares).sum())
            effects[:, rows, term] = (direction / size if size > 0 else direction)[:, data.coding.codes[rows, term]]
    return effects


def _towards_a_line(effect: Floats, shares: Floats, levels: Floats, noise: Floats) -> Floats:
    """Effects by level, drawn towards one straight line for both parts as far as they can be noise (James & Stein).

    `noise` is the variance of the mean of all answers, of each part; levels of `effect` and `shares` end with missing.
    """
    weight = shares[:-1] / max(shares[:-1].sum(), 1e-12)
    centred = np.append(levels - weight @ levels, 0.0)
    spread = shares @ centred**2
    line = ((effect @ (shares * centred)).mean() / spread if spread > 0 else 0.0) * centred
    own = effect - (effect @ shares)[:, None] - line
    size = (own**2 @ shares).sum()
    degrees = 2 * (int((shares > 0).sum()) - 1) - 1
    kept = max(0.0, 1 - degrees * noise.mean() / size) if size > 0 else 0.0
    return np.asarray(line + kept * own)


def _main_effects(tables: Tables, background: Background, n_terms: int) -> list[Floats]:
    """Mean of the model by level of each driver, the others drawn from the background."""
    found = [np.zeros_like(background.shares((term,))) for term in range(n_terms)]
    for terms, table in tables.items():
        shares = background.shares(terms)
        for axis, term in enumerate(terms):
            others = tuple(each for each in range(table.ndim) if each != axis)
            found[term] = found[term] + (table * shares.sum(axis=axis, keepdims=True)).sum(axis=others)
    return found
