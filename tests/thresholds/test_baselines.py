"""A baseline for each wave: what makes waves differ as a whole is no relation of score and outcome."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from calibration.threshold_gaps import SHAPE
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters, OutcomeStrata
from nps_research.counting.outcomes import outcome_by_score
from nps_research.study.study import Study
from nps_research.thresholds.bands import compare_bands
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.evidence.baselines import stratum_risks, stratum_weights
from nps_research.thresholds.evidence.lines import single_lines
from nps_research.thresholds.evidence.resampling import Sample, drawn_tables, fold_tables, resampled_tables
from nps_research.thresholds.risk_by_score import risk_by_score
from nps_research.thresholds.segments import compare_segments

SCORE = np.arange(11)
WAVE_RISKS = np.array([0.04, 0.06, 0.09, 0.13])  # churn rises from wave to wave
MIXES = SHAPE * np.exp(-0.12 * np.arange(4)[:, None] * SCORE)  # while scores fall
MIXES /= MIXES.sum(axis=1, keepdims=True)


def of_waves(n, events, **said) -> OutcomeByScore:
    strata = OutcomeStrata(by=("wave",), n=n[None], events=events[None])
    return OutcomeByScore(groups=("all",), n=n.sum(0)[None], events=events.sum(0)[None], strata=strata, **said)


def drawn(rng, n=800, odds=1.0) -> OutcomeByScore:
    """Four waves; within a wave the odds of leaving differ by score as `odds` say."""
    answers = np.array([rng.multinomial(n, mix) for mix in MIXES])
    level = (WAVE_RISKS / (1 - WAVE_RISKS))[:, None] * np.broadcast_to(odds, 11)
    return of_waves(answers, rng.binomial(answers, level / (1 + level)))


def accounts(rng, m=300) -> OutcomeByScore:
    """Two contacts of each account answer in each of four waves; who leaves does so as an account."""
    score = np.stack([rng.choice(11, size=(m, 2), p=mix) for mix in MIXES])
    left = np.broadcast_to((rng.random((4, m)) < WAVE_RISKS[:, None])[..., None], score.shape)
    wave, account = (axis[..., None] for axis in np.indices((4, m)))
    n, events = np.zeros((4, m, 11), dtype=np.int64), np.zeros((4, m, 11), dtype=np.int64)
    np.add.at(n, (wave, account, score), 1)
    np.add.at(events, (wave, account, score), left.astype(np.int64))
    none = np.zeros(4 * m, dtype=np.int64)
    clusters = OutcomeClusters(
        group=none, label=np.tile(np.arange(m), 4).astype(object), n=n.reshape(-1, 11), events=events.reshape(-1, 11),
        nonrespondents=none, nonrespondent_events=none, stratum=np.repeat(np.arange(4), m),
    )  # fmt: skip
    return of_waves(n.sum(axis=1), events.sum(axis=1), clusters=clusters)


def found_in(outcomes, sample_of, rng) -> float:
    relations = [single_lines(sample_of(outcome), n_resamples=200, rng=rng)[1] for outcome in outcomes]
    return float(np.mean([not relation.is_absent(0.95) for relation in relations]))


def test_rising_churn_and_falling_scores_are_no_relation_where_there_is_none_within_waves():
    rng = np.random.default_rng(3)
    outcomes = [drawn(rng) for _ in range(150)]
    assert found_in(outcomes, Sample.of_group, rng) > 0.3  # all waves together
    assert found_in(outcomes, Sample.in_strata, rng) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 150)


def test_nor_where_accounts_answer_and_leave_in_several_waves():
    rng = np.random.default_rng(5)
    outcomes = [accounts(rng) for _ in range(100)]
    assert found_in(outcomes, Sample.in_strata, rng) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 100)


def test_a_verdict_is_not_taken_from_what_waves_differ_in():
    outcome = drawn(np.random.default_rng(1), n=20_000)
    assert compare_thresholds(outcome, n_resamples=200).verdict == "flat"
    assert compare_thresholds(dataclasses.replace(outcome, strata=None), n_resamples=200).verdict != "flat"


def test_the_odds_within_waves_are_those_planted():
    outcome = drawn(np.random.default_rng(2), n=2_000_000, odds=np.where(SCORE <= 3, 3.0, 1.0))
    table = Sample.in_strata(outcome).pooled
    odds = table.events / (table.n - table.events)
    assert odds / odds[-1] == pytest.approx(np.where(SCORE <= 3, 3.0, 1.0), rel=0.03)


def test_the_line_and_its_ratio_are_those_within_waves():
    outcome = drawn(np.random.default_rng(2), n=40_000, odds=np.where(SCORE <= 3, 3.0, 1.0))
    found = compare_thresholds(outcome, n_resamples=200)
    assert (found.verdict, found.best_cut) == ("move", 3)
    row = found.frame.iloc[3]
    assert row["conf_low"] < 2.7 < row["conf_high"] < row["rate_below"] / row["rate_above"]
    assert "(within waves 2." in found.in_words
    assert "Each wave has a baseline of its own" in found.note
    assert "fitted within each wave" in risk_by_score(outcome).note


def test_a_logistic_regression_with_a_baseline_a_wave_gives_the_same_odds():
    outcome = drawn(np.random.default_rng(7), n=1500, odds=np.where(SCORE <= 6, 2.5, 1.0))
    n, events = outcome.strata.n[0], outcome.strata.events[0]
    below = SCORE <= 6

    def loss(at):
        risk = expit(at[1:, None] + at[0] * below)
        return -(events * np.log(risk) + (n - events) * np.log1p(-risk)).sum()

    slope = minimize(loss, [0, *np.full(4, -2.5)]).x[0]
    table = Sample.in_strata(outcome).pooled
    x, y = (values[below].sum() / values[~below].sum() for values in (table.events, table.n - table.events))
    assert np.log(x / y) == pytest.approx(slope, abs=0.03)


def test_one_wave_stays_as_it_is_and_a_wave_without_events_tells_nothing():
    n = np.stack([100 * np.arange(1, 12), 50 * np.arange(1, 12)])
    events = np.stack([n[0] // 10, 0 * n[1]])
    with_quiet, alone = (Sample.in_strata(of_waves(n[:rows], events[:rows])).pooled for rows in (2, 1))
    assert with_quiet.events.tolist() == alone.events.tolist() == events[0].tolist()
    assert with_quiet.n == pytest.approx(alone.n)
    assert stratum_weights(events.astype(float), n.astype(float)).tolist() == pytest.approx([1, 0])


def test_waves_that_do_not_differ_are_as_one():
    n = np.array([20, 6, 8, 20, 20, 140, 130, 290, 680, 560, 870])
    events = n // 5
    several, one = of_waves(np.stack([n] * 3), np.stack([events] * 3)), OutcomeByScore.from_counts(3 * n, 3 * events)
    assert Sample.in_strata(several).pooled.n == pytest.approx(Sample.of_group(one).n)
    in_strata, together = (compare_thresholds(each, n_resamples=100).frame for each in (several, one))
    for name in ("risk_ratio", "conf_low", "deviance"):
        assert in_strata[name].tolist() == pytest.approx(together[name].tolist())


def test_drawn_strata_have_the_events_they_have_and_one_baseline():
    sample = Sample.in_strata(drawn(np.random.default_rng(4), n=5000))
    risks = np.where(SCORE <= 6, 0.12, 0.06)[None]
    cells = stratum_risks(sample.events.reshape(1, 4, 11), sample.n.reshape(1, 4, 11), risks[:, None])
    expected = (cells[0, 0] * sample.n.reshape(4, 11)).sum(axis=1)
    assert expected == pytest.approx(sample.events.reshape(4, 11).sum(axis=1), rel=0.03)
    events, n = drawn_tables(sample, risks, n_resamples=500, rng=np.random.default_rng(4))
    odds = (events / (n - events))[0].mean(axis=0)
    assert odds[:7].mean() / odds[7:].mean() == pytest.approx((0.12 / 0.88) / (0.06 / 0.94), rel=0.05)


@pytest.mark.parametrize("make", [drawn, accounts])
def test_folds_add_up_to_the_table_at_one_baseline(make):
    sample = Sample.in_strata(make(np.random.default_rng(6)))
    events, n = fold_tables(sample, n_folds=10, n_repeats=2, rng=np.random.default_rng(4))
    assert events.sum(axis=1) == pytest.approx(np.broadcast_to(sample.pooled.events, (2, 11)))
    assert n.sum(axis=1) == pytest.approx(np.broadcast_to(sample.pooled.n, (2, 11)))


def test_resamples_keep_how_many_answer_in_each_wave():
    sample = Sample.in_strata(drawn(np.random.default_rng(6)))
    events, n = resampled_tables(sample, n_resamples=400, rng=np.random.default_rng(4))
    assert n.sum(axis=1) == pytest.approx(np.full(400, sample.n.sum()))
    assert events.mean(axis=0) == pytest.approx(sample.pooled.events, rel=0.1, abs=1)


def test_groups_are_compared_within_waves_too():
    rng, odds = np.random.default_rng(9), np.where(SCORE <= 8, 1.1, 1.0)
    parts = [drawn(rng, n=200_000, odds=odds) for _ in range(3)]
    n, events = (np.concatenate([getattr(part.strata, name) for part in parts]) for name in ("n", "events"))
    strata = OutcomeStrata(by=("wave",), n=n, events=events)
    outcome = OutcomeByScore(
        groups=("a", "b", "c"), n=n.sum(axis=1), events=events.sum(axis=1), by=("area",), strata=strata
    )
    assert compare_segments(outcome, n_resamples=100).frame["best_cut"].tolist() == [8, 8, 8]
    together = compare_segments(dataclasses.replace(outcome, strata=None), n_resamples=100)
    assert together.frame["best_cut"].tolist() != [8, 8, 8]


# Counting


def study(waves=("2024", "2025")) -> Study:
    n = 40
    table = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "account_id": [f"a{row % 9}" for row in range(n)],
            "wave": [waves[row % len(waves)] for row in range(n)],
            "likelihood_to_recommend": [row % 11 for row in range(n)],
            "area": ["north", "south"] * (n // 2),
            "contract_ends": ["within 3 months", "within a year", "later", "later"] * (n // 4),
            "Left": ["yes", "no", "no", "no", "yes"] * (n // 5),
        }
    )
    left = {"table": "responses", "column": "Left", "event": ["yes"], "no_event": ["no"], "direction": "bad"}
    return Study.from_frames(responses=table, segments=["area", "contract_ends"], outcomes={"left": left})


@pytest.mark.parametrize("by", [None, "area"])
def test_waves_are_the_strata_where_there_are_several(by):
    rows, counted = study().responses, outcome_by_score(study(), outcome="left", by=by)
    assert counted.strata.by == ("wave",)
    assert counted.strata.n.sum(axis=1).tolist() == counted.n.tolist()
    assert counted.strata.events.sum(axis=1).tolist() == counted.events.tolist()
    slow = rows.groupby([*([by] if by else []), "wave"]).size().tolist()
    assert counted.strata.n.sum(axis=2).ravel().tolist() == [each for each in slow if each] or by == "area"
    assert outcome_by_score(study(), outcome="left", by="wave").strata is None
    assert outcome_by_score(study(), outcome="left", strata=None).strata is None
    assert outcome_by_score(study(waves=("2025",)), outcome="left").strata is None


def test_a_column_of_contract_ends_makes_strata_beside_waves():
    counted = outcome_by_score(study(), outcome="left", strata=["wave", "contract_ends"])
    assert counted.strata.by == ("wave", "contract_ends")
    slow = study().responses.groupby(["wave", "contract_ends"]).size().tolist()
    assert counted.strata.n.sum(axis=2).ravel().tolist() == slow
    assert "Each wave and contract_ends" in compare_thresholds(counted, n_resamples=100).note or counted.n.sum() < 100


def test_clusters_have_a_row_for_each_stratum_and_stay_one():
    counted = outcome_by_score(study(), outcome="left", cluster="account_id")
    sample = Sample.in_strata(counted)
    assert sample.n_clusters == 9
    assert sample.cluster_n.sum(axis=0).tolist() == counted.strata.n.ravel().tolist()
    assert Sample.of_group(counted).n_clusters == 9
    north = outcome_by_score(study(), outcome="left", by="area", cluster="account_id").group("north")
    assert Sample.in_strata(north).cluster_events.sum(axis=0).tolist() == north.strata.events.ravel().tolist()


# Bands


def test_bands_are_compared_within_waves():
    outcome = drawn(np.random.default_rng(8), n=20_000)
    found = compare_bands(outcome, band=(0, 6), reference=(9, 10))
    assert found.verdict == "equivalent"
    assert found.frame["ratio"].iloc[0] == pytest.approx(1, abs=0.1)
    assert "Within waves bad outcomes are 1.00 times as common" in found.in_words
    together = compare_bands(dataclasses.replace(outcome, strata=None), band=(0, 6), reference=(9, 10))
    assert together.verdict == "worse-within-margin"
    assert found.frame["rate"].tolist() == together.frame["rate"].tolist()


def test_waves_of_one_fate_each_tell_nothing():
    n = np.stack([np.full(11, 20), np.full(11, 20)])
    found = compare_thresholds(of_waves(n, n * np.array([[1], [0]])), n_resamples=100)
    assert found.verdict == "undecided"
    assert "Within each wave" in found.in_words
