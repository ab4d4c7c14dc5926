"""Differences between groups: adjustment, pairing, degrees of freedom, and what is refused."""

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nps_research.errors import EstimationError
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.independent import adjusted_wald
from nps_research.score.score import net_promoter_score
from nps_research.statistics.multiplicity import adjust_p_values
from tests.support.made_up_answers import (
    distribution_of,
    effective_clusters,
    made_up_rows,
    of_classes,
    slow_cluster_errors,
    slow_covariance,
    slow_score,
)

P_ADJUST = json.loads((Path(__file__).parents[1] / "reference" / "p_adjust.json").read_text())
SIX = of_classes(a=(20, 30, 50), b=(16, 14, 20), c=(5, 9, 30), d=(1, 2, 1))

p_values = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=12)


# Adjustment


@pytest.mark.parametrize(
    ("adjust", "name"), [("holm", "holm"), ("benjamini-hochberg", "BH"), ("bonferroni", "bonferroni")]
)
def test_adjusted_p_values_are_those_of_r(adjust, name):
    expected = [row[name] for row in P_ADJUST["adjusted"]]
    np.testing.assert_allclose(adjust_p_values(P_ADJUST["p"], adjust), expected, rtol=1e-8)
    turned = adjust_p_values(P_ADJUST["p"][::-1], adjust)
    np.testing.assert_allclose(turned, expected[::-1], rtol=1e-8)


@given(p_values)
def test_adjusting_never_lowers_a_p_value_nor_changes_their_order(p):
    raw = np.array(p, dtype=float)
    known = ~np.isnan(raw)
    order = np.argsort(raw[known], kind="stable")
    adjusted = {name: adjust_p_values(p, name) for name in ("holm", "benjamini-hochberg", "bonferroni", "none")}
    for values in adjusted.values():
        assert (np.isnan(values) == ~known).all()
        assert (values[known] >= raw[known] - 1e-15).all()
        assert (values[known] <= 1).all()
        assert (np.diff(values[known][order]) >= -1e-15).all()
    assert (adjusted["holm"][known] <= adjusted["bonferroni"][known] + 1e-15).all()
    assert (adjusted["benjamini-hochberg"][known] <= adjusted["holm"][known] + 1e-12).all()
    np.testing.assert_array_equal(adjusted["none"], raw)


def test_missing_p_values_stay_missing_and_are_not_counted():
    np.testing.assert_allclose(adjust_p_values([0.02, np.nan, 0.5]), [0.04, np.nan, 0.5])


def test_adjusting_leaves_the_input_and_refuses_unknown_ways():
    p = np.array([0.03, 0.01])
    adjust_p_values(p)
    assert p.tolist() == [0.03, 0.01]
    with pytest.raises(EstimationError, match="'bonferoni' is not known; allowed: holm"):
        adjust_p_values(p, "bonferoni")


# Independent groups


def test_differences_of_independent_groups():
    frame = compare_net_promoter_scores(SIX, method="wald").frame
    assert frame[["group_a", "group_b"]].agg("".join, axis=1).tolist() == ["ab", "ac", "ad", "bc", "bd", "cd"]
    first = frame.loc[0]
    error = np.sqrt((7000 - 900) / 100 + (7200 - 64) / 50)
    assert (first["n_a"], first["n_b"]) == (100, 50)
    assert first[["estimate", "std_error"]].tolist() == pytest.approx([8 - 30, error])
    z = stats.norm.ppf(0.975)
    assert first[["conf_low", "conf_high"]].tolist() == pytest.approx([-22 - z * error, -22 + z * error])
    assert first["p_value"] == pytest.approx(2 * stats.norm.sf(22 / error))
    np.testing.assert_allclose(frame["p_adjusted"], adjust_p_values(frame["p_value"], "holm"))


def test_adjusted_wald_differences_stand_between_adjusted_scores():
    row = compare_net_promoter_scores(SIX, pairs=[("a", "d")], method="adjusted-wald").frame.loc[0]
    alone = adjusted_wald(np.array([[20.0, 30, 50], [1, 2, 1]]), confidence_level=0.95)
    centre, error = alone.centre[1] - alone.centre[0], np.hypot(*alone.std_error)
    assert row["estimate"] == pytest.approx(-30)
    assert (row["conf_low"] + row["conf_high"]) / 2 == pytest.approx(centre)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(centre) / error))


def test_differences_reach_as_far_as_the_score_intervals_of_both_groups_together():
    scores = net_promoter_score(SIX).frame.set_index("group")
    for row in compare_net_promoter_scores(SIX, adjust="none").frame.to_dict("records"):
        a, b = (scores.loc[row[name]] for name in ("group_a", "group_b"))
        difference = b["estimate"] - a["estimate"]
        below = np.hypot(b["estimate"] - b["conf_low"], a["conf_high"] - a["estimate"])
        above = np.hypot(b["conf_high"] - b["estimate"], a["estimate"] - a["conf_low"])
        assert (row["conf_low"], row["conf_high"]) == pytest.approx((difference - below, difference + above))
        touching = compare_net_promoter_scores(
            SIX, pairs=[(row["group_a"], row["group_b"])], confidence_level=1 - row["p_value"]
        ).frame.loc[0]
        assert min(abs(touching["conf_low"]), abs(touching["conf_high"])) == pytest.approx(0, abs=1e-6)


def test_two_groups_are_called_different_as_their_difference_is():
    two = of_classes(a=(20, 30, 50), b=(15, 12, 8))
    assert net_promoter_score(two).heterogeneity_p_value == pytest.approx(
        compare_net_promoter_scores(two).frame["p_value"][0]
    )


@given(st.tuples(*[st.integers(0, 30)] * 3).filter(any), st.tuples(*[st.integers(0, 30)] * 3).filter(any))
def test_limits_and_p_value_agree_and_turn_with_the_pair(a, b):
    dist = of_classes(a=a, b=b)
    there, back = compare_net_promoter_scores(dist, pairs=[("a", "b"), ("b", "a")], adjust="none").frame.to_dict(
        "records"
    )
    assert -200 <= there["conf_low"] <= there["conf_high"] <= 200
    assert [there["estimate"], there["conf_low"], there["p_value"]] == pytest.approx(
        [-back["estimate"], -back["conf_high"], back["p_value"]], abs=1e-9
    )
    if abs(there["p_value"] - 0.05) > 1e-9:
        assert (there["p_value"] < 0.05) == (not there["conf_low"] <= 0 <= there["conf_high"])


def test_the_level_sets_the_limits_and_not_the_p_value():
    narrow, wide = (compare_net_promoter_scores(SIX, confidence_level=level).frame for level in (0.8, 0.99))
    assert ((wide["conf_low"] < narrow["conf_low"]) & (wide["conf_high"] > narrow["conf_high"])).all()
    np.testing.assert_array_equal(narrow["p_value"], wide["p_value"])


def test_weighted_independent_groups_have_the_fewer_degrees_of_freedom():
    rows = made_up_rows(np.random.default_rng(30), n=90)
    dist = distribution_of(rows, by="wave")
    row = compare_net_promoter_scores(dist).frame.loc[0]
    parts = [rows[rows["wave"] == wave] for wave in dist.groups]
    errors = [slow_cluster_errors(part, "design_weight", None, effective=True) for part in parts]
    va, vb = (slow_covariance(error, error) for error in errors)
    ka, kb = (effective_clusters(part, "design_weight", None) for part in parts)
    freedom = min(ka, kb) - 1
    difference = slow_score(parts[1], "design_weight") - slow_score(parts[0], "design_weight")
    assert row["estimate"] == pytest.approx(difference)
    assert row["std_error"] == pytest.approx(np.sqrt(va + vb))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(va + vb)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((difference - half, difference + half))
    p = 2 * stats.t.sf(abs(difference) / np.sqrt(va + vb), freedom)
    assert row["p_value"] == pytest.approx(p)
    back = compare_net_promoter_scores(dist, pairs=[(dist.groups[1], dist.groups[0])]).frame.loc[0]
    assert back["p_value"] == pytest.approx(p)


# Shared clusters


@pytest.mark.parametrize("weight", [None, "design_weight"])
def test_groups_that_share_clusters_keep_their_covariance(weight):
    rows = made_up_rows(np.random.default_rng(31))
    dist = distribution_of(rows, by="wave", cluster="account_id", weight=weight)
    row = compare_net_promoter_scores(dist).frame.loc[0]
    parts = [rows[rows["wave"] == wave] for wave in dist.groups]
    a, b = (slow_cluster_errors(part, weight, "account_id", effective=True) for part in parts)
    variance = slow_covariance(a, a) + slow_covariance(b, b) - 2 * slow_covariance(a, b)
    assert row["std_error"] == pytest.approx(np.sqrt(variance))
    freedom = min(effective_clusters(part, weight, "account_id") for part in parts) - 1
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["estimate"]) / np.sqrt(variance), freedom))
    assert slow_covariance(a, b) > 0
    numbered_anew = distribution_of(rows.assign(cluster=rows["account_id"]), by="wave", weight=weight)
    assert row["std_error"] < compare_net_promoter_scores(numbered_anew).frame["std_error"][0]


def test_asking_the_same_people_twice_is_the_paired_t_test():
    rng = np.random.default_rng(32)
    before = rng.integers(4, 11, 50)
    after = np.clip(before + rng.integers(-2, 2, 50), 0, 10)
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(50)] * 2,
            "wave": ["1"] * 50 + ["2"] * 50,
            "likelihood_to_recommend": [*before, *after],
        }
    )
    row = compare_net_promoter_scores(distribution_of(rows, by="wave", cluster="respondent_id")).frame.loc[0]
    values = [np.where(score >= 9, 100, np.where(score <= 6, -100, 0)) for score in (before, after)]
    paired = stats.ttest_rel(values[1], values[0])
    interval = paired.confidence_interval()
    assert row["p_value"] == pytest.approx(paired.pvalue)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((interval.low, interval.high))


def test_who_answered_alike_both_times_did_not_change_but_is_no_proof():
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(6)] * 2,
            "wave": ["1"] * 6 + ["2"] * 6,
            "likelihood_to_recommend": [10] * 6 + [0] * 6,
        }
    )
    dist = replace(distribution_of(rows, by="wave", cluster="respondent_id"), minimum_cell=1)
    row = compare_net_promoter_scores(dist).frame.loc[0]
    assert row["estimate"] == -200
    assert row["conf_high"] - row["conf_low"] > 20  # twelve answers cannot give certainty
    assert row["p_value"] < 0.05


def test_a_group_of_answers_all_alike_keeps_its_uncertainty_in_differences():
    rows = made_up_rows(np.random.default_rng(33), n=120).assign(branch="many")
    rows.loc[:4, ["branch", "likelihood_to_recommend"]] = ["few", 10]
    rows.loc[:4, "account_id"] = [f"z{row}" for row in range(5)]
    result = compare_net_promoter_scores(distribution_of(rows, by="branch", cluster="account_id"))
    five = effective_clusters(rows[:5], "design_weight", "account_id")
    alike = adjusted_wald(np.array([[0.0, 0, five]]), confidence_level=0.95).std_error[0]
    errors = slow_cluster_errors(rows[rows["branch"] == "many"], "design_weight", "account_id", effective=True)
    expected = np.sqrt(alike**2 + slow_covariance(errors, errors))
    assert result.frame["std_error"][0] == pytest.approx(expected)


# Resampled


def test_resampled_differences_are_those_of_resampled_answers():
    answers = {"a": np.repeat([-100, 0, 100], (40, 60, 100)), "b": np.repeat([-100, 0, 100], (20, 30, 30))}
    rng = np.random.default_rng(7)
    drawn = {name: rng.choice(of, size=(20_000, len(of))).mean(axis=1) for name, of in answers.items()}
    slow = drawn["b"] - drawn["a"]
    dist = of_classes(a=(40, 60, 100), b=(20, 30, 30))
    row = compare_net_promoter_scores(dist, method="bootstrap", n_resamples=20_000).frame.iloc[0]
    assert row["estimate"] == pytest.approx(12.5 - 30)
    assert row["std_error"] == pytest.approx(slow.std(), rel=0.03)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.7)
    assert row["p_value"] == pytest.approx(2 * np.mean(slow >= 0), abs=0.02)
    narrower = compare_net_promoter_scores(dist, method="bootstrap", confidence_level=0.5).frame.iloc[0]
    assert [narrower["conf_low"], narrower["conf_high"]] == pytest.approx(np.quantile(slow, [0.25, 0.75]), abs=0.5)


def test_resampled_differences_come_from_the_generator_given_and_from_a_fixed_one_without():
    def limits(rng=None):
        frame = compare_net_promoter_scores(SIX, method="bootstrap", n_resamples=200, rng=rng).frame
        return frame[["conf_low", "conf_high"]].to_numpy().tolist()

    assert limits() == limits() != limits(np.random.default_rng(1))
    assert limits(np.random.default_rng(1)) == limits(np.random.default_rng(1)) != limits(np.random.default_rng(2))


def test_resampled_differences_have_no_certain_p_value_and_need_answers_and_simple_counts():
    dist = of_classes(a=(500, 0, 0), empty=(0, 0, 0), b=(0, 0, 500))
    frame = compare_net_promoter_scores(dist, method="bootstrap", n_resamples=999, adjust="none").frame
    by_pair = frame.set_index(["group_a", "group_b"])
    assert by_pair.loc[("a", "b"), "p_value"] == pytest.approx(2 / 1000)
    assert by_pair.loc[("a", "empty"), ["estimate", "std_error", "conf_low", "conf_high", "p_value"]].isna().all()
    same = compare_net_promoter_scores(of_classes(a=(9, 0, 0), b=(9, 0, 0)), method="bootstrap").frame
    assert same["p_value"].tolist() == [1.0]
    weighted = distribution_of(made_up_rows(np.random.default_rng(35)), by="region")
    with pytest.raises(EstimationError, match="method 'bootstrap' takes answers as independent and equal"):
        compare_net_promoter_scores(weighted, method="bootstrap")


# Pairs


def test_pairs_can_be_named_or_neighbours():
    def named(**options):
        return compare_net_promoter_scores(SIX, **options).frame[["group_a", "group_b"]].agg("".join, axis=1).tolist()

    assert named(pairs="consecutive") == ["ab", "bc", "cd"]
    assert named(pairs=[("c", "a"), ("a", "d")]) == ["ca", "ad"]
    assert named(pairs="all") == named()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pairs": "neighbours"}, "pairs = 'neighbours' is not known; allowed: all, consecutive"),
        ({"pairs": [("north", "suoth")]}, "no group 'suoth': did you mean south"),
        (
            {"method": "tango"},
            "'tango' gives no differences; allowed: adjusted-wald, wald, bootstrap, linearized, score, effective-score",
        ),
        ({"method": "bootstrap", "confidence_level": 1.5}, "confidence_level = 1.5"),
        ({"method": "bootstrap", "promoter_min": 5}, "promoter_min = 5"),
        ({"adjust": "sidak"}, "'sidak' is not known"),
        ({"confidence_level": 1.5}, "confidence_level = 1.5"),
        ({"promoter_min": 5}, "promoter_min = 5"),
    ],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises(EstimationError, match=says):
        compare_net_promoter_scores(of_classes(north=(1, 2, 3), south=(3, 2, 1)), **options)


def test_groups_without_answers_have_no_difference_and_count_for_nothing():
    dist = of_classes(a=(20, 30, 50), empty=(0, 0, 0), b=(60, 30, 10))
    frame = compare_net_promoter_scores(dist).frame.set_index(["group_a", "group_b"])
    assert frame.loc[("a", "empty"), ["estimate", "std_error", "conf_low", "p_value", "p_adjusted"]].isna().all()
    assert frame.loc[("a", "b"), "p_adjusted"] == frame.loc[("a", "b"), "p_value"]


def test_one_group_alone():
    result = compare_net_promoter_scores(of_classes(a=(1, 2, 3)))
    assert result.frame.empty
    assert "No two groups" in result.finding


# What is shown, and words


def test_pairs_with_a_hidden_group_are_in_the_frame_and_nowhere_else():
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, 8, 9] * 20 + [10, 9, 8, 7] * 30 + [10, 9, 8, 7] * 3 + [0, 0, 0],
            "region": ["large"] * 80 + ["larger"] * 120 + ["middling"] * 12 + ["minute"] * 3,
        }
    )
    result = compare_net_promoter_scores(distribution_of(rows, by="region"))
    assert len(result.frame) == 6
    assert result.shown[["group_a", "group_b"]].to_numpy().tolist() == [["large", "larger"]]
    shared = [*(str(part) for part in result._repr_mimebundle_().values()), result.finding, result.full_note]
    assert not [text for text in shared if "minute" in text or "middling" in text]
    assert "5 pairs" in result.full_note


def test_the_finding_claims_only_what_the_adjusted_p_values_show():
    alike = compare_net_promoter_scores(of_classes(a=(20, 30, 50), b=(21, 30, 49)))
    apart = compare_net_promoter_scores(of_classes(a=(20, 30, 50), b=(60, 30, 10)))
    assert "), within the margin of the survey (p" in alike.finding
    assert "more than chance" in apart.finding
    likely = compare_net_promoter_scores(of_classes(a=(20, 30, 50), b=(28, 30, 42)))
    assert "), likely but not proven (p" in likely.finding  # as the trend says it
    several = compare_net_promoter_scores(of_classes(a=(200, 300, 500), b=(600, 300, 100), c=(210, 300, 490)))
    assert several.finding.startswith("2 of 3 differences")
    none = compare_net_promoter_scores(of_classes(a=(20, 30, 50), b=(21, 30, 49), c=(22, 30, 48)))
    assert none.finding.startswith("None of the 3")


def test_results_are_frozen_and_json_is_plain():
    result = compare_net_promoter_scores(SIX)
    with pytest.raises(FrozenInstanceError):
        result.adjust = "none"
    parsed = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert (parsed["kind"], parsed["settings"]["adjust"]) == ("net_promoter_score_differences", "holm")
    assert "too_small" not in parsed["settings"]


def test_resampled_limits_tell_nothing_of_other_groups():
    others = [of_classes(a=(20, 30, 50), b=(30, 30, 40), c=c) for c in ((1, 2, 3), (500, 2, 30))]
    first, second = (
        compare_net_promoter_scores(dist, pairs=[("c", "a"), ("a", "b")], method="bootstrap").frame for dist in others
    )
    limits = ["estimate", "std_error", "conf_low", "conf_high", "p_value"]
    assert first.loc[1, limits].tolist() == second.loc[1, limits].tolist()
    assert first.loc[0, limits].tolist() != second.loc[0, limits].tolist()
