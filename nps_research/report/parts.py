"""A report on a part of a study: which part, where it goes, and when it may not be made."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from nps_research.counting import without_small_waves
from nps_research.errors import ReportError
from nps_research.report.notebooks import has_tag
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nps_research.report.notebooks import ReportNotebook


_LONGEST = 60  # letters of a part in the name of its folder


def read_filters(filters: Iterable[str]) -> dict[str, list[str]]:
    """Read filters of the command line, ``Region=UK,IE``; a value with a comma stands in double quotes.

    Examples
    --------
    >>> read_filters(["Region=UK,IE", 'City="London, UK"'])
    {'Region': ['UK', 'IE'], 'City': ['London, UK']}
    """
    found: dict[str, list[str]] = {}
    for text in filters:
        name, is_given, values = text.partition("=")
        (several,) = csv.reader([values.replace("\n", " ")], skipinitialspace=True) if values.strip() else ([],)
        if not (is_given and name.strip() and several):
            raise ReportError("--where takes a column and its values, such as --where 'Region=UK' or 'Region=UK,IE'")
        found.setdefault(name.strip(), []).extend(value.strip() for value in several)
    return found


def part_folder(study: str, part: Mapping[str, Sequence[str]]) -> str:
    """Name the folder of a report on a part of a study.

    What a name cannot say (signs, very long ones) is told apart by a few digits of a hash.

    Examples
    --------
    >>> part_folder("demo", {"Region": ("UK",)})
    'demo--region-uk'
    """
    pieces = [name for column, values in part.items() for name in (column, *values)]
    slug = re.sub(r"[\W_]+", "-", " ".join(pieces).lower()).strip("-")
    if slug != "-".join(pieces).lower().replace(" ", "-") or len(slug) > _LONGEST:
        mark = sha256(json.dumps(list(part.items())).encode()).hexdigest()[:6]
        slug = "-".join(filter(None, (slug[:_LONGEST].strip("-"), mark)))
    return f"{study}--{slug}"


def check_part(study: Study, notebooks: Iterable[ReportNotebook]) -> None:
    """Make sure that a report on a part gives nobody else away, and that its notebooks open that part.

    Raises
    ------
    ReportError
        Otherwise.
    """
    if study.whole is None:
        return
    n_rest = len(study.whole.responses) - len(study.responses)
    fewest = study.settings.minimum_cell
    if n_rest and study.whole.n_answers - study.n_answers < fewest:
        raise ReportError(
            f"the rest of the study holds fewer than {fewest} answers: a report on all of it, less this one, would "
            "tell what they are"
        )
    for notebook in notebooks:
        if not _uses_filter(notebook):
            raise ReportError(
                f"{notebook.name} would open all of the study: it needs nps.open_study(...).where(**where), with where "
                "in its parameters"
            )


def check_small_waves(study: Study, notebooks: Iterable[ReportNotebook]) -> None:
    """Make sure that no notebook counts the small waves that a report leaves out: other pages would give them away.

    Raises
    ------
    ReportError
        Otherwise.
    """
    for notebook in notebooks if study.left_out_waves else ():
        code = "\n".join(cell.source for cell in notebook.node.cells if cell.cell_type == "code")
        if "open_study" in code and without_small_waves.__name__ not in code:
            raise ReportError(
                f"{notebook.name} would count a wave of fewer than {study.settings.minimum_cell} answers: it needs "
                f"nps.counting.{without_small_waves.__name__}(nps.open_study(...))"
            )


def _uses_filter(notebook: ReportNotebook) -> bool:
    code = (cell.source for cell in notebook.node.cells if cell.cell_type == "code" and not has_tag(cell, "parameters"))
    given = (node for source in code for node in ast.walk(_parsed(source)) if isinstance(node, ast.keyword))
    return any(each.arg is None and ast.unparse(each.value) == "where" for each in given)


def _parsed(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:  # it has cells that are more than Python
        return ast.parse("")
