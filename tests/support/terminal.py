"""A program on a real terminal (a pseudo-terminal of the kernel), driven by a test."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ROWS, _COLUMNS = 40, 80
_PYTHON = "import sys; from eureka_agent.cli.main import {main} as m; sys.exit(m(sys.argv[1:]))"


def _own_the_terminal() -> None:
    """Let Ctrl-C reach the program; background jobs of a shell ignore it and pass that on."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Runs a function of `eureka_agent.cli.main` on a pseudo-terminal; a context manager."""

    def __init__(
        self, main: str, args: Sequence[str], *, environment: dict[str, str] | None = None
    ) -> None:
        self._us, them = pty.openpty()
        fcntl.ioctl(them, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self._seen = ""
        self._at = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PYTHON.format(main=main), *args],
            stdin=them,
            stdout=them,
            stderr=them,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TERM": "xterm", "PYTHONFAULTHANDLER": "1", **(environment or {})},
            start_new_session=True,
            preexec_fn=_own_the_terminal,
        )
        os.close(them)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._us)

    @property
    def text(self) -> str:
        """Everything written so far, without escape sequences."""
        return _ESCAPES.sub("", self._seen).replace("\r\n", "\n")

    def expect(self, words: str, timeout_s: float = 120.0) -> str:
        """Wait until `words` are written; return the text from the last `expect` to their end."""
        deadline = time.monotonic() + timeout_s
        while (found := self.text.find(words, self._at)) < 0:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(
                    f"{words!r} did not come; the terminal shows:\n{self.text[self._at :]}"
                )
        before, self._at = self.text[self._at : found + len(words)], found + len(words)
        return before

    def type(self, line: str, *, end: str = "\n") -> None:
        """Type a line."""
        os.write(self._us, f"{line}{end}".encode())

    def ends(self, timeout_s: float = 120.0) -> int:
        """Read until the program ends; return its exit code."""
        deadline = time.monotonic() + timeout_s
        while self._read(deadline - time.monotonic()):
            pass
        try:
            return self.process.wait(timeout=60.0)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Python then prints its threads' stacks
            while self._read(5.0):
                pass
            raise AssertionError(
                f"the program does not end; the terminal shows:\n{self.text}"
            ) from None

    def interrupt(self) -> int:
        """Press Ctrl-C, repeatedly as people do, until the program ends; return its exit code.

        Python waits for one more key if a signal comes just before it starts to wait for a line.
        """
        for _ in range(5):
            self.type("\x03", end="")
            deadline = time.monotonic() + 20.0
            while time.monotonic() < deadline and self.process.poll() is None:
                self._read(0.5)
            if self.process.poll() is not None:
                break
        return self.ends()

    def _read(self, seconds: float) -> bool:
        """Read what is available; False if the program closed its terminal, or after `seconds`."""
        if not select.select([self._us], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._us, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            return False
        self._seen += data.decode("utf-8", "replace")
        return bool(data)
