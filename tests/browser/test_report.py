"""The report of a run in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eureka_agent.jail import Sandbox
from eureka_agent.report import RunReport, run_report
from eureka_agent.report.html.report_page import report_page
from eureka_agent.runs.store import Store
from tests.support.browser import PHONE, Opener, ready, until
from tests.support.hostile_report import hostile
from tests.support.large_report import SameReplays, large_report, names_of
from tests.support.small_run import small_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Store]:
    path = small_run(tmp_path_factory.mktemp("runs"), sandbox)
    with Store.open(path / "run.db", writable=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(store: Store) -> RunReport:
    return run_report(store)


@pytest.fixture(scope="module")
def html(report: RunReport, store: Store) -> str:
    return report_page(report, store)


@pytest.fixture(scope="module")
def large_html(report: RunReport, store: Store) -> str:
    """The report of 5 generations of 16, with a replay of every reward."""
    large = large_report(report)
    scene, pack = store.scene(), store.replay("human reward")
    assert scene is not None
    assert pack is not None
    return report_page(large, SameReplays(names_of(large), scene, pack))


def test_the_report_of_80_candidates_opens_in_under_2_s(open_page: Opener, large_html: str) -> None:
    opened = open_page(large_html)
    times = opened.page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert times["loadEventEnd"] - times["startTime"] < 2_000
    assert opened.page.locator("details.candidate").count() > 80


def test_no_request_leaves_the_page_whatever_is_opened(open_page: Opener, html: str) -> None:
    opened = open_page(html)
    page = opened.page
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for _ in range(12):  # replays load when they come near
        page.mouse.wheel(0, 1_500)
        page.wait_for_timeout(50)
    until(lambda: replays_of(page) >= 6, "the replays of all candidates")
    assert opened.requests == []
    assert opened.errors == []


def test_the_replays_of_the_result_play(open_page: Opener, html: str) -> None:
    page = open_page(html).page
    ready(page, 3)
    assert page.locator("#result figure.replay canvas").count() >= 3
    assert page.locator("#result .replay-controls button").count() >= 1


def test_the_first_key_offers_to_skip_to_the_content(open_page: Opener, html: str) -> None:
    page = open_page(html).page
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_keyboard_reaches_every_section_and_every_candidate(
    open_page: Opener, html: str, report: RunReport
) -> None:
    page = open_page(html).page
    sections = page.locator("nav a").all_inner_texts()
    assert len(sections) >= 6
    last = "What a reward may read"
    reached: list[str] = []
    while last not in reached and len(reached) < 40 * len(report.candidates):
        page.keyboard.press("Tab")
        reached.append(focused(page))
    assert set(sections) <= set(reached)
    for name in report.candidates:
        assert reached.count(name) == 1, name  # the link in the table; those of the chart repeat it
        assert any(text.startswith(f"{name}\n") for text in reached), name


def test_a_section_opens_by_the_keyboard(open_page: Opener, html: str) -> None:
    page = open_page(html).page
    section = page.locator("details.candidate").filter(has=page.locator("#g0c0"))
    assert section.get_attribute("open") is None
    section.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert section.get_attribute("open") is not None
    section.locator("summary", has_text="Code").focus()
    page.keyboard.press("Space")
    assert page.locator("#g0c0 pre").first.is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_to_a_candidate_unfolds_it(
    browser: Browser, html: str, tmp_path: Path, scripts: bool
) -> None:
    """Without JavaScript as well: the page needs it for the replays only."""
    file = tmp_path / "report.html"
    file.write_text(html, "utf-8")
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(file.as_uri())
    assert not page.locator("#g0c2").is_visible()
    page.locator("#candidates a", has_text="g0c2").click()
    page.locator("#g0c2").wait_for(state="visible")
    assert page.locator("noscript p").count() == (0 if scripts else 1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_in_one_direction_only(
    open_page: Opener, report: RunReport, store: Store, scheme: str
) -> None:
    for each in (report, hostile(report)):
        page = open_page(report_page(each, store), viewport=PHONE, color_scheme=scheme).page
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_have_enough_contrast(open_page: Opener, html: str, scheme: str) -> None:
    page = open_page(html, color_scheme=scheme).page
    names = ["text", "muted", "accent", "good", "bad"]
    series = [f"series-{number}" for number in range(1, 9)]
    for ground in ("background", "surface"):
        behind = luminance(page, ground)
        for name in (*names, *series):
            light, dark = sorted((behind, luminance(page, name)), reverse=True)
            least = 4.5 if name in names else 3.0
            assert (light + 0.05) / (dark + 0.05) >= least, (scheme, ground, name)


def replays_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.dataset.replays || 0"))


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || ''")).strip()


def luminance(page: Page, variable: str) -> float:
    """Return the relative luminance (WCAG 2) of one of the style's colours."""
    color = page.evaluate(
        "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name)", variable
    )
    text = str(color).strip().removeprefix("#")
    channels = [int(text[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
