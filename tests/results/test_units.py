"""What pages show over accounts, weights and few units: random studies, and an attacker who tries to read accounts.

Counting and the results' shared rows alone: no report is made. Then the rules by themselves: the floor and p% rule,
weights in which one answer counts for nearly all, a part of a study beside the whole.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nps_research.accounts.influence import AccountInfluence, account_influence
from nps_research.accounts.score import account_score
from nps_research.counting.account_units import accounts_listed, changes_without
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_groups
from nps_research.score.histogram import score_histogram
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study
from tests.support.accounts_attacked import FEWEST, Attacker

N_STUDIES = 200


def made_up(seed: int) -> tuple[Study, pd.DataFrame]:
    """Answers of accounts of very uneven size; some have nearly all answers, some bring in nearly all revenue.

    In one or two waves and one to three areas; accounts are declared to be clusters in some.
    """
    rng = np.random.default_rng(seed)
    n_accounts = int(rng.integers(2, 32))
    size = np.maximum(rng.lognormal(rng.uniform(0.5, 2.5), rng.uniform(0, 1.2), n_accounts), 1).astype(int)
    size = np.minimum(size, 80)
    if seed % 5 == 0:
        size[0] = int(size[1:].sum() * rng.uniform(1, 5))
    account = np.repeat([f"a{code}" for code in range(n_accounts)], size)
    level = np.repeat(rng.choice([0.3, 0.6, 0.75, 0.9], n_accounts), size)
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(len(account))],
            "account_id": account,
            "likelihood_to_recommend": rng.binomial(10, level),
        }
    )
    if seed % 2:
        rows["wave"] = rng.choice(["W1", "W2"], len(account))
    if seed % 4 < 2:
        rows["area"] = np.repeat(rng.choice(["A1", "A2", "A3"], n_accounts), size)
    customers = rows[["respondent_id", "account_id"]].rename(columns={"respondent_id": "customer_id"})
    customers["revenue"] = np.repeat(rng.lognormal(8, rng.choice([0.3, 1, 2, 6]), n_accounts).round(2), size)
    study = Study.from_frames(
        responses=rows,
        customers=customers,
        segments=["area"] if "area" in rows else [],
        settings={"cluster": "account_id"} if seed % 3 == 0 or seed % 5 == 0 else {},
    )
    return study, rows.assign(revenue=customers["revenue"])


def shown_of(study: Study) -> dict[tuple[str, str], Result]:
    """By how answers are grouped and what counts the same: what pages show of a score that may tell of accounts."""
    by = "wave" if study.waves else None
    groupings = [name for name in ("wave", "area") if f"responses.{name}" in study.available or name in study.segments]
    plain = {"all": score_distribution(study)} | {name: score_distribution(study, by=name) for name in groupings}
    return {
        **{(name, "answers"): net_promoter_score(dist) for name, dist in plain.items()},
        (by or "all", "accounts"): account_score(study, by=by),
        (by or "all", "revenue"): net_promoter_score(score_distribution(study, by=by, weight="revenue")),
        ("all", "influence"): account_influence(score_distribution(study, cluster="account_id", weight=None)),
    }


def accounts_of(influence: Result, study: Study) -> list[str]:
    """The accounts whose influence is shown, as counting chooses them."""
    dist = score_distribution(study, cluster="account_id", weight=None)
    of = dist.clusters
    assert of is not None
    _, listed = accounts_listed(of.n, changes_without(dist), of.label, FEWEST, np.isin(of.label, list(dist.barred)))
    assert sorted(influence.shown["n"]) in ([], sorted(of.n[listed]))
    return of.label[listed].tolist() if len(influence.shown) else []


def attacked(
    rows: pd.DataFrame, results: dict[tuple[str, str], Result], listed: list[str], *, errors: bool = True
) -> Attacker:
    """The attacker with all that is shown; or with nothing but scores in which answers count the same."""
    attacker = Attacker(rows)
    for (by, of), result in results.items():
        if isinstance(result, AccountInfluence):
            attacker.take_influence(listed, error=bool(result.shown["margin_of_error"].notna().any()))
            continue
        clustered = errors and (of != "answers" or "cluster" in result.design)
        for row in result.shown.to_dict("records"):
            attacker.take(by, row["group"], of, error=clustered and not np.isnan(row["std_error"]))
    return attacker


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, N_STUDIES), marks=pytest.mark.whole)], ids=str)
def test_no_account_can_be_read_and_nearly_all_that_is_safe_is_shown(seeds: range) -> None:
    n_shown = n_lost = 0
    for seed in seeds:
        study, rows = made_up(seed)
        results = shown_of(study)
        listed = accounts_of(results["all", "influence"], study)
        attacker = attacked(rows, results, listed)
        told = attacker.told()
        if told.any():  # what plain scores tell by themselves, all being alike, is no secret kept here
            plain = {key: result for key, result in results.items() if key[1] == "answers"}
            told &= ~attacked(rows, plain, [], errors=False).told()
        assert not told.any(), (seed, attacker.units[told], {key: len(each.shown) for key, each in results.items()})
        if seed % 7 < 2:
            for (_, of), result in results.items():
                if of != "answers" or "cluster" in result.design:
                    n_shown += int(result.shown["std_error" if of == "answers" else "n"].notna().sum())
            n_lost += lost(attacker, results)
    assert n_shown > len(seeds)
    assert n_shown / (n_shown + n_lost) >= 0.9


def lost(attacker: Attacker, results: dict[tuple[str, str], Result]) -> int:
    """Scores and errors that are hidden and would have told nothing, over ten accounts, even to the second largest."""
    n = 0
    for (by, of), result in results.items():
        if of == "influence" or (of == "answers" and "cluster" not in result.design):
            continue
        shown = result.shown[result.shown["std_error"].notna()]
        for group in set(results[by, "answers"].shown["group"]) - set(shown["group"]):
            own = attacker.inside(by, group)
            if own.sum() >= FEWEST:
                other = attacker.copy()
                other.take(by, group, of, error=True)
                size = attacker.units["revenue"].to_numpy() if of == "revenue" else attacker.n
                second = np.flatnonzero(own)[np.argsort(size[own])[-2]]
                other.take_unit(second)
                n += not other.told(own).any()
    return n


# The rules


def counted(size: list[int], weight: list[float] | None = None, **settings: int) -> Study:
    """A study of accounts of these sizes, each answer with its account's weight."""
    rows = pd.DataFrame({"account_id": np.repeat([f"a{row}" for row in range(len(size))], size)})
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3, 9, 6], len(rows))[: len(rows)]
    if weight is not None:
        rows["design_weight"] = np.repeat(weight, size)
    return Study.from_frames(responses=rows, settings=settings)


@pytest.mark.parametrize(
    ("weight", "answers", "told"),
    [
        ([1.0] * 9, 50, True),  # nine units
        ([1.0] * 10, 50, False),
        ([1.0] * 10 + [0.0] * 5, 1, False),  # the rest weigh nothing
        ([1.0] * 9 + [0.0] * 5, 1, True),
        ([1.0] * 10 + [20.0, 66.0], 50, False),  # of 96, 10 are left: 15% of 66
        ([1.0] * 10 + [20.0, 67.0], 50, True),
        ([1.0] * 10 + [2.0, 10.0], 1, False),  # an answer can only be three scores: all that is left must outweigh it
        ([1.0] * 10 + [2.0, 10.1], 1, True),
        ([1.0] * 10 + [2.0, 30.0], 3, False),  # three answers, seven scores: a third of it must be left
        ([1.0] * 10 + [2.0, 30.1], 3, True),
    ],
)
def test_the_floor_and_the_p_rule(weight, answers, told):
    assert tells_of_one(np.array(weight), np.full(len(weight), answers), FEWEST) is told
    assert not tells_of_one(np.array(weight), np.full(len(weight), answers), 1)


def test_weights_of_single_answers_are_judged_on_the_safe_side():
    rng = np.random.default_rng(1)
    for spread in (0.3, 1, 2, 4):
        weight = np.sort(rng.lognormal(0, spread, (500, 12)), axis=1)
        told = answers_tell_of_one(weight.sum(axis=1), (weight**2).sum(axis=1))
        assert told[weight[:, :-2].sum(axis=1) < weight[:, -1]].all()


def test_limits_over_few_accounts_are_hidden_and_the_score_is_not():
    for size, known in (([30, 20, 10], False), ([4, 5, 7] * 4, True), ([4, 5, 7] * 4 + [900], False)):
        study = counted(size)
        result = net_promoter_score(score_distribution(study, cluster="account_id"))
        row = result.shown.loc[0]
        assert not np.isnan(row["estimate"])
        assert [np.isnan(row[name]) for name in ("std_error", "conf_low", "n_effective")] == [not known] * 3
        assert ("an interval over accounts" in result.full_note) is not known
        assert "nan" not in f"{result} {result.full_note}".lower()
    free = net_promoter_score(score_distribution(counted([30, 20, 10], minimum_cell=1), cluster="account_id"))
    assert not np.isnan(free.frame.loc[0, "std_error"])


def test_an_error_that_tells_of_a_large_account_is_hidden_and_the_score_is_not():
    size = [90] + [
        1,
        2,
        3,
    ] * 10  # without an error, the score leaves 90 of 150 answers open; with it, they are like all
    score = {10: 3, 8: 5, 3: 2}
    like_all = np.repeat(list(score), [size[0] // 10 * n for n in score.values()])
    rows = pd.DataFrame({"cluster": np.repeat([f"a{row}" for row in range(len(size))], size)})
    rows["likelihood_to_recommend"] = [*like_all, *np.resize(like_all[::9], 60)]
    result = net_promoter_score(Study.from_frames(responses=rows))
    row = result.shown.loc[0]
    assert row["estimate"] == pytest.approx(10)
    assert np.isnan(row["std_error"])
    assert "an interval over accounts, people or clusters" in result.full_note
    even = rows.assign(cluster=[f"a{row % 30}" for row in range(len(rows))])
    assert not np.isnan(net_promoter_score(Study.from_frames(responses=even)).shown.loc[0, "std_error"])


def test_influence_is_not_listed_where_the_score_of_a_segment_less_it_tells_of_an_account():
    size = [30, 28, 9] + [12] * 6 + [4] * 12  # the first three are an area
    rows = pd.DataFrame({"account_id": np.repeat([f"a{row:02d}" for row in range(len(size))], size)})
    rows["likelihood_to_recommend"] = np.resize([10, 8, 3, 9, 6, 0, 10], len(rows))
    rows["area"] = np.repeat(["A1"] * 3 + ["A2"] * 18, size)

    def listed(**segments: list[str]) -> set[int]:
        study = Study.from_frames(responses=rows, **segments)
        return set(account_influence(score_distribution(study, cluster="account_id", weight=None)).shown["n"])

    assert {30, 28} <= listed()
    assert len({30, 28} & listed(segments=["area"])) < 2


def test_a_weight_that_counts_for_nearly_all_is_left_aside_and_why_is_said():
    even, one = counted([1] * 60, [1.0] * 60), counted([1] * 60, [1.0] * 59 + [1e9])
    assert "Weighted by design weight" in net_promoter_score(even).note
    result = net_promoter_score(one)
    assert result.frame["estimate"][0] == pytest.approx(net_promoter_score(even).frame["estimate"][0])
    assert "Weights are left aside: few answers would count for nearly all" in result.note
    asked = net_promoter_score(score_distribution(one, weight="design_weight"))
    assert asked.shown.empty
    assert asked.finding.startswith("The score is hidden")
    assert "what is weighted" in asked.full_note
    assert "has fewer than 10 answers" not in asked.full_note


def test_one_heavy_answer_hides_the_weighted_score_of_its_group_and_what_would_give_it_away():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 8, 3] * 100, "area": np.repeat(list("abc"), [30, 60, 210])})
    rows["design_weight"] = [100.0, *[1.0] * 29, *[4.0] * 270]
    study = Study.from_frames(responses=rows, segments=["area"])
    dist = score_distribution(study, by="area")
    assert dist.few_units == {"a"}
    assert dist.small_groups == frozenset()
    assert "a" in dist.hidden_groups
    assert score_histogram(dist, group="a").shown["answers"].sum() == 30  # counts of answers tell nothing of weights
    assert net_promoter_score(score_distribution(study, by="area", weight=None)).shown["group"].tolist() == list("abc")


def test_a_chain_over_three_groupings_is_broken():
    rows = pd.DataFrame([("a1", "b2", "c1"), ("a2", "b1", "c1"), ("a2", "b2", "c2")], columns=list("abc"))
    answers = np.array([[1, 2, 2], [10, 10, 10], [10, 20, 10]])  # a1 and b1 are c1; no two groupings tell of a1
    found = hidden_groups(rows, answers=answers, people=answers.sum(axis=1), minimum_cell=FEWEST)
    assert found["a"] == {"a1", "a2"}
    assert found["b"] or found["c"]
    assert not hidden_groups(rows[["a", "b"]], answers=answers, people=answers.sum(axis=1), minimum_cell=FEWEST)["b"]


def test_a_part_is_not_to_be_taken_from_the_whole_group_by_group():
    size = {("UK", "x"): 60, ("UK", "y"): 40, ("UK", "z"): 50, ("IE", "x"): 4, ("IE", "y"): 40, ("IE", "z"): 50}
    rows = pd.DataFrame([key for key, n in size.items() for _ in range(n)], columns=["Region", "area"])
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3], len(rows))[: len(rows)]
    study = Study.from_frames(responses=rows, segments=["Region", "area"])
    assert groups_not_shown(study, ["area"]) == frozenset()
    part = study.where(Region="UK")
    assert "x" in groups_not_shown(part, ["area"])  # 64 in all, 60 here: 4 others
    assert len(groups_not_shown(part, ["area"])) == 2
    assert groups_not_shown(part, []) == frozenset()
    assert groups_not_shown(study.where(area="z"), ["Region"]) == frozenset()


def test_scores_over_accounts_of_a_part_are_hidden_where_the_rest_has_few_accounts():
    size = [4] * 30
    rows = pd.DataFrame({"account_id": np.repeat([f"a{row}" for row in range(30)], size)})
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3, 9, 6], len(rows))[: len(rows)]
    rows["Region"] = np.repeat(["UK", "IE"], [27 * 4, 3 * 4])
    study = Study.from_frames(responses=rows, segments=["Region"])
    assert len(account_score(study).shown) == 1
    assert account_score(study.where(Region="UK")).shown.empty
    assert len(net_promoter_score(study.where(Region="UK")).shown) == 1
