"""Pages in a real browser: alone, inert, accessible, and with everything their notebook shows."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from nps_research.report import ReportOutcome, make_report
from tests.support.browser import check_page, notebook_counts, open_page
from tests.support.report_notebooks import DEFINE_RESULT, code, notebook, stand_in_study, text, write_notebooks

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">[x](javascript:alert(3))"""


@pytest.mark.parametrize("name", ["index", "glossary", "02_raises", "07_ours"])
def test_pages_around_the_report(browser: Browser, mixed_report: ReportOutcome, name: str) -> None:
    check_page(browser, mixed_report.out / f"{name}.html", n_tables=0, n_images=0)


def test_page_of_a_notebook(browser: Browser, mixed_report: ReportOutcome) -> None:
    n_tables, n_images = notebook_counts(mixed_report.out / "notebooks" / "01_score.ipynb")
    assert (n_tables, n_images) == (3, 3)
    check_page(browser, mixed_report.out / "01_score.html", n_tables=n_tables, n_images=n_images)


def test_hostile_study_opens_quietly(browser: Browser, tmp_path: Path) -> None:
    notebooks = write_notebooks(
        tmp_path / "notebooks",
        n01_score=notebook(
            HOSTILE,
            code(DEFINE_RESULT),
            text(f"## {HOSTILE}\n\n{HOSTILE}"),
            code(f"shown(title={HOSTILE!r}, says={HOSTILE!r}, groups=({HOSTILE!r}, 'b'))", "headline"),
            code(
                f"from IPython.display import HTML, Markdown, display\ndisplay(HTML({HOSTILE!r}.replace('<img', '<i')))"
            ),
            code(f"display(Markdown({HOSTILE!r}))"),
            code(f"print({HOSTILE!r})"),
            question=HOSTILE,
        ),
        n02_churn=notebook(HOSTILE, needs=("customers.churned_at",)),
    )
    study = stand_in_study(tmp_path / "demo", name=HOSTILE, source=HOSTILE, licence=HOSTILE, base=HOSTILE)
    outcome = make_report(study, notebooks=notebooks, out=tmp_path / "out")
    assert [each.name for each in outcome.made] == ["01_score"]
    check_page(browser, outcome.out / "01_score.html", n_tables=1, n_images=1)
    check_page(browser, outcome.out / "index.html", n_tables=0, n_images=0)


_SHAPE = """() => ({
    cut: [...document.querySelectorAll(".nps-table")].filter(table => table.scrollWidth > table.clientWidth).length,
    ranges: [...document.querySelectorAll(".range")].map(
        range => range.textContent + " " + getComputedStyle(range).whiteSpace),
    twice: [...document.querySelectorAll(".fold > h2")].map(heading => heading.offsetHeight),
    summaries: [...document.querySelectorAll(".code > summary")].map(summary => getComputedStyle(summary).fontSize),
})"""


def test_wide_tables_are_not_cut_and_ranges_stay_whole(browser: Browser, tmp_path: Path) -> None:
    heads = "".join(f'<th scope="col" class="number">Average {number}</th>' for number in range(11))
    cells = '<td class="number">+12.3</td><td class="number">+1.2 to +23.4</td>' + '<td class="number">0.81</td>' * 9
    table = (
        f"<table><thead><tr><th>Part</th>{heads}</tr></thead><tbody><tr><th>Delivery</th>{cells}</tr></tbody></table>"
    )
    says = "Calls in 2025 Q4: 339 for 0-6 (19.1 for each bad outcome) and 61 for 0-3 (9.3 for each); see 2025-01-31."
    notebooks = write_notebooks(
        tmp_path / "notebooks",
        n01_score=notebook(
            "Score",
            code(f"{DEFINE_RESULT}\nshown(says={says!r})", "headline"),
            {**text("## Folded"), "metadata": {"tags": ["detail"]}},
            code(f"from IPython.display import HTML\nHTML({table!r})", "detail"),
        ),
    )
    report = make_report(stand_in_study(tmp_path / "demo"), notebooks=notebooks, out=tmp_path / "out")
    watched = open_page(browser, report.out / "01_score.html", scheme="light", width=1280)
    try:
        watched.page.evaluate("() => document.querySelectorAll('details').forEach(part => { part.open = true })")
        shape = watched.page.evaluate(_SHAPE)
    finally:
        watched.page.context.close()
    assert shape["cut"] == 0
    assert shape["ranges"] == ["0-6 nowrap", "0-3 nowrap"]
    assert len(shape["summaries"]) == 2
    assert len(set(shape["summaries"])) == 1, "a summary inside a fold looks like the fold's own"
    assert shape["twice"] == [1], "the heading of an open fold is seen twice"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("<p style='color:#eee'>pale</p>", "console"),
        ("<ul><p>not an item</p></ul>", "axe"),
        ("<script>alert(1)</script>", "active elements"),
        ("<pre>" + "wide" * 200 + "</pre>", "sideways"),
        ("<h1>Another</h1>", "first-level"),
        ("<img alt='x' src='data:image/png;base64,AAAA'>", "tables and figures"),
        ("<table><tr><td>1</td></tr></table>", "tables and figures"),
    ],
)
def test_check_can_fail(browser: Browser, mixed_report: ReportOutcome, tmp_path: Path, fault: str, says: str) -> None:
    page = (mixed_report.out / "glossary.html").read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace("</main>", f"{fault}</main>"), encoding="utf-8")
    with pytest.raises(AssertionError, match=says):
        check_page(browser, broken, n_tables=0, n_images=0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("media", "width"), [("max-width: 400px", 320), ("min-width: 1200px", 1280)])
def test_check_looks_at_each_scheme_and_width(
    browser: Browser, mixed_report: ReportOutcome, tmp_path: Path, scheme: str, media: str, width: int
) -> None:
    page = (mixed_report.out / "glossary.html").read_text(encoding="utf-8")
    unguarded = re.sub("<meta[^>]*Content-Security-Policy[^>]*>", "", page)
    fault = f"<style>@media (prefers-color-scheme: {scheme}) and ({media}) {{ main {{ min-width: 3000px }} }}</style>"
    broken = tmp_path / "broken.html"
    broken.write_text(unguarded.replace("</head>", f"{fault}</head>"), encoding="utf-8")
    with pytest.raises(AssertionError, match=f"broken.html, {scheme}, {width} px scrolls sideways"):
        check_page(browser, broken, n_tables=0, n_images=0)


def test_wide_tables_scroll_in_their_own_region(browser: Browser, mixed_report: ReportOutcome) -> None:
    watched = open_page(browser, mixed_report.out / "01_score.html", scheme="light", width=320)
    region: Any = watched.page.evaluate(
        "() => { const region = document.querySelector('.nps-table');"
        " return [region.scrollWidth > region.clientWidth, region.tabIndex, getComputedStyle(region).overflowX] }"
    )
    watched.page.context.close()
    assert region == [True, 0, "auto"]


_PRINTED = """() => ({
    parted: [...document.querySelectorAll(".nps-finding")].map(finding => getComputedStyle(finding).breakInside),
    closed: [...document.querySelectorAll(".nps-more")].map(more => getComputedStyle(more).display),
})"""


def test_on_paper_no_finding_is_parted_and_what_is_closed_is_not_there(
    browser: Browser, mixed_report: ReportOutcome
) -> None:
    watched = open_page(browser, mixed_report.out / "01_score.html", scheme="light", width=1280)
    on_screen = watched.page.evaluate(_PRINTED)
    watched.page.emulate_media(media="print")
    on_paper = watched.page.evaluate(_PRINTED)
    watched.page.context.close()
    assert set(on_paper["parted"]) == {"avoid"}
    assert (set(on_screen["closed"]), set(on_paper["closed"])) == ({"block"}, {"none"})


_FIGURES = """() => [...document.querySelectorAll("figure")].map(figure => {
    const image = figure.querySelector("img"), box = image.getBoundingClientRect();
    return {
        narrow: Boolean(figure.querySelector("picture")) && image.currentSrc !== image.src,
        scrolls: figure.scrollWidth > figure.clientWidth,
        share: box.width / image.naturalWidth,
    };
})"""


@pytest.mark.parametrize(("width", "narrow"), [(320, True), (375, True), (1280, False)])
def test_a_figure_is_as_wide_as_the_window_and_a_narrow_one_on_a_phone(
    browser: Browser, mixed_report: ReportOutcome, width: int, narrow: bool
) -> None:
    watched = open_page(browser, mixed_report.out / "01_score.html", scheme="light", width=width)
    ours = [each for each in watched.page.evaluate(_FIGURES) if each["narrow"] or not narrow]
    watched.page.context.close()
    assert ours
    assert [each["narrow"] for each in ours] == [narrow] * len(ours)
    if narrow:
        assert not any(each["scrolls"] for each in ours)


_IN_VIEW = """() => {
    const sections = [[]];
    for (const each of document.querySelectorAll(".flow :is(h2, p, li, caption)")) {
        if (each.tagName === "H2") sections.push([]);
        else if (each.checkVisibility()) sections.at(-1).push(each.textContent.trim());
    }
    return sections;
}"""


def test_no_page_says_a_sentence_twice_in_view_of_one_section(browser: Browser, demo_report: ReportOutcome) -> None:
    for page in sorted(demo_report.out.glob("0*.html")):
        watched = open_page(browser, page, scheme="light", width=1280)
        sections = watched.page.evaluate(_IN_VIEW)
        watched.page.context.close()
        for texts in sections:
            said = Counter(sentence for text in texts for sentence in re.split(r"(?<=[.:]) (?=[A-Z])", text))
            assert [sentence for sentence, count in said.items() if count > 1] == [], page.name
        assert sum(map(len, sections)) > 10
