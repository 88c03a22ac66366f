"""A browser for all tests of pages; without one they are skipped with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eureka_agent.report import RunReport, run_report
from eureka_agent.report.html.replay_page import ShownReplay, replay_page
from eureka_agent.runs.store import Store
from tests.support.browser import ARGUMENTS, CHROMIUM, Opener, opener, ready, settle
from tests.support.replays import ball_replay, ball_scene
from tests.support.stored_run import stored_run
from tests.support.viewer import STILL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install eureka-agent[dev]"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Yield a function that opens HTML as a page."""
    with opener(browser, tmp_path) as open_html:
        yield open_html


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """Return the report of a stored run."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with Store.open(stored_run(folder).database, writable=False) as store:
        return run_report(store)


@pytest.fixture(scope="session")
def html(run: RunReport) -> str:
    """Return a page with one replay."""
    return replay_page(run, ball_scene(), [ShownReplay("g0c0", ball_replay())])


@pytest.fixture
def page(open_page: Opener, html: str) -> Page:
    """Return a page with one replay that stands at its start."""
    opened = open_page(html, **STILL)
    ready(opened.page, 1)
    settle(opened.page)
    return opened.page
