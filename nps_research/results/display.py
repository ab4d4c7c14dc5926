"""A result as HTML: finding, figure, table, note."""

from __future__ import annotations

import base64
from html import escape

from nps_research.results.tables import Displayed, table_html
from nps_research.results.words import plain_text


def result_html(result: Displayed) -> str:
    """Write finding, figure, table and note of a result as inert HTML."""
    parts = [f'<p class="nps-finding">{escape(result.finding)}</p>']
    if result.has_figure and len(result.shown):
        from nps_research.results.drawing import svg

        source = base64.b64encode(svg(result)).decode("ascii")
        parts.append(f'<figure><img alt="{escape(result.alt)}" src="data:image/svg+xml;base64,{source}"></figure>')
    if len(result.shown):
        label = escape(plain_text(result.title, 200))
        parts.append(
            f'<div class="nps-table" role="region" tabindex="0" aria-label="{label}">{table_html(result)}</div>'
        )
    if result.full_note:
        parts.append(f'<p class="nps-note">{escape(result.full_note)}</p>')
    return f'<div class="nps-result mathjax_ignore">{"".join(parts)}</div>'  # $ in a name is no formula
