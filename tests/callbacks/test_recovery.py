"""What becomes of detractors without a call: the reference's changes, and what regression to the mean foretells."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from nps_research.callbacks.recovery import expected_follow_up, recovery_without_calls
from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study
from tests.support.made_up_calls import called_study, called_tables

REFERENCE = Path(__file__).parents[1] / "reference"
NUMBERS = json.loads((REFERENCE / "closed_loop.json").read_text(encoding="utf-8"))


def study_of_reference():
    rows = pd.read_csv(REFERENCE / "closed_loop.csv", dtype={"id": str})
    waves = [
        pd.DataFrame({"respondent_id": rows["id"], "wave": wave, "responded_at": day, "likelihood_to_recommend": score})
        for wave, day, score in (("1", "2025-01-10", rows["baseline"]), ("2", "2025-04-10", rows["followup"]))
    ]
    cases = pd.DataFrame({"respondent_id": rows["id"], "wave": "1", "assigned": rows["callback"]})
    return Study.from_frames(responses=pd.concat(waves), tables={"callbacks": cases}), rows


def test_changes_are_those_of_the_reference():
    study, rows = study_of_reference()
    frame = recovery_without_calls(study).frame.set_index("called")
    example = NUMBERS["example"]
    assert frame["n"].sum() == example["n"] == len(rows)
    assert frame.loc[True, "change"] == pytest.approx(example["naive_paired_change_treated"], rel=1e-8)
    assert frame.loc[False, "change"] == pytest.approx(example["change_control"], rel=1e-8)
    assert frame.loc[True, "change"] - frame.loc[False, "change"] == pytest.approx(example["did"], rel=1e-8)
    of_called = rows[rows["callback"] == 1]
    assert ttest_rel(of_called["followup"], of_called["baseline"]).statistic == pytest.approx(example["naive_t"])


@pytest.mark.parametrize("case", NUMBERS["rtm_formula"])
def test_the_expected_follow_up_is_that_of_the_formula(case):
    found = expected_follow_up(case["expected_baseline_of_selected"], case["mean"], case["rho"])
    assert found == pytest.approx(case["expected_followup"], rel=1e-8)


def test_classes_add_up_and_are_counted_by_hand():
    tables = called_tables(900, gain=1.0)
    result = recovery_without_calls(called_study(tables))
    responses = tables["responses"].set_index(["respondent_id", "wave"])["likelihood_to_recommend"]
    first, then = (responses.xs(wave, level="wave") for wave in ("2025 Q1", "2025 Q2"))
    called = tables["callbacks"].set_index("respondent_id")["assigned"] == 1
    for group, arm in (("Called by a lottery", called), ("Held out by a lottery", ~called)):
        row = result.frame.set_index("group").loc[group]
        known = then[arm].dropna()
        assert row["n"] == len(known)
        assert row["promoter_share"] == pytest.approx((known >= 9).mean())
        assert row["detractor_share"] == pytest.approx((known <= 6).mean())
        assert row["change"] == pytest.approx(known.mean() - first[known.index].mean())
    shares = result.frame[["promoter_share", "passive_share", "detractor_share"]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert "Of the detractors nobody called" in result.finding
    assert "a quarter of those called become promoters, and a third passives" in result.note


def test_where_everybody_was_called_the_change_is_expected_from_the_others():
    rng = np.random.default_rng(2)
    n = 6000
    opinion = rng.normal(7.5, 1.5, n)
    first, second = (np.clip(np.rint(opinion + rng.normal(0, 1.5, n)), 0, 10) for _ in range(2))
    ids = np.array([f"K{at:05d}" for at in range(n)])
    waves = [
        pd.DataFrame({"respondent_id": ids, "wave": wave, "responded_at": day, "likelihood_to_recommend": score})
        for wave, day, score in (("1", "2025-01-10", first), ("2", "2025-04-10", second))
    ]
    low = first <= 6
    cases = pd.DataFrame({"respondent_id": ids[low], "wave": "1", "assignment": "all", "assigned": 1})
    result = recovery_without_calls(Study.from_frames(responses=pd.concat(waves), tables={"callbacks": cases}))
    truth = second[low].mean() - first[low].mean()  # calls do nothing here
    assert result.expected_change == pytest.approx(truth, abs=0.25)
    assert result.steadiness == pytest.approx(0.5, abs=0.08)
    assert "Without any call" in result.finding


def test_waves_before_any_call_tell_and_a_single_wave_does_not():
    tables = called_tables(400)
    tables["responses"] = tables["responses"].query("wave != '2025 Q2'")
    assert recovery_without_calls(called_study(tables)).frame["group"].tolist() == ["In waves before any call"]
    tables["responses"] = tables["responses"].query("wave == '2025 Q1'")
    with pytest.raises(CannotAnswerError, match="not known"):
        recovery_without_calls(called_study(tables))
