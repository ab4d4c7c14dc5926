"""Small notebooks and a stand-in for a study, with which reports are tested."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

CANARY_ID = "RESP-48213"
CANARY_EMAIL = "canary.bird@mine.example"
CANARY_COMMENT = "The yellow forklift was parked across our loading bay again"

DEFINE_RESULT = """
from dataclasses import dataclass

import pandas as pd

from nps_research.results.result import KeyNumber, Result


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Shown(Result):
    says: str = "NPS is +35.1 in 2018, and the fall of 5.3 points is not established."

    @property
    def finding(self):
        return self.says

    @property
    def note(self):
        return "Base: 2,831 answers. Adjusted Wald intervals."

    @property
    def alt(self):
        return f"Bars of {self.title}: 2017 +40.4, 2018 +35.1. {self.says}"

    @property
    def key_numbers(self):
        return (
            KeyNumber(label="NPS, 2018", estimate=35.1, conf_low=31.0, conf_high=39.2, change=-5.3,
                      change_conf_low=-11.0, change_conf_high=0.4, change_label="since 2017"),
            KeyNumber(label="Response rate, 2018", estimate=0.412, conf_low=0.39, conf_high=0.434, unit="share"),
        )

    def plot(self, ax=None):
        ax.bar(self.frame["group"].astype(str), self.frame["estimate"])
        ax.set_ylabel("NPS, points")
        return ax


def shown(title="NPS by wave", groups=("2017", "2018"), **more):
    frame = pd.DataFrame({"group": list(groups), "n": [2870, 2831], "estimate": [40.4, 35.1],
                          "std_error": [1.9, 2.1], "conf_low": [36.7, 31.0], "conf_high": [44.1, 39.2]})
    return Shown(title=title, frame=frame, **more)
"""


@dataclass
class StandInStudy:
    """What make_report reads of a study."""

    folder: Path | None
    name: str = "Northwind Tools"
    source: str = "Invented for tests"
    licence: str = "MIT"
    url: str = ""
    caution: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"file": ["answers.csv"]}))
    made_up: bool = True
    period: str = "2017 and 2018"
    base: str = "5,701 answers from 9,876 invitations."
    n_answers: int = 5_701
    data_hash: str = "0123456789abcdef" * 4
    nothing_accepted: str = ""
    settings: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(seed=20261122, minimum_cell=10))
    waves: tuple[str, ...] = ("2017", "2018")
    problems: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    is_lazy: bool = False
    small_waves: dict[str, int] = field(default_factory=dict)
    left_out_waves: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    outcomes: dict[str, SimpleNamespace] = field(default_factory=dict)
    responses: pd.DataFrame = field(default_factory=pd.DataFrame)
    customers: None = None
    part: dict[str, tuple[str, ...]] = field(default_factory=dict)
    whole: None = None
    lacks: frozenset[str] = frozenset({"customers.churned_at"})
    quarantine: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"line": [7], "reason": ["score is 11"], "comment": ["=HYPERLINK(1)"]})
    )
    private: frozenset[str] = frozenset({CANARY_ID, CANARY_EMAIL, CANARY_COMMENT})

    @property
    def data_folder(self) -> Path | None:
        return self.folder

    def can_answer(self, *needs: str) -> bool:
        return not self.lacks & set(needs)

    def missing(self, *needs: str) -> str:
        return f"The study has no {', '.join(sorted(self.lacks & set(needs)))}."

    def private_values(self) -> frozenset[str]:
        return self.private


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell."""
    metadata = {"tags": list(tags)} if tags else {}
    content: dict[str, Any] = {"source": textwrap.dedent(source).strip(), "execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": metadata, **content}


def text(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": textwrap.dedent(source).strip()}


def notebook(
    title: str, *cells: dict[str, Any], question: str = "What is it?", needs: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A notebook with a title cell, a parameters cell and the cells given."""
    parameters = code('study_folder = "../data/demo"\ndata_folder = None', "parameters")
    numbered = [{**cell, "id": f"c{k}"} for k, cell in enumerate([text(f"# {title}"), parameters, *cells])]
    about = {"title": title, "question": question, "needs": list(needs)}
    return {"cells": numbered, "metadata": {"nps_research": about}, "nbformat": 4, "nbformat_minor": 5}


def write_notebooks(folder: Path, **notebooks: dict[str, Any]) -> Path:
    """Save notebooks under the names given, `n01_score` as ``01_score.ipynb``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, node in notebooks.items():
        (folder / f"{name.removeprefix('n')}.ipynb").write_text(json.dumps(node), encoding="utf-8")
    return folder


def score_notebook() -> dict[str, Any]:
    """A notebook as it should be: text, a headline, a second result, plain output, a figure of its own."""
    return notebook(
        "The score",
        code(DEFINE_RESULT),
        text("""
            ## The score and its uncertainty

            The score is the share of promoters minus that of detractors; see the [glossary](glossary.html).

            | score | means |
            |---|---|
            | 9-10 | promoter |
        """),
        code("shown()", "headline"),
        text("## By channel"),
        code("shown(says='E-mail is 5.3 points below telephone.')"),
        text("## In passing"),
        code("""
            import sys
            print("5,701 answers <read>")
            print("a", "warning", file=sys.stderr)
        """),
        code("""
            import matplotlib.pyplot as plt
            from IPython.display import display
            fig, ax = plt.subplots()
            ax.plot([0, 1], [0, 1])
            plt.close(fig)
            display(fig, metadata={"image/png": {"alt": "A line that rises from 0 to 1."}})
        """),
        question="What is our score, and did it move?",
        needs=("responses.likelihood_to_recommend",),
    )


def mixed_notebooks(folder: Path) -> Path:
    """One notebook of every fate."""
    return write_notebooks(
        folder,
        n01_score=score_notebook(),
        n02_raises=notebook(
            "Half-way",
            code("print('half of the way')"),
            code("raise ValueError('row 7: ' + open(study_folder + '/secrets.txt').read())"),
        ),
        n03_dies=notebook("A dead process", code("import os\nos._exit(1)")),
        n04_churn=notebook("Who leaves", code("1 / 0"), needs=("customers.churned_at",)),
        n05_blind=notebook(
            "A figure without words",
            code("""
                import matplotlib.pyplot as plt
                plt.plot([0, 1], [0, 1])
                plt.show()
            """),
        ),
        n06_leaks=notebook("Too much said", code("print(open(study_folder + '/secrets.txt').read())")),
        n07_ours=notebook(
            "Our own error",
            code("from nps_research.errors import EstimationError\nraise EstimationError('2 answers are too few')"),
        ),
        n08_undrawn=notebook(
            "A figure that cannot be drawn",
            code(DEFINE_RESULT),
            code("""
                class Undrawn(Shown):
                    def plot(self, ax=None):
                        raise ValueError("row 7")
            """),
            code("from IPython.display import display\ndisplay(Undrawn(frame=shown().frame))\nshown()", "headline"),
        ),
        n09_unregistered=notebook(
            "A figure that nobody registered",
            code(DEFINE_RESULT),
            code("Shown.plot = Result.plot\nshown()", "headline"),
        ),
    )


def stand_in_study(folder: Path, **changes: Any) -> Any:
    """A stand-in for a Study, with its folder, in which a file holds what must not be shown."""
    folder.mkdir(parents=True, exist_ok=True)
    secrets = f"{CANARY_ID} <{CANARY_EMAIL}> said: {CANARY_COMMENT}!"
    (folder / "secrets.txt").write_text(secrets, encoding="utf-8")
    return StandInStudy(folder=folder, **changes)
