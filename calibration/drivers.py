"""Are driver points, their ranks and the noise test what they say? `python -m calibration.drivers [--fresh]`.

Ten made-up ratings of 1 to 5, normal with a common correlation of 0.35 before they are rounded. The chances of a
promoter and of a detractor are given (`PROMOTER`, `DETRACTOR`, `PAIR`), so that the Shapley points of the planted
E[y | x] are known: `population_points`. Four ratings do nothing. Each data set is a row of ``drivers_runs.csv``, with
points, standard errors and ranks of each rating, and a row of ``drivers_noise_runs.csv``, with the adjusted p-values of
the noise test, which needs no resamples, so that there are more of these; ``drivers.csv`` is worked out from both by
`table`, as a test checks. With accounts, three respondents each share a part of their luck. In
``drivers_log_odds_runs.csv`` the noise test is tried where effects add to log odds, as `above_noise` sums up.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.drivers.fit_drivers import N_NOISE_FITS, fit_drivers_from_frame
from nps_research.drivers.fitting.cross_fit import cross_fit
from nps_research.drivers.fitting.data import data_of_frame
from nps_research.drivers.fitting.noise import near_duplicates, noise_tests
from nps_research.drivers.fitting.trees import shapley_of_tables
from nps_research.statistics.boosting import folds_of_clusters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RUNS, NOISE_RUNS, LOG_ODDS_RUNS, TABLE, PAGE = (
    Path(__file__).with_name(f"drivers{end}")
    for end in ("_runs.csv", "_noise_runs.csv", "_log_odds_runs.csv", ".csv", ".md")
)
ALL = "any idle / all ranks"
CORRELATION = 0.35
EDGES = stats.norm.ppf([0.06, 0.16, 0.38, 0.72])  # shares of the ratings 1 to 5: 6, 10, 22, 34 and 28%
LEVELS = np.arange(5.0)
SUPPORT, PRICE = 1, 2
# chances by rating 1 to 5, added up over the ratings
PROMOTER = {
    "delivery": 0.055 * LEVELS,
    "support": 0.04 * LEVELS,
    "price": 0.03 * LEVELS,
    "must-be": 0.0 * LEVELS,
    "delighter": np.array([0.0, 0.0, 0.0, 0.0, 0.12]),
    "weak": 0.02 * LEVELS,
}
DETRACTOR = {
    "delivery": 0.03 * (4 - LEVELS),
    "support": 0.02 * (4 - LEVELS),
    "price": 0.015 * (4 - LEVELS),
    "must-be": np.array([0.22, 0.16, 0.0, 0.0, 0.0]),
    "delighter": 0.0 * LEVELS,
    "weak": 0.015 * (4 - LEVELS),
}
PAIR = np.where(np.add.outer(LEVELS, LEVELS) >= 7, 0.06, 0.0)  # more promoters where support and price are both good
IDLE = ("idle 1", "idle 2", "idle 3", "idle 4")
TERMS = (*PROMOTER, *IDLE)
# where effects add to log odds against a passive answer: this many times the chances, and from where they start
LOG_ODDS, PROMOTER_AT_0, DETRACTOR_AT_0 = 5.0, -1.9, -1.6
LUCK = 0.25  # correlation of the luck of one account's respondents
N_RESAMPLES = 50
# n, respondents of an account, data sets
DESIGNS = ((1000, 1, 100), (2000, 1, 100), (5000, 1, 150), (2001, 3, 100))
TESTED = tuple((n, of_account, 400) for n, of_account, _ in DESIGNS)  # of the noise test
TESTED_LOG_ODDS = ((2000, 1, 200), (5000, 1, 200), (2001, 3, 200))
CONFIDENCE_LEVEL = 0.95
COLUMNS = ("estimate", "std_error", "rank_low", "rank_high")


def draw(
    n: int, of_account: int, rng: np.random.Generator, *, log_odds: bool = False
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    """Ratings, answers (0, 8 or 10) and accounts of one made-up survey."""
    account = np.arange(n) // of_account
    common = np.sqrt(CORRELATION) * rng.standard_normal((n, 1))
    latent = common + np.sqrt(1 - CORRELATION) * rng.standard_normal((n, len(TERMS)))
    level = np.searchsorted(EDGES, latent)
    promoter, detractor = chances(level)
    if log_odds:
        odds = np.exp([LOG_ODDS * promoter + PROMOTER_AT_0, LOG_ODDS * detractor + DETRACTOR_AT_0])
        promoter, detractor = odds / (1 + odds.sum(axis=0))
    luck = stats.norm.cdf(
        np.sqrt(LUCK) * rng.standard_normal(n // of_account + 1)[account] + np.sqrt(1 - LUCK) * rng.standard_normal(n)
    )
    answer = np.select([luck > 1 - promoter, luck < detractor], [10, 0], 8)
    return pd.DataFrame(level + 1.0, columns=list(TERMS)), answer, account


def chances(level: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Chance of a promoter and of a detractor by levels 0 to 4, shape (n,) each."""
    promoter = sum(PROMOTER[term][level[:, place]] for place, term in enumerate(PROMOTER))
    detractor = sum(DETRACTOR[term][level[:, place]] for place, term in enumerate(DETRACTOR))
    return np.asarray(promoter + PAIR[level[:, SUPPORT], level[:, PRICE]]), np.asarray(detractor)


@cache
def population_points() -> Floats:
    """Points at stake of the planted E[y | x] in an endless survey, shape (n_ratings,): its exact Shapley values."""
    share = np.diff(stats.norm.cdf(EDGES), prepend=0, append=1)
    points = np.zeros(len(TERMS))
    for place, term in enumerate(PROMOTER):
        worth = 100 * (PROMOTER[term] - DETRACTOR[term])
        points[place] = worth[4] - share[:3] @ worth[:3] / share[:3].sum()
    cdf = stats.multivariate_normal(cov=[[1, CORRELATION], [CORRELATION, 1]]).cdf
    ends = np.array([-8.0, *EDGES, 8.0])
    corners = np.array([[cdf([one, other]) for other in ends] for one in ends])
    shares = np.diff(np.diff(corners, axis=0), axis=1)
    shares /= shares.sum()
    _, values = shapley_of_tables(100 * PAIR[None], shares[None])
    for axis, place in enumerate((SUPPORT, PRICE)):
        along = np.moveaxis(values[axis][0] * shares, axis, 0).sum(axis=1)
        margin = np.moveaxis(shares, axis, 0).sum(axis=1)
        points[place] += along[4] / margin[4] - along[:3].sum() / margin[:3].sum()
    return points


def measure(n: int, of_account: int, number: int, n_resamples: int = N_RESAMPLES) -> dict[str, object]:
    """Fit one data set; what was found for each rating, in the order of `TERMS`."""
    rng = generator({"n": n, "of_account": of_account, "number": number})
    ratings, answer, account = draw(n, of_account, rng)
    model = fit_drivers_from_frame(
        ratings, answer, cluster=account if of_account > 1 else None, n_resamples=n_resamples, rng=rng
    )
    frame = model.frame.set_index("term").loc[list(TERMS)]
    return {column: _text(frame[column]) for column in COLUMNS}


def measure_noise(n: int, of_account: int, number: int, *, log_odds: bool = False) -> dict[str, object]:
    """The noise test of one data set, as `fit_drivers_from_frame` does it."""
    rng = generator({"n": n, "of_account": of_account, "number": number})
    ratings, answer, account = draw(n, of_account, rng, log_odds=log_odds)
    data = data_of_frame(ratings, answer, cluster=account if of_account > 1 else None)
    folding, *_ = rng.spawn(3)
    fits = [cross_fit(data, folds_of_clusters(data.cluster, folding)) for _ in range(N_NOISE_FITS)]
    tests = noise_tests(data, fits, sets=near_duplicates(data))
    return {"p_adjusted": _text(tests["p_adjusted"].iloc[: len(TERMS)])}


measure_log_odds = partial(measure_noise, log_odds=True)


def _text(values: Iterable[float]) -> str:
    return " ".join(f"{value:.4g}" for value in values)


def _numbers(texts: pd.Series) -> Floats:
    return np.array([[float(value) for value in text.split()] for text in texts])


def above_noise(noise_runs: pd.DataFrame) -> pd.DataFrame:
    """How often each rating was called real, and any idle one; a row a design and rating."""
    rows = []
    for (n, of_account), of_design in noise_runs.groupby(["n", "of_account"], sort=False):
        real = _numbers(of_design["p_adjusted"]) < 1 - CONFIDENCE_LEVEL
        shares = dict(zip(TERMS, real.mean(axis=0), strict=True))
        shares[ALL] = real[:, [TERMS.index(term) for term in IDLE]].any(axis=1).mean()
        rows += [
            {"n": n, "of_account": of_account, "term": term, "tested": len(real), "above_noise": round(float(share), 4)}
            for term, share in shares.items()
        ]
    return pd.DataFrame(rows)


def table(runs: pd.DataFrame, noise_runs: pd.DataFrame) -> pd.DataFrame:
    """Coverage, bias, errors and power of each design, a row a rating and one for all."""
    rows = []
    for (n, of_account), of_design in runs.groupby(["n", "of_account"], sort=False):
        found = {name: _numbers(of_design[name]) for name in COLUMNS}
        mean, truth = found["estimate"].mean(axis=0), population_points()
        z = stats.norm.ppf(0.5 + CONFIDENCE_LEVEL / 2)
        rank = len(TERMS) - stats.rankdata(mean, method="ordinal") + 1
        ranked = (found["rank_low"] <= rank) & (rank <= found["rank_high"])
        shared = {"n": n, "of_account": of_account, "data_sets": len(of_design)}
        for place, term in enumerate(TERMS):
            off, error = found["estimate"][:, place] - mean[place], found["std_error"][:, place]
            rows.append(
                {
                    **shared,
                    "term": term,
                    "population": round(truth[place], 2),
                    "mean_estimate": round(mean[place], 2),
                    "bias": round(mean[place] - truth[place], 2),
                    "sd": round(float(found["estimate"][:, place].std(ddof=1)), 2),
                    "mean_std_error": round(float(error.mean()), 2),
                    "coverage": round(float((np.abs(off) <= z * error).mean()), 4),
                    "coverage_population": round(
                        float((np.abs(found["estimate"][:, place] - truth[place]) <= z * error).mean()), 4
                    ),
                    "rank_held": round(float(ranked[:, place].mean()), 4),
                }
            )
        rows.append({**shared, "term": ALL, "rank_held": round(float(ranked.all(axis=1).mean()), 4)})
    return pd.DataFrame(rows).merge(above_noise(noise_runs), on=["n", "of_account", "term"], validate="1:1")


@cache
def best_found(n: int) -> Floats:
    """How often a test that is told everything but sizes would find each rating, by Holm over all; shape (n_ratings,).

    One-sided and efficient: it knows the shape of each rating's effect, with the pair's, and each respondent's chances
    (below 1% they count as 1%). From the information in a large survey, and normal draws of all statistics together.
    """
    rng = generator({"best_found": n})
    level = draw(50_000, 1, rng)[0].to_numpy(dtype=np.int64) - 1
    none, p = np.zeros((len(level), 1)), len(TERMS)
    shapes = [(PROMOTER.get(term, LEVELS / 100), DETRACTOR.get(term, -LEVELS / 100)) for term in TERMS]
    of_promoter, of_detractor = (
        np.column_stack([shape[level[:, place]] for place, shape in enumerate(part)])
        for part in zip(*shapes, strict=True)
    )
    of_promoter = np.hstack([of_promoter, PAIR[level[:, SUPPORT], level[:, PRICE]][:, None], none + 1, none])
    of_detractor = np.hstack([of_detractor, none, none, none + 1])
    promoter, detractor = (each.clip(0.01)[:, None] for each in chances(level))
    both, passive = of_promoter + of_detractor, (1 - promoter - detractor).clip(0.01)
    information = of_promoter.T @ (of_promoter / promoter) + of_detractor.T @ (of_detractor / detractor)
    information = (information + both.T @ (both / passive)) * n / len(level)
    direction = np.eye(p + 3)[:p]
    direction[[SUPPORT, PRICE], p] = 1
    for own in direction:
        others = own == 0
        own[others] = -np.linalg.solve(information[np.ix_(others, others)], information[others] @ own)
    covariance = direction @ information @ direction.T
    error = np.sqrt(np.diag(covariance))
    mean = direction @ information[:, :-2] @ [*(term in PROMOTER for term in TERMS), 1] / error
    statistic = rng.multivariate_normal(mean, covariance / np.outer(error, error), 20_000)
    needed = stats.norm.isf((1 - CONFIDENCE_LEVEL) / np.arange(p, 0, -1))
    n_found = np.logical_and.accumulate(-np.sort(-statistic, axis=1) > needed, axis=1).sum(axis=1)
    return np.asarray((stats.rankdata(-statistic, axis=1) <= n_found[:, None]).mean(axis=0))


def _design(n: int, of_account: int) -> str:
    return f"{n:,} answers" + (f", in accounts of {of_account}" if of_account > 1 else "")


def page(found: pd.DataFrame, in_log_odds: pd.DataFrame) -> str:
    """What the tables say, as Markdown."""
    parts = []
    for (n, of_account), rows in found.groupby(["n", "of_account"], sort=False):
        design = _design(n, of_account)
        ratings, together = rows[rows["term"] != ALL], rows[rows["term"] == ALL].iloc[0]
        head = ["rating", "planted", "mean", "standard deviation", "mean standard error", "covered", "planted covered"]
        lines = [[*head, "above noise", "at best"], ["---"] * 9]
        lines += [
            [
                row["term"],
                f"{row['population']:.1f}",
                f"{row['mean_estimate']:.1f}",
                f"{row['sd']:.1f}",
                f"{row['mean_std_error']:.1f}",
                f"{row['coverage']:.1%}",
                f"{row['coverage_population']:.1%}",
                f"{row['above_noise']:.1%}",
                f"{best_found(n)[TERMS.index(row['term'])]:.1%}" if row["term"] in PROMOTER else "",
            ]
            for row in ratings.to_dict("records")
        ]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        parts.append(
            f"## {design}\n\n{text}\nOf {together['data_sets']} data sets, all ranks of {together['rank_held']:.1%} "
            f"were held together. Of {together['tested']} tested, some idle rating was called above noise in "
            f"{together['above_noise']:.1%}.\n"
        )
    designs = list(in_log_odds.groupby(["n", "of_account"], sort=False))
    lines = [["rating", *(_design(*design) for design, _ in designs)], ["---"] * (1 + len(designs))]
    lines += [
        [term, *(f"{rows.loc[rows['term'] == term, 'above_noise'].item():.1%}" for _, rows in designs)]
        for term in (*TERMS, ALL)
    ]
    lines[-1][0] = "any idle one"
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    parts.append(
        "## Where effects add to log odds\n\nHow often the test called a rating real in "
        f"{in_log_odds['tested'].iloc[0]} data sets each, where the same effects, {LOG_ODDS:.0f} times as large, add "
        f"to the log odds of promoters and of detractors.\n\n{text}"
    )
    return f"""# How often what is said of drivers is right

Written by `python -m calibration.drivers` from the tables of data sets beside it: made-up surveys of known truth, with
ten ratings that go together (correlation {CORRELATION}), four of them idle; {N_RESAMPLES} resamples each. Points at
stake, in NPS points.

- **mean** is what the procedure gives on average: the estimand of its intervals; **covered**, how often they hold it.
- **planted** are the Shapley points of the planted chances in an endless survey; **planted covered**, how often the
  intervals hold these: strong ratings are drawn towards zero, idle ones a little above it.
- **above noise** is how often the test called the rating real, in more data sets: wrong for the idle ones, right for
  the others; **at best**, how often a test would that is told all but the sizes of effects (`best_found`), without
  accounts.

{chr(10).join(parts)}"""


def cells(designs: Sequence[tuple[int, int, int]]) -> list[dict[str, object]]:
    """Each design's data sets, all designs side by side, so that every part of a run says something of each."""
    most = max(number for *_, number in designs)
    return [
        {"n": n, "of_account": of_account, "number": number}
        for number in range(most)
        for n, of_account, data_sets in designs
        if number < data_sets
    ]


if __name__ == "__main__":
    fresh = fresh_is_asked(__doc__)
    noise_tested = fill(NOISE_RUNS, cells(TESTED), measure_noise, fresh=fresh, jobs=2)
    in_log_odds = fill(LOG_ODDS_RUNS, cells(TESTED_LOG_ODDS), measure_log_odds, fresh=fresh, jobs=2)
    measured = table(fill(RUNS, cells(DESIGNS), measure, fresh=fresh, jobs=2), noise_tested)
    measured.to_csv(TABLE, index=False, lineterminator="\n")
    PAGE.write_text(page(measured, above_noise(in_log_odds)), encoding="utf-8")
