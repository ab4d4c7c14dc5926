"""The verdict on where detractors end: what it says where the truth is plain, and where nothing can be said."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.score_bands import bands_between, shown_cuts
from nps_research.errors import ContractError, EstimationError
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.evidence.lines import MODELS
from nps_research.thresholds.evidence.verdict import cuts_text
from tests.support.made_up_answers import in_clusters

SCORE = np.arange(11)
N = np.array([150, 60, 120, 160, 160, 1300, 1000, 2300, 4700, 3900, 6100])
RISKS = {
    "move": np.where(SCORE <= 3, 0.20, 0.05),
    "keep": np.where(SCORE <= 6, 0.20, 0.05),
    "gradual": expit(-0.5 - 0.28 * SCORE),
    "flat": np.full(11, 0.10),
    "reversed": np.where(SCORE <= 6, 0.05, 0.20),
}


def plain(risk, n=N) -> OutcomeByScore:
    """The events that are expected, without chance."""
    return OutcomeByScore.from_counts(n.tolist(), np.rint(n * risk).astype(int).tolist())


@pytest.mark.parametrize("verdict", RISKS)
def test_the_verdict_where_the_truth_is_plain(verdict):
    assert compare_thresholds(plain(RISKS[verdict])).verdict == verdict


@pytest.mark.parametrize("cut", range(8))
def test_any_planted_line_is_found(cut):
    n = np.full(11, 400)
    found = compare_thresholds(plain(np.where(cut >= SCORE, 0.25, 0.05), n), detractor_max=8)
    assert found.best_cut == cut
    assert found.confidence_set == (cut,)


def test_a_good_outcome_gives_what_its_opposite_gives():
    bad = plain(RISKS["move"])
    good = OutcomeByScore.from_counts(bad.n[0].tolist(), (bad.n - bad.events)[0].tolist(), direction="good")
    one, other = (compare_thresholds(outcome) for outcome in (bad, good))
    assert (one.verdict, one.best_cut, one.confidence_set) == (other.verdict, other.best_cut, other.confidence_set)
    assert one.frame["p_value"].tolist() == other.frame["p_value"].tolist()
    assert other.frame["rate_below"].iloc[3] == pytest.approx(1 - one.frame["rate_below"].iloc[3])


def test_three_groups_that_stand_are_kept_though_the_best_single_line_is_elsewhere():
    found = compare_thresholds(plain(np.select([SCORE <= 6, SCORE <= 8], [0.20, 0.12], 0.04)))
    assert found.best_cut == 8
    assert found.verdict == "keep"
    assert found.three_groups.better
    assert found.three_groups.frame["estimate"].tolist() == [6, 8]


def test_columns_and_models_are_those_promised():
    found = compare_thresholds(plain(RISKS["move"]))
    promised = "cut n_below events_below rate_below rate_above risk_ratio conf_low conf_high deviance selection_share"
    assert set(promised.split()) <= set(found.frame)
    assert found.frame["cut"].tolist() == list(range(10))
    assert found.frame["selection_share"].sum() == pytest.approx(1)
    assert found.models.frame["term"].tolist() == list(MODELS.values())
    assert found.frame["deviance"].min() == pytest.approx(found.frame["deviance"][3])


def test_the_same_generator_gives_the_same_answer_and_the_input_stays():
    outcome = plain(RISKS["gradual"])
    before = outcome.events.copy()
    one, other = (compare_thresholds(outcome, rng=np.random.default_rng(5)) for _ in range(2))
    assert one.to_json() == other.to_json()
    assert f"by \N{LEFT DOUBLE QUOTATION MARK}{outcome.outcome}" in one.finding.replace("By", "by")
    assert (outcome.events == before).all()


# Nothing to say, or not enough


def test_too_few_events_are_undecided_and_say_how_many_would_do():
    found = compare_thresholds(plain(RISKS["move"], N // 40))
    assert found.verdict == "undecided"
    assert found.required_events > found.n_events
    assert f"{found.required_events:,}" in found.in_words


def test_the_required_events_are_about_enough():
    small = plain(RISKS["keep"], N // 100)
    needed = compare_thresholds(small).required_events
    assert needed is not None
    times = needed / small.events.sum()
    assert compare_thresholds(plain(RISKS["keep"], np.rint(N / 100 * times * 1.5).astype(int))).verdict == "keep"


@pytest.mark.parametrize(
    ("n", "events", "why"),
    [
        ([0] * 11, [0] * 11, "no answer with a known outcome"),
        ([50] * 11, [0] * 11, "the same for all"),
        ([50] * 11, [50] * 11, "the same for all"),
        ([0] * 10 + [90], [0] * 10 + [9], "with one score"),
    ],
)
def test_without_anything_to_compare_it_is_undecided_with_the_reason(n, events, why):
    found = compare_thresholds(OutcomeByScore.from_counts(n, events))
    assert found.verdict == "undecided"
    assert why in found.in_words
    assert found.best_cut is None
    assert found.confidence_set == tuple(range(10))
    assert found._repr_mimebundle_()


def test_an_empty_score_is_no_hindrance():
    n = N.copy()
    n[[0, 5]] = 0
    assert compare_thresholds(plain(RISKS["move"], n)).best_cut == 3


def test_events_above_answers_are_refused():
    with pytest.raises(ContractError, match="more than answers at score 4"):
        OutcomeByScore.from_counts([5] * 11, [0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"detractor_max": 9, "promoter_min": 9}, "detractor_max"),
        ({"confidence_level": 95}, "confidence_level"),
        ({"n_resamples": 10}, "100 or more"),
    ],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises(EstimationError, match=says):
        compare_thresholds(plain(RISKS["move"]), **options)


def test_several_groups_are_refused():
    outcome = plain(RISKS["move"])
    two = dataclasses.replace(
        outcome, groups=("a", "b"), n=np.repeat(outcome.n, 2, 0), events=np.repeat(outcome.events, 2, 0)
    )
    with pytest.raises(EstimationError, match="2 groups"):
        compare_thresholds(two)
    assert compare_thresholds(two.group("a")).best_cut == 3


# What pages show


@given(st.lists(st.integers(0, 40), min_size=11, max_size=11), st.integers(1, 20))
@settings(max_examples=200)
def test_neighbouring_lines_that_are_shown_never_set_few_answers_apart(n, minimum):
    cuts = shown_cuts(np.array(n), minimum, first=(6, 8))
    if cuts:
        assert all(sum(n[a : b + 1]) == 0 or sum(n[a : b + 1]) >= minimum for a, b in bands_between(cuts))


def test_lines_that_would_give_few_answers_away_are_not_in_what_is_shared():
    n = np.array([4, 0, 2, 3, 2, 19, 25, 46, 51, 63, 143])
    outcome = dataclasses.replace(plain(np.where(SCORE <= 6, 0.6, 0.1), n), minimum_cell=10)
    found = compare_thresholds(outcome)
    shared = found.to_json()
    place = shared["columns"].index("cut")
    assert [row[place] for row in shared["rows"]] == ["0-4", "0-5", "0-6", "0-7", "0-8", "0-9"]
    assert "4 lines are not shown" in shared["note"]
    assert len(found.frame) == 10


def test_a_best_line_that_must_not_be_shown_is_named_without_its_rates():
    n = np.array([6, 200, 200, 200, 200, 200, 200, 300, 300, 300, 300])
    events = np.array([6, 4, 4, 4, 4, 4, 4, 6, 6, 6, 6])
    outcome = dataclasses.replace(OutcomeByScore.from_counts(n.tolist(), events.tolist()), minimum_cell=10)
    found = compare_thresholds(outcome)
    assert found.best_cut == 0
    assert "applies to" not in found.finding
    assert not found.key_numbers


def test_undated_outcomes_are_called_an_association():
    outcome = dataclasses.replace(plain(RISKS["move"]), dated=False)
    assert "association" in compare_thresholds(outcome).finding
    assert "association" not in compare_thresholds(plain(RISKS["move"])).finding


def test_sets_of_lines_in_words():
    assert cuts_text((0,)) == "0"
    assert cuts_text((0, 1, 4, 6, 7)) == "0 to 1 or 4 or 6 to 7"


def test_nothing_is_shown_of_a_group_with_few_known_outcomes():
    outcome = dataclasses.replace(plain(RISKS["move"]), minimum_cell=10**6)
    found = compare_thresholds(outcome)
    assert found.verdict == "undecided"
    assert found.to_json()["rows"] == []
    assert found.settings["n"] == found.settings["n_events"] == 0
    assert not found.full_note
    hidden = dataclasses.replace(plain(RISKS["move"]), not_shown=frozenset({"all"}))
    assert compare_thresholds(hidden).to_json()["rows"] == []


def test_the_words_under_a_figure_name_only_lines_that_are_shown():
    n = np.array([4, 0, 2, 3, 2, 19, 25, 46, 51, 63, 143])
    found = compare_thresholds(dataclasses.replace(plain(np.where(SCORE <= 6, 0.6, 0.1), n), minimum_cell=10))
    assert "0-4: ratio" in found.alt
    assert "0-3: ratio" not in found.alt


# Clusters


def test_each_answer_four_times_in_its_cluster_says_no_more():
    outcome = plain(RISKS["keep"], N // 20)
    alone, repeated = (compare_thresholds(in_clusters(outcome, times)) for times in (1, 4))
    assert repeated.verdict == alone.verdict
    for name in ("conf_low", "conf_high", "rate_below_conf_low", "std_error"):
        assert repeated.frame[name].tolist() == pytest.approx(alone.frame[name].tolist(), rel=0.01, nan_ok=True)
    assert repeated.frame["p_value"].tolist() == pytest.approx(alone.frame["p_value"].tolist(), abs=0.05)
    assert repeated.models.frame["gap"].tolist() == pytest.approx(alone.models.frame["gap"].tolist(), abs=1.5)


def test_a_good_outcome_is_turned_in_its_clusters_too():
    bad = in_clusters(plain(RISKS["keep"], N // 20), 2)
    turned = dataclasses.replace(bad.clusters, events=bad.clusters.n - bad.clusters.events)
    good = dataclasses.replace(bad, events=bad.n - bad.events, clusters=turned, direction="good")
    one, other = (compare_thresholds(outcome) for outcome in (bad, good))
    assert one.frame["p_value"].tolist() == other.frame["p_value"].tolist()
    assert one.verdict == other.verdict


# Numbers of the frame


def test_the_error_of_the_ratio_is_katzs():
    frame = compare_thresholds(plain(RISKS["move"])).frame
    row = frame.iloc[3]
    below, n = row["events_below"], row["n_below"]
    above, m = frame["events_below"].iloc[-1] + round(0.05 * N[10]) - below, N.sum() - n
    assert row["std_error"] == pytest.approx(np.sqrt(1 / below - 1 / n + 1 / above - 1 / m), rel=1e-6)


def test_on_noise_the_search_for_a_line_costs_more_than_it_gains():
    rng = np.random.default_rng(8)
    behind = 0.0
    for _ in range(30):
        events = rng.binomial(N // 10, 0.1)
        frame = compare_thresholds(OutcomeByScore.from_counts((N // 10).tolist(), events.tolist()), n_resamples=100)
        deviance = frame.models.frame.set_index("term")["deviance"]
        behind += deviance[MODELS["best"]] - deviance[MODELS["none"]]
    assert behind > 0
