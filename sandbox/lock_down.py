"""Linux: apply all layers to the calling process, one after the other.

The process must be single-threaded (right after a fork): limits, capabilities, Landlock and seccomp
bind the calling thread only, so a second thread would stay unrestricted.
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
        limits.prefer_for_out_of_memory_kill()
        return lock_down(memory_bytes=self.memory_bytes, parent=self.parent)

    def allow(self, seconds: float) -> None:
        """Do nothing: the trusted side reads this process's clock and ends the process."""

    def run_self_check(self) -> dict[str, bool]:
        """Return for each forbidden act whether it is refused."""
        return refusals(linux_escapes(self.parent))


def lock_down(*, memory_bytes: int, parent: int) -> Report:
    """Apply every layer that this machine has, irreversibly, and report which hold.

    The channel must already be on descriptor 3. Each layer is tried even if another failed; the
    caller decides what is enough.
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
