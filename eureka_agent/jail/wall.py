"""The wall: candidates' rewards run in sealed processes, and only numbers come back.

`Wall` starts one warm helper process; `Wall.open` forks from it a process for one candidate, which seals itself
before it sees the candidate's source (`sandbox/README.md` has the layers and the threat model). A reward is
called with tensors that are copied into memory shared with that process alone::

    with Wall() as wall:
        reward = wall.open(source, task.reward_inputs, max_rows=horizon * num_envs)
        batch = reward(state)        # or submit() to all candidates, then collect() from all
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from eureka_agent.errors import WallError
from eureka_agent.jail.sealed_reward import SealedReward
from eureka_agent.jail.sealer import Sealer, shared_memory
from eureka_agent.records import RewardSource
from eureka_agent.task import StateSpec

__all__ = ["Layers", "Wall", "WallLevel"]

WallLevel = Literal["full", "reduced"]

_LAYERS = ("seccomp", "landlock", "capabilities", "no_new_privs", "rlimits")
_REQUIRED: Mapping[WallLevel, tuple[str, ...]] = {"full": _LAYERS, "reduced": ("no_new_privs", "rlimits")}


@dataclass(frozen=True)
class Layers:
    """Which layers hold on this machine, found by sealing a throw-away process and trying forbidden acts in it."""

    held: tuple[str, ...]
    missing: Mapping[str, str]
    """Layers that do not hold, each with the reason."""
    possible: tuple[str, ...]
    """The forbidden acts that were not refused; none at the full level."""


class Wall:
    """Opens sealed processes for candidates' rewards; a context manager.

    `required` says which layers must hold: `full` (seccomp, Landlock, dropped capabilities, no_new_privs,
    resource limits), or `reduced` (no_new_privs and resource limits) for machines whose kernel lacks the others.
    Layers that are there are applied at both levels. With `reduced`, code that gets past the static checks may
    be able to read files and use the network: only for rewards from a source that you trust.

    A call may use `call_s` seconds of processor time, the first one `first_call_s`, and `memory_mib` of memory.
    """

    def __init__(
        self,
        *,
        required: WallLevel = "full",
        first_call_s: float = 20.0,
        call_s: float = 5.0,
        memory_mib: int = 2048,
    ) -> None:
        """Start the helper process and try the layers; raises WallError where a required one does not hold."""
        if sys.platform != "linux":
            raise WallError(f"The wall needs Linux; this is {sys.platform}. Run eureka_agent in a Linux container.")
        self.level = required
        self._sealer = Sealer(_REQUIRED[required], first_call_s=first_call_s, call_s=call_s, memory_mib=memory_mib)
        try:
            self.layers = self._try_layers()
            self._demand_layers()
        except BaseException:
            self.close()
            raise

    def open(self, reward: RewardSource, spec: StateSpec, *, max_rows: int, _checked: bool = True) -> SealedReward:
        """Return `reward` in a sealed process of its own, for calls with up to `max_rows` rows.

        Raises WallError when the process cannot be sealed. The candidate's code runs at the first call. Tests of
        the layers behind the static checks turn those off with `_checked=False`.
        """
        return SealedReward(self._sealer, reward, spec, max_rows, checked=_checked)

    def describe(self) -> str:
        """Return one line that says which layers hold."""
        line = f"Rewards run in sealed processes ({', '.join(self.layers.held)})."
        if not self.layers.missing:
            return line
        missing = "; ".join(f"{layer}: {reason}" for layer, reason in self.layers.missing.items())
        return f"{line} Missing at --wall {self.level}: {missing}."

    @property
    def helper_pid(self) -> int:
        """Process id of the helper process."""
        return self._sealer.helper_pid

    def close(self) -> None:
        """End the helper process and every sealed process with it; a second time does nothing."""
        self._sealer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _try_layers(self) -> Layers:
        memory = shared_memory(mmap.PAGESIZE)
        try:
            child, missing = self._sealer.seal(memory)
        finally:
            os.close(memory)
        held = tuple(layer for layer in _LAYERS if layer not in missing)
        if missing.keys() & set(_REQUIRED[self.level]):
            self._sealer.end(child)
            return Layers(held, missing, ())
        acts = self._sealer.ask(child, "acts", {"do": "self_check"})
        self._sealer.end(child)
        return Layers(held, missing, tuple(act for act, refused in acts.items() if not refused))

    def _demand_layers(self) -> None:
        for layer in _REQUIRED[self.level]:
            if layer in self.layers.missing:
                raise WallError(
                    f"The wall's layer {layer!r} does not hold on this machine: {self.layers.missing[layer]}. "
                    "For rewards from a source that you trust, --wall reduced runs without it."
                )
        if "seccomp" in self.layers.held and self.layers.possible:
            raise WallError(f"The wall let a sealed process {', '.join(self.layers.possible)}: it is not safe here.")
