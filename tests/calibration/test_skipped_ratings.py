"""What calibration/ says of ratings that not everybody gave: the table holds what was asked for, and is still right.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd

from calibration import skipped_ratings

RUNS = pd.read_csv(skipped_ratings.RUNS)
TABLE = pd.read_csv(skipped_ratings.TABLE).set_index("design")
COLLIDER = "skipped by detractors who rate low"


def error(share, runs):
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def test_every_data_set_stands_once_and_the_table_is_worked_out_from_them():
    assert RUNS[["design", "number"]].to_dict("records") == skipped_ratings.cells()
    pd.testing.assert_frame_equal(skipped_ratings.table(RUNS).set_index("design"), TABLE)


def test_idle_ratings_that_are_skipped_are_called_real_no_more_often_than_said():
    held = TABLE.drop(COLLIDER)
    assert held.index.str.startswith("idle ones skipped").sum() == 3
    assert (held["any_idle"] <= 0.05 + error(0.05, held["data_sets"])).all()


def test_a_data_set_of_the_table_is_what_the_package_gives():
    of_design = RUNS[RUNS["design"] == "skipped by detractors"]
    assert skipped_ratings.measure("skipped by detractors", 0)["above_noise"] == of_design["above_noise"].iloc[0]
