"""What calibration/ says of calls: errors and power side by side.

Shares are judged by their limit and 3.3 Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

from calibration import callbacks
from nps_research.callbacks.effect import callback_effect
from nps_research.callbacks.enough import WORTH_A_CALL
from nps_research.counting.trials import trial_rows
from nps_research.made_up.company import draw_company
from nps_research.made_up.lives import live
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.study.study import Study

TABLE = pd.read_csv(callbacks.TABLE)
SMALL = TABLE[TABLE["customers"] == 3_500].set_index("calls")
LARGE = TABLE[TABLE["customers"] == 20_000].set_index("calls")


def error(share, runs):
    """3.3 Monte Carlo standard errors."""
    return 3.3 * np.sqrt(share * (1 - share) / runs)


def test_every_cell_stands_once_with_all_its_runs():
    assert TABLE[list(callbacks.CELLS[0])].to_dict("records") == callbacks.CELLS


def test_limits_hold_what_calls_did_by_lottery_and_by_judgement():
    for trial in ("lottery", "chosen"):
        slack = error(0.95, TABLE["runs"])
        assert ((TABLE[f"{trial}_held"] >= 0.93 - slack) & (TABLE[f"{trial}_held"] <= 0.97 + slack)).all(), trial


def test_idle_calls_are_not_said_to_help():
    for trial in ("lottery", "chosen", "queue"):
        assert SMALL.loc["idle", f"{trial}_beyond"] <= 0.05 + error(0.05, SMALL.loc["idle", "runs"])
        assert (TABLE[f"{trial}_before_found"] <= 0.05 + error(0.05, TABLE["runs"])).all()  # before any call


def test_the_naive_difference_says_that_idle_calls_help_and_other_things_equal_does_not():
    assert SMALL.loc["idle", "chosen_naive_found"] > 0.5
    assert SMALL.loc["idle", "chosen_naive"] > 0.4
    assert abs(SMALL.loc["idle", "chosen_estimate"]) < 0.05
    assert SMALL.loc["planted", "chosen_naive"] > 2 * SMALL.loc["planted", "chosen_truth"]


def test_a_lottery_among_20000_customers_finds_what_calls_did():
    assert LARGE.loc["planted", "lottery_beyond"] >= 0.8 - error(0.8, LARGE.loc["planted", "runs"])
    assert LARGE.loc["planted", "queue_beyond"] >= 0.8 - error(0.8, LARGE.loc["planted", "runs"])


def test_trials_of_the_company_are_those_of_its_tables():
    truth = Truth(n_accounts=500)
    company = draw_company(truth, rng=np.random.default_rng(3))
    trials, _ = callbacks.trials_of(company, live(company, truth, rng=np.random.default_rng(4)))
    study = simulate_study(truth, rng=np.random.default_rng(3))
    tables = Study.from_frames(
        responses=study.responses,
        customers=study.customers,
        tables={"callbacks": study.tables["callbacks"]},
        settings={"cluster": "account_id"},
    )
    frame = callback_effect(tables).frame
    rows = trial_rows(
        {name: trials[name] for name in ("lottery", "chosen")},
        margin=WORTH_A_CALL,
        more_is_better=True,
        minimum_cell=10,
        words=("called", "not called"),
        confidence_level=0.95,
    )
    # other lives of another company: what is compared is that as many are due, called and known, and err as much
    for name in ("n", "n_other", "std_error"):
        assert frame[name].to_numpy(dtype=float) == pytest.approx(rows[name].to_numpy(dtype=float), rel=0.35)
