"""Python names for the elements of a robot: the names in its file may hold anything."""

from __future__ import annotations

import keyword
import re
import unicodedata

_LONGEST = 24
_RESERVED = (
    "action",
    "dt",
    "episode_state",
    "episode_time",
    "goal_position",
    "math",
    "name",
    "obs_buf",
    "physics",
    "random",
    "self",
    "state",
    "torch",
)


class Identifiers:
    """Gives out Python names, each once."""

    def __init__(self) -> None:
        self._taken = set(_RESERVED)

    def of(self, name: str, otherwise: str, endings: tuple[str, ...] = ("",)) -> str:
        """Return a name in lower case with ASCII letters, digits and underscores.

        Args:
            name: The name in the robot's file.
            otherwise: The name to take when nothing of `name` is left, such as `joint`.
            endings: What the name is used with; no other name is the same with one of them.

        Returns:
            The name without an ending. A number tells it from the same name of another element.
        """
        base = identifier(name, otherwise)
        chosen = base
        number = 2
        while any(chosen + ending in self._taken for ending in endings):
            chosen = f"{base}_{number}"
            number += 1
        self._taken |= {chosen + ending for ending in endings}
        return chosen


def identifier(name: str, otherwise: str) -> str:
    """Return `name` as a Python name; `otherwise` if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", plain.lower())[:_LONGEST].strip("_")
    if not words:
        return otherwise
    if words[0].isdigit() or words.startswith("prev_"):
        return f"{otherwise}_{words}"
    return f"{words}_" if keyword.iskeyword(words) else words
