"""Quantiles and tails, against scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from nps_research.statistics import distributions as own

P = np.array([1e-10, 0.025, 0.2, 0.5, 0.975])
X = np.array([-9.0, -1.5, 0.0, 0.3, 4.0])


@pytest.mark.parametrize("degrees", [1, 2.5, 30, 1e6, np.inf])
def test_student(degrees):
    assert own.t_ppf(P, degrees).tolist() == stats.t.ppf(P, degrees).tolist()
    assert own.t_sf(X, degrees).tolist() == stats.t.sf(X, degrees).tolist()


def test_normal():
    assert own.normal_ppf(P).tolist() == stats.norm.ppf(P).tolist()
    assert own.normal_isf(P).tolist() == stats.norm.isf(P).tolist()
    assert own.normal_cdf(X).tolist() == stats.norm.cdf(X).tolist()
    assert own.normal_sf(X).tolist() == stats.norm.sf(X).tolist()


def test_those_of_squares_and_shares():
    assert own.chi2_sf(np.abs(X), 3) == pytest.approx(stats.chi2.sf(np.abs(X), 3), rel=1e-14)
    assert own.f_sf(X[3:], 3, 7) == pytest.approx(stats.f.sf(X[3:], 3, 7), rel=1e-14)
    assert own.beta_sf(P, 3.5, 9) == pytest.approx(stats.beta.sf(P, 3.5, 9), rel=1e-12)
