"""Made-up ratings and answers of known truth, for tests of drivers."""

import numpy as np
import pandas as pd

from nps_research.drivers.fit_drivers import fit_drivers, fit_drivers_from_frame
from nps_research.study.study import Study
from tests.support.made_once import made_once

TERMS = ["delivery", "must-be", "delighter", "idle", "newsletter"]


def made_up_ratings(n, *, seed=1, missing=0.1, waves=False):
    """Ratings 1 to 5 that go together, 0-10 answers, and accounts of two; the last two ratings do nothing.

    With `waves` the second half rates delivery lower by one where it can.
    """
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 1))
    latent = 0.6 * common + 0.8 * rng.standard_normal((n, len(TERMS)))
    level = np.searchsorted([-1.4, -0.7, 0.1, 0.9], latent) + 1
    wave = np.repeat(["2024", "2025"], [n // 2, n - n // 2])
    if waves:
        level[wave == "2025", 0] = np.maximum(level[wave == "2025", 0] - 1, 1)
    rejects = rng.random(n) < np.select([level[:, 1] == 1, level[:, 1] == 2], [0.7, 0.5], 0.02)
    index = 6.6 + 0.7 * (level[:, 0] - 3) + 1.8 * (level[:, 2] == 5) + rng.normal(0, 1.3, n)
    answer = np.where(rejects, rng.integers(0, 4, n), np.clip(np.rint(index + 1), 4, 10))
    ratings = pd.DataFrame(level.astype(float), columns=TERMS)
    gone = rng.random(ratings.shape) < missing
    gone[:, 0] = False
    return ratings.mask(gone), answer, np.arange(n) // 2, wave


def fitted_model(*, weighted=False):
    """A model of 1,600 made-up answers in accounts of two and two waves, fitted once for all tests."""

    def fit(_):
        ratings, answer, account, wave = made_up_ratings(1600, waves=True)
        weights = np.linspace(0.5, 2.0, len(ratings)) if weighted else None
        rng = np.random.default_rng(5)
        return fit_drivers_from_frame(
            ratings, answer, cluster=account, group=wave, weights=weights, n_resamples=25, rng=rng
        )

    return made_once("weighted-drivers" if weighted else "drivers", fit)


def fitted_study():
    """The same as a study with a region, and its model."""

    def fit(_):
        ratings, answer, account, wave = made_up_ratings(1600, waves=True)
        table = ratings.assign(
            respondent_id=[f"R{place:05d}" for place in range(len(ratings))],
            account_id=[f"A{place:04d}" for place in account],
            likelihood_to_recommend=answer,
            wave=wave,
            region=np.where(np.arange(len(ratings)) % 3 == 0, "North", "South"),
        )
        study = Study.from_frames(
            responses=table, drivers=TERMS, segments=["region"], settings={"cluster": "account_id"}, made_up=True
        )
        return study, fit_drivers(study, by="wave", n_resamples=25, rng=np.random.default_rng(5))

    return made_once("drivers-of-study", fit)


def fitted_to_one_rating():
    """A model of 300 answers, one rating, no groups."""

    def fit(_):
        ratings, answer, *_ = made_up_ratings(300)
        return fit_drivers_from_frame(ratings[["delivery"]], answer, n_resamples=20)

    return made_once("one-rating", fit)
