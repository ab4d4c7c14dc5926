"""What tests of published reports share: where they lie, what they say, and how their pages are looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.browser import check_page, notebook_counts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from nps_research.report import ReportOutcome

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"
PAGES = (*("00_study", "01_score", "02_thresholds", "03_drivers", "04_nonresponse"), *("08_callbacks", "09_problems"))


def results_of(report: ReportOutcome) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((report.out / "results.json").read_text(encoding="utf-8"))
    return content


def findings_of(report: ReportOutcome) -> str:
    said = (each["result"] for each in results_of(report)["results"])
    return "\n".join(f"{result['finding']} {result['details']}".strip() for result in said)


def check_in_browser(browser: Browser, report: ReportOutcome) -> None:
    for page in (outcome.name for outcome in report.made):
        assert 'class="nps-text"' not in (report.out / f"{page}.html").read_text(encoding="utf-8")  # all results drawn
        n_tables, n_images = notebook_counts(report.out / "notebooks" / f"{page}.ipynb")
        assert n_tables > 0
        check_page(browser, report.out / f"{page}.html", n_tables=n_tables, n_images=n_images)
    n_small = (report.out / "index.html").read_text(encoding="utf-8").count('<figure class="small">')
    assert n_small > 0
    check_page(browser, report.out / "index.html", n_tables=0, n_images=n_small)
    check_page(browser, report.out / "glossary.html", n_tables=0, n_images=0)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
