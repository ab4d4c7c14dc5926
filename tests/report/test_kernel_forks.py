"""Notebooks that run in forks of one process: the same as in processes of their own, and none outlives the report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nps_research.report import execute, kernel_forks, make_report
from nps_research.report.execute import kernel_environment
from nps_research.report.kernel_forks import CAN_FORK, KernelForks
from nps_research.report.provenance import CHECKOUT
from tests.report.test_runner import start
from tests.support.published import files_of
from tests.support.report_notebooks import code, notebook, score_notebook, stand_in_study, write_notebooks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="elsewhere each notebook imports for itself")

WAITS = notebook(
    "Waits",
    code("import os\nopen(study_folder + '/pid', 'w').write(str(os.getpid()))"),
    code("import threading\nthreading.Event().wait()"),
)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or ends within ten seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_report_is_the_same_with_forks_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = notebook(
        "Told",
        code("""
            import os, sys
            print(set('north south east west'.split()), sys.path[0] == '', os.environ['PYTHONHASHSEED'])
            print(os.getcwd() == os.path.realpath(study_folder), os.environ['TZ'])
        """),
    )
    write_notebooks(tmp_path / "notebooks", n01_score=score_notebook(), n02_told=told)
    for out, can_fork in (("forks", True), ("own", False)):
        monkeypatch.setattr(execute, "CAN_FORK", can_fork)
        outcome = make_report(stand_in_study(tmp_path / "demo"), notebooks=tmp_path / "notebooks", out=tmp_path / out)
        assert outcome.exit_code == 0
    assert files_of(tmp_path / "forks") == files_of(tmp_path / "own")
    assert b"north" in files_of(tmp_path / "forks")["02_told.html"].partition(b"<main")[2]


def test_no_thread_runs_where_processes_are_forked(tmp_path: Path) -> None:
    told = "import os; from nps_research.report import kernel_forks as forks; forks.fork_on_order(); "
    told += "print(len(os.listdir('/proc/self/task')))"
    environment = kernel_environment(tmp_path) | kernel_forks.SINGLE_THREAD
    run = subprocess.run(
        [sys.executable, "-c", told],
        env=environment,
        cwd=CHECKOUT,
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "1"


@pytest.mark.whole
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_no_fork_outlives_the_report(tmp_path: Path, blow: signal.Signals) -> None:
    write_notebooks(tmp_path / "notebooks", n01_waits=WAITS, n02_one=notebook("One", code("1")))
    run = start(tmp_path, "out")
    assert run.stdout is not None
    for line in run.stdout:
        if line.split() == ["01_waits", "2", "running"]:
            run.send_signal(blow)
    run.communicate()
    assert run.returncode != 0
    assert is_gone(int((tmp_path / "demo" / "pid").read_text()))
    assert not (tmp_path / "out").exists()


@pytest.mark.whole
def test_a_report_goes_on_where_the_process_that_forks_is_killed(tmp_path: Path) -> None:
    kill = code("import os, signal, threading\nos.kill(os.getppid(), signal.SIGKILL)\nthreading.Event().wait()")
    write_notebooks(tmp_path / "notebooks", n01_one=notebook("One", code("1")), n02_kills=notebook("Kills", kill))
    outcome = make_report(
        stand_in_study(tmp_path / "demo"), notebooks=tmp_path / "notebooks", out=tmp_path / "out", jobs=1
    )
    assert [each.name for each in outcome.failed] == ["01_one", "02_kills"]
    assert {each.reason.partition(":")[0] for each in outcome.failed} == {"DeadKernelError", "RuntimeError"}


@pytest.mark.whole
def test_a_fork_says_how_it_ended(tmp_path: Path) -> None:
    forks = KernelForks(kernel_environment(tmp_path))
    try:
        fork = forks.fork(["python", "-m", "none", "--no-such-option=1", "--help"], dict(os.environ), str(tmp_path))
        while fork.poll() is None:
            time.sleep(0.1)
        assert fork.poll() == fork.wait() == 0
        fork.send_signal(signal.SIGINT)  # too late: nobody is hit
    finally:
        forks.close()
    assert forks.exit_code(fork.pid) == -signal.SIGKILL
