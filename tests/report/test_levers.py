"""Levers of a notebook's `settings` cell: a page made with one moved says so, and no text holds what a lever sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nps_research.report import make_report
from nps_research.report.notebooks import ReportNotebook, levers_moved, read_notebooks
from tests.support.report_notebooks import DEFINE_RESULT, code, notebook, stand_in_study, write_notebooks

NOTEBOOKS = read_notebooks(Path(__file__).resolve().parents[2] / "notebooks")


def settings_of(book: ReportNotebook) -> str:
    (cell,) = (cell for cell in book.node.cells if cell.get("id") == "settings")
    return str(cell.source)


@pytest.mark.parametrize("book", NOTEBOOKS, ids=lambda book: book.name)
def test_every_lever_says_when_it_is_moved(book: ReportNotebook) -> None:
    lines = settings_of(book).splitlines()
    assert levers_moved(book) == []
    (cell,) = (cell for cell in book.node.cells if cell.get("id") == "settings")
    source = cell.source
    try:
        cell.source = re.sub(r"(?m)^(\w+) = \S+", r"\1 = 77", source)
        moved = levers_moved(book)
    finally:
        cell.source = source
    assert len(moved) == len(lines)
    assert all(said.endswith(": 77") for said in moved)
    assert moved[0] == "the last wave to look at: 77"


@pytest.mark.parametrize("book", NOTEBOOKS, ids=lambda book: book.name)
def test_no_text_of_a_notebook_holds_a_margin_that_a_lever_sets(book: ReportNotebook) -> None:
    margin = re.search(r"(?m)^margin = (\S+)", settings_of(book))
    said = "\n".join(cell.source for cell in book.node.cells if cell.cell_type == "markdown")
    assert margin is None or not re.search(rf"(?<![\d.]){re.escape(margin[1])} (times|points)", said)


def test_a_page_made_with_a_lever_moved_says_so(tmp_path: Path) -> None:
    wave = '"2025 Q1"  # the last wave to look at, such as "2024"; None: the latest'
    books = {
        f"n0{number}_page": notebook("Page", code(f"wave = {value}"), code(f"{DEFINE_RESULT}\nshown()", "headline"))
        for number, value in ((1, wave), (2, wave.replace('"2025 Q1"', "None", 1)))
    }
    for book in books.values():
        book["cells"][2]["id"] = "settings"
    written = write_notebooks(tmp_path / "notebooks", **books)
    report = make_report(stand_in_study(tmp_path / "demo"), notebooks=written, out=tmp_path / "out")
    moved, usual = ((report.out / f"0{number}_page.html").read_text(encoding="utf-8") for number in (1, 2))
    assert "made with settings of its own: the last wave to look at: &#34;2025 Q1&#34;.</p>" in moved
    assert "settings of its own" not in usual
    index = (report.out / "index.html").read_text(encoding="utf-8")
    told = re.findall(r"<p class=.caution.>.*?</p>", index)
    assert [re.sub("<[^>]*>", "", each) for each in told] == [
        "Mind: “Page” was made with settings of its own: the last wave to look at: &#34;2025 Q1&#34;."
    ]
