"""The house style, as matplotlib's settings, and its colours by what they mean: for figures of one's own, too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PROMOTER = "#0072B2"
PASSIVE = "#767676"
DETRACTOR = "#D55E00"
HATCHED = "#4D4D4D"  # drawn as a hatched outline
INK = "#1A1A1A"
GREY = "#5A5A5A"  # axes, and lines that join or divide
GRID = "#D9D9D9"

palette: Mapping[str, str] = MappingProxyType(
    {
        "promoter": PROMOTER,
        "passive": PASSIVE,
        "detractor": DETRACTOR,
        "silent": HATCHED,
        "ink": INK,
        "grey": GREY,
        "grid": GRID,
    }
)

# as in `with matplotlib.pyplot.style.context(nps.style):`
style: Mapping[Any, Any] = MappingProxyType(
    {
        "figure.figsize": (8.0, 4.2),
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.titleweight": "normal",
        "axes.titlesize": 10.5,
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
)
