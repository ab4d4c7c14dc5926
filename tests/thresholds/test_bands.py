"""As loyal as another band: its words, and the score tests and limits of differences and ratios under it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import test_proportions_2indep as statsmodels_test

from calibration.bands import counts_of
from calibration.bands import made_up_outcome as stores_outcome
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.errors import EstimationError
from nps_research.statistics.proportions import difference_limits, difference_statistic, ratio_limits, ratio_statistic
from nps_research.statistics.rate_ratios import events_to_decide, rate_ratios
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


COUNTS = [(56, 70, 48, 80), (84, 3000, 108, 6000), (3, 40, 9, 35), (0, 50, 4, 60), (20, 400, 15, 380)]


def slow_ratio_statistic(x, n, y, m, ratio):
    """z at the rates of highest likelihood, found by search, of which one is so many times the other."""

    def against(rate):
        return -stats.binom.logpmf(x, n, rate * ratio) - stats.binom.logpmf(y, m, rate)

    most = min(1.0, 1 / ratio)
    found = optimize.minimize_scalar(against, bounds=(1e-12, most - 1e-12), options={"xatol": 1e-13}, method="bounded")
    p, q = found.x * ratio, found.x
    return (x / n - ratio * y / m) / np.sqrt(p * (1 - p) / n + ratio**2 * q * (1 - q) / m)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("ratio", [0.5, 1 / 1.5, 1.0, 1.5, 2.5])
def test_the_ratio_statistic_rests_on_the_rates_of_highest_likelihood(counts, ratio):
    found = ratio_statistic(*np.array(counts, dtype=float)[:, None], ratio=np.array([ratio]))[0]
    assert found == pytest.approx(slow_ratio_statistic(*counts, ratio), abs=2e-4)


@pytest.mark.parametrize("counts", COUNTS)
def test_tests_of_the_margin_equal_statsmodels(counts):
    """`test_proportions_2indep(compare="ratio", method="score", correction=False)` of statsmodels."""
    found = rate_ratios(*np.array(counts, dtype=float)[:, None], margin=1.5, alpha=0.05)
    for p, value, alternative in ((found.p_not_worse, 1.5, "smaller"), (found.p_not_better, 1 / 1.5, "larger")):
        expected = statsmodels_test(
            *counts, value=value, compare="ratio", method="score", alternative=alternative, correction=False
        )
        assert p[0] == pytest.approx(expected.pvalue, abs=1e-9)


def test_a_claim_is_made_where_the_limit_is_within_the_margin():
    events = np.arange(40.0, 140)
    counts = np.stack([events, *np.broadcast_to([[3000.0], [80.0], [3000.0]], (3, len(events)))])
    for degrees in (np.inf, 12.0):
        found = rate_ratios(*counts, margin=1.5, alpha=0.05, degrees=degrees)
        low, high = found.limits(0.9)
        assert ((high < 1.5) == (found.p_not_worse < 0.05)).all()
        assert ((low > 1 / 1.5) == (found.p_not_better < 0.05)).all()
        np.testing.assert_allclose(found.ratio, events / 80)
        assert 0 < (found.p_alike < 0.05).sum() < len(events)


def test_few_clusters_widen_as_t_does_and_none_tell_nothing():
    counts = np.array([[75.0], [1500.0], [75.0], [1500.0]])
    found = [rate_ratios(*counts, margin=1.5, alpha=0.05, degrees=degrees) for degrees in (np.inf, 9, 0)]
    normal, drawn = (np.log(each.limits(0.9)).ravel() for each in found[:2])
    assert np.ptp(drawn) / np.ptp(normal) == pytest.approx(stats.t.ppf(0.95, 9) / stats.norm.ppf(0.95), rel=0.005)
    assert np.ravel(found[2].limits(0.9)).tolist() == [0, np.inf]
    assert found[2].p_alike[0] == 1


def test_the_events_that_decide_are_those_of_the_power_formula():
    needed = events_to_decide(1.5, alpha=0.05)
    std_error = np.sqrt(2 / needed)
    assert events_to_decide(1.5, alpha=0.05, there=needed + 1) == 132  # no ratio includes 1 and the margin
    assert events_to_decide(1.5, alpha=0.05, there=133) is None
    assert stats.norm.cdf(np.log(1.5) / std_error - stats.norm.isf(0.05)) == pytest.approx(0.8, abs=0.003)
    both = np.sqrt(2 / events_to_decide(1.5, alpha=0.05, both_sides=True))
    assert 2 * stats.norm.cdf(np.log(1.5) / both - stats.norm.isf(0.05)) - 1 == pytest.approx(0.8, abs=0.003)


def two_bands(events, n, reference_events, reference_n, **options):
    """Scores 8 and 10 alone."""
    counts = np.zeros((2, 11), dtype=int)
    counts[:, [8, 10]] = [[n, reference_n], [events, reference_events]]
    return compare_bands(OutcomeByScore.from_counts(*counts.tolist(), **options), band=(8, 8))


VERDICTS = {  # events and answers of the band, then of the reference
    "equivalent": (150, 3000, 300, 6000),
    "not-worse": (25, 620, 300, 6000),
    "worse-within-margin": (360, 6000, 300, 6000),
    "worse": (84, 3000, 108, 6000),
    "better": (100, 3000, 300, 6000),
    "cannot-tell": (12, 400, 20, 800),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdicts(verdict):
    events, n, reference_events, reference_n = VERDICTS[verdict]
    found = two_bands(events, n, reference_events, reference_n)
    assert found.verdict == verdict
    good = two_bands(n - events, n, reference_n - reference_events, reference_n, direction="good")
    assert good.verdict == verdict
    assert good.frame["ratio"].iloc[0] == pytest.approx(found.frame["ratio"].iloc[0])


def test_28_in_a_thousand_against_18_are_not_as_loyal():
    """Seen: called as loyal with a margin of 2 points, 90% interval of the difference +0.6 to +1.5."""
    found = two_bands(101, 3600, 108, 6000)
    assert found.verdict == "worse"
    assert found.frame["conf_low"].iloc[0] > 0
    assert found.in_words.startswith("Customers who answered 8 are less loyal than those who answered 9-10: ")
    within = two_bands(330, 6000, 270, 6000)
    assert "less loyal than those who answered 9-10, but by less than the margin" in within.in_words


def test_without_bad_outcomes_in_the_reference_it_is_undecided():
    for events in (0, 1, 20):
        found = two_bands(events, 300, 0, 900)
        assert found.verdict == "cannot-tell"
        assert found.frame["p_value"].iloc[0] >= 0.5
        assert "no ratio can be told" in found.in_words
        assert "nan" not in found.in_words
    assert two_bands(0, 3000, 60, 6000).verdict == "better"


def test_undecided_says_how_many_bad_outcomes_would_decide():
    few = two_bands(12, 400, 20, 800)
    assert "Some 75 bad outcomes in each group would decide it; there are 12 and 20." in few.in_words
    more = two_bands(102, 2000, 85, 2000)  # 75 each are there already: as many as always tell
    assert (more.verdict, more.decides_at) == ("cannot-tell", 132)
    assert two_bands(388, 400, 780, 800, direction="good").decides_at == 75
    assert two_bands(150, 3000, 300, 6000).decides_at is None


def test_equivalent_is_when_both_one_sided_tests_reject_and_no_difference_is_shown():
    words = set()
    for events in range(60, 240, 4):
        found = two_bands(events, 3000, 300, 6000)
        row = found.frame.iloc[0]
        includes_zero = row["conf_low"] <= 0 <= row["conf_high"]
        assert (found.verdict == "equivalent") == (row["p_alike"] < 0.05 and includes_zero)
        assert (found.verdict in ("equivalent", "not-worse")) == (row["p_value"] < 0.05 and includes_zero)
        words.add(found.verdict)
    assert {"better", "equivalent", "worse"} <= words


@pytest.mark.parametrize("direction", ["bad", "good"])
def test_the_ratio_errs_as_leaving_out_a_store_at_a_time_says(direction):
    """The variance of the logarithm of the ratio by the jackknife over clusters that hold both bands."""
    outcome = stores_outcome("stores", 6.0, 0.05, 800, np.random.default_rng(5))
    outcome = dataclasses.replace(outcome, direction=direction)
    counts = counts_of(outcome)
    x, n, y, m = counts.of_ratio[:, 0]
    variance = (1 - x / n) / x + (1 - y / m) / y
    left, there = outcome.clusters.events[:, [8, 10]], outcome.clusters.n[:, [8, 10]]
    left = there - left if direction == "good" else left
    rates = (left.sum(axis=0) - left) / (there.sum(axis=0) - there)
    logs = np.log(rates[:, 0] / rates[:, 1])
    jackknife = (len(logs) - 1) * logs.var()
    assert variance == pytest.approx(jackknife, rel=0.1)
    share = there / there.sum(axis=0)
    assert counts.degrees[0] == pytest.approx((1 / (share**2).sum(axis=0)).min() - 1)


def test_the_ratio_holds_in_clusters_of_stores_as_of_repeated_answers():
    """Each answer four times in its cluster: the ratio errs as it did."""
    outcome = rates(0.2, 0.07, 0.05, n=[5, 5, 5, 5, 5, 20, 20, 20, 20, 60, 60])
    alone, repeated = (compare_bands(in_clusters(outcome, times)).frame.iloc[0] for times in (1, 4))
    for name in ("ratio", "ratio_conf_low", "ratio_conf_high", "p_value", "p_alike"):
        assert repeated[name] == pytest.approx(alone[name], rel=0.02)


def test_a_band_read_off_the_data_is_exploratory():
    outcome = rates(0.2, 0.05, 0.05)
    read_off = compare_bands(outcome, band=compare_thresholds(outcome))
    assert read_off.band == (4, 8)
    assert read_off.exploratory
    assert "Exploratory" in read_off.in_words
    assert "Exploratory" not in compare_bands(outcome).in_words


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"margin": 0}, "margin = 0"),
        ({"margin": float("nan")}, "margin = nan"),
        ({"margin": -0.1}, "margin = -0.1"),
        ({"margin": 0.05}, "a ratio of rates above 1 is needed, such as 1.5"),
        ({"margin": 1.0}, "margin = 1.0"),
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
    assert "verdict" not in found.settings


def test_each_answer_four_times_in_its_cluster_says_no_more():
    outcome = rates(0.2, 0.07, 0.05, n=[5, 5, 5, 5, 5, 20, 20, 20, 20, 60, 60])
    alone, repeated = (compare_bands(in_clusters(outcome, times)).frame for times in (1, 4))
    for name in ("conf_low", "conf_high", "std_error", "p_value"):
        assert repeated[name].iloc[0] == pytest.approx(alone[name].iloc[0], rel=0.01)
