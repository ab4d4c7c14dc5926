"""Pages: a notebook, a failed notebook, the index and the glossary as HTML.

nbconvert does the rendering, with the templates of this folder and nothing of its own.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter

from nps_research.report.at_a_glance import at_a_glance
from nps_research.report.harvest import HarvestedResult, headline_cells, shown_numbers
from nps_research.report.notebooks import ReportNotebook, has_tag, levers_moved
from nps_research.report.sanitise import heading_slug, render_markdown
from nps_research.report.since import Since
from nps_research.report.small_figures import small_figure
from nps_research.report.terms import Terms
from nps_research.results.listing import NotAnswered
from nps_research.results.result import MIME_TYPE
from nps_research.results.words import plain_text
from nps_research.study.part import part_in_words
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nps_research.report.execute import Failure
    from nps_research.report.provenance import Provenance


_FOLDER = Path(__file__).parent
GLOSSARY = (_FOLDER / "glossary.md").read_text(encoding="utf-8")
_HEADING = re.compile(r'<h2 id="[^"]*">(.*?)</h2>', re.DOTALL)
_LINK = re.compile(r"</?a\b[^>]*>")
_LABEL = re.compile(r'aria-label="([^"]*)"')
_SENTENCE = re.compile(r"<(?:p|li)[ >].*?</(?:p|li)>", re.DOTALL)
_RANGE = re.compile(r"(?<![\w.-])\d+-\d+(?![\w-])(?![^<]*>)")  # in a text, not in a tag


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the index says of one notebook.

    Attributes
    ----------
    name, title, question : str
        Of the notebook.
    state : {"made", "failed", "not made"}
    reason : str
        Why it was not made, or failed.
    results : tuple of HarvestedResult
    on_top : HarvestedResult or None
        What stands on top of the index, and is not drawn again.
    told : tuple of Markup
        Its headlines as they stand on its page.
    """

    name: str
    title: str
    question: str
    state: str
    reason: str = ""
    results: tuple[HarvestedResult, ...] = ()
    on_top: HarvestedResult | None = None
    told: tuple[Markup, ...] = ()

    @property
    def headlines(self) -> list[HarvestedResult]:
        """The results for the index page; last what stands on top of it."""
        return sorted((result for result in self.results if result.headline), key=lambda result: result is self.on_top)

    @property
    def drawn(self) -> list[HarvestedResult]:
        """Results of which the first with a small figure stands on the card: headlines, then the others."""
        others = [*self.headlines, *(result for result in self.results if not result.headline)]
        return [result for result in others if result is not self.on_top]


class _Exporter(TemplateExporter):
    """nbconvert with our templates alone, in which all text is escaped."""

    output_mimetype = "text/html"

    def default_filters(self) -> list[tuple[str, Any]]:
        return [("has_tag", has_tag)]

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        environment.undefined = StrictUndefined
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment


class Pages:
    """Renders the pages of one report: the study is named, with its licence, on each, and what it is made from.

    `notebooks` are those that have a page, in the order in which a reader goes from one to the next.
    """

    def __init__(self, study: Study, made_from: Provenance, notebooks: Sequence[ReportNotebook] = ()) -> None:
        self._neighbours = {
            each.name: {"before": before, "after": after}
            for before, each, after in zip([None, *notebooks], notebooks, [*notebooks[1:], None], strict=False)
        }
        style = (_FOLDER / "templates" / "style.css").read_text(encoding="utf-8")
        paths = [str(_FOLDER / "templates")]
        self._exporter = _Exporter(template_paths=paths, template_file="page.html.j2", file_extension=".html")  # type: ignore[no-untyped-call]
        self._common: dict[str, Any] = {
            "study": {
                name: plain_text(getattr(study, name), 400)
                for name in ("name", "source", "licence", "url", "period", "base", "caution")
            }
            | {"warnings": [plain_text(warning, 800) for warning in study.warnings]},
            "made_up": study.made_up,
            "part": part_in_words(study.part),
            "made_from": made_from,
            "style": Markup(style),  # noqa: S704 - our own file
            "style_hash": base64.b64encode(sha256(style.encode()).digest()).decode("ascii"),
        }

    def notebook(self, notebook: ReportNotebook, node: NotebookNode, results: Sequence[HarvestedResult]) -> str:
        """The page of a notebook that ran; `node` has been made fit to share."""
        cells, terms = _page_cells(node, notebook), Terms(GLOSSARY)
        for cell in cells:
            if "html" in cell:
                cell["html"] = Markup(terms.linked(cell["html"]))  # noqa: S704 - our own links
            cell["outputs"] = [Markup(terms.linked(each)) for each in cell.get("outputs", ())]  # noqa: S704
        page = {
            "title": notebook.title,
            "question": notebook.question,
            "numbers": shown_numbers(result for result in results if result.headline),
            "results": results,
            "name": notebook.name,
            "levers": [plain_text(lever, 200) for lever in levers_moved(notebook)],
            **self._neighbours.get(notebook.name, {"before": None, "after": None}),
        }
        html, _ = self._exporter.from_notebook_node(
            node, resources=self._common | page | {"cells": cells, "contents": _name_headings(cells)}
        )
        return _unique_labels(_whole_ranges(str(html)))

    def failure(self, notebook: ReportNotebook, failure: Failure) -> str:
        """The page of a notebook that failed."""
        return self._render("failed.html.j2", title=notebook.title, question=notebook.question, failure=failure)

    def index(self, cards: Sequence[Card], *, workbook: str = "", board: str = "", since: Since | None = None) -> str:
        """The page of findings at a glance.

        `workbook` and `board` are the file names of that with all results and of the board pack, and `since` what
        changed since an earlier report, if they are there.
        """
        first = _first_screen(cards)
        cards = [replace(card, on_top=first["glance"].on_top) for card in cards]
        figures = {card.name: next(filter(None, map(small_figure, card.drawn)), "") for card in cards}
        title, files = self._common["study"]["name"], {"workbook": workbook, "board": board}
        return self._render("index.html.j2", title=title, cards=cards, figures=figures, since=since, **first, **files)

    def board(self, cards: Sequence[Card]) -> str:
        """The board pack as a page to print: the first screen, then the headlines of each notebook on its sheet."""
        title = self._common["study"]["name"]
        html = self._render("board.html.j2", title=title, cards=cards, **_first_screen(cards))
        return _LINK.sub("", html)  # on paper they lead nowhere

    def glossary(self) -> str:
        """The page that says what the words mean."""
        text = render_markdown(GLOSSARY, title="Glossary")
        return self._render("glossary.html.j2", title="Glossary", text=Markup(text))  # noqa: S704 - sanitised

    def _render(self, template: str, **content: Any) -> str:
        page = self._exporter.environment.get_template(template)
        return _whole_ranges(str(page.render(resources=self._common | content)))


def _first_screen(cards: Sequence[Card]) -> dict[str, Any]:
    """What the first screen of index and board pack says and draws."""
    glance = at_a_glance([result for card in cards for result in card.results])
    trend = glance.on_top and small_figure(glance.on_top, wide=True)
    return {"glance": glance, "trend": trend, "titles": {card.name: card.title for card in cards}}


def headlines_told(node: NotebookNode) -> tuple[Markup, ...]:
    """The headlines of a notebook fit to share, as HTML."""
    outputs = [output for place in sorted(headline_cells(node)) for output in node.cells[place].outputs]
    answered = (each for each in outputs if each.get("data", {}).get(MIME_TYPE, {}).get("kind") != NotAnswered.kind)
    return tuple(_page_output(output, set()) for output in answered)


def _page_cells(node: NotebookNode, notebook: ReportNotebook) -> list[dict[str, Any]]:
    """The cells for the template; their HTML has passed the allow-lists.

    Title and question are left out of the text; code that shows nothing is folded away with the next that does. Why a
    question cannot be answered is told once.
    """
    cells: list[dict[str, Any]] = []
    code: list[str] = []
    headlines, told = headline_cells(node), set[str]()
    folded = False
    for place, cell in enumerate(node.cells):
        folds, heading = has_tag(cell, "detail"), _first_heading(cell)
        if folded and (heading or not folds):
            cells.append({"kind": "end of fold"})
        if folds and (heading or not folded):
            cells.append({"kind": "fold", "summary": heading or "More"})
        folded = folds
        if cell.cell_type == "markdown":
            source = cell.source.replace(f"*{notebook.question}*\n\n", "", 1)  # it stands under the title
            html = Markup(render_markdown(source, title=notebook.title))  # noqa: S704 - sanitised
            cells.append({"kind": "text", "html": html})
        elif cell.cell_type == "code":
            code += [cell.source] if cell.source.strip() else []
            if cell.outputs:
                outputs = [_page_output(output, told) for output in cell.outputs]
                cells.append({"kind": "outputs", "outputs": outputs, "headline": place in headlines})
                cells.append({"kind": "code", "code": "\n\n".join(code)})
                code = []
    if code:
        cells.append({"kind": "code", "code": "\n\n".join(code)})
    return [*cells, {"kind": "end of fold"}] if folded else cells


def _first_heading(cell: NotebookNode) -> str:
    """The heading that a cell begins with, or nothing."""
    heading = re.match(r"#+ +(.+)", cell.source) if cell.cell_type == "markdown" else None
    return heading[1].strip() if heading else ""


def _page_output(output: NotebookNode, told: set[str]) -> Markup:
    """Its HTML; `told` are the reasons for no answer that the page has given so far."""
    data = output.get("data", {})
    if data.get(MIME_TYPE, {}).get("kind") == NotAnswered.kind:
        reason = data[MIME_TYPE]["finding"]
        says = "Not answered, for the same reason as above." if reason in told else reason
        told.add(reason)
        return Markup('<div class="nps-result"><p class="nps-unanswered">{}</p></div>').format(says)
    if "text/html" in data:
        return Markup(data["text/html"])  # noqa: S704 - sanitised
    return Markup('<pre class="nps-text" tabindex="0">{}</pre>').format(data.get("text/plain", output.get("text", "")))


def _name_headings(cells: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give every second-level heading a name of its own; return names and texts for the contents."""
    contents: list[tuple[str, str]] = []
    used: Counter[str] = Counter()

    def named(heading: re.Match[str]) -> str:
        text = unescape(re.sub(r"<[^>]*>", "", heading[1]))
        slug = heading_slug(text)
        used[slug] += 1
        name = slug if used[slug] == 1 else f"{slug}--{used[slug]}"
        contents.append((name, text))
        return f'<h2 id="{name}">{heading[1]}</h2>'

    for cell in cells:
        if cell["kind"] == "text":
            cell["html"] = Markup(_HEADING.sub(named, cell["html"]))  # noqa: S704 - sanitised
    return contents


def _whole_ranges(html: str) -> str:
    """Keep ranges such as 0-6 on one line in sentences: browsers break them after the hyphen.

    Examples
    --------
    >>> _whole_ranges("<p>By 0-6, on 2025-01-02.</p>")
    '<p>By <span class="range">0-6</span>, on 2025-01-02.</p>'
    """
    return _SENTENCE.sub(lambda said: _RANGE.sub(r'<span class="range">\g<0></span>', said[0]), html)


def _unique_labels(html: str) -> str:
    """Number the labels that come more than once: screen readers list regions by them."""
    used: Counter[str] = Counter()

    def numbered(label: re.Match[str]) -> str:
        used[label[1]] += 1
        return label[0] if used[label[1]] == 1 else f'aria-label="{label[1]} ({used[label[1]]})"'

    return _LABEL.sub(numbered, html)
