"""Running notebooks: each in a Python process of its own, the same wherever and whenever it runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from nps_research import errors
from nps_research.report.kernel_forks import CAN_FORK, KernelForks, start_by_fork
from nps_research.report.sanitise import plain_output
from nps_research.results.display import IN_REPORT
from nps_research.results.listing import LISTS

if TYPE_CHECKING:
    from nbformat import NotebookNode


_DROPPED_VARIABLES = {
    *("PYTHONSTARTUP", "PYTHONIOENCODING", "LANGUAGE"),
    *("MATPLOTLIBRC", "JUPYTER_PATH", "JUPYTER_PREFER_ENV_PATH"),
}
_START_TIMEOUT = 300  # seconds; importing on a busy machine is slow
_OUTPUT_TIMEOUT = 120  # seconds without a word after a cell has ended


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one notebook is.

    Attributes
    ----------
    notebook : str
        Its name.
    cells_done, cells_total : int
        Code cells.
    seconds : float
        Since this notebook started.
    state : {"running", "made", "failed", "not made", "unchanged"}
        "unchanged": taken from the last run.
    """

    notebook: str
    cells_done: int
    cells_total: int
    seconds: float
    state: Literal["running", "made", "failed", "not made", "unchanged"]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a notebook did not end well.

    Attributes
    ----------
    error : str
        Class of the error.
    message : str
        What may be told to everyone; empty unless the error is one of ours.
    traceback : str
        For the private folder only: it can hold anything.
    """

    error: str
    message: str = ""
    traceback: str = ""


def kernel_environment(runtime: Path) -> dict[str, str]:
    """Make the environment of the notebooks' processes: nothing of the user's own set-up reaches them.

    All of one run share the folder `runtime`, so that fonts are looked up once.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _DROPPED_VARIABLES}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")
    environment |= dict.fromkeys(threads, "1")
    environment |= {name: str(runtime / name.lower()) for name in folders}
    environment |= {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        IN_REPORT: "1",  # pages stand still: nothing that needs a live session
    }
    environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    for name in folders:
        Path(environment[name]).mkdir(parents=True, exist_ok=True)
    return environment


def run_notebooks(
    notebooks: Mapping[str, NotebookNode],
    *,
    folder: Path,
    runtime: Path,
    lists: Path,
    jobs: int,
    progress: Callable[[Progress], None],
) -> dict[str, Failure | None]:
    """Run notebooks in place, `jobs` at a time; how each ended, by name: None for those that ran to their end.

    Their processes work in `folder` and keep in `runtime` what they need while they run. Lists of people go to a
    folder of the notebook's name in the private folder `lists`. `progress` is told after every cell.
    """
    environment = kernel_environment(runtime)

    async def run_all() -> list[Failure | None]:
        places = asyncio.Semaphore(jobs)

        async def run_one(name: str, node: NotebookNode) -> Failure | None:
            async with places:
                own = environment | {LISTS: str(lists / name)}
                return await _run(name, node, folder, runtime, own, progress, forks)

        return await asyncio.gather(*(run_one(name, notebooks[name]) for name in started_in))

    # later notebooks take longer: begun first, they leave no processor idle at the end
    started_in = list(notebooks)[::-1]
    forks = KernelForks(environment) if CAN_FORK and len(notebooks) > 1 else None
    try:
        ended = dict(zip(started_in, _finished(run_all), strict=True))
    finally:
        if forks:
            forks.close()
    return {name: ended[name] for name in notebooks}


def _finished(work: Callable[[], Coroutine[Any, Any, list[Failure | None]]]) -> list[Failure | None]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(max_workers=1) as thread:  # called from JupyterLab, whose loop is running here
        return thread.submit(lambda: asyncio.run(work())).result()


async def _run(
    name: str,
    node: NotebookNode,
    folder: Path,
    runtime: Path,
    environment: dict[str, str],
    progress: Callable[[Progress], None],
    forks: KernelForks | None,
) -> Failure | None:
    started = time.monotonic()
    total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in node.cells)

    def tell(done: int, state: Literal["running", "made", "failed"] = "running") -> None:
        seconds = time.monotonic() - started
        progress(Progress(notebook=name, cells_done=done, cells_total=total, seconds=seconds, state=state))

    kernel = AsyncKernelManager(
        kernel_name="python3",
        # no folders searched: what is left is the kernel of the very Python that runs this
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(runtime / f"{name}.json"),
        transport_encryption="auto",
    )
    if forks:
        start_by_fork(kernel, forks)
    client = NotebookClient(
        node,
        km=kernel,
        timeout=None,
        startup_timeout=_START_TIMEOUT,
        iopub_timeout=_OUTPUT_TIMEOUT,
        raise_on_iopub_timeout=True,
        record_timing=False,
    )
    # nbclient's own execute() takes Ctrl-C for itself, so its steps are called one by one
    tell(0)
    failure = None
    try:
        await client.async_start_new_kernel(env=environment, cwd=str(folder))
        await client.async_start_new_kernel_client()
        for index, cell in enumerate(node.cells):
            await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
            _check_shown(cell)
            tell(client.code_cells_executed)
    except CellExecutionError as error:
        failure = _failure(node, error)
    except (RuntimeError, TimeoutError) as error:
        message = "the notebook's Python process stopped before its end, perhaps for lack of memory"
        failure = Failure(error=type(error).__name__, message=message, traceback=str(error))
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if kernel.has_kernel:
            await kernel.shutdown_kernel(now=True)
    tell(client.code_cells_executed, "failed" if failure else "made")
    return failure


def _check_shown(cell: NotebookNode) -> None:
    """Fail where a cell ran but what it shows could not be made: IPython writes that error down and goes on."""
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            raise CellExecutionError("\n".join(output.traceback), output.ename, output.evalue)


def _failure(node: NotebookNode, error: CellExecutionError) -> Failure:
    """What stopped a notebook; the error in its outputs knows better than the kernel's last word."""
    shown = [output for cell in node.cells for output in cell.get("outputs", ()) if output.output_type == "error"]
    name, message = (shown[-1].ename, shown[-1].evalue) if shown else (error.ename, error.evalue)
    return Failure(error=name, message=message if name in errors.__all__ else "", traceback=plain_output(str(error)))
