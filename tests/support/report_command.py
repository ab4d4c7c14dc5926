"""`nps-research report` in a process of its own, forked from one that has imported everything, with a fault put in."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nps_research import cli
from nps_research.report import make_report, runner
from nps_research.report.provenance import CHECKOUT
from nps_research.report.publish import private_folder
from nps_research.study.study import open_study
from tests.support.report_notebooks import code, notebook, write_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

CELL = "Zylinderkopfdichtung"  # of a comment: in no word to the user
NEW_NAME = "Made up, opened again"
NOT_FED = notebook("Who leaves", needs=("customers.churned_at",))
WAITS = notebook(
    "Waits",
    code("import os\nfrom pathlib import Path\nPath(study_folder, '../pid').write_text(f'{os.getpid()}\\n')"),
    code("Path(study_folder, '../go').read_text()"),
)

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.support.report_command"])


def _no_fault() -> None:
    pass


class Place:
    """A study, perhaps a report on it, and notebooks for the next one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.study, self.out = folder, folder / "study", folder / "reports" / "out"
        self.study.mkdir(parents=True)
        self.out.parent.mkdir()
        rows = "".join(f"r{row},{row % 11},{CELL} {row}\n" for row in range(40))
        (self.study / "answers.csv").write_text(f"ID,NPS,Comment\n{rows}bad,99,{CELL}\n", encoding="utf-8")
        self.name_study("Made up")
        write_notebooks(folder / "quick" / "notebooks", n01_churn=NOT_FED)
        write_notebooks(folder / "slow" / "notebooks", n01_waits=WAITS, n02_churn=NOT_FED)
        os.mkfifo(folder / "pid")
        os.mkfifo(folder / "go")
        self.before: dict[str, bytes] = {}

    def name_study(self, name: str) -> None:
        columns = 'respondent_id = "ID", likelihood_to_recommend = "NPS", comment = "Comment"'
        text = f'name = "{name}"\nmade_up = true\n[responses]\nfile = "answers.csv"\ncolumns = {{ {columns} }}\n'
        (self.study / "study.toml").write_text(text, encoding="utf-8")

    def report(self) -> None:
        """Make a report here and now; it needs no notebook's process."""
        make_report(open_study(self.study), notebooks=self.folder / "quick" / "notebooks", out=self.out)

    def with_report(self) -> Place:
        """Make the report that is to stay whole, and change the study."""
        self.report()
        self.before = self.files()
        self.name_study(NEW_NAME)
        return self

    def files(self, *, shared: bool = False) -> dict[str, bytes]:
        """What the report, and unless `shared` its private folder, hold."""
        folders = [self.out] if shared else [self.out, private_folder(self.out)]
        paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.out.parent)): path.read_bytes() for path in paths}

    def beside(self) -> list[str]:
        return sorted(path.name for path in self.out.parent.iterdir())

    def start(self, notebooks: str = "quick", *, fault: Callable[[], None] = _no_fault) -> Run:
        return Run(self, notebooks, fault)

    def kernel(self) -> int:
        """The process of the notebook that waits, when it has come there."""
        descriptor = os.open(self.folder / "pid", os.O_RDWR)
        try:
            assert select.select([descriptor], [], [], 100)[0], "no notebook came so far"
            return int(os.read(descriptor, 100))
        finally:
            os.close(descriptor)

    def let_go(self) -> None:
        """Let the notebook that waits go on."""
        (self.folder / "go").write_text("on", encoding="utf-8")

    def assert_as_before(self) -> None:
        assert self.files() == self.before
        assert self.beside() == ["out", "out-private"]

    def assert_heals(self) -> None:
        """The next run makes the report as if nothing had been."""
        self.report()
        assert NEW_NAME.encode() in self.files()["out/index.html"]
        assert self.beside() == ["out", "out-private"]


class Run:
    """The command while it runs, at the head of a group of processes."""

    _started = 0

    def __init__(self, place: Place, notebooks: str, fault: Callable[[], None]) -> None:
        Run._started += 1
        self._said = [place.folder / f"said-{Run._started}-{stream}" for stream in ("out", "err")]
        arguments = (place.study, place.out, place.folder / notebooks, self._said, fault)
        self._process = forks.Process(target=command, args=arguments)
        self._process.start()
        self.pid = self._process.pid or 0

    def ends(self) -> int:
        """Its exit code; with a minus the signal that killed it."""
        self._process.join(100)
        code = self._process.exitcode
        assert code is not None, "it did not end"
        shown, errors = self.shown, self.errors
        assert "Traceback" not in errors, errors
        assert CELL not in f"{shown}{errors}"
        return code

    @property
    def shown(self) -> str:
        return self._said[0].read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        return self._said[1].read_text(encoding="utf-8")


def command(study: Path, out: Path, notebooks: Path, said: list[Path], fault: Callable[[], None]) -> None:
    """Become `nps-research report` with notebooks other than the checkout's."""
    os.setsid()
    os.chdir(CHECKOUT)
    for descriptor, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner.own_notebooks = lambda: notebooks / "notebooks"
    sys.argv = ["nps-research", "report", str(study), "--out", str(out)]
    fault()
    cli.app()


def gone(process: int) -> bool:
    """Whether a process ends, within half a minute."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor):
        return bool(select.select([descriptor], [], [], 30)[0])


def obey_permissions() -> None:
    """Have permissions hold for root, too: give up the privileges to read and write anywhere."""
    if os.geteuid() != 0:
        return
    privileges, bounding_set_drop, version_3 = (1, 2), 24, 0x20080522  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    c = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: low words, then high ones
    for privilege in privileges:
        assert c.prctl(bounding_set_drop, privilege, 0, 0, 0) == 0
    assert c.capget(header, sets) == 0
    for position in range(3):
        sets[position] &= ~sum(1 << privilege for privilege in privileges)
    assert c.capset(header, sets) == 0


def mount_small_disk(folder: Path) -> bool:
    """Mount a disk of 2 MB in a name space of this process; False where that is not allowed."""
    new_mounts, new_users, private_below = 0x00020000, 0x10000000, 0x40000 | 0x4000
    user, group = os.getuid(), os.getgid()
    c = ctypes.CDLL(None, use_errno=True)
    if c.unshare(new_users | new_mounts) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    return bool(
        c.mount(None, b"/", None, private_below, None) == 0
        and c.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=2m") == 0
    )
