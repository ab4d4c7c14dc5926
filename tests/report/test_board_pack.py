"""The board pack: a few sheets, the same bytes each time, and a page to print where no browser is found."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nps_research import open_study
from nps_research.report import ReportOutcome, make_report
from nps_research.report import board_pack as module
from nps_research.report.board_pack import BOARD_PACK, BOARD_PAGE
from tests.support.browser import n_printed
from tests.support.published import DEMO
from tests.support.report_notebooks import score_notebook, stand_in_study, write_notebooks

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOST_SHEETS = 10


@pytest.fixture(scope="module")
def last_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a study, its notebook and a report without a pack lie."""
    place = tmp_path_factory.mktemp("packs")
    notebooks = write_notebooks(place / "notebooks", **{"01_score": score_notebook()})
    make_report(stand_in_study(place / "data" / "demo"), notebooks=notebooks, out=place / "reports" / "demo")
    return place


def made_with_pack(place: Path) -> Path:
    """The same report with a pack; no notebook runs again."""
    study = stand_in_study(place / "data" / "demo")
    return make_report(study, notebooks=place / "notebooks", out=place / "reports" / "demo", pdf=True).out


def n_sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_first_screen_and_headlines_are_printed_the_same_each_time(browser: Browser, last_report: Path) -> None:
    out = made_with_pack(last_report)
    first = (out / BOARD_PACK).read_bytes()
    assert first.startswith(b"%PDF")
    assert n_sheets(first) == n_printed(browser, out / BOARD_PAGE)
    assert f'href="{BOARD_PACK}"' in (out / "index.html").read_text(encoding="utf-8")
    assert module.printed((out / BOARD_PAGE).read_text(encoding="utf-8")) == first


def test_without_a_browser_there_is_a_page_to_print(last_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _name: None)
    out = made_with_pack(last_report)
    assert not (out / BOARD_PACK).exists()
    assert f'href="{BOARD_PAGE}"' in (out / "index.html").read_text(encoding="utf-8")
    page = (out / BOARD_PAGE).read_text(encoding="utf-8")
    assert page.count('class="sheet"') == 1  # the one notebook that was made
    assert "<a " not in page
    assert "Skip to" not in page
    assert "NPS by wave" in page


def test_a_browser_that_fails_costs_no_report(last_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _name: "/bin/false")
    assert (made_with_pack(last_report) / BOARD_PAGE).exists()


@pytest.mark.whole
def test_the_demo_has_few_sheets(browser: Browser, demo_report: ReportOutcome, tmp_path: Path) -> None:
    for folder in (demo_report.out, demo_report.private):
        shutil.copytree(folder, tmp_path / folder.name)
    out = make_report(open_study(DEMO), out=tmp_path / "demo", pdf=True).out
    assert 1 + len(demo_report.made) <= n_sheets((out / BOARD_PACK).read_bytes()) <= MOST_SHEETS
    page = (out / BOARD_PAGE).read_text(encoding="utf-8")
    assert "of the survey. The score" not in page  # the name of a page
    assert page.count('class="sheet"') == len(demo_report.made)
