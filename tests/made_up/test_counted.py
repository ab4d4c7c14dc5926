"""What is planted is in the company itself, counted without a model; and in the null company nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from nps_research.made_up.counted import CountedRows, gap
from nps_research.made_up.recount.company_recounted import counted_in
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth, nothing_planted

TRUTHS = 90  # at least so many have a planted number


def away(truth: Truth, seed: int) -> dict[str, float]:
    """How many standard errors each planted number lies from what was counted."""
    counted = counted_in(simulate_study(truth, rng=np.random.default_rng(seed)))
    planted = [each for each in counted if not np.isnan(each.planted)]
    return {
        each.truth: 0.0 if each.counted == each.planted else (each.counted - each.planted) / each.error
        for each in planted
    }


@pytest.mark.parametrize("kind", ["planted", "nothing"])
def test_what_is_planted_is_counted(kind):
    truth = Truth(n_accounts=6_700) if kind == "planted" else nothing_planted(Truth(n_accounts=6_700))
    found = away(truth, 3)
    assert len(found) > TRUTHS
    assert {name: z for name, z in found.items() if abs(z) > 3.8} == {}  # 1 in 70 by chance, of 100
    assert abs(np.median(list(found.values()))) < 0.5


def test_a_truth_that_is_switched_off_is_not_there():
    seen = away(Truth(n_accounts=3_000, role_shift={}, last_shift=0.0), 4)
    assert abs(seen["Answer with the question last, against first"]) < 3.8
    found = counted_in(simulate_study(Truth(n_accounts=3_000), rng=np.random.default_rng(4)))
    last = next(each for each in found if each.truth == "Answer with the question last, against first")
    assert last.counted < -10 * last.error


@pytest.mark.parametrize("n_accounts", [100, 400])
def test_companies_of_any_size_can_be_drawn_and_counted(n_accounts):
    study = simulate_study(Truth(n_accounts=n_accounts), rng=np.random.default_rng(5))
    assert len(study.customers) == pytest.approx(3 * n_accounts, rel=0.2)
    assert len(counted_in(study)) > TRUTHS
    assert set(study.tables) == {
        *("callbacks", "complaints", "memberships", "hand_codes", "transactions", "offers", "referrals", "contacts"),
        *("units", "market", "population"),
    }


def test_errors_are_those_of_accounts():
    rng = np.random.default_rng(6)
    account = np.repeat(np.arange(2_000), 5)
    marked = rng.random(2_000) < 0.5
    counts = []
    for _ in range(200):
        value = 0.3 * marked[account] + rng.normal(size=2_000)[account] + rng.normal(size=10_000)
        counts.append(
            CountedRows(account).count("", 0.3, "", (value, marked[account]), (value, ~marked[account]), combined=gap)
        )
    errors = np.array([each.error for each in counts])
    spread = np.std([each.counted for each in counts])
    assert errors.mean() == pytest.approx(spread, rel=0.15)
    assert np.mean([each.is_held for each in counts]) > 0.98
