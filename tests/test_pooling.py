"""Pooled groups: the likelihood against brute force, recovery, squared error, coverage, and San Francisco's gates."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from nps_research.counting import score_distribution
from nps_research.errors import EstimationError
from nps_research.figures import svg
from nps_research.intervals import VALUES
from nps_research.pooling import fit_dirichlet, pool_groups
from nps_research.study import open_study
from tests.made_up_answers import SHAPES, clustered_distribution, distribution_of, made_up_rows, of_classes

SFO = Path(__file__).parents[1] / "data" / "sfo-airport"
WIDE = {"a": [30, 40, 30], "b": [5, 20, 75], "c": [60, 30, 10], "d": [1, 1, 6], "e": [0, 0, 4]}


def groups_of(answers):
    return of_classes(**{f"g{row}": counts for row, counts in enumerate(answers.tolist())})


def draw(rng, *, concentration, shape, sizes):
    """Groups' true scores and made-up answers."""
    shares = np.tile(shape, (len(sizes), 1))
    if math.isfinite(concentration):
        shares = rng.dirichlet(concentration * np.array(shape), size=len(sizes))
    return shares @ VALUES, rng.multinomial(sizes, shares)


def log_likelihood(answers, alpha) -> float:
    return float(stats.dirichlet_multinomial.logpmf(answers, alpha, answers.sum(axis=1)).sum())


# Likelihood


@pytest.mark.parametrize("seed", range(4))
def test_no_other_dirichlet_is_likelier(seed):
    rng = np.random.default_rng(seed)
    _, answers = draw(rng, concentration=8, shape=SHAPES["b2b"], sizes=rng.integers(4, 60, 15))
    mean, concentration = fit_dirichlet(answers.astype(float))
    best = log_likelihood(answers, mean * concentration)
    for times in (0.7, 0.97, 1.03, 1.5):
        assert log_likelihood(answers, times * mean * concentration) < best
    for row in range(3):
        for times in (0.9, 1.1):
            moved = mean * np.where(np.arange(3) == row, times, 1)
            assert log_likelihood(answers, moved / moved.sum() * concentration) < best


@pytest.mark.parametrize("concentration", [3.0, 15.0, 60.0])
def test_a_known_concentration_and_mean_are_recovered(concentration):
    rng = np.random.default_rng(10)
    _, answers = draw(rng, concentration=concentration, shape=SHAPES["b2b"], sizes=rng.integers(20, 200, 1500))
    mean, found = fit_dirichlet(answers.astype(float))
    assert found == pytest.approx(concentration, rel=0.1)
    assert mean == pytest.approx(np.array(SHAPES["b2b"]), abs=0.02)


def test_groups_spread_no_wider_than_chance_have_infinite_concentration():
    alike = np.tile([20.0, 40.0, 40.0], (6, 1))
    mean, concentration = fit_dirichlet(alike)
    assert math.isinf(concentration)
    assert mean == pytest.approx([0.2, 0.4, 0.4])
    # Then no finite concentration, however large, is likelier than the next larger one.
    ladder = [log_likelihood(alike.astype(int), mean * each) for each in (10, 100, 1e3, 1e4, 1e5)]
    assert ladder == sorted(ladder)
    result = pool_groups(groups_of(alike.astype(int)))
    assert result.frame["estimate"].tolist() == pytest.approx([20.0] * 6)
    assert math.isinf(result.concentration)
    assert result.frame["shrinkage"].max() < 1  # and yet the groups may differ
    assert "no wider than chance alone would spread them" in result.finding
    assert "likeliest is that the groups do not differ" in result.note
    assert result.to_json()["settings"]["concentration"] is None


def test_without_heterogeneity_infinity_is_found_about_as_often_as_not():
    rng = np.random.default_rng(11)
    infinite = [
        math.isinf(fit_dirichlet(draw(rng, concentration=math.inf, shape=SHAPES["b2b"], sizes=[30] * 10)[1] * 1.0)[1])
        for _ in range(150)
    ]
    assert 0.45 < np.mean(infinite) < 0.8


# What a pooled score is


def test_a_pooled_score_is_its_posterior_mean():
    answers, result = np.array(list(WIDE.values())), pool_groups(of_classes(**WIDE))
    chances, given, drawn_by = [], [], []
    for likeness in (np.arange(1500) + 0.5) / 1500:  # every concentration in turn, by the share of variance it leaves
        concentration, n = 1 / likeness - 1, answers.sum(axis=1)
        tells = n / (1 + (n - 1) * likeness)
        mean = (tells / tells.sum()) @ (answers / n[:, None])
        alpha = answers + concentration * mean
        chances.append(log_likelihood(answers, concentration * mean) - math.log(tells.sum()))
        given.append(alpha @ VALUES / alpha.sum(axis=1))
        drawn_by.append(concentration / (concentration + n))
    weight = np.exp(np.array(chances) - max(chances))
    weight /= weight.sum()
    assert result.frame["estimate"].to_numpy() == pytest.approx(weight @ np.array(given), abs=0.02)
    assert result.frame["shrinkage"].to_numpy() == pytest.approx(weight @ np.array(drawn_by), abs=2e-4)
    assert result.frame["raw_estimate"].to_numpy() == pytest.approx(answers @ VALUES / answers.sum(axis=1))
    assert result.concentration == fit_dirichlet(answers.astype(float))[1]


def test_a_branch_with_four_answers_is_not_the_best_branch():
    frame = pool_groups(of_classes(**WIDE)).frame.set_index("group")
    assert frame["raw_estimate"].idxmax() == "e"  # 4 promoters of 4
    many = {**WIDE, "f": [20, 40, 40], "g": [25, 30, 45], "h": [15, 45, 40], "i": [10, 20, 70]}
    frame = pool_groups(of_classes(**many)).frame.set_index("group")
    assert frame["raw_estimate"].idxmax() == "e"
    assert frame["estimate"].idxmax() == "b"
    assert frame["shrinkage"].idxmax() == "e"


def test_limits_are_wider_than_with_mean_and_concentration_known():
    rng, ratio = np.random.default_rng(12), []
    for _ in range(30):
        _, answers = draw(rng, concentration=20, shape=SHAPES["b2b"], sizes=[25] * 6)
        mean, concentration = fit_dirichlet(answers.astype(float))
        known = [rng.dirichlet(counts + min(concentration, 1e6) * mean, size=500) @ VALUES for counts in answers]
        result = pool_groups(groups_of(answers), n_draws=500)
        ratio.append(result.frame["std_error"].mean() / np.mean([scores.std() for scores in known]))
    assert np.median(ratio) > 1.1


def test_the_same_answers_give_the_same_limits():
    first, again = (pool_groups(of_classes(**WIDE)).frame for _ in range(2))
    assert first.equals(again)
    other = pool_groups(of_classes(**WIDE), rng=np.random.default_rng(1)).frame
    assert other["conf_low"].tolist() != first["conf_low"].tolist()
    assert other["conf_low"].to_numpy() == pytest.approx(first["conf_low"].to_numpy(), abs=2)


tables = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=6)


@settings(max_examples=40, deadline=None)
@given(tables.filter(lambda rows: sum(any(row) for row in rows) > 1))
def test_pooled_scores_spread_no_wider_than_raw_ones_and_lie_within_their_limits(rows):
    answers = np.array(rows)
    result = pool_groups(groups_of(answers), n_draws=500)
    frame, overall = result.frame, result.overall_estimate
    raw = frame["raw_estimate"].fillna(overall)
    lowest, highest = min(raw.min(), overall), max(raw.max(), overall)
    assert frame["estimate"].between(lowest - 1e-6, highest + 1e-6).all()
    assert (frame["conf_low"] <= frame["estimate"] + 1e-6).all()
    assert (frame["estimate"] <= frame["conf_high"] + 1e-6).all()
    assert frame[["conf_low", "conf_high"]].abs().max(axis=None) <= 100
    assert (frame["shrinkage"].between(0, 1)).all()
    turned = pool_groups(groups_of(answers[::-1, ::-1]), n_draws=500).frame["estimate"].to_numpy()
    assert -turned[::-1] == pytest.approx(frame["estimate"].to_numpy())


# Squared error and coverage


@pytest.mark.parametrize("concentration", [5.0, 20.0, 100.0, math.inf])
@pytest.mark.parametrize("shape", ["b2b", "skewed high"])
def test_pooled_scores_are_nearer_the_truth_and_their_limits_hold_it(concentration, shape):
    rng, held, raw, pooled = np.random.default_rng(13), [], [], []
    for n_groups in [5, 20] * 20:
        truth, answers = draw(
            rng, concentration=concentration, shape=SHAPES[shape], sizes=rng.choice([4, 10, 30, 100], n_groups)
        )
        frame = pool_groups(groups_of(answers), n_draws=1000, rng=rng).frame
        held += ((frame["conf_low"] <= truth) & (truth <= frame["conf_high"])).tolist()
        raw.append(np.mean((frame["raw_estimate"] - truth) ** 2))
        pooled.append(np.mean((frame["estimate"] - truth) ** 2))
    assert np.mean(pooled) < 0.85 * np.mean(raw)
    slack = 3.3 * math.sqrt(0.95 * 0.05 / len(held))
    assert np.mean(held) >= 0.95 - slack
    if concentration <= 20:
        assert np.mean(held) <= 0.95 + slack


# Weights and clusters


def test_weighted_and_clustered_answers_count_as_fewer():
    rows = made_up_rows(np.random.default_rng(14), n=900)
    plain = pool_groups(distribution_of(rows, by="region", weight=None))
    full = pool_groups(distribution_of(rows, by="region", cluster="account_id"))
    assert plain.design_effect == 1
    assert full.design_effect > 1.5
    assert full.frame["n_effective"].to_numpy() == pytest.approx(full.frame["n"] / full.design_effect)
    for words in ("weighted by design_weight", "alike within one account_id", "count as one"):
        assert words in full.note
        assert words not in plain.note
    weighted = distribution_of(rows, by="region")
    shares = weighted.weights / weighted.weights.sum(axis=1, keepdims=True)
    value = np.array([-100.0] * 7 + [0.0] * 2 + [100.0] * 2)
    assert full.frame["raw_estimate"].to_numpy() == pytest.approx(shares @ value)


def test_copies_of_one_answer_count_once():
    rng = np.random.default_rng(15)
    _, answers = draw(rng, concentration=10, shape=SHAPES["b2b"], sizes=[60] * 8)
    clusters = np.zeros((8, 60, 3))
    for row, counts in enumerate(answers):
        clusters[row] = 4 * np.repeat(np.eye(3), counts, axis=0)
    labels = np.array([[f"{g} {c}" for c in range(60)] for g in range(8)], dtype=object)
    copied = pool_groups(replace(clustered_distribution(clusters, clusters, labels), weight_sums=None))
    assert copied.design_effect == pytest.approx(4, rel=0.03)
    once = pool_groups(groups_of(answers))
    assert copied.frame["estimate"].to_numpy() == pytest.approx(once.frame["estimate"].to_numpy(), abs=0.5)


# Edges


def test_one_group_or_none_with_answers_cannot_be_pooled():
    for dist in (of_classes(a=[1, 2, 3]), of_classes(a=[1, 2, 3], b=[0, 0, 0]), of_classes(a=[0, 0, 0], b=[0, 0, 0])):
        with pytest.raises(EstimationError, match="two groups with answers"):
            pool_groups(dist)
    with pytest.raises(EstimationError, match="confidence_level = 95"):
        pool_groups(of_classes(**WIDE), confidence_level=95)
    with pytest.raises(EstimationError, match="promoter_min = 5"):
        pool_groups(of_classes(**WIDE), promoter_min=5)


def test_a_group_without_answers_has_the_overall_score_and_the_widest_limits():
    result = pool_groups(of_classes(**WIDE, nobody=[0, 0, 0]))
    row = result.frame.iloc[-1]
    assert (row["n"], row["shrinkage"]) == (0, pytest.approx(1))
    assert row["estimate"] == pytest.approx(result.overall_estimate)
    width = result.frame["conf_high"] - result.frame["conf_low"]
    assert width.idxmax() == 5
    assert "nobody" not in result.finding + result.alt


def test_answers_all_alike_are_all_the_same_score():
    result = pool_groups(of_classes(a=[0, 0, 5], b=[0, 0, 90]))
    assert result.frame[["estimate", "conf_low", "conf_high"]].to_numpy() == pytest.approx(np.full((2, 3), 100.0))
    assert math.isinf(result.concentration)
    opposite = pool_groups(of_classes(a=[0, 0, 5], b=[90, 0, 0]))  # groups wholly apart are hardly drawn together
    assert opposite.concentration < 0.1
    assert opposite.frame["estimate"].to_numpy() == pytest.approx([100, -100], abs=8)


def test_small_groups_are_pooled_and_not_shown():
    result = pool_groups(replace(of_classes(**WIDE), minimum_cell=10))
    assert result.frame["group"].tolist() == list(WIDE)
    assert result.shown["group"].tolist() == ["a", "b", "c"]
    assert not {"d", "e"} & {row[0] for row in result.to_json()["rows"]}
    assert "4 answers" not in result.finding
    nothing = pool_groups(replace(of_classes(a=[1, 1, 1], b=[1, 1, 2]), minimum_cell=10))
    assert "no score to show" in nothing.finding


# Figure


def test_the_funnel_narrows_around_the_overall_score():
    result = pool_groups(of_classes(**WIDE))
    ax = Figure().subplots()
    assert result.plot(ax) is ax
    _, raw, pooled = ax.lines
    assert list(raw.get_ydata()) == pytest.approx(result.frame["raw_estimate"].tolist())
    assert list(pooled.get_ydata()) == pytest.approx(result.frame["estimate"].tolist())
    assert list(pooled.get_xdata()) == result.frame["n"].tolist()
    assert (raw.get_markerfacecolor(), raw.get_markerfacecolor() == pooled.get_markerfacecolor()) == ("white", False)
    edge = ax.collections[0].get_paths()[0].vertices
    at_widest = edge[np.isclose(edge[:, 0], edge[:, 0].max())][:, 1]
    half = 1.959963984540054 * result.answer_std_dev / math.sqrt(edge[:, 0].max())
    ends = (result.overall_estimate - half, result.overall_estimate + half)
    assert (at_widest.min(), at_widest.max()) == pytest.approx(ends)
    assert svg(result).startswith(b"<?xml")
    assert json.dumps(result.to_json())


# San Francisco airport


@pytest.fixture(scope="module")
def sfo():
    folder = Path(os.environ.get("NPS_RESEARCH_DATA", "")) / "sfo-airport"
    if not os.environ.get("NPS_RESEARCH_DATA") or not folder.is_dir():
        pytest.skip("the San Francisco airport survey is not here; NPS_RESEARCH_DATA names the folder it is in")
    return open_study(SFO, data=folder)


@pytest.mark.parametrize("by", ["Boarding area", ["wave", "Boarding area"]])
def test_sfo_pooled_halves_foretell_the_other_half_better_than_raw_ones(sfo, by):
    dist = score_distribution(sfo, by=by, cluster=None, weight=None)
    dist = dist.select([name for name in dist.groups if "not stated" not in name])
    classes = np.stack([dist.counts[:, :7].sum(1), dist.counts[:, 7:9].sum(1), dist.counts[:, 9:].sum(1)], axis=1)
    rng, raw, pooled = np.random.default_rng(16), [], []
    for _ in range(300):
        half = np.array([rng.multivariate_hypergeometric(row, row.sum() // 2) for row in classes])
        rest = classes - half
        target = rest @ VALUES / rest.sum(axis=1)
        frame = pool_groups(groups_of(half), n_draws=2).frame
        raw.append(np.mean((frame["raw_estimate"] - target) ** 2))
        pooled.append(np.mean((frame["estimate"] - target) ** 2))
    gain = np.subtract(raw, pooled)
    assert gain.mean() > 2 * gain.std() / math.sqrt(len(gain))
