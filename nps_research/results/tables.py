"""Results as HTML: finding, figure, table, note.

All text that comes from data is escaped here, once. `COLUMNS` is the one place that says how a
standard column is headed and formatted; pages show the limits of an interval as one column.
"""

from __future__ import annotations

import base64
import re
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from nps_research.results.result import Result

__all__ = ["COLUMNS", "format_value", "plain_text", "result_html", "table_html"]

COLUMNS: dict[str, tuple[str, str]] = {
    "group": ("Group", "text"),
    "group_a": ("From", "text"),
    "group_b": ("To", "text"),
    "term": ("", "text"),
    "n": ("Answers", "count"),
    "n_a": ("Answers, from", "count"),
    "n_b": ("Answers, to", "count"),
    "n_effective": ("Effective answers", "count"),
    "item_missing": ("Returned without an answer", "count"),
    "nonrespondents": ("Silent", "count"),
    "not_reached": ("Not reached", "count"),
    "reach": ("Reach", "share"),
    "response_rate": ("Response rate", "share"),
    "promoter_share": ("Promoters", "share"),
    "passive_share": ("Passives", "share"),
    "detractor_share": ("Detractors", "share"),
    "estimate": ("NPS", "points"),
    "std_error": ("Standard error", "width"),
    "statistic": ("Statistic", "number"),
    "p_value": ("p", "p"),
    "p_adjusted": ("p, adjusted", "p"),
    "change": ("Change", "points"),
    "change_p_value": ("p of the change", "p"),
}

_EMAIL = re.compile(r"[^\s@<>\"']{1,200}@[^\s@<>\"']{1,200}\.\w{2,24}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EM DASH}"


def plain_text(value: object, width: int = 80) -> str:
    r"""Text from data made fit to be shown: one line, no control characters, no e-mail address.

    Examples
    --------
    >>> plain_text("North\n(ask ann@example.com)")
    'North (ask [e-mail])'
    """
    text = _EMAIL.sub("[e-mail]", " ".join(_CONTROL.sub(" ", str(value)).split()))
    return text if len(text) <= width else text[: width - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def format_value(value: Any, style: str) -> str:
    """One value as readers see it.

    `style` is ``"points"`` (+39.8), ``"share"`` (12.3%), ``"share_points"`` (a difference of
    shares, +1.2 pp), ``"count"`` (1,234), ``"p"``, ``"width"`` (5.3), ``"number"`` (0.53),
    ``"fine"`` (0.5321) or ``"text"``.

    Examples
    --------
    >>> format_value(-5.31, "points"), format_value(0.1234, "share"), format_value(0.00004, "p")
    ('−5.3', '12.3%', '<0.001')
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return DASH
    if style == "text":
        return plain_text(value, 200)
    number = float(value)
    match style:
        case "points":
            text = f"{number:+.1f}"
            text = "0.0" if float(text) == 0 else text
        case "share":
            text = f"{number:.1%}"
        case "share_points":
            text = f"{_no_negative_zero(100 * number, 1):+.1f} pp"
            text = text.replace("+0.0 pp", "0.0 pp")
        case "count":
            text = f"{number:,.0f}"
        case "p":
            text = "<0.001" if number < 0.001 else f"{number:.3f}"
        case "width":
            text = f"{_no_negative_zero(number, 1):.1f}"
        case "number":
            text = f"{_no_negative_zero(number, 2):.2f}"
        case "fine":
            text = f"{_no_negative_zero(number, 4):.4f}"
        case _:
            raise ValueError(f"no such format: {style!r}")
    return text.replace("-", MINUS)


def _no_negative_zero(number: float, digits: int) -> float:
    return 0.0 if round(number, digits) == 0 else number


def format_interval(low: Any, high: Any, style: str) -> str:
    """The two limits of an interval as one cell, e.g. ``'+36.3 to +43.2'``."""
    if pd.isna(low) or pd.isna(high):
        return DASH
    return f"{format_value(low, style)} to {format_value(high, style)}"


def _column(result: Result, name: str) -> tuple[str, str]:
    heading, style = COLUMNS.get(name, (name.replace("_", " ").capitalize(), ""))
    style = result.formats.get(name, style)
    if not style:
        style = "number" if pd.api.types.is_numeric_dtype(result.frame[name]) else "text"
    return result.headings.get(name, heading), style


def _cells(result: Result) -> tuple[list[str], list[bool], list[list[str]]]:
    """Headings, which columns are numbers, and the rows of cell texts."""
    shown, level = result.shown, f"{result.confidence_level:.0%} interval"
    headings: list[str] = []
    numeric: list[bool] = []
    columns: list[list[str]] = []
    for name in result.table_columns or map(str, shown.columns):
        prefix = name.removesuffix("conf_high")
        if name.endswith("conf_low"):
            continue
        if name.endswith("conf_high"):
            of = prefix.rstrip("_") or "estimate"
            style = _column(result, of)[1]
            heading = level if of == "estimate" else f"{level}, {_column(result, of)[0]}"
            limits = zip(shown[f"{prefix}conf_low"], shown[name], strict=True)
            texts = [format_interval(low, high, style) for low, high in limits]
        else:
            heading, style = _column(result, name)
            texts = [format_value(value, style) for value in shown[name]]
        if len(shown) and style != "text" and all(text == DASH for text in texts):
            continue  # a column that this study cannot fill is left out, not shown empty
        headings.append(heading)
        numeric.append(style != "text")
        columns.append(texts)
    return headings, numeric, [list(row) for row in zip(*columns, strict=True)]


def table_html(result: Result) -> str:
    """The frame as an accessible HTML table: caption, column and row headers with scope."""
    headings, numeric, rows = _cells(result)
    head = "".join(
        f'<th scope="col"{_number(is_number)}>{escape(heading) or "<span>Item</span>"}</th>'
        for heading, is_number in zip(headings, numeric, strict=True)
    )
    body = []
    for row in rows:
        cells = [f'<th scope="row">{escape(row[0])}</th>']
        cells += [
            f"<td{_number(is_number)}>{escape(text)}</td>" for text, is_number in zip(row[1:], numeric[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    caption = escape(plain_text(result.title, 200))
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def result_html(result: Result) -> str:
    """Finding, figure, table and note of a result, as inert HTML."""
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
    return f'<div class="nps-result">{"".join(parts)}</div>'
