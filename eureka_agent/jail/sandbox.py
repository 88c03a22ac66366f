"""The sandbox: candidates' rewards run in sealed processes, and only numbers come back.

`Sandbox` starts one warm helper process. From it, `Sandbox.open` gets a process for one candidate,
which seals itself before it sees the candidate's source (`sandbox/README.md` has the layers and the
threat model). A call copies its tensors into memory that is shared with that process only::

    with Sandbox() as sandbox:
        reward = sandbox.open(source, task.reward_inputs, max_rows=horizon * num_envs)
        batch = reward(state)        # or submit() to all candidates, then collect() from all
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from eureka_agent.config import SandboxLevel
from eureka_agent.errors import MissingLayerError, SandboxError
from eureka_agent.jail.inspection import allow_inspection, forbid_inspection
from eureka_agent.jail.memory import shared_memory
from eureka_agent.jail.process_manager import ProcessManager
from eureka_agent.jail.sandboxed_reward import SandboxedReward
from eureka_agent.records import RewardSource
from eureka_agent.tasks.task import StateSpec

__all__ = ["Layers", "Sandbox", "SandboxLevel", "level_without"]

_LAYERS = ("seccomp", "landlock", "capabilities", "no_new_privs", "rlimits")
_REQUIRED: Mapping[SandboxLevel, tuple[str, ...]] = {
    "full": _LAYERS,
    "reduced": ("no_new_privs", "rlimits"),
    "static-checks": (),
}
"""From the safest level to the least safe."""
_NOT_A_LAYER = "parent_death"
"""Reported like a layer, but it only ends sealed processes together with the helper process."""


@dataclass(frozen=True)
class Layers:
    """The layers that hold on this machine, found by trying forbidden acts in a test process."""

    level: SandboxLevel
    """The level that was required."""
    held: tuple[str, ...]
    missing: Mapping[str, str]
    """Layers that do not hold, each with the reason."""
    possible: tuple[str, ...]
    """Forbidden acts that were not refused; none at the level `full`."""

    @property
    def sealed(self) -> bool:
        """Whether the kernel limits these processes to arithmetic."""
        return "seccomp" in self.held


class Sandbox:
    """Opens sealed processes for candidates' rewards; a context manager.

    Args:
        required: The layers that must hold. `full`: seccomp, Landlock, dropped capabilities,
            no_new_privs and resource limits. `reduced`: no_new_privs and resource limits, for
            kernels that lack the others. `static-checks`: none, the only level on macOS. Every
            layer that this machine has is applied at every level. Below `full`, code that gets past
            the static checks may be able to read files and use the network, so use these levels
            only for rewards from a source that you trust.
        first_call_s: Processor time that the first call of a reward may use, in seconds.
        call_s: Processor time that every later call may use, in seconds.
        memory_mib: Memory that one sealed process may use, in MiB.

    Raises:
        MissingLayerError: A required layer does not hold on this machine.
        SandboxError: The helper process cannot be started, or a forbidden act was not refused.
    """

    def __init__(
        self,
        *,
        required: SandboxLevel = "full",
        first_call_s: float = 20.0,
        call_s: float = 5.0,
        memory_mib: int = 2048,
    ) -> None:
        """Start the helper process and test the layers; see the class for arguments and errors."""
        _demand_system(required)
        self.level: SandboxLevel = required
        self._hidden = required != "full"
        if self._hidden:
            forbid_inspection()
        try:
            self._process_manager = ProcessManager(
                _REQUIRED[required], first_call_s=first_call_s, call_s=call_s, memory_mib=memory_mib
            )
        except BaseException:
            self._allow_inspection()
            raise
        try:
            self.layers = self._test_layers()
            self._demand_layers()
        except BaseException:
            self.close()
            raise

    def open(
        self, reward: RewardSource, spec: StateSpec, *, max_rows: int, _checked: bool = True
    ) -> SandboxedReward:
        """Start a sealed process for one reward. The candidate's code runs at the first call.

        Args:
            reward: The checked source; the sealed process checks it again.
            spec: The state and constants that the task offers to rewards.
            max_rows: The most rows that a call may have; it sets the size of the shared memory.
            _checked: Only for tests of the layers behind the static checks: False turns the
                second check and the restricted namespace off.

        Returns:
            The reward, to be called with state tensors.

        Raises:
            SandboxError: The process cannot be started or sealed.
        """
        return SandboxedReward(self._process_manager, reward, spec, max_rows, checked=_checked)

    def describe(self) -> str:
        """Return one line that says which layers hold and which are missing."""
        return describe_layers(self.layers)

    @property
    def helper_pid(self) -> int:
        """Process id of the helper process."""
        return self._process_manager.helper_pid

    def close(self) -> None:
        """End the helper process and every sealed process with it; a second call does nothing."""
        self._process_manager.close()
        self._allow_inspection()

    def _allow_inspection(self) -> None:
        """Undo this sandbox's `forbid_inspection`; a second call does nothing."""
        if self._hidden:
            self._hidden = False
            allow_inspection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _test_layers(self) -> Layers:
        memory = shared_memory(mmap.PAGESIZE)
        try:
            handle, report = self._process_manager.start_sealed(memory)
        finally:
            os.close(memory)
        held = tuple(
            layer
            for layer in sorted(report, key=_order)
            if not report[layer] and layer != _NOT_A_LAYER
        )
        missing = {layer: reason for layer, reason in report.items() if reason}
        if missing.keys() & set(_REQUIRED[self.level]):
            self._process_manager.end(handle)
            return Layers(self.level, held, missing, ())
        acts = self._process_manager.ask(handle, "acts", {"do": "self_check"})
        self._process_manager.end(handle)
        possible = tuple(act for act, refused in acts.items() if not refused)
        return Layers(self.level, held, missing, possible)

    def _demand_layers(self) -> None:
        for layer in _REQUIRED[self.level]:
            if layer in self.layers.missing:
                raise MissingLayerError(
                    f"The sandbox's layer {layer!r} does not hold on this machine:"
                    f" {self.layers.missing[layer]}. For rewards from a source that you trust,"
                    f" --sandbox {level_without(layer)} runs without it."
                )
        if self.layers.sealed and self.layers.possible:
            raise SandboxError(
                f"The sandbox let a sealed process {', '.join(self.layers.possible)}: it is not"
                " safe on this machine."
            )


def describe_layers(layers: Layers) -> str:
    """Return one line that says which layers hold and which are missing."""
    held = ", ".join(layers.held)
    if layers.sealed:
        line = f"Rewards run in sealed processes ({held})."
    else:
        possible = ", ".join(layers.possible) or "make any system call"
        line = (
            f"NOT SEALED: code that gets past the static checks can {possible}. Layers that hold:"
            f" {held or 'none'}."
        )
    if not layers.missing:
        return line
    missing = "; ".join(f"{layer}: {reason}" for layer, reason in layers.missing.items())
    return f"{line} Missing at --sandbox {layers.level}: {missing}."


def level_without(layer: str) -> SandboxLevel:
    """Return the safest level that works without `layer`; outside Linux there is only one level."""
    if _system() != "Linux":
        return "static-checks"
    return next(level for level, required in _REQUIRED.items() if layer not in required)


def _system() -> str:
    return {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)


def _order(layer: str) -> int:
    return _LAYERS.index(layer) if layer in _LAYERS else -1


def _demand_system(required: SandboxLevel) -> None:
    """Raise MissingLayerError if the operating system cannot provide the level `required`."""
    system = _system()
    if system == "Windows":
        raise MissingLayerError(
            f"{system} cannot isolate rewards at any --sandbox level: run eureka_agent in WSL 2."
        )
    if system != "Linux" and required != "static-checks":
        raise MissingLayerError(
            f"--sandbox {required} needs seccomp, Landlock, capabilities, no_new_privs and a memory"
            f" limit, and {system} has none of them. Run eureka_agent in a Linux machine (Lima,"
            " Colima, Docker Desktop). For rewards from a source that you trust, --sandbox"
            " static-checks works without them, but code that gets past the static checks then has"
            " all your rights."
        )
