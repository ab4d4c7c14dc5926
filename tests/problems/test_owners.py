"""Whose problems detractors have: counted by hand, and the points that go with them as in the pain map."""

import numpy as np
import pandas as pd
import pytest

from nps_research.errors import CannotAnswerError
from nps_research.problems.owners import problem_owners
from nps_research.problems.pain_map import pain_map
from nps_research.study.study import Study

PROBLEMS = {
    "late": {"label": "Late", "owner": "front line"},
    "rude": {"label": "Rude", "owner": "front line"},
    "price": {"label": "Price", "owner": "head office"},
    "praise": {"label": "Praise", "praise": True},
}


def answers(n=900, seed=1):
    rng = np.random.default_rng(seed)
    has = rng.random((n, 4)) < [0.15, 0.1, 0.2, 0.3]
    score = np.clip(np.rint(9 - 3 * has[:, 0] - 4 * has[:, 1] - 2 * has[:, 2] + rng.normal(0, 1.5, n)), 0, 10)
    codes = np.array(list(PROBLEMS))
    rows = pd.DataFrame(
        {
            "respondent_id": [f"K{row:04d}" for row in range(n)],
            "likelihood_to_recommend": score.astype(int),
            "problems": [";".join(codes[each]) or None for each in has],
        }
    )
    return rows, has, score


def test_shares_of_detractors_are_counts_and_points_those_of_the_pain_map():
    rows, has, score = answers()
    study = Study.from_frames(responses=rows, problems=PROBLEMS)
    frame = problem_owners(study).frame.set_index("group")
    low = score <= 6
    assert frame["n"].unique().tolist() == [low.sum()]
    assert frame.loc["front line", "events"] == has[low][:, :2].any(axis=1).sum()
    assert frame.loc["head office", "estimate"] == pytest.approx(has[low, 2].mean())
    assert (frame["conf_low"] < frame["estimate"]).all()
    points = pain_map(study).frame.set_index("term")["points"]
    assert frame.loc["front line", "points"] == pytest.approx(points["Late"] + points["Rude"])
    assert frame.loc["head office", "points"] == pytest.approx(points["Price"])
    assert problem_owners(study).finding.endswith("NPS points go with them.")


def test_limits_of_points_hold_what_is_planted():
    held = []
    truth = -100 * 0.2  # of the share that has it, all of whom answer 0, others 10
    for seed in range(80):
        rng = np.random.default_rng(seed)
        has = rng.random(600) < 0.1
        rows = pd.DataFrame(
            {
                "respondent_id": np.arange(600).astype(str),
                "likelihood_to_recommend": np.where(has, 0, 10),
                "problems": np.where(has, "late", None),
            }
        )
        row = problem_owners(Study.from_frames(responses=rows, problems=PROBLEMS)).frame.iloc[0]
        held.append(row["points_conf_low"] <= truth <= row["points_conf_high"])
    assert np.mean(held) >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 80)


def test_without_owners_or_detractors_it_refuses():
    rows, _, _ = answers(200)
    with pytest.raises(CannotAnswerError, match="No problem has an owner"):
        problem_owners(
            Study.from_frames(
                responses=rows, problems={"late": {"label": "Late"}, **{key: {} for key in ("rude", "price", "praise")}}
            )
        )
    content = rows.assign(likelihood_to_recommend=10)
    with pytest.raises(CannotAnswerError, match="too few detractors"):
        problem_owners(Study.from_frames(responses=content, problems=PROBLEMS))
