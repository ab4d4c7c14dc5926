"""What moves, in a live notebook: sliders and choices over an answer. A report leaves it out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from nps_research.errors import NPSResearchError
from nps_research.results.display import IN_REPORT
from nps_research.results.listing import NotAnswered, attempt
from nps_research.results.result import Result

if TYPE_CHECKING:
    from ipywidgets import VBox

Step = TypeVar("Step")


def control(question: Callable[..., Result], *args: Any, **levers: Any) -> VBox | NotAnswered | None:
    """Show what a question answers under sliders and choices for its arguments: finding, details and note.

    Parameters
    ----------
    question : callable
        Gives a Result, at once.
    *args
        What it takes. If one of them is not answered itself, that is the answer.
    **levers
        By argument: lowest, highest and first value for a slider, which whole numbers make one of whole numbers; or
        a list to choose from.

    Returns
    -------
    ipywidgets.VBox, NotAnswered or None
        None in a notebook that runs for a report: a page cannot move.

    Examples
    --------
    >>> from nps_research.score import required_responses
    >>> margin, shown = control(required_responses, margin_of_error=(1, 15, 5)).children
    >>> margin.value = 10
    >>> "For a margin of error of 10.0 points you need 216 answers." in shown.value
    True
    """
    if os.environ.get(IN_REPORT):
        return None
    first = attempt(question, *args, **{name: _at_first(lever) for name, lever in levers.items()})
    if isinstance(first, NotAnswered):
        return first
    return moving(lambda **chosen: _words(question(*args, **chosen)), **levers)


def progress(steps: Iterable[Step], *, of: int) -> Iterable[Step]:
    """Show how far work is that takes over five seconds, to who waits for it in a notebook or at a terminal.

    Nothing of it stays when the work is done, and there is none where nobody looks: in a report, or in a file.
    """
    if os.environ.get(IN_REPORT) or not (_in_notebook() or sys.stderr.isatty()):
        return steps
    from tqdm.auto import tqdm

    shown: Iterable[Step] = tqdm(steps, total=of, delay=5, leave=False, unit="step")
    return shown


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def moving(show: Callable[..., str], **levers: Any) -> VBox | None:
    """Show sliders and choices, as of `control`, over the HTML that `show` makes of their values."""
    if os.environ.get(IN_REPORT):
        return None
    import ipywidgets as widgets  # late: only a live session needs it

    inputs = {name: _lever(name, lever) for name, lever in levers.items()}
    shown = widgets.HTML()

    def redraw(change: object = None) -> None:
        try:
            shown.value = show(**{name: each.value for name, each in inputs.items()})
        except NPSResearchError as error:
            shown.value = f"<p>{escape(str(error))}</p>"

    for each in inputs.values():
        each.observe(redraw, "value")
    redraw()
    return widgets.VBox([*inputs.values(), shown])


def _at_first(lever: Sequence[Any]) -> Any:
    return lever[2] if isinstance(lever, tuple) else lever[0]


def _lever(name: str, lever: Sequence[Any]) -> Any:
    import ipywidgets as widgets

    look = {"style": {"description_width": "12em"}, "layout": widgets.Layout(width="34em")}
    said = name.replace("_", " ").capitalize()
    if not isinstance(lever, tuple):
        return widgets.Dropdown(options=list(lever), description=said, **look)
    low, high, first = lever
    low, high = min(low, first), max(high, first)
    if all(isinstance(number, int) for number in lever):
        return widgets.IntSlider(first, low, high, description=said, **look)
    return widgets.FloatSlider(first, min=low, max=high, step=0.1, readout_format=".1f", description=said, **look)


def _words(result: Result) -> str:
    said = [f"<b>{escape(result.finding)}</b>", escape(result.details), escape(result.full_note)]
    return "".join(f"<p>{each}</p>" for each in said if each)
