"""One environment in another Python, which is asked for what it is and stepped.

Torch is not needed. `foreign.ForeignEnv` starts it. Messages are numbers, texts, lists and
dictionaries alone, so that both Pythons may have other versions of everything.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import flatten

from eureka_agent.errors import EurekaError
from eureka_agent.simulation.gymnasium.making import make, reason_of, start_episode
from eureka_agent.simulation.gymnasium.space_data import action_from_data, space_to_data


def main(channel: int) -> None:
    """Answer requests until the channel closes.

    Args:
        channel: Descriptor of the socket to the parent.
    """
    warnings.simplefilter("ignore")
    with Connection(channel) as parent, contextlib.suppress(EOFError, BrokenPipeError):
        env: gymnasium.Env[Any, Any] | None = None
        while True:
            what, value = parent.recv()
            try:
                answer: object
                if what == "make":
                    env = make(*value)
                    answer = _description(env)
                else:
                    assert env is not None
                    answer = _step(env, value) if what == "step" else _reset(env, value)
                parent.send(("", answer))
            except EurekaError as error:
                parent.send((type(error).__name__, str(error)))
            except Exception as error:  # noqa: BLE001 - the parent raises it
                parent.send(("TaskError", f"The environment fails: {reason_of(error)}."))


def _description(env: gymnasium.Env[Any, Any]) -> dict[str, Any]:
    inner, spec = env.unwrapped, env.spec
    rate = inner.metadata.get("render_fps") or 0
    return {
        "kind": type(inner).__name__,
        "docstring": type(inner).__doc__ or "",
        "id": spec.id if spec is not None else type(inner).__name__,
        "max_episode_steps": spec.max_episode_steps if spec is not None else None,
        "reward_threshold": spec.reward_threshold if spec is not None else None,
        "dt": _number(getattr(inner, "dt", None)) or _number(getattr(inner, "tau", None)),
        "render_fps": _number(rate),
        "observation_space": space_to_data(env.observation_space),
        "action_space": space_to_data(env.action_space),
    }


def _reset(env: gymnasium.Env[Any, Any], seed: int) -> tuple[list[float], dict[str, Any]]:
    observation, info = start_episode(env, seed)
    return _flat(env, observation), _plain(info)


def _step(env: gymnasium.Env[Any, Any], action: Any) -> tuple[Any, ...]:
    taken = action_from_data(env.action_space, action)
    observation, reward, terminated, truncated, info = env.step(taken)
    flat = _flat(env, observation)
    return flat, float(reward), bool(terminated), bool(truncated), _plain(info)


def _flat(env: gymnasium.Env[Any, Any], observation: Any) -> list[float]:
    flat: list[float] = np.asarray(flatten(env.observation_space, observation), np.float64).tolist()
    return flat


def _plain(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of `info` that are numbers, flags or short arrays of them."""
    plain: dict[str, Any] = {}
    for key, value in info.items():
        array = np.asarray(value) if isinstance(value, np.ndarray | np.generic) else value
        if isinstance(array, np.ndarray) and array.dtype.kind in "biuf" and array.size <= 64:
            plain[str(key)] = array.tolist()
        elif isinstance(value, bool | int | float):
            plain[str(key)] = value
    return plain


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
