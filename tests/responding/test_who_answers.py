import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit
from statsmodels.discrete.discrete_model import Logit

from nps_research.errors import CannotAnswerError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.responding.factors import INVITATION, response_factors
from nps_research.responding.who_answers import who_answers
from nps_research.statistics.standardised_rates import Factor, adjusted_differences, changes_since_first
from nps_research.study.study import Study, open_study

DEMO = Path(__file__).parents[2] / "data" / "demo"


@cache
def of_demo():
    return who_answers(open_study(DEMO))


def two_factors(rng, n=600):
    """Two factors that go together, and people of three invitations each."""
    cluster = np.repeat(np.arange(n // 3), 3)
    one = (rng.random(n // 3) < 0.4).astype(int)[cluster]
    other = np.where(rng.random(n) < 0.7, one, rng.integers(0, 3, n))
    factors = [
        Factor(name="one", groups=("a", "b"), group=one),
        Factor(name="other", groups=("x", "y", "z"), group=other),
    ]
    bent = rng.normal(0, 0.6, n // 3)[cluster]
    chance = expit(-0.2 + 0.5 * one - 0.6 * (other == 2) + bent)
    return factors, cluster, chance


def test_differences_are_those_of_a_model_read_by_hand():
    factors, cluster, chance = two_factors(np.random.default_rng(1))
    event = np.random.default_rng(2).random(len(chance)) < chance
    found = adjusted_differences(event, factors, cluster, confidence_level=0.95).of

    def design(one, other):
        return np.column_stack([np.ones(len(event)), one, other == 1, other == 2]).astype(float)

    as_is = design(factors[0].group, factors[1].group)
    fitted = Logit(event.astype(float), as_is).fit(disp=0, cov_type="cluster", cov_kwds={"groups": cluster})

    def difference(params, name, group):
        one = np.full(len(event), group) if name == "one" else factors[0].group
        other = np.full(len(event), group) if name == "other" else factors[1].group
        return expit(design(one, other) @ params).mean() - expit(as_is @ params).mean()

    for factor in factors:
        for group in range(len(factor.groups)):
            assert found[factor.name].estimate[group] == pytest.approx(difference(fitted.params, factor.name, group))
            step = 1e-6 * np.eye(4)
            gradient = [  # numerically
                (
                    difference(fitted.params + each, factor.name, group)
                    - difference(fitted.params - each, factor.name, group)
                )
                / 2e-6
                for each in step
            ]
            std_error = np.sqrt(gradient @ fitted.cov_params() @ gradient)
            assert found[factor.name].std_error[group] == pytest.approx(std_error, rel=1e-4)


def test_limits_and_p_values_know_how_few_clusters_there_are():
    factors, _, chance = two_factors(np.random.default_rng(1))
    cluster, rng = np.arange(len(chance)) % 6, np.random.default_rng(2)
    found = adjusted_differences(rng.random(len(chance)) < chance, factors, cluster, confidence_level=0.9).of["one"]
    half = stats.t.ppf(0.95, 5) * found.std_error
    np.testing.assert_allclose([found.conf_low, found.conf_high], [found.estimate - half, found.estimate + half])
    np.testing.assert_allclose(found.p_value, 2 * stats.t.sf(np.abs(found.estimate) / found.std_error, 5))


@pytest.mark.parametrize(("forms", "is_told"), [(7, False), (8, True)])
def test_a_group_of_eight_forms_is_told_apart_and_one_of_seven_is_not(forms, is_told):
    group = np.repeat([0, 1, 2], [200, 100, 40])
    event = np.r_[np.arange(200) % 2, np.arange(100) % 3 == 0, np.arange(40) < forms].astype(bool)
    factor = Factor(name="area", groups=("N", "S", "E"), group=group)
    found = adjusted_differences(event, [factor], np.arange(340), confidence_level=0.95).of["area"]
    assert np.isfinite(found.estimate).tolist() == [True, True, is_told]


@pytest.mark.parametrize("answered", [True, False])
def test_few_of_unknown_number_who_all_did_the_same_take_no_difference_from_the_others(answered):
    rng = np.random.default_rng(1)
    years, few = rng.uniform(0, 10, 2000), np.arange(2000) < 5
    group = np.where(few, 2, years > 5).astype(int)
    numbers = Factor(
        name="years", groups=("low", "high", "(not stated)"), group=group, number=np.where(few, np.nan, years)
    )
    area = Factor(name="area", groups=("N", "S"), group=rng.integers(0, 2, 2000))
    event = np.where(few, answered, rng.random(2000) < 0.4)
    found = adjusted_differences(event, [numbers, area], np.arange(2000), confidence_level=0.95).of
    assert np.isfinite(found["area"].estimate).all()
    assert np.isfinite(found["years"].estimate).tolist() == [True, True, False]


def test_accounts_whose_people_tire_together_are_one():
    rng = np.random.default_rng(8)
    person, number, event = np.repeat(np.arange(50), 2), np.tile([0, 1], 50), rng.random(100) < 0.5
    once = changes_since_first(event, number, person, person, confidence_level=0.95)
    thrice = [np.tile(each, 3) for each in (event, number)]
    people = np.concatenate([person + 50 * copy for copy in range(3)])
    together = changes_since_first(*thrice, people, np.tile(person, 3), confidence_level=0.95)
    for name in ("estimate", "std_error", "conf_low", "p_value"):
        assert getattr(together, name)[1] == pytest.approx(getattr(once, name)[1])


def test_a_change_that_is_the_same_for_all_is_none_as_chance_cannot_be_told():
    table = pd.DataFrame({"respondent_id": np.repeat(np.arange(40), 2), "wave": [1, 2] * 40, "responded": [1, 0] * 40})
    result = who_answers(Study.from_frames(responses=table))
    assert result.frame["estimate"].isna().all()
    assert "nan" not in result.finding
    assert "their first" not in result.finding


def test_differences_cover_what_they_estimate():
    rng, runs, covered = np.random.default_rng(3), 250, np.zeros(5)
    for _ in range(runs):
        factors, cluster, _ = two_factors(rng)
        one, other = factors[0].group, factors[1].group
        # the chance given both factors is logistic; within a person events go together through a shared draw
        chance = expit(-0.2 + 0.5 * one - 0.6 * (other == 2))
        shared = np.where(rng.random(len(one)) < 0.5, rng.random(200)[cluster], rng.random(len(one)))
        found = adjusted_differences(shared < chance, factors, cluster, confidence_level=0.95).of
        truth = [expit(-0.2 + 0.5 * a - 0.6 * (other == 2)).mean() - chance.mean() for a in (0, 1)]
        truth += [expit(-0.2 + 0.5 * one - 0.6 * (b == 2)).mean() - chance.mean() for b in (0, 1, 2)]
        low = np.concatenate([found["one"].conf_low, found["other"].conf_low])
        high = np.concatenate([found["one"].conf_high, found["other"].conf_high])
        covered += (low <= truth) & (truth <= high)
    assert (np.abs(covered / runs - 0.95) <= 3.3 * np.sqrt(0.95 * 0.05 / runs)).all(), covered / runs


def test_what_other_columns_say_already_has_no_difference_of_its_own():
    rng = np.random.default_rng(4)
    area = rng.integers(0, 6, 900)
    factors = [
        Factor(name="area", groups=tuple("abcdef"), group=area),
        Factor(name="region", groups=("N", "S"), group=area // 3),
        Factor(name="sex", groups=("f", "m"), group=rng.integers(0, 2, 900)),
    ]
    found = adjusted_differences(rng.random(900) < 0.5, factors, np.arange(900), confidence_level=0.95)
    assert found.not_separable == ("area", "region")
    assert np.isnan(found.of["area"].estimate).all()
    alone = adjusted_differences(
        np.random.default_rng(4).random(900) < 0.5, factors[::2], np.arange(900), confidence_level=0.95
    )
    assert np.isfinite(alone.of["sex"].estimate).all()
    assert np.isfinite(found.of["sex"].estimate).all()


def test_what_can_be_foretold_has_no_differences():
    number = np.linspace(0, 10, 400)
    factor = Factor(name="years", groups=("a", "b"), group=np.arange(400) % 2, number=number)
    found = adjusted_differences(number > 5, [factor], np.arange(400), confidence_level=0.95)
    assert np.isnan(found.of["years"].estimate).all()
    assert np.isnan(found.of["years"].p_value).all()


def test_a_curve_of_a_number_is_followed():
    rng = np.random.default_rng(5)
    years = rng.uniform(0, 10, 20_000)
    chance = expit(1.2 - 0.25 * (years - 5) ** 2 / 4)
    band = np.digitize(years, [2.5, 7.5])
    number = np.where(rng.random(20_000) < 0.1, np.nan, years)
    group = np.where(np.isnan(number), 3, band)
    factor = Factor(name="years", groups=("low", "middle", "high", "(not stated)"), group=group, number=number)
    found = adjusted_differences(rng.random(20_000) < chance, [factor], np.arange(20_000), confidence_level=0.95)
    at = expit(1.2 - 0.25 * (np.array([1.25, 5, 8.75]) - 5) ** 2 / 4) - chance.mean()
    differences = found.of["years"]
    assert (np.abs(differences.estimate[:3] - at) < 4 * differences.std_error[:3] + 0.01).all()
    assert abs(differences.estimate[3]) < 4 * differences.std_error[3]


# The made-up company


def test_the_demo_finds_the_role_as_planted_and_nothing_that_was_not():
    frame = of_demo().frame
    of_people = frame[frame["term"] != INVITATION]
    assert set(of_people.loc[of_people["p_adjusted"] < 0.05, "term"]) == {"Role"}
    assert "Most: Role decision maker" in of_demo().in_words
    role = frame[frame["term"] == "Role"].set_index("group")
    planted = dict(zip(("decision maker", "influencer", "user"), Truth().answer_by_role, strict=True))
    mean = sum(planted[name] * row["n"] for name, row in role.iterrows()) / role["n"].sum()
    for name, row in role.iterrows():
        # chances are proportional to what is planted for the role, whatever else is alike
        assert row["estimate"] == pytest.approx(
            of_demo().rate_all * (planted[name] / mean - 1), abs=3 * row["std_error"]
        )


def test_small_companies_find_nothing_planted_as_nothing():
    false, sure = 0, 0
    for seed in range(5):
        company = simulate_study(Truth(n_accounts=250), rng=np.random.default_rng(seed))
        study = Study.from_frames(
            responses=company.responses.drop(columns="comment"),
            customers=company.customers,
            segments=["region", "industry", "language", "role"],
            settings={"cluster": "account_id"},
            made_up=True,
        )
        frame = who_answers(study).frame
        found = set(frame.loc[frame["p_adjusted"] < 0.05, "term"]) - {INVITATION}
        false += bool(found - {"role"})
        sure += "role" in found
        assert "Role" not in set(frame["term"])  # the segment says the same
    assert false <= 1
    assert sure >= 2


def leavers(rng, tired, n=3000):
    """People invited up to five times; who was silent is invited again in half of the cases only."""
    rows = []
    bent = rng.normal(0, 1, n)
    for person in range(n):
        for number in range(5):
            answers = rng.random() < expit(bent[person] - tired * number)
            rows.append((person, number, int(answers)))
            if not answers and rng.random() < 0.5:
                break
    return Study.from_frames(responses=pd.DataFrame(rows, columns=["respondent_id", "wave", "responded"]))


def test_fatigue_is_that_of_the_same_people():
    study = leavers(np.random.default_rng(6), 0.3)
    result = who_answers(study)
    frame = result.frame[result.frame["term"] == INVITATION].set_index("group")
    assert frame["n"].is_monotonic_decreasing
    rows = study.responses.assign(
        number=study.responses["wave"].astype(int), y=study.responses["responded"].astype(float)
    )
    wide = rows.pivot_table(index="respondent_id", columns="number", values="y")
    for number, name in enumerate(("2nd", "3rd", "4th", "5th"), start=1):
        change = (wide[number] - wide[0]).dropna()
        assert frame.loc[name, "estimate"] == pytest.approx(change.mean())
        assert frame.loc[name, "std_error"] == pytest.approx(change.std() / np.sqrt(len(change)))
    assert np.isnan(frame.loc["1st", "estimate"])
    assert "less often than their first" in result.in_words
    assert "not invited again" in result.note


def test_no_fatigue_shown_is_not_called_as_often():
    came_back = np.random.default_rng(6).random((300, 4)) < 0.5
    table = pd.DataFrame([(*each, back) for each, back in np.ndenumerate(came_back.astype(int))])
    table.columns = ["respondent_id", "wave", "responded"]
    result = who_answers(Study.from_frames(responses=table))
    assert (result.frame.loc[result.frame["term"] == INVITATION, "p_adjusted"].dropna() > 0.05).all()
    assert "often than their first is not shown, with all groups counted: " in result.in_words
    assert "as often" not in result.in_words


def test_the_invitations_of_a_person_go_by_their_dates():
    table = pd.DataFrame(
        {
            "respondent_id": ["a", "b", "a", "b", "a"],
            "invited_at": ["2025-03-01", "2025-01-01", "2025-01-01", "2025-02-01", "2025-02-01"],
            "responded": [1, 0, 1, 0, 0],
        }
    )
    study = Study.from_frames(responses=table, settings={"data_until": "2026-01-01"})
    factors = {factor.name: factor for factor in response_factors(study, study.responses)}
    assert factors[INVITATION].group.tolist() == [2, 0, 0, 1, 1]


@pytest.mark.parametrize(("invitations", "last"), [(6, "6th"), (8, "6th or later")])
def test_many_invitations_are_counted_to_the_sixth(invitations, last):
    table = pd.DataFrame({"respondent_id": np.repeat(np.arange(30), invitations), "wave": [*range(invitations)] * 30})
    study = Study.from_frames(responses=table.assign(responded=[1, 0] * (15 * invitations)))
    factors = {factor.name: factor for factor in response_factors(study, study.responses)}
    assert factors[INVITATION].groups == ("1st", "2nd", "3rd", "4th", "5th", last)


def test_of_two_columns_that_make_the_same_groups_one_is_kept_and_areas_within_regions_both():
    area = ["a", "b", "c", "d"] * 50
    table = pd.DataFrame({"area": area, "region": [each in "ab" for each in area], "code": [each * 2 for each in area]})
    table = table.astype("str").assign(responded=[1, 0, 0] * 66 + [1, 0])
    study = Study.from_frames(responses=table, segments=["region", "area", "code"])
    assert [factor.name for factor in response_factors(study, study.responses)] == ["region", "area"]


def test_invitations_that_may_still_be_answered_are_no_part_of_it():
    invited = ["2025-01-01"] * 200 + ["2025-06-01"] * 60
    answered = [f"2025-01-{2 + number % 5:02d}" if number % 3 else None for number in range(200)]
    table = pd.DataFrame(
        {"area": ["N", "S"] * 130, "invited_at": invited, "responded_at": answered + ["2025-06-02", None] * 30}
    )
    assert who_answers(Study.from_frames(responses=table, segments=["area"])).n_all == 200


# What is shown


def test_it_can_be_displayed():
    result = of_demo()
    json.dumps(result.to_json(), allow_nan=False)
    assert "nps-finding" in result._repr_mimebundle_()["text/html"]
    assert len(result.plot().get_yticklabels()) == result.frame["estimate"].notna().sum()


def test_small_groups_are_not_shown_nor_left_to_be_worked_out():
    area = ["N"] * 200 + ["S"] * 60 + ["E"] * 30 + ["W"] * 6
    table = pd.DataFrame({"area": area, "responded": [1, 0] * 148, "channel": ["x", "x", "y", "y"] * 74})
    result = who_answers(Study.from_frames(responses=table, segments=["area"]))
    shown = result.shown[result.shown["term"] == "area"]
    assert "W" not in set(shown["group"])
    assert 296 - shown["n"].sum() >= 10
    assert "W" not in {row[1] for row in result.to_json()["rows"]}
    assert result.frame.loc[result.frame["group"] == "W", "p_adjusted"].isna().all()


def test_groups_of_few_people_and_those_that_other_pages_hide_are_not_shown():
    area = ["N"] * 200 + ["S"] * 60 + ["few"] * 6 + ["blank"] * 30  # nobody of the few returned the form
    responded = np.r_[np.arange(260) % 2, np.zeros(6), np.arange(30) % 2].astype(int)
    table = pd.DataFrame(
        {"area": area, "responded": responded, "likelihood_to_recommend": np.where(responded, 9.0, np.nan)}
    )
    last = table.index[(table["area"] == "blank") & (table["responded"] == 1)][3:]
    table.loc[last, "likelihood_to_recommend"] = np.nan  # 15 forms of that area came back, 3 of them with an answer
    shown = who_answers(Study.from_frames(responses=table, segments=["area"])).shown
    assert not {"few", "blank"} & set(shown["group"])
    assert "N" in set(shown["group"])


def test_silence_and_a_wrong_address_cannot_be_told_apart_and_the_finding_says_so():
    table = pd.DataFrame({"area": ["N", "S"] * 100, "responded": [1, 0, 1, 1, 0, 0, 0, 0] * 25})
    without = who_answers(Study.from_frames(responses=table, segments=["area"]))
    assert without.caveat
    assert without.in_words.endswith(without.caveat)
    known = who_answers(Study.from_frames(responses=table.assign(delivered=1), segments=["area"]))
    assert known.caveat == ""
    assert known.frame["estimate"].tolist() == without.frame["estimate"].tolist()


def test_the_unreached_are_no_part_of_it():
    table = pd.DataFrame({"area": ["N", "S"] * 100, "responded": [1, 0, 1, 1, 0, 0, 0, 0] * 25, "delivered": 1})
    bounced = pd.DataFrame({"area": ["N"] * 50, "responded": 0, "delivered": 0})
    frame = who_answers(Study.from_frames(responses=pd.concat([table, bounced]), segments=["area"])).frame
    assert frame["n"].tolist() == [100, 100]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"responded": [1] * 20, "area": "N"}, "silent"),
        ({"responded": [0] * 20, "area": "N"}, "silent"),
        ({"responded": [1, 0] * 10, "area": "N"}, "Nothing is known"),
    ],
)
def test_what_the_data_cannot_tell(columns, said):
    with pytest.raises(CannotAnswerError, match=said):
        who_answers(Study.from_frames(responses=pd.DataFrame(columns), segments=["area"]))


def test_groups_in_which_all_or_none_answer_have_rates_and_no_difference():
    area = ["N", "S"] * 100 + ["E"] * 20 + ["W"] * 20
    responded = [1, 0, 1, 1, 0, 0, 0, 0] * 25 + [1] * 20 + [0] * 20
    table = pd.DataFrame({"area": area, "responded": responded})
    frame = who_answers(Study.from_frames(responses=table, segments=["area"])).frame.set_index("group")
    assert frame["response_rate"].to_dict() == {"E": 1, "N": 0.5, "S": 0.25, "W": 0}
    assert frame["estimate"].isna().to_dict() == {"E": True, "N": False, "S": False, "W": True}


def test_where_nothing_can_be_compared_it_says_so():
    table = pd.DataFrame({"area": ["N", "S"] * 24, "responded": [1, 0] * 24})
    result = who_answers(Study.from_frames(responses=table, segments=["area"]))
    assert result.finding.startswith("No group has enough forms")
    assert result.alt == "There is no difference to draw."
    assert "nps-finding" in result._repr_mimebundle_()["text/html"]


def test_one_wave_and_no_dates():
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"respondent_id": range(300), "wave": "1", "area": rng.choice(["N", "S"], 300)})
    table["responded"] = (rng.random(300) < expit(logit(0.4) + 1.5 * (table["area"] == "N"))).astype(int)
    result = who_answers(Study.from_frames(responses=table, segments=["area"]))
    assert set(result.frame["term"]) == {"area"}
    assert "their first" not in result.finding
    assert "area N" in result.finding or "area S" in result.finding
