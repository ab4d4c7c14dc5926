"""Answers drawn in strata: against R's survey package, by hand, and whether intervals cover."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError, EstimationError
from nps_research.score.designs import compare_designs
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.methods import estimate
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend
from tests.support.made_up_answers import CLASS_SCORES, study_of

REFERENCE = Path(__file__).parents[1] / "reference"
SURVEY = json.loads((REFERENCE / "strata_scores.json").read_text())
WITHOUT = {"strata_clusters_weights": [], "strata_clusters": ["design_weight"], "strata_weights": ["cluster"]}


def sample() -> pd.DataFrame:
    rows = pd.read_csv(REFERENCE / "strata_respondents.csv")
    rows["respondent_id"] = [f"r{row}" for row in range(len(rows))]
    return rows.rename(columns={"score": "likelihood_to_recommend"})


def fit(dist, method="linearized"):
    return estimate(dist, method=method, confidence_level=0.95)


@pytest.mark.parametrize("design", WITHOUT)
def test_a_stratified_score_is_that_of_survey(design):
    expected = SURVEY[design]
    found = fit(score_distribution(study_of(sample().drop(columns=WITHOUT[design]))))
    assert found.estimate[0] == pytest.approx(100 * expected["nps"], rel=1e-8)
    assert found.std_error[0] == pytest.approx(100 * expected["se"], rel=1e-8)
    assert found.degrees[0] == expected["degf"]
    limits = [100 * limit for limit in expected["ci95_t"]]
    assert [found.conf_low[0], found.conf_high[0]] == pytest.approx(limits, rel=1e-8)


@pytest.mark.parametrize("design", WITHOUT)
def test_groups_across_strata_and_their_differences_are_those_of_survey(design):
    """Clusters without answers in a group count in their stratum: as survey's domains, not as samples of their own."""
    expected = SURVEY[design]
    dist = score_distribution(study_of(sample().drop(columns=WITHOUT[design])), by="region")
    assert list(dist.groups) == expected["groups"]
    found = fit(dist)
    np.testing.assert_allclose(found.estimate, 100 * np.array(expected["group_nps"]), rtol=1e-8)
    np.testing.assert_allclose(found.std_error, 100 * np.array(expected["group_se"]), rtol=1e-8)
    np.testing.assert_allclose(found.covariance, 1e4 * np.array(expected["group_vcov"]), rtol=1e-8)
    frame = compare_net_promoter_scores(dist, method="linearized").frame
    np.testing.assert_allclose(frame["estimate"], 100 * np.array(expected["difference"]), rtol=1e-8)
    np.testing.assert_allclose(frame["std_error"], 100 * np.array(expected["difference_se"]), rtol=1e-8)


def test_a_group_by_itself_is_what_it_is_among_others():
    dist = score_distribution(study_of(sample()), by="region")
    for method in ("linearized", "effective-score"):
        together, alone = fit(dist, method), fit(dist.group("west"), method)
        place = dist.groups.index("west")
        for name in ("estimate", "std_error", "conf_low", "conf_high", "degrees"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[place], rel=1e-10), name


def test_two_halves_of_a_sample_add_up_to_it():
    study = study_of(sample())
    halves = [score_distribution(study, by="region").select(names) for names in (["north", "west"], ["south"])]
    np.testing.assert_allclose(
        fit((halves[0] + halves[1]).total()).std_error, fit(score_distribution(study)).std_error, rtol=1e-10
    )
    with pytest.raises(ContractError, match="strata"):
        halves[0] + score_distribution(study, by="region", stratum=None)


def test_with_clusters_of_one_weight_the_effective_number_is_the_number():
    rows = sample().drop(columns="design_weight")
    even = rows.groupby(["stratum", "cluster"]).head(3).assign(cluster=lambda table: table["cluster"])
    dist = score_distribution(study_of(even))
    usual, effective = fit(dist), fit(dist, "effective-score")
    assert effective.std_error[0] == pytest.approx(usual.std_error[0], rel=1e-10)
    assert effective.degrees[0] == pytest.approx(usual.degrees[0])


def test_what_unequal_weights_cost_is_put_right_within_strata():
    """By hand, for the first of two strata with all weights in one: 1 / (1 - 1/m - p (1/k - 1/m))."""
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, 8, 10, 9, 3, 3, 10],
            "cluster": ["a", "b", "c", "a", "d", "e", "f", "g"],
            "stratum": ["1", "1", "1", "1", "2", "2", "2", "2"],
            "design_weight": [1.0, 2, 4, 1, 1, 1, 1, 1],
        }
    )
    found = fit(score_distribution(study_of(rows)), "effective-score")
    y = {10: 100, 9: 100, 8: 0, 3: -100}
    total = rows["design_weight"].sum()
    score = sum(w * y[s] for w, s in zip(rows["design_weight"], rows["likelihood_to_recommend"], strict=True)) / total
    variance = degrees = 0.0
    for _, part in rows.groupby("stratum"):
        sums = part.groupby("cluster")["design_weight"].sum()
        error = {
            name: sum(
                w * (y[s] - score) / total
                for w, s in zip(p["design_weight"], p["likelihood_to_recommend"], strict=True)
            )
            for name, p in part.groupby("cluster")
        }
        m, k, share = len(sums), sums.sum() ** 2 / (sums**2).sum(), sums.sum() / total
        mean = sum(error.values()) / m
        factor = 1 / (1 - 1 / m - share * (1 / k - 1 / m))
        variance += factor * sum((value - mean) ** 2 for value in error.values())
        degrees += k - 1
    assert found.estimate[0] == pytest.approx(score)
    assert found.std_error[0] == pytest.approx(np.sqrt(variance))
    assert found.degrees[0] == pytest.approx(degrees)


def test_strata_with_one_cluster_are_said():
    study = study_of(sample())
    scores = net_promoter_score(score_distribution(study))
    assert "Drawn in strata (stratum)." in scores.note
    assert "Strata with one cluster, centred at the overall score: 1." in scores.note
    assert "Strata with one cluster, centred at the overall score: 1." in compare_designs(study).note
    several = study_of(sample()[lambda table: table["stratum"] != "S4"])
    assert "Strata with one cluster" not in net_promoter_score(score_distribution(several)).note
    assert "Strata with one cluster" not in compare_designs(several).note


def test_ways_of_counting_end_with_the_strata():
    frame = compare_designs(study_of(sample())).frame
    assert frame["term"].tolist() == [
        "With every answer alike",
        "Weighted",
        "Weighted and clustered",
        "Weighted, clustered and stratified",
    ]
    own = net_promoter_score(score_distribution(study_of(sample()))).frame
    assert frame["std_error"].iloc[-1] == pytest.approx(own["std_error"][0])
    assert frame["std_error"].iloc[-1] != pytest.approx(frame["std_error"].iloc[-2], rel=0.01)
    only = compare_designs(study_of(sample().drop(columns=["cluster", "design_weight"]))).frame
    assert only["term"].tolist() == ["With every answer alike", "Stratified"]


def test_other_clusters_than_the_studys_are_not_stratified():
    study = study_of(sample())
    for options in ({"cluster": None}, {"cluster": "respondent_id"}, {"stratum": None}):
        dist = score_distribution(study, **options)
        assert dist.clusters is None or dist.clusters.strata is None
        assert "stratum" not in dist.design
    chosen = score_distribution(study, cluster=None, stratum="region")
    assert set(chosen.clusters.strata.values()) == {"north", "south", "west"}


def test_strata_are_apart_in_each_wave_unless_clusters_span_waves():
    waves = pd.concat([sample().assign(wave=wave) for wave in ("1", "2")])
    apart = fit(score_distribution(study_of(waves), by="wave"))
    assert apart.covariance[0, 1] == 0
    assert apart.std_error == pytest.approx(np.repeat(100 * SURVEY["strata_clusters_weights"]["se"], 2), rel=1e-8)
    same = fit(score_distribution(study_of(waves, cluster_spans_waves=True), by="wave"))
    assert same.covariance == pytest.approx(np.full((2, 2), apart.std_error[0] ** 2), rel=1e-8)


def test_a_bootstrap_of_strata_is_refused():
    with pytest.raises(EstimationError, match="strata"):
        fit(score_distribution(study_of(sample())), "bootstrap")


def test_a_change_of_stratified_waves_covers_and_strata_make_it_surer():
    """Strata that differ much; 8 unequal clusters in each of 4; two waves with clusters of their own."""
    rng, n_draws, per_call = np.random.default_rng(50), 1000, 100
    shapes = np.array([(0.6, 0.3, 0.1), (0.1, 0.3, 0.6), (0.3, 0.4, 0.3), (0.05, 0.15, 0.8)])
    held, narrower = [], []
    for _ in range(n_draws // per_call):
        stratum = np.tile(np.repeat(np.arange(4), 8), (2 * per_call, 1))
        sizes = np.ceil(rng.lognormal(1, 0.7, stratum.shape)).astype(int)
        concentrated = np.array([rng.dirichlet(5 * shape, stratum.shape) for shape in shapes])
        shares = np.take_along_axis(concentrated, stratum[None, :, :, None], axis=0)[0]
        counts = np.zeros((*stratum.shape, 11))
        counts[..., CLASS_SCORES] = rng.multinomial(sizes, shares)
        label = np.array([[f"{wave % 2} {c}" for c in range(32)] for wave in range(2 * per_call)], dtype=object)
        dist = ScoreDistribution(
            groups=tuple(f"g{row}" for row in range(2 * per_call)),
            counts=counts.sum(axis=1).astype(np.int64),
            clusters=ClusterSums(
                group=np.repeat(np.arange(2 * per_call), 32),
                label=label.ravel(),
                sums=counts.reshape(-1, 11),
                strata={f"{wave} {c}": f"{wave} {c // 8}" for wave in range(2) for c in range(32)},
            ),
        )
        pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
        frame = compare_net_promoter_scores(dist, pairs=pairs).frame
        held.append(np.mean((frame["conf_low"] <= 0) & (frame["conf_high"] >= 0)))
        plain = compare_net_promoter_scores(replace(dist, clusters=replace(dist.clusters, strata=None)), pairs=pairs)
        narrower.append(frame["std_error"].mean() / plain.frame["std_error"].mean())
    assert np.mean(held) == pytest.approx(0.955, abs=0.028)
    assert np.mean(narrower) < 0.85


def test_stratified_waves_have_a_trend():
    waves = pd.concat([sample().assign(wave=wave) for wave in ("1", "2")])
    result = trend(score_distribution(study_of(waves), by="wave"))
    assert result.frame.loc[1, "change"] == pytest.approx(0)
    assert "Drawn in strata" in result.note


@pytest.mark.parametrize("method", ["linearized", "effective-score"])
def test_matched_strata_tell_how_surely_each_of_the_matched_groups_is_known(method):
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": rng.choice(CLASS_SCORES, 120),
            "stratum": np.repeat([f"s{place}" for place in range(60)], 2),
            "region": ["new", "old"] * 60,
        }
    )
    found = fit(score_distribution(study_of(rows), by="region"), method)
    values = rows["likelihood_to_recommend"].map(dict(zip(CLASS_SCORES, [-100, 0, 100], strict=True)))
    # One of two clusters in each stratum has answers: 2 / (2 - 1) (u^2 - u^2 / 2) = u^2; a little more by weight.
    expected = [np.sqrt(((part - part.mean()) ** 2).sum()) / len(part) for _, part in values.groupby(rows["region"])]
    assert found.std_error == pytest.approx(expected, rel=1e-9 if method == "linearized" else 0.01)
    assert np.isfinite(found.conf_low).all()
