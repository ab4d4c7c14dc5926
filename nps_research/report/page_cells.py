"""The cells of a page, from a notebook fit to share; what its study cannot answer is put together at the page's end."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from nps_research.report.harvest import headline_cells
from nps_research.report.notebooks import ReportNotebook, has_tag
from nps_research.report.sanitise import render_markdown
from nps_research.results.listing import NotAnswered
from nps_research.results.result import MIME_TYPE
from nps_research.results.words import without_column_names

if TYPE_CHECKING:
    from nbformat import NotebookNode


def page_cells(node: NotebookNode, notebook: ReportNotebook) -> list[dict[str, Any]]:
    """The cells for the template; their HTML has passed the allow-lists.

    Title and question are left out of the text, and so are sections in which nothing is answered; code that shows
    nothing is folded away with the next that does. The section of a headline is in view, wherever it stands, and one
    of words alone stands behind an answer: at the end, where what it speaks of is not answered.
    """
    cells: list[dict[str, Any]] = []
    code: list[str] = []
    headlines, sections = headline_cells(node), _sections(node)
    left_out = {place for section in sections for place in section if _asks_in_vain(node, section)}
    in_view = {place for section in sections for place in section if headlines.intersection(section)}
    folded = False
    for place in _answers_first(node, sections, left_out):
        cell = node.cells[place]
        code += [cell.source] if cell.cell_type == "code" and cell.source.strip() else []
        if place in left_out:
            continue
        folds, heading = has_tag(cell, "detail") and place not in in_view, _first_heading(cell)
        if folded and (heading or not folds):
            cells.append({"kind": "end of fold"})
        if folds and (heading or not folded):
            cells.append({"kind": "fold", "summary": heading or "More"})
        folded = folds
        if cell.cell_type == "markdown":
            source = cell.source.replace(f"*{notebook.question}*\n\n", "", 1)  # it stands under the title
            html = Markup(render_markdown(source, title=notebook.title))  # noqa: S704 - sanitised
            cells.append({"kind": "text", "html": html})
        elif outputs := [_page_output(output) for output in cell.get("outputs", ()) if not _is_open(output)]:
            cells.append({"kind": "outputs", "outputs": outputs, "headline": place in headlines})
            cells.append({"kind": "code", "code": "\n\n".join(code)})
            code = []
    if code:
        cells.append({"kind": "code", "code": "\n\n".join(code)})
    return [*cells, {"kind": "end of fold"}] if folded else cells


def not_answered_here(node: NotebookNode) -> dict[str, list[str]]:
    """What a notebook could not answer: the headings that it stood under, by the reason in plain words."""
    found: dict[str, list[str]] = {}
    heading = ""
    for cell in node.cells:
        heading = _first_heading(cell) or heading
        for output in filter(_is_open, cell.get("outputs", ())):
            headings = found.setdefault(without_column_names(output["data"][MIME_TYPE]["finding"]), [])
            headings += [heading] if heading not in headings else []
    return found


def headlines_told(node: NotebookNode) -> tuple[Markup, ...]:
    """The headlines of a notebook fit to share, as HTML."""
    outputs = (output for place in sorted(headline_cells(node)) for output in node.cells[place].outputs)
    return tuple(_page_output(output) for output in outputs if not _is_open(output))


def _sections(node: NotebookNode) -> list[list[int]]:
    """The places of the cells under each heading but the first, the title."""
    sections: list[list[int]] = [[]]
    for place, cell in enumerate(node.cells):
        if _first_heading(cell):
            sections.append([])
        sections[-1].append(place)
    return sections[2:]


def _answers_first(node: NotebookNode, sections: Sequence[Sequence[int]], left_out: Set[int]) -> list[int]:
    """The places of all cells in the order of the page: no section of words alone before all that is answered."""
    early: list[int] = []
    for section in sections:
        if all(node.cells[place].cell_type == "markdown" for place in section):
            early += section
        elif not left_out >= set(section):
            break
    return sorted(range(len(node.cells)), key=lambda place: place in early)


def _asks_in_vain(node: NotebookNode, section: Sequence[int]) -> bool:
    """Whether something is asked in a section, and nothing answered."""
    asked = [node.cells[place] for place in section if node.cells[place].cell_type == "code"]
    return bool(asked) and all(_is_open(output) for cell in asked for output in cell.outputs)


def _first_heading(cell: NotebookNode) -> str:
    """The heading that a cell begins with, or nothing."""
    heading = re.match(r"#+ +(.+)", cell.source) if cell.cell_type == "markdown" else None
    return heading[1].strip() if heading else ""


def _is_open(output: NotebookNode) -> bool:
    """Whether an output says why there is no answer."""
    return bool(output.get("data", {}).get(MIME_TYPE, {}).get("kind") == NotAnswered.kind)


def _page_output(output: NotebookNode) -> Markup:
    data = output.get("data", {})
    if "text/html" in data:
        return Markup(data["text/html"])  # noqa: S704 - sanitised
    return Markup('<pre class="nps-text" tabindex="0">{}</pre>').format(data.get("text/plain", output.get("text", "")))
