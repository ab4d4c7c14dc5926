"""Groups by several keys, and the lines that travel with counts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nps_research.accounts import account_score
from nps_research.counting import OutcomeByScore, ScoreDistribution, outcome_by_score, score_distribution
from nps_research.errors import ContractError, EstimationError
from nps_research.score import compare_net_promoter_scores, net_promoter_score, net_promoter_score_by_cut, pool_groups
from nps_research.study import Study
from nps_research.thresholds import conclusions_by_line

KEYS = ["Region", "wave"]
LEFT = {"table": "responses", "column": "Left", "event": ["yes"], "no_event": ["no"], "direction": "bad"}


def study(region="Region", **settings):
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": rng.integers(0, 11, size=400),
            "wave": np.tile(["2025 Q1", "2025 Q2"], 200),
            region: rng.choice(["North", "South"], size=400),
            "account_id": rng.integers(0, 40, size=400).astype(str),
            "Left": rng.choice(["yes", "no"], size=400),
        }
    )
    return Study.from_frames(
        responses=rows, segments=[region], outcomes={"left": LEFT}, settings={"minimum_cell": 1, **settings}
    )


def test_scores_by_region_and_wave_are_a_pivot_in_one_line():
    dist = score_distribution(study(), by=KEYS)
    table = net_promoter_score(dist).frame.pivot(index="Region", columns="wave", values="estimate")
    assert table.index.tolist() == ["North", "South"]
    assert table.columns.tolist() == ["2025 Q1", "2025 Q2"]
    for region in table.index:
        for wave in table.columns:
            one = net_promoter_score(dist.group((region, wave))).frame
            assert one["estimate"].tolist() == [table.loc[region, wave]]
            assert one[["Region", "wave"]].to_numpy().tolist() == [[region, wave]]


@pytest.mark.parametrize(
    "of",
    [
        lambda counted: net_promoter_score(score_distribution(counted, by=KEYS)),
        lambda counted: net_promoter_score_by_cut(score_distribution(counted, by=KEYS)),
        lambda counted: pool_groups(score_distribution(counted, by=KEYS)),
        lambda counted: conclusions_by_line(score_distribution(counted, by=KEYS)),
        lambda counted: account_score(counted, by=KEYS),
        lambda counted: outcome_by_score(counted, outcome="left", by=KEYS),
        lambda counted: outcome_by_score(counted, outcome="left", by=KEYS).group(("South", "2025 Q1")),
    ],
)
def test_frames_of_groups_by_several_keys_have_a_column_for_each(of):
    frame = of(study()).frame
    assert frame.columns.tolist()[:3] == ["group", "Region", "wave"]
    assert (frame["Region"] + " \N{MIDDLE DOT} " + frame["wave"]).tolist() == frame["group"].tolist()


def test_one_key_adds_no_column_and_pages_show_the_group_alone():
    assert "wave" not in net_promoter_score(score_distribution(study(), by="wave")).frame
    assert "wave" not in net_promoter_score(score_distribution(study(), by=["wave"])).frame
    assert "Region" not in net_promoter_score(score_distribution(study(), by=KEYS)).table_columns


@pytest.mark.parametrize("name", ["n", "estimate", "group", "n_key"])
def test_a_key_named_like_a_column_of_the_frame_stands_beside_it(name):
    dist = score_distribution(study(name), by=[name, "wave"])
    plain = net_promoter_score(score_distribution(study(), by=KEYS))
    found = net_promoter_score(dist)
    column = name if name == "n_key" else f"{name}_key"
    assert found.frame[column].tolist() == plain.frame["Region"].tolist()
    pd.testing.assert_frame_equal(found.frame.drop(columns=column), plain.frame.drop(columns="Region"))
    assert found.finding.replace(f"by {name} and", "by Region and") == plain.finding


def test_pairs_are_named_by_the_values_of_the_keys():
    dist = score_distribution(study(), by=KEYS)
    by_values = compare_net_promoter_scores(dist, pairs=[(("North", "2025 Q1"), ("North", "2025 Q2"))]).frame
    named = [("North \N{MIDDLE DOT} 2025 Q1", "North \N{MIDDLE DOT} 2025 Q2")]
    pd.testing.assert_frame_equal(by_values, compare_net_promoter_scores(dist, pairs=named).frame)
    with pytest.raises(EstimationError, match="pairs: there is no group 'East · 2025 Q1'"):
        compare_net_promoter_scores(dist, pairs=[(("East", "2025 Q1"), ("North", "2025 Q2"))])


@pytest.mark.parametrize("change", ["select", "group", "total", "add", "revenue", "lines"])
def test_lines_and_keys_stay_with_the_counts(change):
    counted = study(detractor_max=3, promoter_min=8)
    dist = score_distribution(counted, by=KEYS)
    made = {
        "select": lambda: dist.select(dist.groups[1:3]),
        "group": lambda: dist.group(dist.groups[2]),
        "total": dist.total,
        "add": lambda: dist.select(dist.groups[2:]) + dist.select(dist.groups[:3]),
        "revenue": lambda: replace(dist, weight_sums=dist.weights * 2.0),
        "lines": lambda: dist.with_lines(None, 3),
    }[change]()
    assert (made.promoter_min, made.detractor_max) == (8, 3)
    values = () if change == "total" else tuple(tuple(group.split(" \N{MIDDLE DOT} ")) for group in made.groups)
    assert made.keys == values
    assert outcome_by_score(counted, outcome="left", by="wave").group("2025 Q1").convention == (3, 7)


def test_counts_by_different_lines_do_not_add():
    one, other = (ScoreDistribution.from_counts({"all": [1] * 11}, detractor_max=line) for line in (6, 3))
    with pytest.raises(ContractError, match="same lines can be added: one has promoter_min = 9 and detractor_max = 6"):
        one + other
    assert (one + other.with_lines(9, 6)).counts.tolist() == [[2] * 11]


def test_impossible_lines_are_refused_wherever_they_enter():
    dist = ScoreDistribution.from_counts({"all": [1] * 11})
    for wrong in (
        lambda: ScoreDistribution.from_counts({"all": [1] * 11}, promoter_min=6),
        lambda: OutcomeByScore.from_counts([1] * 11, [0] * 11, detractor_max=9),
        lambda: net_promoter_score(dist, detractor_max=-1),
        lambda: replace(dist, promoter_min=11),
    ):
        with pytest.raises(EstimationError, match="0 <= detractor_max < promoter_min <= 10 is needed"):
            wrong()


def test_lines_compared_are_the_studys_and_another_below_promoters():
    dist = ScoreDistribution.from_counts({"all": [1] * 11})
    assert dist.lines_compared == (6, 3)
    assert dist.with_lines(None, 3).lines_compared == (3, 6)
    assert dist.with_lines(5, 3).lines_compared == (3, 0)
    assert dist.with_lines(1, 0).lines_compared == (0,)


def test_pages_show_the_same_cuts_whatever_lines_are_named():
    n = [4, 3, 3, 4, 4, 8, 30, 46, 51, 63, 143]
    outcome = replace(OutcomeByScore.from_counts(n, [0] * 11), minimum_cell=10)
    assert outcome.cuts_shown == (2, 5, 6, 7, 8, 9)
    assert outcome.with_lines(None, 4).cuts_shown == outcome.cuts_shown
    assert outcome.with_lines(8, 4).with_lines(7, 4).cuts_shown == outcome.cuts_shown
    assert replace(outcome, detractor_max=4).cuts_shown != outcome.cuts_shown  # a study with that line shows others


def test_outcomes_are_clustered_by_account_unless_told_otherwise():
    rows = study()
    assert (
        outcome_by_score(rows, outcome="left").design == outcome_by_score(rows, outcome="left", cluster="auto").design
    )
    assert outcome_by_score(rows, outcome="left", cluster=None).clusters is None
