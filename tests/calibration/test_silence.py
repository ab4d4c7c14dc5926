"""What calibration/ says of the silence signal: the tables hold what was asked for, and the package still gives them.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import silence, silence_verdicts, silent_companies
from calibration.silence import ADJUSTED, RATIOS, RISKS, SCENARIOS, draw
from nps_research.silence.signal.signal import PLACE, group_of, risks_by_state, verdict_of
from nps_research.silence.signal.verdict import silence_verdict

RUNS, TABLE = pd.read_csv(silence.RUNS), pd.read_csv(silence.TABLE)
COMPANIES = pd.read_csv(silent_companies.TABLE)
PLANTED = COMPANIES[COMPANIES["kind"] == "planted"]
VERDICTS = pd.read_csv(silence_verdicts.TABLE)
ALIKE = ["like-respondents", "like-detractors", "within-margin"]


def error(share, runs):
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def at_most(share):
    return share + error(share, silence_verdicts.RUNS)


def of(scenario):
    """The verdicts of a scenario, by rate and size."""
    return VERDICTS[VERDICTS["scenario"] == scenario].set_index(["rate", "n_units"]).drop(columns="scenario")


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
        said += silence_verdict(risks, PLACE, margin=1.5, alpha=0.05).verdict == "worst"
    assert said / 150 <= 0.05 + error(0.05, 150)


def test_a_data_set_still_gives_what_is_in_the_table():
    row = RUNS.iloc[0]
    found = silence.measure(row["scenario"], int(row["n_units"]), int(row["number"]))
    assert {name: row[name] for name in found} == found


# Verdicts, false and true


def test_every_cell_of_verdicts_stands_once_and_in_order():
    assert VERDICTS[["scenario", "rate", "n_units"]].to_dict("records") == silence_verdicts.CELLS
    is_company = VERDICTS["scenario"] == silence_verdicts.COMPANY
    expected = np.where(is_company, silence_verdicts.RUNS_OF_COMPANY, silence_verdicts.RUNS)
    assert (VERDICTS["runs"] == expected).all()


def test_the_silent_are_seldom_called_like_those_whose_rate_is_the_margin_away():
    for scenario in ("margin above", "margin below"):
        rows = of(scenario)
        assert (rows[["like-respondents", "like-detractors"]].sum(axis=1) <= at_most(0.05)).all()
        assert (rows[["like-respondents", "within-margin"]].sum(axis=1) <= at_most(0.05)).all()
        assert set(rows.index.get_level_values("rate")) == {0.01, 0.05, 0.10}
    assert (of("above detractors")["like-detractors"] <= at_most(0.05)).all()
    assert (of("four times")[ALIKE].sum(axis=1) <= at_most(0.05)).all()


def test_the_silent_are_called_like_others_where_enough_left():
    """150 leavers a group and more; some 120 detractors."""
    alike = of("alike")["like-respondents"]
    assert min(alike[0.05, 3000], alike[0.10, 3000]) >= 0.8
    assert of("like detractors")["like-detractors"][0.10, 6000] >= 0.8


def test_worst_is_seldom_said_where_only_a_known_contract_does_it_and_mostly_where_silence_adds():
    for scenario in ("contract alone", "contract and score"):
        assert (of(scenario)["worst"] <= at_most(0.05)).all()
        assert (of(scenario)["worst-unadjusted"] >= 0.8).all()
    for scenario in ("contract and silence", silence_verdicts.COMPANY):
        assert (of(scenario)["worst"] >= 0.8).all()
        assert len(of(scenario))


@pytest.mark.parametrize("cell", [("margin above", 0.05, 1000), ("like detractors", 0.10, 3000)])
def test_fewer_data_sets_give_the_shares_of_verdicts(cell):
    runs = 200
    found, table = silence_verdicts.measure(*cell, runs=runs), of(cell[0]).loc[[cell[1:]]].iloc[0]
    for word in silence_verdicts.WORDS:
        spread = np.sqrt(max(table[word] * (1 - table[word]), 0.01) * (1 / runs + 1 / silence_verdicts.RUNS))
        assert abs(found[word] - table[word]) <= 3.3 * spread, word


def test_verdicts_from_risks_alone_are_those_of_the_landmarks():
    for scenario in ("alike", "like detractors", "four times"):
        for number in range(4):
            risks_alone = silence_verdicts.verdict(scenario, 0.05, 1500, np.random.default_rng([9, number]))
            drawn = silence_verdicts.draw(scenario, 0.05, 1500, np.random.default_rng([9, number]))
            landmarks = silence_verdicts.landmarks_of_drawn(scenario, drawn)
            assert verdict_of(landmarks, **silence_verdicts.RULE) == risks_alone


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
