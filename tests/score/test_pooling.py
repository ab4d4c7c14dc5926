"""Pooled groups: the likelihood against brute force, recovery, squared error, coverage, and San Francisco's gates."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from calibration.pooling import DESIGNS, made_up_study
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.drawing import svg
from nps_research.results.words import p_text
from nps_research.score.limits.design_effects import group_design_effects
from nps_research.score.limits.independent import VALUES
from nps_research.score.pooled_groups import fit_dirichlet, pool_groups
from nps_research.score.score import net_promoter_score
from tests.support.made_up_answers import SHAPES, clustered_distribution, distribution_of, made_up_rows, of_classes
from tests.support.real_surveys import real_study

WIDE = {"a": [30, 40, 30], "b": [5, 20, 75], "c": [60, 30, 10], "d": [1, 1, 6], "e": [0, 0, 4]}


ONE_UNLIKE = {"unlike": [60, 20, 20], **{f"g{row}": [15 + row % 3, 35, 50 - row % 3] for row in range(1, 12)}}


def groups_of(answers):
    return of_classes(**{f"g{row}": counts for row, counts in enumerate(answers.tolist())})


def draw(rng, *, concentration, shape, sizes):
    """Groups' true scores and made-up answers."""
    shares = np.tile(shape, (len(sizes), 1))
    if math.isfinite(concentration):
        shares = rng.dirichlet(concentration * np.array(shape), size=len(sizes))
    return shares @ VALUES, rng.multinomial(sizes, shares)


def copied(rng, times, *, n_clusters):
    """Answers, and a distribution in which each is a cluster of so many copies, group by group."""
    _, answers = draw(rng, concentration=10, shape=SHAPES["b2b"], sizes=[n_clusters] * len(times))
    sums = np.stack([k * np.repeat(np.eye(3), row, axis=0) for k, row in zip(times, answers, strict=True)])
    labels = np.array([[f"{g} {c}" for c in range(n_clusters)] for g in range(len(times))], dtype=object)
    return answers, replace(clustered_distribution(sums, sums, labels), weight_sums=None)


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
    assert f"Chance alone could spread them so wide ({p_text(1)})" in result.in_words
    apart = pool_groups(of_classes(a=(10, 30, 60), b=(40, 30, 30), c=(20, 30, 50)))  # of its grouping alone
    assert "Taken alone, these groups differ by more than chance explains (p" in apart.details
    assert "not adjusted for other groupings)" in apart.details
    assert result.to_json()["settings"]["concentration"] is None


def test_without_heterogeneity_infinity_is_found_about_as_often_as_not():
    rng = np.random.default_rng(11)
    infinite = [
        math.isinf(fit_dirichlet(draw(rng, concentration=math.inf, shape=SHAPES["b2b"], sizes=[30] * 10)[1] * 1.0)[1])
        for _ in range(150)
    ]
    assert 0.45 < np.mean(infinite) < 0.8


# What a pooled score is


@pytest.mark.parametrize("answers", [WIDE, {**WIDE, "unlike": [80, 10, 10]}, ONE_UNLIKE], ids=["wide", "six", "one"])
def test_a_pooled_score_is_its_posterior_mean(answers):
    result, answers = pool_groups(of_classes(**answers)), np.array(list(answers.values()))
    n = answers.sum(axis=1)
    raw, chances, given, drawn_by = answers / n[:, None], [], [], []
    for root in (np.arange(300) + 0.5) / 300:  # every concentration in turn, by the share of variance it leaves
        likeness = root**2  # finer where groups are alike
        concentration, tells = 1 / likeness - 1, n / (1 + (n - 1) * likeness)
        for any_unlike in (False, True):
            unlike = np.zeros(len(n))
            for _ in range(2 if any_unlike else 1):  # the mean leaves out who is unlike
                weight = tells * (1 - unlike)
                mean = (weight / weight.sum()) @ raw
                core = [stats.dirichlet_multinomial.pmf(row, concentration * mean, row.sum()) for row in answers]
                wide = [stats.dirichlet_multinomial.pmf(row, 2 * mean, row.sum()) for row in answers]
                share = 0.1 * any_unlike * (concentration > 2)
                either = (1 - 0.1 * any_unlike) * np.array(core) + share * np.array(wide)
                unlike = share * np.array(wide) / either
            chance = 0.1 if any_unlike else 0.9
            chances.append(np.log(either).sum() - math.log(weight.sum()) + math.log(chance * root))
            drawn_by.append((1 - unlike) * concentration / (concentration + n) + unlike * 2 / (2 + n))
            given.append(drawn_by[-1] * (mean @ VALUES) + (1 - drawn_by[-1]) * (raw @ VALUES))
    weight = np.exp(np.array(chances) - max(chances))
    weight /= weight.sum()
    assert result.frame["estimate"].to_numpy() == pytest.approx(weight @ np.array(given), abs=0.05)
    assert result.frame["shrinkage"].to_numpy() == pytest.approx(weight @ np.array(drawn_by), abs=1e-3)
    assert result.frame["raw_estimate"].to_numpy() == pytest.approx(raw @ VALUES)
    assert result.concentration == fit_dirichlet(answers.astype(float))[1]


def test_a_group_unlike_all_others_keeps_its_score_and_leaves_the_others_drawn_together():
    rows = pool_groups(of_classes(**ONE_UNLIKE)).frame.set_index("group")
    assert rows.loc["unlike", "estimate"] == pytest.approx(-40, abs=4)
    assert rows.loc["unlike", "conf_high"] < -20
    assert rows.loc["g1", "shrinkage"] > 0.5 > 0.1 > rows.loc["unlike", "shrinkage"]


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
    assert other["conf_low"].to_numpy() == pytest.approx(first["conf_low"].to_numpy(), abs=4)  # tails are long


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


def test_the_note_says_which_group_is_drawn_half_way():
    ladder = {f"g{k}": [(2 + k % 2) * k, 3 * k, (5 - k % 2) * k] for k in range(1, 40)}
    result = pool_groups(of_classes(**WIDE, **ladder))
    frame = result.frame.sort_values("n_effective")
    assert 10 < result.half_drawn_at < 400
    drawn_by = np.interp(result.half_drawn_at, frame["n_effective"], frame["shrinkage"])
    assert drawn_by == pytest.approx(0.5, abs=0.01)
    assert f"about {result.half_drawn_at:,.0f} effective answers is drawn half-way" in result.note


def test_the_finding_says_what_the_test_of_equal_scores_says():
    for answers, words in ((WIDE, "differ by more than chance explains"), ({"a": [2, 4, 4], "b": [3, 4, 3]}, "Chance")):
        result = pool_groups(of_classes(**answers))
        assert result.heterogeneity_p_value == net_promoter_score(of_classes(**answers)).heterogeneity_p_value
        assert words in result.in_words


# Squared error and coverage


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("concentration", [10.0, 100.0, math.inf])
def test_pooled_scores_are_nearer_the_truth_and_their_limits_hold_it(concentration, design):
    rng, held, raw, pooled = np.random.default_rng(13), [], [], []
    for n_groups in [5, 20] * 15:
        truth, dist = made_up_study(n_groups, concentration, "b2b", design, rng)
        frame = pool_groups(dist, n_draws=1000, rng=rng).frame
        held += ((frame["conf_low"] <= truth + 1e-9) & (truth - 1e-9 <= frame["conf_high"])).tolist()
        raw.append(np.mean((frame["raw_estimate"] - truth) ** 2))
        pooled.append(np.mean((frame["estimate"] - truth) ** 2))
    assert np.mean(pooled) < 0.7 * np.mean(raw)
    slack = 3.3 * math.sqrt(0.95 * 0.05 / len(held))
    assert np.mean(held) >= 0.95 - slack
    if concentration == 10:
        assert np.mean(held) <= 0.95 + slack


def test_what_the_docstring_says_of_coverage_is_in_the_table():
    table = pd.read_csv(Path(__file__).parents[2] / "calibration" / "pooling.csv")
    outliers = table["shape"] == "one unlike"
    of_first = table[outliers].set_index("design")["coverage_of_first"]
    held = [f"{100 * of_first[f'one of {size} answers unlike']:.0f}%" for size in (30, 60, 100)]
    assert "{} of studies with 30 answers a group, {} with 60 and {} with 100".format(*held) in " ".join(
        pool_groups.__doc__.split()
    )
    assert of_first["one of 60 answers unlike"] >= 0.9
    assert of_first["one of 100 answers unlike"] >= 0.9
    assert table["runs_won"].min() > 0.5
    table = table[~outliers]
    assert len(table) == 72
    said = re.findall(r"(\d+) to (\d+)%", " ".join(pool_groups.__doc__.split()))
    differ = table[np.isfinite(table["concentration"])]
    simple = differ["design"] == "independent"
    error_left = differ["pooled_squared_error"] / differ["raw_squared_error"]
    found = [differ.loc[simple, "coverage"], differ.loc[~simple, "coverage"], error_left]
    assert said == [(f"{100 * of.min():.0f}", f"{100 * of.max():.0f}") for of in found]


# Weights and clusters


def test_weighted_and_clustered_answers_count_as_fewer():
    rows = made_up_rows(np.random.default_rng(14), n=900)
    plain = pool_groups(distribution_of(rows, by="region", weight=None))
    dist = distribution_of(rows, by="region", cluster="account_id")
    full = pool_groups(dist)
    assert plain.frame["n_effective"].tolist() == plain.frame["n"].tolist()
    effect = group_design_effects(dist)
    assert (effect > 1.3).all()
    assert full.frame["n_effective"].to_numpy() == pytest.approx(full.frame["n"] / effect)
    said = f"{effect.min():.2f} to {effect.max():.2f} of them count as one"
    for words in ("weighted by design weight", "alike within one account:", said):
        assert words in full.note
        assert words not in plain.note
    weighted = distribution_of(rows, by="region")
    shares = weighted.weights / weighted.weights.sum(axis=1, keepdims=True)
    value = np.array([-100.0] * 7 + [0.0] * 2 + [100.0] * 2)
    assert full.frame["raw_estimate"].to_numpy() == pytest.approx(shares @ value)


def test_copies_of_one_answer_count_once():
    answers, dist = copied(np.random.default_rng(15), [4] * 8, n_clusters=60)
    pooled = pool_groups(dist).frame
    assert pooled["n_effective"].to_numpy() == pytest.approx(np.full(8, 60), rel=0.03)
    once = pool_groups(groups_of(answers))
    assert pooled["estimate"].to_numpy() == pytest.approx(once.frame["estimate"].to_numpy(), abs=0.5)


def test_groups_of_unlike_designs_each_have_their_own_effective_answers():
    _, dist = copied(np.random.default_rng(17), [1, 1, 1, 8, 8, 8], n_clusters=200)
    assert pool_groups(dist).frame["n_effective"].to_numpy() == pytest.approx(np.full(6, 200), rel=0.05)


# Edges


def test_one_group_or_none_with_answers_cannot_be_pooled():
    for dist in (of_classes(a=[1, 2, 3]), of_classes(a=[1, 2, 3], b=[0, 0, 0]), of_classes(a=[0, 0, 0], b=[0, 0, 0])):
        with pytest.raises(CannotAnswerError, match="two groups with answers"):
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


def test_answers_all_alike_tell_nothing_of_how_answers_vary():
    with pytest.raises(CannotAnswerError, match="All answers fall in one class"):
        pool_groups(of_classes(a=[0, 0, 5], b=[0, 0, 90]))


def test_a_group_without_weight_has_the_mean_of_the_groups():
    dist = of_classes(a=[10, 10, 10], b=[30, 20, 10], c=[35, 20, 5])
    weights = dist.counts * np.array([[0.0], [1.0], [1.0]])
    weighted = replace(dist, weight_sums=weights, squared_weight_sums=weights)
    result = pool_groups(weighted).frame.set_index("group")
    assert result.loc["a", "estimate"] == pytest.approx(pool_groups(weighted).overall_estimate)
    assert result.loc["a", "shrinkage"] == pytest.approx(1)


def test_groups_wholly_apart_are_hardly_drawn_together():
    opposite = pool_groups(of_classes(a=[0, 0, 5], b=[90, 0, 0]))
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
    assert ax.get_xlabel() == "Answers"
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
    clustered = pool_groups(copied(np.random.default_rng(18), [1, 3, 9], n_clusters=40)[1])
    clustered = replace(clustered, design={"cluster": "account_id"})
    ax = clustered.plot(Figure().subplots())
    assert ax.get_xlabel() == "Effective answers"
    assert list(ax.lines[1].get_xdata()) == clustered.frame["n_effective"].tolist()
    assert svg(result).startswith(b"<?xml")
    assert json.dumps(result.to_json())


# San Francisco airport


@pytest.fixture(scope="module")
def sfo():
    return real_study("sfo-airport")


def halves(sfo, by, least, rng, times):
    """Pairs of halves of the study's interviewing runs, group by group, as distributions."""
    dist, plain = (score_distribution(sfo, by=by, weight=weight) for weight in ("auto", None))
    names = [name for name, n in zip(dist.groups, dist.n, strict=True) if n >= least and "not stated" not in name]
    dist, plain = dist.select(names), plain.select(names)
    clusters = dist.clusters
    assert (clusters.label == plain.clusters.label).all()
    for _ in range(times):
        shuffled = np.lexsort([rng.random(len(clusters.group)), clusters.group])
        alternate = np.zeros(len(shuffled), dtype=bool)
        start = np.searchsorted(clusters.group[shuffled], np.arange(len(names)))
        alternate[shuffled] = (np.arange(len(shuffled)) - start[clusters.group[shuffled]]) % 2 == 0
        yield [part_of(dist, plain.clusters.sums, rows) for rows in (alternate, ~alternate)]


def part_of(dist, counts_of_clusters, rows):
    """The distribution of some clusters."""
    clusters = dist.clusters
    counts, weights = np.zeros(dist.counts.shape, dtype=np.int64), np.zeros(dist.counts.shape)
    np.add.at(counts, clusters.group[rows], counts_of_clusters[rows].astype(np.int64))
    np.add.at(weights, clusters.group[rows], clusters.sums[rows])
    return replace(dist, counts=counts, weight_sums=weights, squared_weight_sums=None, clusters=clusters.kept(rows))


@pytest.mark.real
@pytest.mark.parametrize(
    ("by", "least", "won"), [("Boarding area", 0, 0.6), (["wave", "Boarding area"], 0, 0.65), ("Trip purpose", 10, 0.5)]
)
def test_sfo_pooled_halves_foretell_the_other_half_better_than_raw_ones(sfo, by, least, won):
    rng, errors = np.random.default_rng(16), []
    for half, rest in halves(sfo, by, least, rng, times=150):
        classes = rest.classes()
        target = classes @ VALUES / classes.sum(axis=1)
        frame = pool_groups(half, n_draws=2).frame
        errors.append([np.mean((frame[name] - target) ** 2) for name in ("raw_estimate", "estimate")])
    raw, pooled = np.array(errors).T
    gain = raw - pooled
    assert gain.mean() > 3 * gain.std() / math.sqrt(len(gain))
    assert (gain > 0).mean() > won


@pytest.mark.real
def test_sfo_pooled_scores_and_the_test_of_equal_scores_tell_one_story(sfo):
    dist = score_distribution(sfo, by="Boarding area")
    raw, pooled = net_promoter_score(dist), pool_groups(dist)
    assert pooled.heterogeneity_p_value == raw.heterogeneity_p_value
    assert math.isfinite(pooled.concentration)
    # Area E has more effective answers than answers, by chance; no design effect is below 1.
    fewer = np.minimum(raw.frame["n_effective"], raw.frame["n"])
    assert pooled.frame["n_effective"].to_numpy() == pytest.approx(fewer.to_numpy(), rel=0.1)
    scores = pooled.frame.set_index("group")["estimate"]
    assert scores["area E"] - scores["area G"] > 0.35 * (raw.frame["estimate"].max() - raw.frame["estimate"].min())
