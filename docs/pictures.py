"""The README's pictures, of the report in `reports/demo`: `.venv/bin/python -m docs.pictures`, after `make reports`.

Its first page, and the first figure of each page of a notebook; in few colours, so that they stay small.
"""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.support.browser import LAUNCH_ARGUMENTS, chromium

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent / "reports" / "demo"


def keep(picture: bytes, name: str) -> None:
    """Save a picture beside this file."""
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium(), args=LAUNCH_ARGUMENTS)
    window = browser.new_page(viewport={"width": 1280, "height": 800})
    window.goto((REPORT / "index.html").as_uri())
    keep(window.screenshot(), "first_page")
    for page in sorted(REPORT.glob("0*.html")):
        window.goto(page.as_uri())
        keep(window.locator("figure img").first.screenshot(), page.stem)
    browser.close()
