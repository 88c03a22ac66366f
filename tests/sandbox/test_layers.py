"""Each layer alone, in a process of its own: it must work without the others."""

from __future__ import annotations

import importlib
import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

landlock, limits, privileges, seccomp, self_check, self_check_linux, syscalls = (
    importlib.import_module(f"eureka_agent.sandbox.{name}")
    for name in (
        "landlock",
        "limits",
        "privileges",
        "seccomp",
        "self_check",
        "self_check_linux",
        "syscalls",
    )
)


def _in_child(attempt: Callable[[], object]) -> str:
    """Return what `attempt` returns or raises in a forked process, without own descriptors."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs.fileno(), limits.CHANNEL)
        try:
            answer = str(attempt())
        except BaseException as error:  # noqa: BLE001  the parent shows it
            answer = f"{type(error).__name__}: {error}"
        os.write(limits.CHANNEL, answer.encode())
        os._exit(0)
    theirs.close()
    os.waitpid(pid, 0)
    with ours:
        return ours.recv(1 << 16).decode()


def _possible() -> list[str]:
    """Return the forbidden acts that this process can do."""
    tried = self_check.refusals(self_check_linux.linux_escapes(os.getppid()))
    return [act for act, refused in tried.items() if not refused]


def test_landlock_alone_refuses_files_and_connections() -> None:
    def attempt() -> str:
        privileges.forbid_new_privileges()
        landlock.apply()
        outcomes = []
        for act in (
            lambda: os.open("/etc/passwd", os.O_RDONLY),
            lambda: os.listdir("/"),
            lambda: os.open("/tmp/eureka_landlock", os.O_WRONLY | os.O_CREAT),
        ):
            try:
                act()
                outcomes.append("done")
            except PermissionError:
                outcomes.append("refused")
        return " ".join(outcomes)

    assert _in_child(attempt) == "refused refused refused"
    assert not Path("/tmp/eureka_landlock").exists()


def test_seccomp_alone_refuses_every_forbidden_act() -> None:
    def attempt() -> str:
        privileges.forbid_new_privileges()
        seccomp.apply(limits.CHANNEL)
        return str(_possible())

    assert _in_child(attempt) == "[]"


def test_without_layers_the_self_check_finds_what_is_possible() -> None:
    found = _in_child(_possible)
    for act in (
        "read a file",
        "list a folder",
        "open a socket",
        "start a process",
        "run a program",
        "signal its parent",
    ):
        assert act in found


def test_capabilities_are_gone_for_good() -> None:
    def attempt() -> str:
        privileges.drop_capabilities()
        status = Path("/proc/self/status").read_text().splitlines()
        return " ".join(
            sorted(
                {
                    line.split()[1]
                    for line in status
                    if line.startswith(("CapPrm", "CapEff", "CapInh"))
                }
            )
        )

    assert _in_child(attempt) == "0" * 16


def test_memory_is_limited_to_what_is_asked_for() -> None:
    def attempt() -> str:
        limits.set_limits(64 << 20)
        bytearray(16 << 20)
        try:
            bytearray(4 << 30)  # more than this process can have freed but kept
        except MemoryError:
            return f"refused, {resource.getrlimit(resource.RLIMIT_FSIZE)}"
        return "done"

    assert _in_child(attempt) == "refused, (0, 0)"


def test_only_the_channel_stays_open() -> None:
    def attempt() -> str:
        os.dup(0)
        limits.keep_only_channel(os.dup(limits.CHANNEL))
        null = {os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)}
        # Listing the folder takes one descriptor itself.
        return f"{sorted(int(name) for name in os.listdir('/proc/self/fd'))} {null}"

    assert _in_child(attempt) == "[0, 1, 2, 3, 4] {'/dev/null'}"


def test_tables_name_the_same_calls() -> None:
    x86, arm = syscalls._TABLES["x86_64"].numbers, syscalls._TABLES["aarch64"].numbers
    assert x86.keys() == arm.keys()
    assert len(set(x86.values())) == len(x86)
    assert len(set(arm.values())) == len(arm)


def test_unknown_machine_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match="no system call table for riscv64"):
        syscalls.architecture()


def test_memory_limit_that_the_kernel_does_not_enforce_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits.resource, "setrlimit", lambda which, value: None)
    assert (
        _in_child(lambda: limits.set_limits(1 << 30))
        == "OSError: a memory limit was set and is not enforced"
    )


def test_memory_limit_that_the_kernel_enforces_holds() -> None:
    assert _in_child(lambda: limits.set_limits(1 << 30)) == "None"
