"""Several replays on a page, and what the browser and its user ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from eureka_agent.report import RunReport
from eureka_agent.report.html.replay_page import ShownReplay, replay_page
from tests.support.browser import PHONE, Opener, changed, pixels, ready, settle, until
from tests.support.replays import (
    FRAMES,
    STEP_S,
    ball_replay,
    ball_scene,
    changed_replay,
)
from tests.support.viewer import (
    PICTURE,
    STILL,
    seek,
    time_of,
    value_of,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


# ---------------------------------------------------------------------- several figures
def test_figures_on_one_clock_show_the_same_moment_from_the_same_side(
    open_page: Opener, run: RunReport
) -> None:
    shown = [ShownReplay(name, ball_replay()) for name in ("g0c0", "g0c1")]
    page = open_page(replay_page(run, ball_scene(), shown), **STILL).page
    ready(page, 2)
    seek(page, 40)
    first, second = page.locator(PICTURE).all()
    first.focus()
    page.keyboard.press("Shift+ArrowUp")
    page.evaluate("document.activeElement.blur()")
    settle(page)
    assert changed(pixels(first), pixels(second)) < 0.02
    assert [each.inner_text() for each in page.locator(".replay-value").all()].count("40.0") == 2


def test_a_figure_without_controls_in_the_page_gets_its_own(open_page: Opener, html: str) -> None:
    without = re.sub(r'<div class="replay-controls"[^>]*></div>', "", html)
    page = open_page(without, **STILL).page
    ready(page, 1)
    assert page.locator("figure .replay-controls").count() == 1
    seek(page, 5)


def test_figures_that_are_added_later_are_found_by_scan(page: Page) -> None:
    page.evaluate(
        """() => {
            const added = document.querySelector("figure.replay").cloneNode();
            delete added.dataset.state;
            document.querySelector(".replays").append(added);
            eurekaReplay.scan(document.querySelector(".replays"));
        }"""
    )
    ready(page, 2)


def test_a_figure_far_below_is_loaded_when_it_comes_near(open_page: Opener, html: str) -> None:
    far = html.replace(
        '<div class="replays">', '<div style="height: 5000px"></div><div class="replays">'
    )
    page = open_page(far, **STILL).page
    page.wait_for_timeout(300)
    assert page.locator('html[data-replays="0"]').count() == 1
    page.locator("figure.replay").scroll_into_view_if_needed()
    ready(page, 1)


# ---------------------------------------------------------------------- what the browser has
def test_a_replay_starts_stopped_where_motion_is_unwanted(page: Page) -> None:
    assert page.get_by_role("button", name="Play").is_visible()
    assert time_of(page) == 0.0


def test_the_page_is_dark_where_the_system_is(open_page: Opener, html: str) -> None:
    means = {}
    for scheme in ("light", "dark"):
        page = open_page(html, color_scheme=scheme, **STILL).page
        ready(page, 1)
        settle(page)
        means[scheme] = pixels(page.locator(PICTURE)).mean()
    assert means["dark"] < means["light"] - 60


def test_a_phone_shows_all_without_scrolling_sideways(open_page: Opener, html: str) -> None:
    page = open_page(html, viewport=PHONE, has_touch=True, **STILL).page
    ready(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    controls = page.locator(".replay-controls").bounding_box()
    assert controls is not None
    assert controls["y"] + controls["height"] <= PHONE["height"]


def test_without_webgl_a_sentence_stands_in_place_of_the_picture(
    open_page: Opener, html: str
) -> None:
    page = open_page(
        html,
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };",
        **STILL,
    ).page
    ready(page, 1)
    assert "WebGL is switched off or missing" in page.locator(".replay-picture").inner_text()
    seek(page, 30)
    assert value_of(page, "speed") == "30.0"


def test_no_request_leaves_the_page_and_nothing_fails(open_page: Opener, html: str) -> None:
    opened = open_page(html)
    ready(opened.page, 1)
    until(lambda: time_of(opened.page) > 0.2, "playing")
    assert opened.requests == []
    assert opened.errors == []
    sent = opened.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert sent == "refused"
    assert any("Content Security Policy" in error for error in opened.errors)


def test_a_figure_that_is_taken_out_no_longer_counts_for_its_clock(
    open_page: Opener, run: RunReport
) -> None:
    short = changed_replay(lambda header: header.update(episodes=header["episodes"][1:]))
    shown = [ShownReplay("long", ball_replay()), ShownReplay("short", short)]
    page = open_page(replay_page(run, ball_scene(), shown), **STILL).page
    ready(page, 2)
    page.evaluate("document.querySelector('figure.replay').remove()")
    length = (FRAMES // 2 - 1) * STEP_S
    until(lambda: f"/ {length:.2f} s" in page.locator(".replay-time").inner_text(), "its length")
