"""What a line means: risk by score, calls, scores and order under another line, other things equal, sliders."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.display import IN_REPORT
from nps_research.score.score import net_promoter_score
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study
from nps_research.thresholds.adjusted_risk import adjusted_risk
from nps_research.thresholds.calls import calls_by_cut
from nps_research.thresholds.conclusions import conclusions_by_line
from nps_research.thresholds.risk_by_score import risk_by_score
from nps_research.thresholds.slider import cut_slider, lines_html

N = [15, 6, 12, 16, 16, 130, 100, 230, 470, 390, 610]
EVENTS = [3, 1, 3, 4, 1, 7, 5, 12, 22, 20, 30]


def outcome(**said) -> OutcomeByScore:
    return dataclasses.replace(OutcomeByScore.from_counts(N, EVENTS, (500, 90)), **said)


# Risk by score


def test_rates_by_score_are_wilsons():
    frame = risk_by_score(outcome()).frame
    low, high = wilson_limits(np.array(EVENTS), np.array(N), confidence_level=0.95)
    assert frame["estimate"].tolist() == pytest.approx([e / n for e, n in zip(EVENTS, N, strict=True)])
    assert frame["conf_low"].tolist() == pytest.approx(low.tolist())
    assert frame["conf_high"].tolist() == pytest.approx(high.tolist())


def test_scores_with_few_answers_stand_together_and_all_are_counted():
    found = risk_by_score(outcome(minimum_cell=20))
    assert found.frame["n"].min() >= 20
    assert found.frame["n"].sum() == sum(N)
    assert found.frame["events"].sum() == sum(EVENTS)
    assert "0-6" in found.finding


def test_a_line_that_must_not_be_shown_is_not_drawn():
    few = OutcomeByScore.from_counts([6, 200, *[200] * 9], [6, 4, *[4] * 9])
    assert risk_by_score(dataclasses.replace(few, minimum_cell=10)).frame["best_line"].isna().all()
    assert risk_by_score(few).frame["best_line"].notna().all()


def test_nothing_is_shown_of_few_known_outcomes():
    found = risk_by_score(outcome(minimum_cell=10**6)).to_json()
    assert found["rows"] == []
    assert "%" not in found["finding"] + found["alt"]
    assert calls_by_cut(outcome(minimum_cell=1000)).silent_leavers is None


# Calls


def test_calls_and_leavers_are_counted_below_each_line():
    found = calls_by_cut(outcome())
    for cut, row in enumerate(found.frame.to_dict("records")):
        assert row["calls"] == sum(N[: cut + 1])
        assert row["reached"] == sum(EVENTS[: cut + 1])
        assert row["estimate"] == pytest.approx(row["calls"] / row["reached"])
        assert row["conf_low"] <= row["estimate"] <= row["conf_high"]
    assert "90 bad outcomes are among those who did not answer in time" in found.in_words


def test_calls_are_those_of_the_last_wave_where_it_is_given():
    last = ScoreDistribution.from_counts({"2025 Q4": [1, 2, 3, 4, *[0] * 6, 90]}, detractor_max=3)
    found = calls_by_cut(outcome(), lines=(3,), last=last)
    assert found.frame["last_calls"].tolist() == [1, 3, 6, *[10] * 7]
    each = sum(N[:4]) / sum(EVENTS[:4])
    assert f"The call list of 2025 Q4 has 10 calls for 0-3 ({each:.1f} per bad outcome)." in found.in_words
    assert f"Of {sum(N[:4])} answers 0-3 so far, {sum(EVENTS[:4])} were followed by a bad outcome" in found.in_words
    few = dataclasses.replace(last, minimum_cell=1000)
    assert "last_calls" not in calls_by_cut(outcome(), last=few).frame


def test_of_a_good_outcome_those_without_it_are_to_be_called():
    good = OutcomeByScore.from_counts(N, [n - e for n, e in zip(N, EVENTS, strict=True)], (500, 410), direction="good")
    one, other = calls_by_cut(outcome()), calls_by_cut(good)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert other.silent_leavers == 90


def test_lines_without_outcomes_have_no_calls_each():
    quiet = OutcomeByScore.from_counts(N, [0] * 11)
    assert calls_by_cut(quiet).frame["estimate"].isna().all()
    assert "No line" in calls_by_cut(quiet).finding
    with pytest.raises(EstimationError, match="lines: 12"):
        calls_by_cut(quiet, lines=(12,))


def test_calls_below_lines_that_must_not_be_shown_are_not():
    shown = calls_by_cut(outcome(minimum_cell=20)).shown
    assert shown["calls"].diff().dropna().min() >= 20


# Another line


def test_scores_under_both_lines_are_those_of_the_score():
    dist = ScoreDistribution.from_counts({"a": N, "b": N[::-1]})
    frame = conclusions_by_line(dist).frame
    for column, cut in (("estimate", 6), ("other", 3)):
        assert frame[column].tolist() == net_promoter_score(dist, detractor_max=cut).frame["estimate"].tolist()


def test_groups_that_change_places_are_counted():
    dist = ScoreDistribution.from_counts({"a": [0] * 5 + [60, 0, 0, 0, 0, 140], "b": [40] + [0] * 7 + [40, 0, 120]})
    found = conclusions_by_line(dist)
    assert found.frame["rank"].tolist() == [2, 1]
    assert found.frame["other_rank"].tolist() == [1, 2]
    assert "the two groups change places" in found.finding
    assert "a is first, not b" in found.finding
    few = ScoreDistribution.from_counts({"a": [0] * 5 + [6, 0, 0, 0, 0, 14], "b": [4] + [0] * 7 + [4, 0, 12]})
    assert conclusions_by_line(few).frame["other_rank"].tolist() == [1, 2]
    said = "no two groups change places that are apart by more than chance explains."
    assert conclusions_by_line(few).finding.endswith(said)


def test_changes_that_turn_round_are_counted():
    dist = ScoreDistribution.from_counts(
        {"1": [0] * 5 + [64, 0, 0, 0, 0, 136], "2": [40] + [0] * 7 + [40, 0, 120]}, ordered=True
    )
    found = conclusions_by_line(dist)
    assert "1 of 1 changes point the other way" in found.in_words
    assert "differs for 2" in found.in_words or "the same ones" in found.in_words
    assert found._repr_mimebundle_()
    with pytest.raises(EstimationError, match="two lines"):
        conclusions_by_line(dist, other=6)


def test_hidden_groups_have_no_rank():
    dist = dataclasses.replace(
        ScoreDistribution.from_counts({"few": [0] * 10 + [3], "a": N, "b": N[::-1], "less": [0] * 10 + [8]}),
        minimum_cell=10,
    )
    frame = conclusions_by_line(dist).frame.set_index("group")
    assert frame["rank"].dropna().sort_values().tolist() == [1, 2]
    assert frame.loc[["few", "less"], "rank"].isna().all()


def test_a_change_since_a_hidden_wave_is_not_shown():
    dist = dataclasses.replace(
        ScoreDistribution.from_counts({"1": N, "2": [0] * 9 + [1, 2], "3": N}, ordered=True), minimum_cell=10
    )
    shown = conclusions_by_line(dist).shown
    assert "2" not in shown["group"].tolist()
    assert shown[["change", "other_change"]].isna().all(axis=None)


# Other things equal


def confounded(effect=0.0, n=6000, seed=4) -> Study:
    """Young customers answer low and leave; old ones answer high and stay; the score does `effect` by itself."""
    rng = np.random.default_rng(seed)
    young = rng.random(n) < 0.5
    score = np.where(rng.random(n) < np.where(young, 0.6, 0.2), rng.integers(0, 7, n), rng.integers(7, 11, n))
    left = rng.random(n) < np.where(young, 0.3, 0.05) + effect * (score <= 6)
    tenure = np.where(young, rng.integers(40, 300, n), rng.integers(800, 2500, n))
    invited = pd.Timestamp("2024-03-01")
    ids = [f"c{row}" for row in range(n)]
    churned = pd.Series(pd.NaT, index=range(n)).mask(left, invited + pd.Timedelta(days=60))
    return Study.from_frames(
        responses=pd.DataFrame(
            {
                "respondent_id": ids,
                "invited_at": invited,
                "responded_at": invited + pd.Timedelta(days=2),
                "likelihood_to_recommend": score,
            }
        ),
        customers=pd.DataFrame(
            {
                "customer_id": ids,
                "started_at": invited - pd.to_timedelta(tenure, unit="D"),
                "churned_at": churned,
                "observed_until": pd.Timestamp("2025-01-01"),
            }
        ),
    )


def test_what_tenure_explains_goes_away():
    frame = adjusted_risk(confounded()).frame
    low, high = frame["term"].str[0].astype(int) <= 6, frame["term"].str[0].astype(int) >= 7
    observed = frame.loc[low, "observed"].mean() - frame.loc[high, "observed"].mean()
    adjusted = frame.loc[low, "estimate"].mean() - frame.loc[high, "estimate"].mean()
    assert observed > 0.08
    assert abs(adjusted) < 0.025


def test_what_the_score_does_by_itself_stays():
    frame = adjusted_risk(confounded(effect=0.15)).frame
    low, high = frame["term"].str[0].astype(int) <= 6, frame["term"].str[0].astype(int) >= 7
    assert frame.loc[low, "estimate"].mean() - frame.loc[high, "estimate"].mean() == pytest.approx(0.15, abs=0.03)


def test_limits_hold_the_truth_as_often_as_they_say():
    held = []
    for seed in range(40):
        frame = adjusted_risk(confounded(n=1500, seed=seed)).frame
        truth = (0.3 + 0.05) / 2  # half are young
        held += ((frame["conf_low"] <= truth) & (truth <= frame["conf_high"])).tolist()
    assert np.mean(held) >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 100)  # bands of one study are not independent


def test_without_tenure_or_revenue_it_says_so():
    study = confounded()
    columns = ["respondent_id", "invited_at", "responded_at", "likelihood_to_recommend"]
    customers = study.customers[["customer_id", "churned_at", "observed_until"]]
    bare = Study.from_frames(responses=study.responses[columns], customers=customers)
    with pytest.raises(CannotAnswerError, match="started_at"):
        adjusted_risk(bare)


# Sliders


def test_the_table_under_the_sliders_follows_them(monkeypatch):
    monkeypatch.delenv(IN_REPORT, raising=False)
    dist = ScoreDistribution.from_counts({"all": N})
    box = cut_slider(dist, outcome())
    low, high, shown = box.children
    before = shown.value
    low.value = 3
    assert shown.value != before
    assert shown.value == lines_html(dist.with_lines(9, 3), outcome())
    assert "12 of" not in shown.value
    high.value = 2
    assert "must end below" in shown.value


def test_a_page_has_no_sliders(monkeypatch):
    monkeypatch.setenv(IN_REPORT, "1")
    assert cut_slider(ScoreDistribution.from_counts({"all": N})) is None


def test_the_table_under_the_sliders_escapes_names_and_hides_few_answers():
    text = lines_html(
        score_distribution(
            Study.from_frames(
                responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 2]}), settings={"detractor_max": 3}
            )
        ),
        outcome(outcome="<script>", minimum_cell=60),
    )
    assert "<script>" not in text
    assert text.count(" of ") == 2  # 0-3 has 49 answers
