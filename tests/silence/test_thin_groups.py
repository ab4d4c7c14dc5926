"""Groups that hardly answer: the rule against one done stupidly, and what is said of them and of the score."""

import json
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nps_research import Study, score_if_all_responded
from nps_research.counting.silence import NO_DELIVERY
from nps_research.statistics.thin_response import hardly_answers, imbens_manski_limits
from nps_research.study.planted import planted_score_of_all
from nps_research.study.study import open_study
from tests.support.published import DEMO


def wave(answers, people, scores=(10, 9, 5), **columns):
    """Areas of so many people, of whom so many answer, with scores in turn."""
    parts = [
        pd.DataFrame(
            {
                "area": name,
                "likelihood_to_recommend": pd.array(
                    [scores[i % len(scores)] if i < n else None for i in range(of)], dtype="Int64"
                ),
                "responded": [int(i < n) for i in range(of)],
            }
        )
        for name, n, of in zip("NSWE", answers, people, strict=False)
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def found(table, **settings):
    return score_if_all_responded(Study.from_frames(responses=table, segments=["area"], settings=settings))


def test_the_rule_is_holms_with_exact_binomials():
    rng = np.random.default_rng(1)
    for _ in range(200):
        people = rng.integers(20, 300, 12)
        answered = rng.binomial(people, rng.choice([0.01, 0.05, 0.3, 0.5], 12))
        if answered.sum() < 0.1 * people.sum():
            continue
        p = stats.binom.cdf(answered, people, 0.1)
        stupid = np.zeros(12, dtype=bool)
        for rank, group in enumerate(np.argsort(p)):
            if p[group] > 0.05 / (12 - rank):
                break
            stupid[group] = True
        assert hardly_answers(answered, people, confidence_level=0.95).tolist() == stupid.tolist()


def test_where_all_answer_less_than_the_floor_a_group_is_held_against_half_of_their_rate():
    assert hardly_answers([80, 70, 5], [1000, 1000, 1000], confidence_level=0.95).tolist() == [False, False, True]
    assert not hardly_answers([50, 50, 50], [1000, 1000, 1000], confidence_level=0.95).any()


def test_people_who_answer_together_tell_less():
    assert hardly_answers([4, 400], [150, 900], confidence_level=0.95)[0]
    assert not hardly_answers([4, 400], [150, 900], confidence_level=0.95, design_effect=3.0)[0]


def test_accounts_that_answer_as_one_name_nobody_that_is_open():
    table = wave([4, 400], [150, 900])
    assert found(table).hardly_answering is not None
    accounts = np.concatenate([np.arange(150) // 15, 10 + np.arange(900) // 15])
    assert found(table.assign(account_id=accounts), cluster="account_id").hardly_answering is None


def test_imbens_manski_limits_solve_their_equation():
    for low, high, error in ((0.0, 3.0, 2.0), (0.0, 0.5, 4.0), (-10.0, 30.0, 1.0)):
        limits = imbens_manski_limits(low, high, error, confidence_level=0.9)
        c = (low - limits[0]) / error
        assert limits[1] - high == pytest.approx(c * error)
        assert stats.norm.cdf(c + (high - low) / error) - stats.norm.cdf(-c) == pytest.approx(0.9)
    assert imbens_manski_limits(1.0, 2.0, 0.0, confidence_level=0.9) == (1.0, 2.0)


def test_who_hardly_answers_is_named_and_its_silent_are_bounded():
    result = found(wave([12, 300, 200], [800, 500, 500]))
    thin = result.hardly_answering
    assert thin.named == ("area N (12 of 800)",)
    assert "Hardly anybody answered of area N (12 of 800): weighting cannot speak for them" in result.in_words
    assert "Hardly anybody answered of area N (12 of 800)." in result.balance.in_words
    assert "area N (12 of 800) hardly anybody answered" in result.shifts.note
    # S and W by their areas, N as it answered, and its silent all detractors or all promoters
    third = 100 / 3
    rest = 500 * third + 500 * (100 * (134 - 66) / 200)
    own = 12 * third
    assert thin.low == pytest.approx((rest + own - 100 * 788) / 1800, abs=0.5)  # trees are drawn
    assert thin.high == pytest.approx((rest + own + 100 * 788) / 1800, abs=0.5)  # trees are drawn
    low, high = (
        result.frame.set_index("term").loc[f"bound: all silent {who}s", "estimate"] for who in ("detractor", "promoter")
    )
    assert low < thin.conf_low < thin.low < thin.high < thin.conf_high < high
    number = result.key_numbers[0]
    assert (number.conf_low, number.conf_high) == (thin.conf_low, thin.conf_high)
    assert result.to_json()["settings"]["hardly_answering"]["named"] == ["area N (12 of 800)"]
    assert "of some hardly anybody answered" in {text.get_text() for text in result.plot().get_yticklabels()}
    assert thin.range in result.alt
    plt.close("all")


def test_below_the_minimum_cell_it_is_said_to_be_hidden_and_not_named():
    result = found(wave([4, 300, 200], [300, 500, 500]))
    assert (result.hardly_answering.named, result.hardly_answering.n_not_shown) == ((), 1)
    for part in (result, result.balance, result.shifts):
        content = json.dumps(part.to_json())
        assert "1 group with too few answers to show" in content
        assert "area N" not in content
        assert "4 of 300" not in content
    assert "that are not shown nothing is said here" in result.balance.in_words


def test_where_all_answer_nobody_is_named():
    result = found(wave([120, 300, 200], [800, 500, 500]))
    assert result.hardly_answering is None
    assert "Hardly anybody answered" not in result.finding
    row = result.frame.set_index("term").loc["doubly robust"]
    assert (result.key_numbers[0].conf_low, result.key_numbers[0].conf_high) == (row["conf_low"], row["conf_high"])


def test_a_wave_that_is_not_shown_says_nothing_of_its_groups():
    result = found(wave([0, 9], [300, 30]), minimum_cell=20)
    content = json.dumps(result.to_json())
    assert result.records == []
    assert "hardly_answering" not in content
    assert "Hardly" not in json.dumps(result.balance.to_json())
    assert "ardly" not in json.dumps(result.shifts.to_json())


def test_the_range_and_the_shift_come_first_and_the_interval_says_what_it_is():
    result = found(wave([100, 250], [400, 400]))
    bounds = result.frame.set_index("term")["estimate"]
    assert " gave no score: without assumptions the NPS of all is " in result.finding
    assert result.finding.startswith("56% of ")
    assert (
        "each 10 points that they think below similar people who answered move the NPS of all by −5.6."
        in result.in_words
    )
    at = [
        result.in_words.index(text)
        for text in ("without assumptions", "move the NPS of all by", "Those who answered", "sampling")
    ]
    assert at == sorted(at)
    assert "sampling error only, if those who did not answer think like similar people who did" in result.in_words
    assert bounds["observed"] == pytest.approx(100 / 3, abs=1)
    row = result.frame.set_index("term").loc["doubly robust"]
    assert 0.1 < row["smallest_chance"] <= 0.26
    assert f"The smallest modelled chance to answer is {row['smallest_chance']:.0%}" in result.note
    assert f"are worth {row['n_effective']:,.0f} equal ones" in result.note
    assert result.in_words.endswith(NO_DELIVERY)


def test_on_made_up_data_the_truth_stands_beside_it():
    study = open_study(DEMO)
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["realised"]
    planted = truth["would_be_net_promoter_score_by_wave"]
    result = score_if_all_responded(study)
    assert result.truth == planted[result.wave] == 10.54
    assert "The company is made up, and its NPS, had all answered, is +10.5." in result.in_words
    assert score_if_all_responded(study, wave="2024 Q1", detractor_max=3).truth is None
    for other in (replace(study, made_up=False), study.where(Region="UK")):
        assert score_if_all_responded(other, wave="2024 Q1").truth is None


@pytest.mark.parametrize(
    "written",
    [
        *("", "{", "[]", "[" * 100_000, '{"realised": 3}'),
        *(
            f'{{"realised": {{"would_be_net_promoter_score_by_wave": {{"1": {odd}}}}}}}'
            for odd in ("1e9", "NaN", '"x"')
        ),
    ],
    ids=range(8),
)
def test_another_file_of_that_name_is_no_truth(written, tmp_path):
    (tmp_path / "truth.json").write_text(written, encoding="utf-8")
    settings = SimpleNamespace(promoter_min=9)
    study = SimpleNamespace(made_up=True, part={}, folder=tmp_path, data_folder=None, settings=settings)
    assert planted_score_of_all(study, "1", 6) is None
    right = {"realised": {"would_be_net_promoter_score_by_wave": {"1": 1.5}}}
    (tmp_path / "truth.json").write_text(json.dumps(right), encoding="utf-8")
    assert planted_score_of_all(study, "1", 6) == 1.5
