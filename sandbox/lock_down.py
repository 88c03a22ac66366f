"""Linux: all layers, one after the other, on the calling process.

It must be single-threaded (right after a fork): limits, capabilities, Landlock and seccomp bind the
calling thread, and a second thread would go free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import landlock, limits, privileges, seccomp
from .report import Report, attempt
from .self_check import refusals
from .self_check_linux import linux_escapes


@dataclass(frozen=True)
class LinuxLockdown:
    """See `reward_child.Lockdown`."""

    memory_bytes: int
    parent: int

    def seal(self) -> Report:
        """See `lock_down`."""
        privileges.allow_inspection()  # forbidden again by `lock_down`
        limits.volunteer_for_out_of_memory()
        return lock_down(memory_bytes=self.memory_bytes, parent=self.parent)

    def allow(self, seconds: float) -> None:
        """Nothing to do: the trusted side reads this process's clock, and ends it."""

    def run_self_check(self) -> dict[str, bool]:
        """Return per forbidden act whether it is refused."""
        return refusals(linux_escapes(self.parent))


def lock_down(*, memory_bytes: int, parent: int) -> Report:
    """Apply every layer that this machine has, and say which hold. There is no way back.

    The channel must be on descriptor 3 already. Each layer is attempted even when another failed;
    the caller decides what is enough.
    """
    privileges.forbid_inspection()
    steps: dict[str, Callable[[], None]] = {
        "rlimits": lambda: limits.set_limits(memory_bytes),
        "capabilities": privileges.drop_capabilities,
        "no_new_privs": privileges.forbid_new_privileges,
        "landlock": landlock.apply,
        "parent_death": lambda: privileges.die_with_parent(parent),
        "seccomp": lambda: seccomp.apply(limits.CHANNEL),
    }
    return {layer: attempt(step) for layer, step in steps.items()}
