"""The web server of the pages: one thread of this process, on 127.0.0.1 only."""

from __future__ import annotations

import socket
import time
import webbrowser
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import quote

import uvicorn

from eureka_agent.errors import UsageError
from eureka_agent.server.app import make_app
from eureka_agent.server.guard import Access
from eureka_agent.server.runs import Runs

USUAL_PORT = 8765
_ADDRESS = "127.0.0.1"
_MOST_AT_ONCE = 200
"""Requests at a time; further ones are refused."""
_ENDS_S = 5.0
_WATCHED_S = 5.0


class PageServer:
    """Serves the runs of a folder; a context manager.

    Args:
        runs_dir: Folder that holds the runs.
        port: The port; 0 for any; None for the usual one or, if it is taken, for any.
    """

    def __init__(self, runs_dir: Path, port: int | None = None) -> None:
        self._runs = Runs(runs_dir)
        self._wanted = port
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None
        self._access: Access | None = None
        self.port = 0
        """The port, once the server has started."""

    def start(self) -> None:
        """Bind the port and answer from now on. Raises UsageError if the port is not free."""
        listener = _bound(self._wanted)
        self.port = listener.getsockname()[1]
        self._access = Access.on_port(self.port)
        config = uvicorn.Config(
            make_app(self._runs, self._access),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run, args=([listener],), name="eureka-pages", daemon=True
        )
        self._thread.start()

    def url(self, run: str | None = None) -> str:
        """Return the address to open, with the secret: of a run's page, or of the list of runs."""
        assert self._access is not None, "the server has not started"
        path = f"/runs/{quote(run, safe='')}" if run is not None else "/"
        return f"http://{_ADDRESS}:{self.port}{path}?secret={self._access.secret}"

    def open_browser(self, run: str | None = None) -> None:
        """Open the address in this machine's browser, if it has one."""
        webbrowser.open(self.url(run))

    @property
    def is_watched(self) -> bool:
        """Whether a page is open in a browser: it asks every two seconds what its run does."""
        return time.monotonic() - self._runs.followed_at < _WATCHED_S

    def stop(self) -> None:
        """Answer nothing any more; wait until the thread has ended."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_ENDS_S)
            self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _bound(port: int | None) -> socket.socket:
    """Return a socket that listens on a port of this machine; see `PageServer`."""
    try:
        return _listening(USUAL_PORT if port is None else port)
    except OSError as error:
        if port is None:
            return _listening(0)
        raise UsageError(
            f"Cannot serve the page on port {port} ({error.strerror}): choose another with --port,"
            " or leave it out."
        ) from error


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_ADDRESS, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
