"""All drawing: matplotlib lives here and nowhere else.

One palette everywhere, never colour alone: promoters blue, passives grey, detractors vermilion
(Okabe-Ito), the silent hatched. Text from data is never read as mathematics.
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from nps_research.results.tables import plain_text
from nps_research.results.words import points, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from nps_research.responding.funnel import ResponseFunnel
    from nps_research.responding.representativeness import Representativeness
    from nps_research.results.result import Result
    from nps_research.score.by_cut import ScoresByCut
    from nps_research.score.designs import DesignComparison
    from nps_research.score.differences import ScoreDifferences
    from nps_research.score.histogram import ScoreHistogram
    from nps_research.score.score import NetPromoterScores
    from nps_research.score.trend import Trend

__all__ = [
    "DETRACTOR",
    "PASSIVE",
    "PROMOTER",
    "SILENT",
    "plot_designs",
    "plot_differences",
    "plot_funnel",
    "plot_histogram",
    "plot_representativeness",
    "plot_scores",
    "plot_scores_by_cut",
    "plot_trend",
    "style",
    "svg",
]

R = TypeVar("R", bound="Result")

PROMOTER = "#0072B2"
PASSIVE = "#767676"
DETRACTOR = "#D55E00"
SILENT = "#4D4D4D"  # drawn as a hatched outline
INK = "#1A1A1A"
GRID = "#D9D9D9"

_STYLE: dict[Any, Any] = {
    "figure.figsize": (8.0, 4.2),
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "#5A5A5A",
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 12,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "font.family": ["DejaVu Sans"],
    "text.color": INK,
    "svg.fonttype": "path",
    "svg.hashsalt": "nps-research",
    "hatch.linewidth": 0.8,
}


@contextmanager
def style() -> Iterator[None]:
    """The house style, whatever the reader's own matplotlib settings are."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def svg(result: Result) -> bytes:
    """A result's figure as SVG: the same bytes for the same result."""
    with style():
        figure = Figure(layout="constrained")
        _keep_inside(result.plot(figure.subplots()))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(
        rb"<!--.*?-->\s*", b"", buffer.getvalue(), flags=re.DOTALL
    )  # matplotlib repeats every text in a comment


def _keep_inside(ax: Axes) -> None:
    """Move what stands below the axes to the left where it would be cut off at the figure's right edge."""
    figure, legend = ax.get_figure(root=True), ax.get_legend()
    if figure is None:
        return
    figure.draw_without_rendering()  # only then is it known where things are
    if ax.xaxis.label.get_window_extent().x1 > figure.bbox.x1:
        ax.xaxis.label.set(x=1, horizontalalignment="right")
    if legend is not None and (over := legend.get_window_extent().x1 - figure.bbox.x1) > 0:
        legend.set_bbox_to_anchor((-over / ax.bbox.width, 0), transform=ax.transAxes)


def axes_for(ax: Axes | None, *, n_rows: int = 0) -> Axes:
    """The axes to draw on: those given, or new ones; tall enough for `n_rows` groups."""
    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    figure = ax.get_figure(root=True)
    if n_rows and figure is not None and len(figure.axes) == 1:
        figure.set_size_inches(8.0, max(2.2, 0.9 + 0.42 * n_rows))
    return ax


def legend_below(ax: Axes, *, ncols: int, handles: Sequence[Any] | None = None) -> None:
    """A legend under the axis label, as far away in low figures as in tall ones."""
    drawn = {} if handles is None else {"handles": handles}
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=4.2, ncols=ncols, **drawn)


def styled(plot: Callable[[R, Axes | None], Axes]) -> Callable[[R, Axes | None], Axes]:
    """Let a plot draw in the house style."""

    @wraps(plot)
    def in_style(result: R, ax: Axes | None = None) -> Axes:
        with style():
            return plot(result, ax)

    return in_style


def literal(value: object, width: int = 80) -> str:
    """Text from data that matplotlib must not read as mathematics."""
    return plain_text(value, width).replace("$", r"\$")


def label(value: object) -> str:
    """A group's name for an axis, in lines of at most 28 characters."""
    return "\n".join(textwrap.wrap(literal(value, 56), 28)) or " "


@styled
def plot_histogram(result: ScoreHistogram, ax: Axes | None = None) -> Axes:
    """Bars of answers from 0 to 10 in the palette, with the class of each named."""
    ax = axes_for(ax)
    rows = result.records
    colours = {"promoter": PROMOTER, "passive": PASSIVE, "detractor": DETRACTOR}
    bars = ax.bar(
        [row["term"] for row in rows],
        [100 * row["answer_share"] for row in rows],
        color=[colours[row["answer_class"]] for row in rows],
        width=0.82,
    )
    ax.bar_label(bars, labels=[share(row["answer_share"]) for row in rows], padding=2, fontsize=9)
    top = max(100 * row["answer_share"] for row in rows)
    for name, words in (("detractor", "Detractors"), ("passive", "Passives"), ("promoter", "Promoters")):
        of_class = [row for row in rows if row["answer_class"] == name]
        if of_class:
            first, last = of_class[0]["term"], of_class[-1]["term"]
            ax.plot(
                [first - 0.4, last + 0.4], [1.17 * top] * 2, color=colours[name], linewidth=3, solid_capstyle="butt"
            )
            total = share(sum(row["answer_share"] for row in of_class))
            ax.annotate(
                f"{words} {total}",
                ((first + last) / 2, 1.17 * top),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                color=colours[name],
                fontweight="bold",
            )
    ax.set(
        ylim=(0, 1.32 * top),
        xticks=[row["term"] for row in rows],
        xlabel="How likely are you to recommend us? (0 to 10)",
        ylabel="Share of answers (%)",
        title=literal(result.title),
    )
    return ax


def rows_axis(ax: Axes, names: Sequence[str]) -> list[int]:
    """Rows from the top, named, and a line at zero; their places."""
    place = list(range(len(names)))[::-1]
    ax.set_yticks(place, list(names))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    return place


def note_at_edge(ax: Axes, text: str, where: float) -> None:
    """A row's number in bold, at the right edge."""
    ax.annotate(text, (1.01, where), xycoords=("axes fraction", "data"), va="center", fontweight="bold")


def _points_with_bars(ax: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str], colour: str) -> None:
    """One row per estimate: a point, its interval as a bar, and the number at the right edge."""
    place = list(range(len(rows)))[::-1]
    value = [row["estimate"] for row in rows]
    below = [max(row["estimate"] - row["conf_low"], 0) for row in rows]
    above = [max(row["conf_high"] - row["estimate"], 0) for row in rows]
    ax.errorbar(value, place, xerr=[below, above], fmt="o", color=colour, markersize=7, capsize=4, elinewidth=2)
    for row, where in zip(rows, place, strict=True):
        note_at_edge(ax, points(row["estimate"]), where)
    ax.set_yticks(place, list(names))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=INK, linewidth=0.8)


@styled
def plot_scores(result: NetPromoterScores, ax: Axes | None = None) -> Axes:
    """NPS of groups with interval bars, sorted from the highest (waves: in order of time)."""
    rows = result.answered
    if not result.ordered and result.by not in (("weekday",), ("hour",)):
        rows = sorted(rows, key=lambda row: -float(row["estimate"]))
    ax = axes_for(ax, n_rows=len(rows))
    _points_with_bars(ax, rows, [f"{label(row['group'])} (n = {row['n']:,})" for row in rows], PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_differences(result: ScoreDifferences, ax: Axes | None = None) -> Axes:
    """Differences with interval bars."""
    rows = [row for row in result.records if np.isfinite(row["std_error"])]
    ax = axes_for(ax, n_rows=len(rows))
    names = [f"{literal(row['group_b'], 24)} - {literal(row['group_a'], 24)}" for row in rows]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"Difference, NPS points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_trend(result: Trend, ax: Axes | None = None) -> Axes:
    """NPS over the waves: a line, and a band for the interval."""
    ax = axes_for(ax)
    rows = [row for row in result.records if row["n"] > 0]
    place, value = list(range(len(rows))), [row["estimate"] for row in rows]
    low, high = [row["conf_low"] for row in rows], [row["conf_high"] for row in rows]
    ax.fill_between(place, low, high, color=PROMOTER, alpha=0.18, linewidth=0)
    ax.errorbar(
        place,
        value,
        yerr=[np.subtract(value, low).clip(0), np.subtract(high, value).clip(0)],
        fmt="o-",
        color=PROMOTER,
        linewidth=2,
        elinewidth=1.2,
        capsize=3,
    )
    for where, row in zip(place, rows, strict=True):
        ax.annotate(
            points(row["estimate"]),
            (where, row["conf_high"]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
        )
    ax.margins(x=0.08, y=0.18)
    ax.set_xticks(place, [label(row["group"]) for row in rows])
    ax.grid(axis="y")
    ax.set(ylabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_scores_by_cut(result: ScoresByCut, ax: Axes | None = None) -> Axes:
    """NPS of each group at several cuts: one row per group and cut."""
    rows = [row for row in result.records if row["n"] > 0]
    ax = axes_for(ax, n_rows=len(rows))
    one = len({row["group"] for row in rows}) == 1
    names = [
        f"Detractors {row['term']}" if one else f"{literal(row['group'], 30)}, detractors {row['term']}" for row in rows
    ]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_designs(result: DesignComparison, ax: Axes | None = None) -> Axes:
    """NPS of each wave under each way of counting."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    names = [row["term"] if row["group"] == "all" else f"{row['term']}, {literal(row['group'], 20)}" for row in rows]
    _points_with_bars(ax, rows, names, PROMOTER)
    ax.set(xlabel=f"NPS, points, with {result.confidence_level:.0%} interval", title=literal(result.title))
    return ax


@styled
def plot_funnel(result: ResponseFunnel, ax: Axes | None = None) -> Axes:
    """Invited, delivered, returned, answered: bars that shrink; the silent hatched beside the returned."""
    row = result.records[-1]
    ax = axes_for(ax, n_rows=5)
    steps = [
        ("Invited", "invited"),
        ("Delivered", "delivered"),
        ("Returned", "returned"),
        ("Answered the question", "n"),
    ]
    place = list(range(len(steps)))[::-1]
    widths = [row[column] for _, column in steps]
    ax.barh(place, widths, color=PROMOTER, height=0.62)
    ax.barh(
        [place[2]],
        [row["nonrespondents"]],
        left=[row["returned"]],
        height=0.62,
        facecolor="white",
        edgecolor=SILENT,
        hatch="///",
    )
    ax.annotate(
        f"silent {row['nonrespondents']:,}",
        (row["returned"] + row["nonrespondents"] / 2, place[2] - 0.36),
        ha="center",
        va="top",
    )
    for where, width in zip(place, widths, strict=True):
        ax.annotate(
            f"{width:,} ({share(width / row['invited'])})",
            (0, where),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color="white",
            fontweight="bold",
        )
    ax.set_yticks(place, [name for name, _ in steps])
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.set_title(literal(result.title))
    return ax


@styled
def plot_representativeness(result: Representativeness, ax: Axes | None = None) -> Axes:
    """Share of the base (hollow) and of the answers (full) per group, joined by a line."""
    rows = result.records
    ax = axes_for(ax, n_rows=len(rows))
    place = list(range(len(rows)))[::-1]
    base, answers = [100 * row["base_share"] for row in rows], [100 * row["answer_share"] for row in rows]
    ax.hlines(place, base, answers, color="#5A5A5A", linewidth=1.5)
    ax.plot(base, place, "o", markerfacecolor="white", markeredgecolor=INK, markersize=8, label="Share of the base")
    ax.plot(answers, place, "o", color=PROMOTER, markersize=8, label="Share of the answers")
    ax.set_yticks(place, [label(f"{literal(row['term'], 24)}: {literal(row['group'], 28)}") for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="x")
    legend_below(ax, ncols=2)
    ax.set(xlabel="Share (%)", title=literal(result.title))
    return ax
