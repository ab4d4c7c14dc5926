"""Fixtures that several test modules share."""

from __future__ import annotations

import atexit
import gc
import os
from importlib import import_module
from typing import TYPE_CHECKING

# Before numpy comes: two workers on two cores, whose linear algebra would else wait for one another's threads.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import pytest
from hypothesis import settings

from nps_research import open_study
from nps_research.report import ReportOutcome, make_report
from tests.support.browser import LAUNCH_ARGUMENTS, chromium
from tests.support.made_once import made_once, meet_in
from tests.support.published import DEMO
from tests.support.real_surveys import REAL
from tests.support.report_notebooks import mixed_notebooks, stand_in_study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


gc.set_threshold(100_000, 50, 50)  # garbage is seldom worth a walk through all that is imported: a seventh of the time

# The same examples on every machine, and no test timed; or, on request, many new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def quiet_end() -> None:
    """Let pytest's summary be the last word: DuckDB's binding lists at exit what outlives the interpreter."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


atexit.register(quiet_end)


@pytest.fixture(scope="session", autouse=True)
def _workers_meet(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    meet_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many resamples a driver model may have that is not asked for its limits, ranks or certainties."""
    module = import_module("nps_research.drivers.fit_drivers")
    monkeypatch.setattr(module, "LEAST_RESAMPLES", 4)
    monkeypatch.setattr(module, "N_NOISE_FITS", 1)  # so that verdicts hang on how folds fell
    return 4


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser; where there is none, tests that need it are skipped, or fail if one is required."""
    path = chromium()
    if path is None:
        if os.environ.get("NPS_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium or Chrome found, and NPS_REQUIRE_BROWSER=1")
        pytest.skip("no Chromium or Chrome found")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demo_report() -> ReportOutcome:
    """The report on the made-up company; whoever would change it takes a copy."""
    outcome: ReportOutcome = made_once("published", lambda folder: make_report(open_study(DEMO), out=folder / "demo"))
    return outcome


@pytest.fixture(scope="session")
def mixed_report() -> ReportOutcome:
    """A report of notebooks that fare differently: one made, the others failed or not made."""

    def make(folder: Path) -> ReportOutcome:
        study, notebooks = stand_in_study(folder / "data" / "demo"), mixed_notebooks(folder / "notebooks")
        return make_report(study, notebooks=notebooks, out=folder / "reports" / "demo")

    outcome: ReportOutcome = made_once("mixed", make)
    return outcome


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the reports that take longest: begun last, they would leave a worker idle.

    Tests on the real surveys are `whole`, and skipped where the surveys are not.
    """
    absent = pytest.mark.skipif(not REAL.is_dir(), reason="NPS_RESEARCH_DATA does not name the real surveys' folder")
    for item in items:
        if "real" in item.keywords:
            item.add_marker("whole")
            item.add_marker(absent)
    items.sort(key=lambda item: item.path.name != "test_published_reports.py")


def pytest_collection_finish() -> None:
    """Keep what was imported out of collections of garbage."""
    gc.collect()
    gc.freeze()
