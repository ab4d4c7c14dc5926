"""The tables of how often problems are told rightly."""

import numpy as np
import pandas as pd
import pytest

from calibration import comment_shares, complaints, fix_effect, pain_map


def error(rate, n):
    return 3.3 * np.sqrt(rate * (1 - rate) / n)


@pytest.mark.parametrize("module", [pain_map, complaints, fix_effect, comment_shares])
def test_every_cell_stands_once_and_in_order(module):
    table = pd.read_csv(module.TABLE)
    assert table[list(module.CELLS[0])].to_dict("records") == [dict(cell) for cell in module.CELLS]


def test_the_pain_map_holds_totals_points_and_places_and_shows_nothing_idle():
    table = pd.read_csv(pain_map.TABLE)
    alone = table[~table["worse_together"]]
    for _, rows in alone.groupby(["n", "alike"]):
        n = len(rows)
        assert rows["totals_held"].mean() >= 0.95 - error(0.95, n)
        assert rows["rarest_held"].mean() >= 0.95 - error(0.95, n)
        assert rows["points_held"].mean() >= 0.95 - error(0.95, n)
        assert rows["all_places_held"].mean() >= 0.95 - error(0.95, n)
        assert rows["idle_shown"].mean() <= 0.05 + error(0.05, n)
        assert (rows["together_p_value"] < 0.05).mean() <= 0.05 + error(0.05, n)
    assert alone.loc[alone["n"] == 1600, "worst_shown"].mean() >= 0.9


def test_complaints_are_covered_and_nothing_else_is_hidden():
    table = pd.read_csv(complaints.TABLE)
    for _, rows in table.groupby(["kind", "times"]):
        for name in complaints.NAMES:
            assert rows[f"{name}_held"].mean() >= 0.95 - error(0.95, len(rows))
        assert rows["other_hidden"].mean() <= 0.05 + error(0.05, len(rows))
    hidden = table.groupby("kind")["big_hidden"].mean()
    assert hidden["hidden"] >= 0.9
    assert hidden["alike"] <= 0.05


def test_no_fix_is_praised_for_a_fall_from_a_peak():
    table = pd.read_csv(fix_effect.TABLE)
    fell = table.assign(fell=table["verdict"] == "fell beyond the others")
    for (_, _, halved), rows in fell.groupby(["drift", "keeps", "halved"]):
        if not halved:
            assert rows["fell"].mean() <= 0.05 + error(0.05, len(rows))
    still = fell[fell["halved"] & (fell["drift"] == 0)]
    assert still["fell"].mean() >= 0.8


def test_shares_of_comments_are_covered():
    table = pd.read_csv(comment_shares.TABLE)
    for _, rows in table.groupby("enriched"):
        n = rows[["codes_powered", "codes_by_hand"]].sum()
        held = rows[["powered_held", "by_hand_held"]].sum()
        assert held["powered_held"] / n["codes_powered"] >= 0.95 - error(0.95, n["codes_powered"])
        assert held["by_hand_held"] / n["codes_by_hand"] >= 0.95 - error(0.95, n["codes_by_hand"])
        assert rows["width_of_hand_alone"].mean() < 1
