"""What all figures share: the house style, its palette, and the forms that many of them take.

One palette everywhere, never colour alone: promoters blue, passives grey, detractors vermilion
(Okabe-Ito), the silent hatched. Text from data is never read as mathematics.
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any, Protocol

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nps_research.results.fitting import NARROW, fit, lay_out
from nps_research.results.palette import GREY, GRID, HATCHED, INK, PASSIVE, PROMOTER, style
from nps_research.results.tables import Displayed
from nps_research.results.words import plain_text, points
from nps_research.typing import Floats

Plot = Callable[..., Axes]


_PLOTS: dict[type[Any], Plot] = {}  # class of result -> what draws it

LETTERS_IN_LINE, LINE_HEIGHT = 74, 0.22  # of a figure's message, in bold; inches
SIDES = (  # of a point, where its name may stand: offset in typographic points, and how the text is aligned
    ((7, 0), "left", "center"),
    ((-7, 0), "right", "center"),
    ((0, 8), "center", "bottom"),
    ((0, -8), "center", "top"),
    ((6, 8), "left", "bottom"),
    ((-6, 8), "right", "bottom"),
    ((6, -8), "left", "top"),
    ((-6, -8), "right", "top"),
)


class _WithLevel(Protocol):
    @property
    def confidence_level(self) -> float: ...


@contextmanager
def house_style() -> Iterator[None]:
    """The house style, whatever the reader's own matplotlib settings are."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(style)
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def svg(result: Displayed, *, narrow: bool = False) -> bytes:
    """A result's figure as SVG, for under its finding and so without its message; for a phone where `narrow`.

    The same bytes for the same result.
    """
    with house_style():
        return figure_svg(page_figure(result, narrow=narrow))


def page_figure(result: Displayed, *, narrow: bool = False) -> Figure:
    """A result's figure as a page shows it; to call in the house style."""
    width, height = style["figure.figsize"]
    figure = Figure(figsize=(NARROW if narrow else width, height), layout="constrained")
    FigureCanvasAgg(figure)  # remembers what it has measured, which a figure's own canvas does not
    result.plot(figure.subplots())
    _without_message(figure)
    fit(figure, narrow=narrow)
    return figure


def figure_svg(figure: Figure) -> bytes:
    """A figure as SVG: the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(
        rb"<!--.*?-->\s*", b"", buffer.getvalue(), flags=re.DOTALL
    )  # matplotlib repeats every text in a comment


def axes_for(ax: Axes | None, *, n_rows: int = 0, height: float = 0.0) -> Axes:
    """The axes to draw on: those given, or new ones; tall enough for `n_rows` groups, or of a height in inches."""
    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    figure = ax.get_figure(root=True)
    if (n_rows or height) and figure is not None and len(figure.axes) == 1:
        figure.set_figheight(height or max(2.2, 0.9 + 0.42 * n_rows))
    return ax


def legend_below(ax: Axes, *, ncols: int, handles: Sequence[Any] | None = None, drop: float = 4.2) -> None:
    """A legend under the axis label, as far away in low figures as in tall ones: `drop` heights of its letters."""
    drawn, figure = {} if handles is None else {"handles": handles}, ax.get_figure(root=True)
    ncols = 1 if figure is not None and figure.get_figwidth() <= NARROW else ncols
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=drop, ncols=ncols, **drawn)


def draws(kind: type[Any]) -> Callable[[Plot], Plot]:
    """Register what draws results of a class and its subclasses, in the house style and under the result's title.

    Decorates ``plot(result, ax=None)``, which draws on `ax`, or on new axes, and returns them.
    """

    def register(plot: Plot) -> Plot:
        @wraps(plot)
        def in_style(result: Any, ax: Axes | None = None) -> Axes:
            with house_style():
                figure = None if ax is None else ax.get_figure(root=True)
                alone = figure is None or len(figure.axes) == 1
                if ax is not None:
                    ax.set_title("")
                ax = plot(result, ax)
                if not ax.get_title(loc="left").strip():  # some say more than the result's own
                    ax.set_title(literal(result.title, 160))
                if alone and result.message:
                    _entitle(ax, result.message)
                return ax

        _PLOTS[kind] = in_style
        return in_style

    return register


def _entitle(ax: Axes, message: str) -> None:
    """Put the message on top of the figure; what is shown stands below it, in lighter letters."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    lines = [literal(line, 200) for line in textwrap.wrap(plain_text(message, 200), LETTERS_IN_LINE)]
    figure.suptitle("\n".join(lines), x=0.01, horizontalalignment="left", weight="bold", size=12)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + LINE_HEIGHT * len(lines))


def _without_message(figure: Figure) -> None:
    """Take the message off again: on a page it stands above, in the finding."""
    message = figure.get_suptitle()
    if message:
        figure.suptitle("")
        figure.set_figheight(figure.get_figheight() - LINE_HEIGHT * (1 + message.count("\n")))


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


def with_interval(words: str, result: _WithLevel) -> str:
    """What an axis shows, and the level of the intervals on it."""
    return f"{words}, with {result.confidence_level:.0%} interval"


def rows_axis(ax: Axes, names: Sequence[str], *, zero: bool = True) -> Floats:
    """Rows from the top, named, and a line at zero; their places. Names of many lines make the figure taller."""
    lines, figure = max((name.count("\n") + 1 for name in names), default=1), ax.get_figure(root=True)
    if lines > 2 and figure is not None and len(figure.axes) == 1:
        figure.set_figheight(max(figure.get_figheight(), 0.9 + (0.1 + 0.19 * lines) * len(names)))
    ax.set_yticks(range(len(names)), list(names))
    ax.set(ylim=(len(names) - 0.4, -0.6), ylabel="")
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if zero:
        ax.axvline(0, color=INK, linewidth=0.8)
    return np.arange(len(names), dtype=float)


def at_edge(ax: Axes, texts: Sequence[str], place: Floats, *, weight: str = "bold") -> None:
    """What is said of each row, at the right edge."""
    for text, where in zip(texts, place, strict=True):
        ax.annotate(text, (1.01, where), xycoords=("axes fraction", "data"), va="center", fontweight=weight)


def limits(rows: Sequence[Mapping[str, Any]], column: str = "estimate", scale: float = 1.0) -> tuple[Floats, Floats]:
    """Estimates, and how far their limits are below and above: never less than 0, NaN where there is none."""
    prefix = f"{column}_" if any(f"{column}_conf_low" in row for row in rows) else ""
    value, low, high = (
        scale * np.array([row[name] for row in rows], dtype=float)
        for name in (column, f"{prefix}conf_low", f"{prefix}conf_high")
    )
    return value, np.maximum([value - low, high - value], 0)


def estimates(
    ax: Axes,
    place: Any,
    rows: Sequence[Mapping[str, Any]],
    *,
    column: str = "estimate",
    scale: float = 1.0,
    text: Callable[[float], str] | None = None,
    upright: bool = False,
    **how: Any,
) -> None:
    """Points with their intervals, one a row; with its number at the right edge, or upright above the interval."""
    value, reach = limits(rows, column, scale)
    how = {"fmt": "o", "color": PROMOTER, "markersize": 7, "capsize": 4, "elinewidth": 2, **how}
    if upright:
        ax.errorbar(place, value, yerr=reach, **how)
    else:
        ax.errorbar(value, place, xerr=reach, **how)
    if text is None:
        return
    texts = [text(row[column]) for row in rows]
    if not upright:
        at_edge(ax, texts, np.asarray(place))
        return
    for said, where, top in zip(texts, place, value + np.nan_to_num(reach[1]), strict=True):
        above(ax, said, (where, top))


def above(ax: Axes, text: str, place: tuple[Any, Any], *, gap: float = 5, **how: Any) -> None:
    """What is said of a point, above it by so many typographic points."""
    ax.annotate(text, place, xytext=(0, gap), textcoords="offset points", ha="center", fontweight="bold", **how)


def estimate_rows(
    result: _WithLevel,
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    ax: Axes | None,
    *,
    words: str,
    text: Callable[[float], str] = points,
    zero: bool = True,
    hollow: Sequence[bool] = (),
    **how: Any,
) -> Axes:
    """Estimates with their intervals, one a row, and each number at the right edge; hollow and grey where told."""
    ax = axes_for(ax, n_rows=len(rows))
    place = rows_axis(ax, names, zero=zero)
    empty = np.array(hollow or [False] * len(rows), dtype=bool)
    for those, look in ((~empty, how), (empty, {**how, "color": PASSIVE, "markerfacecolor": "white"})):
        if those.any():
            estimates(ax, place[those], [rows[int(each)] for each in np.flatnonzero(those)], text=text, **look)
    ax.set_xlabel(with_interval(words, result))
    return ax


def target_line(ax: Axes, target: float) -> None:
    """Draw the score that is aimed at across all waves, named at the left."""
    ax.axhline(target, color=INK, linewidth=1.2, linestyle=(0, (5, 3)))
    name, across = f"target {points(target).removesuffix('.0')}", ax.get_yaxis_transform()
    ax.annotate(name, (0.01, target), (0, 3), xycoords=across, textcoords="offset points")


def band(ax: Axes, x: Any, rows: Sequence[Mapping[str, Any]], *, colour: str, scale: float = 1.0) -> None:
    """A pale band between the limits, behind a line."""
    value, (below, above) = limits(rows, scale=scale)
    ax.fill_between(x, value - below, value + above, color=colour, alpha=0.18, linewidth=0)


def bars(
    ax: Axes, values: Sequence[float], colours: str | Sequence[str], *, quiet: Sequence[bool] = (), words: str = ""
) -> None:
    """Bars, one a row from the top; hatched where it is the silent's."""
    if not values:
        return
    rows = list(range(len(values)))
    how = {"color": colours} if isinstance(colours, str) else {"hue": rows, "palette": list(colours)}
    seaborn.barplot(
        x=np.nan_to_num(values), y=rows, orient="h", errorbar=None, saturation=1, width=0.6, legend=False, ax=ax,
        label=words or None, **how,
    )  # fmt: skip
    for bar, silent in zip(ax.patches[len(ax.patches) - len(rows) :], quiet, strict=False):
        if silent:
            bar.set(facecolor="white", edgecolor=HATCHED, hatch="////")


def grey_bands(ax: Axes, names: Sequence[str], widths: Sequence[float], *, height: float, words: str) -> Floats:
    """Grey bands around zero, one a row; returns the rows' places."""
    place, half = rows_axis(ax, names), np.asarray(widths, dtype=float)
    ax.use_sticky_edges = False
    ax.barh(place, 2 * half, left=-half, height=height, color=GRID, label=words)
    ax.grid(visible=False)
    return place


def dumbbells(
    ax: Axes, names: Sequence[str], before: Sequence[float], after: Sequence[float], *, words: tuple[str, str]
) -> Floats:
    """Two shares a row in percent, the first hollow and the second full, joined by a line; returns the rows' places."""
    place = rows_axis(ax, names, zero=False)
    first, second = 100 * np.asarray(before, dtype=float), 100 * np.asarray(after, dtype=float)
    ax.hlines(place, first, second, color=GREY, linewidth=1.5)
    ax.plot(first, place, "o", markerfacecolor="white", markeredgecolor=INK, markersize=8, label=words[0])
    ax.plot(second, place, "o", color=PROMOTER, markersize=8, label=words[1])
    legend_below(ax, ncols=2)
    return place


def name_points(
    ax: Axes, places: Sequence[tuple[float, float]], names: Sequence[str], sides: Sequence[Any] = SIDES
) -> None:
    """Name points at the first of `sides` where there is room, near or further off; call when all is drawn."""
    figure = ax.get_figure(root=True)
    if figure is None or not places:
        return
    ax.set_title(ax.get_title(loc="left") or " ")  # its room
    ax.autoscale_view()  # as drawing would
    lay_out(figure)
    taken: list[Bbox] = [Bbox.from_extents(x - 6, y - 6, x + 6, y + 6) for x, y in ax.transData.transform(list(places))]
    taken += [text.get_window_extent() for text in ax.texts]
    leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
    for place, name in zip(places, names, strict=True):
        text = ax.annotate(name, place, textcoords="offset points", xytext=(0, 0), fontsize=9, in_layout=False)
        for far, ((right, up), across, along) in (*product((1, 2, 3, 4), sides), (1, sides[0])):
            text.set(position=(far * right, far * up), horizontalalignment=across, verticalalignment=along)
            box = text.get_window_extent().padded(1)
            inside = ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 and ax.bbox.y0 <= box.y0 and box.y1 <= ax.bbox.y1
            if inside and not any(box.overlaps(other) for other in taken):
                break
        if far > 1:
            how: dict[str, Any] = {"textcoords": "offset points", "arrowprops": leader, "in_layout": False}
            ax.annotate("", place, xytext=text.get_position(), **how)
        taken.append(box)
