"""Raked weights: equal to R's, to the definition done slowly, and what is refused.

``survey_rake*`` hold what R's survey package answers on its own data ``apiclus1``, a sample of Californian schools.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nps_research as nps
from nps_research.errors import EstimationError
from nps_research.score.raking import rake

REFERENCE = Path(__file__).parents[1] / "reference"
PEOPLE = pd.DataFrame(
    {"region": list("nnnnnsssww"), "new": list("ynynnynnyn"), "weight": [1.0, 2, 1, 1, 3, 1, 1, 0.5, 2, 2]},
    index=[f"p{row}" for row in range(10)],
)
TARGETS = {"region": {"n": 40, "s": 40, "w": 20}, "new": {"y": 30, "n": 70}}


# References


@pytest.fixture(scope="module")
def schools():
    answers = json.loads((REFERENCE / "survey_rake.json").read_text())["api_rake"]
    targets = {name: {row[name]: row["Freq"] for row in answers["targets"][name]} for name in ("stype", "sch.wide")}
    return pd.read_csv(REFERENCE / "survey_apiclus1.csv"), targets, answers


def test_weights_are_those_of_r(schools):
    frame, targets, answers = schools
    found = rake(frame, targets, base_weight="pw")
    expected = pd.read_csv(REFERENCE / "survey_rake_weights.csv")["w_rake"]
    assert found.weights.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-8)
    assert np.average(frame["api00"], weights=found.weights) == pytest.approx(answers["rake"]["mean"], rel=1e-8)
    assert found.weights.sum() == pytest.approx(6194)


def test_shares_of_the_same_margins_give_the_same_weights_of_another_sum(schools):
    frame, targets, _ = schools
    shares = {name: {key: n / 6194 for key, n in of.items()} for name, of in targets.items()}
    counted, shared = rake(frame, targets).weights, rake(frame, shares).weights
    assert shared.sum() == pytest.approx(len(frame))
    assert (shared / counted).to_numpy() == pytest.approx(np.full(len(frame), len(frame) / 6194), rel=1e-8)
    kept = rake(frame, shares, base_weight="pw").weights
    assert kept.sum() == pytest.approx(frame["pw"].sum())


# What raked weights are


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=30), st.integers(0, 99))
def test_margins_are_met_and_odds_ratios_kept(rows, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([*rows, *((a, x) for a in "abc" for x in "xy")], columns=["letter", "end"])
    frame["base"] = rng.uniform(0.5, 2, len(frame))
    targets = {"letter": dict(zip("abc", rng.dirichlet([5, 5, 5]), strict=True)), "end": {"x": 0.3, "y": 0.7}}
    found = rake(frame, targets, base_weight="base")
    for name, of_column in targets.items():
        sums = found.weights.groupby(frame[name]).sum() / found.weights.sum()
        assert sums.to_dict() == pytest.approx(of_column, rel=1e-9)
    # Every weight is the base weight times one factor for each of its categories.
    factor = np.log(found.weights / frame["base"]).groupby([frame["letter"], frame["end"]]).mean().unstack()
    assert np.ptp((factor["x"] - factor["y"]).to_numpy()) < 1e-8
    assert factor.stack().to_numpy() == pytest.approx(
        np.log(found.weights / frame["base"]).groupby([frame["letter"], frame["end"]]).max().to_numpy()
    )


def test_one_column_is_post_stratification():
    found = rake(PEOPLE, {"region": TARGETS["region"]}, base_weight="weight")
    sums = PEOPLE.groupby("region")["weight"].transform("sum")
    expected = PEOPLE["weight"] / sums * PEOPLE["region"].map(TARGETS["region"])
    pd.testing.assert_series_equal(found.weights, expected, check_names=False)
    assert found.n_rounds == 1


def test_the_table_says_what_was_known_and_what_the_weights_did():
    found = nps.score.rake(PEOPLE, TARGETS, base_weight="weight")
    rows = found.frame.set_index(["term", "group"])
    assert rows["n"].tolist() == [5, 3, 2, 4, 6]
    assert rows.loc[("region", "n"), "before"] == pytest.approx(8 / 14.5)
    assert rows["target"].tolist() == pytest.approx([0.4, 0.4, 0.2, 0.3, 0.7])
    assert rows["after"].to_numpy() == pytest.approx(rows["target"].to_numpy(), rel=1e-9)
    w = found.weights
    assert found.n_effective == pytest.approx(w.sum() ** 2 / (w @ w))
    assert found.weight_ratio == pytest.approx(w.max() / w.min())
    assert "Furthest off before was s (region): it weighed 17% where 40% is known" in found.finding
    assert f"tell as much as {found.n_effective:.0f} that weigh the same" in found.finding
    assert PEOPLE.columns.tolist() == ["region", "new", "weight"]


def test_weights_and_small_categories_are_not_shared():
    found = rake(PEOPLE, TARGETS, minimum_cell=3)
    said = json.dumps(found._repr_mimebundle_())
    assert "weights" not in found.to_json()["settings"]
    assert "p3" not in said
    assert not any(f"{weight:.6f}"[:7] in said for weight in found.weights)
    assert [row["group"] for row in found.records] == ["n", "y", "n"]  # w is small, and s would let it be worked out
    assert "Furthest off" not in rake(PEOPLE, TARGETS, minimum_cell=20).finding


# What is refused


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ({}, "10 and 0 arrived"),
        ({"regoin": {"n": 1}}, r"no column 'regoin': did you mean region\?"),
        ({"region": {"n": 5, "s": 5}}, r"region: 2 of 10 respondents are in a category without a target"),
        ({"region": {"n": 5, "s": 5, "w": 5, "e": 5}}, "region: nobody answered in e, which has a target"),
        ({"region": {"n": 5, "s": 5, "w": 0}}, "region: targets above 0 are needed, also for w"),
        ({"region": {"n": 5, "s": 5, "w": np.nan}}, "also for w"),
        ({"region": {}}, "region: targets above 0"),
        ({"region": {"n": 4, "s": 4, "w": 4}, "new": {"y": 6, "n": 7}}, "they sum to region 12 and new 13"),
        ({"region": {"n": 4, "s": 4, "w": 4}, "new": {"y": 0.5, "n": 0.5}}, "must sum alike"),
    ],
)
def test_impossible_targets_are_refused(targets, words):
    with pytest.raises(EstimationError, match=words):
        rake(PEOPLE, targets)


def test_gaps_and_wrong_base_weights_are_said_at_once():
    gaps = PEOPLE.assign(region=PEOPLE["region"].where(PEOPLE["region"] != "w"), weight=-1.0)
    with pytest.raises(EstimationError, match=r"region: 2 of 10 respondents have no value.*weight: base weights must"):
        rake(gaps, TARGETS, base_weight="weight")
    with pytest.raises(EstimationError, match="no column 'heft'"):
        rake(PEOPLE, TARGETS, base_weight="heft")
    with pytest.raises(EstimationError, match="base weights must be numbers"):
        rake(PEOPLE, TARGETS, base_weight="new")
    with pytest.raises(EstimationError, match="0 and 2 arrived"):
        rake(PEOPLE.head(0), TARGETS)


def test_margins_that_contradict_each_other_are_not_met():
    frame = pd.DataFrame({"a": ["x", "x", "y"], "b": ["1", "1", "2"]})  # x is 1, y is 2
    with pytest.raises(EstimationError, match=r"After 50 rounds a is still off .* contradict each other"):
        rake(frame, {"a": {"x": 0.5, "y": 0.5}, "b": {"1": 0.8, "2": 0.2}}, max_rounds=50)


def test_errors_do_not_repeat_what_stands_in_the_cells():
    ids = PEOPLE.assign(region=[f"person{row}@example.com" for row in range(10)])
    with pytest.raises(EstimationError) as caught:
        rake(ids, TARGETS)
    assert "person" not in str(caught.value)
    assert "10 of 10" in str(caught.value)


def test_sizes_of_hidden_categories_cannot_be_worked_out_from_the_weights():
    people = pd.DataFrame({"region": ["n"] * 17 + ["s"] * 3})
    targets = {"region": {"n": 50, "s": 50}}
    shown, hidden = (rake(people, targets, minimum_cell=least) for least in (2, 10))
    assert {"n_effective", "weight_ratio"} <= set(shown.to_json()["settings"])
    assert not {"n_effective", "weight_ratio"} & set(hidden.to_json()["settings"])
    assert "5.7 times" in shown.finding
    assert not any(number in hidden.finding for number in ("5.7", "20", "10"))
