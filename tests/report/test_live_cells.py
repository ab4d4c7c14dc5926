"""Cells for a reader in JupyterLab alone: they run on any study that feeds their notebook, and no report has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import nps_research as nps
from nps_research.report.notebooks import read_notebooks
from nps_research.results.display import IN_REPORT
from nps_research.results.listing import NotAnswered
from nps_research.results.result import Result
from nps_research.results.words import interval_text, points
from tests.support.published import PAGES, ROOT
from tests.support.run_here import shown_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_jupyterlab(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(IN_REPORT, raising=False)
    yield
    plt.close("all")


def answers(**more: Any) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    score = rng.integers(0, 11, 400)
    return pd.DataFrame({"likelihood_to_recommend": score.astype(float), **more})


def bare() -> nps.Study:
    return nps.Study.from_frames(responses=answers(), name="S")


def silent() -> nps.Study:
    rows = answers(wave=["2024", "2025"] * 200, returned=1)
    rows.loc[::3, ["likelihood_to_recommend", "returned"]] = [np.nan, 0]
    return nps.Study.from_frames(responses=rows.rename(columns={"returned": "responded"}), name="S")


def rated() -> nps.Study:
    rows = answers()
    rating = (rows["likelihood_to_recommend"] // 2.5 + 1).clip(1, 5)
    outcomes = {"renewed": {"table": "responses", "column": "Renewed", "event": ["y"], "no_event": ["n"]}}
    rows = rows.assign(Price=rating, Renewed=np.where(rows["likelihood_to_recommend"] > 5, "y", "n"))
    outcomes["renewed"]["direction"] = "good"
    return nps.Study.from_frames(responses=rows, drivers=["Price"], outcomes=outcomes, name="S")


def cells_of(page: str) -> list[dict[str, Any]]:
    notebook = json.loads((ROOT / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(page: str, study: nps.Study, **settings: Any) -> dict[str, list[Any]]:
    """What each cell of a notebook shows, by the cell's id; `settings` replace those of its cell of that name."""
    scope: dict[str, Any] = {"study_folder": "", "data_folder": None, "where": {}}
    shown: dict[str, list[Any]] = {}
    with mock.patch.object(nps, "open_study", return_value=study):
        for cell in cells_of(page):
            if "parameters" not in cell["metadata"].get("tags", []):
                shown[cell["id"]] = shown_by("".join(cell["source"]), scope)
            if cell["id"] == "settings":
                assert set(settings) <= set(scope)
                scope |= settings
    return shown


def numbers_on_page(result: Any) -> str:
    """What a page says where a control begins."""
    if result.kind == "silent_shifts":
        (row,) = result.frame[result.frame["shift"] == 10].to_dict("records")
        return f"the NPS of all is {points(row['estimate'])} ({interval_text(row, 0.95)})"
    if result.kind == "improvement":
        row = result.records[0]
        return f"of {row['term']} one point higher go with {points(row['estimate'])} NPS points"
    finding: str = result.finding
    return finding


@pytest.mark.whole
@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize(
    ("make", "pages"),
    [(bare, ["00_study", "01_score"]), (silent, ["00_study", "01_score", "04_nonresponse"]), (rated, PAGES[:4])],
    ids=["bare", "silent", "rated"],
)
def test_live_cells_run_on_any_study_that_can_feed_their_notebook(make: Any, pages: list[str], tmp_path: Path) -> None:
    study = make()
    for page in pages:
        shown = run(page, study)
        for result in [each for several in shown.values() for each in several if isinstance(each, Result)]:
            assert result.style.to_html().count("<tr>") == 1 + len(result.shown)
            result.to_excel(tmp_path / "result.xlsx")
        assert isinstance(shown["closer"][0], pd.DataFrame)
        assert len(shown["closer"][0])
        assert plt.get_fignums(), f"no plot in {page}"
        for name in [name for name in shown if name.endswith("-control")]:
            said = numbers_on_page(shown[name.removesuffix("-control")][0])
            assert said in shown[name][0].children[-1].value


def test_a_control_that_is_moved_shows_other_numbers_or_why_there_are_none() -> None:
    score = nps.score_if_all_responded(silent())
    below, shown = nps.results.control(score.shifts.at, points_below=(0, 150, 10)).children
    below.value = 20
    (row,) = score.shifts.frame[score.shifts.frame["shift"] == 20].to_dict("records")
    assert f"20.0 points below their weighted estimate, the NPS of all is {points(row['estimate'])}" in shown.value
    below.value = 150
    assert "The silent can come out 0 to" in shown.value


def test_controls_of_what_is_not_answered_say_why() -> None:
    assert isinstance(nps.results.control(nps.trend, NotAnswered(says="No."), detractor_max=(0, 8, 6)), NotAnswered)


def test_settings_reach_the_answers() -> None:
    rows = answers(wave=["2023", "2024"] * 200, area=["N", "N", "S", "S"] * 100, shop=["A", "B"] * 200)
    study = nps.Study.from_frames(responses=rows, segments=["area", "shop"], name="S")
    as_set = run("01_score", study, wave="2023", line=3, margin=8, segments=["area"])
    (score,), (groups,) = as_set["score"], as_set["segments"]
    assert score.frame["group"].tolist() == ["2023"]
    of_2023 = rows["likelihood_to_recommend"][::2]
    assert score.frame["estimate"].iloc[0] == pytest.approx(100 * ((of_2023 >= 9).mean() - (of_2023 <= 3).mean()))
    assert groups.frame["term"].tolist() == ["area"]
    assert as_set["needed"][0].asked == 8
    assert as_set["needed-control"][0].children[0].value == 8
    assert as_set["needed"][0].finding in as_set["needed-control"][0].children[-1].value


def test_no_report_has_a_live_cell() -> None:
    here = {notebook.name: notebook.node.cells for notebook in read_notebooks(ROOT / "notebooks")}
    assert sorted(here) == list(PAGES)
    for page in PAGES:
        every = json.loads((ROOT / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]
        live = {cell["id"] for cell in every if "live" in cell["metadata"].get("tags", [])}
        assert {"closer", "closer-head"} <= live
        assert {cell["id"] for cell in every} - {cell.id for cell in here[page]} == live
