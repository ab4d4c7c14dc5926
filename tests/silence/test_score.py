"""What the score would be if all had answered, held against sums done stupidly, other software and planted truth."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from calibration.silent_score import draw
from calibration.silent_score import one_wave as made_up_wave
from nps_research import Study, score_if_all_responded
from nps_research.counting.people import bands_of, covariates_at_invitation, earlier_answers, in_bands
from nps_research.counting.silence import NO_DELIVERY, silence_caveat
from nps_research.errors import CannotAnswerError, ContractError, EstimationError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.silence.score.estimates import reached_rows
from nps_research.silence.score.raked import raked_score
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, inverse_propensity_score, worst_case_bounds
from nps_research.statistics.logistic import design_matrix, joined_levels
from nps_research.statistics.propensity import _boosted_log_odds, response_propensity


def people_of(answered, value, cluster=None):
    answered = np.asarray(answered, dtype=bool)
    codes = np.arange(len(answered)) if cluster is None else np.asarray(cluster)
    return Reached(answered=answered, value=np.where(answered, value, 0.0), base=np.ones(len(answered)), cluster=codes)


def categories(**columns):
    frame = pd.DataFrame(columns)
    return Covariates(numbers=pd.DataFrame(index=frame.index), categories=frame)


def one_wave(n=300, *, rng=None, **columns):
    rng = rng or np.random.default_rng(3)
    area = rng.choice(["N", "S"], n)
    answered = rng.random(n) < np.where(area == "N", 0.7, 0.4)
    score = pd.Series(rng.integers(0, 11, n)).astype("Int64").where(pd.Series(answered))
    return pd.DataFrame({"likelihood_to_recommend": score, "responded": answered.astype(int), "area": area, **columns})


@pytest.fixture(scope="module")
def company():
    return simulate_study(Truth(n_accounts=250), rng=np.random.default_rng(5))


@pytest.fixture(scope="module")
def study(company):
    return Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        customers=company.customers,
        segments=["region", "industry"],
        settings={"cluster": "account_id"},
        made_up=True,
    )


@pytest.fixture(scope="module")
def found(study):
    return score_if_all_responded(study)


def parts(result):
    return [result, result.shifts, result.balance, result.evidence]


# Weights


def test_with_one_category_weighting_is_the_mean_of_its_groups_in_their_known_sizes():
    rng = np.random.default_rng(1)
    area = rng.choice(["N", "S", "W"], 900, p=[0.5, 0.3, 0.2])
    answered = rng.random(900) < pd.Series(area).map({"N": 0.7, "S": 0.3, "W": 0.5}).to_numpy()
    value = np.where(area == "S", rng.choice([-100.0, 0.0], 900), rng.choice([0.0, 100.0], 900))
    people, known = people_of(answered, value), categories(area=area)
    stupid = sum((area == group).mean() * value[(area == group) & answered].mean() for group in "NSW")
    propensity = response_propensity(people.answered, known)
    weighted = inverse_propensity_score(people, propensity, largest_weight=10, confidence_level=0.95)
    raked = raked_score(people, in_bands(known), confidence_level=0.95)
    assert weighted.estimate == pytest.approx(stupid, abs=0.02)  # the ridge
    assert raked.estimate == pytest.approx(stupid, abs=1e-6)
    # The post-stratified variance of who answers, group by group.
    variance = sum(
        ((area == group).mean() ** 2)
        * value[(area == group) & answered].var(ddof=1)
        * (1 / ((area == group) & answered).sum() - 1 / (area == group).sum())
        for group in "NSW"
    )
    assert weighted.std_error == pytest.approx(np.sqrt(variance), rel=0.01)
    assert raked.std_error == pytest.approx(np.sqrt(variance), rel=0.01)


def test_weights_are_one_over_the_chance_with_mean_one():
    people, known, _ = draw(900, "accounts", "frame", np.random.default_rng(2))
    propensity = response_propensity(people.answered, known)
    weighted = inverse_propensity_score(people, propensity, largest_weight=1e9, confidence_level=0.95)
    stupid = [1 / chance for chance, yes in zip(propensity.probability, people.answered, strict=True) if yes]
    stupid = np.array(stupid) * len(stupid) / sum(stupid)
    np.testing.assert_allclose(weighted.weights[people.answered], stupid)
    assert not weighted.weights[~people.answered].any()
    assert weighted.estimate == pytest.approx(stupid @ people.value[people.answered] / len(stupid))
    assert weighted.n_effective == pytest.approx(stupid.sum() ** 2 / (stupid**2).sum())


def test_design_weights_multiply():
    people, known, _ = draw(900, "independent", "frame", np.random.default_rng(2))
    twice = np.where(np.arange(900) % 2, 2.0, 1.0)
    weighted = Reached(answered=people.answered, value=people.value, base=twice, cluster=people.cluster)
    propensity = response_propensity(people.answered, known)
    found = inverse_propensity_score(weighted, propensity, largest_weight=1e9, confidence_level=0.95)
    yes = people.answered
    stupid = np.average(people.value[yes], weights=twice[yes] / propensity.probability[yes])
    assert found.estimate == pytest.approx(stupid)
    low, high = worst_case_bounds(weighted)
    assert low == pytest.approx((twice @ np.where(yes, people.value, -100.0)) / twice.sum())
    assert high == pytest.approx((twice @ np.where(yes, people.value, 100.0)) / twice.sum())


def test_logistic_model_is_that_of_statsmodels():
    people, known, _ = draw(1200, "independent", "frame", np.random.default_rng(3))
    design = design_matrix(people.answered, known)
    fitted = GLM(people.answered.astype(float), design, family=Binomial()).fit()
    propensity = response_propensity(people.answered, known)
    assert np.abs(propensity.probability - fitted.fittedvalues).max() < 1e-3
    np.testing.assert_allclose(np.diag(propensity.information_inverse), np.diag(fitted.cov_params()), rtol=0.01)


def test_nobodys_log_odds_are_learned_from_their_own_account():
    people, known, _ = draw(900, "accounts", "frame", np.random.default_rng(4))
    turned = people.answered.copy()
    own = people.cluster == 7
    turned[own] = ~turned[own]
    before, after = (
        _boosted_log_odds(answered, known, people.cluster, np.random.default_rng(1))
        for answered in (people.answered, turned)
    )
    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).any()


def test_large_weights_are_brought_down_to_the_cap_and_counted():
    rng = np.random.default_rng(5)
    area = np.array(["N"] * 1000 + ["S"] * 1000)
    answered = rng.random(2000) < np.where(area == "N", 0.9, 0.03)
    people, known = people_of(answered, rng.choice([-100.0, 100.0], 2000)), categories(area=area)
    propensity = response_propensity(people.answered, known)
    found = inverse_propensity_score(people, propensity, largest_weight=5, confidence_level=0.95)
    assert found.largest_weight == pytest.approx(5)
    assert found.n_trimmed == (answered & (area == "S")).sum()


def test_raked_weights_meet_the_margins():
    people, known, _ = draw(1500, "independent", "frame", np.random.default_rng(6))
    raked = raked_score(people, in_bands(known), confidence_level=0.95)
    for name in in_bands(known):
        share = pd.Series(raked.weights).groupby(in_bands(known)[name]).sum() / raked.weights.sum()
        pd.testing.assert_series_equal(
            share, in_bands(known)[name].value_counts(normalize=True)[share.index], check_names=False
        )


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_estimates_and_limits_lie_within_the_bounds(seed):
    rng = np.random.default_rng(seed)
    people, known, _ = draw(300, "accounts", "few" if seed % 2 else "frame", rng)
    low, high = worst_case_bounds(people)
    try:
        propensity = response_propensity(people.answered, known)
    except EstimationError:
        return
    found = inverse_propensity_score(people, propensity, largest_weight=10, confidence_level=0.95)
    assert low <= found.conf_low <= found.estimate <= found.conf_high <= high
    assert 1 <= found.n_effective <= people.answered.sum() * (1 + 1e-12)
    assert found.weights.sum() == pytest.approx(people.answered.sum())
    assert low <= people.observed * (1 - people.silent_share) <= high


def test_people_who_answer_together_widen_the_limits():
    people, known, _ = draw(1500, "accounts", "frame", np.random.default_rng(8))
    alone = people_of(people.answered, people.value)
    propensity = response_propensity(people.answered, known)
    together, apart = (
        inverse_propensity_score(each, propensity, largest_weight=10, confidence_level=0.95) for each in (people, alone)
    )
    assert together.estimate == apart.estimate
    assert together.std_error > apart.std_error


def test_small_categories_are_joined():
    answered = np.array([True] * 30 + [False] * 30 + [True, False])
    column = pd.Series(["N", "S"] * 30 + ["W", "W"])
    assert set(joined_levels(column, answered)) == {"N", "S"}


def test_limits_hold_the_score_of_all_where_the_frame_explains_answering():
    rng = np.random.default_rng(11)
    rows = pd.DataFrame([made_up_wave("accounts", "frame", 0.0, rng) for _ in range(30)])
    for name in ("logistic", "boosted"):
        error, std_error = rows[f"{name}_error"], rows[f"{name}_std_error"].mean()
        assert rows[f"{name}_held"].mean() >= 0.93 - 3.3 * np.sqrt(0.93 * 0.07 / 30)
        assert abs(error.mean()) < 3.3 * std_error / np.sqrt(30)
        assert 0.6 < error.std() / std_error < 1.4
    assert rows["observed_error"].mean() > 4  # there is something to mend


# What was known


def test_histories_know_only_what_was_known_at_the_invitation():
    table = pd.DataFrame(
        {
            "respondent_id": ["a", "b", "c", "a", "b", "c", "a", "b", "c", "d"],
            "wave": ["1"] * 3 + ["2"] * 3 + ["3"] * 4,
            "invited_at": ["2025-01-01"] * 3 + ["2025-02-01"] * 3 + ["2025-03-01"] * 4,
            # b answers the second wave after the third went out; c's first invitation bounced
            "responded_at": [
                "2025-01-02",
                "2025-01-03",
                None,
                "2025-02-02",
                "2025-03-02",
                None,
                None,
                None,
                None,
                None,
            ],
            "likelihood_to_recommend": [10, 3, None, 7, 9, None, None, None, None, None],
            "delivered": [1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
        }
    )
    study = Study.from_frames(responses=table, settings={"data_until": "2025-06-01"})
    earlier = earlier_answers(study, study.responses[study.responses["wave"] == "3"])
    assert earlier["answered_before"].fillna(-1).tolist() == [1.0, 0.5, 0.0, -1.0]
    assert earlier["last_score"].fillna(-1).tolist() == [7, 3, -1, -1]
    known = covariates_at_invitation(study, study.responses[study.responses["wave"] == "3"])
    assert known.categories["last_answer"].tolist() == ["passive", "detractor", "none", "none"]
    assert earlier_answers(study, study.responses[study.responses["wave"] == "1"]) is None


def test_tenure_is_that_at_the_invitation_and_unknown_values_are_marked(study):
    _, rows = reached_rows(study, "2024 Q3")
    known = covariates_at_invitation(study, rows)
    started = rows["customer_id"].map(study.customers.set_index("customer_id")["started_at"])
    days = (rows["invited_at"] - started).dt.days.to_numpy()
    np.testing.assert_allclose(known.numbers["tenure"], days / 365.25 * 12)
    assert (known.numbers["tenure"] > 0).all()
    assert list(known.categories) == ["region", "industry", "channel", "role", "last_answer"]
    assert {"Years as a customer", "Revenue group"} <= set(in_bands(known))


def test_gaps_in_numbers_do_no_harm():
    people, known, _ = draw(900, "independent", "frame", np.random.default_rng(9))
    numbers = known.numbers.assign(tenure=known.numbers["tenure"].where(np.arange(900) % 5 > 0))
    gappy = Covariates(numbers=numbers, categories=known.categories)
    for model in ("logistic", "boosted"):
        assert np.isfinite(response_propensity(people.answered, gappy, model=model).probability).all()
    assert "(not stated)" in set(bands_of(numbers["tenure"], None)["Years as a customer"])


# The result


def test_rows_say_what_they_should(study, found):
    rows = found.frame.set_index("term")
    _, reached = reached_rows(study, None)
    score = reached["likelihood_to_recommend"].dropna().astype(int)
    observed = 100 * ((score >= 9).mean() - (score <= 6).mean())
    assert rows.loc["observed", "estimate"] == pytest.approx(observed)
    share = len(score) / len(reached)
    assert rows.loc["NPS x response rate", "estimate"] == pytest.approx(observed * share)
    low, high = (
        rows.loc["bound: all silent detractors", "estimate"],
        rows.loc["bound: all silent promoters", "estimate"],
    )
    assert (low, high) == pytest.approx((observed * share - 100 * (1 - share), observed * share + 100 * (1 - share)))
    assert rows["estimate"].between(low, high).all()
    assert (rows["n_effective"].dropna() <= len(score) + 1e-9).all()
    assert found.wave == study.waves[-1]


def test_the_observed_score_is_that_of_the_other_pages(study, found):
    from nps_research import net_promoter_score, score_distribution

    usual = net_promoter_score(score_distribution(study, by="wave")).frame.iloc[-1]
    row = found.frame.iloc[0]
    for name in ("n", "estimate", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(usual[name])


def test_no_shift_is_the_weighted_score_and_shifts_move_it_by_the_share_of_the_silent(found):
    table, weighted = found.shifts.frame.set_index("shift"), found.frame.set_index("term").loc["doubly robust"]
    for name in ("estimate", "conf_low", "conf_high"):
        assert table.loc[0.0, name] == pytest.approx(weighted[name])
    share = found.n_silent / found.n_reached
    assert table.loc[20.0, "estimate"] == pytest.approx(weighted["estimate"] - 20 * share)
    answered = found.frame["estimate"].iloc[0]
    assert (1 - share) * answered + share * table.loc[20.0, "silent"] == pytest.approx(table.loc[20.0, "estimate"])


def test_the_score_at_one_shift_is_that_of_the_table(found):
    for row in found.shifts.frame.query("shift >= 0").to_dict("records"):
        at = found.shifts.at(row["shift"]).frame.iloc[0]
        for name in ("silent", "estimate", "conf_low", "conf_high"):
            assert at[name] == pytest.approx(row[name])
    lowest = found.frame.set_index("term").loc["bound: all silent detractors", "estimate"]
    worst = found.shifts.at(found.shifts.at(0).frame["silent"].iloc[0] + 100).frame.iloc[0]
    assert worst["conf_low"] == worst["estimate"] == pytest.approx(lowest)
    with pytest.raises(CannotAnswerError, match="0 to"):
        found.shifts.at(-1)


def test_turning_shifts_turn(study, found):
    rows = found.shifts.frame[found.shifts.frame["term"] != ""]
    for turn in found.shifts.turns:
        at = rows[rows["term"].str.contains(turn.term, regex=False)]
        assert len(at) == turn.is_possible
        if turn.is_possible:
            assert at["estimate"].iloc[0] == pytest.approx(turn.target, abs=1e-9)
    observed = found.frame.iloc[0]
    targets = [turn.target for turn in found.shifts.turns]
    assert targets[0] == pytest.approx(observed["estimate"] - (observed["conf_high"] - observed["conf_low"]) / 2)
    assert targets[1] == 0
    before = study.responses[study.responses["wave"] == study.waves[-2]]["likelihood_to_recommend"].dropna().astype(int)
    assert targets[2] == pytest.approx(100 * ((before >= 9).mean() - (before <= 6).mean()))


def test_a_shift_that_no_answers_could_bring_about_is_said_to_be_impossible():
    table = pd.DataFrame({"likelihood_to_recommend": [10] * 90 + [None] * 10})
    found = score_if_all_responded(Study.from_frames(responses=table.assign(responded=[1] * 90 + [0] * 10)))
    assert not found.shifts.turns[-1].is_possible
    assert "For the NPS of all to be zero, no answers of the silent would do." in found.shifts.in_words


def test_a_score_that_overstates_already_is_said_to_with_no_shift():
    rng = np.random.default_rng(2)
    area = np.repeat(["N", "S"], 1000)
    answered = rng.random(2000) < np.where(area == "N", 0.8, 0.2)
    score = pd.Series(np.where(area == "N", 10, 2)).astype("Int64").where(pd.Series(answered))
    table = pd.DataFrame({"likelihood_to_recommend": score, "responded": answered.astype(int), "area": area})
    found = score_if_all_responded(Study.from_frames(responses=table, segments=["area"]))
    assert abs(found.frame.set_index("term").loc["weighted: logistic", "estimate"]) < 1
    assert "its margin of error, with no shift at all." in found.shifts.in_words
    found.shifts._repr_mimebundle_()
    plt.close("all")


def test_one_cluster_is_too_few_for_trees_and_says_so():
    table = one_wave(cluster="only")
    found = score_if_all_responded(Study.from_frames(responses=table, segments=["area"]))
    assert "weighted: logistic" in set(found.frame["term"])
    assert "people of 5 clusters" in found.note


def test_earlier_scores_of_the_silent_are_their_last_ones(study, found):
    _, rows = reached_rows(study, None)
    last = earlier_answers(study, rows)["last_score"]
    silent = rows["response_state"] != "answered"
    table = found.evidence.frame.set_index("term")
    for term, who in (("silent now", silent), ("answered again", ~silent)):
        scores = last[who].dropna()
        assert table.loc[term, "n"] == len(scores)
        assert table.loc[term, "estimate"] == pytest.approx(100 * ((scores >= 9).mean() - (scores <= 6).mean()))
    difference = table.loc["silent less answered again", "estimate"]
    assert difference == pytest.approx(table["estimate"].iloc[1] - table["estimate"].iloc[0])
    # By accounts, summed stupidly.
    had = last.notna()
    value = 100.0 * (last[had] >= 9) - 100.0 * (last[had] <= 6)
    error = (value - value.groupby(silent[had]).transform("mean")) / value.groupby(silent[had]).transform("size")
    sums = (error * np.where(silent[had], 1, -1)).groupby(rows["account_id"][had]).sum()
    m, n = len(sums), len(value)
    stupid = np.sqrt((sums**2).sum() * m / (m - 1) * (n - 1) / (n - 2))
    assert table.loc["silent less answered again", "std_error"] == pytest.approx(stupid)


def test_balance_is_better_after_weighting(study, found):
    balance = found.balance
    before = balance.frame["observed"].abs().max()
    assert before > 0.03
    assert balance.frame["logistic"].abs().max() < before
    _, rows = reached_rows(study, None)
    answered, email = rows["response_state"] == "answered", rows["channel"] == "email"
    row = balance.frame[(balance.frame["term"] == "channel") & (balance.frame["group"] == "email")].iloc[0]
    assert row["observed"] == pytest.approx((email[answered].mean() - email.mean()) / email.std(ddof=0))
    assert balance.largest("observed")["term"] in balance.finding


def test_the_text_says_what_weighting_cannot_know(found):
    assert "Weighting cannot know whether the silent think otherwise" in found.in_words
    assert "these data cannot tell" in found.in_words
    assert "supposes that the silent would come out at exactly 0 points" in found.note
    assert "a hint at how the silent differ, not a measurement" in found.evidence.in_words
    assert not any("cause" in part.in_words for part in parts(found))


def test_everything_displays_and_tells_no_id(study, found):
    private = {value for value in study.private_values() if len(value) > 3}
    for part in parts(found):
        text = json.dumps(part.to_json())
        assert not [value for value in private if value in text]
        assert part._repr_mimebundle_()["text/html"].count("<table") == 1
        ax = part.plot()
        assert ax.get_title(loc="left") == part.title
        plt.close("all")
    assert found.key_numbers[0].estimate == found.frame.set_index("term").loc["doubly robust", "estimate"]


def test_same_data_same_numbers(study, found):
    again = score_if_all_responded(study)
    pd.testing.assert_frame_equal(again.frame, found.frame)


# What cannot be answered


def test_nobody_silent_nobody_answered_nothing_recorded():
    table = one_wave()
    everybody = table[table["responded"] == 1]
    with pytest.raises(CannotAnswerError, match="Everybody who was invited answered"):
        score_if_all_responded(Study.from_frames(responses=everybody))
    nobody = table[table["responded"] == 0].assign(likelihood_to_recommend=pd.NA)
    with pytest.raises(CannotAnswerError):
        score_if_all_responded(Study.from_frames(responses=nobody))
    with pytest.raises(CannotAnswerError, match="Who was silent is not known"):
        score_if_all_responded(Study.from_frames(responses=table.drop(columns="responded")))
    dated = everybody.drop(columns="responded").assign(responded_at="2025-01-02")
    with pytest.raises(CannotAnswerError, match="every row of this study is an answer"):
        score_if_all_responded(Study.from_frames(responses=dated))
    dated = table.assign(wave="1", invited_at="2025-01-01")
    with pytest.raises(CannotAnswerError, match="window has closed"):
        score_if_all_responded(Study.from_frames(responses=dated, settings={"data_until": "2025-01-05"}))


def test_nobody_answered_in_the_wave():
    table = pd.concat([one_wave(wave="1"), one_wave(wave="2").assign(likelihood_to_recommend=pd.NA, responded=0)])
    study = Study.from_frames(responses=table)
    with pytest.raises(CannotAnswerError, match="Nobody who was invited in 2 answered"):
        score_if_all_responded(study)
    assert score_if_all_responded(study, wave="1").wave == "1"


def test_without_delivery_every_finding_says_so():
    study = Study.from_frames(responses=one_wave(), segments=["area"])
    found = score_if_all_responded(study)
    for part in (found, found.shifts, found.balance):
        assert part.in_words.endswith(NO_DELIVERY)
        assert "reached" not in f"{part.title} {part.in_words} {part.full_note}"
    with_delivery = Study.from_frames(responses=one_wave(delivered=1), segments=["area"])
    assert silence_caveat(with_delivery) == ""
    assert NO_DELIVERY not in score_if_all_responded(with_delivery).in_words


def test_one_wave_without_dates_has_no_earlier_answers_and_says_so():
    found = score_if_all_responded(Study.from_frames(responses=one_wave(wave="1"), segments=["area"]))
    assert not found.evidence.is_answered
    assert "thought earlier is not known" in found.evidence.finding
    assert "thought earlier is not known" in found.shifts.note
    assert len(found.shifts.turns) == 2  # there is no wave before


def test_nothing_is_said_of_deliveries_and_windows_that_are_not_recorded():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 8, 3, None] * 20})
    rows["responded"] = rows["likelihood_to_recommend"].notna().astype(int)
    found = score_if_all_responded(Study.from_frames(responses=rows))
    assert found.finding.startswith("25% of the 80 invited gave no score: without assumptions")
    assert found.note.startswith("All who were invited. ")
    assert "20 of 80 people invited gave no score" in found.details
    assert "window" not in found.full_note
    dated = score_if_all_responded(
        Study.from_frames(
            responses=rows.assign(delivered=1, invited_at="2024-02-01"), settings={"data_until": "2024-12-31"}
        )
    )
    assert dated.note.startswith("All who were reached and whose window has closed; late answers count. ")


def test_without_anything_known_there_are_bounds_and_shifts_only():
    found = score_if_all_responded(Study.from_frames(responses=one_wave()))
    assert found.frame["term"].tolist()[0] == "observed"
    assert len(found.frame) == 4
    assert found.shifts.based_on == "observed"
    assert "cannot be weighted" in found.in_words
    assert not found.balance.is_answered
    assert found.balance.in_words.startswith("Nothing is known of the silent")
    for part in (found, found.shifts):
        part._repr_mimebundle_()
        plt.close("all")


def test_too_few_to_weight_is_said():
    found = score_if_all_responded(Study.from_frames(responses=one_wave(24), segments=["area"]))
    assert "weighted: logistic" not in set(found.frame["term"])
    assert "Not weighted" in found.note


def test_a_wave_of_few_answers_is_not_shown():
    table = pd.concat([one_wave(400, wave="1"), one_wave(12, wave="2")])
    study = Study.from_frames(responses=table, segments=["area"], settings={"minimum_cell": 20})
    found = score_if_all_responded(study)
    for part in (found, found.shifts, found.balance):
        content = part.to_json()
        assert content["rows"] == []
        assert "few" in part.finding
        assert not {"n_reached", "n_silent", "silent_share"} & set(content["settings"])
        part._repr_mimebundle_()


def test_a_wave_that_is_hidden_for_the_sake_of_another_is_hidden_whole():
    table = pd.concat([one_wave(400, wave="1"), one_wave(12, wave="2"), one_wave(48, wave="3")], ignore_index=True)
    table["respondent_id"] = [f"person {number}" for number in range(len(table))]
    customers = pd.DataFrame(
        {"customer_id": table["respondent_id"], "revenue": np.random.default_rng(1).lognormal(9, 1, len(table)).round()}
    )
    study = Study.from_frames(responses=table, customers=customers, segments=["area"], settings={"minimum_cell": 20})
    assert score_if_all_responded(study).to_json()["rows"]  # the newest is the last to be hidden
    found = score_if_all_responded(study, wave="1")
    assert found.frame["n"].iloc[0] >= 20  # but wave 2, which is small, could be worked out from it
    for part in (found, found.shifts, found.balance):
        assert part.to_json()["rows"] == []


def test_small_groups_are_not_in_the_balance():
    table = one_wave(400)
    table.loc[:7, "area"] = "tiny"
    study = Study.from_frames(responses=table, segments=["area"])
    balance = score_if_all_responded(study).balance
    assert "tiny" in set(balance.frame["group"])
    assert "tiny" not in json.dumps(balance.to_json())
    assert balance.n_hidden >= 2  # with another, or it could be worked out


def test_unfinished_waves_are_left_for_the_last_whole_one(company):
    study = Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        customers=company.customers,
        settings={"data_until": "2025-11-20"},
    )
    found = score_if_all_responded(study)
    assert found.wave == "2025 Q3"


@pytest.mark.parametrize(
    ("settings_", "says"),
    [
        ({"wave": "2025 Q5"}, "There is no wave"),
        ({"largest_weight": 1.0}, "largest_weight must be above 1"),
        ({"shifts": []}, "shifts must be"),
        ({"shifts": [float("nan")]}, "shifts must be"),
    ],
)
def test_impossible_settings(study, settings_, says):
    with pytest.raises(ContractError, match=says):
        score_if_all_responded(study, **settings_)


def test_every_answer_alike_gives_numbers():
    rng = np.random.default_rng(1)
    table = one_wave(rng=rng)
    table["likelihood_to_recommend"] = table["likelihood_to_recommend"].where(
        table["likelihood_to_recommend"].isna(), 9
    )
    found = score_if_all_responded(Study.from_frames(responses=table, segments=["area"]))
    weighted = found.frame.set_index("term").loc["weighted: logistic"]
    assert weighted["estimate"] == pytest.approx(100)
    found._repr_mimebundle_()
    plt.close("all")


def test_someone_who_never_would_answer_is_no_infinite_weight():
    area = np.array(["N"] * 200 + ["S"] * 200)
    answered = np.random.default_rng(1).random(400) < np.where(area == "N", 0.6, 0.0)
    known = Covariates(
        numbers=pd.DataFrame({"tenure": np.r_[np.arange(200.0), np.arange(300.0, 500.0)]}),
        categories=pd.DataFrame({"area": area}),
    )
    people = people_of(answered, 100.0)
    propensity = response_propensity(people.answered, known)
    found = inverse_propensity_score(people, propensity, largest_weight=10, confidence_level=0.95)
    assert found.largest_weight <= 10 + 1e-9
    assert np.isfinite(found.std_error)
