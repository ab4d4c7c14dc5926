"""Which notebooks of the last report need not be run again: those that nothing they depend on has changed for.

The last report is the store. Its executed notebooks take the place of those that would be run; pages, tables,
index and leak scan are made anew from them, as always. What each was made from is recorded as a hash in the private
folder, because it depends on this machine and so has no place among bytes that are the same everywhere.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from nps_research.reading.sources import sha256_of
from nps_research.report.provenance import PACKAGE, provenance
from nps_research.report.publish import private_folder
from nps_research.results.csv_files import write_private
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nps_research.report.assemble import Part


_RECORD = "last_run.json"
# Whatever stands between two quotes; overlapping, so that an apostrophe in a comment hides nothing.
_QUOTED = re.compile(r"""(?=["']([^"'\n]{1,200})["'])""")


def cache_keys(study: Study, nodes: Mapping[str, NotebookNode], folders: Sequence[Path]) -> dict[str, str]:
    """Hash, for each notebook, all that its outputs depend on.

    That is its own content; the data, the lock, the seed and the version; every file of the package and every module
    beside the notebooks; Python and the packages installed; and the environment variables and files that the
    notebook's code names. What it takes from elsewhere (the net, the clock) is not seen. Files that it names are looked
    for in `folders`, of the notebooks, the study and its tables.
    """
    code = [path for path in sorted(PACKAGE.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    common = {
        "made_from": replace(provenance(study), commit="").to_json(),  # the code itself is hashed
        "code": sha256_of([*code, *sorted(folders[0].rglob("*.py"))]),
        "python": platform.python_version(),
        "packages": sorted(
            f"{about['Name']} {about['Version']}" for about in (each.metadata for each in distributions())
        ),
    }
    return {
        name: _digest(common | {"notebook": node, "named": _named_in_code(node, folders)})
        for name, node in nodes.items()
    }


def _digest(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _named_in_code(node: NotebookNode, folders: Sequence[Path]) -> dict[str, str]:
    """Environment variables and files that a notebook's code names between quotes, with their content."""
    found: dict[str, str] = {}
    for cell in node.cells:
        for text in _QUOTED.findall(cell.source) if cell.cell_type == "code" else ():
            if text in os.environ:
                found[f"variable {text}"] = os.environ[text]
            end = text.rpartition("}")[2].lstrip("/")  # of f"{study_folder}/more.csv", or what is added to a folder
            for path in (folder / part for folder in folders for part in (text, end)):
                if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises on names that are too long
                    found[f"file {path}"] = sha256_of([path])
    return found


def unchanged_notebooks(out: Path, keys: Mapping[str, str]) -> dict[str, NotebookNode]:
    """Find executed notebooks of the last report that would come out the same, by name.

    One whose file is not, byte for byte, what that run wrote is not among them. `keys` is what `cache_keys` gives now;
    the last report, `out`, need not be there.
    """
    try:
        last = json.loads((private_folder(out) / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    kept = {}
    for name, key in keys.items():
        try:
            content = (out / "notebooks" / f"{name}.ipynb").read_bytes()
        except OSError:
            continue
        if isinstance(last, dict) and last.get(name) == _entry(key, content):
            kept[name] = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    return kept


def _entry(key: str, content: bytes) -> dict[str, str]:
    return {"made_from": key, "notebook": sha256(content).hexdigest()}


def write_record(folder: Path, keys: Mapping[str, str], parts: Sequence[Part]) -> None:
    """Record in the private folder what the notebooks that were made are made from."""
    record = {
        part.card.name: _entry(keys[part.card.name], part.files[f"notebooks/{part.card.name}.ipynb"].encode())
        for part in parts
        if part.card.state == "made"
    }
    write_private(folder, _RECORD, json.dumps(record, indent=1) + "\n")
