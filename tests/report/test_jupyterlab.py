"""The notebooks, and names of a survey, in a live JupyterLab and a real browser."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import TimeoutError as StillWaiting

from nps_research.results.display import IN_REPORT
from nps_research.results.result import MIME_TYPE
from tests.support.published import PAGES, ROOT
from tests.test_fresh_checkout import checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.whole

TOKEN = "made-up"  # noqa: S105 - of a server that lives for this test
LONGEST = 900_000  # milliseconds that a notebook may take on a busy machine
READY = """async () => {
    const session = jupyterapp.shell.currentWidget.sessionContext;
    await session.ready;
    await session.session.kernel.info;
}"""
CELL = r"""
import pandas as pd
import nps_research as nps

name = "$x^2$ <b>bold</b> <img src=x onerror=document.title='taken'> \\(y\\)"
table = pd.DataFrame({"likelihood_to_recommend": [9, 3] * 60, "Region": [name, "UK"] * 60, "Plan": ["$a$", "$b$"] * 60})
study = nps.Study.from_frames(responses=table, segments=["Region", "Plan"], name="$z$ and $w$")
display(study, nps.net_promoter_score(nps.score_distribution(study, by="Region")))
"""


@contextmanager
def jupyterlab(folder: Path, own: Path, **environment: str) -> Iterator[str]:
    """The address of a JupyterLab on a folder; what it keeps of itself goes to `own`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    surroundings = {name: value for name, value in os.environ.items() if name != IN_REPORT}
    surroundings |= {name: str(own / name.lower()) for name in names} | {"PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--notebook-dir={folder}", "--LabApp.news_url="]
    command += ["--LabApp.expose_app_in_browser=True"]
    server = subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(360):
            try:
                with urllib.request.urlopen(f"{address}/api?token={TOKEN}") as answer:  # noqa: S310 - our own server
                    json.load(answer)
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def opened(browser: Browser, address: str, notebook: str) -> Page:
    """A notebook in a page of its own, with a kernel that waits."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/lab/tree/{notebook}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-CodeCell", timeout=180_000)
    idle = "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
    page.wait_for_function(idle, timeout=180_000)
    page.evaluate(READY)
    return page


def test_names_with_formulas_and_html_show_as_text(tmp_path: Path, browser: Browser) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[new_code_cell(CELL)], metadata={"kernelspec": kernel}), tmp_path / "names.ipynb")
    with jupyterlab(tmp_path, tmp_path) as lab:
        page = opened(browser, lab, "names.ipynb")
        for _ in range(12):  # the first may come before the kernel has
            page.click(".jp-CodeCell .jp-InputArea-editor")
            page.keyboard.press("Shift+Enter")
            with suppress(StillWaiting):
                page.wait_for_selector(".nps-result td", state="attached", timeout=15_000)
                break
        page.wait_for_timeout(2_000)  # typesetting comes after the output
        shown = page.inner_text(".jp-OutputArea")
        assert "$x^2$ <b>bold</b>" in shown
        assert "$z$ and $w$" in shown
        assert page.locator(".jp-OutputArea mjx-container, .jp-OutputArea b").count() == 0
        assert not re.search("taken", page.title())
        page.close()


# The suite's notebooks

CHANGES = {  # of the cells that a reader is to change, and the setting of a result in which each shows
    "00_study": ("wave = None", 'wave = "2025 Q2"', ("wave", "2025 Q2")),
    "01_score": ("line = None", "line = 3", ("detractor_max", 3)),
    "02_thresholds": ("horizon = None", "horizon = 90", ("horizon_days", 90)),
    "03_drivers": ("where = {}", 'where = {"Region": "UK"}', ("n", 2368)),
    "04_nonresponse": ("margin = 1.5", "margin = 2", ("margin", 2)),
    "08_callbacks": ("gain = 0.5", "gain = 0.3", ("margin", 0.3)),
    "09_problems": ("wave = None", 'wave = "2025 Q2"', ("wave", "2025 Q2")),
}
RUN_ALL = """longest => Promise.race([
    jupyterapp.commands.execute('notebook:run-all-cells'),
    new Promise((_, refuse) => setTimeout(() => refuse(new Error('still running')), longest))])"""
SAVE = "async () => { await jupyterapp.commands.execute('docmanager:save') }"
CELLS = """() => Array.from(jupyterapp.shell.currentWidget.content.model.cells).map(cell => ({
    id: cell.id, kind: cell.type, count: cell.executionCount, outputs: cell.outputs ? cell.outputs.toJSON() : []}))"""
SHOW = """id => {
    const notebook = jupyterapp.shell.currentWidget.content;
    const place = notebook.widgets.findIndex(cell => cell.model.id === id);
    notebook.activeCellIndex = place;
    return notebook.scrollToItem(place, 'start');
}"""

MOVED = """before => {
    const said = document.querySelector('.jp-Cell.jp-mod-active .widget-html-content')?.innerText;
    return said && said !== before;
}"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the notebooks' cells are changed as a reader would, and saved so."""
    folder = checkout(tmp_path_factory.mktemp("lab") / "clone")
    identity = ["-c", "user.name=A reader", "-c", "user.email=reader@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "As it came"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    for name, (old, new, _) in CHANGES.items():
        path = folder / "notebooks" / f"{name}.ipynb"
        text, line, changed = path.read_text(encoding="utf-8"), json.dumps(old)[1:-1], json.dumps(new)[1:-1]
        assert text.count(f'"{line}') == 1
        path.write_text(text.replace(f'"{line}', f'"{changed}'), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lab(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on the clone, as `make lab` starts it."""
    with jupyterlab(scratch, tmp_path_factory.mktemp("own"), JUPYTER_CONFIG_PATH=str(scratch / ".jupyter")) as address:
        yield address


def difference(folder: Path, name: str) -> str:
    command = ["git", "diff", "--unified=0", "--", f"notebooks/{name}.ipynb"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", PAGES)
def test_a_changed_notebook_runs_its_sliders_move_and_saving_keeps_the_change_alone(
    name: str, scratch: Path, lab: str, browser: Browser
) -> None:
    changed = difference(scratch, name)
    page = opened(browser, lab, f"notebooks/{name}.ipynb")
    page.set_default_timeout(LONGEST)
    page.evaluate(RUN_ALL, LONGEST)
    cells: list[dict[str, Any]] = page.evaluate(CELLS)
    code = [cell for cell in cells if cell["kind"] == "code"]
    errors = [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    assert not errors
    assert all(cell["count"] for cell in code)
    data = {cell["id"]: [output.get("data", {}) for output in cell["outputs"]] for cell in code}
    key, value = CHANGES[name][2]
    results = [each[MIME_TYPE] for several in data.values() for each in several if MIME_TYPE in each]
    assert value in [result["settings"].get(key) for result in results]
    assert any("image/png" in each for each in data["closer"])

    moving = [id_ for id_ in data if id_.endswith("-control") or id_ == "slider"]
    assert len(moving) == (name != "00_study")
    for id_ in moving:
        page.evaluate(SHOW, id_)
        box = page.locator(".jp-Cell.jp-mod-active .widget-vbox")
        said = box.locator(".widget-html-content")
        page.wait_for_function(MOVED, arg="")
        before = said.inner_text()
        assert re.search(r"\d", before)
        if (choice := box.locator("select")).count():
            choice.select_option(index=1)
            page.wait_for_function(MOVED, arg=before)
            before = said.inner_text()
        box.locator(".noUi-handle").last.focus()
        page.keyboard.press("ArrowLeft" if name == "02_thresholds" else "ArrowRight")
        page.wait_for_function(MOVED, arg=before)
    page.evaluate(SAVE)
    page.close()
    assert difference(scratch, name) == changed != ""
    status = subprocess.run(
        ["git", "status", "--short"], cwd=scratch, check=True, capture_output=True, text=True
    ).stdout
    assert sorted(status.split()[1::2]) == [f"notebooks/{each}.ipynb" for each in PAGES]
