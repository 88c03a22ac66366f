"""What tests of replays read and do in a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tests.support.browser import pixels, settle, until
from tests.support.replays import STEP_S

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

STILL = {"reduced_motion": "reduce"}
"""A page whose replays start stopped."""
PICTURE = ".replay-picture > canvas"


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
