"""What the words of a task's description suggest about the terms of its reward.

A small dictionary of English, not of tasks: each stem multiplies the prior of some measures. It
assumes the usual robot frame, x forward, y left, z up.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from eureka_agent.utils.english import COMMON_WORDS, stem

_COMMON_WORDS = COMMON_WORDS.union(
    "world frame each entry vector position velocity value number".split()
)
"""Words that say nothing about a reward, also where they describe state."""


@dataclass(frozen=True)
class Hint:
    """A factor on the prior of one measure; `sign` is -1 if the word asks for less of it."""

    measure: str
    factor: float
    axis: int | None = None
    sign: int = 1
    unit: str | None = None
    """Only for features in this unit: `upright` asks for small angles, not small positions."""


def _along(axis: int, sign: int, factor: float) -> tuple[Hint, ...]:
    return (Hint("velocity", factor, axis, sign), Hint("displacement", factor, axis, sign))


def _all(factor: float, *measures: str) -> tuple[Hint, ...]:
    return tuple(Hint(measure, factor) for measure in measures)


_GO = _along(0, 1, 2.0)
_UPRIGHT = (
    *_all(5.0, "upright"),
    *(Hint(measure, 4.0, unit="rad") for measure in ("magnitude", "cosine")),
    *_all(2.0, "height", "alive"),
)
_TURN = (
    *(Hint("spin", 5.0 if axis == 2 else 2.0, axis) for axis in range(3)),
    *_all(3.0, "rotation", "rotation_progress", "alignment"),
)
_MATCH = _all(4.0, "rotation", "alignment")
_REACH = (*_all(3.0, "distance"), *_all(2.0, "progress", "decrease"))
_RISE = (Hint("height", 5.0), *_along(2, 1, 3.0))
_SINK = (Hint("height", 5.0, sign=-1), *_along(2, -1, 3.0))
_KEEP = (*_all(4.0, "centre"), *_all(2.0, "distance", "speed", "alive"))
_STILL = _all(4.0, "speed", "smoothness")

WORDS: Mapping[str, tuple[Hint, ...]] = {
    **dict.fromkeys(("forward", "ahead"), _along(0, 1, 8.0)),
    **dict.fromkeys(("backward", "reverse"), _along(0, -1, 8.0)),
    "left": _along(1, 1, 8.0),
    "right": _along(1, -1, 8.0),
    "sideway": _along(1, 1, 5.0),
    **dict.fromkeys(
        ("run", "walk", "gallop", "crawl", "hop", "move", "swim", "drive", "fast", "quick"), _GO
    ),
    **dict.fromkeys(("jump", "leap"), (Hint("height", 5.0), *_along(2, 1, 5.0))),
    **dict.fromkeys(
        ("up", "lift", "rais", "rise", "high", "height", "climb", "fly", "hover"), _RISE
    ),
    **dict.fromkeys(("down", "lower", "lie", "crouch"), _SINK),
    **dict.fromkeys(("stand", "upright", "balanc", "fall", "steady"), _UPRIGHT),
    **dict.fromkeys(("spin", "rotat", "turn", "twirl", "revolv", "roll"), _TURN),
    "vertical": (Hint("spin", 2.0, 2),),
    "anticlockwise": (Hint("spin", 2.0, 2),),
    "clockwise": (Hint("spin", 2.0, 2, -1),),
    "flip": (Hint("spin", 5.0, 1), Hint("spin", 3.0, 0), *_RISE),
    "backflip": (Hint("spin", 8.0, 1, -1), Hint("element", 20.0, sign=-1, unit="rad/s"), *_RISE),
    **dict.fromkeys(
        ("orient", "orientat", "reorient", "align", "face", "point", "match", "pose"), _MATCH
    ),
    **dict.fromkeys(
        ("reach", "goal", "target", "touch", "toward", "grasp", "grab", "pick", "plac"), _REACH
    ),
    **dict.fromkeys(("push", "pull", "catch", "insert", "stack", "throw", "bring", "put"), _REACH),
    **dict.fromkeys(("center", "centr", "middle", "keep", "stay"), _KEEP),
    **dict.fromkeys(("still", "hold", "stop", "freez", "slow", "gentl", "smooth"), _STILL),
    "drop": _all(2.0, "distance", "height", "alive"),
    "open": _all(4.0, "element", "increase"),
    "clos": _all(4.0, "magnitude", "decrease"),
}
GOAL_WORDS = frozenset("target goal limit command desir setpoint refer".split())
"""Stems in the name of a variable that is given and that the robot cannot change."""
BAD_EVENTS = frozenset("fail fall fallen drop dropp collid collision crash lost violat".split())
"""Stems in the meaning of a flag that should stay 0."""


@cache
def stems(text: str) -> frozenset[str]:
    """Return the significant words of `text` without their English endings."""
    text = re.sub(r"(counter|anti)[- ]?clockwise", "anticlockwise", text.casefold())
    words = re.findall(r"[a-z]+", text)
    return frozenset(stem(word) for word in words if word not in _COMMON_WORDS)


def hints(description: str) -> tuple[Hint, ...]:
    """Return the hints of a description's words, in the order of the table."""
    found = stems(description)
    matches = (entry for word, entry in WORDS.items() if found & {word, stem(word)})
    return tuple(itertools.chain.from_iterable(matches))
