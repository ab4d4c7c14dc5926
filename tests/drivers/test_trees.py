"""Boosted trees as tables, and exact Shapley values of tables: against brute force, the reference tree, and shap."""

import json
import warnings
from itertools import combinations, permutations
from math import factorial
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nps_research.drivers.fitting.trees import (
    Background,
    Coding,
    boost,
    boost_folds,
    shapley_of_tables,
    tables_of,
    trees_of,
)
from tests.support.made_up_ratings import made_up_ratings

REFERENCE = Path(__file__).parents[1] / "reference"
LEVELS = np.arange(1.0, 6)


def table_values(tables, coding):
    """What the tables add up to for each row."""
    return sum(table.ravel()[coding.cells(terms)] for terms, table in tables.items())


def contributions(tables, coding, background):
    """Shapley values of all rows, and the mean, from tables."""
    values, mean = np.zeros(coding.codes.shape), 0.0
    for terms, table in tables.items():
        base, of_terms = shapley_of_tables(table[None], background.shares(terms)[None])
        mean += base[0]
        for term, value in zip(terms, of_terms, strict=True):
            values[:, term] += value.ravel()[coding.cells(terms)]
    return mean, values


@pytest.fixture(scope="module")
def boosted():
    ratings, answer, *_ = made_up_ratings(900)
    x = ratings.to_numpy()
    booster = boost(x, 100.0 * (answer >= 9), np.linspace(0.5, 1.5, len(x)))
    coding = Coding.of(x, [LEVELS] * x.shape[1])
    return x, booster, coding, tables_of(trees_of(booster), coding)


def test_tables_give_what_the_trees_give(boosted):
    x, booster, coding, tables = boosted
    assert np.isnan(x).any()
    assert len({len(terms) for terms in tables}) > 1
    assert table_values(tables, coding) == pytest.approx(booster.predict(x), abs=1e-9)


def test_missing_ratings_that_training_never_saw_go_where_lightgbm_sends_them(boosted):
    x, *_ = boosted
    known = x[np.isfinite(x).all(axis=1)]
    booster = boost(known, 10.0 * known[:, 0] - known[:, 1] ** 2, np.ones(len(known)))
    coding = Coding.of(x, [LEVELS] * x.shape[1])
    assert table_values(tables_of(trees_of(booster), coding), coding) == pytest.approx(booster.predict(x), abs=1e-9)


def test_a_rating_twice_is_a_rating_of_weight_two():
    ratings, answer, *_ = made_up_ratings(400)
    x, y = ratings.to_numpy(), 100.0 * (answer >= 9)
    times = np.random.default_rng(2).integers(0, 3, len(x))
    once = boost(x[times > 0], y[times > 0], times[times > 0].astype(float))
    copies = boost(np.repeat(x, times, axis=0), np.repeat(y, times), np.ones(times.sum()))
    assert once.predict(x) == pytest.approx(copies.predict(x), abs=1e-6)


@pytest.mark.parametrize("n", [150, 900])
@pytest.mark.parametrize("rare", [np.nan, 3.0, 4.0])
def test_folds_left_out_have_the_trees_of_their_training_rows(n, rare):
    """To the last digit; also where a fold holds all there is of a level, without which bins lie elsewhere."""
    ratings, answer, *_ = made_up_ratings(n)
    x, fold = ratings.to_numpy(copy=True), np.random.default_rng(3).permutation(n) % 5
    x[np.isnan(x[:, 0]) | (x[:, 0] == rare), 0] = 2.0
    x[np.flatnonzero(fold == 1)[:2], 0] = rare
    y = np.stack([100.0 * (answer >= 9), -100.0 * (answer <= 6)])
    weights = np.linspace(0.5, 1.5, n)
    seen = np.zeros(n)
    for left_out, boosters in boost_folds(x, y, weights, fold, coding=Coding.of(x, [LEVELS] * x.shape[1])):
        seen += left_out
        for booster, outcome in zip(boosters, y, strict=True):
            alone = boost(x[~left_out], outcome[~left_out], weights[~left_out])
            assert booster.model_to_string() == alone.model_to_string()
    assert (seen == 1).all()


def test_an_answer_that_is_the_same_for_all_is_a_table_without_ratings():
    x = made_up_ratings(200)[0].to_numpy()
    coding = Coding.of(x, [LEVELS] * x.shape[1])
    tables = tables_of(trees_of(boost(x, np.full(len(x), 7.0), np.ones(len(x)))), coding)
    assert set(tables) <= {()}
    assert table_values(tables, coding) == pytest.approx(np.full(len(x), 7.0))


def brute_force(table, shares):
    """Shapley values of every cell, by all orders of the ratings."""
    found = [np.zeros_like(table) for _ in range(table.ndim)]
    for cell in np.ndindex(table.shape):
        worth = {}
        for size in range(table.ndim + 1):
            for inside in combinations(range(table.ndim), size):
                worth[inside] = sum(
                    shares[other] * table[tuple(cell[k] if k in inside else other[k] for k in range(table.ndim))]
                    for other in np.ndindex(table.shape)
                )
        for order in permutations(range(table.ndim)):
            for place, term in enumerate(order):
                before = tuple(sorted(order[:place]))
                gain = worth[tuple(sorted((*before, term)))] - worth[before]
                found[term][cell] += gain / factorial(table.ndim)
    return found


@settings(max_examples=25)
@given(st.data())
def test_shapley_values_of_a_table_are_those_of_all_orders(data):
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(lambda cells: (2, *cells)))
    tables = data.draw(arrays(float, shape, elements=st.floats(-50, 50)))
    counts = data.draw(arrays(float, shape, elements=st.integers(0, 5)))
    counts.reshape(2, -1)[:, 0] += 1
    shares = np.stack([each / each.sum() for each in counts])
    means, values = shapley_of_tables(tables, shares)
    for place, (table, share) in enumerate(zip(tables, shares, strict=True)):
        assert means[place] == pytest.approx((table * share).sum(), abs=1e-9)
        assert means[place] + sum(value[place] for value in values) == pytest.approx(table, abs=1e-9)
        for found, expected in zip(values, brute_force(table, share), strict=True):
            assert found[place] == pytest.approx(expected, abs=1e-9)


@pytest.fixture(scope="module")
def reference():
    """The reference tree, the survey it is for, and what brute force gave."""
    known = json.loads((REFERENCE / "shap_tree.json").read_text(encoding="utf-8"))
    survey = pd.read_csv(REFERENCE / "nps_drivers_survey.csv")[known["features"]].to_numpy(dtype=float)
    return known, survey


def as_booster(tree, n_features):
    """A tree of scikit-learn's kind as LightGBM reads one."""
    tree = {name: np.array(values) for name, values in tree.items()}
    inner, leaves = np.flatnonzero(tree["children_left"] >= 0), np.flatnonzero(tree["children_left"] < 0)
    place = np.empty(len(tree["n"]), dtype=int)
    place[inner], place[leaves] = np.arange(len(inner)), -1 - np.arange(len(leaves))

    def row(name, values):
        return f"{name}=" + " ".join(f"{value:.17g}" for value in values)

    block = [
        "Tree=0",
        f"num_leaves={len(leaves)}",
        "num_cat=0",
        row("split_feature", tree["feature"][inner]),
        row("split_gain", np.ones(len(inner))),
        row("threshold", tree["threshold"][inner]),
        row("decision_type", np.full(len(inner), 2)),
        row("left_child", place[tree["children_left"][inner]]),
        row("right_child", place[tree["children_right"][inner]]),
        row("leaf_value", tree["value"][leaves]),
        row("leaf_weight", tree["n"][leaves]),
        row("leaf_count", tree["n"][leaves]),
        row("internal_value", tree["value"][inner]),
        row("internal_weight", tree["n"][inner]),
        row("internal_count", tree["n"][inner]),
        "is_linear=0",
        "shrinkage=1",
        "",
        "",
    ]
    text = "\n".join(block)
    names = " ".join(f"x{place}" for place in range(n_features))
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
        "objective=regression",
        f"feature_names={names}",
        "feature_infos=" + " ".join(["[1:5]"] * n_features),
        f"tree_sizes={len(text) + 1}",
        "",
        "",
    ]
    return lightgbm.Booster(model_str="\n".join(head) + text + "\nend of trees\n")


def test_the_reference_tree_is_explained_as_brute_force_explains_it(reference):
    known, survey = reference
    coding = Coding.of(survey, [LEVELS] * survey.shape[1])
    first_50 = Coding(levels=coding.levels, codes=coding.codes[:50])
    tables = tables_of(trees_of(as_booster(known["tree"], survey.shape[1])), coding)
    assert max(len(terms) for terms in tables) >= 3
    mean, values = contributions(tables, coding, Background(first_50, np.ones(50)))
    expected = known["interventional"]
    assert mean == pytest.approx(expected["base"], abs=1e-9)
    assert values[known["rows"]] == pytest.approx(np.array(expected["bruteforce"]), abs=1e-9)


def test_path_dependent_values_of_the_reference_tree_are_those_of_brute_force(reference):
    known, survey = reference
    booster = as_booster(known["tree"], survey.shape[1])
    coding = Coding.of(survey, [LEVELS] * survey.shape[1])
    assert table_values(tables_of(trees_of(booster), coding), coding) == pytest.approx(booster.predict(survey))
    values = booster.predict(survey[known["rows"]], pred_contrib=True)
    assert values[:, :-1] == pytest.approx(np.array(known["path_dependent"]["bruteforce"]), abs=1e-9)


def test_a_boosted_model_is_explained_as_shap_explains_it(boosted):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    x, booster, coding, tables = boosted
    of_background = x[:60]
    mean, values = contributions(
        tables, coding, Background(Coding.of(of_background, coding.levels), np.ones(len(of_background)))
    )
    explainer = shap.TreeExplainer(booster, of_background, feature_perturbation="interventional")
    assert values[:80] == pytest.approx(explainer.shap_values(x[:80]), abs=1e-3)
    assert mean == pytest.approx(explainer.expected_value, abs=1e-3)
