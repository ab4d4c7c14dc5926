"""What calibration/ says of where detractors end: the tables hold what was asked for, and the package still gives them.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import bands, demo_companies, thresholds
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.risk_by_score import risk_by_score

LINES = pd.read_csv(thresholds.TABLE)
BANDS = pd.read_csv(bands.TABLE)
COMPANIES = pd.read_csv(demo_companies.TABLE)
NO_MOVE = ["0-6", "steep groups", "mild groups", "straight", "none"]


def cells(design, truth):
    """Rows of one design and truth, by the number of answers."""
    return LINES[(LINES["design"] == design) & (LINES["truth"] == truth)].set_index("n")


def at_most(share, runs):
    return share + 3.3 * np.sqrt(share * (1 - share) / runs)


def at_least(share, runs):
    return share - 3.3 * np.sqrt(share * (1 - share) / runs)


@pytest.mark.parametrize("study", [thresholds, bands, demo_companies])
def test_every_cell_stands_once_and_in_order(study):
    table = pd.read_csv(study.TABLE)
    assert table[list(study.CELLS[0])].to_dict("records") == study.CELLS
    if "runs" in table:
        assert (table["runs"] == study.RUNS).all()


def test_the_page_is_written_from_the_table():
    assert thresholds.PAGE.read_text(encoding="utf-8") == thresholds.page(pd.read_csv(thresholds.TABLE))


def test_a_line_at_3_is_found_and_held():
    found = cells("independent", "0-3")
    assert found["move"][5000] >= 0.85
    assert (found["held"] >= at_least(0.95, thresholds.RUNS)).all()


@pytest.mark.parametrize("design", ["independent", "accounts"])
@pytest.mark.parametrize("truth", NO_MOVE)
def test_the_line_is_not_moved_where_it_should_stand(design, truth):
    assert (cells(design, truth)["move"] <= at_most(0.05, thresholds.RUNS)).all()


@pytest.mark.parametrize(("truth", "word"), [("0-6", "keep"), ("straight", "gradual"), ("none", "flat")])
def test_the_right_word_is_earned(truth, word):
    assert cells("independent", truth)[word][5000] >= 0.8


@pytest.mark.parametrize("truth", ["0-3", "0-6", "none"])
def test_sets_of_accounts_that_share_their_outcome_hold_the_line(truth):
    assert (cells("accounts", truth)["held"] >= at_least(0.95, thresholds.RUNS)).all()


def test_bands_that_differ_by_the_margin_are_seldom_called_equivalent_and_equal_ones_mostly():
    apart = BANDS[BANDS["truth"] == "margin apart"]
    assert (apart["equivalent"] <= at_most(0.05, bands.RUNS)).all()
    alike = BANDS[(BANDS["truth"] == "alike") & (BANDS["band_rate"] == 0.05) & (BANDS["n"] >= 1000)]
    assert (alike["equivalent"] >= 0.9).all()


def test_the_planted_line_is_found_in_companies_like_the_made_up_one():
    assert len(COMPANIES) == 20
    assert (COMPANIES["best_cut"] == demo_companies.PLANTED).sum() >= 17
    assert COMPANIES["held"].sum() >= 17
    assert (COMPANIES["verdict"] == "move").sum() >= 17


# The fast version: the package as it is now, against the table


def test_a_company_comes_out_as_the_table_has_it():
    row = COMPANIES.iloc[0]
    assert demo_companies.measure(int(row["seed"])) == row.drop("seed").to_dict()


FAST = [("independent", "0-3", 5000), ("independent", "straight", 5000), ("independent", "none", 500),
        ("independent", "0-6", 1000), ("accounts", "none", 500), ("accounts", "0-6", 5000)]  # fmt: skip


@pytest.mark.parametrize(("design", "truth", "n"), FAST)
def test_fewer_data_sets_give_what_the_table_has(design, truth, n):
    runs = 60
    found, table = thresholds.measure(design, truth, n, runs=runs), cells(design, truth).loc[n]
    for name in (*thresholds.VERDICTS, "held"):
        if not np.isnan(table[name]):
            spread = np.sqrt(max(table[name] * (1 - table[name]), 0.01) * (1 / runs + 1 / thresholds.RUNS))
            assert abs(found[name] - table[name]) <= 3.3 * spread, name


@pytest.mark.parametrize("cell", [bands.CELLS[0], bands.CELLS[-4]], ids=str)
def test_fewer_data_sets_give_the_shares_of_bands(cell):
    (row,) = BANDS[(BANDS[list(cell)] == pd.Series(cell)).all(axis=1)].to_dict("records")
    runs = 150
    found = bands.measure(**cell, runs=runs)
    for name in ("equivalent", "worse", "better"):
        spread = np.sqrt(max(row[name] * (1 - row[name]), 0.01) * (1 / runs + 1 / bands.RUNS))
        assert abs(found[name] - row[name]) <= 3.3 * spread


# Limits where contacts of an account share their outcome


def test_limits_of_bands_and_rates_hold_the_truth_in_clusters():
    rng = np.random.default_rng(12)
    runs, in_bands, in_rates = 400, 0, 0
    for _ in range(runs):
        outcome = bands.made_up_outcome("accounts", 0.12, 0.08, 1500, rng)
        band = compare_bands(outcome).frame.iloc[0]
        in_bands += band["conf_low"] <= 0.04 <= band["conf_high"]
        rate = risk_by_score(outcome).frame.iloc[8]
        in_rates += rate["conf_low"] <= 0.12 <= rate["conf_high"]
    assert abs(in_bands / runs - 0.90) <= 3.3 * np.sqrt(0.90 * 0.10 / runs)
    assert abs(in_rates / runs - 0.95) <= 3.3 * np.sqrt(0.95 * 0.05 / runs)


def test_limits_of_ratios_hold_the_truth_in_clusters():
    rng = np.random.default_rng(13)
    runs, held = 150, 0
    for _ in range(runs):
        outcome = bands.made_up_outcome("accounts", 0.12, 0.08, 1500, rng)
        row = compare_thresholds(outcome, n_resamples=100, rng=rng).frame.iloc[8]
        held += row["conf_low"] <= 0.12 / 0.08 <= row["conf_high"]
    assert abs(held / runs - 0.95) <= 3.3 * np.sqrt(0.95 * 0.05 / runs)
