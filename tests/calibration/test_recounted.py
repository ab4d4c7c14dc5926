"""What calibration/ says of made-up companies: what is planted is in them, and nothing where nothing is planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration import recounted
from nps_research.made_up.counted import GROUPS

TABLE = pd.read_csv(recounted.TABLE)


def test_every_company_stands_once():
    assert TABLE[["kind", "seed"]].to_dict("records") == recounted.CELLS
    assert (TABLE["numbers"] > 100).all()


@pytest.mark.parametrize("kind", list(recounted.KINDS))
@pytest.mark.parametrize("errors", [2, 3, 3.5])
def test_what_is_counted_is_no_further_from_what_is_planted_than_chance_puts_it(kind, errors):
    rows = TABLE[TABLE["kind"] == kind]
    n, share = rows["numbers"].sum(), 2 * stats.t.sf(errors, GROUPS - 1)
    assert rows[f"beyond_{errors}"].sum() / n <= share + 3.3 * np.sqrt(share * (1 - share) / n)
    assert abs(rows["mean"].mean()) < 3.3 / np.sqrt(n)


def test_a_company_is_recounted_as_the_table_has_it():
    row = TABLE.iloc[0]
    assert recounted.measure(row["kind"], int(row["seed"])) == row.drop(["kind", "seed"]).to_dict()
