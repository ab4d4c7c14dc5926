"""The interval formulas: against independent software, their own definitions, and loops over rows."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.score.limits.independent import adjusted_wald, score_interval, wald
from nps_research.score.limits.methods import estimate, suitable_method
from tests.support.made_up_answers import (
    distribution_of,
    effective_clusters,
    made_up_rows,
    of_classes,
    slow_cluster_errors,
    slow_covariance,
    slow_score,
    study_of,
)

REFERENCE = Path(__file__).parents[1] / "reference"
WALD = json.loads((REFERENCE / "nps_adjusted_wald.json").read_text())["one_sample"]
TANGO = json.loads((REFERENCE / "nps_score_interval.json").read_text())["tango"]
SURVEY = json.loads((REFERENCE / "b2b_scores.json").read_text())["b2b"]
LEVELS = ["0.9", "0.95", "0.99"]
CUTS = {"promoter_min": 9, "detractor_max": 6}

class_counts = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 80)).filter(any)


def classes(*counts) -> np.ndarray:
    return np.array(counts, dtype=float)


def limits(formula, counts, level=0.95) -> tuple[float, float]:
    found = formula(classes(counts), confidence_level=level)
    return float(found.conf_low[0]), float(found.conf_high[0])


def fit(dist, method="linearized", level=0.95, **options):
    return estimate(dist, method=method, confidence_level=level, **options)


# References


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", WALD)
def test_wald_is_that_of_the_nps_package(case, level):
    expected = WALD[case][f"wald_{level}"]
    found = wald(classes(WALD[case]["counts"]), confidence_level=float(level))
    assert found.estimate[0] == pytest.approx(100 * expected["nps.x"], rel=1e-8)
    assert found.std_error[0] == pytest.approx(100 * expected["se.hat"], rel=1e-8)
    assert (found.conf_low[0], found.conf_high[0]) == pytest.approx(tuple(100 * x for x in expected["int"]), rel=1e-8)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", WALD)
def test_adjusted_wald_is_that_of_the_nps_package(case, level):
    expected = WALD[case][f"adjusted.wald_{level}"]
    found = adjusted_wald(classes(WALD[case]["counts"]), confidence_level=float(level))
    assert found.estimate[0] == pytest.approx(100 * expected["nps.x"], rel=1e-8)
    assert found.centre[0] == pytest.approx(100 * expected["delta.hat"], rel=1e-8)
    assert found.std_error[0] == pytest.approx(100 * expected["se.hat"], rel=1e-8)
    assert (found.conf_low[0], found.conf_high[0]) == pytest.approx(tuple(100 * x for x in expected["int"]), rel=1e-8)


@pytest.mark.parametrize("level", ["90", "95"])
@pytest.mark.parametrize("case", TANGO)
def test_the_score_interval_is_tangos(case, level):
    expected = tuple(100 * x for x in TANGO[case][f"ci{level}"])
    assert limits(score_interval, WALD[case]["counts"], float(level) / 100) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", WALD)
def test_the_score_interval_is_the_iterative_one_of_the_nps_package(case, level):
    expected = tuple(100 * x for x in WALD[case][f"iterative_{level}"]["int"])  # good to 1e-6 of a share
    assert limits(score_interval, WALD[case]["counts"], float(level)) == pytest.approx(expected, abs=2e-4)


def b2b_rows() -> pd.DataFrame:
    rows = pd.read_csv(REFERENCE / "b2b_respondents.csv", dtype={"account_id": str})
    rows["respondent_id"] = [f"r{row}" for row in range(len(rows))]
    rows["design_weight"] = 1 / rows["n_in_account"]
    return rows.rename(columns={"score": "likelihood_to_recommend"})


@pytest.mark.parametrize(
    ("reference", "options"),
    [
        ("respondent_level_srs", {"weight": None, "cluster": None}),
        ("respondent_level_srs", {"weight": None, "cluster": "respondent_id"}),
        ("account_level_equal", {"cluster": "account_id"}),
    ],
)
def test_linearised_errors_are_those_of_survey(reference, options):
    expected = SURVEY[reference]
    found = fit(distribution_of(b2b_rows(), **options))
    assert found.estimate[0] == pytest.approx(100 * expected["nps"], rel=1e-8)
    assert found.std_error[0] == pytest.approx(100 * expected["se"], rel=1e-8)
    assert found.degrees[0] == expected["degf"]
    assert (found.conf_low[0], found.conf_high[0]) == pytest.approx(
        tuple(100 * x for x in expected["ci95_t"]), rel=1e-8
    )


def test_loops_over_the_rows_give_surveys_numbers_too():
    rows, expected = b2b_rows(), SURVEY["account_level_equal"]
    errors = slow_cluster_errors(rows, "design_weight", "account_id")
    assert slow_score(rows, "design_weight") == pytest.approx(100 * expected["nps"], rel=1e-8)
    assert np.sqrt(slow_covariance(errors, errors)) == pytest.approx(100 * expected["se"], rel=1e-8)


# Definitions


@pytest.mark.parametrize("counts", [(2, 5, 3), (0, 3, 7), (7, 3, 0), (5, 0, 5), (1, 48, 1), (0, 0, 6), (0, 4, 0)])
def test_tangos_limits_are_where_the_restricted_score_test_rejects(counts):
    """The likelihood restricted to a score is maximised on a grid instead of in closed form."""
    detractors, _, promoters = counts
    n = sum(counts)
    z = stats.norm.ppf(0.975)

    def rejected(delta: float) -> bool:
        low = max(0.0, -delta)
        share = np.linspace(low, (1 - delta) / 2, 40_001)  # of detractors; promoters are delta more
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = [
                count * np.log(np.maximum(p, 0)) if count else np.zeros_like(share)
                for count, p in zip(counts, (share, 1 - delta - 2 * share, share + delta), strict=True)
            ]
        best = share[np.argmax(sum(terms))]
        variance = (2 * best + delta - delta**2) / n
        return abs((promoters - detractors) / n - delta) > z * np.sqrt(variance)

    low, high = (limit / 100 for limit in limits(score_interval, counts))
    step = 2e-3
    for limit, outward in ((low, -step), (high, step)):
        assert not rejected(limit - outward)
        assert abs(limit + outward) >= 1 or rejected(limit + outward)


@given(class_counts)
def test_wald_is_the_mean_and_variance_of_the_answers(counts):
    values = np.repeat([-100.0, 0.0, 100.0], counts)
    found = wald(classes(counts), confidence_level=0.9)
    assert found.estimate[0] == pytest.approx(values.mean(), abs=1e-9)
    assert found.std_error[0] == pytest.approx(values.std() / np.sqrt(len(values)), abs=1e-6)


@given(class_counts)
def test_adjusted_wald_is_wald_after_three_pseudo_answers(counts):
    found = adjusted_wald(classes(counts), confidence_level=0.95)
    n, added = sum(counts) + 3, np.add(counts, [0.75, 1.5, 0.75])
    centre = 100 * (added[2] - added[0]) / n
    half = stats.norm.ppf(0.975) * np.sqrt((1e4 * (added[2] + added[0]) / n - centre**2) / n)
    assert found.conf_low[0] == pytest.approx(max(centre - half, -100))
    assert found.conf_high[0] == pytest.approx(min(centre + half, 100))


@given(class_counts, st.sampled_from([wald, adjusted_wald, score_interval]), st.sampled_from([0.8, 0.95, 0.999]))
def test_limits_stay_in_bounds_widen_with_the_level_and_mirror(counts, formula, level):
    low, high = limits(formula, counts, level)
    assert -100 <= low <= high <= 100
    narrower = limits(formula, counts, level - 0.1)
    assert low <= narrower[0] + 1e-9
    assert narrower[1] <= high + 1e-9
    assert limits(formula, counts[::-1], level) == pytest.approx((-high, -low), abs=1e-7)


@pytest.mark.parametrize("formula", [wald, adjusted_wald, score_interval])
def test_groups_are_judged_each_by_itself(formula):
    many = formula(classes((2, 5, 3), (0, 0, 0), (10, 0, 90)), confidence_level=0.95)
    for row, counts in ((0, (2, 5, 3)), (2, (10, 0, 90))):
        assert (many.conf_low[row], many.conf_high[row]) == pytest.approx(limits(formula, counts))
    assert np.isnan([many.estimate[1], many.std_error[1], many.conf_low[1], many.conf_high[1]]).all()
    np.testing.assert_allclose(np.diag(many.covariance), many.std_error**2)


@pytest.mark.parametrize("counts", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 40), (40, 0, 0), (0, 40, 0)])
def test_answers_all_alike_are_not_taken_for_certainty(counts):
    for formula in (adjusted_wald, score_interval):
        low, high = limits(formula, counts)
        assert high - low > 100 / (sum(counts) + 3)
    assert np.ptp(limits(wald, counts)) == 0  # why plain Wald is not the default


# Cuts


@given(st.integers(1, 10), st.integers(0, 9), st.lists(st.integers(0, 9), min_size=11, max_size=11))
def test_classes_are_split_at_the_cuts(promoter_min, detractor_max, counts):
    if detractor_max >= promoter_min:
        with pytest.raises(EstimationError, match="0 <= detractor_max < promoter_min <= 10"):
            ScoreDistribution.from_counts({"all": counts}, promoter_min=promoter_min, detractor_max=detractor_max)
        return
    dist = ScoreDistribution.from_counts({"all": counts}, promoter_min=promoter_min, detractor_max=detractor_max)
    expected = [0, 0, 0]
    for score, count in enumerate(counts):
        expected[2 if score >= promoter_min else 0 if score <= detractor_max else 1] += count
    assert dist.classes().tolist() == [expected]


# Linearised: loops over rows


@pytest.mark.parametrize("weight", [None, "design_weight"])
@pytest.mark.parametrize("cluster", [None, "account_id"])
@pytest.mark.parametrize("cuts", [CUTS, {"promoter_min": 8, "detractor_max": 3}])
def test_linearised_errors_and_covariances_are_those_of_loops_over_rows(weight, cluster, cuts):
    rows = made_up_rows(np.random.default_rng(5))
    dist = distribution_of(rows, by=["wave", "region"], weight=weight, cluster=cluster)
    found = estimate(dist.with_lines(**cuts), method="linearized", confidence_level=0.95)
    names = [tuple(group.split(" \N{MIDDLE DOT} ")) for group in dist.groups]
    parts = [rows[(rows["wave"] == wave) & (rows["region"] == region)] for wave, region in names]
    errors = [slow_cluster_errors(part, weight, cluster, **cuts) for part in parts]
    np.testing.assert_allclose(found.estimate, [slow_score(part, weight, **cuts) for part in parts], rtol=1e-10)
    expected = [[slow_covariance(a, b) for b in errors] for a in errors]
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.std_error, np.sqrt(np.diag(expected)), rtol=1e-10)
    m = np.array([len(error) for error in errors])
    assert found.degrees.tolist() == (m - 1).tolist()
    half = stats.t.ppf(0.975, m - 1) * found.std_error
    np.testing.assert_allclose(found.conf_low, np.maximum(found.estimate - half, -100))
    np.testing.assert_allclose(found.conf_high, np.minimum(found.estimate + half, 100))
    shared = np.count_nonzero(found.covariance - np.diag(np.diag(found.covariance)))
    assert (shared > 0) == (cluster is not None)


@pytest.mark.parametrize("weight", [None, "design_weight"])
@pytest.mark.parametrize("cluster", [None, "account_id"])
def test_the_effective_score_interval_is_tangos_for_as_many_answers_as_these_tell(weight, cluster):
    rows = made_up_rows(np.random.default_rng(14))
    dist = distribution_of(rows, by="region", weight=weight, cluster=cluster)
    found = fit(dist, "effective-score", level=0.9)
    for row, region in enumerate(dist.groups):
        part = rows[rows["region"] == region]
        error = slow_cluster_errors(part, weight, cluster, effective=True)
        variance, k = slow_covariance(error, error), effective_clusters(part, weight, cluster)
        shares = dist.classes()[row] / dist.weights[row].sum()
        spread = 1e4 * (shares[0] + shares[2]) - found.estimate[row] ** 2
        told = spread / variance * (stats.norm.ppf(0.95) / stats.t.ppf(0.95, k - 1)) ** 2
        told = min(told, effective_clusters(part, weight, None))  # no more than as many independent answers
        assert found.std_error[row] == pytest.approx(np.sqrt(variance))
        assert found.degrees[row] == pytest.approx(k - 1)
        expected = limits(score_interval, shares * told, 0.9)
        assert (found.conf_low[row], found.conf_high[row]) == pytest.approx(expected, abs=1e-6)


def test_the_effective_score_interval_of_answers_all_alike_is_that_of_their_clusters():
    rows = pd.DataFrame(
        {"likelihood_to_recommend": [10] * 12, "cluster": list("aaaaaabbbccd"), "respondent_id": range(12)}
    )
    found = fit(replace(distribution_of(rows), minimum_cell=1), "effective-score")
    k = 12**2 / (36 + 9 + 4 + 1)
    told = k * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, k - 1)) ** 2
    assert (found.conf_low[0], found.conf_high[0]) == pytest.approx(limits(score_interval, (0, 0, told)), abs=1e-6)
    assert found.conf_high[0] == 100
    assert found.std_error[0] > 0


def test_one_account_that_weighs_nearly_all_tells_nearly_nothing():
    rows = pd.DataFrame(
        {"likelihood_to_recommend": [10, 3, 9, 8, 10], "account_id": list("abcde"), "design_weight": [1e6, 1, 1, 1, 1]}
    )
    study = study_of(rows, minimum_cell=1)  # else such weights are left aside
    found = fit(score_distribution(study, cluster="account_id"), "effective-score")
    assert found.degrees[0] == 1
    assert found.conf_low[0] < -90


def test_each_respondent_as_a_cluster_is_no_clustering():
    rows = made_up_rows(np.random.default_rng(6))
    alone, plain = (distribution_of(rows, by="region", cluster=cluster) for cluster in ("respondent_id", None))
    for name in ("estimate", "std_error", "conf_low", "conf_high", "degrees"):
        np.testing.assert_allclose(getattr(fit(alone), name), getattr(fit(plain), name), rtol=1e-10)


@pytest.mark.parametrize("cluster", [None, "account_id"])
def test_constant_weights_change_nothing(cluster):
    rows = made_up_rows(np.random.default_rng(7)).assign(design_weight=3.7)
    weighted, plain = (distribution_of(rows, by="region", cluster=cluster, weight=w) for w in ("auto", None))
    for name in ("estimate", "std_error", "conf_low", "conf_high", "degrees"):
        np.testing.assert_allclose(getattr(fit(weighted), name), getattr(fit(plain), name), rtol=1e-10)


def test_answers_of_weight_zero_do_not_move_the_score():
    rows = made_up_rows(np.random.default_rng(8))
    rows.loc[rows["wave"] == "2024", "design_weight"] = 0.0
    kept = rows[rows["wave"] == "2025"]
    assert fit(distribution_of(rows)).estimate[0] == pytest.approx(fit(distribution_of(kept)).estimate[0])
    nothing = fit(distribution_of(rows, by="wave"))
    assert np.isnan([nothing.estimate[0], nothing.std_error[0], nothing.conf_low[0]]).all()
    assert np.isfinite(nothing.std_error[1])


# Linearised: where the errors vanish


@pytest.mark.parametrize("seed", range(4))
def test_one_cluster_tells_nothing_of_its_error(seed):
    rows = made_up_rows(np.random.default_rng(seed)).assign(branch="several")
    rows.loc[:60, ["branch", "account_id"]] = ["one", "sole"]
    found = fit(distribution_of(rows, by="branch", cluster="account_id"))
    assert np.isfinite(found.estimate).all()
    assert np.isnan([found.std_error[0], found.conf_low[0], found.conf_high[0], found.covariance[0, 1]]).all()
    assert np.isfinite([found.std_error[1], found.conf_low[1]]).all()


def test_a_group_without_answers_has_no_error_either():
    rows = pd.DataFrame({"likelihood_to_recommend": [None, 9, 3], "region": ["a", "b", "b"], "account_id": list("xyz")})
    found = fit(distribution_of(rows, by="region", cluster="account_id"))
    assert np.isnan([found.estimate[0], found.std_error[0], found.conf_low[0], found.conf_high[0]]).all()


def test_clusters_all_alike_are_worth_one_answer_each():
    rows = pd.DataFrame({"likelihood_to_recommend": [10] * 40, "account_id": list("abcdefgh") * 5})
    found = fit(replace(distribution_of(rows, cluster="account_id"), minimum_cell=1))
    eight = adjusted_wald(classes((0, 0, 8)), confidence_level=0.95)
    assert found.estimate[0] == 100
    for name in ("std_error", "conf_low", "conf_high", "centre"):
        assert getattr(found, name)[0] == pytest.approx(getattr(eight, name)[0])
    assert found.covariance[0, 0] == pytest.approx(eight.std_error[0] ** 2)


# Bootstrap


def test_the_bootstrap_of_answers_has_the_multinomial_standard_error():
    dist = of_classes(a=(60, 90, 150))
    found = fit(dist, "bootstrap", n_resamples=20_000)
    exact = fit(dist, "wald")
    assert found.estimate[0] == exact.estimate[0]
    assert found.std_error[0] == pytest.approx(exact.std_error[0], rel=3.3 / np.sqrt(2 * 20_000))
    assert (found.conf_low[0], found.conf_high[0]) == pytest.approx((exact.conf_low[0], exact.conf_high[0]), abs=0.6)


@pytest.mark.parametrize("weight", [None, "design_weight"])
def test_the_bootstrap_of_clusters_agrees_with_linearisation(weight):
    rows = made_up_rows(np.random.default_rng(9), n=2400, n_accounts=240)
    dist = distribution_of(rows, weight=weight, cluster="account_id")
    linear, found = fit(dist), fit(dist, "bootstrap", n_resamples=8000)
    m = linear.degrees[0] + 1
    # Monte Carlo error, and the second-order terms that linearisation leaves out.
    assert found.std_error[0] == pytest.approx(linear.std_error[0] * np.sqrt((m - 1) / m), rel=3.3 / 126 + 4 / m)
    independent = fit(distribution_of(rows, weight=weight, cluster=None))
    assert linear.std_error[0] > 1.2 * independent.std_error[0]  # the clusters matter here


def test_the_bootstrap_draws_from_the_generator_it_is_given():
    dist = of_classes(a=(6, 9, 15), b=(20, 10, 5))
    first, again, other = (
        fit(dist, "bootstrap", n_resamples=300, rng=rng)
        for rng in (np.random.default_rng(1), np.random.default_rng(1), np.random.default_rng(2))
    )
    np.testing.assert_array_equal(first.std_error, again.std_error)
    assert (first.std_error != other.std_error).all()
    fixed = [fit(dist, "bootstrap", n_resamples=300).std_error for _ in range(2)]
    np.testing.assert_array_equal(*fixed)


def test_the_bootstrap_says_nothing_of_one_cluster_or_none():
    rows = pd.DataFrame(
        {"likelihood_to_recommend": [None, 9, 3, 9], "region": ["a", "b", "b", "b"], "account_id": list("xyyy")}
    )
    found = fit(distribution_of(rows, by="region", cluster="account_id"), "bootstrap", n_resamples=50)
    assert np.isnan([*found.std_error, *found.conf_low, *found.conf_high]).all()


# At the door


def test_the_method_that_suits():
    rows = made_up_rows(np.random.default_rng(10), n=60)
    assert suitable_method(of_classes(a=(1, 2, 3))) == "score"
    for options in ({}, {"weight": None, "cluster": "account_id"}, {"cluster": "account_id"}):
        assert suitable_method(distribution_of(rows, **options)) == "effective-score"


@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "score"])
@pytest.mark.parametrize("options", [{}, {"weight": None, "cluster": "account_id"}])
def test_formulas_for_equal_independent_answers_refuse_others(method, options):
    dist = distribution_of(made_up_rows(np.random.default_rng(11), n=60), **options)
    with pytest.raises(EstimationError, match=f"{method}.*weighted or clustered.*effective-score"):
        fit(dist, method)


def test_a_weighted_bootstrap_needs_clusters():
    with pytest.raises(EstimationError, match="needs clusters"):
        fit(distribution_of(made_up_rows(np.random.default_rng(12), n=60)), "bootstrap")


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_levels_lie_between_0_and_1(level):
    with pytest.raises(EstimationError, match=r"confidence_level = .*between 0 and 1"):
        fit(of_classes(a=(1, 2, 3)), "wald", level=level)


def test_an_unknown_method_is_answered_with_the_known_ones():
    with pytest.raises(EstimationError, match=r"'adjusted wald' is not known; allowed: adjusted-wald, score"):
        fit(of_classes(a=(1, 2, 3)), "adjusted wald")


def test_estimating_leaves_the_distribution_as_it_was():
    dist = distribution_of(made_up_rows(np.random.default_rng(13), n=80), by="region", cluster="account_id")
    assert isinstance(dist, ScoreDistribution)
    before = [dist.counts.copy(), dist.weight_sums.copy(), dist.clusters.sums.copy(), dist.clusters.label.copy()]
    for method in ("linearized", "effective-score", "bootstrap"):
        fit(dist, method, n_resamples=50)
    for kept, now in zip(before, [dist.counts, dist.weight_sums, dist.clusters.sums, dist.clusters.label], strict=True):
        np.testing.assert_array_equal(kept, now)
