import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from statsmodels.api import OLS, add_constant

from nps_research.errors import CannotAnswerError, ContractError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.problems.pain_map import pain_map
from nps_research.results.words import MOST_WORDS
from nps_research.statistics.rank_limits import draws_of
from nps_research.study.study import Study, open_study

DEMO = Path(__file__).parents[2] / "data" / "demo"
LABELS = {"late": {"label": "Late"}, "dear": {"label": "Dear"}, "rude": {"label": "Rude"}}


@cache
def demo():
    return open_study(DEMO)


def answers(n=1200, *, rng, takes=(60.0, 30.0, 0.0), shares=(0.2, 0.1, 0.05), accounts=None):
    """People with three problems, of which each takes as many points from an answer of -100, 0 or 100."""
    has = rng.random((n, 3)) < shares
    likely = 0.5 + (30 - has @ np.array(takes)) / 200
    score = np.where(rng.random(n) < likely, 10, 2)
    names = np.array(["late", "dear", "rude"])
    return pd.DataFrame(
        {
            "respondent_id": [f"r{row}" for row in range(n)],
            "account_id": [f"a{row}" for row in (np.arange(n) if accounts is None else np.arange(n) % accounts)],
            "likelihood_to_recommend": score,
            "problems": [";".join(names[row]) or None for row in has],
        }
    )


def study_of(rows, *, customers=None, tables=None, problems=LABELS, segments=(), **settings):
    return Study.from_frames(
        responses=rows, customers=customers, tables=tables, problems=problems, segments=segments, settings=settings
    )


def by_term(result):
    return result.frame.set_index("term")


def displayed(result):
    json.dumps(result.to_json(), allow_nan=False)
    assert len(result.finding.split()) <= MOST_WORDS
    result.plot()
    return result._repr_mimebundle_()["text/html"]


# References and brute force


def test_five_of_a_thousand_are_2138_to_11651_of_a_million_and_none_up_to_3800():
    rows = pd.DataFrame({"respondent_id": range(1000), "likelihood_to_recommend": 9, "problems": None})
    rows.loc[:4, "problems"] = "late"
    found = by_term(pain_map(study_of(rows, tables={"population": pd.DataFrame({"customers": [1_000_000]})})))
    columns = ["customers", "customers_conf_low", "customers_conf_high"]
    assert found.loc["Late", columns].round().tolist() == [5000, 2138, 11651]
    assert found.loc["Dear", columns].round(-2).tolist() == [0, 0, 3800]


def test_points_are_share_times_the_coefficient_of_least_squares_on_all_problems():
    rows = answers(rng=np.random.default_rng(1), accounts=300)
    study = study_of(rows, cluster="account_id")
    frame = by_term(pain_map(study))
    has = np.stack([rows["problems"].fillna("").str.contains(code) for code in LABELS], axis=1).astype(float)
    y = np.where(rows["likelihood_to_recommend"] == 10, 100.0, -100.0)
    fitted = OLS(y, add_constant(has)).fit(
        cov_type="cluster",
        cov_kwds={"groups": rows["account_id"].factorize()[0], "use_correction": False, "df_correction": False},
    )
    frame = frame.loc[["Late", "Dear", "Rude"]]
    assert frame["coefficient"].to_numpy() == pytest.approx(fitted.params[1:])
    assert frame["points"].to_numpy() == pytest.approx(has.mean(axis=0) * fitted.params[1:])
    assert frame["points"].sum() == pytest.approx(y.mean() - fitted.params[0])
    half = (frame["coefficient_conf_high"] - frame["coefficient_conf_low"]) / 2
    assert half.to_numpy() == pytest.approx(t.ppf(0.975, 299) * fitted.bse[1:] * np.sqrt(300 / 299))


def test_limits_of_points_are_those_of_a_jackknife():
    rows = answers(400, rng=np.random.default_rng(11), accounts=100)
    row = by_term(pain_map(study_of(rows, cluster="account_id"))).loc["Late"]
    has = np.stack([rows["problems"].fillna("").str.contains(code) for code in LABELS], axis=1).astype(float)
    y = np.where(rows["likelihood_to_recommend"] == 10, 100.0, -100.0)
    account = rows["account_id"].factorize()[0]

    def points(kept):
        design = add_constant(has[kept])
        return has[kept, 0].mean() * np.linalg.lstsq(design, y[kept], rcond=None)[0][1]

    without = np.array([points(account != each) for each in range(100)])
    error = np.sqrt(99 / 100 * ((without - without.mean()) ** 2).sum())
    half = (row["points_conf_high"] - row["points_conf_low"]) / 2
    assert half == pytest.approx(t.ppf(0.975, 99) * error, rel=0.04)


def test_strata_and_weights_are_those_of_survey_software():
    rng = np.random.default_rng(2)
    rows = answers(600, rng=rng)
    stratum = rng.integers(0, 3, 600)
    rows = rows.assign(stratum=stratum.astype(str), design_weight=np.array([1.0, 3.0, 9.0])[stratum])
    frame = by_term(pain_map(study_of(rows)))
    has = rows["problems"].fillna("").str.contains("late").to_numpy(dtype=float)
    weight = rows["design_weight"].to_numpy()
    share = weight @ has / weight.sum()
    error = weight * (has - share) / weight.sum()
    variance = 0.0
    for each in range(3):
        of = error[stratum == each]
        variance += len(of) / (len(of) - 1) * ((of - of.mean()) ** 2).sum()
    assert frame.loc["Late", "estimate"] == pytest.approx(share)
    assert frame.loc["Late", "std_error"] == pytest.approx(np.sqrt(variance))


def test_a_base_of_groups_weights_its_groups_and_half_of_it_leaves_less_to_chance():
    rows = answers(400, rng=np.random.default_rng(3))
    rows["region"] = np.where(np.arange(400) < 100, "north", "south")
    base = pd.DataFrame({"region": ["north", "south"], "customers": [600, 400]})
    study = study_of(rows, tables={"population": base}, segments=["region"])
    frame = by_term(pain_map(study))
    has = rows["problems"].fillna("").str.contains("late").to_numpy(dtype=float)
    north, south = has[:100].mean(), has[100:].mean()
    assert frame.loc["Late", "estimate"] == pytest.approx(0.6 * north + 0.4 * south)
    assert frame.loc["Late", "customers"] == pytest.approx(600 * north + 400 * south)
    variance = sum(
        part**2 * (1 - n / size) * rate * (1 - rate) / n
        for part, n, size, rate in ((0.6, 100, 600, north), (0.4, 300, 400, south))
    )
    assert frame.loc["Late", "std_error"] == pytest.approx(np.sqrt(variance), rel=0.01)


def test_who_asked_everybody_knows_the_number():
    rows = answers(400, rng=np.random.default_rng(3))
    frame = by_term(pain_map(study_of(rows, tables={"population": pd.DataFrame({"customers": [400]})})))
    for term in ("Late", "Dear", "Rude"):
        ends = frame.loc[term, ["customers_conf_low", "customers_conf_high"]].tolist()
        assert ends == pytest.approx([frame.loc[term, "events"]] * 2)


def test_an_account_brings_its_revenue_once():
    rows = answers(300, rng=np.random.default_rng(4), accounts=100)
    customers = pd.DataFrame(
        {"customer_id": rows["respondent_id"], "account_id": rows["account_id"], "revenue": 1.0 + np.arange(300) % 100}
    )
    frame = by_term(pain_map(study_of(rows, customers=customers, cluster="account_id")))
    has = rows["problems"].fillna("").str.contains("late").groupby(rows["account_id"]).mean()
    revenue = customers.groupby("account_id")["revenue"].first()
    share = (has * revenue).sum() / revenue.sum()
    assert frame.loc["Late", "revenue_share"] == pytest.approx(share)
    assert frame.loc["Late", "priority"] == pytest.approx(-share * frame.loc["Late", "coefficient"])


def test_cost_divides_the_priority_where_all_have_one():
    rows = answers(rng=np.random.default_rng(5))
    costly = {code: {**of, "cost": cost} for (code, of), cost in zip(LABELS.items(), (10, 1, 1), strict=True)}
    found, plain = pain_map(study_of(rows, problems=costly)), pain_map(study_of(rows))
    assert found.by_cost
    assert by_term(found).loc["Late", "priority"] == pytest.approx(by_term(plain).loc["Late", "priority"] / 10)
    assert found.frame["term"][0] == "Dear"
    assert plain.frame["term"][0] == "Late"
    some = pain_map(study_of(rows, problems={**costly, "late": {"label": "Late"}}))
    assert not some.by_cost


def test_draws_for_ranks_have_the_covariance():
    root = np.random.default_rng(1).standard_normal((4, 4))
    assert np.cov(draws_of(root @ root.T), rowvar=False) == pytest.approx(root @ root.T)


# Recovery


def test_what_is_planted_comes_out_and_what_is_not_does_not():
    hits, falsely, interactions, runs = 0, 0, 0, 100
    for seed in range(runs):
        study = study_of(answers(800, rng=np.random.default_rng(seed), accounts=300), cluster="account_id")
        result = pain_map(study)
        frame = by_term(result)
        hits += frame.loc["Late", "points_conf_low"] <= -12 <= frame.loc["Late", "points_conf_high"]
        falsely += frame.loc["Rude", "verdict"] == "shown"
        assert frame.loc["Late", "rank_low"] <= frame.loc["Late", "rank_high"]
        interactions += result.interaction_p_value < 0.05
    assert hits / runs >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / runs)
    assert falsely / runs <= 0.05 + 3.3 * np.sqrt(0.95 * 0.05 / runs)
    assert interactions / runs <= 0.05 + 3.3 * np.sqrt(0.95 * 0.05 / runs)


def test_problems_that_are_worse_together_are_seen():
    rng = np.random.default_rng(1)
    rows = answers(3000, rng=rng, takes=(0, 0, 0), shares=(0.3, 0.3, 0.05))
    both = rows["problems"].fillna("").str.contains("late;dear")
    rows.loc[both, "likelihood_to_recommend"] = 2
    result = pain_map(study_of(rows))
    assert result.interaction_p_value < 0.001
    assert "other than their sum is shown" in result.details


def share_now(problem):
    return [problem.share, *problem.share_from.values()][-1]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_shares_of_a_made_up_company_are_covered(seed):
    company = simulate_study(Truth(n_accounts=400), rng=np.random.default_rng(seed))
    study = Study.from_frames(
        responses=company.responses.drop(columns=["comment"]),
        customers=company.customers,
        problems={code: {"label": of.label} for code, of in company.truth.problems.items()},
        settings={"cluster": "account_id"},
    )
    frame = by_term(pain_map(study))
    planted = {of.label: of for of in company.truth.problems.values() if not of.only_large}
    inside = [
        frame.loc[label, "conf_low"] <= share_now(of) <= frame.loc[label, "conf_high"] for label, of in planted.items()
    ]
    assert np.mean(inside) >= 0.8
    assert frame.loc["Minimum order raised", "verdict"] == "shown"


# What is shown


def test_the_demo_is_mapped():
    result = pain_map(demo())
    html = displayed(result)
    assert "only an association" in result.note.lower()
    assert not re.search(r"\b[CA]\d{4,5}\b", html)
    assert result.frame["rank_low"].min() == 1


def test_praise_stands_apart_and_codes_without_a_name_are_not_ranked():
    rows = answers(rng=np.random.default_rng(6))
    result = pain_map(
        study_of(rows, problems={"late": {"label": "Late"}, "dear": {"praise": True, "label": "Good"}, "rude": {}})
    )
    frame = by_term(result)
    assert frame.loc["Good", "is_praise"]
    assert frame.loc[["Good", "code rude"], "rank_low"].isna().all()
    assert np.isnan(frame.loc["Good", "points"])
    assert result.unnamed == 1
    assert "give them a label" in result.note


def test_few_with_a_problem_tell_no_points_and_few_answers_tell_nothing():
    rows = answers(rng=np.random.default_rng(7), shares=(0.2, 0.1, 0.004))
    frame = by_term(pain_map(study_of(rows)))
    assert frame.loc["Rude", "events"] < 10
    assert frame.loc["Rude", ["points", "coefficient", "priority", "rank_low", "verdict"]].isna().all()
    result = pain_map(study_of(rows.head(8)))
    assert result.shown.empty
    assert "too few" in result.finding


def test_revenue_of_one_large_account_is_not_told():
    rows = answers(300, rng=np.random.default_rng(8))
    late = rows["problems"].fillna("").str.contains("late").to_numpy()
    revenue = np.where(np.arange(300) == np.flatnonzero(late)[0], 1e6, 1.0)
    customers = pd.DataFrame(
        {"customer_id": rows["respondent_id"], "account_id": rows["account_id"], "revenue": revenue}
    )
    frame = by_term(pain_map(study_of(rows, customers=customers)))
    assert frame.loc["Late", ["revenue_share", "revenue_share_conf_low", "priority"]].isna().all()


def test_a_base_that_does_not_fit_is_said():
    rows = answers(300, rng=np.random.default_rng(8)).assign(region="north")
    base = pd.DataFrame({"region": ["south"], "customers": [500]})
    result = pain_map(study_of(rows, tables={"population": base}, segments=["region"]))
    assert np.isnan(result.customers)
    assert "do not match" in result.note
    assert "no table of its customer base" in pain_map(study_of(rows)).note


# Refusals


def test_what_was_not_asked_is_refused():
    rows = answers(300, rng=np.random.default_rng(9))
    with pytest.raises(CannotAnswerError, match="does not record the problem, by its code"):
        pain_map(study_of(rows.drop(columns="problems"), problems={}))
    calls = pd.DataFrame({"respondent_id": ["r1", "r2"], "problem": "late", "source": "callback"})
    with pytest.raises(CannotAnswerError, match="No problem was asked for in the survey"):
        pain_map(study_of(rows.drop(columns="problems"), tables={"problems": calls}))
    with pytest.raises(CannotAnswerError, match="likelihood_to_recommend"):
        pain_map(study_of(rows.drop(columns="likelihood_to_recommend").assign(responded=1)))
    with pytest.raises(ContractError, match="There is no wave 'W9'"):
        pain_map(study_of(rows.assign(wave="W1")), wave="W9")
    waves = rows.assign(wave=np.where(np.arange(300) < 100, "W1", "W2"))
    waves.loc[waves["wave"] == "W2", "problems"] = None
    assert pain_map(study_of(waves)).wave == "W1"
    with pytest.raises(CannotAnswerError, match="In W2 nobody named a problem"):
        pain_map(study_of(waves), wave="W2")


def test_a_problem_that_few_name_is_not_shown():
    rows = answers(rng=np.random.default_rng(3))
    rows.loc[:2, "problems"] = "rare"
    rows.loc[3:30, "problems"] = "often"
    shown = pain_map(study_of(rows, problems={}, minimum_cell=10)).shown
    assert "code often" in shown["term"].tolist()
    assert "code rare" not in shown["term"].tolist()
    assert (shown["events"] >= 10).all()


def test_where_the_first_is_open_it_leads_with_what_most_points_go_with():
    result = pain_map(demo())
    may_be_first = result.frame[result.frame["rank_low"] == 1]
    most = may_be_first.loc[may_be_first["points"].idxmin()]
    assert len(may_be_first) > 1
    assert result.frame["term"][0] == most["term"]
    assert result.finding.startswith(f"{most['term']} goes with most: ")
    assert f"Which of {len(may_be_first)} problems to mend first is too close to call." in result.finding
    assert result.key_numbers[0].label.endswith(most["term"])
    n, customers = result.frame["n"][0], result.customers
    assert result.note.startswith(f"Base: {n:,} answers, 2025 Q4, which stand for {customers:,.0f} customers.")
