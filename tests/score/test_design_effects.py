"""Design effects of groups: exact where they must be, recovered where drawn, drawn together where unsure."""

from dataclasses import replace

import numpy as np
import pytest

from nps_research.score.limits.design_effects import group_design_effects
from tests.support.made_up_answers import clustered_distribution, distribution_of, made_up_rows, of_classes


def of_clusters(*groups):
    """A distribution from class counts per cluster, a list of clusters for each group, all of one length."""
    sums = np.array(groups, dtype=float)
    labels = np.array([[f"{g} {c}" for c in range(sums.shape[1])] for g in range(len(sums))], dtype=object)
    return replace(clustered_distribution(sums, sums.astype(int), labels), weight_sums=None)


def alike_in_clusters(rng, likeness, n_clusters, size=10):
    """Per group, clusters of `size` answers alike by so much."""
    shares = [rng.dirichlet((1 / each - 1) * np.array([0.25, 0.4, 0.35]), size=n_clusters) for each in likeness]
    return of_clusters(*[rng.multinomial(size, of_group) for of_group in shares])


def test_answers_that_are_clusters_by_themselves_count_once():
    rows = made_up_rows(np.random.default_rng(1))
    by_person = distribution_of(rows, by="region", weight=None, cluster="respondent_id")
    # Not quite 1: a variance's logarithm is too low on average, for which a little is added.
    assert group_design_effects(by_person) == pytest.approx(np.ones(3), abs=0.01)
    assert group_design_effects(of_classes(a=[1, 2, 3], b=[4, 5, 6])).tolist() == [1, 1]


def test_equal_weights_count_for_nothing():
    rows = made_up_rows(np.random.default_rng(2)).assign(design_weight=2.5)
    assert group_design_effects(distribution_of(rows, by="region")) == pytest.approx(np.ones(3), abs=0.01)


def test_large_groups_have_their_own_design_effect():
    rng, likeness = np.random.default_rng(3), np.array([0.01, 0.05, 0.3, 0.6])
    found = group_design_effects(alike_in_clusters(rng, likeness, n_clusters=3000))
    assert found == pytest.approx(1 + 9 * likeness, rel=0.1)


def test_small_groups_are_drawn_to_the_mean_and_so_nearer_the_truth():
    rng, likeness = np.random.default_rng(4), np.tile([0.1, 0.2], 20)
    own, drawn = [], []
    for _ in range(10):
        dist = alike_in_clusters(rng, likeness, n_clusters=6)
        drawn.append(np.log(group_design_effects(dist) / (1 + 9 * likeness)))
        alone = np.concatenate([group_design_effects(dist.group(name)) for name in dist.groups])
        own.append(np.log(alone / (1 + 9 * likeness)))
    assert np.mean(np.square(drawn)) < 0.5 * np.mean(np.square(own))


def test_groups_that_differ_by_chance_alone_have_one_design_effect():
    dist = alike_in_clusters(np.random.default_rng(5), [0.3] * 12, n_clusters=40)
    found = group_design_effects(dist)
    assert np.ptp(found) < 0.3 * found.mean()
    assert found.mean() == pytest.approx(1 + 9 * 0.3, rel=0.15)


def test_many_groups_of_few_clusters_know_their_mean():
    dist = alike_in_clusters(np.random.default_rng(7), [0.3] * 400, n_clusters=5)
    found = np.exp(np.log(group_design_effects(dist)).mean())
    assert 0.95 * 3.7 < found < 1.2 * 3.7  # a little high: few clusters hide some of the spread of answers


def test_a_group_that_knows_nothing_of_its_own_has_the_mean():
    mixed = [[4, 0, 0], [0, 0, 4], [0, 4, 0], [0, 0, 4], [2, 2, 0], [0, 1, 3]]
    dist = of_clusters(mixed, mixed, [[0, 0, 4]] * 6)  # all answers of the last group are alike
    found = group_design_effects(dist)
    assert found[2] == pytest.approx(found[0]) == pytest.approx(found[1])
    assert found[2] > 2
    lone = dist.clusters.label != "2 0"
    kept = (dist.clusters.group < 2) | ~lone
    clusters = replace(
        dist.clusters, group=dist.clusters.group[kept], label=dist.clusters.label[kept], sums=dist.clusters.sums[kept]
    )
    assert group_design_effects(replace(dist, clusters=clusters))[2] == pytest.approx(found[0])


def test_where_no_group_knows_its_own_each_cluster_counts_once():
    alike = of_clusters([[0, 0, 4]] * 6, [[5, 0, 0]] * 6)
    assert group_design_effects(alike).tolist() == [4, 5]
    assert group_design_effects(of_clusters([[1, 2, 3]], [[3, 2, 0]])).tolist() == [6, 5]
    weighted = distribution_of(made_up_rows(np.random.default_rng(6)).assign(likelihood_to_recommend=10.0), by="region")
    assert group_design_effects(weighted).tolist() == [1, 1, 1]
