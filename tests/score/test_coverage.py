"""Whether intervals hold the truth as often as they say, and tests reject no oftener than they say.

Up to n = 30 every possible sample is weighted with its probability; above, samples are drawn, many at a time as
groups of one distribution. |observed - nominal| <= 3.3 sqrt(0.95 * 0.05 / R) is then the criterion, and for error
rates the limit plus 3.3 Monte Carlo standard errors.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration import clustered_intervals
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.independent import adjusted_wald, score_interval, wald
from nps_research.score.limits.methods import estimate
from nps_research.score.score import heterogeneity
from tests.support.made_up_answers import CLASS_SCORES, SHAPES, clustered_distribution, truth_of

BLOCK = 500  # groups at a time: a covariance matrix of all of them is made
LIKE_MINDED = 4.0  # concentration of a cluster's shares: the lower, the more alike its answers


def tolerance(n_draws: int, level: float = 0.95) -> float:
    return float(3.3 * np.sqrt(level * (1 - level) / n_draws))


def every_table(n: int) -> np.ndarray:
    return np.array([(d, n - d - p, p) for d in range(n + 1) for p in range(n + 1 - d)], dtype=float)


def limits(formula, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    blocks = [
        formula(tables[start : start + BLOCK].astype(float), confidence_level=0.95)
        for start in range(0, len(tables), BLOCK)
    ]
    return np.concatenate([b.conf_low for b in blocks]), np.concatenate([b.conf_high for b in blocks])


def exact_coverage(formula, n: int) -> dict[str, float]:
    tables = every_table(n)
    low, high = limits(formula, tables)
    return {
        name: float(
            stats.multinomial.pmf(tables, n, shape)
            @ ((low <= truth_of(shape) + 1e-9) & (truth_of(shape) - 1e-9 <= high))
        )
        for name, shape in SHAPES.items()
    }


def drawn_coverage(low, high, truth: float) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


def of_tables(tables: np.ndarray) -> ScoreDistribution:
    counts = np.zeros((len(tables), 11), dtype=np.int64)
    counts[:, CLASS_SCORES] = tables
    return ScoreDistribution(groups=tuple(f"g{row}" for row in range(len(tables))), counts=counts)


def draw_clusters(rng, *, n_draws: int, n_groups: int, m: int, shape, shared: bool, weighted: bool, sizes=(3, 4, 5)):
    """A distribution of n_draws times n_groups groups, a draw's groups one after the other.

    Each cluster has shares of its own around the shape, the same in all groups of a draw where clusters are
    shared. Weights are the clusters', or 1.
    """
    shares = rng.dirichlet(LIKE_MINDED * np.array(shape), size=(n_draws, 1 if shared else n_groups, m))
    shares = np.broadcast_to(shares, (n_draws, n_groups, m, 3)).reshape(-1, m, 3)
    counts = rng.multinomial(rng.choice(sizes, size=shares.shape[:2]), shares)
    weight = rng.uniform(0.5, 1.5, size=shares.shape[:2]) if weighted else np.ones(shares.shape[:2])
    group = np.zeros(n_groups, dtype=int) if shared else np.arange(n_groups)
    label = np.array([[f"{g}-{c}" for c in range(m)] for g in group], dtype=object)
    return clustered_distribution(counts * weight[..., None], counts, np.tile(label, (n_draws, 1)))


def p_values_of_draws(dist: ScoreDistribution, n_groups: int) -> list[float]:
    """The test of equal scores among each draw's groups."""
    method = "adjusted-wald" if dist.is_simple else "effective-score"
    scores = estimate(dist, method=method, confidence_level=0.95)
    draws = range(len(dist.groups) // n_groups)
    p = [heterogeneity(*clustered_intervals.groups_of_draw(dist, scores, draw, n_groups)) for draw in draws]
    return np.array(p, dtype=float).tolist()


# Exactly, for small samples


ORDINARY = ["b2b", "skewed high", "skewed low", "few promoters"]


@pytest.mark.parametrize("shape", ORDINARY)
def test_adjusted_wald_covers_at_n_10(shape):
    assert exact_coverage(adjusted_wald, 10)[shape] >= 0.925


@pytest.mark.parametrize(("formula", "n"), [(adjusted_wald, 20), (adjusted_wald, 30), (score_interval, 10)])
def test_intervals_for_small_groups_cover_at_every_shape(formula, n):
    assert min(exact_coverage(formula, n).values()) >= 0.925


def test_at_n_10_adjusted_wald_falls_short_at_the_edges_of_the_triangle_and_the_score_interval_does_not():
    coverage = {formula: exact_coverage(formula, 10) for formula in (adjusted_wald, score_interval)}
    for shape in ("no passives", "extreme"):
        assert 0.89 < coverage[adjusted_wald][shape] < 0.925 < coverage[score_interval][shape]


def test_plain_wald_does_not_cover_at_n_30_which_is_why_it_is_not_the_default():
    plain, adjusted = exact_coverage(wald, 30), exact_coverage(adjusted_wald, 30)
    assert plain["skewed high"] < 0.925
    assert plain["extreme"] < 0.80
    away = [np.mean([abs(value - 0.95) for value in coverage.values()]) for coverage in (plain, adjusted)]
    assert away[1] < away[0] / 2


# Drawn, for larger ones


@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("shape", ["b2b", "skewed high", "skewed low", "few promoters", "no passives"])
def test_adjusted_wald_covers(n, shape):
    n_draws = 4000
    tables = np.random.default_rng(n).multinomial(n, SHAPES[shape], size=n_draws)
    low, high = limits(adjusted_wald, tables)
    observed = drawn_coverage(low, high, truth_of(SHAPES[shape]))
    assert observed == pytest.approx(0.95, abs=tolerance(n_draws))


def test_the_bootstrap_covers():
    n_draws = 800
    tables = np.random.default_rng(1).multinomial(300, SHAPES["b2b"], size=n_draws)
    found = estimate(
        of_tables(tables), method="bootstrap", confidence_level=0.95, n_resamples=1000,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    observed = drawn_coverage(found.conf_low, found.conf_high, truth_of(SHAPES["b2b"]))
    assert observed == pytest.approx(0.95, abs=tolerance(n_draws))


@pytest.mark.parametrize(
    ("sizes", "shapes"),
    [((30, 30), ("b2b", "b2b")), ((20, 200), ("b2b", "skewed high")), ((300, 300), ("skewed high", "skewed low"))],
)
def test_differences_of_independent_groups_cover(sizes, shapes):
    n_draws, rng = 4000, np.random.default_rng(3)
    tables = [rng.multinomial(n, SHAPES[shape], size=n_draws) for n, shape in zip(sizes, shapes, strict=True)]
    truth = truth_of(SHAPES[shapes[1]]) - truth_of(SHAPES[shapes[0]])
    held = []
    for start in range(0, n_draws, BLOCK):
        both = np.stack([part[start : start + BLOCK] for part in tables], axis=1).reshape(-1, 3)
        dist = of_tables(both)
        pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
        frame = compare_net_promoter_scores(dist, pairs=pairs).frame
        held.append(drawn_coverage(frame["conf_low"], frame["conf_high"], truth))
    assert np.mean(held) == pytest.approx(0.95, abs=tolerance(n_draws))


def test_resampled_differences_cover():
    n_draws, rng = 800, np.random.default_rng(8)
    tables = [rng.multinomial(n, SHAPES[shape], size=n_draws) for n, shape in ((200, "b2b"), (400, "skewed high"))]
    dist = of_tables(np.stack(tables, axis=1).reshape(-1, 3))
    pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
    frame = compare_net_promoter_scores(dist, pairs=pairs, method="bootstrap", n_resamples=1000).frame
    observed = drawn_coverage(frame["conf_low"], frame["conf_high"], truth_of(SHAPES["skewed high"]) - 10)
    assert observed == pytest.approx(0.95, abs=tolerance(n_draws))


# Clusters


@pytest.mark.parametrize(("m", "shape", "n_draws"), [(40, "b2b", 3000), (200, "b2b", 1500), (200, "skewed high", 1500)])
@pytest.mark.parametrize("weighted", [False, True])
def test_linearised_intervals_cover_where_answers_cluster(m, shape, n_draws, weighted):
    dist = draw_clusters(
        np.random.default_rng(m), n_draws=n_draws, n_groups=1, m=m, shape=SHAPES[shape], shared=False, weighted=weighted
    )
    found = estimate(dist, method="linearized", confidence_level=0.95)
    observed = drawn_coverage(found.conf_low, found.conf_high, truth_of(SHAPES[shape]))
    assert observed == pytest.approx(0.95, abs=tolerance(n_draws))
    blind = estimate(replace(dist, clusters=None), method="linearized", confidence_level=0.95)
    if not weighted:  # what it costs to take them as independent
        assert drawn_coverage(blind.conf_low, blind.conf_high, truth_of(SHAPES[shape])) < 0.92


@pytest.mark.parametrize("m", [40, 100])
def test_paired_waves_cover_and_are_surer_than_unpaired_ones(m):
    n_draws, n_per_call = 2000, 100  # a comparison looks for shared clusters pair by pair
    rng = np.random.default_rng(4)
    held: list[float] = []
    width: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(n_draws // n_per_call):
        dist = draw_clusters(rng, n_draws=n_per_call, n_groups=2, m=m, shape=SHAPES["b2b"], shared=True, weighted=False)
        pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
        frame = compare_net_promoter_scores(dist, pairs=pairs).frame
        held.append(drawn_coverage(frame["conf_low"], frame["conf_high"], 0.0))
        apart = np.array([f"{g}-{label}" for g, label in zip(dist.clusters.group, dist.clusters.label, strict=True)])
        unpaired = replace(dist, clusters=replace(dist.clusters, label=apart.astype(object)))
        for paired, of in ((True, frame), (False, compare_net_promoter_scores(unpaired, pairs=pairs).frame)):
            width[paired].append(float((of["conf_high"] - of["conf_low"]).mean()))
    assert np.mean(held) == pytest.approx(0.95, abs=tolerance(n_draws))
    assert np.mean(width[True]) < 0.85 * np.mean(width[False])


CLUSTERED = Path(__file__).parents[2] / "calibration" / "clustered_intervals.csv"
CELL = ["accounts", "sizes", "icc", "weights", "shape", "quantity"]


def test_the_table_of_clustered_intervals_is_why_their_default_is_what_it_is():
    table = pd.read_csv(CLUSTERED)
    assert not table.duplicated([*CELL, "method"]).any()
    table = table[~table["quantity"].str.contains("equal groups")]
    ordinary = table[table["shape"] != "extreme"]
    own, usual = (ordinary[ordinary["method"] == method] for method in ("effective-score", "linearized"))
    assert own.groupby("accounts").size().to_dict() == usual.groupby("accounts").size().to_dict() == {
        20: 190, 60: 190, 300: 190
    }  # fmt: skip
    half = own[own["quantity"] == "change, half the same accounts"]
    assert half[half["accounts"] > 20]["rate"].between(0.93, 0.97).all()
    assert half["rate"].between(0.93, 0.98).all()
    few, many = own[own["accounts"] < 300], own[own["accounts"] == 300]
    assert few["rate"].min() >= 0.925
    near = (many["rate"] - 0.95).abs() <= tolerance(4000)
    assert near.mean() > 0.95
    assert many["rate"].min() >= 0.93
    assert usual[usual["accounts"] == 20]["rate"].min() < 0.85
    extreme = table[(table["shape"] == "extreme") & (table["method"] == "effective-score")]
    assert extreme["rate"].min() >= 0.925
    assert (own["quantity"] == "score").any()
    assert own[own["quantity"] != "score"]["rate"].max() < 0.985


def test_equal_groups_of_few_clusters_are_seldom_called_different_in_the_table():
    table = pd.read_csv(CLUSTERED).query("quantity.str.contains('equal groups')")
    own, usual = (table[table["method"] == method] for method in ("effective-score", "linearized"))
    assert len(own) == len(usual) == 36
    assert own[own["accounts"] < 60]["rate"].max() <= 0.07
    assert own[own["accounts"] == 60]["rate"].max() <= 0.05 + tolerance(4000, 0.05)


@pytest.mark.parametrize(
    ("m", "shape", "sizes", "icc", "weights", "quantity"),
    [
        (20, "skewed high", "log-normal", 0.3, "revenue", "score"),
        (60, "airport", "log-normal", 0.1, "none", "score"),
        (20, "skewed low", "single", 0.0, "design", "score"),
        (20, "b2b", "log-normal", 0.3, "none", "change, other accounts"),
        (20, "few promoters", "equal", 0.3, "none", "change, same accounts"),
        (20, "b2b", "equal", 0.1, "none", "change, half the same accounts"),
    ],
)
def test_cells_of_the_table_of_clustered_intervals_are_what_the_package_gives(m, shape, sizes, icc, weights, quantity):
    design = clustered_intervals.Design(sizes, icc, weights)
    table = pd.read_csv(CLUSTERED).set_index([*CELL, "method"])
    for row in clustered_intervals.coverage(m, shape, design, quantity):
        kept = table.loc[(m, sizes, icc, weights, shape, quantity, row["method"])]
        assert row["rate"] == pytest.approx(kept["rate"], abs=0.003)
        assert row["mean_width"] == pytest.approx(kept["mean_width"], rel=0.01)


def test_a_cell_of_the_table_of_equal_groups_is_what_the_package_gives():
    design = clustered_intervals.Design("log-normal", 0.1, "revenue")
    table = pd.read_csv(CLUSTERED).set_index([*CELL, "method"])
    for row in clustered_intervals.rejections(10, "skewed high", design, shared=False):
        kept = table.loc[(10, *design, "skewed high", row["quantity"], row["method"])]
        assert row["rate"] == pytest.approx(kept["rate"], abs=0.003)


# Error rates


def no_oftener_than(rejected, n_draws: int, limit: float = 0.05) -> bool:
    return bool(np.mean(rejected) <= limit + 3.3 * np.sqrt(limit * (1 - limit) / n_draws))


@pytest.mark.parametrize(("n", "k"), [(10, 2), (10, 10), (50, 4), (200, 8)])
def test_equal_scores_of_independent_groups_are_seldom_called_different(n, k):
    n_draws, rng = 2000, np.random.default_rng(5)
    per_call = BLOCK // k
    p: list[float] = []
    for _ in range(n_draws // per_call):
        dist = of_tables(rng.multinomial(n, SHAPES["b2b"], size=per_call * k))
        p += p_values_of_draws(dist, k)
    assert no_oftener_than(np.array(p) < 0.05, len(p))
    assert np.mean(np.array(p) < 0.5) > 0.35  # and it is no test that never rejects


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("m", "k"), [(12, 2), (20, 4), (20, 8), (60, 8)])
def test_equal_scores_of_clustered_groups_are_seldom_called_different(m, k, shared):
    n_draws, rng = 1200, np.random.default_rng(6)
    per_call = BLOCK // k
    p: list[float] = []
    for _ in range(n_draws // per_call):
        dist = draw_clusters(rng, n_draws=per_call, n_groups=k, m=m, shape=SHAPES["b2b"], shared=shared, weighted=False)
        p += p_values_of_draws(dist, k)
    assert no_oftener_than(np.array(p) < 0.05, len(p))
    assert np.mean(np.array(p) < 0.5) > 0.35


@pytest.mark.parametrize("design", ["independent", "paired", "clustered apart"])
def test_no_change_is_seldom_called_a_change(design):
    n_draws, rng = 2000, np.random.default_rng(7)
    p: list[float] = []
    for _ in range(n_draws // BLOCK):
        if design == "independent":
            dist = of_tables(rng.multinomial(60, SHAPES["b2b"], size=2 * BLOCK))
        else:
            dist = draw_clusters(
                rng, n_draws=BLOCK, n_groups=2, m=30, shape=SHAPES["b2b"], shared=design == "paired", weighted=False
            )
        pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
        p += compare_net_promoter_scores(dist, pairs=pairs, adjust="none").frame["p_value"].tolist()
    assert no_oftener_than(np.array(p) < 0.05, n_draws)
    assert np.mean(np.array(p) < 0.5) > 0.4
