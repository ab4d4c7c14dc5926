"""verify_report: run a study's notebooks again and hold every number and text against the report there is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from nps_research.errors import ReportError
from nps_research.report.assemble import CHECKSUMS
from nps_research.report.differences import Difference, compare_results, compare_values
from nps_research.report.execute import Progress
from nps_research.report.provenance import own_notebooks
from nps_research.report.publish import MADE_BY
from nps_research.report.runner import NotebookOutcome, make_report
from nps_research.report.since import Earlier
from nps_research.results.words import plain_text
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How a report compares with what its notebooks say now.

    Attributes
    ----------
    differences : tuple of Difference
        Every value that differs.
    n_values : int
        How many were compared.
    files : tuple of str
        A sentence for each file of the report that is not as the run wrote it, or would not come out the same.
    made_from : tuple of str
        What has changed of data, version, commit, lock, Python and seed, from what to what.
    failed : tuple of NotebookOutcome
        Notebooks that fail now; their results are not compared.
    """

    differences: tuple[Difference, ...]
    n_values: int
    files: tuple[str, ...]
    made_from: tuple[str, ...]
    failed: tuple[NotebookOutcome, ...]

    @property
    def exit_code(self) -> int:
        """0 where all is the same, 1 where anything differs, 2 where a notebook failed."""
        return 2 if self.failed else int(bool(self.differences or self.files))

    @property
    def finding(self) -> str:
        """What came out, and the likely reason."""
        n = len(self.differences)
        found = "1 difference was found" if n == 1 else f"{n:,} differences were found"
        if n == 0:
            found = f"All {self.n_values:,} values compared are the same"
        if self.made_from:
            return f"{found}. Changed since the report was made: {'; '.join(self.made_from)}."
        if n == 0:
            return f"{found}."
        return (
            f"{found}, although data, version, commit, lock, Python and seed are the same. Perhaps results.json or the "
            "code was changed by hand, or other packages are installed than the lock says."
        )


def verify_report(
    study: Study,
    *,
    report: Path,
    notebooks: Path | None = None,
    jobs: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Verification:
    """Run the notebooks of a report again, elsewhere, and compare all that it says; the report is not touched.

    The comparison is exact. Numbers in ``results.json`` have 12 significant digits, past the last bits in which
    processors differ; a tolerance would have to be chosen without knowing which difference matters.

    Parameters
    ----------
    study : Study
        Opened from its folder.
    report : Path
        Folder of the report.
    notebooks, jobs, progress : optional
        As for `make_report`.

    Raises
    ------
    ReportError
        There is no report that can be read, or its notebooks cannot be run.
    """
    was, stated = _read_results(report), _checksums(report)
    folder = notebooks or own_notebooks()
    names = [each["name"] for each in was["notebooks"] if (folder / f"{each['name']}.ipynb").is_file()]
    if not names:
        raise ReportError(f"none of the notebooks of the report in {report} is in {folder}")
    files = _changed_files(report, stated)
    with tempfile.TemporaryDirectory(prefix="nps-research-") as place:
        out = Path(place) / "report"
        since = Earlier.from_json(was["since"]) if "since" in was else None
        made = make_report(study, notebooks=folder, out=out, only=names, jobs=jobs, since=since, progress=progress)
        now, written = _read_results(out), _checksums(out)
    found, n_values = compare_results(was, now)
    made_from = compare_values(("", "", ""), was["made_from"], now["made_from"])
    if not (found or made_from or made.failed):  # else their footers differ, or what they say
        files |= {
            name: f"{name} comes out different, though all values are the same"
            for name in sorted(stated.keys() & written)
            if name not in files and stated[name] != written[name]
        }
    return Verification(
        differences=tuple(found),
        n_values=n_values,
        files=tuple(files.values()),
        made_from=tuple(f"{each.column} ({_short(each.was)} to {_short(each.now)})" for each in made_from),
        failed=made.failed,
    )


def _read_results(report: Path) -> dict[str, Any]:
    """``results.json`` of a report, sure to have the shape that is compared."""
    try:
        content: dict[str, Any] = json.loads((report / "results.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"there is no report in {report}; name its folder with --report") from error
    except ValueError as error:
        raise ReportError(f"results.json in {report} is not JSON: it was changed after the run") from error
    try:
        ours = content["made_by"] == MADE_BY and content["schema"] == 1
        compare_results(content, content)
        compare_values(("", "", ""), content["made_from"], content["made_from"])
        if "since" in content:
            Earlier.from_json(content["since"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        ours = False
    if not ours:
        raise ReportError(f"results.json in {report} is of another version, or was changed after the run")
    return content


def _checksums(report: Path) -> dict[str, str]:
    """SHA-256 by file, as the report states them; empty where it states none."""
    try:
        lines = (report / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _changed_files(report: Path, stated: dict[str, str]) -> dict[str, str]:
    """A sentence, by name, for each file that is not as the run wrote it; hidden ones are the system's."""
    if not stated:
        return {CHECKSUMS: f"{CHECKSUMS} is missing or empty: whether files were changed after the run is not known"}
    found = {path.relative_to(report).as_posix(): path for path in report.rglob("*") if path.is_file()}
    changed = {}
    for name in sorted(stated.keys() | found):
        if name not in found:
            changed[name] = "was removed"
        elif name in stated:
            if sha256(found[name].read_bytes()).hexdigest() != stated[name]:
                changed[name] = "was changed"
        elif name != CHECKSUMS and not any(part.startswith(".") for part in Path(name).parts):
            changed[name] = "was added"
    return {name: f"{plain_text(name)} {what} after the run" for name, what in changed.items()}


def _short(value: Any) -> str:
    """A hash by its first digits."""
    first, _, rest = str(value).partition(" ")
    return plain_text(f"{first[:12]} {rest}".strip())
