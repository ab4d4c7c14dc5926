"""One respondent's expected answer, rating by rating: for a live notebook, never for a page."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from nps_research.drivers.model import DriverModel
from nps_research.errors import CannotAnswerError, EstimationError
from nps_research.results.display import IN_REPORT
from nps_research.results.words import points
from nps_research.study.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@contextmanager
def shap_drawing() -> Iterator[Any]:
    """The package shap, to draw with: its warnings silenced, and what it does to global state undone."""
    import matplotlib
    import matplotlib.pyplot as plt

    interactive, state = plt.isinteractive(), np.random.get_state()  # noqa: NPY002 - shap spreads dots by it
    with warnings.catch_warnings(), patch.object(plt, "sca"):  # it makes given axes pyplot's own, which not all can be
        warnings.simplefilter("ignore")  # third-party deprecations at import and in drawing
        import shap  # late: slow to import

        np.random.seed(0)  # noqa: NPY002
        try:
            yield shap
        finally:
            np.random.set_state(state)  # noqa: NPY002
            matplotlib.interactive(interactive)


def waterfall(study: Study, model: DriverModel, respondent_id: str, *, wave: str | None = None) -> Axes:
    """Draw one respondent's contributions, from the average answer to the one expected (SHAP waterfall).

    The values are the model's: interventional Shapley values in NPS points, by trees that did not see the respondent.
    shap only draws them (``shap.Explanation``); that it computes the same from the same trees is tested in
    ``tests/drivers/test_trees.py``. What goes with such ratings on average is not what this person thought.

    It tells of one person, so it is drawn in a live notebook only: not a Result, and nothing of it is in a report.

    Parameters
    ----------
    study : Study
    model : DriverModel
        Of `study`.
    respondent_id : str
        One whose answer the model was fitted to.
    wave : str, optional
        None: the respondent's last answer.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    CannotAnswerError
        While a report is made.
    EstimationError
        If there is no such answer.
    """
    if os.environ.get(IN_REPORT):
        raise CannotAnswerError("One respondent's waterfall is for a live notebook: a report shows nobody alone.")
    rows = study.responses.loc[model.data.index]
    theirs = rows["respondent_id"].astype(str) == str(respondent_id)
    if wave is not None:
        theirs &= rows["wave"] == wave
    if not theirs.any():
        raise EstimationError("The model has no answer of this respondent" + (f" in {wave}." if wave else "."))
    place = int(np.flatnonzero(theirs)[-1])

    import matplotlib.pyplot as plt

    from nps_research.results.drawing import house_style, literal
    from nps_research.results.palette import DETRACTOR, GREY, PROMOTER

    values = model.contributions.iloc[place].to_numpy()
    expected = float(model.predictions.iloc[place])
    average = expected - float(values.sum())
    ratings = [f"{rating:g}" if np.isfinite(rating) else "not rated" for rating in model.data.ratings[place]]
    with house_style(), shap_drawing() as shap:
        from shap.plots._style import style_context

        figure = plt.figure(layout="constrained")
        explained = shap.Explanation(
            values=values,
            base_values=average,
            data=np.array(ratings, dtype=object),
            feature_names=[literal(term, 40) for term in model.data.terms],
        )
        colours = {"primary_color_positive": PROMOTER, "primary_color_negative": DETRACTOR, "tick_labels_color": GREY}
        with style_context(**colours):
            shap.plots.waterfall(explained, max_display=len(values), show=False)
        ax, below, above = figure.axes  # shap puts the average below, and what is expected above
        below.set_xticks([average], [f"\naverage {points(average)}"], fontsize=10)
        above.set_xticks([expected], [f"expected {points(expected)}"], fontsize=10)
        for text in ax.texts:
            text.set_fontsize(10)
        ax.tick_params(labelsize=10)
        ax.set_xlabel("Expected answer, NPS points", labelpad=20)
        ax.set_title("One respondent, from the average to the answer expected", pad=24)
    return ax
