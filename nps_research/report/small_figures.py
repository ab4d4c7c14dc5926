"""Small figures for the first page: a result's main numbers again, drawn from its own rows."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nps_research.report.harvest import HarvestedResult
from nps_research.results.drawing import figure_svg, house_style, literal, target_line
from nps_research.results.palette import DETRACTOR, GREY, HATCHED, INK, PASSIVE, PROMOTER
from nps_research.results.words import points, share

Rows = list[dict[str, Any]]
Draw = Callable[[Axes, Rows], bool]

MOST_RANKED, MOST_BARS = 5, 11
WIDE, SMALL = (4.6, 1.89), (3.6, 1.9)  # inches: on a phone letters of 9 points are 9 px
FONT_SIZE = 9.0
BAR = 0.25  # inches, with the space around it


def small_figure(result: HarvestedResult, *, wide: bool = False) -> Markup:
    """A result's main numbers as a small figure; empty where its kind has none, or where it has no rows to show."""
    draw, bundle = _DRAWS.get(result.bundle["kind"]), result.bundle
    rows = [dict(zip(bundle["columns"], row, strict=True)) for row in bundle["rows"]]
    p_value = bundle["settings"].get("heterogeneity_p_value")  # groups without a proven difference are no figure
    if draw is None or not rows or (p_value is not None and p_value >= 1 - bundle["settings"]["confidence_level"]):
        return Markup()
    with house_style():
        figure = Figure(figsize=WIDE if wide else SMALL, layout="constrained")
        ax = figure.subplots()
        ax.tick_params(labelsize=FONT_SIZE)
        if not draw(ax, rows):
            return Markup()
        if (target := bundle["settings"].get("target")) is not None:
            target_line(ax, target)
        source = base64.b64encode(figure_svg(figure)).decode("ascii")
    return Markup('<figure class="small"><img alt="{}" src="data:image/svg+xml;base64,{}"></figure>').format(
        bundle["alt"] or bundle["finding"], source
    )


def _over_waves(value: str, text: Callable[[float], str], words: str) -> Draw:
    """All waves as a line, with a band where there are limits; the first and the last named."""

    def draw(ax: Axes, rows: Rows) -> bool:
        rows = [row for row in rows if row[value] is not None and row["group"] != "all"]
        if len(rows) < 2:
            return False
        place, height = range(len(rows)), [row[value] for row in rows]
        ax.plot(place, height, "o-", color=PROMOTER, linewidth=2, markersize=4)
        if all(row.get("conf_low") is not None for row in rows):
            low, high = ([row[name] for row in rows] for name in ("conf_low", "conf_high"))
            ax.fill_between(place, low, high, color=PROMOTER, alpha=0.18, linewidth=0)
        for end in (0, -1):
            at = (place[end], height[end])
            ax.annotate(text(height[end]), at, (0, 7), textcoords="offset points", ha="center", weight="bold")
        ax.set_xticks([0, len(rows) - 1], [literal(rows[0]["group"], 20), literal(rows[-1]["group"], 20)])
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_ylabel(words, fontsize=FONT_SIZE)
        if text is share:
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.margins(x=0.08, y=0.2)
        return True

    return draw


def _bars(label: str, value: str, text: Callable[[float], str], *, ranked: bool = False, quiet: str = "") -> Draw:
    """Bars of one column: of all rows, or the first where they are ranked; `quiet` is the row of who did not answer."""

    def draw(ax: Axes, rows: Rows) -> bool:
        shown = [row for row in rows if row[value] is not None]
        shown = shown[:MOST_RANKED] if ranked else shown
        if not 2 <= len(shown) <= MOST_BARS:
            return False
        figure, place = ax.get_figure(root=True), range(len(shown))
        names = ["\n".join(textwrap.wrap(literal(row[label], 40), 20)) for row in shown]
        if figure is not None:
            width, height = figure.get_size_inches()
            lines = max(name.count("\n") + 1 for name in names)
            figure.set_size_inches(width, max(height, BAR * (len(shown) + 1) * (1 if lines == 1 else 1.4)))
        bars = ax.barh(place, [row[value] for row in shown], color=PROMOTER, height=0.6)
        for bar, row in zip(bars, shown, strict=True):
            if row[label] == quiet:
                bar.set(facecolor="white", edgecolor=HATCHED, hatch="////")
            at = (max(row[value], 0.0), bar.get_y() + bar.get_height() / 2)
            ax.annotate(text(row[value]), at, (4, 0), textcoords="offset points", va="center", fontsize=FONT_SIZE)
        ax.set_yticks(place, names)
        ax.invert_yaxis()
        ax.set_xticks([])
        ax.spines[["bottom", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.margins(x=0.16)
        return True

    return draw


def _divided(ax: Axes, rows: Rows) -> bool:
    """All waves as bars, divided into detractors, passives and promoters; the first and the last named."""
    if len(rows) < 2:
        return False
    place, below = range(len(rows)), [0.0] * len(rows)
    for name, colour in (("detractor", DETRACTOR), ("passive", PASSIVE), ("promoter", PROMOTER)):
        height = [row[f"{name}_share"] for row in rows]
        drawn = ax.bar(place, height, 0.8, below, color=colour)
        ends = [share(each) if at in (0, len(rows) - 1) else "" for at, each in enumerate(height)]
        ax.bar_label(drawn, ends, label_type="center", color="white", fontsize=FONT_SIZE)
        above = (1.01, below[-1] + height[-1] / 2)
        ax.annotate(f"{name.capitalize()}s", above, xycoords=ax.get_yaxis_transform(), color=colour, va="center")
        below = [low + high for low, high in zip(below, height, strict=True)]
    ax.set_xticks([0, len(rows) - 1], [literal(rows[0]["group"], 20), literal(rows[-1]["group"], 20)])
    ax.set_yticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    return True


_DRAWS: dict[str, Draw] = {
    "trend": _over_waves("estimate", points, "NPS"),
    "class_shares": _divided,
    "net_promoter_score": _bars("group", "estimate", points),
    "risk_by_score": _bars("term", "estimate", share),
    "driver_model": _bars("term", "estimate", points, ranked=True),
    "nonresponse_signal": _bars("term", "churn_rate", share, quiet="The silent"),
    "response_funnel": _over_waves("response_rate", share, "Response rate"),
}
