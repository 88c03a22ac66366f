"""Pages in Debian's chromium, which draws 3-D pictures with its CPU."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eureka_agent.report.html.environment import script, standalone_policy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""No sandbox: in a container its own does not start; pages here are ours."""
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
_WAIT_S = 20.0


@dataclass
class OpenPage:
    """A page, what it asked for, and what went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """Addresses of all requests but the page's own."""
    errors: list[str] = field(default_factory=list)
    """Uncaught errors, and errors on the console."""


Opener = Callable[..., OpenPage]
"""Opens a page: `open_page(html, viewport=…, color_scheme=…)`."""


@contextmanager
def opener(browser: Browser, folder: Path) -> Iterator[Opener]:
    """Yield a function that opens an HTML text as a file; the pages are closed at the end."""
    contexts = []

    def open_html(html: str, script: str = "", **options: Any) -> OpenPage:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        opened = OpenPage(context.new_page())
        file = folder / f"page-{len(contexts)}.html"
        file.write_text(html, "utf-8")
        page = opened.page
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("console", lambda said: note(opened, said.type, said.text))
        page.on("request", lambda request: opened.requests.append(request.url))
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        opened.requests.remove(file.as_uri())
        return opened

    try:
        yield open_html
    finally:
        for context in contexts:
            context.close()


def figures_page(figures: Sequence[tuple[str, bytes, bytes]]) -> str:
    """Return a page with nothing but replays: label, scene and replay of each."""
    viewer = script("viewer.js")
    parts = [f'<meta http-equiv="Content-Security-Policy" content="{standalone_policy([viewer])}">']
    for index, (label, scene, replay) in enumerate(figures):
        parts += [
            f'<figure class="replay" data-label="{label}" data-clock="all" id="figure-{index}"',
            f' data-scene="#scene-{index}" data-replay="#replay-{index}"></figure>',
            f'<script type="text/plain" id="scene-{index}">{_base64(scene)}</script>',
            f'<script type="text/plain" id="replay-{index}">{_base64(replay)}</script>',
        ]
    return f"<!doctype html>{''.join(parts)}<script>{viewer}</script>"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def note(opened: OpenPage, kind: str, text: str) -> None:
    if kind == "error":
        opened.errors.append(text)


def ready(page: Page, count: int) -> None:
    """Wait until this many replays are ready."""
    page.locator(f'html[data-replays="{count}"]').wait_for(state="attached", timeout=20_000)


def settle(page: Page) -> None:
    """Wait until every picture of the clock `all` is drawn well, which is soon after a change."""
    clock = "eurekaReplay.clock('all')"
    until(lambda: page.evaluate(f"!{clock}.moves && {clock}.frame === null"), "rest")
    page.evaluate("new Promise(requestAnimationFrame)")


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds. Playwright's own way needs `eval`, which pages here forbid."""
    end = time.monotonic() + _WAIT_S
    while not holds():
        assert time.monotonic() < end, f"{what} did not happen within {_WAIT_S:.0f} s"
        time.sleep(0.02)


def pixels(locator: Locator) -> NDArray[np.int16]:
    """Return what an element shows, `(height, width, 3)`."""
    image = Image.open(io.BytesIO(locator.screenshot(animations="disabled"))).convert("RGB")
    return np.asarray(image, dtype=np.int16)


def changed(before: NDArray[np.int16], after: NDArray[np.int16]) -> float:
    """Return which part of the pixels changed visibly."""
    return float((np.abs(after - before).max(axis=-1) > 16).mean())
