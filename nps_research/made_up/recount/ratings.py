"""What is planted in ratings, counted in a drawn company: what each adds to the answer, and what fell."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from nps_research.made_up.company import BETWEEN_RATINGS
from nps_research.made_up.counted import Counted, CountedRows, gap
from nps_research.made_up.experiences import Driver
from nps_research.made_up.simulate import SimulatedStudy
from nps_research.typing import Flags, Floats, Numbers

_MIDDLE, _TOP_RATING = 3, 5


def counted_ratings(study: SimulatedStudy) -> list[Counted]:
    """What each experience adds to the answer, and how far the two that fell did.

    Parameters
    ----------
    study : SimulatedStudy

    Returns
    -------
    list of Counted
    """
    return [*_counted_weights(study), *_counted_falls(study)]


def _added(driver: Driver, rating: Numbers, used: Flags) -> Floats:
    """Score points that a rating adds to the answer, but for a rejection."""
    if driver.kind == "delighter":
        return np.asarray(driver.weight * (used & (rating == _TOP_RATING)))
    return np.asarray(driver.weight * np.where(used, rating - 4.0, 0.0) * (driver.kind == "linear"))


def _counted_weights(study: SimulatedStudy) -> list[Counted]:
    """The answer at a rating of 5 against 3, what all other experiences add taken away; everybody, asked or not."""
    truth, company, lives = study.truth, study.company, study.lives
    waves = truth.n_waves
    rows = CountedRows(np.tile(company.account, waves))
    experience = company.experience[:, :waves].transpose(1, 0, 2).reshape(-1, len(truth.drivers))
    used = np.tile(company.used, (waves, 1))
    added = [_added(driver, experience[:, at], used[:, at]) for at, driver in enumerate(truth.drivers.values())]
    rest = (lives.index - lives.by_calls)[:, :waves].T.ravel() - np.sum(added, axis=0)
    counts = []
    for at, driver in enumerate(truth.drivers.values()):
        planted = float(np.diff(_added(driver, np.array([_MIDDLE, _TOP_RATING]), np.ones(2, dtype=bool)))[0])
        own, rating = rest + added[at], experience[:, at]
        parts = [(own, used[:, at] & (rating == each)) for each in (_TOP_RATING, _MIDDLE)]
        words = f"{driver.label}: what a rating of 5 adds to the answer, against 3, all other ratings alike"
        counts.append(rows.count(words, planted, "score points", *parts, combined=gap))
    return counts


def _counted_falls(study: SimulatedStudy) -> list[Counted]:
    """How much lower the ratings that fell are in the wave of the fall than in the one before, of everybody."""
    truth, company = study.truth, study.company
    labels, rows, counts = list(company.calendar.labels), CountedRows(company.account), []
    if truth.fall_wave not in labels[1 : truth.n_waves]:
        return []
    wave = labels.index(truth.fall_wave)
    everybody = np.ones(len(company.account), dtype=bool)
    for at, driver in enumerate(truth.drivers.values()):
        if driver.fall:
            means = driver.mean, driver.mean - driver.fall
            before, after = (float(ndtr(mean - BETWEEN_RATINGS).sum()) for mean in means)
            parts = [(company.experience[:, each, at], everybody) for each in (wave, wave - 1)]
            words = f"{driver.label}: mean rating in {truth.fall_wave}, against the wave before"
            counts.append(rows.count(words, after - before, "rating points", *parts, combined=gap))
    return counts
