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
from nps_research.report.harvest import HarvestedResult, shown_numbers
from nps_research.report.notebooks import ReportNotebook, has_tag, levers_moved
from nps_research.report.page_cells import not_answered_here, page_cells
from nps_research.report.sanitise import heading_slug, render_markdown
from nps_research.report.since import Since
from nps_research.report.small_figures import small_figure
from nps_research.report.terms import Terms
from nps_research.results.words import plain_text, without_column_names
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
_POINTER = re.compile(r'\s*<a (?:class="skip" [^>]*|href="[^"#:]+\.html")>[^<]*</a>')  # to the content, to a page
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
    levers : tuple of str
        Settings that it was made with and that are not the usual ones.
    """

    name: str
    title: str
    question: str
    state: str
    reason: str = ""
    results: tuple[HarvestedResult, ...] = ()
    on_top: HarvestedResult | None = None
    told: tuple[Markup, ...] = ()
    levers: tuple[str, ...] = ()

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
        cells, terms = page_cells(node, notebook), Terms(GLOSSARY)
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
            "open": not_answered_here(node),
            "levers": levers_moved(notebook),
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
        cards = [
            replace(card, on_top=first["glance"].on_top, reason=without_column_names(card.reason)) for card in cards
        ]
        figures = {card.name: next(filter(None, map(small_figure, card.drawn)), "") for card in cards}
        title, files = self._common["study"]["name"], {"workbook": workbook, "board": board}
        return self._render("index.html.j2", title=title, cards=cards, figures=figures, since=since, **first, **files)

    def board(self, cards: Sequence[Card]) -> str:
        """The board pack as a page to print: the first screen, then the headlines of each notebook on its sheet."""
        title = self._common["study"]["name"]
        html = self._render("board.html.j2", title=title, cards=cards, **_first_screen(cards))
        return _LINK.sub("", _POINTER.sub("", html))  # on paper they lead nowhere

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
