"""Shapes of risk by score, against loops, SciPy and their own order."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, xlogy

from nps_research.thresholds.evidence.shape_models import (
    CUTS,
    PAIRS,
    constant_loglik,
    cut_logliks,
    cut_risks,
    isotonic_risks,
    line_risks,
    loglik,
    pair_logliks,
    pair_risks,
)

N = np.array([17.0, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872])


def tables(n_tables=30, seed=0):
    rng = np.random.default_rng(seed)
    slopes = rng.uniform(-4, 4, n_tables)  # some rise: they must come out as one risk
    risks = expit(-2 + slopes[:, None] * np.linspace(-0.5, 0.5, 11))
    n = np.broadcast_to(N, risks.shape)
    return rng.binomial(n.astype(int), risks).astype(float), n


def slow_loglik_of_groups(events, n, ends):
    """Rates of the groups that end at `ends`, pooled while they rise, one by one."""
    edges = [-1, *ends, 10]
    groups = [(events[a + 1 : b + 1].sum(), n[a + 1 : b + 1].sum()) for a, b in pairwise(edges)]
    while True:
        rising = [
            i for i in range(len(groups) - 1) if groups[i][0] * groups[i + 1][1] < groups[i + 1][0] * groups[i][1]
        ]
        if not rising:
            break
        i = rising[0]
        groups[i : i + 2] = [(groups[i][0] + groups[i + 1][0], groups[i][1] + groups[i + 1][1])]
    return sum(xlogy(e, e / m) + xlogy(m - e, 1 - e / m) for e, m in groups if m)


def test_likelihoods_of_one_line_are_those_of_a_loop():
    events, n = tables()
    found = cut_logliks(events, n)
    for row in range(len(events)):
        slow = [slow_loglik_of_groups(events[row], n[row], [cut]) for cut in CUTS]
        assert found[row] == pytest.approx(slow, abs=1e-8)


def test_likelihoods_of_two_lines_are_those_of_a_loop():
    events, n = tables()
    found = pair_logliks(events, n, cut_logliks(events, n))
    for row in range(len(events)):
        slow = [slow_loglik_of_groups(events[row], n[row], list(pair)) for pair in PAIRS]
        assert found[row] == pytest.approx(slow, abs=1e-8)


def test_fitted_risks_have_the_likelihoods_that_are_tabled():
    events, n = tables()
    cuts = cut_logliks(events, n)
    pairs = pair_logliks(events, n, cuts)
    for cut in CUTS:
        assert loglik(events, n, cut_risks(events, n, int(cut))) == pytest.approx(cuts[:, cut], abs=1e-8)
    for place, pair in enumerate(PAIRS):
        risks = pair_risks(events, n, np.broadcast_to(pair, (len(events), 2)))
        assert loglik(events, n, risks) == pytest.approx(pairs[:, place], abs=1e-8)


def test_isotonic_risks_are_scipys():
    events, n = tables()
    for row in range(len(events)):
        slow = isotonic_regression(events[row] / n[row], weights=n[row], increasing=False).x
        assert isotonic_risks(events[row], n[row]) == pytest.approx(slow, abs=1e-12)


def test_isotonic_risks_step_over_scores_nobody_gave():
    risks = isotonic_risks(np.array([3.0, 0, 1, 0]), np.array([10.0, 0, 10, 0]))
    assert risks[[0, 2]] == pytest.approx([0.3, 0.1])
    assert (np.diff(risks) <= 1e-12).all()


def test_the_straight_line_is_the_one_a_general_optimiser_finds():
    events, n = tables()
    score = np.arange(11) / 10
    for row in range(8):
        best = minimize(lambda b, row=row: -loglik(events[row], n[row], expit(b[0] + b[1] * score)), [-2, 0])
        expected = -best.fun if best.x[1] < 0 else constant_loglik(events[row], n[row])
        assert loglik(events[row], n[row], line_risks(events[row], n[row])) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=11, max_size=11))
def test_no_shape_rises_and_none_beats_the_isotonic_one(cells):
    n = np.array([float(a + b) for a, b in cells])
    events = np.array([float(a) for a, _ in cells])
    if n.sum() == 0:
        return
    best = loglik(events, n, isotonic_risks(events, n))
    for risks in [
        *(cut_risks(events, n, int(cut)) for cut in CUTS),
        *(pair_risks(events, n, pair) for pair in PAIRS),
        line_risks(events, n),
    ]:
        assert (np.diff(risks) <= 1e-9).all()
        assert loglik(events, n, risks) <= best + 1e-6
    assert cut_logliks(events, n).min() >= constant_loglik(events, n) - 1e-9
