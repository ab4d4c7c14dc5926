"""The score over time: each wave, each change, and what a hidden wave must not give away."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.score.class_shares import class_shares
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend
from tests.support.made_up_answers import CLASS_SCORES, distribution_of, made_up_rows, study_of

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
    assert "down 80.0 since first, more than chance explains" in down.in_words
    flat = trend(waves(first=(20, 30, 50), second=(19, 30, 51)))
    assert "up 2.0 since first, within the margin of the survey" in flat.in_words


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
    assert "w2 is not shown: fewer than 10 answers. w3 is hidden, too" in result.in_words
    assert "w2" not in json.dumps(parsed | {"details": ""})


def test_the_finding_does_not_name_a_wave_that_the_change_is_not_since():
    result = trend(distribution_of(answers(w1=(10, 20, 30), w2=(4, 1, 0), w3=(5, 3, 4), w4=(30, 20, 10)), by="wave"))
    assert "since w3" not in result.in_words.replace("Since", "since")
    assert "down 66.7 since w1" in result.finding
    assert "in w4" in result.in_words
    assert result.key_numbers[0].change is None


def test_results_are_frozen():
    result = trend(THREE)
    with pytest.raises(FrozenInstanceError):
        result.method = "wald"
    assert result.to_json()["kind"] == "trend"


# The same people in two waves


def two_waves(n_both: int, *, n_each: int = 60, seed: int = 40) -> pd.DataFrame:
    """Two waves; the first `n_both` people answer in both, much alike."""
    rng = np.random.default_rng(seed)
    first = rng.integers(3, 11, n_each)
    second = np.clip(first + rng.integers(-1, 2, n_each), 0, 10)
    ids = [f"p{row}" for row in range(n_each)]
    return pd.DataFrame(
        {
            "respondent_id": [*ids, *ids[:n_both], *(f"q{row}" for row in range(n_both, n_each))],
            "account_id": [f"a{row % 20}" for row in range(n_each)] * 2,
            "wave": ["1"] * n_each + ["2"] * n_each,
            "likelihood_to_recommend": [*first, *second],
        }
    )


def test_people_who_answer_twice_are_paired_without_being_asked_to():
    rows = two_waves(40)
    own = trend(score_distribution(study_of(rows), by="wave"))
    named = trend(score_distribution(study_of(rows), by="wave", cluster="respondent_id"))
    pd.testing.assert_frame_equal(own.frame, named.frame)
    apart = trend(score_distribution(study_of(rows), by="wave", cluster=None))
    wide, narrow = (r.frame.loc[1, "change_conf_high"] - r.frame.loc[1, "change_conf_low"] for r in (apart, own))
    assert narrow < 0.8 * wide
    assert "40 people answered in both of the last two waves" in own.note
    assert "people answered in both" not in apart.note


def test_people_are_not_accounts_unless_the_study_says_so():
    rows = two_waves(40)
    assert score_distribution(study_of(rows)).design["cluster"] == "respondent_id"
    declared = trend(score_distribution(study_of(rows, cluster="account_id"), by="wave"))
    assert declared.design["cluster"] == "account_id"
    assert "20 accounts answered in both of the last two waves" in declared.note
    customers = rows.assign(customer_id=rows["respondent_id"], respondent_id=[f"r{row}" for row in range(len(rows))])
    assert score_distribution(study_of(customers)).design["cluster"] == "customer_id"


def test_who_answers_once_is_no_cluster():
    rows = two_waves(0)
    assert score_distribution(study_of(rows), by="wave").is_simple
    silent = two_waves(40)
    silent.loc[silent["wave"] == "2", "likelihood_to_recommend"] = np.nan
    assert score_distribution(study_of(silent), by="wave").is_simple
    assert score_distribution(study_of(rows.drop(columns="respondent_id")), by="wave").is_simple


def test_few_who_answered_in_both_waves_are_not_counted_out():
    note = trend(score_distribution(study_of(two_waves(4), minimum_cell=10), by="wave")).note
    assert "Fewer than 10 people answered in both of the last two waves" in note
    rows = two_waves(40)
    small = trend(score_distribution(study_of(rows, minimum_cell=100), by="wave"))
    assert "people answered in both" not in small.note  # the waves themselves are hidden


def test_a_hidden_last_wave_is_said_and_an_established_earlier_change_is_not_forgotten():
    rows = answers(a=(10, 30, 160), b=(150, 30, 20), c=(148, 30, 22), d=(1, 1, 1))
    shown = trend(distribution_of(rows[rows["wave"] != "d"], by="wave")).in_words
    assert "down 138.0 since a, more than chance explains; up 2.0 since b, within the margin of the survey" in shown
    assert "Earlier, in b, it changed by −140.0" in shown
    hidden = trend(distribution_of(rows, by="wave")).in_words
    assert (
        "d is not shown: fewer than 10 answers. "
        "a is hidden, too: beside the total it would tell what those few answered." in hidden
    )
    assert " in d" not in hidden


def test_a_change_whose_error_is_not_known_is_not_said_to_be_by_chance():
    rows = answers(a=(20, 30, 50), b=(10, 15, 20))
    rows["cluster"] = [row % 12 if wave == "a" else 1 for row, wave in enumerate(rows["wave"])]
    said = trend(distribution_of(rows, by="wave")).in_words
    assert "cannot be told from these clusters" in said
    assert "limits not known" in said
    assert not any(word in said for word in ("nan", "chance", "margin"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (0, "It is above the target of 0 by 30.0 points, more than the margin of the survey."),
        (35, "Whether the target of +35 is reached is within the margin of the survey."),
        (62.5, "It is below the target of +62.5 by 32.5 points, more than the margin of the survey."),
    ],
)
def test_the_last_wave_is_held_against_the_target(target, said):
    rows = answers(a=(20, 30, 50), b=(20, 30, 50))
    study = study_of(rows, target=target)
    moved, alone = trend(study), net_promoter_score(study)
    assert moved.at_a_glance["target"] == alone.at_a_glance["target"] == said
    assert said in moved.details
    assert said in alone.details
    assert any(f"target {target:+}".replace("+0", "0") == text.get_text() for text in moved.plot().texts)
    without = trend(study_of(rows))
    assert "target" not in without.at_a_glance | without.settings
    assert not any("target" in text.get_text() for text in without.plot().texts)


def test_shares_of_the_classes_make_up_the_score_and_hide_what_it_hides():
    rows = answers(a=(10, 30, 160), b=(150, 30, 20), c=(148, 30, 22), d=(1, 1, 1))
    dist = distribution_of(rows, by="wave")
    shares, scores = class_shares(dist), trend(dist)
    of_classes = shares.frame[["promoter_share", "passive_share", "detractor_share"]]
    assert of_classes.sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    lead = 100 * (of_classes["promoter_share"] - of_classes["detractor_share"])
    assert lead.tolist() == pytest.approx(scores.frame["estimate"].tolist())
    assert shares.shown["group"].tolist() == scores.shown["group"].tolist() == ["b", "c"]
    assert shares.finding.startswith("Between b and c promoters went from 10% to 11% and detractors from 75% to 74%")
    assert shares.message == "From b to c: promoters 10% to 11%, detractors 75% to 74%"
    assert "160" not in str(shares.to_json())
    alone = class_shares(distribution_of(answers(a=(20, 30, 50)), by="wave"))
    assert alone.finding == "The answers of a are of 50% promoters, 30% passives and 20% detractors."
    assert alone.message == ""
    with pytest.raises(EstimationError, match="order of time"):
        class_shares(distribution_of(rows, by=None))
