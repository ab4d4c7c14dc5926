"""Hostile text, figures and outputs: what reaches a page, a notebook, a CSV, and what does not."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import pytest

from nps_research.errors import ReportError
from nps_research.report.execute import Failure
from nps_research.report.harvest import harvest, shown_numbers, table_csv
from nps_research.report.notebooks import ReportNotebook
from nps_research.report.pages import Card, Pages
from nps_research.report.provenance import Provenance
from nps_research.report.sanitise import clean_output_html, figure_html, render_markdown
from nps_research.report.shareable import notebook_text, shareable_notebook
from nps_research.results.csv_files import csv_text
from nps_research.results.listing import NotAnswered
from nps_research.results.result import MIME_TYPE, KeyNumber, Result
from tests.support.report_notebooks import code, notebook, stand_in_study, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    '"><svg onload=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<p style="background:url(https://evil.example/x)">styled</p>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "</title></style></script><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
]
PROVENANCE = Provenance(data="d" * 64, version="1", commit="not under git", lock="no lock", python="3.11", seed=1)
PIXEL = "data:image/png;base64,AAAA"
ALLOWED_TAGS = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "nav", "main", "footer", "aside", "section"),
    *("article", "div", "h1", "h2", "h3", "p", "a", "strong", "em", "b", "br", "blockquote", "code", "pre", "span"),
    *("ul", "ol", "li", "dl", "dt", "dd", "details", "summary", "figure", "img"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Said(Result):
    says: str

    @property
    def finding(self) -> str:
        return self.says

    @property
    def note(self) -> str:
        return self.says

    @property
    def alt(self) -> str:
        return self.says

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return (KeyNumber(label=self.says, estimate=1.0, change=1.0, change_label=self.says),)

    def plot(self, ax: Axes | None = None) -> Axes:
        assert ax is not None
        ax.set_title(self.says)
        return ax


class Inspector(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def assert_inert(html: str) -> None:
    seen = Inspector(html)
    assert seen.tags <= ALLOWED_TAGS, seen.tags - ALLOWED_TAGS
    for tag, name, value in seen.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in {"style", "srcset", "action", "formaction", "ping", "background"}, (tag, name)
        if name == "src":
            assert re.fullmatch(r"data:image/(png|svg\+xml);base64,[A-Za-z0-9+/=]+", value)
        if name == "href":
            assert re.fullmatch(r"#[\w-]*|[\w/.-]+\.(html|csv|json|ipynb)(#[\w-]+)?|https://[^ ]+|data:,", value), value
    assert html.count("<style>") == 1
    assert "<script" not in html.lower()


def output(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def executed(*cells: dict[str, Any], title: str = "The score") -> Any:
    """A notebook as it comes from the kernel, with the outputs given."""
    node: Any = nbformat.from_dict(notebook(title, *cells))  # type: ignore[no-untyped-call]
    return node


def showing(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {**code("show()", *tags), "outputs": list(outputs), "execution_count": 1}


def shared(*cells: dict[str, Any]) -> Any:
    return shareable_notebook(executed(*cells), "demo")


def asked(title: str = "The score", question: str = "Why?") -> ReportNotebook:
    return ReportNotebook(name="01_score", title=title, question=question, needs=(), answered_by="", node=executed())


def page(tmp_path: Any, *cells: dict[str, Any], **about: Any) -> str:
    node = shared(*cells)
    pages = Pages(stand_in_study(tmp_path, **about), PROVENANCE)
    return pages.notebook(asked(), node, harvest("01_score", node))


def test_a_page_leads_to_those_beside_it_and_says_its_question_once(tmp_path: Any) -> None:
    first, last = asked(title="First"), replace(asked(title="Last"), name="02")
    node = shared(text("# First\n\n*Why?*\n\nBecause."))
    html = Pages(stand_in_study(tmp_path), PROVENANCE, [first, last]).notebook(first, node, [])
    assert '<a rel="next" href="02.html">Next: Last</a>' in html
    assert 'rel="prev"' not in html
    assert html.count("Why?") == 1
    assert "Because." in html


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_inert_wherever_it_stands(tmp_path: Any, hostile: str) -> None:
    frame = pd.DataFrame({"group": [hostile, "b"], hostile: [hostile, "c"], "n": [20, 30], "estimate": [1.0, 2.0]})
    result = Said(frame=frame, title=hostile, says=hostile)
    node = shared(
        text(f"## {hostile}\n\n{hostile}\n\n| {hostile} |\n|---|\n| {hostile} |"),
        showing(output(result._repr_mimebundle_()), tags=("headline",)),
        showing(output({"text/html": hostile.replace("<img ", f"<img alt='x' src='{PIXEL}' ")})),
        showing(output({"text/markdown": hostile, "text/plain": "x"})),
        showing(output({"text/plain": hostile})),
        showing({"output_type": "stream", "name": "stdout", "text": hostile}),
    )
    study = stand_in_study(tmp_path, name=hostile, source=hostile, licence=hostile, period=hostile, base=hostile)
    study.url = hostile
    asking = asked(title=hostile, question=hostile)
    pages = Pages(study, PROVENANCE, [replace(asking, name="00"), asking, replace(asking, name="02")])
    results = harvest("01_score", node)
    card = Card(name="01_score", title=hostile, question=hostile, state="made", results=tuple(results))
    others = [
        Card(name="02", title=hostile, question="", state=state, reason=hostile) for state in ("failed", "not made")
    ]
    report = [
        pages.notebook(asking, node, results),
        pages.index([card, *others]),
        pages.failure(asking, Failure(error=hostile, message=hostile)),
        pages.glossary(),
    ]
    for html in report:
        assert_inert(html)
    for cell in node.cells:
        for each in cell.get("outputs", ()):
            assert "<script" not in each.get("data", {}).get("text/html", "")
    assert re.fullmatch(r"tables/01_score-[a-z0-9-]+\.csv", results[0].table or "")


def test_outputs_that_run_are_dropped(tmp_path: Any) -> None:
    widget = output({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=1)"})
    script = output({"application/javascript": "alert(1)", "text/plain": "<Javascript object>"})
    plotly = output({"application/vnd.plotly.v1+json": {}, "text/html": "<div>chart</div>"})
    error = {"output_type": "error", "ename": "ValueError", "evalue": "secret", "traceback": ["secret"]}
    noise = {"output_type": "stream", "name": "stderr", "text": "noise"}
    node = shared(showing(widget, script, plotly, error, noise))
    assert node.cells[-1].outputs == []


def test_plain_output_is_escaped_without_colours_and_addresses(tmp_path: Any) -> None:
    html = page(
        tmp_path,
        showing({"output_type": "stream", "name": "stdout", "text": "\x1b[31m<b>5 & 6</b>\x1b[0m"}),
        showing(output({"text/plain": "<Axes at 0x7f00dead>"})),
    )
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in html
    assert "&lt;Axes&gt;" in html
    assert "\x1b" not in html


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml"])
def test_figure_without_words_is_refused_with_its_cell(kind: Any) -> None:
    content = (
        base64.b64encode(b"\x89PNG").decode() if kind == "image/png" else "<svg xmlns='http://www.w3.org/2000/svg'/>"
    )
    with pytest.raises(ReportError, match="cell 4: a figure has no alternative text"):
        shared(text("words"), showing(output({kind: content}, {kind: {"alt": " "}})))
    node = shared(showing(output({kind: content}, {kind: {"alt": 'A "line"'}})))
    assert 'alt="A &quot;line&quot;"' in node.cells[-1].outputs[0].data["text/html"]


@pytest.mark.parametrize("alt", ["", 'alt=""', 'alt=" "'])
def test_image_without_words_in_html_is_refused(alt: str) -> None:
    with pytest.raises(ReportError, match="cell 3: a figure has no alternative text"):
        clean_output_html(f'<img {alt} src="data:image/png;base64,AAAA">', 3)


@pytest.mark.parametrize("source", ["https://evil.example/x.png", "data:text/html;base64,AAAA", "figure.png"])
def test_image_from_elsewhere_is_refused(source: str) -> None:
    with pytest.raises(ReportError, match="cell 3: a figure is not part of the page"):
        clean_output_html(f'<img alt="x" src="{source}">', 3)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<rect onclick='alert(1)'/>",
        "<foreignObject><p>x</p></foreignObject>",
        "<image href='https://evil.example/x.png'/>",
        "<a xlink:href='javascript:alert(1)'><rect/></a>",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<rect fill='url(https://evil.example/x.svg#a)'/>",
    ],
)
def test_svg_that_is_more_than_a_picture_is_refused(inside: str) -> None:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>"
    with pytest.raises(ReportError, match="cell 2: an SVG figure holds more than a picture"):
        figure_html("image/svg+xml", svg, "words", 2)
    source = base64.b64encode(svg.encode()).decode()
    with pytest.raises(ReportError, match="cell 2"):
        clean_output_html(f'<img alt="words" src="data:image/svg+xml;base64,{source}">', 2)


def test_result_keeps_its_figure_table_and_roles(tmp_path: Any) -> None:
    frame = pd.DataFrame({"group": ["a", "b"], "n": [20, 30], "estimate": [1.0, 2.0]})
    result = Said(frame=frame, title="NPS by group", says="B is higher.")
    html = page(tmp_path, showing(output(result._repr_mimebundle_())), showing(output(result._repr_mimebundle_())))
    seen = Inspector(html).attributes
    assert html.count("<table>") == html.count("<img ") == 2
    assert [value for tag, name, value in seen if (tag, name) == ("div", "aria-label")] == [
        "NPS by group",
        "NPS by group (2)",
    ]
    assert ("th", "scope", "col") in seen
    assert ("th", "scope", "row") in seen
    assert ("div", "role", "region") in seen
    assert ("div", "tabindex", "0") in seen
    assert ("td", "class", "number") in seen
    assert "<caption>NPS by group</caption>" in html


def test_plain_tables_become_accessible_regions() -> None:
    html = clean_output_html(pd.DataFrame({"a": [1]}).to_html(), 5)
    assert html.startswith('<div class="nps-table" role="region" tabindex="0" aria-label="Table of cell 5">')
    assert "<th></th>" not in html
    assert "style" not in html


def test_page_has_one_title_and_contents(tmp_path: Any) -> None:
    html = page(tmp_path, text("# Another\n\n## Trend\n\n## Trend\n\n### Deeper"))
    assert html.count("<h1>") == 1
    assert re.findall(r'<li><a href="#([^"]*)">([^<]*)</a>', html) == [
        ("another", "Another"),
        ("trend", "Trend"),
        ("trend--2", "Trend"),
    ]
    assert '<h2 id="trend--2">Trend</h2>' in html


def test_page_names_study_and_provenance(tmp_path: Any) -> None:
    html = page(tmp_path, made_up=True)
    for part in (
        "Northwind Tools",
        "Invented for tests",
        "MIT",
        "2017 and 2018",
        "5,701 answers from 9,876",
        "Made-up data",
    ):
        assert part in html
    for part in (f'<code title="{"d" * 64}">{"d" * 12}</code>', "not under git", "without a lock", "seed 1"):
        assert part in html
    assert "Made-up data" not in page(tmp_path, made_up=False)


def test_policy_allows_the_style_of_the_page_and_no_more(tmp_path: Any) -> None:
    from hashlib import sha256

    html = page(tmp_path)
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in html


def test_code_is_folded_after_what_it_shows(tmp_path: Any) -> None:
    html = page(tmp_path, code("setup = 1"), showing({"output_type": "stream", "name": "stdout", "text": "shown"}))
    assert html.count("<summary>Code</summary>") == 1
    assert html.index("shown") < html.index("<summary>Code</summary>") < html.index("setup = 1")


def test_shared_notebook_is_valid_and_stable() -> None:
    node = shared(showing(output({"text/plain": "1", MIME_TYPE: {"kind": "x"}})))
    nbformat.validate(node)
    assert notebook_text(node) == notebook_text(shared(showing(output({"text/plain": "1", MIME_TYPE: {"kind": "x"}}))))
    assert node.cells[-1].outputs[0].data[MIME_TYPE] == {"kind": "x"}
    assert node.metadata.language_info.version.count(".") == 1


def test_markdown_links_stay_and_titles_are_not_said_twice() -> None:
    html = render_markdown(
        "# The score\n\n[glossary](glossary.html#wave) [paper](https://doi.org/10.1000/1)", title="The score"
    )
    assert "<h1" not in html
    assert "<h2" not in html
    assert 'href="glossary.html#wave"' in html
    assert 'href="https://doi.org/10.1000/1"' in html


def test_key_numbers_as_readers_see_them() -> None:
    frame = pd.DataFrame({"group": ["a"], "estimate": [1.0]})

    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Numbers(Said):
        @property
        def key_numbers(self) -> tuple[KeyNumber, ...]:
            fall: dict[str, Any] = {"change": -5.3, "change_conf_low": -11.0, "change_conf_high": 0.4}
            return (
                KeyNumber(label="NPS", estimate=35.1, conf_low=31.0, conf_high=39.2, change_label="since 2017", **fall),
                KeyNumber(label="Rate", estimate=0.41, unit="share", change=0.02),
                KeyNumber(label="Answers", estimate=2831, unit="count"),
            )

    bundle = Numbers(frame=frame, says="x", title="t", confidence_level=0.9)._repr_mimebundle_()
    numbers = shown_numbers(harvest("n", shared(showing(output(bundle)))))
    assert [(each.label, each.estimate, each.interval, each.change) for each in numbers] == [
        ("NPS", "+35.1", "90% interval +31.0 to +39.2", "−5.3 since 2017 (−11.0 to +0.4)"),
        ("Rate", "41.0%", "", "+2.0 pp"),
        ("Answers", "2,831", "", ""),
    ]


def test_csv_holds_no_formulas_and_true_numbers() -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a\r=1", "plain", 'Größe, "q"']
    lines = csv_text(["=head", "n"], [[each, -1.5] for each in texts])
    read = list(csv.reader(io.StringIO(lines, newline="")))
    assert read[0] == ["'=head", "n"]
    assert [row[0] for row in read[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "' x", "a =1", *texts[7:]]
    assert {row[1] for row in read[1:]} == {"-1.5"}
    assert csv_text(["a", "b", "c"], [[None, float("nan"), pd.NaT]]) == "a,b,c\n,,\n"


def test_only_groups_large_enough_reach_the_csv() -> None:
    frame = pd.DataFrame({"group": ["large", "larger", "small", "smaller"], "n": [200, 300, 9, 4], "share": [0.5] * 4})
    result = Said(frame=frame, says="x", title="t", minimum_cell=10)
    (found,) = harvest("n", shared(showing(output(result._repr_mimebundle_()))))
    assert table_csv(found) == "group,n,share\nlarge,200,0.5\nlarger,300,0.5\n"


def test_result_without_rows_has_no_file() -> None:
    nothing = Said(frame=pd.DataFrame({"group": []}), says="This study has no such column.", title="t")
    (found,) = harvest("n", shared(showing(output(nothing._repr_mimebundle_()))))
    assert found.table is None
    assert found.to_json()["table"] is None


def test_glossary_can_be_linked_to(tmp_path: Any) -> None:
    html = Pages(stand_in_study(tmp_path), PROVENANCE).glossary()
    for name in (
        "net-promoter-score-nps",
        "response-rate",
        "95-interval",
        "design-weight",
        "adjusted-wald",
        "made-up-data",
    ):
        assert f'<h2 id="{name}">' in html


def test_first_answer_stands_on_the_index_where_the_headline_has_none(tmp_path: Any) -> None:
    says = {"a": "Silence is worst.", "b": "The silent would score -3.", "c": "12% are gone."}

    def results_of(**answered: bool) -> tuple[list[str], list[str]]:
        """Findings on the index, and those that are large on the page."""

        def cell(name: str, *tags: str) -> dict[str, Any]:
            said: Result = Said(frame=pd.DataFrame({"group": ["x"]}), title=name, says=says[name])
            if not answered[name]:
                said = NotAnswered(frame=pd.DataFrame({"term": []}), says=says[name])
            return showing(output(said._repr_mimebundle_()), tags=tags)

        node = shared(
            cell("a", "headline"),
            cell("b", "headline-otherwise"),
            showing(output({"text/plain": "x"})),
            cell("c", "headline-otherwise"),
        )
        found = harvest("04_nonresponse", node)
        html = Pages(stand_in_study(tmp_path), PROVENANCE).notebook(asked(), node, found)
        large = [block.split("</div>")[0] for block in html.split('<div class="outputs headline">')[1:]]
        return [each.bundle["finding"] for each in found if each.headline], [
            text for text in says.values() if any(text in block for block in large)
        ]

    assert results_of(a=True, b=True, c=True) == ([says["a"]],) * 2
    assert results_of(a=False, b=True, c=True) == ([says["b"]],) * 2
    assert results_of(a=False, b=False, c=True) == ([says["c"]],) * 2
    assert results_of(a=False, b=False, c=False) == ([says["a"]], [])


def test_what_readers_are_to_mind_stands_on_every_page(tmp_path: Any) -> None:
    result = Said(frame=pd.DataFrame({"group": ["x"]}), title="a", says="a")
    cell = showing(output(result._repr_mimebundle_()))
    said = '<p class="caution"><strong>Mind:</strong> Ten branches &lt;b&gt; were added.</p>'
    assert said in page(tmp_path, cell, caution="Ten branches <b> were added.")
    assert said in Pages(stand_in_study(tmp_path, caution="Ten branches <b> were added."), PROVENANCE).index([])
    assert "caution" not in page(tmp_path, cell).split("</style>")[1]


def test_what_makes_one_doubt_the_answers_stands_on_the_first_page(tmp_path):
    warned = stand_in_study(tmp_path, warnings=("80 of 800 answers are lost <b>.",))
    said = '<p class="caution"><strong>Warning:</strong> 80 of 800 answers are lost &lt;b&gt;.</p>'
    assert said in Pages(warned, PROVENANCE).index([])


def test_what_cannot_be_answered_stands_at_the_end_in_plain_words(tmp_path: Any) -> None:
    reasons = {"Dates": "No <b>dates</b> (responses.invited_at).", "Ratings": "No ratings (responses.drivers)."}
    open_cells = {
        heading: showing(output(NotAnswered(frame=pd.DataFrame({"term": []}), says=says)._repr_mimebundle_()))
        for heading, says in reasons.items()
    }
    said = Said(frame=pd.DataFrame({"group": ["x"]}), title="a", says="It is so.")
    answered = showing(output(said._repr_mimebundle_()))
    html = page(
        tmp_path,
        *(text("## Dates\n\nOf dates."), open_cells["Dates"], text("More of dates."), open_cells["Dates"]),
        *(text("## Both"), answered, open_cells["Dates"]),
        *(text("## Ratings"), open_cells["Ratings"]),
    )
    flow = html[html.index('<div class="flow">') :]
    assert re.findall("<h2[^>]*>(.*?)</h2>", flow)[0] == "Both"
    assert "f dates." not in flow
    end = flow[flow.index("What this study cannot answer") :]
    items = [re.sub("<[^>]*>", "", item) for item in re.findall("<li>(.*?)</li>", end)][:2]
    assert items == ["No &lt;b&gt;dates&lt;/b&gt;. Open: “Dates”, “Both”.", "No ratings. Open: “Ratings”."]
    assert "What this study cannot answer" not in page(tmp_path, text("## Both"), answered)


def test_words_alone_stand_behind_an_answer(tmp_path: Any) -> None:
    lacks = NotAnswered(frame=pd.DataFrame({"term": []}), says="No dates (responses.invited_at).")
    nothing = showing(output(lacks._repr_mimebundle_()))
    said = Said(frame=pd.DataFrame({"group": ["x"]}), title="a", says="It is so.")
    answered = showing(output(said._repr_mimebundle_()))

    def headings(first: Any) -> list[str]:
        html = page(tmp_path, text("## First"), first, text("## Limits"), text("## Second"), answered)
        return re.findall("<h2[^>]*>(.*?)</h2>", html[html.index('<div class="flow">') :])[:3]

    assert headings(answered) == ["First", "Limits", "Second"]
    assert headings(nothing)[:2] == ["Second", "Limits"]
