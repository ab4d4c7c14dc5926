"""Notebooks' processes, forked from one that has imported what notebooks import: once for a report, not for each page.

Only on Linux: elsewhere a process cannot be forked safely once it has imported all that, and each imports for itself.
"""

from __future__ import annotations

import json
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

CAN_FORK = sys.platform == "linux"
SINGLE_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # of Arrow's memory: no thread may run at a fork
_IMPORTED_LATE = (  # but for what starts threads
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "lightgbm",
    "matplotlib.backends.backend_svg",
    "scipy.optimize",
    "sklearn.linear_model",
)


class KernelForks:
    """The process that has imported all, and what is asked of it; close it when the report is made.

    Parameters
    ----------
    environment : mapping
        Of the process; forks have their own.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        work = f"from {__name__} import fork_on_order; fork_on_order()"
        self._origin = subprocess.Popen(
            [sys.executable, "-Xfrozen_modules=off", "-P", "-c", work],
            env={**environment, **SINGLE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the report, which ends its notebooks itself
        )

    def fork(self, command: Sequence[str], environment: Mapping[str, str], folder: str) -> _ForkedProcess:
        """Fork a process that becomes the kernel `command` would start.

        Raises
        ------
        RuntimeError
            The process that has imported all is no more.
        """
        order = {"command": list(command), "environment": dict(environment), "folder": folder}
        return _ForkedProcess(self, self._answer(order))

    def exit_code(self, pid: int) -> int | None:
        """Tell how a fork ended; None while it runs."""
        try:
            code: int | None = self._answer(pid)
        except RuntimeError:
            return -signal.SIGKILL  # forks end with the process they come from
        return code

    def close(self) -> None:
        """End the process, and with it all forks."""
        with suppress(BrokenPipeError):
            self._origin.communicate()

    def _answer(self, order: object) -> Any:
        source, sink = self._origin.stdout, self._origin.stdin
        with suppress(BrokenPipeError, ValueError):  # a closed pipe, or no answer
            if source and sink:
                sink.write(json.dumps(order) + "\n")
                sink.flush()
                return json.loads(source.readline())
        raise RuntimeError("the process that starts notebooks has stopped")


class _ForkedProcess:
    """A fork, as jupyter_client handles a process."""

    stdin = stdout = stderr = None

    def __init__(self, forks: KernelForks, pid: int) -> None:
        self._forks, self.pid = forks, pid
        self._ended: int | None = None

    def poll(self) -> int | None:
        if self._ended is None:
            self._ended = self._forks.exit_code(self.pid)
        return self._ended

    wait = poll  # asked for only when it has ended

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class _Provisioner(LocalProvisioner):
    forks: KernelForks

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        self.process: Any = self.forks.fork(cmd, kwargs["env"], str(kwargs["cwd"]))
        self.pid = self.pgid = self.process.pid  # each fork leads a group of its own
        self.cwd = kwargs["cwd"]
        return self.connection_info


def start_by_fork(kernel: AsyncKernelManager, forks: KernelForks) -> None:
    """Let a kernel that has not started be a fork."""
    kernel.kernel_id = Path(kernel.connection_file).stem
    kernel.provisioner = _Provisioner(kernel_id=kernel.kernel_id, kernel_spec=kernel.kernel_spec, parent=kernel)
    kernel.provisioner.forks = forks


def fork_on_order() -> None:
    """Import what notebooks import, then do as standard input says, line by line, until it ends: then all forks end.

    An order is an object (fork: the answer is the new process's number) or a number (how that process ended, or null).
    """
    for name in (*_rooms_figures(), *_IMPORTED_LATE):
        import_module(name)
    running = set()
    for line in sys.stdin:
        order = json.loads(line)
        if isinstance(order, int):
            pid, status = os.waitpid(order, os.WNOHANG)
            running.discard(pid)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                _become_kernel(**order)
                return
            running.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in running:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _rooms_figures() -> list[str]:
    """Modules that draw: importing them imports their rooms, too."""
    import nps_research

    names = (each.name for each in pkgutil.walk_packages(nps_research.__path__, "nps_research."))
    return [name for name in names if name.endswith(".figures")]


def _become_kernel(command: list[str], environment: dict[str, str], folder: str) -> None:
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # standard output is for answers to orders
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [*command[command.index("-m") + 1 :], f"--IPKernelApp.parent_handle={os.getppid()}"]
    IPKernelApp.launch_instance()
