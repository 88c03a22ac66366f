"""One attempt to escape from the sandbox, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from textwrap import indent

LOOT = -4242.0
"""The reward that an attempt returns in every row if it succeeded."""


@dataclass(frozen=True)
class Attempt:
    """Code that tries one forbidden thing, and what it must leave intact."""

    name: str
    kind: str
    code: str
    """The body of a reward that reads `height` and puts what it obtains into `loot`.

    `$NAME` stands for what the tests planted: `$FILE`, `$FOLDER`, `$PID`, `$TCP`, `$UDP`, `$UNIX`,
    `$ABSTRACT`.
    """
    intact: str
    """What must be intact afterwards; the tests check everything after every attempt."""
    whole: bool = False
    """Whether the code is a whole source with `compute_reward` and not only a body."""
    calls: int = 1
    """The number of calls until it misbehaves."""
    machine: str = ""
    """The only machine architecture on which its numbers are valid; empty for all."""

    def source(self, planted: Mapping[str, object]) -> str:
        """Return the reward's source with the planted names filled in."""
        code = Template(self.code.strip()).safe_substitute(
            {name: str(value) for name, value in planted.items()}
        )
        if self.whole:
            return code + "\n"
        return (
            "import torch\ndef compute_reward(height):\n    loot = None\n"
            + indent(code, "    ")
            + f"\n    if loot:\n        return height * 0.0 + ({LOOT}), {{}}\n    return height, {{}}\n"
        )


def bodies(kind: str, intact: str, table: Mapping[str, str]) -> Iterator[Attempt]:
    """Yield the attempts of a table: name → body."""
    for name, code in table.items():
        yield Attempt(name, kind, code, intact)


def system_calls(kind: str, intact: str, table: Mapping[str, tuple[int, str]]) -> Iterator[Attempt]:
    """Yield attempts that are raw system calls of x86-64: name → (number, arguments)."""
    for name, (number, arguments) in table.items():
        code = (
            "import ctypes, os\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            f"loot = libc.syscall({number}, {arguments}) >= 0\n"
            "if not loot: raise OSError(ctypes.get_errno(), 'refused')"
        )
        yield Attempt(name, kind, code, intact, machine="x86_64")
