"""Real replays: how fast eight of them load, and how they are fetched from a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eureka_agent.jail import Sandbox
from eureka_agent.report import RunReport
from eureka_agent.report.html.environment import script
from eureka_agent.report.html.replay_page import ShownReplay, replay_page
from tests.support.browser import Opener, pixels, ready, settle
from tests.support.replays import Recording, ball_replay, ball_scene, recorded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ant(sandbox: Sandbox) -> Recording:
    return recorded("ant_forward", sandbox=sandbox)


@pytest.fixture(scope="module")
def pen() -> Recording:
    return recorded("pen_spinning")


@pytest.mark.parametrize("task", ["ant", "pen"])
def test_eight_replays_are_ready_within_three_seconds(
    open_page: Opener, run: RunReport, request: pytest.FixtureRequest, task: str
) -> None:
    recording: Recording = request.getfixturevalue(task)
    shown = [ShownReplay(f"g0c{index}", recording.replay) for index in range(8)]
    opened = open_page(
        replay_page(run, recording.scene, shown),
        """new MutationObserver(() => {
            const root = document.documentElement;
            if (root.dataset.replays === "8") root.dataset.seconds ??= performance.now() / 1000;
        }).observe(document, { attributes: true, subtree: true });""",
        viewport={"width": 1280, "height": 1400},
    )
    ready(opened.page, 8)
    seconds = opened.page.evaluate("Number(document.documentElement.dataset.seconds)")
    assert 0 < seconds < 3.0
    assert opened.errors == []


def test_a_real_replay_shows_its_robot_and_the_components_of_its_reward(
    open_page: Opener, run: RunReport, ant: Recording
) -> None:
    page = open_page(
        replay_page(run, ant.scene, [ShownReplay("g0c0", ant.replay)]), reduced_motion="reduce"
    ).page
    ready(page, 1)
    settle(page)
    seen = pixels(page.locator(".replay-picture > canvas"))
    brown = (seen[..., 0] > seen[..., 1] + 25) & (seen[..., 1] > seen[..., 2] + 20)
    assert brown.mean() > 0.02
    names = page.locator(".replay-name").all_inner_texts()
    assert names[0] == "reward"
    assert "progress" in names
    assert names[-1] == "fitness"


def test_the_parts_of_a_hand_and_the_goal_of_its_pen_are_shown(
    open_page: Opener, run: RunReport, pen: Recording
) -> None:
    page = open_page(
        replay_page(run, pen.scene, [ShownReplay("g0c0", pen.replay)]), reduced_motion="reduce"
    ).page
    ready(page, 1)
    settle(page)
    seen = pixels(page.locator(".replay-picture > canvas"))
    sky = seen[2, seen.shape[1] // 2]
    assert (abs(seen - sky).max(axis=-1) > 10).mean() > 0.05
    green = (seen[..., 1] > seen[..., 0] + 40) & (seen[..., 1] > seen[..., 2] + 20)
    assert green.any()


def test_packs_are_fetched_from_addresses(browser: Browser) -> None:
    page = browser.new_page()
    figure = (
        '<figure class="replay" data-clock="all" data-label="g0c0" data-scene="/scene"'
        ' data-replay="{replay}"></figure>'
    )
    page_html = (
        "<!doctype html>"
        + figure.format(replay="/good")
        + figure.format(replay="/missing")
        + f"<script>{script('viewer.js')}</script>"
    )
    answers = {"/": page_html.encode(), "/scene": ball_scene(), "/good": ball_replay()}
    asked: list[str] = []

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://replays.test")
        asked.append(path)
        body = answers.get(path)
        kind = "text/html" if path == "/" else "application/octet-stream"
        if body is None:
            route.fulfill(status=404, body="")
        else:
            route.fulfill(status=200, body=body, content_type=kind)

    page.route("http://replays.test/**", answer)
    page.goto("http://replays.test/")
    ready(page, 1)
    page.locator(".replay-error").wait_for()
    assert page.locator(".replay-error").inner_text() == (
        "The replay cannot be loaded: the server answers 404."
    )
    assert asked.count("/scene") == 1
    page.close()
