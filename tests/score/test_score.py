"""The score of groups: its table, effective answers, the test of equal scores, and what is hidden."""

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.suppression import hidden_rows
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.score import net_promoter_score
from tests.support.made_up_answers import (
    distribution_of,
    made_up_rows,
    of_classes,
    slow_cluster_errors,
    slow_covariance,
    study_of,
)

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]

count_rows = st.lists(st.integers(0, 40), min_size=11, max_size=11)
named_counts = st.dictionaries(st.sampled_from("abcde"), count_rows, min_size=1, max_size=4)


def numbers(result, group: str) -> list[float]:
    return result.frame.set_index("group").loc[group, NUMBERS].astype(float).tolist()


def equal_scores_p(dist, method) -> float | None:
    return net_promoter_score(dist, method=method).heterogeneity_p_value


# The table


def test_the_table_says_all_that_is_known_of_a_group():
    counts = {"north": [1, 0, 0, 0, 0, 2, 3, 4, 5, 6, 9], "south": [0] * 10 + [2]}
    dist = ScoreDistribution.from_counts(
        counts, item_missing={"north": 4, "south": 1}, nonrespondents={"north": 16, "south": 3}
    )
    frame = net_promoter_score(dist).frame
    assert list(frame.columns) == [
        "group", "n", "n_effective", "item_missing", "nonrespondents", "response_rate",
        "promoter_share", "passive_share", "detractor_share", "estimate", "std_error", "conf_low", "conf_high",
    ]  # fmt: skip
    north = frame.loc[0]
    assert (north["n"], north["n_effective"], north["item_missing"], north["nonrespondents"]) == (30, 30, 4, 16)
    assert north["response_rate"] == pytest.approx(34 / 50)
    assert north[["promoter_share", "passive_share", "detractor_share"]].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert north["estimate"] == pytest.approx(30)


def test_what_is_unknown_is_missing_and_not_zero():
    frame = net_promoter_score(of_classes(a=(1, 2, 3))).frame
    assert frame[["item_missing", "nonrespondents", "response_rate"]].isna().all(axis=None)


def test_cuts_move_the_score():
    dist = ScoreDistribution.from_counts({"all": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 10]})
    found = [net_promoter_score(dist, promoter_min=p, detractor_max=d) for p, d in ((9, 6), (9, 3), (10, 0), (5, 4))]
    assert [result.frame["estimate"][0] for result in found] == pytest.approx([20, 35, 45, 50])
    assert (found[1].promoter_min, found[1].detractor_max) == (9, 3)
    for result, cut in zip(found, ("0-6", "0-3", "0-0", "0-4"), strict=True):
        assert cut in result.note


@given(named_counts)
def test_scores_stay_in_bounds_and_hold_their_estimate(counts):
    frame = net_promoter_score(ScoreDistribution.from_counts(counts)).frame
    some = frame[frame["n"] > 1]
    assert ((some["conf_low"] >= -100) & (some["conf_high"] <= 100)).all()
    assert ((some["conf_low"] <= some["estimate"] + 1e-9) & (some["estimate"] <= some["conf_high"] + 1e-9)).all()
    np.testing.assert_allclose(
        frame["promoter_share"] + frame["passive_share"] + frame["detractor_share"], np.where(frame["n"], 1, np.nan)
    )


@given(named_counts, st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_matter(counts, random):
    names = list(counts)
    random.shuffle(names)
    one, other = (
        net_promoter_score(ScoreDistribution.from_counts(given)) for given in (counts, {n: counts[n] for n in names})
    )
    for name in names:
        assert numbers(one, name) == pytest.approx(numbers(other, name), nan_ok=True)
    assert one.heterogeneity_p_value == pytest.approx(other.heterogeneity_p_value)


@given(count_rows)
@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "score", "linearized", "effective-score"])
def test_mirrored_answers_flip_the_score(method, counts):
    dist = ScoreDistribution.from_counts({"given": counts, "mirrored": counts[::-1]})
    found = net_promoter_score(dist, promoter_min=9, detractor_max=1, method=method)
    estimate, error, low, high = numbers(found, "given")
    assert numbers(found, "mirrored") == pytest.approx([-estimate, error, -high, -low], abs=1e-7, nan_ok=True)


def test_a_single_answer_has_wide_limits():
    (row,) = net_promoter_score(of_classes(all=(0, 0, 1))).frame[["estimate", "conf_low", "conf_high"]].to_numpy()
    assert row[0] == 100
    assert row[2] - row[1] > 100


@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "score", "bootstrap", "linearized", "effective-score"])
def test_nobody_answered(method):
    result = net_promoter_score(of_classes(empty=(0, 0, 0)), method=method)
    assert result.frame["n"][0] == 0
    assert result.frame[["promoter_share", *NUMBERS]].isna().all(axis=None)
    assert "no score" in result.finding
    assert result.key_numbers == ()
    assert result.heterogeneity_p_value is None
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"promoter_min": 6}, "promoter_min = 6, detractor_max = 6"),
        ({"promoter_min": 11}, "promoter_min <= 10"),
        ({"detractor_max": -1}, "0 <= detractor_max"),
        ({"method": "tango"}, "'tango' is not known"),
        ({"confidence_level": 95}, "confidence_level = 95"),
    ],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises(EstimationError, match=says):
        net_promoter_score(of_classes(a=(1, 2, 3)), **options)


# Effective answers


def test_equal_independent_answers_are_worth_themselves():
    dist = of_classes(a=(2, 5, 3), b=(0, 0, 0))
    for method in ("wald", "adjusted-wald", "score", "bootstrap"):
        assert net_promoter_score(dist, method=method).frame["n_effective"].tolist() == [10, 0]


@pytest.mark.parametrize("cluster", [None, "account_id"])
def test_effective_answers_are_those_that_would_give_the_same_error(cluster):
    rows = made_up_rows(np.random.default_rng(20))
    row = net_promoter_score(distribution_of(rows, cluster=cluster)).frame.loc[0]
    errors = slow_cluster_errors(rows, "design_weight", cluster, effective=True)
    spread = row["promoter_share"] + row["detractor_share"] - (row["estimate"] / 100) ** 2
    assert row["n_effective"] == pytest.approx(1e4 * spread / slow_covariance(errors, errors))
    assert row["n_effective"] < 0.9 * row["n"]


def test_answers_all_alike_are_worth_no_more_than_their_clusters():
    rows = pd.DataFrame({"likelihood_to_recommend": [10] * 40, "account_id": list("abcdefgh") * 5})
    dist = replace(distribution_of(rows, cluster="account_id"), minimum_cell=1)
    assert net_promoter_score(dist).frame["n_effective"][0] == 8
    weights = np.array([1.0, 3.0] * 20)
    weighted = net_promoter_score(distribution_of(rows.assign(design_weight=weights))).frame["n_effective"][0]
    assert weighted == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_how_much_one_cluster_is_worth_is_unknown():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 3, 8] * 5, "account_id": "sole"})
    assert np.isnan(net_promoter_score(distribution_of(rows, cluster="account_id")).frame["n_effective"][0])


# Whether all groups have one score


@pytest.mark.parametrize("method", ["wald", "adjusted-wald"])
def test_for_two_groups_it_is_the_test_of_their_difference(method):
    dist = of_classes(a=(20, 30, 50), b=(16, 14, 20))
    difference = compare_net_promoter_scores(dist, method=method).frame["p_value"][0]
    assert equal_scores_p(dist, method) == pytest.approx(difference)


@pytest.mark.parametrize("cluster", [None, "account_id", "cluster"])
def test_for_two_waves_it_is_the_test_of_their_difference_whatever_the_design(cluster):
    rows = made_up_rows(np.random.default_rng(21)).assign(cluster=lambda table: table["account_id"])
    dist = distribution_of(rows, by="wave", cluster=cluster)
    difference = compare_net_promoter_scores(dist).frame["p_value"][0]
    assert net_promoter_score(dist).heterogeneity_p_value == pytest.approx(difference)


def test_for_independent_equal_answers_it_is_cochrans():
    dist = of_classes(a=(20, 30, 50), b=(16, 14, 20), c=(5, 9, 30))
    y = np.array([30.0, 8.0, 100 * 25 / 44])
    variance = np.array([7000 - 900, 7200 - 64, 1e4 * 35 / 44 - y[2] ** 2]) / [100, 50, 44]
    pooled = (y / variance).sum() / (1 / variance).sum()
    expected = stats.chi2.sf(((y - pooled) ** 2 / variance).sum(), 2)
    assert equal_scores_p(dist, "wald") == pytest.approx(expected)


def test_for_clustered_groups_it_is_brown_and_forsythes():
    """With clusters of one size and groups of as many, the textbook formula for means of clusters."""
    rng = np.random.default_rng(22)
    value = rng.integers(0, 3, (4, 12, 5))  # 4 groups of 12 clusters of 5 answers
    score = np.array([3, 7, 10])[value]
    group, cluster, _ = np.indices(value.shape)
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": score.ravel(),
            "region": [f"r{g}" for g in group.ravel()],
            "cluster": [f"{g}-{c}" for g, c in zip(group.ravel(), cluster.ravel(), strict=True)],
        }
    )
    means = 100.0 * (value - 1).mean(axis=2)
    variance = means.var(axis=1, ddof=1)
    statistic = 12 * ((means.mean(axis=1) - means.mean()) ** 2).sum() / (variance * 3 / 4).sum()
    form = (np.eye(4) - 0.25) @ np.diag(variance)
    numerator = np.trace(form) ** 2 / np.trace(form @ form)
    expected = stats.f.sf(statistic, numerator, 11 / ((variance / variance.sum()) ** 2).sum())
    for method in ("linearized", None):
        assert equal_scores_p(distribution_of(rows, by="region"), method) == pytest.approx(expected)


def test_groups_of_the_same_clusters_keep_their_covariance_in_the_test():
    """The groups differ by some detractors of the last; without the covariance that would not show."""
    rng = np.random.default_rng(23)
    like_minded = rng.choice([3, 10], 30, p=[0.4, 0.6])
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": np.repeat(like_minded, 3 * 4),
            "account_id": np.repeat([f"a{code}" for code in range(30)], 3 * 4),
            "region": np.tile(np.repeat(["e", "n", "s"], 4), 30),
        }
    )
    changed = (rows["region"] == "s") & (rows["likelihood_to_recommend"] == 3) & (rng.random(len(rows)) < 0.35)
    rows["likelihood_to_recommend"] = rows["likelihood_to_recommend"].mask(changed, 7)
    shared, apart = (
        distribution_of(rows.assign(cluster=label), by="region", cluster=name)
        for name, label in (("account_id", "unused"), ("cluster", rows["region"] + rows["account_id"]))
    )
    assert equal_scores_p(shared, None) < 0.05 < equal_scores_p(apart, None)


def test_more_groups_than_clusters_can_still_be_tested():
    rng = np.random.default_rng(24)
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": rng.integers(0, 11, 4 * 6 * 4),
            "account_id": [f"a{code}" for code in np.tile(np.arange(4), 24)],
            "region": np.repeat(list("efghij"), 16),
        }
    )
    apart = rows.assign(
        likelihood_to_recommend=rows["region"].map(dict(zip("efghij", [0, 7, 10, 3, 7, 10], strict=True)))
    )
    apart.loc[::5, "likelihood_to_recommend"] = 8
    counted = [distribution_of(table, by="region", cluster="account_id") for table in (rows, apart)]
    found = [equal_scores_p(replace(dist, minimum_cell=1), None) for dist in counted]
    assert found[0] > 0.05 > found[1]


def test_groups_without_a_standard_error_are_left_out_of_the_test():
    rows = made_up_rows(np.random.default_rng(25)).assign(branch=lambda table: table["wave"])
    rows.loc[:40, ["branch", "account_id"]] = ["one", "sole"]
    dist = replace(distribution_of(rows, by="branch", cluster="account_id"), minimum_cell=1)
    with_sole, without = (net_promoter_score(part) for part in (dist, dist.select(["2024", "2025"])))
    assert with_sole.heterogeneity_p_value == pytest.approx(without.heterogeneity_p_value)
    assert without.heterogeneity_p_value is not None


def test_one_group_has_nothing_to_differ_from():
    assert net_promoter_score(of_classes(a=(1, 2, 3))).heterogeneity_p_value is None


# What is shown


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        ([300, 40, 12, 3], [300, 40]),  # 3 alone could be worked out from the total
        ([300, 40, 6, 5], [300, 40]),  # together 11: enough
        ([300, 40, 0, 12], [300, 40, 0, 12]),  # an empty group hides nobody
        ([300, 40, 0, 3], [300, 0]),
        ([9, 9], []),
        ([9], []),
        ([10], [10]),
    ],
)
def test_small_groups_are_hidden_and_whatever_would_give_them_away(n, shown):
    hidden = hidden_rows(n, 10)
    assert [size for size, gone in zip(n, hidden, strict=True) if not gone] == shown


def test_hidden_groups_are_in_the_frame_and_nowhere_else():
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, 8, 9] * 20 + [10, 9, 8, 7] * 3 + [0, 0, 0],
            "region": ["large"] * 80 + ["middling"] * 12 + ["minute"] * 3,
        }
    )
    result = net_promoter_score(distribution_of(rows, by="region"))
    assert result.frame["group"].tolist() == ["large", "middling", "minute"]
    assert result.shown["group"].tolist() == ["large"]
    assert result.n_hidden == 2
    bundle = result._repr_mimebundle_()
    shared = [*(str(part) for part in bundle.values()), result.finding, result.alt, result.full_note, repr(result)]
    assert not [text for text in shared if "minute" in text or "middling" in text]
    assert "2 groups are not shown" in result.full_note


def test_the_study_sets_what_is_small():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 3, 8, 9] * 3, "region": ["a", "b"] * 6})
    studies = [study_of(rows, minimum_cell=smallest) for smallest in (1, 6, 7)]
    assert [len(net_promoter_score(score_distribution(study, by="region")).shown) for study in studies] == [2, 2, 0]


# Words


def test_the_finding_of_one_group_gives_the_score_with_its_limits():
    finding = net_promoter_score(of_classes(all=(20, 30, 50))).finding
    for said in ("+30.0", "95% interval", "100 answers"):
        assert said in finding


def test_the_finding_claims_a_difference_only_where_one_is_shown():
    alike = net_promoter_score(of_classes(a=(20, 30, 50), b=(21, 30, 49)))
    apart = net_promoter_score(of_classes(a=(20, 30, 50), b=(60, 30, 10)))
    assert alike.heterogeneity_p_value > 0.5
    assert apart.heterogeneity_p_value < 0.001
    assert "more than chance" not in alike.finding
    assert "more than chance" in apart.finding


def test_the_note_says_how_answers_were_weighted_and_clustered():
    rows = made_up_rows(np.random.default_rng(26), n=80)
    both = net_promoter_score(distribution_of(rows, cluster="account_id")).note
    neither = net_promoter_score(distribution_of(rows, weight=None)).note
    assert "Weighted by design weight. Answers within one account are taken as alike." in both
    assert "_" not in both  # no names of columns in a sentence
    assert "independent" in neither
    assert "account" not in neither


# Frozen


def test_results_are_frozen_and_json_is_plain():
    result = net_promoter_score(of_classes(a=(1, 2, 3), b=(0, 0, 0)))
    with pytest.raises(FrozenInstanceError):
        result.method = "wald"
    parsed = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert parsed["kind"] == "net_promoter_score"
    assert parsed["rows"][1][parsed["columns"].index("estimate")] is None
