"""Spaces of Gymnasium as plain data, for a process with other versions; torch is not needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from eureka_agent.errors import UsageError


def space_to_data(space: spaces.Space[Any]) -> dict[str, Any]:
    """Return what `space_from_data` reads. Raises UsageError for a space of another kind."""
    if isinstance(space, spaces.Box):
        low, high = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
        shape, dtype = list(space.shape), space.dtype.name
        return {"kind": "Box", "low": low, "high": high, "shape": shape, "dtype": dtype}
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": int(np.prod(space.shape))}
    if isinstance(space, spaces.Dict):
        parts = [(str(key), space_to_data(part)) for key, part in space.spaces.items()]
        return {"kind": "Dict", "parts": parts}
    if isinstance(space, spaces.Tuple):
        return {"kind": "Tuple", "parts": [space_to_data(part) for part in space.spaces]}
    raise UsageError(f"Spaces of the kind {type(space).__name__} are not supported.")


def space_from_data(data: dict[str, Any]) -> spaces.Space[Any]:
    """Return the space of `space_to_data`. Raises UsageError if the data are something else."""
    try:
        kind = data["kind"]
        if kind == "Box":
            low, high = (np.array(data[end], data["dtype"]) for end in ("low", "high"))
            shape = tuple(data["shape"])
            return spaces.Box(low.reshape(shape), high.reshape(shape), dtype=low.dtype.type)
        if kind == "Discrete":
            return spaces.Discrete(data["n"], start=data["start"])
        if kind == "MultiDiscrete":
            return spaces.MultiDiscrete(data["nvec"])
        if kind == "MultiBinary":
            return spaces.MultiBinary(data["n"])
        if kind == "Dict":
            return spaces.Dict({key: space_from_data(part) for key, part in data["parts"]})
        if kind == "Tuple":
            return spaces.Tuple([space_from_data(part) for part in data["parts"]])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The other Python described a space wrongly: {error}.") from error
    raise UsageError(f"Spaces of the kind {kind!r:.40} are not supported.")


def action_to_data(action: Any) -> Any:
    """Return an action of a Box, Discrete, MultiDiscrete or MultiBinary space as plain data."""
    return np.asarray(action).tolist()


def action_from_data(space: spaces.Space[Any], data: Any) -> Any:
    """Return the action of `action_to_data` as `space` has it."""
    if isinstance(space, spaces.Discrete):
        return int(data)
    return np.asarray(data, dtype=space.dtype).reshape(space.shape)
