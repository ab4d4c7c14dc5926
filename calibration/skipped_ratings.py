"""Is an idle rating that not everybody gave called real? `python -m calibration.skipped_ratings [--fresh]`.

The made-up surveys of `calibration.drivers`, or six of their ratings, in which idle ratings are skipped, or idle and
planted ones: at random, by unhappy people, by the rating itself, or by both together. The last is a collider: among
those who rated, the answer then does depend on an idle rating, so no test among raters can hold, and the table shows by
how much it fails. Where a planted rating is skipped, too, an idle one that goes with it stands in for it: it adds to
what is known without a worth of its own, and the table shows how often it is called real. Beside
them ratings that all were asked, as many as rated above, for what could have been found; many ratings that go together
in few answers; and ratings whose correlation falls with their distance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from calibration.drivers import DETRACTOR, EDGES, PROMOTER
from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.drivers.fit_drivers import N_NOISE_FITS
from nps_research.drivers.fitting.cross_fit import cross_fit
from nps_research.drivers.fitting.data import data_of_frame
from nps_research.drivers.fitting.noise import near_duplicates, noise_tests
from nps_research.statistics.boosting import folds_of_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RUNS, TABLE = (Path(__file__).with_name(f"skipped_ratings{end}.csv") for end in ("_runs", ""))
N = 1200
REAL = ("delivery", "support", "must-be")
IDLE, PLANTED_TOO = ("idle 1", "idle 2"), ("support", "must-be", "idle 1", "idle 2")
OFTEN, SELDOM = 0.7, 0.2  # chances of skipping
# ratings, answers, correlation (of all alike, or of neighbours), who skips, which ratings
DESIGNS: dict[str, tuple[int, int, str, str, tuple[str, ...]]] = {
    "asked of all": (6, N, "alike", "nobody", ()),
    "asked of all, as many as rated": (6, N * 3 // 5, "alike", "nobody", ()),
    "skipped at random": (6, N, "alike", "anybody", PLANTED_TOO),
    "skipped by detractors": (6, N, "alike", "detractors", PLANTED_TOO),
    "skipped by low raters": (6, N, "alike", "low raters", PLANTED_TOO),
    "skipped by detractors who rate low": (6, N, "alike", "both", PLANTED_TOO),
    "25 ratings of few": (25, 500, "strong", "nobody", ()),
    "neighbours go together": (6, N, "neighbours", "nobody", ()),
    "idle ones skipped at random": (6, N, "alike", "anybody", IDLE),
    "idle ones skipped by detractors": (6, N, "alike", "detractors", IDLE),
    "idle ones skipped by low raters": (6, N, "alike", "low raters", IDLE),
}
# With 1,000 data sets a share of 5% is sure to some 1.4 points either way, with 300 to some 2.5, with 100 to some 4.5.
# Where nobody skips anything there are fewer; where 25 ratings take ten times as long, and where no test can hold, 100.
FEWER = {
    "asked of all": 600,
    "neighbours go together": 300,
    "25 ratings of few": 100,
    "skipped by detractors who rate low": 100,
}
DATA_SETS = {design: FEWER.get(design, 1000) for design in DESIGNS}
ALPHA = 0.05


def terms(n_ratings: int) -> list[str]:
    """The ratings of a design: three planted ones, and idle ones."""
    return [*REAL, *(f"idle {number}" for number in range(1, n_ratings - len(REAL) + 1))]


def draw(design: str, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Ratings with gaps, and answers (0, 8 or 10), of one made-up survey."""
    n_ratings, n, correlation, who, skipped = DESIGNS[design]
    apart = np.abs(np.subtract.outer(np.arange(n_ratings), np.arange(n_ratings)))
    falling = {"alike": np.where(apart == 0, 1.0, 0.35), "strong": np.where(apart == 0, 1.0, 0.6)}
    covariance = falling.get(correlation, 0.75**apart)
    order = rng.permutation(n_ratings) if correlation == "neighbours" else np.arange(n_ratings)
    latent = rng.multivariate_normal(np.zeros(n_ratings), covariance, n, method="cholesky")[:, order]
    level = np.searchsorted(EDGES, latent)
    names = terms(n_ratings)
    promoter = 0.1 + sum(PROMOTER[name][level[:, names.index(name)]] for name in REAL)
    detractor = sum(DETRACTOR[name][level[:, names.index(name)]] for name in REAL)
    luck = rng.random(n)
    answer = np.select([luck > 1 - promoter, luck < detractor], [10, 0], 8)
    ratings = pd.DataFrame(level + 1.0, columns=names)
    for name in skipped:
        unhappy, low = answer == 0, ratings[name].to_numpy() <= 2
        often = {"detractors": unhappy, "low raters": low, "both": unhappy & low}.get(who)
        chance = np.full(n, 0.4) if often is None else np.where(often, OFTEN, SELDOM)
        ratings.loc[rng.random(n) < chance, name] = np.nan
    return ratings, answer


def measure(design: str, number: int) -> dict[str, object]:
    """The noise test of one data set: which ratings are called real, 1 or 0, in the order of `terms`."""
    rng = generator({"design": design, "number": number})
    ratings, answer = draw(design, rng)
    data = data_of_frame(ratings, answer)
    fits = [cross_fit(data, folds_of_clusters(data.cluster, rng)) for _ in range(N_NOISE_FITS)]
    tests = noise_tests(data, fits, sets=near_duplicates(data))
    real = tests["p_adjusted"].iloc[: len(data.terms)] < ALPHA
    return {"above_noise": " ".join(str(int(each)) for each in real)}


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """How often each planted rating was called real, and any idle one; a row a design."""
    rows = []
    for design, of_design in runs.groupby("design", sort=False):
        names = terms(DESIGNS[str(design)][0])
        real = np.array([[int(each) for each in text.split()] for text in of_design["above_noise"]]) > 0
        shares = {name: round(float(real[:, names.index(name)].mean()), 4) for name in REAL}
        idle = real[:, [name not in REAL for name in names]].any(axis=1).mean()
        rows.append({"design": design, "data_sets": len(real), **shares, "any_idle": round(float(idle), 4)})
    return pd.DataFrame(rows)


def cells() -> list[dict[str, object]]:
    """All designs side by side, so that every part of a run says something of each."""
    return [
        {"design": design, "number": number}
        for number in range(max(DATA_SETS.values()))
        for design in DESIGNS
        if number < DATA_SETS[design]
    ]


if __name__ == "__main__":
    runs = fill(RUNS, cells(), measure, fresh=fresh_is_asked(__doc__), jobs=2)
    table(runs).to_csv(TABLE, index=False, lineterminator="\n")
