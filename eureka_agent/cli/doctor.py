"""Check this installation by trying each part."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from eureka_agent.errors import EurekaError
from eureka_agent.jail import Sandbox, level_without
from eureka_agent.simulation.gymnasium.foreign import foreign_versions, user_python
from eureka_agent.tasks.registry import all_tasks, load_task
from eureka_agent.utils.cpu import cpu_count


class DoctorFinding(NamedTuple):
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    """What was found, or what to do."""


_PACKAGES = ("eureka-agent", "mujoco", "torch", "gymnasium", "gymnasium-robotics", "openai")

_ONLY_SOMETIMES = {
    "mujoco": "needed for MuJoCo's environments",
    "metaworld": "needed for metaworld: tasks",
}
"""Packages that another Python may lack, with what they are for."""


def examine() -> list[DoctorFinding]:
    """Return one finding per part, in the order of their dependencies."""
    return [
        *_versions(),
        _attempt("tasks", _tasks),
        _attempt("simulation", _simulation),
        *_sandbox(),
        _key(),
    ]


def examine_python(path: str) -> list[DoctorFinding]:
    """Return what another Python has and lacks for environments in it.

    Args:
        path: Its interpreter.

    Raises:
        UsageError: It is none, or cannot be run.
    """
    python = user_python(path)
    found = foreign_versions(python, "mujoco", "metaworld")
    findings = [DoctorFinding("python", True, f"{found.python} ({python})")]
    for package, version in found.packages.items():
        advice = f"not installed: {python} -m pip install {package}"
        if package in _ONLY_SOMETIMES and version is None:
            advice = f"not installed; {_ONLY_SOMETIMES[package]}"
        ok = version is not None or package in _ONLY_SOMETIMES
        findings.append(DoctorFinding(package, ok, version or advice))
    return findings


def _versions() -> Iterator[DoctorFinding]:
    cores = cpu_count()
    yield DoctorFinding(
        "machine",
        True,
        f"{platform.system()} {platform.machine()}, {cores} cores, Python"
        f" {platform.python_version()}",
    )
    for package in _PACKAGES:
        try:
            yield DoctorFinding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield DoctorFinding(package, False, f"not installed: pip install {package}")
    yield DoctorFinding(
        "GPU",
        True,
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none; not needed",
    )


def _tasks() -> str:
    return ", ".join(task.name for task in all_tasks())


def _simulation() -> str:
    task = load_task("cartpole")
    environment = task.make_env(16, seed=0)
    for _ in range(10):
        step = environment.step(torch.zeros(16, task.action_size))
    return f"{task.name}: 10 steps of 16 environments, {int(step.bad.sum())} diverged"


def _sandbox() -> Iterator[DoctorFinding]:
    """Try each layer in a temporary sandboxed process, also when others are missing."""
    try:
        with Sandbox(required="static-checks") as sandbox:
            layers = sandbox.layers
    except EurekaError as error:
        yield DoctorFinding("sandbox", False, str(error))
        return
    for layer in layers.held:
        yield DoctorFinding(f"sandbox: {layer}", True, "holds")
    for layer, reason in layers.missing.items():
        without = f"--sandbox {level_without(layer)} runs without it, for rewards you trust"
        yield DoctorFinding(f"sandbox: {layer}", False, f"{reason}; {without}")
    possible = ", ".join(layers.possible)
    yield DoctorFinding(
        "sandbox: self-check",
        not possible,
        f"possible escapes: {possible}" if possible else "every escape is blocked",
    )


def _key() -> DoctorFinding:
    found = bool(os.environ.get("OPENAI_API_KEY"))
    return DoctorFinding(
        "OPENAI_API_KEY",
        True,
        "set" if found else "not set; needed only with --model",
    )


def _attempt(name: str, attempt: Callable[[], str]) -> DoctorFinding:
    try:
        return DoctorFinding(name, True, attempt())
    except EurekaError as error:
        return DoctorFinding(name, False, str(error))
