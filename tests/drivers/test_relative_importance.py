"""Shares of R2: against R's relaimpo, rwa and domir, by brute force, and what always holds."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nps_research.drivers.linear import relative_importance
from nps_research.drivers.linear.relative_importance import METHODS, decompose_r_squared
from nps_research.errors import EstimationError
from nps_research.statistics.r_squared_shares import N_ORDERS, shares_of_r_squared

REFERENCE = Path(__file__).parents[1] / "reference"
KNOWN = json.loads((REFERENCE / "driver_importance.json").read_text(encoding="utf-8"))
RELAIMPO = ("lmg", "last", "first", "betasq", "pratt", "genizi", "car")


def reference(name):
    known, table = KNOWN[name], pd.read_csv(REFERENCE / f"{name}.csv")
    return known, table[known["X"]], table[known["y"]]


@pytest.mark.parametrize("name", ["attitude", "swiss"])
def test_shares_are_those_of_r(name):
    known, ratings, y = reference(name)
    found = decompose_r_squared(ratings, y, methods=METHODS, n_resamples=0)
    of_method = found.frame.set_index(["method", "term"])["estimate"]
    assert found.r_squared["y"] == pytest.approx(known["r2"], rel=1e-8)
    for method in RELAIMPO:
        expected = [known[method][term] for term in known["X"]]
        assert of_method[method].reindex(known["X"]).to_numpy() == pytest.approx(np.array(expected), rel=1e-8)
    johnson = {row["Variables"]: row for row in known["rwa"]["result"]}
    expected = [johnson[term]["Raw.RelWeight"] for term in known["X"]]
    assert of_method["johnson"].reindex(known["X"]).to_numpy() == pytest.approx(np.array(expected), rel=1e-8)
    expected = [known["domir"]["general"][term] for term in known["X"]]
    assert of_method["lmg"].reindex(known["X"]).to_numpy() == pytest.approx(np.array(expected), rel=1e-8)
    signs = found.frame[found.frame["method"] == "johnson"].set_index("term")["sign"]
    assert {term: "+" if signs[term] > 0 else "-" for term in known["X"]} == {
        term: johnson[term]["Sign"] for term in known["X"]
    }


def r_squared(x, y, weights):
    if not x.shape[1]:
        return 0.0
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(len(y)), x]) * root
    rest = y * root[:, 0] - design @ np.linalg.lstsq(design, y * root[:, 0], rcond=None)[0]
    centred = y - np.average(y, weights=weights)
    return 1 - (rest**2).sum() / (weights * centred**2).sum()


def test_dominance_is_the_gain_averaged_over_all_orders():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 4))
    y, weights = x[:, 0] - x[:, 2] + rng.normal(size=40), rng.uniform(0.5, 2, 40)
    expected = np.zeros(4)
    orders = list(permutations(range(4)))
    for order in orders:
        for place, term in enumerate(order):
            with_it, without = list(order[: place + 1]), list(order[:place])
            gain = r_squared(x[:, with_it], y, weights) - r_squared(x[:, without], y, weights)
            expected[term] += gain / len(orders)
    found = decompose_r_squared(pd.DataFrame(x), y, weights=weights, methods=["lmg", "last"], n_resamples=0).frame
    assert found["estimate"].to_numpy()[:4] == pytest.approx(expected, abs=1e-10)
    whole = r_squared(x, y, weights)
    last = [whole - r_squared(np.delete(x, term, axis=1), y, weights) for term in range(4)]
    assert found["estimate"].to_numpy()[4:] == pytest.approx(np.array(last), abs=1e-10)


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(0, 10_000))
def test_shares_add_up_to_r_squared_and_none_is_negative(p, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 6, (60, p)) + rng.integers(0, 3, (60, 1))
    y = x @ rng.normal(size=p) + rng.normal(size=60)
    found = decompose_r_squared(pd.DataFrame(x), y, methods=["lmg", "johnson", "genizi", "car", "pratt"], n_resamples=0)
    totals = found.frame.groupby("method")["estimate"].sum()
    assert totals.to_numpy() == pytest.approx(np.full(5, found.r_squared["y"]), abs=1e-9)
    assert (found.frame.loc[found.frame["method"] != "pratt", "estimate"] > -1e-12).all()


def test_two_drivers_that_are_the_same_share_alike():
    rng = np.random.default_rng(1)
    x = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    y = x["a"] + rng.normal(size=200)
    alone = decompose_r_squared(x, y, methods=["lmg", "johnson", "last"], n_resamples=0)
    twins = decompose_r_squared(x.assign(twin=x["a"]), y, methods=["lmg", "johnson", "last"], n_resamples=0)
    for method in ("lmg", "johnson"):
        shares = twins.frame[twins.frame["method"] == method].set_index("term")["estimate"]
        assert shares["a"] == pytest.approx(shares["twin"])
        assert shares.sum() == pytest.approx(alone.r_squared["y"])
    last = twins.frame[twins.frame["method"] == "last"].set_index("term")["estimate"]
    assert last[["a", "twin"]].tolist() == pytest.approx([0, 0], abs=1e-9)


def test_more_than_twenty_drivers_are_averaged_over_orders_and_say_so():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 22)) + rng.normal(size=(500, 1))
    y = x[:, 0] + x[:, 1] + rng.normal(size=500)
    found = decompose_r_squared(pd.DataFrame(x), y, methods=["lmg"], n_resamples=0)
    assert not found.exact
    assert f"averaged over {2 * N_ORDERS:,} orders" in found.note
    assert found.frame["estimate"].sum() == pytest.approx(found.r_squared["y"], abs=1e-6)
    twelve = np.corrcoef(np.column_stack([x[:, :12], y]), rowvar=False)[None]
    exact = shares_of_r_squared(twelve, ["lmg"])["lmg"][0]
    drawn = np.random.default_rng(2).permuted(np.tile(np.arange(12), (N_ORDERS, 1)), axis=1)
    rough = shares_of_r_squared(twelve, ["lmg"], orders=np.concatenate([drawn, drawn[:, ::-1]]))["lmg"][0]
    assert rough == pytest.approx(exact, abs=0.01)


def test_resamples_of_many_drivers_go_through_orders_and_say_so(monkeypatch):
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.normal(size=(300, 6)) + rng.normal(size=(300, 1)), columns=list("abcdef"))
    y = x @ [0, 1, 2, 0, 1, 3] + rng.normal(scale=3, size=300)
    exact = decompose_r_squared(x, y, methods=["lmg"], n_resamples=200)
    assert "orders" not in exact.note
    monkeypatch.setattr(relative_importance, "MOST_EXACT_RESAMPLED", 5)
    rough = decompose_r_squared(x, y, methods=["lmg"], n_resamples=200)
    assert rough.frame["estimate"].tolist() == exact.frame["estimate"].tolist()
    assert rough.frame["std_error"].tolist() != exact.frame["std_error"].tolist()
    assert rough.frame["std_error"].to_numpy() == pytest.approx(exact.frame["std_error"].to_numpy(), rel=0.1)
    assert f"averaged in the resamples over {2 * N_ORDERS:,} orders" in rough.note


def test_several_outcomes_and_signs():
    rng = np.random.default_rng(1)
    x = pd.DataFrame({"helps": rng.integers(1, 6, 400), "harms": rng.integers(1, 6, 400)})
    y = x["helps"] - x["harms"] + rng.normal(size=400)
    outcomes = pd.DataFrame({"promoter": (y > 1).astype(float), "detractor": (y < -1).astype(float)})
    found = decompose_r_squared(x, outcomes, n_resamples=50)
    signs = found.frame.groupby(["outcome", "method"])["sign"].agg(list)
    assert signs["promoter", "lmg"] == [1, -1]
    assert signs["detractor", "johnson"] == [-1, 1]
    assert (found.frame["conf_low"] < found.frame["estimate"]).all()
    assert found.frame["signed_estimate"].abs().to_numpy() == pytest.approx(found.frame["estimate"].to_numpy())
    assert set(found.r_squared) == {"promoter", "detractor"}


def test_limits_hold_the_share_as_often_as_they_say():
    rng = np.random.default_rng(3)
    spread = np.linalg.cholesky(0.65 * np.eye(3) + 0.35)
    worth = np.array([1.0, 0.7, 0.4])
    among = spread @ spread.T
    variance = worth @ among @ worth + 4
    true = np.block([[among, (among @ worth)[:, None] / np.sqrt(variance)], [among @ worth / np.sqrt(variance), 1.0]])
    truth = shares_of_r_squared(true[None], ["lmg"])["lmg"][0]
    held = np.zeros(3)
    for _ in range(150):
        x = rng.normal(size=(300, 3)) @ spread.T
        found = decompose_r_squared(
            pd.DataFrame(x), x @ worth + 2 * rng.normal(size=300), methods=["lmg"], n_resamples=100, rng=rng
        ).frame
        held += (found["conf_low"] <= truth) & (truth <= found["conf_high"])
    assert (held / 150 >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 150)).all()


def test_clusters_widen_the_limits_where_they_are_alike():
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(80, 2)))
    y = x[0] + rng.normal(size=80)
    five_times, cluster = pd.concat([x] * 5, ignore_index=True), np.tile(np.arange(80), 5)
    errors = [
        decompose_r_squared(five_times, np.tile(y, 5), methods=["lmg"], cluster=of, n_resamples=200).frame["std_error"]
        for of in (cluster, None)
    ]
    assert (errors[0] > 1.6 * errors[1]).all()


def test_missing_ratings_are_left_out_pair_by_pair():
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(4000, 3)) + rng.normal(size=(4000, 1)))
    y = x.sum(axis=1) + rng.normal(size=4000)
    whole = decompose_r_squared(x, y, n_resamples=0)
    gaps = decompose_r_squared(x.mask(rng.random(x.shape) < 0.3), y, n_resamples=0)
    assert gaps.pairwise
    assert "over those who gave both" in gaps.note
    assert gaps.frame["estimate"].to_numpy() == pytest.approx(whole.frame["estimate"].to_numpy(), abs=0.02)
    pairs = x.mask(rng.random(x.shape) < 0.3)
    expected = pd.concat([pairs, y.rename("y")], axis=1).corr().to_numpy()
    found = decompose_r_squared(pairs, y, methods=["first"], n_resamples=0).frame["estimate"]
    assert found.to_numpy() == pytest.approx(expected[:3, 3] ** 2, abs=1e-10)


@pytest.mark.parametrize(
    ("ratings", "y", "given", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2, 3, 4], "b": 3.0}), [1, 2, 3, 5], {}, "b: everybody gave the same rating"),
        (
            pd.DataFrame({"a": [1.0, 2, 3, 4], "b": np.nan}),
            [1, 2, 3, 5],
            {},
            "b: everybody gave the same rating, or nobody",
        ),
        (pd.DataFrame({"a": [1.0, 2, 3, 4]}), [2, 2, 2, 2], {}, "The outcome y is the same for all"),
        (pd.DataFrame(np.eye(4)), [1, 2, 3, 5], {}, "4 rows are too few for 4 drivers"),
        (pd.DataFrame({"a": [1.0, 2, 3, 4]}), [1, 2, 3], {}, "4 rows of ratings, 3 outcomes and 4 weights"),
        (pd.DataFrame({"a": [1.0, 2, 3, 4]}), [1, 2, 3, 5], {"methods": ["owen"]}, "There is no method 'owen'"),
        (
            pd.DataFrame({"a": [1.0, 2, 3, 4]}),
            [1, 2, 3, 5],
            {"weights": [1, 1, 1, -1]},
            "A weight is missing, negative",
        ),
        (pd.DataFrame({"a": [1.0, 2, 3, 4]}), [1, 2, 3, 5], {"cluster": [1, 2]}, "4 rows of ratings and 2 clusters"),
    ],
)
def test_what_cannot_be_divided_is_refused(ratings, y, given, message):
    with pytest.raises(EstimationError, match=message):
        decompose_r_squared(ratings, y, **given)


def test_the_result_reads_well():
    _, ratings, y = reference("attitude")
    found = decompose_r_squared(ratings, y, n_resamples=50)
    assert found.finding.startswith("A linear model tells 73% of the differences in y; by General dominance (LMG) most")
    assert "text/html" in found._repr_mimebundle_()
    assert "<td>General dominance (LMG)</td>" in found._repr_mimebundle_()["text/html"]


def test_weights_count_in_resamples_too():
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(2000, 2)))
    y = x[0] + rng.normal(size=2000)
    few = np.where(np.arange(2000) < 100, 1.0, 1e-6)
    errors = [
        decompose_r_squared(x, y, methods=["lmg"], weights=weights, n_resamples=200).frame["std_error"][0]
        for weights in (None, few)
    ]
    assert errors[1] > 3 * errors[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_resamples": 1}, "n_resamples = 1: 0, or 20 or more"),
        ({"methods": []}, "There is no method named"),
        ({"cluster": np.arange(60) % 3}, "3 clusters are too few"),
        ({"y": ["good"] * 60}, "Outcomes must be numbers"),
    ],
)
def test_settings_that_give_no_interval_are_refused(given, message):
    rng = np.random.default_rng(1)
    with pytest.raises(EstimationError, match=message):
        decompose_r_squared(pd.DataFrame(rng.normal(size=(60, 2))), **{"y": rng.normal(size=60), **given})
