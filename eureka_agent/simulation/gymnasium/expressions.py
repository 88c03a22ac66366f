"""What can be read of an environment, as expressions of `GymnasiumReading`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from eureka_agent.simulation.gymnasium.recipe import InfoEntry, ModelQuantity
from eureka_agent.simulation.gymnasium.state import Readable

_OF_ONE = {
    "body_position": "env.data.xpos[{}]",
    "body_orientation": "env.data.xquat[{}]",
    "body_velocity": "linear_velocity(env.data, {})",
    "body_angular_velocity": "angular_velocity(env.data, {})",
    "site_position": "env.data.site_xpos[{}]",
    "sensor": "env.data.sensor({}).data",
}
"""Quantities of one body, site or sensor, by their kind."""
_OF_SEVERAL = {
    "body_contact": "touches(env.data, {})",
    "joint_positions": "env.data.qpos[env.model.jnt_qposadr[{}]]",
    "joint_velocities": "env.data.qvel[env.model.jnt_dofadr[{}]]",
}


def expressions_of(readable: Readable) -> dict[str, str]:
    """Return an expression for every variable that rewards may read, and for `obs_buf`."""
    return {
        **dict(_of_observation(readable)),
        **{one.name: _of_info(entry) for entry, one in readable.info if one is not None},
        **{
            each.variable.name: _of_model(each.quantity, each.variable.shape)
            for each in readable.model
        },
        "obs_buf": "observation",
    }


def _of_observation(readable: Readable) -> Iterator[tuple[str, str]]:
    start = 0
    for variable in readable.observation:
        size = math.prod(variable.shape)
        part = f"observation[{start}:{start + size}]"
        one = f"observation[{start}]"
        yield variable.name, _shaped(part, variable.shape) if variable.shape else one
        start += size


def _of_info(entry: InfoEntry) -> str:
    missing = f"np.zeros({_numbers(entry.shape)})" if entry.shape else "0.0"
    return f"np.nan_to_num(info.get({entry.key!r}, {missing}))"


def _of_model(quantity: ModelQuantity, shape: tuple[int, ...]) -> str:
    if quantity.kind in _OF_SEVERAL:
        return _OF_SEVERAL[quantity.kind].format([*_numbers(quantity.ids)])
    one = _OF_ONE[quantity.kind].format(int(quantity.ids[0]))
    return _shaped(one, shape) if quantity.kind == "sensor" else one


def _shaped(code: str, shape: tuple[int, ...]) -> str:
    return code if len(shape) == 1 else f"np.reshape({code}, {_numbers(shape)})"


def _numbers(values: Iterable[int]) -> tuple[int, ...]:
    """Return whole numbers: they become code, and may come from a process of another Python."""
    return tuple(int(value) for value in values)
