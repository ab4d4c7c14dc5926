"""Notebooks run in the process of the tests, which takes none of the seconds that processes of their own need to begin.

For tests of what a report makes of notebooks; how their own processes start, end and die has tests of its own.
"""

from __future__ import annotations

import ast
import os
from contextlib import chdir
from typing import TYPE_CHECKING, Any
from unittest import mock

from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_output

from nps_research.report import Progress
from nps_research.results.display import IN_REPORT
from nps_research.results.listing import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nbformat import NotebookNode


def shown_by(source: str, scope: dict[str, Any]) -> list[Any]:
    """What a cell displays and what its last line shows, as in a notebook."""
    shown: list[Any] = []
    scope["display"] = shown.append
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), scope)  # noqa: S102 - our own notebook
    value = None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), scope)  # noqa: S307
    return [*shown, *([] if value is None else [value])]


def run_here(
    notebooks: Mapping[str, NotebookNode], *, folder: Path, lists: Path, progress: Callable[[Progress], None], **_: Any
) -> dict[str, None]:
    """Stand in for `nps_research.report.execute.run_notebooks`, where notebooks run to their end and print nothing."""
    for name, node in notebooks.items():
        scope: dict[str, Any] = {}
        with chdir(folder), mock.patch.dict(os.environ, {IN_REPORT: "1", LISTS: str(lists / name)}):
            for cell in node.cells:
                if cell.cell_type == "code":
                    found = (DisplayFormatter().format(value) for value in shown_by(cell.source, scope))
                    cell.outputs = [new_output("display_data", data=data, metadata=about) for data, about in found]
        progress(Progress(notebook=name, cells_done=1, cells_total=1, seconds=0.0, state="made"))
    return dict.fromkeys(notebooks)
