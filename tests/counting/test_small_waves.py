"""Waves of a few answers neither hide another wave nor can be worked out from what is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.counting import without_small_waves
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import ReportError
from nps_research.report.notebooks import read_notebooks
from nps_research.report.parts import check_small_waves
from nps_research.study.small_waves import small_waves_said
from tests.support.report_notebooks import code, notebook, write_notebooks


def study_of(sizes: dict, **settings) -> nps.Study:
    wave = np.repeat(np.array([*sizes], dtype=object), [*sizes.values()])
    rows = pd.DataFrame({"likelihood_to_recommend": np.resize([10, 9, 7, 3], len(wave)), "wave": wave})
    return nps.Study.from_frames(responses=rows.assign(area=np.resize(["N", "S"], len(wave))), segments=["area"])


@pytest.mark.parametrize(
    ("sizes", "left_out", "shown"),
    [
        ({"W1": 100, "W2": 4}, {"W2": 4}, ["W1"]),
        ({"1987": 1, "2021": 60, "2022": 60, "2023": 40}, {"1987": 1}, ["2021", "2022", "2023"]),
        ({"W1": 50, "W2": 50, "W3": 5, "W4": 4}, {"W3": 5, "W4": 4}, ["W1", "W2"]),
        ({"W1": 50, "W2": 50, "W3": 5, "W4": 6}, {}, ["W1", "W2"]),  # together they are enough: totals count them
        ({"W1": 50, None: 3}, {"": 3}, ["W1"]),
        ({"W1": 6, "W2": 2}, {}, []),
        ({"W1": 50, "W2": 60}, {}, ["W1", "W2"]),
    ],
)
def test_a_wave_of_few_answers_hides_no_other(sizes, left_out, shown):
    study = without_small_waves(study_of(sizes))
    assert study.left_out_waves == left_out
    trend = nps.trend(study)
    assert trend.shown["group"].tolist() == shown
    total = nps.net_promoter_score(study).frame["n"].item()
    assert total == sum(sizes.values()) - sum(left_out.values())
    assert ("no wave has enough answers" in trend.finding) == (not shown)
    assert small_waves_said(left_out, 10) in trend.finding
    for wave in left_out:
        assert wave not in [*study.waves, *nps.score_distribution(study, by="wave").groups]


def test_what_is_left_out_is_said_with_its_reason():
    assert study_of({"W1": 100, "W2": 4}).base.endswith(
        "W2 is not shown, nor counted in any total: it has 4 answers, and 10 are the least"
    )
    assert small_waves_said({"": 1}, 10).startswith("What belongs to no wave is not shown")
    assert small_waves_said({"W3": 5, "W4": 4}, 10).startswith("W3 (5) and W4 (4) are not shown")
    assert small_waves_said(dict.fromkeys("abcd", 2), 10).startswith("4 waves of 8 answers are not shown")


@pytest.mark.parametrize(("every", "newest"), [("year", "2023"), ("month", "2023-06"), ("quarter", "2023 Q2")])
def test_a_stray_old_answer_hides_nothing_of_waves_made_of_dates(tmp_path, every, newest):
    day = pd.DatetimeIndex(["2020-07-01", *pd.date_range("2022-06-01", periods=90, freq="h"), *["2023-06-02"] * 40])
    rows = pd.DataFrame({"likelihood_to_recommend": np.resize([10, 7, 3], len(day)), "responded_at": day})
    rows.to_csv(tmp_path / "a.csv", index=False)
    text = f'name = "Example"\n[responses]\nfile = "a.csv"\nwave = {{ from = "responded_at", every = "{every}" }}\n'
    (tmp_path / "study.toml").write_text(text)
    study = nps.open_study(tmp_path)
    assert study.period == "June 2022 to June 2023"
    assert nps.trend(without_small_waves(study)).shown["group"].iloc[-1] == newest
    by = {"year": "year", "month": "month", "quarter": "quarter"}[every]
    assert newest not in groups_not_shown(study, [by])  # counted with the stray one, an older group is hidden beside it
    assert len(groups_not_shown(study, [by])) == 2


def test_a_part_leaves_out_the_same_waves_as_the_whole():
    sizes = {"W1": 100, "W2": 40, "W3": 4}
    whole = study_of(sizes)
    part = whole.where(area="N")
    assert without_small_waves(part).left_out_waves == {"W3": 2}
    few = whole.where(lambda rows: (rows["wave"] != "W2") | (rows.index % 20 == 0))  # 2 of W2 are in this part
    assert without_small_waves(few).left_out_waves == {"W3": 4}
    alone = whole.where(wave="W3")
    assert without_small_waves(alone) is alone


def test_a_notebook_that_counts_a_left_out_wave_is_refused(tmp_path):
    opened = 'study = nps.open_study("x")'
    folder = write_notebooks(tmp_path, n01_a=notebook("A", code(opened)))
    study = without_small_waves(study_of({"W1": 100, "W2": 4}))
    with pytest.raises(ReportError, match="01_a would count a wave of fewer than 10 answers"):
        check_small_waves(study, read_notebooks(folder))
    check_small_waves(study_of({"W1": 100}), read_notebooks(folder))
    folder = write_notebooks(tmp_path, n01_a=notebook("A", code(f"{opened}\nnps.counting.without_small_waves(study)")))
    check_small_waves(study, read_notebooks(folder))


def test_a_group_beside_too_small_a_one_is_not_said_to_have_too_few():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 9, 7, 3] * 10, "area": ["N"] * 36 + ["S"] * 4})
    study = nps.Study.from_frames(responses=rows, segments=["area"])
    said = nps.net_promoter_score(nps.score_distribution(study, by="area")).finding
    assert "fewer than 10 answers, which could be worked out from the others" in said
