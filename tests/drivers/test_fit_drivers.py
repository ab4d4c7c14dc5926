"""Driver models: what adds up, what is found where the truth is known, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nps_research.drivers.fit_drivers import fit_drivers, fit_drivers_from_frame
from nps_research.drivers.fitting.cross_fit import cross_fit, points_at_stake
from nps_research.drivers.fitting.data import data_of_frame
from nps_research.drivers.fitting.resampling import resample
from nps_research.errors import CannotAnswerError, ContractError, EstimationError
from nps_research.statistics.boosting import folds_of_clusters, side_by_side
from nps_research.statistics.rank_limits import rank_limits
from nps_research.study.study import Study
from tests.support.made_up_ratings import TERMS, fitted_model, fitted_study, fitted_to_one_rating, made_up_ratings


def test_baseline_and_contributions_are_the_prediction_of_everybody():
    model = fitted_model()
    whole = model.baseline + model.contributions.sum(axis=1)
    assert np.abs(whole - model.predictions).max() < 1e-6
    parts = model.promoter_contributions + model.detractor_contributions
    assert np.abs(parts - model.contributions).to_numpy().max() < 1e-9
    assert model.contributions.shape == (1600, len(TERMS))


def test_predictions_are_those_of_trees_that_did_not_see_the_respondent_nor_their_cluster():
    data = fitted_model().data
    fold = folds_of_clusters(data.cluster, np.random.default_rng(1))
    assert all(len(set(fold[data.cluster == cluster])) == 1 for cluster in range(50))
    fit = cross_fit(data, fold)
    changed = data.y.copy()
    changed[:, fold == 2] = changed[:, fold == 2][:, ::-1]
    again = cross_fit(data_with(data, changed), fold)
    assert again.contributions[:, fold == 2] == pytest.approx(fit.contributions[:, fold == 2], abs=1e-12)
    assert again.contributions[:, fold == 1] != pytest.approx(fit.contributions[:, fold == 1], abs=1e-3)


def data_with(data, y):
    from dataclasses import replace

    return replace(data, y=y)


def test_predicted_nps_is_the_observed_one_overall_and_in_tenths():
    model = fitted_model()
    assert model.baseline == pytest.approx(model.observed.mean(), abs=1e-9)
    assert model.predictions.mean() == pytest.approx(model.observed.mean(), abs=0.5)
    tenth = pd.qcut(model.predictions.rank(method="first"), 10, labels=False)
    gap = (model.observed - model.predictions).groupby(tenth)
    assert (gap.mean().abs() < 4 * gap.std() / np.sqrt(160)).all()


def test_the_frame_has_a_row_a_driver_that_hangs_together():
    frame = fitted_model().frame
    assert sorted(frame["term"]) == sorted(TERMS)
    assert frame["estimate"].to_numpy() == pytest.approx(
        (frame["promoter_points"] + frame["detractor_points"]).to_numpy()
    )
    assert frame["estimate"].abs().is_monotonic_decreasing
    assert (frame["conf_high"] - frame["estimate"]).to_numpy() == pytest.approx(
        1.959964 * frame["std_error"].to_numpy()
    )
    assert (frame["rank_low"] <= frame["rank_high"]).all()
    assert frame["rank_low"].iloc[0] == 1
    assert frame["p_adjusted"].ge(frame["p_value"]).all()
    top = made_up_ratings(1600, waves=True)[0]
    assert frame.set_index("term").loc["must-be", "n"] == top["must-be"].notna().sum()
    assert frame.set_index("term").loc["must-be", "mean_rating"] == pytest.approx(top["must-be"].mean())
    assert frame.set_index("term").loc["must-be", "top_box_share"] == pytest.approx(
        (top["must-be"].dropna() == 5).mean()
    )


def test_planted_drivers_are_above_noise_and_the_idle_are_not():
    known = fitted_model().frame.set_index("term")["above_noise"]
    assert known[["delivery", "must-be", "delighter"]].all()
    assert not known[["idle", "newsletter"]].any()


def test_a_must_be_keeps_from_detractors_more_than_it_makes_promoters():
    row = fitted_model().frame.set_index("term").loc["must-be"]
    assert row["detractor_points"] > 2 * row["promoter_points"] > 0


def test_points_at_stake_are_means_at_good_minus_means_at_poor_ratings():
    model = fitted_model(weighted=True)
    ratings = made_up_ratings(1600, waves=True)[0]
    weights = np.linspace(0.5, 2.0, 1600)
    for term in TERMS:
        value = model.contributions[term].to_numpy()
        good, poor = (ratings[term] == 5).to_numpy(), (ratings[term] <= 3).to_numpy()
        expected = np.average(value[good], weights=weights[good]) - np.average(value[poor], weights=weights[poor])
        assert model.frame.set_index("term").loc[term, "estimate"] == pytest.approx(expected)
    assert model.baseline == pytest.approx(np.average(model.observed, weights=weights))


def test_weights_that_are_all_alike_change_nothing(few_resamples):
    ratings, answer, account, _ = made_up_ratings(200)
    plain, weighted = (
        fit_drivers_from_frame(ratings, answer, cluster=account, weights=weights, n_resamples=few_resamples)
        for weights in (None, np.full(200, 7.0))
    )
    assert plain.frame["estimate"].tolist() == weighted.frame["estimate"].tolist()
    assert plain.frame["std_error"].tolist() == weighted.frame["std_error"].tolist()
    assert not weighted.weighted


def test_a_rating_turned_round_turns_its_sign():
    ratings, answer, *_ = made_up_ratings(1000)
    fits = []
    for turned in (ratings, ratings.assign(delivery=6 - ratings["delivery"])):
        data = data_of_frame(turned, answer)
        fits.append((data, cross_fit(data, folds_of_clusters(data.cluster, np.random.default_rng(3)))))
    (_, plain), (_, turned) = fits
    assert turned.contributions == pytest.approx(plain.contributions, abs=1e-6)
    assert points_at_stake(*[fits[0][0], plain.contributions]).sum(axis=0)[0] > 10
    assert points_at_stake(*[fits[1][0], turned.contributions]).sum(axis=0)[0] < -10


def test_copies_of_a_respondent_are_one_cluster_in_a_resample():
    data = fitted_model().data
    times = np.random.default_rng(1).multinomial(data.n_clusters, np.full(data.n_clusters, 1 / data.n_clusters))[
        data.cluster
    ]
    drawn = data.rows(times > 0, times=times[times > 0].astype(float))
    assert len(drawn) == (times > 0).sum()
    assert drawn.weights.mean() == pytest.approx(1)
    assert drawn.weights == pytest.approx(times[times > 0] / times[times > 0].mean())
    fold = folds_of_clusters(drawn.cluster, np.random.default_rng(2))
    assert pd.Series(fold).groupby(drawn.cluster).nunique().eq(1).all()


def test_clusters_widen_the_intervals_where_they_are_alike():
    ratings, answer, *_ = made_up_ratings(150)
    six_times = pd.concat([ratings] * 6, ignore_index=True)
    draws = []
    for cluster in (np.tile(np.arange(150), 6), None):
        data = data_of_frame(six_times, np.tile(answer, 6), cluster=cluster)
        draws.append(resample(data, n_resamples=20, rng=np.random.default_rng(1)).points.sum(axis=1).std(axis=0).mean())
    assert draws[0] > 1.5 * draws[1]


def test_ranks_hold_all_together():
    rng = np.random.default_rng(1)
    estimate = np.array([30.0, 20.0, 19.5, 0.0])
    draws = estimate + rng.normal(0, 1, (200, 4))
    low, high = rank_limits(estimate, draws, confidence_level=0.95, rng=rng)
    assert low.tolist() == [1, 2, 2, 4]
    assert high.tolist() == [1, 3, 3, 4]
    one = rank_limits(np.array([3.0]), np.ones((20, 1)), confidence_level=0.95, rng=rng)
    assert one.ravel().tolist() == [1, 1]


def test_ranks_are_right_together_as_often_as_they_say(monkeypatch):
    # of each of 300: what is left of chance in them averages out
    monkeypatch.setattr("nps_research.statistics.rank_limits.N_DRAWS", 2_000)
    rng = np.random.default_rng(2)
    truth = np.array([6.0, 5.0, 4.5, 1.0, 0.0])
    spread = np.linalg.cholesky(0.5 * np.eye(5) + 0.5)
    held = 0
    for _ in range(300):
        estimate = truth + spread @ rng.standard_normal(5)
        draws = estimate + rng.standard_normal((100, 5)) @ spread.T
        low, high = rank_limits(estimate, draws, confidence_level=0.9, rng=rng)
        held += bool(((low <= np.arange(1, 6)) & (np.arange(1, 6) <= high)).all())
    assert held / 300 >= 0.9 - 3.3 * np.sqrt(0.09 / 300)


def test_a_study_gives_what_its_tables_give_and_the_same_seed_the_same_numbers():
    study, model = fitted_study()  # fitted for itself, with the seed of the other
    pd.testing.assert_frame_equal(model.frame, fitted_model().frame)
    assert model.predictions.equals(fitted_model().predictions)
    assert model.n_clusters == 800
    assert study.driver_scale == (1, 5)


def test_respondents_do_not_travel():
    _, model = fitted_study()
    bundle = str(model._repr_mimebundle_())
    assert "R00" not in bundle
    assert set(model.settings).isdisjoint({"data", "fit", "draws", "summary"})
    assert max(len(row) for row in model.to_json()["rows"]) < 40


@pytest.mark.parametrize(
    ("scale", "good", "poor"),
    [((0, 10), 9, 6), ((1, 5), 5, 3), ((1, 7), 7, 4), ((1, 10), 9, 6), ((1, 4), 4, 2), ((1, 3), 3, 2)],
)
def test_good_and_poor_follow_the_scale(scale, good, poor):
    rng = np.random.default_rng(1)
    ratings = pd.DataFrame({"a": rng.integers(scale[0], scale[1] + 1, 300)})
    data = data_of_frame(ratings, rng.integers(0, 11, 300), scale=scale)
    assert (data.good, data.poor) == (good, poor)
    own = data_of_frame(ratings, rng.integers(0, 11, 300), scale=scale, good=scale[1], poor=scale[0])
    assert (own.good, own.poor) == (scale[1], scale[0])


# What cannot feed a model


def frame_of(n=300, p=3, seed=1):
    rng = np.random.default_rng(seed)
    ratings = pd.DataFrame(rng.integers(1, 6, (n, p)).astype(float), columns=list("abcdefgh")[:p])
    return ratings, (2 * ratings["a"] + rng.integers(-1, 2, n)).clip(0, 10).to_numpy()


def test_a_driver_rated_alike_by_all_or_rated_by_nobody_cannot_be_told(few_resamples):
    ratings, answer = frame_of()
    model = fit_drivers_from_frame(ratings.assign(b=4.0, c=np.nan), answer, n_resamples=few_resamples)
    rows = model.frame.set_index("term")
    assert rows.loc[["b", "c"], "estimate"].isna().all()
    assert [rows.loc[term, "above_noise"] for term in "bc"] == [pd.NA, pd.NA]
    assert rows.loc["c", "n"] == 0
    assert "Too few good or too few poor ratings to put points to: b and c." in model.in_words
    assert rows.loc["a", "above_noise"]
    assert model.shown["verdict"].tolist().count("cannot tell") == 2


def test_two_drivers_that_are_the_same_are_told_only_together(few_resamples):
    ratings, answer = frame_of()
    model = fit_drivers_from_frame(ratings.assign(twin=ratings["a"]), answer, n_resamples=few_resamples)
    rows = model.frame.set_index("term")
    assert rows.loc["a", "above_noise"] is pd.NA
    assert rows.loc["twin", "told_from"] == "a"
    assert model.sets[0]["terms"] == ["a", "twin"]
    assert model.sets[0]["above_noise"]
    assert "a and twin cannot be told apart; together they are above noise." in model.finding
    assert "cannot be told from twin" in model.shown["verdict"].tolist()


def test_thirty_answers_are_refused():
    ratings, answer = frame_of(30)
    with pytest.raises(EstimationError, match="30 answers are too few to say what drives them: 100 are needed"):
        fit_drivers_from_frame(ratings, answer)


def test_more_drivers_than_respondents_are_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(EstimationError, match=r"120 answers are too few .* 1,500 are needed for 150 drivers"):
        fit_drivers_from_frame(pd.DataFrame(rng.integers(1, 6, (120, 150))), rng.integers(0, 11, 120))


def test_only_promoters_are_refused():
    ratings, _ = frame_of()
    with pytest.raises(EstimationError, match="Nearly all answers are of one kind"):
        fit_drivers_from_frame(ratings, np.full(300, 10))


def test_without_detractors_promoters_are_still_explained(few_resamples):
    ratings, answer = frame_of()
    model = fit_drivers_from_frame(ratings, np.where(answer >= 9, 10, 8), n_resamples=few_resamples)
    rows = model.frame.set_index("term")
    assert rows["detractor_points"].abs().max() < 1e-9
    assert rows.loc["a", "promoter_points"] > 20
    assert model.detractors.finding == "For no rating above noise are the points of detractors away from zero."


def test_few_clusters_are_refused():
    ratings, answer = frame_of()
    with pytest.raises(EstimationError, match="12 clusters of answers are too few"):
        fit_drivers_from_frame(ratings, answer, cluster=np.arange(300) % 12)


def test_one_driver_is_enough():
    model = fitted_to_one_rating()
    assert model.frame["above_noise"].all()
    assert model.frame[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cluster": np.arange(7)}, "300 rows of ratings and 7 clusters arrived"),
        ({"weights": np.arange(7)}, "300 rows of ratings and 7 weights arrived"),
        ({"weights": np.full(300, -1.0)}, "A weight is missing, negative or infinite"),
        ({"scale": (1, 4)}, "Ratings outside the scale of 1 to 4 arrived"),
        ({"good": 2, "poor": 4}, "poor = 4 and good = 2"),
        ({"n_resamples": 3}, "n_resamples = 3: 20 or more are needed"),
        ({"confidence_level": 1.5}, "confidence_level"),
    ],
)
def test_impossible_settings_say_what_is_wrong(change, message):
    ratings, answer = frame_of()
    with pytest.raises(EstimationError, match=message):
        fit_drivers_from_frame(ratings, answer, **change)


@pytest.mark.parametrize(
    ("ratings", "answer", "message"),
    [
        (pd.DataFrame({"a": ["good"] * 300}), np.full(300, 9), "Ratings must be numbers: a is not"),
        (pd.DataFrame({"a": [True] * 300}), np.full(300, 9), "Ratings must be numbers: a is not"),
        (pd.DataFrame({"a": [np.inf] * 300}), np.full(300, 9), "An infinite rating arrived"),
        (pd.DataFrame(index=range(300)), np.full(300, 9), "No driver arrived"),
        (pd.DataFrame(np.ones((300, 2)), columns=["a", "a"]), np.full(300, 9), "Two drivers have the same name"),
        (pd.DataFrame({"a": np.arange(300) % 5 + 1}), np.full(300, 12), "outside 0 to 10"),
        (pd.DataFrame({"a": np.arange(300) % 5 + 1}), np.full(7, 9), "300 rows of ratings and 7 answers"),
        (pd.DataFrame({"a": np.arange(300.0)}), np.arange(300) % 11, "on no usual scale"),
        (pd.DataFrame({"a": np.linspace(1, 5, 300)}), np.arange(300) % 11, "300 different values|3.. different values"),
    ],
)
def test_tables_that_are_no_ratings_are_refused(ratings, answer, message):
    with pytest.raises(EstimationError, match=message):
        fit_drivers_from_frame(ratings, answer)


def test_a_study_that_cannot_feed_a_model_says_so_as_one_that_cannot_answer():
    table = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3] * 10, "price": [5, 4, 1] * 10})
    study = Study.from_frames(responses=table, drivers=["price"])
    with pytest.raises(CannotAnswerError, match="30 answers are too few"):
        fit_drivers(study)
    with pytest.raises(CannotAnswerError, match="does not record ratings of single experiences"):
        fit_drivers(Study.from_frames(responses=table[["likelihood_to_recommend"]]))
    with pytest.raises(ContractError, match="there is no column 'acount_id': did you mean account_id"):
        fit_drivers(fitted_study()[0], cluster="acount_id")
    with pytest.raises(ContractError, match="there is no column 'regoin': did you mean region"):
        fit_drivers(fitted_study()[0], by="regoin")


def test_work_side_by_side_leaves_matrices_one_thread_each() -> None:
    def blas_threads(_: int) -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert side_by_side(blas_threads, [1, 2]) == [{1}, {1}]
        assert blas_threads(3) == {2}
