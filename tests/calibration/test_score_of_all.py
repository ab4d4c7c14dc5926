"""What calibration/ says of the score if all had answered.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import demo_silent_score, doubly_robust, hardly_answering, silent_score

TABLE = pd.read_csv(silent_score.TABLE)
ROBUST = pd.read_csv(doubly_robust.TABLE)
NAMED = pd.read_csv(hardly_answering.TABLE)
COMPANIES = pd.read_csv(demo_silent_score.TABLE)
BY_FRAME = TABLE[TABLE["answering"] != "score"]
CROSSING = TABLE[TABLE["answering"] == "crossing"]
STRAIGHT = TABLE[TABLE["answering"].isin(["frame", "few"])]
ROBUST_BY_FRAME = ROBUST[ROBUST["answering"] != "score"]
BY_SCORE = TABLE[TABLE["answering"] == "score"]


def error(share, runs):
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def is_nominal(held, runs):
    return (held >= 0.93 - error(0.93, runs)) & (held <= 0.97 + error(0.97, runs))


def test_every_cell_stands_once():
    assert TABLE[["design", "answering"]].to_dict("records") == silent_score.CELLS
    assert ROBUST[["design", "answering"]].to_dict("records") == doubly_robust.CELLS
    assert COMPANIES[["seed"]].to_dict("records") == demo_silent_score.CELLS
    assert (TABLE["runs"] == silent_score.RUNS).all()
    assert (ROBUST["runs"] == doubly_robust.RUNS).all()


def test_weighted_limits_hold_the_score_of_all_where_the_frame_explains_answering():
    for name in ("logistic", "boosted"):
        assert is_nominal(STRAIGHT[f"{name}_held"], STRAIGHT["runs"]).all()


@pytest.mark.xfail(strict=True, reason="held in 74%: 1,500 people do not show the trees how tenure and revenue cross")
def test_boosted_limits_hold_the_score_of_all_where_what_is_known_crosses():
    assert is_nominal(CROSSING["boosted_held"], CROSSING["runs"]).all()


def test_doubly_robust_limits_hold_the_score_of_all_wherever_what_is_known_explains_answering():
    assert is_nominal(ROBUST_BY_FRAME["doubly_robust_held"], ROBUST_BY_FRAME["runs"]).all()
    crossing = ROBUST[ROBUST["answering"] == "crossing"]
    assert len(crossing) == 2
    assert (crossing["doubly_robust_held"] >= 0.9).all()


def test_doubly_robust_estimates_are_less_off_than_boosted_ones_and_hardly_wider():
    crossing = ROBUST[ROBUST["answering"] == "crossing"]
    assert (crossing["doubly_robust_bias"] < 0.4 * crossing["boosted_bias"]).all()
    assert (ROBUST["doubly_robust_std_error"] < 1.1 * ROBUST["boosted_std_error"]).all()


def test_observed_scores_are_off_and_weighting_mends_them():
    assert (BY_FRAME["observed_bias"] > 5).all()
    assert (STRAIGHT["boosted_bias"].abs() < 0.05 * STRAIGHT["observed_bias"]).all()
    assert (CROSSING["boosted_bias"] < 0.25 * CROSSING["observed_bias"]).all()
    assert (CROSSING["boosted_held"] > CROSSING["logistic_held"]).all()


def test_standard_errors_are_the_deviation_of_the_estimates():
    for name in silent_score.METHODS:
        ratio = BY_FRAME[f"{name}_std_error"] / BY_FRAME[f"{name}_deviation"]
        assert ((ratio - 1).abs() < 3.3 / np.sqrt(2 * BY_FRAME["runs"])).all()


def test_doubly_robust_standard_errors_are_the_deviation_of_the_estimates():
    ratio = ROBUST_BY_FRAME["doubly_robust_std_error"] / ROBUST_BY_FRAME["doubly_robust_deviation"]
    assert ((ratio - 1).abs() < 3.3 / np.sqrt(2 * ROBUST_BY_FRAME["runs"])).all()


def test_where_answering_follows_the_score_weighting_misses_and_the_planted_shift_finds_it():
    assert (BY_SCORE["logistic_held"] < 0.8).all()
    assert (BY_SCORE["planted"] > 5).all()
    assert is_nominal(TABLE["shifted_held"], TABLE["runs"]).all()
    of_score = ROBUST[ROBUST["answering"] == "score"]
    assert (of_score["doubly_robust_held"] < 0.8).all()
    assert (of_score["planted"] > 5).all()
    assert is_nominal(ROBUST["shifted_held"], ROBUST["runs"]).all()


def test_the_planted_shift_finds_the_score_of_all_in_made_up_companies():
    assert COMPANIES["shifted_held"].sum() >= 17
    assert (COMPANIES["planted"] > 0).all()


def test_the_package_still_gives_what_the_table_says():
    first = silent_score.CELLS[0]
    rng = silent_score.generator(first)
    rows = pd.DataFrame([silent_score.one_wave(**first, planted=0.0, rng=rng) for _ in range(12)])
    said = TABLE.iloc[0]
    assert abs(rows["logistic_error"].mean() - said["logistic_bias"]) < 3.3 * said["logistic_deviation"] / np.sqrt(12)
    assert abs(rows["logistic_std_error"].mean() / said["logistic_std_error"] - 1) < 0.1


def test_the_package_still_gives_what_the_doubly_robust_table_says():
    first = doubly_robust.CELLS[0]
    rng = silent_score.generator(first)
    rows = pd.DataFrame([doubly_robust.one_wave(**first, planted=0.0, rng=rng) for _ in range(12)])
    said = ROBUST.iloc[0]
    off = rows["doubly_robust_error"].mean() - said["doubly_robust_bias"]
    assert abs(off) < 3.3 * said["doubly_robust_deviation"] / np.sqrt(12)
    assert abs(rows["doubly_robust_std_error"].mean() / said["doubly_robust_std_error"] - 1) < 0.1


def test_a_thin_group_is_named_in_at_least_90_of_100_waves():
    thin = NAMED[NAMED["design"].isin(["thin", "thin, scored"])]
    assert NAMED[["design", "n", "groups", "others"]].to_dict("records") == hardly_answering.CELLS
    assert (thin["n"] >= 1000).all()
    assert (thin["thin_named"] >= 0.9).all()


def test_nobody_else_is_named_in_more_than_5_of_100_waves():
    assert set(NAMED.loc[NAMED["design"] != "thin", "groups"]) == {15, 40}
    assert (NAMED["other_named"] <= 0.05).all()


def test_where_nobody_is_thin_limits_are_as_wide_as_without_the_rule_and_else_they_hold():
    scored = NAMED[NAMED["design"].str.endswith("scored")]
    is_thin = scored["design"].str.startswith("thin")
    assert (scored.loc[~is_thin, "width"] <= 1.1).all()
    assert (scored["range_held"] >= 0.95 - error(0.95, scored["runs"])).all()
    assert (scored.loc[is_thin, "doubly_robust_held"] < 0.5).all()  # there is something to mend


def test_cells_of_the_rule_come_out_as_they_stand():
    cell = {"design": "thin", "n": 1000, "groups": 40, "others": 0.3}
    row = NAMED[(NAMED[list(cell)] == pd.Series(cell)).all(axis=1)].iloc[0]
    found = hardly_answering.measure(**cell)
    assert (found["thin_named"], found["other_named"]) == (row["thin_named"], row["other_named"])
