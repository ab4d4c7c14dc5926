"""The tables of how often problems are told rightly."""

import numpy as np
import pandas as pd
import pytest

from calibration import coding_accuracy, comment_shares, complaints, fix_effect, pain_map, patient_comments


def error(rate, n):
    return 3.3 * np.sqrt(rate * (1 - rate) / n)


@pytest.mark.parametrize(
    "module", [pain_map, complaints, fix_effect, comment_shares, coding_accuracy, patient_comments]
)
def test_every_cell_stands_once_and_in_order(module):
    table = pd.read_csv(module.TABLE)
    assert table[list(module.CELLS[0])].to_dict("records") == [dict(cell) for cell in module.CELLS]


def test_the_pain_map_holds_totals_points_and_places_and_shows_nothing_idle():
    table = pd.read_csv(pain_map.TABLE)
    alone = table[~table["worse_together"]]
    for name in ("totals_held", "rarest_held", "points_held", "all_places_held"):
        assert (alone[name] >= 0.95 - error(0.95, pain_map.RUNS)).all(), name
    assert (alone["idle_shown"] <= 0.05 + error(0.05, pain_map.RUNS)).all()
    assert (alone["together_shown"] <= 0.05 + error(0.05, pain_map.RUNS)).all()
    assert (alone.loc[alone["n"] == 2000, "worst_shown"] >= 0.9).all()
    assert table.loc[table["worse_together"], "together_shown"].item() >= 0.6


@pytest.mark.parametrize(
    "passives",
    [
        0.3,
        pytest.param(
            0.0,
            marks=pytest.mark.xfail(
                reason="76.7%: where nobody is passive answers are as unlike as they can be",
                strict=True,
                raises=AssertionError,
            ),
        ),
    ],
)
def test_the_planted_first_is_within_the_first_three_in_80_of_100(passives):
    table = pd.read_csv(pain_map.TABLE).set_index(["n", "passives", "worse_together"])["first_within_3"]
    assert table[2000, passives, False] >= 0.8 - error(0.8, pain_map.RUNS)


def test_complaints_are_covered_and_nothing_else_is_hidden():
    table = pd.read_csv(complaints.TABLE).set_index("kind")
    for name in complaints.NAMES:
        assert (table[f"{name}_held"] >= 0.95 - error(0.95, complaints.RUNS)).all()
    assert (table["other_hidden"] <= 0.05 + error(0.05, complaints.RUNS)).all()
    assert table.loc["alike", "big_hidden"] <= 0.05 + error(0.05, complaints.RUNS)
    for name in ("big_hidden", "big_first_by_survey", "big_last_by_complaints"):
        assert table.loc["hidden", name] >= 0.9
    assert table.loc["hidden", "loud_naive"] > table.loc["hidden", "loud_rate"] + 0.05


def test_no_fix_is_praised_for_a_fall_from_a_peak_and_a_real_one_is_found():
    table = pd.read_csv(fix_effect.TABLE)
    idle, real = table[~table["halved"]], table[table["halved"]].set_index(["others", "drift"])["fell"]
    assert (idle["fell"] <= 0.05 + error(0.05, fix_effect.RUNS)).all()
    assert real["problems", 0.0] >= 0.8 - error(0.8, fix_effect.RUNS)
    assert real["problems", 0.1] >= 0.8 - error(0.8, fix_effect.RUNS)
    assert (table["held"] >= 0.9).all()  # the peak left out errs against the fix, where no wave is one


@pytest.mark.xfail(
    reason="70%: ten branches of 300 answers see less than ten problems in 1,000", strict=True, raises=AssertionError
)
def test_a_real_fix_in_one_branch_is_found_in_80_of_100():
    table = pd.read_csv(fix_effect.TABLE)
    found = table[table["halved"] & (table["others"] == "branches")]["fell"].item()
    assert found >= 0.8 - error(0.8, fix_effect.RUNS)


def test_shares_of_comments_are_covered():
    table = pd.read_csv(comment_shares.TABLE)
    for _, rows in table.groupby("enriched"):
        n = rows[["codes_powered", "codes_by_hand"]].sum()
        held = rows[["powered_held", "by_hand_held"]].sum()
        assert held["powered_held"] / n["codes_powered"] >= 0.95 - error(0.95, n["codes_powered"])


def test_shares_of_real_comments_are_covered_and_never_wider_than_by_hand():
    table = patient_comments.by_code(pd.read_csv(patient_comments.TABLE))
    assert len(table) == 9
    slack = error(0.95, patient_comments.RUNS)
    assert (table["held"] >= 0.93).all()
    assert (table["held"] <= 0.97 + slack).all()
    assert (table["width"] <= 1.02).all()
    assert (table["machine_held"] < 0.2).all()  # counting the machine's own codes


def test_by_meaning_the_machine_finds_more_in_every_language_and_never_most():
    table = pd.read_csv(coding_accuracy.TABLE).set_index(["read_by", "language"])
    letters, meaning = table.loc["letters"], table.loc["meaning"]
    assert (meaning["recall"] > 2 * letters["recall"]).all()
    assert (meaning["same"] > letters["same"]).all()
    assert (meaning["same"] > meaning["none"]).all()
    assert (meaning["recall"] < 0.5).all()  # so hand codes count, and the machine only helps
