"""What calibration/ says of employees: errors and power side by side.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import employees

TABLE = pd.read_csv(employees.TABLE)


def error(share, runs=2_000):
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def test_every_cell_stands_once_with_all_its_runs():
    assert TABLE[list(employees.CELLS[0])].to_dict("records") == employees.CELLS
    assert (TABLE["runs"] == 2_000).all()


def test_employees_far_below_are_named_and_equal_ones_are_not():
    table = TABLE.set_index(["share", "low"])
    assert table.loc[(0.0, 2), "low_named"] >= 0.8 - error(0.8)
    assert table.loc[(0.0, 2), "gap"] == pytest.approx(45, abs=1.5)
    for low in (0, 2):
        assert table.loc[(0.0, low), "any_other"] <= 0.05 + error(0.05)
    assert table.loc[(0.03, 0), "any_other"] <= 0.05 + error(0.05)
