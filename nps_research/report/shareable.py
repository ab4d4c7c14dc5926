"""An executed notebook without what must not be shared, or would differ from run to run."""

from __future__ import annotations

import copy
import json
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines

from nps_research.report.notebooks import restore_parameters
from nps_research.report.sanitise import clean_output_html, figure_html, plain_output, render_markdown
from nps_research.results.result import MIME_TYPE


def shareable_notebook(
    node: NotebookNode, study_name: str, part: Mapping[str, Sequence[str]] | None = None
) -> NotebookNode:
    """Copy an executed notebook as it may be shared.

    Outputs hold inert HTML, plain text and results, nothing else: no errors, no warnings, no
    widgets, no script. The folders of this machine are gone from the parameters: the name of the study's own stands
    there, and the part of the study.

    Raises
    ------
    ReportError
        A figure that may not be shown; the cell is named.
    """
    shared = _node({**node, "cells": [_cell(cell, k) for k, cell in enumerate(node.cells, start=1)]})
    restore_parameters(shared, study_name, part or {})
    shared.metadata = _node(
        {
            "nps_research": node.metadata["nps_research"],
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "version": ".".join(platform.python_version_tuple()[:2])},
        }
    )
    return shared


def notebook_text(node: NotebookNode) -> str:
    """Write a notebook as its file's text: the same for the same content, and read back in the same order.

    nbformat's own writer sorts the keys; the last report's results would come again in another order.
    """
    lines = split_lines(copy.deepcopy(node))  # type: ignore[no-untyped-call]
    return json.dumps(lines, ensure_ascii=False, indent=1) + "\n"


def _node(content: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
    return node


def _cell(cell: NotebookNode, number: int) -> dict[str, Any]:
    tags = cell.metadata.get("tags", [])
    shared = {
        "cell_type": cell.cell_type,
        "id": cell.id,
        "source": cell.source,
        "metadata": {"tags": tags} if tags else {},
    }
    if cell.cell_type == "code":
        outputs = (_output(output, number) for output in cell.outputs)
        shared |= {"execution_count": cell.execution_count, "outputs": [output for output in outputs if output]}
    return shared


def _output(output: NotebookNode, cell: int) -> NotebookNode | None:
    """One output made fit to share, or None where nothing of it is."""
    if output.output_type == "stream" and output.name == "stdout":
        return _node({"output_type": "stream", "name": "stdout", "text": plain_output(output.text)})
    if output.output_type not in ("display_data", "execute_result"):
        return None
    if any(kind.startswith("application/") and kind != MIME_TYPE for kind in output.data):
        return None  # a widget or a script: there is nothing behind it in a page
    data = {kind: output.data[kind] for kind in (MIME_TYPE,) if kind in output.data}
    html = _html(output, cell)
    if html:
        data["text/html"] = html
    elif "text/plain" in output.data:
        data["text/plain"] = plain_output(output.data["text/plain"])
    return _node({"output_type": "display_data", "data": data, "metadata": {}}) if data else None


def _html(output: NotebookNode, cell: int) -> str:
    """The richest part of an output as inert HTML; empty where there is only text."""
    if "text/html" in output.data:
        return clean_output_html(output.data["text/html"], cell)
    for kind in ("image/svg+xml", "image/png"):
        if kind in output.data:
            return figure_html(kind, output.data[kind], output.metadata.get(kind, {}).get("alt", ""), cell)
    if "text/markdown" in output.data:
        return clean_output_html(render_markdown(output.data["text/markdown"]), cell)
    return ""
