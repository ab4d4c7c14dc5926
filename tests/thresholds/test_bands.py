"""Equivalence of bands, and the score limits of differences and ratios under it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.errors import EstimationError
from nps_research.statistics.proportions import difference_limits, difference_statistic, ratio_limits
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.compare_thresholds import compare_thresholds
from tests.support.made_up_answers import in_clusters

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "proportions.json").read_text(encoding="utf-8"))[
    "tables"
]
N = [150, 60, 120, 160, 160, 1300, 1000, 2300, 4700, 3900, 6100]


def rates(low, middle, high, direction="bad", n=N):
    risk = np.array([low] * 4 + [middle] * 5 + [high] * 2)
    return OutcomeByScore.from_counts(n, np.rint(np.array(n) * risk).astype(int).tolist(), direction=direction)


@pytest.mark.parametrize("name", REFERENCE)
def test_difference_limits_equal_ratescis(name):
    case = REFERENCE[name]
    if "ratesci_miettinen_nurminen_rd" not in case:
        pytest.fail(f"{name} has no reference")
    counts = np.array([case["x1"], case["n1"], case["x2"], case["n2"]], dtype=float)[:, None]
    low, high = difference_limits(*counts, confidence_level=0.95)
    expected = case["ratesci_miettinen_nurminen_rd"]
    assert (low[0], high[0]) == pytest.approx((expected["lower"], expected["upper"]), abs=1e-6)


def test_ratio_limits_equal_koopmans():
    checked = 0
    for case in REFERENCE.values():
        if "ratesci_koopman_rr" in case:
            counts = np.array([case["x1"], case["n1"], case["x2"], case["n2"]], dtype=float)[:, None]
            low, high = ratio_limits(*counts, confidence_level=0.95)
            expected = case["ratesci_koopman_rr"]
            assert (low[0], high[0]) == pytest.approx((expected["lower"], expected["upper"]), rel=1e-6)
            checked += 1
    assert checked >= 2


def test_the_statistic_is_the_limits_turned_round():
    counts = np.array([56.0, 70, 48, 80])[:, None]
    for limit, z in zip(difference_limits(*counts, confidence_level=0.9), (1.644854, -1.644854), strict=True):
        assert difference_statistic(*counts, difference=limit)[0] == pytest.approx(z, abs=1e-5)


@pytest.mark.parametrize(("p", "q"), [(0.1, 0.1), (0.05, 0.15), (0.3, 0.5), (0.02, 0.02)])
def test_score_limits_hold_the_truth_by_exact_enumeration(p, q):
    n, m = 40, 60
    x, y = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(n + 1), np.arange(m + 1)))
    chance = stats.binom.pmf(x, n, p) * stats.binom.pmf(y, m, q)
    size = np.full(x.shape, n), np.full(y.shape, m)
    low, high = difference_limits(x, size[0], y, size[1], confidence_level=0.95)
    assert chance @ ((low <= p - q + 1e-9) & (p - q - 1e-9 <= high)) >= 0.925
    low, high = ratio_limits(x, size[0], y, size[1], confidence_level=0.95)
    assert chance @ ((low <= p / q + 1e-9) & (p / q - 1e-9 <= high)) >= 0.925


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (rates(0.2, 0.05, 0.05), "equivalent"),
        (rates(0.2, 0.15, 0.05), "worse"),
        (rates(0.2, 0.02, 0.10), "better"),
        (rates(0.2, 0.15, 0.05, direction="good"), "better"),
        (rates(0.2, 0.07, 0.05, n=[5, 5, 5, 5, 5, 20, 20, 20, 20, 60, 60]), "cannot-tell"),
    ],
)
def test_verdicts(outcome, verdict):
    assert compare_bands(outcome).verdict == verdict


def test_equivalent_is_when_both_one_sided_tests_reject():
    for middle in np.linspace(0.03, 0.12, 25):
        found = compare_bands(rates(0.2, middle, 0.05))
        assert (found.verdict == "equivalent") == (found.frame["p_value"].iloc[0] < 0.05)


def test_a_band_read_off_the_data_is_exploratory():
    outcome = rates(0.2, 0.05, 0.05)
    read_off = compare_bands(outcome, band=compare_thresholds(outcome))
    assert read_off.band == (4, 8)
    assert read_off.exploratory
    assert "Exploratory" in read_off.finding
    assert "Exploratory" not in compare_bands(outcome).finding


def test_a_margin_as_large_as_the_rate_is_said():
    assert "even twice that" in compare_bands(rates(0.2, 0.04, 0.04)).finding
    assert "even twice that" not in compare_bands(rates(0.2, 0.04, 0.04), margin=0.02).finding


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"margin": 0}, "margin = 0"),
        ({"margin": float("nan")}, "margin = nan"),
        ({"margin": -0.1}, "margin = -0.1"),
        ({"margin": 1.5}, "margin = 1.5"),
        ({"band": (4, 9)}, "overlap"),
        ({"band": (8, 4)}, "lower first"),
        ({"band": (4, 11), "reference": (0, 3)}, "0 to 10"),
        ({"alpha": 0.7}, "confidence_level"),
    ],
)
def test_impossible_bands_and_margins_are_refused(options, says):
    with pytest.raises(EstimationError, match=says):
        compare_bands(rates(0.2, 0.05, 0.05), **options)


def test_an_empty_band_is_refused():
    with pytest.raises(EstimationError, match="Nobody with a known outcome answered 4-8"):
        compare_bands(rates(0.2, 0.05, 0.05, n=[10, 10, 10, 10, 0, 0, 0, 0, 0, 50, 50]))


def test_bands_that_would_give_few_answers_away_are_not_shown():
    outcome = dataclasses.replace(rates(0.2, 0.05, 0.05, n=[2, 0, 3, 2, 9, 90, 90, 90, 90, 90, 90]), minimum_cell=10)
    found = compare_bands(outcome)
    assert found.to_json()["rows"] == []
    assert "too few answers" in found.finding
    assert not found.full_note
    assert found.alt == "Not shown."
    assert "verdict" not in found.settings


def test_each_answer_four_times_in_its_cluster_says_no_more():
    outcome = rates(0.2, 0.07, 0.05, n=[5, 5, 5, 5, 5, 20, 20, 20, 20, 60, 60])
    alone, repeated = (compare_bands(in_clusters(outcome, times)).frame for times in (1, 4))
    for name in ("conf_low", "conf_high", "std_error", "p_value"):
        assert repeated[name].iloc[0] == pytest.approx(alone[name].iloc[0], rel=0.01)
