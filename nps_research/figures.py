"""All drawing: matplotlib and seaborn live here and nowhere else.

One palette everywhere, never colour alone: promoters blue, passives grey, detractors vermilion
(Okabe-Ito), the silent hatched. Text from data is never read as mathematics.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nps_research.result import Result

__all__ = ["DETRACTOR", "PASSIVE", "PROMOTER", "SILENT", "style", "svg"]

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
    "text.parse_math": False,
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
        result.plot(figure.subplots())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
