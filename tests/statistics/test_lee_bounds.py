"""Bounds of a lottery where one arm answers more often, against answers left out one by one, and coverage."""

import numpy as np
import pytest

from calibration import lee_bounds as study
from nps_research.errors import EstimationError
from nps_research.statistics.lee_bounds import lee_bounds


def left_out_one_by_one(outcome, answered, treated):
    """The bounds with each answer taken a thousand times, so that parts of one can be left out."""
    rates = answered[treated].mean(), answered[~treated].mean()

    def ends(values, share):
        many = np.repeat(np.sort(values), 1000)
        kept = round(len(many) * share)
        return many[:kept].mean(), many[-kept:].mean()

    won, lost = outcome[treated & answered], outcome[~treated & answered]
    if rates[0] >= rates[1]:
        low, high = ends(won, rates[1] / rates[0])
        return low - lost.mean(), high - lost.mean()
    low, high = ends(lost, rates[0] / rates[1])
    return won.mean() - high, won.mean() - low


@pytest.mark.parametrize("more", [0.2, -0.2, 0.0])
@pytest.mark.parametrize("kind", ["score", "yes or no", "amount"])
def test_as_many_answers_are_left_out_as_the_rates_differ_by(more, kind):
    rng = np.random.default_rng(3)
    treated = rng.random(600) < 0.5
    answered = rng.random(600) < 0.5 + more * treated
    outcomes = {"score": rng.integers(0, 11, 600).astype(float), "yes or no": rng.random(600) < 0.3}
    outcome = (outcomes | {"amount": rng.lognormal(0, 2, 600)})[kind]
    found = lee_bounds(np.where(answered, outcome, 0), answered, treated, np.arange(600))
    expected = left_out_one_by_one(outcome.astype(float), answered, treated)
    assert (found.low.estimate, found.high.estimate) == pytest.approx(expected, abs=2e-4)
    rates = answered[treated].mean(), answered[~treated].mean()
    assert (found.answered_treated, found.answered_untreated) == pytest.approx(rates)
    assert found.answering.estimate == pytest.approx(rates[0] - rates[1])
    assert found.trimmed_share == pytest.approx(1 - min(rates) / max(rates))
    assert found.conf_low < found.low.estimate <= found.naive.estimate <= found.high.estimate < found.conf_high


def test_an_answer_on_the_edge_counts_in_part():
    """Of four answers the highest 2.4 are kept: 100, 10 and 0.4 of 1."""
    treated, outcome = np.arange(9) < 4, np.array([0.0, 1, 10, 100, 0, 0, 0, 0, 0])
    found = lee_bounds(outcome, np.arange(9) < 7, treated, np.arange(9))
    assert found.high.estimate == pytest.approx((100 + 10 + 0.4 * 1) / 2.4)
    assert found.low.estimate == pytest.approx((0 + 1 + 0.4 * 10) / 2.4)


def test_bounds_meet_in_the_naive_difference_where_all_answered():
    rng = np.random.default_rng(4)
    treated, outcome = rng.random(200) < 0.5, rng.normal(size=200)
    found = lee_bounds(outcome, np.ones(200, dtype=bool), treated, np.arange(200))
    for bound in (found.low, found.high):
        assert (bound.estimate, bound.std_error) == pytest.approx((found.naive.estimate, found.naive.std_error))
    assert (found.conf_low, found.conf_high) == pytest.approx((found.naive.conf_low, found.naive.conf_high), abs=1e-6)


def test_the_other_way_round_the_bounds_change_signs():
    outcome, answered, drawn, account, _ = study.draw(120, "ordinary", "planted", np.random.default_rng(5))
    found, other = (lee_bounds(outcome, answered, arm, account) for arm in (drawn, ~drawn))
    assert (found.low.estimate, found.conf_low) == pytest.approx((-other.high.estimate, -other.conf_high))


@pytest.mark.parametrize("effect", ["none", "planted"])
def test_errors_are_the_deviations_of_the_bounds(effect):
    rng, rows = np.random.default_rng(6), []
    for _ in range(300):
        found = lee_bounds(*study.draw(120, "at the bound", effect, rng)[:4])
        rows.append((found.low.estimate, found.high.estimate, found.low.std_error, found.high.std_error))
    low, high, low_error, high_error = np.array(rows).T
    within = 3.3 / np.sqrt(2 * 300)
    assert low_error.mean() == pytest.approx(low.std(), rel=within)
    assert high_error.mean() == pytest.approx(high.std(), rel=within)


@pytest.mark.parametrize("design", ["at the bound", "few accounts", "fewer"])
def test_limits_hold_the_effect_where_it_lies_at_a_bound(design):
    found = study.measure(design, "none", 100)
    assert found["held"] >= 0.93 - 3.3 * np.sqrt(0.93 * 0.07 / 100)
    assert found["naive_found"] > 0.6


def test_what_bounds_nothing_is_an_error():
    treated = np.arange(8) < 4
    with pytest.raises(EstimationError, match="Nobody of one arm answered"):
        lee_bounds(np.ones(8), treated, treated, np.arange(8))
    with pytest.raises(EstimationError, match="All are of one cluster"):
        lee_bounds(np.ones(8), treated | True, treated, np.zeros(8))
