"""Links from a page's sentences to the glossary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nps_research.report.pages import GLOSSARY
from nps_research.report.sanitise import render_markdown
from nps_research.report.terms import Terms
from tests.support.published import PAGES

if TYPE_CHECKING:
    from nps_research.report import ReportOutcome


def test_each_term_is_a_link_where_it_first_stands_and_nowhere_else() -> None:
    terms = Terms(GLOSSARY)
    first = terms.linked(
        '<p>NPS and <code>watch list</code>, <a href="x">churn rate</a>: two waves.</p><td>driver</td>'
    )
    assert re.findall(r'href="glossary.html#([^"]*)"', first) == ["net-promoter-score-nps", "wave"]
    assert ">waves</a>" in first
    assert "<td>driver</td>" in first
    again = terms.linked("<li>The NPS of a wave, a watch list, a Driver.</li>")
    assert re.findall(r'href="glossary.html#([^"]*)"', again) == ["watch-list", "driver"]
    assert re.sub(r"</?a[^>]*>", "", again) == "<li>The NPS of a wave, a watch list, a Driver.</li>"


def test_words_within_words_and_attributes_are_left_alone() -> None:
    html = '<p title="driver">microwave, wave-like &lt;driver&gt;<img alt="p-value"></p>'
    assert Terms(GLOSSARY).linked(html).count("<a ") == 1  # of the escaped text alone


def test_every_link_of_the_demo_leads_to_a_heading_of_the_glossary(demo_report: ReportOutcome) -> None:
    there = set(re.findall(r'id="([^"]*)"', render_markdown(GLOSSARY)))
    for name in PAGES:
        page = (demo_report.out / f"{name}.html").read_text(encoding="utf-8")
        links = re.findall(r'href="glossary.html#([^"]*)"', page)
        assert len(links) == len(set(links)) >= 3, name
        assert set(links) <= there
