"""What may stand in a page: allow-lists for HTML, Markdown and figures.

Text from a survey is hostile until proven otherwise. Outputs lose everything that is not plain
structure, tables and embedded figures; text cells may also link.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from html import escape, unescape
from typing import Any, Literal

import mistune
import nh3

from nps_research.errors import HIDDEN, ReportError, visible
from nps_research.results.display import PHONE

_TEXT_TAGS = {"p", "br", "hr", "strong", "em", "b", "i", "code", "pre", "blockquote", "sub", "sup", "small", "span"}
_LIST_TAGS = {"ul", "ol", "li", "dl", "dt", "dd"}
_TABLE_TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
_HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
_SHARED_TAGS = _TEXT_TAGS | _LIST_TAGS | _TABLE_TAGS | _HEADINGS
_DROPPED_WITH_CONTENT = {"script", "style", "svg", "math", "iframe", "object", "noscript", "template", "title"}
_CELL = {"colspan", "rowspan"}

_FIGURE = re.compile(r"data:image/(?:png|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}")
_SVG = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/]+={0,2})")
_ACTIVE_SVG = re.compile(
    r"<\s*(?:script|foreignobject|iframe|embed|object|animate|set|a)\b|\bon\w+\s*=|javascript:|<!entity"
    r"|@import|href\s*=\s*[\"'](?!#|data:image/png;base64,)|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"<img\b[^>]*>")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_IN_MEMORY = re.compile(r" at 0x[0-9a-fA-F]+")


def _our_attributes(tag: str, name: str, value: str) -> str | None:
    """Only class names of ours, and figures that carry their own bytes."""
    if name == "class":
        return " ".join(word for word in value.split() if word == "number" or word.startswith("nps-")) or None
    if tag == "img" and name == "src":
        return value if _FIGURE.fullmatch(value) else None
    if tag == "source":
        return value if _FIGURE.fullmatch(value) or value == PHONE else None
    return value


_OUTPUT = nh3.Cleaner(
    tags=_SHARED_TAGS | {"div", "figure", "figcaption", "picture", "source", "img", "details", "summary"},
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes={
        "*": {"class"},
        "img": {"src", "alt"},
        "source": {"srcset", "media"},
        "td": _CELL,
        "th": _CELL,
        "div": {"aria-label"},
    },
    tag_attribute_values={
        "th": {"scope": {"col", "row", "colgroup", "rowgroup"}},
        "div": {"role": {"region"}, "tabindex": {"0"}},
    },
    attribute_filter=_our_attributes,
    url_schemes={"data"},
)
_MARKDOWN = nh3.Cleaner(
    tags=_SHARED_TAGS | {"a"},
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes={"a": {"href"}, "h2": {"id"}, "h3": {"id"}},
    url_schemes={"https", "http", "mailto"},
)


def clean_output_html(html: str, cell: int) -> str:
    """Make the HTML of an output inert.

    Raises
    ------
    ReportError
        A figure in it has no alternative text, is not embedded, or is more than a picture; the cell is named.

    Examples
    --------
    >>> clean_output_html('<p onclick="x()">5 <b>stars</b><script>x()</script></p>', 3)
    '<p>5 <b>stars</b></p>'
    """
    clean = _OUTPUT.clean(html)
    for image in _IMAGE.findall(clean):
        if not re.search(r'\balt="\s*[^"\s]', image):
            raise ReportError(f"cell {cell}: a figure has no alternative text")
        if not re.search(r'\bsrc="data:', image):
            raise ReportError(f"cell {cell}: a figure is not part of the page itself")
    clean = _SVG.sub(lambda source: _picture_only(source[1], cell), clean)
    clean = re.sub(r"<th[^>]*></th>", "<td></td>", clean)  # an empty header heads nothing
    clean = clean.replace("<figure><img", '<figure tabindex="0"><img')  # scrolls where the window is narrow
    if "<table" in clean and "nps-table" not in clean:
        clean = f'<div class="nps-table" role="region" tabindex="0" aria-label="Table of cell {cell}">{clean}</div>'
    return clean


def figure_html(kind: Literal["image/png", "image/svg+xml"], content: str, alt: str, cell: int) -> str:
    """Write a figure that a notebook displayed by itself as HTML.

    `content` is base64 for PNG, and text for SVG. Raises ReportError where `alt` is blank or the
    SVG is more than a picture.
    """
    if not alt.strip():
        raise ReportError(f"cell {cell}: a figure has no alternative text")
    try:
        data = base64.b64decode(content) if kind == "image/png" else content.encode()
    except binascii.Error as error:
        raise ReportError(f"cell {cell}: a figure cannot be read") from error
    source = base64.b64encode(data).decode("ascii")
    return clean_output_html(f'<figure><img alt="{escape(alt)}" src="data:{kind};base64,{source}"></figure>', cell)


def _picture_only(source: str, cell: int) -> str:
    """An SVG without comments, in which matplotlib repeats every text; refused if anything in it acts."""
    svg = _COMMENT.sub("", base64.b64decode(source).decode("utf-8", errors="replace"))
    if _ACTIVE_SVG.search(svg):
        raise ReportError(f"cell {cell}: an SVG figure holds more than a picture")
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"


def plain_output(text: str) -> str:
    """Take colours and memory addresses out of an output's text.

    Examples
    --------
    >>> plain_output("<Axes at 0x7f3a2c>")
    '<Axes>'
    """
    return _IN_MEMORY.sub("", _ANSI.sub("", text))


def inert_text(content: str, *, is_json: bool) -> str:
    r"""A file of the report without a control character of the data: shown as such, in JSON as JSON writes it.

    Examples
    --------
    >>> inert_text("<p>2024\x9b2J</p>", is_json=False), inert_text('"2024\x9b2J"', is_json=True)
    ('<p>2024\\x9b2J</p>', '"2024\\u009b2J"')
    """
    return HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], content) if is_json else visible(content)


def heading_slug(text: str) -> str:
    """Turn a heading into the name of a place in the page, e.g. ``'response-rate'``."""
    return re.sub(r"\W+", "-", unescape(re.sub(r"<[^>]*>", "", text)).casefold()).strip("-") or "section"


class _Renderer(mistune.HTMLRenderer):
    """Headings get a name to link to; the page's own title is not said twice."""

    def __init__(self, title: str) -> None:
        super().__init__(escape=True)
        self.title = title

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        if level == 1 and unescape(text).strip() == self.title.strip():
            return ""
        level = max(level, 2)
        return f'<h{level} id="{heading_slug(text)}">{text}</h{level}>\n'


def render_markdown(text: str, *, title: str = "") -> str:
    r"""Render Markdown as HTML that can do nothing: raw HTML in it is shown as text.

    A first-level heading that repeats the page's title is left out, any other becomes second-level.

    Examples
    --------
    >>> render_markdown("# NPS\n<b>bold</b> [x](javascript:alert(1))", title="NPS").strip()
    '<p>&lt;b&gt;bold&lt;/b&gt; <a href="#harmful-link" rel="noopener noreferrer">x</a></p>'
    """
    markdown = mistune.create_markdown(renderer=_Renderer(title), plugins=["table"])
    return _MARKDOWN.clean(str(markdown(text)))
