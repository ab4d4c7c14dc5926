"""The score over time: each wave, each change, and what a hidden wave must not give away."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

from nps_research.comparison import compare_net_promoter_scores
from nps_research.distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.score import net_promoter_score
from nps_research.waves import trend
from tests.made_up_answers import CLASS_SCORES, distribution_of, made_up_rows

CHANGES = ["change", "change_conf_low", "change_conf_high", "change_p_value", "p_adjusted"]


def waves(**counts) -> ScoreDistribution:
    table = np.zeros((len(counts), 11), dtype=int)
    table[:, CLASS_SCORES] = list(counts.values())
    return ScoreDistribution.from_counts(dict(zip(counts, table.tolist(), strict=True)), ordered=True)


def answers(**counts) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"likelihood_to_recommend": np.repeat(CLASS_SCORES, numbers), "wave": wave})
        for wave, numbers in counts.items()
    ]
    return pd.concat(parts, ignore_index=True)


THREE = waves(first=(20, 30, 50), second=(16, 14, 70), third=(40, 30, 30))


@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "linearized"])
def test_a_trend_is_the_scores_beside_their_consecutive_differences(method):
    frame = trend(THREE, method=method, confidence_level=0.9).frame
    scores = net_promoter_score(THREE, method=method, confidence_level=0.9).frame
    columns = ["group", "n", "estimate", "std_error", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(frame[columns], scores[columns])
    differences = compare_net_promoter_scores(THREE, pairs="consecutive", method=method, confidence_level=0.9).frame
    assert frame.loc[0, CHANGES].isna().all()
    np.testing.assert_array_equal(
        frame.loc[1:, CHANGES].to_numpy(dtype=float),
        differences[["estimate", "conf_low", "conf_high", "p_value", "p_adjusted"]].to_numpy(),
    )


def test_changes_follow_the_cuts():
    dist = ScoreDistribution.from_counts({"1": [0, 0, 0, 5, 5, 0, 0, 0, 0, 0, 0], "2": [0] * 10 + [10]}, ordered=True)
    assert trend(dist).frame["change"][1] == 200
    assert trend(dist, detractor_max=3).frame["change"][1] == 150
    assert trend(dist, detractor_max=2).frame["change"][1] == 100


def test_the_same_accounts_in_both_waves_make_the_change_surer():
    rows = made_up_rows(np.random.default_rng(40))
    paired = trend(distribution_of(rows, by="wave", cluster="account_id")).frame.loc[1]
    apart = trend(distribution_of(rows.assign(cluster=rows["account_id"]), by="wave")).frame.loc[1]
    assert paired["change"] == pytest.approx(apart["change"])
    width = [row["change_conf_high"] - row["change_conf_low"] for row in (paired, apart)]
    assert width[0] < 0.9 * width[1]


def test_groups_without_an_order_have_no_trend():
    unordered = ScoreDistribution.from_counts(dict(zip(THREE.groups, THREE.counts.tolist(), strict=True)))
    with pytest.raises(EstimationError, match="order of time"):
        trend(unordered)
    with pytest.raises(EstimationError, match="order of time"):
        trend(distribution_of(made_up_rows(np.random.default_rng(41), n=80), by="region"))


def test_the_finding_claims_only_what_is_established():
    down = trend(waves(first=(20, 30, 50), second=(60, 30, 10)))
    assert "down 80.0 points since first" in down.finding
    assert "not established" not in down.finding
    flat = trend(waves(first=(20, 30, 50), second=(19, 30, 51)))
    assert "up 2.0 points since first" in flat.finding
    assert "not established" in flat.finding


def test_the_key_number_is_the_last_wave_with_its_change():
    (number,) = trend(THREE).key_numbers
    assert (number.label, number.change_label) == ("NPS, third", "since second")
    assert number.estimate == pytest.approx(-10)
    assert number.change == pytest.approx(-64)
    assert number.change_conf_low < number.change < number.change_conf_high


@pytest.mark.parametrize("counts", [{"only": (2, 3, 5)}, {"before": (0, 0, 0), "only": (2, 3, 5)}])
def test_a_wave_with_nothing_before_it_has_no_change(counts):
    result = trend(waves(**counts))
    assert "+30.0 in only" in result.finding
    assert "since" not in result.finding
    assert result.key_numbers[0].change is None


def test_nobody_answered_in_any_wave():
    result = trend(waves(first=(0, 0, 0), second=(0, 0, 0)))
    assert result.frame[["estimate", "conf_low", *CHANGES]].isna().all(axis=None)
    assert "no trend" in result.finding
    assert result.key_numbers == ()
    json.dumps(result.to_json(), allow_nan=False)


def test_a_hidden_wave_is_not_given_away_by_the_change_after_it():
    rows = answers(w1=(10, 20, 30), w2=(4, 1, 0), w3=(5, 3, 4), w4=(30, 20, 10), w5=(20, 20, 20))
    result = trend(distribution_of(rows, by="wave"))
    assert result.frame.loc[1:, "change"].notna().all()
    shown = result.shown.set_index("group")
    assert shown.index.tolist() == ["w1", "w4", "w5"]
    assert shown.loc["w4", CHANGES].isna().all()
    assert shown.loc["w5", "change"] == pytest.approx(100 / 3)
    parsed = result.to_json()
    rows_of = {row[0]: dict(zip(parsed["columns"], row, strict=True)) for row in parsed["rows"]}
    assert [rows_of["w4"][name] for name in CHANGES] == [None] * 5
    assert not [text for text in map(str, result._repr_mimebundle_().values()) if "w2" in text]


def test_the_finding_does_not_name_a_wave_that_the_change_is_not_since():
    result = trend(distribution_of(answers(w1=(10, 20, 30), w2=(4, 1, 0), w3=(5, 3, 4), w4=(30, 20, 10)), by="wave"))
    assert "since" not in result.finding
    assert "in w4" in result.finding
    assert result.key_numbers[0].change is None


def test_results_are_frozen():
    result = trend(THREE)
    with pytest.raises(FrozenInstanceError):
        result.method = "wald"
    assert result.to_json()["kind"] == "trend"
