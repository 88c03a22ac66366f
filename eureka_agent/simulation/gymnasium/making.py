"""Finding and making an environment of Gymnasium by its id. Torch is not needed."""

from __future__ import annotations

import contextlib
import importlib
import io
import traceback
import warnings
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import DependencyNotInstalled

from eureka_agent.errors import TaskError, UnknownTaskError, UsageError
from eureka_agent.text import one_line
from eureka_agent.utils.did_you_mean import did_you_mean

DEFAULT_EPISODE_STEPS = 1000
"""The time limit of environments that have none of their own."""
_LONGEST_REASON = 300
_EXTRAS: Mapping[str, str] = {
    "gymnasium.envs.box2d": "gymnasium[box2d]",
    "gymnasium.envs.classic_control": "gymnasium[classic-control]",
    "gymnasium.envs.mujoco": "gymnasium[mujoco]",
    "gymnasium.envs.phys2d": "gymnasium[jax]",
    "gymnasium.envs.tabular": "gymnasium[jax]",
    "gymnasium.envs.toy_text": "gymnasium[toy-text]",
}
"""What has to be installed for Gymnasium's own environments, by the module that has their code."""
_ROBOTICS = "gymnasium_robotics"


def find_spec(name: str) -> EnvSpec:
    """Return the registered environment of an id, and import the package that registers it.

    Args:
        name: `Hopper-v5`, `namespace/Name-v0` or `module:Name-v0`.

    Raises:
        UnknownTaskError: No such environment is registered.
        UsageError: The package that registers it cannot be imported.
    """
    module, colon, name_there = name.rpartition(":")
    if colon:
        _import(module)
    namespace, slash, _ = name_there.rpartition("/")
    if name_there not in gymnasium.registry and not colon:
        if namespace.isidentifier():
            _import(namespace, advice=_how_to_name_a_module(name_there))
        elif not slash:
            _register_robotics()
    if name_there not in gymnasium.registry:
        raise UnknownTaskError(_not_registered(name_there))
    return gymnasium.registry[name_there]


def imports_code(name: str) -> bool:
    """Whether finding an environment imports a module that only its id names."""
    if ":" in name:
        return True
    return "/" in name and name not in gymnasium.registry


def registration_of(spec: EnvSpec) -> str | None:
    """Return what `register_again` takes in another process, or None if there is no such text."""
    try:
        return spec.to_json()
    except (TypeError, ValueError):
        return None


def register_again(registration: str) -> None:
    """Register an environment that another process knows, unless this one knows it, too."""
    spec = EnvSpec.from_json(registration)
    gymnasium.registry.setdefault(spec.id, spec)


def make(name: str, kwargs: Mapping[str, object]) -> gymnasium.Env[Any, Any]:
    """Return a new environment, with its time limit.

    Args:
        name: See `find_spec`.
        kwargs: Arguments of the environment's class.

    Raises:
        UnknownTaskError: No such environment is registered.
        UsageError: A package that it needs is not installed, or an argument does not exist.
        TaskError: The environment fails.
    """
    spec = find_spec(name)
    limit = spec.max_episode_steps or DEFAULT_EPISODE_STEPS
    arguments: dict[str, Any] = {"max_episode_steps": limit, **kwargs}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gymnasium warns of older versions
            return gymnasium.make(spec.id, disable_env_checker=True, **arguments)
    except (DependencyNotInstalled, ImportError) as error:
        raise UsageError(_what_is_missing(spec, error)) from error
    except TypeError as error:
        raise UsageError(
            f"The environment {spec.id} cannot be made with the arguments"
            f" {', '.join(kwargs) or 'none'} (--env-kwargs): {one_line(str(error))}."
        ) from error
    except Exception as error:
        raise TaskError(f"The environment {spec.id} cannot be made: {reason_of(error)}.") from error


def start_episode(env: gymnasium.Env[Any, Any], seed: int) -> tuple[Any, dict[str, Any]]:
    """Start an episode that depends on the seed alone.

    Meta-World ignores the seed of `reset` and takes that of `seed`, as Gym did before 0.26.

    Args:
        env: The environment.
        seed: The seed of the episode.

    Returns:
        The observation and the info.
    """
    older = getattr(env.unwrapped, "seed", None)
    if callable(older):
        older(seed)
    return env.reset(seed=seed)


def reason_of(error: BaseException) -> str:
    """Return what an exception of an environment says, in one line without its end mark."""
    text = one_line(f"{type(error).__name__}: {error}", _LONGEST_REASON).rstrip(".: ")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{text}{where}"


@cache
def _register_robotics() -> None:
    """Register the environments of gymnasium_robotics, which this library installs."""
    with contextlib.redirect_stderr(io.StringIO()):  # it tells about its versions
        robotics = _import(_ROBOTICS)
    gymnasium.register_envs(robotics)


def _import(module: str, advice: str = "") -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]
        what = "is not installed" if missing else f"cannot be imported: {reason_of(error)}"
        advice = advice or "install the package, or check its name"
        raise UsageError(
            f"The module {module!r}, which registers the environment, {what}: {advice}."
        ) from error


def _how_to_name_a_module(name: str) -> str:
    return (
        f"install the package; if the module that registers {name} has another name, write it"
        f" before the id, as in gym:module:{name}"
    )


def _not_registered(name: str) -> str:
    near = did_you_mean(name, gymnasium.registry)
    return (
        f"Gymnasium has no environment {name!r:.100}.{near} To list all: python -c 'import"
        " gymnasium; gymnasium.pprint_registry()'. An environment of another package is"
        " gym:module:NAME, where module registers it."
    )


def _what_is_missing(spec: EnvSpec, error: BaseException) -> str:
    module = spec.entry_point if isinstance(spec.entry_point, str) else ""
    extras = (extra for start, extra in _EXTRAS.items() if module.startswith(start))
    extra = next(extras, None)
    if extra is not None:
        return f"{spec.id} needs packages that are not installed: pip install '{extra}'."
    return (
        f"{spec.id} needs packages that are not installed ({reason_of(error)}): install the package"
        " that it names."
    )
