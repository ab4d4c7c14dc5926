"""What the notebooks found: their results as plain data, as CSV, and as cards for the index."""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from nps_research.reading.raw_table import arrow_of_cells
from nps_research.report.notebooks import has_tag
from nps_research.results.csv_files import csv_text
from nps_research.results.listing import NotAnswered
from nps_research.results.result import MIME_TYPE
from nps_research.results.words import format_interval, format_value

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, kw_only=True)
class HarvestedResult:
    """One result as its notebook displayed it.

    Attributes
    ----------
    notebook : str
        Name of the notebook.
    position : int
        1 for the first result displayed in it.
    name : str
        Its title as a file name; the only one of that name in its notebook.
    headline : bool
        Whether it stands on the index page.
    bundle : dict
        What `Result.to_json` gave.
    """

    notebook: str
    position: int
    name: str
    headline: bool
    bundle: dict[str, Any]

    @property
    def table(self) -> str | None:
        """Path of its CSV inside the report; none for a result without rows."""
        return f"tables/{self.notebook}-{self.name}.csv" if self.bundle["rows"] else None

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        where = {"notebook": self.notebook, "position": self.position, "name": self.name, "headline": self.headline}
        return where | {"table": self.table, "result": self.bundle}


def harvest(notebook: str, node: NotebookNode) -> list[HarvestedResult]:
    """Collect the results displayed in an executed notebook, in their order."""
    found: list[HarvestedResult] = []
    used: Counter[str] = Counter()
    headlines = headline_cells(node)
    for place, cell in enumerate(node.cells):
        for bundle in _bundles(cell):
            slug = _slug(bundle["title"]) or _slug(bundle["kind"]) or "result"
            used[slug] += 1
            name = slug if used[slug] == 1 else f"{slug}--{used[slug]}"
            headline = place in headlines
            position = len(found) + 1
            found.append(
                HarvestedResult(notebook=notebook, position=position, name=name, headline=headline, bundle=bundle)
            )
    return found


def headline_cells(node: NotebookNode) -> frozenset[int]:
    """Find the cells that stand on the index page and large on their own.

    Those are the cells tagged ``headline``. Where the study could answer none of them, the first cell tagged
    ``headline-otherwise`` that has an answer takes their place, if there is one.
    """
    first, others = (
        [place for place, cell in enumerate(node.cells) if has_tag(cell, tag)]
        for tag in ("headline", "headline-otherwise")
    )
    if not any(_is_answered(node.cells[place]) for place in first):
        first = [place for place in others if _is_answered(node.cells[place])][:1] or first
    return frozenset(first)


def _bundles(cell: NotebookNode) -> list[dict[str, Any]]:
    found = (output.get("data", {}).get(MIME_TYPE) for output in cell.get("outputs", ()))
    return [bundle for bundle in found if bundle is not None]


def _is_answered(cell: NotebookNode) -> bool:
    return any(bundle["kind"] != NotAnswered.kind for bundle in _bundles(cell))


def _slug(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:60].rstrip("-")


def exact_parquet(frame: pd.DataFrame) -> bytes:
    """Write a table as Parquet, every cell as it is; a column of several kinds becomes text."""
    filled = frame.astype(object).where(frame.notna(), None)
    table = pa.table({str(name): arrow_of_cells(filled[name].tolist()) for name in filled})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def table_csv(result: HarvestedResult) -> str:
    """Write a result's table as CSV."""
    return csv_text(result.bundle["columns"], result.bundle["rows"])


@dataclass(frozen=True, kw_only=True)
class ShownNumber:
    """A key number as readers see it."""

    label: str
    estimate: str
    interval: str
    change: str


def shown_numbers(results: Iterable[HarvestedResult]) -> list[ShownNumber]:
    """Format the key numbers of results."""
    return [
        _shown(number, result.bundle["settings"].get("confidence_level", 0.95))
        for result in results
        for number in result.bundle["key_numbers"]
    ]


def _shown(number: dict[str, Any], level: float) -> ShownNumber:
    unit = number["unit"]
    interval = ""
    if number["conf_low"] is not None:
        interval = f"{level:.0%} interval {format_interval(number['conf_low'], number['conf_high'], unit)}"
    change = ""
    if number["change"] is not None:
        style = "share_points" if unit == "share" else unit
        change = f"{format_value(number['change'], style)} {number['change_label']}".strip()
        if number["change_conf_low"] is not None:
            change += f" ({format_interval(number['change_conf_low'], number['change_conf_high'], style)})"
    estimate = format_value(number["estimate"], unit)
    return ShownNumber(label=number["label"], estimate=estimate, interval=interval, change=change)
