"""How strong a hidden confounder would have to be, against PySensemakr and a confounder that was hidden on purpose."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nps_research.statistics.hidden_confounder import bias_bounds, hidden_confounder, robustness_value, working_model
from nps_research.statistics.least_squares import left_over
from tests.statistics.test_adjusted_difference import CALLED, COVARIATES, OUTCOME, REFERENCE

SENSEMAKR = json.loads((Path(REFERENCE) / "hidden_confounder.json").read_text())


@pytest.mark.parametrize("name", OUTCOME)
def test_bounds_and_robustness_are_those_of_sensemakr(name):
    expected, outcome = SENSEMAKR[name], OUTCOME[name].astype(float)
    model = working_model(outcome, CALLED, COVARIATES.to_numpy())
    assert model.estimate == pytest.approx(expected["estimate"], rel=1e-8)
    assert model.scale == pytest.approx(expected["std_error"] * np.sqrt(expected["df"]), rel=1e-8)
    for multiple in (1, 2):
        bias = dict(zip(COVARIATES.columns, bias_bounds(model, multiple), strict=True))
        of = {row["covariate"]: row["bias"] for row in expected["bounds"] if row["k"] == multiple}
        assert bias == pytest.approx(of, rel=1e-8)
    found = robustness_value(abs(expected["estimate"]), model.scale)
    assert found == pytest.approx(expected["robustness_value"], rel=1e-8)


@pytest.mark.parametrize("name", OUTCOME)
def test_the_limits_robustness_is_that_of_sensemakr(name):
    """Its limit is t on one degree less; so are these."""
    expected = SENSEMAKR[name]
    df = expected["df"] - 1
    reach = stats.t.ppf(0.975, df) / np.sqrt(df) * expected["std_error"] * np.sqrt(expected["df"])
    low, high = expected["estimate"] - reach, expected["estimate"] + reach
    outcome = OUTCOME[name].astype(float)
    found = hidden_confounder(outcome, CALLED, COVARIATES, estimate=expected["estimate"], conf_low=low, conf_high=high)
    assert found.robustness_value_of_limit == pytest.approx(expected["robustness_value_alpha_05"], rel=1e-8)


def test_a_confounder_of_the_multiple_found_makes_just_this_bias():
    outcome = OUTCOME["score"]
    found = hidden_confounder(outcome, CALLED, COVARIATES, estimate=0.6, conf_low=0.3, conf_high=0.9)
    model = working_model(outcome, CALLED, COVARIATES.to_numpy())
    assert found.strongest == "x1"
    assert bias_bounds(model, found.multiple)[0] == pytest.approx(0.6)
    assert bias_bounds(model, found.multiple_of_limit)[0] == pytest.approx(0.3)
    assert found.multiple_of_limit < found.multiple < 1


def test_limits_that_hold_zero_need_no_confounder():
    found = hidden_confounder(OUTCOME["score"], CALLED, COVARIATES, estimate=0.1, conf_low=-0.1, conf_high=0.3)
    assert (found.robustness_value_of_limit, found.multiple_of_limit) == (0, 0)
    assert found.robustness_value > 0


def test_a_confounder_as_strong_as_a_measured_one_biases_by_no_more_than_the_bound():
    """One of two covariates alike and independent is hidden: what is lost is what the other one bounds."""
    rng = np.random.default_rng(1)
    n = 20_000
    seen, hidden = rng.normal(size=(2, n))
    treated = seen + hidden + 2 * rng.normal(size=n) > 0
    outcome = seen + hidden + rng.normal(size=n)
    model = working_model(outcome, treated, seen[:, None])
    assert model.estimate > 0.5
    assert bias_bounds(model, 1.0)[0] == pytest.approx(model.estimate, rel=0.05)
    found = hidden_confounder(
        outcome,
        treated,
        pd.DataFrame({"seen": seen}),
        estimate=model.estimate,
        conf_low=model.estimate,
        conf_high=model.estimate,
    )
    assert found.multiple == pytest.approx(1, rel=0.05)


def test_partial_shares_are_those_of_residuals():
    outcome, x = OUTCOME["score"], COVARIATES.to_numpy()
    ones = np.ones((len(x), 1))
    without = np.hstack([ones, x[:, 1:]])
    d, c = left_over(np.column_stack([CALLED.astype(float), x[:, 0]]), without, ones[:, 0]).T
    model = working_model(outcome, CALLED, x)
    assert model.of_treated[0] == pytest.approx(np.corrcoef(d, c)[0, 1] ** 2)
    y, c = left_over(np.column_stack([outcome, x[:, 0]]), np.column_stack([without, CALLED]), ones[:, 0]).T
    assert model.of_outcome[0] == pytest.approx(np.corrcoef(y, c)[0, 1] ** 2)


def test_nothing_measured_gives_nothing_to_multiply():
    found = hidden_confounder(
        OUTCOME["score"], CALLED, pd.DataFrame(index=range(len(CALLED))), estimate=1.0, conf_low=0.5, conf_high=1.5
    )
    assert (found.strongest, found.multiple, found.multiple_of_limit) == ("", np.inf, np.inf)
    assert 0 < found.robustness_value_of_limit < found.robustness_value < 1
