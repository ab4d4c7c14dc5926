"""The difference other things equal: against R, against the formula written out, and against known truths."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from calibration import adjusted_difference as study
from nps_research.errors import EstimationError
from nps_research.statistics.adjusted_difference import adjusted_difference
from nps_research.statistics.clustered_limits import clustered_difference, difference_of_means, effective_clusters
from nps_research.statistics.hidden_confounder import hidden_confounder
from nps_research.statistics.overlap import covariate_balance, odds_weights, overlap

REFERENCE = Path(__file__).parents[1] / "reference"
R = json.loads((REFERENCE / "aipw_clusters.json").read_text())
PEOPLE = pd.read_csv(REFERENCE / "aipw_clusters.csv")
COVARIATES = PEOPLE[["x1", "x2"]].assign(
    middle=(PEOPLE["size"] == "middle").astype(float), large=(PEOPLE["size"] == "large").astype(float)
)
CALLED = PEOPLE["called"].to_numpy() == 1
OUTCOME = {"score": PEOPLE["score"].to_numpy(), "left": PEOPLE["left"].to_numpy() == 1}


def of_reference(name, **more):
    given = {"folds": PEOPLE["fold"].to_numpy(), "ridge": 0.0} | more
    return adjusted_difference(OUTCOME[name], CALLED, COVARIATES, PEOPLE["account"], **given)


@pytest.mark.parametrize("name", OUTCOME)
def test_the_difference_over_all_is_that_of_r(name):
    expected, found = R[name]["crossfitted"], of_reference(name, estimand="all", cut=1.0)
    assert found.naive.estimate == pytest.approx(R[name]["naive"], abs=1e-9)
    assert found.adjusted.estimate == pytest.approx(expected["ate"], abs=1e-6)
    assert found.adjusted.mean_treated == pytest.approx(expected["mean_treated"], abs=1e-6)
    assert found.adjusted.mean_untreated == pytest.approx(expected["mean_control"], abs=1e-6)
    assert found.adjusted.std_error == pytest.approx(expected["se_cluster_g_over_g_minus_1"], abs=1e-6)
    ratio = found.adjusted.mean_treated / found.adjusted.mean_untreated
    assert ratio == pytest.approx(expected["ratio"], abs=1e-6)
    assert found.overlap.smallest == pytest.approx(expected["propensity_min"], abs=1e-6)
    assert found.overlap.largest == pytest.approx(expected["propensity_max"], abs=1e-6)
    assert found.population == "all"


@pytest.mark.parametrize("name", OUTCOME)
def test_the_difference_among_the_called_is_that_of_r(name):
    found = of_reference(name)
    assert found.adjusted.estimate == pytest.approx(R[name]["crossfitted"]["att"], abs=1e-6)
    assert found.population == "the treated"


@pytest.mark.parametrize("name", OUTCOME)
def test_errors_of_people_one_by_one_are_those_of_r(name):
    given = {"folds": PEOPLE["fold"].to_numpy(), "ridge": 0.0, "estimand": "all"}
    found = adjusted_difference(OUTCOME[name], CALLED, COVARIATES, np.arange(len(PEOPLE)), **given)
    n = len(PEOPLE)
    without = np.sqrt((n - 1) / n)  # R takes the sum of squares as it is
    assert found.adjusted.std_error * without == pytest.approx(R[name]["crossfitted"]["se_independent"], abs=1e-6)


@pytest.mark.parametrize("name", OUTCOME)
def test_a_slight_ridge_moves_nothing(name):
    assert of_reference(name, ridge=0.01).adjusted.estimate == pytest.approx(
        of_reference(name).adjusted.estimate, abs=2e-4
    )


def company(rng, m=60, each=5):
    """People of accounts: the readier are better off, and treatment adds nothing."""
    account = np.repeat(np.arange(m), each)
    ready = rng.normal(size=m * each) + 0.5 * rng.normal(size=m)[account]
    treated = rng.random(m * each) < expit(ready)
    return ready, treated, account


def written_out(outcome, treated, answered, ready, account, fold, estimand):
    """The estimate and its error, person by person, with models fitted by another library."""
    import statsmodels.api as sm

    x = sm.add_constant(ready)
    n, rows = len(outcome), []
    for i in range(n):
        learn = fold != fold[i]
        e = sm.Logit(treated[learn].astype(float), x[learn]).fit(disp=0).predict(x[i : i + 1])[0]
        foretold, chance = {}, {}
        for arm in (True, False):
            of_arm = learn & (treated == arm)
            known = of_arm & answered
            foretold[arm] = sm.OLS(outcome[known], x[known]).fit().predict(x[i : i + 1])[0]
            chance[arm] = sm.Logit(answered[of_arm].astype(float), x[of_arm]).fit(disp=0).predict(x[i : i + 1])[0]
        target, odds = (1.0, None) if estimand == "all" else (float(treated[i]), e / (1 - e))
        term = target * (foretold[True] - foretold[False])
        if answered[i] and treated[i]:
            term += (1 / e if estimand == "all" else 1.0) / chance[True] * (outcome[i] - foretold[True])
        if answered[i] and not treated[i]:
            weight = 1 / (1 - e) if estimand == "all" else odds
            term -= weight / chance[False] * (outcome[i] - foretold[False])
        rows.append((target, term))
    target, term = np.array(rows).T
    estimate = term.sum() / target.sum()
    influence = (term - target * estimate) / target.sum()
    sums = [influence[account == label].sum() for label in np.unique(account)]
    m = len(sums)
    return estimate, np.sqrt(m / (m - 1) * sum(each**2 for each in sums))


@pytest.mark.parametrize("estimand", ["treated", "all"])
def test_missing_answers_are_weighted_as_the_formula_says(estimand):
    rng = np.random.default_rng(8)
    ready, treated, account = company(rng)
    outcome = ready + 0.3 * treated + rng.normal(size=len(ready))
    answered = rng.random(len(ready)) < expit(0.5 + 0.5 * ready - 0.4 * treated)
    fold = account % 3
    expected = written_out(outcome, treated, answered, ready, account, fold, estimand)
    found = adjusted_difference(
        np.where(answered, outcome, np.nan),
        treated,
        pd.DataFrame({"ready": ready}),
        account,
        estimand=estimand,
        answered=answered,
        folds=fold,
        ridge=0.0,
    )
    assert (found.adjusted.estimate, found.adjusted.std_error) == pytest.approx(expected, abs=1e-7)
    assert found.answered_treated == pytest.approx(answered[treated].mean())


def test_what_would_remove_the_difference_is_told_by_those_who_are_kept_and_answered():
    drawn, found = one("missing answers", "planted")
    adjusted, known = found.adjusted, drawn.answered
    assert adjusted.hidden == hidden_confounder(
        drawn.outcome[known],
        drawn.treated[known],
        drawn.covariates[known],
        estimate=adjusted.estimate,
        conf_low=adjusted.conf_low,
        conf_high=adjusted.conf_high,
    )
    assert adjusted.hidden.strongest == "number"


def test_limits_are_students_on_the_effective_clusters():
    rng = np.random.default_rng(2)
    influence, cluster = rng.normal(size=60) / 60, np.repeat(np.arange(12), 5)
    found = clustered_difference(0.4, influence, cluster, confidence_level=0.9)
    sums = np.array([influence[cluster == label].sum() for label in range(12)])
    degrees = min(3 * (sums**2).sum() ** 2 / (sums**4).sum(), 12) - 1
    assert found.degrees == pytest.approx(degrees)
    assert found.conf_high - 0.4 == pytest.approx(stats.t.ppf(0.95, degrees) * np.sqrt(12 / 11 * (sums**2).sum()))
    assert effective_clusters(np.r_[np.full(5, 1.0), np.zeros(95)]) == pytest.approx(15)


def test_selection_is_what_the_naive_difference_has_too_much():
    found = of_reference("score")
    selection = found.adjusted.selection
    assert selection.estimate == pytest.approx(found.naive.estimate - found.adjusted.estimate)
    assert selection.conf_low > 0  # those who are called were better off before
    apart = np.hypot(found.naive.std_error, found.adjusted.std_error)
    assert 0 < selection.std_error < apart  # both are of the same people


def test_errors_are_the_deviations_of_the_adjusted_difference_and_of_what_selection_made():
    rng, runs = np.random.default_rng(6), 200
    drawn = (study.draw(120, "plain", "planted", rng) for _ in range(runs))
    found = [study.adjusted(each, "plain", rng).adjusted for each in drawn]
    for several in (found, [each.selection for each in found]):
        deviation = np.std([each.estimate for each in several])
        error = np.mean([each.std_error for each in several])
        assert error == pytest.approx(deviation, rel=3.3 / np.sqrt(2 * runs))


def test_the_naive_difference_is_that_of_means():
    known = np.arange(len(PEOPLE)) % 3 > 0
    codes = pd.factorize(PEOPLE["account"])[0]
    found, influence = difference_of_means(OUTCOME["score"], CALLED, known, codes, confidence_level=0.95)
    of = PEOPLE[known].groupby("called")["score"].mean()
    assert found.estimate == pytest.approx(of[1] - of[0])
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    assert (influence[~known] == 0).all()


def test_weights_bring_the_covariates_together():
    balance = one("plain")[1].balance.set_index("covariate")
    assert balance["before"].abs().max() > 0.5
    assert balance["after"].abs().max() < 0.05
    balance = covariate_balance(COVARIATES, CALLED, np.where(CALLED, 1.0, PEOPLE["fold"]))
    balance = balance.set_index("covariate")
    x1 = PEOPLE.groupby("called")["x1"]
    spread = np.sqrt(x1.var(ddof=0).mean())
    assert balance.loc["x1", "before"] == pytest.approx((x1.mean()[1] - x1.mean()[0]) / spread)
    weighted = np.average(PEOPLE["x1"][~CALLED], weights=PEOPLE["fold"][~CALLED])
    assert balance.loc["x1", "after"] == pytest.approx((x1.mean()[1] - weighted) / spread)
    assert covariate_balance(pd.DataFrame({"same": np.ones(4)}), np.array([0, 0, 1, 1], bool))["before"].tolist() == [0]


def test_weights_are_odds_among_the_treated_and_inverse_chances_over_all():
    chance, treated = np.array([0.2, 0.2, 0.99]), np.array([True, False, False])
    kept = chance < 0.98
    assert odds_weights(chance, treated, kept, estimand="treated") == pytest.approx([1, 0.25, 0])
    assert odds_weights(chance, treated, kept, estimand="all") == pytest.approx([5, 1.25, 0])


def one(design, effect="none", seed=3):
    """One made-up company of the study, ten times as large, and the package's answer."""
    rng = np.random.default_rng(seed)
    drawn = study.draw(1200, design, effect, rng)
    return drawn, study.adjusted(drawn, design, rng)


@pytest.mark.parametrize("design", ["plain", "all", "bent outcome", "bent chance", "missing answers"])
def test_confounding_without_effect_is_seen_through(design):
    _, found = one(design)
    assert found.naive.conf_low > 0.4
    assert abs(found.adjusted.estimate) < 3.3 * found.adjusted.std_error
    assert abs(found.adjusted.estimate) < 0.2 * found.naive.estimate


def test_a_true_effect_is_found():
    _, found = one("plain", "planted")
    assert found.adjusted.estimate == pytest.approx(study.truth("plain", "planted"), abs=3.3 * found.adjusted.std_error)
    assert found.adjusted.conf_low > 0


def test_a_negative_control_shows_no_difference_but_where_something_is_hidden():
    """The outcome before the treatment: alike among those who are alike, if all that matters is known."""
    rng = np.random.default_rng(4)
    drawn = study.draw(1200, "plain", "planted", rng)
    before = drawn.outcome - drawn.effect * drawn.treated + rng.normal(size=len(drawn.outcome))
    earlier = study.adjusted(drawn._replace(outcome=before), "plain", rng).adjusted
    assert earlier.conf_low < 0 < earlier.conf_high
    assert study.adjusted(drawn._replace(outcome=before), "hidden", rng).adjusted.conf_low > 0.3


@pytest.mark.parametrize("design", ["plain", "few accounts", "yes or no", "missing answers"])
def test_limits_hold_the_truth_as_often_as_they_say(design):
    runs = 60
    found = study.measure(design, "none", runs)
    assert found["held"] >= 0.93 - 3.3 * np.sqrt(0.93 * 0.07 / runs)
    assert found["found"] <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / runs)
    assert abs(found["bias"]) < 3.3 * found["deviation"] / np.sqrt(runs)


def test_the_order_of_people_and_the_names_of_accounts_do_not_matter():
    shuffled = np.random.default_rng(1).permutation(len(PEOPLE))
    again = adjusted_difference(
        OUTCOME["score"][shuffled],
        CALLED[shuffled],
        COVARIATES.iloc[shuffled],
        "account " + PEOPLE["account"].iloc[shuffled],
        folds=PEOPLE["fold"].to_numpy()[shuffled],
        ridge=0.0,
    )
    assert again.adjusted.estimate == pytest.approx(of_reference("score").adjusted.estimate, abs=1e-9)
    assert again.adjusted.std_error == pytest.approx(of_reference("score").adjusted.std_error, abs=1e-9)


def test_a_category_written_out_in_full_changes_nothing():
    full = COVARIATES.assign(small=(PEOPLE["size"] == "small").astype(float), always=1.0)
    given = {"folds": PEOPLE["fold"].to_numpy(), "ridge": 0.0}
    found = adjusted_difference(OUTCOME["score"], CALLED, full, PEOPLE["account"], **given)
    assert found.adjusted.estimate == pytest.approx(of_reference("score").adjusted.estimate, abs=1e-9)


def test_folds_are_drawn_alike_without_a_generator():
    first, again = (of_reference("score", folds=None).adjusted.estimate for _ in range(2))
    assert first == again != of_reference("score", folds=None, rng=np.random.default_rng(5)).adjusted.estimate


def refused(outcome, treated, account, *, known=None, columns=1, ready=None):
    rng = np.random.default_rng(6)
    covariates = pd.DataFrame({f"x{i}": rng.normal(size=len(treated)) for i in range(columns)})
    if ready is not None:
        covariates["ready"] = ready
    return adjusted_difference(outcome, treated, covariates, account, answered=known)


def test_fewer_than_ten_clusters_an_arm_are_refused():
    ready, treated, account = company(np.random.default_rng(7))
    treated[::5], treated[1::5] = True, False  # somebody of each account
    for arm, name in ((treated & (account < 9), "treated"), (treated | (account >= 9), "untreated")):
        found = refused(ready, arm, account)
        assert found.adjusted is None
        assert found.reason == f"The {name} whose outcome is known are of 9 clusters; 10 are needed."
        assert found.naive is not None
        assert found.overlap is None
    assert refused(ready, treated & (account < 10), account).adjusted is not None
    silent = refused(ready, treated, account, known=~treated | (account < 9))
    assert "treated whose outcome is known are of 9 clusters" in silent.reason


def test_fewer_than_ten_of_either_outcome_an_arm_are_refused():
    _, treated, account = company(np.random.default_rng(7))
    place = np.cumsum(treated)
    for few, word in ((9, "yes"), (9, "no")):
        event = np.where(treated, place <= few, np.arange(300) % 3 == 0)
        outcome = event if word == "yes" else ~event
        found = refused(outcome, treated, account)
        assert found.adjusted is None
        assert found.reason == f"Among the treated the outcome is {word} of 9 people; 10 are needed."
    assert refused(np.where(treated, place <= 10, np.arange(300) % 3 == 0), treated, account).adjusted is not None


def test_fewer_than_five_people_for_each_column_are_refused():
    ready, _, account = company(np.random.default_rng(7))
    treated = (np.arange(300) % 5 == 0) & (account < 24)
    assert refused(ready, treated, account, columns=4).reason == "24 are treated; with 5 columns 25 are needed."
    assert refused(ready, treated, account, columns=3).adjusted is not None


def test_people_unlike_any_other_are_trimmed_and_past_a_fifth_refused():
    rng = np.random.default_rng(9)
    ready, _, account = company(rng, m=200)
    treated = rng.random(1000) < expit(6 * ready)
    found = refused(ready, treated, account, ready=ready)
    assert found.adjusted is None
    assert "of the treated are like hardly anyone of the other arm (propensity beyond 0.98)" in found.reason
    assert found.overlap.trimmed_share > 0.2
    assert found.overlap.outside_support_share > 0
    treated = rng.random(1000) < expit(2 * ready)
    found = refused(ready, treated, account, ready=ready)
    assert 0 < found.overlap.trimmed_share < 0.2
    assert found.population == "the treated who are like some of the untreated"
    assert found.adjusted is not None


def test_over_all_people_whom_nobody_treated_resembles_are_trimmed_too():
    treated = np.arange(8) % 2 == 0
    chance = np.array([0.5, 0.5, 0.01, 0.01, 0.03, 0.98, 0.99, 0.5])
    assert overlap(chance, treated, estimand="all", cut=0.98).kept.tolist() == [1, 1, 0, 0, 1, 1, 0, 1]
    assert overlap(chance, treated, estimand="all", cut=0.98).trimmed_share == 3 / 8
    found = overlap(chance, treated, estimand="treated", cut=0.98)
    assert (found.trimmed_share, found.outside_support_share) == (1 / 4, 1 / 4)
    assert found.kept.tolist() == [1, 1, 1, 1, 1, 1, 0, 1]


def test_an_arm_without_people_has_a_reason_and_no_naive_difference():
    ready, treated, account = company(np.random.default_rng(7))
    found = refused(ready, np.zeros_like(treated), account)
    assert (found.adjusted, found.naive, found.n_treated) == (None, None, 0)
    assert found.reason.startswith("The treated whose outcome is known are of 0 clusters")


def test_what_cannot_be_read_is_an_error():
    ready, treated, account = company(np.random.default_rng(7))
    with pytest.raises(EstimationError, match="Missing of some people: ready"):
        adjusted_difference(ready, treated, pd.DataFrame({"ready": np.where(ready > 2, np.nan, ready)}), account)
    with pytest.raises(EstimationError, match="The folds part a cluster"):
        adjusted_difference(ready, treated, pd.DataFrame({"ready": ready}), account, folds=np.arange(300) % 5)
    with pytest.raises(EstimationError, match="An outcome is missing of somebody who is said to have answered"):
        adjusted_difference(np.where(ready > 2, np.nan, ready), treated, pd.DataFrame({"ready": ready}), account)
    with pytest.raises(EstimationError, match="As many of each are needed: 299 outcome, 300 treated"):
        adjusted_difference(ready[1:], treated, pd.DataFrame({"ready": ready}), account)
