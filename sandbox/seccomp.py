"""The system call filter: it allows the few calls that arithmetic needs; others fail with EPERM.

A refused call returns an error and is not fatal, so that the candidate's own exception says what it
tried and on which line. Only calls through a foreign interface (32-bit, x32) kill the process: they
have no legitimate use, and their numbers mean other calls.

See seccomp(2) and, for the instruction codes, `linux/bpf_common.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

from . import libc
from .syscalls import Architecture, architecture

_ALWAYS = (
    "munmap mremap madvise brk futex sched_yield rt_sigaction rt_sigprocmask rt_sigreturn getpid "
    "gettid clock_gettime restart_syscall exit exit_group"
).split()
"""Memory, locks, signals to oneself, time, and the end."""

_LOAD_WORD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE = 0, 4
_X32_BIT = 0x40000000
_PROT_EXEC = 4
_SET_MODE_FILTER = 1


def apply(channel: int) -> None:
    """Install the filter on this process irreversibly; it allows read and write on `channel` only.

    Needs no_new_privs. Raises OSError if the kernel or the architecture has no seccomp filters.
    """
    machine = architecture()
    program = b"".join(_program(machine, channel, os.getpid()))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, libc.address(code))  # struct sock_fprog
    libc.syscall("seccomp", machine.numbers["seccomp"], _SET_MODE_FILTER, 0, header)


def _program(machine: Architecture, channel: int, own_pid: int) -> Iterable[bytes]:
    number = machine.numbers
    yield _step(_LOAD_WORD, _OFFSET_ARCHITECTURE)
    yield _step(_EQUAL, machine.audit, if_true=1)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD_WORD, _OFFSET_NUMBER)
    # x86-64 (where read is call 0) has a second interface, x32, marked by a bit of the number.
    if machine.numbers["read"] == 0:
        yield _step(_AT_LEAST, _X32_BIT, if_false=1)
        yield _step(_RETURN, _KILL)
    for name in ("read", "write"):
        yield from _allow_if_equal(number[name], 0, channel)
    for name in ("kill", "tgkill"):
        yield from _allow_if_equal(number[name], 0, own_pid)
    for name in ("mmap", "mprotect"):
        yield from _refuse_if_bits(number[name], 2, _PROT_EXEC)
    for name in _ALWAYS:
        yield _step(_EQUAL, number[name], if_false=1)
        yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _REFUSE)


def _allow_if_equal(number: int, argument: int, value: int) -> Iterable[bytes]:
    """Decide call `number`: allow it if the (32-bit) argument has this value, else refuse it."""
    yield _step(_EQUAL, number, if_false=4)
    yield _step(_LOAD_WORD, _argument(argument))
    yield _step(_EQUAL, value, if_false=1)
    yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _REFUSE)


def _refuse_if_bits(number: int, argument: int, bits: int) -> Iterable[bytes]:
    """Decide call `number`: refuse it if the argument has any of these bits, else allow it."""
    yield _step(_EQUAL, number, if_false=4)
    yield _step(_LOAD_WORD, _argument(argument))
    yield _step(_ANY_BIT, bits, if_false=1)
    yield _step(_RETURN, _REFUSE)
    yield _step(_RETURN, _ALLOW)


def _argument(index: int) -> int:
    """Offset of the low half of a 64-bit argument (little-endian) in `struct seccomp_data`."""
    return 16 + 8 * index


def _step(code: int, operand: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction, `struct sock_filter`; `if_true`, `if_false`: instructions to jump over."""
    return struct.pack("=HBBI", code, if_true, if_false, operand)
