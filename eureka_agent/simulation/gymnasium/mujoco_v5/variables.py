"""The state variables that several environments have."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco

from eureka_agent.tasks.task import StateVariable

_INFO = {
    "x_position": "position along x",
    "y_position": "position along y",
    "distance_from_origin": "horizontal distance to the world's origin",
    "z_distance_from_origin": "height above that of the model's own pose",
}


def position(name: str, meaning: str, goal_for: str | None = None) -> StateVariable:
    """Return a position `(3,)` in the world."""
    return StateVariable(name, (3,), "m", "world", meaning, "position", goal_for)


def velocity(name: str, meaning: str) -> StateVariable:
    """Return a linear velocity `(3,)` in the world."""
    return StateVariable(name, (3,), "m/s", "world", meaning, "linear_velocity")


def mean_velocity(name: str, of: str) -> StateVariable:
    """Return a velocity along one axis, such as `x_velocity`, over the last step."""
    meaning = f"mean velocity of {of} along {name[0]} in the last step"
    return StateVariable(name, (), "m/s", "world", meaning, "speed")


def joint_positions(names: Sequence[str], meaning: str) -> StateVariable:
    """Return joint angles `(n,)`."""
    return StateVariable(
        "joint_positions",
        (len(names),),
        "rad",
        "-",
        meaning,
        "joint_positions",
        elements=tuple(names),
    )


def joint_velocities(names: Sequence[str]) -> StateVariable:
    """Return angular velocities of joints `(n,)`."""
    return StateVariable(
        "joint_velocities",
        (len(names),),
        "rad/s",
        "-",
        "angular velocities of the joints",
        "joint_velocities",
        elements=tuple(names),
    )


def info_variable(name: str) -> StateVariable:
    """Return a number that Gymnasium's `info` has."""
    return StateVariable(name, (), "m", "world", _INFO[name])


def body_positions(model: mujoco.MjModel) -> dict[str, tuple[int, StateVariable]]:
    """Return the position of every body that has a name: its number and variable, by name."""
    found = {}
    for body in range(1, model.nbody):
        name = f"{model.body(body).name}_position"
        if name.isidentifier() and model.body(body).name:
            meaning = f"position of the body {model.body(body).name}'s own frame"
            found[name] = (body, position(name, meaning))
    return found
