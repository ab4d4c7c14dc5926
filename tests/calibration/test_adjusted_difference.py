"""What calibration/ says of the difference adjusted for who was treated, and of Lee's bounds.

Shares are judged by their limit and 3.3 Monte Carlo standard errors, but for coverage, which has 2,000 runs a row.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import adjusted_difference, lee_bounds

TABLE = pd.read_csv(adjusted_difference.TABLE)
KNOWN = TABLE[TABLE["design"] != "hidden"]
BOUNDS = pd.read_csv(lee_bounds.TABLE)


def at_most(share, runs=2_000):
    return share + 3.3 * np.sqrt(share * (1 - share) / runs)


@pytest.mark.parametrize(("table", "study"), [(TABLE, adjusted_difference), (BOUNDS, lee_bounds)])
def test_every_cell_stands_once_with_all_its_runs(table, study):
    assert table[["design", "effect"]].to_dict("records") == study.CELLS
    assert (table["runs"] == 2_000).all()


def test_limits_hold_the_truth_where_what_matters_is_known():
    assert KNOWN["held"].between(0.93, 0.97).all()
    assert (KNOWN["bias"].abs() < 0.04 * KNOWN["naive_bias"].abs()).all()


def test_a_difference_that_is_not_there_is_seldom_found_and_the_naive_one_mostly():
    none = KNOWN[KNOWN["effect"] == "none"]
    assert (none["found"] <= at_most(0.05)).all()
    assert (none["naive_found"] > 0.5).all()


def test_power_stands_beside_the_error_rate():
    power = KNOWN[KNOWN["effect"] == "planted"].set_index("design")["found"]
    assert (power.drop(["few accounts", "treatment rare"]) > 0.84).all()
    assert power["treatment rare"] > 0.7
    assert power["few accounts"] < 0.5  # 30 accounts decide little


def test_what_is_hidden_cannot_be_adjusted_for():
    hidden = TABLE[TABLE["design"] == "hidden"]
    assert (hidden["held"] < 0.05).all()
    assert (hidden["bias"] > 0.9 * hidden["naive_bias"]).all()


def test_limits_around_the_bounds_hold_the_effect():
    at_bound = BOUNDS["design"].isin(["at the bound", "few accounts", "fewer"])
    assert BOUNDS.loc[at_bound, "held"].between(0.93, 0.97).all()
    assert (BOUNDS.loc[~at_bound, "held"] >= 0.95).all()
    assert (BOUNDS.loc[BOUNDS["effect"] == "none", "found"] <= at_most(0.05)).all()


def test_the_answers_alone_deceive_where_one_arm_answers_more_often():
    of = BOUNDS[BOUNDS["effect"] == "none"].set_index("design")["naive_found"]
    assert (of[["at the bound", "few accounts", "fewer"]] > 0.7).all()
    assert (of[["ordinary", "alike", "yes or no"]] <= at_most(0.05)).all()
