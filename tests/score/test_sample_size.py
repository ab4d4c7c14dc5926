"""Answers needed and changes that can be seen: against closed formulas, counting up, and simulated surveys.

``nps_sample_size_moe.csv`` holds answers needed by closed formulas in R 4.2.2 (normal quantiles by ``qnorm``): Wald,
Wald less 3, Wald with a population of 2,000, and the smallest number whose expected adjusted-Wald half-width fits.
Margins and shares are of -1 to 1 there.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.score.detectable_change import detectable_change
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.next_survey import plan_next_survey
from nps_research.score.sample_size import required_responses
from nps_research.score.score import net_promoter_score
from tests.support.made_up_answers import (
    clustered_distribution,
    distribution_of,
    effective_clusters,
    made_up_rows,
    of_classes,
)

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "reference" / "nps_sample_size_moe.csv")
ROWS = [pytest.param(row, id=f"{row.p_pro}-{row.p_det}-{row.moe}-{row.conf}") for row in REFERENCE.itertuples()]


def plan_of(row) -> dict[str, float]:
    return {
        "margin_of_error": 100 * row.moe,
        "promoter_share": row.p_pro,
        "detractor_share": row.p_det,
        "confidence_level": row.conf,
    }


# References


@pytest.mark.parametrize("row", ROWS)
def test_answers_needed_are_those_of_the_formulas(row):
    wald = required_responses(**plan_of(row))
    assert wald.needed["n_independent"] == pytest.approx(row.n_wald, rel=1e-8)
    assert wald.needed["n"] == row.n_wald_ceil
    few = required_responses(**plan_of(row), population=2000).needed
    assert few["n"] == math.ceil(row.n_fpc2000)
    adjusted = required_responses(**plan_of(row), method="adjusted-wald").needed
    assert adjusted["n"] == row.n_adjwald_exact_search
    # Three answers fewer is what pseudo-answers save where they do not change the shares.
    assert wald.needed["n_independent"] - 3 == pytest.approx(row.n_adjwald_minus3, rel=1e-8)
    assert abs(adjusted["n"] - row.n_adjwald_minus3) < 4


R = json.loads((Path(__file__).parents[1] / "reference" / "sample_sizes.json").read_text())


@pytest.mark.parametrize("case", R["cases"], ids=lambda case: "-".join(map(str, list(case.values())[:4])))
def test_answers_needed_are_where_r_finds_the_error_or_power_asked_for(case):
    names = ("promoter_share", "detractor_share", "confidence_level")
    asked = {**{name: case[name] for name in names}, "margin_of_error": case["width"]}
    found = required_responses(**asked, response_rate=0.17).needed
    assert found["n_independent"] == pytest.approx(case["n_margin"], rel=1e-8)
    assert found["invitations"] == case["invitations_at_17_percent"]
    few = required_responses(**asked, population=3000).needed["n"]
    assert few == math.ceil(case["n_margin_of_3000"] * (1 - 1e-9))
    clusters = required_responses(**asked, cluster_size=12, intraclass_correlation=0.08).needed["n"]
    assert clusters == math.ceil(case["n_margin_clusters"] * (1 - 1e-9))
    same = required_responses(**asked, design_effect=1 + 11 * 0.08).needed["n"]
    assert same == clusters
    per_wave = required_responses(**asked, difference=case["width"]).needed["n_independent"]
    assert per_wave == pytest.approx(case["n_difference"], rel=1e-8)
    assert 0 < case["n_difference_t"] - per_wave < 2


def test_what_clusters_cost_is_what_rs_survey_package_finds_in_made_up_ones():
    clusters = dict(R["clusters"])
    planned = required_responses(
        **{name: clusters[name] for name in ("cluster_size", "intraclass_correlation", "promoter_share")},
        detractor_share=clusters["detractor_share"],
        margin_of_error=1.959963984540054 * clusters["std_error"],
    )
    assert planned.design_effect == pytest.approx(clusters["design_effect"], rel=0.005)
    assert planned.needed["n"] == pytest.approx(300 * 6, rel=0.005)


# Counting up


@pytest.mark.parametrize("shares", [(0.4, 0.2), (0.8, 0.04), (0.5, 0.5), (1.0, 0.0), (0.0, 0.3)])
@pytest.mark.parametrize("margin", [4.0, 11.0, 35.0, 80.0])
def test_adjusted_wald_needs_the_first_number_that_fits(shares, margin):
    promoters, detractors = shares
    n = np.arange(1, 20_000)
    p, d = (n * promoters + 0.75) / (n + 3), (n * detractors + 0.75) / (n + 3)
    half_width = 195.9963984540054 * np.sqrt((p + d - (p - d) ** 2) / (n + 3))
    found = required_responses(
        margin_of_error=margin, promoter_share=promoters, detractor_share=detractors, method="adjusted-wald"
    )
    assert found.needed["n"] == n[np.argmax(half_width <= margin)]


@pytest.mark.parametrize("difference", [12.0, 45.0, 90.0])
def test_adjusted_wald_needs_the_first_number_that_finds_the_difference(difference):
    n = np.arange(1, 5000)
    moved, p, d = n / (n + 3), (n * 0.4 + 0.75) / (n + 3), (n * 0.2 + 0.75) / (n + 3)
    limit = 195.9963984540054 * np.sqrt(2 * (p + d - (p - d) ** 2) / (n + 3))
    power = stats.norm.cdf((moved * difference - limit) / (moved * np.sqrt(2 * 5600 / n)))
    found = required_responses(difference=difference, power=0.9, method="adjusted-wald")
    assert found.needed["n"] == n[np.argmax(power >= 0.9)]


@pytest.mark.parametrize("population", [50, 861, 100_000])
@pytest.mark.parametrize("alike", [{}, {"cluster_size": 6, "intraclass_correlation": 0.3}])
def test_answers_needed_bring_the_margin_and_one_fewer_does_not(population, alike):
    n = required_responses(margin_of_error=7, population=population, **alike).needed["n"]
    effect = 1 + 5 * 0.3 if alike else 1.0

    def margin(answers):  # drawn without replacement; clusters take as much of the population as their answers do
        left = (population + effect - answers * 1.0 - 1) / (population - 1) if effect == 1 else 1 - answers / population
        return 1.959963984540054 * math.sqrt(effect * left * 5600 / answers)

    assert n <= population
    if effect == 1:
        assert margin(n) <= 7 < margin(n - 1)
    else:
        assert margin(n) == pytest.approx(7, rel=0.02) or margin(n) < 7 <= margin(n - 2)


def test_invitations_bring_the_answers_on_average():
    for rate in (1.0, 0.3, 0.07, 0.013):
        row = required_responses(response_rate=rate).needed
        assert (row["invitations"] - 1) * rate < row["n"] <= row["invitations"] * rate + 1e-9
    everybody = required_responses(margin_of_error=0.5, population=21, response_rate=0.35).needed
    assert 21 / 0.35 > 60  # in the last bits
    assert (everybody["n"], everybody["invitations"]) == (21, 60)
    assert required_responses().frame["invitations"].isna().all()


def test_only_the_widths_named_stand_beside_the_one_asked_for():
    frame = required_responses(beside=(10, 3, 2, 150)).frame
    assert frame["margin_of_error"].tolist() == [2, 3, 5, 10]
    assert required_responses(difference=5, beside=(10, 3)).frame["difference"].tolist() == [3, 5, 10]
    assert frame["n"].tolist() == [required_responses(margin_of_error=width).needed["n"] for width in (2, 3, 5, 10)]


# The next survey as the last one


def two_waves(**changes):
    counts = {"2024": [9] * 11, "2025": [40] + [0] * 7 + [80, 0, 80]}
    silence = {"nonrespondents": {"2024": 101, "2025": 600}, "not_reached": {"2025": 150}, "item_missing": {"2025": 50}}
    return replace(ScoreDistribution.from_counts(counts, ordered=True, **silence), **changes)


def test_the_next_survey_is_planned_by_the_last_one():
    plan = plan_next_survey(two_waves(), margin_of_error=4)
    assert (plan.promoter_share, plan.detractor_share, plan.response_rate) == pytest.approx((0.4, 0.2, 0.2))
    assert plan.needed["n"] == required_responses(margin_of_error=4).needed["n"]
    assert plan.needed["invitations"] == 5 * plan.needed["n"]
    assert plan.finding.endswith("answers; 2025 had 200.")
    assert "20% detractors as in 2025, at" in plan.note
    change = plan_next_survey(two_waves(), difference=5, beside=[10])
    assert change.needed["n"] == required_responses(difference=5).needed["n"]
    total = plan_next_survey(two_waves().total())
    assert total.finding.endswith("the last survey had 299.")


def test_a_window_that_is_open_tells_no_answers_per_invitation():
    closed = two_waves(pending=np.array([0, 70]))
    assert plan_next_survey(closed).response_rate == pytest.approx(99 / 200)
    assert plan_next_survey(closed).promoter_share == pytest.approx(0.4)
    assert plan_next_survey(two_waves(nonrespondents=None)).response_rate is None
    known = {"nonrespondents": {}, "not_reached": {}, "item_missing": {}}
    nobody = two_waves() + ScoreDistribution.from_counts({"2026": [0] * 11}, ordered=True, **known)
    assert plan_next_survey(nobody).response_rate == pytest.approx(0.2)


def test_the_next_survey_has_the_design_effect_of_the_last():
    dist = distribution_of(made_up_rows(np.random.default_rng(5), n=900), by="wave", cluster="account_id")
    row = net_promoter_score(dist).frame.iloc[-1]
    plan = plan_next_survey(dist)
    assert plan.design_effect == pytest.approx(row["n"] / row["n_effective"])
    assert plan.design_effect > 1.3
    # With as many answers, the margin of error is that of the last wave again.
    margin = 1.959963984540054 * row["std_error"]
    assert plan_next_survey(dist, margin_of_error=margin).needed["n"] == pytest.approx(row["n"], abs=1)


def test_a_wave_too_small_to_show_is_not_planned_by():
    three = two_waves() + ScoreDistribution.from_counts({"2026": [0] * 9 + [1, 2]}, ordered=True)
    plan = plan_next_survey(replace(three, minimum_cell=10))
    # 2026 is too small, and 2024 hidden with it: it would let it be worked out.
    assert plan.like == "2025"
    assert "2026" not in json.dumps(plan.to_json())
    with pytest.raises(CannotAnswerError, match="No group has enough answers"):
        plan_next_survey(replace(two_waves(), minimum_cell=1000))
    lone = clustered_distribution(np.full((1, 1, 3), 5.0), np.full((1, 1, 3), 5), np.array([["x"]], dtype=object))
    with pytest.raises(CannotAnswerError, match="All answers are of one cluster"):
        plan_next_survey(lone)
    with pytest.raises(CannotAnswerError, match="All answers fall in one class"):
        plan_next_survey(of_classes(a=[0, 0, 40]))


# Simulated surveys


def rejected(a: np.ndarray, b: np.ndarray) -> float:
    """How often the test of two adjusted-Wald scores calls the second another than the first."""
    centre, variance = np.zeros(len(a)), np.zeros(len(a))
    for sign, answers in ((-1, a), (1, b)):
        n = answers.sum(axis=1) + 3
        d, p = (answers[:, 0] + 0.75) / n, (answers[:, 2] + 0.75) / n
        centre += sign * (p - d)
        variance += (p + d - (p - d) ** 2) / n
    return float(np.mean(np.abs(centre) > 1.959963984540054 * np.sqrt(variance)))


@pytest.mark.parametrize(("difference", "power"), [(8, 0.8), (-15, 0.8), (12, 0.95)])
def test_a_difference_is_found_with_the_power_asked_for(difference, power):
    rng, n_draws = np.random.default_rng(1), 20_000
    n = required_responses(difference=difference, power=power, method="adjusted-wald").needed["n"]
    away = difference / 400  # half of it in each wave, so that both keep about the variance stated
    a, b = (rng.multinomial(n, [0.2 - side * away, 0.4, 0.4 + side * away], size=n_draws) for side in (-1, 1))
    assert rejected(a, b) == pytest.approx(power, abs=0.01)


def test_clusters_are_paid_for():
    rng, size, likeness = np.random.default_rng(2), 8, 0.25
    n = required_responses(margin_of_error=6, cluster_size=size, intraclass_correlation=likeness).needed["n"]
    shares = rng.dirichlet((1 / likeness - 1) * np.array([0.2, 0.4, 0.4]), size=(2000, round(n / size)))
    answers = rng.multinomial(size, shares).sum(axis=1)
    scores = 100 * (answers[:, 2] - answers[:, 0]) / answers.sum(axis=1)
    assert 1.96 * scores.std() == pytest.approx(6, rel=0.06)  # 4 standard errors of a standard deviation


@pytest.mark.parametrize(("n_a", "n_b"), [(40, 40), (60, 60), (200, 60), (500, 500)])
def test_the_detectable_change_is_found_with_its_power(n_a, n_b):
    rng, n_draws = np.random.default_rng(3), 20_000
    dist = of_classes(**{name: [n // 5, n - 2 * (n // 5), n // 5] for name, n in (("a", n_a), ("b", n_b))})
    half = detectable_change(dist).frame["detectable_change"][0] / 400
    a, b = (
        rng.multinomial(n, [0.2 - side * half, 0.6, 0.2 + side * half], size=n_draws)
        for side, n in ((-1, n_a), (1, n_b))
    )
    # A large change moves the variance itself, so that small samples find it a little oftener.
    assert 0.79 <= rejected(a, b) <= (0.85 if min(n_a, n_b) < 100 else 0.81)


def test_clusters_pairing_and_weights_count_in_the_detectable_change():
    rows = made_up_rows(np.random.default_rng(4))
    paired = distribution_of(rows, by="wave", cluster="account_id")
    seen = compare_net_promoter_scores(paired, pairs="consecutive").frame.loc[0]
    k = min(effective_clusters(rows[rows["wave"] == wave], "design_weight", "account_id") for wave in paired.groups)
    expected = (stats.t.ppf(0.975, k - 1) + stats.norm.ppf(0.9)) * seen["std_error"]
    found = detectable_change(paired, power=0.9).frame.loc[0]
    assert found["detectable_change"] == pytest.approx(expected)
    assert found["change"] == seen["estimate"]
    apart = np.array([f"{g} {label}" for g, label in zip(paired.clusters.group, paired.clusters.label, strict=True)])
    unpaired = replace(paired, clusters=replace(paired.clusters, label=apart.astype(object)))
    assert detectable_change(unpaired, power=0.9).frame.loc[0, "detectable_change"] > 1.05 * expected
    lone = distribution_of(rows, by="wave", cluster=None)
    assert detectable_change(lone).frame.loc[0, "std_error"] != pytest.approx(seen["std_error"], rel=0.01)


# Properties


shares = st.tuples(st.floats(0.05, 0.9), st.floats(0.02, 0.95)).map(lambda pair: (pair[0], (1 - pair[0]) * pair[1]))


@settings(max_examples=40)
@given(shares, st.floats(1, 30), st.sampled_from(["wald", "adjusted-wald"]))
def test_less_error_a_surer_answer_or_more_likeness_needs_more(pair, margin, method):
    promoters, detractors = pair
    asked = {"promoter_share": promoters, "detractor_share": detractors, "method": method}
    n = required_responses(margin_of_error=margin, **asked).needed["n"]
    assert required_responses(margin_of_error=margin / 2, **asked).needed["n"] > n
    assert required_responses(margin_of_error=margin, confidence_level=0.99, **asked).needed["n"] > n
    alike = {"cluster_size": 5.0, "intraclass_correlation": 0.5}
    assert required_responses(margin_of_error=margin, **alike, **asked).needed["n"] > n
    mirrored = {"promoter_share": detractors, "detractor_share": promoters, "method": method}
    assert abs(required_responses(margin_of_error=margin, **mirrored).needed["n"] - n) <= 1
    frame = required_responses(margin_of_error=margin, **asked).frame
    assert frame["n"].is_monotonic_decreasing


def test_a_difference_needs_more_the_surer_it_must_be_found_and_its_sign_is_all_the_same():
    n = [required_responses(difference=8, power=power).needed["n"] for power in (0.5, 0.8, 0.95)]
    assert n == sorted(set(n))
    assert required_responses(difference=-8).needed["n"] == n[1]
    assert required_responses(difference=8, power=0.5).needed["n"] == math.ceil(2 * 5600 * 1.959963984540054**2 / 64)


# What is not possible, and what is said


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"margin_of_error": 0}, "margin_of_error = 0"),
        ({"margin_of_error": math.nan}, "margin_of_error = nan"),
        ({"promoter_share": 1.2}, "promoter_share = 1.2"),
        ({"detractor_share": -0.1}, "detractor_share = -0.1"),
        ({"promoter_share": 0.7, "detractor_share": 0.5}, "at most 1"),
        ({"confidence_level": 95}, "confidence_level = 95"),
        ({"difference": 0}, "difference = 0"),
        ({"power": 0.4}, "power = 0.4"),
        ({"response_rate": 0}, "response_rate = 0"),
        ({"response_rate": 20}, "response_rate = 20"),
        ({"population": 0}, "population = 0"),
        ({"cluster_size": 0.5}, "cluster_size = 0.5"),
        ({"intraclass_correlation": 2}, "intraclass_correlation = 2"),
        ({"design_effect": 0}, "design_effect = 0"),
        ({"beside": [10, 0]}, r"beside = \[10, 0\]"),
        ({"method": "score"}, "method = 'score'"),
        ({"promoter_share": 1.0, "detractor_share": 0.0}, "adjusted-wald"),
    ],
)
def test_impossible_plans_are_refused(wrong, words):
    with pytest.raises(EstimationError, match=words):
        required_responses(**wrong)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(EstimationError, match=r"power = 2.*population = -1"):
        required_responses(power=2, population=-1)


def test_a_plan_is_said_in_words():
    finding = required_responses(response_rate=0.2).in_words
    assert "861 answers. That takes 4,305 invitations, if 20% of them bring an answer." in finding
    beyond = required_responses(response_rate=0.2, population=3000)
    assert beyond.needed["invitations"] > 3000
    assert "more than the 3,000 people there are to invite" in beyond.in_words
    assert "There are only" not in required_responses(response_rate=0.9, population=3000).in_words
    assert "you need 3,517 answers in each wave" in required_responses(difference=5).in_words
    assert "3.00 of them tell as much as one" in required_responses(cluster_size=5, intraclass_correlation=0.5).note
    assert required_responses(difference=5).settings["asked"] == 5
    assert "Waves are taken as independent" in required_responses(difference=5).note
    assert "Waves" not in required_responses().note
    assert required_responses().to_json()["rows"][4] == [5, None, pytest.approx(860.48, abs=0.01), 861, None]


def test_groups_without_enough_answers_could_have_seen_nothing():
    one = ScoreDistribution.from_counts({"all": [1] * 11})
    nobody = of_classes(a=[20, 40, 40], b=[0, 0, 0])
    lone = clustered_distribution(
        np.full((2, 1, 3), 5.0), np.full((2, 1, 3), 5), np.array([["x"], ["y"]], dtype=object)
    )
    tiny = of_classes(a=[1, 0, 0], b=[0, 0, 1])  # only a change of more than 200 points would show
    for dist in (one, nobody, lone, tiny):
        result = detectable_change(dist)
        assert result.able == []
        assert "No change could have been found" in result.finding
    with pytest.raises(EstimationError, match=r"power = 0\.3"):
        detectable_change(nobody, power=0.3)


def test_changes_of_groups_too_small_to_show_are_left_out():
    dist = replace(of_classes(a=[200, 40, 40], b=[1, 1, 2], c=[50, 50, 60], d=[60, 60, 60]), minimum_cell=10)
    result = detectable_change(dist, pairs="all")
    assert len(result.frame) == 6
    shown = {(row["group_a"], row["group_b"]) for row in result.able}
    assert shown == {("a", "d")}  # c would let b be worked out by subtraction
    assert "5 pairs with a group too small to show" in result.full_note
    assert "too_small" not in result.to_json()["settings"]


# Figures


def test_what_could_not_be_seen_is_a_band_around_no_change():
    result = detectable_change(of_classes(a=[20, 40, 40], b=[40, 30, 30], c=[0, 0, 0]), pairs=[("a", "b"), ("b", "c")])
    ax = Figure().subplots()
    assert result.plot(ax) is ax
    (band,) = ax.patches
    width = result.frame["detectable_change"][0]
    assert (band.get_x(), band.get_width()) == pytest.approx((-width, 2 * width))
    assert list(ax.lines[-1].get_xdata()) == pytest.approx([result.frame["change"][0]])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["b - a"]
