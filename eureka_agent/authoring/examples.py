"""The example fitness functions of a new task, one of which is active."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

ExampleName = Literal["forward", "reach", "stay"]
_WIDTH = 76


@dataclass(frozen=True)
class Example:
    """A fitness to fill in, with the attributes that belong to it."""

    name: ExampleName
    title: str
    description: str
    unit: str
    solved: float
    meaning: str
    lines: tuple[str, ...]
    """The body of `fitness`."""
    note: str = ""
    """What else has to be changed for it."""

    @property
    def as_comment(self) -> list[str]:
        """The whole example as lines of text, to be taken into use by hand."""
        head = (
            f'Or {self.title}: description = "{self.description}", fitness_unit = "{self.unit}",'
            f" fitness_solved = {self.solved}. {self.note}"
        )
        return [*textwrap.wrap(head, _WIDTH), *self.lines]


def examples_of(
    *, base: str, tip: str, start_height_m: float, tip_height_m: float, has_goal: bool
) -> list[Example]:
    """Return three examples for a robot.

    Args:
        base: The Python name of a floating base; empty for a fixed robot.
        tip: The Python name of the end that does the work; may be empty for a floating robot.
        start_height_m: The base's height at the start.
        tip_height_m: Nine tenths of the greatest height that the end has been seen at.
        has_goal: Whether the state has a goal for the end.
    """
    mover = base or tip
    return [
        _forward(mover),
        _reach_goal(tip) if has_goal else _reach_mark(mover),
        _stay(base, round(0.8 * start_height_m, 3)) if base else _stay(tip, tip_height_m),
    ]


def _forward(mover: str) -> Example:
    return Example(
        "forward",
        "move forward",
        f"move the {_words(mover)} forward, along x, as fast as possible",
        "m/s",
        1.0,
        f"mean velocity of the {_words(mover)} along x in m/s over the full episode",
        (
            f'velocity = state["{mover}_velocity"][:, 0]',
            "return velocity / self.max_episode_steps",
        ),
    )


def _reach_goal(tip: str) -> Example:
    return Example(
        "reach",
        "reach a goal",
        f"bring the {_words(tip)} to the goal and keep it there",
        "share of the episode",
        0.7,
        f"share of the full episode in which the {_words(tip)} is within 5 cm of the goal",
        (
            f'offset = state["{tip}_position"] - state["goal_position"]',
            "distance = offset.norm(dim=1)",
            "return (distance < 0.05).float() / self.max_episode_steps",
        ),
    )


def _reach_mark(mover: str) -> Example:
    return Example(
        "reach",
        "reach a mark",
        f"bring the {_words(mover)} to the mark 2 m ahead, at x = 2, y = 0, and keep it there",
        "share of the episode",
        0.5,
        f"share of the full episode in which the {_words(mover)} is within 0.3 m of the mark",
        (
            'mark = torch.tensor([2.0, 0.0], device=state["action"].device)',
            f'offset = state["{mover}_position"][:, :2] - mark',
            "distance = offset.norm(dim=1)",
            "return (distance < 0.3).float() / self.max_episode_steps",
        ),
        note=f'Add state["{mover}_position"][:, :2] to the observation.',
    )


def _stay(mover: str, height_m: float) -> Example:
    return Example(
        "stay",
        "stay up",
        f"keep the {_words(mover)} above {height_m:g} m",
        "share of the episode",
        0.9,
        f"share of the full episode in which the {_words(mover)} is above {height_m:g} m",
        (
            f'height = state["{mover}_position"][:, 2]',
            f"return (height > {height_m:g}).float() / self.max_episode_steps",
        ),
    )


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
