"""Accounts: R's survey package, loops over rows, coverage, and nobody's name in what is shared."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from nps_research.accounts.influence import LISTED, account_influence
from nps_research.accounts.score import account_score
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.drawing import svg
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study
from tests.support.made_up_answers import class_value, distribution_of, made_up_rows, slow_score, study_of

REFERENCE = Path(__file__).parents[1] / "reference"
SURVEY = json.loads((REFERENCE / "b2b_scores.json").read_text())["b2b"]


def unweighted(seed, **options) -> pd.DataFrame:
    return made_up_rows(np.random.default_rng(seed), **options).drop(columns="design_weight")


@pytest.fixture(scope="module")
def b2b() -> Study:
    rows = pd.read_csv(REFERENCE / "b2b_respondents.csv", dtype={"account_id": str})
    return Study.from_frames(responses=rows.rename(columns={"score": "likelihood_to_recommend"}))


# The account-level score


def test_account_and_respondent_scores_are_those_of_r(b2b):
    row = account_score(b2b).frame.loc[0]
    expected = SURVEY["account_level_equal"]
    assert row["n_accounts"] == expected["degf"] + 1
    assert row["estimate"] == pytest.approx(100 * expected["nps"], rel=1e-8)
    assert row["std_error"] == pytest.approx(100 * expected["se"], rel=1e-8)
    limits = [100 * x for x in expected["ci95_t"]]  # these are symmetric; the package's are no wider, and pulled to 0
    assert row[["conf_low", "conf_high"]].tolist() == pytest.approx(limits, abs=0.5)
    assert row["conf_high"] - row["conf_low"] < limits[1] - limits[0]
    assert row["respondent_score"] == pytest.approx(100 * SURVEY["respondent_level_srs"]["nps"], rel=1e-8)


def slow_account_scores(rows) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row in rows.dropna(subset=["likelihood_to_recommend"]).to_dict("records"):
        found.setdefault(row["account_id"], []).append(class_value(row["likelihood_to_recommend"]))
    return {account: sum(values) / len(values) for account, values in found.items()}


def test_scores_of_waves_and_segments_are_means_of_account_means():
    rows = unweighted(20)
    for by in ("wave", "region"):
        result = account_score(study_of(rows), by=by)
        for row in result.frame.to_dict("records"):
            part = rows[rows[by] == row["group"]]
            own = list(slow_account_scores(part).values())
            assert row["estimate"] == pytest.approx(np.mean(own))
            assert row["std_error"] == pytest.approx(np.std(own, ddof=1) / math.sqrt(len(own)))
            assert row["n_accounts"] == len(own)
            assert row["respondent_score"] == pytest.approx(slow_score(part, None))
            assert row["difference"] == pytest.approx(row["estimate"] - row["respondent_score"])


def test_the_difference_has_the_error_of_leaving_accounts_out():
    rows = unweighted(21, n=1500, n_accounts=150)
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    result = account_score(study_of(rows)).frame.loc[0]
    values = []
    for account in answered["account_id"].unique():
        rest = answered[answered["account_id"] != account]
        values.append(np.mean(list(slow_account_scores(rest).values())) - slow_score(rest, None))
    m = len(values)
    jackknife = math.sqrt((m - 1) / m * np.sum((np.array(values) - np.mean(values)) ** 2))
    half = (result["difference_conf_high"] - result["difference_conf_low"]) / 2
    assert half / 1.976 == pytest.approx(jackknife, rel=0.03)  # t of 149 degrees; jackknife and linearisation differ


def test_respondent_limits_are_those_of_the_clustered_score():
    rows = unweighted(22)
    result = account_score(study_of(rows), by="wave", confidence_level=0.9).frame
    clustered = net_promoter_score(distribution_of(rows, by="wave", cluster="account_id"), confidence_level=0.9).frame
    for name in ("conf_low", "conf_high"):
        assert result[f"respondent_score_{name}"].to_numpy() == pytest.approx(clustered[name].to_numpy())


def test_account_limits_hold_the_truth_and_single_answers_do_not_tell():
    rng, m, waves, n_draws = np.random.default_rng(23), 40, [], 200
    for draw in range(n_draws):  # each a wave of its own
        # Large accounts score lower: account-level and respondent-level truths differ.
        large = rng.random(m) < 0.3
        promoters = np.where(large, 0.2, 0.6)
        size = np.where(large, 8, 2)
        account = np.repeat(np.arange(m), size)
        score = np.where(rng.random(len(account)) < promoters[account], 10, 3)
        of_draw = {"likelihood_to_recommend": score, "account_id": [f"{draw}-{each}" for each in account]}
        waves.append(pd.DataFrame(of_draw).assign(wave=f"draw {draw:03}"))
    found = account_score(Study.from_frames(responses=pd.concat(waves)), by="wave").frame
    assert len(found) == n_draws
    assert (found["n_accounts"] == m).all()
    truth = 100 * (2 * (0.3 * 0.2 + 0.7 * 0.6) - 1)
    held = (found["conf_low"] <= truth) & (truth <= found["conf_high"])
    assert held.mean() == pytest.approx(0.95, abs=3.3 * math.sqrt(0.95 * 0.05 / n_draws))
    assert found["respondent_score"].iloc[-1] < found["estimate"].iloc[-1] - 10


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 5)), min_size=2, max_size=30), st.integers(2, 5))
def test_saying_everything_twice_changes_no_account(answers, times):
    rows = pd.DataFrame(answers, columns=["likelihood_to_recommend", "account_id"]).astype({"account_id": str})
    once, again = (
        account_score(Study.from_frames(responses=each)).frame.loc[0] for each in (rows, pd.concat([rows] * times))
    )
    assert again["estimate"] == pytest.approx(once["estimate"])
    assert again["respondent_score"] == pytest.approx(once["respondent_score"])
    assert again["n"] == times * once["n"]
    assert again["n_accounts"] == once["n_accounts"]
    assert -100 <= once["estimate"] <= 100


def test_one_account_a_person_is_the_plain_score():
    rows = unweighted(24).assign(account_id=[f"a{row}" for row in range(400)])
    row = account_score(study_of(rows)).frame.loc[0]
    assert row["estimate"] == pytest.approx(row["respondent_score"])
    assert row["difference"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(row["difference_p_value"])
    assert "The difference" not in account_score(study_of(rows)).finding


def test_the_finding_says_which_way_large_accounts_go():
    def company(large, small):
        rows = [(large, "big" + str(a)) for a in range(10) for _ in range(30)]
        rows += [(score, f"small{a}") for a in range(40) for score in small]
        frame = pd.DataFrame(rows, columns=["likelihood_to_recommend", "account_id"])
        frame.loc[::17, "likelihood_to_recommend"] = 8
        return account_score(Study.from_frames(responses=frame))

    assert "accounts with many answers score higher" in company(10, [3, 5]).in_words
    assert "accounts with many answers score lower" in company(3, [9, 10]).in_words
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 10, 3, 9, 2, 10], "account_id": list("aabbcc")})
    even = account_score(study_of(rows, minimum_cell=1))
    assert "3 accounts, 95% interval" in even.in_words


def test_answers_without_an_account_are_accounts_of_their_own():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 10, 0, 10], "account_id": ["a", "a", None, None]})
    row = account_score(Study.from_frames(responses=rows)).frame.loc[0]
    assert (row["n_accounts"], row["estimate"]) == (3, pytest.approx(100 / 3))


def test_no_accounts_no_answers_one_account():
    with pytest.raises(CannotAnswerError, match="account_id"):
        account_score(Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9]})))
    one = account_score(
        study_of(pd.DataFrame({"likelihood_to_recommend": [10, 9, 3], "account_id": ["a"] * 3}), minimum_cell=1)
    )
    assert one.frame.loc[0, "estimate"] == pytest.approx(100 / 3)
    assert math.isnan(one.frame.loc[0, "conf_low"])
    rows = unweighted(25, n=120)
    rows.loc[rows["wave"] == "2025", "likelihood_to_recommend"] = np.nan
    result = account_score(study_of(rows), by="wave")
    assert result.frame["n_accounts"].tolist()[1] == 0
    assert [row["group"] for row in result.answered] == ["2024"]
    assert svg(result).startswith(b"<?xml")
    few = account_score(study_of(rows.head(6)))
    assert "no score to show" in few.finding


def test_full_and_hollow_points_are_accounts_and_answers():
    result = account_score(study_of(unweighted(26)), by="wave")
    ax = Figure().subplots()
    assert result.plot(ax) is ax
    full, hollow = (container.lines[0] for container in ax.containers)
    assert list(full.get_xdata()) == pytest.approx(result.frame["estimate"].tolist())
    assert list(hollow.get_xdata()) == pytest.approx(result.frame["respondent_score"].tolist())
    assert hollow.get_markerfacecolor() == "white" != full.get_markerfacecolor()
    assert "35 accounts" in ax.get_yticklabels()[0].get_text()


# Influence


def influence_of(rows, **settings):
    return account_influence(score_distribution(study_of(rows, **settings), cluster="account_id", weight=None))


def test_influence_is_the_score_without_the_account_less_the_score_with_it():
    rows = unweighted(27)
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    whole = slow_score(answered, None)
    expected = []
    for account, of_account in answered.groupby("account_id"):
        rest = answered[answered["account_id"] != account]
        expected.append((len(of_account), slow_score(rest, None) - whole))
    result = influence_of(rows)
    found = list(zip(result.frame["n"], result.frame["change"], strict=True))
    assert np.array(sorted(found)) == pytest.approx(np.array(sorted(expected)))
    assert result.frame["change"].abs().is_monotonic_decreasing
    assert result.frame["n"].sum() == len(answered)
    clustered = net_promoter_score(distribution_of(rows, cluster="account_id")).frame.loc[0]
    assert result.frame["margin_of_error"].unique() == pytest.approx(
        (clustered["conf_high"] - clustered["conf_low"]) / 2
    )


def test_an_account_moves_only_the_groups_it_is_in():
    rows = unweighted(28)
    result = account_influence(distribution_of(rows, by="wave", cluster="account_id"))
    for wave, part in result.frame.groupby("group"):
        alone = influence_of(rows[rows["wave"] == wave].drop(columns="wave"))
        assert sorted(part["change"]) == pytest.approx(sorted(alone.frame["change"]))
        assert part["margin_of_error"].unique() == pytest.approx(alone.frame["margin_of_error"].unique())


def whale() -> pd.DataFrame:
    rng = np.random.default_rng(29)
    many = pd.DataFrame(
        {"likelihood_to_recommend": rng.choice([2, 8, 10], 300), "account_id": rng.integers(0, 60, 300).astype(str)}
    )
    large = pd.DataFrame({"likelihood_to_recommend": [0] * 200, "account_id": "leviathan"})
    return pd.concat([many, large], ignore_index=True)


def test_the_finding_says_whether_the_score_hangs_on_one_account():
    calm = influence_of(unweighted(27))
    assert "No single account moves the NPS by more than its margin of error" in calm.in_words
    assert "The largest influence shown is that of an account with" in calm.in_words
    rows = whale()
    result = influence_of(rows)
    change, margin = result.frame.loc[0, ["change", "margin_of_error"]]
    assert (abs(change) > margin) == (len(result.beyond_margin) > 0)
    smaller = replace(result, frame=result.frame.assign(margin_of_error=abs(change) * 0.99))
    assert "One account moves the NPS by more than its margin of error: the score hangs on it" in smaller.in_words
    assert "200 answers" in smaller.in_words
    all_beyond = replace(result, frame=result.frame.assign(margin_of_error=0.0))
    assert f"{(result.frame['change'] != 0).sum()} accounts each move the NPS" in all_beyond.in_words


def test_no_account_is_named_anywhere():
    rows = whale()
    for result in (influence_of(rows), account_score(study_of(rows))):
        for text in (json.dumps(result.to_json()), repr(result), str(result._repr_mimebundle_()), svg(result).decode()):
            assert "leviathan" not in text
        assert "leviathan" not in result.frame.to_csv()
        assert "account_id" not in result.frame


def test_accounts_with_few_answers_are_hidden_and_counted():
    sizes = {"a": 40, "b": 25, "c": 12} | {f"d{few}": 4 for few in range(9)} | {"e": 3}
    rows = pd.DataFrame({"account_id": [name for name, n in sizes.items() for _ in range(n)]})
    rows["likelihood_to_recommend"] = np.random.default_rng(30).choice([1, 8, 10], len(rows))
    result = influence_of(rows, minimum_cell=10)
    assert sorted(result.frame["n"]) == [3, *[4] * 9, 12, 25, 40]
    assert sorted(result.shown["n"]) == [12, 25, 40]
    fewer = influence_of(rows[rows["account_id"] != "e"], minimum_cell=10)  # of nine accounts, what is left would tell
    assert sorted(fewer.shown["n"]) in ([12, 25], [12, 40], [25, 40])
    assert result.shown["term"].tolist() == ["Rank 1", "Rank 2", "Rank 3"]
    assert "10 accounts are not shown: each has fewer than 10 answers" in result.full_note
    assert len(result.to_json()["rows"]) == 3
    in_small_groups = rows.assign(region=["north"] * (len(rows) - 4) + ["south"] * 4)
    grouped = account_influence(distribution_of(in_small_groups, by="region", cluster="account_id"))
    assert grouped.shown.empty  # the north would let the south be worked out
    assert svg(replace(grouped, minimum_cell=0)).startswith(b"<?xml")
    assert "<table" not in grouped._repr_mimebundle_()["text/html"]


def test_a_long_list_shows_its_beginning():
    rows = unweighted(31, n=1500, n_accounts=60)
    result = influence_of(rows)
    shown = result.shown
    assert len(shown) == LISTED < len(result.large_enough)
    assert shown["change"].abs().min() >= result.large_enough["change"].abs().iloc[LISTED]
    assert f"Of {len(result.large_enough)} others, the {LISTED} of most influence are listed" in result.full_note


def test_influence_needs_unweighted_answers_by_account():
    rows = made_up_rows(np.random.default_rng(32))
    with pytest.raises(EstimationError, match="cluster='account_id'"):
        account_influence(distribution_of(rows, cluster=None, weight=None))
    with pytest.raises(EstimationError, match="weight=None"):
        account_influence(distribution_of(rows, cluster="account_id"))
    with pytest.raises(EstimationError, match="confidence_level = 2"):
        account_influence(distribution_of(rows, cluster="account_id", weight=None), confidence_level=2)
    with pytest.raises(EstimationError, match="promoter_min = 3"):
        account_influence(distribution_of(rows, cluster="account_id", weight=None), promoter_min=3)


def test_one_account_alone_has_no_influence_that_could_be_known():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 3] * 10, "account_id": "a"})
    result = influence_of(rows, minimum_cell=1)
    assert result.frame["change"].isna().tolist() == [True]
    assert "cannot be said" in result.finding
    alike = influence_of(
        pd.DataFrame({"likelihood_to_recommend": [10] * 40, "account_id": ["a", "b"] * 20}), minimum_cell=1
    )
    assert alike.frame["change"].tolist() == [0, 0]
    assert "No single account" in alike.finding


def test_bars_are_the_changes_and_the_band_the_margin():
    result = influence_of(unweighted(27))
    ax = Figure().subplots()
    assert result.plot(ax) is ax
    band, bars = ax.containers
    shown = result.shown
    assert [bar.get_width() for bar in bars] == pytest.approx(shown["change"].tolist())
    assert [bar.get_width() for bar in band] == pytest.approx((2 * shown["margin_of_error"]).tolist())
    assert ax.get_yticklabels()[0].get_text() == f"Rank 1 ({shown['n'][0]} answers)"
