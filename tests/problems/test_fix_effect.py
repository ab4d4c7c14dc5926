import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from calibration.fix_effect import branched_study, drifting_study
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth, nothing_planted
from nps_research.problems.fix_effect import BRANCHES, FELL, NOT_HALVED, PROBLEMS, UNDECIDED, _decided, fix_effect
from nps_research.results.words import MOST_WORDS
from nps_research.statistics.drift_beyond import drift_between
from nps_research.study.study import Study
from tests.problems.test_pain_map import demo

VERDICTS = {FELL, NOT_HALVED, UNDECIDED}


def made_up(truth, seed):
    company = simulate_study(truth, rng=np.random.default_rng(seed))
    problems = {
        code: {"label": of.label} | ({"fixed_on": dt.date.fromisoformat(of.fixed_on)} if of.fixed_on else {})
        for code, of in company.truth.problems.items()
    }
    return Study.from_frames(
        responses=company.responses.drop(columns="comment"), problems=problems, settings={"cluster": "account_id"}
    )


def displayed(result):
    json.dumps(result.to_json(), allow_nan=False)
    assert len(result.finding.split()) <= MOST_WORDS
    result.plot()
    return result._repr_mimebundle_()["text/html"]


def test_change_is_that_of_the_logarithms_against_the_untouched():
    study = drifting_study(1000, 0.15, 0.0, halved=True, rng=np.random.default_rng(1))
    row = fix_effect(study).frame.iloc[0]
    rows = study.responses
    wave = rows["wave"].str[1:].astype(int)
    first = (wave < 4) & (rows["wave"] != row["peak"])
    change, variance = {}, {}
    for code in study.problems:
        has = rows["problems"].fillna("").str.contains(code)
        before, after = has[first].mean(), has[wave >= 4].mean()
        change[code] = np.log(after / before)
        n = int((first | (wave >= 4)).sum())
        variance[code] = ((1 - before) / before / first.sum() + (1 - after) / after / (wave >= 4).sum()) * n / (n - 1)
    mended = next(code for code, each in study.problems.items() if each.fixed_on)
    rest = [code for code in change if code != mended]
    d, v = np.array([change[code] for code in rest]), np.array([variance[code] for code in rest])
    w = 1 / v
    q = w @ (d - w @ d / w.sum()) ** 2
    between = max(0, (q - len(d) + 1) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + between)
    assert np.log(row["estimate"]) == pytest.approx(change[mended] - w @ d / w.sum())
    assert row["std_error"] == pytest.approx(np.sqrt(variance[mended] + between + 1 / w.sum()))


def test_a_fix_in_one_branch_is_held_against_the_other_branches():
    study = branched_study(300, 0.15, 0.5, halved=True, rng=np.random.default_rng(3))
    result = fix_effect(study)
    row = result.frame.iloc[0]
    (mended,) = study.problems["late"].fixed_in["branch"]
    late = set(zip(study.tables["problems"]["respondent_id"], study.tables["problems"]["wave"], strict=True))
    rows = study.responses[["respondent_id", "wave", "branch"]]
    has = pd.Series([each in late for each in zip(rows["respondent_id"], rows["wave"], strict=True)])
    wave = rows["wave"].str[1:].astype(int)
    before, after = (wave < 4) & (rows["wave"] != row["peak"]), wave >= 4
    seen = has[rows["branch"] == mended].groupby(rows["wave"]).mean()
    assert seen[["W0", "W1", "W2", "W3"]].idxmax() == row["peak"]
    change = {
        branch: np.log(has[after & (rows["branch"] == branch)].mean() / has[before & (rows["branch"] == branch)].mean())
        for branch in rows["branch"].unique()
    }
    assert row["against"] == BRANCHES
    assert row["n"] == ((before | after) & (rows["branch"] == mended)).sum()
    assert np.log(row["estimate"] * row["others"]) == pytest.approx(change.pop(mended))
    assert min(change.values()) < np.log(row["others"]) < max(change.values())
    assert result.n_controls == 9
    assert "untouched branches" in result.finding
    assert "untouched branches" in result.note
    displayed(result)


def test_branches_tell_a_halving_from_a_fall_from_a_peak():
    fell = {
        halved: [
            fix_effect(branched_study(300, 0.05, 0.5, halved=halved, rng=np.random.default_rng(seed))).frame["verdict"][
                0
            ]
            == FELL
            for seed in range(12)
        ]
        for halved in (True, False)
    }
    assert np.mean(fell[True]) >= 0.7
    assert np.mean(fell[False]) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 12)


def branched(fixed_in, segments=("branch",), **stated):
    study = drifting_study(1200, 0.0, 0.0, halved=False, rng=np.random.default_rng(4))
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend", "problems"]]
    rows = rows.assign(branch=np.resize([f"B{number}" for number in range(6)], len(rows)))
    p0 = {"label": "Problem p0", "fixed_on": dt.date(2025, 1, 1), "fixed_in": fixed_in, **stated}
    return Study.from_frames(
        responses=rows, segments=segments, problems={"p0": p0} | {f"p{at}": {} for at in range(1, 10)}
    )


def test_where_it_was_mended_must_be_known_and_leave_branches_to_compare():
    def verdict(fixed_in):
        return fix_effect(branched(fixed_in)).frame["verdict"][0]

    assert verdict({"branch": ["B0"]}) in VERDICTS
    words = "cannot be answered: 5 untouched branches are needed, 4 name it enough."
    assert verdict({"branch": ["B0", "B1"]}) == words
    assert verdict({"branch": [f"B{number}" for number in range(6)]}).endswith("0 name it enough.")
    alone = branched({"branch": ["B0"]}).where(branch="B0")
    assert fix_effect(alone).frame["verdict"][0].endswith("0 name it enough.")


def test_where_it_was_mended_is_a_segment_and_has_a_day():
    with pytest.raises(
        ContractError, match=r"problems\.p0\.fixed_in: there is no column 'brunch': did you mean branch"
    ):
        branched({"brunch": ["B0"]})
    with pytest.raises(ContractError, match=r"problems\.p0\.fixed_in: no row has branch 'b1': did you mean B1"):
        branched({"branch": ["B0", "b1"]})
    with pytest.raises(ContractError, match="fixed_in"):
        branched({"branch": []})
    with pytest.raises(ContractError, match="fixed_in needs fixed_on"):
        branched({"branch": ["B0"]}, fixed_on=None)
    with pytest.raises(ContractError, match="fixed_in"):
        branched({"branch": ["B0"], "region": ["North"]})


def test_branches_may_be_strata_or_numbers():
    study = drifting_study(1200, 0.0, 0.0, halved=False, rng=np.random.default_rng(4))
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend", "problems"]]
    rows = rows.assign(branch=np.resize(np.arange(6), len(rows)))
    p0 = {"fixed_on": dt.date(2025, 1, 1), "fixed_in": {"branch": [5]}}
    problems = {"p0": p0} | {f"p{at}": {} for at in range(1, 10)}

    def found(rows):
        return fix_effect(Study.from_frames(responses=rows, segments=["branch"], problems=problems)).frame.iloc[0]

    plain, stratified = found(rows), found(rows.assign(stratum=rows["branch"].map("S{}".format)))
    assert plain["where"] == "5"
    assert stratified["std_error"] == pytest.approx(plain["std_error"], rel=0.02)
    assert stratified["estimate"] == pytest.approx(plain["estimate"], rel=1e-3)  # others are weighted by their errors


def test_what_is_hidden_elsewhere_is_not_shown_here():
    study = branched({"branch": ["B0"]})
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend", "problems", "branch"]]
    kept = rows[(rows["branch"] != "B0") | (np.arange(len(rows)) < 40)]  # seven answers of the branch
    problems = {code: each.model_dump(exclude_none=True) for code, each in study.problems.items()}
    result = fix_effect(Study.from_frames(responses=kept, segments=["branch"], problems=problems))
    assert "may be shown" in result.frame["verdict"][0]
    there = rows["wave"].isin(["W0", "W1", "W2"]) | (rows["branch"] != "B0") | (np.arange(len(rows)) % 300 < 6)
    for part, least in ((rows[there], 10), (rows, 600)):  # few name it after the fix; few answers before it
        study = Study.from_frames(
            responses=part, segments=["branch"], problems=problems, settings={"minimum_cell": least}
        )
        few = fix_effect(study).frame.iloc[0]
        assert few["verdict"] == "cannot be answered: too few name it."
        assert few[["before", "after"]].isna().all()


def test_with_one_wave_before_a_fix_is_not_told_from_a_fall_from_a_peak():
    study = small(dt.date(2024, 5, 1))
    assert "with one wave before it" in fix_effect(study).frame["verdict"][0]


def test_a_rise_is_not_said_to_be_no_more_than_the_others():
    study = drifting_study(1000, 0.0, 0.0, halved=True, rng=np.random.default_rng(1))
    frame = fix_effect(study).frame.assign(verdict=None).drop(columns="p_adjusted")
    rise = frame.assign(conf_low=1.1, conf_high=2.0, estimate=1.5, p_value=0.001)
    assert list(_decided(rise, 0.95)["verdict"]) == ["not halved beyond the others"]
    fall = frame.assign(conf_low=0.55, conf_high=0.95, estimate=0.72, p_value=0.06)
    assert list(_decided(fall, 0.95)["verdict"]) == [UNDECIDED]


def test_drift_is_that_of_dersimonian_and_laird():
    mean, of_mean, between = drift_between(np.array([0.1, 0.1, 0.1]), np.array([1.0, 2.0, 4.0]))
    assert (mean, between) == (pytest.approx(0.1), 0)
    assert of_mean == pytest.approx(1 / 1.75)


def test_a_problem_that_was_halved_fell_and_one_that_only_fell_from_its_peak_did_not():
    verdicts = {
        halved: [
            fix_effect(drifting_study(1000, 0.1, 0.5, halved=halved, rng=np.random.default_rng(seed))).frame["verdict"][
                0
            ]
            for seed in range(20)
        ]
        for halved in (True, False)
    }
    assert np.mean([each == FELL for each in verdicts[True]]) >= 0.7
    assert np.mean([each == FELL for each in verdicts[False]]) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 20)


def test_the_demo_tells_the_true_fix_from_the_fall_from_a_peak():
    result = fix_effect(demo())
    found = result.frame.set_index("term")
    assert found.loc["Login fails", "verdict"] == FELL
    assert found.loc["Out of stock", "verdict"] in (NOT_HALVED, UNDECIDED)
    assert found.loc["Out of stock", "peak"] == "2024 Q3"
    assert set(found["against"]) == {PROBLEMS}
    assert not re.search(r"\b[CA]\d{4,5}\b", displayed(result))
    assert "not an effect" in result.note


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_the_null_company_nothing_fell(seed):
    found = fix_effect(made_up(nothing_planted(Truth(n_accounts=600)), seed)).frame
    assert set(found["verdict"]) <= {NOT_HALVED, UNDECIDED}


def small(fixed_on, **kept):
    study = drifting_study(300, 0.0, 0.0, halved=False, rng=np.random.default_rng(4))
    problems = {code: {"label": each.label} for code, each in study.problems.items()}
    problems["p0"]["fixed_on"] = fixed_on
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend", "problems"]]
    return Study.from_frames(responses=rows.assign(**kept), problems=problems)


def test_fixes_before_and_after_all_data_are_refused_in_one_sentence():
    with pytest.raises(CannotAnswerError, match=r"^Every fix is dated before all answers, so .*\.$"):
        fix_effect(small(dt.date(2023, 1, 1)))
    with pytest.raises(CannotAnswerError, match=r"^Every fix is dated after all answers, so .*\.$"):
        fix_effect(small(dt.date(2029, 1, 1)))
    with pytest.raises(CannotAnswerError, match=r"state fixed_on .* would be exploratory"):
        fix_effect(small(None))
    with pytest.raises(CannotAnswerError, match="the round of the survey"):
        fix_effect(small(dt.date(2025, 1, 1), wave=None))


def test_one_fix_too_early_beside_another_is_said_in_its_row():
    study = small(dt.date(2025, 1, 1))
    problems = {code: each.model_dump(exclude_none=True) for code, each in study.problems.items()}
    problems["p1"]["fixed_on"] = dt.date(2023, 1, 1)
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend", "problems"]]
    result = fix_effect(Study.from_frames(responses=rows, problems=problems))
    found = result.frame.set_index("term")
    assert found.loc["Problem p1", "verdict"] == "cannot be answered: the fix is dated before all answers."
    assert found.loc["Problem p0", "verdict"] in VERDICTS
    displayed(result)


def test_too_few_untouched_problems_are_refused_in_words():
    study = small(dt.date(2025, 1, 1))
    rows = study.responses[["respondent_id", "wave", "responded_at", "likelihood_to_recommend"]]
    named = study.responses["problems"].fillna("").str.findall("p[012]").str.join(";")
    problems = {code: {"label": code} for code in ("p0", "p1", "p2")}
    problems["p0"]["fixed_on"] = dt.date(2025, 1, 1)
    result = fix_effect(Study.from_frames(responses=rows.assign(problems=named), problems=problems))
    assert result.frame["verdict"][0] == "cannot be answered: 5 untouched problems are needed, 2 are named enough."
    assert "No mended problem" in result.finding
    result.to_json()


def test_what_is_undecided_says_how_many_answers_it_needs():
    found = [fix_effect(drifting_study(250, 0.0, 0.0, halved=False, rng=np.random.default_rng(at))) for at in range(20)]
    undecided = [each for each in found if each.frame["verdict"][0] == UNDECIDED]
    able = [each for each in undecided if np.isfinite(each.frame["needed"][0])]
    assert able
    for result in able:
        row = result.frame.iloc[0]
        assert "needs about" in result.finding
        assert row["needed"] > 4 * 250  # there are as many after it
    for result in undecided:
        assert ("needs about" in result.finding) == bool(np.isfinite(result.frame["needed"][0]))


def test_few_answers_show_nothing():
    study = small(dt.date(2025, 1, 1))
    result = fix_effect(study)
    few = type(result)(frame=result.frame.assign(n=5), minimum_cell=10)
    assert few.shown.empty
    assert pd.isna(few.drift)
