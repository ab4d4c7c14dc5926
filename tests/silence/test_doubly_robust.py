"""The doubly robust score of all, held against sums done stupidly, cases that are known, and planted truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibration.doubly_robust import one_wave as made_up_wave
from calibration.silent_score import draw
from nps_research import Study, score_if_all_responded
from nps_research.errors import EstimationError
from nps_research.statistics.boosting import folds_of_clusters
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, inverse_propensity_score, worst_case_bounds
from nps_research.statistics.predicted_answers import predicted_value
from nps_research.statistics.propensity import Propensity, response_propensity

AS_USUAL = {"largest_weight": 1e9, "confidence_level": 0.95}


def known_chances(chance):
    """A propensity that nothing was estimated for."""
    n = len(chance)
    return Propensity(
        probability=np.asarray(chance, dtype=float),
        design=np.empty((n, 0)),
        information_inverse=np.empty((0, 0)),
        is_bent=False,
    )


def in_strata(rng, n=900):
    """People of three strata, of whom answers and the chance to answer follow only these."""
    stratum = rng.integers(3, size=n)
    answered = rng.random(n) < np.array([0.7, 0.3, 0.5])[stratum]
    value = np.where(rng.random(n) < np.array([0.8, 0.3, 0.5])[stratum], 100.0, -100.0)
    people = Reached(
        answered=answered, value=np.where(answered, value, 0.0), base=rng.uniform(0.5, 2, n), cluster=np.arange(n)
    )
    return people, stratum


def post_stratified(people, stratum):
    total = 0.0
    for group in np.unique(stratum):
        yes = people.answered & (stratum == group)
        total += people.base[stratum == group].sum() * np.average(people.value[yes], weights=people.base[yes])
    return total / people.base.sum()


# The estimator, given both models


def test_it_is_the_sum_done_stupidly():
    answered = [True, True, False, True, False, True, True, False]
    value = [100, -100, 0, 0, 0, 100, 100, 0]
    base = [1.0, 2.0, 1.0, 1.5, 1.0, 0.5, 1.0, 2.0]
    chance = [0.8, 0.4, 0.4, 0.5, 0.3, 0.9, 0.6, 0.5]
    predicted = [70.0, -30.0, -20.0, 10.0, -50.0, 60.0, 90.0, 0.0]
    people = Reached(
        answered=np.array(answered), value=np.array(value, dtype=float), base=np.array(base), cluster=np.arange(8)
    )
    found = inverse_propensity_score(people, known_chances(chance), predicted=np.array(predicted), **AS_USUAL)

    weights, left, of_all = [], [], 0.0
    for i in range(8):
        of_all += base[i] * predicted[i]
        if answered[i]:
            weights.append(base[i] / chance[i])
            left.append(value[i] - predicted[i])
    mean_left = sum(w * x for w, x in zip(weights, left, strict=True)) / sum(weights)
    assert found.estimate == pytest.approx(of_all / sum(base) + mean_left)
    chances = [p for p, yes in zip(chance, answered, strict=True) if yes]
    variance = 0.0
    for p, w, x in zip(chances, weights, left, strict=True):
        variance += (1 - p) * (w / sum(weights) * (x - mean_left)) ** 2
    assert found.std_error == pytest.approx(np.sqrt(variance))
    n_effective = sum(weights) ** 2 / sum(w**2 for w in weights)
    half = stats.t.ppf(0.975, n_effective - 1) * found.std_error
    low, high = worst_case_bounds(people)
    assert (found.conf_low, found.conf_high) == pytest.approx(
        (max(found.estimate - half, low), min(found.estimate + half, high))
    )


@pytest.mark.parametrize("constant", [0.0, -37.5])
def test_one_prediction_for_everybody_leaves_the_weighted_score(constant):
    people, known, _ = draw(900, "accounts", "frame", np.random.default_rng(2))
    people = replace(people, base=np.where(np.arange(900) % 2, 2.0, 1.0))
    propensity = response_propensity(people.answered, known)
    plain = inverse_propensity_score(people, propensity, largest_weight=2, confidence_level=0.95)
    augmented = inverse_propensity_score(
        people, propensity, largest_weight=2, confidence_level=0.95, predicted=np.full(900, constant)
    )
    assert plain.n_trimmed > 0
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n_effective", "largest_weight", "n_trimmed"):
        assert getattr(augmented, name) == pytest.approx(getattr(plain, name)), name


def test_either_model_alone_gives_the_post_stratified_score():
    rng = np.random.default_rng(4)
    people, stratum = in_strata(rng)
    truth = post_stratified(people, stratum)
    share, mean = np.empty(len(stratum)), np.empty(len(stratum))
    for group in range(3):
        of, yes = stratum == group, people.answered & (stratum == group)
        share[of] = people.base[yes].sum() / people.base[of].sum()
        mean[of] = np.average(people.value[yes], weights=people.base[yes])
    wrong_chance, wrong_mean = np.array([0.2, 0.9, 0.6])[stratum], np.array([-80.0, 40.0, 90.0])[stratum]

    def score(chance, predicted):
        return inverse_propensity_score(people, known_chances(chance), predicted=predicted, **AS_USUAL).estimate

    assert score(wrong_chance, mean) == pytest.approx(truth)
    assert score(share, wrong_mean) == pytest.approx(truth)
    assert abs(score(wrong_chance, wrong_mean) - truth) > 5  # Kang & Schafer: with neither, nothing is promised


def test_people_who_answer_together_widen_the_limits():
    people, known, _ = draw(1500, "accounts", "frame", np.random.default_rng(8))
    alone = replace(people, cluster=np.arange(1500))
    propensity, predicted = response_propensity(people.answered, known), predicted_value(people, known)
    together, apart = (
        inverse_propensity_score(each, propensity, predicted=predicted, **AS_USUAL) for each in (people, alone)
    )
    assert together.estimate == apart.estimate
    assert together.std_error > apart.std_error


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_whatever_is_predicted_the_score_and_its_limits_are_possible(seed):
    rng = np.random.default_rng(seed)
    people, _ = in_strata(rng, n=20)
    if not people.answered.any():
        return
    low, high = worst_case_bounds(people)
    predicted = rng.choice([-100.0, 100.0], 20)
    found = inverse_propensity_score(people, known_chances(rng.uniform(0.05, 1, 20)), predicted=predicted, **AS_USUAL)
    assert low <= found.conf_low <= found.estimate <= found.conf_high <= high


# Predicted answers


def test_nobodys_prediction_has_seen_their_own_account():
    people, known, _ = draw(900, "accounts", "frame", np.random.default_rng(4))
    own = people.cluster == people.cluster[np.flatnonzero(people.answered)[0]]
    turned = replace(people, value=np.where(own & people.answered, -people.value - 50, people.value))
    before, after = predicted_value(people, known), predicted_value(turned, known)
    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).any()


def test_folds_are_of_accounts_and_alike_in_size():
    cluster = np.repeat(np.arange(50), 3)
    fold = folds_of_clusters(cluster, np.random.default_rng(1))
    assert (pd.Series(fold).groupby(cluster).nunique() == 1).all()
    assert np.bincount(fold).tolist() == [30] * 5
    with pytest.raises(EstimationError, match="people of 5 clusters or more; there are 4"):
        folds_of_clusters(np.arange(4), np.random.default_rng(1))


def test_the_silent_are_not_read_and_design_weights_weigh():
    people, known, _ = draw(900, "independent", "frame", np.random.default_rng(5))
    found = predicted_value(people, known)
    shouted = replace(people, value=np.where(people.answered, people.value, 1e6))
    np.testing.assert_array_equal(predicted_value(shouted, known), found)
    promoters = replace(people, base=np.where(people.value == 100, 50.0, 1.0))
    assert predicted_value(promoters, known).mean() > found.mean() + 20
    alike = replace(people, base=np.full(900, 3.0))
    np.testing.assert_allclose(predicted_value(alike, known), found)


def test_predictions_find_what_crosses():
    people, known, _ = draw(6000, "independent", "crossing", np.random.default_rng(6))
    tenure, revenue = (known.numbers[name].to_numpy() for name in ("tenure", "log_revenue"))
    predicted = predicted_value(people, known)
    of_young, of_old = (
        predicted[who & (revenue > 10)].mean() - predicted[who & (revenue < 9)].mean()
        for who in (tenure < 20, tenure > 28)
    )
    assert of_young > of_old + 40
    assert np.abs(predicted).max() <= 100


@pytest.mark.parametrize("n", [12, 60])
def test_too_few_answers_for_trees_give_what_others_answered(n):
    area = pd.DataFrame({"area": ["N", "S"] * (n // 2)})
    people = Reached(answered=np.arange(n) % 4 < 2, value=np.full(n, 100.0), base=np.ones(n), cluster=np.arange(n))
    known = Covariates(numbers=pd.DataFrame(index=area.index), categories=area)
    np.testing.assert_allclose(predicted_value(people, known), 100.0)


# The truth


def test_it_finds_the_score_of_all_where_what_is_known_crosses():
    rng = np.random.default_rng([11, 5])
    rows = pd.DataFrame([made_up_wave("accounts", "crossing", 0.0, rng) for _ in range(10)])
    error, std_error = rows["doubly_robust_error"], rows["doubly_robust_std_error"].mean()
    assert abs(error.mean()) < 3.3 * std_error / np.sqrt(10)
    assert abs(error.mean()) < 0.6 * abs(rows["boosted_error"].mean())
    assert rows["doubly_robust_held"].mean() >= 0.93 - 3.3 * np.sqrt(0.93 * 0.07 / 10)
    assert (rows["doubly_robust_std_error"] < 1.2 * rows["boosted_std_error"]).all()


# The result


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(3)
    people, known, would_be = draw(900, "independent", "crossing", rng)
    score = pd.Series(np.select([would_be > 0, would_be < 0], [10, 2], 8)).astype("Int64")
    table = pd.DataFrame(
        {
            "respondent_id": [f"person {number}" for number in range(900)],
            "likelihood_to_recommend": score.where(people.answered),
            "responded": people.answered.astype(int),
            "segment": known.categories["segment"],
        }
    )
    customers = pd.DataFrame(
        {"customer_id": table["respondent_id"], "revenue": np.exp(known.numbers["log_revenue"].to_numpy())}
    )
    return score_if_all_responded(Study.from_frames(responses=table, customers=customers, segments=["segment"]))


def test_it_is_read_first(found):
    row = found.frame.set_index("term").loc["doubly robust"]
    assert found.frame["term"].tolist()[:5] == [
        "observed",
        "raked",
        "weighted: logistic",
        "weighted: boosted",
        "doubly robust",
    ]
    assert "(doubly robust), it is" in found.in_words
    assert "right if either is" in found.note
    assert found.key_numbers[0].estimate == row["estimate"]
    assert found.key_numbers[0].label.endswith("(doubly robust)")
    at = found.shifts.frame.set_index("shift").loc[0.0]
    assert (at["estimate"], at["conf_low"]) == (row["estimate"], row["conf_low"])
    assert "'doubly robust'" in found.shifts.note
    assert "doubly robust" in found.alt


def test_its_weights_are_the_boosted_ones_and_are_told_once(found):
    rows = found.frame.set_index("term")
    for name in ("n_effective", "largest_weight", "n_trimmed"):
        assert rows.loc["doubly robust", name] == rows.loc["weighted: boosted", name]
    assert list(found.balance.weightings) == ["raked", "logistic", "boosted"]
    several = replace(
        found, frame=found.frame.assign(n_trimmed=found.frame["n_trimmed"].mask(found.frame.index < 5, 1))
    )
    assert "(4 were)" in several.note
