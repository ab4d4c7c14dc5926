import numpy as np
import pandas as pd
import pytest

from nps_research.problems.coded_comments import CodedComments
from nps_research.problems.coding_accuracy import coding_accuracy
from nps_research.problems.comment_shares import comment_shares
from nps_research.results.words import MOST_WORDS, share
from nps_research.statistics.proportions import wilson_limits
from tests.problems.test_comment_shares import drawn_study, hand_codes, study_of, written
from tests.problems.test_pain_map import demo


def says(told, *, missed, made_up):
    """What a machine says that misses every `missed`th problem and names the first in every `made_up`th comment."""

    def predicted(found, study, rng):
        said = np.zeros((len(told), len(found.codes)))
        said[:, : told.shape[1]] = told
        said[::missed] = 0
        said[::made_up, 0] = 1
        return said

    return predicted


def test_the_numbers_are_those_counted_by_hand(monkeypatch):
    rng = np.random.default_rng(4)
    rows, told = written(600, rng=rng, share=0.2)
    drawn = np.sort(rng.choice(600, 240, replace=False))
    chance = np.where(drawn % 2 == 0, 0.2, 0.6)
    study = study_of(rows, hand_codes(told, drawn, chance=chance))
    predicted = says(told, missed=3, made_up=7)
    monkeypatch.setattr(CodedComments, "predicted", predicted)
    found = coding_accuracy(study).frame.set_index("group")
    languages = rows["language"].to_numpy()[drawn]
    assert found["n"].to_dict() == pd.Series(languages).value_counts().to_dict()
    for language, row in found.iterrows():
        same = none = weight = squared = there = hit = named = 0.0
        for at, p in zip(drawn, chance, strict=True):
            if languages[drawn == at][0] != language:
                continue
            people = set(np.flatnonzero(told[at]))
            machine = (set() if at % 3 == 0 else people) | ({0} if at % 7 == 0 else set())
            weight, squared = weight + 1 / p, squared + 1 / p**2
            same, none = same + (people == machine) / p, none + (not people) / p
            there, named = there + len(people) / p, named + len(machine) / p
            hit += len(people & machine) / p
        assert row["estimate"] == pytest.approx(same / weight)
        assert row["none"] == pytest.approx(none / weight)
        assert row["recall"] == pytest.approx(hit / there)
        assert row["precision"] == pytest.approx(hit / named)
        effective = weight**2 / squared
        low, high = wilson_limits(np.array([same / weight * effective]), effective, confidence_level=0.95)
        assert [row["conf_low"], row["conf_high"]] == pytest.approx([low[0], high[0]])


def test_languages_of_few_comments_are_not_shown():
    rng = np.random.default_rng(5)
    rows, told = written(600, rng=rng)
    rows.loc[9:, "language"] = rows.loc[9:, "language"].replace({"ru": "uk"})
    rows.loc[:8, "language"] = "ru"
    drawn = np.arange(200)
    result = coding_accuracy(study_of(rows, hand_codes(told, drawn, chance=np.full(200, 1 / 3))))
    assert "ru" in set(result.frame["group"])
    assert "ru" not in set(result.shown["group"])
    assert len(result.shown) < len(result.frame)


def test_it_is_the_machine_that_helps_to_count(monkeypatch):
    study, _ = drawn_study(3)
    said, real = [], CodedComments.predicted
    monkeypatch.setattr(CodedComments, "predicted", lambda *asked: said.append(real(*asked)) or said[-1])
    result = coding_accuracy(study)
    comment_shares(study)
    assert (said[0] == said[1]).all()
    assert result.read_by == "letters"
    assert len(result.finding.split()) <= MOST_WORDS
    assert "comments_read_by" in result.note


def test_of_all_languages_together_it_is_told_with_limits():
    result = coding_accuracy(demo())
    assert result.finding == (
        f"Of the problems that people find in comments, the machine alone finds {share(result.recall)}: only codes by "
        "hand are counted."
    )
    assert result.recall_conf_low < result.recall < result.recall_conf_high < 0.2
    assert f"of {result.n_found:,} (95% interval" in result.details


def test_nothing_found_by_hand_is_said():
    rows, told = written(200, rng=np.random.default_rng(6), share=0.0)
    result = coding_accuracy(study_of(rows, hand_codes(told & False, np.arange(100), chance=np.full(100, 0.5))))
    assert "Too few problems" in result.finding
    assert result.details == ""
