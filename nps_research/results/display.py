"""A result as HTML: finding and figure; details, a table that repeats the figure, and note are folded."""

from __future__ import annotations

import base64
import os
from html import escape

from nps_research.results.tables import Displayed, table_html
from nps_research.results.words import plain_text

IN_REPORT = "NPS_RESEARCH_REPORT"  # environment variable of notebooks that run for a report
PHONE = "(max-width: 34rem)"  # windows in which a figure is a narrow one
ROWS_IN_VIEW = 12  # of a table in view; a longer one is folded


def result_html(result: Displayed) -> str:
    """Write finding, figure, table, details and note of a result as inert HTML."""
    n_rows = len(result.shown)
    figure, table = (_figure(result) if result.is_drawn else ""), (_table_region(result) if n_rows else "")
    folds = bool(figure) or n_rows > ROWS_IN_VIEW
    more = [
        f'<p class="nps-details">{escape(result.details)}</p>' if result.details else "",
        table if folds else "",
        f'<p class="nps-note">{escape(result.full_note)}</p>' if result.full_note else "",
    ]
    what = "Table and details" if table and folds else "Details"
    parts = [
        f'<p class="nps-finding">{escape(result.finding)}</p>',
        figure,
        "" if folds else table,
        f'<details class="nps-more"><summary>{what}</summary>{"".join(more)}</details>' if any(more) else "",
    ]
    return f'<div class="nps-result mathjax_ignore">{"".join(parts)}</div>'  # $ in a name is no formula


def _figure(result: Displayed) -> str:
    """The figure, its message in its alternative text alone: it stands under the finding. Pages have a narrow one."""
    from nps_research.results.drawing import svg

    alt = f"{result.message}. {result.alt}" if result.message else result.alt
    image = f'<img alt="{escape(alt)}" src="{_as_source(svg(result))}">'
    if os.environ.get(IN_REPORT):
        phone = f'<source media="{PHONE}" srcset="{_as_source(svg(result, narrow=True))}">'
        image = f"<picture>{phone}{image}</picture>"
    return f"<figure>{image}</figure>"


def _as_source(drawing: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing).decode('ascii')}"


def _table_region(result: Displayed) -> str:
    label = escape(plain_text(result.title, 200))
    return f'<div class="nps-table" role="region" tabindex="0" aria-label="{label}">{table_html(result)}</div>'
