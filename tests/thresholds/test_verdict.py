"""The rule of the verdict, on evidence made by hand: every threshold in it matters."""

import numpy as np
import pytest

from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.thresholds.evidence.lines import Lines, Relation
from nps_research.thresholds.evidence.resampling import Sample
from nps_research.thresholds.evidence.shape_models import CUTS
from nps_research.thresholds.evidence.verdict import MOVE_GAP, SHAPE_GAP, line_verdict
from nps_research.thresholds.evidence.visible import Visible

N = [150, 60, 120, 160, 160, 1300, 1000, 2300, 4700, 3900, 6100]
EVENTS = [n // 10 for n in N]
FALLS = Relation(falls_p_value=0.001, rises_p_value=0.9, falls_gain=20.0, rises_gain=0.1)


def lines(*kept, best):
    return Lines(cuts=CUTS, best=best, p_values=np.isin(CUTS, kept).astype(float))


def judged(kept, cut, lower=(6,), relation=FALLS, visible=None, **deviance):
    behind = dict.fromkeys(("none", "convention", "three", "best", "best_three", "straight", "isotonic"), 20.0)
    return line_verdict(
        Sample.of_group(OutcomeByScore.from_counts(N, EVENTS)),
        lines(*kept, best=cut),
        relation,
        lines(*lower, best=lower[0]),
        behind | deviance,
        visible=visible,
        deff=1.0,
        detractor_max=6,
        promoter_min=9,
        confidence_level=0.95,
    ).verdict


@pytest.mark.parametrize("rival", ["convention", "three", "straight"])
def test_a_line_is_moved_only_if_it_beats_each_rival_by_the_gap(rival):
    assert judged([3], 3, best=0.0, **{rival: MOVE_GAP + 0.1}) == "move"
    assert judged([3], 3, best=0.0, **{rival: MOVE_GAP - 0.1}) != "move"


def test_a_line_is_not_moved_while_the_convention_is_in_the_set():
    assert judged([3, 6], 3, best=0.0) != "move"


def test_the_convention_is_kept_only_if_it_beats_a_slope_by_the_gap():
    assert judged([6], 6, convention=0.0, best=0.0, straight=SHAPE_GAP + 0.1) == "keep"
    assert judged([6], 6, convention=0.0, best=0.0, straight=SHAPE_GAP - 0.1) != "keep"


def test_three_groups_stand_only_with_the_convention_in_the_lower_lines_set():
    assert judged([8], 8, lower=(6,), three=0.0, best_three=0.0) == "keep"
    assert judged([8], 8, lower=(4,), three=0.0, best_three=0.0) != "keep"


def test_a_slope_is_called_so_only_if_it_beats_every_line_by_the_gap():
    assert judged([5, 6], 5, straight=0.0, best=SHAPE_GAP + 0.1) == "gradual"
    assert judged([5, 6], 5, straight=0.0, best=SHAPE_GAP - 0.1) != "gradual"


@pytest.mark.parametrize(("falls", "rises", "absent"), [(0.04, 0.9, True), (0.9, 0.03, True), (0.024, 0.9, False)])
def test_each_direction_has_half_of_the_error_rate(falls, rises, absent):
    relation = Relation(falls_p_value=falls, rises_p_value=rises, falls_gain=3.0, rises_gain=0.1)
    assert relation.is_absent(0.95) is absent


def test_flat_is_said_only_where_a_doubled_risk_would_have_been_found():
    seen = {"ratios": {6: 1.8, 3: 2.5}, "required_events": 3000.0}
    assert judged([6], 6, visible=Visible(**seen, doubled=0.8)) == "flat"
    assert judged([6], 6, visible=Visible(**seen, doubled=0.79)) == "undecided"


def test_where_both_directions_are_as_plain_as_draws_can_tell_the_larger_gain_decides():
    both = {"falls_p_value": 0.0005, "rises_p_value": 0.0005}
    assert judged([6], 6, relation=Relation(**both, falls_gain=5.0, rises_gain=50.0)) == "reversed"
    assert judged([6], 6, relation=Relation(**both, falls_gain=50.0, rises_gain=5.0), convention=0.0) == "keep"
