"""Looking at finished pages with a real browser."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

__all__ = ["LAUNCH_ARGUMENTS", "check_page", "chromium", "notebook_counts", "open_page"]

LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FACTS = """() => ({
    tables: document.querySelectorAll("table").length,
    alts: [...document.images].map(image => image.alt.trim()),
    drawn: [...document.images].filter(image => image.complete && image.naturalWidth > 0).length,
    headings: [...document.querySelectorAll("h1")].map(heading => heading.textContent),
    scripts: document.querySelectorAll("script, iframe, object, embed, form").length,
    inPage: document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    landmarks: ["header", "nav", "main", "footer"].filter(name => document.querySelector(name)).length,
})"""

_AXE = """async (options) => {
    const { passes, violations } = await axe.run(document, { resultTypes: ["violations"], ...options });
    return { passes: passes.length, violations };
}"""
_ALL_BUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}

# Contrast, which takes axe longest, of one text of each look: a rating's cell is as legible as its neighbour.
_CONTRAST = """async () => {
    const looks = new Map(), kept = new Map();
    const look = element => {
        if (element && !looks.has(element)) {
            const style = getComputedStyle(element);
            const own = ["color", "fontSize", "fontWeight", "opacity", "backgroundColor", "backgroundImage", "position",
                "textShadow", "filter", "mixBlendMode", "visibility", "display"].map(name => style[name]);
            looks.set(element, [element.tagName, ...own, look(element.parentElement)].join("|"));
        }
        return looks.get(element);
    };
    for (const element of document.body.querySelectorAll("*")) {
        const says = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (says && !kept.has(look(element))) kept.set(look(element), element);
    }
    const { passes, violations } = await axe.run(
        { include: [...kept.values()] }, { resultTypes: ["violations"], runOnly: ["color-contrast"] });
    return { passes: passes.length, violations };
}"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass
class Watched:
    """A page, and what it tried to do."""

    page: Page
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def chromium() -> str | None:
    """The browser of this machine, if it has one."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def notebook_counts(executed: Path) -> tuple[int, int]:
    """Tables and figures in the outputs and the text of an executed notebook."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    html = [
        "".join(output["data"].get("text/html", ""))
        for cell in cells
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    written = [
        line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).split("\n")
    ]
    in_text = sum(set(line) <= set("|-: ") and "|-" in line for line in written)
    return in_text + sum(part.count("<table") for part in html), sum(part.count("<img") for part in html)


def open_page(browser: Browser, path: Path, *, scheme: Literal["light", "dark"], width: int) -> Watched:
    """Open a file, and watch what it does."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    watched = Watched(context.new_page())
    context.on("request", lambda request: watched.requests.append(request.url))
    watched.page.on("dialog", watched.note_dialog)
    watched.page.on("console", lambda message: watched.errors.append(message.text) if message.type == "error" else None)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    watched.page.goto(path.as_uri(), wait_until="load")
    return watched


def n_printed(browser: Browser, path: Path, paper: str = "A4") -> int:
    """How many sheets of paper a page takes."""
    page = browser.new_page()
    try:
        page.goto(path.as_uri())
        return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper, prefer_css_page_size=True)))
    finally:
        page.close()


def check_page(browser: Browser, path: Path, *, n_tables: int, n_images: int) -> None:
    """Hold a page to all that a report promises, in light and dark, narrow and wide.

    It is alone and inert, it fits the window, it has as many tables and figures as expected, each figure drawn and with
    words of its own, and axe finds nothing: of contrast once a scheme, of all else once a width. The page is opened
    once and the window changed around it: a page without scripts, which is asserted, cannot tell that from being
    opened anew.
    """
    watched = open_page(browser, path, scheme="light", width=320)
    try:
        watched.page.evaluate(AXE_SCRIPT)
        watched.page.evaluate("() => document.querySelectorAll('details').forEach(part => { part.open = true })")
        for scheme in SCHEMES:
            watched.page.emulate_media(color_scheme=scheme)
            for width in (320, 1280):
                watched.page.set_viewport_size({"width": width, "height": 900})
                where = f"{path.name}, {scheme}, {width} px"
                _check(watched, path, where, n_tables, n_images)
                if scheme == "light":
                    _ask_axe(watched.page, where, _AXE, _ALL_BUT_CONTRAST)
            _ask_axe(watched.page, where, _CONTRAST)
            _check_quiet(watched, path, where)
    finally:
        watched.page.context.close()


def _check(watched: Watched, path: Path, where: str, n_tables: int, n_images: int) -> None:
    facts: dict[str, Any] = watched.page.evaluate(_FACTS)
    assert (facts["tables"], len(facts["alts"])) == (n_tables, n_images), f"tables and figures of {where}"
    assert facts["drawn"] == n_images, f"a figure of {where} is not drawn"
    assert all(facts["alts"]), f"a figure of {where} has no alternative text"
    assert len(set(facts["alts"])) == n_images, f"figures of {where} share their alternative text"
    assert len(facts["headings"]) == 1, f"first-level headings of {where}"
    assert facts["landmarks"] == 4, f"landmarks of {where}"
    assert facts["scripts"] == 0, f"active elements in {where}"
    assert facts["inPage"], f"{where} scrolls sideways"
    _check_quiet(watched, path, where)


def _check_quiet(watched: Watched, path: Path, where: str) -> None:
    assert watched.requests == [path.as_uri()], f"requests of {where}"
    assert watched.dialogs == [], f"dialogs of {where}"
    assert watched.errors == [], f"console of {where}"


def _ask_axe(page: Page, where: str, question: str, options: dict[str, Any] | None = None) -> None:
    found: dict[str, Any] = page.evaluate(question, options)
    assert found["passes"], f"axe looked at nothing in {where}"
    faults = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]
    assert not faults, f"axe on {where}: {faults}"
