import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from nps_research.counting.clusters import response_clusters
from nps_research.errors import CannotAnswerError
from nps_research.responding.days_to_answer import days_to_answer
from nps_research.responding.funnel import response_funnel
from nps_research.responding.response_rates import response_rates
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study, open_study

LTR = "likelihood_to_recommend"
DEMO = Path(__file__).parents[2] / "data" / "demo"


@cache
def demo():
    return open_study(DEMO)


def of_frame(columns, **options):
    return Study.from_frames(responses=pd.DataFrame(columns), **options)


def displayed(result):
    json.dumps(result.to_json(), allow_nan=False)
    html = result._repr_mimebundle_()["text/html"]
    result.plot()
    return html


# Limits


def test_who_stands_alone_has_wilsons_limits():
    event = np.arange(50) < 13
    found = clustered_rates(event, np.zeros(50, int), np.arange(50), n_groups=1, confidence_level=0.9).iloc[0]
    low, high = wilson_limits(np.array([13]), np.array([50]), confidence_level=0.9)
    assert (found["conf_low"], found["conf_high"]) == (pytest.approx(low[0]), pytest.approx(high[0]))


def test_the_error_is_that_of_the_linearised_clusters():
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 30, 200)
    event = rng.random(200) < 0.2 + 0.5 * (cluster % 2)
    found = clustered_rates(event, np.zeros(200, int), cluster, n_groups=1, confidence_level=0.95).iloc[0]
    rate = event.mean()
    errors = [sum(event[cluster == each] - rate) / 200 for each in np.unique(cluster)]
    m = len(errors)
    assert found["std_error"] == pytest.approx(np.sqrt(sum(error**2 for error in errors) * m / (m - 1)))
    assert found["conf_high"] - found["conf_low"] > 2 * 1.96 * np.sqrt(rate * (1 - rate) / 200)


def test_nobody_everybody_and_one_cluster():
    group, cluster = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    event = np.array([1, 1, 1, 1, 1, 0], dtype=bool)
    found = clustered_rates(event, group, cluster, n_groups=3, confidence_level=0.95)
    assert found["n"].tolist() == [4, 2, 0]
    assert found.loc[0, "conf_high"] == 1
    assert 0 < found.loc[0, "conf_low"] < 0.4  # two clusters tell little
    assert found.loc[1:, ["conf_low", "conf_high"]].isna().all(axis=None)


def test_a_cluster_counts_once_where_all_did_the_same():
    cluster = np.repeat(np.arange(40), 5)
    found = clustered_rates(cluster >= 0, cluster * 0, cluster, n_groups=1, confidence_level=0.95).iloc[0]
    assert found["conf_low"] == pytest.approx(1 - 1.96**2 / (40 + 1.96**2), abs=0.01)


@pytest.mark.parametrize(("clusters", "size", "runs"), [(60, 5, 400), (8, 10, 800)])
def test_limits_cover_where_people_have_their_bent(clusters, size, runs):
    rng, covered = np.random.default_rng(2), 0
    cluster = np.repeat(np.arange(clusters), size)
    for _ in range(runs):
        bent = rng.beta(1.5, 3.0, clusters)
        found = clustered_rates(
            rng.random(len(cluster)) < bent[cluster], cluster * 0, cluster, n_groups=1, confidence_level=0.95
        ).iloc[0]
        covered += found["conf_low"] <= 1 / 3 <= found["conf_high"]
    assert abs(covered / runs - 0.95) <= 3.3 * np.sqrt(0.95 * 0.05 / runs)


def test_clusters_that_balance_out_make_no_rate_surer_than_as_many_people():
    event, cluster = np.arange(40) % 2 == 0, np.arange(40) // 2  # of each two one answers
    found = clustered_rates(event, cluster * 0, cluster, n_groups=1, confidence_level=0.95).iloc[0]
    low, high = wilson_limits(np.array([20]), np.array([40]), confidence_level=0.95)
    assert found["conf_low"] <= low[0] < high[0] <= found["conf_high"]


def test_who_belongs_to_no_cluster_is_one_alone():
    table = {"responded": [1, 0, 1, 0], "account_id": ["a", None, None, "a"], "respondent_id": range(4)}
    study = of_frame(table, settings={"cluster": "account_id"})
    codes, name = response_clusters(study, study.responses)
    assert (name, len(set(codes)), codes[0] == codes[3]) == ("account_id", 3, True)


@pytest.mark.parametrize(("spans", "clusters"), [(False, 4), (True, 2)])
def test_a_cluster_is_another_one_in_another_wave_unless_it_spans_them(spans, clusters):
    table = {"responded": [1, 0] * 4, "wave": list("11112222"), "cluster": list("abababab")}
    study = of_frame(table, settings={"cluster_spans_waves": spans})
    assert len(set(response_clusters(study, study.responses)[0])) == clusters


def test_customers_without_ids_of_respondents_are_clusters_though_none_answered_twice():
    table = {"responded": [1, 0, 0] * 20, "wave": list("123") * 20, "customer_id": np.repeat(np.arange(20), 3)}
    study = of_frame(table)
    codes, name = response_clusters(study, study.responses)
    assert (name, len(set(codes))) == ("customer_id", 20)


# Rates


def test_rates_are_aapors_counted_by_hand():
    states = ["answered"] * 40 + ["item_missing"] * 10 + ["silent"] * 30 + ["bounced"] * 20
    study = of_frame(
        {
            "delivered": [int(state != "bounced") for state in states],
            "responded": [int(state in ("answered", "item_missing")) for state in states],
            LTR: [9 if state == "answered" else None for state in states],
        }
    )
    row = response_rates(study).frame.iloc[-1]
    i, p, s, b = 40, 10, 30, 20
    assert row["estimate"] == (i + p) / (i + p + s)
    assert row["rr5"] == i / (i + p + s)
    assert row["rr2"] == (i + p) / (i + p + s + b)
    assert row["rr1"] == i / (i + p + s + b)
    assert row["reach"] == (i + p + s) / (i + p + s + b)
    assert row["cooperation"] == i / (i + p)
    for name in ("", "rr5_", "rr2_", "rr1_", "reach_", "cooperation_"):
        assert row[f"{name}conf_low"] < row[name.rstrip("_") or "estimate"] < row[f"{name}conf_high"]


def test_the_demo_has_the_rates_of_the_funnel():
    study = demo()
    rates, funnel = response_rates(study), response_funnel(study)
    assert rates.frame["group"].tolist() == funnel.frame["group"].tolist()
    assert rates.frame["estimate"].to_numpy() == pytest.approx(funnel.frame["response_rate"].to_numpy())
    assert rates.frame["reach"].to_numpy() == pytest.approx(funnel.frame["reach"].to_numpy())
    assert "RR6" in rates.note
    assert "COOP1" in displayed(rates)
    assert "account" in rates.note
    assert rates.caveat == ""


def test_without_delivery_nothing_is_said_of_the_reached():
    rates = response_rates(of_frame({"responded": [1] * 12 + [0] * 12, LTR: [9] * 11 + [None] * 13}))
    row = rates.frame.iloc[0]
    assert row[["reach", "rr2", "rr1"]].isna().all()
    assert (row["estimate"], row["rr5"]) == (12 / 24, 11 / 24)
    assert rates.caveat
    assert rates.in_words.endswith(rates.caveat)
    assert "those never reached" in rates.note
    assert "window" not in rates.note


def test_without_scores_there_are_no_completes():
    rates = response_rates(of_frame({"wave": ["1", "2"] * 12, "responded": [1] * 12 + [0] * 12}))
    assert rates.frame[["rr5", "rr1", "cooperation"]].isna().all(axis=None)
    assert "COOP1" not in displayed(rates)


def test_open_windows_do_not_count():
    study = of_frame(
        {
            "invited_at": ["2025-01-01"] * 40 + ["2025-06-01"] * 40,
            "responded_at": ["2025-01-05"] * 10 + [None] * 30 + ["2025-06-02"] * 20 + [None] * 20,
        }
    )
    row = response_rates(study).frame.iloc[0]
    assert (row["n"], row["estimate"]) == (40, 0.25)
    with pytest.raises(CannotAnswerError, match="silent"):
        response_rates(of_frame({"invited_at": "2025-06-01", "responded_at": ["2025-06-02", None]}))


def test_small_waves_are_not_shown():
    rates = response_rates(
        of_frame({"wave": ["1"] * 100 + ["2"] * 50 + ["3"] * 4, "responded": [1, 0] * 77, LTR: None})
    )
    assert "3" not in rates.shown["group"].tolist()
    assert len(rates.frame) == 4


@pytest.mark.parametrize("responded", [1, 0])
def test_nobody_silent_and_nobody_answering(responded):
    with pytest.raises(CannotAnswerError, match="silent"):
        response_rates(of_frame({"responded": [responded] * 20}))


# Days


def fast_and_slow(rng, n=400):
    day = np.minimum(rng.geometric(0.25, n) - 1, 25)
    score = np.where(day <= 2, rng.choice([10, 9, 8, 5], n), rng.choice([9, 7, 5, 3], n))
    invited = pd.Timestamp("2025-01-01")
    return pd.DataFrame(
        {
            "respondent_id": np.arange(n) // 2,
            "wave": np.arange(n) % 2,
            "invited_at": invited,
            "responded_at": invited + pd.to_timedelta(day, unit="D"),
            LTR: score,
        }
    )


def nps(scores):
    return 100 * ((scores >= 9).mean() - (scores <= 6).mean())


def test_days_are_counted_answer_by_answer():
    table = fast_and_slow(np.random.default_rng(3))
    result = days_to_answer(Study.from_frames(responses=table, settings={"data_until": "2025-06-01"}))
    day = (table["responded_at"] - table["invited_at"]).dt.days
    bands = {"the same day": day == 0, "the next day": day == 1, "day 2": day == 2, "days 3 to 4": day.between(3, 4)}
    bands |= {"days 5 to 7": day.between(5, 7), "days 8 to 14": day.between(8, 14), "after the window": day > 14}
    frame = result.frame.set_index("group")
    assert frame.index.tolist() == list(bands)
    assert frame["n"].tolist() == [int(band.sum()) for band in bands.values()]
    assert frame["cumulative_share"].iloc[-1] == 1
    for name, band in bands.items():
        assert frame.loc[name, "estimate"] == pytest.approx(nps(table.loc[band, LTR]))
    ordered = sorted(day)
    assert (result.half_day, result.ninety_day) == (ordered[199], ordered[359])
    assert result.n_late == (day > 14).sum()


def test_the_trend_is_least_squares_over_rows_of_days_robust_to_people():
    table = fast_and_slow(np.random.default_rng(4))
    settings = {"data_until": "2025-06-01", "minimum_cell": 1}
    result = days_to_answer(Study.from_frames(responses=table, settings=settings))
    assert len(result.shown) == 7
    day = (table["responded_at"] - table["invited_at"]).dt.days
    place = np.searchsorted([0, 1, 2, 4, 7, 14], day).astype(float)
    value = 100.0 * (table[LTR] >= 9) - 100.0 * (table[LTR] <= 6)
    person = table["respondent_id"].to_numpy()
    fitted = OLS(value.to_numpy(), add_constant(place)).fit(cov_type="cluster", cov_kwds={"groups": person}, use_t=True)
    assert result.trend == pytest.approx(fitted.params[1])
    assert result.trend_p_value == pytest.approx(fitted.pvalues[1])
    assert (result.trend_conf_low, result.trend_conf_high) == pytest.approx(tuple(fitted.conf_int()[1]))
    assert "a weak sign that those who never answered would score lower, too" in result.in_words


def test_the_demos_answers_by_day_give_a_weak_sign_by_chance():
    result = days_to_answer(demo())  # nothing is planted here, and p is just under .05
    assert result.records[-1]["estimate"] == max(row["estimate"] for row in result.records)
    assert "no sign" not in result.in_words
    assert "a weak sign that those who never answered would score higher, too." in result.in_words
    assert "Lin &amp; Schaeffer" in displayed(result)


@pytest.mark.parametrize(
    ("last", "says"), [([9, 5], "no sign"), ([9, 9, 5, 5, 5], "lowest"), ([9, 9, 9, 5, 5], "highest")]
)
def test_no_sign_does_not_stand_over_a_slowest_row_that_is_lowest_or_highest(last, says):
    middle = [9, 5] * 20 if says != "no sign" else [9] * 22 + [5] * 18
    first = [9, 5] * 20 if says != "no sign" else [9] * 18 + [5] * 22
    result = days_to_answer(answers_by_day([0] * 40 + [3] * 40 + [10] * 40, first + middle + (last * 20)[:40]))
    assert result.trend_p_value > 0.05
    assert says in result.in_words
    assert ("no sign" in result.in_words) == (says == "no sign")


def test_rows_that_are_not_shown_have_no_part_in_the_trend():
    day = [0] * 4 + [1] * 50 + [3] * 40 + [10] * 30
    score = [9, 5] * 62
    result = days_to_answer(answers_by_day(day, score))
    assert result.shown["group"].tolist() == ["the next day", "days 3 to 4"]  # a total would give day 0 away
    other = days_to_answer(answers_by_day(day, [0] * 4 + score[4:94] + [0] * 30))
    assert (result.trend, result.trend_p_value) == (other.trend, other.trend_p_value)


def answers_by_day(day, score, **more):
    invited = pd.Timestamp("2025-01-01")
    table = {"invited_at": invited, "responded_at": invited + pd.to_timedelta(day, unit="D"), LTR: score, **more}
    return of_frame(table, settings={"data_until": "2025-06-01"})


def test_bands_of_few_answers_are_hidden_however_many_forms_they_hold():
    day, score = [0] * 30 + [3] * 30, [10, 3] * 15 + [1, 2] + [None] * 28
    result = days_to_answer(answers_by_day(day, score))
    assert result.shown.empty  # the total would give them away
    assert np.isnan(result.trend)
    blank = days_to_answer(answers_by_day(day, score[:30] + [None] * 30))
    assert len(blank.shown) == 2  # nobody's answer is in it


@pytest.mark.parametrize(("score", "more"), [([10] * 30 + [0] * 30, {}), ([10, 3] * 30, {"cluster": "one"})])
def test_a_trend_of_which_chance_cannot_be_told_is_none(score, more):
    result = days_to_answer(answers_by_day([0] * 30 + [5] * 30, score, **more))
    assert np.isnan(result.trend)
    assert "nan" not in result.finding
    assert "no sign" not in result.finding


def test_the_day_by_which_half_and_nine_in_ten_had_come_is_the_first_such():
    result = days_to_answer(answers_by_day(range(15), [9] * 15))
    day = np.arange(15)
    first = {part: min(each for each in day if (day <= each).mean() >= part) for part in (0.5, 0.9)}
    assert (result.half_day, result.ninety_day) == (first[0.5], first[0.9]) == (7, 13)
    assert result.n_late == 0  # the window's last moment is within it


def test_few_late_answers_are_not_told():
    late = days_to_answer(answers_by_day([0] * 30 + [5] * 30 + [20] * 3, [9, 3] * 31 + [9]))
    assert "After the window" not in late.in_words
    many = days_to_answer(answers_by_day([0] * 30 + [5] * 30 + [20] * 12, [9, 3] * 36))
    assert "After the window of 14 days came 17%." in many.in_words


def test_days_need_both_dates():
    with pytest.raises(CannotAnswerError, match="invitation went out"):
        days_to_answer(of_frame({"responded": [1, 0]}))
    with pytest.raises(CannotAnswerError, match="closed"):
        days_to_answer(of_frame({"invited_at": ["2025-06-01"], "responded_at": ["2025-06-02"]}))


def test_days_without_scores():
    table = fast_and_slow(np.random.default_rng(5)).drop(columns=LTR)
    result = days_to_answer(Study.from_frames(responses=table, settings={"data_until": "2025-06-01"}))
    assert np.isnan(result.trend)
    assert "NPS" not in result.finding
    displayed(result)
