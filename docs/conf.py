"""The site of `make docs`, by Sphinx: a page lies where its source lies, so that a link is right in both places."""

import re
import sys
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

import nps_research as nps

project = html_title = "nps_research"
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "calibration/*.md",
    "data/README.md",
    "nps_research/report/glossary.md",
    "tests/README.md",
]
exclude_patterns = [".*", "site"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
default_role = "code"  # in docstrings, `score` is code
autodoc_default_options = {"members": True, "imported-members": True}  # what a room's __all__ names
autodoc_typehints = "none"  # docstrings say the types, in words
sys.modules["nps"] = nps  # as it is called
sys.modules |= {f"nps.{name}": room for name, room in vars(nps).items() if isinstance(room, ModuleType)}

html_theme = "furo"
html_extra_path = ["index.html"]  # leads to the start page
html_copy_source = False
html_show_copyright = False
html_show_search_summary = False  # a page opened as a file may not read another


def links_from_docs(_app: Sphinx, _path: Path, _page: str, text: list[str]) -> None:
    """Let links of the README, which pages in docs/ include, begin there."""
    text[0] = re.sub(r"\]\((?!\w+:)", "](../", text[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("include-read", links_from_docs)
