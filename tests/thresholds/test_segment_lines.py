"""Does one line fit all: planted differences are found, groups that pages must not show take no part."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from calibration.threshold_gaps import SHAPE
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters
from nps_research.errors import EstimationError
from nps_research.thresholds.segments import compare_segments

SCORE = np.arange(11)


def groups(cuts, n=4000, rng=None, **said) -> OutcomeByScore:
    """A group for each cut, 25% below and 5% above; drawn, or as expected."""
    answers = np.rint(n * SHAPE).astype(int) if rng is None else rng.multinomial(n, SHAPE, size=len(cuts))
    answers = np.broadcast_to(answers, (len(cuts), 11))
    risk = np.where(np.array(cuts)[:, None] >= SCORE, 0.25, 0.05)
    events = np.rint(answers * risk).astype(int) if rng is None else rng.binomial(answers, risk)
    names = tuple(f"g{place}" for place in range(len(cuts)))
    return OutcomeByScore(groups=names, n=answers, events=events, by=("area",), **said)


def test_one_line_for_all_is_not_doubted():
    found = compare_segments(groups([5, 5, 5]))
    assert found.frame["best_cut"].tolist() == [5, 5, 5]
    assert found.frame["p_adjusted"].min() > 0.5
    assert found.finding.startswith("No line of 3 groups differs detectably")


def test_a_group_with_a_line_of_its_own_is_found():
    found = compare_segments(groups([6, 6, 6, 3]))
    assert found.frame["common_cut"].tolist() == [6] * 4
    assert found.frame["best_cut"].tolist() == [6, 6, 6, 3]
    assert (found.frame["p_adjusted"] < 0.05).tolist() == [False, False, False, True]
    assert "g3 (0-3)" in found.in_words


def test_the_error_rate_over_all_groups_is_held():
    rng = np.random.default_rng(1)
    false = sum(
        compare_segments(groups([6] * 5, n=1000, rng=rng), n_resamples=200, rng=rng).frame["p_adjusted"].min() <= 0.05
        for _ in range(200)
    )
    assert false / 200 <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 200)


def test_p_values_are_adjusted_for_all_groupings():
    one, other = groups([6, 6, 3]), groups([6, 6, 6, 6])
    alone = compare_segments(one).frame["p_adjusted"].min()
    together = compare_segments([one, other]).frame["p_adjusted"].min()
    assert together == pytest.approx(alone * 7 / 3)


def test_hidden_groups_take_no_part_and_are_not_shown():
    outcome = groups([6, 6, 3], minimum_cell=10, not_shown=frozenset({"g2"}))
    found = compare_segments(outcome)
    assert np.isnan(found.frame["p_value"].iloc[2])
    assert "g2" not in str(found.to_json())
    alone = compare_segments(groups([6, 6]))
    assert found.frame["p_value"].iloc[0] == pytest.approx(alone.frame["p_value"].iloc[0])


def test_clusters_that_share_their_outcome_make_differences_less_sure():
    rng = np.random.default_rng(3)
    m = 500
    account, score = np.repeat(np.arange(m), 4), rng.choice(11, 4 * m, p=SHAPE)
    group = account % 2
    left = rng.random(m)[account] < 0.1
    n, events = np.zeros((m, 11), dtype=np.int64), np.zeros((m, 11), dtype=np.int64)
    np.add.at(n, (account, score), 1)
    np.add.at(events, (account, score), left)
    none = np.zeros(m, dtype=np.int64)
    clusters = OutcomeClusters(
        group=np.arange(m) % 2, label=np.arange(m).astype(object), n=n, events=events, nonrespondents=none,
        nonrespondent_events=none,
    )  # fmt: skip
    totals = [np.stack([values[::2].sum(axis=0), values[1::2].sum(axis=0)]) for values in (n, events)]
    clustered = OutcomeByScore(groups=("a", "b"), n=totals[0], events=totals[1], clusters=clusters, by=("side",))
    plain = dataclasses.replace(clustered, clusters=None)
    one, other = (compare_segments(each).frame for each in (clustered, plain))
    assert one["statistic"].tolist() == other["statistic"].tolist()
    assert one["term_p_value"].iloc[0] > other["term_p_value"].iloc[0]
    assert set(group) == {0, 1}


def test_groups_without_outcomes_are_left_out():
    outcome = groups([6, 6])
    quiet = dataclasses.replace(outcome, events=outcome.events * np.array([[1], [0]]))
    found = compare_segments(quiet)
    assert found.frame["p_value"].isna().all()
    assert found.finding.startswith("No two groups")


@pytest.mark.parametrize("given", [[], [groups([6, 6]), dataclasses.replace(groups([6, 6]), outcome="another")]])
def test_nothing_or_two_outcomes_are_refused(given):
    with pytest.raises(EstimationError):
        compare_segments(given)


def test_the_frame_is_tidy():
    frame = compare_segments([groups([6, 6]), groups([3, 3, 3])]).frame
    assert list(frame.columns[:4]) == ["term", "group", "n", "events"]
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 5
