"""What a person sees and does in a replay, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from eureka_agent.report import RunReport
from eureka_agent.report.html.replay_page import ShownReplay, replay_page
from tests.support.browser import PHONE, Opener, changed, pixels, ready, settle, until
from tests.support.replays import (
    EPISODE_S,
    FRAMES,
    STEP_S,
    ball_replay,
    ball_scene,
    changed_replay,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow
STILL = {"reduced_motion": "reduce"}
"""A page whose replays start stopped."""
PICTURE = ".replay-picture > canvas"


@pytest.fixture(scope="module")
def html(run: RunReport) -> str:
    return replay_page(run, ball_scene(), [ShownReplay("g0c0", ball_replay())])


@pytest.fixture
def page(open_page: Opener, html: str) -> Page:
    """Return a page with one replay that stands at its start."""
    opened = open_page(html, **STILL)
    ready(opened.page, 1)
    settle(opened.page)
    return opened.page


def time_of(page: Page) -> float:
    shown = page.locator(".replay-time").inner_text()
    return float(shown.split(" / ")[0])


def seek(page: Page, frame: int) -> None:
    page.get_by_role("slider", name="Time").fill(str(frame))
    until(lambda: abs(time_of(page) - frame * STEP_S) < 0.006, f"the jump to frame {frame}")
    settle(page)


def value_of(page: Page, name: str) -> str:
    entry = page.get_by_role("button", name=re.compile(f"^{name} "))
    return entry.locator(".replay-value").inner_text()


def cursor_part(page: Page) -> float:
    """Return where the cursor stands, from 0 (left) to 1."""
    place = page.locator(".replay-cursor").bounding_box()
    plot = page.locator(".replay-plot").bounding_box()
    assert place is not None
    assert plot is not None
    return (place["x"] + place["width"] / 2 - plot["x"]) / plot["width"]


def reddish(picture: Locator) -> NDArray[np.bool_]:
    seen = pixels(picture)
    result: NDArray[np.bool_] = (seen[..., 0] > 110) & (seen[..., 1:].max(axis=-1) < 70)
    return result


def ball_place(page: Page) -> float:
    """Return where the red ball is in the picture, from 0 (left) to 1."""
    columns = np.flatnonzero(reddish(page.locator(PICTURE)).any(axis=0))
    return float(columns.mean() / page.locator(PICTURE).evaluate("it => it.clientWidth"))


# ---------------------------------------------------------------------- play and seek
def test_a_replay_shows_a_scene_with_its_ball_hill_mesh_and_floor(page: Page) -> None:
    seen = pixels(page.locator(PICTURE))
    red, green, blue = (seen[..., part] for part in range(3))
    assert ((red > 150) & (green < 60)).mean() > 0.01
    assert ((blue > 90) & (red < 40) & (green < 40)).mean() > 0.01
    assert ((red > 90) & (blue > 90) & (green < 40)).mean() > 0.001
    assert len(np.unique(seen[seen.shape[0] // 2 :].reshape(-1, 3), axis=0)) > 50


def test_a_replay_plays_by_itself_and_stops_at_a_click(open_page: Opener, html: str) -> None:
    page = open_page(html).page
    ready(page, 1)
    until(lambda: time_of(page) > 0.3, "playing")
    early = pixels(page.locator(PICTURE))
    until(lambda: time_of(page) > 1.2, "playing on")
    assert changed(early, pixels(page.locator(PICTURE))) > 0.01
    page.get_by_role("button", name="Pause").click()
    settle(page)
    stopped, still = time_of(page), pixels(page.locator(PICTURE))
    settle(page)
    assert time_of(page) == stopped
    assert changed(still, pixels(page.locator(PICTURE))) == 0


def test_a_replay_starts_over_after_its_end(page: Page) -> None:
    page.get_by_label("Speed", exact=True).select_option("2×")
    seek(page, FRAMES - 4)
    page.get_by_role("button", name="Play").click()
    until(lambda: time_of(page) == EPISODE_S, "the end")
    until(lambda: time_of(page) < 1.0, "the start")


def test_the_slider_moves_the_picture_the_cursor_and_the_values(page: Page) -> None:
    first = pixels(page.locator(PICTURE))
    assert cursor_part(page) == pytest.approx(0.0, abs=0.01)
    assert value_of(page, "speed") == "0"
    seek(page, 75)
    assert changed(first, pixels(page.locator(PICTURE))) > 0.01
    assert cursor_part(page) == pytest.approx(0.75, abs=0.01)
    assert value_of(page, "speed") == "75.0"
    assert value_of(page, "cost") == "−1.00"
    assert value_of(page, "reward") == "74.0"
    assert value_of(page, "fitness") == "2.00"


def test_a_click_into_the_curves_goes_to_that_moment(page: Page) -> None:
    plot = page.locator(".replay-plot")
    width = plot.evaluate("it => it.clientWidth")
    plot.click(position={"x": width * 0.5, "y": 20})
    until(lambda: abs(time_of(page) - EPISODE_S / 2) < 0.05, "the jump")
    assert cursor_part(page) == pytest.approx(0.5, abs=0.02)


def test_a_click_on_a_name_hides_its_curve_and_fits_the_axis(page: Page) -> None:
    top = page.locator(".replay-axis span").first
    curves = page.locator(".replay-plot")
    before = pixels(curves)
    assert float(top.inner_text()) > 90
    page.get_by_role("button", name=re.compile("^speed ")).click()
    page.get_by_role("button", name=re.compile("^reward ")).click()
    assert top.inner_text() == "0"
    assert changed(before, pixels(curves)) > 0.005
    hidden = page.get_by_role("button", name=re.compile("^speed "))
    assert hidden.get_attribute("aria-pressed") == "false"


def test_single_steps_stop_the_replay_and_move_by_one_frame(page: Page) -> None:
    seek(page, 10)
    page.get_by_role("button", name="One frame forward").click()
    until(lambda: time_of(page) == pytest.approx(11 * STEP_S), "a step forward")
    page.get_by_role("button", name="One frame back").click(click_count=2)
    until(lambda: time_of(page) == pytest.approx(9 * STEP_S), "two steps back")


# ---------------------------------------------------------------------- keyboard
def test_a_replay_is_led_by_the_keyboard_alone(page: Page) -> None:
    while page.evaluate("document.activeElement.getAttribute('role')") != "application":
        page.keyboard.press("Tab")
    for key, expected in [
        ("End", EPISODE_S),
        ("Home", 0.0),
        ("PageDown", 1.0),
        ("ArrowRight", 1.0 + STEP_S),
        ("ArrowLeft", 1.0),
        ("PageUp", 0.0),
    ]:
        page.keyboard.press(key)
        until(lambda: time_of(page) == pytest.approx(expected), key)  # noqa: B023
    page.keyboard.press("+")
    assert page.get_by_label("Speed", exact=True).input_value() == "2"
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert page.get_by_label("Speed", exact=True).input_value() == "0.5"
    page.keyboard.press("Space")
    until(lambda: time_of(page) > 0.2, "playing")
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Play").is_visible()


def test_shift_and_arrows_turn_the_camera_at_the_same_moment(page: Page) -> None:
    page.locator(PICTURE).focus()
    before = pixels(page.locator(PICTURE))
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    settle(page)
    assert changed(before, pixels(page.locator(PICTURE))) > 0.02
    assert time_of(page) == 0.0


def test_the_focus_can_be_seen(page: Page) -> None:
    page.keyboard.press("Tab")
    page.locator(PICTURE).focus()
    outline = page.locator(PICTURE).evaluate("it => getComputedStyle(it).outlineWidth")
    assert outline == "3px"


def test_space_on_a_select_does_not_play(page: Page) -> None:
    page.get_by_label("Speed", exact=True).focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Speed", exact=True).input_value() == "2"
    assert page.get_by_role("button", name="Play").is_visible()


# ---------------------------------------------------------------------- camera and marks
def test_the_camera_follows_the_ball_until_it_is_told_not_to(page: Page) -> None:
    start = ball_place(page)
    seek(page, FRAMES - 1)
    assert ball_place(page) == pytest.approx(start, abs=0.03)
    page.get_by_role("button", name="Follow").click()
    seek(page, 0)
    assert ball_place(page) < start - 0.2


def test_dragging_turns_the_camera_and_a_double_click_puts_it_back(page: Page) -> None:
    picture = page.locator(PICTURE)
    before = pixels(picture)
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 130, steps=3)
    page.mouse.up()
    settle(page)
    assert changed(before, pixels(picture)) > 0.05
    picture.dblclick()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    settle(page)
    assert changed(before, pixels(picture)) < 0.001


def test_the_wheel_scrolls_the_page_and_zooms_after_a_click(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 400})
    settle(page)
    size = reddish(page.locator(PICTURE)).sum()
    page.locator(PICTURE).hover()
    page.mouse.wheel(0, 100)
    until(lambda: page.evaluate("scrollY") > 0, "scrolling")
    settle(page)
    assert reddish(page.locator(PICTURE)).sum() == pytest.approx(size, rel=0.05)
    page.locator(PICTURE).click()
    page.mouse.wheel(0, -300)
    settle(page)
    assert reddish(page.locator(PICTURE)).sum() > 1.2 * size


def test_contacts_are_marked_until_they_are_switched_off(page: Page) -> None:
    before = pixels(page.locator(PICTURE))
    page.get_by_role("button", name="Contacts").click()
    settle(page)
    after = pixels(page.locator(PICTURE))
    assert 0 < changed(before, after) < 0.01


def test_a_large_picture_takes_the_whole_width(page: Page) -> None:
    picture = page.locator(".replay-picture")
    before = picture.evaluate("it => it.clientWidth")
    page.get_by_role("button", name="Large picture").click()
    assert picture.evaluate("it => it.clientWidth") > 2 * before
    settle(page)
    assert page.locator(PICTURE).evaluate("it => it.width") == picture.evaluate(
        "it => it.clientWidth"
    )


def test_a_goal_is_marked_and_named(page: Page) -> None:
    seen = pixels(page.locator(PICTURE))
    green = seen[..., 1] > seen[..., [0, 2]].max(axis=-1) + 40
    assert green.mean() > 0.0003
    assert "Green: finish." in (page.locator(PICTURE).get_attribute("title") or "")


# ---------------------------------------------------------------------- episodes
def test_another_episode_has_its_own_motion_curves_and_end(page: Page) -> None:
    chosen = page.get_by_label("Episode of g0c0")
    assert chosen.locator("option").all_inner_texts() == [
        "median: 2.50 m/s, time limit",
        "worst: 0.500 m/s, ball stood still",
    ]
    chosen.select_option(index=1)
    length = (FRAMES // 2 - 1) * STEP_S
    until(lambda: f"/ {length:.2f} s" in page.locator(".replay-time").inner_text(), "its length")
    start = ball_place(page)
    page.locator(PICTURE).focus()
    page.keyboard.press("End")
    settle(page)
    assert ball_place(page) == pytest.approx(start, abs=0.01)
    assert page.locator(".replay-end.shown").inner_text() == "ball stood still at 1.00 s"


def test_the_attribute_chooses_the_episode_that_is_shown_first(
    open_page: Opener, html: str
) -> None:
    page = open_page(html.replace('data-episode="0"', 'data-episode="1"'), **STILL).page
    ready(page, 1)
    assert page.get_by_label("Episode of g0c0").input_value() == "1"


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
