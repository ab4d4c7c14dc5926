"""The swarm of contributions, drawn by shap; apart from other figures because shap is slow to import."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from nps_research.results.drawing import DETRACTOR, PROMOTER, axes_for, label, literal, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nps_research.drivers.effects import ContributionSpread

__all__ = ["plot_spread"]

LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", [DETRACTOR, "#B8A9B0", PROMOTER])


@styled
def plot_spread(result: ContributionSpread, ax: Axes | None = None) -> Axes:
    """A swarm for each driver, the largest mean size first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party deprecations at import and in drawing
        import shap

        names = [label(row["term"]) for row in result.records]
        ax = axes_for(ax, n_rows=len(names) + 1)
        explained = shap.Explanation(
            values=result.dots["contributions"], data=result.dots["ratings"], feature_names=names
        )
        state = np.random.get_state()  # noqa: NPY002 - shap spreads dots with the global generator, put back below
        np.random.seed(0)  # noqa: NPY002
        try:
            shap.plots.beeswarm(
                explained,
                max_display=len(names),
                order=np.arange(len(names)),
                color=LOW_TO_HIGH,
                color_bar=False,
                ax=ax,
                plot_size=None,
                show=False,
                s=9,
            )
        finally:
            np.random.set_state(state)  # noqa: NPY002
    for dots in ax.collections:
        dots.set_rasterized(False)
    for text in ax.get_yticklabels():
        text.set_fontsize(10)
    ax.tick_params(axis="both", labelsize=10)
    ax.set_xlabel("Contribution to the expected answer, NPS points (vermilion: low rating, blue: high)", fontsize=10.5)
    ax.set_title(literal(result.title))
    return ax
