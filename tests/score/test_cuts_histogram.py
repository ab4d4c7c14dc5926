"""Scores at several cuts, and how answers spread over 0 to 10."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import ContractError, EstimationError
from nps_research.score.by_cut import net_promoter_score_by_cut
from nps_research.score.histogram import score_histogram
from nps_research.score.score import net_promoter_score
from tests.support.made_up_answers import CLASS_SCORES, distribution_of, made_up_rows, of_classes

TWO = ScoreDistribution.from_counts({"z": range(11), "a": [3, 0, 2, 1, 4, 6, 2, 5, 9, 8, 7]})

count_rows = st.lists(st.integers(0, 40), min_size=11, max_size=11)


def small_region_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, 8, 9] * 20 + [10, 9, 8, 7] * 3 + [0] * 5,
            "region": ["large"] * 80 + ["middling"] * 12 + ["minute"] * 5,
        }
    )


# Cuts


@pytest.mark.parametrize("method", [None, "wald", "score"])
def test_each_row_is_the_score_at_its_cut(method):
    result = net_promoter_score_by_cut(TWO, detractor_max=(6, 3, 5), method=method, confidence_level=0.9)
    assert result.frame[["group", "term"]].to_numpy().tolist() == [
        [group, term] for group in ("z", "a") for term in ("0-6", "0-3", "0-5")
    ]
    for row in result.frame.to_dict("records"):
        alone = net_promoter_score(
            TWO.group(row["group"]), detractor_max=int(row["term"][2:]), method=method, confidence_level=0.9
        ).frame.loc[0]
        for name in ("n", "detractor_share", "estimate", "std_error", "conf_low", "conf_high"):
            assert row[name] == pytest.approx(alone[name])


def test_the_cut_of_promoters_is_taken_too():
    (estimate,) = net_promoter_score_by_cut(TWO.group("z"), detractor_max=[3], promoter_min=8).frame["estimate"]
    assert estimate == pytest.approx(100 * (27 - 6) / 55)


@given(count_rows)
def test_fewer_detractors_never_lower_the_score(counts):
    dist = ScoreDistribution.from_counts({"all": counts})
    found = net_promoter_score_by_cut(dist, detractor_max=range(8, -1, -1)).frame["estimate"]
    assert found.isna().all() if not sum(counts) else (np.diff(found) >= -1e-9).all()


def test_an_impossible_cut_is_refused():
    with pytest.raises(EstimationError, match="promoter_min = 9, detractor_max = 9"):
        net_promoter_score_by_cut(TWO, detractor_max=(6, 9))


def test_a_group_is_hidden_at_every_cut_or_at_none():
    result = net_promoter_score_by_cut(distribution_of(small_region_rows(), by="region"), detractor_max=(6, 3, 2))
    assert len(result.frame) == 9
    assert result.shown["group"].tolist() == ["large"] * 3  # 5 answers alone could be worked out from the total
    assert not [text for text in map(str, result._repr_mimebundle_().values()) if "minute" in text]


def test_nobody_answered_at_any_cut():
    result = net_promoter_score_by_cut(of_classes(all=(0, 0, 0)))
    assert result.frame["estimate"].isna().all()
    json.dumps(result.to_json(), allow_nan=False)


def test_the_finding_gives_each_cut_its_score():
    finding = net_promoter_score_by_cut(TWO.group("z")).finding
    for row in net_promoter_score_by_cut(TWO.group("z")).frame.to_dict("records"):
        assert row["term"] in finding
        assert f"{row['estimate']:+.1f}" in finding.replace("\N{MINUS SIGN}", "-")


# Histogram


def test_answers_and_shares_per_score():
    frame = score_histogram(TWO, group="z").frame
    assert frame["term"].tolist() == list(range(11))
    assert frame["answers"].tolist() == list(range(11))
    np.testing.assert_allclose(frame["answer_share"], np.arange(11) / 55)
    assert frame["answer_class"].tolist() == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2


def test_classes_follow_the_cuts():
    frame = score_histogram(TWO, promoter_min=10, detractor_max=3).frame
    assert frame["answer_class"].tolist() == ["detractor"] * 4 + ["passive"] * 6 + ["promoter"]
    with pytest.raises(EstimationError, match="detractor_max"):
        score_histogram(TWO, promoter_min=6)


def test_without_a_group_all_are_taken_together():
    result = score_histogram(TWO)
    assert result.frame["answers"].tolist() == TWO.counts.sum(axis=0).tolist()


@pytest.mark.parametrize("group", [None, "north"])
def test_shares_are_weighted_and_answers_are_not(group):
    rows = made_up_rows(np.random.default_rng(50))
    result = score_histogram(distribution_of(rows, by="region"), group=group)
    kept = (rows if group is None else rows[rows["region"] == group]).dropna(subset=["likelihood_to_recommend"])
    weight = kept.groupby("likelihood_to_recommend")["design_weight"].sum().reindex(range(11), fill_value=0)
    np.testing.assert_allclose(result.frame["answer_share"], weight / weight.sum())
    counts = kept["likelihood_to_recommend"].value_counts().reindex(range(11), fill_value=0)
    assert result.frame["answers"].tolist() == counts.tolist()
    assert "weighted" in result.note
    assert score_histogram(TWO).note == ""


@given(count_rows.filter(any))
def test_shares_sum_to_one(counts):
    assert score_histogram(ScoreDistribution.from_counts({"all": counts})).frame["answer_share"].sum() == pytest.approx(
        1
    )


def test_a_misspelt_group_is_met_with_a_guess():
    with pytest.raises(ContractError, match="did you mean north"):
        score_histogram(of_classes(north=(1, 2, 3)), group="nrth")


@pytest.mark.parametrize("counts", [(0, 0, 0), (1, 1, 1)])
def test_too_few_answers_show_nothing(counts):
    rows = pd.DataFrame({"likelihood_to_recommend": np.repeat(CLASS_SCORES, counts).tolist() + [5] * 20})
    rows["region"] = ["few"] * sum(counts) + ["many"] * 20
    dist = distribution_of(rows, by="region")
    result = score_histogram(dist, group="few") if any(counts) else score_histogram(of_classes(all=counts))
    assert result.frame["answers"].sum() == sum(counts)
    assert result.shown.empty
    assert "too few" in result.finding
    assert result.to_json()["rows"] == []


def test_the_finding_gives_shares_and_the_commonest_answer():
    finding = score_histogram(TWO, group="z").finding
    for said in ("55 answers", "35% are promoters", "27% passives", "38% detractors", "commonest answer is 10"):
        assert said in finding
