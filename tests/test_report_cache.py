"""Unchanged notebooks are taken from the last report: the same bytes, and never where anything they depend on differs."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from nps_research.report import Progress, cache, make_report, provenance
from tests.report_notebooks import CANARY_ID, DEFINE_RESULT, code, notebook, stand_in_study, text, write_notebooks
from tests.test_report_runner import files_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def eventful() -> dict[str, Any]:
    """A notebook with every kind of output that can be shared."""
    return notebook(
        "Everything",
        code(DEFINE_RESULT),
        code("shown('Wave & wave <b>', groups=('<2017>', '2018'))", "headline"),
        text("## A heading"),
        code("print('\\x1b[31mred\\x1b[0m <b> & at', object())\nobject()"),
        code("pd.DataFrame({'a': [1, 2], '<b>': ['x & y', '<i>z</i>']})"),
        code("from IPython.display import Markdown, HTML\nMarkdown('**bold** [x](https://a.example) $x$')"),
        code("HTML('<table><tr><th></th><th>a</th></tr><tr><td>&amp;lt;</td><td>1</td></tr></table>')"),
        code("""
            import matplotlib.pyplot as plt
            from IPython.display import display
            for kind in ("png", "svg"):
                fig, ax = plt.subplots()
                ax.plot([0, 1])
                plt.close(fig)
                from matplotlib_inline.backend_inline import set_matplotlib_formats
                set_matplotlib_formats(kind)
                mime = {"png": "image/png", "svg": "image/svg+xml"}[kind]
                display(fig, metadata={mime: {"alt": "A \\"line\\" & more"}})
        """),
    )


@dataclass
class Place:
    """A study, its notebooks and the report on it; `run` says how each notebook ended."""

    folder: Path
    study: Any = None
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.study = stand_in_study(self.folder / "demo")
        (self.folder / "demo" / "more.csv").write_text("a\n1\n", encoding="utf-8")
        self.notebooks = write_notebooks(
            self.folder / "notebooks",
            n01_one=notebook("One", code(DEFINE_RESULT + "\nshown()")),
            n02_two=notebook(
                "Two",
                code(
                    "# it's the analyst's own\n"
                    "import os\nprint(os.environ.get('MARGIN'), open(f'{study_folder}/more.csv').read())"
                ),
            ),
        )
        self.out = self.folder / "out"

    def run(self, **options: Any) -> dict[str, str]:
        last: dict[str, Progress] = {}
        make_report(
            self.study,
            notebooks=self.notebooks,
            out=self.out,
            progress=lambda news: last.update({news.notebook: news}),
            **options,
        )
        return {name: news.state for name, news in last.items()}


UNCHANGED = {"01_one": "unchanged", "02_two": "unchanged"}
MADE = {"01_one": "made", "02_two": "made"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("cache"))
    assert place.run() == MADE
    return place


@pytest.fixture
def keys(made: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """Which notebooks of the report that was made would not be run again, were it made again now."""
    package = made.folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(cache._PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "_PACKAGE", package)

    def unchanged() -> set[str]:
        return set(UNCHANGED)

    return unchanged
