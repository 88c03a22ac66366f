"""The command `eureka-agent serve`."""

from __future__ import annotations

import threading
from pathlib import Path

from eureka_agent.errors import RunDirError
from eureka_agent.report import put, whole_line
from eureka_agent.server import PageServer
from eureka_agent.utils.paths import user_path
from eureka_agent.utils.terminal import Terminal


def serve_until_stopped(runs_dir: Path, port: int | None, *, opens_browser: bool) -> None:
    """Serve the pages of a folder's runs until Ctrl-C.

    Args:
        runs_dir: Folder that holds the runs.
        port: See `PageServer`.
        opens_browser: Whether to open the list of runs in this machine's browser.

    Raises:
        RunDirError: There is no such folder.
        UsageError: The port is taken.
    """
    folder = user_path(runs_dir)
    if not folder.is_dir():
        raise RunDirError(f"There is no folder {folder}: name the folder that holds the runs.")
    console = Terminal()
    with PageServer(folder, port) as server:
        put(console, whole_line(f"The runs in {folder} are on this page: {server.url()}"))
        put(console, whole_line(f"Over SSH: ssh -L {server.port}:localhost:{server.port} HOST"))
        put(console, whole_line("Ctrl-C ends it."))
        if opens_browser:
            server.open_browser()
        threading.Event().wait()
