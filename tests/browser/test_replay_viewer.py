"""What a person sees and does in a replay, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.browser import Opener, changed, pixels, ready, settle, until
from tests.support.replays import (
    EPISODE_S,
    FRAMES,
    STEP_S,
)
from tests.support.viewer import (
    PICTURE,
    STILL,
    ball_place,
    cursor_part,
    reddish,
    seek,
    time_of,
    value_of,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


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
