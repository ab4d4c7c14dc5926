"""What drives loyalty: shares of R2, fits and attributions beside other software's, and the whole at many sizes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.measuring import OURS, ROOT, SEED, in_turns, peak_megabytes
from nps_research.drivers.fit_drivers import fit_drivers, fit_drivers_from_frame
from nps_research.drivers.fitting.trees import (
    LEAF_WEIGHT,
    MAX_DEPTH,
    N_TREES,
    SETTINGS,
    Background,
    Coding,
    boost,
    boost_folds,
    shapley_of_tables,
    tables_of,
    trees_of,
)
from nps_research.drivers.linear.relative_importance import decompose_r_squared
from nps_research.study.study import open_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REPEATS, FIT_REPEATS = 3, 5  # a fit is over in a moment, and so its time varies
SHAP = "shap.TreeExplainer"
RELAIMPO_SECONDS = 36.0  # of processor time, recorded: relaimpo 2.2-7, 20 drivers, 1,000 resamples, n = 10,000
LMG = "LMG, 15 drivers, 10,000 rows, 1,000 resamples"
DOMINANCE = "LMG, 10 drivers, 1,000 rows"
BACKGROUND, CHECKED = 500, 200  # rows: what Shapley values are against, and where they are compared
ATTRIBUTIONS = f"Attributions, 10,000 rows against {BACKGROUND}, 12 drivers, {N_TREES} trees"
FITS = f"Ten fits on two cores, 12 drivers, {N_TREES} trees of depth {MAX_DEPTH}"
GRADIENT = "HistGradientBoosting"
LIGHTGBM = "LightGBM, fit by fit, two side by side"
SCIKIT_LEARN = {  # threads of its own, fits side by side
    f"{GRADIENT}, two threads": (2, 1),
    f"{GRADIENT}, one thread": (1, 1),
    f"{GRADIENT}, two fits side by side": (1, 2),
}
WAYS = {**SCIKIT_LEARN, LIGHTGBM: (1, 2)}  # LightGBM took longer with two threads of its own
FIT_SIZES = (1_000, 2_500, 10_000)
DEMO = "The made-up company, 100 resamples"
GROWTH = "fit_drivers, 12 drivers, 20 resamples"
SIZES = (1_000, 10_000, 50_000, 200_000)
# what dominance-analysis 1.1.9 still runs with, in an environment of its own
DOMINANCE_NEEDS = ("dominance-analysis==1.1.9", "numpy<2", "pandas<3", "ipython<8.13")


def made_up(n: int, p: int = 12) -> tuple[Floats, NDArray[np.int64]]:
    """Ratings of 1 to 5 that go together, some missing, and answers."""
    rng = np.random.default_rng(SEED)
    latent = 0.6 * rng.standard_normal((n, 1)) + 0.8 * rng.standard_normal((n, p))
    ratings = np.searchsorted([-1.4, -0.7, 0.1, 0.9], latent) + 1.0
    answer = np.clip(np.rint(2.2 + 0.5 * ratings[:, :4].sum(axis=1) - 2 + rng.normal(0, 1.5, n)), 0, 10)
    ratings[rng.random(ratings.shape) < 0.1] = np.nan
    return ratings, answer.astype(np.int64)


def linear(n: int, p: int) -> tuple[pd.DataFrame, Floats]:
    """Drivers that go together, and an outcome."""
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    return pd.DataFrame(x, columns=[f"x{term}" for term in range(p)]), x.sum(axis=1) + 3 * rng.standard_normal(n)


def lmg() -> dict[str, Any]:
    """The package's LMG with limits."""
    ratings, y = linear(10_000, 15)
    decompose_r_squared(ratings.iloc[:500], y[:500], methods=["lmg"], n_resamples=20)
    return _timed(lambda: decompose_r_squared(ratings, y, methods=["lmg"], n_resamples=1000))


def dominance_ours() -> dict[str, Any]:
    """The package's LMG; the shares' sum is told, so that both can be seen to agree."""
    ratings, y = linear(1_000, 10)
    decompose_r_squared(ratings.iloc[:500], y[:500], methods=["lmg"], n_resamples=0)
    found: list[Any] = []
    told = _timed(lambda: found.append(decompose_r_squared(ratings, y, methods=["lmg"], n_resamples=0)))
    return {**told, "check": round(float(found[0].frame["estimate"].iloc[0]), 6)}


def dominance_theirs() -> dict[str, Any]:
    """dominance-analysis' own method, in an environment of its own."""
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    needs = [part for need in DOMINANCE_NEEDS for part in ("--with", need)]
    program = str(ROOT / "benchmarks" / "dominance.py")
    command = [uv, "run", "--quiet", "--no-project", "--python", sys.executable, *needs, "python", program, str(SEED)]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    run = subprocess.run(command, cwd=ROOT.parent, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


def attributions(way: str) -> dict[str, Any]:
    """Interventional Shapley values of one model for everybody, against the same background; how far from the other's.

    Memory is that before the comparison.
    """
    ratings, answer = made_up(10_000)
    booster = boost(ratings, 100.0 * (answer >= 9), np.ones(len(ratings)))
    background = ratings[:BACKGROUND]
    explain, (other,) = EXPLAINERS[way], (each for name, each in EXPLAINERS.items() if name != way)
    explain(booster, ratings[:50], background[:50])
    found: list[Floats] = []
    told = _timed(lambda: found.append(explain(booster, ratings, background)))
    told["peak_megabytes"] = peak_megabytes()
    theirs = other(booster, ratings[:CHECKED], background)
    return {**told, "check": float(np.abs(found[0][:CHECKED] - theirs).max())}


def _explain(booster: Any, rows: Floats, background: Floats) -> Floats:
    levels = [np.arange(1.0, 6)] * rows.shape[1]
    coding, against = Coding.of(rows, levels), Background(Coding.of(background, levels), np.ones(len(background)))
    values = np.zeros(rows.shape)
    for terms, table in tables_of(trees_of(booster), coding).items():
        cells = coding.cells(terms)
        for term, value in zip(terms, shapley_of_tables(table[None], against.shares(terms)[None])[1], strict=True):
            values[:, term] += value.ravel()[cells]
    return values


def _explain_by_shap(booster: Any, rows: Floats, background: Floats) -> Floats:
    """Against every row of the background: of an array, shap would take 100 rows by lot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.TreeExplainer(booster, masker, feature_perturbation="interventional")
    return np.asarray(explainer.shap_values(rows))


EXPLAINERS = {OURS: _explain, SHAP: _explain_by_shap}


def fits(n: int, way: str = OURS) -> dict[str, Any]:
    """Two surveys' ten fits: promoters and detractors, each without one of five folds; time for one survey's.

    The package fits two surveys side by side, one thread each; others do as `way` says. All carry weights.
    """
    ratings, answer = made_up(n)
    y, weights = np.stack([100.0 * (answer >= 9), -100.0 * (answer <= 6)]), np.ones(n)
    fold = np.random.default_rng(SEED).permutation(n) % 5
    own, side_by_side = WAYS.get(way, (1, 2))

    def survey(_: int) -> list[Any]:
        if way == OURS:
            coding = Coding.of(ratings, [np.arange(1.0, 6)] * ratings.shape[1])
            return [model for _, both in boost_folds(ratings, y, weights, fold, coding=coding) for model in both]
        fit = _lightgbm if way == LIGHTGBM else _gradient_boosting
        return [
            fit(ratings[fold != left_out], part[fold != left_out], weights[fold != left_out])
            for left_out in range(5)
            for part in y
        ]

    import sklearn.ensemble  # noqa: F401 - limits hold for what is loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(own, user_api="openmp"), ThreadPoolExecutor(side_by_side) as threads:

        def work() -> list[list[Any]]:
            return list(map(survey, range(2)) if side_by_side == 1 else threads.map(survey, range(2)))

        work()
        found: list[Any] = []
        told = {name: value / 2 for name, value in _timed(lambda: found.extend(work())).items()}
    train = fold != 0
    rest = y[0, train] - found[0][0].predict(ratings[train])
    return {**told, "check": round(float(1 - np.mean(rest**2) / y[0, train].var()), 4)}


def _lightgbm(ratings: Floats, y: Floats, weights: Floats) -> Any:
    """LightGBM with the package's settings; `lightgbm.train` does the same, and looks for callbacks after each tree."""
    import lightgbm

    settings = {**SETTINGS, "num_leaves": 2**MAX_DEPTH, "max_depth": MAX_DEPTH}
    booster = lightgbm.Booster(settings, lightgbm.Dataset(ratings, y, weight=weights, params=settings))
    for _ in range(N_TREES):
        booster.update()
    return booster


def _gradient_boosting(ratings: Floats, y: Floats, weights: Floats) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=N_TREES,
        max_depth=MAX_DEPTH,
        max_leaf_nodes=2**MAX_DEPTH,
        learning_rate=SETTINGS["learning_rate"],
        min_samples_leaf=int(LEAF_WEIGHT),
        early_stopping=False,
    ).fit(ratings, y, weights)


def demo() -> dict[str, Any]:
    """The whole model of the made-up company, with waves."""
    study = open_study(ROOT / "data" / "demo")
    return _timed(lambda: fit_drivers(study, by="wave", n_resamples=100))


def growth(n: int) -> dict[str, Any]:
    """The whole model at other sizes."""
    ratings, answer = made_up(n)
    table = pd.DataFrame(ratings, columns=[f"x{term}" for term in range(ratings.shape[1])])
    return _timed(lambda: fit_drivers_from_frame(table, answer, n_resamples=20))


def _timed(work: Callable[[], object]) -> dict[str, Any]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor}


RUNS: dict[str, Callable[..., dict[str, Any]]] = {
    "lmg": lmg,
    "dominance_ours": dominance_ours,
    "dominance_theirs": dominance_theirs,
    "attributions": attributions,
    "fits": lambda n, way: fits(int(n), way),
    "demo": demo,
    "growth": lambda n: growth(int(n)),
}
CASES: dict[str, tuple[int, dict[str, tuple[str, ...]]]] = {
    LMG: (REPEATS, {OURS: ("lmg",)}),
    DOMINANCE: (REPEATS, {OURS: ("dominance_ours",), "dominance-analysis": ("dominance_theirs",)}),
    ATTRIBUTIONS: (REPEATS, {way: ("attributions", way) for way in EXPLAINERS}),
    **{f"{FITS}, {n:,} rows": (FIT_REPEATS, {way: ("fits", str(n), way) for way in (OURS, *WAYS)}) for n in FIT_SIZES},
    DEMO: (1, {OURS: ("demo",)}),
    **{f"{GROWTH}, {n:,} rows": (1, {OURS: ("growth", str(n))}) for n in SIZES},
}


def measure(cases: dict[str, tuple[int, dict[str, tuple[str, ...]]]] | None = None) -> pd.DataFrame:
    """Each case's contenders in turns; seconds by the clock and of the processor."""
    rows = []
    for case, (repeats, contenders) in (cases or CASES).items():
        commands = {name: ("benchmarks.drivers", *arguments) for name, arguments in contenders.items()}
        rows += [{"case": case, "repeats": repeats, **found} for found in in_turns(commands, repeats)]
        print(case, flush=True)
    measured = pd.DataFrame(rows).reindex(
        columns=["case", "repeats", "contender", "seconds", "processor_seconds", "peak_megabytes", "check"]
    )
    return measured.round({"seconds": 4, "processor_seconds": 4, "peak_megabytes": 0, "check": 7})


if __name__ == "__main__":
    wanted = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # like beside like
    wanted["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that wait do not spin: scikit-learn's own would, for minutes
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.drivers", *sys.argv[1:]])  # noqa: S606 - again
    told = RUNS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"peak_megabytes": peak_megabytes(), **told}))
