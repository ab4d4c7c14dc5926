"""What stands on a figure, moved, broken or left out so that nothing is cut off, on a phone's narrow one neither."""

from __future__ import annotations

import re
import textwrap
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import Bbox, blended_transform_factory

EDGE_MARGIN = 4  # pixels between text and the figure's edge
NARROW = 4.5  # inches of a figure on a phone 375 px wide: letters of 9 points are 9 px there
_BRACKETS, _HARD = re.compile(r"\([^()]{1,14}\)"), "\N{NO-BREAK SPACE}"
_IN_WORD = re.compile(r"(?<=\S-)\n")
_LETTERS_OF_NAME, _LETTERS_OF_LABEL = 18, 46  # in a line of a narrow figure
_LINE, _GAP = 0.17, 0.14  # inches: of a row's name, and between rows


def fit(figure: Figure, *, narrow: bool = False) -> None:
    """Lay a figure out so that nothing is cut off; on a narrow one nothing stands on its neighbour, either."""
    ax = figure.axes[0]
    if narrow:
        _break_names(figure, ax)
    title = _folded_title(figure, ax)
    lay_out(figure)
    if narrow and (_thin_ticks(ax) | _lower_legend(figure, ax)):
        lay_out(figure)
    _move_inside(figure, ax, title)
    if narrow and _part_texts(figure, ax):
        lay_out(figure)
    figure.set_layout_engine(None)  # all has its place


def lay_out(figure: Figure) -> None:
    """Give a figure's axes their place, without drawing it; they keep it where the figure has no layout."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)


def _break_names(figure: Figure, ax: Axes) -> None:
    """Break the names of rows and of the axis below; a figure of many lines is taller."""
    if isinstance(ax.yaxis.get_major_locator(), FixedLocator):
        names = [_broken(name.get_text(), _LETTERS_OF_NAME) for name in ax.get_yticklabels()]
        ax.set_yticks(ax.get_yticks(), names)
        lines = sum(_GAP + _LINE * (1 + max(name.count("\n") for name in names)) for _ in names)
        figure.set_figheight(max(figure.get_figheight(), 1.0 + lines))
    ax.set_xlabel(_broken(ax.get_xlabel(), _LETTERS_OF_LABEL))


def _folded_title(figure: Figure, ax: Axes) -> Text:
    """Break a title that is wider than the figure, and return it.

    Above named rows it is told its height: matplotlib would measure all their names to find it.
    """
    rows = isinstance(ax.yaxis.get_major_locator(), FixedLocator)
    title = ax.set_title(ax.get_title(loc="left"), loc="left", y=1 if rows else None)
    room = (figure.bbox.width - 2 * EDGE_MARGIN) / max(title.get_window_extent().width, 1)
    if room < 1:
        title.set_text(textwrap.fill(title.get_text(), int(0.95 * room * len(title.get_text()))))
    return title


def _thin_ticks(ax: Axes) -> bool:
    """Turn names of columns that stand on their neighbours; of numbers, have fewer. Whether there were such."""
    boxes = [name.get_window_extent() for name in ax.get_xticklabels() if name.get_text()]
    if not any(one.padded(3).overlaps(other) for one, other in pairwise(boxes)):
        return False
    if isinstance(ax.xaxis.get_major_locator(), FixedLocator):
        ax.tick_params(axis="x", rotation=90)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4))
    return True


def _lower_legend(figure: Figure, ax: Axes) -> bool:
    """Set a legend that stands under the axes below all that stands there; whether there is one."""
    legend, stands = ax.get_legend(), ax.xaxis.get_tightbbox()
    if legend is None or legend.get_window_extent().y1 > ax.bbox.y0:
        return False
    letter = float(legend.get_texts()[0].get_fontsize()) * figure.dpi / 72
    below = legend.borderaxespad = (ax.bbox.y0 - (stands.y0 if stands else ax.bbox.y0)) / letter + 0.7
    left = (EDGE_MARGIN - letter * below) / figure.bbox.width  # of the figure: the axes may be small
    legend.set_bbox_to_anchor((left, 0), transform=blended_transform_factory(figure.transFigure, ax.transAxes))
    return True


def _move_inside(figure: Figure, ax: Axes, title: Text) -> None:
    """Move what the figure's right edge would cut to the left."""
    legend = ax.get_legend()
    if (over := title.get_window_extent().x1 - figure.bbox.x1 + EDGE_MARGIN) > 0:
        title.set_x(max(-over, EDGE_MARGIN - ax.bbox.x0) / ax.bbox.width)
    if ax.xaxis.label.get_window_extent().x1 > figure.bbox.x1:
        ax.xaxis.label.set(x=1, horizontalalignment="right")
    if legend is not None and (over := legend.get_window_extent().x1 - figure.bbox.x1) > 0:
        legend.set_bbox_to_anchor((-over / ax.bbox.width, 0), transform=ax.transAxes)


def _part_texts(figure: Figure, ax: Axes) -> bool:
    """Lift what would stand on its neighbour, and leave it out where that is not enough (of waves the last stay).

    The title stands above all of it: whether it had to be lifted.
    """
    kept: list[Bbox] = []
    for text in reversed([text for text in ax.texts if text.get_text()]):
        for _ in range(2):
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in kept):
                break
            if isinstance(text, Annotation) and text.anncoords == "offset points":
                along, up = text.xyann
                text.xyann = (along, float(up) + float(text.get_fontsize()))
        box = text.get_window_extent()
        text.set_visible(not any(box.overlaps(other) for other in kept))
        kept += [box] if text.get_visible() else []
    over = float(max((box.y1 for box in kept), default=0.0) - ax.bbox.y1)
    if over > 0:
        ax.set_title(ax.get_title(loc="left"), loc="left", pad=6 + over * 72 / figure.dpi)
    return over > 0


def _broken(text: str, width: int) -> str:
    """Text in lines of so many letters; what stands in brackets stays together."""
    whole = _BRACKETS.sub(lambda found: found[0].replace(" ", _HARD), _IN_WORD.sub("", text).replace("\n", " "))
    return "\n".join(textwrap.wrap(whole, width, break_on_hyphens=False)).replace(_HARD, " ") or text
