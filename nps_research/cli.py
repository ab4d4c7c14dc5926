"""The nps-research command: make reports, verify them, check a study, begin a new one."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from nps_research.errors import NPSResearchError
from nps_research.results.terminal import for_terminal, write_what_can_be_written
from nps_research.study.study import Study

if TYPE_CHECKING:
    from nps_research.study.draft.further import FurtherDraft


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True)
_LINES = 30  # of a long list of differences

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with the study's study.toml.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the tables, if not the study's own.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE", help="Only responses with this value, or several: 'Region=UK,IE'; repeatable."
    ),
]
JobsOption = Annotated[int | None, typer.Option(metavar="N", min=1, help="Notebooks to run side by side.")]


@app.callback()
def _begin() -> None:
    """Net Promoter Score research: reports from survey exports."""
    write_what_can_be_written()


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does: tidied up."""


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """Our errors and the system's in a line, exit code 1; Ctrl-C 130, SIGTERM 143; a bug shows its traceback."""

    def terminate(*_: object) -> None:
        raise _Terminated

    said = Console(stderr=True, highlight=False, soft_wrap=True)
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except NPSResearchError as error:
        said.print(f"[bold red]Error:[/] {for_terminal(str(error))}")
        raise typer.Exit(1) from None
    except BrokenPipeError:
        raise  # whoever read our words has gone; typer ends quietly
    except OSError as error:
        said.print(f"[bold red]Error:[/] {for_terminal(error.strerror or type(error).__name__)}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt as stop:
        said.print("Stopped. Nothing is left half made.")
        raise typer.Exit(143 if isinstance(stop, _Terminated) else 130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@app.command()
def report(
    study: StudyArgument,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write; default reports/STUDY.")] = None,
    where: WhereOption = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this notebook, e.g. 01_score; repeatable.")
    ] = None,
    jobs: JobsOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run every notebook, even those unchanged since the last run.")
    ] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="A board pack of a few sheets, too, printed by a browser.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="results.json of an earlier report: the first page says what changed."),
    ] = None,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="All results as results.xlsx, too, a sheet each.")] = False,
) -> None:
    """Run every notebook the study can feed and write the report. Exit code 2 if a notebook failed."""
    with _errors_in_words():
        from nps_research.report import make_report, read_earlier
        from nps_research.report.parts import read_filters
        from nps_research.report.shown_progress import shown_progress
        from nps_research.study.study import open_study

        opened = open_study(study, data=data).where(**read_filters(where or ()))
        console.print(for_terminal(f"{opened.name}: {opened.base}."))
        target = out or _default_report(study, opened)
        earlier = None if since is None else read_earlier(since)
        with shown_progress(console) as show:
            made = make_report(
                opened,
                out=target,
                only=only or (),
                jobs=jobs,
                fresh=fresh,
                workbook=xlsx,
                pdf=pdf,
                since=earlier,
                progress=show,
            )
    for outcome in made.not_made:
        console.print(for_terminal(f"Not made: {outcome.title}. {outcome.reason}"))
    for outcome in made.failed:
        console.print(f"[bold red]Failed:[/] {for_terminal(outcome.title)}. {for_terminal(outcome.reason)}")
    console.print(for_terminal(f"Report: {_relative(made.out / 'index.html')}"))
    if pdf:
        from nps_research.report.board_pack import BOARD_PACK, BOARD_PAGE

        pack = made.out / BOARD_PACK
        there = "" if pack.exists() else "no browser printed it: open it in one, and print. "
        console.print(for_terminal(f"Board pack: {there}{_relative(pack if pack.exists() else made.out / BOARD_PAGE)}"))
    console.print(for_terminal(f"Private, not to be shared: {_relative(made.private)}"))
    raise typer.Exit(made.exit_code)


@app.command()
def demo(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")] = Path("demo")) -> None:
    """Put the made-up company's study into a folder, to try a report on."""
    from nps_research.report.provenance import made_up_company

    with _errors_in_words():
        if folder.exists():
            raise NPSResearchError(f"{folder} is there already and was left alone; choose another folder")
        shutil.copytree(made_up_company(), folder)
    console.print(for_terminal(f"Made-up data in {folder}. Next: nps-research report {folder}"))


@app.command()
def verify(
    study: StudyArgument,
    data: DataOption = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="The report; default reports/STUDY.")] = None,
    where: WhereOption = None,
    jobs: JobsOption = None,
) -> None:
    """Run a report's notebooks again and compare every value. Exit code 1 if any differs, 2 if a notebook failed."""
    from nps_research.report import verify_report
    from nps_research.report.parts import read_filters
    from nps_research.report.shown_progress import shown_progress
    from nps_research.study.study import open_study

    with _errors_in_words():
        opened = open_study(study, data=data).where(**read_filters(where or ()))
        with shown_progress(console) as show:
            found = verify_report(opened, report=report or _default_report(study, opened), jobs=jobs, progress=show)
    for sentence in (*found.files, *(f"Failed: {each.title}. {each.reason}" for each in found.failed)):
        console.print(for_terminal(sentence))
    for place, differences in groupby(found.differences[:_LINES], lambda each: each.place):
        console.print(f"[bold]{for_terminal(place)}[/]")
        for difference in differences:
            console.print(for_terminal(f"  {difference.text}"))
    if len(found.differences) > _LINES:
        console.print(f"  and {len(found.differences) - _LINES:,} more")
    console.print(for_terminal(found.finding))
    raise typer.Exit(found.exit_code)


@app.command()
def check(
    study: StudyArgument,
    data: DataOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 on warnings, too.")] = False,
) -> None:
    """Hold a study against the data contract and say in words what was found. Exit code 1 on errors."""
    from nps_research import intake as overview
    from nps_research.errors import ContractError
    from nps_research.intake.listings import columns_filled, further_tables
    from nps_research.study.study import open_study

    with _errors_in_words():
        opened = open_study(study, data=data)
        results = [
            overview.intake,
            *([further_tables] if opened.tables else []),
            overview.broken_rules,
            overview.reading_notes,
            overview.identity_checks,
            *([] if opened.nothing_accepted else [overview.questions]),
        ]
        console.print(f"[bold]{for_terminal(opened.name)}[/]")
        console.print(for_terminal(f"Period: {opened.period}. {opened.base}."))
        _print_frame(columns_filled(opened), "Columns of the contract")
        for result in results:
            listing = result(opened)
            console.print(f"\n{for_terminal(listing.finding)}")
            if len(listing.frame):
                _print_frame(listing.frame.rename(columns=listing.headings), listing.title)
        if opened.nothing_accepted:
            raise ContractError(opened.nothing_accepted)
        for warning in opened.warnings:
            console.print(f"\n[bold red]Warning:[/] {for_terminal(warning)}")
        if opened.too_much_lost:
            raise ContractError("more than half of the answers are lost: what is left speaks for nobody.")
        if strict and opened.warnings:
            raise typer.Exit(1)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A survey export (CSV, Excel, SPSS, Parquet, DuckDB).")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Study folder to make; default data/FILE's name.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study.")] = None,
    customers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A second file: customers or accounts, who left and when.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    header_rows: Annotated[int | None, typer.Option(min=1, max=5, help="Rows that the names of columns take.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file.")] = None,
    what: Annotated[
        str | None,
        typer.Option("--as", metavar="TABLE", help="Add the file to the study in --out: callbacks, complaints, ..."),
    ] = None,
) -> None:
    """Read an export, guess what its columns mean, and write a commented study.toml to correct."""
    from nps_research.errors import ContractError
    from nps_research.study.draft.draft import draft_study
    from nps_research.study.draft.further import LOOKS_LIKE, add_to_study

    with _errors_in_words():
        target = (out or Path("data") / file.stem) / "study.toml"
        if what not in (None, "responses"):
            ids = _ids_of(target.parent, file.parent)
            added = add_to_study(target, file, what, sheet=sheet, header_rows=header_rows, encoding=encoding, ids=ids)
            _say_added(added, target)
            return
        if target.exists():
            raise ContractError(
                f"{_relative(target)} is there already; it was not touched. Name another folder with --out."
            )
        draft = draft_study(
            file, name=name, sheet=sheet, header_rows=header_rows, encoding=encoding, customers=customers
        )
        if draft.seems and what is None:
            raise ContractError(
                f"{file.name} names no answers from 0 to 10 and looks like {LOOKS_LIKE[draft.seems][0]}. To add it to "
                f"a study: nps-research init {shlex.quote(str(file))} --as {draft.seems} --out data/STUDY. If it is a "
                "survey all the same: --as responses"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(draft.toml, encoding="utf-8", newline="\n")
        table = Table()
        for heading in ("What", "Column", "Why"):
            table.add_column(heading, overflow="fold")
        for line in draft.found:
            table.add_row(for_terminal(line.what), for_terminal(line.columns), for_terminal(line.why))
        console.print(table)
        for sentence in draft.cannot:
            console.print(f"[yellow]cannot[/]    {for_terminal(sentence)}")
        for sentence in draft.warnings:
            console.print(f"[yellow]note[/]      {for_terminal(sentence)}")
        for sentence in draft.questions:
            console.print(f"[red]question[/]  {for_terminal(sentence)}")
        if draft.has_score:
            console.print(for_terminal(_score_as_drafted(target, file.parent)))
    console.print(for_terminal(f"Wrote {_relative(target)}: read it, correct the guesses, then run"))
    data = shlex.quote(str(_relative(file.parent)))
    console.print(for_terminal(f"  nps-research check {shlex.quote(str(_relative(target.parent)))} --data {data}"))


def _ids_of(folder: Path, data: Path) -> dict[str, frozenset[str]]:
    """The ids of a study by their columns, to know a column of another file by; none where it cannot be opened yet."""
    from nps_research.study.study import open_study

    for place in (None, data):
        with suppress(NPSResearchError):
            study = open_study(folder, data=place)
            found = {}
            for name in ("respondent_id", "customer_id", "account_id"):
                tables = [table for table in (study.responses, study.customers) if table is not None and name in table]
                found[name] = frozenset(each for table in tables for each in table[name].dropna().astype(str))
            if "responses.respondent_id" not in study.available:  # row numbers are nobody's
                found.pop("respondent_id")
            return found
    return {}


def _say_added(draft: FurtherDraft, target: Path) -> None:
    found = Table("What", "Column")
    for name, column in draft.columns.items():
        found.add_row(for_terminal(name), for_terminal(column))
    console.print(found)
    for name in draft.lacks:
        console.print(f"[red]question[/]  {for_terminal(f'Which column is {name}? Without it no row counts.')}")
    console.print(
        for_terminal(f"Added [{draft.table}] to {_relative(target)}: read it, correct the guesses, check it.")
    )


def _score_as_drafted(target: Path, data: Path) -> str:
    """The score that the drafted study gives, in a sentence."""
    from nps_research.counting import score_distribution
    from nps_research.score import net_promoter_score
    from nps_research.study import open_study

    opened = open_study(target.parent, data=data)
    if opened.nothing_accepted:
        return f"As drafted, {opened.nothing_accepted}."
    return f"As drafted: {net_promoter_score(score_distribution(opened)).finding}"


@app.command()
def studies(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of study folders.")] = Path("data"),
) -> None:
    """List the studies of a folder and whether their tables are there."""
    from nps_research.study.settings_file import read_study_file

    table = Table("Study", "Name", "Tables")
    with _errors_in_words():
        for path in sorted(folder.glob("*/study.toml")):
            file = read_study_file(path)
            sources = [source for table in file.every_table.values() for source in table.sources]
            files = dict.fromkeys(source.file for source in sources if source.file)
            absent = [file for file in files if not (path.parent / file).is_file()]
            state = f"not here (name their folder with --data): {', '.join(absent)}" if absent else "here"
            made_up = " (made up)" if file.made_up else ""
            table.add_row(for_terminal(str(path.parent)), for_terminal(file.name + made_up), for_terminal(state))
    console.print(table)


def _print_frame(frame: pd.DataFrame, title: str) -> None:
    table = Table(*(for_terminal(str(name)) for name in frame.columns), title=for_terminal(title), title_justify="left")
    for row in frame.astype("str").fillna("").itertuples(index=False):
        table.add_row(*(for_terminal(value) for value in row))
    console.print(table)


def _default_report(study: Path, opened: Study) -> Path:
    from nps_research.report.parts import part_folder

    name = (study.parent if study.suffix == ".toml" else study).resolve().name
    return Path("reports") / (part_folder(name, opened.part) if opened.part else name)


def _relative(path: Path) -> Path:
    """A path as the user would type it: relative to where they are, if it lies below."""
    resolved = path.resolve()
    return resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved


def main() -> None:
    """Run the command; what cannot be written, wherever it is said, is an error in a line, too."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries repeat what they read, as it came
    try:
        with _errors_in_words():
            app()
    except typer.Exit as end:
        sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
