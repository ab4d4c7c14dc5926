"""The site of `make docs`: it is built without a warning, every link leads somewhere, and no page asks another host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

import nps_research as nps
from nps_research.thresholds.evidence.verdict import MOVE_GAP, SHAPE_GAP
from tests.support.browser import open_page
from tests.support.made_once import made_once
from tests.support.published import ROOT
from tests.test_fresh_checkout import checkout, uv
from tests.test_public_face import ROOMS

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
HOW_TOS = sorted((ROOT / "docs" / "how_to").glob("*.md"))
PLACES = ("href", "src", "srcset", "data", "poster", "action")


class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.linked: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in PLACES and value:
                (self.linked if tag == "a" else self.loaded).append(value)
            elif name == "content" and value and "url=" in value:
                self.loaded.append(value.split("url=")[1])


def lost(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Links of all pages that lead nowhere within the site."""
    for path, page in pages.items():
        for link in page.linked + page.loaded:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            inside = target.is_relative_to(site) and target.is_file()
            if not inside or (parts.fragment and target in pages and parts.fragment not in pages[target].anchors):
                yield f"{path.relative_to(site)}: {link}"


def built(folder: Path) -> Path:
    """The site of a fresh checkout, with a report of one page."""
    checkout(folder)
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    make = ["make", f"UV={uv()}", f"PYTHON={sys.executable}"]
    report = [".venv/bin/nps-research", "report", "data/demo", "--only", "00_study"]
    for command in ([*make, "setup"], report, [*make, "docs"]):
        run = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    return (folder / "site").resolve()


@pytest.fixture
def site() -> Path:
    if sys.platform == "win32":
        pytest.skip("make is of POSIX")
    return made_once("site", built)


@pytest.fixture
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.mark.whole
def test_every_link_of_the_site_leads_somewhere(site, pages):
    named = ("index", "docs/index", "docs/tutorial", "data/README", "calibration/drivers", "demo/00_study")
    assert {site / f"{name}.html" for name in named} <= set(pages)
    assert list(lost(site, pages)) == []


@pytest.mark.whole
def test_every_public_name_is_in_the_site_and_no_other(pages):
    shown = {anchor for page in pages.values() for anchor in page.anchors if re.fullmatch(r"nps\.\w+\.\w+", anchor)}
    assert shown == {f"nps.{room}.{name}" for room in ROOMS for name in getattr(nps, room).__all__}


@pytest.mark.whole
def test_no_page_names_anything_of_another_host(site, pages):
    loaded = {link for page in pages.values() for link in page.loaded}
    assert {link for link in loaded if urlsplit(link).scheme not in ("", "data") or link.startswith("//")} == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*", styles) == []


@pytest.mark.whole
def test_pages_opened_as_files_ask_no_host_and_are_searched(site, pages, browser):
    for path in pages:
        watched = open_page(browser, path, scheme="light", width=1280)
        assert [url for url in watched.requests if not url.startswith((site.as_uri(), "data:"))] == [], path
        assert watched.errors == [], path
        watched.page.context.close()
    found = open_page(browser, site / "search.html", scheme="light", width=1280).page
    found.goto(f"{(site / 'search.html').as_uri()}?q=bounced")
    found.locator("#search-results").get_by_role("link", name="A database, Parquet or SPSS").first.wait_for()
    found.context.close()


@pytest.mark.whole
@pytest.mark.skipif(sys.platform == "win32", reason="bash is of POSIX")
@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_the_commands_of_a_how_to_work(page, tmp_path):
    """All but the report, which has tests of its own; the day that it says is written where it says."""
    place = tmp_path / "checkout"
    place.mkdir()
    written = page.read_text(encoding="utf-8")
    said = ""
    for block in re.findall(r"^```sh\n(.*?)^```", written, re.DOTALL | re.MULTILINE):
        for settings in place.glob("data/*/study.toml"):
            drafted = settings.read_text(encoding="utf-8")
            settings.write_text(drafted.replace("# observed_until = ", "observed_until = "), encoding="utf-8")
        lines = [line for line in block.splitlines() if "nps-research report" not in line]
        commands = "\n".join(lines).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        run = subprocess.run(["bash", "-euc", commands], cwd=place, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        said += run.stdout
    answered = re.search(r"can answer (\d+) of the 21 questions", said)
    words = {"3": "Three", "5": "five", "11": "11 of the 21"}
    assert answered
    assert f"{words[answered[1]]} " in written


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "calibration" / f"{name}.csv")


def percent(share: float, digits: int = 0) -> str:
    return f"{share:.{digits}%}"


def test_the_readmes_numbers_are_those_of_the_tables():
    intervals = table("score_intervals")
    of_score, of_wald = (intervals[intervals["method"] == method] for method in ("score", "wald"))
    held = of_score[of_score["n"] >= 30]["coverage"]
    assert f"in {percent(held.min(), 1)} to {percent(held.max(), 1)} of surveys of 30 independent answers" in README
    assert f"in {percent(of_score['coverage'].min(), 1)} at least" in README
    assert f"in as few as {percent(of_wald[of_wald['n'] >= 30]['coverage'].min(), 1)}" in README
    assert intervals["shape"].nunique() == 8

    thresholds = (ROOT / "calibration" / "thresholds.md").read_text(encoding="utf-8")
    moved, kept = (
        re.search(rf"^\| {error}.*?\| ([\d.]+%) ", thresholds, re.MULTILINE)[1]
        for error in ("The line is moved", "The convention is kept")
    )
    assert f"In the worst of {len(table('thresholds'))} designs the line is moved wrongly in {moved}" in README
    assert f"kept wrongly in {kept}" in README

    drivers = (ROOT / "calibration" / "drivers.md").read_text(encoding="utf-8")
    idle = sorted(float(each) for each in re.findall(r"some idle rating was called above noise in ([\d.]+)%", drivers))
    added = max(float(each) for each in re.findall(r"([\d.]+)%", drivers.split("any idle one")[1]))
    assert f"called real in {idle[0]}% to {idle[-1]}% of data sets" in README
    assert f"in {added}% ([calibration/drivers.md]" in README
    skipped = table("skipped_ratings").set_index("design")["any_idle"]
    alone = skipped.index.str.startswith("idle ones")
    worst = [percent(skipped[which].max(), 1) for which in (alone, ["skipped at random", "skipped by low raters"])]
    assert f"skip idle ratings, in {worst[0]} at most; where they skip" in README
    assert f"ratings that matter, too, in up to {worst[1]}" in README
    told = [
        float(each) for each in re.findall(r"^\| weak \| 9\.0 .*\| ([\d.]+)% \| [\d.]+% \|$", drivers, re.MULTILINE)
    ]
    assert f"in {told[0]:.0f}% of surveys of 1,000 answers, of 5,000 in {told[2]:.0f}%" in README

    verdicts, silence = table("silence_verdicts").set_index("scenario"), table("silence").set_index("scenario")
    most = max(verdicts.loc["alike", "worst"].max(), silence.loc["all alike", "says worst"].max())
    assert f"to leave most in {percent(most, 1)} of data sets at most" in README
    assert f"in {int(100 * verdicts.loc['contract alone', 'worst-unadjusted'].min())}% or more" in README

    gaps = table("threshold_gaps")
    ours = (gaps["move_gap"] == MOVE_GAP) & (gaps["shape_gap"] == SHAPE_GAP)
    curved = gaps[ours & (gaps["truth"] == "curved") & (gaps["n"] == 5000)]
    assert f"the line is moved in {percent(curved['move'].max())} of data sets of 5,000 answers" in README

    by_score = table("silent_score").set_index("answering").loc["score"]
    assert by_score[["raked_held", "logistic_held", "boosted_held"]].eq(0).all(axis=None)
    assert set(by_score["runs"]) == {300}
    assert "held the score of all in none of 300 data sets" in README

    costs = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    seconds, megabytes = re.search(r"\| 10,000,000 \| \d+ \| nps_research \| ([\d.]+) \| (\d+) \|", costs).groups()
    times = re.search(r"by three keys: times as fast as pandas' fastest way \|.*?\| ([\d.]+) \|", costs)[1]
    assert f"take {float(seconds):.2f} seconds and {megabytes} MB, {times} times as fast as pandas" in README
    assert (ROOT / "tests" / "README.md").read_text(encoding="utf-8").count("::test_") > 130
