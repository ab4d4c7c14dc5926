"""The tables beside the score of all: shifts, balance and earlier scores, from people made for it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nps_research.silence.score.balance import response_balance
from nps_research.silence.score.earlier_scores import earlier_scores
from nps_research.silence.score.full_response import score_if_all_responded
from nps_research.silence.score.shifts import silent_shifts
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, Weighted, worst_case_bounds
from nps_research.study.study import Study


def people_of(answered, value=0.0, *, base=None, cluster=None):
    n = len(answered)
    return Reached(
        answered=np.asarray(answered, dtype=bool),
        value=np.broadcast_to(np.asarray(value, dtype=float), n),
        base=np.ones(n) if base is None else np.asarray(base, dtype=float),
        cluster=np.arange(n) if cluster is None else np.asarray(cluster),
    )


def known_of(*, numbers=None, **categories):
    frame = pd.DataFrame(categories)
    return Covariates(numbers=pd.DataFrame(numbers, index=frame.index), categories=frame)


# Shifts


@pytest.fixture(scope="module")
def shifts():
    """60 of 100 answered, as many promoters as detractors; weighted, all come to -10 and so the silent to -25."""
    people = people_of(np.arange(100) < 60, np.tile([100.0, -100.0], 50))
    weighted = Weighted(
        weights=people.answered.astype(float),
        estimate=-10.0,
        std_error=10.0,
        conf_low=-30.0,
        conf_high=10.0,
        n_effective=60.0,
        largest_weight=1.0,
    )
    return silent_shifts(
        people,
        weighted,
        based_on="weighted: logistic",
        bounds=worst_case_bounds(people),
        shifts=(-200, -50, 0, 50, 200),
        margin=5.0,
        previous=("w1", -20.0),
        wave="w2",
    )


def test_shifts_and_limits_stay_within_what_the_silent_could_answer(shifts):
    plain = shifts.frame[shifts.frame["term"] == ""].set_index("shift")
    assert plain.index.tolist() == [-50, 0, 50]
    assert plain["silent"].tolist() == [25, -25, -75]
    assert plain["conf_low"].tolist() == [-10, -30, -40]  # the lowest that all could come to
    assert plain["conf_high"].tolist() == [30, 10, -10]


def test_what_turns_a_conclusion_is_said_with_its_side(shifts):
    assert (
        "For each 10 points that the silent think worse than assumed, the NPS of all falls by 4.0." in shifts.in_words
    )
    assert "25.0 points above for the NPS of all to be zero" in shifts.in_words
    assert "25.0 points below for the NPS of all to be at the −20.0 observed in w1" in shifts.in_words
    assert "by over 5.0, its margin of error, with no shift at all." in shifts.in_words


# Balance


def balance_of(people, known):
    table = pd.DataFrame({"likelihood_to_recommend": np.where(people.answered, 9.0, np.nan)})
    study = Study.from_frames(responses=table.assign(responded=people.answered.astype(int)))
    return response_balance(study, people, known, {}, wave="")


def test_balance_is_in_weighted_means_and_deviations():
    rng = np.random.default_rng(1)
    area, answered, base = rng.choice(["N", "S"], 400), rng.random(400) < 0.4, rng.uniform(0.5, 4, 400)
    tenure = np.where(rng.random(400) < 0.2, np.nan, rng.gamma(2, 20, 400) + 20 * (area == "N"))
    found = balance_of(people_of(answered, base=base), known_of(area=area, numbers={"tenure": tenure}))
    observed = found.frame.set_index("group")["observed"]
    for group, value in (("N", (area == "N").astype(float)), ("mean", tenure)):
        known = ~np.isnan(value)
        mean = np.average(value[known], weights=base[known])
        deviation = np.sqrt(np.average((value[known] - mean) ** 2, weights=base[known]))
        of_answers = np.average(value[known & answered], weights=base[known & answered])
        assert observed[group] == pytest.approx((of_answers - mean) / deviation)


def test_the_largest_difference_may_be_below_zero_and_all_large_ones_count():
    area = np.repeat(["E", "N", "S"], 100)
    answered = np.r_[np.arange(100) < 70, np.arange(100) < 60, np.arange(100) < 20]
    found = balance_of(people_of(answered), known_of(area=area))
    assert "before weighting: −0.42 standard deviations (area S)" in found.in_words
    assert "3 of 3 differences are above 0.1" in found.in_words


def test_a_mean_over_few_answers_and_a_group_of_few_silent_are_not_shown():
    area = np.repeat(["E", "N", "S", "tiny"], [100, 100, 60, 4])
    answered = np.r_[np.arange(260) % 2 == 0, np.zeros(4, dtype=bool)]
    tenure = np.where(np.arange(264) < 16, 12.0 + np.arange(264), np.nan)  # known of 8 who answered
    found = balance_of(people_of(answered), known_of(area=area, numbers={"tenure": tenure}))
    assert found.shown[["term", "group"]].to_numpy().tolist() == [["area", "E"], ["area", "N"]]  # S would give it away


# Earlier scores


def earlier_of(value, silent, known, *, base=None, cluster=None, minimum_cell=0):
    people = people_of(~silent, base=base, cluster=cluster)
    return earlier_scores(
        people, value, known, wave="w2", confidence_level=0.95, is_used=False, minimum_cell=minimum_cell
    )


def made_up(n=600, seed=1, gap=0.0):
    rng = np.random.default_rng(seed)
    area = rng.choice(["N", "S"], n)
    silent = rng.random(n) < np.where(area == "N", 0.3, 0.6)
    value = rng.choice([-100.0, 0.0, 100.0], n) + 60 * (area == "N") - gap * silent
    return value, silent, area, rng


def test_held_alike_is_what_is_known_but_not_the_last_answer_itself():
    value, silent, area, _ = made_up()
    known = known_of(area=area, last_answer=np.where(value > 0, "promoter", "detractor"))
    rows = earlier_of(value, silent, known).frame.set_index("term")
    design = np.column_stack([np.ones(600), silent, area == "N"]).astype(float)
    expected = np.linalg.lstsq(design, value, rcond=None)[0][1]
    assert rows.loc["the same, other things equal", "estimate"] == pytest.approx(expected)
    assert rows.loc["silent less answered again", "estimate"] < expected - 10


def test_earlier_scores_go_by_design_weights():
    value, silent, area, rng = made_up()
    base = rng.uniform(0.5, 4, 600)
    rows = earlier_of(value, silent, known_of(area=area), base=base).frame.set_index("term")
    again, now = (np.average(value[who], weights=base[who]) for who in (~silent, silent))
    found = rows["estimate"]
    assert found[["answered again", "silent now"]].tolist() == pytest.approx([again, now])
    assert found["silent less answered again"] == pytest.approx(now - again)


def test_limits_of_earlier_scores_know_how_few_clusters_there_are():
    value, silent, area, _ = made_up()
    rows = earlier_of(value, silent, known_of(area=area), cluster=np.arange(600) % 6).frame
    half = stats.t.ppf(0.975, 5) * rows["std_error"]
    np.testing.assert_allclose(rows["conf_high"], rows["estimate"] + half)


@pytest.mark.parametrize(("gap", "is_sure"), [(0.0, False), (80.0, True), (-80.0, True)])
def test_a_difference_that_chance_could_make_is_said_to_be_one(gap, is_sure):
    value, silent, area, _ = made_up(seed=2, gap=gap)
    found = earlier_of(value, silent, known_of(area=area))
    assert ("did not provably think otherwise" not in found.in_words) == is_sure


def test_where_one_of_the_two_is_small_neither_is_shown():
    value, silent, area, _ = made_up()
    silent = np.arange(600) < 8
    found = earlier_of(value, silent, known_of(area=area), minimum_cell=10)
    assert found.shown.empty
    assert found.hint == ""


def test_limits_over_few_accounts_are_hidden_and_that_is_said():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"account_id": np.where(np.arange(300) % 60 < 58, "BIG", "SMALL")})
    rows["Region"] = rng.choice(["N", "S"], 300)
    rows["responded"] = (rng.random(300) < np.where(rows["Region"] == "N", 0.7, 0.4)).astype(int)
    rows["likelihood_to_recommend"] = np.where(rows["responded"] == 1, rng.integers(3, 11, 300), np.nan)
    result = score_if_all_responded(Study.from_frames(responses=rows, segments=["Region"]))
    shown = result.shown.set_index("term")
    assert shown.filter(like="weighted", axis=0)["std_error"].isna().all()
    assert np.isfinite(shown.loc["observed", "std_error"])  # every answer by itself
    assert "Limits are hidden where few accounts or people answered" in result.note
