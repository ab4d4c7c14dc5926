"""Results as HTML tables.

All text that comes from data is escaped here, once. `COLUMNS` is the one place that says how a
standard column is headed and formatted; pages show the limits of an interval as one column.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import TYPE_CHECKING, ClassVar, Protocol

import pandas as pd

from nps_research.results.words import DASH, TEXTS, format_interval, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas.io.formats.style import Styler


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
    **{str(score): (str(score), "count") for score in range(11)},
    "events": ("Outcomes", "count"),
    "promoter_points": ("Promoter points", "points"),
    "detractor_points": ("Detractor points", "points"),
    "mean_rating": ("Mean rating", "number"),
    "mean_abs_shap": ("Mean size", "width"),
    "certainty": ("Certainty", "share"),
    "difference": ("Difference", "points"),
    "margin_of_error": ("Margin of error, ± points", "width"),
    "answer_share": ("Share of the answers", "share"),
    "churn_rate": ("Churn rate", "share"),
    "risk_difference": ("Risk difference", "share_points"),
    "hazard_ratio": ("Hazard ratio", "number"),
    "adjusted_hazard_ratio": ("Hazard ratio, adjusted", "number"),
    "cut": ("Cut", "text"),
    "verdict": ("Verdict", "text"),
    "change": ("Change", "points"),
    "change_p_value": ("p of the change", "p"),
}


class Displayed(Protocol):
    """What is shown of a result; `results.result.Result` says what each part is."""

    @property
    def frame(self) -> pd.DataFrame: ...
    @property
    def shown(self) -> pd.DataFrame: ...
    @property
    def confidence_level(self) -> float: ...
    @property
    def title(self) -> str: ...
    @property
    def finding(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def details(self) -> str: ...
    @property
    def full_note(self) -> str: ...
    @property
    def alt(self) -> str: ...

    formats: ClassVar[Mapping[str, str]]
    headings: ClassVar[Mapping[str, str]]
    table_columns: ClassVar[tuple[str, ...]]

    @property
    def is_drawn(self) -> bool: ...

    def plot(self, ax: Axes | None = None) -> Axes: ...


def _column(result: Displayed, name: str) -> tuple[str, str]:
    heading, style = COLUMNS.get(name, (name.replace("_", " ").capitalize(), ""))
    style = result.formats.get(name, style)
    if not style:
        style = "number" if pd.api.types.is_numeric_dtype(result.frame[name]) else "text"
    return result.headings.get(name, heading), style


def _cells(result: Displayed) -> tuple[list[str], list[bool], list[list[str]]]:
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
        if len(shown) and style not in TEXTS and all(text == DASH for text in texts):
            continue  # a column that this study cannot fill is left out, not shown empty
        headings.append(heading)
        numeric.append(style not in TEXTS)
        columns.append(texts)
    return headings, numeric, [list(row) for row in zip(*columns, strict=True)]


def table_html(result: Displayed) -> str:
    """Write the frame as an accessible HTML table: caption, column and row headers with scope."""
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


def table_text(result: Displayed) -> str:
    """Write the same table as text, for a terminal."""
    headings, numeric, rows = _cells(result)
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [
        [text.rjust(width) if is_number else text.ljust(width) for text, width, is_number in cells]
        for cells in (zip(row, widths, numeric, strict=True) for row in (headings, *rows))
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def table_styler(result: Displayed) -> Styler:
    """Style the frame as it is displayed: headings, formats, text left and numbers right; all text is inert."""
    shown, level = result.shown.reset_index(drop=True), f"{result.confidence_level:.0%}"
    headings: dict[str, str] = {}
    styles: dict[str, str] = {}
    for name in result.table_columns or map(str, shown.columns):
        of = name.removesuffix("conf_high").rstrip("_") or "estimate"
        if not name.endswith("conf_high"):
            headings[name], styles[name] = _column(result, name)
            continue
        heading, style = _column(result, of)
        for end, said in (("conf_low", "lower"), ("conf_high", "upper")):
            limit = end if of == "estimate" else f"{of}_{end}"
            headings[limit], styles[limit] = f"{heading}, {said} {level} limit".lstrip(", "), style
    kept = [name for name, style in styles.items() if style in TEXTS or not len(shown) or shown[name].notna().any()]
    sides = {name: "left" if styles[name] in TEXTS else "right" for name in kept}
    styler = shown[kept].style.format({name: partial(format_value, style=styles[name]) for name in kept}, escape="html")
    styler = styler.relabel_index([escape(headings[name]) for name in kept], axis=1).hide(axis=0)
    styler.set_table_styles({name: [{"selector": "", "props": f"text-align: {side}"}] for name, side in sides.items()})
    return styler.set_caption(escape(plain_text(result.title, 200)))


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""
