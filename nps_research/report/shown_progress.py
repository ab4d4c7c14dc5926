"""How far a report is, on a terminal or in lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from nps_research.report.execute import Progress
from nps_research.results.terminal import for_terminal


@contextmanager
def shown_progress(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Bars on a terminal; elsewhere one line when a notebook starts and one when it ends."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(news: Progress) -> None:
            if news.state == "not made":
                return  # why not is said at the end
            if news.notebook not in tasks:
                tasks[news.notebook] = bars.add_task(news.notebook, total=news.cells_total)
            state = "" if news.state == "running" else f" ({news.state})"
            bars.update(
                tasks[news.notebook],
                completed=news.cells_done,
                total=news.cells_total,
                description=news.notebook + state,
            )

        yield show


def _lines(console: Console) -> Callable[[Progress], None]:
    started: set[str] = set()

    def show(news: Progress) -> None:
        if news.state == "not made":
            return  # why not is said at the end
        if news.state == "unchanged":
            console.print(for_terminal(f"{news.notebook}: unchanged, taken from the last run"))
        elif news.state != "running":
            done = f"{news.cells_done} of {news.cells_total} cells, {news.seconds:.0f} s"
            console.print(for_terminal(f"{news.notebook}: {news.state}, {done}"))
        elif news.notebook not in started:
            started.add(news.notebook)
            console.print(for_terminal(f"{news.notebook}: running, {news.cells_total} cells"))

    return show
