"""The commands that write or serve pages: `report`, `compare`, `replay` and `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from eureka_agent.errors import RunDirError

if TYPE_CHECKING:
    from eureka_agent.runs.directory import RunDir


def report(
    run: tyro.conf.Positional[str],
    out: Path | None = None,
    open: bool = False,
    runs_dir: Path = Path("runs"),
) -> None:
    """Write a run's report as one HTML page that opens without a network.

    Args:
        run: The run's folder, its name, or the start of its name.
        out: Where to write it; by default report.html in the run's folder.
        open: Open the page in the browser.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report.html.writer import write_report
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.utils.paths import user_path

    found = RunDir.find(run, runs_dir)
    _show(write_report(found, user_path(out) if out is not None else None), "report", open)


def compare(
    runs: tyro.conf.Positional[tuple[str, ...]],
    out: Path = Path("compare.html"),
    open: bool = False,
    runs_dir: Path = Path("runs"),
) -> None:
    """Compare runs on one HTML page: results, protocols, fitness by generation, cost.

    Args:
        runs: The runs' folders, their names, or the starts of their names.
        out: Where to write it.
        open: Open the page in the browser.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report.html.writer import write_comparison
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.utils.paths import user_path

    found = [RunDir.find(run, runs_dir) for run in runs]
    _show(write_comparison(found, user_path(out)), "comparison", open)


def replay(
    run: tyro.conf.Positional[str],
    candidates: tyro.conf.Positional[tuple[str, ...]] = (),
    out: Path | None = None,
    open: bool = False,
    video: Path | None = None,
    runs_dir: Path = Path("runs"),
) -> None:
    """Write an HTML page that replays policies of a run in 3-D, side by side.

    Args:
        run: The run's folder, its name, or the start of its name.
        candidates: Candidates such as g1c3, `human reward` or `sparse reward`; by default the best
            reward and both references.
        out: Where to write it; by default replay.html in the run's folder.
        open: Open the page in the browser.
        video: Write the median episode of one of them as an mp4 file instead of a page.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report.html.writer import write_replays
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.utils.paths import user_path

    found = RunDir.find(run, runs_dir)
    if video is not None:
        _write_video(found, user_path(video), candidates)
        return
    page = write_replays(found, candidates, user_path(out) if out is not None else None)
    _show(page, "replay", open)


def serve(
    runs_dir: tyro.conf.Positional[Path] = Path("runs"),
    port: int | None = None,
    open: bool = False,
) -> None:
    """Serve pages of the runs in a folder, on this machine only: progress, replays, your answers.

    Args:
        runs_dir: Folder that holds the runs.
        port: Port on 127.0.0.1, 0 for any; by default 8765 or, if that is taken, another.
        open: Open the pages in this machine's browser.
    """
    import threading

    from eureka_agent.config.limits import check_port
    from eureka_agent.report import put, whole_line
    from eureka_agent.server import PageServer
    from eureka_agent.utils.paths import user_path
    from eureka_agent.utils.terminal import Terminal

    folder, console = user_path(runs_dir), Terminal()
    if port is not None:
        check_port(port)
    if not folder.is_dir():
        raise RunDirError(f"There is no folder {folder}: name the folder that holds the runs.")
    with PageServer(folder, port) as server:
        put(console, whole_line(f"The runs in {folder} are on this page: {server.url()}"))
        put(console, whole_line(f"Over SSH: ssh -L {server.port}:localhost:{server.port} HOST"))
        put(console, whole_line("Ctrl-C ends it."))
        if open:
            server.open_browser()
        threading.Event().wait()


def _write_video(run: RunDir, path: Path, candidates: tuple[str, ...]) -> None:
    """Write a video, and say where it is."""
    from eureka_agent.report import put, whole_line
    from eureka_agent.report.stored_video import write_run_video
    from eureka_agent.utils.terminal import Terminal

    shown = write_run_video(run, path, candidates)
    put(Terminal(), whole_line(f"The video of {shown} is in {path}."))


def _show(page: Path, what: str, open_it: bool) -> None:
    """Say where a page is, and open it in the browser if that is wanted."""
    import webbrowser

    from eureka_agent.report import put, whole_line
    from eureka_agent.utils.terminal import Terminal

    put(Terminal(), whole_line(f"The {what} is in {page}."))
    if open_it and not webbrowser.open(page.resolve().as_uri()):
        put(Terminal(), whole_line("No browser was found here: open the file yourself."))
