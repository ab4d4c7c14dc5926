"""The reports readers get: the made-up company, and studies with planted and hostile text.

The numbers of the made-up company's report are held in tests/golden/demo_results.json. After a change that
is meant, make it anew and read the difference: python -m tests.report.test_published_reports
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from nps_research import open_study
from nps_research.report import ReportOutcome, make_report
from nps_research.results.words import MOST_WORDS
from tests.support.browser import n_printed
from tests.support.made_once import made_once
from tests.support.published import DEMO, PAGES, ROOT, check_in_browser, files_of, results_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GOLDEN = ROOT / "tests" / "golden" / "demo_results.json"
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def shared_text(folder: Path) -> str:
    """All that a shared folder says, with the figures inside its pages decoded."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()]
    figures = [
        base64.b64decode(found).decode("utf-8", errors="replace")
        for text in texts
        for found in re.findall(r"data:image/[a-z+]+;base64,([A-Za-z0-9+/=]+)", text)
    ]
    return "\n".join([*texts, *figures])


def assert_alike(got: Any, wanted: Any, where: str = "results") -> None:
    """Same structure and words; numbers to nine digits, as libraries differ in the last ones."""
    if isinstance(wanted, float) and not isinstance(got, str):
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9), where
    elif isinstance(wanted, dict):
        assert sorted(got) == sorted(wanted), where
        for key, value in wanted.items():
            assert_alike(got[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(got) == len(wanted), where
        for position, value in enumerate(wanted):
            assert_alike(got[position], value, f"{where}[{position}]")
    else:
        assert got == wanted, where


def test_demo_report_is_whole(demo_report: ReportOutcome) -> None:
    assert [outcome.name for outcome in demo_report.made] == list(PAGES)
    assert not demo_report.failed
    assert not demo_report.not_made
    index = (demo_report.out / "index.html").read_text(encoding="utf-8")
    assert "Made-up data" in index
    quarantine = (demo_report.private / "quarantine.csv").read_text(encoding="utf-8")
    assert quarantine.count("\n") == 1 + len(open_study(DEMO).quarantine)


def test_demo_results_are_the_golden_ones(demo_report: ReportOutcome) -> None:
    assert_alike(results_of(demo_report)["results"], json.loads(GOLDEN.read_text(encoding="utf-8")))


def test_demo_shows_what_is_planted_in_the_drivers(demo_report: ReportOutcome) -> None:
    results = {each["result"]["kind"]: each["result"] for each in results_of(demo_report)["results"]}
    tables = {
        kind: {row[0]: dict(zip(results[kind]["columns"], row, strict=True)) for row in results[kind]["rows"]}
        for kind in ("driver_model", "rating_asymmetry", "driver_methods")
    }
    noise = {"Documentation", "Order tracking", "Newsletter"}
    missed = {term for term, row in tables["driver_model"].items() if not row["above_noise"]} - noise
    assert missed <= {"Onboarding"}  # the smallest effect planted, of a rating that three in ten did not give
    assert not any(tables["driver_model"][term]["above_noise"] for term in noise)
    assert tables["rating_asymmetry"]["Product quality"]["class"] == "must-be"
    assert tables["rating_asymmetry"]["Account manager"]["class"] == "delighter"
    tracking = tables["driver_methods"]["Order tracking"]
    assert tracking["correlation_points"] > 40
    assert abs(tracking["estimate"]) < 5
    assert "lower ratings of Delivery on time (−10.0) and Support response (−5.5)" in results["score_bridge"]["finding"]
    (listed,) = (demo_report.private / "lists" / "03_drivers").glob("*.csv")
    assert listed.read_text(encoding="utf-8").startswith("respondent_id,customer_id,account_id,wave,")


def test_demo_findings_are_short_and_titles_hold_only_numbers_of_their_rows(demo_report: ReportOutcome) -> None:
    for result in (each["result"] for each in results_of(demo_report)["results"]):
        assert len(result["finding"].split()) <= MOST_WORDS, result["finding"]
        if result["message"]:
            unknown = set(NUMBER.findall(result["message"])) - numbers_of(result)
            assert not unknown, (unknown, result["message"])


def numbers_of(result: dict[str, Any]) -> set[str]:
    """All numbers of a result's rows, settings and labels, as a sentence may spell them, and up to how many rows."""
    found = {str(count) for count in range(len(result["rows"]) + 1)} | set(NUMBER.findall(result["title"]))
    found |= {"0.99", "0.001"}  # what p-values are above or below
    values = [result["rows"], result["settings"]]
    if result["kind"] in ("score_histogram", "risk_by_score"):  # classes are neighbouring scores together
        rows = pd.DataFrame(result["rows"], columns=result["columns"])
        classes = [rows[low:high].sum(numeric_only=True) for low in range(11) for high in range(low + 1, 12)]
        values += [[*each.tolist(), each["events"] / each["n"] if "events" in rows else 0.0] for each in classes]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
        elif isinstance(value, str):
            found |= set(NUMBER.findall(value))
        elif value is not None:
            found |= {f"{abs(size):,.{digits}f}" for size in (value, 100 * value) for digits in range(4)}
    return found


def test_demo_made_again_from_the_last_report_is_the_same(demo_report: ReportOutcome, tmp_path: Path) -> None:
    for folder in (demo_report.out, demo_report.private):
        shutil.copytree(folder, tmp_path / folder.name)
    states, out = {}, tmp_path / "demo"
    make_report(open_study(DEMO), out=out, progress=lambda news: states.update({news.notebook: news.state}))
    assert states == dict.fromkeys(PAGES, "unchanged")
    assert files_of(out) == files_of(demo_report.out)
    assert files_of(tmp_path / "demo-private") == files_of(demo_report.private)


@pytest.mark.whole
def test_demo_in_a_browser(browser: Browser, demo_report: ReportOutcome) -> None:
    check_in_browser(browser, demo_report)
    assert [n_printed(browser, demo_report.out / "index.html", paper) for paper in ("A4", "Letter")] == [1, 1]


@pytest.mark.whole
def test_demo_can_be_read(browser: Browser, demo_report: ReportOutcome) -> None:
    """Folds closed: the first five pages have at most 45 screens, each further one 7.5; all at most 7,000 words.

    The first page says all on one screen.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    screens, words = {}, 0
    for name in PAGES:
        page.goto((demo_report.out / f"{name}.html").as_uri())
        screens[name] = page.evaluate("document.documentElement.scrollHeight") / 800
        words += len(page.locator("body").inner_text().split())
    page.goto((demo_report.out / "index.html").as_uri())
    first = page.locator(".glance").bounding_box()
    page.close()
    assert sum(screens[name] for name in PAGES[:5]) <= 45
    assert max(screens[name] for name in PAGES[5:]) <= 7.5
    assert words <= 7000
    assert first is not None
    assert first["y"] + first["height"] <= 800


@pytest.mark.whole
def test_same_bytes_whatever_surrounds_the_run(demo_report: ReportOutcome, tmp_path: Path) -> None:
    surroundings = {
        "PYTHONHASHSEED": "4711",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "LANG": "ru_RU.UTF-8",
        "OMP_NUM_THREADS": "7",
        "HOME": str(tmp_path / "home"),
    }
    (tmp_path / "home").mkdir()
    out = tmp_path / "elsewhere" / "demo"
    command = [sys.executable, "-m", "nps_research.cli", "report", str(DEMO), "--out", str(out), "--jobs", "1"]
    run = subprocess.run(
        command, env={**os.environ, **surroundings}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert files_of(out) == files_of(demo_report.out)


CANARIES = {
    "id": "CANARY-77123",
    "account": "CANARYCO-9917",
    "email": "canary.person@mine.example.net",
    "name": "Canaria Vogelsang",
    "comment": "the canary sang at midnight in the empty hall",
    "unreadable": "canary was here instead of a score",
}


IDS_OF_PEOPLE = ("respondent_id", "customer_id", "referrer_id")


def part_of_the_demo(folder: Path) -> Path:
    """One in nine of the made-up company's accounts, five of its twelve ratings: all is still answered, and sooner."""
    shutil.copytree(DEMO, folder)
    settings = folder / "study.toml"
    rated = re.compile(r'^"(?!Delivery|Product|Account|Order tracking|Newsletter).*" = "[a-z_]+"\n', flags=re.MULTILINE)
    text, n_gone = rated.subn("", settings.read_text(encoding="utf-8"))
    assert n_gone == 7
    settings.write_text(text, encoding="utf-8")
    customers = pd.read_csv(folder / "customers.csv", dtype=str)
    kept = customers[customers["account_id"].str.endswith(("7", "40"))]  # 53 of their comments were coded by hand
    people = set(kept["customer_id"])
    ids = {"account_id": set(kept["account_id"]), **dict.fromkeys(IDS_OF_PEOPLE, people)}
    for path in folder.glob("*.csv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        names = header.strip().split(",")
        if whose := next((name for name in names if name in ids), None):
            rows = [row for row in rows if row.split(",")[names.index(whose)].strip() in ids[whose]]
        path.write_text("".join([header, *rows]), encoding="utf-8")
    for path in folder.glob("*.parquet"):
        table = pd.read_parquet(path)
        if whose := next((name for name in table if name in ids), None):
            table[table[whose].isin(ids[whose])].to_parquet(path, index=False)
    return folder


def plant_canaries(folder: Path) -> None:
    """Add one more respondent, whose every cell would be recognised."""
    responses = folder / "responses_2025q4.csv"
    header, *rows = responses.read_text(encoding="utf-8").splitlines()
    names = header.split(",")
    answered = next(row for row in rows if row.split(",")[names.index("likelihood_to_recommend")].isdigit())

    def row(**changed: str) -> str:
        cells = dict(zip(names, answered.split(","), strict=True)) | changed
        return ",".join(cells[name] for name in names)

    planted = {
        "respondent_id": CANARIES["id"],
        "account_id": CANARIES["account"],
        "comment": f"{CANARIES['comment']} {CANARIES['email']}",
    }
    extra = [
        row(**planted),
        row(**planted),  # twice in one wave
        row(**planted | {"respondent_id": "CANARY-77124", "likelihood_to_recommend": CANARIES["unreadable"]}),
        row(**planted | {"respondent_id": "CANARY-77125", "likelihood_to_recommend": CANARIES["email"]}),
        row(**planted | {"respondent_id": "CANARY-77126", "channel": CANARIES["email"], "invited_at": CANARIES["id"]}),
    ]
    responses.write_text("\n".join([header, *rows, *extra]) + "\n", encoding="utf-8")
    customers = folder / "customers.csv"
    columns, *people = customers.read_text(encoding="utf-8").splitlines()
    person = dict(zip(columns.split(","), people[0].split(","), strict=True)) | {
        "customer_id": CANARIES["id"],
        "account_id": CANARIES["account"],
        "email": CANARIES["email"],
        "name": CANARIES["name"],
    }
    shared_mailbox = person | {"customer_id": "CANARY-77199", "region": f"office of {CANARIES['email']}"}
    customers.write_text(
        "\n".join([columns, *people, *(",".join(each.values()) for each in (person, shared_mailbox))]) + "\n",
        encoding="utf-8",
    )


HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">[x](javascript:alert(3)) $\\frac{1}{0}$ **b** `c`"""


def make_hostile(folder: Path) -> None:
    """Make every word of the study an attack: name, waves, a column, a segment's values, a driver, an outcome."""
    quoted, settings = json.dumps(HOSTILE), folder / "study.toml"
    text = re.sub(
        r'^(name|source|licence) = ".*"$', lambda line: f"{line[1]} = {quoted}", settings.read_text(), flags=re.M
    )
    text = re.sub(r'^wave = "(.*)"$', lambda line: f"wave = {json.dumps(f'{line[1]} {HOSTILE}')}", text, flags=re.M)
    text = text.replace("made_up = true", 'made_up = true\nurl = "javascript:alert(5)"')
    text = text.replace('"Support response" =', f"{quoted} =")
    text = text.replace('"Industry" = "industry"', f'{json.dumps(HOSTILE + "!")} = "seg<script>alert(4)</script>"')
    text += f"""
[outcomes.{json.dumps(HOSTILE + "?")}]
table = "responses"
column = "callback_requested"
event = [1]
no_event = [0]
direction = "bad"
"""
    settings.write_text(text, encoding="utf-8")
    customers = pd.read_csv(folder / "customers.csv", dtype=str, keep_default_na=False)
    customers["region"] = customers["region"].replace({"UK": HOSTILE})
    customers = customers.rename(columns={"industry": "seg<script>alert(4)</script>"})
    customers.to_csv(folder / "customers.csv", index=False)
    for path in folder.glob("responses_*.csv"):
        responses = pd.read_csv(path, dtype=str, keep_default_na=False)
        if "comment" in responses:
            responses.loc[responses["comment"] != "", "comment"] += f" {HOSTILE}"
        responses.to_csv(path, index=False)
    for path in (folder / "callbacks.csv", folder / "hand_codes.csv"):
        of_waves = pd.read_csv(path, dtype=str, keep_default_na=False)
        of_waves["wave"] += f" {HOSTILE}"
        of_waves.to_csv(path, index=False)


@pytest.fixture
def hostile_report() -> tuple[Path, ReportOutcome, int]:
    """Where it lies, the report on a study of attacks and canaries, and how many rows the canaries cost."""

    def make(place: Path) -> tuple[Path, ReportOutcome, int]:
        folder = part_of_the_demo(place / "data" / "demo")
        without = len(open_study(folder).quarantine)
        make_hostile(folder)
        plant_canaries(folder)
        study = open_study(folder)
        return place, make_report(study, out=place / "reports" / "demo"), len(study.quarantine) - without

    found: tuple[Path, ReportOutcome, int] = made_once("hostile-report", make)
    return found


@pytest.mark.whole
def test_canaries_stay_private(hostile_report: tuple[Path, ReportOutcome, int]) -> None:
    place, report, lost = hostile_report
    assert lost == 5
    assert len(report.made) == len(PAGES), report.failed
    kinds, golden = (
        Counter(each["result"]["kind"] for each in results)
        for results in (results_of(report)["results"], json.loads(GOLDEN.read_text(encoding="utf-8")))
    )
    assert not golden - kinds  # nothing that the whole company's report shows is missing here
    shared = shared_text(report.out)
    assert [what for what, canary in CANARIES.items() if canary.lower() in shared.lower()] == []
    assert "canary" not in shared.lower()
    assert str(place) not in shared
    assert CANARIES["unreadable"] in (report.private / "quarantine.csv").read_text(encoding="utf-8")


@pytest.mark.whole
def test_hostile_study_opens_quietly(browser: Browser, hostile_report: tuple[Path, ReportOutcome, int]) -> None:
    report = hostile_report[1]
    check_in_browser(browser, report)
    for page in ("01_score", "02_thresholds", "03_drivers"):
        assert "alert(1)" in (report.out / f"{page}.html").read_text(encoding="utf-8")  # shown, as text


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        made = make_report(open_study(DEMO), out=Path(place) / "demo")
        GOLDEN.parent.mkdir(exist_ok=True)
        golden = json.dumps(results_of(made)["results"], indent=1, ensure_ascii=False)
        rows = re.compile(r"\[\s+([^\[\]{}]+?)\s+\]")
        golden = rows.sub(lambda row: "[" + " ".join(row[1].split()) + "]", golden)  # a row a line
        GOLDEN.write_text(golden + "\n", encoding="utf-8")
