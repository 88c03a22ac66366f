"""Damaged and malicious replays: a sentence stands in the figure, and the page goes on."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from eureka_agent.report import RunReport
from eureka_agent.report.html.replay_page import ShownReplay, replay_page
from tests.support.browser import Opener, OpenPage, figures_page, opener, ready
from tests.support.replays import (
    Change,
    ball_replay,
    ball_scene,
    bomb,
    changed_replay,
    changed_scene,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
MARKUP = "<img src=x onerror=document.title='attacked'>"
MANY = {"t": "f32", "o": 0, "n": 2**31}


def in_episode(**changes: Any) -> bytes:
    return changed_replay(lambda header: header["episodes"][0].update(changes))


def in_camera(**changes: Any) -> bytes:
    return changed_scene(lambda header: header["camera"].update(changes))


def in_geom(**changes: Any) -> bytes:
    return changed_scene(lambda header: header["geoms"][1].update(changes))


def in_mesh(**changes: Any) -> bytes:
    return changed_scene(lambda header: header["meshes"][0].update(changes))


def in_field(**changes: Any) -> bytes:
    return changed_scene(lambda header: header["hfields"][0].update(changes))


def repeated(key: str, count: int) -> Change:
    return lambda header: header.update({key: header[key] * count})


def with_header(text: str) -> bytes:
    data = text.encode()
    return gzip.compress(struct.pack("<I", len(data)) + data)


REPLAYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a complete gzip"),
    "text": (lambda: MARKUP.encode(), "not a complete gzip"),
    "half": (lambda: ball_replay()[:-400], "not a complete gzip"),
    "bomb": (lambda: bomb(200 * 2**20), "too large"),
    "short": (lambda: gzip.compress(b"ab"), "empty"),
    "header too long": (lambda: gzip.compress(struct.pack("<I", 2**31) + b"{}"), "header is cut"),
    "no json": (lambda: with_header("{"), "header is not JSON"),
    "a list": (lambda: with_header("[1]"), "unknown format"),
    "version": (lambda: with_header('{"v": 2}'), "unknown format"),
    "bodies": (lambda: changed_replay(lambda it: it.update(bodies=7)), "does not fit"),
    "no episode": (lambda: changed_replay(lambda it: it.update(episodes=[])), "no episode"),
    "many episodes": (lambda: changed_replay(repeated("episodes", 9)), "more than 8"),
    "episode is text": (lambda: changed_replay(lambda it: it.update(episodes=["x"])), "missing"),
    "step": (lambda: changed_replay(lambda it: it.update(step_s=0)), "not above zero"),
    "endless frames": (lambda: in_episode(frames=1e15), "has too many frames"),
    "half a frame": (lambda: in_episode(frames=1.5), "has no frames"),
    "fewer frames": (lambda: in_episode(frames=7), "is incomplete"),
    "large array": (lambda: in_episode(poses={**MANY, "t": "i16"}), "is cut off"),
    "type": (lambda: in_episode(poses={"t": "constructor", "o": 0, "n": 1}), "wrong type"),
    "place": (lambda: in_episode(poses={"t": "i16", "o": -4, "n": 1}), "no valid place"),
    "scale": (lambda: in_episode(scale=[1e300, 1, 1]), "not a usual number"),
    "scale is text": (lambda: in_episode(scale=["1", 1, 1]), "not a usual number"),
    "offset": (lambda: in_episode(off=[0]), "does not have 3 numbers"),
    "contacts": (lambda: in_episode(contacts={"counts": MANY, "points": MANY}), "wrong type"),
    "goals": (lambda: in_episode(goals=[{"name": "x", "points": MANY}]), "is cut off"),
    "curves": (lambda: in_episode(series=[{"name": "x", "kind": "x"}]), "unknown kind"),
    "many curves": (lambda: in_episode(series=[{}] * 65), "more than 64"),
}
SCENES: dict[str, tuple[Callable[[], bytes], str]] = {
    "camera": (lambda: in_camera(pos=[0, 0, None]), "not a usual number"),
    "camera in its target": (lambda: in_camera(pos=[0, 0, 0.3]), "not above zero"),
    "followed body": (lambda: in_camera(track=9), "names nothing"),
    "type of a geom": (lambda: in_geom(type="toString"), "unknown type"),
    "body of a geom": (lambda: in_geom(body=-1), "names nothing"),
    "body is text": (lambda: in_geom(body="__proto__"), "names nothing"),
    "size of a geom": (lambda: in_geom(size=[1e9, 0, 0]), "not a usual number"),
    "mesh of a geom": (lambda: in_geom(type="mesh", mesh=5), "names nothing"),
    "many geoms": (lambda: changed_scene(repeated("geoms", 600)), "more than 2000"),
    "many bodies": (lambda: changed_scene(lambda it: it.update(bodies=["x"] * 3000)), "than 2000"),
    "corners": (lambda: in_mesh(face={"t": "u16", "o": 0, "n": 9}), "no such vertex"),
    "field": (lambda: in_field(rows=10**9, cols=10**9), "too many triangles"),
    "small field": (lambda: in_field(rows=1), "no size"),
}


@pytest.fixture(scope="module")
def damaged(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPage]:
    """Yield one page with all damaged replays and scenes, and an intact replay at its end."""
    figures = [(name, ball_scene(), make()) for name, (make, _) in REPLAYS.items()]
    figures += [(name, make(), ball_replay()) for name, (make, _) in SCENES.items()]
    figures.append(("intact", ball_scene(), ball_replay()))
    with opener(browser, tmp_path_factory.mktemp("damaged")) as open_html:
        tall = {"width": 1000, "height": 9000}
        opened = open_html(figures_page(figures), viewport=tall, reduced_motion="reduce")
        ready(opened.page, 1)
        yield opened


@pytest.mark.parametrize("case", [*REPLAYS, *SCENES])
def test_what_is_damaged_is_a_sentence(damaged: OpenPage, case: str) -> None:
    _, says = (REPLAYS | SCENES)[case]
    error = damaged.page.locator(f'figure[data-label="{case}"] .replay-error')
    error.wait_for()
    assert error.inner_text().startswith("This replay is damaged: ")
    assert says in error.inner_text()


def test_what_is_intact_is_shown_after_all_that_is_damaged(damaged: OpenPage) -> None:
    assert damaged.page.locator('figure[data-label="intact"] canvas').count() == 2
    assert damaged.page.locator("canvas").count() == 2
    assert damaged.errors == []


def test_markup_in_names_stays_text(open_page: Opener, run: RunReport) -> None:
    def attack(header: dict[str, Any]) -> None:
        header["unit"] = MARKUP
        header["episodes"][0].update(kind=MARKUP, end=MARKUP)

    replay = changed_replay(attack, {"speed": MARKUP, "cost": "</script><script>x</script>"})
    opened = open_page(replay_page(run, ball_scene(), [ShownReplay(MARKUP, replay)]))
    ready(opened.page, 1)
    assert opened.page.locator("img").count() == 0
    assert opened.page.get_by_role("button", name=MARKUP).count() == 1
    assert opened.page.title().startswith("Replays of")
    assert opened.errors == []


def test_a_name_of_any_length_does_not_break_the_page(open_page: Opener, run: RunReport) -> None:
    replay = changed_replay(lambda header: None, {"speed": "x" * 10_000, "cost": "a\u202e\nb"})
    opened = open_page(replay_page(run, ball_scene(), [ShownReplay("g0c0", replay)]))
    ready(opened.page, 1)
    names = opened.page.locator(".replay-name").all_inner_texts()
    assert len(names[0]) == 81
    assert names[1] == "a��b"
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_not_finite_leaves_gaps(open_page: Opener, run: RunReport) -> None:
    def attack(header: dict[str, Any]) -> None:
        episode = header["episodes"][0]
        # 16-bit poses read as 32-bit numbers hold NaN, infinity and huge values.
        wild = {"t": "f32", "o": episode["poses"]["o"], "n": 3 * episode["frames"]}
        episode["goals"][0]["points"] = wild
        episode["contacts"]["points"] = wild
        episode["series"][0]["values"] = {**wild, "n": episode["frames"]}

    replay = changed_replay(attack)
    opened = open_page(replay_page(run, ball_scene(), [ShownReplay("g0c0", replay)]))
    ready(opened.page, 1)
    opened.page.wait_for_timeout(300)
    assert opened.errors == []
