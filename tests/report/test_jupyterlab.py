"""A live notebook in JupyterLab and a real browser: names and comments of a survey are text, whatever is in them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import TimeoutError as StillWaiting

import nps_research as nps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.whole

TOKEN = "made-up"  # noqa: S105 - of a server that lives for this test
CELL = r"""
import pandas as pd
import nps_research as nps

name = "$x^2$ <b>bold</b> <img src=x onerror=document.title='taken'> \\(y\\)"
table = pd.DataFrame({"likelihood_to_recommend": [9, 3] * 60, "Region": [name, "UK"] * 60, "Plan": ["$a$", "$b$"] * 60})
study = nps.Study.from_frames(responses=table, segments=["Region", "Plan"], name="$z$ and $w$")
display(study, nps.net_promoter_score(nps.score_distribution(study, by="Region")))
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab on a folder with one notebook."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[new_code_cell(CELL)], metadata={"kernelspec": kernel}), tmp_path / "names.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    own |= {
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "spaces"),
    }
    own["PYTHONPATH"] = str(Path(nps.__file__).parents[1])
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--notebook-dir={tmp_path}", "--LabApp.news_url="]
    server = subprocess.Popen(command, env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def test_names_with_formulas_and_html_show_as_text(lab: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{lab}/lab/tree/names.ipynb?token={TOKEN}")
    page.wait_for_selector(".jp-CodeCell", timeout=180_000)
    page.wait_for_function(
        "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'", timeout=180_000
    )
    for _ in range(12):  # the first may come before the kernel has
        page.click(".jp-CodeCell .jp-InputArea-editor")
        page.keyboard.press("Shift+Enter")
        with suppress(StillWaiting):
            page.wait_for_selector(".nps-result td", timeout=15_000)
            break
    page.wait_for_timeout(2_000)  # typesetting comes after the output
    shown = page.inner_text(".jp-OutputArea")
    assert "$x^2$ <b>bold</b>" in shown
    assert "$z$ and $w$" in shown
    assert page.locator(".jp-OutputArea mjx-container, .jp-OutputArea b").count() == 0
    assert not re.search("taken", page.title())
    page.close()
