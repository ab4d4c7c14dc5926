"""Putting a report together: every notebook's files, the leak scan, the index, the private folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from nps_research.errors import ReportError
from nps_research.report.board_pack import BOARD_PACK, BOARD_PAGE, printed
from nps_research.report.execute import Failure
from nps_research.report.harvest import exact_parquet, harvest, table_csv
from nps_research.report.notebooks import ReportNotebook, levers_moved, own_text
from nps_research.report.own_words import OwnWords, labels_of
from nps_research.report.page_cells import headlines_told
from nps_research.report.pages import GLOSSARY, Card, Pages
from nps_research.report.privacy import find_leaks, places_of, readable_text
from nps_research.report.provenance import CHECKOUT, Provenance, provenance
from nps_research.report.publish import MADE_BY, PRIVATE_NOTE, Workspace, write_shared
from nps_research.report.sanitise import inert_text
from nps_research.report.shareable import notebook_text, shareable_notebook
from nps_research.report.since import Earlier, since_earlier
from nps_research.report.workbook import WORKBOOK, workbook_of
from nps_research.results.csv_files import csv_text, write_private
from nps_research.study.notebooks import asked
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nbformat import NotebookNode


_SHOWN = 12  # characters of a hash, on pages
CHECKSUMS = "SHA256SUMS"  # of every other file; `sha256sum --check` reads it, too

_PRIVATE_TEXT = f"""Private, made by {MADE_BY}. Do not share.

quarantine.csv      rows of the study that were not accepted, with reasons; a cell that a spreadsheet
                    could take for a formula has an apostrophe before it, and control characters are
                    shown as such
quarantine.parquet  the same rows, every cell as it came
lists/              people to call, by notebook; where a notebook makes such a list
errors/             what went wrong in notebooks that failed, with values from the data; of a page or a
                    report that was held back, which value stood where
last_run.json       what the notebooks were made from, so that unchanged ones need not be run again
"""


class RefusedReportError(ReportError):
    """A report that may not be published whatever its pages say; `told` is why, for the private folder."""

    def __init__(self, reason: str, *, told: str) -> None:
        super().__init__(reason)
        self.told = told


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one notebook adds to a report.

    Attributes
    ----------
    card : Card
        What the index says of it.
    files : mapping of str to str
        Shared files, by their path in the report.
    traceback : str
        For the private folder.
    written : str
        What the notebook's author wrote.
    """

    card: Card
    files: Mapping[str, str]
    traceback: str = ""
    written: str = ""

    @property
    def text(self) -> str:
        """All that can be read in it."""
        return "\n".join([self.card.reason, *(_readable(name, content) for name, content in self.files.items())])


def assemble(
    study: Study,
    folders: tuple[Path, Path],
    notebooks: Sequence[ReportNotebook],
    nodes: Mapping[str, NotebookNode],
    ended: Mapping[str, Failure | None],
    missing: Mapping[str, str],
) -> list[Part]:
    """Put together the parts of a report, none of which shows what is private.

    `folders` are the study's own and that of its tables; `nodes` the notebooks that were run, and `ended` how, by name;
    `missing` what the study lacks for the others of those chosen.
    """
    made_from = provenance(study)
    pages = Pages(study, made_from, [each for each in notebooks if each.name not in missing])
    parts = []
    for notebook in notebooks:
        if notebook.name in missing:
            reason = missing[notebook.name]
            parts.append(Part(card=_card(notebook, "not made", reason), files={}))
        elif failure := ended[notebook.name]:
            parts.append(_failed(pages, notebook, failure))
        else:
            parts.append(_made(pages, notebook, nodes[notebook.name], folders[0].name, study.part))
    parts = [replace(part, written=own_text(notebook)) for notebook, part in zip(notebooks, parts, strict=True)]
    faults = _faults(study, folders, notebooks, parts, OwnWords(_public(study, made_from, parts)))
    held_back = {each.name: _failed(pages, each, faults[each.name]) for each in notebooks if each.name in faults}
    return [replace(held_back.get(part.card.name, part), written=part.written) for part in parts]


def _card(notebook: ReportNotebook, state: str, reason: str = "") -> Card:
    moved = tuple(levers_moved(notebook))
    return Card(
        name=notebook.name, title=notebook.title, question=notebook.question, state=state, reason=reason, levers=moved
    )


def _failed(pages: Pages, notebook: ReportNotebook, failure: Failure) -> Part:
    reason = f"{failure.error}: {failure.message}" if failure.message else failure.error
    files = {f"{notebook.name}.html": pages.failure(notebook, failure)}
    return Part(card=_card(notebook, "failed", reason), files=files, traceback=failure.traceback or reason)


def _made(
    pages: Pages, notebook: ReportNotebook, node: NotebookNode, study_name: str, part: Mapping[str, Sequence[str]]
) -> Part:
    try:
        shared = shareable_notebook(node, study_name, part)
    except ReportError as error:
        return _failed(pages, notebook, Failure(error="ReportError", message=str(error)))
    results = harvest(notebook.name, shared)
    files = {
        f"{notebook.name}.html": pages.notebook(notebook, shared, results),
        f"notebooks/{notebook.name}.ipynb": notebook_text(shared),
    }
    files |= {result.table: table_csv(result) for result in results if result.table}
    return Part(card=replace(_card(notebook, "made"), results=tuple(results), told=headlines_told(shared)), files=files)


def _faults(
    study: Study, folders: Sequence[Path], notebooks: Sequence[ReportNotebook], parts: Sequence[Part], own: OwnWords
) -> dict[str, Failure]:
    """Why parts may not be published after all, by notebook: they show what is private; which and where, in private."""
    by_name = {part.card.name: part for part in parts}
    texts = {name: part.text for name, part in by_name.items()}
    machine = {str(folder) for folder in (*folders, CHECKOUT, Path.home()) if len(folder.parts) > 2}
    faults = {
        name: _held_back("this page names a folder of the machine it was made on", named, by_name[name])
        for name, text in texts.items()
        if (named := {folder for folder in machine if folder in text})
    }
    public = {each.name: f"{_described(study)}\n{own_text(each)}" for each in notebooks}
    leaks = find_leaks(texts, private=study.private_values(), public=public, own=own)
    return faults | {name: _held_back(_leak_text(len(values)), values, by_name[name]) for name, values in leaks.items()}


def _held_back(reason: str, values: Iterable[str], part: Part) -> Failure:
    """A page that is not published; the values and where they stood are for the private folder."""
    texts = {name: _readable(name, content) for name, content in part.files.items()}
    told = f"{_where_shown(reason, values, texts)}\n{part.traceback}"
    return Failure(error="ReportError", message=f"{reason}; it was not published", traceback=told.rstrip() + "\n")


def _where_shown(reason: str, values: Iterable[str], texts: Mapping[str, str]) -> str:
    """The values that texts show, and where; for the private folder alone."""
    shown = [
        f"{value!r}\n" + "".join(f"    {place}\n" for place in places_of(value, texts)) for value in sorted(values)
    ]
    return "\n".join([f"{reason}: each value, and where it stood first in each file", *shown])


def _leak_text(count: int) -> str:
    values = "1 value that belongs" if count == 1 else f"{count} values that belong"
    return f"this page shows {values} to respondents"


def _public(study: Study, made_from: Provenance, parts: Iterable[Part]) -> list[str]:
    """What is no secret on any page: labels, the study's own description, what it was made from, what authors wrote."""
    stated = [word for each in made_from.to_json().values() for word in (str(each), *str(each).split())]
    of_files = [*study.files["file"].astype("str"), *study.notes]
    written = [line for part in parts for line in (part.card.name, *part.written.splitlines())]
    written += [text for page in asked() for text in (page.title, page.question, *(one for one, _ in page.questions))]
    shortened = [each[:_SHOWN] for each in stated]
    return [*sorted(labels_of(study)), *_described(study).splitlines(), *stated, *shortened, *of_files, *written]


def _described(study: Study) -> str:
    """What is no secret: the study's own description and the glossary."""
    said = [study.name, study.source, study.licence, study.period, study.base, study.caution, *study.warnings]
    return "\n".join([*said, GLOSSARY])


def write_report(
    study: Study,
    parts: Sequence[Part],
    place: Workspace,
    *,
    workbook: bool = False,
    pdf: bool = False,
    earlier: Earlier | None = None,
) -> None:
    """Write all files of a report, all results as a workbook and a board pack where wanted, and the private folder.

    The first page is held against an `earlier` report, where there is one.

    Raises
    ------
    RefusedReportError
        The index or ``results.json`` would show private values.
    """
    made_from = provenance(study)
    pages = Pages(study, made_from)
    cards = [part.card for part in parts]
    results = [result for card in cards for result in card.results]
    since = None if earlier is None else since_earlier(earlier, study, made_from.data, results)
    board = pages.board(cards) if pdf else ""
    pack = printed(inert_text(board, is_json=False)) if board else None
    shown = (BOARD_PACK if pack else BOARD_PAGE) if board else ""
    around = {
        "index.html": pages.index(cards, workbook=WORKBOOK if workbook else "", board=shown, since=since),
        "glossary.html": pages.glossary(),
        "results.json": _results_json(study, made_from, cards, earlier),
        **({BOARD_PAGE: board} if board else {}),
    }
    described = "\n".join([_described(study), *(f"{card.title}\n{card.question}" for card in cards)])
    texts = {name: _readable(name, content) for name, content in around.items()}
    own = OwnWords(_public(study, made_from, parts))
    if leaks := find_leaks(texts, private=study.private_values(), public=dict.fromkeys(texts, described), own=own):
        shown = " and ".join(f"{name} would show {len(values)} of them" for name, values in leaks.items())
        reason = f"values that belong to respondents may not be published: {shown}"
        raise RefusedReportError(reason, told=_where_shown(reason, set().union(*leaks.values()), texts))
    files: dict[str, str | bytes] = {
        name: inert_text(content, is_json=Path(name).suffix in (".json", ".ipynb"))
        for each in (around, *(part.files for part in parts))
        for name, content in each.items()
    }
    if pack:
        files[BOARD_PACK] = pack
    if workbook:
        files[WORKBOOK] = workbook_of(results)
    files[CHECKSUMS] = "".join(f"{sha256(_bytes(files[name])).hexdigest()}  {name}\n" for name in sorted(files))
    for name, content in files.items():
        write_shared(place.shared, name, _bytes(content))
    rows = study.quarantine
    write_private(place.private, PRIVATE_NOTE, _PRIVATE_TEXT)
    write_private(place.private, "quarantine.csv", csv_text(list(rows.columns), rows.itertuples(index=False)))
    write_private(place.private, "quarantine.parquet", exact_parquet(rows))
    for part in parts:
        if part.traceback:
            write_private(place.private, f"errors/{part.card.name}.txt", part.traceback)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _results_json(study: Study, made_from: Provenance, cards: Sequence[Card], earlier: Earlier | None) -> str:
    content = {
        "made_by": MADE_BY,
        "schema": 1,
        "study": {
            "name": study.name,
            "source": study.source,
            "licence": study.licence,
            "made_up": study.made_up,
            "period": study.period,
            "base": study.base,
            "n_answers": study.n_answers,
        }
        | ({"caution": study.caution} if study.caution else {})
        | ({"warnings": list(study.warnings)} if study.warnings else {})
        | ({"part": {name: list(values) for name, values in study.part.items()}} if study.part else {}),
        "made_from": made_from.to_json(),
        "notebooks": [
            {"name": card.name, "title": card.title, "state": card.state, "reason": card.reason} for card in cards
        ],
        "results": [result.to_json() for card in cards for result in card.results],
    } | ({"since": earlier.to_json()} if earlier else {})
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _readable(name: str, content: str) -> str:
    kinds = {".html": "html", ".json": "json", ".ipynb": "json"}
    return readable_text(content, kinds.get(Path(name).suffix, "text"))
