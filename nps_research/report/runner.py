"""make_report: from a study and a folder of notebooks to a published report."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nps_research.counting import without_small_waves
from nps_research.errors import NPSResearchError, ReportError
from nps_research.intake.questions import why_not
from nps_research.report.assemble import RefusedReportError, assemble, write_report
from nps_research.report.cache import cache_keys, unchanged_notebooks, write_record
from nps_research.report.execute import Progress, run_notebooks
from nps_research.report.notebooks import read_notebooks, with_parameters
from nps_research.report.parts import check_part, check_small_waves
from nps_research.report.provenance import own_notebooks
from nps_research.report.publish import (
    LISTS_FOLDER,
    check_place,
    keep_lists,
    private_folder,
    tell_in_private,
    workspace,
)
from nps_research.report.since import Earlier, check_earlier
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nps_research.report.notebooks import ReportNotebook
    from nps_research.report.pages import Card


@dataclass(frozen=True, kw_only=True)
class NotebookOutcome:
    """What became of one notebook; `reason` is empty where it was made."""

    name: str
    title: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportOutcome:
    """A published report.

    Attributes
    ----------
    out, private : Path
        The report, and the folder of what is not to be shared.
    made, failed, not_made : tuple of NotebookOutcome
        Every notebook is in one of them.
    """

    out: Path
    private: Path
    made: tuple[NotebookOutcome, ...]
    failed: tuple[NotebookOutcome, ...]
    not_made: tuple[NotebookOutcome, ...]

    @property
    def exit_code(self) -> int:
        """0, or 2 where a notebook failed."""
        return 2 if self.failed else 0


def make_report(
    study: Study,
    *,
    notebooks: Path | None = None,
    out: Path,
    only: Sequence[str] = (),
    jobs: int | None = None,
    fresh: bool = False,
    workbook: bool = False,
    pdf: bool = False,
    since: Earlier | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ReportOutcome:
    """Run the notebooks a study can feed, and publish the report.

    Parameters
    ----------
    study : Study
    notebooks : Path, optional
        Folder of numbered notebooks; the one beside the package where not given.
    out : Path
        Folder of the report, replaced whole. What is not to be shared goes to ``OUT-private``.
    only : sequence of str
        Notebooks to run, with or without number; all where empty.
    jobs : int, optional
        How many run side by side; two where not given, or one on a single processor.
    fresh : bool
        Run every notebook, even where nothing it depends on has changed since the last run.
    workbook : bool
        Write all results as ``results.xlsx``, too, a sheet each.
    pdf : bool
        Write a board pack, too: ``board_pack.html``, and where there is a browser ``board_pack.pdf``.
    since : Earlier, optional
        An earlier report of the study (`read_earlier`): the first page says what changed since.
    progress : callable, optional
        Told how far each notebook is.

    Returns
    -------
    ReportOutcome

    Raises
    ------
    ReportError
        Nothing could be published; what was at `out` is as it was.
    """
    out = out.resolve()
    folder = (notebooks or own_notebooks()).resolve()
    if study.folder is None:
        raise ReportError("a report needs a study that was opened from its folder, or a part of one by values")
    if study.nothing_accepted:
        raise ReportError(study.nothing_accepted)
    study_folder, data_folder = study.folder.resolve(), (study.data_folder or study.folder).resolve()
    chosen = read_notebooks(folder, only=only)
    check_part(study, chosen)
    if since is not None:
        check_earlier(since, study)
    check_place(out)
    check_place(private_folder(out), private=True)
    counted = without_small_waves(study)
    check_small_waves(counted, chosen)
    missing = {each.name: reason for each in chosen if (reason := _why_not_made(counted, each))}
    nodes = {
        each.name: with_parameters(each, study_folder=study_folder, data_folder=data_folder, part=study.part)
        for each in chosen
        if each.name not in missing
    }
    last: dict[str, Progress] = {}

    def tell(news: Progress) -> None:
        last[news.notebook] = news
        if progress:
            progress(news)

    for name in missing:
        tell(Progress(notebook=name, cells_done=0, cells_total=0, seconds=0.0, state="not made"))
    with workspace(out) as place:
        keys = cache_keys(study, nodes, (folder, study_folder, data_folder))
        kept = {} if fresh else unchanged_notebooks(out, keys)
        for name in kept:
            tell(Progress(notebook=name, cells_done=0, cells_total=0, seconds=0.0, state="unchanged"))
        to_run = {name: node for name, node in nodes.items() if name not in kept}
        keep_lists(private_folder(out), place.private, kept)
        ended = run_notebooks(
            to_run,
            folder=folder,
            runtime=place.runtime,
            lists=place.private / LISTS_FOLDER,
            jobs=jobs or _default_jobs(),
            progress=tell,
        )
        nodes, ended = nodes | kept, ended | dict.fromkeys(kept)
        parts = assemble(study, (study_folder, data_folder), chosen, nodes, ended, missing)
        for part in parts:
            if part.card.state == "failed" and last[part.card.name].state != "failed":
                tell(replace(last[part.card.name], state="failed"))
        try:
            write_report(study, parts, place, workbook=workbook, pdf=pdf, earlier=since)
        except RefusedReportError as refused:
            kept_at = tell_in_private(private_folder(out), refused.told)
            raise ReportError(f"{refused}; {kept_at} says which, and where") from refused
        write_record(place.private, keys, parts)
        place.publish(out, private_folder(out))
    return _outcome(out, [part.card for part in parts])


def _why_not_made(study: Study, notebook: ReportNotebook) -> str:
    """Why a study cannot feed a notebook, or empty. Other errors are the notebook's own, and its page tells them."""
    if not study.can_answer(*notebook.needs):
        return study.missing(*notebook.needs)
    with suppress(NPSResearchError):
        return why_not(notebook.answered_by, study) if notebook.answered_by else ""
    return ""


def _default_jobs() -> int:
    return min(2, os.cpu_count() or 1)


def _outcome(out: Path, cards: Sequence[Card]) -> ReportOutcome:
    def those(state: str) -> tuple[NotebookOutcome, ...]:
        chosen = (card for card in cards if card.state == state)
        return tuple(NotebookOutcome(name=card.name, title=card.title, reason=card.reason) for card in chosen)

    return ReportOutcome(
        out=out, private=private_folder(out), made=those("made"), failed=those("failed"), not_made=those("not made")
    )
