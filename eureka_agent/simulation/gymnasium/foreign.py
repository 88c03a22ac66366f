"""Environments whose packages are installed in another Python (`--python`).

Some packages pin versions that cannot be installed next to ours: Meta-World needs mujoco 3.3.0. The
other Python needs Python 3.10 or newer, numpy, Gymnasium and the package, but neither torch nor
eureka_agent: what runs there is loaded from this installation.
"""

from __future__ import annotations

import json
import os
import subprocess
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import unflatten

from eureka_agent import errors
from eureka_agent.errors import SimulationError, TaskError, UsageError
from eureka_agent.simulation.gymnasium.space_data import action_to_data, space_from_data
from eureka_agent.text import one_line

_ROOT = Path(errors.__file__).parent.parent
_PACKAGES = (
    "eureka_agent",
    "eureka_agent.simulation",
    "eureka_agent.simulation.gymnasium",
    "eureka_agent.tasks",
    "eureka_agent.utils",
)
"""The packages whose modules run there. Their own code, which imports libraries, does not run."""
_BOOT = """
import importlib, json, os, sys, types
root, packages, module, *numbers = sys.argv[1:]
for name in json.loads(packages):
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(root, *name.split("."))]
    sys.modules[name] = package
importlib.import_module(module).main(*map(int, numbers))
"""
_VERSIONS = """
import importlib.metadata, json, sys
found = {"python": "%d.%d" % sys.version_info[:2]}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps(found))
"""
_ANSWER_S = 60.0
"""How long another Python may take to tell its versions."""
_END_S = 2.0
_OLDEST = (3, 10)
_NEEDED = ("numpy", "gymnasium", "packaging")
"""What every environment needs there; Gymnasium's MuJoCo environments import `packaging`."""


def foreign_command(python: str, module: str, *descriptors: int) -> list[str]:
    """Return the command that runs `main` of one of our modules in another Python.

    Args:
        python: Path of its interpreter.
        module: The module; it and all that it imports from here must do without torch.
        descriptors: The arguments of `main`.
    """
    packages = json.dumps(_PACKAGES)
    return [python, "-c", _BOOT, str(_ROOT), packages, module, *map(str, descriptors)]


@dataclass(frozen=True)
class ForeignVersions:
    """What another Python has."""

    python: str
    packages: Mapping[str, str | None]
    """Versions by package; None for those that are not installed."""

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name, version in self.packages.items() if version is None]


@cache
def foreign_versions(python: str, *packages: str) -> ForeignVersions:
    """Ask another Python which packages it has.

    Args:
        python: Path of its interpreter.
        packages: Their names, in addition to those that every environment needs.

    Raises:
        UsageError: It cannot be run.
    """
    command = [python, "-c", _VERSIONS, *_NEEDED, *packages]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_S, check=True
        )
        found = json.loads(done.stdout)
        return ForeignVersions(found.pop("python"), found)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(
            f"--python {python} cannot be run: {one_line(str(error))}. Give the path of an"
            " interpreter, such as ~/metaworld/bin/python."
        ) from error


def demand_packages(python: str, *packages: str) -> None:
    """Raise UsageError with the command that installs what another Python lacks."""
    found = foreign_versions(python, *packages)
    if tuple(map(int, found.python.split("."))) < _OLDEST:
        raise UsageError(f"--python {python} is Python {found.python}: 3.10 or newer is needed.")
    if found.missing:
        raise UsageError(
            f"--python {python} lacks {', '.join(found.missing)}: {python} -m pip install"
            f" {' '.join(found.missing)}"
        )


def foreign_env(python: str, name: str, kwargs: Mapping[str, object]) -> gymnasium.Env[Any, Any]:
    """Return an environment that is stepped in another Python.

    It has the spaces, the docstring and the name of the class that it has there, but no MuJoCo
    model.

    Args:
        python: Path of the interpreter.
        name: See `making.find_spec`; the registry is that of the other Python.
        kwargs: Arguments of the environment's class.

    Raises:
        UnknownTaskError: No such environment is registered there.
        UsageError: A package is missing there, or an argument does not exist.
        TaskError: The environment fails.
        SimulationError: The process ends.
    """
    channel = _Channel(python)
    known = channel.ask("make", (name, dict(kwargs)))
    if not isinstance(known, dict):
        raise TaskError(f"--python {python} did not describe the environment {name}.")
    kind = type(str(known["kind"]), (ForeignEnv,), {"__doc__": str(known["docstring"])})
    env: gymnasium.Env[Any, Any] = kind(channel, known)
    return env


class _Channel:
    """A process of another Python with one environment."""

    def __init__(self, python: str) -> None:
        self._python = python
        ours, theirs = Pipe()
        with theirs:
            module = "eureka_agent.simulation.gymnasium.foreign_worker"
            self._process = subprocess.Popen(
                foreign_command(python, module, theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        self._channel: Connection[Any, Any] = ours
        self.close = weakref.finalize(self, _end, ours, self._process)

    def ask(self, what: str, value: object) -> Any:
        """Send a request and return the answer. Raises what the other side raised."""
        try:
            self._channel.send((what, value))
            kind, answer = self._channel.recv()
        except (EOFError, OSError) as error:
            raise SimulationError(
                f"The process of --python {self._python} ended: {self._last_words()}."
            ) from error
        if not kind:
            return answer
        raise getattr(errors, kind, TaskError)(str(answer))

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        return one_line(lines[-1], 200) if lines else "without a message"


def _end(channel: Connection[Any, Any], process: subprocess.Popen[bytes]) -> None:
    channel.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()


class ForeignEnv(gymnasium.Env[Any, Any]):
    """One environment that is stepped in another Python; `foreign_env` makes it."""

    def __init__(self, channel: _Channel, known: Mapping[str, Any]) -> None:
        self._channel = channel
        self.observation_space = space_from_data(known["observation_space"])
        self.action_space = space_from_data(known["action_space"])
        self.spec = EnvSpec(
            str(known["id"]),
            max_episode_steps=known["max_episode_steps"],
            reward_threshold=known["reward_threshold"],
        )
        self.metadata = {"render_modes": [], "render_fps": known["render_fps"]}
        self.dt = known["dt"]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        flat, info = self._channel.ask("reset", seed)
        return self._observation(flat), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        answer = self._channel.ask("step", action_to_data(action))
        flat, reward, terminated, truncated, info = answer
        return self._observation(flat), reward, terminated, truncated, _with_arrays(info)

    def close(self) -> None:
        """End the process."""
        self._channel.close()

    def _observation(self, flat: object) -> Any:
        return unflatten(self.observation_space, np.asarray(flat, dtype=np.float64))


def _with_arrays(info: Mapping[str, Any]) -> dict[str, Any]:
    return {key: np.asarray(v) if isinstance(v, list) else v for key, v in info.items()}


def user_python(path: str) -> str:
    """Return the path of an interpreter, with `~` replaced. Raises UsageError if it is none."""
    python = os.path.abspath(os.path.expanduser(path))
    if not os.access(python, os.X_OK) or os.path.isdir(python):
        raise UsageError(
            f"--python {path} is not an interpreter: give a path such as ~/metaworld/bin/python."
        )
    return python
