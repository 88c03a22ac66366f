"""The actions of an environment: from [-1, 1] or one-hot options to what its space takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Space
from numpy.typing import NDArray

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.docstrings import numbered_items, numbered_rows
from eureka_agent.simulation.gymnasium.words import identifier, unique

_SECTION = "action"
_MOST_OPTIONS = 1000


def check_action_space(space: Space[Any], name: str) -> None:
    """Raise UsageError for actions that are not supported."""
    advice = "supported are Box with bounds, Discrete, MultiDiscrete and MultiBinary"
    if isinstance(space, Box):
        if not np.isfinite(space.low).all() or not np.isfinite(space.high).all():
            raise UsageError(f"{name} has actions without bounds ({space}): {advice}.")
        if not np.issubdtype(space.dtype, np.floating):
            raise UsageError(f"{name} has a Box of integers as actions ({space}): {advice}.")
    elif not isinstance(space, Discrete | MultiDiscrete | MultiBinary):
        raise UsageError(f"{name} has the action space {type(space).__name__}: {advice}.")
    elif sum(choices_of(space)) > _MOST_OPTIONS:
        raise UsageError(
            f"{name} has {sum(choices_of(space))} different actions, more than {_MOST_OPTIONS}."
        )


def choices_of(space: Space[Any]) -> tuple[int, ...]:
    """Return the number of options of each choice; () for continuous actions."""
    if isinstance(space, Discrete):
        return (int(space.n),)
    if isinstance(space, MultiDiscrete):
        return tuple(int(n) for n in space.nvec.flatten())
    if isinstance(space, MultiBinary):
        return (2,) * int(np.prod(space.shape))
    return ()


def action_names(space: Space[Any], docstring: str) -> tuple[str, ...]:
    """Return a name for each action entry or option, from the docstring where it has them."""
    rows = numbered_rows(docstring, _SECTION)
    said = numbered_items(docstring, _SECTION)
    said |= {number: _name_in(row) for number, row in rows.items()}
    choices = choices_of(space)
    if len(choices) > 1:
        return tuple(f"choice_{k}_{o}" for k, count in enumerate(choices) for o in range(count))
    count = choices[0] if choices else int(np.prod(space.shape or ()))
    prefix = "option" if choices else "action"
    named = [identifier(said.get(index, "")) for index in range(count)]
    complete = len(said) == count and all(named)
    return unique(named) if complete else tuple(f"{prefix}_{index}" for index in range(count))


def actions_for(space: Space[Any], action: NDArray[np.float32]) -> Sequence[Any]:
    """Return what the space takes, one row per environment.

    Args:
        space: The action space.
        action: `(num_envs, action_size)` in [-1, 1], or the options' entries.

    Returns:
        An element of the space for each environment.
    """
    if isinstance(space, Box):
        low, high = space.low.reshape(1, -1), space.high.reshape(1, -1)
        scaled = low + (action.clip(-1.0, 1.0).astype(np.float64) + 1.0) * 0.5 * (high - low)
        bounded = scaled.clip(low, high).astype(space.dtype)
        return list(bounded.reshape(len(action), *space.shape))
    groups = np.split(action, np.cumsum(choices_of(space))[:-1], axis=1)
    taken = np.stack([group.argmax(axis=1) for group in groups], axis=1)
    if isinstance(space, Discrete):
        return [int(option) for option in taken[:, 0] + space.start]
    shaped = taken.reshape(len(action), *(space.shape or ()))
    start = space.start if isinstance(space, MultiDiscrete) else 0
    return list((shaped + start).astype(space.dtype))


def _name_in(row: Any) -> str:
    """Return the name of an action in a row of a table: the actuator's if there is one."""
    for column, cell in row.items():
        if column.startswith("name"):
            return str(cell)
    return str(row.get("action", ""))
