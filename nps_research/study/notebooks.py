"""What the notebooks ask: their metadata, which is the one registry of questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"  # beside the package


@dataclass(frozen=True, kw_only=True)
class Asks:
    """What one notebook asks.

    Attributes
    ----------
    title, question : str
        Of the page.
    needs : tuple of str
        Columns without which there is no page.
    questions : tuple of (str, str)
        Each question of the page, and the public name of the function that answers it.
    """

    title: str
    question: str
    needs: tuple[str, ...]
    questions: tuple[tuple[str, str], ...]


@cache
def asked(folder: Path = NOTEBOOKS) -> tuple[Asks, ...]:
    """Read what the numbered notebooks of a folder ask, in order."""
    notebooks = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[0-9]*.ipynb")))
    about = [notebook["metadata"].get("nps_research", {}) for notebook in notebooks]
    return tuple(
        Asks(
            title=each.get("title", ""),
            question=each.get("question", ""),
            needs=tuple(each.get("needs", ())),
            questions=tuple((one["question"], one["answered_by"]) for one in each.get("questions", ())),
        )
        for each in about
    )
