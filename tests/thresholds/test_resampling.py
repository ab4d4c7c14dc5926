"""Tables drawn under a shape of risk, as resamples and as folds: means, variances, and clusters that stay whole."""

import dataclasses

import numpy as np
import pytest

from calibration.threshold_gaps import SHAPE, outcome_of_accounts
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.thresholds.evidence.resampling import Sample, fold_tables, null_tables, resampled_tables

N = [17, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872]
EVENTS = [4, 1, 2, 5, 1, 8, 7, 13, 30, 28, 44]
RISKS = np.linspace(0.3, 0.05, 11)


def independent() -> Sample:
    return Sample.of_group(OutcomeByScore.from_counts(N, EVENTS))


def clustered(m=400, shared=True, seed=1) -> Sample:
    rng = np.random.default_rng(seed)
    score = rng.choice(11, size=(m, 3), p=SHAPE)
    draw = rng.random((m, 1)) if shared else rng.random((m, 3))
    return Sample.of_group(outcome_of_accounts(score, np.broadcast_to(draw, score.shape) < 0.1))


def test_a_good_outcome_is_turned_round():
    good = Sample.of_group(OutcomeByScore.from_counts(N, EVENTS, direction="good"))
    assert good.events.tolist() == (np.array(N) - EVENTS).tolist()


def test_independent_tables_have_the_mean_and_variance_of_the_risks():
    drawn = null_tables(independent(), RISKS[None], n_resamples=20_000, rng=np.random.default_rng(2))[0]
    n = np.array(N)
    assert drawn.mean(axis=0) == pytest.approx(n * RISKS, rel=0.02)
    assert drawn.var(axis=0) == pytest.approx(n * RISKS * (1 - RISKS), rel=0.05)
    assert (drawn <= n).all()


def test_clustered_tables_have_the_mean_of_the_risks_and_go_together_as_the_clusters_do():
    sample = clustered()
    risks = np.full((1, 11), 0.1)
    drawn = null_tables(sample, risks, n_resamples=20_000, rng=np.random.default_rng(2))[0]
    large = sample.n > 60  # elsewhere the ends cut in
    assert drawn.mean(axis=0)[large] == pytest.approx(0.1 * sample.n[large], rel=0.02)
    residual = sample.cluster_events - 0.1 * sample.cluster_n
    all_events = drawn.sum(axis=1).var()
    of_clusters = (residual.sum(axis=1) ** 2).sum()
    assert all_events == pytest.approx(of_clusters, rel=0.1)
    binomial = 0.1 * 0.9 * sample.n.sum()
    assert all_events > 2 * binomial  # three who leave together: as if a third had been asked


def test_a_score_without_events_varies_like_the_others():
    sample = clustered()
    quiet = sample.n.argmin()
    sample.cluster_events[:, quiet] = 0
    drawn = null_tables(sample, np.full((1, 11), 0.1), n_resamples=4000, rng=np.random.default_rng(2))[0]
    assert drawn[:, quiet].std() > 0.5 * np.sqrt(0.09 * sample.n[quiet])


def test_resamples_of_independent_answers_are_multinomial():
    events, n = resampled_tables(independent(), n_resamples=4000, rng=np.random.default_rng(3))
    assert (n.sum(axis=1) == sum(N)).all()
    assert events.mean(axis=0) == pytest.approx(EVENTS, rel=0.1)
    assert (events <= n).all()


def test_resamples_of_clusters_keep_them_whole():
    sample = clustered()
    events, n = resampled_tables(sample, n_resamples=500, rng=np.random.default_rng(3))
    assert (n.sum(axis=1) == sample.n.sum()).all()  # each account has three
    assert (events.sum(axis=1) % 3 == 0).all()


@pytest.mark.parametrize("sample", [independent(), clustered()], ids=["independent", "clustered"])
def test_folds_add_up_to_all_answers(sample):
    events, n = fold_tables(sample, n_folds=10, n_repeats=4, rng=np.random.default_rng(4))
    assert events.shape == n.shape == (4, 10, 11)
    assert events.sum(axis=1) == pytest.approx(np.broadcast_to(sample.events, (4, 11)))
    assert n.sum(axis=1) == pytest.approx(np.broadcast_to(sample.n, (4, 11)))


def test_folds_keep_clusters_whole():
    events, n = fold_tables(clustered(), n_folds=10, n_repeats=4, rng=np.random.default_rng(4))
    assert (n.sum(axis=2) % 3 == 0).all()
    assert (events.sum(axis=2) % 3 == 0).all()


def test_the_design_effect_of_contacts_who_share_an_outcome_is_their_number_for_a_rate():
    everybody = np.ones(11, dtype=bool)
    assert clustered(m=4000).design_effect(everybody) == pytest.approx(3, abs=0.3)
    assert clustered(m=4000, shared=False).design_effect(everybody) == pytest.approx(1, abs=0.1)
    assert independent().design_effect(everybody) == 1


def test_an_outcome_shared_across_a_line_adds_less_to_a_difference_than_to_a_rate():
    sample = clustered(m=4000)
    below = np.arange(11) <= 8
    assert sample.design_effect_of_cut(8) < sample.design_effect(below)


def test_a_cluster_that_spans_groups_is_one():
    one = outcome_of_accounts(np.array([[0, 9], [9, 9]]), np.array([[True, False], [False, False]]))
    clusters = dataclasses.replace(
        one.clusters,
        group=np.array([0, 1, 1]),
        label=np.array(["a", "a", "b"], dtype=object),
        n=np.vstack([one.clusters.n, one.clusters.n[:1]]),
        events=np.vstack([one.clusters.events, one.clusters.events[:1]]),
        nonrespondents=np.zeros(3, dtype=np.int64),
        nonrespondent_events=np.zeros(3, dtype=np.int64),
    )
    n, events = (np.stack([of[0], of[1] + of[2]]) for of in (clusters.n, clusters.events))
    stacked = Sample.in_strata(OutcomeByScore(groups=("x", "y"), n=n, events=events, clusters=clusters), [0, 1])
    assert stacked.n_clusters == 2
    assert stacked.cluster_n.sum(axis=0).tolist() == n.ravel().tolist()
    assert stacked.cluster_events.sum(axis=0).tolist() == events.ravel().tolist()
