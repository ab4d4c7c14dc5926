"""What silence adds to predictions: measures against other software, no peeking, leaks refused, truth, the list."""

import json
import re

import lightgbm
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss
from statsmodels.api import Logit

from calibration import nonresponse_value as calibration
from calibration.nonresponse_value import made_up_tables, study_of
from nps_research.counting.landmarks import landmarks_of
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.silence import check_features, nonresponse_value, watch_list
from nps_research.silence.enough import MOST_CATEGORIES
from nps_research.silence.value.churn_models import LEARNERS, Encoding, contributions, fit_boosted, predict
from nps_research.silence.value.features import features_of
from nps_research.silence.value.out_of_time import shuffle_silence, time_folds
from nps_research.silence.value.value import LOSS
from nps_research.silence.value.watch_list import _in_words, _reasons
from nps_research.statistics.logistic import ridge_logistic
from nps_research.statistics.prediction_metrics import MEASURES, compare_predictions
from nps_research.study.study import Study

RUNS = pd.read_csv(calibration.TABLE)


@pytest.fixture(scope="module")
def tables():
    return made_up_tables("direct", 600, np.random.default_rng(2))


@pytest.fixture(scope="module")
def study(tables):
    return study_of(*tables)


@pytest.fixture(scope="module")
def value(study):
    return nonresponse_value(study, n_shuffles=2)


@pytest.fixture(scope="module")
def company():
    drawn = simulate_study(Truth(n_accounts=350), rng=np.random.default_rng(4))
    return Study.from_frames(
        responses=drawn.responses.drop(columns="comment"),
        customers=drawn.customers,
        segments=["region"],
        settings={"cluster": "account_id", "outcome_horizon_days": 180},
        made_up=True,
    )


# --- measures


def predictions(seed=1, n=1500, ties=False):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, n // 4, n)
    habit = rng.normal(0, 0.8, n // 4)[cluster]
    first, second = rng.standard_normal((2, n))
    y = (rng.random(n) < expit(-2 + 0.8 * first + 0.8 * second + habit)).astype(float)
    without, more = expit(-2 + first), expit(-2.1 + 0.8 * first + 0.7 * second)
    if ties:
        without, more = (np.clip(part.round(1), 0.05, 0.95) for part in (without, more))
    return y, without, more, {"wave": rng.integers(0, 3, n), "cluster": cluster, "confidence_level": 0.95}


@pytest.mark.parametrize("ties", [False, True])
def test_measures_are_those_of_scikit_learn_and_statsmodels(ties):
    y, without, _, same = predictions(ties=ties)
    found = {name: measure(y, without, same["wave"])[0] for name, (measure, _) in MEASURES.items()}
    assert found["log loss"] == pytest.approx(sklearn_log_loss(y, without), abs=1e-12)
    assert found["AUC"] == pytest.approx(roc_auc_score(y, without), abs=1e-12)
    assert found["average precision"] == pytest.approx(average_precision_score(y, without), abs=1e-12)
    slope = Logit(y, np.column_stack([np.ones(len(y)), logit(without)])).fit(disp=0).params[1]
    assert found["calibration slope"] == pytest.approx(slope, abs=1e-6)
    assert found["predicted minus observed"] == pytest.approx(without.mean() - y.mean(), abs=1e-12)


def test_top_tenth_by_brute_force():
    y, without, _, _ = predictions()
    wave = np.repeat([0, 1, 2], 500)
    taken = 0
    for each in range(3):
        rows = sorted((row for row in range(len(y)) if wave[row] == each), key=lambda row: -without[row])
        taken += sum(y[row] for row in rows[:50])
    assert MEASURES["leavers in the top tenth"][0](y, without, wave)[0] == pytest.approx(taken / y.sum())


def test_leavers_of_equal_prediction_are_shared_out():
    y, wave = np.r_[np.ones(20), np.zeros(80)], np.zeros(100, dtype=int)
    assert MEASURES["leavers in the top tenth"][0](y, np.full(100, 0.2), wave)[0] == pytest.approx(0.1)


def test_standard_errors_are_those_of_resampled_clusters():
    y, without, more, same = predictions()
    found = compare_predictions(y, without, more, **same).set_index("term")
    rng = np.random.default_rng(5)
    members = pd.Series(range(len(y))).groupby(same["cluster"]).indices
    of_cluster = list(members.values())
    drawn = []
    for _ in range(300):
        rows = np.concatenate([of_cluster[place] for place in rng.integers(0, len(of_cluster), len(of_cluster))])
        drawn.append(
            {
                name: measure(y[rows], more[rows], same["wave"][rows])[0]
                - measure(y[rows], without[rows], same["wave"][rows])[0]
                for name, (measure, _) in MEASURES.items()
            }
        )
    ratio = found["std_error"] / pd.DataFrame(drawn).std()
    assert ((ratio > 0.85) & (ratio < 1.15)).all(), ratio


def test_limits_are_at_the_level_and_p_is_that_more_is_no_better():
    y, without, more, same = predictions()
    found = compare_predictions(y, without, more, **same | {"confidence_level": 0.9}).set_index("term")
    np.testing.assert_allclose(found["conf_high"] - found["estimate"], stats.norm.ppf(0.95) * found["std_error"])
    for term, better in (("log loss", -1), ("AUC", 1)):
        row = found.loc[term]
        assert row["p_value"] == pytest.approx(stats.norm.sf(better * row["estimate"] / row["std_error"]))


def test_influences_sum_to_nothing_and_equal_predictions_differ_by_nothing():
    y, without, _, same = predictions(ties=True)
    for name, (measure, _) in MEASURES.items():
        if name != "leavers in the top tenth":  # that line is estimated from those near it
            assert measure(y, without, same["wave"])[1].sum() == pytest.approx(0, abs=1e-8), name
    found = compare_predictions(y, without, without, **same)
    assert (found["estimate"] == 0).all()
    assert (found["p_value"].dropna() == 1).all()


def test_ridge_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, 6))
    y = (rng.random(300) < expit(x[:, 0] * 3 - 2)).astype(float)
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(x, y)
    design = np.column_stack([np.ones(len(y)), x])
    found = ridge_logistic(design, y, ridge=1.0)[0]
    np.testing.assert_allclose(found, np.r_[model.intercept_, model.coef_[0]], atol=1e-5)
    apart = (x[:, 0] > 0).astype(float)  # perfectly told apart: the ridge holds
    assert np.isfinite(ridge_logistic(50 * design, apart, ridge=5.0)[0]).all()


# --- no peeking


def test_models_learn_only_from_what_was_over_before(study):
    landmarks = landmarks_of(study)
    rows, folds = landmarks.rows, time_folds(landmarks)
    assert [rows["period"].iloc[test[0]] for _, test in folds] == ["w2", "w3", "w4", "w5"]
    for train, test in folds:
        over = rows["landmark"].iloc[train] + pd.Timedelta(days=180)
        assert over.max() <= rows["landmark"].iloc[test].min()
        assert rows["period"].iloc[test].nunique() == 1
        assert rows["is_complete"].iloc[np.r_[train, test]].all()


def test_what_happens_later_changes_no_earlier_feature(tables):
    responses, customers = tables
    before = landmarks_of(study_of(responses, customers))
    later = responses["wave"] >= "w3"
    other = responses.assign(
        responded=responses["responded"].mask(later, ~responses["responded"]),
        likelihood_to_recommend=responses["likelihood_to_recommend"]
        .mask(later, 0)
        .where(~later | ~responses["responded"]),
    )
    after = landmarks_of(study_of(other, customers))
    assert len(before.rows) == len(after.rows)
    features = [features_of(each).numbers[(each.rows["period"] < "w3").to_numpy()] for each in (before, after)]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in features))


def test_outcomes_that_were_not_over_change_no_prediction(study):
    landmarks = landmarks_of(study)
    features, event = features_of(landmarks), landmarks.rows["event"].to_numpy()
    train, test = time_folds(landmarks)[1]
    other = ~event
    other[train] = event[train]
    for learner in LEARNERS:
        encoding = Encoding.of(features, (*features.baseline, *features.silence), train)
        np.testing.assert_array_equal(predict(learner, encoding, event, test), predict(learner, encoding, other, test))


def test_shuffled_silence_stays_together_and_within_its_wave(study):
    landmarks = landmarks_of(study)
    features, period = features_of(landmarks), landmarks.rows["period"]
    other, silence = shuffle_silence(features, period, np.random.default_rng(1)), list(features.silence)
    pd.testing.assert_frame_equal(other.numbers.drop(columns=silence), features.numbers.drop(columns=silence))
    for wave in period.unique():
        rows = (period == wave).to_numpy()
        before, after = (each.numbers.loc[rows, silence].sort_values(silence) for each in (features, other))
        np.testing.assert_array_equal(before.to_numpy(), after.to_numpy())
        assert not other.numbers.loc[rows, "silent"].equals(features.numbers.loc[rows, "silent"])


# --- the answer


def test_planted_silence_adds(value):
    assert value.verdict == "adds"
    row = value.row("leavers in the top tenth")
    assert row["with"] - row["without"] == pytest.approx(row["estimate"])
    assert row["conf_low"] > 0
    assert all(abs(change) < 0.01 for _, change in value.shuffled)
    assert set(value.frame["added"]) == {"silence", "silence and scores", "silence shuffled"}


def test_score_without_silence_is_not_silence():
    """Only what is said goes with leaving: the silence adds nothing, silence and scores do."""
    rng = np.random.default_rng(3)
    responses, customers = made_up_tables("noise", 700, rng)
    left = responses["respondent_id"].map(customers.set_index("customer_id")["churned_at"])
    soon = left - responses["invited_at"] < pd.Timedelta(days=194)
    answered = responses["likelihood_to_recommend"].notna()
    responses["likelihood_to_recommend"] = responses["likelihood_to_recommend"].mask(answered & soon, 2)
    found = nonresponse_value(study_of(responses, customers), n_shuffles=1)
    assert found.verdict != "adds"
    assert found.row(LOSS, added="silence and scores")["estimate"] < -0.05


def test_accounts_and_their_display(company):
    found = nonresponse_value(company, n_shuffles=1)
    assert found.verdict == "adds"
    assert found.unit == "account"
    assert re.search(r"The tenth of accounts .* held \d+% .*, [\d.]+% without", found.in_words)
    assert "cause" not in f"{found.in_words} {found.note} {found.contributions.in_words} {found.contributions.note}"
    for each in (found, found.contributions):
        assert each.to_json()["rows"]
        assert "image/svg" in each._repr_mimebundle_()["text/html"]
        json.dumps(each.to_json())
    axes = found.plot()
    assert len(axes.get_yticklabels()) == 2  # of the boosted and the logistic model, nothing that takes an expert
    pairs = found.row("AUC")
    assert f"the leaver has the higher risk {100 * pairs['with']:.0f} times in 100" in found.details
    assert "AUC" not in f"{found.in_words} {found.alt}"
    assert axes.get_lines()[1].get_xdata()[0] == pytest.approx(100 * found.row("leavers in the top tenth")["with"])
    assert "silent_share" in set(found.contributions.frame["feature"])
    assert "by_feature" not in found.settings


def test_same_data_same_numbers_in_any_order(tables, value):
    responses, customers = tables
    mixed = study_of(responses.sample(frac=1, random_state=1), customers.sample(frac=1, random_state=2))
    found = nonresponse_value(mixed, n_shuffles=2)
    pd.testing.assert_frame_equal(found.frame, value.frame, rtol=1e-9)


def test_contributions_add_up_to_the_prediction(study):
    landmarks = landmarks_of(study)
    features, event = features_of(landmarks), landmarks.rows["event"].to_numpy()
    train, test = time_folds(landmarks)[-1]
    encoding = Encoding.of(features, (*features.baseline, *features.silence), train)
    booster = fit_boosted(encoding, event)
    assert isinstance(booster, lightgbm.Booster)
    raw = booster.predict(encoding.matrix(test), raw_score=True)
    rest = raw - contributions(booster, encoding, test).sum(axis=1).to_numpy()
    assert np.ptp(rest) < 1e-9


def test_missing_and_unseen_values_are_lived_with(tables):
    responses, customers = tables
    rng = np.random.default_rng(1)
    late = customers["customer_id"].isin(responses.loc[responses["wave"] == "w5", "respondent_id"])
    customers = customers.assign(
        revenue=customers["revenue"].mask(rng.random(len(customers)) < 0.3),
        started_at=customers["started_at"].mask(rng.random(len(customers)) < 0.3),
        region=customers["region"].mask(late & (rng.random(len(customers)) < 0.2), "new"),
    )
    assert nonresponse_value(study_of(responses, customers), n_shuffles=0).verdict == "adds"
    bare = nonresponse_value(
        Study.from_frames(
            responses=responses.drop(columns="delivered"), customers=customers.drop(columns=["revenue", "started_at"])
        ),
        n_shuffles=0,
    )
    assert bare.beyond == ("how often the survey came",)
    assert "cannot be told apart" in bare.in_words
    assert bare.to_json()["note"]


def test_many_categories_are_held_in_check(tables):
    responses, customers = tables
    crowded = customers.assign(region=[f"r{place % 60}" for place in range(len(customers))])
    landmarks = landmarks_of(study_of(responses, crowded))
    features = features_of(landmarks)
    encoding = Encoding.of(features, features.baseline, np.arange(len(landmarks.rows)))
    assert 0 < sum(name == "region" for name in encoding.columns) <= MOST_CATEGORIES


# --- leaks


def own_features(study, **more):
    owners = landmarks_of(study).owners
    at_risk = owners[~(owners["churned_at"] <= owners["landmark"])].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "customer_id": at_risk["id"],
            "wave": at_risk["period"],
            "known_at": at_risk["landmark"].dt.normalize(),
            "visits": np.arange(len(at_risk)) % 17,
        }
    )
    return table.assign(**{name: make(at_risk, table) for name, make in more.items()})


def test_own_features_are_in_the_baseline(study):
    table = own_features(study, plan=lambda at_risk, _: np.where(at_risk.index % 2, "gold", "basic"))
    found = nonresponse_value(study, extra_features=table, n_shuffles=0)
    assert {"visits", "plan"} <= set(found.beyond)
    assert found.verdict == "adds"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        # what is worked out from the leaving, with its true date
        (
            lambda table, at: table.assign(known_at=at["churned_at"].fillna(table["known_at"])),
            "dated after the landmark",
        ),
        (lambda table, at: table.assign(known_at=at["churned_at"]), "have no date in 'known_at'"),
        (lambda table, _: table.drop(columns="known_at"), "there is no column 'known_at'"),
        (lambda table, _: table.assign(known_at=table["known_at"].astype("str")), "must hold dates"),
        (lambda table, _: table.assign(known_at=table["known_at"].dt.tz_localize("UTC")), "without a time zone"),
        (lambda table, _: table.rename(columns={"customer_id": "customer"}), "'customer_id'"),
        (lambda table, _: pd.concat([table, table.head(3)]), "3 rows repeat"),
        (lambda table, _: table.rename(columns={"visits": "tenure"}), "tenure are taken"),
        (lambda table, _: table.drop(columns="visits"), "there is no feature"),
        (lambda table, _: table.drop_duplicates("customer_id").assign(wave="w99"), "is in this study"),
        (lambda table, _: table.drop_duplicates("customer_id", keep="last").drop(columns="wave"), "dated after"),
    ],
)
def test_leaks_and_mistakes_are_refused(study, change, says):
    owners = landmarks_of(study).owners
    at_risk = owners[~(owners["churned_at"] <= owners["landmark"])].reset_index(drop=True)
    with pytest.raises(ContractError, match=re.escape(says)) as caught:
        nonresponse_value(study, extra_features=change(own_features(study), at_risk))
    assert not re.search(r"c\d{6}|20\d\d-\d\d", str(caught.value))


def test_customers_gone_at_the_landmark_are_refused(study):
    owners = landmarks_of(study).owners
    invited = owners.iloc[0]
    table = pd.DataFrame(
        {
            "landmark": [invited["landmark"]] * 2,
            "known_at": [invited["landmark"] - pd.Timedelta(days=5)] * 2,
            "churned_at": [invited["landmark"] - pd.Timedelta(days=1), pd.NaT],
            "visits": [1.0, 2.0],
        }
    )
    for left in (table["churned_at"], table["landmark"].where(table["churned_at"].notna())):  # at the landmark, too
        with pytest.raises(ContractError, match="1 of 2 rows are of customers who had left"):
            check_features(table.assign(churned_at=left), ["visits"])
    check_features(table.tail(1), ["visits"])
    late = table.tail(1).assign(calls=[1.0], visits=np.nan, known_at=invited["landmark"] + pd.Timedelta(days=1))
    with pytest.raises(ContractError, match="“calls” are dated after"):
        check_features(late, ["visits", "calls"])


def test_own_rows_of_the_gone_are_refused(tables):
    responses, customers = tables
    last = responses.sort_values("wave").drop_duplicates("respondent_id", keep="last").head(5)
    gone = last.set_index("respondent_id")["invited_at"] + pd.Timedelta(days=2)
    left = customers["customer_id"].map(gone)
    study = study_of(responses, customers.assign(churned_at=left.fillna(customers["churned_at"])))
    owners = landmarks_of(study).owners
    table = pd.DataFrame(
        {"customer_id": owners["id"], "wave": owners["period"], "known_at": owners["landmark"], "visits": 1.0}
    )
    with pytest.raises(ContractError, match=r"5 of .* rows are of customers who had left by the landmark"):
        nonresponse_value(study, extra_features=table)


# --- bad input


def test_what_cannot_be_answered_says_why(tables):
    responses, customers = tables
    first = responses["wave"] == "w0"

    def refuses(says, responses=responses, customers=customers, **more):
        with pytest.raises(CannotAnswerError, match=says):
            nonresponse_value(study_of(responses, customers), **more)

    refuses("one wave only", responses[first])
    refuses("one wave only", responses.drop(columns=["wave"])[first])
    refuses("No wave came after another one's 180 days were over", responses[responses["wave"] <= "w1"])
    refuses("does not record when the customer left", customers=customers.assign(churned_at=pd.NaT))
    stays = customers["observed_until"].where(customers.index == 0)
    refuses("nobody left within them", customers=customers.assign(churned_at=stays))
    refuses("Nobody is known to have been silent", responses[responses["responded"]])
    stays = customers["churned_at"].isna() | (customers.index < 30)
    kept = responses["respondent_id"].isin(customers.loc[stays, "customer_id"])
    refuses("at least 20 of each are needed", responses[kept], customers[stays])
    refuses("2,000 days", horizon_days=2000)


def test_everybody_left(tables):
    responses, customers = tables
    waves = responses[responses["wave"].isin(["w0", "w5"])]
    of = waves.drop_duplicates("respondent_id", keep="last").set_index("respondent_id")["invited_at"]
    gone = customers["customer_id"].map(of) + pd.Timedelta(days=40)
    ends = (waves["wave"] == "w5") | ~waves["respondent_id"].duplicated(keep=False)
    with pytest.raises(CannotAnswerError, match="everybody left within them"):
        nonresponse_value(study_of(waves[ends], customers.assign(churned_at=gone)))


# --- the list


def test_watch_list_is_of_the_silent_who_stay(tables, study):
    responses, customers = tables
    listed = watch_list(study)
    people = listed.people.merge(customers, on="customer_id", suffixes=("", "_known"))
    last = responses.drop_duplicates("respondent_id", keep="last").set_index("respondent_id")
    assert len(people) == len(listed.people) > 20
    assert people["churned_at"].isna().all()
    assert not last.loc[people["customer_id"], "responded"].any()
    stays = customers["churned_at"].isna() & ~customers["customer_id"].map(last["responded"]).astype(bool)
    assert len(people) == stays.sum()
    assert listed.people["revenue_at_risk"].is_monotonic_decreasing
    np.testing.assert_allclose(people["revenue_at_risk"], people["predicted_risk"] * people["revenue_known"], rtol=0.02)
    assert (listed.people["reasons"].str.count(";") <= 2).all()
    assert listed.people["reasons"].str.contains("silent").mean() > 0.5


def test_who_was_silent_before_the_last_wave_only_is_not_on_the_list(tables):
    responses, customers = tables
    early = responses.drop_duplicates("respondent_id").iloc[:200]["respondent_id"]
    kept = ~responses["respondent_id"].isin(early) | (responses["wave"] == "w0")
    listed = watch_list(study_of(responses[kept], customers))
    assert set(listed.people["wave"]) == {"w5"}
    assert not listed.people["customer_id"].isin(early).any()
    assert "silent in w5 and not known to have left" in listed.finding


def test_who_spoke_at_a_landmark_that_nobody_was_watched_after_is_not_on_the_list(tables):
    responses, customers = tables
    ends = customers["observed_until"].min() - pd.Timedelta(days=819 - 4 * 91 - 60)  # before the landmark of w5
    customers = customers.assign(
        observed_until=ends, churned_at=customers["churned_at"].where(customers["churned_at"] < ends)
    )
    study = Study.from_frames(
        responses=responses,
        customers=customers,
        settings={"outcome_horizon_days": 180, "response_window_days": 14, "data_until": "2025-01-01"},
    )
    assert "w5" not in set(landmarks_of(study).rows["period"])
    listed = watch_list(study).people
    asked = responses[responses["wave"] == "w5"].set_index("respondent_id")["responded"]
    answered = listed["customer_id"].map(asked).fillna(value=False).astype(bool)
    assert len(listed) > 20
    assert not answered.any()


def test_the_list_learns_nothing_from_landmarks_that_are_not_over(tables):
    responses, customers = tables
    last = responses["invited_at"].max() + pd.Timedelta(days=14)
    ends, left = last + pd.Timedelta(days=40), customers["churned_at"]
    risks = []
    for until in (ends, last):  # who left after the last landmark, within the 60 days that were not over; or nobody did
        known = customers.assign(observed_until=ends, churned_at=left.where(left <= until))
        study = Study.from_frames(
            responses=responses, customers=known, settings={"outcome_horizon_days": 60, "data_until": ends.date()}
        )
        risks.append(watch_list(study).people.set_index("customer_id")["predicted_risk"])
    assert 20 < len(risks[0]) < len(risks[1])
    pd.testing.assert_series_equal(risks[1][risks[0].index], risks[0])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("answered_before", 1.0, "answered before, then went quiet"),
        ("answered_before", 0.0, "never answered before"),
        ("tenure", 4.0, "short tenure (4 months)"),
        ("tenure", 90.0, "long tenure (90 months)"),
        ("log_revenue", 5.0, "small revenue"),
        ("log_revenue", 12.0, "large revenue"),
        ("log_revenue", np.nan, "revenue not known"),
        ("earlier_answer_share", 0.25, "answered 1 of 4 earlier surveys"),
        ("decision_maker_silent", 0.0, ""),
        ("region", 0.0, "region: north"),
    ],
)
def test_reasons_say_what_is_known(name, value, words):
    said = pd.Series({"n_earlier": 4, "region": "north"})
    assert _in_words(name, pd.Series({name: value}), said, pd.Series({"tenure": 40.0, "log_revenue": 9.0})) == words


def test_reasons_stand_by_strength_and_what_adds_next_to_nothing_or_takes_off_is_none():
    moved = pd.DataFrame({"tenure": [0.1], "log_revenue": [0.5], "answered_before": [0.01], "last_score": [-0.9]})
    numbers = pd.DataFrame({"tenure": [90.0, 10], "log_revenue": [12.0, 6], "answered_before": 0.0, "last_score": 3.0})
    chosen = pd.DataFrame({"n_earlier": [0]})
    assert _reasons(moved, numbers, chosen, 3) == ["large revenue; long tenure (90 months)"]
    assert _reasons(moved, numbers, chosen, 1) == ["large revenue"]


def test_watch_list_shows_no_one(study, company):
    for listed in (watch_list(study), watch_list(company)):
        ids = listed.people.iloc[:, 0]
        shown = json.dumps(listed.to_json()) + json.dumps(listed._repr_mimebundle_())
        assert not [each for each in ids if each in shown]
        assert f"{len(ids):,}" in listed.finding


def test_watch_list_without_revenue(tables):
    responses, customers = tables
    listed = watch_list(study_of(responses, customers.drop(columns="revenue"))).people
    assert not {"revenue", "revenue_at_risk"} & set(listed)
    assert listed["predicted_risk"].is_monotonic_decreasing


# --- calibration


def declared(kinds, sizes):
    rows = RUNS[RUNS["kind"].isin(kinds) & RUNS["n"].isin(sizes)]
    return (rows["verdict"] == "adds").mean(), len(rows)


@pytest.mark.parametrize("kind", calibration.NOTHING)
def test_value_is_not_declared_where_there_is_none(kind):
    share, runs = declared([kind], [800, calibration.LARGE])
    assert runs >= 21
    assert share <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("kind", "n"), [("direct", 800), ("demo", 1200)])
def test_planted_value_is_found(kind, n):
    share, runs = declared([kind], [n])
    assert runs == 20
    assert share >= 0.9


def test_the_table_is_whole_and_the_package_still_gives_it():
    cells = [(row["kind"], row["n"], row["number"]) for row in calibration.CELLS]
    assert list(RUNS[["kind", "n", "number"]].itertuples(index=False, name=None)) == cells
    again = calibration.measure("curved", 800, 3)
    row = RUNS[(RUNS["kind"] == "curved") & (RUNS["n"] == 800) & (RUNS["number"] == 3)].iloc[0]
    assert row["verdict"] == again["verdict"]
    assert row["logistic_estimate"] == pytest.approx(again["logistic_estimate"], abs=2e-5)


def test_without_delivery_value_contributions_and_list_say_that_silence_may_be_a_wrong_address():
    truth = Truth(n_accounts=250)
    company = simulate_study(truth, rng=np.random.default_rng(4))
    responses = company.responses.drop(columns=["comment", "delivered", *truth.drivers])
    study = Study.from_frames(responses=responses, customers=company.customers, made_up=True)
    value = nonresponse_value(study, n_shuffles=1)
    for result in (value, value.contributions, watch_list(study)):
        assert "cannot be told apart" in result.in_words
