"""Canaries: a file, environment and servers that sandboxed code must neither read nor change."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import torch

from tests.support.sandboxed import SECRET

_NAME = "secret.txt"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)


class Canaries:
    """A file, its folder, and servers on this machine; a context manager."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / _NAME
        self.file.write_text(SECRET)
        self.file.chmod(0o644)
        (folder / "planted.py").write_text("")
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._unix, self._abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
        self._unix.bind(f"{folder}/socket")
        self._abstract.bind(f"\0eureka-{os.getpid()}")
        self._servers = (self._tcp, self._udp, self._unix, self._abstract)
        for server in (self._unix, self._abstract):
            server.listen()
        for server in self._servers:
            server.setblocking(False)
        self._before = self._look()

    @property
    def names(self) -> Mapping[str, object]:
        """Values of the `$NAME` placeholders in an attempt."""
        return {
            "FILE": self.file,
            "FOLDER": self.folder,
            "PID": os.getpid(),
            "TCP": self._tcp.getsockname()[1],
            "UDP": self._udp.getsockname()[1],
            "UNIX": f"{self.folder}/socket",
            "ABSTRACT": f"eureka-{os.getpid()}",
        }

    def demand_intact(self) -> None:
        """Fail if anything has changed or if something arrived at a server."""
        now = self._look()
        assert now == self._before, {k: (v, now[k]) for k, v in self._before.items() if now[k] != v}
        for server in self._servers:
            try:
                server.recv(1) if server is self._udp else server.accept()
            except BlockingIOError:
                continue
            raise AssertionError(f"something arrived at {server}")

    def _look(self) -> dict[str, object]:
        """Return files with attributes, the process's environment and settings, torch's state."""
        return {
            "content": self.file.read_text(),
            "files": [
                (p.name, tuple(p.stat())[:7], p.stat().st_mtime_ns)
                for p in sorted(self.folder.iterdir())
            ],
            "attributes": os.listxattr(self.file),
            "environment": {n: v for n, v in os.environ.items() if n != "PYTEST_CURRENT_TEST"},
            "folder": os.getcwd(),
            "signals": [signal.getsignal(number) for number in _SIGNALS],
            "recursion": sys.getrecursionlimit(),
            "dtype": torch.get_default_dtype(),
            "gradients": torch.is_grad_enabled(),
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "seed": torch.random.get_rng_state().tolist()[:64],
            "functions": [torch.exp, torch.isfinite, torch.Tensor.__add__, torch.Tensor.clone, len],
            "e": torch.tensor(1.0).exp().item(),
        }

    def __enter__(self) -> Canaries:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.close()
