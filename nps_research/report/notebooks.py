"""The notebooks of a report: which there are, what each asks, and where its study comes from."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from nps_research.errors import ReportError
from nps_research.results.words import plain_text

_LEVER = re.compile(
    r"^\w+ = (?P<value>.+?)  # (?P<words>[^;]+?)(?:, such as [^;]+)?; (?P<usual>[^:;]+): .+$", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class ReportNotebook:
    """One notebook as it lies in the folder: not run, without outputs.

    Attributes
    ----------
    name : str
        File name without its ending, e.g. ``"01_score"``.
    title, question : str
        What the page is called and which question it answers.
    needs : tuple of str
        Columns the study must have, as ``"table.column"``.
    answered_by : str
        Public name of the function without whose answer there is no page, such as ``"drivers.fit_drivers"``; or empty.
    node : nbformat.NotebookNode
        The cells, but for those tagged ``live``.
    """

    name: str
    title: str
    question: str
    needs: tuple[str, ...]
    answered_by: str
    node: NotebookNode


def read_notebooks(folder: Path, *, only: Sequence[str] = ()) -> list[ReportNotebook]:
    """Read the numbered notebooks of a folder, in order.

    Parameters
    ----------
    folder : Path
        Where the ``*.ipynb`` files are; only those whose name begins with a digit count.
    only : sequence of str
        Names to keep, with or without number, e.g. ``"01_score"`` or ``"score"``.

    Raises
    ------
    ReportError
        No notebooks, a name in `only` that is none of them, or one that breaks the rules.
    """
    files = sorted(folder.glob("[0-9]*.ipynb"))
    if not files:
        raise ReportError(f"there are no notebooks in {folder}; pass the folder they are in")
    names = [file.stem for file in files]
    for wanted in only:
        if not any(_is_called(name, wanted) for name in names):
            close = get_close_matches(wanted, names + [name.partition("_")[2] for name in names], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ReportError(f"no notebook is called {wanted!r}; there are {', '.join(names)}{hint}")
    return [_read(file) for file in files if not only or any(_is_called(file.stem, wanted) for wanted in only)]


def _is_called(name: str, wanted: str) -> bool:
    return wanted.removesuffix(".ipynb") in (name, *name.split("_", 1))


def _read(file: Path) -> ReportNotebook:
    try:
        node = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ReportError(f"{file.name} is not a notebook that can be read ({type(error).__name__})") from error
    node.cells = [cell for cell in node.cells if not has_tag(cell, "live")]  # for a reader in JupyterLab alone
    about = node.metadata.get("nps_research", {})
    if not about.get("title"):
        raise ReportError(f"{file.name} has no title: its metadata needs nps_research.title")
    if sum(has_tag(cell, "parameters") for cell in node.cells) != 1:
        raise ReportError(f"{file.name} needs one cell tagged 'parameters', which names its study")
    return ReportNotebook(
        name=file.stem,
        title=about["title"],
        question=about.get("question", ""),
        needs=tuple(about.get("needs", ())),
        answered_by=about.get("answered_by", ""),
        node=node,
    )


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Tell whether a cell carries a tag."""
    return tag in cell.metadata.get("tags", ())


def levers_moved(notebook: ReportNotebook) -> list[str]:
    """Say which levers of the `settings` cell are not as they usually are, each in the words of its comment.

    A lever is a line such as ``margin = 2  # how many times as often counts as more often; 1.5: as usual``.
    """
    cells = [cell.source for cell in notebook.node.cells if cell.get("id") == "settings"]
    levers = [lever for source in cells for lever in _LEVER.finditer(source)]
    moved = (lever for lever in levers if lever["value"] != lever["usual"])
    return [plain_text(f"{lever['words']}: {lever['value']}", 200) for lever in moved]


def own_text(notebook: ReportNotebook) -> str:
    """Join all that the notebook's author wrote."""
    about = [notebook.title, notebook.question]
    return "\n".join([*about, *(cell.source for cell in notebook.node.cells)])


def with_parameters(
    notebook: ReportNotebook, *, study_folder: Path, data_folder: Path, part: Mapping[str, Sequence[str]]
) -> NotebookNode:
    """Copy a notebook to be run: fixed cell ids, no outputs, real folders and the part in its `parameters` cell."""
    node = copy.deepcopy(notebook.node)
    node.nbformat_minor = 5
    for number, cell in enumerate(node.cells, start=1):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if has_tag(cell, "parameters"):
            cell.source = _parameters(str(study_folder), str(data_folder), part)
    return node


def restore_parameters(node: NotebookNode, study_name: str, part: Mapping[str, Sequence[str]]) -> None:
    """Take the folders of this machine out again: only the study's own folder name stays."""
    for cell in node.cells:
        if has_tag(cell, "parameters"):
            cell.source = _parameters(study_name, None, part)


def _parameters(study_folder: str, data_folder: str | None, part: Mapping[str, Sequence[str]]) -> str:
    where = {name: list(values) for name, values in part.items()}
    return f"study_folder = {study_folder!r}\ndata_folder = {data_folder!r}\nwhere = {where!r}"
