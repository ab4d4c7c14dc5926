"""What could have been seen where no relation is, and three classes where the risk changes gradually."""

import dataclasses
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.special import expit

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.thresholds.compare_thresholds import compare_thresholds
from nps_research.thresholds.evidence.lines import single_lines
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.visible import RATIOS, visible_ratios
from nps_research.thresholds.risk_by_score import rates_of_bands

SCORE = np.arange(11)
N = np.array([150, 60, 120, 160, 160, 1300, 1000, 2300, 4700, 3900, 6100])


def flat(rate, n=N, **said) -> OutcomeByScore:
    return OutcomeByScore.from_counts(n.tolist(), np.rint(n * rate).astype(int).tolist(), **said)


def seen(outcome, n_resamples=1000):
    sample = Sample.in_strata(outcome)
    return visible_ratios(sample, [6, 3], alpha=0.025, n_resamples=n_resamples, rng=np.random.default_rng(1))


def test_a_ratio_said_to_be_seen_is_found_four_times_in_five():
    said, rng = seen(flat(0.02)), np.random.default_rng(2)
    for cut, ratio in said.ratios.items():
        risk = np.where(cut >= SCORE, ratio, 1.0)
        risk *= 0.02 * N.sum() / (N @ risk)
        draws = [OutcomeByScore.from_counts(N.tolist(), rng.binomial(N, risk).tolist()) for _ in range(200)]
        found = [not single_lines(Sample.of_group(o), n_resamples=200, rng=rng)[1].is_absent(0.95) for o in draws]
        assert np.mean(found) >= 0.75 - 3.3 * np.sqrt(0.75 * 0.25 / 200)
        assert np.mean(found) <= 0.97  # nor is much less said than could be


def test_a_low_line_hides_more_and_more_events_show_more():
    few, many = seen(flat(0.01)), seen(flat(0.08))
    assert few.ratios[3] > few.ratios[6]
    assert all(few.ratios[cut] > many.ratios[cut] for cut in (3, 6))
    assert few.doubled < 1 == many.doubled


def test_the_events_asked_for_are_those_that_find_a_doubled_risk():
    needed = seen(flat(0.02)).required_events
    there = flat(0.02).events.sum()
    enough = flat(0.02, np.rint(N * needed / there).astype(int))
    assert seen(enough, n_resamples=2000).doubled == pytest.approx(0.8, abs=0.06)


def test_of_a_common_outcome_the_better_one_is_said_to_be_seen():
    said = seen(flat(0.7))
    assert not said.of_bad
    assert said.ratios[6] < math.inf
    found = compare_thresholds(flat(0.7), n_resamples=200)
    assert found.verdict == "flat"
    assert "Chances of the better" in found.in_words
    assert "7-10" in found.in_words


def test_flat_says_what_would_have_been_seen_in_few_words():
    found = compare_thresholds(flat(0.03))
    assert found.verdict == "flat"
    assert "times as high at 0-6, or" in found.in_words
    assert "with 80% chance" in found.in_words
    assert len(found.finding.split()) <= 30


def test_what_no_ratio_shows_is_said():
    n = N.copy()
    n[:4] = 3
    said = seen(flat(0.02, n))
    assert said.ratios[3] == math.inf
    assert f"0-3 even {RATIOS[-1]:g} times could be missed" in compare_thresholds(flat(0.02, n)).in_words


def test_an_empty_side_is_no_hindrance():
    n = N.copy()
    n[:4] = 0
    found = compare_thresholds(flat(0.03, n), n_resamples=200)
    assert found.verdict == "flat"
    assert "0-3" not in found.finding


# Gradual: three classes


def gradual(**said) -> OutcomeByScore:
    risk = expit(-0.5 - 0.28 * SCORE)
    return dataclasses.replace(flat(0), events=np.rint(N * risk).astype(int)[None], **said)


def test_where_the_risk_changes_gradually_three_classes_are_shown_and_no_line():
    found = compare_thresholds(gradual(), n_resamples=200)
    assert found.verdict == "gradual"
    shares = rates_of_bands(gradual(), confidence_level=0.95)
    assert shares["term"].tolist() == ["0-6", "7-8", "9-10"]
    assert [number.estimate for number in found.key_numbers] == shares["estimate"].tolist()
    assert [number.label for number in found.key_numbers][1] == "event, passives 7-8"
    for name, row in zip(("detractors", "passives", "promoters"), shares.to_dict("records"), strict=True):
        assert f"{name} ({row['term']})" in found.in_words
        assert f"{name.capitalize()} ({row['term']})" in found.alt
    assert found.settings["classes"] == dict(zip(shares["term"], shares["estimate"], strict=True))
    assert "arbitrary" in found.details
    assert len(found.finding.split()) <= 30
    ax = found.plot()
    assert next(text.get_text() for text in ax.get_xticklabels()) == "Detractors (0-6)"
    plt.close("all")


def test_two_classes_where_nobody_is_passive_and_none_where_few_answered():
    found = compare_thresholds(gradual(promoter_min=7), n_resamples=200)
    assert found.verdict == "gradual"
    assert [row["class"] for row in found.classes_shown] == ["Detractors", "Promoters"]
    hidden = compare_thresholds(gradual(minimum_cell=4000), n_resamples=200)
    assert hidden.verdict == "gradual"
    assert not hidden.key_numbers
    assert "%" not in hidden.finding
    assert "classes" not in hidden.settings


def test_other_verdicts_keep_their_two_sides():
    found = compare_thresholds(flat(np.where(SCORE <= 6, 0.2, 0.05)), n_resamples=200)
    assert found.verdict == "keep"
    assert len(found.key_numbers) == 2
    assert "classes" not in found.settings
    assert len(found.finding.split()) <= 30
