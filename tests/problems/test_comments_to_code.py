"""The sheet of comments to code: drawn by lot with known chances, private, without scores, read back as hand codes."""

import numpy as np
import pandas as pd
import pytest

from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.problems.comment_shares import comment_shares
from nps_research.problems.comments_to_code import comments_to_code
from nps_research.report.own_words import labels_of
from nps_research.study.study import Study

PROBLEMS = {"late": {"label": "Late delivery"}, "none": {"label": "No problem named", "praise": True}}


def commented(n=1000):
    rng = np.random.default_rng(2)
    is_late = rng.random(n) < 0.4
    rows = pd.DataFrame(
        {
            "respondent_id": [f"K{row:04d}" for row in range(n)],
            "likelihood_to_recommend": np.where(is_late, 3, 9),
            "language": "en",
            "comment": np.where(is_late, "The lorry came late again", "All was well, thank you"),
        }
    )
    return rows, is_late


def test_every_comment_has_the_same_chance_and_a_quarter_is_coded_twice():
    rows, is_late = commented()
    study = Study.from_frames(responses=rows, problems=PROBLEMS)
    drawn = np.zeros(1000)
    for seed in range(60):
        sheet = comments_to_code(study, n=200, rng=np.random.default_rng(seed)).people
        first = sheet[sheet["coder"] == "Coder A"]
        twice = sheet[sheet["coder"] == "Coder B"]
        assert (len(first), len(twice)) == (200, 50)
        assert set(twice["respondent_id"]) <= set(first["respondent_id"])
        assert (sheet["inclusion_probability"] == 0.2).all()
        drawn[first["respondent_id"].str[1:].astype(int)] += 1
    assert drawn[is_late].mean() == pytest.approx(drawn[~is_late].mean(), rel=0.1)
    assert not {"likelihood_to_recommend", "score"} & set(sheet)


def test_the_sheet_filled_in_is_the_table_of_hand_codes():
    rows, is_late = commented()
    study = Study.from_frames(responses=rows, problems=PROBLEMS)
    sheet = comments_to_code(study, n=300).people
    late = sheet["respondent_id"].str[1:].astype(int).map(dict(enumerate(is_late)))
    filled = sheet.assign(problem=np.where(late, "late", "none")).drop(columns=["comment", "language"])
    found = comment_shares(Study.from_frames(responses=rows, problems=PROBLEMS, tables={"hand_codes": filled}))
    row = found.frame.set_index("term").loc["Late delivery"]
    assert row["conf_low"] <= is_late.mean() <= row["conf_high"]
    assert row["agreement"] == "agreed"


def test_what_is_shown_holds_no_comment_and_no_id():
    rows, _ = commented()
    result = comments_to_code(Study.from_frames(responses=rows, problems=PROBLEMS))
    assert "lorry" not in f"{result}{result.to_json()}"
    assert "400 of 1,000 comments" in result.finding


def test_the_label_of_a_problem_is_nobodys_secret():
    rows, _ = commented()
    assert "Late delivery" in labels_of(Study.from_frames(responses=rows, problems=PROBLEMS))


def test_without_comments_and_of_none_it_refuses():
    rows, _ = commented(20)
    study = Study.from_frames(responses=rows.drop(columns="comment"), problems=PROBLEMS)
    with pytest.raises(CannotAnswerError, match="wrote"):
        comments_to_code(study)
    with pytest.raises(EstimationError, match="at least one"):
        comments_to_code(Study.from_frames(responses=rows, problems=PROBLEMS), n=0)
