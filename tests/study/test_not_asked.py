"""What some files of a study ask and others do not: not asked there, unless its column is misspelt."""

from __future__ import annotations

import pytest

from nps_research.errors import ContractError
from nps_research.study.study import open_study

STUDY = """
name = "Two files"
[[responses.files]]
file = "early.csv"
wave = "2024"
[[responses.files]]
file = "late.csv"
wave = "2025"
[responses.drivers]
scale = [1, 5]
[responses.drivers.columns]
"Delivery" = "delivery"
"Support" = "support"
[outcomes.complained]
table = "responses"
column = "complained"
event = [4]
no_event = [0]
direction = "bad"
"""


def opened(folder, early, late):
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    for name, columns in (("early.csv", early), ("late.csv", late)):
        rows = "\n".join(",".join(["9"] + ["4"] * len(columns)) for _ in range(3))
        (folder / name).write_text(",".join(["likelihood_to_recommend", *columns]) + f"\n{rows}\n", encoding="utf-8")
    return open_study(folder)


def test_it_is_blank_where_it_was_not_asked_and_that_is_said(tmp_path):
    study = opened(tmp_path, ["delivery"], ["delivery", "support", "complained"])
    rated = study.responses.groupby("wave")[["Delivery", "Support"]].count()
    assert rated.to_dict() == {"Delivery": {"2024": 3, "2025": 3}, "Support": {"2024": 0, "2025": 3}}
    complained = study.responses.groupby("wave")["outcome_complained"].agg(["count", "sum"])
    assert complained.to_dict("index") == {"2024": {"count": 0, "sum": 0}, "2025": {"count": 3, "sum": 3}}
    assert "early.csv: not asked there: complained and Support." in study.notes


def test_a_misspelt_column_and_one_that_no_file_has_are_refused(tmp_path):
    with pytest.raises(
        ContractError, match=r"early\.csv: there is no column 'support' for Support: did you mean 'suport'"
    ):
        opened(tmp_path, ["delivery", "suport", "complained"], ["delivery", "support", "complained"])
    with pytest.raises(ContractError, match=r"early\.csv: there is no column 'support'.*late\.csv: there is no column"):
        opened(tmp_path, ["delivery", "complained"], ["delivery", "complained"])
