"""The board pack: first screen and headlines on a few sheets, printed by a browser where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BOARD_PAGE, BOARD_PACK = "board_pack.html", "board_pack.pdf"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
)
_SECONDS = 120
_DATE = re.compile(rb"\((D:\d{14}[^)]*)\)")
_NO_DATE = b"D:20000101000000+00'00'"


def printed(html: str) -> bytes | None:
    """Print a page as PDF, the same bytes for the same page and browser; None where no browser prints it."""
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory(prefix="nps-research-") as place:
        page, pdf = Path(place) / BOARD_PAGE, Path(place) / BOARD_PACK
        page.write_text(html, encoding="utf-8")
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        asked = [browser, *_ARGUMENTS, *as_root, f"--user-data-dir={place}/profile", f"--print-to-pdf={pdf}"]
        try:
            subprocess.run([*asked, page.as_uri()], check=True, capture_output=True, timeout=_SECONDS)
            content = pdf.read_bytes()
        except (OSError, subprocess.SubprocessError):
            return None
    return _DATE.sub(lambda date: b"(" + _NO_DATE.ljust(len(date[1]))[: len(date[1])] + b")", content)
