"""By which groupings the score differs, all tests together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.score.groupings import compare_groupings
from nps_research.score.sample_size import required_responses
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study


def study(n: int = 900) -> Study:
    """Branches differ by 40 points, plans and sizes do not; of one size there are four, fewer than may be shown."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"branch": rng.choice(["North", "South"], n), "plan": rng.choice(["A", "B", "C"], n)})
    rows["size"] = np.where(np.arange(n) < 4, "huge", rng.choice(["small", "medium", "large"], n))
    happy = rng.random(n) < np.where(rows["branch"] == "North", 0.7, 0.5)
    rows["likelihood_to_recommend"] = np.where(happy, 10, np.where(rng.random(n) < 0.5, 3, 8))
    return Study.from_frames(responses=rows, segments=["branch", "plan", "size"])


def test_p_values_are_those_of_each_grouping_adjusted_over_all():
    made = study()
    found = compare_groupings(made, by=["branch", "plan", "size"])
    alone = [
        net_promoter_score(score_distribution(made, by=name)).heterogeneity_p_value for name in found.frame["term"]
    ]
    np.testing.assert_allclose(found.frame["p_value"], alone)
    np.testing.assert_allclose(found.frame["p_adjusted"], multipletests(alone, method="holm")[1])
    assert found.differ == ("branch",)
    assert "The NPS differs by branch (South: " in found.finding
    assert "No difference by plan or size is proven (p" in found.finding


def test_what_each_groupings_scores_say_is_adjusted_likewise():
    found = compare_groupings(study(), by=["branch", "plan", "size"])
    adjusted = dict(zip(found.frame["term"], found.frame["p_adjusted"], strict=True))
    for name, scores in found.scores.items():
        assert scores.heterogeneity_p_value == adjusted[name]
        assert "adjusted p" in scores.finding
        assert ("more than chance explains" in scores.finding) == (name in found.differ)


def test_the_finding_says_that_waves_count_together():
    rows = study().responses.assign(wave=np.where(np.arange(len(study().responses)) % 2, "2024", "2025"))
    found = compare_groupings(Study.from_frames(responses=rows, segments=["branch"]))
    assert found.finding.startswith("Over all waves, the NPS differs by branch (South: ")
    assert found.note.startswith("All waves together.")
    assert "waves" not in compare_groupings(study()).in_words


def test_a_group_too_small_to_show_takes_no_part_nor_does_the_one_that_would_tell_of_it():
    found = compare_groupings(study(), by=["size"])
    assert found.frame["n_groups"].tolist() == [2]
    assert "huge" not in found.in_words + str(found.to_json())


def test_without_two_groups_there_is_nothing_to_compare():
    rows = pd.DataFrame({"likelihood_to_recommend": [9, 3] * 20, "branch": ["North"] * 40})
    with pytest.raises(CannotAnswerError, match="no grouping of two groups"):
        compare_groupings(Study.from_frames(responses=rows, segments=["branch"]), by=["branch"])


@pytest.mark.parametrize(("beyond", "asks"), [(-1, True), (0, False), (5_000, False)])
def test_more_answers_are_asked_for_only_where_they_are_not_there(beyond, asks):
    plan = required_responses(difference=5)
    assert bool(replace(plan, n_like=plan.needed["n"] + beyond).at_a_glance) == asks
