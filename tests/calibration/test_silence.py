"""What calibration/ says of the silence signal: the tables hold what was asked for, and the package still gives them.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import silence, silent_companies
from calibration.silence import ADJUSTED, RATIOS, RISKS, SCENARIOS, draw
from nps_research.silence.signal.signal import PLACE, group_of, risks_by_state
from nps_research.silence.signal.verdict import silence_verdict

RUNS, TABLE = pd.read_csv(silence.RUNS), pd.read_csv(silence.TABLE)
COMPANIES = pd.read_csv(silent_companies.TABLE)
PLANTED = COMPANIES[COMPANIES["kind"] == "planted"]


def error(share, runs):
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def test_every_data_set_stands_once_and_the_table_is_worked_out_from_them():
    assert RUNS[["scenario", "n_units", "number"]].to_dict("records") == silence.CELLS
    pd.testing.assert_frame_equal(silence.table(RUNS), TABLE)


@pytest.mark.parametrize("name", [*RISKS, *RATIOS, *ADJUSTED])
def test_intervals_cover(name):
    looked_at = 0
    for _, runs in RUNS.groupby(["scenario", "n_units"]):
        known = runs[name][runs[name] >= 0]
        if len(known):
            looked_at += 1
            assert abs(known.mean() - 0.95) <= error(0.95, len(known))
    assert looked_at >= 2


def test_worst_is_seldom_said_where_silent_and_detractors_leave_alike():
    for scenario in ("silent like detractors", "all alike"):
        rows = TABLE[TABLE["scenario"] == scenario]
        assert (rows["says worst"] <= 0.05 + error(0.05, rows["data_sets"])).all()


def test_worst_is_said_where_it_is_planted():
    rows = TABLE[TABLE["scenario"] == "silent worst"].set_index("n_units")
    assert rows.loc[1000, "says worst"] > 0.9


def test_two_groups_that_leave_alike_are_not_called_like_by_chance_alone():
    rows = TABLE[TABLE["scenario"] == "silent worst"]
    assert (rows["says like-detractors"] + rows["says like-respondents"] <= 0.05 + error(0.05, rows["data_sets"])).all()


def test_the_fast_version_worst_is_seldom_said():
    said = 0
    for number in range(150):
        landmarks = draw(SCENARIOS["silent like detractors"], 250, np.random.default_rng([5, number]))
        rows = landmarks.classed(promoter_min=9, detractor_max=6)
        risks = risks_by_state(rows, group_of(rows), silence.HORIZON)
        said += silence_verdict(risks, PLACE, margin=0.05, alpha=0.05).verdict == "worst"
    assert said / 150 <= 0.05 + error(0.05, 150)


def test_a_data_set_still_gives_what_is_in_the_table():
    row = RUNS.iloc[0]
    found = silence.measure(row["scenario"], int(row["n_units"]), int(row["number"]))
    assert {name: row[name] for name in found} == found


# Made-up companies


def test_companies_stand_in_order():
    assert COMPANIES[["kind", "seed"]].to_dict("records") == silent_companies.CELLS


@pytest.mark.parametrize("name", [*RISKS, *RATIOS, *ADJUSTED])
def test_intervals_hold_what_is_planted_in_17_of_20_companies(name):
    assert len(PLANTED) == 20
    assert (PLANTED[name] == 1).sum() >= 17


def test_companies_silent_are_worst_where_it_is_planted():
    assert (PLANTED["verdict"] == "worst").all()


def test_worst_is_hardly_ever_said_where_silence_means_nothing():
    nothing = COMPANIES[COMPANIES["kind"] == "nothing"]
    assert (nothing["verdict"] == "worst").mean() <= 0.05 + error(0.05, len(nothing))
