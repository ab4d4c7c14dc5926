"""ScoreDistribution: what it holds, that it adds, and what it refuses."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps_research.counting.cluster_sums import merged_clusters
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError
from tests.support.made_up_answers import distribution_of, made_up_rows

from_counts = ScoreDistribution.from_counts
ONES = [1] * 11

count_rows = st.lists(st.integers(0, 60), min_size=11, max_size=11)
named_counts = st.dictionaries(st.sampled_from("abcde"), count_rows, min_size=1, max_size=4)


def by_group(dist: ScoreDistribution) -> dict[str, list[int]]:
    return dict(zip(dist.groups, dist.counts.tolist(), strict=True))


def cluster_table(dist: ScoreDistribution) -> dict[tuple[str, str], list[float]]:
    clusters = dist.clusters
    assert clusters is not None
    keys = [(dist.groups[group], label) for group, label in zip(clusters.group, clusters.label, strict=True)]
    assert len(set(keys)) == len(keys)  # one row per cluster and group
    return dict(zip(keys, clusters.sums.round(9).tolist(), strict=True))


@pytest.fixture
def clustered() -> ScoreDistribution:
    return distribution_of(made_up_rows(np.random.default_rng(1), n=200), by="wave", cluster="account_id")


# From counts


def test_counts_are_kept_per_group_in_the_order_given():
    dist = from_counts({"b": ONES, "a": range(11)})
    assert dist.groups == ("b", "a")
    assert dist.n.tolist() == [11, 55]
    assert dist.counts.dtype == np.int64
    assert dist.weights.tolist() == [ONES, list(range(11))]


def test_missing_answers_are_unknown_unless_given():
    dist = from_counts({"a": ONES})
    assert (dist.item_missing, dist.nonrespondents, dist.not_reached, dist.response_rate) == (None, None, None, None)


def test_response_rate_counts_returned_forms_among_delivered():
    dist = from_counts(
        {"a": ONES, "b": [0] * 11},
        item_missing={"a": 4, "b": 0},
        nonrespondents={"a": 25, "b": 0},
        not_reached={"a": 60, "b": 9},
    )
    assert dist.response_rate is not None
    np.testing.assert_allclose(dist.response_rate, [15 / 40, np.nan])


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({}, "no group"),
        ({"2018": [1, 2, 3]}, "'2018': 3 values arrived; 11 are needed"),
        ({"2018": [1] * 12}, "12 values"),
        ({"2018": [0.5] * 11}, "whole number"),
        ({"2018": [-1] + [0] * 10}, "0 or more"),
        ({"2018": [np.nan] * 11}, "whole number"),
        ({"2018": [np.inf] * 11}, "whole number"),
        ({"2018": ["many"] * 11}, "whole number"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts, says):
    with pytest.raises(ContractError, match=says):
        from_counts(counts)


@pytest.mark.parametrize("name", ["item_missing", "nonrespondents", "not_reached"])
def test_missing_answers_need_a_group_and_a_size(name):
    with pytest.raises(ContractError, match=f"{name}.*'2019'"):
        from_counts({"2018": ONES}, **{name: {"2019": 3}})
    with pytest.raises(ContractError, match=f"{name}.*0 or more"):
        from_counts({"2018": ONES}, **{name: {"2018": -3}})


# Choosing and adding


def test_group_and_select_keep_order_and_clusters(clustered):
    one = clustered.group("2025")
    assert one.groups == ("2025",)
    assert one.counts.tolist() == clustered.counts[[1]].tolist()
    turned = clustered.select(["2025", "2024"])
    assert by_group(turned) == by_group(clustered)
    assert turned.groups == ("2025", "2024")
    assert cluster_table(turned) == cluster_table(clustered)
    assert cluster_table(one).items() < cluster_table(clustered).items()


@pytest.mark.parametrize("choose", [lambda dist, name: dist.group(name), lambda dist, name: dist.select([name])])
def test_a_misspelt_group_is_met_with_a_guess(choose):
    with pytest.raises(ContractError, match="no group 'nrth': did you mean north"):
        choose(from_counts({"north": ONES, "south": ONES}), "nrth")


def test_total_is_the_sum_of_the_groups(clustered):
    total = clustered.total()
    assert total.counts.tolist() == [clustered.counts.sum(axis=0).tolist()]
    np.testing.assert_allclose(total.weights[0], clustered.weights.sum(axis=0))
    assert set(total.clusters.label) == set(clustered.clusters.label)
    assert len(total.clusters.label) < len(clustered.clusters.label)  # accounts in both waves are one cluster
    np.testing.assert_allclose(total.clusters.sums.sum(axis=0), total.weights[0])


def test_adding_joins_clusters_of_the_same_label_and_pools_all_else():
    rows = made_up_rows(np.random.default_rng(2), n=240)
    whole = distribution_of(rows, by="region", cluster="account_id")
    parts = [distribution_of(half, by="region", cluster="account_id") for half in (rows.iloc[:90], rows.iloc[90:])]
    added = (parts[0] + parts[1]).select(whole.groups)
    assert by_group(added) == by_group(whole)
    assert added.item_missing.tolist() == whole.item_missing.tolist()
    np.testing.assert_allclose(added.weight_sums, whole.weight_sums)
    np.testing.assert_allclose(added.squared_weight_sums, whole.squared_weight_sums)
    assert cluster_table(added) == cluster_table(whole)


def test_who_belongs_to_no_cluster_stays_alone_when_studies_are_added():
    rows = pd.DataFrame({"account_id": [None, None, "a"], "likelihood_to_recommend": [10, 3, 8]})
    other = rows.assign(likelihood_to_recommend=[0, 0, 0])
    added = distribution_of(rows, cluster="account_id") + distribution_of(other, cluster="account_id")
    assert len(added.clusters.label) == 5  # four alone, and account a


def test_what_one_side_does_not_know_the_sum_does_not_know():
    known = from_counts({"a": ONES}, nonrespondents={"a": 5})
    assert (known + from_counts({"a": ONES})).nonrespondents is None
    assert (known + known).nonrespondents.tolist() == [10]


def test_only_like_can_be_added():
    rows = made_up_rows(np.random.default_rng(3), n=60)
    plain = distribution_of(rows, weight=None)
    for other in (distribution_of(rows), distribution_of(rows, weight=None, cluster="account_id")):
        with pytest.raises(ContractError, match="same weighting and clustering"):
            plain + other
    with pytest.raises(TypeError):
        plain + 1


@given(named_counts, named_counts)
def test_adding_is_pooling_whatever_the_groups(a, b):
    pooled = {
        group: (np.array(a.get(group, [0] * 11)) + np.array(b.get(group, [0] * 11))).tolist() for group in {**a, **b}
    }
    assert by_group(from_counts(a) + from_counts(b)) == pooled


@given(named_counts)
def test_total_is_the_groups_added_up(counts):
    dist = from_counts(counts)
    one_by_one = sum(np.array(row) for row in counts.values())
    assert dist.total().groups == ("all",)
    assert dist.total().counts[0].tolist() == one_by_one.tolist()


def test_merged_clusters_add_rows_of_one_group_and_label():
    merged = merged_clusters(
        np.array([0, 1, 0, 0]), np.array(["x", "x", "y", "x"], dtype=object), np.arange(44.0).reshape(4, 11)
    )
    table = {(int(g), str(x)): row.tolist() for g, x, row in zip(merged.group, merged.label, merged.sums, strict=True)}
    rows = np.arange(44.0).reshape(4, 11)
    assert table == {(0, "x"): (rows[0] + rows[3]).tolist(), (0, "y"): rows[2].tolist(), (1, "x"): rows[1].tolist()}


# Frozen


def test_a_distribution_is_frozen_and_its_text_names_nobody(clustered):
    with pytest.raises(FrozenInstanceError):
        clustered.groups = ("x",)
    assert repr(clustered) == f"<ScoreDistribution: 2 groups, {clustered.n.sum()} answers>"


def test_choosing_and_adding_leave_the_distribution_as_it_was(clustered):
    before = (clustered.counts.copy(), clustered.weight_sums.copy(), cluster_table(clustered))
    clustered.select(["2025"])
    clustered.total()
    clustered + clustered
    np.testing.assert_array_equal(clustered.counts, before[0])
    np.testing.assert_array_equal(clustered.weight_sums, before[1])
    assert cluster_table(clustered) == before[2]
