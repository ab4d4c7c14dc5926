"""What calibration/ says of where detractors end: the tables hold what was asked for, and the package still gives them.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import bands, demo_companies, threshold_gaps, thresholds
from nps_research.statistics.rate_ratios import rate_ratios
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.compare_thresholds import _lines_frame, compare_thresholds
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.verdict import MOVE_GAP, SHAPE_GAP
from nps_research.thresholds.risk_by_score import risk_by_score

LINES = pd.read_csv(thresholds.TABLE)
BANDS = pd.read_csv(bands.TABLE)
COMPANIES = pd.read_csv(demo_companies.TABLE)
GAPS = pd.read_csv(threshold_gaps.TABLE)


def at_most(share, runs):
    return share + 3.3 * np.sqrt(share * (1 - share) / runs)


def at_least(share, runs):
    return share - 3.3 * np.sqrt(share * (1 - share) / runs)


@pytest.mark.parametrize("study", [thresholds, threshold_gaps, bands, demo_companies])
def test_every_cell_stands_once_and_in_order(study):
    table = pd.read_csv(study.TABLE)
    assert table[list(study.CELLS[0])].to_dict("records") == study.CELLS
    if "runs" in table and study is not thresholds:
        assert (table["runs"] == study.RUNS).all()


def test_table_and_page_of_lines_are_written_from_the_rows():
    table = thresholds.summary(pd.read_csv(thresholds.RUNS))
    pd.testing.assert_frame_equal(table, LINES, check_dtype=False)
    assert thresholds.PAGE.read_text(encoding="utf-8") == thresholds.page(LINES)
    assert LINES["runs"].min() >= thresholds.BLOCK


def test_no_design_that_certifies_chose_a_constant():
    chosen = threshold_gaps.SHAPE
    assert all(np.abs(shape - chosen).max() > 0.02 for shape in thresholds.SHAPES.values())
    certified = {(cell["scores"], cell["risk"]) for cell in thresholds.CELLS}
    assert {risk for _, risk in certified} == {0.005, 0.01, 0.02, 0.04}
    assert all(risk.max() > 0.05 for risk in threshold_gaps.TRUTHS.values())


def test_the_gaps_are_those_the_rule_chooses():
    assert threshold_gaps.chosen(GAPS) == (MOVE_GAP, SHAPE_GAP)


@pytest.mark.parametrize("error", [error for error, limit in thresholds.LIMITS.items() if limit])
def test_no_cell_errs_more_often_than_it_may(error):
    truths, share = thresholds.ERRORS[error]
    cells = LINES[LINES["truth"].isin(truths)]
    assert (share(cells) <= at_most(thresholds.LIMITS[error], cells["runs"])).all()


def test_a_baseline_a_wave_keeps_the_power_where_waves_do_not_differ():
    alike = LINES[LINES["layout"] == "waves alike"].set_index("truth")
    assert set(alike.index) == set(thresholds.RIGHT)
    for truth, row in alike.iterrows():
        assert row[thresholds.RIGHT[truth]] >= 0.8 * row["as_one_wave"], truth


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


FAST = [("one wave", "low", 0.005, "none", 200), ("one wave", "high", 0.02, "0-3", 600),
        ("waves apart", "fives", 0.01, "0-6", 600), ("accounts", "fives", 0.04, "seen 6", 600)]  # fmt: skip


@pytest.mark.parametrize("cell", FAST, ids=str)
def test_fewer_data_sets_give_what_the_table_has(cell):
    names, runs = list(thresholds.CELLS[0]), 40
    (row,) = LINES[(LINES[names] == pd.Series(dict(zip(names, cell, strict=True)))).all(axis=1)].to_dict("records")
    found = thresholds.measure(*cell, block=0, runs=runs)
    for name in (*thresholds.VERDICTS, "found", "held"):
        spread = np.sqrt(max(row[name] * (1 - row[name]), 0.01) * (1 / runs + 1 / row["runs"]))
        assert abs(found[name] / runs - row[name]) <= 3.3 * spread, name


def test_the_verdicts_counted_are_those_of_the_function_that_users_call():
    rng = np.random.default_rng(21)
    for cell in [*FAST, ("one wave", "low", 0.04, "straight", 600)]:
        outcome = thresholds.made_up_outcome(*cell, rng=np.random.default_rng(3))
        seen = threshold_gaps.evidence(Sample.in_strata(outcome), n_resamples=1000, rng=rng)
        compared = compare_thresholds(outcome, n_resamples=1000, rng=rng)
        assert compared.verdict == seen.verdict(MOVE_GAP, SHAPE_GAP), cell
        assert compared.best_cut == seen.lines.best


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
