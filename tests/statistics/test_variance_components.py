"""Variance between groups: lme4's numbers, brute force by dense matrices, known truth found again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nps_research.statistics.variance_components import variance_components

REFERENCE = Path(__file__).parents[1] / "reference"

NUMBERS = json.loads((REFERENCE / "interviewers.json").read_text(encoding="utf-8"))
ROWS = pd.read_csv(REFERENCE / "interviewers.csv")
CODES, NAMES = pd.factorize(ROWS["interviewer"])


def design(adjusted):
    one = np.ones((len(ROWS), 1))
    return np.column_stack([one, ROWS["phone"], ROWS["age"]]) if adjusted else one


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("adjusted", [True, False])
def test_it_is_what_lme4_finds(reml, adjusted):
    wanted = NUMBERS[f"{'adjusted' if adjusted else 'empty'}_{'reml' if reml else 'ml'}"]
    found = variance_components(ROWS["score"].to_numpy(float), [CODES], design(adjusted), reml=reml)
    assert found.share[0] == pytest.approx(wanted["icc"], rel=1e-6)
    assert found.residual == pytest.approx(wanted["var_residual"], rel=1e-6)
    assert found.coefficient == pytest.approx(list(wanted["fixed"].values()), rel=1e-6)
    assert found.log_likelihood == pytest.approx(wanted["loglik"], rel=1e-8)
    assert found.effect[0] == pytest.approx([wanted["blup"][name] for name in NAMES], abs=1e-5)
    if not reml:
        assert [found.conf_low[0], found.conf_high[0]] == pytest.approx(wanted["icc_profile_limits"], rel=1e-5)


def dense_log_likelihood(y, x, kinds, ratios):
    """By the definition, with the matrix of covariances written out."""
    n, p = x.shape
    v = np.eye(n) + sum(ratio * (codes[:, None] == codes) for codes, ratio in zip(kinds, ratios, strict=True))
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    b = np.linalg.solve(information, x.T @ inverse @ y)
    rest = (y - x @ b) @ inverse @ (y - x @ b) / (n - p)
    terms = (n - p) * (1 + np.log(2 * np.pi * rest)) + np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return -terms / 2


def test_three_kinds_of_groups_are_the_best_by_brute_force():
    rng = np.random.default_rng(4)
    employee, account = rng.integers(0, 6, 120), rng.integers(0, 40, 120)
    branch = employee // 2
    x = np.column_stack([np.ones(120), rng.normal(size=120)])
    y = x[:, 1] + rng.normal(size=120) + rng.normal(size=6)[employee] + 0.7 * rng.normal(size=40)[account]
    found = variance_components(y, [employee, branch], x, cluster=account, with_limits=False)
    ratios = found.share / (1 - found.share.sum())
    kinds = (employee, branch, account)
    assert found.log_likelihood == pytest.approx(dense_log_likelihood(y, x, kinds, ratios), abs=1e-8)
    for at in range(3):
        for factor in (0.8, 1.25):
            other = ratios.copy()
            other[at] = max(other[at] * factor, 0.02)
            assert dense_log_likelihood(y, x, kinds, other) <= found.log_likelihood + 1e-9


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_limits_hold_the_planted_share(share):
    rng, held, n_runs = np.random.default_rng(7), 0, 60
    employee, account = np.repeat(np.arange(40), 30), np.arange(1200) // 3
    account = account % 300
    for _ in range(n_runs):
        y = np.sqrt(0.7 - share) * rng.normal(size=1200) + np.sqrt(0.3) * rng.normal(size=300)[account]
        y += np.sqrt(share) * rng.normal(size=40)[employee]
        found = variance_components(y, [employee], cluster=account)
        held += found.conf_low[0] <= share <= found.conf_high[0]
    assert held / n_runs >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / n_runs)
