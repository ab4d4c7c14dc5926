"""What calibration/ says of where detractors end: the tables hold what was asked for, and the package still gives them.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import bands, demo_companies, thresholds
from nps_research.statistics.rate_ratios import rate_ratios
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.compare_thresholds import _lines_frame
from nps_research.thresholds.evidence.resampling import Sample
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


def test_as_loyal_is_seldom_said_of_bands_that_differ_by_the_margin():
    above = BANDS[BANDS["truth"] == "margin above"]
    assert (above["below_margin"] <= at_most(0.05, bands.RUNS)).all()
    apart = BANDS[BANDS["truth"] != "equal"]
    assert (apart["equivalent"] <= at_most(0.05, bands.RUNS)).all()
    assert set(above["reference_rate"]) >= {0.005, 0.10}


def test_as_loyal_is_said_of_equal_bands_with_75_bad_outcomes_each_and_alike_with_104():
    equal = BANDS[(BANDS["truth"] == "equal") & BANDS["design"].isin(["independent", "accounts"])]
    assert (equal["below_margin"][equal["events"] >= 75] >= at_least(0.8, bands.RUNS)).all()
    assert (equal["equivalent"][equal["events"] >= 104] >= 0.75).all()
    assert (equal["equivalent"][equal["events"] >= 150] >= 0.8).all()


def test_equal_bands_are_seldom_called_less_loyal():
    equal = BANDS[(BANDS["truth"] == "equal") & (BANDS["design"] != "stores")]  # few clusters: up to 7%
    assert (equal["worse"] + equal["worse-within-margin"] <= at_most(0.05, bands.RUNS)).all()


def test_the_planted_line_is_found_in_companies_like_the_made_up_one():
    assert len(COMPANIES) == 20
    assert (COMPANIES["best_cut"] == demo_companies.PLANTED).sum() >= 17
    assert COMPANIES["held"].sum() >= 17
    assert (COMPANIES["verdict"] == "move").sum() >= 17


# The fast version: the package as it is now, against the table


def test_a_company_comes_out_as_the_table_has_it():
    row = COMPANIES.iloc[0]
    assert demo_companies.measure(int(row["seed"])) == row.drop("seed").to_dict()


# of each word that is earned a cell, and of each design; the committed table has 500 data sets of every cell
FAST = [("independent", "0-3", 5000), ("independent", "straight", 5000),
        ("accounts", "none", 500), ("accounts", "0-6", 5000)]  # fmt: skip


@pytest.mark.parametrize(("design", "truth", "n"), FAST)
def test_fewer_data_sets_give_what_the_table_has(design, truth, n):
    runs = 60
    found, table = thresholds.measure(design, truth, n, runs=runs), cells(design, truth).loc[n]
    for name in (*thresholds.VERDICTS, "held"):
        if not np.isnan(table[name]):
            spread = np.sqrt(max(table[name] * (1 - table[name]), 0.01) * (1 / runs + 1 / thresholds.RUNS))
            assert abs(found[name] - table[name]) <= 3.3 * spread, name


FAST_BANDS = [
    {"design": "independent", "truth": "equal", "reference_rate": 0.1, "events": 75},
    {"design": "accounts", "truth": "margin above", "reference_rate": 0.1, "events": 75},
    {"design": "stores", "truth": "margin below", "reference_rate": 0.1, "events": 150},
]


@pytest.mark.parametrize("cell", FAST_BANDS, ids=str)
def test_fewer_data_sets_give_the_shares_of_bands(cell):
    (row,) = BANDS[(BANDS[list(cell)] == pd.Series(cell)).all(axis=1)].to_dict("records")
    runs = 200
    found = bands.measure(**cell, runs=runs)
    for name in (*bands.WORDS, "below_margin"):
        spread = np.sqrt(max(row[name] * (1 - row[name]), 0.01) * (1 / runs + 1 / bands.RUNS))
        assert abs(found[name] - row[name]) <= 3.3 * spread, name


def test_the_words_counted_are_those_of_the_function_that_users_call():
    rng = np.random.default_rng(14)
    drawn = [
        bands.made_up_outcome(design, ratio, 0.05, 75, rng)
        for design in ("independent", "accounts", "stores")
        for ratio in (0.67, 0.9, 1.2, 1.5)
        for _ in range(3)
    ]
    counts = bands.BandCounts.stacked([bands.counts_of(outcome) for outcome in drawn])
    ratios = rate_ratios(*counts.of_ratio, margin=1.5, alpha=0.05, degrees=counts.degrees)
    found = [compare_bands(outcome, band=(8, 8)) for outcome in drawn]
    assert [each.verdict for each in found] == bands.band_verdicts(counts, ratios, alpha=0.05).tolist()
    assert [each.frame["p_value"].iloc[0] for each in found] == pytest.approx(ratios.p_not_worse)
    assert len({each.verdict for each in found}) >= 4


# Limits where contacts of an account share their outcome


def test_limits_of_bands_rates_and_ratios_hold_the_truth_in_clusters():
    rng = np.random.default_rng(12)
    runs, in_bands, in_ratios, in_rates, in_lines = 400, 0, 0, 0, 0
    for _ in range(runs):
        outcome = bands.made_up_outcome("accounts", 1.5, 0.08, 60, rng)
        band = compare_bands(outcome, band=(8, 8)).frame.iloc[0]
        in_bands += band["conf_low"] <= 0.04 <= band["conf_high"]
        in_ratios += band["ratio_conf_low"] <= 1.5 <= band["ratio_conf_high"]
        rate = risk_by_score(outcome).frame.iloc[8]
        in_rates += rate["conf_low"] <= 0.12 <= rate["conf_high"]
        line = _lines_frame(outcome, Sample.of_group(outcome), 0.95).iloc[8]
        in_lines += line["conf_low"] <= 0.12 / 0.08 <= line["conf_high"]
    for held in (in_bands, in_ratios):
        assert abs(held / runs - 0.90) <= 3.3 * np.sqrt(0.90 * 0.10 / runs)
    for held in (in_rates, in_lines):
        assert abs(held / runs - 0.95) <= 3.3 * np.sqrt(0.95 * 0.05 / runs)
