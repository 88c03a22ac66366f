"""Is this installation sound? Every answer is found by trying."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from eureka_agent.errors import EurekaError
from eureka_agent.jail import Wall, level_without
from eureka_agent.simulation import Environment
from eureka_agent.tasks.registry import all_tasks, load_task
from eureka_agent.utils.cpu import usable_cores


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    """What was found, or what to do."""


_PACKAGES = ("eureka-agent", "mujoco", "torch", "gymnasium", "gymnasium-robotics", "openai")


def examine() -> list[Finding]:
    """Return one finding per part, in the order in which parts depend on each other."""
    return [
        *_versions(),
        _attempt("tasks", _tasks),
        _attempt("simulation", _simulation),
        *_wall(),
        _key(),
    ]


def _versions() -> Iterator[Finding]:
    cores = usable_cores()
    yield Finding(
        "machine",
        True,
        f"{platform.system()} {platform.machine()}, {cores} cores, Python"
        f" {platform.python_version()}",
    )
    for package in _PACKAGES:
        try:
            yield Finding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(package, False, f"not installed: pip install {package}")
    yield Finding(
        "GPU",
        True,
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none; not needed",
    )


def _tasks() -> str:
    return ", ".join(task.name for task in all_tasks())


def _simulation() -> str:
    task = load_task("cartpole")
    environment = Environment(task, 16, seed=0)
    for _ in range(10):
        step = environment.step(torch.zeros(16, task.action_size))
    return f"{task.name}: 10 steps of 16 worlds, {int(step.bad.sum())} diverged"


def _wall() -> Iterator[Finding]:
    """Try each layer in a throw-away sealed process; whatever is missing, look at the others."""
    try:
        with Wall(required="checks") as wall:
            layers = wall.layers
    except EurekaError as error:
        yield Finding("wall", False, str(error))
        return
    for layer in layers.held:
        yield Finding(f"wall: {layer}", True, "holds")
    for layer, reason in layers.missing.items():
        without = f"--wall {level_without(layer)} runs without it, for rewards you trust"
        yield Finding(f"wall: {layer}", False, f"{reason}; {without}")
    possible = ", ".join(layers.possible)
    yield Finding(
        "wall: forbidden acts", not possible, f"possible: {possible}" if possible else "all refused"
    )


def _key() -> Finding:
    found = bool(os.environ.get("OPENAI_API_KEY"))
    return Finding(
        "OPENAI_API_KEY",
        True,
        "set" if found else "not set; without --model the built-in grammar proposes",
    )


def _attempt(name: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, attempt())
    except EurekaError as error:
        return Finding(name, False, str(error))
