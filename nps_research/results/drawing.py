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
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from nps_research.results.words import plain_text, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from nps_research.results.tables import Displayed

    Plot = Callable[..., Axes]

__all__ = ["DETRACTOR", "HATCHED", "PASSIVE", "PROMOTER", "draws", "plot_of", "style", "svg"]

_PLOTS: dict[type[Any], Plot] = {}  # class of result -> what draws it

PROMOTER = "#0072B2"
PASSIVE = "#767676"
DETRACTOR = "#D55E00"
HATCHED = "#4D4D4D"  # drawn as a hatched outline
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


def svg(result: Displayed) -> bytes:
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


def draws(kind: type[Any]) -> Callable[[Plot], Plot]:
    """Register a function that draws results of one class, in the house style.

    Parameters
    ----------
    kind : type
        The class of result; its subclasses are drawn likewise.

    Returns
    -------
    callable
        Decorates ``plot(result, ax=None)``, which draws on `ax`, or on new axes, and returns them.
    """

    def register(plot: Plot) -> Plot:
        @wraps(plot)
        def in_style(result: Any, ax: Axes | None = None) -> Axes:
            with style():
                return plot(result, ax)

        _PLOTS[kind] = in_style
        return in_style

    return register


def plot_of(kind: type[Any]) -> Plot | None:
    """Find the function that draws results of a class: one that the figures of its room registered; else None."""
    for each in kind.__mro__:
        if each not in _PLOTS:
            _import_figures(each.__module__)
        if each in _PLOTS:
            return _PLOTS[each]
    return None


def _import_figures(module: str) -> None:
    """Import the ``figures`` of the room that a module stands in, or of the rooms around it."""
    parts = module.split(".")
    for depth in range(len(parts) - 1, 1, -1):
        figures = ".".join([*parts[:depth], "figures"])
        if find_spec(figures) is not None:
            import_module(figures)


def literal(value: object, width: int = 80) -> str:
    """Text from data that matplotlib must not read as mathematics."""
    return plain_text(value, width).replace("$", r"\$")


def label(value: object) -> str:
    """A group's name for an axis, in lines of at most 28 characters."""
    return "\n".join(textwrap.wrap(literal(value, 56), 28)) or " "


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


def _bands(ax: Axes, widths: list[float], *, height: float, words: str) -> list[int]:
    """Grey bands around zero, one a row from the top; returns the rows' places."""
    place = list(range(len(widths)))[::-1]
    ax.use_sticky_edges = False
    ax.barh(
        place,
        [2 * width for width in widths],
        left=[-width for width in widths],
        height=height,
        color=GRID,
        label=words,
    )
    ax.set_ylim(-0.6, len(widths) - 0.4)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return place
